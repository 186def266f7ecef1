package page

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// orderedModel is an ordered page beside the slice that it has to equal.
type orderedModel struct {
	o    Ordered
	want []string
}

// insert does what a caller does: where there is no room, copy and try again.
func (m *orderedModel) insert(t *testing.T, i int, item string) {
	t.Helper()
	before := bytes.Clone(m.o)
	if !m.o.Insert(i, []byte(item)) {
		require.Equal(t, before, []byte(m.o), "an Insert without room changes nothing")
		m.grow(item)
		require.True(t, m.o.Insert(i, []byte(item)))
	}
	m.want = slices.Insert(m.want, i, item)
}

// replace replaces the item at i.
func (m *orderedModel) replace(t *testing.T, i int, item string) {
	t.Helper()
	before := bytes.Clone(m.o)
	if !m.o.Replace(i, []byte(item)) {
		require.Equal(t, before, []byte(m.o), "a Replace without room changes nothing")
		m.grow(item)
		require.True(t, m.o.Replace(i, []byte(item)))
	}
	m.want[i] = item
}

// grow copies the page to a block with room for one more item.
func (m *orderedModel) grow(item string) {
	n := m.o.Len()
	m.o = m.o.CopyTo(dirty(m.o.NeedFor(len(item))), 0, n, n+1+n/8)
}

// remove removes n items from i on.
func (m *orderedModel) remove(i, n int) {
	m.o.Remove(i, n)
	m.want = slices.Delete(m.want, i, i+n)
}

// require compares all that the page tells with the slice.
func (m *orderedModel) require(t *testing.T) {
	t.Helper()
	require.NoError(t, m.o.Check())
	require.Equal(t, len(m.want), m.o.Len())
	heap := 0
	for i, want := range m.want {
		if got := m.o.Item(i); string(got) != want {
			require.Equal(t, want, string(got), "item %d", i)
		}
		heap += ItemSize(len(want))
	}
	require.Equal(t, OrderedSize(len(m.want), heap), m.o.Live())
	require.LessOrEqual(t, m.o.Used(), len(m.o))
}

// where returns an index up to n: at either end in half of all cases.
func where(rnd *rand.Rand, n int) int {
	switch rnd.IntN(4) {
	case 0:
		return 0
	case 1:
		return n
	}
	return rnd.IntN(n + 1)
}

func TestOrderedRandom(t *testing.T) {
	rnd := seeded(t)
	for run := range runs(60) {
		m := &orderedModel{}
		m.o = InitOrdered(dirty(OrderedSize(0, 0)+rnd.IntN(500)), rnd.IntN(20))
		length := []int{0, 3, 30, 300, 3000}[run%5]
		for op := range 1500 {
			n := len(m.want)
			item := strings.Repeat(string(rune('a'+rnd.IntN(26))), rnd.IntN(length+1))
			switch k := rnd.IntN(100); {
			case k < 50 && n < 400:
				m.insert(t, where(rnd, n), item)
			case k < 60 && n > 0:
				m.replace(t, rnd.IntN(n), item)
			case k < 92-op%3*10 && n > 0:
				m.remove(min(where(rnd, n), n-1), 1)
			case k < 94 && n > 0:
				i := where(rnd, n)
				m.remove(i, min(rnd.IntN(20), n-i))
			case k < 95:
				from := rnd.IntN(min(n+1, 10))
				to := n - rnd.IntN(min(n-from+1, 10))
				m.want = m.want[from:to]
				heap := 0
				for _, s := range m.want {
					heap += ItemSize(len(s))
				}
				size := OrderedSize(len(m.want), heap) + rnd.IntN(300)
				m.o = m.o.CopyTo(dirty(size), from, to, rnd.IntN(100))
			case k < 97: // as from an image, in a block of another length
				image := m.o[:m.o.Used()]
				m.o = dirty(len(image) + rnd.IntN(200))
				copy(m.o, image)
			}
			if op%16 == 0 {
				m.require(t)
			}
		}
		m.require(t)
		m.remove(0, len(m.want))
		m.require(t)
		require.Equal(t, m.o.heap(), m.o.Used(), "an empty page has no garbage")
	}
}

