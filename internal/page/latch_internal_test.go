package page

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLatch has readers in all lanes and writers of one partition exclude each
// other, and nobody wait for ever.
func TestLatch(t *testing.T) {
	m := NewMemory(1, false)
	defer func() { require.NoError(t, m.Close()) }()
	p := m.Part(3)
	rounds := 20_000
	if testing.Short() {
		rounds = 2_000
	}
	var readers, writers atomic.Int32
	value, sum := 0, 0 // guarded by the latch
	var wg sync.WaitGroup
	for lane := range 2 * Lanes { // two readers in each lane
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(lane)))
			seen := 0
			for range rounds {
				p.RLock(lane % Lanes)
				readers.Add(1)
				if writers.Load() != 0 {
					t.Error("a reader is in with a writer")
				}
				if value < seen {
					t.Errorf("value went back from %d to %d", seen, value)
				}
				seen = value
				if rnd.IntN(16) == 0 {
					runtime.Gosched()
				}
				readers.Add(-1)
				p.RUnlock(lane % Lanes)
			}
		})
	}
	for range 3 {
		wg.Go(func() {
			for i := range rounds {
				p.Lock()
				if writers.Add(1) != 1 || readers.Load() != 0 {
					t.Error("a writer is not alone")
				}
				value++
				sum = value
				if i%16 == 0 {
					runtime.Gosched()
				}
				writers.Add(-1)
				p.Unlock()
			}
		})
	}
	wg.Wait()
	require.Equal(t, 3*rounds, value)
	require.Equal(t, value, sum)
}

// TestLatchWriterFirst shows that a reader waits behind a writer that waits.
func TestLatchWriterFirst(t *testing.T) {
	m := NewMemory(1, false)
	defer func() { require.NoError(t, m.Close()) }()
	p := m.Part(0)
	p.RLock(1)
	var order []string // guarded by the latch
	var wg sync.WaitGroup
	wg.Go(func() {
		p.Lock()
		order = append(order, "writer")
		p.Unlock()
	})
	for p.latch.state.Load() == latchFree {
		runtime.Gosched()
	}
	wg.Go(func() {
		p.RLock(2)
		p.RUnlock(2)
		p.Lock()
		order = append(order, "reader")
		p.Unlock()
	})
	for p.latch.state.Load() != latchWanted {
		runtime.Gosched()
	}
	p.RUnlock(1)
	wg.Wait()
	require.Equal(t, []string{"writer", "reader"}, order)
}
