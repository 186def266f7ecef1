package page

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// TestMissOnce has a command miss pages again and again: each is noted once.
func TestMissOnce(t *testing.T) {
	m := NewMemory(1, true)
	defer func() { require.NoError(t, m.Close()) }()
	var a Access
	for range 2 { // each with a command of its own
		a.Begin(m, Shared, 0, All, nil)
		for _, no := range []uint64{7, 7, 8, 7, 8} {
			_, err := a.fetch(ObjectID(3, 1), no)
			require.ErrorIs(t, err, ErrCold)
		}
		require.Len(t, a.cold, 2)
		require.NoError(t, a.Load(engine.NewMemory().Base()), "what is gone since is left out")
		require.Empty(t, a.cold)
	}
}
