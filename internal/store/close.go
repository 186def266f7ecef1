package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/brockdb/brock/internal/page"
)

// lifecycle is what Close waits for.
type lifecycle struct {
	ctx    context.Context // cancelled by Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
	closed atomic.Bool   // set under the writer lock
	use    sync.RWMutex  // see enter; Close keeps it
	wake   chan struct{} // the background writer of Relaxed
	tidy   chan struct{} // memory to reclaim, pages to drop, a round to run
	err    atomic.Pointer[error]
}

// enter keeps Close from taking memory and engine away until leave. Whoever
// touches them calls it, unless a lock that Close takes first keeps it away: the
// writer's, a partition's, or that of a View. It never waits, and may be called
// again inside. User code must not run inside: it would wait for itself in
// Close.
func (s *Store) enter() error {
	if !s.life.use.TryRLock() { // only Close locks it
		return ErrClosed
	}
	return nil
}

// leave ends what enter has begun.
func (s *Store) leave() { s.life.use.RUnlock() }

// stay is [Store.enter] for as long as t holds pages, see letGo.
func (t *Tx) stay() error {
	if t.inside {
		return nil
	}
	err := t.s.enter()
	t.inside = err == nil
	return err
}

// letGo gives up the pages that t holds, and lets Close go on.
func (t *Tx) letGo() {
	t.acc.Release()
	if t.inside {
		t.inside = false
		t.s.leave()
	}
}

// Close ends all Views, waits for what else runs, makes everything durable, and
// gives the directory free. Calls during and after it fail with ErrClosed.
// Inside the callback of an Update it fails with ErrNested and does nothing.
func (s *Store) Close() error {
	if s.life.closed.Load() {
		return nil
	}
	if err := s.writer.lock(); err != nil {
		return err
	}
	again := s.life.closed.Swap(true)
	s.releaseWriter() // whoever waits for it finds the store closed
	if again {
		return nil
	}
	s.life.cancel()
	s.deadlines.close()
	s.life.wg.Wait()
	s.life.use.Lock() // no step runs, nobody loads pages, no View is opened
	s.views.each(func(v *view) { s.closeView(v, ErrClosed) })
	err := s.wlog.flush(true)
	if s.eng != nil {
		err = errors.Join(err, s.eng.Close())
	}
	s.mem.Lock(page.All) // readers are out
	defer s.mem.Unlock(page.All)
	return errors.Join(err, s.mem.Close())
}