// TestOrderedEnds pushes and pops at the ends: as a stack, and as a queue in
// both directions.
func TestOrderedEnds(t *testing.T) {
	for _, pushFront := range []bool{false, true} {
		for _, popFront := range []bool{false, true} {
			m := &orderedModel{o: InitOrdered(make([]byte, 256), 4)}
			for i := range 2000 {
				at := len(m.want)
				if pushFront {
					at = 0
				}
				m.insert(t, at, strconv.Itoa(i))
				if at = len(m.want) - 1; popFront {
					at = 0
				}
				if len(m.want) > 20 || i%3 == 0 {
					m.remove(at, 1)
				}
				m.require(t)
			}
			require.LessOrEqual(t, len(m.o), 256, "garbage does not swell the block")
		}
	}
}

// TestOrderedGrowsInPlace fills a block formatted for one item: the table grows
// until the bytes are used up.
func TestOrderedGrowsInPlace(t *testing.T) {
	for _, size := range []int{1000, 8192, 65_536, 65_537, 200_000} {
		for _, length := range []int{0, 10, 100} {
			m := &orderedModel{o: InitOrdered(make([]byte, size), 1)}
			item := strings.Repeat("x", length)
			for m.o.Insert(len(m.want)/2, []byte(item)) {
				m.want = append(m.want, item)
			}
			m.require(t)
			best := min((size-orderedHead)/(ItemSize(length)+m.o.width()), itemsMax)
			require.GreaterOrEqual(t, len(m.want), best*95/100)
		}
	}
}

func TestOrderedWide(t *testing.T) {
	m := &orderedModel{o: InitOrdered(make([]byte, 1<<20), 10)}
	for i := range 100 {
		m.insert(t, where(rand.New(rand.NewPCG(1, uint64(i))), i), strings.Repeat("x", 9_000+i))
	}
	m.require(t)
	require.Equal(t, 4, m.o.width())
	m.remove(3, 94)
	m.o = m.o.CopyTo(dirty(m.o.Live()), 0, 3, 0)
	m.want = m.want[:3]
	require.Equal(t, 2, m.o.width())
	m.require(t)

	image := m.o[:m.o.Used()] // narrow stays narrow in a longer block
	m.o = dirty(1 << 20)
	copy(m.o, image)
	m.insert(t, 0, strings.Repeat("y", 30_000))
	require.Equal(t, 2, m.o.width())
	m.insert(t, 0, strings.Repeat("z", 30_000))
	require.Equal(t, 4, m.o.width())
	m.require(t)

	for n := range 40_000 { // whatever rounding a block gets, the copy fits
		for _, bytes := range []int{n, 2 * n, 100 * n} {
			size := OrderedSize(n, bytes)
			width := 2
			if size+roundingMax-largeStep > narrowMax {
				width = 4
			}
			if size < orderedHead+width*n+bytes {
				require.Fail(t, "too short", "n %d bytes %d", n, bytes)
			}
		}
	}
}

func TestOrderedReplace(t *testing.T) {
	o := InitOrdered(make([]byte, 400), 3)
	replace := func(i int, item string) bool {
		ok := o.Replace(i, []byte(item))
		require.NoError(t, o.Check())
		return ok
	}
	require.True(t, o.Insert(0, []byte("1234")))
	require.True(t, o.Insert(1, []byte("1234")))
	used := o.Used()
	require.True(t, replace(0, "1"))
	require.Equal(t, used, o.Used())
	require.Equal(t, 3, o.garbage())
	require.True(t, replace(1, strings.Repeat("x", 200)), "the last item grows where it is")
	require.Equal(t, 3, o.garbage())
	require.False(t, replace(1, strings.Repeat("x", 400)))
	require.False(t, replace(0, strings.Repeat("x", 200)))
	require.True(t, replace(0, "12345678"), "appended")
	require.Equal(t, 5, o.garbage())
	o.Remove(0, 1)
	require.NoError(t, o.Check())
	require.Equal(t, 5, o.garbage(), "the last item leaves none")
}

// TestOrderedReplaceByPart gives an item a part of itself.
func TestOrderedReplaceByPart(t *testing.T) {
	for n := range 300 {
		for _, cut := range []int{0, 1, 2, 100} {
			if cut > n {
				continue
			}
			o := InitOrdered(make([]byte, 1000), 4)
			item := make([]byte, n)
			for i := range item {
				item[i] = byte(i)
			}
			require.True(t, o.Insert(0, item))
			require.True(t, o.Replace(0, o.Item(0)[cut:]))
			require.Equal(t, string(item[cut:]), string(o.Item(0)))
		}
	}
}

