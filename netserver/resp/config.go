package resp

import (
	"sync/atomic"
	"time"
)

// config are the parameters that CONFIG reads and sets while connections run.
type config struct {
	pass      atomic.Pointer[string]
	clients   atomic.Int64
	idle      atomic.Int64 // seconds
	bulk      atomic.Int64
	query     atomic.Int64
	outputMax atomic.Int64 // bytes; 0: no limit
}

// newConfig returns the parameters that a server begins with.
func newConfig(s *Server) *config {
	c := &config{}
	c.pass.Store(&s.opts.RequirePass)
	c.clients.Store(10000)
	if s.opts.MaxClients > 0 {
		c.clients.Store(int64(s.opts.MaxClients))
	}
	c.bulk.Store(maxBulk)
	c.query.Store(maxQueryBytes)
	s.slow.after.Store(10000)
	s.slow.most.Store(128)
	return c
}

func (c *config) password() string       { return *c.pass.Load() }
func (c *config) maxClients() int        { return int(c.clients.Load()) }
func (c *config) timeout() time.Duration { return time.Duration(c.idle.Load()) * time.Second }
func (c *config) maxBulk() int64         { return c.bulk.Load() }
func (c *config) queryLimit() int64      { return c.query.Load() }
func (c *config) outputLimit() int64     { return c.outputMax.Load() }
