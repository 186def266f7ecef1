package page

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// TestConcurrent has a writer, readers of snapshots, a reader of the present, a
// checkpointer and an evictor work at the same time. It is for the race
// detector; each snapshot has to show the state that it was opened at.
func TestConcurrent(t *testing.T) {
	rnd := seeded(t)
	duration := 2 * time.Second
	if testing.Short() {
		duration = time.Second / 2
	}
	w := newWorld(t, rand.New(rand.NewPCG(rnd.Uint64(), 1)))
	w.writing, w.only = true, true // others do the rest
	base := w.eng.Base()
	var mu sync.Mutex // one writer; and a model that stands still while a snapshot opens
	var wg sync.WaitGroup
	end := time.Now().Add(duration)
	going := func() bool { return !t.Failed() && time.Now().Before(end) }
	wg.Go(func() {
		for going() {
			concurrentChange(w, &mu)
		}
	})
	for i := range 2 {
		v := &world{t: t, rnd: rand.New(rand.NewPCG(rnd.Uint64(), uint64(i))), m: w.m, dirs: w.dirs}
		wg.Go(func() {
			for going() {
				mu.Lock()
				lsn := w.m.OpenSnapshot(0, func() uint64 { return w.lsn })
				want := w.now.clone()
				mu.Unlock()
				for part := range want {
					v.verifyPart(base, Snapshot, lsn, part, want[part], false)
				}
				w.m.CloseSnapshot(lsn)
			}
		})
	}
	wg.Go(func() {
		v := &world{t: t, m: w.m}
		for going() {
			v.reading(base, Shared, 0, func(a *Access) error {
				_, err := a.DirGet(w.dirs[0], w.m.Hash("key 1"), "key 1")
				return err
			})
		}
	})
	wg.Go(func() {
		for number := uint64(1); going(); number++ {
			concurrentStep(t, w, number, &mu)
			for _, part := range modelParts() {
				w.m.Part(part).Reclaim(func() bool { return false })
			}
		}
	})
	wg.Go(func() {
		r := rand.New(rand.NewPCG(1, 1))
		for going() {
			for _, part := range modelParts() {
				w.m.Part(part).Evict(int64(r.IntN(100_000)), 1000)
			}
		}
	})
	wg.Wait()
	w.empty()
}

// concurrentChange makes a change, or some in private copies.
func concurrentChange(w *world, mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
	if w.rnd.IntN(5) == 0 {
		w.private()
	} else {
		w.direct()
	}
	w.grow = w.rnd.IntN(500) > 0 == w.grow
}

// concurrentStep runs a checkpoint step beside everything else.
func concurrentStep(t *testing.T, w *world, number uint64, mu *sync.Mutex) {
	t.Helper()
	mu.Lock() // the writer's number is read outside of it
	s := w.m.BeginStep(All, number, func() uint64 { return w.lsn })
	mu.Unlock()
	b := w.eng.Base()
	epoch := b.State().Epoch
	require.NoError(t, s.Write(func(images []engine.Image) error { return b.Write(epoch, number, images) }))
	require.NoError(t, b.Complete(epoch, number, s.Parts, s.LSN, nil, s.Removed()))
	s.End()
	for _, d := range s.Dropped() {
		require.NoError(t, b.Sweep(d.Dir, []uint64{d.Object}))
	}
}
