package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// hookedBase calls a function within each write of a step.
type hookedBase struct {
	engine.Base
	within func()
}

func (b *hookedBase) Write(epoch, step uint64, images []engine.Image) error {
	b.within()
	err := b.Base.Write(epoch, step, images)
	b.within()
	return err
}

func (b *hookedBase) Complete(epoch, step, parts uint64, s engine.LSN, tables []byte, removals []engine.Removal) error {
	b.within()
	return b.Base.Complete(epoch, step, parts, s, tables, removals)
}

// hookedLog calls a function when it has synced: as a step does when its S is
// fixed and none of its pages is taken yet.
type hookedLog struct {
	engine.Log
	base *hookedBase
}

func (l *hookedLog) Sync() error {
	err := l.Log.Sync()
	l.base.within()
	return err
}

// hookedEngine is an engine with a hookedLog and a hookedBase.
type hookedEngine struct {
	engine.Engine
	base *hookedBase
}

func (e *hookedEngine) Base() engine.Base { return e.base }
func (e *hookedEngine) Log() engine.Log   { return &hookedLog{e.Engine.Log(), e.base} }

// TestRuleStepIsSnapshot commits within checkpoint steps, some of them with a
// View open: the step has the state of its S, what came later is replayed, and
// the View sees neither.
func TestRuleStepIsSnapshot(t *testing.T) {
	const n = 120
	states := histories(t, n)
	m := engine.NewMemorySeed(1, 2)
	hooked := &hookedEngine{m, &hookedBase{Base: m.Base(), within: func() {}}}
	s, err := Open(hooked, Options{NoTimers: true})
	require.NoError(t, err)
	at := 0
	commit := func() {
		if at < n {
			at++
			require.NoError(t, doHistory(s, at))
		}
	}
	hooked.base.within = func() {
		commit()
		sameContents(t, states[at], contents(t, openMem(t, m.Crash(engine.Crash{}), Options{})), "within a step, at %d", at)
		commit()
	}
	for round := 0; at < n; round++ {
		commit()
		mask := []uint64{^uint64(0), 0xf0f0_f0f0_f0f0_f0f0, 0x00ff_00ff_00ff_00ff}[round%3]
		if round%2 == 0 { // no View keeps the versions that the step needs
			require.NoError(t, s.Step(mask))
		} else {
			stepUnderView(t, s, mask, states[at])
		}
		s.Housekeep()
		crash := engine.Crash{PowerCut: true, Resurrect: round%2 == 0}
		again := openMem(t, m.Crash(crash), Options{})
		sameContents(t, states[again.committed.Load()], contents(t, again), "after a step, at %d", at)
	}
	hooked.base.within = func() {}
	require.NoError(t, s.Close())
}

// stepUnderView takes a step while a View is open, and checks what that sees.
func stepUnderView(t *testing.T, s *Store, mask uint64, want map[string]string) {
	t.Helper()
	require.NoError(t, s.View(func(tx *Tx) error {
		require.NoError(t, s.Step(mask))
		got := map[string]string{}
		require.NoError(t, contentsOf(tx, got))
		sameContents(t, want, got, "a View over a step")
		return nil
	}))
}
