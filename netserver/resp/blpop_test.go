package resp_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// waiting waits until so many clients wait for others.
func waiting(t *testing.T, c *wire, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return strings.Count(c.do("CLIENT", "LIST"), " flags=b") == n
	}, 10*time.Second, time.Millisecond)
}

func TestBLPop(t *testing.T) {
	s := serve(t, nil)
	a, b, c := s.connect(t), s.connect(t), s.connect(t)
	a.send(request("BLPOP", "q", "none", "0") + request("PING"))
	waiting(t, c, 1)
	b.send(request("BLPOP", "q", "30.5"))
	waiting(t, c, 2)
	require.Equal(t, ":2", c.do("RPUSH", "q", "1", "2"))
	require.Equal(t, "*2 $q $1", a.reply().raw(), "who came first")
	require.Equal(t, "+PONG", a.reply().raw(), "what was sent behind it")
	require.Equal(t, "*2 $q $2", b.reply().raw())
	require.Equal(t, ":0", c.do("EXISTS", "q"))
	waiting(t, c, 0)

	a.ask("SELECT", "3")
	a.send(request("BLPOP", "q", "0"))
	waiting(t, c, 1)
	c.ask("RPUSH", "q", "of another database")
	c.ask("SELECT", "3")
	c.ask("RPUSH", "q", "x")
	require.Equal(t, "*2 $q $x", a.reply().raw())
}

// TestBLPopGone has clients go that wait: what is pushed then stays.
func TestBLPopGone(t *testing.T) {
	s := serve(t, nil)
	c := s.connect(t)
	gone := s.connect(t)
	gone.send(request("BLPOP", "q", "0"))
	waiting(t, c, 1)
	require.NoError(t, gone.conn.Close())
	waiting(t, c, 0)

	killed := s.connect(t)
	id := killed.ask("CLIENT", "ID").text
	killed.send(request("BLPOP", "q", "0"))
	waiting(t, c, 1)
	require.Equal(t, ":1", c.do("CLIENT", "KILL", "ID", id))
	require.Empty(t, killed.closed())
	waiting(t, c, 0)

	// Waiters that are leaving may still be served: none is left for sure once
	// one that came later has ended.
	require.Equal(t, "*-1", c.do("BLPOP", "q", "0.01"))
	require.Equal(t, ":1", c.do("RPUSH", "q", "x"))
	require.Equal(t, ":1", c.do("LLEN", "q"))
}

// TestBLPopShutdown has a server stop while a client waits: as with redis-server
// there is no reply.
func TestBLPopShutdown(t *testing.T) {
	s := serve(t, nil)
	a, c := s.connect(t), s.connect(t)
	a.send(request("BLPOP", "q", "0"))
	waiting(t, c, 1)
	require.NoError(t, s.Shutdown(t.Context()))
	require.Empty(t, a.closed())
}

// TestBLPopHalfClosed has a client that waits send no more: it is left without a
// reply, and what stands behind is not executed.
func TestBLPopHalfClosed(t *testing.T) {
	p := startPair(t, "")
	for _, w := range []*wire{p.ours, p.theirs} {
		other := w.again()
		w.send(request("INCR", "n") + request("BLPOP", "q", "0") + request("INCR", "n"))
		require.Equal(t, ":1", w.reply().raw())
		waiting(t, other, 1)
		w.closeWrite()
		require.Empty(t, w.closed())
		require.Equal(t, "$1", other.do("GET", "n"))
		require.Equal(t, ":1", other.do("RPUSH", "q", "x"))
		require.Equal(t, ":1", other.do("LLEN", "q"))
	}
}

// TestBLPopTime shows that the time for which a client waits for others is not
// that of its command.
func TestBLPopTime(t *testing.T) {
	r := redis(t)
	ours := serve(t, nil)
	for _, connect := range []func() *wire{func() *wire { return connectRedis(t, r) }, func() *wire { return ours.connect(t) }} {
		a, b := connect(), connect()
		require.Equal(t, "+OK", a.line("CONFIG SET slowlog-log-slower-than 100000"))
		a.send(request("BLPOP", "q", "0"))
		require.Equal(t, "*-1", b.line("BLPOP none 0.3"))
		require.Equal(t, ":1", b.line("RPUSH q x"))
		require.Equal(t, "*2 $q $x", a.reply().raw())
		require.Equal(t, ":0", a.line("SLOWLOG LEN"))
		stat := a.info("commandstats")["cmdstat_blpop"]
		var calls, usec int
		_, err := fmt.Sscanf(stat, "calls=%d,usec=%d,", &calls, &usec)
		require.NoError(t, err)
		require.Equal(t, 2, calls)
		require.Less(t, usec, 100_000, stat)
		require.Regexp(t, `^p50=\d{1,5}\.\d+,`, a.info("latencystats")["latency_percentiles_usec_blpop"])
	}
}

// TestBLPopAtOnce half-closes behind commands that wait if there is nothing: those
// that need not are executed, also when the end has come long before their turn.
func TestBLPopAtOnce(t *testing.T) {
	p := startPair(t, "")
	big := strings.Repeat("x", 100_000)
	for _, w := range []*wire{p.ours, p.theirs} {
		require.Equal(t, "+OK", w.do("SET", "big", big))
	}
	requests := [][]string{
		{"RPUSH", "q", "a", "b"},
		{"BLPOP", "q", "0"},
		{"GET", "big"},
		{"BLPOP", "none", "q", "0"},
		{"INCR", "n"},
		{"BLPOP", "big", "q", "0"},
		{"BLPOP", "q", "0"},
		{"INCR", "n"},
	}
	for range 10 {
		theirs := p.theirs.again()
		theirs.send(raw(requests))
		got := p.ours.again().atOnce(requests)
		require.Len(t, got, 6)
		for i, reply := range got {
			require.True(t, theirs.reply().raw() == reply.raw(), "reply %d", i)
		}
		theirs.closeWrite()
		require.Empty(t, theirs.closed())
	}
	p.sameData("")
}

// alarmClock is a time that stands still, and hands out the alarms that are set.
type alarmClock struct{ alarms chan alarm }

// alarm is a function that is called after some time.
type alarm struct {
	after time.Duration
	ring  func()
}

func (c *alarmClock) Now() time.Time { return time.Unix(1_000_000, 0) }

func (c *alarmClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.alarms <- alarm{d, f}
	return func() bool { return true }
}

// TestBLPopClock waits by the database's clock.
func TestBLPopClock(t *testing.T) {
	at := &alarmClock{alarms: make(chan alarm, 1)}
	db, err := brock.OpenMemory(&brock.Options{Clock: at})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	c := serveDB(t, db, nil).connect(t)
	c.send(request("BLPOP", "list", "0.5"))
	a := <-at.alarms
	require.Equal(t, 500*time.Millisecond, a.after)
	a.ring()
	require.Equal(t, "*-1", c.reply().raw())
	require.Equal(t, ":1", c.do("RPUSH", "list", "a"), "nobody waits any more")
}
