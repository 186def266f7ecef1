package store

import (
	"math/bits"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// gatedLog is a log whose first Append waits, and then fails though it has done
// its work, as a write whose outcome is unknown may.
type gatedLog struct {
	engine.Log
	mu      sync.Mutex
	appends int
	entered chan struct{}
	release chan struct{}
}

func (l *gatedLog) Append(g engine.Group) error {
	l.mu.Lock()
	l.appends++
	first := l.appends == 1
	l.mu.Unlock()
	if !first {
		return l.Log.Append(g)
	}
	close(l.entered)
	<-l.release
	if err := l.Log.Append(g); err != nil {
		return err
	}
	return engine.ErrInjected
}

// gatedEngine is an engine with a gatedLog.
type gatedEngine struct {
	engine.Engine
	held *gatedLog
}

func (e *gatedEngine) Log() engine.Log { return e.held }

// TestRuleNothingBehindFailedWrite has transactions queue behind a write that
// fails: none of them is written or acknowledged.
func TestRuleNothingBehindFailedWrite(t *testing.T) {
	for _, mode := range []Durability{EverySecond, Always} {
		m := engine.NewMemorySeed(1, 2)
		held := &gatedLog{Log: m.Log(), entered: make(chan struct{}), release: make(chan struct{})}
		s, err := Open(&gatedEngine{m, held}, Options{NoTimers: true, Durability: mode})
		require.NoError(t, err)
		var wg sync.WaitGroup
		results := make(chan error, 9)
		commit := func(n int) { results <- doHistory(s, n) }
		wg.Go(func() { commit(1) })
		<-held.entered
		for range 8 {
			wg.Go(func() { commit(3) })
		}
		for s.committed.Load() < 9 { // all wait for the next group
			runtime.Gosched()
		}
		close(held.release)
		wg.Wait()
		close(results)
		for err := range results {
			require.ErrorIs(t, err, ErrPoisoned)
		}
		require.Equal(t, 1, held.appends, "mode %d", mode)
		require.Zero(t, s.wlog.written.Load())
		again, err := Open(m.Crash(engine.Crash{}), Options{NoTimers: true})
		require.NoError(t, err)
		require.EqualValues(t, 1, again.committed.Load(), "the outcome of the first is unknown: it is there")
		require.NoError(t, again.Close())
		_ = s.Close()
	}
}

// TestRuleTablesAhead recovers, with steps in between, from a base whose tables
// are ahead of some partitions: FLUSHDB and SWAPDB came between. It is killed
// again after each step.
func TestRuleTablesAhead(t *testing.T) {
	const n = 60
	states, every := histories(t, n), 3
	if testing.Short() {
		every = 17
	}
	for _, last := range []int{45, 52, 57, 59} {
		m := engine.NewMemorySeed(1, 2)
		s := openMem(t, m, Options{})
		for i := range n {
			require.NoError(t, doHistory(s, i+1))
			if i == 20 || i == last {
				require.NoError(t, s.Step(bits.RotateLeft64(0x3333_3333_3333_3333, i)))
			}
		}
		for pos := 1; ; pos += every {
			next := m.Crash(engine.Crash{})
			in := engine.CrashAt(pos, pos%2 == 0)
			s, err := Open(&mixedEngine{next, engine.NewFaultEngine(next, in)}, Options{NoTimers: true, MemoryBudget: 6 << 10})
			if err == nil {
				_ = s.Close()
			}
			sameContents(t, states[n], contents(t, openMem(t, next.Crash(engine.Crash{Resurrect: true}), Options{})),
				"tables at %d, killed at %d of the recovery", last+1, pos)
			if !in.Crashed() {
				require.Greater(t, pos, 20, "there were no steps")
				break
			}
		}
	}
}

// TestRuleExpiredKeyIsDeletedByRecord lets a command meet an expired key: what
// it found stays so, even for a replay on a clock that is behind.
func TestRuleExpiredKeyIsDeletedByRecord(t *testing.T) {
	clock := &steadyClock{now: 1_000_000}
	s := openMem(t, engine.NewMemory(), Options{Clock: clock})
	update(t, s, func(tx *Tx) error { return tx.StringSet(0, "key", &Entry{}, []byte("value"), 1_000_500) })
	clock.now = 1_001_000
	update(t, s, func(tx *Tx) error {
		found, err := tx.Delete(0, "key")
		require.False(t, found)
		return err
	})
	behind := s.opts
	behind.Clock = &steadyClock{now: 1_000_000}
	require.Empty(t, contents(t, openMem(t, s.eng.(*engine.Memory).Crash(engine.Crash{}), behind)))
}
