package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// Names: keys, fields and members. One of up to ShortName bytes stands in its
// hashed page as it is. Of a longer one there stands its short form, and the
// whole name elsewhere: a key's in a string object that its entry names, that
// of a field or member in pages of its object, which its element names.
//
// A short form is the name's first ShortName bytes and the SHA-256 of all. No
// short name is as long, so that the two never collide; and a hash of it is a
// hash over all of the name, so that pages split and merge without looking at
// whole names.
const (
	// ShortName is the highest length of a name that stands in its page.
	ShortName = 1 << 10
	shortForm = ShortName + sha256.Size
	// nameRef is the length of the reference to the pages of a field or
	// member: number u32, length u64, see page.Access.SubPut.
	nameRef = page.RefSize
)

// longName is a name above ShortName bytes with what stands for it.
type longName struct {
	name string
	form string
	hash uint64
}

// longNames is how many long names a transaction remembers: those of one
// command.
const longNames = 4

// newLongName makes the short form of a name. What exceeds MaxString is no
// name: it gets one that is nobody's.
func (s *Store) newLongName(name string) longName {
	form := append(make([]byte, 0, shortForm), name[:ShortName]...)
	if len(name) <= MaxString {
		form = appendSum(form, bytesOf(name))
	}
	l := longName{name: name, form: stringOf(form[:shortForm])}
	l.hash = s.mem.Hash(l.form)
	return l
}

// sumPiece is how much of a name is summed at once: nothing interrupts that, and a
// collection of garbage waits for it.
const sumPiece = 256 << 10

// appendSum appends the sum of a name.
func appendSum(form, name []byte) []byte {
	if len(name) <= sumPiece {
		sum := sha256.Sum256(name)
		return append(form, sum[:]...)
	}
	h := sha256.New()
	for piece := range slices.Chunk(name, sumPiece) {
		_, _ = h.Write(piece)
	}
	return h.Sum(form)
}

// bytesOf views a string as bytes, which must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// stringOf views bytes that nobody changes any more as a string.
func stringOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// hashOf returns the hash of a name.
func (s *Store) hashOf(name string) uint64 {
	if len(name) > ShortName {
		return s.newLongName(name).hash
	}
	return s.mem.Hash(name)
}

// long returns what stands for a name above ShortName bytes. Commands ask for
// the same names several times.
func (t *Tx) long(name string) *longName {
	for i := range t.longs {
		l := &t.longs[i]
		if len(l.name) == len(name) && unsafe.StringData(l.name) == unsafe.StringData(name) {
			return l
		}
	}
	t.remember(t.s.newLongName(name))
	return &t.longs[len(t.longs)-1]
}

// remember notes what stands for a name.
func (t *Tx) remember(l longName) {
	if len(t.longs) == longNames {
		t.longs = append(t.longs[:0], t.longs[1:]...)
	}
	t.longs = append(t.longs, l)
}

// writeLong is WriteKey for a key above ShortName bytes.
func (s *Store) writeLong(key string, later *Later, fn func(*Tx) error) error {
	l := s.newLongName(key)
	return s.write(s.maskOf(l.hash), "", 0, later, func(t *Tx) error {
		t.remember(l)
		return fn(t)
	})
}

// stored returns what stands for a key in its directory.
func (t *Tx) stored(key string) string {
	if len(key) <= ShortName {
		return key
	}
	return t.long(key).form
}

// field returns what stands for a field or member in its object's table, and
// the hash of that.
func (t *Tx) field(name string) (stored string, hash uint64) {
	if len(name) <= ShortName {
		return name, t.s.mem.Hash(name)
	}
	l := t.long(name)
	return l.form, l.hash
}

// validStored tells whether a name may stand in a hashed page.
func validStored(name string) bool { return len(name) <= ShortName || len(name) == shortForm }

// readyName makes sure that a change of a long key cannot fail later: the key
// may go with its last element, and the object with the whole key with it.
func (t *Tx) readyName(sp *space, key string) error {
	if len(key) > MaxString {
		return ErrTooLong
	}
	l := *t.long(key)
	_, err := t.nameObject(sp, l.hash, l.form)
	return err
}

