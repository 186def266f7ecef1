package resp_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/netserver/resp"
)

// pair is a connection to a server of ours and one to redis-server, which get
// the same.
type pair struct {
	t            *testing.T
	ours, theirs *wire
	mask         *regexp.Regexp // what may differ
	said         [][]string     // the requests of same
}

// volatile is what differs between any two servers.
const volatile = `\$id :\d+|\b(id|fd|age|idle|qbuf|qbuf-free|argv-mem|rbs|rbp|obl|omem|tot-mem)=-?\d+|l?addr=\S+`

// newPair connects to a server of ours with a database in memory, and to a
// redis-server, both with a password unless that is empty. When the test ends, a
// new pair is told all that same has said at once.
func newPair(t *testing.T, pass string) *pair {
	t.Helper()
	p := startPair(t, pass)
	t.Cleanup(func() { startPair(t, pass).sameAtOnce(pass, p.said) })
	return p
}

// startPair is newPair without more.
func startPair(t *testing.T, pass string) *pair {
	t.Helper()
	r := redis(t)
	p := &pair{
		t: t, ours: serveUnix(t, &resp.Options{RequirePass: pass, EnableDebug: true}).connect(t), theirs: connectRedis(t, r),
		mask: regexp.MustCompile(volatile),
	}
	if pass != "" {
		require.Equal(t, "+OK", p.theirs.do("CONFIG", "SET", "requirepass", pass))
		p.theirs = connectRedis(t, r)
	}
	return p
}

// same sends both servers the same lines, of words with spaces between them,
// where two quotes are an empty word, and wants equal replies.
func (p *pair) same(lines ...string) {
	p.t.Helper()
	for _, line := range lines {
		args := strings.Fields(line)
		for i, arg := range args {
			args[i] = strings.ReplaceAll(strings.ReplaceAll(arg, `""`, ""), "_", " ")
		}
		p.said = append(p.said, args)
		want, got := p.theirs.do(args...), p.ours.do(args...)
		require.Equal(p.t, p.masked(want), p.masked(got), line)
	}
}

// sameAtOnce sends both servers requests as one packet, with the end of all input
// behind it, and wants equal replies and equal data.
func (p *pair) sameAtOnce(pass string, requests [][]string) {
	p.t.Helper()
	got, want := p.ours.atOnce(requests), p.theirs.atOnce(requests)
	for i := range max(len(got), len(want)) {
		require.Less(p.t, i, min(len(got), len(want)), "replies")
		require.Equal(p.t, p.masked(want[i].raw()), p.masked(got[i].raw()), "reply %d", i)
	}
	p.sameData(pass)
}

// sameData wants both servers to have the same data, by new connections.
func (p *pair) sameData(pass string) {
	p.t.Helper()
	digest := func(w *wire) string {
		w = w.again()
		w.do("AUTH", pass) // which may have been changed
		return w.do("DEBUG", "DIGEST")
	}
	want := digest(p.theirs)
	require.NotContains(p.t, want, "-")
	require.Equal(p.t, want, digest(p.ours))
}

// masked returns a reply without what may differ.
func (p *pair) masked(reply string) string { return p.mask.ReplaceAllString(reply, "") }

