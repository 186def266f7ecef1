package resp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// heldStore is a store in which nothing becomes durable by itself.
type heldStore struct {
	store
	released atomic.Uint64
	asked    chan held
}

// held is something that waits to become durable.
type held struct {
	lsn  uint64
	done func(error)
}

func (s *heldStore) Released() uint64 { return s.released.Load() }

func (s *heldStore) Release(lsn uint64, done func(error)) bool {
	if s.released.Load() >= lsn {
		return true
	}
	s.asked <- held{lsn, done}
	return false
}

// elsewhere returns a key in another partition than key.
func (s *heldStore) elsewhere(key string) string {
	p := s.store.(interface{ Mask(key string) uint64 })
	for i := 0; ; i++ {
		if other := fmt.Sprint("key", i); p.Mask(other) != p.Mask(key) {
			return other
		}
	}
}

// release makes what was asked for durable.
func (s *heldStore) release(h held) {
	s.released.Store(h.lsn)
	h.done(nil)
}

// gated is a client of a server with a heldStore.
type gated struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

// send sends an inline request.
func (g *gated) send(line string) {
	g.t.Helper()
	_, err := io.WriteString(g, line+"\r\n")
	require.NoError(g.t, err)
}

// want reads lines.
func (g *gated) want(lines ...string) {
	g.t.Helper()
	for _, line := range lines {
		got, err := g.r.ReadString('\n')
		require.NoError(g.t, err)
		require.Equal(g.t, line+"\r\n", got)
	}
}

// ask sends an inline request and reads the lines of its reply.
func (g *gated) ask(line string, lines ...string) {
	g.t.Helper()
	g.send(line)
	g.want(lines...)
}

// serveHeld serves a database with one loop and a heldStore.
func serveHeld(t *testing.T) (s *heldStore, db *brock.DB, connect func() *gated) {
	t.Helper()
	db, err := brock.Open(t.TempDir(), nil)
	require.NoError(t, err)
	srv, err := NewServer(db, &Options{Loops: 1})
	require.NoError(t, err)
	s = &heldStore{store: srv.factory.store, asked: make(chan held, 10)}
	srv.factory.store = s
	return s, db, serveGated(t, srv, db)
}

// serveGated serves a database until the test ends, and returns what connects to
// it.
func serveGated(t *testing.T, srv *Server, db *brock.DB) (connect func() *gated) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, srv.Shutdown(context.Background()))
		require.NoError(t, db.Close())
	})
	return func() *gated {
		c, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
		return &gated{t, c, bufio.NewReader(c)}
	}
}

// TestRepliesWaitForTheLog has a reply wait until what it acknowledges or shows
// is durable, with all that its connection is told behind it, and nothing else.
func TestRepliesWaitForTheLog(t *testing.T) {
	s, db, connect := serveHeld(t)
	writer, reader, other := connect(), connect(), connect()
	writer.send("SET a 1")
	first := <-s.asked
	other.ask("PING", "+PONG")
	other.ask("GET "+s.elsewhere("a"), "$-1")
	reader.send("GET a") // shows what is not durable
	writer.send("PING")  // stands behind what waits
	other.ask("PING", "+PONG")
	s.release(first)
	writer.want("+OK", "+PONG")
	reader.want("$1", "1")
	writer.send("SET b 2")
	second := <-s.asked
	require.Greater(t, second.lsn, first.lsn)
	s.release(second)
	writer.want("+OK")

	require.NoError(t, db.Set("c", []byte("3"))) // by the program: written, but the store is held
	reader.send("GET c")
	third := <-s.asked
	other.send("INCR a")
	s.release(third)
	reader.want("$1", "3")
	s.release(<-s.asked)
	other.want(":2")
}

// TestRepliesOfAFailedLog closes connections whose replies acknowledge what
// could not be made durable, and no others.
func TestRepliesOfAFailedLog(t *testing.T) {
	s, _, connect := serveHeld(t)
	writer, other := connect(), connect()
	other.ask("PING", "+PONG")
	writer.send("SET a 1")
	h := <-s.asked
	h.done(errors.New("disk full"))
	_, err := writer.r.ReadByte()
	require.Error(t, err)
	other.ask("PING", "+PONG")
}
