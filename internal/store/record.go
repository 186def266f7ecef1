package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// op is the first byte of a record. The numbers are part of the format.
type op uint8

// The records. One record reads and changes one partition alone, names what it
// changes, and says what to, never how it came about: replaying it needs no
// clock, no chance, and nothing of another partition.
const (
	opPut      op = 1 + iota // space, key, entry: the key's entry becomes this
	opDelete                 // space, key
	opCreate                 // object, type, shape
	opDrop                   // object
	opFieldPut               // object, field, element
	opFieldDel               // object, field
	opScore                  // object, score (8 bytes, sortable), member
	opUnscore                // object, member
	opInsert                 // object, position, element
	opReplace                // object, position, element
	opRemove                 // object, position, count
	opItemPut                // object, key, element: keyed by the first bytes
	opItemDel                // object, key
	opString                 // object, length, bytes: a new string
	opWrite                  // object, offset, bytes
	opAux                    // object, aux
	opSpaces                 // the map of databases
)

// tree returns the tree of an object of the type.
func tree(typ Type, obj uint64) page.Tree {
	switch typ {
	case ZSet:
		return page.Tree{Obj: obj, Root: 1, Key: -1, Cut: scoreBytes + ShortName}
	case Stream:
		return page.Tree{Obj: obj, Key: 16}
	case Queue:
		return page.Tree{Obj: obj, Key: 8}
	default:
		return page.Tree{Obj: obj}
	}
}

// shape returns how an object of the type is built.
func shape(typ Type) page.Shape {
	switch typ {
	case ZSet:
		return page.ShapeBoth
	case List, Stream, Queue:
		return page.ShapeTree
	default:
		return page.ShapeTable
	}
}

// log appends a record to the transaction.
func (t *Tx) log(o op, id uint64) {
	t.changed = true
	t.changes++
	if t.silent {
		return
	}
	t.recs = append(t.recs, byte(o))
	t.recs = binary.AppendUvarint(t.recs, id)
}

// arg appends a field of bytes to the last record.
func (t *Tx) arg(b []byte) {
	if !t.silent {
		t.recs = append(binary.AppendUvarint(t.recs, uint64(len(b))), b...)
	}
}

// argString appends a field of bytes to the last record.
func (t *Tx) argString(s string) {
	if !t.silent {
		t.recs = append(binary.AppendUvarint(t.recs, uint64(len(s))), s...)
	}
}

// argUint appends a number to the last record.
func (t *Tx) argUint(n uint64) {
	if !t.silent {
		t.recs = binary.AppendUvarint(t.recs, n)
	}
}

// dir returns the directory of a space for a key, creating it for a change;
// nil if there is none.
func (t *Tx) dir(sp *space, part int, create bool) (*page.Table, error) {
	if m := t.acc.Mode(); m == page.Snapshot || m == page.Private {
		return t.privateDir(sp, part, create), nil
	}
	if err := t.acc.Enter(part); err != nil {
		return nil, err
	}
	if sp.tables[part] == nil && create {
		sp.tables[part] = t.acc.NewDir(part, sp.id)
	}
	return sp.tables[part], nil
}

// privateDir is dir for a transaction whose changes nobody sees before its
// commit: a directory that it creates is its own until then.
func (t *Tx) privateDir(sp *space, part int, create bool) *page.Table {
	for _, d := range t.dirs {
		if d.sp == sp && d.part == part {
			return d.table
		}
	}
	p := t.s.mem.Part(part)
	p.RLock(t.acc.Lane)
	dir := sp.tables[part]
	p.RUnlock(t.acc.Lane)
	if dir == nil && create {
		dir = t.acc.NewDir(part, sp.id)
		t.dirs = append(t.dirs, newDir{sp, part, dir})
	}
	return dir
}

// newDir is a directory that a private transaction has created.
type newDir struct {
	sp    *space
	part  int
	table *page.Table
}

// raw returns the encoded entry of a key, nil if it is absent. Here and in the
// primitives below a key is as it is stored, see Tx.stored.
func (t *Tx) raw(sp *space, hash uint64, key string) ([]byte, error) {
	dir, err := t.dir(sp, page.PartitionOf(hash), false)
	if err != nil || dir == nil {
		return nil, err
	}
	return t.acc.DirGet(dir, hash, key)
}