func TestConnection(t *testing.T) {
	for _, proto := range []string{"2", "3"} {
		p := newPair(t, "")
		p.same("hello "+proto,
			"hello", "hello 4", "hello 1", "hello x", "hello 03", "hello "+proto+" foo", "hello "+proto+" setname", "hello "+proto+" auth a",
			"hello "+proto+" setname a_b", "hello "+proto+" setname foo auth other x", "client getname", "hello "+proto+" setname bar bad",
			"client getname", `hello `+proto+` setname ""`, "client getname", "hello "+proto+" AUTH default x SETNAME y", "client getname",
			"auth x", "auth default x", "auth other x", "auth a b c", "auth",
			"ping", "ping a", "ping a b", "echo a", "echo", "echo a b",
			"select 1", "select 15", "select 16", "select -1", "select x", "select 99999999999", "select 9999999999999999999999", "select",
			"client setname a_b", "client setname foo", "client getname", `client setname ""`, "client getname", "client setname", "client getname x",
			"client no-evict on", "client info", "client no-evict x", "client no-evict off", "client no-evict", "client id x",
			"client setinfo lib-name x", "client no-touch on", "client nosuch", "client", "client list", "client list type normal",
			"client list type master", "client list type replica", "client list type SLAVE", "client list type pubsub", "client list type x",
			"client list type", "client list id", "client list id x", "client list id 0", "client list id 123456 0", "client list x",
			"client list type normal x", "client info x", "client reply", "client reply x", "client reply on x", "client reply on",
			"client kill x", "client kill 1.1.1.1:1", "client kill id 12345", "client kill id x", "client kill id 0", "client kill id -1",
			"client kill type x", "client kill type normal", "client kill type pubsub", "client kill user x", "client kill user default",
			"client kill addr", "client kill skipme x", "client kill skipme yes", "client kill x y", "client kill maxage 1",
			"client kill addr 1.2.3.4:1", "client kill laddr 1.2.3.4:1 type master", "client kill id 5 addr", "client kill id 5 x y",
			"client kill", "client kill type", "get", "nosuch", "nosuch a b", "nosuch "+strings.Repeat("x", 200), "config|get a",
			strings.Repeat("n", 200)+" a", "nosuch "+strings.Repeat("abcdefghi ", 20),
			"reset", "client getname", "client info", "reset x")
	}
}

func TestPassword(t *testing.T) {
	for _, proto := range []string{"2", "3"} {
		p := newPair(t, "secret")
		p.same("ping", "get a", "nosuch a", "get", "client", "client nosuch", "client id", "hello", "hello "+proto, "hello 4",
			"hello "+proto+" auth default x", "hello "+proto+" auth other secret", "auth x", "auth default x", "auth other secret", "auth a b c",
			"hello "+proto+" setname foo", "reset", "quit x")
		require.Empty(t, p.ours.closed())
	}
	p := newPair(t, "secret")
	p.same("auth secret", "ping", "client getname", "reset", "ping", "hello 3 auth default secret", "ping", "config set requirepass other", "ping",
		"auth secret", "auth other", "auth default other", "ping", `config set requirepass ""`, "reset", "ping", "auth x", "auth default x")
}

// TestPasswordLater sets a password while a client is there: that client goes
// on, a new one has to give it.
func TestPasswordLater(t *testing.T) {
	s := serve(t, nil)
	first := s.connect(t)
	require.Equal(t, "+OK", first.do("CONFIG", "SET", "requirepass", "secret"))
	require.Equal(t, "+PONG", first.do("PING"))
	second := s.connect(t)
	require.Equal(t, "-NOAUTH Authentication required.", second.do("PING"))
	require.Equal(t, "+OK", first.do("CONFIG", "SET", "requirepass", ""))
	require.Equal(t, "+PONG", second.do("PING"))
}

func TestQuit(t *testing.T) {
	c := serve(t, nil).connect(t)
	c.send(request("PING") + request("QUIT") + request("PING"))
	require.Equal(t, "+PONG\r\n+OK\r\n", c.closed())
}

func TestClientReply(t *testing.T) {
	c := serve(t, nil).connect(t)
	c.send(request("CLIENT", "REPLY", "SKIP") + request("ECHO", "1") + request("ECHO", "2"))
	require.Equal(t, "$2", c.reply().raw())
	c.send(request("CLIENT", "REPLY", "OFF") + request("ECHO", "3") + request("NOSUCH") + request("CLIENT", "REPLY", "SKIP") +
		request("ECHO", "4") + request("ECHO", "5") + request("CLIENT", "REPLY", "ON") + request("ECHO", "6"))
	require.Equal(t, "+OK", c.reply().raw())
	require.Equal(t, "$6", c.reply().raw())
	c.send(request("CLIENT", "REPLY", "OFF") + request("RESET") + request("ECHO", "7"))
	require.Equal(t, "+RESET", c.reply().raw())
	require.Equal(t, "$7", c.reply().raw())
}

