package brock

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/brockdb/brock/internal/bridge"
	"github.com/brockdb/brock/internal/store"
)

// commands is where every command is defined, once: DB, Tx and Pipe embed it.
// How a command is run is decided by read, write and exec and their like; op is
// its name, for its errors.
type commands struct {
	s    *store.Store // nil in a Tx
	db   int          // the logical database
	tx   *store.Tx    // the transaction that commands are steps of, or nil
	life uint64       // which use of tx, see store.Tx.Life
	pipe *pipeline    // what commands are run for, or nil
	bad  error        // why no command can run: a bad database number
}

// pipeline is what the handles of a pipeline share.
type pipeline struct {
	later store.Later // what is to be waited for at the end
	ended bool
	tx    *store.Tx // the transaction that several commands are now, see together
	life  uint64    // which use of it
}

// usable returns why no command can run, or nil.
func (c *commands) usable() error {
	if c.pipe != nil && c.pipe.ended {
		return ErrTxDone
	}
	return c.bad
}

// later returns where to note what is to be waited for, nil to wait at once.
func (c *commands) later() *store.Later {
	if c.pipe == nil {
		return nil
	}
	return &c.pipe.later
}

// at returns the same on another logical database.
func (c *commands) at(n int) commands {
	d := *c
	d.db, d.bad = n, nil
	if n < 0 || n >= d.databases() {
		d.bad = ErrDatabase
	}
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
func (c *commands) read(op, key string, fn func(*store.Tx) error) error {
	done, err := c.within(fn)
	if !done {
		err = c.s.ReadKey(key, c.later(), fn)
	}
	return wrapped(op, key, err)
}

// readAll is read for several keys, which are seen as of one moment: those of
// many keys on a snapshot.
func (c *commands) readAll(op string, keys []string, fn func(*store.Tx) error) error {
	done, err := c.apart(fn)
	switch {
	case done:
	case len(keys) > longKeys:
		err = c.s.Snapshot(c.later(), fn)
	default:
		err = c.s.Read(c.mask(keys), c.later(), fn)
	}
	return wrapped(op, single(keys), err)
}

// readAny is read for a command that may look at any key.
func (c *commands) readAny(op string, fn func(*store.Tx) error) error {
	done, err := c.within(fn)
	if !done {
		err = c.s.Read(store.All, c.later(), fn)
	}
	return wrapped(op, "", err)
}

// mask returns the partitions of keys.
func (c *commands) mask(keys []string) (mask uint64) {
	for _, k := range keys {
		mask |= c.s.Mask(k)
	}
	return mask
}

// snapshot is read for commands that take long: they run on a snapshot.
func (c *commands) snapshot(op, key string, fn func(*store.Tx) error) error {
	done, err := c.apart(fn)
	if !done {
		err = c.s.Snapshot(c.later(), fn)
	}
	return wrapped(op, key, err)
}

// write runs a command that changes one key in place. fn may run several times
// until its first change; after it nothing can fail: all checks and all reads
// come before.
func (c *commands) write(op, key string, fn func(*store.Tx) error) error {
	done, err := c.within(fn)
	if !done {
		err = c.s.WriteKey(key, c.later(), fn)
	}
	return wrapped(op, key, err)
}

// keyCommand is a command that changes a key, with arguments A and result R.
type keyCommand[A, R any] func(c *commands, t *store.Tx, key string, args A) (R, error)

// writeKey is write for a command with a fixed number of arguments, as a function
// of them that captures nothing: while other writers wait, too, the one whose
// turn it is runs it for its caller.
func writeKey[A, R any](c *commands, op, key string, args A, fn keyCommand[A, R]) (r R, err error) {
	if c.tx == nil && c.pipe == nil && c.bad == nil && c.s.Busy() {
		r, err = leave(c, key, args, fn)
		err = wrapped(op, key, err)
	} else {
		err = c.write(op, key, func(t *store.Tx) (err error) {
			r, err = fn(c, t, key, args)
			return err
		})
	}
	return result(r, err)
}

// leave leaves a command of writeKey to another writer. Its variables are on
// the heap therefore, which those of writeKey are not.
func leave[A, R any](c *commands, key string, args A, fn keyCommand[A, R]) (r R, err error) {
	err = c.s.Leave(c.db, key, func(t *store.Tx) (err error) {
		r, err = fn(c, t, key, args)
		return err
	})
	return r, err
}

// writeAll is write for several keys: many are changed in private copies of
// pages. key is the one that errors name, or "".
func (c *commands) writeAll(op, key string, keys []string, fn func(*store.Tx) error) error {
	done, err := c.apart(fn)
	switch {
	case done:
	case len(keys) > longKeys:
		err = c.s.Exec(c.later(), fn)
	default:
		err = c.s.Write(c.mask(keys), c.later(), fn)
	}
	return wrapped(op, key, err)
}

// exec runs a command on private copies of pages: one that may fail half-way,
// takes long before its first change, or touches whole databases.
func (c *commands) exec(op, key string, fn func(*store.Tx) error) error {
	done, err := c.apart(fn)
	if !done {
		err = c.s.Exec(c.later(), fn)
	}
	return wrapped(op, key, err)
}

// firstRoom bounds for how many elements a result is given room before they are
// read: how many there are is told by one number on disk.
const firstRoom = 1 << 16

// within runs a command as a step of a transaction, or refuses to run it at
// all. If done is false it is to be run as a transaction of its own.
func (c *commands) within(fn func(*store.Tx) error) (done bool, err error) {
	if err := c.usable(); err != nil {
		return true, err
	}
	switch {
	case c.tx != nil:
		return true, c.tx.Step(c.life, fn)
	case c.pipe != nil && c.pipe.tx != nil:
		return true, c.pipe.tx.Step(c.pipe.life, fn)
	}
	return false, nil
}

// errAlone is what a command fails with, before it has changed anything, that
// cannot be one of several in a transaction.
var errAlone = errors.New("brock: a command for itself")

// apart is within for commands that look at more than one key, that may fail
// half-way, or that take long.
func (c *commands) apart(fn func(*store.Tx) error) (done bool, err error) {
	if c.pipe != nil && c.pipe.tx != nil {
		return true, errAlone
	}
	return c.within(fn)
}

// together is what bridge.Together does.
func together(of any, keys []string, batch bridge.Batch) (n int, err error) {
	p := of.(*Pipe)
	if err := p.usable(); err != nil {
		return 0, err
	}
	run := func(t *store.Tx) (err error) {
		n, err = p.steps(t, batch)
		return cmp.Or(err, t.Doomed())
	}
	if len(keys) == 1 {
		err = p.s.WriteKey(keys[0], p.later(), run)
	} else {
		err = p.s.Write(p.mask(keys), p.later(), run)
	}
	return n, err
}

// steps runs commands of batch as steps of t and returns how many.
func (p *Pipe) steps(t *store.Tx, batch bridge.Batch) (n int, err error) {
	p.pipe.tx, p.pipe.life = t, t.Life()
	defer func() { p.pipe.tx = nil }()
	for merge := true; n < batch.Len(); {
		k, err := batch.Run(n, merge && !t.Heard())
		switch {
		case store.Unrun(err) || k == 1 && errors.Is(err, errAlone):
			if n > 0 {
				err = nil // those before are a transaction
			}
			return n, err
		case err != nil && k > 1:
			merge = false // some may not fail
			continue
		case err != nil:
			batch.Refuse(err)
		}
		n += k
		if !t.InPlace() { // somebody waits for the key: he is served after each
			break
		}
	}
	return n, nil
}

// refuse returns err, which the arguments of a command are refused with, unless
// no command can run at all.
func (c *commands) refuse(op, key string, err error) error {
	return wrapped(op, key, cmp.Or(c.usable(), err))
}

// single returns the key that a command's error names: the only one, or none.
func single(keys []string) string {
	if len(keys) == 1 {
		return keys[0]
	}
	return ""
}

// wrapped returns the error of a command with its name and key: what a caller
// sees. What is an answer rather than a failure stays bare, so that it costs
// nothing.
func wrapped(op, key string, err error) error {
	switch {
	case err == nil, isAnswer(err), errors.Is(err, store.ErrLong), errors.Is(err, store.ErrWait), errors.Is(err, errAlone):
		return err
	case key == "":
		return fmt.Errorf("%s: %w", op, err)
	case len(key) > maxShown:
		return fmt.Errorf("%s %q…: %w", op, key[:maxShown], err)
	}
	return fmt.Errorf("%s %q: %w", op, key, err)
}

// isAnswer tells whether an error is an answer rather than a failure.
func isAnswer(err error) bool {
	return errors.Is(err, ErrNotFound) && !errors.Is(err, ErrNoKey) || errors.Is(err, ErrNotSet)
}

// maxShown is how many bytes of a key an error shows.
const maxShown = 64

// result returns what a command returns: with an error nothing else.
func result[T any](v T, err error) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	return v, nil
}

// lookedUp counts a key that a command which reads has asked for, unless it will
// ask again.
func lookedUp(t *store.Tx, found bool, err error) {
	if err == nil || errors.Is(err, ErrWrongType) {
		t.CountLookup(found || err != nil)
	}
}

// find returns the entry of a key that holds a value of the type, nil if the
// key is absent. It is good until the next one is looked up.
func (c *commands) find(t *store.Tx, key string, typ store.Type) (*store.Entry, error) {
	e, err := t.Find(c.db, key)
	lookedUp(t, e != nil, err)
	if e != nil && e.Type != typ {
		return nil, ErrWrongType
	}
	return e, err
}

// findStringForWrite is find for a change of a string.
func (c *commands) findStringForWrite(t *store.Tx, key string) (*store.Entry, error) {
	e, err := t.FindForWrite(c.db, key)
	if e != nil && e.Type != store.String {
		return nil, ErrWrongType
	}
	return e, err
}

// lookup returns the entry of a key that holds a value of the type; ok is
// false if the key is absent.
func (c *commands) lookup(t *store.Tx, key string, typ store.Type) (store.Entry, bool, error) {
	e, ok, err := t.Lookup(c.db, key)
	lookedUp(t, ok, err)
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
