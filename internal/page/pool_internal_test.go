package page

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// seeded returns a generator whose seed is logged; SEED= in the environment
// replays a run.
func seeded(tb testing.TB) *rand.Rand {
	tb.Helper()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		require.NoError(tb, err)
	}
	tb.Logf("SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// runs returns how many rounds a random test makes: all, or a few where the
// race detector or the pool's checks slow each down.
func runs(all int) int {
	if checked {
		return max(all/6, 1)
	}
	return all
}

// newTestPool returns a pool that is closed after the test.
func newTestPool(tb testing.TB) *Pool {
	tb.Helper()
	p := NewPool()
	tb.Cleanup(func() { require.NoError(tb, p.Close()) })
	return p
}

func TestClassSize(t *testing.T) {
	last := 0
	for size := range maxBlock + 1 {
		c := ClassSize(size)
		require.GreaterOrEqual(t, c, size)
		require.Zero(t, c%minBlock)
		require.Equal(t, c, ClassSize(c), "a class serves its own size")
		require.Less(t, classOf(size), numClasses)
		if c != last {
			if last >= 128 {
				require.LessOrEqual(t, float64(c)/float64(last), 1.125)
			}
			require.Equal(t, classOf(last), max(classOf(c)-1, 0))
			last = c
		}
	}
	require.Equal(t, numClasses-1, classOf(maxBlock))
	require.Equal(t, maxBlock+largeStep, ClassSize(maxBlock+1))
	require.Equal(t, 512<<20, ClassSize(512<<20))
}

// block is what the oracle knows of a live block.
type block struct {
	ref   Ref
	bytes []byte
	fill  byte
}

// own writes the block's mark all over it.
func (b *block) own(fill byte) {
	b.fill = fill
	b.bytes[0] = fill
	for n := 1; n < len(b.bytes); n *= 2 {
		copy(b.bytes[n:], b.bytes[:n])
	}
}

// require checks that nobody else wrote to the block.
func (b *block) require(t *testing.T, p *Pool) {
	t.Helper()
	got := p.Bytes(b.ref)
	require.Equal(t, len(b.bytes), len(got))
	require.Equal(t, len(b.bytes), cap(got))
	require.Equal(t, b.fill, got[0])
	require.True(t, bytes.Equal(got[1:], got[:len(got)-1]), "foreign bytes in a block")
}

func TestPoolRandom(t *testing.T) {
	rnd := seeded(t)
	p := newTestPool(t)
	var live []block
	used := int64(0)
	for op := range 60_000 {
		grow := (op/10_000)%2 == 0
		if len(live) == 0 || rnd.IntN(10) < 7 == grow {
			size := 1 << rnd.IntN(13)
			size += rnd.IntN(size)
			if rnd.IntN(500) == 0 {
				size = rnd.IntN(200_000)
			}
			b := block{}
			b.ref, b.bytes = p.Alloc(size)
			require.NotZero(t, b.ref)
			require.Len(t, b.bytes, ClassSize(size))
			b.own(byte(op))
			live = append(live, b)
			used += int64(len(b.bytes))
		} else {
			i := rnd.IntN(len(live))
			live[i].require(t, p)
			p.Free(live[i].ref)
			used -= int64(len(live[i].bytes))
			live[i] = live[len(live)-1]
			live = live[:len(live)-1]
		}
		if p.Used() != used {
			require.Equal(t, used, p.Used())
		}
	}
	for i := range live {
		live[i].require(t, p)
		p.Free(live[i].ref)
	}
	require.Zero(t, p.Used())
	require.LessOrEqual(t, p.idle, int64(idleAtLeast+hugeSlab))
	require.LessOrEqual(t, p.Mapped(), int64(numClasses*smallSlab+hugeSlab))
}

func TestPoolGivesMemoryBack(t *testing.T) {
	p := newTestPool(t)
	var refs []Ref
	for range 20_000 {
		ref, _ := p.Alloc(8000)
		refs = append(refs, ref)
	}
	require.Greater(t, p.Mapped(), int64(hugeFrom), "enough for huge slabs")
	require.Less(t, p.Mapped(), p.Used()+p.Used()/32+hugeSlab)
	huge := 0
	for _, s := range p.slabs {
		if len(s.mem) == hugeSlab {
			huge++
			if !checked {
				require.Zero(t, uintptr(unsafe.Pointer(&s.mem[0]))%hugeSlab)
			}
		}
	}
	require.NotZero(t, huge)
	for _, ref := range refs {
		p.Free(ref)
	}
	require.Zero(t, p.Used())
	require.LessOrEqual(t, p.Mapped(), int64(hugeSlab), "one spare slab at most")

	ref, b := p.Alloc(100 << 20)
	b[0], b[len(b)-1] = 1, 1
	mapped := p.Mapped()
	p.Free(ref)
	require.Equal(t, mapped-100<<20, p.Mapped(), "a large block is unmapped at once")
}

// TestPoolLowestFirst frees most blocks at random: what is allocated afterwards
// fills the low slabs, so that further frees empty the high ones.
func TestPoolLowestFirst(t *testing.T) {
	rnd := seeded(t)
	p := newTestPool(t)
	var refs []Ref
	for range 16_384 {
		ref, _ := p.Alloc(1024)
		refs = append(refs, ref)
	}
	full := p.Mapped()
	rnd.Shuffle(len(refs), func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
	for _, ref := range refs[1700:] {
		p.Free(ref)
	}
	refs = refs[:1700]
	for range 20_000 { // 1.7 MB in 16 MiB of slabs; replace each a dozen times
		i := rnd.IntN(len(refs))
		p.Free(refs[i])
		refs[i], _ = p.Alloc(1024)
	}
	require.Less(t, p.Mapped(), full/4)
}

func TestPoolSpare(t *testing.T) {
	p := newTestPool(t)
	ref, _ := p.Alloc(1000)
	mapped := p.Mapped()
	for range 100 { // a block that comes and goes does not map and unmap
		p.Free(ref)
		require.Equal(t, mapped, p.Mapped())
		ref, _ = p.Alloc(1000)
		require.Equal(t, mapped, p.Mapped())
	}
	require.Zero(t, p.idle)
	p.Free(ref)
	require.EqualValues(t, ClassSize(1000), p.idle, "what was touched, not what is mapped")
}

// TestPoolPrepares has the memory of a huge slab be there before it is needed,
// and go if it is not.
func TestPoolPrepares(t *testing.T) {
	p := newTestPool(t)
	const size = 16 << 10
	for p.mapped < hugeFrom+hugeClass || len(p.kept) == 0 {
		p.Alloc(size)
		p.prepared.Wait()
	}
	require.Equal(t, 1, len(p.kept)) //nolint:testifylint // it would print them
	next, slabs := unsafe.SliceData(p.kept[0]), len(p.slabs)
	for len(p.slabs) == slabs {
		p.Alloc(size)
	}
	require.Same(t, next, unsafe.SliceData(p.slabs[slabs].mem))
	p.prepared.Wait()
	require.Equal(t, 1, len(p.kept), "and so on") //nolint:testifylint // likewise
	p.Trim()
	p.Trim()
	require.Zero(t, len(p.kept)) //nolint:testifylint // it would print them
}

// TestPoolTrim frees much at once: some of it is kept, and serves blocks of
// another size; what nobody needs until the next Trim but one is given back.
func TestPoolTrim(t *testing.T) {
	p := newTestPool(t)
	alloc := func(size, n int) (refs []Ref) {
		for range n {
			ref, b := p.Alloc(size)
			b[0] = 1
			refs = append(refs, ref)
		}
		return refs
	}
	free := func(refs []Ref) {
		for _, ref := range refs {
			p.Free(ref)
		}
	}
	alloc(8000, 20_000)
	full := p.Mapped()
	free(alloc(4096, 10_000))
	require.NotEmpty(t, p.kept)
	require.LessOrEqual(t, int64(len(p.kept))*hugeSlab, p.mapped/keptPart)
	p.Trim()
	require.NotEmpty(t, p.kept, "kept since the last Trim")

	kept := len(p.kept)
	refs := alloc(2048, 20_000)
	require.Less(t, len(p.kept), kept)
	p.Trim()
	free(refs)
	p.prepared.Wait()
	p.Trim()
	p.Trim()
	require.Zero(t, len(p.kept)) //nolint:testifylint // it would print them
	require.Less(t, p.Mapped(), full+full/16+2*hugeSlab)
}

func TestPoolClose(t *testing.T) {
	p := NewPool()
	ref, _ := p.Alloc(10)
	p.Alloc(100_000)
	require.NoError(t, p.Close())
	require.NoError(t, p.Close())
	require.Zero(t, p.Used())
	require.Zero(t, p.Mapped())
	require.Panics(t, func() { p.Bytes(ref) })
	require.Panics(t, func() { p.Bytes(0) })
}

// TestPoolConcurrent reads own blocks in all goroutines while all allocate and
// the table of slabs grows.
func TestPoolConcurrent(t *testing.T) {
	p := newTestPool(t)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(g), 2))
			live := make([]block, 0, 512)
			for op := range 20_000 {
				if len(live) < cap(live) {
					b := block{}
					b.ref, b.bytes = p.Alloc(16 + rnd.IntN(6000))
					b.own(byte(op))
					live = append(live, b)
				}
				i := rnd.IntN(len(live))
				got := p.Bytes(live[i].ref)
				if got[0] != live[i].fill || got[len(got)-1] != live[i].fill {
					t.Error("foreign bytes in a block")
					return
				}
				if rnd.IntN(3) == 0 {
					p.Free(live[i].ref)
					live[i] = live[len(live)-1]
					live = live[:len(live)-1]
				}
			}
			for i := range live {
				p.Free(live[i].ref)
			}
		})
	}
	wg.Wait()
	require.Zero(t, p.Used())
}

