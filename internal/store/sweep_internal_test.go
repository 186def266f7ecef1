package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// TestRuleOrphansAreSweptWhenKnown changes an object and deletes it behind the
// last step: no key names it any more, but a recovery replays the change. Its
// images stay until a step of its partition is behind its end, however often
// rounds end, as two that run side by side may.
func TestRuleOrphansAreSweptWhenKnown(t *testing.T) {
	m := engine.NewMemorySeed(1, 2)
	s := openMem(t, m, Options{})
	update(t, s, func(tx *Tx) error { return setField(tx, 0, "hash", "f", strings.Repeat("x", 5000)) })
	require.NoError(t, s.Checkpoint())
	update(t, s, func(tx *Tx) error { return setField(tx, 0, "hash", "g", "y") })
	update(t, s, func(tx *Tx) error { _, err := tx.Delete(0, "hash"); return err })
	for range 3 {
		require.NoError(t, s.endRound(s.committed.Load()))
		require.Empty(t, contents(t, crashed(t, s, engine.Crash{})))
		require.Len(t, objectsOf(t, m), 1)
	}
	for range 2 {
		require.NoError(t, s.Checkpoint())
	}
	require.Empty(t, objectsOf(t, m))
}

// TestSweepBetweenSteps deletes objects whose keys have been renamed to other
// partitions, and sweeps them after steps of their own partition alone: their
// names are replayed, and nobody looks at what they name.
func TestSweepBetweenSteps(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 40 {
		s := openMem(t, engine.NewMemorySeed(1, 2), Options{})
		src, dst := keyIn(s, 7, "src"), keyIn(s, 40, "dst")
		step := func() {
			if mask := []uint64{0, 1 << 7, 1 << 40, 1<<7 | 1<<40}[r.IntN(4)]; mask != 0 {
				require.NoError(t, s.Step(mask))
			}
		}
		for i := range 6 {
			update(t, s, func(tx *Tx) error { return setField(tx, 0, src, fmt.Sprint(i), strings.Repeat("x", 3000)) })
			step()
			update(t, s, func(tx *Tx) error { return rename(tx, 0, src, 0, dst) })
			step()
			update(t, s, func(tx *Tx) error { _, err := tx.Delete(0, dst); return err })
			s.Housekeep()
			step()
			require.NoError(t, s.sweepGone())
			require.NoError(t, s.Sync())
			require.Empty(t, contents(t, crashed(t, s, engine.Crash{PowerCut: r.IntN(2) == 0})))
		}
		require.NoError(t, s.Close())
	}
}
