package brock

import (
	"math"
	"math/bits"

	"github.com/brockdb/brock/internal/store"
)

// BitUnit is what the ends of a range of a bitmap count, see
// [DB.BitCountRange] and [DB.BitPosRange].
type BitUnit int

// The units.
const (
	Byte BitUnit = iota // bytes
	Bit                 // bits: 0 is the highest one of the first byte
)

// check refuses units that there are not.
func (u BitUnit) check() error {
	if u != Byte && u != Bit {
		return ErrSyntax
	}
	return nil
}

// maxBit is the highest offset of a bit, the last one of a string of 512 MB.
const maxBit = 1<<32 - 1

// bitsPerElement is how many bits take as long to count as an element of a
// collection takes to read, see longRead.
const bitsPerElement = 8 << 10

// checkBit refuses offsets out of range.
func checkBit(offset int64) error {
	if offset < 0 || offset > maxBit {
		return &redisError{ErrOffset, "ERR bit offset is not an integer or out of range"}
	}
	return nil
}

// BitCount returns the number of bits that are set in the string at key, 0 if
// it does not exist.
//
// Errors: [ErrWrongType].
//
// Cost: O(length), at some GB a second. A long string is read from a snapshot,
// which stops no writer.
//
// Redis: BITCOUNT key.
func (c *commands) BitCount(key string) (n int64, err error) {
	return c.BitCountRange(key, 0, -1, Byte)
}

// BitCountRange returns the number of bits that are set in the string at key
// from start to stop, both included. Negative numbers count from the end, -1
// being the last byte or bit; what is out of range is cut.
//
// Errors: [ErrWrongType]; [ErrSyntax] for a unit that there is not.
//
// Cost: see [DB.BitCount].
//
// Redis: BITCOUNT key start end [BYTE | BIT].
func (c *commands) BitCountRange(key string, start, stop int64, unit BitUnit) (n int64, err error) {
	if err := unit.check(); err != nil {
		return 0, c.refuse("bitcount", key, err)
	}
	err = c.readLimited("bitcount", key, func(t *store.Tx, limit int) error {
		n = 0
		e, ok, err := c.lookup(t, key, store.String)
		if err != nil || !ok {
			return err
		}
		length, err := t.StringLen(e)
		if err != nil {
			return err
		}
		if start < 0 && stop < 0 && start > stop {
			return nil // see clipBytes
		}
		r := bitRange{start, stop + 1}.bits(length, unit)
		switch {
		case r.first >= r.end:
			return nil
		case r.long(limit):
			return store.ErrLong
		}
		n, err = r.ones(t, &e)
		return err
	})
	return result(n, err)
}

// BitPos returns the offset of the first bit of the string at key that is set,
// or, with bit false, is clear; -1 if there is none. Beyond its end a string
// that is not empty is clear, as is one that does not exist.
//
// Errors: [ErrWrongType].
//
// Cost: O(length), at some GB a second. A long string is read from a snapshot,
// which stops no writer.
//
// Redis: BITPOS key bit.
func (c *commands) BitPos(key string, bit bool) (offset int64, err error) {
	return c.BitPosFrom(key, bit, 0)
}

// BitPosFrom is [DB.BitPos] for the bytes from start on, which counts from the
// end if it is negative. It is -1 for a start at the end or beyond.
//
// Errors: [ErrWrongType].
//
// Cost: see [DB.BitPos].
//
// Redis: BITPOS key bit start.
func (c *commands) BitPosFrom(key string, bit bool, start int64) (offset int64, err error) {
	return c.bitPos(key, bit, bitRange{start, math.MaxInt64}, Byte, true)
}

// BitPosRange is [DB.BitPos] for the bits from start to stop, both included,
// alone: -1 if none of them is such a bit. Negative numbers count from the end,
// -1 being the last byte or bit; what is out of range is cut.
//
// Errors: [ErrWrongType]; [ErrSyntax] for a unit that there is not.
//
// Cost: see [DB.BitPos].
//
// Redis: BITPOS key bit start end [BYTE | BIT].
func (c *commands) BitPosRange(key string, bit bool, start, stop int64, unit BitUnit) (offset int64, err error) {
	return c.bitPos(key, bit, bitRange{start, stop + 1}, unit, false)
}

