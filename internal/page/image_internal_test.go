package page

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// imageSource is a base that has for every page one of a few images, whatever
// they are, and for every table the same leaves.
type imageSource struct {
	kinds  []byte
	images [][]byte
	leaves []byte
}

func (s *imageSource) Get(addr engine.Addr) (engine.Image, error) {
	i := int((addr.No ^ addr.No>>31 ^ addr.No>>subShift) % uint64(len(s.images)))
	kind := uint8(KindHashed)
	if addr.Class == engine.ClassPlain && i < len(s.kinds) {
		kind = s.kinds[i]
	}
	return engine.Image{Addr: addr, Kind: kind, Step: 1, LSN: 1, Data: s.images[i]}, nil
}

func (s *imageSource) List(object uint64, class engine.Class, fn func(engine.Image) error) error {
	for b := s.leaves; len(b) >= 10; b = b[10:] {
		addr := engine.Addr{Class: class, Depth: b[0], Object: object, No: binary.LittleEndian.Uint64(b[1:])}
		if err := fn(engine.Image{Addr: addr, Kind: uint8(KindHashed), Step: uint64(b[9]), LSN: 1}); err != nil {
			return err
		}
	}
	return nil
}

// readAll reads an object in all ways that there are.
func readAll(a *Access, obj uint64, key []byte, n uint64) (err error) {
	note := func(e error) {
		if err == nil || errors.Is(e, ErrCold) {
			err = e
		}
	}
	h, e := a.Header(obj)
	note(e)
	if h != nil {
		_, _, _ = h.Type(), h.Count(), h.Aux()
	}
	note(readString(a, obj, n))
	_, e = a.SubGet(obj, uint32(n), int(n>>32%(1<<16))+1)
	note(e)
	_, e = a.FieldGet(obj, n, string(key))
	note(e)
	for pos := uint64(0); ; {
		leaf, e := a.FieldLeaf(obj, pos)
		if note(e); e != nil {
			break
		}
		leaf.Each(func(k, v []byte) bool { return len(k)+len(v) >= 0 })
		if pos = leaf.End + 1; pos == 0 {
			break
		}
	}
	for _, t := range []Tree{
		{Obj: obj},
		{Obj: obj, Root: 1, Key: -1},
		{Obj: obj, Key: 8},
		{Obj: obj, Root: 1, Key: -1, Cut: 8, Whole: strings.Repeat("x", 5000)},
	} {
		note(readTree(a, t, key, n))
	}
	return err
}

// readString reads a string.
func readString(a *Access, obj, off uint64) error {
	length, err := a.StringLen(obj)
	if err != nil {
		return err
	}
	off %= length + 1
	if _, err := a.StringGet(obj, off, int(min(length-off, 1<<16))); err != nil {
		return err
	}
	if off < length {
		run := off / chunkBytes * chunkBytes
		if _, err := a.StringRun(nil, obj, run, int(min(length-run, 1<<16))); err != nil {
			return err
		}
	}
	for range 64 {
		b, err := a.StringChunk(obj, off)
		if err != nil {
			return err
		}
		if len(b) == 0 {
			return errors.New("no bytes")
		}
		off += uint64(len(b))
	}
	return nil
}

// readTree walks a tree.
func readTree(a *Access, t Tree, key []byte, n uint64) error {
	for _, pos := range []uint64{0, 1, n % 1000, n, math.MaxUint64} {
		for range 8 {
			r, err := a.TreeRun(t, pos)
			if errors.Is(err, engine.ErrCorrupt) {
				break
			}
			if err != nil {
				return err
			}
			for p := pos; p < r.End(); p++ {
				_ = r.Item(p)
			}
			pos = r.End()
		}
	}
	if _, err := a.seekEnd(t); err != nil {
		return err
	}
	long := append(bytes.Repeat([]byte("k"), 8), make([]byte, digestBytes)...)
	if _, _, err := a.TreeFind(t, long); err != nil {
		return err
	}
	_, _, err := a.TreeFind(t, key)
	return err
}

