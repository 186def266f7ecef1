package store

import (
	"math"
	"slices"

	"github.com/brockdb/brock/internal/page"
)

// Lists: packed (see packed.go), or a tree of an object whose items are
// addressed by position.

// ListPush puts values, one after the other, before the list at key (head) or
// behind it and returns its length. e is the key's entry; a zero Entry if the
// key is absent.
func (t *Tx) ListPush(db int, key string, e Entry, values [][]byte, head bool) (length int, err error) {
	if err := reserveAll(t, values, func(v []byte) int { return len(v) }); err != nil {
		return 0, err
	}
	if e.Object != 0 {
		return t.push(e, values, head)
	}
	e.Type = List
	size := len(e.Inline)
	for _, v := range values {
		size += packedSize(len(v))
	}
	if !fitsInline(key, size) {
		if e, err = t.unpackList(key, e, packed(e.Inline)); err != nil {
			return 0, err
		}
		if length, err = t.push(e, values, head); err != nil {
			return 0, err
		}
		return length, t.Put(db, key, e)
	}
	var buf packedBuf
	p := packed(buf[:0])
	if head {
		for _, v := range slices.Backward(values) {
			p = appendPacked(p, v)
		}
		p = append(p, e.Inline...)
	} else {
		p = append(p, e.Inline...)
		for _, v := range values {
			p = appendPacked(p, v)
		}
	}
	if length, err = p.count(); err != nil {
		return 0, err
	}
	return length, t.putPacked(db, key, e, p)
}

// push puts values at an end of a list object.
func (t *Tx) push(e Entry, values [][]byte, head bool) (length int, err error) {
	if len(values) == 0 {
		return t.Len(e)
	}
	for len(values) > 0 {
		n, err := t.pushSome(e.Object, values, head)
		if err != nil {
			return 0, err
		}
		values = values[n:]
	}
	return int(t.acc.Counted()), nil
}

// pushSome puts the first of values at an end of a list object, those that are
// short at once, and returns how many.
func (t *Tx) pushSome(obj uint64, values [][]byte, head bool) (n int, err error) {
	if len(values) > 1 {
		if items := t.elements(values); len(items) > 1 {
			return len(items), t.insertAll(obj, head, values[:len(items)], items)
		}
	}
	pos := uint64(math.MaxUint64)
	if head {
		pos = 0
	}
	return 1, t.insert(obj, pos, values[0])
}

// unpackList makes an object of what a packed list holds, and returns the
// entry for it, which the caller puts once the object is complete. The bytes
// of p may be those of a page: the list's partition gets new pages, while
// those of the directory stay what they are.
func (t *Tx) unpackList(key string, e Entry, p packed) (Entry, error) {
	e, err := t.unpacked(key, e)
	if err != nil {
		return e, err
	}
	for at := 0; at < len(p); {
		var elem []byte
		if elem, at, err = p.next(at); err != nil {
			return e, err
		}
		if err := t.insert(e.Object, math.MaxUint64, elem); err != nil {
			return e, err
		}
	}
	return e, nil
}

// ListPop takes up to n elements from the head of the list at key, or from its
// tail, the last one first, and appends copies of them to dst. The key goes
// with its last element.
func (t *Tx) ListPop(dst [][]byte, db int, key string, e Entry, n int, head bool) ([][]byte, error) {
	length, err := t.Len(e)
	if err != nil {
		return dst, err
	}
	n = min(n, length)
	if n <= 0 {
		return dst, nil
	}
	first := 0
	if !head {
		first = length - n
	}
	had := len(dst)
	if dst, err = t.ListRange(dst, e, first, n); err != nil {
		return dst, err
	}
	if !head {
		slices.Reverse(dst[had:])
	}
	return dst, t.removeElements(db, key, e, length, first, n)
}

// removeElements removes n of length elements of the list at key, from first
// on, with the key if none is left.
func (t *Tx) removeElements(db int, key string, e Entry, length, first, n int) error {
	if n == length {
		_, err := t.Delete(db, key)
		return err
	}
	if e.Object != 0 {
		return t.removeRange(e.Object, uint64(first), uint64(n))
	}
	var buf packedBuf
	p := append(packed(buf[:0]), e.Inline...)
	_, start, _, err := p.seek(first)
	if err != nil {
		return err
	}
	_, _, end, err := p.seek(first + n - 1)
	if err != nil {
		return err
	}
	return t.putPacked(db, key, e, p.cut(start, end))
}

// ListIndex returns a copy of the element at a position, which exists.
func (t *Tx) ListIndex(e Entry, pos int) ([]byte, error) {
	if e.Object != 0 {
		r, err := t.acc.TreeRun(tree(List, e.Object), uint64(pos))
		if err != nil {
			return nil, err
		}
		return t.value(e.Object, r.Item(uint64(pos)), true)
	}
	elem, _, _, err := packed(e.Inline).seek(pos)
	return append(make([]byte, 0, len(elem)), elem...), err
}

// ListRange appends copies of n elements from a position on, all of which
// exist, to dst.
func (t *Tx) ListRange(dst [][]byte, e Entry, first, n int) ([][]byte, error) {
	dst = slices.Grow(dst, n)
	if e.Object != 0 {
		return t.rangeObject(dst, e.Object, uint64(first), uint64(first+n))
	}
	p := packed(e.Inline)
	_, at, _, err := p.seek(first)
	for ; err == nil && n > 0; n-- {
		if at >= len(p) {
			return dst, errPacked(p)
		}
		var elem []byte
		if elem, at, err = p.next(at); err == nil {
			dst = append(dst, append(make([]byte, 0, len(elem)), elem...))
		}
	}
	return dst, err
}

