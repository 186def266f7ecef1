package store

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// Sorted sets. An item is the score, 8 bytes that sort as the scores do, and
// the member: items in order of their bytes are in order of score, and of
// member where scores are equal. A small set is the packed sequence of its
// items, in order; a large one is an object whose tree has the items and whose
// table has the score of each member. A member above ShortName bytes stands in
// both in its short form: in an item the reference to the whole is behind it,
// in the table before the score.

const scoreBytes = 8

// sortable encodes a score that is not NaN: big-endian, with the sign bit
// flipped if it is positive, all bits if it is negative. -0 is 0.
func sortable(score float64) (b [scoreBytes]byte) {
	u := math.Float64bits(score)
	switch {
	case score == 0:
		u = 1 << 63
	case u>>63 != 0:
		u = ^u
	default:
		u |= 1 << 63
	}
	binary.BigEndian.PutUint64(b[:], u)
	return b
}

// scoreOf decodes what sortable encoded.
func scoreOf(b []byte) float64 {
	u := binary.BigEndian.Uint64(b)
	if u>>63 != 0 {
		return math.Float64frombits(u &^ (1 << 63))
	}
	return math.Float64frombits(^u)
}

// zitem returns the item that begins at an offset, checked, and where it ends.
func (p packed) zitem(at int) (item []byte, end int, err error) {
	item, end, err = p.next(at)
	if err == nil && len(item) < scoreBytes {
		err = errPacked(p)
	}
	return item, end, err
}

// zmember returns the item of a member, its number, and where it begins and
// ends; item is nil if there is none.
func (p packed) zmember(member string) (item []byte, rank, start, end int, err error) {
	for end < len(p) {
		start = end
		if item, end, err = p.zitem(start); err != nil {
			return nil, 0, 0, 0, err
		}
		if string(item[scoreBytes:]) == member {
			return item, rank, start, end, nil
		}
		rank++
	}
	return nil, 0, 0, 0, nil
}

// zplace returns where an item belongs that is not there.
func (p packed) zplace(item []byte) (at int, err error) {
	for at < len(p) {
		there, end, err := p.zitem(at)
		if err != nil {
			return 0, err
		}
		if string(there) > string(item) {
			break
		}
		at = end
	}
	return at, nil
}

// ZSetScore returns the score of a member of the sorted set that e, possibly
// the zero Entry, holds; ok is false if it is none.
func (t *Tx) ZSetScore(e Entry, member string) (score float64, ok bool, err error) {
	var b []byte
	if e.Object == 0 {
		b, _, _, _, err = packed(e.Inline).zmember(member)
	} else {
		_, b, err = t.scoreOfMember(e.Object, member)
	}
	if err != nil || b == nil {
		return 0, false, err
	}
	return scoreOf(b), true, nil
}

// scoreOfMember returns what an object's table has for a member: the score, nil
// if it is none, and the reference to the whole member if that is long.
func (t *Tx) scoreOfMember(obj uint64, member string) (ref, score []byte, err error) {
	stored, hash := t.field(member)
	b, err := t.acc.FieldGet(obj, hash, stored)
	if err == nil {
		ref, score, err = splitField(stored, b)
	}
	if err == nil && score != nil && len(score) != scoreBytes {
		err = fmt.Errorf("store: object %#x: score of %d bytes: %w", obj, len(score), engine.ErrCorrupt)
	}
	return ref, score, err
}

// order returns the tree of a sorted set's object, to look for a member in.
func order(obj uint64, member string) page.Tree {
	tr := tree(ZSet, obj)
	tr.Whole = member
	return tr
}

// appendItem appends what a tree holds for a member. Without ref it is good to
// look for a long member, in a tree that order has made.
func appendItem(b, score []byte, stored string, ref []byte) []byte {
	return append(append(append(b, score...), stored...), ref...)
}

// itemMember returns the member of an item of a tree.
func (t *Tx) itemMember(obj uint64, item []byte) (string, error) {
	switch n := len(item) - scoreBytes; {
	case n >= 0 && n <= ShortName:
		return string(item[scoreBytes:]), nil
	case n == shortForm+nameRef:
		return t.wholeField(obj, nil, item[len(item)-nameRef:])
	}
	return "", fmt.Errorf("store: object %#x: item of %d bytes: %w", obj, len(item), engine.ErrCorrupt)
}

// ZSetRank returns the position of a member in the order of scores; ok is
// false if it is none.
func (t *Tx) ZSetRank(e Entry, member string) (rank int, ok bool, err error) {
	if e.Object == 0 {
		item, rank, _, _, err := packed(e.Inline).zmember(member)
		return rank, item != nil, err
	}
	_, score, err := t.scoreOfMember(e.Object, member)
	if err != nil || score == nil {
		return 0, false, err
	}
	stored := t.stored(member)
	item := appendItem(make([]byte, 0, scoreBytes+len(stored)), score, stored, nil)
	at, _, err := t.acc.TreeFind(order(e.Object, member), item)
	return int(at), true, err
}

// ZSetEach calls fn with n members from position first on, all of which exist,
// in the order of scores.
func (t *Tx) ZSetEach(e Entry, first, n int, fn func(member string, score float64)) error {
	if e.Object == 0 {
		p := packed(e.Inline)
		for at, i := 0, 0; at < len(p) && i < first+n; i++ {
			item, end, err := p.zitem(at)
			if err != nil {
				return err
			}
			if i >= first {
				fn(string(item[scoreBytes:]), scoreOf(item))
			}
			at = end
		}
		return nil
	}
	tr := tree(ZSet, e.Object)
	for at, end := uint64(first), uint64(first+n); at < end; {
		r, err := t.acc.TreeRun(tr, at)
		if err != nil {
			return err
		}
		for stop := min(r.End(), end); at < stop; at++ {
			item := r.Item(at)
			member, err := t.itemMember(e.Object, item)
			if err != nil {
				return err
			}
			fn(member, scoreOf(item))
		}
		t.pageDone()
	}
	return nil
}

