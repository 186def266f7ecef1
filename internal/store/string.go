package store

import (
	"slices"

	"github.com/brockdb/brock/internal/page"
)

// Strings. A value that fits with its key in InlineMax stands in the entry; a
// longer one is an object of raw bytes, which a change of some bytes does not
// copy.

// MaxString is the highest length of a string, as in Redis.
const MaxString = page.MaxString

// fitsInline tells whether a value of n bytes stands in the entry of key.
func fitsInline(key string, n int) bool { return len(key)+n <= InlineMax }

// StringSet makes value the key's value, whatever it held before (old, nil if
// nothing), with a deadline or none (0).
func (t *Tx) StringSet(db int, key string, old *Entry, value []byte, deadline int64) error {
	e := Entry{Type: String, Deadline: deadline}
	return t.stringSet(db, key, old, &e, value)
}

// StringSetText is StringSet for a value that is no integer even if it reads as
// one, see Entry.
func (t *Tx) StringSetText(db int, key string, old *Entry, value []byte, deadline int64) error {
	e := Entry{Type: String, Text: true, Deadline: deadline}
	return t.stringSet(db, key, old, &e, value)
}

// stringSet puts an entry with a value.
func (t *Tx) stringSet(db int, key string, old, e *Entry, value []byte) error {
	if err := t.Reserve(len(key) + len(value)); err != nil {
		return err
	}
	if old != nil && old.Object != 0 {
		if err := t.enterObject(*old); err != nil {
			return err
		}
	}
	if fitsInline(key, len(value)) {
		e.Inline = value
	} else {
		e.Object = t.newObject(page.PartitionOf(t.keyHash(key)))
		if err := t.newString(e.Object, value, 0); err != nil {
			return err
		}
	}
	return t.replaceEntry(db, key, old, e)
}

// enterObject makes sure that the partition of an entry's object is at hand.
func (t *Tx) enterObject(e Entry) error {
	if e.Object == 0 {
		return nil
	}
	return t.acc.Enter(int(e.Object >> 56))
}

// enter is enterObject for all that the entry of a key, stored as given, names.
func (t *Tx) enter(sp *space, hash uint64, stored string, e Entry) error {
	if _, err := t.nameObject(sp, hash, stored); err != nil {
		return err
	}
	return t.enterObject(e)
}

// replaceEntry puts an entry and drops the object of the old one, if there is
// one, whose partition is at hand.
func (t *Tx) replaceEntry(db int, key string, old, e *Entry) error {
	t.filled(t.spaces.dbs[db], t.keyHash(key))
	if err := t.putEntry(db, key, e); err != nil {
		return err
	}
	if old != nil && old.Object != 0 && old.Object != e.Object {
		return t.drop(old.Object)
	}
	return nil
}

// StringGet returns a copy of a string entry's value.
func (t *Tx) StringGet(e *Entry) ([]byte, error) {
	if e.Object == 0 {
		return append(make([]byte, 0, len(e.Inline)), e.Inline...), nil
	}
	n, err := t.acc.StringLen(e.Object)
	if err == nil {
		err = t.copies(int(n))
	}
	if err != nil {
		return nil, err
	}
	return t.acc.StringGet(e.Object, 0, int(n))
}

// StringLen returns the length of a string entry's value.
func (t *Tx) StringLen(e Entry) (int, error) {
	if e.Object == 0 {
		return len(e.Inline), nil
	}
	n, err := t.acc.StringLen(e.Object)
	return int(n), err
}

// StringRange returns a copy of n bytes from off on, all of which exist.
func (t *Tx) StringRange(e Entry, off, n int) ([]byte, error) {
	if e.Object == 0 {
		return append(make([]byte, 0, n), e.Inline[off:off+n]...), nil
	}
	if err := t.copies(n); err != nil {
		return nil, err
	}
	return t.acc.StringGet(e.Object, uint64(off), n)
}

// StringChunk returns some bytes from off on, at least one, without a copy:
// valid until the next change or the end of the command.
func (t *Tx) StringChunk(e Entry, off int) ([]byte, error) {
	if e.Object == 0 {
		return e.Inline[off:], nil
	}
	return t.acc.StringChunk(e.Object, uint64(off))
}

