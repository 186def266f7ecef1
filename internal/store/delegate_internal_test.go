package store

import (
	"errors"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// countedLog counts the groups that are written, and can fail.
type countedLog struct {
	engine.Log
	appends atomic.Int32
	broken  atomic.Bool
	gate    sync.Mutex
	largest int // bytes of a group
}

func (l *countedLog) Append(g engine.Group) error {
	l.gate.Lock()
	defer l.gate.Unlock()
	l.largest = max(l.largest, len(g.Payload))
	l.appends.Add(1)
	if l.broken.Load() {
		return engine.ErrInjected
	}
	return l.Log.Append(g)
}

// countedEngine is an engine with a countedLog.
type countedEngine struct {
	engine.Engine
	counted *countedLog
}

func (e *countedEngine) Log() engine.Log { return e.counted }

// openCounted opens a store whose groups are counted.
func openCounted(t *testing.T, mode Durability) (*Store, *countedLog) {
	t.Helper()
	m := engine.NewMemory()
	counted := &countedLog{Log: m.Log()}
	s, err := Open(&countedEngine{m, counted}, Options{NoTimers: true, Durability: mode})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s, counted
}

// leaveAll has n goroutines leave a command, one after the other, while the
// writer lock is held, and returns their errors once it is released by free.
func leaveAll(t *testing.T, s *Store, n int, free func(), fn func(i int, tx *Tx) error) []error {
	t.Helper()
	require.NoError(t, s.lockWriter(nil))
	require.True(t, s.Busy())
	errs, done := make([]error, n), make(chan struct{})
	for i := range n {
		go func() {
			errs[i] = s.Leave(0, keyOf(i), func(tx *Tx) error { return fn(i, tx) })
			done <- struct{}{}
		}()
		for s.jobs.left() <= i {
			runtime.Gosched()
		}
	}
	free()
	for range n {
		<-done
	}
	require.Zero(t, s.jobs.left())
	require.Zero(t, s.wlog.active.Load())
	return errs
}

func keyOf(i int) string { return "key" + strconv.Itoa(i) }

// left returns the number of jobs that were not taken.
func (q *jobs) left() (n int) {
	for j := q.last.Load(); j != nil; j = j.next {
		n++
	}
	return n
}

// TestLeave has the holder of the writer lock run what others want, in the
// order in which they came, and one of them write it as one group.
func TestLeave(t *testing.T) {
	for _, mode := range []Durability{EverySecond, Always} {
		s, written := openCounted(t, mode)
		var order []int
		errs := leaveAll(t, s, 20, s.releaseWriter, func(i int, tx *Tx) error {
			order = append(order, i) // under the writer lock
			return setString(tx, 0, keyOf(i), "value")
		})
		for i, err := range errs {
			require.NoError(t, err)
			require.Equal(t, i, order[i])
		}
		require.EqualValues(t, 20, s.committed.Load())
		require.EqualValues(t, 20, s.wlog.written.Load())
		require.EqualValues(t, 1, written.appends.Load())
		if mode == Always {
			require.EqualValues(t, 20, s.wlog.synced.Load())
		}
		require.Len(t, contents(t, s), 20)
	}
}

// TestLeaveToWaiter has somebody who waits for a change of his own run the
// jobs: he writes them with it.
func TestLeaveToWaiter(t *testing.T) {
	s, written := openCounted(t, EverySecond)
	entered, release := make(chan struct{}), make(chan struct{})
	held := make(chan error)
	go func() {
		first := keyIn(s, 0, "first")
		held <- s.WriteKey(first, nil, func(tx *Tx) error {
			close(entered)
			<-release
			return setString(tx, 0, first, "value")
		})
	}()
	<-entered
	done := make(chan error)
	for i := range 5 {
		key := keyIn(s, i+1, "key") // its partition is not locked
		go func() {
			done <- s.Leave(0, key, func(tx *Tx) error { return setString(tx, 0, key, "value") })
		}()
	}
	for s.jobs.left() < 5 {
		runtime.Gosched()
	}
	close(release)
	require.NoError(t, <-held)
	for range 5 {
		require.NoError(t, <-done)
	}
	require.EqualValues(t, 6, s.wlog.written.Load())
	require.EqualValues(t, 1, written.appends.Load())
}

// TestLeaveUnchanged returns at once to those whose command changed nothing or
// was refused.
func TestLeaveUnchanged(t *testing.T) {
	s, written := openCounted(t, Always)
	refused := errors.New("refused")
	errs := leaveAll(t, s, 6, s.releaseWriter, func(i int, tx *Tx) error {
		if i%2 == 0 {
			return refused
		}
		_, err := tx.FindForWrite(0, keyOf(i))
		return err
	})
	for i, err := range errs {
		require.Equal(t, i%2 == 0, errors.Is(err, refused))
	}
	require.Zero(t, written.appends.Load())
}

// TestLeaveMany has the holder of the lock run no more than maxJobs for others:
// the rest run their own.
func TestLeaveMany(t *testing.T) {
	s, _ := openCounted(t, EverySecond)
	const n = maxJobs + 50
	holder := true // while it is, all jobs run in this goroutine
	var inside, outside int
	errs := leaveAll(t, s, n, func() {
		if s.runJobs(maxJobs) != n {
			t.Error("not all jobs were looked at")
		}
		holder = false
		s.releaseWriter()
	}, func(i int, tx *Tx) error {
		if holder {
			inside++
		} else {
			outside++
		}
		return setString(tx, 0, keyOf(i), "value")
	})
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, maxJobs, inside)
	require.Equal(t, 50, outside)
	require.Len(t, contents(t, s), n)
}

