package store

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// Clock is where the store's time comes from.
type Clock interface {
	Now() time.Time
	// AfterFunc has f called once d has passed, and returns what stops it.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Options configure a Store. The zero value of a field means its default.
type Options struct {
	Databases    int           // logical databases; default 16
	Durability   Durability    // when changes are acknowledged
	MemoryBudget int64         // bytes of memory, see budget; 0 is no limit
	MaxTxBytes   int64         // bytes of records of one transaction; default 600 MiB
	MaxViewBytes int64         // bytes of old versions kept for views; default 1 GiB
	SlowTx       time.Duration // an Update held longer is logged; default 1 s
	Clock        Clock         // default: real time
	Logger       *slog.Logger  // default: silent

	MinRound int64 // bytes of log that a round of checkpoint steps waits for; default 32 MiB
	StepSize int64 // bytes of changed pages that a step writes, about; default 64 MiB
	NoTimers bool  // no background checkpoints, expiry or syncs: tests drive them
}

// Store is all data of one database directory, or of memory.
type Store struct {
	opts   Options
	eng    engine.Engine // nil for a store in memory only
	base   engine.Base
	mem    *page.Memory
	clock  Clock
	logger *slog.Logger
	wlog   commitLog

	durability atomic.Int32
	committed  atomic.Uint64 // the last committed transaction
	spaces     atomic.Pointer[spaces]
	audience   atomic.Int32 // waiters and listeners, see Emit
	waiters    waiters
	listeners  []*listener // changed under writer
	views      views
	gone       goneSpaces
	full       atomic.Bool // the device is too full for changes
	restoring  atomic.Bool // objects may be without the keys that name them, see Restore
	deadlines  *deadlineIndex
	readers    sync.Pool     // of *Tx: a processor gets the one that it used before, mostly
	lanes      atomic.Uint32 // lanes given to them so far, see page.Part.RLock
	broker     atomic.Bool   // one is open, see ClaimBroker
	limits     atomic.Pointer[limits]
	idle       atomic.Pointer[idleTimes] // nil until TrackIdle

	writer  writerLock
	jobs    jobs                           // left to the writer lock's holder
	unseen  int                            // bytes of records since the last look at the device; under writer
	spare   *Tx                            // the last writer's, for the next one; under writer
	objects [page.Partitions]atomic.Uint64 // per partition the last number given to an object; changed under writer

	check checkpointer
	life  lifecycle
	stats counters

	keepExpired atomic.Bool // see SetExpiry
}

// maskOf returns the partition of a hash as a mask.
func (s *Store) maskOf(hash uint64) uint64 { return 1 << page.PartitionOf(hash) }

// All is the mask of all partitions.
const All = page.All

// Mask returns the partition of a key as a mask.
func (s *Store) Mask(key string) uint64 { return s.maskOf(s.hashOf(key)) }

// positionOf returns where a hash lies in its partition's directory.
func positionOf(hash uint64) uint64 { return page.Position(hash) }

// usable returns why the store cannot be used any more.
func (s *Store) usable() error {
	if s.life.closed.Load() {
		return ErrClosed
	}
	if e := s.life.err.Load(); e != nil {
		return *e
	}
	return nil
}

// fail poisons the store: every later call returns err.
func (s *Store) fail(err error) error {
	if !errors.Is(err, ErrPoisoned) {
		err = fmt.Errorf("%w: %w", ErrPoisoned, err)
	}
	if s.life.err.CompareAndSwap(nil, &err) {
		s.stats.background.Add(1)
		s.logger.Error("brock: store is unusable", "error", err)
		s.life.cancel() // the background has nothing to do any more, and who waits gives up
	}
	return *s.life.err.Load()
}

// Now returns the time by the store's clock.
func (s *Store) Now() time.Time { return s.clock.Now() }

// Err returns why the store cannot be used any more, nil if it can.
func (s *Store) Err() error { return s.usable() }

// get returns a Tx for a reader.
func (s *Store) get() *Tx {
	t, _ := s.readers.Get().(*Tx)
	if t == nil {
		t = &Tx{s: s}
		t.acc.Lane = int(s.lanes.Add(1) % page.Lanes)
	}
	return t
}

// put gives a Tx back.
func (s *Store) put(t *Tx) {
	t.letGo()
	t.reset()
	s.readers.Put(t)
}

// Read runs fn on the current state, with the partitions of mask locked for
// reading. fn may run several times and returns soon. later, which may be nil,
// notes what fn has seen.
func (s *Store) Read(mask uint64, later *Later, fn func(*Tx) error) error {
	t := s.get()
	defer s.put(t)
	return s.read(t, mask, later, fn)
}

// ReadKey is Read for a command of one key.
func (s *Store) ReadKey(key string, later *Later, fn func(*Tx) error) error {
	t := s.get()
	defer s.put(t)
	return s.read(t, s.maskOf(t.keyHash(key)), later, fn)
}

// see sets the map of databases that t works on.
func (t *Tx) see(m *spaces) {
	if t.spaces != m {
		t.spaces = m
	}
}

// maxRetries is how often a command is run again with what it asked for before
// it gets all that it asks for at once: one that meets many cold pages, one
// after the other, would take time with the square of their number.
const maxRetries = 4

// read runs fn on the current state until it has what it needs, or on a
// snapshot if it asks for pages again and again.
func (s *Store) read(t *Tx, mask uint64, later *Later, fn func(*Tx) error) error {
	for n := 0; ; n++ {
		if n > maxRetries && s.base != nil {
			return s.Snapshot(later, fn)
		}
		later.begin(t)
		err := s.readOnce(t, mask, fn)
		if err == nil || !retried(err) {
			later.see(t, err)
			return err
		}
		if later.mustNotWait(err) {
			return ErrWait
		}
		if err := t.stay(); err != nil {
			return err
		}
		if err := s.prepare(t, &mask, err); err != nil {
			return err
		}
	}
}

// readOnce runs fn on the current state. Under the locks the store is either
// closed or stays what it is: Close takes them before memory goes, and
// directories of spaces that are gone are freed under them.
func (s *Store) readOnce(t *Tx, mask uint64, fn func(*Tx) error) error {
	t.acc.Begin(s.mem, page.Shared, 0, mask, nil)
	s.mem.RLock(mask, t.acc.Lane)
	defer s.mem.RUnlock(mask, t.acc.Lane) // fn may panic
	if err := s.usable(); err != nil {
		return err
	}
	t.see(s.spaces.Load())
	return fn(t)
}

// broken tells whether err is not a command's own refusal but a failure to do
// its work, which must not happen after its first change.
func broken(err error) bool {
	return errors.Is(err, page.ErrCold) || errors.Is(err, page.ErrHeld) || errors.Is(err, engine.ErrCorrupt)
}

// retried tells whether a command that returns err is run again, see prepare.
func retried(err error) bool {
	return errors.Is(err, page.ErrCold) || errors.Is(err, page.ErrHeld)
}

// ErrLong is what a command fails with that would hold its locks for too long. It
// has changed nothing yet, and runs again in another way.
var ErrLong = errors.New("store: long command")

// Unrun tells whether a command that returns err has not been run, but is to be
// once what it needs is there.
func Unrun(err error) bool {
	return err != nil && (retried(err) || errors.Is(err, ErrWait) || errors.Is(err, ErrLong))
}

// prepare does what a command that could not run asks for by err: it loads
// pages, or adds partitions to mask.
func (s *Store) prepare(t *Tx, mask *uint64, err error) error {
	if errors.Is(err, page.ErrHeld) {
		*mask |= t.acc.Want()
		return nil
	}
	if err := t.acc.Load(s.base); err != nil {
		return err
	}
	s.stats.loads.Add(1)
	return nil
}

// again gets t ready to run a command once more, see prepare. The caller holds
// the writer lock, which again releases.
func (s *Store) again(t *Tx, mask *uint64, later *Later, err error) error {
	failed := t.stay() // as long as the writer lock keeps Close away
	if failed == nil && later.mustNotWait(err) {
		failed = ErrWait
	}
	s.releaseWriter()
	if failed != nil {
		return failed
	}
	if err := s.prepare(t, mask, err); err != nil {
		return err
	}
	t.reset()
	return nil
}

// take returns the Tx of writers. The caller holds the writer lock.
func (s *Store) take() *Tx {
	t := s.spare
	if s.spare = nil; t == nil {
		t = &Tx{s: s, silent: s.wlog.log == nil}
	}
	return t
}

// give keeps a Tx for the next writer and returns what is left to do once the
// writer lock, which the caller holds, is released.
func (s *Store) give(t *Tx) outcome {
	if len(t.events) > 0 && t.lsn != 0 {
		s.tell(t)
	}
	o := outcome{lsn: t.lsn, gone: t.gone, after: t.after}
	if o.after != nil {
		t.after = nil
	}
	t.letGo()
	t.reset()
	s.spare = t
	return o
}

// outcome is what a transaction leaves to do.
type outcome struct {
	lsn   uint64 // 0 if it was not committed
	gone  []*space
	after []func()
	ran   bool // see unlockWriter
}

// Write runs fn as a transaction of its own that changes pages in place. fn
// may run several times until it makes its first change; from then on it must
// not fail: it has looked at all that it needs before. mask are the partitions
// of its keys.
//
// With later, Write does not wait for durability but notes in it what to wait
// for.
func (s *Store) Write(mask uint64, later *Later, fn func(*Tx) error) error {
	if err := s.throttle(later); err != nil {
		return err
	}
	return s.write(mask, "", 0, later, fn)
}

// WriteKey is Write for a command of one key.
func (s *Store) WriteKey(key string, later *Later, fn func(*Tx) error) error {
	if err := s.throttle(later); err != nil {
		return err
	}
	if len(key) > ShortName {
		return s.writeLong(key, later, fn)
	}
	hash := s.mem.Hash(key)
	return s.write(s.maskOf(hash), key, hash, later, fn)
}

// write runs fn in place until it has what it needs, and commits; if it asks for
// pages again and again, see Exec. hash is that of key, if there is just one.
func (s *Store) write(mask uint64, key string, hash uint64, later *Later, fn func(*Tx) error) error {
	var t *Tx        // nil before it was taken and once it was given back
	running := false // fn
	defer func() {
		if running {
			s.abandon(t, mask, later)
		} else if t != nil {
			t.letGo()
		}
	}()
	for n := 0; ; n++ {
		if n > maxRetries {
			return s.Exec(later, fn)
		}
		if err := s.lockWriter(later); err != nil {
			return err
		}
		if s.waiters.mask&mask != 0 {
			s.releaseWriter()
			return s.exec(later, fn)
		}
		if t == nil {
			t = s.take()
		}
		t.hashed(key, hash)
		later.begin(t)
		running = true
		err := s.change(t, mask, fn)
		running = false
		if err == nil || !retried(err) {
			later.see(t, err)
			o := s.release(t)
			t = nil
			return s.finish(o, later, err)
		}
		if err := s.again(t, &mask, later, err); err != nil {
			return err
		}
	}
}

// change runs fn once in place and commits. The caller holds the writer lock.
func (s *Store) change(t *Tx, mask uint64, fn func(*Tx) error) error {
	t.see(s.spaces.Load())
	t.acc.Begin(s.mem, page.Direct, s.committed.Load()+1, mask, nil)
	s.mem.Lock(mask)
	err := fn(t)
	if err == nil && len(t.events) > 0 {
		err = s.serve(t)
	}
	if t.changed { // with an error: it found its key expired, and deleted it
		if err != nil && (broken(err) || t.doomed != nil) {
			err = s.fail(fmt.Errorf("store: a command failed after its first change: %s", err.Error())) // not to be run again
		}
		s.commit(t)
	}
	s.mem.Unlock(mask)
	return err
}

// abandon ends a transaction in place whose fn panics: what complete steps have
// changed is committed, unless the panic is within a step that has changed
// something, half of which must not reach the log.
func (s *Store) abandon(t *Tx, mask uint64, later *Later) {
	if t.changes != t.stepped {
		_ = s.fail(errors.New("store: a command panicked after its first change"))
	} else if t.changed {
		s.commit(t)
	}
	s.mem.Unlock(mask)
	_ = s.finish(s.release(t), later, nil)
}

// Wait waits until the changes that l notes are as durable as the mode asks.
func (s *Store) Wait(l *Later) error { return s.Acknowledge(l.lsn) }

// commit makes t's change the last committed transaction. The caller holds the
// writer lock and the locks of the partitions changed.
func (s *Store) commit(t *Tx) {
	t.lsn = t.acc.LSN()
	s.unseen += len(t.recs)
	if s.wlog.log != nil {
		s.wlog.active.Add(1)
		if s.wlog.append(t.lsn, t.recs) && s.Durability() == Relaxed {
			post(s.life.wake)
		}
	}
	t.apply()
	s.committed.Store(t.lsn)
}

// release gives a Tx back, releases the writer lock, and returns what is left to
// do, see finish.
func (s *Store) release(t *Tx) outcome {
	o := s.give(t)
	if o.lsn != 0 {
		o.ran = s.unlockWriter()
	} else {
		s.releaseWriter() // after a panic nobody calls finish
	}
	return o
}

// finish waits for the durability asked for and does what comes after a commit.
func (s *Store) finish(o outcome, later *Later, err error) error {
	if o.lsn == 0 {
		return err
	}
	if len(o.gone) > 0 {
		s.gone.add(o.gone)
		s.nudge()
	}
	for _, fn := range o.after {
		fn()
	}
	if s.wlog.log == nil {
		return err
	}
	if later != nil {
		later.lsn = max(later.lsn, o.lsn)
	} else if failed := s.acknowledge(o.lsn); failed != nil {
		err = errors.Join(err, failed)
	}
	s.wlog.active.Add(-1)
	if o.ran {
		s.wlog.lead()
	}
	return err
}

// acknowledge waits until a transaction is as durable as the mode asks.
func (s *Store) acknowledge(lsn uint64) error {
	var err error
	switch s.Durability() {
	case Always:
		err = s.wlog.await(lsn, true)
	case EverySecond:
		err = s.wlog.await(lsn, false)
	case Relaxed: // see lockWriter
	}
	if err != nil {
		return s.fail(err)
	}
	return nil
}

// Clock returns where the store's time comes from.
func (s *Store) Clock() Clock { return s.clock }

// Durability returns the mode.
func (s *Store) Durability() Durability { return Durability(s.durability.Load()) }

// SetDurability changes the mode. What was committed before is brought up to
// the new mode's promise first; if that fails, the mode stays as it was. What
// was acknowledged by the old mode meanwhile is brought up to it, too. A
// platform that cannot keep Always refuses it.
func (s *Store) SetDurability(d Durability) error {
	if err := s.usable(); err != nil {
		return err
	}
	if d == Always && s.eng != nil && !s.eng.PowerSafe() {
		return ErrDurability
	}
	if err := s.wlog.flush(d == Always); err != nil {
		return s.fail(err)
	}
	s.durability.Store(int32(d))
	if err := s.wlog.flush(d == Always); err != nil {
		return s.fail(err)
	}
	return nil
}

// Update runs fn as a serialisable transaction over private copies of pages:
// an error or a panic drops them all. fn runs once, and loads what is cold
// under the writer lock.
func (s *Store) Update(fn func(*Tx) error) error {
	if err := s.usable(); err != nil {
		return err
	}
	_ = s.throttle(nil)
	if err := s.lockWriter(nil); err != nil {
		return err
	}
	o, held, err := s.runUpdate(fn)
	if held > s.opts.SlowTx {
		s.logger.Warn("brock: slow transaction", "held", held, "caller", caller())
	}
	return s.finish(o, nil, err)
}

// runUpdate runs fn under the writer lock, which it releases, and commits. held
// is how long that took.
func (s *Store) runUpdate(fn func(*Tx) error) (o outcome, held time.Duration, err error) {
	t, started := s.take(), time.Now()
	committed := false
	defer func() { // also on a panic or runtime.Goexit of fn
		if !committed {
			t.acc.Discard()
		}
		held = time.Since(started)
		o = s.release(t)
	}()
	t.spaces, t.user = s.spaces.Load(), true
	t.acc.Begin(s.mem, page.Private, s.committed.Load()+1, 0, s.base)
	if err = s.writer.mark(func() error { return fn(t) }); err == nil {
		committed, err = s.publish(t)
	}
	return o, held, err
}

// publish commits a private transaction, if it has changed anything, with what
// waiters take of it.
func (s *Store) publish(t *Tx) (committed bool, err error) {
	if !t.changed {
		return false, nil
	}
	if t.doomed != nil {
		return false, t.doomed
	}
	if err := s.serve(t); err != nil {
		return false, err
	}
	if err := s.roomFor(len(t.recs)); err != nil {
		return false, err
	}
	mask := t.touched()
	s.mem.Lock(mask)
	t.acc.Publish()
	for _, d := range t.dirs {
		d.sp.tables[d.part] = d.table
	}
	s.commit(t)
	s.mem.Unlock(mask)
	return true, nil
}

// Exec runs fn as a transaction of its own over private copies: for commands
// that can fail half-way, or take long before their first change. fn may run
// several times; after maxRetries what is cold is loaded under the writer lock.
// For later see Write.
func (s *Store) Exec(later *Later, fn func(*Tx) error) error {
	if later != nil && later.NoWait {
		return ErrWait
	}
	return s.exec(later, fn)
}

// exec is Exec, also for one that must not wait.
func (s *Store) exec(later *Later, fn func(*Tx) error) error {
	if err := s.usable(); err != nil {
		return err
	}
	if err := s.throttle(later); err != nil {
		return err
	}
	var t *Tx        // nil before it was taken and once it was given back
	running := false // fn
	defer func() {
		if running {
			t.acc.Discard()
			s.release(t)
		} else if t != nil {
			t.letGo()
		}
	}()
	var src page.Source
	for n := 0; ; n++ {
		if n == maxRetries && s.base != nil {
			src = s.base // from now on under the writer lock
		}
		if err := s.lockWriter(later); err != nil {
			return err
		}
		if t == nil {
			t = s.take()
		}
		t.spaces = s.spaces.Load()
		t.acc.Begin(s.mem, page.Private, s.committed.Load()+1, 0, src)
		later.begin(t)
		running = true
		err, committed := fn(t), false
		running = false
		if err == nil {
			committed, err = s.publish(t)
		}
		if !committed {
			t.acc.Discard()
		}
		if err == nil || !retried(err) {
			later.see(t, err)
			o := s.release(t)
			t = nil
			return s.finish(o, later, err)
		}
		var none uint64
		if err := s.again(t, &none, later, err); err != nil {
			return err
		}
	}
}

// keysAt returns the number of keys of a space that have not expired.
func (s *Store) keysAt(sp *space, now int64) int64 {
	n := sp.count.Load()
	if n > 0 {
		n -= s.deadlines.dueIn(sp.id, now)
	}
	return n
}

// nudge wakes the goroutine that reclaims memory and runs checkpoints.
func (s *Store) nudge() {
	post(s.life.tidy)
}

// post leaves a token in a channel that has room for one, unless it is there.
func post(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Sync waits until everything visible is durable.
func (s *Store) Sync() error {
	if err := s.usable(); err != nil {
		return err
	}
	if err := s.wlog.flush(true); err != nil {
		return s.fail(err)
	}
	return nil
}

// caller returns the place outside this module that called into it.
func caller() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if !inModule(f.Function) || !more {
			return fmt.Sprintf("%s:%d", f.File, f.Line)
		}
	}
}
