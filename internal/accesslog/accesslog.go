// Package accesslog writes the access log that the tour ingests: a week of a
// small shop's web server in the combined log format, with the proportions of
// a real one. Visitors come and go with the hour of the day, a few pages get
// most of the hits, pages pull in their assets, crawlers walk the catalogue,
// scanners earn 404s, and once the database behind the checkout is down and
// visitors get 500s until somebody restarts it.
//
// The log is the same on every machine: the generator has its own seed and
// reads no clock. Addresses are from the ranges reserved for documentation and
// benchmarks (RFC 5737, RFC 2544), so no real visitor is named.
//
// Nothing outside the tour, its tests and package gen should need it.
package accesslog

//go:generate go run ./gen ../../testdata/access.log.gz

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	// Lines is how many lines [Write] writes.
	Lines = 60_000

	// Days is how many calendar days they cover.
	Days = 7
)

// hit is one line of the log.
type hit struct {
	at       time.Time
	visitor  *visitor
	method   string
	path     string
	referrer string
	status   int
	size     int
}

// visitor is one client, which keeps its address and its program all week.
type visitor struct {
	addr  string
	agent string
}

// generator holds what the shop and its visitors have in common. It is for
// one goroutine.
type generator struct {
	rnd      *rand.Rand
	start    time.Time
	visitors []visitor
	crawlers []visitor
	scanners []visitor
	popular  *rand.Zipf // index into pages
	regular  *rand.Zipf // index into visitors
	pages    []string
	hits     []hit
}

// Write writes the log to w, [Lines] lines in order of time.
func Write(w io.Writer) error {
	g := newGenerator()
	for len(g.hits) < Lines {
		switch p := g.rnd.Float64(); {
		case p < 0.90:
			g.visit()
		case p < 0.97:
			g.crawl()
		default:
			g.scan()
		}
	}
	// Drop the surplus of the last session, then put all sessions in one order.
	g.hits = g.hits[:Lines]
	slices.SortStableFunc(g.hits, func(a, b hit) int { return cmp.Compare(a.at.Unix(), b.at.Unix()) })

	bw := bufio.NewWriter(w)
	for i := range g.hits {
		if err := g.hits[i].write(bw); err != nil {
			return err
		}
	}
	return bw.Flush()
}

// newGenerator fills the shop with pages and the town with visitors.
func newGenerator() *generator {
	rnd := rand.New(rand.NewPCG(2026, 3)) // any seed will do, as long as it stays
	g := &generator{
		rnd:   rnd,
		start: time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC), // a Monday
		pages: catalogue(),
	}
	g.popular = rand.NewZipf(rnd, 1.25, 6, uint64(len(g.pages)-1))
	g.visitors = make([]visitor, 6000)
	for i := range g.visitors {
		g.visitors[i] = visitor{g.address(), pick(rnd, browsers())}
	}
	g.regular = rand.NewZipf(rnd, 1.1, 40, uint64(len(g.visitors)-1))
	for i, agent := range crawlerAgents() {
		g.crawlers = append(g.crawlers, visitor{fmt.Sprintf("203.0.113.%d", 10+i), agent})
	}
	for i, agent := range scannerAgents() {
		g.scanners = append(g.scanners, visitor{fmt.Sprintf("198.51.100.%d", 20+7*i), agent})
	}
	return g
}

// address is a random one out of 198.18.0.0/15 and 192.0.2.0/24.
func (g *generator) address() string {
	if g.rnd.IntN(40) == 0 {
		return fmt.Sprintf("192.0.2.%d", 1+g.rnd.IntN(254))
	}
	return fmt.Sprintf("198.%d.%d.%d", 18+g.rnd.IntN(2), g.rnd.IntN(256), 1+g.rnd.IntN(254))
}

// moment is a random time of the week, rare at night and on a weekend.
func (g *generator) moment() time.Time {
	for {
		at := g.start.Add(time.Duration(g.rnd.Int64N(int64(Days * 24 * time.Hour)))).Truncate(time.Second)
		hour := float64(at.Hour()) + float64(at.Minute())/60
		load := 0.55 - 0.45*math.Cos((hour-3)/24*2*math.Pi) // least at 3, most at 15
		if day := at.Weekday(); day == time.Saturday || day == time.Sunday {
			load *= 0.7
		}
		if g.rnd.Float64() < load {
			return at
		}
	}
}

// visit is one person's session: a landing page, a few more, now and then a
// search or an order, and the assets that the browser fetches with the first.
func (g *generator) visit() {
	v := &g.visitors[g.regular.Uint64()]
	at := g.moment()
	referrer := pick(g.rnd, landings())
	depth := 1 + int(g.rnd.ExpFloat64()*2.2)
	for i := range depth {
		page := g.pages[g.popular.Uint64()]
		g.page(at, v, page, referrer)
		if i == 0 {
			g.assets(at, v, page)
		}
		referrer = site + page
		at = at.Add(g.pause())
	}
	switch p := g.rnd.Float64(); {
	case p < 0.12:
		query := pick(g.rnd, searches())
		g.add(hit{at, v, "GET", "/search?q=" + query, referrer, 200, 4200 + g.rnd.IntN(9000)})
	case p < 0.22:
		g.order(at, v, referrer)
	}
}

