package brock

import (
	"errors"
	"time"

	"github.com/brockdb/brock/internal/store"
)

// Append puts value behind the string at key, which is created if need be, and
// returns the new length in bytes.
//
// Errors: [ErrWrongType]; [ErrTooLong] above 512 MB.
//
// Cost: O(len(value)), whatever the length of the string.
//
// Redis: APPEND key value.
func (c *commands) Append(key string, value []byte) (length int, err error) {
	return writeKey(c, "append", key, value, (*commands).append)
}

// append is Append within a transaction.
func (c *commands) append(t *store.Tx, key string, value []byte) (length int, err error) {
	e, ok, err := c.lookupForWrite(t, key, store.String)
	if err != nil {
		return 0, err
	}
	if ok {
		n, err := t.StringLen(e)
		if err != nil {
			return 0, err
		}
		return c.writeString(t, store.EventAppend, key, e, n, value)
	}
	if len(value) > store.MaxString {
		return 0, ErrTooLong
	}
	if err := t.StringSet(c.db, key, nil, value, 0); err != nil {
		return 0, err
	}
	t.Emit(c.db, store.EventAppend, key)
	return len(value), nil
}

// writeString puts b at an offset of a string.
func (c *commands) writeString(t *store.Tx, name store.EventName, key string, e store.Entry, off int, b []byte) (length int, err error) {
	if off > store.MaxString-len(b) {
		return 0, ErrTooLong
	}
	if length, err = t.StringWrite(c.db, key, e, off, b); err != nil {
		return 0, err
	}
	t.Emit(c.db, name, key)
	return length, nil
}

// Get returns the string at key.
//
// Errors: [ErrNotFound]; [ErrWrongType].
//
// Cost: O(1) and a copy of the value.
//
// Redis: GET key.
func (c *commands) Get(key string) (value []byte, err error) {
	err = c.read("get", key, func(t *store.Tx) error {
		e, err := c.find(t, key, store.String)
		if err != nil {
			return err
		}
		if e == nil {
			return ErrNotFound
		}
		value, err = t.StringGet(e)
		return err
	})
	return result(value, err)
}

// GetDel returns the string at key and deletes the key.
//
// Errors: [ErrNotFound]; [ErrWrongType].
//
// Cost: O(1) and a copy of the value.
//
// Redis: GETDEL key.
func (c *commands) GetDel(key string) (value []byte, err error) {
	return writeKey(c, "getdel", key, struct{}{}, func(c *commands, t *store.Tx, key string, _ struct{}) ([]byte, error) {
		e, err := c.findStringForWrite(t, key)
		lookedUp(t, e != nil, err)
		if err != nil {
			return nil, err
		}
		if e == nil {
			return nil, ErrNotFound
		}
		value, err := t.StringGet(e)
		if err != nil {
			return nil, err
		}
		_, err = c.del(t, key)
		return value, err
	})
}

// GetEx returns the string at key and sets, or with [Persist] takes away, its
// time to live. A moment of EXAT or PXAT that has passed deletes the key.
// Without options it is [DB.Get].
//
// Errors: [ErrNotFound]; [ErrWrongType]; [ErrSyntax] for options that exclude
// each other, which any two do, and for one that there is not; [ErrExpire] for a
// time to live below a millisecond, of a key that exists.
//
// Cost: O(1) and a copy of the value; a change record if the time to live
// changes.
//
// Redis: GETEX key [EX seconds | PX milliseconds | EXAT seconds | PXAT
// milliseconds | PERSIST].
func (c *commands) GetEx(key string, opts ...GetExOption) (value []byte, err error) {
	o, err := parseGetEx(opts)
	if err != nil {
		return nil, c.refuse("getex", key, err)
	}
	if !o.expires && !o.persist {
		return c.Get(key)
	}
	return writeKey(c, "getex", key, o, (*commands).getEx)
}

// getEx is GetEx within a transaction.
func (c *commands) getEx(t *store.Tx, key string, o getExOptions) (value []byte, err error) {
	e, ok, err := c.lookupForWrite(t, key, store.String)
	lookedUp(t, ok, err)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNotFound
	}
	if o.expires {
		if err := o.expiry.check("getex"); err != nil {
			return nil, err
		}
	}
	if value, err = t.StringGet(&e); err != nil {
		return nil, err
	}
	switch {
	case o.expires && o.expiry.given == since1970 && o.expiry.ms <= t.Now():
		_, err = c.del(t, key)
	case o.expires:
		err = c.setDeadline(t, key, e, o.expiry.deadline(t), store.EventExpire)
	case e.Deadline != 0:
		err = c.setDeadline(t, key, e, 0, store.EventPersist)
	}
	return value, err
}

