package bench_test

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/bench/internal/measure"
)

// raced reports whether the race detector is on, with which pools forget and
// allocations cannot be counted.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// TestAllocations holds the hot commands to their allocations in steady state:
// Get the copy that it returns, none if there is none, Incr none or one, Set at most two,
// and with a time to live no more than without.
func TestAllocations(t *testing.T) {
	if raced() {
		t.Skip("race: allocations cannot be counted")
	}
	everySecond, _ := openDisk(t, brock.EverySecond)
	relaxed, _ := openDisk(t, brock.Relaxed)
	for mode, db := range map[string]*brock.DB{"memory": openMemory(t), "everysecond": everySecond, "relaxed": relaxed} {
		t.Run("mode="+mode, func(t *testing.T) {
			const n = 1000
			value := measure.Value(measure.ValueSize)
			require.NoError(t, fill(db, n, value))
			keys := drawn(n)
			at := 0
			count := func(fn func(key string) error) float64 {
				return testing.AllocsPerRun(2000, func() {
					at++
					if err := fn(keys.At(at)); err != nil {
						t.Fatal(err)
					}
				})
			}
			get := count(func(key string) error { _, err := db.Get(key); return err })
			set := count(func(key string) error { return db.Set(key, value) })
			setEx := count(func(key string) error { return db.Set(key, value, brock.EX(time.Hour)) })
			incr := count(func(string) error { _, err := db.Incr("counter"); return err })
			absent := count(func(string) error {
				if _, err := db.Get("absent"); !errors.Is(err, brock.ErrNotFound) {
					return fmt.Errorf("got %w", err)
				}
				return nil
			})
			require.LessOrEqual(t, get, 1.0, "Get")
			require.Zero(t, absent, "Get of an absent key")
			require.LessOrEqual(t, set, 2.0, "Set")
			require.LessOrEqual(t, setEx, set, "Set with EX")
			require.LessOrEqual(t, incr, 1.0, "Incr")
			t.Logf("allocations: Get %v, Set %v, with EX %v, Incr %v", get, set, setEx, incr)
		})
	}
}

// BenchmarkIncr counts on random ones of many counters. Target: at most one
// allocation.
func BenchmarkIncr(b *testing.B) {
	db := openMemory(b)
	const n = 1e5
	require.NoError(b, fill(db, n, []byte("0")))
	keys := drawn(n)
	b.Run(fmt.Sprintf("n=%s/impl=brock/mode=memory", measure.Name(n)), func(b *testing.B) {
		measured(b, func(i int) error {
			_, err := db.Incr(keys.At(i))
			return err
		})
	})
}

// BenchmarkUpdate compares an Update that makes three changes of resident keys
// with the three calls on their own, in turns. Target in Relaxed: ratio at most
// 4.
func BenchmarkUpdate(b *testing.B) {
	const n = 1e5
	for _, mode := range []string{"memory", "relaxed"} {
		b.Run(fmt.Sprintf("changes=3/n=%s/impl=brock/mode=%s", measure.Name(n), mode), func(b *testing.B) {
			db := openMode(b, mode)
			require.NoError(b, fill(db, n, measure.Value(measure.ValueSize)))
			_, err := db.HSet("hash", brock.F("state", "new"))
			require.NoError(b, err)
			updates(b, db, drawn(n))
		})
	}
}

// openMode opens a database in memory, or on disk in Relaxed.
func openMode(b *testing.B, mode string) *brock.DB {
	b.Helper()
	if mode == "memory" {
		return openMemory(b)
	}
	db, _ := openDisk(b, brock.Relaxed)
	return db
}

// writer is what a DB and a Tx have in common here.
type writer interface {
	Set(key string, value []byte, options ...brock.SetOption) error
	Incr(key string) (int64, error)
	HSet(key string, fields ...brock.FieldValue) (int, error)
}

// updates measures three changes in an Update and on their own alternately.
func updates(b *testing.B, db *brock.DB, keys measure.Keys) {
	b.Helper()
	value := measure.Value(measure.ValueSize)
	at := 0
	change := func(w writer) error {
		at++
		if err := w.Set(keys.At(at), value); err != nil {
			return err
		}
		if _, err := w.Incr("counter"); err != nil {
			return err
		}
		_, err := w.HSet("hash", brock.F("state", "paid"))
		return err
	}
	repeat := func(fn func() error) func() {
		return func() {
			for range turns {
				if err := fn(); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	calls := repeat(func() error { return change(db) })
	update := repeat(func() error { return db.Update(func(tx *brock.Tx) error { return change(tx) }) })
	var c, u cost
	b.ReportAllocs()
	for b.Loop() {
		c.add(b, calls)
		u.add(b, update)
	}
	b.ReportMetric(per(c.wall, b.N*turns), "ns/three-calls")
	b.ReportMetric(per(u.wall, b.N*turns), "ns/update")
	wall, cpu := u.over(c)
	b.ReportMetric(wall, "ratio")
	b.ReportMetric(cpu, "cpu-ratio")
}
