package bench_test

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/bench/internal/measure"
)

// keyValue is what the database in memory and the map are compared by.
type keyValue struct {
	get func(key string) ([]byte, error)
	set func(key string, value []byte) error
}

// brockInMemory returns a database in memory with n keys.
func brockInMemory(b *testing.B, n int) keyValue {
	b.Helper()
	db := openMemory(b)
	require.NoError(b, fill(db, n, measure.Value(measure.ValueSize)))
	return keyValue{
		get: db.Get,
		set: func(key string, value []byte) error { return db.Set(key, value) },
	}
}

// mapInMemory returns a map with n keys.
func mapInMemory(_ *testing.B, n int) keyValue {
	m := &lockedMap{values: map[string][]byte{}}
	value := measure.Value(measure.ValueSize)
	for i := range n {
		m.insert(measure.Key(i), value)
	}
	return keyValue{
		get: func(key string) ([]byte, error) {
			value, ok := m.get(key)
			if !ok {
				return nil, brock.ErrNotFound
			}
			return value, nil
		},
		set: func(key string, value []byte) error {
			m.set(key, value)
			return nil
		},
	}
}

// inMemory runs bench with n keys in the database and in the map. One is gone
// when the other comes: the map's garbage collection would be the database's,
// too.
func inMemory(b *testing.B, n int, bench func(b *testing.B, kv keyValue)) {
	b.Helper()
	for _, peer := range []struct {
		impl string
		open func(*testing.B, int) keyValue
	}{{"brock", brockInMemory}, {"map", mapInMemory}} {
		b.Run("n="+measure.Name(n)+"/impl="+peer.impl, func(b *testing.B) {
			settle()
			kv := peer.open(b, n)
			b.Run("mode=memory", func(b *testing.B) { bench(b, kv) })
			runtime.KeepAlive(kv)
		})
	}
}

// BenchmarkGet: random resident keys, one goroutine. Target: at 1 k keys at
// most twice the map's time, at 100 k and 5 M at most its time.
func BenchmarkGet(b *testing.B) {
	for _, n := range sizes() {
		keys := drawn(n)
		inMemory(b, n, func(b *testing.B, kv keyValue) {
			measured(b, func(i int) error {
				_, err := kv.get(keys.At(i))
				return err
			})
		})
	}
}

// BenchmarkSet overwrites random resident keys, one goroutine. Target: that of
// Get.
func BenchmarkSet(b *testing.B) {
	for _, n := range sizes() {
		keys := drawn(n)
		inMemory(b, n, func(b *testing.B, kv keyValue) {
			value := measure.Value(measure.ValueSize)
			measured(b, func(i int) error {
				binary.LittleEndian.PutUint64(value, uint64(i))
				return kv.set(keys.At(i), value)
			})
		})
	}
}

