package page

import "sync/atomic"

// Lanes is how many counters of readers a partition has. Readers in different
// lanes share no cache line, so that they do not slow each other down.
const Lanes = 8

// lane counts the readers of each partition that came in by it.
type lane struct {
	readers [Partitions]atomic.Int32
	_       [64]byte // the next lane is on other cache lines
}

// latch is a partition's lock for readers and writers. It differs from
// sync.RWMutex in that a reader names the lane that it counts in, any below
// Lanes, best one that no other reader uses at that time; and in that a writer
// who is alone changes two words only. Writers come first: a reader that meets
// one waits in the line of writers.
type latch struct {
	state atomic.Uint32 // free, taken, or taken with others waiting
	turn  chan struct{} // one token: the latch may be free
	idle  chan struct{} // one token: a lane may have no readers left
}

const (
	latchFree = iota
	latchTaken
	latchWanted
)

// latchSpins is how often somebody looks again before it sleeps: most reads and
// changes take less than a microsecond.
const latchSpins = 32

// RLock locks the partition for reading. RUnlock has to name the same lane.
func (p *Part) RLock(lane int) {
	n := &p.m.lanes[lane].readers[p.id]
	n.Add(1)
	if p.latch.state.Load() != latchFree {
		p.rlockSlow(n)
	}
}

// rlockSlow leaves the lane to the writer and comes back once there is none.
func (p *Part) rlockSlow(n *atomic.Int32) {
	p.latch.leave(n)
	p.latch.take()
	n.Add(1)
	p.Unlock()
}

// RUnlock undoes RLock.
func (p *Part) RUnlock(lane int) { p.latch.leave(&p.m.lanes[lane].readers[p.id]) }

// leave takes a reader off its lane's count, and tells a writer who may wait.
func (l *latch) leave(n *atomic.Int32) {
	if n.Add(-1) == 0 && l.state.Load() != latchFree {
		post(l.idle)
	}
}

// Lock locks the partition for writing.
func (p *Part) Lock() {
	p.latch.take() // who comes from now on goes back, see RLock
	for i := range p.m.lanes {
		if n := &p.m.lanes[i].readers[p.id]; n.Load() != 0 {
			p.latch.awaitIdle(n)
		}
	}
}

// Unlock undoes Lock.
func (p *Part) Unlock() {
	if p.latch.state.Swap(latchFree) == latchWanted {
		post(p.latch.turn)
	}
}

// take makes the latch the caller's. Readers may be inside.
func (l *latch) take() {
	for range latchSpins {
		if l.state.Load() == latchFree && l.state.CompareAndSwap(latchFree, latchTaken) {
			return
		}
	}
	for l.state.Swap(latchWanted) != latchFree {
		<-l.turn
	}
}

// awaitIdle waits until a lane has no readers.
func (l *latch) awaitIdle(n *atomic.Int32) {
	for range latchSpins {
		if n.Load() == 0 {
			return
		}
	}
	for n.Load() != 0 {
		<-l.idle
	}
}

// post leaves a token, unless there is one.
func post(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
