package brock

import (
	"cmp"
	"context"
	"errors"
	"math"

	"github.com/brockdb/brock/internal/bridge"
	"github.com/brockdb/brock/internal/store"
)

// Side is a side of an element, see [DB.LInsert].
type Side int

// The sides.
const (
	Before Side = iota
	After
)

// BLPop takes the first element of the first of keys that has a list, and
// returns the key with it. If none has, it waits until one gets elements, or
// ctx ends. Those who wait for a key are served in the order of their arrival,
// each as a part of the transaction that pushes: nobody else ever sees the
// element. An element that was taken is returned even if ctx has ended
// meanwhile.
//
// In a [Tx] or [Pipe] it does not wait.
//
// Errors: ctx's; [ErrNotFound] in a Tx or Pipe if no key has a list;
// [ErrWrongType] if, before a list is found, a key holds another kind of
// value; what it holds later on does not matter. [ErrClosed] if the database
// closes meanwhile; [ErrSyntax] without keys.
//
// Cost: O(len(keys) + log N) for a list of N elements. While it waits, changes
// of keys near those that it waits for are made in copies of their pages.
//
// Redis: BLPOP key [key …] timeout. The time-out is that of ctx.
func (c *commands) BLPop(ctx context.Context, keys ...string) (key string, value []byte, err error) {
	if len(keys) == 0 {
		return "", nil, c.refuse("blpop", single(keys), errArity("blpop"))
	}
	if err := cmp.Or(c.usable(), ctx.Err()); err != nil {
		return "", nil, wrapped("blpop", single(keys), err)
	}
	if c.tx != nil || c.pipe != nil {
		return c.popFirst(keys)
	}
	var got KV // set under the writer lock; read once that is known to be over
	w := &store.Waiter{}
	w.Serve = func(t *store.Tx, key string) (done bool, err error) {
		value, ok, err := c.pop(t, key, true)
		if errors.Is(err, ErrWrongType) && w.Waiting() {
			return false, nil
		}
		if ok {
			got = KV{key, value}
		}
		return ok, err
	}
	served, err := c.s.Await(c.db, keys, w)
	if err == nil && !served {
		err = c.await(ctx, w)
	}
	if err != nil {
		return "", nil, wrapped("blpop", single(keys), err)
	}
	return got.Key, got.Value, nil
}

// await waits until w is served, and until that is as durable as it has to be,
// or ctx ends.
func (c *commands) await(ctx context.Context, w *store.Waiter) error {
	bridge.Waits(ctx, true)
	defer bridge.Waits(ctx, false)
	var ended error
	select {
	case <-w.Served:
	case <-ctx.Done():
		ended = ctx.Err()
	case <-c.s.Done():
		ended = c.s.Err()
	}
	if ended != nil {
		if !c.s.Cancel(w) {
			return ended
		}
		<-w.Served
	}
	return c.s.Acknowledge(w.LSN)
}

// popFirst is BLPop that does not wait.
func (c *commands) popFirst(keys []string) (key string, value []byte, err error) {
	err = c.exec("blpop", single(keys), func(t *store.Tx) error {
		for _, k := range keys {
			v, ok, err := c.pop(t, k, true)
			if err != nil {
				return err
			}
			if ok {
				key, value = k, v
				return nil
			}
		}
		return ErrNotFound
	})
	if err != nil {
		return "", nil, err
	}
	return key, value, nil
}

// LIndex returns the element at index of the list at key. Negative indexes
// count from the end, -1 being the last element.
//
// Errors: [ErrNotFound] if there is no such element or key; [ErrWrongType].
//
// Cost: O(log N) for a list of N elements.
//
// Redis: LINDEX key index.
func (c *commands) LIndex(key string, index int) (value []byte, err error) {
	err = c.read("lindex", key, func(t *store.Tx) error {
		e, _, err := c.lookup(t, key, store.List)
		if err != nil {
			return err
		}
		n, err := t.Len(e)
		if err != nil {
			return err
		}
		pos := index
		if pos < 0 {
			pos += n
		}
		if pos < 0 || pos >= n {
			return ErrNotFound
		}
		value, err = t.ListIndex(e, pos)
		return err
	})
	return result(value, err)
}

