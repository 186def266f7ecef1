package page

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hashedModel is a hashed page beside the map that it has to equal.
type hashedModel struct {
	h    Hashed
	want map[string]string
	hash func(key string) uint64
}

// put does what a caller does: where there is no room, copy and put again.
func (m *hashedModel) put(t *testing.T, key, value string) {
	t.Helper()
	before := bytes.Clone(m.h)
	slot, ok := m.h.Put(m.hash(key), key, []byte(value))
	if !ok {
		require.Equal(t, before, []byte(m.h), "a Put without room changes nothing")
		n := m.h.Len()
		size := m.h.NeedFor(len(key), len(value))
		m.h = m.h.CopyTo(dirty(size), n+1+n/8)
		slot, ok = m.h.Put(m.hash(key), key, []byte(value))
		require.True(t, ok)
	}
	require.Equal(t, key, string(m.h.Key(slot)))
	require.Equal(t, value, string(m.h.Value(slot)))
	m.want[key] = value
}

// delete deletes a key from both, if it is there.
func (m *hashedModel) delete(t *testing.T, key string) {
	t.Helper()
	slot := m.h.Find(m.hash(key), key)
	_, there := m.want[key]
	require.Equal(t, there, slot >= 0)
	if slot >= 0 {
		m.h.Delete(slot)
		delete(m.want, key)
	}
}

// require compares all that the page tells with the map.
func (m *hashedModel) require(t *testing.T) {
	t.Helper()
	require.NoError(t, m.h.Check())
	require.Equal(t, len(m.want), m.h.Len())
	got := map[string]string{}
	heap := 0
	for s := m.h.Next(-1); s >= 0; s = m.h.Next(s) {
		key, value := string(m.h.Key(s)), string(m.h.Value(s))
		require.Equal(t, s, m.h.Find(m.hash(key), key))
		got[key] = value
		heap += EntrySize(len(key), len(value))
	}
	require.Equal(t, m.want, got)
	require.Equal(t, HashedSize(len(m.want), heap), m.h.Live())
	require.LessOrEqual(t, m.h.Used(), len(m.h))
}

// dirty returns size bytes of what a block may hold before.
func dirty(size int) []byte { return bytes.Repeat([]byte{0xA5}, size) }

// someHash hashes well for most seeds, and badly for others: few tags, or all
// at the end of the table, so that probes wrap around.
func someHash(kind uint64) func(string) uint64 {
	return func(key string) uint64 {
		sum := uint64(14695981039346656037)
		for i := range len(key) {
			sum = (sum ^ uint64(key[i])) * 1099511628211
		}
		sum ^= sum >> 29
		switch kind % 4 {
		case 1:
			return sum &^ 0xfff8
		case 2:
			return sum | 0xfff0
		}
		return sum
	}
}

func TestHashedRandom(t *testing.T) {
	rnd := seeded(t)
	for run := range runs(60) {
		m := &hashedModel{want: map[string]string{}, hash: someHash(uint64(run))}
		m.h = InitHashed(dirty(HashedSize(0, 0)+rnd.IntN(500)), rnd.IntN(20))
		keys := 1 + rnd.IntN(300)
		for op := range 1500 {
			key := strconv.Itoa(rnd.IntN(keys))
			switch c := key[len(key)-1]; c {
			case '0':
				key = strings.Repeat(key, 60) // lengths of more than one byte
			case '1':
				key += key
			}
			switch k := rnd.IntN(100); {
			case k < 55:
				n := rnd.IntN(30)
				if k == 0 {
					n = rnd.IntN(20_000 / (1 + run))
				}
				m.put(t, key, strings.Repeat(string(rune('a'+rnd.IntN(26))), n))
			case k < 60:
				if v, ok := m.want[key]; ok { // of the same size
					m.put(t, key, strings.ToUpper(v))
				}
			case k < 94-op%2*20: // shrink a bit, grow a bit
				m.delete(t, key)
			case k < 96:
				m.h = m.h.CopyTo(dirty(m.h.Live()+rnd.IntN(300)), rnd.IntN(100))
			case k < 98: // as from an image, in a block of another length
				image := m.h[:m.h.Used()]
				m.h = dirty(len(image) + rnd.IntN(200))
				copy(m.h, image)
			}
			if op%16 == 0 {
				m.require(t)
			}
		}
		m.require(t)
		for _, key := range slices.Collect(maps.Keys(m.want)) {
			m.delete(t, key)
		}
		m.require(t)
		require.Equal(t, m.h.heap(), m.h.Used(), "an empty page has no garbage")
	}
}

