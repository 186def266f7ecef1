package store

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// setUntil sets a string key with a deadline.
func setUntil(t *testing.T, s *Store, key string, deadline int64) {
	t.Helper()
	update(t, s, func(tx *Tx) error { return tx.StringSet(0, key, nil, []byte("x"), deadline) })
}

// TestDueIn counts expired keys at times that go forth and back, and all that
// expire, while deadlines come and go.
func TestDueIn(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := newDeadlineIndex()
	want := map[deadlineItem]bool{}
	for range 3000 {
		i := deadlineItem{at: 1 + r.Int64N(50), space: r.Uint64N(3), hash: r.Uint64N(40)}
		switch r.IntN(4) {
		case 0:
			x.forget(i)
			delete(want, i)
		case 1:
			j := i
			j.at = 1 + r.Int64N(50)
			x.change(deadlineChange{space: i.space, hash: i.hash, before: i.at, after: j.at})
			delete(want, i)
			want[j] = true
		default:
			x.change(deadlineChange{space: i.space, hash: i.hash, after: i.at})
			want[i] = true
		}
		space, now, n, all, sum := r.Uint64N(3), r.Int64N(52), int64(0), int64(0), int64(0)
		for i := range want {
			if i.space == space {
				all++
				sum += i.at - now
			}
			if i.space == space && i.at < now {
				n++
			}
		}
		got, mean := x.in(space, now)
		require.Equal(t, all, got)
		require.InDelta(t, float64(max(sum, 0))/float64(max(all, 1)), float64(mean.Milliseconds()), 1)
		require.Equal(t, n, x.dueIn(space, now))
	}
}

// TestDueInYields counts many keys that expire at once: others get the lock in
// between, and once they are counted it takes no time.
func TestDueInYields(t *testing.T) {
	x := newDeadlineIndex()
	const n = 5*countSlice + 1
	for i := range uint64(n) {
		x.change(deadlineChange{space: i % 2, hash: i, after: 7})
	}
	slices := 1
	for !x.move(8) {
		slices++
	}
	require.Equal(t, 6, slices)
	require.True(t, x.move(8))
	require.EqualValues(t, n/2+1, x.dueIn(0, 8))
	require.EqualValues(t, n/2, x.dueIn(1, 8))
	require.Zero(t, x.dueIn(1, 7))
}

// TestExpiryOnTime has keys go in the background in the very millisecond in
// which they expire, the earliest first, also after a reopening.
func TestExpiryOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := engine.NewMemory()
		s, err := Open(mem, Options{})
		require.NoError(t, err)
		now := time.Now().UnixMilli()
		setUntil(t, s, "late", now+3_600_033)
		setUntil(t, s, "soon", now+33)
		setUntil(t, s, "sooner", now+11)
		keys := func(after time.Duration) int64 {
			time.Sleep(after)
			synctest.Wait()
			return s.Stats().Keys[0]
		}
		require.EqualValues(t, 3, keys(11*time.Millisecond))
		require.EqualValues(t, 2, keys(time.Millisecond))
		require.EqualValues(t, 2, keys(21*time.Millisecond))
		require.EqualValues(t, 1, keys(time.Millisecond))
		require.NoError(t, s.Close())
		s, err = Open(mem.Crash(engine.Crash{}), Options{})
		require.NoError(t, err)
		require.EqualValues(t, 1, keys(time.Hour-time.Millisecond))
		require.EqualValues(t, 0, keys(time.Millisecond))
		require.NoError(t, s.Close())
	})
}

// steeredClock is a clock that a test moves.
type steeredClock struct {
	mu     sync.Mutex
	now    time.Time
	alarms map[*alarm]bool
}

// alarm is a call of AfterFunc.
type alarm struct {
	at time.Time
	f  func()
}

func (c *steeredClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *steeredClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &alarm{c.now.Add(d), f}
	c.alarms[a] = true
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		was := c.alarms[a]
		delete(c.alarms, a)
		return was
	}
}

// advance moves the clock and calls what is due.
func (c *steeredClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for a := range c.alarms {
		if !a.at.After(c.now) {
			delete(c.alarms, a)
			a.f()
		}
	}
}

// TestExpirySteered has keys go when a clock that is steered passes their
// deadline, and not by the time that passes meanwhile.
func TestExpirySteered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := &steeredClock{now: time.UnixMilli(1000), alarms: map[*alarm]bool{}}
		s, err := OpenMemory(1, Options{Clock: clock})
		require.NoError(t, err)
		for i := range int64(300) {
			setUntil(t, s, fmt.Sprint("key", i), 2000+i/150)
		}
		require.Len(t, clock.alarms, 1)
		keys := func() int64 {
			time.Sleep(time.Hour)
			synctest.Wait()
			return s.Stats().Keys[0]
		}
		clock.advance(time.Second)
		require.EqualValues(t, 300, keys())
		clock.advance(time.Millisecond)
		require.EqualValues(t, 150, keys())
		clock.advance(time.Millisecond)
		require.EqualValues(t, 0, keys())
		require.EqualValues(t, 300, s.Stats().Expired)
		require.Empty(t, clock.alarms)

		setUntil(t, s, "last", 3000)
		require.Len(t, clock.alarms, 1)
		require.NoError(t, s.Close())
		require.Empty(t, clock.alarms)
	})
}
