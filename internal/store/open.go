package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// counters are what Stats tells.
type counters struct {
	background atomic.Int64 // errors that no caller got
	loads      atomic.Int64 // commands that met cold pages
	steps      atomic.Int64
	rounds     atomic.Int64
	evicted    atomic.Int64
	expired    atomic.Int64
}

// realClock is the system's clock.
type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }

// withDefaults returns o with the defaults filled in.
func (o Options) withDefaults() (Options, error) {
	for _, n := range []int64{int64(o.Databases), o.MemoryBudget, o.MaxTxBytes, o.MaxViewBytes, int64(o.SlowTx), o.MinRound, o.StepSize} {
		if n < 0 {
			return o, errors.New("brock: negative option")
		}
	}
	if o.Databases > maxDatabases-brokerSpaces {
		return o, fmt.Errorf("brock: %d databases: at most %d", o.Databases, maxDatabases-brokerSpaces)
	}
	o.Databases = cmp0(o.Databases, 16)
	o.MaxTxBytes = cmp0(o.MaxTxBytes, 600<<20)
	o.MaxViewBytes = cmp0(o.MaxViewBytes, 1<<30)
	o.SlowTx = cmp0(o.SlowTx, time.Second)
	o.MinRound = cmp0(o.MinRound, defaultMinRound)
	o.StepSize = cmp0(o.StepSize, defaultStep)
	if o.Clock == nil {
		o.Clock = realClock{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// cmp0 returns v, or def if v is zero.
func cmp0[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// OpenMemory returns a store that keeps nothing beyond its life: it has no
// log, no base, and ignores the memory budget.
func OpenMemory(seed uint64, opts Options) (*Store, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	opts.MemoryBudget = 0
	s := newStore(opts, page.NewMemory(seed, false))
	s.spaces.Store(newSpaces(opts.Databases))
	s.start()
	return s, nil
}

// Open returns the store that an engine holds. The store owns the engine from
// then on; after an error it is the caller's.
func Open(eng engine.Engine, opts Options) (*Store, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	if opts.Durability == Always && !eng.PowerSafe() {
		return nil, ErrDurability
	}
	state := eng.Base().State()
	s := newStore(opts, page.NewMemory(state.Seed, true))
	s.eng, s.base, s.wlog.log = eng, eng.Base(), eng.Log()
	s.wlog.epoch = state.Epoch
	s.check.complete, s.check.number = state.Complete, state.LastStep
	if err := s.recover(state); err != nil {
		return nil, errors.Join(err, s.mem.Close())
	}
	s.start()
	return s, nil
}

// newStore makes a store without contents.
func newStore(opts Options, mem *page.Memory) *Store {
	s := &Store{opts: opts, mem: mem, clock: opts.Clock, logger: opts.Logger, deadlines: newDeadlineIndex()}
	s.limits.Store(defaultLimits())
	s.durability.Store(int32(opts.Durability))
	s.writer.wake, s.writer.handed = make(chan struct{}, 1), make(chan struct{})
	s.wlog.open, s.wlog.spare = &group{}, &group{}
	s.life.ctx, s.life.cancel = context.WithCancel(context.Background())
	s.life.wake = make(chan struct{}, 1)
	s.life.tidy = make(chan struct{}, 1)
	return s
}

// recover loads the directories from the base and replays the log on top.
func (s *Store) recover(state engine.State) error {
	sp := newSpaces(s.opts.Databases)
	if state.Tables != nil {
		m, err := s.decodeTables(state.Tables)
		if err != nil {
			return err
		}
		sp = m.resized(s.opts.Databases)
	}
	s.spaces.Store(sp)
	if err := s.loadDirs(sp); err != nil {
		return err
	}
	for part := range page.Partitions {
		last, err := s.base.LastObject(part)
		if err != nil {
			return err
		}
		s.sawObject(max(last, page.ObjectID(part, 0)))
	}
	return s.replayLog(state)
}

// loadDirs loads all directories.
func (s *Store) loadDirs(sp *spaces) error {
	l := s.mem.NewDirLoader()
	if err := s.base.Load(l.Add); err != nil {
		return err
	}
	return l.Finish(func(part int, id uint64, dir *page.Table) error {
		p := s.mem.Part(part)
		of := sp.byID(id)
		if of == nil { // flushed; its images were not swept yet
			p.DropDir(dir, 0)
			return nil
		}
		of.tables[part] = dir
		dir.Each(p, func(l page.Leaf) {
			of.count.Add(int64(l.Len()))
			l.Each(func(key, entry []byte) bool {
				if at := entryDeadlineOf(entry); at != 0 {
					s.deadlines.change(deadlineChange{space: id, hash: s.mem.Hash(string(key)), after: at})
				}
				return true
			})
		})
		return nil
	})
}

// replayLog applies the log behind the base.
func (s *Store) replayLog(state engine.State) error {
	from := slices.Min(state.Complete[:]) + 1
	r := replay{s: s, complete: state.Complete, t: &Tx{s: s}, next: from}
	err := s.wlog.log.Replay(from, func(g engine.Group) error {
		if err := r.group(g); err != nil {
			return err
		}
		return s.relieve(&state)
	})
	if err != nil {
		return err
	}
	last := slices.Max(state.Complete[:])
	if r.next <= last { // the log was synced that far before the base said so
		return missing(r.next, last)
	}
	last = r.next - 1
	s.committed.Store(last)
	s.check.opened = last
	s.wlog.written.Store(last)
	s.wlog.synced.Store(min(last, s.wlog.log.Synced()))
	return nil
}

// relieve keeps a recovery within the memory budget. Its steps are as of what
// has been replayed: they leave out the partitions that the base had found
// complete at a later LSN.
func (s *Store) relieve(state *engine.State) error {
	if s.opts.MemoryBudget == 0 || s.mem.Used() < s.budget() {
		return nil
	}
	if s.dirtyBytes() > s.budget()/3 {
		var behind uint64
		for i := range page.Partitions {
			if state.Complete[i] <= s.committed.Load() {
				behind |= 1 << i
			}
		}
		for _, mask := range s.steps() {
			if mask &= behind; mask == 0 {
				continue
			}
			if err := s.Step(mask); err != nil {
				return err
			}
		}
	}
	s.reclaim()
	s.evict()
	return nil
}

// start starts the background goroutines, see ARCHITECTURE.md.
func (s *Store) start() {
	if s.opts.NoTimers {
		return
	}
	s.deadlines.watch(s.clock)
	s.life.wg.Go(s.housekeepLoop)
	if s.base == nil {
		return
	}
	s.life.wg.Go(s.syncLoop)
	s.life.wg.Go(s.writeLoop)
	s.life.wg.Go(s.checkpointLoop)
}

// syncLoop makes what is written durable once a second.
func (s *Store) syncLoop() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.life.ctx.Done():
			return
		case <-tick.C:
			if err := s.wlog.flush(false); err != nil {
				_ = s.fail(err)
			} else if err := s.wlog.sync(); err != nil {
				_ = s.fail(err)
			}
		}
	}
}

// writeLoop writes what Relaxed callers do not wait for.
func (s *Store) writeLoop() {
	for {
		select {
		case <-s.life.ctx.Done():
			return
		case <-s.life.wake:
			if err := s.wlog.flush(false); err != nil {
				_ = s.fail(err)
			}
		}
	}
}

// checkEvery is how often the background looks whether anything is due.
const checkEvery = 100 * time.Millisecond

// trimEvery is after how many such looks memory that nobody has needed since the
// last time goes back to the system.
const trimEvery = 10

// checkpointLoop runs rounds of checkpoint steps when they are due.
func (s *Store) checkpointLoop() {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.life.ctx.Done():
			return
		case <-tick.C:
		}
		if s.usable() != nil || !s.due() {
			continue
		}
		if err := s.Checkpoint(); err != nil && !errors.Is(err, ErrClosed) {
			s.stats.background.Add(1)
			s.logger.Error("brock: checkpoint", "error", err)
		}
	}
}

