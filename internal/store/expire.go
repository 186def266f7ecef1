package store

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/google/btree"
)

// deadlineIndex orders the keys that expire by when they do. A key stands in
// it by its space and hash: items hold no pointers, and the directory tells
// the rest. Derived state: it changes at commit and is rebuilt by Open.
//
// It counts, for each space, the items before a mark, which follows the time
// that it is asked for: how many keys have expired costs each of them one step,
// once.
type deadlineIndex struct {
	mu   sync.Mutex
	tree *btree.BTreeG[deadlineItem]
	mark deadlineItem           // the items before it are counted
	due  map[uint64]int64       // how many they are, by space
	all  map[uint64]deadlineSum // of all items, by space

	clock Clock         // of the alarm; nil while there is none
	armed int64         // the deadline that the alarm is set for, 0 if it is not set
	stop  func() bool   // stops the alarm, if armed
	rang  chan struct{} // gets what the alarm says
}

// deadlineItem is one key's deadline.
type deadlineItem struct {
	at    int64
	space uint64
	hash  uint64
}

// deadlineSum is how many deadlines there are, and what they sum up to, about.
type deadlineSum struct {
	n  int64
	at float64
}

// before orders items.
func (i deadlineItem) before(j deadlineItem) bool {
	if c := cmp.Compare(i.at, j.at); c != 0 {
		return c < 0
	}
	if c := cmp.Compare(i.space, j.space); c != 0 {
		return c < 0
	}
	return i.hash < j.hash
}

// newDeadlineIndex returns an empty index.
func newDeadlineIndex() *deadlineIndex {
	return &deadlineIndex{
		tree: btree.NewG(64, deadlineItem.before),
		due:  make(map[uint64]int64), all: make(map[uint64]deadlineSum), rang: make(chan struct{}, 1),
	}
}

// change moves a key from one deadline to another; 0 is none.
func (x *deadlineIndex) change(d deadlineChange) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if d.before != 0 {
		x.delete(deadlineItem{d.before, d.space, d.hash})
	}
	if d.after == 0 {
		return
	}
	i := deadlineItem{d.after, d.space, d.hash}
	if _, was := x.tree.ReplaceOrInsert(i); !was {
		x.count(i, 1)
	}
	if x.armed == 0 || i.at < x.armed {
		x.arm(i.at, 0)
	}
}

// delete removes an item. The caller holds mu.
func (x *deadlineIndex) delete(i deadlineItem) {
	if _, was := x.tree.Delete(i); was {
		x.count(i, -1)
	}
}

// count adds to the number of a space's items.
func (x *deadlineIndex) count(i deadlineItem, by int64) {
	sum := x.all[i.space]
	sum.n += by
	sum.at += float64(by) * float64(i.at)
	if x.all[i.space] = sum; sum.n == 0 {
		delete(x.all, i.space)
	}
	if i.before(x.mark) {
		add(x.due, i.space, by)
	}
}

// add adds to a counter, of which there are none at 0.
func add(counts map[uint64]int64, space uint64, by int64) {
	if counts[space] += by; counts[space] == 0 {
		delete(counts, space)
	}
}

// in returns how many keys of a space expire some time, and how long they have to
// live then, in the mean.
func (x *deadlineIndex) in(space uint64, now int64) (n int64, mean time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	sum := x.all[space]
	if sum.n == 0 {
		return 0, 0
	}
	ms := sum.at/float64(sum.n) - float64(now)
	return sum.n, time.Duration(min(max(ms, 0), maxMilliseconds)) * time.Millisecond
}

// maxMilliseconds is the longest time.Duration in ms.
const maxMilliseconds = float64(math.MaxInt64 / time.Millisecond)

