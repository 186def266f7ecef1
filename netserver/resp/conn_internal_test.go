package resp

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/netserver"
)

// workshop is a sink that keeps what is to run off the loop.
type workshop struct {
	sink
	works []func() func()
}

// newWorkshop returns a workshop and the connection whose transport it is.
func newWorkshop(srv *Server) (*workshop, *conn) {
	w := &workshop{sink: sink{loop: &netserver.Loop{}, store: srv.factory.store}}
	c := srv.factory.BuildProtocol(nil).(*conn)
	c.ConnectionMade(w)
	return w, c
}

func (w *workshop) Go(work func() func()) { w.works = append(w.works, work) }

// TestLongOffLoop has long requests be put together and executed off the loop,
// also those of commands that look at no key.
func TestLongOffLoop(t *testing.T) {
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	defer db.Close()
	srv, err := NewServer(db, nil)
	require.NoError(t, err)
	for _, c := range []struct {
		words []string
		works int
	}{
		{[]string{"SET", "key", ""}, 2},
		{[]string{"ECHO", ""}, 2},
		{[]string{"AUTH", ""}, 2},
		{[]string{"NOSUCH", ""}, 1},
		{[]string{"CLIENT", "NOSUCH", ""}, 1},
	} {
		w, conn := newWorkshop(srv)
		c.words[len(c.words)-1] = strings.Repeat("x", 4*briefBytes)
		for piece := range slices.Chunk(appendRequest(nil, c.words), 64<<10) {
			require.Empty(t, w.works)
			conn.DataReceived(piece)
		}
		works := 0
		for ; len(w.works) > 0; works++ {
			require.True(t, conn.busy)
			work := w.works[0]
			w.works = w.works[1:]
			work()()
		}
		require.Equal(t, c.works, works, c.words[0])
		require.False(t, conn.busy)
	}
}

// TestUnpark takes the reply of a command off the loop when its client does not
// read, has asked for no replies, or has a next command running already.
func TestUnpark(t *testing.T) {
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	defer db.Close()
	srv, err := NewServer(db, nil)
	require.NoError(t, err)
	c := srv.factory.BuildProtocol(nil).(*conn)
	c.ConnectionMade(&sink{loop: &netserver.Loop{}, store: srv.factory.store})
	parked := func() *call {
		ctx, cancel := context.WithCancel(t.Context())
		c.busy, c.cancel = true, cancel
		call := newCall(ctx, c, srv.commands.find([]byte("get")), [][]byte{[]byte("GET"), []byte("key")})
		call.run()
		return call
	}

	c.PauseProducing()
	c.unpark(parked())
	require.True(t, c.busy, "the reply waits until the client reads")
	c.ResumeProducing()
	require.False(t, c.busy)

	c.mute = muteOn
	c.PauseProducing()
	c.unpark(parked())
	require.False(t, c.busy, "there is no reply to wait for")
	c.ResumeProducing()

	call := parked()
	c.deliverMore() // was asked for when the last reply was not sent yet
	require.True(t, c.busy, "that is the next command's business")
	c.unpark(call)
	require.False(t, c.busy)
}
