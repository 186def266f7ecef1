package page

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// TestMissOnce has a command miss pages again and again: each is noted once.
func TestMissOnce(t *testing.T) {
	m := NewMemory(1, true)
	defer func() { require.NoError(t, m.Close()) }()
	var a Access
	for range 2 { // each with a command of its own
		a.Begin(m, Shared, 0, All, nil)
		for _, no := range []uint64{7, 7, 8, 7, 8} {
			_, err := a.fetch(ObjectID(3, 1), no)
			require.ErrorIs(t, err, ErrCold)
		}
		require.Len(t, a.cold, 2)
		require.NoError(t, a.Load(engine.NewMemory().Base()), "what is gone since is left out")
		require.Empty(t, a.cold)
		a.Release()
	}
}

// TestMissingPage has a command miss two pages that the base has lost, in turn:
// both are damage the second time, unless a step has ended meanwhile.
func TestMissingPage(t *testing.T) {
	m := NewMemory(1, true)
	defer func() { require.NoError(t, m.Close()) }()
	none := engine.NewMemory().Base()
	var a Access
	defer a.Release()
	load := func(no uint64) error {
		a.Begin(m, Shared, 0, All, nil)
		_, err := a.fetch(ObjectID(3, 1), no)
		require.ErrorIs(t, err, ErrCold)
		return a.Load(none)
	}
	isLost := func(err error) {
		t.Helper()
		require.ErrorIs(t, err, engine.ErrCorrupt)
		require.NotErrorIs(t, err, engine.ErrNotFound)
		require.ErrorContains(t, err, "Object:216172782113783809 No:7", "it names the page")
	}
	require.NoError(t, load(7))
	require.NoError(t, load(8))
	m.BeginStep(1<<3, 1, func() uint64 { return 1 }).End()
	require.NoError(t, load(7), "a step has ended")
	require.NoError(t, load(8))
	isLost(load(7))
	a.Release()
	require.NoError(t, load(7), "another command")

	for _, mode := range []Mode{Snapshot, Private} {
		a.Release()
		a.Begin(m, mode, 1, 0, none)
		_, err := a.fetch(ObjectID(3, 1), 7)
		isLost(err)
	}
}

// TestCheckImage has malformed images found out before they are read.
func TestCheckImage(t *testing.T) {
	inner := func(items ...string) string {
		b := make([]byte, 256)
		o := InitOrdered(b[HeaderSize:], 4)
		for i, item := range items {
			require.True(t, o.Insert(i, []byte(item)))
		}
		return string(b)
	}
	head := strings.Repeat("\x00", HeaderSize)
	for name, c := range map[string]struct {
		kind Kind
		no   uint64
		data string
		good bool
	}{
		"string":                       {KindRaw, 0, "\x02\x00\x00\x00ab", true},
		"string without a length":      {KindRaw, 0, "\x02\x00\x00", false},
		"string longer than its page":  {KindRaw, 0, "\x03\x00\x00\x00ab", false},
		"string longer than any page":  {KindRaw, 0, "\x00\x10\x00\x00" + strings.Repeat("x", 1<<13), false},
		"chunk":                        {KindRaw, 1, "", true},
		"header":                       {KindHeader, 0, head, true},
		"header that is short":         {KindHeader, 0, head[1:], false},
		"header that is no page 0":     {KindHeader, 1, head, false},
		"header of an embedded table":  {KindHeader, 0, "\x00\x01" + head[2:], false},
		"table among plain pages":      {KindHashed, 2, string(InitHashed(make([]byte, 64), 1)), false},
		"inner node":                   {KindInner, 0, inner(strings.Repeat("x", childHead)), true},
		"inner node with a short item": {KindInner, 0, inner(strings.Repeat("x", childHead-1)), false},
		"inner node without children":  {KindInner, 0, inner(), false},
		"no kind":                      {KindHeader + 1, 0, head, false},
	} {
		err := check(engine.Image{Addr: engine.Addr{Object: 9, No: c.no}, Kind: uint8(c.kind), Data: []byte(c.data)})
		if c.good {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, engine.ErrCorrupt, name)
		require.ErrorContains(t, err, "Object:9", name)
	}
}

// TestStringLenDamaged reads a string whose header tells a length that none has.
func TestStringLenDamaged(t *testing.T) {
	m := NewMemory(1, false)
	defer func() { require.NoError(t, m.Close()) }()
	obj := ObjectID(3, 1)
	var a Access
	a.Begin(m, Direct, 1, All, nil)
	m.Lock(All)
	defer m.Unlock(All)
	require.NoError(t, a.CreateString(obj, 1, make([]byte, 10<<10), 0))
	_, err := a.StringGet(obj, 10<<10-5, 6)
	require.ErrorIs(t, err, engine.ErrCorrupt)
	h, err := a.EditHeader(obj)
	require.NoError(t, err)
	for length, want := range map[uint64]error{MaxString + 1: engine.ErrCorrupt, MaxString: ErrCold} {
		binary.LittleEndian.PutUint64(h.Aux(), length)
		_, err = a.StringGet(obj, 0, MaxString)
		require.ErrorIs(t, err, want, "%d: without the pages of such a string nothing is allocated", length)
	}
}

// TestTableTooDeep has a table that two images in a row of ever smaller ranges
// would make four thousand million slots long.
func TestTableTooDeep(t *testing.T) {
	var images []imageOf
	first := uint64(0)
	for depth := uint8(1); depth <= maxDepth; depth++ {
		images = append(images, imageOf{first: first, depth: depth})
		first += 1 << (64 - depth)
	}
	images = append(images, imageOf{first: first, depth: maxDepth})
	require.ErrorIs(t, complete(9, images), engine.ErrCorrupt)
	require.NoError(t, complete(9, []imageOf{{depth: 1}, {first: 1 << 63, depth: 1}}))
	require.ErrorIs(t, complete(9, images[:1]), engine.ErrCorrupt)
	require.ErrorIs(t, complete(9, []imageOf{{first: 1 << 63, depth: 1}}), engine.ErrCorrupt)
}
