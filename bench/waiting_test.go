package bench_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/bench/internal/measure"
)

// BenchmarkWaitingSet lets goroutines Set random resident keys, each waiting
// for its own to be acknowledged. bench/compare has the targets and Badger
// beside it.
func BenchmarkWaitingSet(b *testing.B) {
	const n = 1e5
	for _, c := range []struct {
		mode       brock.Durability
		goroutines []int
		each       int // Sets of a goroutine in an iteration
	}{
		{brock.EverySecond, []int{1, 64, 256}, 256},
		{brock.Always, []int{1, 64, 256}, 16},
		{brock.Relaxed, []int{1, 64}, 256},
	} {
		b.Run(fmt.Sprintf("n=%s/impl=brock/mode=%s", measure.Name(n), c.mode), func(b *testing.B) {
			db, _ := openDisk(b, c.mode)
			require.NoError(b, fill(db, n, measure.Value(measure.ValueSize)))
			keys := drawn(n)
			for _, g := range c.goroutines {
				b.Run(fmt.Sprintf("goroutines=%d", g), func(b *testing.B) { waitingSets(b, db, keys, g, c.each) })
			}
		})
	}
}

// waitingSets lets g goroutines make each Sets in every iteration.
func waitingSets(b *testing.B, db *brock.DB, keys measure.Keys, g, each int) {
	b.Helper()
	value := measure.Value(measure.ValueSize)
	round := 0
	before := cpu(b)
	b.ReportAllocs()
	for b.Loop() {
		together(g, func(i int) {
			at := (round*g + i) * each
			for j := range each {
				if err := db.Set(keys.At(at+j), value); err != nil {
					b.Error(err)
					return
				}
			}
		})
		round++
	}
	sets := b.N * g * each
	b.ReportMetric(per(b.Elapsed(), sets), "ns/set")
	b.ReportMetric(float64(sets)/b.Elapsed().Seconds(), "sets/s")
	b.ReportMetric(per(cpu(b)-before, sets)/1e3, "cpu-us/set")
}