// TestLeaveFails has a write fail: all whose changes it was to take are told.
func TestLeaveFails(t *testing.T) {
	s, written := openCounted(t, EverySecond)
	written.broken.Store(true)
	errs := leaveAll(t, s, 8, s.releaseWriter, func(i int, tx *Tx) error {
		return setString(tx, 0, keyOf(i), "value")
	})
	for _, err := range errs {
		require.ErrorIs(t, err, ErrPoisoned)
	}
	require.EqualValues(t, 1, written.appends.Load())
	require.ErrorIs(t, s.Leave(0, "key", nil), ErrPoisoned)
}

// TestLeaveClosed refuses what was left to who closes the store.
func TestLeaveClosed(t *testing.T) {
	s, _ := openCounted(t, EverySecond)
	errs := leaveAll(t, s, 3, func() {
		s.life.closed.Store(true)
		s.releaseWriter()
		s.life.closed.Store(false)
	}, func(int, *Tx) error { panic("it ran") })
	for _, err := range errs {
		require.ErrorIs(t, err, ErrClosed)
	}
}

// TestLeaveAgain sends those back whose command cannot run in place at once:
// its pages are cold, or somebody waits for a key of its partition.
func TestLeaveAgain(t *testing.T) {
	m := engine.NewMemory()
	s := openMem(t, m, Options{})
	update(t, s, func(tx *Tx) error { return tx.StringSet(0, keyOf(0), nil, make([]byte, 100<<10), 0) })
	require.NoError(t, s.Checkpoint())
	require.NoError(t, s.Close())
	s = openMem(t, m.Reopen(), Options{}) // the value is cold
	asked := false
	w := &Waiter{Serve: func(tx *Tx, key string) (bool, error) {
		_, asked, _ = lookup(tx, 0, key)
		return asked, nil
	}}
	served, err := s.Await(0, []string{keyOf(1)}, w)
	require.NoError(t, err)
	require.False(t, served)

	runs := make([]int, 2)
	errs := leaveAll(t, s, 2, s.releaseWriter, func(i int, tx *Tx) error {
		runs[i]++
		if i == 1 {
			return emit(tx, EventSet, keyOf(i))
		}
		e, err := tx.FindForWrite(0, keyOf(i))
		if err != nil {
			return err
		}
		_, err = tx.StringWrite(0, keyOf(i), *e, 50<<10, []byte("x"))
		return err
	})
	require.NoError(t, errors.Join(errs...))
	require.Greater(t, runs[0], 1)
	require.Equal(t, 1, runs[1])
	require.True(t, asked)
	<-w.Served
}

