package brock

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/store"
)

// TestFlushIsSwept fills a database and flushes it: the background frees all of
// its memory, also where a recovery has replayed the flush, but not under a
// View that still sees it.
func TestFlushIsSwept(t *testing.T) {
	opts := store.Options{NoTimers: true}
	eng := engine.NewMemory()
	s, err := store.Open(eng, opts)
	require.NoError(t, err)
	db := newDB(s)
	empty := s.Stats().Bytes
	const n, value = 2000, 1000
	for i := range n {
		require.NoError(t, db.Set(fmt.Sprintf("key:%d", i), bytes.Repeat([]byte("v"), value)))
	}
	require.NoError(t, s.Checkpoint())
	require.NoError(t, db.View(func(tx *Tx) error {
		require.NoError(t, db.FlushAll())
		s.Housekeep()
		size, err := tx.DBSize()
		require.NoError(t, err)
		require.EqualValues(t, n, size)
		for i := range n {
			v, err := tx.Get(fmt.Sprintf("key:%d", i))
			require.NoError(t, err)
			require.Len(t, v, value)
		}
		return nil
	}))
	swept := func() {
		s.Housekeep()
		require.Less(t, s.Stats().Bytes, empty+n*value/100)
		keys, next, err := newDB(s).Scan(0, nil)
		require.NoError(t, err)
		require.Empty(t, keys)
		require.Zero(t, next)
	}
	swept()

	eng = eng.Crash(engine.Crash{})
	_ = s.Close()
	s, err = store.Open(eng, opts)
	require.NoError(t, err)
	swept()
	require.NoError(t, s.Close())
}
