package compare_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/bench/internal/measure"
)

// BenchmarkWaitingSet lets goroutines Set random resident keys, each waiting
// for its own to be acknowledged. Targets of Brock in EverySecond against
// Badger with a transaction each and no sync: at 64 goroutines 4 times the
// throughput, at 256 5 times, and at most a quarter of the processor time.
// Against Badger's SyncWrites in Always: 8 times at 64, 25 times at 256.
func BenchmarkWaitingSet(b *testing.B) {
	for _, c := range []struct {
		peers      []peer // Brock last
		goroutines []int
		each       int // Sets of a goroutine in an iteration
	}{
		{[]peer{
			{impl: "badger", mode: "nosync", open: openBadger},
			{impl: "redis", mode: "everysecond", remote: true, open: openRedis},
			{impl: "brock", mode: "everysecond", open: openBrock},
		}, []int{1, 64, 256}, 256},
		{[]peer{
			{impl: "badger", mode: "syncwrites", open: openBadger},
			{impl: "redis", mode: "always", remote: true, open: openRedis},
			{impl: "brock", mode: "always", open: openBrock},
		}, []int{64, 256}, 16},
	} {
		waitingSets(b, c.peers, c.goroutines, c.each)
	}
}

// outcome is what Sets of a peer cost.
type outcome struct {
	rate float64       // Sets in a second
	cpu  time.Duration // for each
}

// waitingSets measures each of peers with each number of goroutines.
func waitingSets(b *testing.B, peers []peer, goroutines []int, each int) {
	n := keyCount(1e6)
	keys := measure.Draw(max(n, 1<<16), n, 1)
	badger := map[int]outcome{}
	for _, p := range peers {
		b.Run("n="+measure.Name(n)+"/"+p.name(), func(b *testing.B) {
			settle()
			db := p.open(b, p.mode, n)
			for _, g := range goroutines {
				b.Run(fmt.Sprintf("goroutines=%d", g), func(b *testing.B) {
					got := setTogether(b, db, keys, g, each)
					b.ReportMetric(got.rate, "sets/s")
					if !p.remote {
						b.ReportMetric(got.cpu.Seconds()*1e6, "cpu-us/set")
					}
					switch p.impl {
					case "badger":
						badger[g] = got
					case "brock":
						b.ReportMetric(ratio(got.rate, badger[g].rate), "x-badger")
						b.ReportMetric(ratio(got.cpu.Seconds(), badger[g].cpu.Seconds()), "cpu-x-badger")
					}
				})
			}
		})
	}
}

// setTogether lets g goroutines make each Sets in every iteration.
func setTogether(b *testing.B, db access, keys measure.Keys, g, each int) outcome {
	b.Helper()
	value := measure.Value(measure.ValueSize)
	round := 0
	before, err := measure.CPU()
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		together(g, func(i int) {
			at := (round*g + i) * each
			for j := range each {
				if err := db.set(keys.At(at+j), value); err != nil {
					b.Error(err)
					return
				}
			}
		})
		round++
	}
	after, err := measure.CPU()
	require.NoError(b, err)
	sets := b.N * g * each
	return outcome{float64(sets) / b.Elapsed().Seconds(), (after - before) / time.Duration(sets)}
}

// directPeers are what a Go program in one goroutine may use.
func directPeers() []peer {
	return []peer{
		{impl: "miniredis", mode: "memory", open: openMiniredis},
		{impl: "redis", mode: "everysecond", remote: true, open: openRedis},
		{impl: "badger", mode: "nosync", open: openBadger},
		{impl: "brock", mode: "relaxed", open: openBrock},
		{impl: "brock", mode: "everysecond", open: openBrock},
	}
}

// BenchmarkSet overwrites random resident keys from one goroutine. Target:
// Brock in Relaxed is at least as fast as miniredis, called directly.
func BenchmarkSet(b *testing.B) {
	value := measure.Value(measure.ValueSize)
	direct(b, func(db access, key string) error { return db.set(key, value) })
}

// BenchmarkGet reads random resident keys from one goroutine.
func BenchmarkGet(b *testing.B) {
	direct(b, func(db access, key string) error {
		_, err := db.get(key)
		return err
	})
}

// direct runs fn on each of directPeers.
func direct(b *testing.B, fn func(db access, key string) error) {
	n := keyCount(1e6)
	keys := measure.Draw(max(n, 1<<16), n, 1)
	for _, p := range directPeers() {
		b.Run("n="+measure.Name(n)+"/"+p.name(), func(b *testing.B) {
			settle()
			db := p.open(b, p.mode, n)
			b.Run("goroutines=1", func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if err := fn(db, keys.At(i)); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
