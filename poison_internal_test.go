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

// TestPoison fails what a call needs of the engine: the call and all later ones
// get the error, and so does a pop that was waiting.
func TestPoison(t *testing.T) {
	set := func(db *DB) error { return db.Set("k", []byte("2")) }
	for name, c := range map[string]struct {
		mode Durability
		op   engine.Op
		nth  int
		call func(db *DB) error
	}{
		"write":      {EverySecond, engine.OpLogAppend, 2, set},
		"sync":       {Always, engine.OpLogSync, 2, set},
		"Sync":       {EverySecond, engine.OpLogSync, 1, (*DB).Sync},
		"mode":       {Relaxed, engine.OpLogAppend, 1, func(db *DB) error { return db.SetDurability(Always) }},
		"step":       {EverySecond, engine.OpBaseWrite, 1, (*DB).Checkpoint},
		"completion": {EverySecond, engine.OpBaseComplete, 1, (*DB).Checkpoint},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				testPoison(t, c.mode, engine.FailNth(c.op, c.nth, engine.Fault{Err: io.ErrShortWrite}), c.call)
			})
		})
	}
}

// testPoison makes call, which fails, while a pop waits.
func testPoison(t *testing.T, mode Durability, in *engine.Injector, call func(db *DB) error) {
	t.Helper()
	so, err := (&Options{Durability: mode}).store()
	require.NoError(t, err)
	so.NoTimers = true
	s, err := store.Open(engine.NewFaultEngine(engine.NewMemory(), in), so)
	require.NoError(t, err)
	db := newDB(s)
	require.NoError(t, db.Set("k", []byte("1")))
	popped := make(chan error)
	go func() {
		_, _, err := db.BLPop(context.Background(), "queue")
		popped <- err
	}()
	synctest.Wait()
	require.ErrorIs(t, call(db), ErrPoisoned)
	require.ErrorIs(t, <-popped, ErrPoisoned)
	_, err = db.Get("k")
	require.ErrorIs(t, err, ErrPoisoned)
	require.ErrorIs(t, db.Stats().Poisoned, ErrPoisoned)
	_ = db.Close() // an error if it loses anything
}