// ZSetEdit changes the sorted set of a key. A packed one is changed in a copy,
// which Done writes; a change of an object is made at once. The first change
// of an edit misses what is cold before it changes anything.
type ZSetEdit struct {
	t       *Tx
	db      int
	key     string
	e       Entry
	p       packed
	changed bool // p, or that e is converted, is not what the entry says

	known    bool   // until the next change: what the object's table has for a member
	asked    string // that member
	ref, old []byte // see scoreOfMember
}

// ZSetEdit begins a change. e is the key's entry, zero if it is absent.
func (t *Tx) ZSetEdit(db int, key string, e Entry) ZSetEdit {
	z := ZSetEdit{t: t, db: db, key: key, e: e}
	if e.Object == 0 {
		z.p = append(make(packed, 0, len(packedBuf{})), e.Inline...)
	}
	z.e.Type, z.e.Inline = ZSet, nil
	return z
}

// Score returns the score that a member has now.
func (z *ZSetEdit) Score(member string) (float64, bool, error) {
	e := z.e
	e.Inline = z.p
	return z.t.ZSetScore(e, member)
}

// ask looks a member of an object up, unless that was done last.
func (z *ZSetEdit) ask(member string) (err error) {
	if !z.known || z.asked != member {
		z.ref, z.old, err = z.t.scoreOfMember(z.e.Object, member)
		z.asked, z.known = member, err == nil
	}
	return err
}

// Set gives a member, of at most MaxString bytes, a score. A change with a
// member above ShortName bytes has to be a private transaction's: it compares
// whole members, which may be cold, on the way.
func (z *ZSetEdit) Set(member string, score float64) error {
	added, err := z.set(member, sortable(score))
	if err != nil || !added || z.e.Converted {
		return err
	}
	lim := z.t.s.limits.Load()
	z.e.Converted = len(member) > lim.ZSetValue
	if z.e.Object != 0 {
		z.t.convertGrown(&z.e, lim.ZSetEntries)
		z.changed = z.e.Converted
		return nil
	}
	e := z.e
	e.Inline = z.p
	err = z.t.convertLarge(&e, lim.ZSetEntries)
	z.e.Converted = e.Converted // z.p is changed anyway
	return err
}

// set is Set without a look at how Redis would hold the set; it tells whether
// the member is new.
func (z *ZSetEdit) set(member string, b [scoreBytes]byte) (added bool, err error) {
	if z.e.Object == 0 && len(member) > InlineMax {
		if err := z.promote(); err != nil {
			return false, err
		}
	}
	if z.e.Object != 0 {
		if err := z.ask(member); err != nil {
			return false, err
		}
		z.known = false
		return z.t.rescore(z.e.Object, member, b, z.ref, z.old)
	}
	item := append(append(make([]byte, 0, scoreBytes+len(member)), b[:]...), member...)
	old, _, start, end, err := z.p.zmember(member)
	if err != nil || string(old) == string(item) {
		return false, err
	}
	added = old == nil
	if !added {
		z.p = z.p.cut(start, end)
	}
	at, err := z.p.zplace(item)
	if err != nil {
		return false, err
	}
	z.p = z.p.replace(at, at, appendPacked(make(packed, 0, packedSize(len(item))), item))
	z.changed = true
	if !fitsInline(z.key, len(z.p)) {
		err = z.promote()
	}
	return added, err
}

// promote makes the packed set an object.
func (z *ZSetEdit) promote() error {
	t := z.t
	obj := t.newObject(page.PartitionOf(t.keyHash(z.key)))
	if err := t.create(obj, ZSet); err != nil {
		return err
	}
	for at := 0; at < len(z.p); {
		item, end, err := z.p.zitem(at)
		if err != nil {
			return err
		}
		if err := t.score(obj, string(item[scoreBytes:]), [scoreBytes]byte(item)); err != nil {
			return err
		}
		at = end
	}
	z.e.Object, z.p, z.changed = obj, nil, false
	return t.Put(z.db, z.key, z.e)
}

// Remove removes a member and tells whether it was there. The key goes with
// its last member.
func (z *ZSetEdit) Remove(member string) (removed bool, err error) {
	z.known = false
	if z.e.Object == 0 {
		item, _, start, end, err := z.p.zmember(member)
		if err != nil || item == nil {
			return false, err
		}
		z.p = z.p.cut(start, end)
		z.changed = true
		return true, nil
	}
	if removed, err = z.t.unscore(z.e.Object, member); err != nil || !removed {
		return false, err
	}
	h, err := z.t.header(z.e.Object)
	if err != nil || h.Count() > 0 {
		return true, err
	}
	z.e.Object = 0
	_, err = z.t.Delete(z.db, z.key)
	return true, err
}

// Done writes what is not written yet.
func (z *ZSetEdit) Done() error {
	if !z.changed {
		return nil
	}
	if z.e.Object != 0 {
		return z.t.Put(z.db, z.key, z.e)
	}
	return z.t.putPacked(z.db, z.key, z.e, z.p)
}
