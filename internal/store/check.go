package store

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// Findings are figures about a store that [Check] has read.
type Findings struct {
	Last    uint64  // number of the last transaction
	InLog   uint64  // how many of them only the log has, in part at least
	Keys    []int64 // of each logical database, expired ones included
	Queues  int64
	Objects int // that keys name, their whole names included
	Orphans int // of the base, that no key names
}

// Check recovers the store that an engine holds, without writing to it, and
// reads all of it. It calls fault for whatever is not as the store writes it.
// The engine is closed then, unless the recovery failed.
func Check(eng engine.Engine, fault func(error)) (f Findings, err error) {
	s, err := Open(eng, Options{NoTimers: true})
	if errors.Is(err, engine.ErrCorrupt) {
		fault(err)
		return f, nil
	}
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	complete := eng.Base().State().Complete
	f.Last = s.committed.Load()
	f.InLog = f.Last - slices.Min(complete[:])
	c := checker{s: s, found: &f, fault: fault}
	return f, s.Snapshot(nil, c.all)
}

// checkPages is how many bytes of pages Check keeps in memory beside those that
// the recovery has left there.
const checkPages = 96 << 20

// checker reads a store that nobody else uses.
type checker struct {
	s     *Store
	t     *Tx
	found *Findings
	fault func(error)
	named []uint64 // objects that entries name
}

// all checks everything.
func (c *checker) all(t *Tx) error {
	c.t = t
	c.s.opts.MemoryBudget = c.s.mem.Used() + checkPages // from now on evict drops what was read
	for db, sp := range t.spaces.dbs {
		n, err := c.space(db, sp)
		if err != nil {
			return err
		}
		if n != sp.count.Load() {
			c.fault(fmt.Errorf("store: %s: %d keys in its directories, %d counted: %w", c.name(db), n, sp.count.Load(), engine.ErrCorrupt))
		}
		if db == t.BrokerDB() {
			c.found.Queues = n
		} else {
			c.found.Keys = append(c.found.Keys, n)
		}
	}
	return c.objects()
}

// pageDone is called when nothing of the pages that were read is referred to any
// more.
func (c *checker) pageDone() {
	c.t.Release()
	c.s.evict()
}

// name tells which database one is.
func (c *checker) name(db int) string {
	if db == c.t.BrokerDB() {
		return "the broker's database"
	}
	return fmt.Sprintf("database %d", db)
}

// space checks the keys of a database, and counts them.
func (c *checker) space(db int, sp *space) (keys int64, err error) {
	for part := range page.Partitions {
		dir, err := c.t.dir(sp, part, false)
		if err != nil {
			return keys, err
		}
		for at, more := uint64(0), dir != nil; more; {
			leaf, err := c.t.acc.DirLeaf(dir, at)
			if err != nil {
				return keys, err
			}
			var list []storedKey
			leaf.Each(func(key, entry []byte) bool {
				list = append(list, storedKey{string(key), bytes.Clone(entry)})
				return true
			})
			keys += int64(len(list))
			c.pageDone()
			for _, k := range list {
				if err := c.key(part, at, leaf.End, k); err != nil {
					if !errors.Is(err, engine.ErrCorrupt) {
						return keys, err
					}
					c.fault(fmt.Errorf("%s, key %.200q: %w", c.name(db), k.name, err))
				}
				c.pageDone()
			}
			at = leaf.End + 1
			more = at != 0
		}
	}
	return keys, nil
}

// storedKey is a key and its entry as they stand in a directory.
type storedKey struct {
	name  string
	entry []byte
}

// key checks one key of a leaf of a directory with what it holds.
func (c *checker) key(part int, first, last uint64, k storedKey) error {
	hash := c.s.mem.Hash(k.name)
	if pos := page.Position(hash); page.PartitionOf(hash) != part || pos < first || pos > last {
		return corrupt("stands in partition %d, in the page of positions %#x to %#x", part, first, last)
	}
	if !validEntry(k.entry) || (len(k.name) > ShortName) != (entryNameOf(k.entry) != 0) || !validStored(k.name) {
		return errEntry(k.entry)
	}
	e, err := decodeEntry(k.entry)
	if err != nil {
		return err
	}
	if name := entryNameOf(k.entry); name != 0 {
		c.names(name)
		whole, err := c.t.wholeKey(name)
		if err == nil && c.s.newLongName(whole).form != k.name {
			err = corrupt("object %#x is not its whole name", name)
		}
		if err != nil {
			return err
		}
	}
	if e.Object == 0 {
		return c.inline(e)
	}
	c.names(e.Object)
	return c.object(e)
}

// names notes an object that an entry names.
func (c *checker) names(obj uint64) { c.named = append(c.named, obj) }

// corrupt reports what is not as the store writes it.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("store: %s: %w", fmt.Sprintf(format, args...), engine.ErrCorrupt)
}

// inline checks a value that stands in its entry.
func (c *checker) inline(e Entry) error {
	p := packed(e.Inline)
	switch e.Type {
	case String:
		return nil
	case List, Set, Hash:
		n, err := p.count()
		if err == nil && (n == 0 || e.Type == Hash && n%2 != 0) {
			err = errPacked(p)
		}
		return err
	case ZSet:
		return c.packedItems(p)
	case Stream:
		s, err := c.t.StreamInfo(e)
		if err != nil {
			return err
		}
		return eachPacked(e, 0, s.Len, func(StreamID, []Field) {})
	case None, Queue: // a queue is always an object
	}
	return corrupt("value of type %d in its entry", e.Type)
}