// putLong is putEntry for a long key. The entry names the object with the whole
// key: that of the key's old entry or, if there is none, a new one in the key's
// partition.
func (t *Tx) putLong(sp *space, key string, e *Entry) error {
	l := *t.long(key)
	old, err := t.raw(sp, l.hash, l.form)
	if err != nil {
		return err
	}
	obj := entryNameOf(old)
	if obj == 0 {
		obj = t.newObject(page.PartitionOf(l.hash))
		if err := t.newString(obj, bytesOf(key), 0); err != nil {
			return err
		}
	}
	t.entry = withName(e.append(t.entry[:0]), obj)
	return t.put(sp, l.hash, l.form, t.entry)
}

// nameObject returns the number of the object with the whole of a key, stored
// as given, and makes sure that its partition is at hand; 0 if the key is short.
func (t *Tx) nameObject(sp *space, hash uint64, stored string) (uint64, error) {
	if len(stored) <= ShortName {
		return 0, nil
	}
	b, err := t.raw(sp, hash, stored)
	obj := entryNameOf(b)
	if err != nil || obj == 0 {
		return 0, err
	}
	return obj, t.acc.Enter(int(obj >> 56))
}

// keyOf returns the whole of a key that is stored as given.
func (t *Tx) keyOf(sp *space, hash uint64, stored string) (string, error) {
	obj, err := t.nameObject(sp, hash, stored)
	if err != nil || obj == 0 {
		return stored, err
	}
	return t.wholeKey(obj)
}

// wholeKey returns the key that a name object holds.
func (t *Tx) wholeKey(obj uint64) (string, error) {
	n, err := t.acc.StringLen(obj)
	if err != nil {
		return "", err
	}
	if n <= ShortName {
		return "", fmt.Errorf("store: object %#x: key of %d bytes: %w", obj, n, engine.ErrCorrupt)
	}
	b, err := t.acc.StringGet(obj, 0, int(n))
	return stringOf(b), err
}

// splitField divides what a table holds for a field or member: the reference
// to the whole name, none for a short one, and the element.
func splitField(stored string, value []byte) (ref, element []byte, err error) {
	if len(stored) <= ShortName || value == nil {
		return nil, value, nil
	}
	if len(value) < nameRef {
		return nil, nil, fmt.Errorf("store: long name with %d bytes: %w", len(value), engine.ErrCorrupt)
	}
	return value[:nameRef:nameRef], value[nameRef:], nil
}

// putField stores a long field or member in pages of its object and returns
// the reference.
func (t *Tx) putField(obj uint64, name string) ([]byte, error) {
	sub, err := t.acc.SubPut(obj, bytesOf(name))
	if err != nil {
		return nil, err
	}
	ref := binary.LittleEndian.AppendUint32(make([]byte, 0, nameRef), sub)
	return binary.LittleEndian.AppendUint64(ref, uint64(len(name))), nil
}

// readRef reads a reference to a whole name.
func readRef(ref []byte) (sub uint32, n int, err error) {
	size := binary.LittleEndian.Uint64(ref[4:])
	if size <= ShortName || size > MaxString {
		return 0, 0, fmt.Errorf("store: name of %d bytes: %w", size, engine.ErrCorrupt)
	}
	return binary.LittleEndian.Uint32(ref), int(size), nil
}

// wholeField returns the field or member that a reference leads to; without
// one it is a copy of what is stored.
func (t *Tx) wholeField(obj uint64, stored, ref []byte) (string, error) {
	if ref == nil {
		return string(stored), nil
	}
	sub, n, err := readRef(ref)
	if err != nil {
		return "", err
	}
	b, err := t.acc.SubGet(obj, sub, n)
	return stringOf(b), err
}

// openField returns the name of a field or member, and its element, of what a
// table holds for it.
func (t *Tx) openField(obj uint64, stored, value []byte) (name string, element []byte, err error) {
	ref, element, err := splitField(stringOf(stored), value)
	if err == nil {
		name, err = t.wholeField(obj, stored, ref)
	}
	return name, element, err
}

// dropField frees the pages that a reference leads to, if there is one.
func (t *Tx) dropField(obj uint64, ref []byte) error {
	if ref == nil {
		return nil
	}
	sub, n, err := readRef(ref)
	if err == nil {
		t.acc.SubDelete(obj, sub, n)
	}
	return err
}
