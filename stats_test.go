package brock_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// TestStats looks at what Stats tells of keys and checkpoints, and at where a
// database is.
func TestStats(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	db, err := brock.Open(dir, nil)
	require.NoError(t, err)
	require.Equal(t, dir, db.DB(3).Dir())
	require.Equal(t, brock.EverySecond, db.Durability())
	require.NoError(t, db.SetDurability(brock.Always))
	require.Equal(t, brock.Always, db.DB(1).Durability())

	for _, key := range []string{"a", "b", "c"} {
		require.NoError(t, db.Set(key, nil))
		_, err := db.Expire(key, time.Hour)
		require.NoError(t, err)
	}
	_, err = db.Persist("a")
	require.NoError(t, err)
	_, err = db.Del("b")
	require.NoError(t, err)
	require.NoError(t, db.DB(2).Set("a", nil))
	st := db.Stats()
	require.Equal(t, []int64{2, 0, 1}, st.Keys[:3])
	require.Equal(t, []int64{1, 0, 0}, st.Expiring[:3])
	require.EqualValues(t, 9, st.Uncheckpointed)
	require.Zero(t, st.CheckpointAt)

	before := time.Now()
	require.NoError(t, db.Checkpoint())
	require.NoError(t, db.Set("a", nil))
	st = db.Stats()
	require.EqualValues(t, 1, st.Uncheckpointed)
	require.WithinRange(t, st.CheckpointAt, before, time.Now())
	require.NoError(t, db.Close())

	db, err = brock.Open(dir, nil)
	require.NoError(t, err)
	st = db.Stats()
	require.Zero(t, st.Uncheckpointed)
	require.Equal(t, []int64{1, 0, 0}, st.Expiring[:3])
	require.NoError(t, db.FlushAll())
	require.Zero(t, db.Stats().Expiring[0])
	require.NoError(t, db.Close())

	memory, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	require.Empty(t, memory.Dir())
	require.NoError(t, memory.Close())
}