func TestPoolAllocations(t *testing.T) {
	if checked {
		t.Skip("race: slabs are Go memory")
	}
	p := newTestPool(t)
	keep, _ := p.Alloc(200)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		ref, _ := p.Alloc(200)
		if len(p.Bytes(ref)) != 208 || len(p.Bytes(keep)) != 208 {
			t.Fatal("wrong size")
		}
		p.Free(ref)
	}))
}

func BenchmarkPoolAlloc(b *testing.B) {
	for _, size := range []int{64, 1000, 8000} {
		b.Run("size="+strconv.Itoa(size), func(b *testing.B) {
			p := newTestPool(b)
			var ring [1024]Ref
			for i := range ring {
				ring[i], _ = p.Alloc(size)
			}
			i := 0
			b.ReportAllocs()
			for b.Loop() { // free one, allocate one, in an order unlike the first
				p.Free(ring[i])
				ring[i], _ = p.Alloc(size)
				i = (i + 389) % len(ring)
			}
		})
	}
}

func BenchmarkPoolBytes(b *testing.B) {
	p := newTestPool(b)
	var refs [64]Ref
	for i := range refs {
		refs[i], _ = p.Alloc(8000)
	}
	i, sum := 0, 0
	for b.Loop() {
		sum += len(p.Bytes(refs[i&63]))
		i++
	}
	require.NotZero(b, sum)
}
