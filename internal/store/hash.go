package store

import (
	"errors"

	"github.com/brockdb/brock/internal/page"
)

// Hashes, and what they share with sets: both are packed (see packed.go) or a
// table of an object, a set being one without values.

// Field is a field of a hash with its value.
type Field struct {
	Name  string
	Value []byte
}

// HashSet sets fields of the hash at key and returns how many are new. e is
// the key's entry; a zero Entry if the key is absent.
func (t *Tx) HashSet(db int, key string, e Entry, fields []Field) (added int, err error) {
	for i := range fields {
		if len(fields[i].Name) > MaxString {
			return 0, ErrTooLong
		}
	}
	if err := reserveAll(t, fields, func(f Field) int { return len(f.Name) + len(f.Value) }); err != nil {
		return 0, err
	}
	was, lim := e.Converted, t.s.limits.Load()
	convertHash(&e, fields, lim.HashValue)
	if e.Object != 0 {
		err := t.warmFields(e.Object, len(fields), func(i int) string { return fields[i].Name })
		if err != nil {
			return 0, err
		}
		if added, err = t.putFields(e.Object, fields); err != nil {
			return 0, err
		}
		switch {
		case added > 0:
			t.convertGrown(&e, lim.HashEntries)
		case lim.set:
			err = t.convertLarge(&e, lim.HashEntries)
		}
		if err != nil {
			return 0, err
		}
		return added, t.putConverted(db, key, e, was)
	}
	e.Type = Hash
	var buf packedBuf
	p := append(packed(buf[:0]), e.Inline...)
	for i := range fields {
		next, isNew, err := p.setField(InlineMax-len(key), &fields[i])
		if err != nil {
			return 0, err
		}
		if next == nil {
			if e, err = t.unpackFields(key, e, p); err != nil {
				return 0, err
			}
			n, err := t.putFields(e.Object, fields[i:])
			if err != nil {
				return 0, err
			}
			t.convertGrown(&e, lim.HashEntries)
			return added + n, t.Put(db, key, e)
		}
		p = next
		added += isNew
	}
	e.Inline = p
	if err := t.convertLarge(&e, lim.HashEntries); err != nil {
		return 0, err
	}
	return added, t.putPacked(db, key, e, p)
}

// setField sets a field of a packed hash, in place if there is capacity. It
// returns nil if the result would take more than room bytes, and 1 if the
// field is new.
func (p packed) setField(room int, f *Field) (out packed, isNew int, err error) {
	s, err := p.field(f.Name, 2)
	if err != nil {
		return nil, 0, err
	}
	size := packedSize(len(f.Value))
	if !s.found() {
		if len(p)+packedSize(len(f.Name))+size > room {
			return nil, 0, nil
		}
		return appendPacked(appendPacked(p, f.Name), f.Value), 1, nil
	}
	if len(p)+size-(s.to-s.mid) > room {
		return nil, 0, nil
	}
	var buf packedBuf
	return p.replace(s.mid, s.to, appendPacked(packed(buf[:0]), f.Value)), 0, nil
}

// putFields sets fields of a hash object whose leaves are in memory.
func (t *Tx) putFields(obj uint64, fields []Field) (added int, err error) {
	for i := range fields {
		isNew, err := t.fieldPut(obj, fields[i].Name, fields[i].Value, false)
		if err != nil {
			return 0, err
		}
		added += int(flag(isNew))
	}
	return added, nil
}

// HashGet returns a copy of a field's value; ok is false if it is absent.
func (t *Tx) HashGet(e Entry, field string) (value []byte, ok bool, err error) {
	if e.Object == 0 {
		p := packed(e.Inline)
		s, err := p.field(field, 2)
		if err != nil || !s.found() {
			return nil, false, err
		}
		b, _, err := p.next(s.mid)
		return append(make([]byte, 0, len(b)), b...), true, err
	}
	stored, hash := t.field(field)
	b, err := t.acc.FieldGet(e.Object, hash, stored)
	if err != nil || b == nil {
		return nil, false, err
	}
	if _, b, err = splitField(stored, b); err == nil {
		value, err = t.value(e.Object, b, true)
	}
	return value, true, err
}

// HashDelete removes fields of the hash at key, with the key if none is left,
// and returns how many there were.
func (t *Tx) HashDelete(db int, key string, e Entry, fields []string) (removed int, err error) {
	return t.removeFields(db, key, e, fields)
}