// TestClientKill closes connections of others, and its own.
func TestClientKill(t *testing.T) {
	s := serve(t, nil)
	a, b, c := s.connect(t), s.connect(t), s.connect(t)
	id := a.ask("CLIENT", "ID").text
	require.Equal(t, ":1", b.do("CLIENT", "KILL", "ID", id))
	require.Empty(t, a.closed())
	require.Equal(t, "+PONG", c.do("PING")) // it is there by now
	require.Equal(t, "+OK", b.do("CLIENT", "KILL", c.conn.LocalAddr().String()))
	require.Empty(t, c.closed())
	d := s.connect(t)
	require.Equal(t, "+PONG", d.do("PING"))
	require.Equal(t, ":1", b.do("CLIENT", "KILL", "TYPE", "NORMAL", "ADDR", d.conn.LocalAddr().String()))
	require.Empty(t, d.closed())
	require.Equal(t, ":0", b.do("CLIENT", "KILL", "LADDR", b.conn.RemoteAddr().String()))
	b.send(request("CLIENT", "KILL", "SKIPME", "no", "USER", "default") + request("PING"))
	require.Equal(t, ":1\r\n", b.closed())
}

// TestClientKilled lists no connections that were killed, nor kills them again.
func TestClientKilled(t *testing.T) {
	p := startPair(t, "")
	for _, w := range []*wire{p.ours, p.theirs} {
		for range 20 {
			require.Equal(t, "+PONG", w.again().do("PING"))
		}
		kill := []string{"CLIENT", "KILL", "TYPE", "normal"}
		w.send(raw([][]string{kill, {"CLIENT", "LIST"}, kill}))
		require.Equal(t, ":20", w.reply().raw())
		require.Equal(t, 1, strings.Count(w.reply().text, "\n"))
		require.Equal(t, ":0", w.reply().raw())
	}
}

// TestClientList looks at what connections tell of each other.
func TestClientList(t *testing.T) {
	s := serve(t, nil)
	a, b := s.connect(t), s.connect(t)
	a.do("CLIENT", "SETNAME", "first")
	a.do("SELECT", "3")
	a.ask("HELLO", "3")
	lines := strings.Split(strings.TrimSpace(b.ask("CLIENT", "LIST").text), "\n")
	require.Len(t, lines, 2)
	require.Contains(t, lines[0], " addr="+a.conn.LocalAddr().String()+" laddr="+a.conn.RemoteAddr().String()+" ")
	require.Contains(t, lines[0], " name=first ")
	require.Contains(t, lines[0], " db=3 ")
	require.Contains(t, lines[0], " cmd=hello user=default redir=-1 resp=3")
	require.Contains(t, lines[1], " cmd=client|list user=default redir=-1 resp=2")
	id := a.ask("CLIENT", "ID").text
	require.Equal(t, 1, strings.Count(b.ask("CLIENT", "LIST", "ID", id, "99").text, "\n"))
	many := []string{"CLIENT", "LIST", "ID"}
	for i := range 5000 {
		many = append(many, strconv.Itoa(i))
	}
	require.Equal(t, 3, strings.Count(b.ask(append(many, id)...).text, "\n"))
}

// TestClientListCommand tells which command each connection has begun last.
func TestClientListCommand(t *testing.T) {
	r := redis(t)
	ours := serveUnix(t, nil)
	var got [2][]string
	for i, connect := range []func() *wire{func() *wire { return connectRedis(t, r) }, func() *wire { return ours.connect(t) }} {
		a, b := connect(), connect()
		id := a.ask("CLIENT", "ID").text
		about := func() string { return b.ask("CLIENT", "LIST", "ID", id).text }
		command := func() string {
			_, after, _ := strings.Cut(about(), " cmd=")
			name, _, _ := strings.Cut(after, " ")
			return name
		}
		for _, line := range []string{
			"PING", "GET a", "nosuch", "GET", "CLIENT nosuch", "CLIENT", "CLIENT GETNAME", "CLIENT SETNAME", "CONFIG GET x", "SELECT 99",
			"HELLO 9", "OBJECT ENCODING a", "BLPOP none 0.001", "BLPOP none x", "GET a",
		} {
			a.line(line)
			got[i] = append(got[i], line+": "+command())
		}
		a.send(request("PING") + request("BLPOP", "q", "0") + request("GET", "a"))
		require.Eventually(t, func() bool { return strings.Contains(about(), " flags=b") }, 10*time.Second, time.Millisecond)
		got[i] = append(got[i], "blocked: "+command())
		b.line("RPUSH q x")
		for range 3 {
			a.reply()
		}
		got[i] = append(got[i], "served: "+command())
		require.NotContains(t, about(), " flags=b")
	}
	require.Equal(t, got[0], got[1])
}

