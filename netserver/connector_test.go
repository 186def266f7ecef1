package netserver_test

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/netserver"
)

// client is a ClientFactory that tells what it is told.
type client struct {
	netserver.Factory
	connecting chan *netserver.Connector
	failed     chan error
	lost       chan error
	again      func(c *netserver.Connector) // called after lost or failed
}

func newClient(f netserver.Factory) *client {
	return &client{
		Factory: f, connecting: make(chan *netserver.Connector, 10), failed: make(chan error, 10), lost: make(chan error, 10),
		again: func(*netserver.Connector) {},
	}
}

func (f *client) Connecting(c *netserver.Connector) { f.connecting <- c }

func (f *client) ConnectionFailed(c *netserver.Connector, reason error) {
	f.failed <- reason
	f.again(c)
}

func (f *client) ConnectionLost(c *netserver.Connector, reason error) {
	f.lost <- reason
	f.again(c)
}

// onClients runs a test over every kind of connection: a server that echoes,
// and another whose connectors reach it.
func onClients(t *testing.T, b behaviour, test func(t *testing.T, echoes, s *site, f *client)) {
	t.Helper()
	for _, k := range kinds() {
		t.Run(k.name(), func(t *testing.T) {
			echoes := newSite(t, k, nil)
			echoes.serve(echoes.probes(behaviour{data: echoData}))
			s := newSite(t, k, func(s *netserver.Server) {
				if k.network == "tls" || k.network == "memory" {
					s.Dial = func(context.Context, string, string) (net.Conn, error) { return echoes.dial() }
				}
			})
			t.Cleanup(func() { require.NoError(t, s.Shutdown(context.WithoutCancel(t.Context()))) })
			test(t, echoes, s, newClient(s.probes(b)))
		})
	}
}

// TestConnect connects, talks, and is told of the end after its protocol.
func TestConnect(t *testing.T) {
	b := behaviour{
		made: func(p *probe) { p.Write([]byte("hello")) },
		data: func(p *probe, data []byte) {
			if p.got += len(data); p.got == len("hello") {
				p.LoseConnection()
			}
		},
	}
	onClients(t, b, func(t *testing.T, echoes, s *site, f *client) {
		c := s.Connect(s.kind.network, echoes.addr, f)
		require.Same(t, c, await(t, f.connecting))
		network, address := c.Addr()
		require.Equal(t, s.kind.network, network)
		require.Equal(t, echoes.addr, address)
		p := await(t, s.made)
		require.Equal(t, netserver.ErrClosed, await(t, f.lost))
		require.Len(t, p.lost, 1)
		require.Equal(t, io.EOF, await(t, await(t, echoes.made).lost))
		require.Empty(t, f.failed)
	})
}

// TestConnectFails says why.
func TestConnectFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	var s netserver.Server
	f := newClient(netserver.FactoryFunc(newEcho))
	c := s.Connect("tcp", l.Addr().String(), f)
	require.Same(t, c, await(t, f.connecting))
	require.ErrorIs(t, await(t, f.failed), syscall.ECONNREFUSED)
	require.NoError(t, s.Shutdown(t.Context()))
	require.Empty(t, f.lost)
	c.Connect() // the server has stopped
	c.Stop()
	s.Connect("tcp", l.Addr().String(), f)
	require.Empty(t, f.connecting)
}

// TestReconnect tries again from the callbacks.
func TestReconnect(t *testing.T) {
	onClients(t, behaviour{}, func(t *testing.T, echoes, s *site, f *client) {
		attempts := 0
		f.again = func(c *netserver.Connector) {
			if attempts++; attempts < 3 {
				c.Connect()
				c.Connect() // one at a time
			}
		}
		c := s.Connect(s.kind.network, echoes.addr, f)
		for range 3 {
			require.Same(t, c, await(t, f.connecting))
			await(t, s.made)
			peer := await(t, echoes.made)
			peer.do(peer.LoseConnection)
			reason := await(t, f.lost)
			if s.kind.network != "tls" { // there the handshake may be cut off
				require.Equal(t, io.EOF, reason)
			}
		}
		require.Empty(t, f.connecting)
	})
}