// TestHashedGrowsInPlace fills a block formatted for one entry: slots are added
// until the bytes are used up.
func TestHashedGrowsInPlace(t *testing.T) {
	hash := someHash(0)
	for _, vlen := range []int{0, 8, 64} {
		h := InitHashed(make([]byte, 8192), 1)
		n, value := 0, make([]byte, vlen)
		for ; ; n++ {
			key := fmt.Sprintf("key:%06d", n)
			if _, ok := h.Put(hash(key), key, value); !ok {
				break
			}
		}
		require.NoError(t, h.Check())
		require.Equal(t, n, h.Len())
		best := (len(h) - hashedHead) / (EntrySize(10, vlen) + 5)
		require.GreaterOrEqual(t, n, best*95/100)
		require.Zero(t, h.head(headGarbage))
	}
}

func TestHashedReplace(t *testing.T) {
	h := InitHashed(make([]byte, 400), 3)
	put := func(key, value string) bool {
		_, ok := h.Put(uint64(key[0]), key, []byte(value))
		require.NoError(t, h.Check())
		return ok
	}
	require.True(t, put("a", "1234"))
	require.True(t, put("b", "1234"))
	used := h.Used()
	require.True(t, put("a", "12345"), "padding is room")
	require.Equal(t, used, h.Used())
	require.True(t, put("a", "1"))
	require.Equal(t, used, h.Used())
	require.Equal(t, 4, h.head(headGarbage))
	require.True(t, put("b", strings.Repeat("x", 200)), "the last entry grows where it is")
	require.Equal(t, 4, h.head(headGarbage))
	require.False(t, put("b", strings.Repeat("x", 400)))
	require.False(t, put("a", strings.Repeat("x", 200)))
	require.True(t, put("a", "12345678"), "appended")
	require.Equal(t, 8, h.head(headGarbage))
	h.Delete(h.Find('a', "a"))
	require.NoError(t, h.Check())
	require.Equal(t, 8, h.head(headGarbage), "the last entry leaves none")
}

// TestHashedReplaceByPart gives an entry a part of its own value.
func TestHashedReplaceByPart(t *testing.T) {
	hash := someHash(0)
	for n := range 300 {
		for _, cut := range []int{0, 1, 2, 100} {
			if cut > n {
				continue
			}
			h := InitHashed(make([]byte, 1000), 4)
			value := make([]byte, n)
			for i := range value {
				value[i] = byte(i)
			}
			s, ok := h.Put(hash("k"), "k", value)
			require.True(t, ok)
			_, ok = h.Put(hash("k"), "k", h.Value(s)[cut:])
			require.True(t, ok)
			require.Equal(t, string(value[cut:]), string(h.Value(h.Find(hash("k"), "k"))))
		}
	}
}

func TestHashedLimits(t *testing.T) {
	hash := someHash(0)
	h := InitHashed(make([]byte, 400_000), 1)
	n := 0
	for ; ; n++ {
		key := strconv.Itoa(n)
		if _, ok := h.Put(hash(key), key, make([]byte, 1000)); !ok {
			break
		}
	}
	require.InDelta(t, hashedMax/1014, n, 3)
	require.NoError(t, h.Check())
	c := h.CopyTo(make([]byte, 400_000), 1<<20)
	require.NoError(t, c.Check())
	require.Equal(t, n, c.Len())
	_, ok := InitHashed(make([]byte, 400_000), 1).Put(1, "k", make([]byte, hashedMax))
	require.False(t, ok)

	require.Panics(t, func() { InitHashed(make([]byte, 19), 0) })
	require.Panics(t, func() { h.CopyTo(make([]byte, h.Live()-4), 0) })
	empty := InitHashed(make([]byte, HashedSize(0, 0)), 100)
	require.NoError(t, empty.Check())
	require.Equal(t, -1, empty.Find(7, "k"))
	require.Equal(t, -1, empty.Next(-1))
	_, ok = empty.Put(7, "", nil)
	require.False(t, ok)
}