// bitPos finds the first bit in a range; open tells that what is behind the
// string is clear.
func (c *commands) bitPos(key string, bit bool, r bitRange, unit BitUnit, open bool) (offset int64, err error) {
	if err := unit.check(); err != nil {
		return 0, c.refuse("bitpos", key, err)
	}
	err = c.readLimited("bitpos", key, func(t *store.Tx, limit int) error {
		offset = -1
		e, ok, err := c.lookup(t, key, store.String)
		if err != nil {
			return err
		}
		if !ok {
			if !bit {
				offset = 0
			}
			return nil
		}
		length, err := t.StringLen(e)
		if err != nil {
			return err
		}
		bits := r.bits(length, unit)
		switch {
		case bits.first >= bits.end:
			return nil
		case bits.long(limit):
			return store.ErrLong
		}
		offset, err = bits.position(t, &e, bit)
		if offset < 0 && !bit && open {
			offset = bits.end
		}
		return err
	})
	return result(offset, err)
}

// bitRange is some bits or bytes of a string, from first up to end.
type bitRange struct{ first, end int64 }

// bits returns the range in bits, cut to a string, where its ends count units,
// from the end of the string if they are negative.
func (r bitRange) bits(length int, unit BitUnit) bitRange {
	n, width := int64(length), int64(8)
	if unit == Bit {
		n, width = 8*n, 1
	}
	last := r.end - 1
	if r.first < 0 {
		r.first = max(r.first+n, 0)
	}
	if last < 0 {
		last = max(last+n, 0)
	}
	last = min(last, n-1)
	if r.first > last {
		return bitRange{}
	}
	return bitRange{width * r.first, width * (last + 1)}
}

// long tells whether the range, which is not empty, takes longer to look at than
// so many elements of a collection.
func (r bitRange) long(limit int) bool {
	return (r.end-r.first-1)/bitsPerElement >= int64(limit)
}

// position returns the first bit in a range, which exists and is not empty, that
// is set or clear, -1 if there is none.
func (r bitRange) position(t *store.Tx, e *store.Entry, bit bool) (found int64, err error) {
	other := byte(0) // what a byte without such a bit is
	if !bit {
		other = 0xff
	}
	found = -1
	err = r.parts(t, e, func(b []byte, at, n int) bool {
		i, base := 0, 8*int64(at)
		if skipped := r.first - base; skipped > 0 && len(b) > 0 {
			if x := (b[0] ^ other) << skipped >> skipped; x != 0 {
				found = base + int64(bits.LeadingZeros8(x))
				return false
			}
			i = 1
		}
		i += equalBytes(b[i:], other)
		switch {
		case i < len(b):
			found = base + 8*int64(i) + int64(bits.LeadingZeros8(b[i]^other))
		case !bit && i < n:
			found = max(base+8*int64(i), r.first)
		}
		return found < 0
	})
	return r.within(found), err
}

// bitRun is how many bytes of a string are looked up at once.
const bitRun = 32 * store.StringPart

// parts calls fn with the bytes of a range, which exists and is not empty, until
// fn returns false: with those from an offset on, and how many there are with the
// zeroes behind them.
func (r bitRange) parts(t *store.Tx, e *store.Entry, fn func(b []byte, at, n int) bool) (err error) {
	first, end := int(r.first/8), int((r.end+7)/8)
	var buf [bitRun / store.StringPart][]byte
	parts := buf[:0]
	for off := first / store.StringPart * store.StringPart; off < end; off += bitRun {
		if e.Object != 0 {
			t.Release()
		}
		if parts, err = t.StringRun(parts[:0], e, off, min(bitRun, end-off)); err != nil {
			return err
		}
		for i, b := range parts {
			at := off + i*store.StringPart
			n := min(store.StringPart, end-at)
			if skipped := first - at; skipped > 0 {
				b, at, n = b[min(skipped, len(b)):], first, n-skipped
			}
			if !fn(b, at, n) {
				return nil
			}
		}
	}
	return nil
}

// within returns an offset, or -1 if it is not in the range.
func (r bitRange) within(offset int64) int64 {
	if offset >= r.end {
		return -1
	}
	return offset
}