// setDeadline changes when a key expires, with its event.
func (c *commands) setDeadline(t *store.Tx, key string, e store.Entry, deadline int64, name store.EventName) error {
	if err := t.SetDeadline(c.db, key, e, deadline); err != nil {
		return err
	}
	t.Emit(c.db, name, key)
	return nil
}

// GetRange returns the bytes from start to stop, both included, of the string
// at key. Negative numbers count from the end, -1 being the last byte; what is
// out of range is cut, so that a range before the first byte is the first
// byte. An absent key is an empty string.
//
// Errors: [ErrWrongType].
//
// Cost: O(bytes returned).
//
// Redis: GETRANGE key start end.
func (c *commands) GetRange(key string, start, stop int) (value []byte, err error) {
	err = c.read("getrange", key, func(t *store.Tx) error {
		value = []byte{}
		e, ok, err := c.lookup(t, key, store.String)
		if err != nil || !ok {
			return err
		}
		n, err := t.StringLen(e)
		if err != nil {
			return err
		}
		first, count := clipBytes(start, stop, n)
		if count == 0 {
			return nil
		}
		value, err = t.StringRange(e, first, count)
		return err
	})
	return result(value, err)
}

// GetSet makes value the string at key and returns the string that was there,
// nil if there was none. The key does not expire any more.
//
// Errors: [ErrWrongType]; [ErrTooLong] above 512 MB.
//
// Cost: O(1) and a copy of both values.
//
// Redis: GETSET key value.
func (c *commands) GetSet(key string, value []byte) (old []byte, err error) {
	return c.setAndGet("getset", key, setArgs{value: value})
}

// clip turns a range with negative indexes into the first of n elements and
// how many.
func clip(start, stop, n int) (first, count int) {
	if start < 0 {
		start = max(start+n, 0)
	}
	if stop < 0 {
		stop += n
	}
	stop = min(stop, n-1)
	if start > stop || n == 0 {
		return 0, 0
	}
	return start, stop - start + 1
}

// clipBytes is clip for ranges of bytes and bits, where Redis cuts a stop
// before the first byte to the first.
func clipBytes(start, stop, n int) (first, count int) {
	if start < 0 && stop < 0 && start > stop {
		return 0, 0
	}
	if stop < 0 {
		stop = max(stop+n, 0)
	}
	return clip(start, stop, n)
}

// KV is a key and its value, see [DB.MSet].
type KV struct {
	Key   string
	Value []byte
}

// MGet returns the strings at the keys, seen as of one moment: nil where the
// key does not exist or holds another kind of value.
//
// Errors: none of its own, see [DB].
//
// Cost: O(len(keys)) and a copy of the values. More than 1,024 keys are read from
// a snapshot, which stops no writer.
//
// Redis: MGET key [key …].
func (c *commands) MGet(keys ...string) (values [][]byte, err error) {
	err = c.readAll("mget", keys, func(t *store.Tx) error {
		values = make([][]byte, len(keys))
		t.Warm(c.db, keys)
		for i, key := range keys {
			e, err := c.find(t, key, store.String)
			if e != nil {
				values[i], err = t.StringGet(e)
			}
			if err != nil && !errors.Is(err, ErrWrongType) {
				return err
			}
			t.Release()
		}
		return nil
	})
	return result(values, err)
}

// MSet sets all pairs at once: nobody sees some of them only. What the keys
// held before, and their times to live, are gone. When a key occurs twice, the
// last value wins.
//
// Errors: [ErrTooLong] for a key or value above 512 MB, in which case nothing is
// written.
//
// Cost: O(len(pairs)) and a copy of the values; one change record for each. More
// than 1,024 pairs are set in copies of the pages concerned: other writers wait
// for all of it, readers only until the copies take the place of the pages.
//
// Redis: MSET key value [key value …].
func (c *commands) MSet(pairs ...KV) error {
	_, err := c.mset("mset", pairs, false)
	return err
}

// MSetNX sets all pairs at once if none of the keys exists, and tells whether
// it did.
//
// Errors: [ErrTooLong] for a key or value above 512 MB, in which case nothing is
// written.
//
// Cost: as [DB.MSet].
//
// Redis: MSETNX key value [key value …].
func (c *commands) MSetNX(pairs ...KV) (set bool, err error) { return c.mset("msetnx", pairs, true) }

