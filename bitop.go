package brock

import (
	"encoding/binary"
	"slices"

	"github.com/brockdb/brock/internal/store"
)

// BitOperation is how [DB.BitOp] combines bits.
type BitOperation int

const (
	// And sets a bit that is set in all sources.
	And BitOperation = iota
	// Or sets a bit that is set in one of them.
	Or
	// Xor sets a bit that is set in an odd number of them.
	Xor
	// Not sets a bit that is clear in the only one.
	Not
)

// BitOp makes the string at dst, whatever it held, what an operation makes of
// the bits of the strings at srcs, and returns its length: that of the longest
// one. Shorter ones and those that do not exist are extended with zeroes. Where
// all are empty dst is deleted.
//
// Errors: [ErrWrongType]; [ErrSyntax] without a source, with two of Not, and for
// an operation that there is not; [ErrTxTooLarge].
//
// Cost: O(length · len(srcs)), at some GB a second. Other writers wait as long,
// readers do not. The result is change records of 4 KB, but for those
// of nothing but zeroes; in [OpenMemory] there are none.
//
// Redis: BITOP AND | OR | XOR | NOT destkey key [key …].
func (c *commands) BitOp(op BitOperation, dst string, srcs ...string) (length int64, err error) {
	switch {
	case op < And || op > Not:
		err = ErrSyntax
	case len(srcs) == 0:
		err = &redisError{ErrSyntax, "ERR wrong number of arguments for 'bitop' command"}
	case op == Not && len(srcs) > 1:
		err = &redisError{ErrSyntax, "ERR BITOP NOT must be called with a single source key."}
	}
	if err != nil {
		return 0, c.refuse("bitop", dst, err)
	}
	err = c.exec("bitop", dst, func(t *store.Tx) error {
		o := bitOp{t: t, op: op}
		if err := o.open(c, srcs); err != nil {
			return err
		}
		if length = int64(o.length); length == 0 {
			_, err := c.del(t, dst)
			return err
		}
		if err := t.StringBuild(c.db, dst, o.length, o.fill); err != nil {
			return err
		}
		t.Emit(c.db, store.EventSet, dst)
		return nil
	})
	return result(length, err)
}

// bitOp is a BitOp that runs.
type bitOp struct {
	t       *store.Tx
	op      BitOperation
	sources []bitSource
	length  int
	scratch [2][store.StringPart]byte // for parts that are shorter than the result's
}

// bitSource is one source.
type bitSource struct {
	entry  store.Entry
	length int
	parts  [][]byte // what was looked up last
}

// open looks the sources up.
func (o *bitOp) open(c *commands, keys []string) error {
	for _, key := range keys {
		e, ok, err := c.lookupForWrite(o.t, key, store.String)
		lookedUp(o.t, ok, err)
		if err != nil {
			return err
		}
		n, err := o.t.StringLen(e)
		if err != nil {
			return err
		}
		e.Inline = slices.Clone(e.Inline) // the next one may have expired, which changes pages
		o.sources = append(o.sources, bitSource{entry: e, length: n})
		o.length = max(o.length, n)
	}
	return nil
}

// fill makes dst, a part of the result, the bytes from off on.
func (o *bitOp) fill(dst []byte, off int) error {
	if off%bitRun == 0 {
		if err := o.lookUp(off); err != nil {
			return err
		}
	}
	at := off % bitRun / store.StringPart
	first := o.sources[0].part(at, o.scratch[0][:len(dst)])
	switch {
	case o.op == Not:
		notBytes(dst, first)
	case len(o.sources) == 1:
		copy(dst, first)
	}
	for i := 1; i < len(o.sources); i++ {
		b := o.sources[i].part(at, o.scratch[1][:len(dst)])
		switch o.op {
		case And:
			andBytes(dst, first, b)
		case Or:
			orBytes(dst, first, b)
		default:
			xorBytes(dst, first, b)
		}
		first = dst
	}
	return nil
}

// lookUp looks up what the sources have from off on, and gives up what was
// looked up before.
func (o *bitOp) lookUp(off int) (err error) {
	o.t.Release()
	for i := range o.sources {
		s := &o.sources[i]
		s.parts = s.parts[:0]
		if n := min(bitRun, s.length-off); n > 0 {
			if s.parts, err = o.t.StringRun(s.parts, &s.entry, off, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// part returns a part of the source in the length of buf: in place or, if it is
// shorter, in buf, with zeroes behind it.
func (s *bitSource) part(at int, buf []byte) []byte {
	var b []byte
	if at < len(s.parts) {
		b = s.parts[at]
	}
	if len(b) >= len(buf) {
		return b[:len(buf)]
	}
	clear(buf[copy(buf, b):])
	return buf
}

// andBytes makes dst a & b, all of one length.
func andBytes(dst, a, b []byte) {
	for len(dst) >= 32 && len(a) >= 32 && len(b) >= 32 {
		put(dst, word(a)&word(b))
		put(dst[8:], word(a[8:])&word(b[8:]))
		put(dst[16:], word(a[16:])&word(b[16:]))
		put(dst[24:], word(a[24:])&word(b[24:]))
		dst, a, b = dst[32:], a[32:], b[32:]
	}
	for i := range dst {
		dst[i] = a[i] & b[i]
	}
}

// orBytes makes dst a | b, all of one length.
func orBytes(dst, a, b []byte) {
	for len(dst) >= 32 && len(a) >= 32 && len(b) >= 32 {
		put(dst, word(a)|word(b))
		put(dst[8:], word(a[8:])|word(b[8:]))
		put(dst[16:], word(a[16:])|word(b[16:]))
		put(dst[24:], word(a[24:])|word(b[24:]))
		dst, a, b = dst[32:], a[32:], b[32:]
	}
	for i := range dst {
		dst[i] = a[i] | b[i]
	}
}

// xorBytes makes dst a ^ b, all of one length.
func xorBytes(dst, a, b []byte) {
	for len(dst) >= 32 && len(a) >= 32 && len(b) >= 32 {
		put(dst, word(a)^word(b))
		put(dst[8:], word(a[8:])^word(b[8:]))
		put(dst[16:], word(a[16:])^word(b[16:]))
		put(dst[24:], word(a[24:])^word(b[24:]))
		dst, a, b = dst[32:], a[32:], b[32:]
	}
	for i := range dst {
		dst[i] = a[i] ^ b[i]
	}
}

// notBytes makes dst the complement of a, which is as long.
func notBytes(dst, a []byte) {
	for len(dst) >= 32 && len(a) >= 32 {
		put(dst, ^word(a))
		put(dst[8:], ^word(a[8:]))
		put(dst[16:], ^word(a[16:]))
		put(dst[24:], ^word(a[24:]))
		dst, a = dst[32:], a[32:]
	}
	for i := range dst {
		dst[i] = ^a[i]
	}
}

// word and put are eight bytes as one number.

func word(b []byte) uint64   { return binary.LittleEndian.Uint64(b) }
func put(b []byte, x uint64) { binary.LittleEndian.PutUint64(b, x) }