// expired returns up to n items whose deadline is before now.
func (x *deadlineIndex) expired(now int64, n int) (items []deadlineItem) {
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

// countSlice is how many items are counted before others get the lock.
const countSlice = 1024

// dueIn returns how many keys of a space have a deadline before now.
func (x *deadlineIndex) dueIn(space uint64, now int64) int64 {
	for {
		x.mu.Lock()
		done := x.move(now)
		n := x.due[space]
		x.mu.Unlock()
		if done {
			return n
		}
	}
}

// settle does the counting for dueIn at this time: who holds locks that others
// wait for calls it before.
func (x *deadlineIndex) settle(now int64) { x.dueIn(0, now) }

// move sets the mark to now, or goes on by countSlice items and returns false.
// A mark that is ahead goes back at once, so that callers of two moments do not
// undo each other's work for ever.
func (x *deadlineIndex) move(now int64) (done bool) {
	to, n := deadlineItem{at: now}, 0
	x.tree.DescendLessOrEqual(x.mark, func(i deadlineItem) bool {
		if i.before(to) {
			return false
		}
		if i.before(x.mark) {
			add(x.due, i.space, -1)
		}
		return true
	})
	if to.before(x.mark) {
		x.mark = to
	}
	x.tree.AscendRange(x.mark, to, func(i deadlineItem) bool {
		if n++; n > countSlice {
			x.mark = i
			return false
		}
		add(x.due, i.space, 1)
		return true
	})
	if n <= countSlice {
		x.mark = to
	}
	return n <= countSlice
}

// maxAlarm bounds how long the alarm is set for: the system's time may be set
// meanwhile, or the system suspended.
const maxAlarm = time.Minute

// watch sets the alarm for the first deadline, now and from now on.
func (x *deadlineIndex) watch(c Clock) {
	x.mu.Lock()
	x.clock = c
	x.mu.Unlock()
	x.rearm(0)
}

// rearm sets the alarm for the first deadline, but not before the given time
// has passed.
func (x *deadlineIndex) rearm(wait time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.disarm()
	if i, ok := x.tree.Min(); ok {
		x.arm(i.at, wait)
	}
}

// arm sets the alarm for a deadline: it rings a millisecond later, when the key
// has expired. The caller holds mu.
func (x *deadlineIndex) arm(at int64, wait time.Duration) {
	if x.clock == nil {
		return
	}
	x.disarm()
	x.armed = at
	in := min(time.UnixMilli(at).Sub(x.clock.Now()), maxAlarm) + time.Millisecond
	x.stop = x.clock.AfterFunc(max(in, wait), x.ring)
}

// disarm stops the alarm. The caller holds mu.
func (x *deadlineIndex) disarm() {
	if x.armed != 0 {
		x.stop()
	}
	x.armed = 0
}

// ring wakes the housekeeper. It takes no lock: a clock may call it at any time.
func (x *deadlineIndex) ring() {
	post(x.rang)
}

// close ends the alarm.
func (x *deadlineIndex) close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.disarm()
	x.clock = nil
}

// forget removes an item whose key is gone with its space.
func (x *deadlineIndex) forget(i deadlineItem) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.delete(i)
}

// expiryRetry is how long the alarm stays silent after keys could not be
// removed, for want of space for example.
const expiryRetry = time.Second

// SetExpiry turns the removal of expired keys in the background off, and on
// again. To commands an expired key is absent in any case.
func (s *Store) SetExpiry(on bool) {
	s.keepExpired.Store(!on)
	s.deadlines.ring()
}

// expire removes what has expired and sets the alarm for what comes next.
func (s *Store) expire() {
	if s.keepExpired.Load() {
		return // SetExpiry rings
	}
	n, err := s.expireDue()
	s.stats.expired.Add(int64(n))
	wait := time.Duration(0)
	if err != nil {
		wait = expiryRetry
		if s.usable() == nil {
			s.stats.background.Add(1)
			s.logger.Error("brock: expiry", "error", err)
		}
	}
	s.deadlines.rearm(wait)
}

// expireBatch is how many keys one turn of the active expiry removes.
const expireBatch = 128

// expireDue removes keys whose deadline has passed, a batch at a time, and
// returns how many it removed. Reads and writes do not depend on it: to them
// an expired key is absent, collected or not.
func (s *Store) expireDue() (total int, err error) {
	for {
		items := s.deadlines.expired(s.clock.Now().UnixMilli(), expireBatch)
		if len(items) == 0 {
			return total, nil
		}
		var mask uint64
		for _, i := range items {
			mask |= s.maskOf(i.hash)
		}
		err := s.Write(mask, &Later{}, func(t *Tx) error {
			var m misses
			for _, i := range items { // objects of renamed keys lie in other partitions
				if err := t.expireReady(i); err != nil && !m.add(err) {
					return err
				}
			}
			if m.err != nil {
				return m.err
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

// expireReady makes sure that expireItem cannot fail for want of a partition or
// page.
func (t *Tx) expireReady(i deadlineItem) error {
	sp := t.spaces.byID(i.space)
	if sp == nil {
		return nil
	}
	stored, e, err := t.byHash(sp, i)
	if err != nil {
		return err
	}
	if err := t.enter(sp, i.hash, stored, e); err != nil || !t.Heard() {
		return err
	}
	_, err = t.keyOf(sp, i.hash, stored)
	return err
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
			return t.expireKey(sp, i.hash, stored, e)
		}
	}
	t.OnCommit(func() { t.s.deadlines.forget(i) })
	t.changed = true
	return nil
}

// expireKey deletes the key, stored as given, of an entry that has expired.
func (t *Tx) expireKey(sp *space, hash uint64, stored string, e Entry) error {
	if !t.Heard() {
		return t.discard(sp, hash, stored, e)
	}
	key, err := t.keyOf(sp, hash, stored)
	if err != nil {
		return err
	}
	if err := t.discard(sp, hash, stored, e); err != nil {
		return err
	}
	t.Emit(slices.Index(t.spaces.dbs, sp), EventExpired, key)
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
