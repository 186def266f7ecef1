package brock

import (
	"encoding/binary"

	"github.com/brockdb/brock/internal/store"
)

// BitType is the type of an integer in a bitmap: what [Int] and [Uint] return.
type BitType struct {
	bits   int
	signed bool
}

// Int is the type of signed integers of so many bits, 1 to 64.
func Int(bits int) BitType { return BitType{bits, true} }

// Uint is the type of unsigned integers of so many bits, 1 to 63.
func Uint(bits int) BitType { return BitType{bits, false} }

// BitFieldOp is an operation of [DB.BitField]: a [BitGet], [BitSet] or
// [BitIncrBy], or an [Overflow] for those that follow.
type BitFieldOp interface{ bitFieldOp() }

// BitGet reads the integer at an offset in bits.
type BitGet struct {
	Type   BitType
	Offset int64
}

// BitSet sets the integer at an offset in bits; its result is the old one.
type BitSet struct {
	Type   BitType
	Offset int64
	Value  int64
}

// BitIncrBy adds to the integer at an offset in bits; its result is the sum.
type BitIncrBy struct {
	Type   BitType
	Offset int64
	By     int64
}

// Overflow is what becomes of a value that does not fit the type of its integer.
type Overflow int

const (
	// Wrap keeps the lowest bits. It is what happens before the first Overflow.
	Wrap Overflow = iota
	// Sat keeps the highest or lowest value that there is.
	Sat
	// Fail changes nothing; the operation has no result.
	Fail
)

func (BitGet) bitFieldOp()    {}
func (BitSet) bitFieldOp()    {}
func (BitIncrBy) bitFieldOp() {}
func (Overflow) bitFieldOp()  {}

// OptionalInt is an integer, or none.
type OptionalInt struct {
	Value int64
	OK    bool
}

// BitField runs operations on integers of any width within the string at key,
// one after the other, and returns the result of each but Overflow. The highest
// bit stands first. The string is created and extended with zeroes where an
// operation sets or adds; what is read beyond its end is 0.
//
// Errors: [ErrWrongType]; [ErrSyntax] for a type that there is not; [ErrOffset]
// for an offset that is negative or above 2^32-1; [ErrTooLong] for an integer
// that ends above that. With an error nothing is changed.
//
// Cost: O(len(ops)), whatever the length of the string; one change record for
// each integer that changes. Many ops that change anything run in copies, see
// [DB.MSet]; many that do not, on a snapshot.
//
// Redis: BITFIELD key [GET type offset] [SET type offset value] [INCRBY type
// offset increment] [OVERFLOW WRAP | SAT | FAIL]…. An offset #n is n times the
// width of the type here.
func (c *commands) BitField(key string, ops ...BitFieldOp) (results []OptionalInt, err error) {
	fields, err := parseBitField(ops)
	if err != nil {
		return nil, c.refuse("bitfield", key, err)
	}
	for i := range fields {
		if fields[i].writes {
			return c.writeBitField(key, fields)
		}
	}
	values, err := c.readBitField("bitfield", key, fields)
	if err != nil {
		return nil, err
	}
	results = make([]OptionalInt, len(values))
	for i, v := range values {
		results[i] = OptionalInt{v, true}
	}
	return results, nil
}

// BitFieldRO reads integers of any width within the string at key, see
// [DB.BitField].
//
// Errors: as [DB.BitField].
//
// Cost: O(len(gets)).
//
// Redis: BITFIELD_RO key [GET type offset]….
func (c *commands) BitFieldRO(key string, gets ...BitGet) (values []int64, err error) {
	fields := make([]bitField, len(gets))
	for i, g := range gets {
		fields[i] = bitField{typ: g.Type, offset: g.Offset}
		if err := fields[i].check(); err != nil {
			return nil, c.refuse("bitfield_ro", key, err)
		}
	}
	return c.readBitField("bitfield_ro", key, fields)
}

// bitField is an operation on an integer in a bitmap.
type bitField struct {
	typ      BitType
	offset   int64
	writes   bool
	adds     bool // to the old value, else it is replaced
	by       int64
	overflow Overflow
}

