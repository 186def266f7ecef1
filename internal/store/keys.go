package store

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"unsafe"

	"github.com/brockdb/brock/internal/page"
)

// Rename gives the value and deadline of src to dst, whatever dst held, in a
// database or between two. An object stays where it is: only entries change.
// Both keys have been made Ready; src exists and is not dst.
func (t *Tx) Rename(db int, src string, dstDB int, dst string) error {
	e, _, err := t.LookupForWrite(db, src)
	if err != nil {
		return err
	}
	e.Inline = slices.Clone(e.Inline)
	old, _, err := t.LookupForWrite(dstDB, dst)
	if err != nil {
		return err
	}
	if e.Object == 0 && !fitsInline(dst, len(e.Inline)) {
		if e, err = t.outgrow(src, e); err != nil {
			return err
		}
	}
	if err := t.replaceEntry(dstDB, dst, &old, &e); err != nil {
		return err
	}
	return t.discardEntry(t.spaces.dbs[db], t.keyHash(src), t.stored(src))
}

// outgrow gives an inline string that does not fit beside its new, longer key
// an object. Packed collections stay as they are: their size alone bounds them.
func (t *Tx) outgrow(key string, e Entry) (Entry, error) {
	if e.Type != String {
		return e, nil
	}
	obj := t.newObject(page.PartitionOf(t.keyHash(key)))
	if err := t.newString(obj, e.Inline, 0); err != nil {
		return e, err
	}
	e.Object, e.Inline = obj, nil
	return e, nil
}

// Copy makes dst a copy of the value that e, the entry of src, holds, with its
// deadline, whatever dst held. Cost: O(n).
func (t *Tx) Copy(src string, e Entry, dstDB int, dst string) error {
	e.Inline = slices.Clone(e.Inline)
	old, _, err := t.LookupForWrite(dstDB, dst)
	if err != nil {
		return err
	}
	if err := t.enterObject(old); err != nil {
		return err
	}
	switch {
	case e.Object != 0:
		if e.Object, err = t.copyObject(e); err != nil {
			return err
		}
	case !fitsInline(dst, len(e.Inline)):
		if e, err = t.outgrow(src, e); err != nil {
			return err
		}
	}
	e.Copied = e.Type == String && !e.Text
	return t.replaceEntry(dstDB, dst, &old, &e)
}

// copyObject makes a new object with the contents of e's, in its partition.
func (t *Tx) copyObject(e Entry) (uint64, error) {
	obj := t.newObject(int(e.Object >> 56))
	if e.Type == String {
		return obj, t.copyString(e, obj)
	}
	h, err := t.header(e.Object)
	if err != nil {
		return 0, err
	}
	n, aux := h.Count(), slices.Clone(h.Aux())
	if err := t.create(obj, e.Type); err != nil {
		return 0, err
	}
	switch e.Type {
	case Hash, Set:
		err = t.copyFields(e, obj)
	case ZSet:
		err = t.copyItems(e, n, func(item []byte) error {
			member, err := t.itemMember(e.Object, item)
			if err == nil {
				err = t.score(obj, member, [8]byte(item))
			}
			return err
		})
	case List:
		i := uint64(0)
		err = t.copyItems(e, n, func(item []byte) error {
			v, err := t.value(e.Object, item, true)
			if err == nil {
				err = t.insert(obj, i, v)
			}
			i++
			return err
		})
	default:
		key := tree(e.Type, obj).Key
		err = t.copyItems(e, n, func(item []byte) error {
			v, err := t.value(e.Object, item[key:], true)
			if err == nil {
				err = t.itemPut(e.Type, obj, slices.Clone(item[:key]), v)
			}
			return err
		})
	}
	if err == nil {
		err = t.aux(obj, aux)
	}
	return obj, err
}

// copyString makes a new string object with the bytes of e's.
func (t *Tx) copyString(e Entry, obj uint64) error {
	n, err := t.acc.StringLen(e.Object)
	if err != nil {
		return err
	}
	if err := t.newString(obj, nil, int(n)); err != nil {
		return err
	}
	for off := uint64(0); off < n; {
		b, err := t.acc.StringChunk(e.Object, off)
		if err != nil {
			return err
		}
		b = slices.Clone(b)
		if err := t.write(obj, off, b); err != nil {
			return err
		}
		off += uint64(len(b))
	}
	return nil
}

