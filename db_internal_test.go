package brock

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/store"
)

// TestPipePanicIsDurable panics in a pipeline: what it had done is as durable
// as the mode asks by the time that the panic is seen.
func TestPipePanicIsDurable(t *testing.T) {
	syncs := 0
	in := engine.NewInjector(func(op engine.Op, nth, _ int) engine.Fault {
		if op == engine.OpLogSync {
			syncs = nth
		}
		return engine.Fault{}
	})
	s, err := store.Open(engine.NewFaultEngine(engine.NewMemory(), in), store.Options{Durability: store.Always, NoTimers: true})
	require.NoError(t, err)
	db := newDB(s)
	before := syncs
	require.PanicsWithValue(t, "mine", func() {
		_ = db.Pipelined(func(p *Pipe) error {
			require.NoError(t, p.Set("k", []byte("v")))
			require.Equal(t, before, syncs)
			panic("mine")
		})
	})
	require.Equal(t, before+1, syncs)
	require.NoError(t, db.Close())
}