// StringWrite puts b at off in the value of a key, extending it with zeroes
// where needed, and returns the new length. The value is Converted from then
// on. e is the key's entry; a zero Entry if the key is absent. Cost: O(len(b))
// for a value of its own pages.
func (t *Tx) StringWrite(db int, key string, e Entry, off int, b []byte) (int, error) {
	if err := t.Reserve(len(key) + len(b)); err != nil {
		return 0, err
	}
	n := 0
	if e.Type != None {
		var err error
		if n, err = t.StringLen(e); err != nil {
			return 0, err
		}
	}
	end := max(n, off+len(b))
	if e.Object != 0 {
		if err := t.write(e.Object, uint64(off), b); err != nil {
			return 0, err
		}
		return end, t.Convert(db, key, e)
	}
	inline := e.Inline
	e.Type, e.Converted, e.Text = String, true, false
	if fitsInline(key, end) {
		e.Inline = make([]byte, end, InlineMax)
		copy(e.Inline, inline)
		copy(e.Inline[off:], b)
		return end, t.Put(db, key, e)
	}
	e.Object, e.Inline = t.newObject(page.PartitionOf(t.keyHash(key))), nil
	if err := t.newString(e.Object, inline, end); err != nil {
		return 0, err
	}
	if len(b) > 0 {
		if err := t.write(e.Object, uint64(off), b); err != nil {
			return 0, err
		}
	}
	return end, t.Put(db, key, e)
}

// StringPart is how many bytes fill of StringBuild is asked for at most, and a
// part of StringRun has.
const StringPart = page.ChunkBytes

// StringRun appends to parts the n bytes of a string entry's value from off on,
// all of which exist, in parts of StringPart bytes, shorter where the rest of one
// is zero. off is a multiple of StringPart. Valid until Release.
func (t *Tx) StringRun(parts [][]byte, e *Entry, off, n int) ([][]byte, error) {
	if e.Object == 0 {
		return append(parts, e.Inline[off:off+n]), nil
	}
	return t.acc.StringRun(parts, e.Object, uint64(off), n)
}

// StringBuild makes the value of a key a string of length bytes, whatever the key
// held before, which is Converted. fill writes to b those from off on, part by
// part; it may read strings that are there, and give pages up by Release. What is
// all zero takes no memory. For private transactions.
func (t *Tx) StringBuild(db int, key string, length int, fill func(b []byte, off int) error) error {
	e := Entry{Type: String, Converted: true}
	switch {
	case fitsInline(key, length):
		e.Inline = make([]byte, length)
		if err := fill(e.Inline, 0); err != nil {
			return err
		}
	default:
		e.Object = t.newObject(page.PartitionOf(t.keyHash(key)))
		if err := t.fillString(e.Object, length, fill); err != nil {
			return err
		}
	}
	old, _, err := t.LookupForWrite(db, key)
	if err != nil {
		return err
	}
	if old.Object != 0 {
		t.After(t.s.nudge) // its memory is as good as the new one's
	}
	return t.replaceEntry(db, key, &old, &e)
}

// recordHead is more than what stands before the bytes of a record of a part.
const recordHead = 32

// fillString makes a new object with what fill writes.
func (t *Tx) fillString(obj uint64, length int, fill func(b []byte, off int) error) error {
	if length <= StringPart {
		b := make([]byte, length)
		if err := fill(b, 0); err != nil {
			return err
		}
		return t.newString(obj, b, 0)
	}
	if err := t.newString(obj, nil, length); err != nil {
		return err
	}
	if !t.silent {
		t.recs = slices.Grow(t.recs, length+length/StringPart*recordHead)
	}
	for off := 0; off < length; off += StringPart {
		n := min(StringPart, length-off)
		b, err := t.acc.FillChunk(obj, uint64(off/StringPart), n, func(b []byte) error { return fill(b, off) })
		if err != nil {
			return err
		}
		if b != nil {
			t.log(opWrite, obj)
			t.argUint(uint64(off))
			t.arg(b)
		}
	}
	return nil
}

// Convert marks the value of a key, whose entry is e, as Converted.
func (t *Tx) Convert(db int, key string, e Entry) error {
	if e.Converted {
		return nil
	}
	e.Converted, e.Text = true, false
	return t.Put(db, key, e)
}

// Ready makes sure that a change of a key cannot fail later for want of a
// partition: a command of several keys asks for each before its first change.
func (t *Tx) Ready(db int, key string) error {
	sp, hash, stored := t.spaces.dbs[db], t.keyHash(key), t.stored(key)
	b, err := t.raw(sp, hash, stored)
	if err != nil || b == nil {
		return err
	}
	e, err := decodeEntry(b)
	if err != nil {
		return err
	}
	return t.enter(sp, hash, stored, e)
}