// rangeObject appends copies of the elements at positions [at,end) to dst.
func (t *Tx) rangeObject(dst [][]byte, obj, at, end uint64) ([][]byte, error) {
	for at < end {
		r, err := t.acc.TreeRun(tree(List, obj), at)
		if err != nil {
			return dst, err
		}
		for stop := min(end, r.End()); at < stop; at++ {
			v, err := t.value(obj, r.Item(at), true)
			if err != nil {
				return dst, err
			}
			dst = append(dst, v)
		}
		if at < end {
			t.pageDone()
		}
	}
	return dst, nil
}

// ListInsert puts value before the first element equal to pivot, or behind it,
// and returns the new length, -1 if there is no such element.
func (t *Tx) ListInsert(db int, key string, e Entry, pivot, value []byte, after bool) (length int, err error) {
	if err := t.Reserve(len(value)); err != nil {
		return 0, err
	}
	if e.Object != 0 {
		pos, found, err := t.listFind(e, pivot)
		if err != nil {
			return 0, err
		}
		if !found {
			return -1, nil
		}
		if err := t.insert(e.Object, pos+flag(after), value); err != nil {
			return 0, err
		}
		return t.Len(e)
	}
	p := packed(e.Inline)
	i, at, end, err := p.find(pivot)
	if err != nil {
		return 0, err
	}
	if end == 0 {
		return -1, nil
	}
	if after {
		i, at = i+1, end
	}
	if !fitsInline(key, len(p)+packedSize(len(value))) {
		if e, err = t.unpackList(key, e, p); err != nil {
			return 0, err
		}
		if err := t.insert(e.Object, uint64(i), value); err != nil {
			return 0, err
		}
		if length, err = t.Len(e); err != nil {
			return 0, err
		}
		return length, t.Put(db, key, e)
	}
	var buf packedBuf
	p = append(appendPacked(append(packed(buf[:0]), p[:at]...), value), p[at:]...)
	if length, err = p.count(); err != nil {
		return 0, err
	}
	return length, t.putPacked(db, key, e, p)
}

// fewItems is how far a walk over cold leaves steps as long as it does not know
// how long they are.
const fewItems = 64

// listFind returns the position of the first element equal to value. Once it
// has met a cold page it only looks for more of them.
func (t *Tx) listFind(e Entry, value []byte) (pos uint64, found bool, err error) {
	n, err := t.Len(e)
	if err != nil {
		return 0, false, err
	}
	var m misses
	for at, step := uint64(0), uint64(fewItems); at < uint64(n); {
		r, err := t.acc.TreeRun(tree(List, e.Object), at)
		if err == nil && m.err == nil {
			if pos, found, err = t.runFind(e.Object, r, value); found {
				return pos, true, nil
			}
		}
		switch {
		case err == nil:
			step = uint64(r.Len())
			at = r.End()
			t.pageDone()
		case m.add(err):
			at += step
		default:
			return 0, false, err
		}
	}
	return 0, false, m.err
}

// runFind is listFind within one leaf.
func (t *Tx) runFind(obj uint64, r page.Run, value []byte) (pos uint64, found bool, err error) {
	for pos = r.First; pos < r.End(); pos++ {
		item := r.Item(pos)
		_, n, err := elementRef(item)
		if err != nil {
			return 0, false, err
		}
		if n == 0 && len(item)-1 != len(value) || n > 0 && n != len(value) {
			continue
		}
		b, err := t.value(obj, item, false)
		if err != nil {
			return 0, false, err
		}
		if string(b) == string(value) {
			return pos, true, nil
		}
	}
	return 0, false, nil
}

// ListTrim keeps n elements of the list at key, from first on, and removes the
// others, with the key if n is 0.
func (t *Tx) ListTrim(db int, key string, e Entry, first, n int) error {
	length, err := t.Len(e)
	switch {
	case err != nil || n == length:
		return err
	case n == 0:
		_, err := t.Delete(db, key)
		return err
	}
	behind := length - first - n
	if e.Object == 0 {
		p := packed(e.Inline)
		_, start, _, err := p.seek(first)
		if err != nil {
			return err
		}
		_, _, end, err := p.seek(first + n - 1)
		if err != nil {
			return err
		}
		return t.putPacked(db, key, e, p[start:end])
	}
	if err := t.warmRange(e.Object, 0, uint64(first)); err != nil {
		return err
	}
	if err := t.warmRange(e.Object, uint64(first+n), uint64(length)); err != nil {
		return err
	}
	if behind > 0 {
		if err := t.removeRange(e.Object, uint64(first+n), uint64(behind)); err != nil {
			return err
		}
	}
	if first > 0 {
		if err := t.removeRange(e.Object, 0, uint64(first)); err != nil {
			return err
		}
	}
	return nil
}

// warmRange asks for the leaves with the elements at positions [at,end).
func (t *Tx) warmRange(obj, at, end uint64) error {
	var m misses
	for step := uint64(fewItems); at < end; {
		r, err := t.acc.TreeRun(tree(List, obj), at)
		switch {
		case err == nil:
			step = uint64(r.Len())
			at = r.End()
		case m.add(err):
			at += step
		default:
			return err
		}
	}
	return m.err
}
