package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkLogAppend appends groups to segment files, without syncing.
func BenchmarkLogAppend(b *testing.B) {
	for _, size := range []int{100, 4 << 10, 64 << 10, 512 << 10} {
		b.Run(fmt.Sprintf("group=%d", size), func(b *testing.B) {
			l, err := openLog(logOptions{fs: OSFS{}, dir: b.TempDir(), store: 1, epoch: 1, first: 1 << 20, max: 64 << 20})
			require.NoError(b, err)
			g := Group{Epoch: 1, First: 1, Count: 1, Payload: make([]byte, size)}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			sinceSync := 0
			for b.Loop() {
				require.NoError(b, l.Append(g))
				g.First++
				if sinceSync += size; sinceSync > 256<<20 { // a checkpoint, so that segments go round
					b.StopTimer()
					sinceSync = 0
					require.NoError(b, l.Sync())
					require.NoError(b, l.TruncateBefore(g.First))
					b.StartTimer()
				}
			}
			b.StopTimer()
			require.NoError(b, l.Close())
		})
	}
}

// BenchmarkLogSync appends a small group and syncs it.
func BenchmarkLogSync(b *testing.B) {
	l, err := openLog(logOptions{fs: OSFS{}, dir: b.TempDir(), store: 1, epoch: 1, first: 1 << 20, max: 64 << 20})
	require.NoError(b, err)
	g := Group{Epoch: 1, First: 1, Count: 1, Payload: make([]byte, 100)}
	for b.Loop() {
		require.NoError(b, l.Append(g))
		require.NoError(b, l.Sync())
		g.First++
	}
	b.StopTimer()
	require.NoError(b, l.Close())
}

// BenchmarkLogReplay reads 64 MB of log back.
func BenchmarkLogReplay(b *testing.B) {
	l, err := openLog(logOptions{fs: OSFS{}, dir: b.TempDir(), store: 1, epoch: 1, first: 1 << 20, max: 64 << 20})
	require.NoError(b, err)
	g := Group{Epoch: 1, First: 1, Count: 1, Payload: make([]byte, 4<<10)}
	const n = 16 << 10
	for range n {
		require.NoError(b, l.Append(g))
		g.First++
	}
	b.SetBytes(n * int64(len(g.Payload)))
	for b.Loop() {
		require.NoError(b, l.Replay(1, func(Group) error { return nil }))
	}
	b.StopTimer()
	require.NoError(b, l.Close())
}

// BenchmarkBaseStep writes and completes steps of 4096 images of 6 KB over
// 16384 pages.
func BenchmarkBaseStep(b *testing.B) {
	e, err := Open(b.TempDir(), Options{})
	require.NoError(b, err)
	base := e.Base()
	const pages, perStep = 16384, 4096
	b.SetBytes(perStep * 6000)
	var slots [pages]uint8
	next := 0
	var tidy time.Duration
	data := make([]byte, 6000)
	for b.Loop() {
		s := base.State()
		images := make([]Image, perStep)
		removals := make([]Removal, perStep)
		for i := range images {
			no := (next + i*3) % pages
			addr := Addr{Dir: true, Object: uint64(no%64) << 56, No: uint64(no)}
			removals[i] = Removal{addr, slots[no]}
			slots[no] ^= 1
			images[i] = Image{Addr: addr, Slot: slots[no], Step: s.LastStep + 1, Data: data}
		}
		next += perStep*3 + 1
		require.NoError(b, base.Write(s.Epoch, s.LastStep+1, images))
		require.NoError(b, base.Complete(s.Epoch, s.LastStep+1, 1, s.LastStep+1, nil, removals))
		begin := time.Now()
		require.NoError(b, base.Tidy(nil))
		tidy += time.Since(begin)
	}
	b.StopTimer()
	b.ReportMetric(float64(tidy.Milliseconds())/float64(b.N), "ms-tidy/op")
	b.ReportMetric(float64(base.Size())/(1<<20), "MB-on-disk")
	require.NoError(b, e.Close())
}

// BenchmarkBaseLoad loads 16384 directory pages of 6 KB.
func BenchmarkBaseLoad(b *testing.B) {
	e, err := Open(b.TempDir(), Options{})
	require.NoError(b, err)
	base := e.Base()
	const pages = 16384
	images := make([]Image, pages)
	for i := range images {
		images[i] = Image{Addr: Addr{Dir: true, Object: uint64(i%64) << 56, No: uint64(i)}, Step: 1, Data: make([]byte, 6000)}
	}
	epoch := base.State().Epoch
	require.NoError(b, base.Write(epoch, 1, images))
	require.NoError(b, base.Complete(epoch, 1, 1, 1, nil, nil))
	b.SetBytes(pages * 6000)
	for b.Loop() {
		n := 0
		require.NoError(b, base.Load(func(Image) error { n++; return nil }))
		require.Equal(b, pages, n)
	}
	b.StopTimer()
	require.NoError(b, e.Close())
}