// measured measures fn, called with 0, 1, 2 and so on. Beside the time that the
// clock tells it reports the processor time, garbage collection included, which
// other programs on the machine disturb less.
func measured(b *testing.B, fn func(i int) error) {
	b.Helper()
	before := cpu(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := fn(i); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(per(cpu(b)-before, b.N), "cpu-ns/op")
}

// BenchmarkReaders lets one goroutine read random keys and then two, in turns,
// so that both meet the same machine. Target: ratio at least 1.6. cpu-ratio is
// what it would be with a processor for each.
func BenchmarkReaders(b *testing.B) {
	const reads = 1 << 17 // of each goroutine in each turn
	for _, n := range sizes() {
		b.Run("n="+measure.Name(n)+"/impl=brock/mode=memory", func(b *testing.B) {
			settle()
			kv, keys := brockInMemory(b, n), drawn(n)
			read := func(i int) {
				for j := range reads {
					if _, err := kv.get(keys.At(i*keys.Len()/2 + j)); err != nil {
						b.Error(err)
						return
					}
				}
			}
			var one, two cost
			b.ReportAllocs()
			for b.Loop() {
				one.add(b, func() { together(1, read) })
				two.add(b, func() { together(2, read) })
			}
			b.ReportMetric(per(one.wall, b.N*reads), "ns/get-one")
			b.ReportMetric(per(two.wall, b.N*reads*2), "ns/get-two")
			wall, cpu := one.over(two)
			b.ReportMetric(2*wall, "ratio")
			b.ReportMetric(2*cpu, "cpu-ratio")
		})
	}
}

// BenchmarkBatch compares MGet and MSet of 16 random keys with single calls,
// in turns. Target at 5 M keys: ratio at most 0.5.
func BenchmarkBatch(b *testing.B) {
	for _, n := range sizes() {
		b.Run("n="+measure.Name(n), func(b *testing.B) {
			settle()
			db, keys := openMemory(b), drawn(n)
			require.NoError(b, fill(db, n, measure.Value(measure.ValueSize)))
			b.Run("op=mget/impl=brock/mode=memory", func(b *testing.B) { batchGet(b, db, keys) })
			b.Run("op=mset/impl=brock/mode=memory", func(b *testing.B) { batchSet(b, db, keys) })
		})
	}
}

const (
	batch = 16   // keys in an MGet or MSet
	turns = 1024 // batches before it is the other way's turn
)

// batchGet reads turns batches by single Gets, then as many by MGet.
func batchGet(b *testing.B, db *brock.DB, keys measure.Keys) {
	b.Helper()
	names := make([]string, batch)
	at := 0
	inTurns(b, func() {
		for range turns * batch {
			if _, err := db.Get(keys.At(at)); err != nil {
				b.Fatal(err)
			}
			at++
		}
	}, func() {
		for range turns {
			for i := range names {
				names[i] = keys.At(at)
				at++
			}
			if _, err := db.MGet(names...); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// batchSet writes turns batches by single Sets, then as many by MSet.
func batchSet(b *testing.B, db *brock.DB, keys measure.Keys) {
	b.Helper()
	pairs := make([]brock.KV, batch)
	value := measure.Value(measure.ValueSize)
	at := 0
	inTurns(b, func() {
		for range turns * batch {
			if err := db.Set(keys.At(at), value); err != nil {
				b.Fatal(err)
			}
			at++
		}
	}, func() {
		for range turns {
			for i := range pairs {
				pairs[i] = brock.KV{Key: keys.At(at), Value: value}
				at++
			}
			if err := db.MSet(pairs...); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// inTurns measures single and batched calls alternately.
func inTurns(b *testing.B, single, batched func()) {
	b.Helper()
	var s, m cost
	b.ReportAllocs()
	for b.Loop() {
		s.add(b, single)
		m.add(b, batched)
	}
	n := b.N * turns * batch
	b.ReportMetric(per(s.wall, n), "ns/key-single")
	b.ReportMetric(per(m.wall, n), "ns/key-batch")
	wall, cpu := m.over(s)
	b.ReportMetric(wall, "ratio")
	b.ReportMetric(cpu, "cpu-ratio")
}

// bitmapBytes is the length of the bitmaps that are measured.
const bitmapBytes = 100 << 20

// bitmaps puts two of them at a and b.
func bitmaps(b *testing.B, db *brock.DB) {
	b.Helper()
	r := rand.NewChaCha8([32]byte{})
	for _, key := range []string{"a", "b"} {
		value := make([]byte, bitmapBytes)
		_, err := r.Read(value)
		require.NoError(b, err)
		require.NoError(b, db.Set(key, value))
	}
}

// BenchmarkBitCount counts the bits of a bitmap, to find regressions; compare
// sets it beside redis-server.
func BenchmarkBitCount(b *testing.B) {
	b.Run("n=100MB/impl=brock/mode=memory", func(b *testing.B) {
		db := openMemory(b)
		bitmaps(b, db)
		b.SetBytes(bitmapBytes)
		measured(b, func(int) error {
			_, err := db.BitCount("a")
			return err
		})
	})
}

// BenchmarkBitOp combines two bitmaps, to find regressions; compare sets it
// beside redis-server.
func BenchmarkBitOp(b *testing.B) {
	everySecond, _ := openDisk(b, brock.EverySecond)
	for _, c := range []struct {
		mode string
		db   *brock.DB
	}{{"memory", openMemory(b)}, {"everysecond", everySecond}} {
		b.Run("n=100MB/impl=brock/mode="+c.mode, func(b *testing.B) {
			bitmaps(b, c.db)
			b.SetBytes(bitmapBytes)
			measured(b, func(int) error {
				_, err := c.db.BitOp(brock.And, "c", "a", "b")
				return err
			})
		})
	}
}

// BenchmarkForcedGC times a collection with many keys in memory. Target at 5 M
// keys: at most 20 ms.
func BenchmarkForcedGC(b *testing.B) {
	inMemory(b, manyKeys(), func(b *testing.B, _ keyValue) {
		for b.Loop() {
			runtime.GC()
		}
		b.ReportMetric(per(b.Elapsed(), b.N)/1e6, "ms/gc")
	})
}
