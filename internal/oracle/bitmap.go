package oracle

import (
	"math"
	"math/big"
	"math/bits"
	"slices"
	"strconv"
)

// maxBit is the first offset of a bit that does not fit a string.
const maxBit = maxString * 8

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

// grow makes the string, which is about to be changed in place, at least n bytes
// long.
func (o *object) grow(n int) {
	o.converted, o.text = true, false
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

// BitPos finds the first bit that is set or clear from start to stop, which are
// bytes or, if inBits, bits; -1 if there is none. If open the string goes on
// with bits that are clear.
func (d *DB) BitPos(db int, key string, bit int, start, stop int64, inBits, open bool) (int64, error) {
	if err := d.check(db); err != nil {
		return 0, err
	}
	if bit != 0 && bit != 1 {
		return 0, ErrIndex.with("ERR The bit argument must be 1 or 0.")
	}
	o, err := d.read(db, key, TypeString)
	if err != nil {
		return 0, err
	}
	if o == nil {
		return -int64(bit), nil
	}
	size, unit := int64(len(o.str)), int64(8)
	if inBits {
		size, unit = size*8, 1
	}
	if stop < 0 {
		stop = max(stop+size, 0)
	}
	from, to := span(size, start, stop)
	for i := from * unit; i < to*unit; i++ {
		if o.bit(i) == int64(bit) {
			return i, nil
		}
	}
	if open && bit == 0 && from < to {
		return to * unit, nil
	}
	return -1, nil
}

// BitOp puts at dst what an operation makes of the strings at keys, and returns
// the length.
func (d *DB) BitOp(db int, operation, dst string, keys []string) (int64, error) {
	if err := d.check(db); err != nil {
		return 0, err
	}
	if operation == "NOT" && len(keys) != 1 {
		return 0, ErrSyntax.with("ERR BITOP NOT must be called with a single source key.")
	}
	var sources [][]byte
	length := 0
	for _, key := range keys {
		o, err := d.read(db, key, TypeString)
		if err != nil {
			return 0, err
		}
		if o == nil {
			o = &object{}
		}
		sources = append(sources, o.str)
		length = max(length, len(o.str))
	}
	value := make([]byte, length)
	for i := range value {
		for j, s := range sources {
			b := byte(0)
			if i < len(s) {
				b = s[i]
			}
			switch {
			case operation == "NOT":
				value[i] = ^b
			case j == 0:
				value[i] = b
			case operation == "AND":
				value[i] &= b
			case operation == "OR":
				value[i] |= b
			default:
				value[i] ^= b
			}
		}
	}
	if length == 0 {
		_, err := d.Del(db, dst)
		return 0, err
	}
	if err := d.Set(db, dst, string(value), SetOptions{}); err != nil {
		return 0, err
	}
	d.dbs[db][dst].converted = true
	return int64(length), nil
}

// BitStep is an operation of BITFIELD.
type BitStep struct {
	Name   string // GET, SET or INCRBY; or OVERFLOW
	Type   string // i1 to i64, u1 to u63; WRAP, SAT or FAIL
	Offset int64
	N      int64 // what is set or added
}

// args are the words of the step.
func (s BitStep) args() []string {
	switch s.Name {
	case "OVERFLOW":
		return []string{s.Name, s.Type}
	case "GET":
		return append([]string{s.Name, s.Type}, int64s(s.Offset)...)
	default:
		return append([]string{s.Name, s.Type}, int64s(s.Offset, s.N)...)
	}
}

// bits is the number of bits of the type, 0 if there is no such type.
func (s BitStep) bits() int64 {
	if s.Type == "" {
		return 0
	}
	n, ok := parseInt(s.Type[1:])
	most := map[byte]int64{'i': 64, 'u': 63}[s.Type[0]]
	if !ok || n < 1 || n > most {
		return 0
	}
	return n
}

// BitField runs steps on the string at key. A result that is not OK is that of a
// step that failed by overflow.
func (d *DB) BitField(db int, key string, steps []BitStep, readOnly bool) ([]Optional, error) {
	if err := d.check(db); err != nil {
		return nil, err
	}
	end := int64(0) // of what is written
	for _, s := range steps {
		switch {
		case s.Name == "OVERFLOW":
			if !slices.Contains([]string{"WRAP", "SAT", "FAIL"}, s.Type) {
				return nil, ErrSyntax.with("ERR Invalid OVERFLOW type specified")
			}
			continue
		case s.bits() == 0:
			return nil, ErrSyntax.with("ERR Invalid bitfield type. Use something like i16 u8. " +
				"Note that u64 is not supported but i64 is.")
		}
		if err := bitOffset(s.Offset); err != nil {
			return nil, err
		}
		if s.Name != "GET" {
			end = max(end, s.Offset+s.bits())
			if readOnly {
				return nil, ErrSyntax.with("ERR BITFIELD_RO only supports the GET subcommand")
			}
		}
	}
	o, err := d.edit(db, key, TypeString)
	if err == nil && o == nil && end > 0 {
		o, err = d.create(db, key, TypeString)
	}
	if err != nil {
		return nil, err
	}
	if o == nil {
		o = &object{} // to read zeroes from
	}
	if end > 0 {
		o.grow(int((end + 7) / 8))
	}
	var results []Optional
	overflow := "WRAP"
	for _, s := range steps {
		if s.Name == "OVERFLOW" {
			overflow = s.Type
		} else {
			results = append(results, o.step(s, overflow))
		}
	}
	return results, nil
}

// step runs one step.
func (o *object) step(s BitStep, overflow string) Optional {
	n, signed := s.bits(), s.Type[0] == 'i'
	old := int64(0)
	for i := range n {
		old = old<<1 | o.bit(s.Offset+i)
	}
	if signed {
		old = old << (64 - n) >> (64 - n)
	}
	result := old
	if s.Name != "GET" {
		v, ok := fitted(s, old, overflow)
		if !ok {
			return Optional{}
		}
		for i := range n {
			at, mask := s.Offset+i, byte(0x80)>>((s.Offset+i)%8)
			o.str[at/8] &^= mask
			if v>>(n-1-i)&1 != 0 {
				o.str[at/8] |= mask
			}
		}
		if s.Name == "INCRBY" {
			result = v
		}
	}
	return Optional{strconv.FormatInt(result, 10), true}
}

// fitted is the new value of the integer that was old.
func fitted(s BitStep, old int64, overflow string) (v int64, ok bool) {
	one := big.NewInt(1)
	n, signed := uint(s.bits()), s.Type[0] == 'i'
	least, most := big.NewInt(0), new(big.Int).Lsh(one, n)
	if signed {
		most.Rsh(most, 1)
		least.Neg(most)
	}
	most.Sub(most, one)
	sum := big.NewInt(s.N)
	switch {
	case s.Name == "INCRBY":
		sum.Add(sum, big.NewInt(old))
	case !signed && s.N < 0: // Redis takes it for a large one
		sum.SetUint64(uint64(s.N))
	case signed && n < 64 && s.N < most.Int64()-math.MaxInt64: // and this, where it may saturate
		sum.SetUint64(uint64(s.N))
	}
	if sum.Cmp(least) >= 0 && sum.Cmp(most) <= 0 {
		return sum.Int64(), true
	}
	switch {
	case overflow == "FAIL":
		return 0, false
	case overflow == "SAT" && sum.Sign() > 0:
		return most.Int64(), true
	case overflow == "SAT":
		return least.Int64(), true
	}
	width := new(big.Int).Lsh(one, n)
	sum.Mod(sum, width)
	if sum.Cmp(most) > 0 {
		sum.Sub(sum, width)
	}
	return sum.Int64(), true
}
