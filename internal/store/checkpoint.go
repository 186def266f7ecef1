package store

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// checkpointer folds changed pages into the base, some partitions at a time,
// and lets the log behind them go.
type checkpointer struct {
	mu       sync.Mutex // held for a step: there is one at a time
	complete [engine.PartitionCount]uint64
	number   uint64                // of the last step begun
	sweep    []page.Dropped        // objects whose images are to go
	orphans  orphans               // found by the last round
	last     atomic.Pointer[round] // read without mu
	opened   uint64                // number of the last transaction before Open
}

// round is a round of steps that is complete.
type round struct {
	at  time.Time // when it ended
	lsn uint64    // the last transaction before it
}

const (
	defaultMinRound = 32 << 20
	maxRound        = 4 << 30
	defaultStep     = 64 << 20
)

// due tells whether a round of steps over all partitions should start.
func (s *Store) due() bool {
	if s.base == nil {
		return false
	}
	limit := min(max(s.base.Size(), s.opts.MinRound), maxRound)
	return s.wlog.log.Size() >= limit || s.opts.MemoryBudget > 0 && s.dirtyBytes() > s.budget()/3
}

// dirtyBytes returns about how many bytes of pages the base does not have.
func (s *Store) dirtyBytes() (n int64) {
	for i := range page.Partitions {
		n += s.mem.Part(i).DirtyBytes()
	}
	return n
}

// Checkpoint runs a round: a step for each partition, so that the log before
// this moment is not needed any more.
func (s *Store) Checkpoint() error {
	if err := s.usable(); err != nil {
		return err
	}
	if s.base == nil {
		return nil
	}
	lsn := s.committed.Load()
	for _, parts := range s.steps() {
		if err := s.Step(parts); err != nil {
			return err
		}
		if s.life.closed.Load() {
			return nil
		}
	}
	return s.endRound(lsn)
}

// steps divides all partitions in runs of about StepSize dirty bytes, those
// first that have been complete for longest. With repeated kills others would
// never be reached, and the log would grow without bound.
func (s *Store) steps() (masks []uint64) {
	s.check.mu.Lock()
	complete := s.check.complete
	s.check.mu.Unlock()
	order := make([]int, page.Partitions)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(complete[a], complete[b]) })
	var mask uint64
	var size int64
	for _, i := range order {
		mask |= 1 << i
		if size += s.mem.Part(i).DirtyBytes(); size >= s.opts.StepSize {
			masks = append(masks, mask)
			mask, size = 0, 0
		}
	}
	if mask != 0 {
		masks = append(masks, mask)
	}
	return masks
}

// Step runs one checkpoint step over the partitions of mask. An error poisons
// the store, ErrNoSpace before the first write excepted.
func (s *Store) Step(mask uint64) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	s.check.mu.Lock()
	defer s.check.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	if s.base == nil {
		return nil
	}
	if err := s.room(); err != nil {
		return err
	}
	if s.committed.Load() == 0 {
		return nil
	}
	s.check.number++
	var tables []byte
	st := s.mem.BeginStep(mask, s.check.number, func() uint64 {
		tables = s.encodeTables()
		return s.committed.Load()
	})
	if err := s.writeStep(st, tables); err != nil {
		return s.fail(fmt.Errorf("store: checkpoint step %d: %w", st.Number, err))
	}
	st.End()
	for i := range s.check.complete {
		if i == page.Partitions || mask>>i&1 != 0 {
			s.check.complete[i] = max(s.check.complete[i], st.LSN) // in recovery the tables may be ahead
		}
	}
	s.check.sweep = append(s.check.sweep, st.Dropped()...)
	s.stats.steps.Add(1)
	s.nudge()
	return s.truncate()
}

// writeStep writes the images of a step and completes it.
func (s *Store) writeStep(st *page.Step, tables []byte) error {
	// The log first: a base that is ahead of the log would survive a crash
	// together with a history that does not contain it.
	if err := s.wlog.await(st.LSN, true); err != nil {
		return err
	}
	epoch := s.wlog.epoch
	err := st.Write(func(images []engine.Image) error {
		return s.base.Write(epoch, st.Number, images)
	})
	if err != nil {
		return err
	}
	return s.base.Complete(epoch, st.Number, st.Parts, st.LSN, tables, st.Removed())
}

// room refuses a step that may fill the device.
func (s *Store) room() error {
	free, err := s.eng.Free()
	if err != nil {
		return err
	}
	if free <= 0 {
		return fmt.Errorf("checkpoint: %w", engine.ErrNoSpace)
	}
	return nil
}

// truncate drops the log that every partition's images have. The caller holds
// check.mu.
func (s *Store) truncate() error {
	if err := s.wlog.log.TruncateBefore(slices.Min(s.check.complete[:]) + 1); err != nil {
		return s.fail(err)
	}
	return nil
}

// endRound deletes images of what is gone, and lets the base tidy up, after a
// round that began behind a transaction.
func (s *Store) endRound(lsn uint64) error {
	if s.enter() != nil {
		return nil
	}
	defer s.leave()
	found, err := s.findOrphans()
	if err != nil {
		if s.usable() != nil {
			return nil // closed meanwhile, or poisoned and reported
		}
		if errors.Is(err, ErrNested) {
			return err
		}
		return s.fail(fmt.Errorf("store: after a round of checkpoints: %w", err))
	}
	s.check.mu.Lock()
	defer s.check.mu.Unlock()
	if s.life.closed.Load() {
		return nil
	}
	err = errors.Join(s.sweepGone(), s.base.Tidy(s.life.ctx.Done()))
	if err != nil {
		return s.fail(fmt.Errorf("store: after a round of checkpoints: %w", err))
	}
	s.check.orphans = found
	s.check.last.Store(&round{at: time.Now(), lsn: lsn})
	s.stats.rounds.Add(1)
	return nil
}

// sweepGone deletes images of objects and directories that are gone. What a
// step has dropped, no recovery reads: its partition is complete behind the
// end of it, and names of it that another one still has are replayed without
// looking at it. Orphans may have ended behind their partition's step. The
// caller holds check.mu.
func (s *Store) sweepGone() error {
	var objects, dirs []uint64
	for _, d := range s.check.sweep {
		if d.Dir {
			dirs = append(dirs, d.Object)
		} else {
			objects = append(objects, d.Object)
		}
	}
	s.check.sweep = nil
	// A View that is older than their end still loads pages of them.
	known := slices.Min(s.check.complete[:])
	if s.check.orphans.lsn <= known && !s.mem.SnapshotBefore(s.check.orphans.lsn) {
		objects = append(objects, s.check.orphans.objects...)
		s.check.orphans = orphans{}
	}
	return errors.Join(s.base.Sweep(false, objects), s.base.Sweep(true, dirs))
}