// LInsert puts value before or behind the first element of the list at key
// that equals pivot, and returns the new length: -1 if there is no such
// element, 0 if the key does not exist.
//
// Errors: [ErrWrongType]; [ErrTooLong] for a value above 512 MB; [ErrSyntax] for a
// side that there is not.
//
// Cost: O(N) for N elements up to the pivot; one change record.
//
// Redis: LINSERT key BEFORE | AFTER pivot element.
func (c *commands) LInsert(key string, side Side, pivot, value []byte) (length int, err error) {
	if side != Before && side != After {
		return 0, c.refuse("linsert", key, ErrSyntax)
	}
	if len(value) > store.MaxString {
		return 0, c.refuse("linsert", key, ErrTooLong)
	}
	err = c.writeLong("linsert", key, func(t *store.Tx, e store.Entry, n, limit int) error {
		length = 0
		if n == 0 {
			return nil
		}
		if n > limit {
			return store.ErrLong
		}
		length, err = t.ListInsert(c.db, key, e, pivot, value, side == After)
		if err == nil && length > 0 {
			t.Emit(c.db, store.EventLInsert, key)
		}
		return err
	})
	return result(length, err)
}

// LLen returns the number of elements of the list at key, 0 if it does not
// exist.
//
// Errors: [ErrWrongType].
//
// Cost: O(1).
//
// Redis: LLEN key.
func (c *commands) LLen(key string) (n int, err error) { return c.length("llen", key, store.List) }

// LPop removes the first element of the list at key and returns it. The key
// goes with its last element.
//
// Errors: [ErrNotFound] if the key does not exist; [ErrWrongType].
//
// Cost: O(log N) for a list of N elements.
//
// Redis: LPOP key.
func (c *commands) LPop(key string) (value []byte, err error) { return c.popOne("lpop", key, true) }

// LPopCount removes up to count elements from the head of the list at key and
// returns them. The key goes with its last element.
//
// Errors: [ErrNotFound] if the key does not exist; [ErrWrongType];
// [ErrOffset] for a negative count.
//
// Cost: O(count + log N) for a list of N elements; one change record.
//
// Redis: LPOP key count.
func (c *commands) LPopCount(key string, count int) (values [][]byte, err error) {
	return c.popCount("lpop", key, count, true)
}

// LPush puts values, one after the other, before the list at key, so that the
// last one ends up first, creating the list when key does not exist. It returns
// the new length.
//
// Errors: [ErrWrongType]; [ErrTooLong] for a value above 512 MB, in which case
// nothing is written; [ErrSyntax] without values.
//
// Cost: O(len(values) · log N) for a list of N elements; one change record for
// each value, one in all for a small list.
//
// Redis: LPUSH key element [element …].
func (c *commands) LPush(key string, values ...[]byte) (length int, err error) {
	return c.push("lpush", key, values, true)
}

// LRange returns the elements from start to stop, both included, of the list
// at key. Negative numbers count from the end, -1 being the last element; what
// is out of range is cut. An absent key is an empty list.
//
// Errors: [ErrWrongType].
//
// Cost: O(log N + elements returned) for a list of N elements. Many elements
// are read from a snapshot, which stops no writer.
//
// Redis: LRANGE key start stop.
func (c *commands) LRange(key string, start, stop int) (values [][]byte, err error) {
	err = c.readLimited("lrange", key, func(t *store.Tx, limit int) error {
		values = [][]byte{}
		e, _, err := c.lookup(t, key, store.List)
		if err != nil {
			return err
		}
		n, err := t.Len(e)
		if err != nil {
			return err
		}
		first, count := clip(start, stop, n)
		switch {
		case count == 0:
			return nil
		case count > limit:
			return store.ErrLong
		}
		values, err = t.ListRange(nil, e, first, count)
		return err
	})
	return result(values, err)
}

// LTrim removes all elements of the list at key but those from start to stop,
// which count as in [DB.LRange]. The key goes with its last element.
//
// Errors: [ErrWrongType].
//
// Cost: O(log N + elements removed) for a list of N elements, O(1) to remove
// all; one change record for each end.
//
// Redis: LTRIM key start stop.
func (c *commands) LTrim(key string, start, stop int) error {
	return c.writeLong("ltrim", key, func(t *store.Tx, e store.Entry, n, limit int) error {
		if n == 0 {
			return nil
		}
		first, count := clip(start, stop, n)
		if count > 0 && n-count > limit {
			return store.ErrLong
		}
		if err := t.ListTrim(c.db, key, e, first, count); err != nil {
			return err
		}
		return t.EmitRemoval(c.db, store.EventLTrim, key)
	})
}

// RPop removes the last element of the list at key and returns it. The key
// goes with its last element.
//
// Errors: [ErrNotFound] if the key does not exist; [ErrWrongType].
//
// Cost: O(log N) for a list of N elements.
//
// Redis: RPOP key.
func (c *commands) RPop(key string) (value []byte, err error) { return c.popOne("rpop", key, false) }

