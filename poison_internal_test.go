package brock

import (
	"context"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/store"
)

// TestPoison fails a write of the log: the call that needed it and all later
// ones get the error, and so does a pop that was waiting.
func TestPoison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := engine.FailNth(engine.OpLogAppend, 2, engine.Fault{Err: io.ErrShortWrite})
		s, err := store.Open(engine.NewFaultEngine(engine.NewMemory(), in), store.Options{NoTimers: true})
		require.NoError(t, err)
		db := newDB(s)
		require.NoError(t, db.Set("k", []byte("1")))
		popped := make(chan error)
		go func() {
			_, _, err := db.BLPop(context.Background(), "queue")
			popped <- err
		}()
		synctest.Wait()
		require.ErrorIs(t, db.Set("k", []byte("2")), ErrPoisoned)
		require.ErrorIs(t, <-popped, ErrPoisoned)
		_, err = db.Get("k")
		require.ErrorIs(t, err, ErrPoisoned)
		require.ErrorIs(t, db.Stats().Poisoned, ErrPoisoned)
		require.Error(t, db.Close())
	})
}