// TestHashedCheck breaks each rule of a good block.
func TestHashedCheck(t *testing.T) {
	good := func() Hashed {
		h := InitHashed(make([]byte, 200), 4)
		for _, k := range []string{"a", "b", "c", "d", "e"} {
			_, ok := h.Put(uint64(k[0])<<8, k, []byte("1234"))
			require.True(t, ok)
		}
		h.Delete(h.Find('b'<<8, "b"))
		h.Delete(h.Find('d'<<8, "d"))
		require.NoError(t, h.Check())
		return h
	}
	a := good().Find('a'<<8, "a")
	c := good().Find('c'<<8, "c")
	for name, spoil := range map[string]func(h Hashed) Hashed{
		"short":               func(h Hashed) Hashed { return h[:hashedHead] },
		"cut off":             func(h Hashed) Hashed { return h[:h.Used()-1] },
		"no slots":            func(h Hashed) Hashed { h.setHead(headSlots, 0); return h },
		"too many slots":      func(h Hashed) Hashed { h.setHead(headSlots, 1<<30); return h },
		"another count":       func(h Hashed) Hashed { h.setHead(headLen, 2); return h },
		"negative count":      func(h Hashed) Hashed { h.setHead(headLen, -1); return h },
		"end in the slots":    func(h Hashed) Hashed { h.setHead(headUsed, 20); return h },
		"odd end":             func(h Hashed) Hashed { h.setHead(headUsed, h.Used()+1); return h },
		"another end":         func(h Hashed) Hashed { h.setHead(headUsed, h.Used()+4); return h },
		"another garbage":     func(h Hashed) Hashed { h.setHead(headGarbage, 0); return h },
		"huge garbage":        func(h Hashed) Hashed { h.setHead(headGarbage, -1); return h },
		"slot misplaced":      func(h Hashed) Hashed { h.setSlot(0, h.slot(a)); h.setSlot(a, 0); return h },
		"offset in the slots": func(h Hashed) Hashed { h.setSlot(a, h.slot(a)&^0xffff|1); return h },
		"offset beyond":       func(h Hashed) Hashed { h.setSlot(a, h.slot(a)|0xffff); return h },
		"shared entry":        func(h Hashed) Hashed { h.setSlot(a, h.slot(a)&^0xffff|h.slot(c)&0xffff); return h },
		"long key":            func(h Hashed) Hashed { h[h.offset(c)] = 100; return h },
		"long value":          func(h Hashed) Hashed { h[h.offset(c)+1] = 100; return h },
		"endless length":      func(h Hashed) Hashed { h[h.offset(c)] = 0xff; return h },
		"overlap":             func(h Hashed) Hashed { h[h.offset(a)+1] = 20; h.setHead(headGarbage, 0); return h },
	} {
		require.Error(t, spoil(good()).Check(), name)
	}
	twice := good()
	off := twice.Used()
	copy(twice[off:], twice[twice.offset(c):off])
	twice.setSlot(twice.emptyFor('c'<<8), 'c'<<24|uint32(off/4))
	twice.setHead(headUsed, off+8)
	twice.setHead(headLen, 4)
	require.Error(t, twice.Check(), "a key that is there twice")
}

func TestHashedAllocations(t *testing.T) {
	if checked {
		t.Skip("race: an optimized build is meant")
	}
	h, keys := filledHashed(128)
	hash := someHash(0)
	grown := make([]byte, 16<<10)
	value := make([]byte, 64)
	sum := 0
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for _, k := range keys {
			sum += len(h.Value(h.Find(hash(k), k)))
			h.Put(hash(k), k, value)
		}
		for s := h.Next(-1); s >= 0; s = h.Next(s) {
			sum += len(h.Key(s))
		}
		c := h.CopyTo(grown, 0)
		for i := range 20 {
			c.Put(uint64(i)<<5, keys[i][1:], value)
			c.Delete(c.Find(uint64(i)<<5, keys[i][1:]))
		}
		if h.Check() != nil || c.Check() != nil {
			t.Fatal("check failed")
		}
	}))
}

// filledHashed returns a page of n entries of 16 + 64 bytes, and their keys.
func filledHashed(n int) (Hashed, []string) {
	hash := someHash(0)
	keys := make([]string, n)
	h := InitHashed(make([]byte, HashedSize(n, n*EntrySize(16, 64))), n)
	for i := range keys {
		keys[i] = fmt.Sprintf("key:%012d", i*7919)
		if _, ok := h.Put(hash(keys[i]), keys[i], make([]byte, 64)); !ok {
			panic("too short")
		}
	}
	return h, keys
}

// use calls every method that reads, then changes the block as an owner would.
func (m *hashedModel) use(t *testing.T, rnd *rand.Rand) {
	t.Helper()
	m.want = map[string]string{}
	tags := map[string]uint64{}
	for s := m.h.Next(-1); s >= 0; s = m.h.Next(s) {
		if _, twice := m.want[string(m.h.Key(s))]; twice {
			return // under two tags; Check knows no hash that says which is wrong
		}
		m.want[string(m.h.Key(s))] = string(m.h.Value(s))
		tags[string(m.h.Key(s))] = uint64(m.h.slot(s) >> 16)
	}
	m.hash = func(key string) uint64 {
		if tag, ok := tags[key]; ok {
			return tag
		}
		return someHash(0)(key)
	}
	m.require(t)
	keys := slices.Sorted(maps.Keys(m.want))
	for i := range 20 {
		m.put(t, strconv.Itoa(i), strings.Repeat("v", rnd.IntN(20)))
		if len(keys) > 0 {
			key := keys[rnd.IntN(len(keys))]
			if i%2 == 0 {
				m.delete(t, key)
			} else {
				m.put(t, key, strings.Repeat("w", rnd.IntN(40)))
			}
		}
		require.NoError(t, m.h.Check())
	}
	m.require(t)
}