// mset sets all pairs; with nx only if none of the keys exists.
func (c *commands) mset(op string, pairs []KV, nx bool) (set bool, err error) {
	keys := make([]string, len(pairs))
	size := 0
	for i := range pairs {
		keys[i] = pairs[i].Key
		size += len(keys[i]) + len(pairs[i].Value)
		if max(len(keys[i]), len(pairs[i].Value)) > store.MaxString {
			return false, c.refuse(op, keys[i], ErrTooLong)
		}
	}
	err = c.writeAll(op, single(keys), keys, func(t *store.Tx) error {
		set = false
		t.Warm(c.db, keys)
		if err := t.Reserve(size); err != nil {
			return err
		}
		for _, key := range keys { // all partitions have to be at hand before the first change
			if err := t.Ready(c.db, key); err != nil {
				return err
			}
		}
		if nx {
			if found, err := c.anyOf(t, keys); found || err != nil {
				return err
			}
		}
		for i := range pairs {
			if _, err := c.set(t, pairs[i].Key, setArgs{value: pairs[i].Value}); err != nil {
				return err
			}
		}
		set = true
		return nil
	})
	return result(set, err)
}

// anyOf tells whether one of the keys, which are ready for change, exists.
func (c *commands) anyOf(t *store.Tx, keys []string) (bool, error) {
	for _, key := range keys {
		if e, err := t.FindForWrite(c.db, key); e != nil || err != nil {
			return e != nil, err
		}
	}
	return false, nil
}

// PSetEX is [DB.SetEX], under the name that Redis has for milliseconds.
//
// Errors: as [DB.SetEX].
//
// Cost: as [DB.SetEX].
//
// Redis: PSETEX key milliseconds value.
func (c *commands) PSetEX(key string, value []byte, ttl time.Duration) error {
	return c.setEx("psetex", key, value, ttl)
}

// Set makes value the string at key, whatever it held before. The key does not
// expire any more unless an option says so; with an EXAT or PXAT that has passed
// it is gone at once.
//
// Errors: [ErrNotSet] where NX or XX refused; [ErrSyntax] for options that
// exclude each other, NX and XX, and any two of EX, PX, EXAT, PXAT and KeepTTL,
// and for one that there is not; [ErrExpire] for a time to live below a
// millisecond; [ErrTooLong] above 512 MB.
//
// Cost: O(1) and a copy of the value.
//
// Redis: SET key value [NX | XX] [EX seconds | PX milliseconds | EXAT seconds |
// PXAT milliseconds | KEEPTTL]. For GET see [DB.SetGet].
func (c *commands) Set(key string, value []byte, opts ...SetOption) error {
	o, err := parseSet(opts)
	if err != nil {
		return c.refuse("set", key, err)
	}
	return c.setString("set", key, setArgs{value, o})
}

// setString is Set with options that have been parsed.
func (c *commands) setString(op, key string, a setArgs) error {
	if len(a.value) > store.MaxString {
		return c.refuse(op, key, ErrTooLong)
	}
	_, err := writeKey(c, op, key, a, (*commands).set)
	return err
}

// setArgs are a value and how to set it.
type setArgs struct {
	value []byte
	setOptions
}

// set is Set within a transaction.
func (c *commands) set(t *store.Tx, key string, a setArgs) (none struct{}, err error) {
	old, err := t.FindForWrite(c.db, key)
	if err != nil {
		return none, err
	}
	if a.nx && old != nil || a.xx && old == nil {
		return none, ErrNotSet
	}
	if err := t.StringSet(c.db, key, old, a.value, a.deadline(t, old)); err != nil {
		return none, err
	}
	t.Emit(c.db, store.EventSet, key)
	if a.expiry != (Expiry{}) {
		t.Emit(c.db, store.EventExpire, key)
	}
	return none, nil
}

// SetEX is [DB.Set] with the time to live [EX] of ttl.
//
// Errors: [ErrExpire] for a ttl below a millisecond; [ErrTooLong] above 512 MB.
//
// Cost: O(1) and a copy of the value.
//
// Redis: SETEX key seconds value.
func (c *commands) SetEX(key string, value []byte, ttl time.Duration) error {
	return c.setEx("setex", key, value, ttl)
}

// setEx is SetEX under a name.
func (c *commands) setEx(op, key string, value []byte, ttl time.Duration) error {
	e := EX(ttl)
	if err := e.check(op); err != nil {
		return c.refuse(op, key, err)
	}
	return c.setString(op, key, setArgs{value, setOptions{expiry: e}})
}

