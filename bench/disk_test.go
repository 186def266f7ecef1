package bench_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/bench/internal/measure"
)

// openDisk returns an empty database in a new directory, which the end of the
// benchmark closes.
func openDisk(tb testing.TB, durability brock.Durability) (db *brock.DB, dir string) {
	tb.Helper()
	dir = tb.TempDir()
	db, err := brock.Open(dir, &brock.Options{Durability: durability})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db, dir
}

// diskUse returns what a directory takes on disk.
func diskUse(tb testing.TB, dir string) int64 {
	tb.Helper()
	n, err := measure.DiskUse(dir)
	require.NoError(tb, err)
	return n
}