// RPopCount removes up to count elements from the tail of the list at key and
// returns them, the last one first. The key goes with its last element.
//
// Errors: [ErrNotFound] if the key does not exist; [ErrWrongType];
// [ErrOffset] for a negative count.
//
// Cost: O(count + log N) for a list of N elements; one change record.
//
// Redis: RPOP key count.
func (c *commands) RPopCount(key string, count int) (values [][]byte, err error) {
	return c.popCount("rpop", key, count, false)
}

// RPush puts values, one after the other, behind the list at key, creating the
// list when key does not exist. It returns the new length.
//
// Errors: [ErrWrongType]; [ErrTooLong] for a value above 512 MB, in which case
// nothing is written; [ErrSyntax] without values.
//
// Cost: O(len(values) · log N) for a list of N elements; one change record for
// each value, one in all for a small list.
//
// Redis: RPUSH key element [element …].
func (c *commands) RPush(key string, values ...[]byte) (length int, err error) {
	return c.push("rpush", key, values, false)
}

// push puts values at an end of the list at key for the command of that name.
func (c *commands) push(op, key string, values [][]byte, head bool) (length int, err error) {
	if len(values) == 0 {
		return 0, c.refuse(op, key, errArity(op))
	}
	for _, v := range values {
		if len(v) > store.MaxString {
			return 0, c.refuse(op, key, ErrTooLong)
		}
	}
	err = c.change(op, key, len(values), func(t *store.Tx) error {
		e, _, err := c.lookupForWrite(t, key, store.List)
		if err != nil {
			return err
		}
		if length, err = t.ListPush(c.db, key, e, values, head); err != nil {
			return err
		}
		t.Emit(c.db, pushed(head), key)
		return nil
	})
	return result(length, err)
}

// pushed is the event of a push.
func pushed(head bool) store.EventName {
	if head {
		return store.EventLPush
	}
	return store.EventRPush
}

// popped is the event of a pop.
func popped(head bool) store.EventName {
	if head {
		return store.EventLPop
	}
	return store.EventRPop
}

// popOne removes an element from an end of the list at key.
func (c *commands) popOne(op, key string, head bool) (value []byte, err error) {
	return writeKey(c, op, key, head, func(c *commands, t *store.Tx, key string, head bool) ([]byte, error) {
		value, ok, err := c.pop(t, key, head)
		if err == nil && !ok {
			err = ErrNotFound
		}
		return value, err
	})
}

// pop is popOne within a transaction; ok is false if there is no list.
func (c *commands) pop(t *store.Tx, key string, head bool) (value []byte, ok bool, err error) {
	e, ok, err := c.lookupForWrite(t, key, store.List)
	if err != nil || !ok {
		return nil, false, err
	}
	var one [1][]byte
	values, err := t.ListPop(one[:0], c.db, key, e, 1, head)
	if err != nil || len(values) == 0 {
		return nil, false, err
	}
	return values[0], true, t.EmitRemoval(c.db, popped(head), key)
}

// popCount removes up to count elements from an end of the list at key.
func (c *commands) popCount(op, key string, count int, head bool) (values [][]byte, err error) {
	if count < 0 {
		return nil, c.refuse(op, key, errNegative())
	}
	found := false
	err = c.writeLong(op, key, func(t *store.Tx, e store.Entry, n, limit int) error {
		values, found = [][]byte{}, n > 0
		if !found || count == 0 {
			return nil
		}
		if min(count, n) > limit {
			return store.ErrLong
		}
		if values, err = t.ListPop(values, c.db, key, e, count, head); err != nil {
			return err
		}
		return t.EmitRemoval(c.db, popped(head), key)
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	return result(values, err)
}

// writeLong is write for a command on the list at key that takes long for more
// than limit elements: it then returns store.ErrLong before its first change, and
// runs again on private copies. n is the length of the list, 0 if there is none.
func (c *commands) writeLong(op, key string, fn func(t *store.Tx, e store.Entry, n, limit int) error) error {
	limit := longRead
	run := func(t *store.Tx) error {
		e, _, err := c.lookupForWrite(t, key, store.List)
		if err != nil {
			return err
		}
		n, err := t.Len(e)
		if err != nil {
			return err
		}
		return fn(t, e, n, limit)
	}
	err := c.write(op, key, run)
	if errors.Is(err, store.ErrLong) {
		limit = math.MaxInt
		err = c.exec(op, key, run)
	}
	return err
}