// packedItems checks a packed sorted set: its items ascend.
func (c *checker) packedItems(p packed) error {
	var last []byte
	for at := 0; at < len(p); {
		item, end, err := p.zitem(at)
		if err != nil {
			return err
		}
		if last != nil && string(item) <= string(last) {
			return errPacked(p)
		}
		last, at = item, end
	}
	if last == nil {
		return errPacked(p)
	}
	return nil
}

// object checks the object that an entry names.
func (c *checker) object(e Entry) error {
	if e.Type == String {
		return c.str(e.Object)
	}
	h, err := c.t.header(e.Object)
	if err != nil {
		return err
	}
	n := h.Count()
	if Type(h.Type()) != e.Type || n == 0 && e.Type != Stream && e.Type != Queue {
		return corrupt("object %#x, of type %d with %d elements, of a key of type %d", e.Object, h.Type(), n, e.Type)
	}
	if e.Type == Hash || e.Type == Set || e.Type == ZSet {
		if err := c.fields(e, n); err != nil {
			return err
		}
	}
	if e.Type == Hash || e.Type == Set {
		return nil
	}
	return c.items(e, n)
}

// str reads a string.
func (c *checker) str(obj uint64) error {
	n, err := c.t.acc.StringLen(obj)
	for at := uint64(0); err == nil && at < n; {
		var chunk []byte
		chunk, err = c.t.acc.StringChunk(obj, at)
		at += uint64(len(chunk))
		c.pageDone()
	}
	return err
}

// fields checks the n fields of a hash, or members of a set or sorted set.
func (c *checker) fields(e Entry, n uint64) error {
	there := uint64(0)
	for at, more := uint64(0), true; more; {
		leaf, err := c.t.acc.FieldLeaf(e.Object, at)
		if err != nil {
			return err
		}
		there += uint64(leaf.Len())
		leaf.Each(func(stored, value []byte) bool {
			if hash := c.s.mem.Hash(string(stored)); hash < at || hash > leaf.End {
				err = corrupt("object %#x: field %.200q in the page of %#x to %#x", e.Object, stored, at, leaf.End)
			} else {
				err = c.field(e, stored, value)
			}
			return err == nil
		})
		if err != nil {
			return err
		}
		c.pageDone()
		at = leaf.End + 1
		more = at != 0
	}
	if there != n {
		return corrupt("object %#x: %d fields, its header says %d", e.Object, there, n)
	}
	return nil
}

// field checks one field or member.
func (c *checker) field(e Entry, stored, value []byte) error {
	name, element, err := c.t.openField(e.Object, stored, value)
	if err != nil {
		return err
	}
	if len(stored) > ShortName && c.s.newLongName(name).form != string(stored) {
		return corrupt("object %#x: field %.200q is not its whole name", e.Object, stored)
	}
	switch {
	case e.Type == Hash:
		_, err = c.t.value(e.Object, element, false)
	case e.Type == ZSet && len(element) != scoreBytes, e.Type == Set && len(element) != 0:
		err = corrupt("object %#x: member %.200q with %d bytes", e.Object, stored, len(element))
	}
	return err
}

// items checks the n items of a tree: each where the counts of inner nodes say,
// in order, and none behind the last.
func (c *checker) items(e Entry, n uint64) error {
	tr := tree(e.Type, e.Object)
	var last string
	for at := uint64(0); at < n; {
		r, err := c.t.acc.TreeRun(tr, at)
		if err != nil {
			return err
		}
		if r.First != at || r.End() > n {
			return corrupt("object %#x: items %d to %d where %d to %d should be", e.Object, r.First, r.End(), at, n)
		}
		for ; at < r.End(); at++ {
			order, err := c.item(e, tr.Key, r.Item(at))
			if err != nil {
				return err
			}
			if tr.Key != 0 && at > 0 && order <= last {
				return corrupt("object %#x: item %d is not above the one before", e.Object, at)
			}
			last = order
		}
		c.pageDone()
	}
	if _, err := c.t.acc.TreeRun(tr, n); err == nil {
		return corrupt("object %#x: more items than its header says, %d", e.Object, n)
	}
	return nil
}

// item checks one item of a tree, and returns what it is ordered by.
func (c *checker) item(e Entry, key int, item []byte) (order string, err error) {
	if e.Type == ZSet {
		member, err := c.t.itemMember(e.Object, item)
		if err != nil {
			return "", err
		}
		_, score, err := c.t.scoreOfMember(e.Object, member)
		if err == nil && !bytes.Equal(score, item[:scoreBytes]) {
			err = corrupt("object %#x: member %.200q has two scores", e.Object, member)
		}
		return string(item[:scoreBytes]) + member, err
	}
	if len(item) < key {
		return "", corrupt("object %#x: item of %d bytes", e.Object, len(item))
	}
	v, err := c.t.value(e.Object, item[key:], false)
	if err == nil && e.Type == Stream {
		_, err = packed(v).fields()
	}
	return string(item[:key]), err
}

// objects checks that no object is named twice, that none has a number that
// would be given again, and counts those of the base that are not named.
func (c *checker) objects() error {
	slices.Sort(c.named)
	c.found.Objects = len(c.named)
	limit := c.s.lastObjects()
	for i, obj := range c.named {
		if i > 0 && obj == c.named[i-1] {
			c.fault(corrupt("object %#x is named twice", obj))
		}
		if obj&^(0xff<<56) > limit[obj>>56] {
			c.fault(corrupt("object %#x: its number is still to be given", obj))
		}
	}
	return c.s.base.Objects(0, func(obj uint64) uint64 {
		if _, ok := slices.BinarySearch(c.named, obj); !ok {
			c.found.Orphans++
		}
		return obj + 1
	})
}