// put makes entry (encoded) the key's entry. An object that the old entry
// names is the caller's concern.
func (t *Tx) put(sp *space, hash uint64, key string, entry []byte) error {
	dir, err := t.dir(sp, page.PartitionOf(hash), true)
	if err != nil {
		return err
	}
	old, err := t.acc.DirGet(dir, hash, key)
	if err != nil {
		return err
	}
	before, after := entryDeadlineOf(old), entryDeadlineOf(entry)
	added, err := t.acc.DirSet(dir, hash, key, entry)
	if err != nil {
		return err
	}
	if added {
		t.addKeys(sp, 1)
		t.filled(sp, hash)
	}
	if before != after {
		t.setDeadline(sp, hash, before, after)
	}
	t.logPut(sp, key, entry)
	return nil
}

// logPut logs that a key's entry became this.
func (t *Tx) logPut(sp *space, key string, entry []byte) {
	t.changed = true
	t.changes++
	if !t.silent {
		t.log(opPut, sp.id)
		t.argString(key)
		t.arg(entry)
	}
}

// remove deletes the key's entry, which exists.
func (t *Tx) remove(sp *space, hash uint64, key string) error {
	dir, err := t.dir(sp, page.PartitionOf(hash), false)
	if err != nil || dir == nil {
		return err
	}
	old, err := t.acc.DirGet(dir, hash, key)
	if err != nil || old == nil {
		return err
	}
	before := entryDeadlineOf(old)
	if _, err := t.acc.DirDelete(dir, hash, key); err != nil {
		return err
	}
	t.addKeys(sp, -1)
	if before != 0 {
		t.setDeadline(sp, hash, before, 0)
	}
	t.log(opDelete, sp.id)
	t.argString(key)
	return nil
}

// create makes a new object of the type; not for strings.
func (t *Tx) create(obj uint64, typ Type) error {
	if err := t.acc.Create(obj, uint8(typ), shape(typ)); err != nil {
		return err
	}
	t.log(opCreate, obj)
	t.argUint(uint64(typ))
	return nil
}

// drop removes an object that no entry names any more.
func (t *Tx) drop(obj uint64) error {
	if err := t.acc.Drop(obj); err != nil {
		return err
	}
	t.log(opDrop, obj)
	return nil
}

// Elements: a value above elementMax stands in pages of its own.
//
//	0  bytes             the value
//	1  number u32, length u64   see page.Access.SubPut
const (
	elementMax    = 1 << 10
	elementInline = 0
	elementOwn    = 1
)

// element encodes a value for storage in an object behind prefix.
func (t *Tx) element(obj uint64, prefix, value []byte) ([]byte, error) {
	b := t.scratch[:0]
	b = append(b, prefix...)
	if len(value) <= elementMax {
		b = append(append(b, elementInline), value...)
	} else {
		sub, err := t.acc.SubPut(obj, value)
		if err != nil {
			return nil, err
		}
		b = append(b, elementOwn)
		b = binary.LittleEndian.AppendUint32(b, sub)
		b = binary.LittleEndian.AppendUint64(b, uint64(len(value)))
	}
	t.scratch = b
	return b, nil
}

// elements encodes the first of values, as far as they are short, as
// [Tx.element] does. The items are good until more is encoded.
func (t *Tx) elements(values [][]byte) [][]byte {
	n, size := 0, 0
	for n < len(values) && n < elementsAtOnce && len(values[n]) <= elementMax {
		size += 1 + len(values[n])
		n++
	}
	b := slices.Grow(t.scratch[:0], size)
	t.items = t.items[:0]
	for _, v := range values[:n] {
		from := len(b)
		b = append(append(b, elementInline), v...)
		t.items = append(t.items, b[from:])
	}
	t.scratch = b
	return t.items
}

// elementsAtOnce bounds how much scratch [Tx.elements] takes.
const elementsAtOnce = 64

