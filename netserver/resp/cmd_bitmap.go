package resp

import (
	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/integer"
)

// Errors of bitmap commands.
const (
	errBitOffset Error = "ERR bit offset is not an integer or out of range"
	errBitValue  Error = "ERR bit is not an integer or out of range"
	errBitArg    Error = "ERR The bit argument must be 1 or 0."
	errBitType   Error = "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
)

// runBitCount is BITCOUNT key [start end [BYTE | BIT]].
func runBitCount(c *call) error {
	if len(c.args) == 2 {
		return c.number64(c.db.BitCount(c.str(1)))
	}
	r, err := c.bitRange(2)
	if err != nil {
		return c.orInt(0, c.behindKey(1, "string", err))
	}
	return c.number64(c.db.BitCountRange(c.str(1), r.start, r.stop, r.unit))
}

// bitRange is a range of a bitmap.
type bitRange struct {
	start, stop int64
	unit        brock.BitUnit
}

// bitRange returns the arguments of BITCOUNT from one on as a range. An empty
// one is no error, whatever its unit.
func (c *call) bitRange(i int) (r bitRange, err error) {
	if n := len(c.args) - i; n < 2 || n > 3 {
		return r, errSyntax
	}
	if r.start, err = c.int(i); err == nil {
		r.stop, err = c.int(i + 1)
	}
	if err != nil || r.start < 0 && r.stop < 0 && r.start > r.stop {
		return r, err
	}
	r.unit, err = c.bitUnit(i + 2)
	return r, err
}

// bitUnit returns an argument, if it is there, as a unit of a range.
func (c *call) bitUnit(i int) (brock.BitUnit, error) {
	switch {
	case i == len(c.args) || c.is(i, "BYTE"):
		return brock.Byte, nil
	case c.is(i, "BIT"):
		return brock.Bit, nil
	}
	return 0, errSyntax
}

// runBitPos is BITPOS key bit [start [end [BYTE | BIT]]].
func runBitPos(c *call) error {
	bit, err := c.int(2)
	if err != nil {
		return err
	}
	if bit != 0 && bit != 1 {
		return errBitArg
	}
	var start, stop int64
	var unit brock.BitUnit
	if len(c.args) > 6 {
		err = errSyntax
	}
	if err == nil && len(c.args) > 3 {
		start, err = c.int(3)
	}
	if err == nil && len(c.args) > 5 {
		unit, err = c.bitUnit(5)
	}
	if err == nil && len(c.args) > 4 {
		stop, err = c.int(4)
	}
	if err != nil {
		return c.orInt(-bit, c.behindKey(1, "string", err))
	}
	if len(c.args) > 4 {
		return c.number64(c.db.BitPosRange(c.str(1), bit == 1, start, stop, unit))
	}
	return c.number64(c.db.BitPosFrom(c.str(1), bit == 1, start))
}

// runBitOp is BITOP AND | OR | XOR | NOT destkey key [key …].
func runBitOp(c *call) error {
	var op brock.BitOperation
	switch {
	case c.is(1, "AND"):
		op = brock.And
	case c.is(1, "OR"):
		op = brock.Or
	case c.is(1, "XOR"):
		op = brock.Xor
	case c.is(1, "NOT"):
		op = brock.Not
	default:
		return errSyntax
	}
	return c.number64(c.db.BitOp(op, c.str(2), c.strs(3)...))
}

// runBitField is BITFIELD key [GET type offset] [SET type offset value] [INCRBY
// type offset increment] [OVERFLOW WRAP | SAT | FAIL] ….
func runBitField(c *call) error {
	ops, _, err := c.bitFieldOps()
	if err != nil {
		return err
	}
	return c.bitFields(c.db.BitField(c.str(1), ops...))
}

// runBitFieldRO is BITFIELD_RO key [GET type offset] ….
func runBitFieldRO(c *call) error {
	ops, writes, err := c.bitFieldOps()
	if err != nil {
		return err
	}
	if writes {
		return Error("ERR BITFIELD_RO only supports the GET subcommand")
	}
	var gets []brock.BitGet
	for _, op := range ops {
		if get, ok := op.(brock.BitGet); ok {
			gets = append(gets, get)
		}
	}
	values, err := c.db.BitFieldRO(c.str(1), gets...)
	if err != nil {
		return err
	}
	c.out.array(len(values))
	for _, v := range values {
		c.out.int(v)
	}
	return nil
}