// equalBytes returns how many bytes at the beginning of b are x, eight at a
// time.
func equalBytes(b []byte, x byte) (n int) {
	x8 := uint64(x) * 0x0101010101010101
	for rest := b; len(rest) >= 32; rest = rest[32:] {
		if (word(rest)^x8)|(word(rest[8:])^x8)|(word(rest[16:])^x8)|(word(rest[24:])^x8) != 0 {
			break
		}
		n += 32
	}
	for n < len(b) && b[n] == x {
		n++
	}
	return n
}

// ones counts the bits that are set in a range, which exists and is not empty.
func (r bitRange) ones(t *store.Tx, e *store.Entry) (sum int64, err error) {
	err = r.parts(t, e, func(b []byte, at, n int) bool {
		sum += int64(countOnes(b))
		if before := r.first - 8*int64(at); before > 0 && len(b) > 0 {
			sum -= int64(bits.OnesCount8(b[0] >> (8 - before)))
		}
		if behind := 8*int64(at+n) - r.end; behind > 0 && len(b) == n {
			sum -= int64(bits.OnesCount8(b[n-1] << (8 - behind)))
		}
		return true
	})
	return sum, err
}

// countOnes counts the bits that are set, eight bytes at a time.
func countOnes(b []byte) (n int) {
	for len(b) >= 32 {
		n += bits.OnesCount64(word(b)) + bits.OnesCount64(word(b[8:])) +
			bits.OnesCount64(word(b[16:])) + bits.OnesCount64(word(b[24:]))
		b = b[32:]
	}
	for _, x := range b {
		n += bits.OnesCount8(x)
	}
	return n
}

// GetBit tells whether the bit at an offset of the string at key is set; one
// beyond its end is not. Bit 0 is the highest one of the first byte.
//
// Errors: [ErrWrongType]; [ErrOffset] for an offset that is negative or above
// 2^32-1.
//
// Cost: O(1).
//
// Redis: GETBIT key offset.
func (c *commands) GetBit(key string, offset int64) (set bool, err error) {
	if err := checkBit(offset); err != nil {
		return false, c.refuse("getbit", key, err)
	}
	err = c.read("getbit", key, func(t *store.Tx) error {
		set = false
		e, ok, err := c.lookup(t, key, store.String)
		if err != nil || !ok {
			return err
		}
		b, err := byteAt(t, e, int(offset/8))
		set = b<<(offset%8)&0x80 != 0
		return err
	})
	return result(set, err)
}

// byteAt returns a byte of a string, 0 beyond its end.
func byteAt(t *store.Tx, e store.Entry, at int) (byte, error) {
	n, err := t.StringLen(e)
	if err != nil || at >= n {
		return 0, err
	}
	b, err := t.StringChunk(e, at)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

// SetBit sets or clears the bit at an offset of the string at key, which is
// created and extended with zeroes where needed, and returns what the bit was
// before. Bit 0 is the highest one of the first byte.
//
// Errors: [ErrWrongType]; [ErrOffset] for an offset that is negative or above
// 2^32-1.
//
// Cost: O(1), whatever the length of the string: neither memory nor the disk
// sees more than 4 KB of it. No change record if nothing changes,
// but for the first one of a string that was not made by parts.
//
// Redis: SETBIT key offset value.
func (c *commands) SetBit(key string, offset int64, bit bool) (old bool, err error) {
	if err := checkBit(offset); err != nil {
		return false, c.refuse("setbit", key, err)
	}
	return writeKey(c, "setbit", key, bitArgs{offset, bit}, (*commands).setBit)
}

// bitArgs are the place of a bit in a string, and the bit.
type bitArgs struct {
	offset int64
	bit    bool
}

// setBit is SetBit within a transaction.
func (c *commands) setBit(t *store.Tx, key string, a bitArgs) (old bool, err error) {
	e, _, err := c.lookupForWrite(t, key, store.String)
	if err != nil {
		return false, err
	}
	n, err := t.StringLen(e) // 0 if there is none
	if err != nil {
		return false, err
	}
	at, mask := int(a.offset/8), byte(0x80)>>(a.offset%8)
	b := byte(0)
	if at < n {
		if b, err = byteAt(t, e, at); err != nil {
			return false, err
		}
		if old = b&mask != 0; old == a.bit {
			return old, t.Convert(c.db, key, e)
		}
	}
	b &^= mask
	if a.bit {
		b |= mask
	}
	_, err = c.writeString(t, store.EventSetBit, key, e, at, []byte{b})
	return old, err
}