// parseBitField checks operations, and gives each its Overflow.
func parseBitField(ops []BitFieldOp) (fields []bitField, err error) {
	overflow := Wrap
	for _, op := range ops {
		var f bitField
		switch op := op.(type) {
		case Overflow:
			overflow = op
			if op < Wrap || op > Fail {
				return nil, &redisError{ErrSyntax, "ERR Invalid OVERFLOW type specified"}
			}
			continue
		case BitGet:
			f = bitField{typ: op.Type, offset: op.Offset}
		case BitSet:
			f = bitField{op.Type, op.Offset, true, false, op.Value, overflow}
		case BitIncrBy:
			f = bitField{op.Type, op.Offset, true, true, op.By, overflow}
		}
		if err := f.check(); err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	return fields, nil
}

// check refuses types that there are not, and offsets out of range.
func (f *bitField) check() error {
	if f.typ.bits < 1 || f.typ.bits > 64 || f.typ.bits == 64 && !f.typ.signed {
		return &redisError{
			ErrSyntax,
			"ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
		}
	}
	return checkBit(f.offset)
}

// span returns the bytes that hold the integer, from first up to end.
func (f *bitField) span() (first, end int) {
	return int(f.offset / 8), int((f.offset+int64(f.typ.bits)-1)/8) + 1
}

// writeBitField runs operations that change something.
func (c *commands) writeBitField(key string, fields []bitField) (results []OptionalInt, err error) {
	if len(fields) <= longWrite {
		return writeKey(c, "bitfield", key, fields, (*commands).bitField)
	}
	err = c.exec("bitfield", key, func(t *store.Tx) error {
		results, err = c.bitField(t, key, fields)
		return err
	})
	return result(results, err)
}

// readBitField runs operations that change nothing.
func (c *commands) readBitField(op, key string, fields []bitField) (values []int64, err error) {
	err = c.readLimited(op, key, func(t *store.Tx, limit int) error {
		if len(fields) > limit {
			return store.ErrLong
		}
		values = make([]int64, len(fields))
		e, _, err := c.lookup(t, key, store.String)
		if err != nil {
			return err
		}
		for i := range fields {
			w, err := fields[i].window(t, e)
			if err != nil {
				return err
			}
			values[i] = fields[i].value(w)
		}
		return nil
	})
	return result(values, err)
}

// bitField is BitField within a transaction.
func (c *commands) bitField(t *store.Tx, key string, fields []bitField) ([]OptionalInt, error) {
	e, ok, err := c.lookupForWrite(t, key, store.String)
	if err != nil {
		return nil, err
	}
	length, err := t.StringLen(e)
	if err != nil {
		return nil, err
	}
	need := 0
	for i := range fields { // all that is read has to be at hand before the first change
		if _, err := fields[i].window(t, e); err != nil {
			return nil, err
		}
		if _, end := fields[i].span(); fields[i].writes {
			need = max(need, end)
		}
	}
	if need > store.MaxString {
		return nil, ErrTooLong
	}
	grown := !ok || need > length
	if grown {
		_, err = t.StringWrite(c.db, key, e, need-1, []byte{0})
	} else {
		err = t.Convert(c.db, key, e)
	}
	if err != nil {
		return nil, err
	}
	results := make([]OptionalInt, len(fields))
	changed := false
	for i := range fields {
		did, err := c.runField(t, key, &fields[i], &results[i])
		if err != nil {
			return nil, err
		}
		changed = changed || did || grown && fields[i].writes && results[i].OK
	}
	if changed {
		t.Emit(c.db, store.EventSetBit, key)
	}
	return results, nil
}

// runField runs one operation and tells whether it changed the string.
func (c *commands) runField(t *store.Tx, key string, f *bitField, r *OptionalInt) (changed bool, err error) {
	e, _, err := t.Lookup(c.db, key)
	if err != nil {
		return false, err
	}
	w, err := f.window(t, e)
	if err != nil {
		return false, err
	}
	old := f.value(w)
	if *r = (OptionalInt{old, true}); !f.writes {
		return false, nil
	}
	v, ok := f.next(old)
	if !ok {
		*r = OptionalInt{}
		return false, nil
	}
	if f.adds {
		r.Value = v
	}
	if v == old {
		return false, nil
	}
	f.put(&w, v)
	first, end := f.span()
	_, err = t.StringWrite(c.db, key, e, first, w[:end-first])
	return true, err
}

// bitWindow holds the bytes of an integer, at most nine, and zeroes.
type bitWindow [16]byte

// window reads the bytes that hold the integer, zeroes beyond the end of the
// string.
func (f *bitField) window(t *store.Tx, e store.Entry) (w bitWindow, err error) {
	n, err := t.StringLen(e)
	if err != nil {
		return w, err
	}
	first, end := f.span()
	for at := first; at < min(end, n); {
		b, err := t.StringChunk(e, at)
		if err != nil {
			return w, err
		}
		at += copy(w[at-first:end-first], b)
	}
	return w, nil
}

// value reads the integer.
func (f *bitField) value(w bitWindow) int64 {
	shift := f.offset % 8
	u := binary.BigEndian.Uint64(w[:])<<shift | uint64(w[8])>>(8-shift)
	if f.typ.signed {
		return int64(u) >> (64 - f.typ.bits)
	}
	return int64(u >> (64 - f.typ.bits))
}

// put writes the integer.
func (f *bitField) put(w *bitWindow, v int64) {
	shift, unused := f.offset%8, 64-f.typ.bits
	u, mask := uint64(v)<<unused, ^uint64(0)<<unused
	high := binary.BigEndian.Uint64(w[:])
	binary.BigEndian.PutUint64(w[:], high&^(mask>>shift)|u>>shift)
	w[8] = w[8]&^byte(mask<<(8-shift)) | byte(u<<(8-shift))
}

// next returns what the integer becomes; ok is false if it stays, since the
// value does not fit.
func (f *bitField) next(old int64) (v int64, ok bool) {
	least, most := int64(-1)<<(f.typ.bits-1), int64(1)<<(f.typ.bits-1)-1
	if !f.typ.signed {
		least, most = 0, int64(uint64(1)<<f.typ.bits-1)
	}
	v, above, below := f.sum(old, least, most)
	switch {
	case !above && !below:
		return v, true
	case f.overflow == Fail:
		return 0, false
	case f.overflow == Sat && above:
		return most, true
	case f.overflow == Sat:
		return least, true
	case f.typ.signed:
		return v << (64 - f.typ.bits) >> (64 - f.typ.bits), true
	default:
		return int64(uint64(v) << (64 - f.typ.bits) >> (64 - f.typ.bits)), true
	}
}

// sum returns the lowest 64 bits of the new value, and whether it is above or
// below what there is.
func (f *bitField) sum(old, least, most int64) (v int64, above, below bool) {
	switch v = old + f.by; {
	case !f.adds && f.by < 0 && (!f.typ.signed || f.typ.bits < 64 && most-f.by < 0):
		return f.by, true, false // Redis takes it for a large one
	case !f.adds:
		return f.by, f.by > most, f.by < least
	case old >= 0 && f.by >= 0:
		return v, v < 0 || v > most, false
	case old < 0 && f.by < 0:
		return v, false, v >= 0 || v < least
	default:
		return v, v > most, v < least
	}
}
