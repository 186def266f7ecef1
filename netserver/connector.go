package netserver

import (
	"context"
	"net"
	"time"
)

// dialTimeout is how long an attempt to connect may take.
const dialTimeout = 30 * time.Second

// Connector makes connections to one address for a ClientFactory, one at a
// time. Its methods may be called from anywhere.
type Connector struct {
	server  *Server
	network string
	address string
	factory ClientFactory

	// What follows is guarded by server.mu.

	service *service           // while an attempt, or its connection, is alive
	cancel  context.CancelFunc // ends the attempt
	halted  bool               // Stop was called since the attempt began
	conn    *conn              // once made
}

// Connect connects to address and runs the protocol that f builds, beside what
// else the server runs. It returns at once: f learns what becomes of it. If the
// server has stopped it does nothing.
func (s *Server) Connect(network, address string, f ClientFactory) *Connector {
	c := &Connector{server: s, network: network, address: address, factory: f}
	c.Connect()
	return c
}

// Addr is where the connector connects to.
func (c *Connector) Addr() (network, address string) { return c.network, c.address }

// Connect begins another attempt, unless one, or its connection, is alive, or
// the server has stopped. It is meant for the factory's ConnectionFailed and
// ConnectionLost.
func (c *Connector) Connect() {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.service != nil || s.stopping {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.service, c.cancel, c.halted = s.enter(c.factory), cancel, false
	if s.connectors == nil {
		s.connectors = make(map[*Connector]struct{})
	}
	s.connectors[c] = struct{}{}
	go c.attempt(ctx, c.service)
}

// Stop ends the attempt, or closes the connection as LoseConnection does. The
// factory is told as of any other end, with ErrClosed.
func (c *Connector) Stop() {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if c.service == nil {
		return
	}
	c.halted = true
	c.cancel()
	if c.conn != nil {
		c.conn.loop.Post(c.conn.LoseConnection)
	}
}

// attempt is the goroutine that connects.
func (c *Connector) attempt(ctx context.Context, svc *service) {
	err := svc.start()
	if err == nil {
		c.factory.Connecting(c)
		err = c.dial(ctx, svc)
	}
	if err != nil {
		c.ended(func() { c.factory.ConnectionFailed(c, err) })
	}
}

// dial makes the connection.
func (c *Connector) dial(ctx context.Context, svc *service) error {
	dial := c.server.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	nc, err := dial(ctx, c.network, c.address)
	if err == nil {
		return c.server.attach(nc, svc, c)
	}
	if ctx.Err() != nil {
		return ErrClosed
	}
	return err
}

// lost is called when the connection is, after its Protocol.
func (c *Connector) lost(conn *conn) {
	c.ended(func() {
		if conn.proto == nil {
			c.factory.ConnectionFailed(c, conn.reason)
			return
		}
		c.factory.ConnectionLost(c, conn.reason)
	})
}

// ended makes the connector ready for another attempt, which tell may begin.
func (c *Connector) ended(tell func()) {
	s := c.server
	s.mu.Lock()
	svc := c.service
	c.cancel()
	c.service, c.conn = nil, nil
	delete(s.connectors, c)
	s.mu.Unlock()
	tell()
	s.leave(svc)
	s.release()
}