// TestClientSetInfo is what Redis 7.2 has.
func TestClientSetInfo(t *testing.T) {
	c := serve(t, &resp.Options{Version: "7.2.4"}).connect(t)
	require.Equal(t, "7.2.4", c.ask("HELLO", "3").get(t, "version").text)
	require.Equal(t, "+OK", c.do("CLIENT", "SETINFO", "lib-name", "go-redis"))
	require.Equal(t, "+OK", c.do("CLIENT", "SETINFO", "LIB-VER", "9"))
	require.Equal(t, "-ERR lib-name cannot contain spaces, newlines or special characters.", c.do("CLIENT", "SETINFO", "LIB-NAME", "a b"))
	require.Equal(t, "-ERR Unrecognized option 'x'", c.do("CLIENT", "SETINFO", "x", "y"))
	require.Contains(t, c.ask("CLIENT", "INFO").text, " lib-name=go-redis lib-ver=9\n")
}

// TestClientNoTouch is what Redis 7.2 has, but for the version that TestConnection
// compares: commands of the connection do not use keys, but for TOUCH.
func TestClientNoTouch(t *testing.T) {
	at := &clock{}
	at.now.Store(1_000_000)
	db, err := brock.OpenMemory(&brock.Options{Clock: at})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	s := serveDB(t, db, &resp.Options{Version: "7.2.4"})
	c, other := s.connect(t), s.connect(t)
	idle := func() string { return other.do("OBJECT", "IDLETIME", "k") }
	c.line("SET k v")
	at.now.Add(10)
	require.Equal(t, "+OK", c.line("CLIENT NO-TOUCH on"))
	require.Contains(t, c.ask("CLIENT", "INFO").text, " flags=T ")
	big := make([]string, 2000) // a long request runs off the loop
	for i := range big {
		big[i] = "k"
	}
	c.send(request("CLIENT", "NO-EVICT", "ON") + request("GET", "k") + request(append([]string{"MGET"}, big...)...) + request("BITCOUNT", "k", "0"))
	require.Equal(t, []string{"OK", "v"}, []string{c.reply().text, c.reply().text})
	require.Len(t, c.reply().list, len(big))
	require.Equal(t, "-ERR syntax error", c.reply().raw())
	require.Contains(t, c.ask("CLIENT", "INFO").text, " flags=eT ")
	require.Equal(t, ":10", idle())
	require.Equal(t, ":1", c.line("TOUCH k"))
	require.Equal(t, ":0", idle())
	at.now.Add(10)
	c.send(request("CLIENT", "NO-TOUCH", "OFF") + request("GET", "k"))
	require.Equal(t, []string{"OK", "v"}, []string{c.reply().text, c.reply().text})
	require.Equal(t, ":0", idle())
	at.now.Add(10)
	c.send(request("CLIENT", "NO-TOUCH", "ON") + request("GET", "k"))
	require.Equal(t, []string{"OK", "v"}, []string{c.reply().text, c.reply().text})
	require.Equal(t, ":10", idle())
	require.Equal(t, "$v", other.line("GET k"))
	require.Equal(t, ":0", idle())
	at.now.Add(10)
	c.send(request("RESET") + request("GET", "k"))
	require.Equal(t, []string{"RESET", "v"}, []string{c.reply().text, c.reply().text})
	require.Equal(t, ":0", idle())
	require.NotContains(t, c.ask("CLIENT", "INFO").text, "T ")
	require.Equal(t, "-ERR syntax error", c.line("CLIENT NO-TOUCH x"))
	require.Contains(t, c.line("CLIENT NO-TOUCH"), "wrong number of arguments for 'client|no-touch' command")
}

// TestVersion reports other versions: what came later is unknown.
func TestVersion(t *testing.T) {
	c := serve(t, &resp.Options{Version: "6.2.7"}).connect(t)
	require.Contains(t, c.ask("INFO", "SERVER").text, "redis_version:6.2.7\r\n")
	require.Contains(t, c.do("COMMAND", "DOCS"), "unknown subcommand")
	require.Contains(t, c.do("LCS", "a", "b"), "unknown command")
	for _, version := range []string{"7", "7.0", "7.0.x", "7.0.0.0", "v7.0.0", "7.0.-1"} {
		_, err := resp.NewServer(serve(t, nil).db, &resp.Options{Version: version})
		require.ErrorContains(t, err, "resp: ", version)
	}
}