// FuzzHashedCheck feeds arbitrary bytes: either Check refuses them, or every
// method works and keeps the rules.
func FuzzHashedCheck(f *testing.F) {
	h, _ := filledHashed(20)
	f.Add([]byte(h), uint64(1))
	f.Add([]byte(InitHashed(make([]byte, 64), 3)), uint64(2))
	small := InitHashed(make([]byte, 100), 5)
	for i := range 4 {
		small.Put(uint64(i)<<14, strconv.Itoa(i), []byte("v"))
	}
	small.Delete(small.Next(-1))
	f.Add([]byte(small), uint64(3))
	f.Add([]byte(small[:small.Used()]), uint64(4))
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		if len(b) > 8192 {
			return
		}
		h := Hashed(bytes.Clone(b))
		if h.Check() != nil {
			mend(h)
			if h.Check() != nil {
				return
			}
		}
		m := &hashedModel{h: h}
		m.use(t, rand.New(rand.NewPCG(seed, 3)))
	})
}

// mend corrects the counts in the header, which fuzzing hardly ever guesses.
func mend(h Hashed) {
	if len(h) < hashedHead+4 {
		return
	}
	m := min(h.slots()&0x3ff, (len(h)-hashedHead)/4)
	h.setHead(headSlots, max(m, 1))
	h.setHead(headUsed, len(h)&^3)
	n, live := 0, 0
	for i := range h.slots() {
		if off := h.offset(i); h.slot(i) != 0 && off < len(h) {
			k, kn := binary.Uvarint(h[off:])
			v, vn := binary.Uvarint(h[min(len(h), off+max(kn, 0)):])
			if kn <= 0 || vn <= 0 || k > uint64(len(h)) || v > uint64(len(h)) {
				continue
			}
			n++
			live += (kn + vn + int(k) + int(v) + 3) &^ 3
		}
	}
	h.setHead(headLen, n)
	h.setHead(headGarbage, h.Used()-h.heap()-live)
}

func BenchmarkHashedFind(b *testing.B) {
	for _, n := range []int{16, 128, 512} {
		h, keys := filledHashed(n)
		hashes := make([]uint64, n)
		for i, k := range keys {
			hashes[i] = someHash(0)(k)
		}
		b.Run("hit/n="+strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			i, sum := 0, 0
			for b.Loop() {
				sum += h.Find(hashes[i], keys[i])
				if i++; i == n {
					i = 0
				}
			}
			_ = sum
		})
		b.Run("miss/n="+strconv.Itoa(n), func(b *testing.B) {
			i, sum := 0, 0
			for b.Loop() {
				sum += h.Find(hashes[i]*31+7, keys[i])
				if i++; i == n {
					i = 0
				}
			}
			_ = sum
		})
	}
}

func BenchmarkHashedPut(b *testing.B) {
	h, keys := filledHashed(128)
	hashes := make([]uint64, len(keys))
	for i, k := range keys {
		hashes[i] = someHash(0)(k)
	}
	value := make([]byte, 64)
	b.Run("overwrite", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			h.Put(hashes[i&127], keys[i&127], value)
			i++
		}
	})
	b.Run("delete+insert", func(b *testing.B) {
		h := h.CopyTo(make([]byte, len(h)+256), 128)
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			j := i * 37 & 127
			h.Delete(h.Find(hashes[j], keys[j]))
			if _, ok := h.Put(hashes[j], keys[j], value); !ok {
				h = h.CopyTo(make([]byte, len(h)), 128)
				h.Put(hashes[j], keys[j], value)
			}
			i++
		}
	})
	b.Run("fill", func(b *testing.B) { // from empty, ns for all 128
		block := make([]byte, len(h)+64)
		for b.Loop() {
			g := InitHashed(block, 1)
			for i, k := range keys {
				g.Put(hashes[i], k, value)
			}
		}
	})
}

func BenchmarkHashedCopyTo(b *testing.B) {
	h, _ := filledHashed(128)
	dst := make([]byte, len(h))
	b.SetBytes(int64(h.Used()))
	for b.Loop() {
		h.CopyTo(dst, 128)
	}
}

func BenchmarkHashedCheck(b *testing.B) {
	h, _ := filledHashed(128)
	b.SetBytes(int64(h.Used()))
	b.ReportAllocs()
	for b.Loop() {
		if h.Check() != nil {
			b.Fatal("check failed")
		}
	}
}
