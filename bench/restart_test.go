package bench_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/bench/internal/measure"
)

// BenchmarkOpen opens a database whose process was killed: with an empty log,
// which tells the time for each key, and with a log of three records for four
// keys, which tells the time for each record. Target: at most 0.5 us for each
// key and 1 us for each record, so that of-bound is at most 1, at 1 M and 5 M
// keys.
func BenchmarkOpen(b *testing.B) {
	sizes := []int{1e6, 5e6}
	if testing.Short() {
		sizes = []int{1e5}
	}
	for _, n := range sizes {
		var empty time.Duration
		for _, records := range []int{0, n / 4 * 3} {
			b.Run(fmt.Sprintf("n=%s/log=%s/mode=everysecond", measure.Name(n), measure.Name(records)), func(b *testing.B) {
				took := openKilled(b, n, records)
				if records == 0 {
					empty = took
				}
				reportOpen(b, n, records, took, empty)
			})
		}
	}
}

// openKilled measures Open after the end of a child that had n keys and records
// in the log, and returns the mean.
func openKilled(b *testing.B, n, records int) time.Duration {
	b.Helper()
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		child, err := measure.StartChild("fill", dir, n, records)
		require.NoError(b, err)
		var logBytes int64
		require.NoError(b, child.Read(&logBytes))
		require.NoError(b, child.Kill())
		settle()
		b.StartTimer()

		db, err := brock.Open(dir, nil)

		b.StopTimer()
		require.NoError(b, err)
		size, err := db.DBSize()
		require.NoError(b, err)
		require.EqualValues(b, n, size)
		b.ReportMetric(megabytes(logBytes), "log-MB")
		require.NoError(b, db.Close())
		b.StartTimer()
	}
	return b.Elapsed() / time.Duration(b.N)
}

// reportOpen reports what Open took beside its bound; empty is what it took
// without a log.
func reportOpen(b *testing.B, n, records int, took, empty time.Duration) {
	b.Helper()
	bound := time.Duration(n)*500*time.Nanosecond + time.Duration(records)*time.Microsecond
	b.ReportMetric(took.Seconds()/bound.Seconds(), "of-bound")
	if records == 0 {
		b.ReportMetric(per(took, n)/1e3, "us/key")
	} else if empty > 0 {
		b.ReportMetric(per(took-empty, records)/1e3, "us/record")
	}
}

// fillRole is the child to be killed: in the directory args[0] it writes
// args[1] keys, makes a checkpoint, and writes args[2] records behind it.
func fillRole(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	records, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	db, err := brock.Open(args[0], nil)
	if err != nil {
		return err
	}
	value := measure.Value(measure.ValueSize)
	if err := fill(db, n, value); err != nil {
		return err
	}
	if err := db.Checkpoint(); err != nil {
		return err
	}
	if err := fill(db, records, value); err != nil { // every one a resident key
		return err
	}
	if err := measure.Tell(db.Stats().LogBytes); err != nil {
		return err
	}
	measure.AwaitParent()
	return nil
}
