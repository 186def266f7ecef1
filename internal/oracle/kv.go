package oracle

import (
	"errors"
	"math"
	"strconv"
)

// SetOptions are the options of SET. The zero value sets and drops the TTL.
type SetOptions struct {
	HasTTL  bool  // N counts: EX or PX
	Moment  bool  // N counts: EXAT or PXAT
	N       int64 // in milliseconds
	KeepTTL bool
	NX      bool // only if there is no such key
	XX      bool // only if there is one
}

// deadline is when a key expires by the options, 0 for never, in the words for
// a command.
func (d *DB) deadline(o SetOptions, command string) (int64, error) {
	if !o.HasTTL && !o.Moment {
		return 0, nil
	}
	at, ok := o.N, true
	if o.HasTTL {
		at, ok = add(d.Now, o.N)
	}
	if o.N <= 0 || !ok {
		return 0, ErrExpire.with("ERR invalid expire time in '" + command + "' command")
	}
	return at, nil
}

// Optional is a value that may be absent.
type Optional struct {
	Value string
	OK    bool
}

// Set puts value at key, whatever it holds. ErrNotSet says that NX or XX
// refused.
func (d *DB) Set(db int, key, value string, o SetOptions) error {
	old, err := d.read(db, key, anyType)
	if err != nil {
		return err
	}
	if o.NX && o.XX || o.KeepTTL && (o.HasTTL || o.Moment) {
		return ErrSyntax
	}
	deadline, err := d.deadline(o, "set")
	if err != nil {
		return err
	}
	if o.NX && old != nil || o.XX && old == nil {
		return ErrNotSet
	}
	if o.KeepTTL && old != nil {
		deadline = old.deadline
	}
	d.dbs[db][key] = &object{kind: TypeString, str: []byte(value), deadline: deadline, changed: d.Now}
	return nil
}

// SetGet is Set, and returns what was there; set is false if NX or XX refused.
func (d *DB) SetGet(db int, key, value string, o SetOptions) (old Optional, set bool, err error) {
	if err := d.check(db); err != nil {
		return old, false, err
	}
	if o.NX && o.XX || o.KeepTTL && (o.HasTTL || o.Moment) {
		return old, false, ErrSyntax
	}
	if _, err := d.deadline(o, "set"); err != nil {
		return old, false, err
	}
	was, err := d.read(db, key, TypeString)
	if err != nil {
		return old, false, err
	}
	if was != nil {
		old = Optional{string(was.str), true}
	}
	err = d.Set(db, key, value, o)
	if errors.Is(err, ErrNotSet) {
		return old, false, nil
	}
	return old, true, err
}

// SetEX is Set with a time to live in units of so many milliseconds, in the
// words for a command.
func (d *DB) SetEX(db int, key, value string, n, unit int64, command string) error {
	if err := d.check(db); err != nil {
		return err
	}
	refused := ErrExpire.with("ERR invalid expire time in '" + command + "' command")
	if n > math.MaxInt64/unit || n <= 0 {
		return refused
	}
	if _, ok := add(d.Now, n*unit); !ok {
		return refused
	}
	return d.Set(db, key, value, SetOptions{HasTTL: true, N: n * unit})
}

// GetEx is Get, and sets the time to live, or takes it away. A moment that is
// not in the future deletes the key.
func (d *DB) GetEx(db int, key string, o SetOptions, persist bool) (string, error) {
	if err := d.check(db); err != nil {
		return "", err
	}
	if persist && (o.HasTTL || o.Moment) {
		return "", ErrSyntax
	}
	v, err := d.Get(db, key)
	if err != nil {
		return "", err
	}
	deadline, err := d.deadline(o, "getex")
	if err != nil {
		return "", err
	}
	switch {
	case o.Moment && deadline <= d.Now:
		delete(d.dbs[db], key)
	case o.HasTTL || o.Moment || persist:
		was, err := d.edit(db, key, TypeString)
		if err != nil {
			return "", err
		}
		was.deadline = deadline
	}
	return v, nil
}

// Get returns the string at key, or ErrNotFound.
func (d *DB) Get(db int, key string) (string, error) {
	o, err := d.read(db, key, TypeString)
	if err != nil {
		return "", err
	}
	if o == nil {
		return "", ErrNotFound
	}
	return string(o.str), nil
}

// GetDel is Get, and deletes the key.
func (d *DB) GetDel(db int, key string) (string, error) {
	v, err := d.Get(db, key)
	if err == nil {
		delete(d.dbs[db], key)
	}
	return v, err
}