// FuzzImage reads objects whose pages are arbitrary: whatever they hold, it is
// damage at most, and takes no more memory than their size explains.
func FuzzImage(f *testing.F) {
	leaf := make([]byte, 256)
	o := InitOrdered(leaf[HeaderSize:], 4)
	for i, s := range []string{"first", "second", strings.Repeat("k", 8+digestBytes+RefSize)} {
		o.Insert(i, []byte(s))
	}
	inner := make([]byte, 256)
	o = InitOrdered(inner[HeaderSize:], 4)
	o.Insert(0, child(1, 3, nil))
	o.Insert(1, child(2, 3, []byte("k")))
	table := make([]byte, 256)
	initHeader(table, 1).setEmbedded(true)
	hashed := InitHashed(table[HeaderSize:], 4)
	hashed.Put(7, "first", []byte("value"))
	text := make([]byte, HeaderSize)
	binary.LittleEndian.PutUint64(initHeader(text, 1).Aux(), 10<<10)
	raw := []byte("\x05\x00\x00\x00hello")
	chunk := bytes.Repeat([]byte{0xff}, chunkBytes)
	leaves := append(make([]byte, 10), make([]byte, 10)...)
	leaves[0], leaves[10], leaves[18] = 1, 1, 0x80
	f.Add([]byte{byte(KindInner), byte(KindLeaf), byte(KindLeaf)}, inner, leaf[HeaderSize:], leaf[HeaderSize:], leaves, []byte("first"), uint64(2))
	f.Add([]byte{byte(KindLeaf), byte(KindRaw), byte(KindRaw)}, leaf, chunk, chunk, leaves, []byte("second"), uint64(1))
	f.Add([]byte{byte(KindHashed), byte(KindInner), byte(KindLeaf)}, table, inner[HeaderSize:], leaf[HeaderSize:], leaves, []byte("first"), uint64(7))
	f.Add([]byte{byte(KindHeader), byte(KindRaw), byte(KindRaw)}, text, chunk, chunk, leaves, []byte("first"), uint64(5000))
	f.Add([]byte{byte(KindHeader), byte(KindRaw), byte(KindRaw)}, text, []byte(hashed), []byte(hashed), leaves, []byte("first"), uint64(7))
	f.Add([]byte{byte(KindRaw), byte(KindRaw), byte(KindRaw)}, raw, chunk, raw, leaves, []byte("first"), uint64(1))
	f.Fuzz(func(t *testing.T, kinds, x, y, z, leaves, key []byte, n uint64) {
		m := NewMemory(1, true)
		defer func() { require.NoError(t, m.Close()) }()
		src := &imageSource{kinds, [][]byte{x, y, z}, leaves}
		obj := ObjectID(int(n%Partitions), 1)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)

		var a Access
		a.Begin(m, Snapshot, 1, 0, src)
		require.NotErrorIs(t, readAll(&a, obj, key, n), ErrCold)
		a.Release()
		for tries := 0; ; tries++ {
			require.Less(t, tries, 200, "it misses pages for ever")
			a.Begin(m, Shared, 0, All, nil)
			m.RLock(All, 0)
			err := readAll(&a, obj, key, n)
			m.RUnlock(All, 0)
			if !errors.Is(err, ErrCold) || a.Load(src) != nil {
				break
			}
		}
		a.Release()

		l := m.NewDirLoader()
		_ = src.List(obj, engine.ClassHashed, func(im engine.Image) error {
			im.Addr.Dir, im.Data = true, x
			return l.Add(im)
		})
		_ = l.Finish(func(part int, _ uint64, table *Table) error {
			table.Each(m.Part(part), func(leaf Leaf) {
				leaf.Each(func(k, v []byte) bool { return len(k)+len(v) >= 0 })
			})
			return nil
		})

		runtime.ReadMemStats(&after)
		size := uint64(len(x) + len(y) + len(z) + len(leaves) + len(key))
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20)+100*size)
	})
}