func TestOrderedMisuse(t *testing.T) {
	o := InitOrdered(make([]byte, 100), 4)
	require.Panics(t, func() { o.Insert(1, nil) })
	require.Panics(t, func() { o.Insert(-1, nil) })
	require.Panics(t, func() { o.Remove(0, 1) })
	require.Panics(t, func() { InitOrdered(make([]byte, 15), 0) })
	require.True(t, o.Insert(0, []byte("item")))
	require.Panics(t, func() { o.CopyTo(make([]byte, 22), 0, 1, 1) })
	require.NotPanics(t, func() { o.CopyTo(make([]byte, 23), 0, 1, 9) })
	if checked {
		require.Panics(t, func() { o.Insert(0, o.Item(0)) })
	}
	empty := InitOrdered(make([]byte, OrderedSize(0, 0)), 9)
	require.NoError(t, empty.Check())
	require.False(t, empty.Insert(0, nil))
}

// TestOrderedCheck breaks each rule of a good block.
func TestOrderedCheck(t *testing.T) {
	good := func() Ordered {
		o := InitOrdered(make([]byte, 200), 6)
		for i := range 5 {
			require.True(t, o.Insert(i, []byte("1234")))
		}
		o.Remove(3, 1)
		o.Remove(1, 1)
		require.NoError(t, o.Check())
		return o
	}
	put32 := binary.LittleEndian.PutUint32
	for name, spoil := range map[string]func(o Ordered) Ordered{
		"short":               func(o Ordered) Ordered { return o[:15] },
		"cut off":             func(o Ordered) Ordered { return o[:o.Used()-1] },
		"unknown flag":        func(o Ordered) Ordered { o[7] = 1; return o },
		"wide":                func(o Ordered) Ordered { o[6] = wideFlag; return o },
		"another count":       func(o Ordered) Ordered { o.setCount(2); return o },
		"count beyond":        func(o Ordered) Ordered { o.setCount(7); return o },
		"start beyond":        func(o Ordered) Ordered { o.setStart(0xffff); return o },
		"table beyond":        func(o Ordered) Ordered { o.setTable(0xffff); return o },
		"another table":       func(o Ordered) Ordered { o.setTable(7); return o },
		"end in the table":    func(o Ordered) Ordered { o.setUsed(20); return o },
		"another end":         func(o Ordered) Ordered { o.setUsed(o.Used() + 1); return o },
		"huge end":            func(o Ordered) Ordered { put32(o[8:], 1<<31); return o },
		"another garbage":     func(o Ordered) Ordered { o.setGarbage(0); return o },
		"huge garbage":        func(o Ordered) Ordered { put32(o[12:], 1<<31+10); return o },
		"offset in the table": func(o Ordered) Ordered { o.setOffset(0, 18); return o },
		"offset beyond":       func(o Ordered) Ordered { o.setOffset(0, o.Used()); return o },
		"shared item":         func(o Ordered) Ordered { o.setOffset(0, o.offset(1)); return o },
		"long item":           func(o Ordered) Ordered { o[o.offset(2)] = 100; return o },
		"endless length":      func(o Ordered) Ordered { o[o.offset(2)] = 0xff; return o },
		"overlap":             func(o Ordered) Ordered { o[o.offset(0)] = 14; o.setGarbage(0); return o },
		"unset offset":        func(o Ordered) Ordered { o.setOffset(0, 0); return o },
	} {
		require.Error(t, spoil(good()).Check(), name)
	}
}

func TestOrderedAllocations(t *testing.T) {
	if checked {
		t.Skip("race: an optimized build is meant")
	}
	o := filledOrdered(200, 30)
	grown := make([]byte, 16<<10)
	item := make([]byte, 30)
	sum := 0
	require.Zero(t, testing.AllocsPerRun(100, func() {
		c := o.CopyTo(grown, 0, o.Len(), 0)
		for i := range 50 {
			c.Insert(i*3, item)
			c.Replace(i, item[1:])
			sum += len(c.Item(i))
		}
		c.Remove(10, 40)
		if c.Check() != nil {
			t.Fatal("check failed")
		}
	}))
}

// filledOrdered returns a page of n items of a length.
func filledOrdered(n, length int) Ordered {
	o := InitOrdered(make([]byte, OrderedSize(n, n*ItemSize(length))), n)
	for i := range n {
		if !o.Insert(i, fmt.Appendf(nil, "%0*d", length, i)) {
			panic("too short")
		}
	}
	return o
}

