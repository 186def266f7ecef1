package brock

import (
	"errors"
	"math"

	"github.com/brockdb/brock/internal/store"
)

// FieldValue is a field of a hash with its value, see [DB.HSet] and [F].
type FieldValue struct {
	Field string
	Value []byte
}

// F returns a field with its value, for [DB.HSet].
func F[V string | []byte](field string, value V) FieldValue {
	return FieldValue{Field: field, Value: []byte(value)}
}

// HDel removes fields from the hash at key and returns how many there were. The
// key goes with its last field; an absent one has none.
//
// Errors: [ErrWrongType].
//
// Cost: O(len(fields)); one change record for each field that was there, one
// in all for a small hash.
//
// Redis: HDEL key field [field …].
func (c *commands) HDel(key string, fields ...string) (removed int, err error) {
	err = c.change("hdel", key, len(fields), func(t *store.Tx) error {
		removed = 0
		e, ok, err := c.lookupForWrite(t, key, store.Hash)
		if err != nil || !ok {
			return err
		}
		removed, err = t.HashDelete(c.db, key, e, fields)
		if err != nil || removed == 0 {
			return err
		}
		return t.EmitRemoval(c.db, store.EventHDel, key)
	})
	return result(removed, err)
}

// HGet returns the value of a field of the hash at key.
//
// Errors: [ErrNotFound] if there is no such field or key; [ErrWrongType].
//
// Cost: O(1) and a copy of the value.
//
// Redis: HGET key field.
func (c *commands) HGet(key, field string) (value []byte, err error) {
	err = c.read("hget", key, func(t *store.Tx) error {
		e, ok, err := c.lookup(t, key, store.Hash)
		if err != nil {
			return err
		}
		if ok {
			value, ok, err = t.HashGet(e, field)
		}
		if err == nil && !ok {
			err = ErrNotFound
		}
		return err
	})
	return result(value, err)
}

// HGetAll returns all fields of the hash at key with their values, as of one
// moment; none if the key does not exist.
//
// Errors: [ErrWrongType].
//
// Cost: O(N) for a hash of N fields, all copied. A large hash is read from a
// snapshot and stops no writer.
//
// Redis: HGETALL key.
func (c *commands) HGetAll(key string) (fields map[string][]byte, err error) {
	err = c.readLong("hgetall", key, store.Hash, func(t *store.Tx, e store.Entry, n int) error {
		fields = make(map[string][]byte, n)
		return t.HashEach(e, func(field string, value []byte) { fields[field] = value })
	})
	return result(fields, err)
}

// HLen returns the number of fields of the hash at key, 0 if it does not exist.
//
// Errors: [ErrWrongType].
//
// Cost: O(1).
//
// Redis: HLEN key.
func (c *commands) HLen(key string) (n int, err error) { return c.length("hlen", key, store.Hash) }

// HSet sets fields of the hash at key, creating the hash when key does not
// exist, and returns how many fields are new. When a field occurs twice, the
// last value wins. The key's time to live stays.
//
// Errors: [ErrWrongType]; [ErrTooLong] for a field or value above 512 MB, in
// which case nothing is written; [ErrSyntax] without fields.
//
// Cost: O(len(fields)) and a copy of the values; one change record for each
// field, one in all for a small hash.
//
// Redis: HSET key field value [field value …].
func (c *commands) HSet(key string, fields ...FieldValue) (added int, err error) {
	if len(fields) == 0 {
		return 0, c.refuse("hset", key, errArity("hset"))
	}
	pairs := make([]store.Field, len(fields))
	for i, f := range fields {
		if len(f.Value) > store.MaxString {
			return 0, c.refuse("hset", key, ErrTooLong)
		}
		pairs[i] = store.Field{Name: f.Field, Value: f.Value}
	}
	err = c.change("hset", key, len(fields), func(t *store.Tx) error {
		e, _, err := c.lookupForWrite(t, key, store.Hash)
		if err != nil {
			return err
		}
		if added, err = t.HashSet(c.db, key, e, pairs); err != nil {
			return err
		}
		t.Emit(c.db, store.EventHSet, key)
		return nil
	})
	return result(added, err)
}

// errArity is what a command that wants more arguments returns.
func errArity(command string) error {
	return &redisError{ErrSyntax, "ERR wrong number of arguments for '" + command + "' command"}
}

const (
	// longRead is the number of elements above which a command reads from a
	// snapshot, so that it does not hold its partition's lock for long.
	longRead = 128
	// longWrite is the number of elements above which a command changes
	// private copies of pages, for the same reason.
	longWrite = 1024
	// longKeys is the number of keys above which a command of several does
	// either.
	longKeys = 1024
)

// readLong is read for a command that looks at all of a collection, n
// elements. fn is not called for an absent key but with a zero entry.
func (c *commands) readLong(op, key string, typ store.Type, fn func(t *store.Tx, e store.Entry, n int) error) error {
	return c.readLimited(op, key, func(t *store.Tx, limit int) error {
		e, _, err := c.lookup(t, key, typ)
		if err != nil {
			return err
		}
		n, err := t.Len(e)
		if err == nil && n > limit {
			err = store.ErrLong
		}
		if err != nil {
			return err
		}
		return fn(t, e, n)
	})
}

// readLimited is read for a command that takes long for more than limit
// elements: it then returns store.ErrLong and runs again, without a limit, on a
// snapshot.
func (c *commands) readLimited(op, key string, fn func(t *store.Tx, limit int) error) error {
	err := c.read(op, key, func(t *store.Tx) error { return fn(t, longRead) })
	if errors.Is(err, store.ErrLong) {
		err = c.snapshot(op, key, func(t *store.Tx) error { return fn(t, math.MaxInt) })
	}
	return err
}

// readAllLimited is readLimited for several keys.
func (c *commands) readAllLimited(op string, keys []string, fn func(t *store.Tx, limit int) error) error {
	err := c.readAll(op, keys, func(t *store.Tx) error { return fn(t, longRead) })
	if errors.Is(err, store.ErrLong) {
		err = c.snapshot(op, single(keys), func(t *store.Tx) error { return fn(t, math.MaxInt) })
	}
	return err
}

// change is write for a command that changes up to n elements and looks at all
// that it needs before.
func (c *commands) change(op, key string, n int, fn func(*store.Tx) error) error {
	if n > longWrite {
		return c.exec(op, key, fn)
	}
	return c.write(op, key, fn)
}

// length returns the number of elements of the collection at key.
func (c *commands) length(op, key string, typ store.Type) (n int, err error) {
	err = c.read(op, key, func(t *store.Tx) error {
		e, _, err := c.lookup(t, key, typ)
		if err == nil {
			n, err = t.Len(e)
		}
		return err
	})
	return result(n, err)
}