// value decodes an element. The result is a copy if own is set, else it may
// alias a page.
func (t *Tx) value(obj uint64, element []byte, own bool) ([]byte, error) {
	sub, n, err := elementRef(element)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		if own {
			return append(make([]byte, 0, len(element)-1), element[1:]...), nil
		}
		return element[1:], nil
	}
	if err := t.copies(n); err != nil {
		return nil, err
	}
	return t.acc.SubGet(obj, sub, n)
}

// elementRef reads the reference in an element; n is 0 if the value is inline.
func elementRef(element []byte) (sub uint32, n int, err error) {
	switch {
	case len(element) > 0 && element[0] == elementInline:
		return 0, 0, nil
	case len(element) == 13 && element[0] == elementOwn:
		n := binary.LittleEndian.Uint64(element[5:])
		if n > elementMax && n <= MaxString {
			return binary.LittleEndian.Uint32(element[1:]), int(n), nil
		}
	}
	return 0, 0, fmt.Errorf("store: element of %d bytes: %w", len(element), engine.ErrCorrupt)
}

// release frees the pages of an element that is replaced or removed.
func (t *Tx) release(obj uint64, element []byte) error {
	sub, n, err := elementRef(element)
	if n > 0 {
		t.acc.SubDelete(obj, sub, n)
	}
	return err
}

// fieldPut sets a field of a hash or adds a member to a set (value nil).
func (t *Tx) fieldPut(obj uint64, field string, value []byte, set bool) (added bool, err error) {
	stored, hash := t.field(field)
	old, err := t.acc.FieldGet(obj, hash, stored)
	if err != nil || set && old != nil {
		return false, err
	}
	b, was, err := splitField(stored, old)
	if err != nil {
		return false, err
	}
	switch {
	case old == nil && len(field) > ShortName:
		b, err = t.putField(obj, field)
	case old != nil:
		err = t.release(obj, was)
	}
	if err != nil {
		return false, err
	}
	if !set {
		if b, err = t.element(obj, b, value); err != nil {
			return false, err
		}
	}
	if added, err = t.acc.FieldPut(obj, hash, stored, b); err != nil {
		return false, err
	}
	t.log(opFieldPut, obj)
	t.argString(field)
	if set {
		t.argUint(0)
	} else {
		t.argUint(1)
		t.arg(value)
	}
	return added, nil
}

// fieldDelete removes a field or member.
func (t *Tx) fieldDelete(obj uint64, field string, set bool) (removed bool, err error) {
	stored, hash := t.field(field)
	old, err := t.acc.FieldGet(obj, hash, stored)
	if err != nil || old == nil {
		return false, err
	}
	ref, element, err := splitField(stored, old)
	if err != nil {
		return false, err
	}
	if !set {
		if err := t.release(obj, element); err != nil {
			return false, err
		}
	}
	if err := t.dropField(obj, ref); err != nil {
		return false, err
	}
	if _, err = t.acc.FieldDelete(obj, hash, stored); err != nil {
		return false, err
	}
	t.log(opFieldDel, obj)
	t.argString(field)
	t.argUint(flag(!set))
	return true, nil
}

func flag(on bool) uint64 {
	if on {
		return 1
	}
	return 0
}

// score sets a member's score in a sorted set: table and tree together.
func (t *Tx) score(obj uint64, member string, score [8]byte) error {
	ref, old, err := t.scoreOfMember(obj, member)
	if err == nil {
		_, err = t.rescore(obj, member, score, ref, old)
	}
	return err
}

// rescore is score for a member that was looked up, see scoreOfMember; it tells
// whether that is new.
func (t *Tx) rescore(obj uint64, member string, score [8]byte, ref, old []byte) (added bool, err error) {
	if string(old) == string(score[:]) {
		return false, nil
	}
	tr := order(obj, member)
	stored, hash := t.field(member)
	size := scoreBytes + len(stored)
	var before []byte
	if old != nil { // its path has to be in memory before the first change
		before = appendItem(make([]byte, 0, size), old, stored, ref)
		if err := t.acc.TreeReach(tr, before); err != nil {
			return false, err
		}
	}
	if len(member) > ShortName {
		if ref, err = t.memberRef(tr, score[:], stored, ref); err != nil {
			return false, err
		}
	}
	// The new item first: taking out the old one may empty its leaf, and what
	// is next to that may be cold.
	if err := t.acc.TreeInsert(tr, appendItem(make([]byte, 0, size), score[:], stored, ref)); err != nil {
		return false, err
	}
	if before != nil {
		if err := t.unorder(tr, before); err != nil {
			return false, err
		}
	}
	value := score[:]
	if ref != nil {
		value = append(ref, value...)
	}
	if _, err := t.acc.FieldPut(obj, hash, stored, value); err != nil {
		return false, err
	}
	t.log(opScore, obj)
	t.arg(score[:])
	t.argString(member)
	return before == nil, nil
}