// TestStopConnected closes the connection.
func TestStopConnected(t *testing.T) {
	onClients(t, behaviour{}, func(t *testing.T, echoes, s *site, f *client) {
		c := s.Connect(s.kind.network, echoes.addr, f)
		await(t, s.made)
		c.Stop()
		c.Stop()
		require.Equal(t, netserver.ErrClosed, await(t, f.lost))
		c.Stop()
		c.Connect()
		await(t, s.made)
		require.NoError(t, s.Shutdown(t.Context()))
		require.Equal(t, netserver.ErrShutdown, await(t, f.lost))
	})
}

// TestStopConnecting ends the attempt, also at the moment of success.
func TestStopConnecting(t *testing.T) {
	l := netserver.NewMemoryListener()
	for _, late := range []bool{false, true} {
		dialling := make(chan struct{})
		s := netserver.Server{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			close(dialling)
			<-ctx.Done()
			if late {
				return l.Dial()
			}
			return nil, ctx.Err()
		}}
		f := newClient(netserver.FactoryFunc(newEcho))
		c := s.Connect("memory", "", f)
		await(t, dialling)
		c.Stop()
		require.ErrorIs(t, await(t, f.failed), netserver.ErrClosed)
		require.NoError(t, s.Shutdown(t.Context()))
		require.Empty(t, f.lost)
	}
}

// TestShutdownConnecting ends attempts.
func TestShutdownConnecting(t *testing.T) {
	dialling := make(chan struct{})
	s := netserver.Server{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		close(dialling)
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	f := newClient(netserver.FactoryFunc(newEcho))
	f.again = func(c *netserver.Connector) { c.Connect() }
	s.Connect("memory", "", f)
	await(t, dialling)
	require.NoError(t, s.Shutdown(t.Context()))
	require.ErrorIs(t, await(t, f.failed), netserver.ErrClosed)
}

// TestConnectRefused has a factory that builds no protocol, or does not start.
func TestConnectRefused(t *testing.T) {
	onClients(t, behaviour{}, func(t *testing.T, echoes, s *site, f *client) {
		f.Factory = netserver.FactoryFunc(func(net.Addr) netserver.Protocol { return nil })
		s.Connect(s.kind.network, echoes.addr, f)
		require.ErrorIs(t, await(t, f.failed), netserver.ErrRefused)
		require.Empty(t, f.lost)
	})
	broken := errors.New("broken")
	var s netserver.Server
	h := newHooks(broken)
	f := newClient(h)
	s.Connect("tcp", "127.0.0.1:1", &startingClient{f, h})
	require.ErrorIs(t, await(t, f.failed), broken)
	require.Empty(t, f.connecting)
	require.Empty(t, h.stopped)
	require.NoError(t, s.Shutdown(t.Context()))
}

// TestConnectHooks starts the factory with an attempt and stops it with the
// end, unless it goes on.
func TestConnectHooks(t *testing.T) {
	var s netserver.Server
	h := newHooks(nil)
	f := newClient(h)
	attempts := 0
	f.again = func(c *netserver.Connector) {
		if attempts++; attempts < 3 {
			c.Connect()
		}
	}
	s.Connect("unix", t.TempDir()+"/none", &startingClient{f, h})
	for range 3 {
		require.ErrorIs(t, await(t, f.failed), syscall.ENOENT)
	}
	await(t, h.stopped)
	require.Len(t, h.started, 1)
	require.NoError(t, s.Shutdown(t.Context()))
}

// startingClient is a ClientFactory with hooks.
type startingClient struct {
	*client
	hooks *hooks
}

func (s *startingClient) Start() error { return s.hooks.Start() }
func (s *startingClient) Stop()        { s.hooks.Stop() }
