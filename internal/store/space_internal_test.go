package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// fullEngine is an engine on a device that has some bytes free.
type fullEngine struct {
	engine.Engine
	free int64
}

func (e *fullEngine) Free() (int64, error) { return e.free, nil }

// TestRuleFullDevice fills the device: changes are refused, and steps before
// they write anything, while reads go on and what was acknowledged gets
// durable. With space again all goes on.
func TestRuleFullDevice(t *testing.T) {
	m := engine.NewMemorySeed(1, 2)
	eng := &fullEngine{Engine: m, free: minFree}
	s, err := Open(eng, Options{NoTimers: true})
	require.NoError(t, err)
	set(t, s, "key", "value")
	want := contents(t, s)

	eng.free--
	s.Housekeep()
	for name, err := range map[string]error{
		"Update": s.Update(func(tx *Tx) error { return setString(tx, 0, "key", "other") }),
		"Write":  s.WriteKey("key", nil, func(tx *Tx) error { return setString(tx, 0, "key", "other") }),
		"Exec":   s.Exec(nil, func(tx *Tx) error { return setString(tx, 0, "key", "other") }),
	} {
		require.ErrorIs(t, err, engine.ErrNoSpace, name)
	}
	sameContents(t, want, contents(t, s), "reads go on")
	require.NoError(t, s.Checkpoint(), "there is room for that")
	eng.free = 0
	step := m.Base().State().LastStep
	require.ErrorIs(t, s.Checkpoint(), engine.ErrNoSpace)
	require.Equal(t, step, m.Base().State().LastStep, "nothing was written")
	require.NoError(t, s.Sync())
	require.NoError(t, s.Err())

	eng.free = minFree
	s.Housekeep()
	set(t, s, "key", "other")
	require.NoError(t, s.Checkpoint())
	require.NoError(t, s.Close())
}
