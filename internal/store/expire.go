package store

import (
	"cmp"
	"sync"

	"github.com/google/btree"
)

// deadlineIndex orders the keys that expire by when they do. A key stands in
// it by its space and hash: items hold no pointers, and the directory tells
// the rest. Derived state: it changes at commit and is rebuilt by Open.
type deadlineIndex struct {
	mu   sync.Mutex
	tree *btree.BTreeG[deadlineItem]
}

// deadlineItem is one key's deadline.
type deadlineItem struct {
	at    int64
	space uint64
	hash  uint64
}

// newDeadlineIndex returns an empty index.
func newDeadlineIndex() *deadlineIndex {
	return &deadlineIndex{tree: btree.NewG(64, func(a, b deadlineItem) bool {
		if c := cmp.Compare(a.at, b.at); c != 0 {
			return c < 0
		}
		if c := cmp.Compare(a.space, b.space); c != 0 {
			return c < 0
		}
		return a.hash < b.hash
	})}
}

// change moves a key from one deadline to another; 0 is none.
func (x *deadlineIndex) change(d deadlineChange) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if d.before != 0 {
		x.tree.Delete(deadlineItem{d.before, d.space, d.hash})
	}
	if d.after != 0 {
		x.tree.ReplaceOrInsert(deadlineItem{d.after, d.space, d.hash})
	}
}

// due returns up to n items whose deadline is before now.
func (x *deadlineIndex) due(now int64, n int) (items []deadlineItem) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.tree.Ascend(func(i deadlineItem) bool {
		if i.at >= now || len(items) == n {
			return false
		}
		items = append(items, i)
		return true
	})
	return items
}

// dueIn returns how many keys of a space have a deadline before now.
func (x *deadlineIndex) dueIn(space uint64, now int64) (n int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.tree.Ascend(func(i deadlineItem) bool {
		if i.at >= now {
			return false
		}
		if i.space == space {
			n++
		}
		return true
	})
	return n
}

// first returns the earliest deadline, 0 if there is none.
func (x *deadlineIndex) first() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	i, _ := x.tree.Min()
	return i.at
}

// forget removes an item whose key is gone with its space.
func (x *deadlineIndex) forget(i deadlineItem) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.tree.Delete(i)
}

// expireBatch is how many keys one turn of the active expiry removes.
const expireBatch = 128

// expireDue removes keys whose deadline has passed, a batch at a time, and
// returns how many it removed. Reads and writes do not depend on it: to them
// an expired key is absent, collected or not.
func (s *Store) expireDue() (total int, err error) {
	for {
		items := s.deadlines.due(s.clock.Now().UnixMilli()-1, expireBatch) // see Tx.expired
		if len(items) == 0 {
			return total, nil
		}
		var mask uint64
		for _, i := range items {
			mask |= s.maskOf(i.hash)
		}
		err := s.Write(mask, &Later{}, func(t *Tx) error {
			for _, i := range items { // objects of renamed keys lie in other partitions
				if err := t.expireReady(i); err != nil {
					return err
				}
			}
			for _, i := range items {
				if err := t.expireItem(i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return total, err
		}
		total += len(items)
	}
}

// expireReady makes sure that expireItem cannot fail for want of a partition.
func (t *Tx) expireReady(i deadlineItem) error {
	sp := t.spaces.byID(i.space)
	if sp == nil {
		return nil
	}
	stored, e, err := t.byHash(sp, i)
	if err != nil {
		return err
	}
	return t.enter(sp, i.hash, stored, e)
}

// expireItem deletes the key that an item of the index stands for.
func (t *Tx) expireItem(i deadlineItem) error {
	sp := t.spaces.byID(i.space)
	if sp != nil {
		stored, e, err := t.byHash(sp, i)
		if err != nil {
			return err
		}
		if e.Type != None {
			return t.discard(sp, i.hash, stored, e)
		}
	}
	t.OnCommit(func() { t.s.deadlines.forget(i) })
	t.changed = true
	return nil
}

// byHash finds the key with a hash and deadline, as it is stored.
func (t *Tx) byHash(sp *space, i deadlineItem) (stored string, e Entry, err error) {
	dir, err := t.dir(sp, int(i.hash>>58), false)
	if err != nil || dir == nil {
		return "", e, err
	}
	leaf, err := t.acc.DirLeaf(dir, positionOf(i.hash))
	if err != nil {
		return "", e, err
	}
	leaf.Each(func(k, v []byte) bool {
		if entryDeadlineOf(v) == i.at && t.s.mem.Hash(string(k)) == i.hash {
			stored = string(k)
			e, err = decodeEntry(v)
			return false
		}
		return true
	})
	return stored, e, err
}