// SetGet is [DB.Set], and returns the string that was there, nil if there was
// none. Where NX or XX refused it returns that, too, together with ErrNotSet.
//
// Errors: those of [DB.Set]; [ErrWrongType] if the key holds another kind of
// value, which then stays.
//
// Cost: O(1) and a copy of both values.
//
// Redis: SET key value GET, with the options of SET.
func (c *commands) SetGet(key string, value []byte, opts ...SetOption) (old []byte, err error) {
	o, err := parseSet(opts)
	if err != nil {
		return nil, c.refuse("set", key, err)
	}
	return c.setAndGet("set", key, setArgs{value, o})
}

// setAndGet is SetGet with options that have been parsed.
func (c *commands) setAndGet(op, key string, a setArgs) (old []byte, err error) {
	if len(a.value) > store.MaxString {
		return nil, c.refuse(op, key, ErrTooLong)
	}
	r, err := writeKey(c, op, key, a, (*commands).setGet)
	if err == nil && r.refused {
		err = ErrNotSet
	}
	return r.old, err
}

// setReply is what a setGet has found, and whether NX or XX refused it.
type setReply struct {
	old     []byte
	refused bool
}

// setGet is SetGet within a transaction.
func (c *commands) setGet(t *store.Tx, key string, a setArgs) (r setReply, err error) {
	e, err := c.findStringForWrite(t, key)
	lookedUp(t, e != nil, err)
	if err == nil && e != nil {
		r.old, err = t.StringGet(e)
	}
	if err != nil {
		return r, err
	}
	if _, err = c.set(t, key, a); errors.Is(err, ErrNotSet) {
		r.refused, err = true, nil
	}
	return r, err
}

// SetNX is [DB.Set] with NX, and tells whether the value was set: not if the key
// exists.
//
// Errors: those of [DB.Set], but for ErrNotSet.
//
// Cost: as [DB.Set].
//
// Redis: SETNX key value, or SET key value NX with an expiry.
func (c *commands) SetNX(key string, value []byte, expiry ...Expiry) (set bool, err error) {
	return c.setIf(NX, key, value, expiry)
}

// SetRange puts value at an offset of the string at key, which is created and
// extended with zeroes where needed, and returns its length. An empty value
// changes nothing.
//
// Errors: [ErrWrongType]; [ErrOffset] for a negative offset; [ErrTooLong]
// above 512 MB.
//
// Cost: O(len(value)), whatever the length of the string.
//
// Redis: SETRANGE key offset value.
func (c *commands) SetRange(key string, offset int, value []byte) (length int, err error) {
	if offset < 0 {
		return 0, c.refuse("setrange", key, &redisError{ErrOffset, "ERR offset is out of range"})
	}
	return writeKey(c, "setrange", key, rangeArgs{offset, value}, (*commands).setRange)
}

// rangeArgs are bytes and their place in a string.
type rangeArgs struct {
	offset int
	value  []byte
}

// setRange is SetRange within a transaction.
func (c *commands) setRange(t *store.Tx, key string, a rangeArgs) (length int, err error) {
	e, _, err := c.lookupForWrite(t, key, store.String)
	if err != nil {
		return 0, err
	}
	if len(a.value) > 0 {
		return c.writeString(t, store.EventSetRange, key, e, a.offset, a.value)
	}
	return t.StringLen(e)
}

// SetXX is [DB.Set] with XX, and tells whether the value was set: not if the key
// does not exist.
//
// Errors: those of [DB.Set], but for ErrNotSet.
//
// Cost: as [DB.Set].
//
// Redis: SET key value XX, with or without an expiry.
func (c *commands) SetXX(key string, value []byte, expiry ...Expiry) (set bool, err error) {
	return c.setIf(XX, key, value, expiry)
}

// setIf is Set on a condition.
func (c *commands) setIf(cond Existence, key string, value []byte, expiry []Expiry) (set bool, err error) {
	o := setOptions{nx: cond == NX, xx: cond == XX}
	switch len(expiry) {
	case 0:
	case 1:
		o.expiry = expiry[0]
		err = o.expiry.check("set")
	default:
		err = ErrSyntax
	}
	if err != nil {
		return false, c.refuse("set", key, err)
	}
	err = c.setString("set", key, setArgs{value, o})
	if errors.Is(err, ErrNotSet) {
		return false, nil
	}
	return err == nil, err
}

// StrLen returns the length in bytes of the string at key, 0 if it does not
// exist.
//
// Errors: [ErrWrongType].
//
// Cost: O(1).
//
// Redis: STRLEN key.
func (c *commands) StrLen(key string) (n int, err error) {
	err = c.read("strlen", key, func(t *store.Tx) error {
		n = 0
		e, ok, err := c.lookup(t, key, store.String)
		if err == nil && ok {
			n, err = t.StringLen(e)
		}
		return err
	})
	return result(n, err)
}