// memberRef returns a copy of the reference to a long member, which is stored
// if it has none. What the way to its place needs is missed before that.
func (t *Tx) memberRef(tr page.Tree, score []byte, stored string, ref []byte) ([]byte, error) {
	if ref != nil {
		return bytes.Clone(ref), nil
	}
	if err := t.acc.TreeReach(tr, appendItem(nil, score, stored, nil)); err != nil {
		return nil, err
	}
	return t.putField(tr.Obj, tr.Whole)
}

// unorder removes an item, a score and its member, from a sorted set's tree.
func (t *Tx) unorder(tr page.Tree, item []byte) error {
	found, err := t.acc.TreeDelete(tr, item)
	if err == nil && !found {
		err = fmt.Errorf("store: object %#x: member without its place in the order: %w", tr.Obj, engine.ErrCorrupt)
	}
	return err
}

// unscore removes a member from a sorted set.
func (t *Tx) unscore(obj uint64, member string) (removed bool, err error) {
	ref, old, err := t.scoreOfMember(obj, member)
	if err != nil || old == nil {
		return false, err
	}
	stored, hash := t.field(member)
	ref = bytes.Clone(ref)
	item := appendItem(make([]byte, 0, scoreBytes+len(stored)), old, stored, nil)
	if err := t.unorder(order(obj, member), item); err != nil {
		return false, err
	}
	if err := t.dropField(obj, ref); err != nil {
		return false, err
	}
	if _, err := t.acc.FieldDelete(obj, hash, stored); err != nil {
		return false, err
	}
	t.log(opUnscore, obj)
	t.argString(member)
	return true, nil
}

// insert puts an element of a list before the one at a position.
func (t *Tx) insert(obj, pos uint64, value []byte) error {
	tr := tree(List, obj)
	last, err := t.reach(tr, pos, len(value) > elementMax)
	if err != nil {
		return err
	}
	b, err := t.element(obj, nil, value)
	if err != nil {
		return err
	}
	if last {
		err = t.acc.TreeAppend(tr, b)
		pos = t.acc.Counted() - 1
	} else {
		err = t.acc.TreeInsertAt(tr, pos, b)
	}
	if err != nil {
		return err
	}
	t.logInsert(obj, pos, value)
	return nil
}

// insertAll is insert for values at an end of a list, with their items.
func (t *Tx) insertAll(obj uint64, head bool, values, items [][]byte) error {
	if err := t.acc.TreePush(tree(List, obj), head, items); err != nil {
		return err
	}
	pos, step := uint64(0), uint64(0)
	if !head {
		pos, step = t.acc.Counted()-uint64(len(values)), 1
	}
	for _, v := range values {
		t.logInsert(obj, pos, v)
		pos += step
	}
	return nil
}

// logInsert notes that an element was put at a position.
func (t *Tx) logInsert(obj, pos uint64, value []byte) {
	t.log(opInsert, obj)
	t.argUint(pos)
	t.arg(value)
}

// reach tells whether a position is behind the last element of a list. If a
// value is going to get pages of its own, it misses what is cold before that.
func (t *Tx) reach(tr page.Tree, pos uint64, own bool) (last bool, err error) {
	if !own && (pos == 0 || pos == math.MaxUint64) {
		return pos != 0, nil
	}
	h, err := t.header(tr.Obj)
	if err != nil {
		return false, err
	}
	n := h.Count()
	if n > 0 && own {
		_, err = t.acc.TreeRun(tr, min(pos, n-1))
	}
	return pos >= n, err
}

