package resp

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// TestManyWordsAlone has requests of many short words not be executed together.
func TestManyWordsAlone(t *testing.T) {
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	defer db.Close()
	srv, err := NewServer(db, nil)
	require.NoError(t, err)
	w, c := newWorkshop(srv)
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
	connect := serveGated(t, srv, db)
	a, b := connect(), connect()
	b.ask("PING", "+PONG")
	a.ask("SET secret s3cr3t", "+OK")
	a.send("GET secret\r\nECHO x")
	_, err = a.r.ReadByte()
	require.Error(t, err)
	b.ask("PING", "+PONG")
}