// housekeepLoop removes expired keys, frees what nobody needs, and drops pages
// above the budget.
func (s *Store) housekeepLoop() {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for ticks := 0; ; {
		select {
		case <-s.life.ctx.Done():
			return
		case <-s.deadlines.rang:
			if s.usable() == nil {
				s.expire()
			}
			continue
		case <-tick.C:
			ticks++
		case <-s.life.tidy:
		}
		if s.usable() == nil {
			s.tidyUp()
		}
		if ticks >= trimEvery {
			ticks = 0
			s.trim()
		}
	}
}

// trim gives memory back that nobody has needed for a while.
func (s *Store) trim() {
	if s.enter() == nil {
		s.mem.Trim()
		s.leave()
	}
}

// Housekeep does one turn of the background's work.
func (s *Store) Housekeep() {
	s.expire()
	s.tidyUp()
}

// tidyUp does what Housekeep does beside expiry.
func (s *Store) tidyUp() {
	if s.enter() != nil {
		return
	}
	defer s.leave()
	if x := s.idle.Load(); x != nil {
		x.tick(s.clock.Now(), s.keys())
	}
	if err := s.sweepSpaces(); err != nil && s.usable() == nil {
		s.stats.background.Add(1)
		s.logger.Error("brock: sweep", "error", err)
	}
	s.limitViews()
	s.reclaim()
	s.evict()
	s.checkSpace()
}

// sliceTime bounds how long housekeeping holds a partition's lock.
const sliceTime = time.Millisecond

// reclaim frees old versions and what was dropped.
func (s *Store) reclaim() {
	for i := range page.Partitions {
		for done := false; !done; {
			end := time.Now().Add(sliceTime)
			n := 0
			done = s.mem.Part(i).Reclaim(func() bool {
				n++
				return n%64 == 0 && time.Now().After(end)
			})
		}
	}
}

// evict drops clean pages while there are more than the budget.
func (s *Store) evict() {
	if s.opts.MemoryBudget == 0 {
		return
	}
	for range 4 {
		for i := range page.Partitions {
			over := s.mem.Used() - s.budget()
			if over <= 0 {
				return
			}
			s.stats.evicted.Add(s.mem.Part(i).Evict(over/16+64<<10, 4096))
		}
	}
}