// copyFields copies the fields of a hash or the members of a set.
func (t *Tx) copyFields(e Entry, obj uint64) error {
	for at, more := uint64(0), true; more; {
		leaf, err := t.acc.FieldLeaf(e.Object, at)
		if err != nil {
			return err
		}
		leaf.Each(func(stored, value []byte) bool {
			err = t.copyField(e, obj, stored, value)
			return err == nil
		})
		if err != nil {
			return err
		}
		at = leaf.End + 1
		more = at != 0
	}
	return nil
}

// copyField copies one field or member.
func (t *Tx) copyField(e Entry, obj uint64, stored, value []byte) error {
	name, element, err := t.openField(e.Object, stored, value)
	if err != nil {
		return err
	}
	var v []byte
	if e.Type == Hash {
		if v, err = t.value(e.Object, element, true); err != nil {
			return err
		}
	}
	_, err = t.fieldPut(obj, name, v, e.Type == Set)
	return err
}

// copyItems calls fn with each of the n items of a tree.
func (t *Tx) copyItems(e Entry, n uint64, fn func(item []byte) error) error {
	tr := tree(e.Type, e.Object)
	for at := uint64(0); at < n; {
		r, err := t.acc.TreeRun(tr, at)
		if err != nil {
			return err
		}
		for ; at < r.End(); at++ {
			if err := fn(r.Item(at)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Found is a key that a scan came by.
type Found struct {
	Key   string
	Entry Entry // without Inline
	hash  uint64
	name  uint64 // the object that holds the whole key, 0 if Key is whole
}

// Scan returns keys from a cursor on, in the order of their hashes: those of
// one page, or about count of them, and the cursor to go on with, 0 at the end.
// Whatever is there during a whole scan is returned once; splits and merges in
// between change nothing of that.
func (t *Tx) Scan(db int, cursor uint64, count int) (found []Found, next uint64, err error) {
	if found, next, err = t.scan(db, cursor, count); err != nil {
		return nil, 0, err
	}
	var m misses
	for i := range found {
		if err := t.complete(&found[i]); err != nil && !m.add(err) {
			return nil, 0, err
		}
	}
	return found, next, m.err
}

// complete makes the key of f whole.
func (t *Tx) complete(f *Found) (err error) {
	if f.name != 0 {
		if f.Key, err = t.wholeKey(f.name); err == nil {
			f.name = 0
		}
	}
	return err
}

// scan is Scan with keys as they are stored.
func (t *Tx) scan(db int, cursor uint64, count int) (found []Found, next uint64, err error) {
	part := page.PartitionOf(cursor)
	dir, err := t.dir(t.spaces.dbs[db], part, false)
	if err != nil {
		return nil, 0, err
	}
	if dir == nil {
		return nil, uint64(part+1) << 58, nil
	}
	leaf, err := t.acc.DirLeaf(dir, positionOf(cursor))
	if err != nil {
		return nil, 0, err
	}
	leaf.Each(func(k, v []byte) bool {
		h := t.s.mem.Hash(string(k))
		if h < cursor {
			return true
		}
		var e Entry
		name := entryNameOf(v)
		if e, err = decodeEntry(v); err == nil && (len(k) > ShortName) != (name != 0) {
			err = errEntry(v)
		}
		if err != nil {
			return false
		}
		if e.Inline = nil; !t.expired(e.Deadline) {
			found = append(found, Found{Key: string(k), Entry: e, hash: h, name: name})
		}
		return true
	})
	if err != nil {
		return nil, 0, err
	}
	next = uint64(part)<<58 + leaf.End>>6 + 1
	slices.SortFunc(found, func(a, b Found) int { return cmp.Compare(a.hash, b.hash) })
	for n := count; n < len(found); n++ { // keys with one hash go together
		if found[n].hash != found[n-1].hash {
			return found[:n], found[n-1].hash + 1, nil
		}
	}
	return found, next, nil
}

// KeysWhere returns the keys that fn tells of, in no order. fn must not keep what
// it is given.
func (t *Tx) KeysWhere(db int, fn func(key string) bool) (keys []string, err error) {
	keys = []string{}
	for part := range page.Partitions {
		dir, err := t.dir(t.spaces.dbs[db], part, false)
		if err != nil {
			return nil, err
		}
		for pos := uint64(0); dir != nil; {
			leaf, err := t.acc.DirLeaf(dir, pos)
			if err != nil {
				return nil, err
			}
			if keys, err = t.leafKeys(keys, leaf, fn); err != nil {
				return nil, err
			}
			if pos = leaf.End + 1; pos == 0 {
				break
			}
			t.pageDone()
		}
	}
	return keys, nil
}

// leafKeys appends those keys of a leaf that fn tells of.
func (t *Tx) leafKeys(keys []string, leaf page.Leaf, fn func(key string) bool) ([]string, error) {
	var names []uint64 // the objects with long keys
	leaf.Each(func(k, v []byte) bool {
		switch {
		case t.expired(entryDeadlineOf(v)):
		case len(k) > ShortName:
			names = append(names, entryNameOf(v))
		case fn(stringOf(k)):
			keys = append(keys, string(k))
		}
		return true
	})
	for _, name := range names {
		key, err := t.wholeKey(name)
		if err != nil {
			return nil, err
		}
		if fn(key) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// RandomKey returns a random key, each as likely as the others; ok is false if it
// has come by none that has not expired. r chooses. Cost: O(1).
//
// The page at a random hash is taken with a likelihood that makes up for the
// share of hashes that it has: by its density, among what is taken for the
// highest. That is four times the average, and more for few keys, which lie in
// pages of one or two. Keys of denser pages are less likely than others. There
// are some where the keys are so long, above half a KiB, that a page holds only
// a few.
func (t *Tx) RandomKey(db int, r *rand.Rand) (key string, ok bool, err error) {
	sp := t.spaces.dbs[db]
	n := uint64(t.Held(db))
	if n == 0 {
		return "", false, nil
	}
	densest := min(page.Partitions*n, 4*n+4*page.Partitions)
	for range randomPages {
		hash := r.Uint64()
		dir, err := t.dir(sp, page.PartitionOf(hash), false)
		if err != nil {
			return "", false, err
		}
		if dir == nil {
			continue
		}
		leaf, err := t.acc.DirLeaf(dir, positionOf(hash))
		if err != nil {
			return "", false, err
		}
		if page.Partitions*leaf.Density() > r.Uint64N(densest) {
			if k, v := leaf.Random(r); !t.expired(entryDeadlineOf(v)) {
				f := Found{Key: string(k), name: entryNameOf(v)}
				err := t.complete(&f)
				return f.Key, err == nil, err
			}
		}
		t.Release()
	}
	return "", false, nil
}

// randomPages is how many pages RandomKey looks at, at most: many more than it
// needs, unless most keys have expired.
const randomPages = 2048

// Held returns the number of keys of a database. Expired ones count until they
// are collected, but in a snapshot.
func (t *Tx) Held(db int) int64 {
	if t.acc.Mode() == page.Snapshot {
		return t.Keys(db)
	}
	t.acc.Expose(t.s.committed.Load())
	return t.keysOf(t.spaces.dbs[db])
}

// AnyKey is RandomKey that finds a key if there is one. Those behind others that
// have expired are likelier. Cost: O(expired keys).
func (t *Tx) AnyKey(db int, r *rand.Rand) (key string, ok bool, err error) {
	start := r.Uint64()
	cursor, wrapped := start, false
	for !wrapped || cursor < start {
		found, next, err := t.scan(db, cursor, 1<<30)
		if err != nil {
			return "", false, err
		}
		if len(found) > 0 {
			f := found[r.IntN(len(found))]
			err := t.complete(&f)
			return f.Key, err == nil, err
		}
		t.pageDone()
		if next == 0 {
			if wrapped {
				break
			}
			wrapped = true
		}
		cursor = next
	}
	return "", false, nil
}

// deadlineBytes is about what a deadline takes in the index of deadlines.
const deadlineBytes = 2 * int64(unsafe.Sizeof(deadlineItem{}))

// MemoryUsage returns about how many bytes of memory a key takes: its entry,
// its deadline, and the pages of its objects that are not cold; ok is false if
// it is absent or expired. It does not use the key. The caller holds no
// partition's lock. Cost: O(pages).
func (t *Tx) MemoryUsage(db int, key string) (n int64, ok bool, err error) {
	stored := t.stored(key)
	b, err := t.raw(t.spaces.dbs[db], t.keyHash(key), stored)
	if err != nil || b == nil {
		return 0, false, err
	}
	e, err := decodeEntry(b)
	if err != nil || t.expired(e.Deadline) {
		return 0, false, err
	}
	n = int64(page.EntryBytes(len(stored), len(b)))
	if e.Deadline != 0 {
		n += deadlineBytes
	}
	for _, obj := range []uint64{e.Object, entryNameOf(b)} {
		if obj != 0 {
			n += t.acc.ObjectBytes(obj)
		}
	}
	return n, true, nil
}
