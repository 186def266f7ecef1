package brock_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

func TestOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	for run := range int64(3) {
		db, err := brock.Open(dir, nil)
		require.NoError(t, err)
		n, err := db.Incr("runs")
		require.NoError(t, err)
		require.Equal(t, run+1, n)
		if run == 1 {
			require.NoError(t, db.Checkpoint())
		}
		require.NoError(t, db.Close())
		require.NoError(t, db.Close())
		_, err = db.Get("runs")
		require.ErrorIs(t, err, brock.ErrClosed)
	}
}

func TestOpenLocked(t *testing.T) {
	dir := t.TempDir()
	db, err := brock.Open(dir, nil)
	require.NoError(t, err)
	_, err = brock.Open(dir, nil)
	require.ErrorIs(t, err, brock.ErrLocked)
	require.ErrorContains(t, err, strconv.Itoa(os.Getpid()))
	require.NoError(t, db.Close())
	db, err = brock.Open(dir, nil)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

func TestOpenForeign(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "letter.txt"), []byte("dear"), 0o600))
	_, err := brock.Open(dir, nil)
	require.ErrorIs(t, err, brock.ErrFormat)

	dir = t.TempDir()
	db, err := brock.Open(dir, nil)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "FORMAT"), []byte("brock format 999\n"), 0o600))
	_, err = brock.Open(dir, nil)
	require.ErrorIs(t, err, brock.ErrFormat)
}

func TestOpenOptions(t *testing.T) {
	for _, opts := range []*brock.Options{{Databases: -1}, {MemoryBudget: -1}, {Durability: 9}} {
		_, err := brock.Open(t.TempDir(), opts)
		require.Error(t, err)
	}
	for _, d := range []brock.Durability{brock.EverySecond, brock.Always, brock.Relaxed} {
		dir := t.TempDir()
		db, err := brock.Open(dir, &brock.Options{Durability: d})
		if d == brock.Always && runtime.GOOS == "windows" {
			require.ErrorIs(t, err, brock.ErrDurability)
			continue
		}
		require.NoError(t, err)
		require.NoError(t, db.Set("k", []byte("v")))
		require.NoError(t, db.Close())
		db, err = brock.Open(dir, nil)
		require.NoError(t, err)
		v, err := db.Get("k")
		require.NoError(t, err)
		require.Equal(t, "v", string(v))
		require.NoError(t, db.Close())
	}
}
