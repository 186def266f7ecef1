package compare_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// bitmapBytes is the length of the bitmaps that are compared.
const bitmapBytes = 100 << 20

// BenchmarkBitmaps runs commands on bitmaps of 100 MB and has redis-server run
// them, in turns. Target in memory: x-redis, the ratio of the medians of their
// times, at least 1.
func BenchmarkBitmaps(b *testing.B) {
	for _, mode := range []string{"memory", "everysecond"} {
		b.Run("n=100MB/mode="+mode, func(b *testing.B) {
			server := startRedis(b, mode)
			db, err := brock.OpenMemory(nil)
			if mode != "memory" {
				db, err = brock.Open(b.TempDir(), nil)
			}
			require.NoError(b, err)
			defer db.Close()
			r := rand.NewChaCha8([32]byte{})
			for _, key := range []string{"a", "b"} {
				value := make([]byte, bitmapBytes)
				_, err := r.Read(value)
				require.NoError(b, err)
				require.NoError(b, db.Set(key, value))
				require.NoError(b, server.client.Set(context.Background(), key, value, 0).Err())
			}
			for _, c := range []struct {
				name string
				run  func() error
				args []any
			}{
				{"bitcount", func() error { _, err := db.BitCount("a"); return err }, []any{"BITCOUNT", "a"}},
				{"and", func() error { _, err := db.BitOp(brock.And, "c", "a", "b"); return err }, []any{"BITOP", "AND", "c", "a", "b"}},
				{"not", func() error { _, err := db.BitOp(brock.Not, "c", "a"); return err }, []any{"BITOP", "NOT", "c", "a"}},
			} {
				b.Run("op="+c.name, func(b *testing.B) {
					inTurns(b, c.run, func() error { return server.client.Do(context.Background(), c.args...).Err() })
				})
			}
		})
	}
}

// inTurns runs ours and theirs alternately and reports the medians.
func inTurns(b *testing.B, ours, theirs func() error) {
	b.Helper()
	times := [2][]time.Duration{}
	for b.Loop() {
		for i, run := range []func() error{ours, theirs} {
			start := time.Now()
			require.NoError(b, run())
			times[i] = append(times[i], time.Since(start))
		}
	}
	median := func(all []time.Duration) float64 {
		slices.Sort(all)
		return all[len(all)/2].Seconds()
	}
	b.ReportMetric(1e3*median(times[0]), "ms")
	b.ReportMetric(1e3*median(times[1]), "redis-ms")
	b.ReportMetric(median(times[1])/median(times[0]), "x-redis")
}
