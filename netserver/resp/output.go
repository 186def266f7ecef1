package resp

import "time"

// replyBuffer is how many bytes of replies Redis keeps in a client's own buffer:
// only what is beyond counts.
const replyBuffer = 16 << 10

// bound ends the connection if its client leaves too many bytes of replies
// unread: more than the hard limit, or more than the soft one for as long as
// that is allowed.
func (c *conn) bound() {
	limit, pending := c.srv.config.output.Load(), c.unsent()-replyBuffer
	switch {
	case limit.hard > 0 && pending > limit.hard:
		c.drop(pending)
	case limit.soft <= 0 || pending <= limit.soft:
		c.within()
	case c.alarm == nil:
		c.overFor(limit.after, pending)
	}
}

// rebound is bound for when the soft limit's time may be up, or the limits have
// changed.
func (c *conn) rebound() {
	c.silence()
	c.bound()
}

// overFor ends the connection if the soft limit has been exceeded for some time,
// or has that looked at when it may be.
func (c *conn) overFor(after time.Duration, pending int64) {
	now := time.Now()
	if c.overSoft.IsZero() {
		c.overSoft = now
	}
	if left := after - now.Sub(c.overSoft); left > 0 {
		c.alarm = c.t.Loop().AfterFunc(left, c.rebound)
	} else {
		c.drop(pending)
	}
}

// unsent returns how many bytes of replies are not sent yet.
func (c *conn) unsent() int64 { return int64(c.t.Pending()) + int64(len(c.rest)) }

// within notes that the soft limit is kept.
func (c *conn) within() {
	if !c.overSoft.IsZero() {
		c.overSoft = time.Time{}
		c.silence()
	}
}

// silence ends the alarm for the soft limit.
func (c *conn) silence() {
	if c.alarm != nil {
		c.alarm()
		c.alarm = nil
	}
}

// drop ends the connection of a client that does not read.
func (c *conn) drop(pending int64) {
	c.srv.log.Warn("brock: a client does not read its replies", "client", c.id, "bytes", pending)
	c.closing = true
	c.t.Abort()
}
