package resp

import (
	"sync"
	"time"

	"github.com/brockdb/brock/internal/bridge"
)

// tally is what INFO counts of what loops do.
type tally struct {
	calls   int64
	lookups bridge.Lookups
	in, out int64 // bytes received, and handed to connections to be sent
}

// add adds what another one has counted.
func (t *tally) add(other *tally) {
	t.calls += other.calls
	t.looked(other.lookups)
	t.in += other.in
	t.out += other.out
}

// since returns what was counted since an earlier state.
func (t *tally) since(before *tally) tally {
	return tally{
		calls:   t.calls - before.calls,
		lookups: bridge.Lookups{Hits: t.lookups.Hits - before.lookups.Hits, Misses: t.lookups.Misses - before.lookups.Misses},
		in:      t.in - before.in, out: t.out - before.out,
	}
}

// meter sums up tallies, and keeps that of the last whole second. Loops share the
// meters of a server evenly: where they are few each has its own.
type meter struct {
	mu     sync.Mutex
	total  tally
	second int64 // the second in which something came last, since the server was started
	before tally // total when it began
	last   tally // what came in the second before it
}

// meterCount is how many meters a server has.
const meterCount = 16

// add adds what was counted up to a moment, and tells whether that is in another
// second than what came last.
func (m *meter) add(t *tally, uptime time.Duration) (another bool) {
	m.mu.Lock()
	another = m.advance(uptime)
	m.total.add(t)
	m.mu.Unlock()
	return another
}

// advance goes on to the second of a moment, if it is a later one, and tells
// whether it is. The caller holds mu.
func (m *meter) advance(uptime time.Duration) bool {
	second := int64(uptime / time.Second)
	if second <= m.second {
		return false
	}
	m.last = tally{}
	if second == m.second+1 {
		m.last = m.total.since(&m.before)
	}
	m.second, m.before = second, m.total
	return true
}

// read returns what was counted altogether, and in the last whole second.
func (m *meter) read(uptime time.Duration) (total, last tally) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance(uptime)
	return m.total, m.last
}

// read returns what all loops have counted since the counters were set to zero,
// and in the last whole second.
func (s *stats) read(uptime time.Duration) (total, last tally) {
	for i := range s.meters {
		t, l := s.meters[i].read(uptime)
		total.add(&t)
		last.add(&l)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return total.since(&s.zero), last
}

// account hands on what the loop has counted since the last call.
func (l *loop) account() {
	l.tally.looked(l.later.TakeLookups())
	if l.meter.add(&l.tally, l.run.began) {
		l.srv.watchMemory(l.run.began)
	}
	l.tally = tally{}
}

// looked adds look-ups.
func (t *tally) looked(n bridge.Lookups) {
	t.lookups.Hits += n.Hits
	t.lookups.Misses += n.Misses
}