// busy tells whether a group is being written.
func (l *commitLog) busy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writing != nil
}

// TestGroupBound has many writers with large values wait for a write that takes
// long, in every mode and way: no group has more than maxOpen and a transaction.
func TestGroupBound(t *testing.T) {
	const n, size = 24, 1 << 20
	value := string(make([]byte, size))
	set := func(i int) func(tx *Tx) error {
		return func(tx *Tx) error { return setString(tx, 0, keyOf(i), value) }
	}
	modes := []Durability{EverySecond, Always, Relaxed}
	if testing.Short() {
		modes = modes[:1]
	}
	for _, mode := range modes {
		for name, write := range map[string]func(s *Store, i int) error{
			"write":  func(s *Store, i int) error { return s.WriteKey(keyOf(i), nil, set(i)) },
			"later":  func(s *Store, i int) error { return s.WriteKey(keyOf(i), new(Later), set(i)) },
			"leave":  func(s *Store, i int) error { return s.Leave(0, keyOf(i), set(i)) },
			"exec":   func(s *Store, i int) error { return s.Exec(nil, set(i)) },
			"update": func(s *Store, i int) error { return s.Update(set(i)) },
		} {
			s, written := openCounted(t, mode)
			require.NoError(t, s.WriteKey("first", new(Later), set(0)))
			written.gate.Lock()
			done := make(chan error)
			go func() { done <- s.wlog.flush(false) }() // it waits at the gate
			for !s.wlog.busy() {
				runtime.Gosched()
			}
			for i := range n {
				go func() { done <- write(s, i) }()
			}
			for !s.wlog.full.Load() && s.committed.Load() <= n {
				runtime.Gosched()
			}
			written.gate.Unlock()
			for range n + 1 {
				require.NoError(t, <-done, name)
			}
			require.NoError(t, s.Sync())
			require.LessOrEqual(t, written.largest, maxOpen+size+1024, "%s, mode %d", name, mode)
			require.NoError(t, s.Close())
		}
	}
}

// TestLeaveToPanic leaves a command to an Update that panics: it is run, and
// somebody writes it.
func TestLeaveToPanic(t *testing.T) {
	s, _ := openCounted(t, EverySecond)
	entered, done := make(chan struct{}), make(chan error, 1)
	go func() {
		<-entered
		done <- s.Leave(0, keyOf(0), func(tx *Tx) error { return setString(tx, 0, keyOf(0), "value") })
	}()
	require.Panics(t, func() {
		_ = s.Update(func(*Tx) error {
			close(entered)
			for s.jobs.left() == 0 {
				runtime.Gosched()
			}
			panic("user code")
		})
	})
	require.NoError(t, <-done)
}

// TestLeaveWhole writes each change as early as can be: nobody waits for that
// before it is committed and listeners were told.
func TestLeaveWhole(t *testing.T) {
	s, written := openCounted(t, EverySecond)
	told := 0
	stop := s.Listen(func(lsn uint64, _ []Event) {
		told++
		require.Equal(t, lsn, s.committed.Load())
		require.Empty(t, s.wlog.open.waits)
		require.NoError(t, s.wlog.flush(false))
		require.EqualValues(t, lsn, written.appends.Load())
	})
	errs := leaveAll(t, s, 3, s.releaseWriter, func(i int, tx *Tx) error { return emit(tx, EventSet, keyOf(i)) })
	require.NoError(t, errors.Join(errs...))
	stop()
	require.Equal(t, 3, told)
}