// MSet sets keys[i] to values[i], in order.
func (d *DB) MSet(db int, keys, values []string) error {
	if err := d.check(db); err != nil {
		return err
	}
	if err := arity(len(keys) > 0 && len(keys) == len(values), "mset"); err != nil {
		return err
	}
	for i, key := range keys {
		if err := d.Set(db, key, values[i], SetOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// MSetNX is MSet if none of the keys exists, and tells whether it was.
func (d *DB) MSetNX(db int, keys, values []string) (bool, error) {
	if err := d.check(db); err != nil {
		return false, err
	}
	if err := arity(len(keys) > 0 && len(keys) == len(values), "msetnx"); err != nil {
		return false, err
	}
	if n, err := d.Exists(db, keys...); n > 0 || err != nil {
		return false, err
	}
	return true, d.MSet(db, keys, values)
}

// MGet returns the strings at keys. What is absent or of another type is not
// OK.
func (d *DB) MGet(db int, keys ...string) ([]Optional, error) {
	if err := d.check(db); err != nil {
		return nil, err
	}
	list := make([]Optional, len(keys))
	for i, key := range keys {
		if v, err := d.Get(db, key); err == nil {
			list[i] = Optional{v, true}
		}
	}
	return list, nil
}

// Incr is IncrBy 1.
func (d *DB) Incr(db int, key string) (int64, error) { return d.IncrBy(db, key, 1) }

// IncrBy adds n to the number at key, 0 where there is none, and returns the
// sum. The TTL stays.
func (d *DB) IncrBy(db int, key string, n int64) (int64, error) {
	o, err := d.edit(db, key, TypeString)
	if err != nil {
		return 0, err
	}
	var old int64
	if o != nil {
		v, ok := parseInt(string(o.str))
		if !ok {
			return 0, ErrNotInteger
		}
		old = v
	}
	sum, ok := add(old, n)
	if !ok {
		return 0, ErrOverflow
	}
	o, err = d.create(db, key, TypeString)
	if err != nil {
		return 0, err
	}
	o.str, o.converted, o.text, o.copied = strconv.AppendInt(nil, sum, 10), false, false, false
	return sum, nil
}

// DecrBy takes n off the number at key.
func (d *DB) DecrBy(db int, key string, n int64) (int64, error) {
	if err := d.check(db); err != nil {
		return 0, err
	}
	if n == math.MinInt64 {
		return 0, ErrOverflow.with("ERR decrement would overflow")
	}
	return d.IncrBy(db, key, -n)
}

// Append puts value behind the string at key and returns the new length.
func (d *DB) Append(db int, key, value string) (int64, error) {
	o, err := d.create(db, key, TypeString)
	if err != nil {
		return 0, err
	}
	if len(o.str)+len(value) > maxString {
		return 0, ErrTooBig
	}
	o.converted, o.text = o.str != nil, false // nil: it is new
	o.str = append(o.str, value...)
	return int64(len(o.str)), nil
}

// GetRange returns the bytes from start to stop, both included; negative ones
// count from the end. A stop before the first byte means the first byte, as in
// Redis.
func (d *DB) GetRange(db int, key string, start, stop int64) (string, error) {
	o, err := d.read(db, key, TypeString)
	if o == nil || err != nil {
		return "", err
	}
	from, to := byteSpan(int64(len(o.str)), start, stop)
	return string(o.str[from:to]), nil
}

// SetRange writes value at offset, behind zero bytes where the string is
// shorter, and returns the length. An empty value changes and creates nothing.
func (d *DB) SetRange(db int, key string, offset int64, value string) (int64, error) {
	if err := d.check(db); err != nil {
		return 0, err
	}
	if offset < 0 {
		return 0, ErrIndex.with("ERR offset is out of range")
	}
	o, err := d.edit(db, key, TypeString)
	if err != nil {
		return 0, err
	}
	if value == "" {
		return d.StrLen(db, key)
	}
	if offset > maxString-int64(len(value)) {
		return 0, ErrTooBig
	}
	if o == nil {
		if o, err = d.create(db, key, TypeString); err != nil {
			return 0, err
		}
	}
	o.grow(int(offset) + len(value))
	copy(o.str[offset:], value)
	return int64(len(o.str)), nil
}

// StrLen returns the length of the string at key, 0 where there is none.
func (d *DB) StrLen(db int, key string) (int64, error) {
	o, err := d.read(db, key, TypeString)
	if o == nil || err != nil {
		return 0, err
	}
	return int64(len(o.str)), nil
}

// parseInt reads a number as strictly as Redis: no sign but one minus, no
// leading zero, no blank.
func parseInt(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != s {
		return 0, false
	}
	return n, true
}