// replace changes the element of a list at a position.
func (t *Tx) replace(obj, pos uint64, value []byte) error {
	tr := tree(List, obj)
	r, err := t.acc.TreeRun(tr, pos)
	if err != nil {
		return err
	}
	if err := t.release(obj, r.Item(pos)); err != nil {
		return err
	}
	b, err := t.element(obj, nil, value)
	if err != nil {
		return err
	}
	if err := t.acc.TreeReplaceAt(tr, pos, b); err != nil {
		return err
	}
	t.log(opReplace, obj)
	t.argUint(pos)
	t.arg(value)
	return nil
}

// removeRange removes n elements of a list from a position on.
func (t *Tx) removeRange(obj, pos, n uint64) error {
	tr := tree(List, obj)
	for at := pos; at < pos+n; { // everything into memory first
		r, err := t.acc.TreeRun(tr, at)
		if err != nil {
			return err
		}
		at = r.End()
	}
	for at := pos; at < pos+n; {
		r, err := t.acc.TreeRun(tr, at)
		if err != nil {
			return err
		}
		end := min(r.End(), pos+n)
		for ; at < end; at++ {
			if err := t.release(obj, r.Item(at)); err != nil {
				return err
			}
		}
	}
	if err := t.acc.TreeRemove(tr, pos, n); err != nil {
		return err
	}
	t.log(opRemove, obj)
	t.argUint(pos)
	t.argUint(n)
	return nil
}

// itemPut adds an item of a stream or queue, or replaces the one of its key.
func (t *Tx) itemPut(typ Type, obj uint64, key, value []byte) error {
	tr := tree(typ, obj)
	rank, old, err := t.acc.TreeFind(tr, key)
	if err != nil {
		return err
	}
	if old != nil {
		if err := t.release(obj, old[tr.Key:]); err != nil {
			return err
		}
	}
	b, err := t.element(obj, key, value)
	if err != nil {
		return err
	}
	if old != nil {
		err = t.acc.TreeReplaceAt(tr, rank, b)
	} else {
		err = t.acc.TreeInsert(tr, b)
	}
	if err != nil {
		return err
	}
	t.log(opItemPut, obj)
	t.argUint(uint64(typ))
	t.arg(key)
	t.arg(value)
	return nil
}

// itemDelete removes an item of a stream or queue.
func (t *Tx) itemDelete(typ Type, obj uint64, key []byte) (bool, error) {
	tr := tree(typ, obj)
	rank, old, err := t.acc.TreeFind(tr, key)
	if err != nil || old == nil {
		return false, err
	}
	if err := t.release(obj, old[tr.Key:]); err != nil {
		return false, err
	}
	if err := t.acc.TreeRemove(tr, rank, 1); err != nil {
		return false, err
	}
	t.log(opItemDel, obj)
	t.argUint(uint64(typ))
	t.arg(key)
	return true, nil
}

// newString makes a new object that holds value, extended with zeroes to length.
func (t *Tx) newString(obj uint64, value []byte, length int) error {
	if err := t.acc.CreateString(obj, uint8(String), value, length); err != nil {
		return err
	}
	t.log(opString, obj)
	t.argUint(uint64(max(length, len(value))))
	t.arg(value)
	return nil
}

// write changes bytes of a string object, which grows if need be.
func (t *Tx) write(obj, off uint64, b []byte) error {
	if err := t.acc.StringWrite(obj, off, b); err != nil {
		return err
	}
	t.log(opWrite, obj)
	t.argUint(off)
	t.arg(b)
	return nil
}

// aux sets the first bytes of the 40 that an object's type has for itself.
func (t *Tx) aux(obj uint64, b []byte) error {
	h, err := t.acc.EditHeader(obj)
	if err != nil {
		return err
	}
	copy(h.Aux(), b)
	t.log(opAux, obj)
	t.arg(b)
	return nil
}

// newObject returns a number for a new object in a partition.
func (t *Tx) newObject(part int) uint64 {
	return page.ObjectID(part, t.s.objects[part].Add(1))
}
