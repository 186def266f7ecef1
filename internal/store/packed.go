package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// packed is a small list, set or hash as it stands in its key's entry: its
// elements, one behind the other, each as length (uvarint) and bytes. A hash
// has two for each field, its name and its value.
//
// A collection is packed as long as it fits in the entry, see fitsInline; what
// outgrows that becomes an object and stays one. A change of a packed
// collection writes the whole entry, which is its record, too.
//
// Methods trust nothing: what is malformed is an error.
type packed []byte

// span is where a field with its value, or a member, stands: its first byte,
// that of the value, and the one behind. The zero span is none.
type span struct{ from, mid, to int }

// found tells whether the span is one.
func (s span) found() bool { return s.to != 0 }

// errPacked reports a packed collection that makes no sense.
func errPacked(p packed) error {
	return fmt.Errorf("store: packed collection of %d bytes: %w", len(p), engine.ErrCorrupt)
}

// next returns the element at an offset below the length, and the offset
// behind it.
func (p packed) next(at int) (elem []byte, end int, err error) {
	n, w := uint64(p[at]), 1
	if n >= 0x80 {
		n, w = binary.Uvarint(p[at:])
	}
	if w <= 0 || n > uint64(len(p)-at-w) {
		return nil, 0, errPacked(p)
	}
	at += w
	end = at + int(n)
	return p[at:end:end], end, nil
}

// count returns the number of elements.
func (p packed) count() (n int, err error) {
	for at := 0; at < len(p); n++ {
		if _, at, err = p.next(at); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// seek returns the element numbered i from 0 on and where it begins and ends;
// end is 0 if there are fewer.
func (p packed) seek(i int) (elem []byte, start, end int, err error) {
	for at := 0; at < len(p); i-- {
		start = at
		if elem, at, err = p.next(at); err != nil {
			return nil, 0, 0, err
		}
		if i == 0 {
			return elem, start, at, nil
		}
	}
	return nil, 0, 0, nil
}

// find returns where the first element equal to name begins and ends; end is 0
// if there is none. i is its number.
func (p packed) find(name []byte) (i, start, end int, err error) {
	for at := 0; at < len(p); i++ {
		start = at
		var elem []byte
		if elem, at, err = p.next(at); err != nil {
			return 0, 0, 0, err
		}
		if string(elem) == string(name) {
			return i, start, at, nil
		}
	}
	return 0, 0, 0, nil
}

// field returns the group of width elements whose first is name.
func (p packed) field(name string, width int) (s span, err error) {
	for at := 0; at < len(p); {
		var elem []byte
		from := at
		if elem, at, err = p.next(at); err != nil {
			return span{}, err
		}
		s = span{from, at, at}
		if width == 2 {
			if at == len(p) {
				return span{}, errPacked(p)
			}
			if _, at, err = p.next(at); err != nil {
				return span{}, err
			}
			s.to = at
		}
		if string(elem) == name {
			return s, nil
		}
	}
	return span{}, nil
}

// cut removes the bytes from start up to end, in place.
func (p packed) cut(start, end int) packed { return p[:start+copy(p[start:], p[end:])] }

// replace puts b in the place of the bytes from start up to end, in place if
// there is capacity.
func (p packed) replace(start, end int, b []byte) packed { return slices.Replace(p, start, end, b...) }

// appendPacked appends an element.
func appendPacked[T string | []byte](p packed, elem T) packed {
	return append(binary.AppendUvarint(p, uint64(len(elem))), elem...)
}

// packedSize returns the bytes that an element of n bytes takes.
func packedSize(n int) int {
	size := n + 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// packedBuf is room on the stack for a packed collection and what a change may
// add to it before it is seen not to fit.
type packedBuf [2 * InlineMax]byte

// packedWidth returns how many packed elements one element of a collection of
// the type takes.
func packedWidth(typ Type) int {
	if typ == Hash {
		return 2
	}
	return 1
}

// Len returns the number of elements of the list, set or hash that e, possibly
// the zero Entry, holds.
func (t *Tx) Len(e Entry) (int, error) {
	if e.Object == 0 {
		n, err := packed(e.Inline).count()
		return n / packedWidth(e.Type), err
	}
	h, err := t.header(e.Object)
	if err != nil {
		return 0, err
	}
	return int(h.Count()), nil
}

// header returns the header of an object that is no string.
func (t *Tx) header(obj uint64) (page.Header, error) {
	h, err := t.acc.Header(obj)
	if err == nil && (h == nil || h.Count() > math.MaxInt) {
		err = fmt.Errorf("store: object %#x is no collection: %w", obj, engine.ErrCorrupt)
	}
	return h, err
}

// putPacked makes p what the key holds; a collection without elements is none.
func (t *Tx) putPacked(db int, key string, e Entry, p packed) error {
	if len(p) == 0 {
		_, err := t.Delete(db, key)
		return err
	}
	e.Inline = p
	return t.Put(db, key, e)
}

// pageDone is called between the pages of a long walk, when nothing of the
// last one is referred to any more: user transactions, which load pages as
// they go, give them up.
func (t *Tx) pageDone() {
	if t.user {
		t.acc.Release()
	}
}
