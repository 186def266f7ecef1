package bench_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/bench/internal/measure"
)

// BenchmarkSustainedSmall tells what a database of 1,000 small keys takes on
// disk: new, rewritten for a while, after a checkpoint, and closed. Target: at
// most 8 MB at any time.
func BenchmarkSustainedSmall(b *testing.B) {
	const n = 1000
	b.Run(fmt.Sprintf("n=%s/mode=everysecond", measure.Name(n)), func(b *testing.B) {
		for b.Loop() {
			dir := b.TempDir()
			db, err := brock.Open(dir, nil)
			require.NoError(b, err)
			require.NoError(b, fill(db, n, measure.Value(measure.ValueSize)))
			uses := []float64{megabytes(diskUse(b, dir))}
			r := sustainedRun(b, load{db: db, dir: dir, n: n, pace: 1000})
			uses = append(uses, r.maxDisk()/1e6)
			require.NoError(b, db.Checkpoint())
			uses = append(uses, megabytes(diskUse(b, dir)))
			require.NoError(b, db.Close())
			uses = append(uses, megabytes(diskUse(b, dir)))
			b.ReportMetric(slices.Max(uses), "disk-MB")
			b.Logf("MB on disk new, at 1 k/s, after a checkpoint, closed: %.1f (want <= 8)", uses)
		}
	})
}

// BenchmarkSustainedRewrite tells what 100 k keys take on disk that are
// rewritten for a minute. Target: at most 150 MB.
func BenchmarkSustainedRewrite(b *testing.B) {
	const n = 1e5
	b.Run(fmt.Sprintf("n=%s/mode=everysecond", measure.Name(n)), func(b *testing.B) {
		for b.Loop() {
			db, dir := openDisk(b, brock.EverySecond)
			require.NoError(b, fill(db, n, measure.Value(measure.ValueSize)))
			r := sustainedRun(b, load{db: db, dir: dir, n: n})
			b.ReportMetric(r.maxDisk()/1e6, "disk-MB")
			b.ReportMetric(r.rate(), "sets/s")
			b.Logf("MB on disk each second: %.0f (want <= 150), %.0f k/s, %d checkpoint rounds", r.disk, r.rate()/1e3, r.rounds)
		}
	})
}
