package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// packedOf packs elements.
func packedOf(elems ...string) (p packed) {
	for _, e := range elems {
		p = appendPacked(p, e)
	}
	return p
}

func TestPacked(t *testing.T) {
	long := strings.Repeat("x", 150)
	p := packedOf("a", "", long, "b", "a")
	size := 0
	for _, e := range []string{"a", "", long, "b", "a"} {
		size += packedSize(len(e))
	}
	require.Len(t, p, size)
	n, err := p.count()
	require.NoError(t, err)
	require.Equal(t, 5, n)

	elem, start, end, err := p.seek(2)
	require.NoError(t, err)
	require.Equal(t, long, string(elem))
	require.Equal(t, 3, start)
	require.Equal(t, 3+2+150, end)
	_, _, end, err = p.seek(5)
	require.NoError(t, err)
	require.Zero(t, end)

	i, start, end, err := p.find([]byte("b"))
	require.NoError(t, err)
	require.Equal(t, []int{3, 155, 157}, []int{i, start, end})
	_, _, end, err = p.find([]byte("absent"))
	require.NoError(t, err)
	require.Zero(t, end)
}

func TestPackedField(t *testing.T) {
	p := packedOf("f", "v", "v", "f", "", "")
	s, err := p.field("v", 2)
	require.NoError(t, err)
	require.Equal(t, span{4, 6, 8}, s, "a name is not looked for among values")
	s, err = p.field("", 2)
	require.NoError(t, err)
	require.Equal(t, span{8, 9, 10}, s)
	s, err = p.field("absent", 2)
	require.NoError(t, err)
	require.False(t, s.found())

	_, err = packedOf("f", "v", "lonely").field("lonely", 2)
	require.ErrorIs(t, err, engine.ErrCorrupt, "a field without a value")
}

func TestPackedSetField(t *testing.T) {
	cases := []struct {
		name  string
		field string
		value string
		room  int
		want  packed // nil if it does not fit
		isNew int
	}{
		{"new", "c", "3", 100, packedOf("a", "1", "b", "2", "c", "3"), 1},
		{"new, exact fit", "c", "3", 12, packedOf("a", "1", "b", "2", "c", "3"), 1},
		{"new, too large", "c", "3", 11, nil, 0},
		{"longer in place", "a", "111", 100, packedOf("a", "111", "b", "2"), 0},
		{"shorter in place", "a", "", 100, packedOf("a", "", "b", "2"), 0},
		{"longer, too large", "b", "2222", 10, nil, 0},
		{"same size at the limit", "b", "3", 8, packedOf("a", "1", "b", "3"), 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := packedOf("a", "1", "b", "2")
			got, isNew, err := p.setField(c.room, &Field{c.field, []byte(c.value)})
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			require.Equal(t, c.isNew, isNew)
		})
	}
}

func TestPackedCut(t *testing.T) {
	p := packedOf("a", "b", "c")
	_, start, end, err := p.seek(1)
	require.NoError(t, err)
	require.Equal(t, packedOf("a", "c"), p.cut(start, end))
	require.Empty(t, packedOf("a").cut(0, 2))
}

// TestPackedCorrupt shows each reader bytes that nobody wrote.
func TestPackedCorrupt(t *testing.T) {
	for _, p := range []packed{
		{1},
		{0x80},
		{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1},
		{1, 'a', 2, 'b'},
		binary.AppendUvarint(nil, 1<<63),
	} {
		t.Run(fmt.Sprintf("%x", []byte(p)), func(t *testing.T) {
			_, err := p.count()
			require.ErrorIs(t, err, engine.ErrCorrupt)
			_, _, _, err = p.seek(1000)
			require.ErrorIs(t, err, engine.ErrCorrupt)
			_, _, _, err = p.find([]byte("absent"))
			require.ErrorIs(t, err, engine.ErrCorrupt)
			for width := 1; width <= 2; width++ {
				_, err = p.field("absent", width)
				require.ErrorIs(t, err, engine.ErrCorrupt)
			}
		})
	}
}

// FuzzPacked reads any bytes, and packs what it could read again.
func FuzzPacked(f *testing.F) {
	f.Add([]byte(packedOf("field", "value", "other", "")), "other", []byte("value"))
	f.Add([]byte{0x80}, "", []byte{})
	f.Add([]byte(packedOf(strings.Repeat("x", 200))), "x", []byte("y"))
	f.Fuzz(func(t *testing.T, b []byte, name string, value []byte) {
		p := packed(b)
		var elems [][]byte
		var err error
		for at := 0; err == nil && at < len(p); {
			var elem []byte
			if elem, at, err = p.next(at); err == nil {
				elems = append(elems, elem)
			}
		}
		n, counted := p.count()
		require.Equal(t, err == nil, counted == nil)
		i, _, end, found := p.find([]byte(name))
		_, single := p.field(name, 1)
		require.Equal(t, found == nil, single == nil)
		_, _ = p.field(name, 2)
		for i := range len(elems) + 1 {
			_, _, _, _ = p.seek(i)
		}
		if err != nil {
			require.ErrorIs(t, err, engine.ErrCorrupt)
			return
		}
		require.Len(t, elems, n)
		want := slices.IndexFunc(elems, func(e []byte) bool { return string(e) == name })
		require.Equal(t, want >= 0, end != 0)
		if end != 0 {
			require.Equal(t, want, i)
		}
		var again packed
		for _, e := range elems {
			again = appendPacked(again, e)
		}
		require.LessOrEqual(t, len(again), len(p), "what is appended is as short as it can be")
		if n%2 == 0 {
			fuzzSetField(t, p, name, value)
		}
	})
}

// fuzzSetField sets a field of a well-formed packed hash and reads it back.
func fuzzSetField(t *testing.T, p packed, name string, value []byte) {
	t.Helper()
	room := len(p) + len(name) + len(value) + 20
	set, isNew, err := packed(bytes.Clone(p)).setField(room, &Field{name, value})
	require.NoError(t, err)
	require.NotNil(t, set)
	s, err := set.field(name, 2)
	require.NoError(t, err)
	require.True(t, s.found())
	got, end, err := set.next(s.mid)
	require.NoError(t, err)
	require.Equal(t, string(value), string(got))
	require.Equal(t, s.to, end)
	before, err := p.count()
	require.NoError(t, err)
	after, err := set.count()
	require.NoError(t, err)
	require.Equal(t, before+2*isNew, after)
}

// TestDamagedCount has a collection whose header tells of more elements than
// there can be, and one whose object is a string.
func TestDamagedCount(t *testing.T) {
	s := openMem(t, engine.NewMemory(), Options{})
	update(t, s, func(tx *Tx) error {
		_, err := tx.SetAdd(0, "set", Entry{}, []string{strings.Repeat("x", 1000)})
		return err
	})
	set(t, s, "string", strings.Repeat("x", 1000))
	require.NoError(t, s.View(func(tx *Tx) error {
		for _, key := range []string{"set", "string"} {
			e, _, err := tx.Lookup(0, key)
			require.NoError(t, err)
			if key == "set" {
				h, err := tx.acc.Header(e.Object)
				require.NoError(t, err)
				binary.LittleEndian.PutUint64(h[8:], 1<<63)
			}
			_, err = tx.Len(e)
			require.ErrorIs(t, err, engine.ErrCorrupt, key)
			_, err = tx.StreamInfo(e)
			require.ErrorIs(t, err, engine.ErrCorrupt, key)
		}
		return nil
	}))
}
