package accesslog

import "fmt"

// site is where the shop lives, as its pages' referrer.
const site = "https://shop.example.com"

// asset is a file that every page refers to.
type asset struct {
	path string
	size int
}

// assetList names the files that every page refers to.
func assetList() []asset {
	return []asset{
		{"/static/site.4f2a91.css", 18_432},
		{"/static/site.b81c07.js", 64_211},
		{"/static/logo.svg", 2_918},
	}
}

// catalogue lists the pages of the shop, the most popular first.
func catalogue() []string {
	pages := []string{"/", "/sale", "/new", "/basket", "/help/shipping", "/about", "/blog", "/help/returns"}
	for _, kind := range []string{"tents", "boots", "lamps", "packs", "stoves"} {
		pages = append(pages, "/"+kind)
		for i := 1; i <= 80; i++ {
			pages = append(pages, fmt.Sprintf("/%s/%d", kind, i))
		}
	}
	for i := 1; i <= 60; i++ {
		pages = append(pages, fmt.Sprintf("/blog/2026/%02d-on-the-trail", i))
	}
	return pages
}

// landings are the referrers of a session's first page; most come from nowhere
// or from a search engine.
func landings() []string {
	return []string{
		"-", "-", "-", "-",
		"https://www.google.com/", "https://www.google.com/", "https://www.google.com/",
		"https://www.bing.com/", "https://duckduckgo.com/",
		"https://news.example.org/outdoors", "https://forum.example.net/t/1482",
	}
}

// searches are what visitors type into the shop's own search, as a query.
func searches() []string {
	return []string{
		"two+person+tent", "hiking+boots+43", "gas+stove", "headlamp", "rain+cover", "trekking+poles",
		"ultralight", "caf%C3%A9+press", "sleeping+bag+-10", "socks",
	}
}

// browsers are the programs of visitors.
func browsers() []string {
	return []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/133.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/133.0.0.0 Safari/537.36 Edg/133.0.0.0",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:135.0) Gecko/20100101 Firefox/135.0",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15",
		"Mozilla/5.0 (X11; Linux x86_64; rv:135.0) Gecko/20100101 Firefox/135.0",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.7 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/133.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
	}
}

// crawlerAgents are the programs of search engines.
func crawlerAgents() []string {
	return []string{
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
		"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
		"Mozilla/5.0 (compatible; ExampleBot/1.4; +https://bot.example.org)",
	}
}

// scannerAgents are the programs that look for holes; some say so, and some
// say nothing.
func scannerAgents() []string {
	return []string{"curl/8.5.0", "python-requests/2.32.3", "Mozilla/5.0 zgrab/0.x", "-", "Go-http-client/1.1"}
}

// probes are the paths that they try.
func probes() []string {
	return []string{
		"/wp-login.php", "/.env", "/.git/config", "/phpmyadmin/index.php", "/admin/", "/xmlrpc.php",
		"/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "/cgi-bin/luci", "/server-status", "/backup.zip",
		"/api/v1/pods", "/actuator/health",
	}
}
