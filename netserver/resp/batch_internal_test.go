package resp

import (
	"bufio"
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/netserver"
)

// TestManyWordsAlone has requests of many short words not be executed together.
func TestManyWordsAlone(t *testing.T) {
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	defer db.Close()
	srv, err := NewServer(db, nil)
	require.NoError(t, err)
	w := &workshop{sink: sink{loop: &netserver.Loop{}, store: srv.factory.store}}
	c := srv.factory.BuildProtocol(nil).(*conn)
	c.ConnectionMade(w)
	words := append([]string{"XADD", "s", "*"}, make([]string, 2*briefArgs)...)
	one := appendRequest(nil, words)
	c.DataReceived(append(one, one...))
	for range 2 {
		require.Len(t, w.works, 1)
		work := w.works[0]
		w.works = nil
		work()()
	}
	require.Empty(t, w.works)
}

// TestPanicLeavesNoReplies has a command panic behind others: their replies go
// to nobody else.
func TestPanicLeavesNoReplies(t *testing.T) {
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	srv, err := NewServer(db, &Options{Loops: 1})
	require.NoError(t, err)
	srv.commands.find([]byte("echo")).run = func(*call) error { panic("a fault") }
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, srv.Shutdown(context.Background()))
		require.NoError(t, db.Close())
	})
	dial := func() *gated {
		c, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
		return &gated{t, c, bufio.NewReader(c)}
	}
	a, b := dial(), dial()
	b.ask("PING", "+PONG")
	a.ask("SET secret s3cr3t", "+OK")
	a.send("GET secret\r\nECHO x")
	_, err = a.r.ReadByte()
	require.Error(t, err)
	b.ask("PING", "+PONG")
}