// HashEach calls fn with each field and its value, which are fn's to keep.
func (t *Tx) HashEach(e Entry, fn func(field string, value []byte)) error {
	if e.Object == 0 {
		p := packed(e.Inline)
		for at := 0; at < len(p); {
			name, mid, err := p.next(at)
			if err == nil && mid == len(p) {
				err = errPacked(p)
			}
			if err != nil {
				return err
			}
			value, end, err := p.next(mid)
			if err != nil {
				return err
			}
			fn(string(name), append(make([]byte, 0, len(value)), value...))
			at = end
		}
		return nil
	}
	return t.eachField(e.Object, func(stored, value []byte) error {
		name, element, err := t.openField(e.Object, stored, value)
		if err != nil {
			return err
		}
		if value, err = t.value(e.Object, element, true); err == nil {
			fn(name, value)
		}
		return err
	})
}

// maxMisses bounds how many cold pages a command asks for at a time.
const maxMisses = 256

// misses gathers the cold pages that a command meets before its first change,
// so that they are loaded together.
type misses struct {
	err error
	n   int
}

// add tells whether err is a miss, which it notes, and the search for more may
// go on.
func (m *misses) add(err error) bool {
	if !errors.Is(err, page.ErrCold) {
		return false
	}
	m.err = err
	m.n++
	return m.n < maxMisses
}

// warmFields asks for all that a change of n fields needs before the first is
// made.
func (t *Tx) warmFields(obj uint64, n int, name func(i int) string) error {
	if n == 1 {
		return nil // the change itself looks before it changes anything
	}
	var m misses
	for i := range n {
		stored, hash := t.field(name(i))
		if _, err := t.acc.FieldGet(obj, hash, stored); err != nil && !m.add(err) {
			return err
		}
	}
	return m.err
}

// unpackFields makes an object of what a packed hash or set holds, and returns
// the entry for it, which the caller puts once the object is complete.
func (t *Tx) unpackFields(key string, e Entry, p packed) (Entry, error) {
	e, err := t.unpacked(key, e)
	if err != nil {
		return e, err
	}
	for at := 0; at < len(p); {
		var name, value []byte
		if name, at, err = p.next(at); err != nil {
			return e, err
		}
		if e.Type == Hash {
			if value, at, err = p.next(at); err != nil {
				return e, err
			}
		}
		if _, err := t.fieldPut(e.Object, string(name), value, e.Type == Set); err != nil {
			return e, err
		}
	}
	return e, nil
}

// unpacked makes an empty object for the collection at key and returns the
// entry for it.
func (t *Tx) unpacked(key string, e Entry) (Entry, error) {
	e.Inline = nil
	e.Object = t.newObject(page.PartitionOf(t.keyHash(key)))
	return e, t.create(e.Object, e.Type)
}

// removeFields removes fields of a hash or members of a set, with the key if
// none is left, and returns how many there were.
func (t *Tx) removeFields(db int, key string, e Entry, names []string) (removed int, err error) {
	if e.Object == 0 {
		return t.removePacked(db, key, e, names)
	}
	if err := t.warmFields(e.Object, len(names), func(i int) string { return names[i] }); err != nil {
		return 0, err
	}
	for _, name := range names {
		was, err := t.fieldDelete(e.Object, name, e.Type == Set)
		if err != nil {
			return 0, err
		}
		removed += int(flag(was))
	}
	if n, err := t.Len(e); err != nil || n > 0 {
		return removed, err
	}
	_, err = t.Delete(db, key)
	return removed, err
}

// removePacked is removeFields for a packed collection.
func (t *Tx) removePacked(db int, key string, e Entry, names []string) (removed int, err error) {
	var buf packedBuf
	p := append(packed(buf[:0]), e.Inline...)
	for _, name := range names {
		s, err := p.field(name, packedWidth(e.Type))
		if err != nil {
			return 0, err
		}
		if s.found() {
			p = p.cut(s.from, s.to)
			removed++
		}
	}
	if removed == 0 {
		return 0, nil
	}
	return removed, t.putPacked(db, key, e, p)
}

// eachField calls fn with each field of an object as it is stored, see
// openField, valid until fn returns, in the order of leaves.
func (t *Tx) eachField(obj uint64, fn func(stored, value []byte) error) error {
	for pos := uint64(0); ; {
		leaf, err := t.acc.FieldLeaf(obj, pos)
		if err != nil {
			return err
		}
		leaf.Each(func(stored, value []byte) bool {
			err = fn(stored, value)
			return err == nil
		})
		if err != nil || leaf.End == ^uint64(0) {
			return err
		}
		pos = leaf.End + 1
		t.pageDone()
	}
}
