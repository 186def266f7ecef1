package store

import (
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/brockdb/brock/internal/page"
)

// idleTimes remembers when keys were last used, in seconds. Neither pages nor
// entries change for that: each partition has a table of slots, and each key of
// it a slot by its hash, which it shares with others where there are many.
type idleTimes struct {
	parts [page.Partitions]atomic.Pointer[idleSlots]
	start time.Time     // what seconds count from
	now   atomic.Uint32 // the second that it is, but for an injected clock
	clock Clock         // an injected clock, which is asked each time; or nil
}

// idleSlots are the slots of a partition, a power of two of them. A slot is the
// second of the last use of a key that has it.
type idleSlots struct {
	shift int // leaves as many bits of a hash as tell slots apart
	last  []atomic.Uint32
}

const (
	minIdleSlots = 1 << 10 // of each partition
	maxIdleSlots = 1 << 18
)

// newIdleSlots returns n slots.
func newIdleSlots(n int) *idleSlots {
	return &idleSlots{shift: 64 - bits.TrailingZeros(uint(n)), last: make([]atomic.Uint32, n)}
}

// TrackIdle has the store remember from now on when each key was last used, see
// [Store.IdleTime].
func (s *Store) TrackIdle() {
	if s.idle.Load() != nil {
		return
	}
	x := &idleTimes{start: s.clock.Now()}
	if _, ok := s.clock.(realClock); !ok || s.opts.NoTimers {
		x.clock = s.clock
	}
	for i := range x.parts {
		x.parts[i].Store(newIdleSlots(minIdleSlots))
	}
	s.idle.CompareAndSwap(nil, x)
}

// IdleTime returns how long a key was not used, in whole seconds: at most since
// TrackIdle, which the first call makes up for, and less where keys share a
// slot of which another one was used later. It does not use the key.
func (t *Tx) IdleTime(db int, key string) time.Duration {
	x := t.s.idle.Load()
	if x == nil {
		t.s.TrackIdle()
		return 0
	}
	last := x.slot(t.spaces.dbs[db], t.keyHash(key)).Load()
	return time.Duration(max(x.second(), last)-last) * time.Second
}

// used notes that a key is used.
func (x *idleTimes) used(sp *space, hash uint64) {
	if slot, now := x.slot(sp, hash), x.second(); slot.Load() != now {
		slot.Store(now)
	}
}

// filled notes that a key is used by getting a value, where looking it up was no
// use of it.
func (t *Tx) filled(sp *space, hash uint64) {
	if x := t.s.idle.Load(); x != nil && t.noTouch {
		x.used(sp, hash)
	}
}

// Use notes that a key is used, whether it is there or not.
func (s *Store) Use(db int, key string) {
	if x := s.idle.Load(); x != nil {
		x.used(s.spaces.Load().dbs[db], s.hashOf(key))
	}
}

// slot returns the slot of a key.
func (x *idleTimes) slot(sp *space, hash uint64) *atomic.Uint32 {
	slots := x.parts[page.PartitionOf(hash)].Load()
	const spread = 0x9e3779b97f4a7c15 // a key has other slots in other databases
	return &slots.last[(hash<<6^sp.id*spread)>>slots.shift]
}

// second returns the second that it is.
func (x *idleTimes) second() uint32 {
	if x.clock != nil {
		return x.secondOf(x.clock.Now())
	}
	return x.now.Load()
}

// secondOf returns the second of a moment.
func (x *idleTimes) secondOf(now time.Time) uint32 {
	return uint32(max(now.Sub(x.start)/time.Second, 0))
}

// tick goes on to a moment, and gives each partition at least two slots for
// each of its keys, which are so many altogether, up to a bound. The housekeeper
// calls it.
func (x *idleTimes) tick(now time.Time, keys int64) {
	x.now.Store(x.secondOf(now))
	for i := range x.parts {
		p := &x.parts[i]
		for n := len(p.Load().last); n < maxIdleSlots && int64(n) < 2*keys/page.Partitions; n *= 2 {
			grow(p)
		}
	}
}

// grow doubles the slots of a partition: each passes its time on to the two
// that take its place. Uses in between are looked for once more.
func grow(p *atomic.Pointer[idleSlots]) {
	old := p.Load()
	slots := newIdleSlots(2 * len(old.last))
	pass := func() {
		for i := range slots.last {
			if last := old.last[i/2].Load(); last > slots.last[i].Load() {
				slots.last[i].Store(last)
			}
		}
	}
	pass()
	p.Store(slots)
	pass()
}
