package resp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// waiting waits until so many clients wait for others.
func waiting(t *testing.T, c *wire, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return strings.Count(c.do("CLIENT", "LIST"), " flags=b ") == n
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

// TestBLPopShutdown has a server stop while a client waits.
func TestBLPopShutdown(t *testing.T) {
	s := serve(t, nil)
	a, c := s.connect(t), s.connect(t)
	a.send(request("BLPOP", "q", "0"))
	waiting(t, c, 1)
	require.NoError(t, s.Shutdown(t.Context()))
	require.Equal(t, "*-1\r\n", a.closed())
}
