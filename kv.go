package brock

import (
	"errors"
	"math"
	"strconv"

	"github.com/brockdb/brock/internal/store"
)

// setOptions is what the options of one Set add up to.
type setOptions struct {
	nx, xx, keep bool
	expiry       Expiry // zero for none
}

// parseSet adds up options and refuses those that exclude each other.
func parseSet(opts []SetOption) (o setOptions, err error) {
	times := 0
	for _, opt := range opts {
		switch opt := opt.(type) {
		case Existence:
			o.nx = o.nx || opt == NX
			o.xx = o.xx || opt == XX
		case TTLRule:
			o.keep = o.keep || opt == KeepTTL
		case Expiry:
			o.expiry = opt
			times++
		}
	}
	switch {
	case o.nx && o.xx || times > 1 || o.keep && times > 0:
		return o, ErrSyntax
	case times > 0 && o.expiry.ms <= 0:
		return o, &redisError{ErrExpire, "ERR invalid expire time in 'set' command"}
	}
	return o, nil
}

// deadline returns when a key with this option expires.
func (o setOptions) deadline(t *store.Tx, old *store.Entry) int64 {
	switch {
	case o.expiry != Expiry{}:
		return o.expiry.deadline(t)
	case o.keep && old != nil:
		return old.Deadline
	}
	return 0
}

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
		e, err := c.findForWrite(t, key, store.String)
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

// Incr adds one to the integer at key, 0 if the key does not exist, and
// returns the sum. The time to live stays.
//
// Errors: [ErrWrongType]; [ErrNotInteger]; [ErrOverflow], in which case the
// integer stays.
//
// Cost: O(1), no allocation.
//
// Redis: INCR key.
func (c *commands) Incr(key string) (sum int64, err error) {
	return writeKey(c, "incr", key, 1, (*commands).incr)
}

// IncrBy adds by, which may be negative, to the integer at key, 0 if the key
// does not exist, and returns the sum. The time to live stays.
//
// Errors: [ErrWrongType]; [ErrNotInteger]; [ErrOverflow], in which case the
// integer stays.
//
// Cost: O(1), no allocation.
//
// Redis: INCRBY key increment.
func (c *commands) IncrBy(key string, by int64) (sum int64, err error) {
	return writeKey(c, "incrby", key, by, (*commands).incr)
}

// incr is IncrBy within a transaction.
func (c *commands) incr(t *store.Tx, key string, by int64) (sum int64, err error) {
	e, err := c.findForWrite(t, key, store.String)
	if err != nil {
		return 0, err
	}
	deadline := int64(0)
	if e != nil {
		if sum, err = c.integer(t, e); err != nil {
			return 0, err
		}
		deadline = e.Deadline
	}
	if by > 0 && sum > math.MaxInt64-by || by < 0 && sum < math.MinInt64-by {
		return 0, ErrOverflow
	}
	sum += by
	var buf [20]byte
	if err := t.StringSet(c.db, key, e, strconv.AppendInt(buf[:0], sum, 10), deadline); err != nil {
		return 0, err
	}
	t.Emit(c.db, store.EventIncrBy, key)
	return sum, nil
}

// integer reads a string entry as an integer.
func (c *commands) integer(t *store.Tx, e *store.Entry) (int64, error) {
	n, err := t.StringLen(*e)
	if err != nil {
		return 0, err
	}
	if n == 0 || n > 20 {
		return 0, ErrNotInteger
	}
	b, err := t.StringChunk(*e, 0)
	if err != nil {
		return 0, err
	}
	v, ok := parseInt(b)
	if !ok {
		return 0, ErrNotInteger
	}
	return v, nil
}

// parseInt reads an integer as Redis does: no sign but a minus, no leading
// zeroes, no spaces.
func parseInt(b []byte) (v int64, ok bool) {
	if len(b) == 1 && b[0] == '0' {
		return 0, true
	}
	digits := b
	if len(b) > 0 && b[0] == '-' {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] < '1' || digits[0] > '9' {
		return 0, false
	}
	var u uint64
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
		u = u*10 + uint64(d-'0')
	}
	if len(b) > len(digits) {
		return -int64(u), u <= 1<<63
	}
	return int64(u), u < 1<<63
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
// Cost: O(len(keys)) and a copy of the values.
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
// Cost: O(len(pairs)) and a copy of the values; one change record for each.
//
// Redis: MSET key value [key value …].
func (c *commands) MSet(pairs ...KV) error {
	keys := make([]string, len(pairs))
	size := 0
	for i := range pairs {
		keys[i] = pairs[i].Key
		size += len(keys[i]) + len(pairs[i].Value)
		if max(len(keys[i]), len(pairs[i].Value)) > store.MaxString {
			return c.refuse("mset", keys[i], ErrTooLong)
		}
	}
	return c.writeAll("mset", keys, func(t *store.Tx) error {
		t.Warm(c.db, keys)
		if err := t.Reserve(size); err != nil {
			return err
		}
		for i := range pairs { // all partitions have to be at hand before the first change
			if err := t.Ready(c.db, pairs[i].Key); err != nil {
				return err
			}
		}
		for i := range pairs {
			if _, err := c.set(t, pairs[i].Key, setArgs{value: pairs[i].Value}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Set makes value the string at key, whatever it held before. Without KeepTTL,
// EX or PX the key does not expire any more.
//
// Errors: [ErrNotSet] where NX or XX refused; [ErrSyntax] for options that
// exclude each other: NX and XX, and any two of EX, PX and KeepTTL; [ErrExpire]
// for a time to live below a millisecond; [ErrTooLong] above 512 MB.
//
// Cost: O(1) and a copy of the value.
//
// Redis: SET key value [NX | XX] [EX seconds | PX milliseconds | KEEPTTL].
func (c *commands) Set(key string, value []byte, opts ...SetOption) error {
	o, err := parseSet(opts)
	if err == nil && len(value) > store.MaxString {
		err = ErrTooLong
	}
	if err != nil {
		return c.refuse("set", key, err)
	}
	_, err = writeKey(c, "set", key, setArgs{value, o}, (*commands).set)
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

// The names that Redis has for how it holds strings.
const (
	encodingInt    = "int"
	encodingEmbStr = "embstr"
	encodingRaw    = "raw"
)

// maxEmbStr is the length up to which Redis holds a string in one piece.
const maxEmbStr = 44

// stringEncoding returns how Redis would hold the string of an entry.
func (c *commands) stringEncoding(t *store.Tx, e *store.Entry) (string, error) {
	n, err := t.StringLen(*e)
	if err != nil || n > maxEmbStr || e.Converted {
		return encodingRaw, err
	}
	if !e.Text {
		switch _, err := c.integer(t, e); {
		case err == nil:
			return encodingInt, nil
		case !errors.Is(err, ErrNotInteger):
			return "", err
		}
	}
	return encodingEmbStr, nil
}