// FuzzOrderedCheck feeds arbitrary bytes: either Check refuses them, or every
// method works and keeps the rules.
func FuzzOrderedCheck(f *testing.F) {
	o := filledOrdered(20, 10)
	f.Add([]byte(o), uint64(1))
	o.Remove(0, 3)
	o.Remove(5, 3)
	f.Add([]byte(o), uint64(2))
	f.Add([]byte(InitOrdered(make([]byte, 64), 3)), uint64(3))
	wide := InitOrdered(make([]byte, narrowMax+1), 5)
	wide.Insert(0, []byte("item"))
	wide.Insert(0, make([]byte, 200))
	f.Add([]byte(wide[:wide.Used()]), uint64(4))
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		if len(b) > 8192 {
			return
		}
		o := Ordered(bytes.Clone(b))
		if o.Check() != nil {
			mendOrdered(o)
			if o.Check() != nil {
				return
			}
		}
		m := &orderedModel{o: o}
		for i := range o.Len() {
			m.want = append(m.want, string(o.Item(i)))
		}
		m.require(t)
		rnd := rand.New(rand.NewPCG(seed, 3))
		for range 20 {
			item := strings.Repeat("x", rnd.IntN(200))
			m.insert(t, where(rnd, len(m.want)), item)
			m.replace(t, rnd.IntN(len(m.want)), item[len(item)/2:])
			m.insert(t, where(rnd, len(m.want)), item[len(item)/3:])
			i := rnd.IntN(len(m.want))
			m.remove(i, min(rnd.IntN(4), len(m.want)-i))
			require.NoError(t, m.o.Check())
		}
		m.require(t)
	})
}

// mendOrdered corrects the counts in the header, which fuzzing hardly ever
// guesses.
func mendOrdered(o Ordered) {
	if len(o) < orderedHead {
		return
	}
	o[6], o[7] = o[6]&wideFlag, 0
	o.setTable(min(o.table(), (len(o)-orderedHead)/o.width()))
	o.setStart(min(o.start(), o.table()))
	o.setCount(min(o.Len(), o.table()-o.start()))
	o.setUsed(len(o))
	live := 0
	for i := range o.Len() {
		if off := wideOffset(o, i); off < int64(len(o)) {
			n, l := binary.Uvarint(o[off:])
			live += max(l, 0) + int(n&0xffff)
		}
	}
	o.setGarbage(max(o.Used()-o.heap()-live, 0))
}

func BenchmarkOrderedItem(b *testing.B) {
	o := filledOrdered(200, 30)
	i, sum := 0, 0
	for b.Loop() {
		sum += len(o.Item(i))
		if i += 37; i >= 200 {
			i -= 200
		}
	}
	_ = sum
}

func BenchmarkOrderedInsert(b *testing.B) {
	item := make([]byte, 30)
	full := filledOrdered(200, 30)
	for _, at := range []struct {
		name  string
		index func(n int) int
	}{
		{"front", func(int) int { return 0 }},
		{"middle", func(n int) int { return n / 2 }},
		{"back", func(n int) int { return n }},
	} {
		b.Run("at="+at.name, func(b *testing.B) { // and now and then a copy
			block := make([]byte, 16<<10)
			o := full.CopyTo(block, 0, 200, 200)
			b.ReportAllocs()
			for b.Loop() {
				if !o.Insert(at.index(o.Len()), item) {
					o = full.CopyTo(block, 0, 200, 200)
				}
			}
		})
	}
	b.Run("queue", func(b *testing.B) { // push at the back, pop at the front
		blocks := [2][]byte{make([]byte, 8192), make([]byte, 8192)}
		o := full.CopyTo(blocks[0], 0, 100, 100)
		b.ReportAllocs()
		for b.Loop() {
			if !o.Insert(o.Len(), item) {
				blocks[0], blocks[1] = blocks[1], blocks[0]
				o = o.CopyTo(blocks[0], 0, o.Len(), o.Len())
				o.Insert(o.Len(), item)
			}
			o.Remove(0, 1)
		}
	})
	b.Run("stack", func(b *testing.B) { // push and pop at the back
		o := full.CopyTo(make([]byte, 8192), 0, 100, 110)
		for b.Loop() {
			o.Insert(o.Len(), item)
			o.Remove(o.Len()-1, 1)
		}
	})
}

func BenchmarkOrderedCheck(b *testing.B) {
	o := filledOrdered(200, 30)
	b.SetBytes(int64(o.Used()))
	b.ReportAllocs()
	for b.Loop() {
		if o.Check() != nil {
			b.Fatal("check failed")
		}
	}
}
