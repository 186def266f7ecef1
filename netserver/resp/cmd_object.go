package resp

import "time"

// runObjectEncoding is OBJECT ENCODING key.
func runObjectEncoding(c *call) error { return c.text(c.db.ObjectEncoding(c.str(2))) }

// runObjectFreq is OBJECT FREQ key.
func runObjectFreq(c *call) error { return c.orNull(c.number(c.db.ObjectFreq(c.str(2)))) }

// runObjectIdleTime is OBJECT IDLETIME key.
func runObjectIdleTime(c *call) error {
	idle, err := c.db.ObjectIdleTime(c.str(2))
	return c.orNull(c.number64(int64(idle/time.Second), err))
}

// runObjectRefCount is OBJECT REFCOUNT key.
func runObjectRefCount(c *call) error { return c.orNull(c.number(c.db.ObjectRefCount(c.str(2)))) }
