package brock

import (
	"errors"

	"github.com/brockdb/brock/internal/store"
)

// commands is where every command is defined, once: DB, Tx and Pipe embed it.
// How a command is run is decided by read, write and exec.
type commands struct {
	s     *store.Store // nil in a Tx
	db    int          // the logical database
	tx    *store.Tx    // the transaction that commands are steps of, or nil
	life  uint64       // which use of tx, see store.Tx.Life
	later *store.Later // what a Pipe has to wait for, or nil
	bad   error        // why no command can run: a bad database number, an ended transaction
}

// at returns the same on another logical database.
func (c *commands) at(n int) commands {
	d := *c
	if d.bad == nil || errors.Is(d.bad, ErrDatabase) {
		d.bad = nil
		if n < 0 || n >= d.databases() {
			d.bad = ErrDatabase
		}
	}
	d.db = n
	return d
}

// databases returns the number of logical databases.
func (c *commands) databases() int {
	if c.tx != nil {
		return c.tx.Databases()
	}
	return c.s.Databases()
}

// read runs a command that changes nothing and looks at one key. fn may run
// several times; what it returns through captured variables is set anew each
// time.
func (c *commands) read(key string, fn func(*store.Tx) error) error {
	switch {
	case c.bad != nil:
		return c.bad
	case c.tx != nil:
		return c.step(fn)
	}
	return c.s.ReadKey(key, fn)
}

// readAll is read for several keys, which are seen as of one moment.
func (c *commands) readAll(keys []string, fn func(*store.Tx) error) error {
	switch {
	case c.bad != nil:
		return c.bad
	case c.tx != nil:
		return c.step(fn)
	}
	return c.s.Read(c.mask(keys), fn)
}

// mask returns the partitions of keys.
func (c *commands) mask(keys []string) (mask uint64) {
	for _, k := range keys {
		mask |= c.s.Mask(k)
	}
	return mask
}

// snapshot is read for commands that take long: they run on a snapshot.
func (c *commands) snapshot(fn func(*store.Tx) error) error {
	switch {
	case c.bad != nil:
		return c.bad
	case c.tx != nil:
		return c.step(fn)
	}
	return c.s.Snapshot(fn)
}

// write runs a command that changes one key in place. fn may run several times
// until its first change; after it nothing can fail: all checks and all reads
// come before.
func (c *commands) write(key string, fn func(*store.Tx) error) error {
	switch {
	case c.bad != nil:
		return c.bad
	case c.tx != nil:
		return c.step(fn)
	}
	return c.s.WriteKey(key, c.later, fn)
}

// writeAll is write for several keys.
func (c *commands) writeAll(keys []string, fn func(*store.Tx) error) error {
	switch {
	case c.bad != nil:
		return c.bad
	case c.tx != nil:
		return c.step(fn)
	}
	return c.s.Write(c.mask(keys), c.later, fn)
}

// exec runs a command on private copies of pages: one that may fail half-way,
// takes long before its first change, or touches whole databases.
func (c *commands) exec(fn func(*store.Tx) error) error {
	switch {
	case c.bad != nil:
		return c.bad
	case c.tx != nil:
		return c.step(fn)
	}
	return c.s.Exec(c.later, fn)
}

// firstRoom bounds for how many elements a result is given room before they are
// read: how many there are is told by one number on disk.
const firstRoom = 1 << 16

// step runs a command as a step of a transaction.
func (c *commands) step(fn func(*store.Tx) error) error { return c.tx.Step(c.life, fn) }

// find returns the entry of a key that holds a value of the type, nil if the
// key is absent. It is good until the next one is looked up.
func (c *commands) find(t *store.Tx, key string, typ store.Type) (*store.Entry, error) {
	e, err := t.Find(c.db, key)
	if e != nil && e.Type != typ {
		return nil, ErrWrongType
	}
	return e, err
}

// findForWrite is find for a change.
func (c *commands) findForWrite(t *store.Tx, key string, typ store.Type) (*store.Entry, error) {
	e, err := t.FindForWrite(c.db, key)
	if e != nil && e.Type != typ {
		return nil, ErrWrongType
	}
	return e, err
}

// lookup returns the entry of a key that holds a value of the type; ok is
// false if the key is absent.
func (c *commands) lookup(t *store.Tx, key string, typ store.Type) (store.Entry, bool, error) {
	e, ok, err := t.Lookup(c.db, key)
	if err == nil && ok && e.Type != typ {
		return e, false, ErrWrongType
	}
	return e, ok, err
}

// lookupForWrite is lookup for a change.
func (c *commands) lookupForWrite(t *store.Tx, key string, typ store.Type) (store.Entry, bool, error) {
	e, ok, err := t.LookupForWrite(c.db, key)
	if err == nil && ok && e.Type != typ {
		return e, false, ErrWrongType
	}
	return e, ok, err
}
