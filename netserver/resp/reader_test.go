package resp_test

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/oracle"
	"github.com/brockdb/brock/netserver/resp"
)

// talks are what a client may send, well-formed or not.
func talks() []string {
	long := strings.Repeat("x", 70_000)
	return []string{
		"", "\r\n", "\n", "PING\r\n", "PING\n", "ping a\r\nECHO b\nPING\r\n", "\r\n\r\nPING\r\n", "  PING  \r\n", "PING\r", "PING",
		"*0\r\nPING\r\n", "*-1\r\nPING\r\n", "*-10\r\nPING\r\n", "*1\r\n$4\r\nPING\r\n", "*1\r\n$4\r\nPI", "*1\r\n$4\r\nPINGxxPING\r\n",
		"*2\r\n$4\r\nECHO\r\n$0\r\n\r\nPING\r\n", "*2\r\n$4\r\nECHO\r\n$3\r\na\r\n\r\n",
		"*1\r\n$04\r\nPING\r\n", "*01\r\n$4\r\nPING\r\n", "*1\r\n$+4\r\nPING\r\n", "*1\r\n$ 4\r\nPING\r\n", "*1 \r\n$4\r\nPING\r\n",
		"*1\n$4\nPING\n", "*1\r\n$4\nPING\r\n", "*1\rx$4\rxPING\r\n",
		"*x\r\n", "*\r\n", "*1x\r\n", "*2147483648\r\n", "*9223372036854775808\r\n", "*99999999999999999999999\r\n", "*-9223372036854775808\r\nPING\r\n",
		"*1\r\n:4\r\n", "*1\r\nPING\r\n", "*1\r\n\r\n", "*1\r\n*1\r\n", "*3\r\n$3\r\nSET\r\n$1\r\na\r\n+1\r\n",
		"*1\r\n$-1\r\n", "*1\r\n$x\r\n", "*1\r\n$\r\n", "*1\r\n$536870913\r\n", "*1\r\n$9223372036854775807\r\n", "*1\r\n$99999999999999999999\r\n",
		"*1\r\n$4x\r\nPING\r\n", "PING\r\n*x\r\nPING\r\n", "PING\r\n*1\r\n$x\r\nPING\r\n",
		long, "ECHO " + long[:60_000] + "\r\n", "*" + long, "*1\r\n$" + long,
		"*" + strings.Repeat("1", 60_000) + "\r\n", "*1\r\n$" + strings.Repeat("1", 60_000) + "\r\n", "ECHO " + strings.Repeat("y", 64<<10-5) + "\r\nPING\r\n", strings.Repeat("\r\n", 1000) + "PING\r\n",
		`ECHO "a b"` + "\r\n", `ECHO 'a b'` + "\r\n", `ECHO "a\x41\n\r\t\b\a\\\"\q"` + "\r\n", `ECHO 'a\'\n"'` + "\r\n", `ECHO ""` + "\r\n",
		`"ECHO" a"b"` + "\r\n", `ECHO "a` + "\r\nPING\r\n", `ECHO 'a` + "\r\nPING\r\n", `ECHO "a"b` + "\r\nPING\r\n", `ECHO 'a'b` + "\r\n",
		`ECHO "\x4"` + "\r\n", `ECHO "\xzz"` + "\r\n", `ECHO "a\` + "\r\n", "ECHO a\x00b\r\n", "ECHO \xff\xfe\r\n", "\x00\r\nPING\r\n", `'PING'` + "\r\n",
		"$4\r\nPING\r\n", "+PING\r\n", ":1\r\n", "POST / HTTP/1.1\r\nPING\r\n", "Host: x\r\nPING\r\n",
		"*1\r\n$0\r\n\r\nPING\r\n", `"" a` + "\r\n", "*2\r\n$4\r\nPI\r\n\r\n$1\r\na\r\n", "*1\r\n$4\r\nQUIT\r\n*1\r\n$4\r\nPING\r\n", "*1\r\n$4\r\nPING\r\n*",
		"*1\r\n\xff4\r\n", "*1\r\n\x014\r\n", "\x0b \x0cECHO \x0ba\x0c\r\n", "ECHO a\x0bb\x0cc\r\n", `ECHO "a"` + "\x0b\r\n", "ECHO a\rb\r\n", "PING\x0b\r\n",
		"CLIENT REPLY SKIP\r\nRESET\r\nPING\r\n", "CLIENT REPLY OFF\r\nRESET\r\nPING\r\n", "CLIENT REPLY SKIP\r\nCLIENT REPLY SKIP\r\nRESET\r\nPING\r\n",
		"*2\r\n$6\r\nclient\r\n$3\r\na\r\n\r\nPING\r\n", "SET a\r\nGET\r\n",
	}
}

// talk sends bytes, in chunks of a size, and returns all that comes back until
// the connection ends: it is half-closed behind the bytes.
func talk(t *testing.T, c net.Conn, text string, chunk int) string {
	t.Helper()
	w := newWire(t, c)
	go func() {
		for rest := text; rest != ""; {
			n := min(chunk, len(rest))
			if _, err := io.WriteString(c, rest[:n]); err != nil {
				return // it was closed
			}
			rest = rest[n:]
		}
		_ = c.(interface{ CloseWrite() error }).CloseWrite()
	}()
	return w.closed()
}

// TestProtocol sends what is well-formed and what is not to ours and to
// redis-server, whole and one byte at a time, before and after a password is
// given.
func TestProtocol(t *testing.T) {
	theirs := redis(t)
	for _, pass := range []string{"", "secret"} {
		ours := serveUnix(t, &resp.Options{RequirePass: pass})
		require.Equal(t, "+OK", connectRedis(t, theirs).do("CONFIG", "SET", "requirepass", pass))
		early := []string{
			"*10\r\n$4\r\nPING\r\n", "*11\r\n", "*1\r\n$16384\r\n", "*1\r\n$16385\r\n", "*11\r\n$4\r\nPING\r\n", "*2147483647\r\n",
			"AUTH secret\r\nRESET\r\n*11\r\n", "AUTH secret\r\nPING\r\nRESET\r\nPING\r\n*1\r\n$16385\r\n",
			"AUTH secret\r\n*1\r\n$16385\r\n", "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n*11\r\n$4\r\n", "*1\r\n$5\r\nRESET\r\n*11\r\n",
		}
		for _, text := range append(early, talks()...) {
			for _, chunk := range []int{1 << 20, 1} {
				if chunk == 1 && len(text) > 1000 {
					chunk = 1000
				}
				want := talk(t, dialRedis(t, theirs), text, chunk)
				got := talk(t, dial(t, ours), text, chunk)
				require.Equal(t, want, got, "%.100q in chunks of %d, password %q", text, chunk, pass)
			}
		}
	}
}

// dial connects to a server of ours.
func dial(t *testing.T, s *served) net.Conn {
	t.Helper()
	c, err := net.Dial(s.addr.Network(), s.addr.String())
	require.NoError(t, err)
	return c
}

// dialRedis connects to a redis-server.
func dialRedis(t *testing.T, r *oracle.Redis) net.Conn {
	t.Helper()
	c, err := r.Dial()
	require.NoError(t, err)
	return c
}

// TestInlineBound holds lines to 64 KiB, whatever comes with them.
func TestInlineBound(t *testing.T) {
	s := serve(t, nil)
	for _, chunk := range []int{1 << 20, 1000} {
		for _, end := range []string{"\r\n", "\n"} {
			word := strings.Repeat("x", 64<<10-len("ECHO "))
			require.Equal(t, "$65531\r\n"+word+"\r\n+PONG\r\n", talk(t, dial(t, s), "ECHO "+word+end+"PING\r\n", chunk))
			require.Equal(t, "-ERR Protocol error: too big inline request\r\n", talk(t, dial(t, s), "ECHO "+word+"y"+end+"PING\r\n", chunk))
		}
	}
}

// TestBehindLogin sends what logs in or out with requests behind it, and waits for
// all replies.
func TestBehindLogin(t *testing.T) {
	p := startPair(t, "pw")
	auth, ping := request("AUTH", "pw"), request("PING")
	hello := request("HELLO", "2", "AUTH", "default", "pw")
	for _, c := range []struct {
		text    string
		replies int
	}{
		{auth + ping, 2},
		{"AUTH pw\r\nPING\r\n", 2},
		{request("HELLO", "3", "AUTH", "default", "pw") + ping, 2},
		{auth + request("RESET") + ping, 3},
		{ping + hello + ping + ping + request("RESET") + ping + auth + ping, 8},
		{strings.Repeat(auth+ping, 20) + request("RESET") + strings.Repeat(ping, 20), 61},
	} {
		ours, theirs := p.ours.again(), p.theirs.again()
		ours.send(c.text)
		theirs.send(c.text)
		for range c.replies {
			require.Equal(t, p.masked(theirs.reply().raw()), p.masked(ours.reply().raw()), c.text)
		}
	}
}

// TestAnnounced announces much and sends little: that costs nothing.
func TestAnnounced(t *testing.T) {
	s := serve(t, nil)
	c := s.connect(t)
	require.Equal(t, "+PONG", c.do("PING"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 50 {
		d := s.connect(t)
		d.send("*2147483647\r\n$536870912\r\nabc")
		e := s.connect(t)
		e.send("*1000000\r\n$3\r\nDEL\r\n$536870912\r\n")
	}
	for strings.Count(c.ask("CLIENT", "LIST").text, "\n") < 101 {
		require.Equal(t, "+PONG", c.do("PING"))
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
}

// TestPipeline sends 10,000 requests at once.
func TestPipeline(t *testing.T) {
	const n = 10_000
	c := serve(t, nil).connect(t)
	var b strings.Builder
	for i := range n {
		b.WriteString(request("SET", fmt.Sprint("key", i), fmt.Sprint(i)))
		b.WriteString(request("GET", fmt.Sprint("key", i)))
		b.WriteString(request("INCR", "count"))
	}
	go c.send(b.String())
	for i := range n {
		require.Equal(t, "+OK", c.reply().raw())
		require.Equal(t, "$"+fmt.Sprint(i), c.reply().raw())
		require.Equal(t, ":"+fmt.Sprint(i+1), c.reply().raw())
	}
}

// TestUpdateHeld has an Update be held: a client's SET waits for it, others go
// on.
func TestUpdateHeld(t *testing.T) {
	s := serve(t, &resp.Options{Loops: 1})
	writer, reader := s.connect(t), s.connect(t)
	require.Equal(t, "+OK", writer.do("SET", "a", "before"))
	held, release := make(chan struct{}), make(chan struct{})
	updated := make(chan error, 1)
	go func() {
		updated <- s.db.Update(func(tx *brock.Tx) error {
			close(held)
			<-release
			return tx.Set("a", []byte("update"))
		})
	}()
	<-held
	writer.send(request("SET", "a", "after") + request("GET", "a"))
	for range 100 {
		require.Equal(t, "$before", reader.do("GET", "a"))
		require.Equal(t, "+PONG", reader.do("PING"))
	}
	close(release)
	require.NoError(t, <-updated)
	require.Equal(t, "+OK", writer.reply().raw())
	require.Equal(t, "$after", writer.reply().raw())
}
