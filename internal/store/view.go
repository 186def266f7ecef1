package store

import (
	"slices"
	"sync"

	"github.com/brockdb/brock/internal/page"
)

// view is an open View: a snapshot that can be ended from outside, between two
// of its commands, when it keeps too many old versions in memory.
type view struct {
	lsn uint64

	mu    sync.Mutex // held for each command
	ended bool
}

// step runs one command of the View.
func (v *view) step(t *Tx, fn func(*Tx) error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ended {
		return ErrRetention
	}
	err := fn(t)
	t.Release()
	t.hashLen = 0
	return err
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

// remove forgets v, and tells whether it was open.
func (vs *views) remove(v *view) bool {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	i := slices.Index(vs.open, v)
	if i >= 0 {
		vs.open = slices.Delete(vs.open, i, i+1)
	}
	return i >= 0
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

// closeView ends a View and has the versions that only it needed freed.
func (s *Store) closeView(v *view) {
	v.mu.Lock()
	v.ended = true
	v.mu.Unlock()
	if s.views.remove(v) {
		s.mem.CloseSnapshot(v.lsn)
		s.nudge()
	}
}

// limitViews ends the oldest Views while old versions take more than
// MaxViewBytes: their next command gets ErrRetention, and writers go on.
func (s *Store) limitViews() {
	for s.retained() > s.opts.MaxViewBytes {
		v := s.views.oldest()
		if v == nil {
			return
		}
		s.closeView(v)
		s.logger.Warn("brock: view ended: it kept too many old versions", "limit", s.opts.MaxViewBytes)
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
// the store goes on.
func (s *Store) throttle() {
	budget := s.budget()
	most := budget + budget/16
	for budget > 0 && s.mem.Used() > most {
		s.reclaim()
		s.evict()
		if s.mem.Used() <= most || s.dirtyBytes() <= budget/4 || s.usable() != nil {
			return
		}
		if s.Step(s.steps()[0]) != nil {
			return // the caller will meet it
		}
	}
}
