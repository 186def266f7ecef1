package store

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/brockdb/brock/internal/page"
)

// view is an open View: a snapshot that can be ended from outside, between two
// of its commands, when it keeps too many old versions in memory, or when the
// store closes.
type view struct {
	lsn  uint64
	over atomic.Bool // it kept too many old versions: it ends after the command that runs

	mu    sync.Mutex // held for each command
	ended error      // what commands get; nil while the View is open
}

// step runs one command of the View.
func (v *view) step(t *Tx, fn func(*Tx) error) error {
	v.mu.Lock()
	defer v.stepDone(t) // also on a panic of fn
	if v.over.Load() {
		t.s.endView(v, ErrRetention)
	}
	if v.ended != nil {
		return v.ended
	}
	return fn(t)
}

// stepDone ends a command, and the View if that is due.
func (v *view) stepDone(t *Tx) {
	t.endStep()
	if v.over.Load() {
		t.s.endView(v, ErrRetention)
	}
	v.mu.Unlock()
}

// views are all open Views, oldest first.
type views struct {
	mu   sync.Mutex
	open []*view
}

func (vs *views) add(v *view) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	vs.open = append(vs.open, v)
}

// remove forgets v.
func (vs *views) remove(v *view) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	i := slices.Index(vs.open, v)
	vs.open = slices.Delete(vs.open, i, i+1)
}

// each calls fn for all Views that are open now.
func (vs *views) each(fn func(*view)) {
	vs.mu.Lock()
	open := slices.Clone(vs.open)
	vs.mu.Unlock()
	for _, v := range open {
		fn(v)
	}
}

// oldest returns the View opened first, nil if none is open.
func (vs *views) oldest() *view {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if len(vs.open) == 0 {
		return nil
	}
	return vs.open[0]
}

// View runs fn on the state as of one moment. It stops no writer and waits for
// none. fn may be user code: it reads by [Tx.Step] alone, since the View may be
// ended between two commands.
func (s *Store) View(fn func(*Tx) error) error {
	t := s.get()
	defer s.put(t)
	if err := s.openView(t); err != nil {
		return err
	}
	defer s.closeView(t.view, ErrTxDone)
	defer func() { t.done = true }()
	return fn(t)
}

// openView makes t a View.
func (s *Store) openView(t *Tx) error {
	if err := s.enter(); err != nil { // until Close finds it among the open ones
		return err
	}
	defer s.leave()
	if err := s.usable(); err != nil {
		return err
	}
	t.view = &view{lsn: s.openSnapshot(t)}
	s.views.add(t.view)
	return nil
}

// Snapshot runs fn, a command that takes long, on the state as of one moment.
// Unlike a View it is never ended: Close waits for it.
func (s *Store) Snapshot(later *Later, fn func(*Tx) error) error {
	if later != nil && later.NoWait {
		return ErrWait
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if err := s.usable(); err != nil {
		return err
	}
	t := s.get()
	defer s.put(t)
	defer s.closeSnapshot(s.openSnapshot(t))
	later.begin(t)
	err := fn(t)
	later.see(t, err)
	return err
}

// openSnapshot makes t read the state of this moment, and returns its LSN.
func (s *Store) openSnapshot(t *Tx) (lsn uint64) {
	t.user = true
	now := t.Now()
	s.deadlines.settle(now)
	lsn = s.mem.OpenSnapshot(t.acc.Lane, func() uint64 {
		t.spaces = s.spaces.Load()
		for _, of := range t.spaces.dbs {
			t.counts = append(t.counts, countChange{sp: of, by: s.keysAt(of, now)})
		}
		return s.committed.Load()
	})
	t.acc.Begin(s.mem, page.Snapshot, lsn, 0, s.base)
	return lsn
}

// closeSnapshot has the versions freed that only a snapshot at lsn needed.
func (s *Store) closeSnapshot(lsn uint64) {
	s.mem.CloseSnapshot(lsn)
	s.nudge()
}

// closeView ends a View that runs no command, or waits for that.
func (s *Store) closeView(v *view, why error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s.endView(v, why)
}

// endView ends a View, unless it has ended before. The caller holds its mu.
func (s *Store) endView(v *view, why error) {
	if v.ended != nil {
		return
	}
	v.ended = why
	s.views.remove(v)
	s.closeSnapshot(v.lsn)
}

// limitViews ends the oldest Views while old versions take more than
// MaxViewBytes: their next command gets ErrRetention, and writers go on. One
// that is inside a command ends itself after it.
func (s *Store) limitViews() {
	for s.retained() > s.opts.MaxViewBytes {
		v := s.views.oldest()
		if v == nil {
			return
		}
		if !v.over.Swap(true) {
			s.logger.Warn("brock: view ended: it kept too many old versions", "limit", s.opts.MaxViewBytes)
		}
		if !v.mu.TryLock() {
			return
		}
		s.endView(v, ErrRetention)
		v.mu.Unlock()
		s.reclaim()
	}
}

// retained returns the bytes of old versions.
func (s *Store) retained() (n int64) {
	for i := range page.Partitions {
		n += s.mem.Part(i).RetainedBytes()
	}
	return n
}

// budget returns what pages may take of the memory budget: a quarter of it, at
// most 32 MiB, is for Badger, which writes them. 0 is no limit.
func (s *Store) budget() int64 {
	return s.opts.MemoryBudget - min(s.opts.MemoryBudget/4, 32<<20)
}

// throttle keeps a writer from outrunning the memory budget: above it by a
// sixteenth, writers drop pages themselves and, where a quarter of it is dirty,
// run the next checkpoint step. If what can never be dropped exceeds the budget
// the store goes on. It fails with ErrWait alone.
func (s *Store) throttle(later *Later) error {
	budget := s.budget()
	most := budget + budget/16
	switch {
	case budget == 0 || s.mem.Used() <= most:
		return nil
	case later != nil && later.NoWait:
		s.nudge()
		return ErrWait
	case s.enter() != nil:
		return nil // the caller will meet it
	}
	defer s.leave()
	for s.mem.Used() > most {
		s.reclaim()
		s.evict()
		if s.mem.Used() <= most || s.dirtyBytes() <= budget/4 || s.usable() != nil {
			return nil
		}
		if s.Step(s.steps()[0]) != nil {
			return nil // as above
		}
	}
	return nil
}
