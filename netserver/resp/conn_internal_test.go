package resp

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/netserver"
)

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
