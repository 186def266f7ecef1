package netserver

import "time"

// Bounds of the time between two sweeps.
const (
	minSweep = 10 * time.Millisecond
	maxSweep = time.Second
)

// sweeper looks for connections of a loop whose time is up, while there is one
// with a time-out. A time-out is noticed late, by a quarter of itself or one
// second, whichever is less, twice at most; never early.
type sweeper struct {
	every time.Duration // to the next sweep; 0: there is none
	stop  func() bool
}

// expect makes sure that sweeps are as frequent as c needs them.
func (w *sweeper) expect(l *Loop, c *conn) {
	every := c.sweepEvery()
	if every == 0 || w.every != 0 && w.every <= every {
		return
	}
	w.cancel()
	w.arm(l, every)
}

// arm sets the alarm for the next sweep.
func (w *sweeper) arm(l *Loop, every time.Duration) {
	w.every = every
	w.stop = l.AfterFunc(every, func() { w.sweep(l) })
}

// cancel lets no sweep come.
func (w *sweeper) cancel() {
	if w.every != 0 {
		w.stop()
		w.every = 0
	}
}

// sweep looks at all connections.
func (w *sweeper) sweep(l *Loop) {
	now := l.server.clock().Now()
	next := time.Duration(0)
	for _, c := range l.conns {
		if c == nil {
			continue
		}
		c.check(now)
		if every := c.sweepEvery(); every != 0 && (next == 0 || every < next) {
			next = every
		}
	}
	w.every = 0
	if next != 0 {
		w.arm(l, next)
	}
}

// sweepEvery is how often c needs to be looked at; 0 is never.
func (c *conn) sweepEvery() time.Duration {
	shorter := c.idle
	if wt := c.server.WriteTimeout; wt > 0 && (shorter <= 0 || wt < shorter) {
		shorter = wt
	}
	if shorter <= 0 {
		return 0
	}
	return min(max(shorter/4, minSweep), maxSweep)
}

// check closes c if its time is up.
func (c *conn) check(now time.Time) {
	sent := c.sent.Load()
	drained := sent != c.sweptSent
	c.sweptSent = sent
	if drained || !c.io.stuck() {
		c.stuckSince = now
	}
	// What the connection itself is waiting for is not the peer's fault.
	if drained || c.received || c.paused || c.waiting || c.first != nil || c.idleSince.IsZero() {
		c.idleSince = now
	}
	c.received = false
	switch wt := c.server.WriteTimeout; {
	case wt > 0 && now.Sub(c.stuckSince) >= wt:
		c.abort(ErrWriteTimeout)
	case c.idle > 0 && now.Sub(c.idleSince) >= c.idle:
		c.expire(ErrIdle)
	}
}
