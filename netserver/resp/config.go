package resp

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// config are the parameters that CONFIG reads and sets while connections run.
type config struct {
	setting sync.Mutex // held by a CONFIG SET

	pass        atomic.Pointer[string]
	clients     atomic.Int64
	room        int64        // for clients
	idle        atomic.Int64 // seconds
	bulk        atomic.Int64
	query       atomic.Int64
	output      atomic.Pointer[outputLimit]
	tracking    atomic.Bool // of latencies
	percentiles atomic.Pointer[[]float64]
}

// outputLimit bounds the bytes of replies that a client has not read: more than
// hard close the connection at once, more than soft after some time. 0 is no
// bound.
type outputLimit struct {
	hard, soft int64
	after      time.Duration
}

// newConfig returns the parameters that a server begins with.
func newConfig(s *Server) *config {
	c := &config{}
	c.pass.Store(&s.opts.RequirePass)
	c.room = clientRoom()
	want := int64(10000)
	if s.opts.MaxClients > 0 {
		want = int64(s.opts.MaxClients)
	}
	if want > c.room {
		s.log.Warn("brock: fewer clients than maxclients: raise the limit of open files (ulimit -n)", "maxclients", want, "reduced to", c.room)
	}
	c.clients.Store(min(want, c.room))
	c.bulk.Store(maxBulk)
	c.query.Store(maxQueryBytes)
	c.output.Store(&outputLimit{})
	c.tracking.Store(true)
	c.percentiles.Store(&[]float64{50, 99, 99.9})
	s.slow.after.Store(10000)
	s.slow.most.Store(128)
	return c
}

func (c *config) password() string       { return *c.pass.Load() }
func (c *config) maxClients() int        { return int(min(c.clients.Load(), math.MaxInt32)) }
func (c *config) timeout() time.Duration { return time.Duration(c.idle.Load()) * time.Second }

// maxBulk bounds the bytes of an argument; positions in a buffer stay within an
// int.
func (c *config) maxBulk() int64    { return min(c.bulk.Load(), math.MaxInt/4+1) }
func (c *config) queryLimit() int64 { return c.query.Load() }

// maxValue bounds the bytes of a string that commands make longer.
func (c *config) maxValue() int64 { return min(c.maxBulk(), maxBulk) }
