package resp

// bound ends the connection if its client leaves too many bytes of replies
// unread: more than the hard limit, or more than the soft one for as long as
// that is allowed.
func (c *conn) bound() {
	limit, pending := c.srv.config.output.Load(), c.unsent()
	switch {
	case limit.hard > 0 && pending > limit.hard:
		c.drop(pending)
	case limit.soft <= 0 || pending <= limit.soft:
		c.within()
	case c.overSoft == nil:
		c.overSoft = c.t.Loop().AfterFunc(limit.after, c.stillOver)
	}
}

// unsent returns how many bytes of replies are not sent yet.
func (c *conn) unsent() int64 { return int64(c.t.Pending()) + int64(len(c.rest)) }

// within notes that the soft limit is kept.
func (c *conn) within() {
	if c.overSoft != nil {
		c.overSoft()
		c.overSoft = nil
	}
}

// stillOver ends the connection if it is above the soft limit: it was, some time
// ago, and has not been seen below it since.
func (c *conn) stillOver() {
	c.overSoft = nil
	limit := c.srv.config.output.Load()
	if pending := c.unsent(); limit.soft > 0 && pending > limit.soft {
		c.drop(pending)
	}
}

// drop ends the connection of a client that does not read.
func (c *conn) drop(pending int64) {
	c.srv.log.Warn("brock: a client does not read its replies", "client", c.id, "bytes", pending)
	c.closing = true
	c.t.Abort()
}