// bitFieldOps returns the arguments as operations, and whether one of them may
// change something.
func (c *call) bitFieldOps() (ops []brock.BitFieldOp, writes bool, err error) {
	for i := 2; i < len(c.args); {
		rest := len(c.args) - i - 1
		switch {
		case c.is(i, "GET") && rest >= 2:
			var f brock.BitGet
			f.Type, f.Offset, err = c.bitFieldAt(i + 1)
			ops = append(ops, f)
			i += 3
		case c.is(i, "SET") && rest >= 3:
			var f brock.BitSet
			if f.Type, f.Offset, err = c.bitFieldAt(i + 1); err == nil {
				f.Value, err = c.int(i + 3)
			}
			ops, writes = append(ops, f), true
			i += 4
		case c.is(i, "INCRBY") && rest >= 3:
			var f brock.BitIncrBy
			if f.Type, f.Offset, err = c.bitFieldAt(i + 1); err == nil {
				f.By, err = c.int(i + 3)
			}
			ops, writes = append(ops, f), true
			i += 4
		case c.is(i, "OVERFLOW") && rest >= 1:
			var o brock.Overflow
			o, err = c.overflow(i + 1)
			ops = append(ops, o)
			i += 2
		default:
			err = errSyntax
		}
		if err != nil {
			return nil, false, err
		}
	}
	return ops, writes, nil
}

// overflow returns an argument of BITFIELD's OVERFLOW.
func (c *call) overflow(i int) (brock.Overflow, error) {
	switch {
	case c.is(i, "WRAP"):
		return brock.Wrap, nil
	case c.is(i, "SAT"):
		return brock.Sat, nil
	case c.is(i, "FAIL"):
		return brock.Fail, nil
	}
	return 0, Error("ERR Invalid OVERFLOW type specified")
}

// bitFieldAt returns two arguments as the type and offset of an integer.
func (c *call) bitFieldAt(i int) (typ brock.BitType, offset int64, err error) {
	name := cString(c.str(i))
	if name == "" || name[0] != 'i' && name[0] != 'u' {
		return typ, 0, errBitType
	}
	bits, ok := integer.Parse([]byte(name[1:]))
	most := int64(64)
	if name[0] == 'u' {
		most = 63
	}
	if !ok || bits < 1 || bits > most {
		return typ, 0, errBitType
	}
	typ = brock.Int(int(bits))
	if name[0] == 'u' {
		typ = brock.Uint(int(bits))
	}
	arg, factor := c.args[i+1], int64(1)
	if len(arg) > 0 && arg[0] == '#' {
		arg, factor = arg[1:], bits
	}
	offset, err = c.bitOffset(arg, factor)
	return typ, offset, err
}

// bitOffset reads the offset of a bit, in units of so many bits.
func (c *call) bitOffset(arg []byte, unit int64) (offset int64, err error) {
	offset, ok := integer.Parse(arg)
	if offset *= unit; !ok || offset < 0 || offset>>3 >= c.srv.config.maxValue() {
		return 0, errBitOffset
	}
	return offset, nil
}

// bitFields replies the results of BITFIELD.
func (c *call) bitFields(results []brock.OptionalInt, err error) error {
	if err != nil {
		return err
	}
	c.out.array(len(results))
	for _, r := range results {
		if r.OK {
			c.out.int(r.Value)
		} else {
			c.out.null()
		}
	}
	return nil
}

// runGetBit is GETBIT key offset.
func runGetBit(c *call) error {
	offset, err := c.bitOffset(c.args[2], 1)
	if err != nil {
		return err
	}
	return c.yes(c.db.GetBit(c.str(1), offset))
}

// runSetBit is SETBIT key offset value.
func runSetBit(c *call) error {
	offset, err := c.bitOffset(c.args[2], 1)
	if err != nil {
		return err
	}
	bit, ok := integer.Parse(c.args[3])
	if !ok || bit != 0 && bit != 1 {
		return errBitValue
	}
	return c.yes(c.db.SetBit(c.str(1), offset, bit == 1))
}
