package oracle

import (
	"math/bits"
	"slices"
	"strconv"
)

// maxBit is the first offset of a bit that does not fit a string.
const maxBit = maxString * 8

// SetOptions are the options of SET. The zero value sets and drops the TTL.
type SetOptions struct {
	HasTTL  bool  // TTL counts: EX or PX
	TTL     int64 // in milliseconds
	KeepTTL bool
	NX      bool // only if there is no such key
	XX      bool // only if there is one
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
	if o.NX && o.XX || o.KeepTTL && o.HasTTL {
		return ErrSyntax
	}
	var deadline int64
	if o.HasTTL {
		at, ok := add(d.Now, o.TTL)
		if o.TTL <= 0 || !ok {
			return ErrExpire.with("ERR invalid expire time in 'set' command")
		}
		deadline = at
	}
	if o.NX && old != nil || o.XX && old == nil {
		return ErrNotSet
	}
	if o.KeepTTL && old != nil {
		deadline = old.deadline
	}
	d.dbs[db][key] = &object{kind: TypeString, str: []byte(value), deadline: deadline}
	return nil
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
	o.str = strconv.AppendInt(nil, sum, 10)
	return sum, nil
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

// SetBit sets the bit at offset, of which 0 is the highest of the first byte,
// and returns the old one. The string grows even for a 0.
func (d *DB) SetBit(db int, key string, offset int64, bit int) (int64, error) {
	if err := d.check(db); err != nil {
		return 0, err
	}
	if err := bitOffset(offset); err != nil {
		return 0, err
	}
	if bit != 0 && bit != 1 {
		return 0, ErrIndex.with("ERR bit is not an integer or out of range")
	}
	o, err := d.create(db, key, TypeString)
	if err != nil {
		return 0, err
	}
	o.grow(int(offset/8) + 1)
	old := o.bit(offset)
	mask := byte(0x80) >> (offset % 8)
	o.str[offset/8] &^= mask
	if bit == 1 {
		o.str[offset/8] |= mask
	}
	return old, nil
}

// GetBit returns the bit at offset, 0 behind the end.
func (d *DB) GetBit(db int, key string, offset int64) (int64, error) {
	if err := d.check(db); err != nil {
		return 0, err
	}
	if err := bitOffset(offset); err != nil {
		return 0, err
	}
	o, err := d.read(db, key, TypeString)
	if o == nil || err != nil {
		return 0, err
	}
	return o.bit(offset), nil
}

// BitCount counts the bits that are set.
func (d *DB) BitCount(db int, key string) (int64, error) {
	o, err := d.read(db, key, TypeString)
	if o == nil || err != nil {
		return 0, err
	}
	var n int64
	for _, b := range o.str {
		n += int64(bits.OnesCount8(b))
	}
	return n, nil
}

// BitCountRange counts the bits that are set from start to stop, which are
// bytes or, if inBits, bits, with the indexes of GetRange.
func (d *DB) BitCountRange(db int, key string, start, stop int64, inBits bool) (int64, error) {
	o, err := d.read(db, key, TypeString)
	if o == nil || err != nil {
		return 0, err
	}
	size, unit := int64(len(o.str)), int64(8)
	if inBits {
		size, unit = size*8, 1
	}
	from, to := byteSpan(size, start, stop)
	var n int64
	for i := from * unit; i < to*unit; i++ {
		n += o.bit(i)
	}
	return n, nil
}

// bit is the bit at offset, 0 behind the end.
func (o *object) bit(offset int64) int64 {
	if offset/8 >= int64(len(o.str)) {
		return 0
	}
	return int64(o.str[offset/8]>>(7-offset%8)) & 1
}

// grow makes the string at least n bytes long.
func (o *object) grow(n int) {
	if short := n - len(o.str); short > 0 {
		o.str = slices.Concat(o.str, make([]byte, short))
	}
}

// bitOffset refuses an offset that no string has.
func bitOffset(offset int64) error {
	if offset < 0 || offset >= maxBit {
		return ErrIndex.with("ERR bit offset is not an integer or out of range")
	}
	return nil
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