// page is a hit on a page: mostly 200, sometimes unchanged, sometimes a
// redirect, and one in some hundred a link that has gone stale or a handler
// that crashed.
func (g *generator) page(at time.Time, v *visitor, page, referrer string) {
	h := hit{at, v, "GET", page, referrer, 200, 3000 + len(page)*97 + g.rnd.IntN(400)}
	switch p := g.rnd.Float64(); {
	case p < 0.080:
		h.status, h.size = 304, 0
	case p < 0.095:
		h.path, h.status, h.size = page+"/", 301, 169
	case p < 0.112:
		h.path, h.status, h.size = "/archive"+page, 404, 1245
	case p < 0.115:
		h.status, h.size = 500, 612
	}
	g.add(h)
}

// assets are what a browser fetches along with a page; a warm cache asks only
// whether they have changed.
func (g *generator) assets(at time.Time, v *visitor, page string) {
	if g.rnd.IntN(3) == 0 {
		return // all of it cached
	}
	warm := g.rnd.IntN(2) == 0
	for _, a := range assetList() {
		h := hit{at.Add(time.Duration(g.rnd.IntN(2)) * time.Second), v, "GET", a.path, site + page, 200, a.size}
		if warm {
			h.status, h.size = 304, 0
		}
		g.add(h)
	}
	if g.rnd.IntN(25) == 0 {
		g.add(hit{at, v, "GET", "/favicon-old.ico", site + page, 404, 1245})
	}
}

// order is a walk through basket, login and checkout, which answers 500 and
// 503 during the outage.
func (g *generator) order(at time.Time, v *visitor, referrer string) {
	item := g.rnd.IntN(400) + 1
	g.add(hit{at, v, "POST", fmt.Sprintf("/basket/add?item=%d", item), referrer, 303, 0})
	at = at.Add(g.pause())
	login := hit{at, v, "POST", "/login", site + "/basket", 302, 0}
	if g.rnd.IntN(6) == 0 {
		login.status, login.size = 401, 918
	}
	g.add(login)
	at = at.Add(g.pause())
	checkout := hit{at, v, "POST", "/checkout", site + "/basket", 200, 2730}
	for try := 0; g.down(checkout.at) && try < 4; try++ {
		failed := checkout
		failed.status, failed.size = 500, 612
		if try%2 == 1 {
			failed.status, failed.size = 503, 497
		}
		g.add(failed)
		checkout.at = checkout.at.Add(5 * time.Second)
	}
	g.add(checkout)
}

// down reports whether the database behind the checkout is down, on Thursday
// from 13:10 to 16:40.
func (g *generator) down(at time.Time) bool {
	from := g.start.Add(3*24*time.Hour + 13*time.Hour + 10*time.Minute)
	return at.After(from) && at.Before(from.Add(3*time.Hour+30*time.Minute))
}

// crawl is a search engine that reads robots.txt and some pages, evenly.
func (g *generator) crawl() {
	v := &g.crawlers[g.rnd.IntN(len(g.crawlers))]
	at := g.moment()
	g.add(hit{at, v, "GET", "/robots.txt", "-", 200, 148})
	for range 3 + g.rnd.IntN(12) {
		at = at.Add(time.Duration(1+g.rnd.IntN(20)) * time.Second)
		g.page(at, v, g.pages[g.rnd.IntN(len(g.pages))], "-")
	}
}

// scan is a program that looks for holes which other software has.
func (g *generator) scan() {
	v := &g.scanners[g.rnd.IntN(len(g.scanners))]
	at := g.moment()
	for range 2 + g.rnd.IntN(6) {
		h := hit{at, v, "GET", pick(g.rnd, probes()), "-", 404, 1245}
		if g.rnd.IntN(8) == 0 {
			h.method, h.status, h.size = "POST", 405, 166
		}
		g.add(h)
		at = at.Add(time.Duration(g.rnd.IntN(2)) * time.Second)
	}
}

// pause is how long a reader stays on a page.
func (g *generator) pause() time.Duration {
	return time.Duration(2+g.rnd.ExpFloat64()*25) * time.Second
}

// add appends h unless the session runs out of the week.
func (g *generator) add(h hit) {
	if h.at.Before(g.start.AddDate(0, 0, Days)) {
		g.hits = append(g.hits, h)
	}
}

// write writes h as one line in the combined log format.
func (h *hit) write(w io.Writer) error {
	size := "-"
	if h.size > 0 {
		size = fmt.Sprint(h.size)
	}
	_, err := fmt.Fprintf(w, "%s - - [%s] \"%s %s HTTP/1.1\" %d %s \"%s\" \"%s\"\n",
		h.visitor.addr, h.at.Format("02/Jan/2006:15:04:05 -0700"),
		h.method, h.path, h.status, size, h.referrer, h.visitor.agent)
	return err
}

// pick is a random element of list.
func pick(rnd *rand.Rand, list []string) string { return list[rnd.IntN(len(list))] }
