package brock

import (
	"time"

	"github.com/brockdb/brock/internal/store"
)

// The names that Redis has for how it holds collections.
const (
	encodingListPack  = "listpack"
	encodingQuickList = "quicklist"
	encodingIntSet    = "intset"
	encodingHashTable = "hashtable"
	encodingSkipList  = "skiplist"
	encodingStream    = "stream"
)

// MemoryUsage returns about how many bytes of memory a key with its value takes,
// as it is now, also in a View. Pages that the memory budget has sent away take
// none.
//
// Errors: [ErrNotFound].
//
// Cost: O(N) for a value of N pages, each of up to 8 KiB. It stops no writer.
//
// Redis: MEMORY USAGE key, which returns nil for ErrNotFound, and other figures.
func (c *commands) MemoryUsage(key string) (bytes int64, err error) {
	err = c.snapshot("memory usage", key, func(t *store.Tx) (err error) {
		var ok bool
		if bytes, ok, err = t.MemoryUsage(c.db, key); err == nil && !ok {
			err = ErrNotFound
		}
		return err
	})
	return result(bytes, err)
}

// ObjectEncoding returns the name of the form in which Redis would hold the
// value at key, after the same changes: "int", "embstr" or "raw" for a string,
// "quicklist" for a list, "intset" or "hashtable" for a set, "listpack" or
// "hashtable" for a hash, "listpack" or "skiplist" for a sorted set, "stream".
// It tells nothing of how it is held here.
//
// Errors: [ErrNotFound].
//
// Cost: O(1).
//
// Redis: OBJECT ENCODING key, which returns nil for ErrNotFound.
func (c *commands) ObjectEncoding(key string) (name string, err error) {
	err = c.peek("object encoding", key, func(t *store.Tx, e *store.Entry) (err error) {
		name, err = c.encoding(t, e)
		return err
	})
	return result(name, err)
}

// ObjectFreq returns how often a key is used, which is not counted: it always
// fails.
//
// Errors: [ErrNotFound]; [ErrNoLFU] if the key exists.
//
// Cost: O(1).
//
// Redis: OBJECT FREQ key, as long as maxmemory-policy is not one of LFU.
func (c *commands) ObjectFreq(key string) (freq int, err error) {
	err = c.peek("object freq", key, func(*store.Tx, *store.Entry) error { return ErrNoLFU })
	return 0, err
}

// ObjectIdleTime returns how long the key was not used, in whole seconds. That
// is remembered from the first call on, in a program that serves the network
// from its start; before, and again after the database is opened, a key was
// not idle. Among very many keys some are taken for used when others are.
// EXISTS, TYPE, TTL and OBJECT do not use a key, nor does what goes through all
// keys.
//
// Errors: [ErrNotFound].
//
// Cost: O(1). From the first call on every use of a key costs some
// nanoseconds more, and 8 to 16 bytes of memory for each key, at most 64 MiB.
//
// Redis: OBJECT IDLETIME key, which returns nil for ErrNotFound.
func (c *commands) ObjectIdleTime(key string) (idle time.Duration, err error) {
	err = c.peek("object idletime", key, func(t *store.Tx, _ *store.Entry) error {
		idle = t.IdleTime(c.db, key)
		return nil
	})
	return result(idle, err)
}

// sharedInts is how many integers Redis has made beforehand, 0 being the first,
// and sharedRefs how many references it tells that each of them has.
const (
	sharedInts = 10_000
	sharedRefs = 1<<31 - 1
)

// ObjectRefCount returns how often Redis would hold the value at key: once, but
// integers below 10,000, which are shared unless Copy has made them, 2^31-1
// times.
//
// Errors: [ErrNotFound].
//
// Cost: O(1).
//
// Redis: OBJECT REFCOUNT key, which returns nil for ErrNotFound.
func (c *commands) ObjectRefCount(key string) (refs int, err error) {
	err = c.peek("object refcount", key, func(t *store.Tx, e *store.Entry) error {
		refs = 1
		name, err := c.encoding(t, e)
		if err != nil || name != encodingInt || e.Copied {
			return err
		}
		if n, err := c.integer(t, e); err != nil || n < 0 || n >= sharedInts {
			return err
		}
		refs = sharedRefs
		return nil
	})
	return result(refs, err)
}

// peek calls fn with the entry of a key, which does not count as used.
func (c *commands) peek(op, key string, fn func(t *store.Tx, e *store.Entry) error) error {
	return c.read(op, key, func(t *store.Tx) error {
		e, err := t.Peek(c.db, key)
		lookedUp(t, e != nil, err)
		if err != nil {
			return err
		}
		if e == nil {
			return ErrNotFound
		}
		return fn(t, e)
	})
}

// encoding returns the name of the form in which Redis would hold a value.
func (c *commands) encoding(t *store.Tx, e *store.Entry) (string, error) {
	small, large := encodingListPack, encodingHashTable
	switch e.Type {
	case store.String:
		return c.stringEncoding(t, e)
	case store.List:
		return encodingQuickList, nil
	case store.Stream:
		return encodingStream, nil
	case store.Set:
		small = encodingIntSet
	case store.ZSet:
		large = encodingSkipList
	default: // a hash
	}
	if e.Converted {
		return large, nil
	}
	return small, nil
}
