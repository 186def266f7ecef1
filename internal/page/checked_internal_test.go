//go:build race || invariants

package page

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHashedForeignContent(t *testing.T) {
	h := InitHashed(make([]byte, 200), 4)
	s, _ := h.Put(1, "a", []byte("value"))
	require.Panics(t, func() { h.Put(2, "b", h.Value(s)) })
}

func TestPoolMisuse(t *testing.T) {
	const twice = "page: block freed twice, or never allocated"
	p := newTestPool(t)
	ref, b := p.Alloc(100)
	keep, _ := p.Alloc(100)
	require.EqualValues(t, poisonByte, b[0], "contents are undefined")
	b[99] = 1
	p.Free(ref)
	require.EqualValues(t, poisonByte, b[99])
	require.PanicsWithValue(t, twice, func() { p.Free(ref) })
	require.PanicsWithValue(t, twice, func() { p.Free(keep + 1) })
	require.PanicsWithValue(t, twice, func() { p.Free(0) })
	b[50] = 1
	require.PanicsWithValue(t, "page: write to a freed block", func() { p.Alloc(100) })

	large, _ := p.Alloc(100_000)
	p.Free(large)
	require.PanicsWithValue(t, twice, func() { p.Free(large) })
}
