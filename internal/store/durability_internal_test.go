package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// unsafeEngine is an engine on a platform that cannot make its base durable.
type unsafeEngine struct{ engine.Engine }

func (unsafeEngine) PowerSafe() bool { return false }

// TestRuleAlwaysNeedsPowerSafe asks for Always where nothing can keep its
// promise, at Open and later.
func TestRuleAlwaysNeedsPowerSafe(t *testing.T) {
	eng := unsafeEngine{engine.NewMemory()}
	_, err := Open(eng, Options{NoTimers: true, Durability: Always})
	require.ErrorIs(t, err, ErrDurability)

	s, err := Open(eng, Options{NoTimers: true, Durability: Relaxed})
	require.NoError(t, err)
	set(t, s, "key", "value")
	require.ErrorIs(t, s.SetDurability(Always), ErrDurability)
	require.Equal(t, Relaxed, s.Durability())
	require.NoError(t, s.SetDurability(EverySecond))
	require.Equal(t, EverySecond, s.Durability())
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.SetDurability(Relaxed), ErrClosed)

	mem, err := OpenMemory(1, Options{NoTimers: true, Durability: Always})
	require.NoError(t, err)
	require.NoError(t, mem.SetDurability(Always))
	require.NoError(t, mem.Close())
}

// TestSetDurabilityPoisons fails the write that a stricter mode needs: the mode
// stays as it was, and whoever waits for something gives up.
func TestSetDurabilityPoisons(t *testing.T) {
	in := engine.FailNth(engine.OpLogAppend, 1, engine.Fault{Err: engine.ErrInjected})
	s, err := Open(engine.NewFaultEngine(engine.NewMemory(), in), Options{NoTimers: true, Durability: Relaxed})
	require.NoError(t, err)
	set(t, s, "key", "value")
	require.ErrorIs(t, s.SetDurability(Always), ErrPoisoned)
	require.Equal(t, Relaxed, s.Durability())
	<-s.Done()
	require.ErrorIs(t, s.Err(), ErrPoisoned)
	require.ErrorIs(t, s.Close(), ErrPoisoned, "what was acknowledged is lost")
}
