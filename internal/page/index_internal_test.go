package page

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestIndex compares the index of pages with a Go map.
func TestIndex(t *testing.T) {
	rnd := seeded(t)
	m := NewMemory(1, false)
	defer func() { require.NoError(t, m.Close()) }()
	p := m.Part(0)
	want := map[pageKey]pid{}
	var keys []pageKey
	grow := true
	for range 40_000 {
		if len(want) > 3000 {
			grow = false
		}
		if len(want) == 0 {
			grow = true
		}
		if more := rnd.IntN(4) != 0; more == grow {
			k := pageKey{uint64(rnd.IntN(1000)), rnd.Uint64N(1000)}
			if _, ok := want[k]; ok {
				continue
			}
			id, d := p.newDesc()
			d.obj, d.no = k.obj, k.no
			p.enlist(id, k)
			want[k] = id
			keys = append(keys, k)
		} else if len(keys) > 0 {
			i := rnd.IntN(len(keys))
			k := keys[i]
			keys[i] = keys[len(keys)-1]
			keys = keys[:len(keys)-1]
			p.delist(k)
			p.freeDesc(want[k])
			delete(want, k)
		}
		require.Equal(t, len(want), p.index.n)
		require.LessOrEqual(t, 4*p.index.n, 3*len(p.index.slots))
		if len(keys) > 0 {
			k := keys[rnd.IntN(len(keys))]
			require.Equal(t, want[k], p.lookup(k))
		}
		k := pageKey{uint64(rnd.IntN(1000)), rnd.Uint64N(1000)}
		require.Equal(t, want[k], p.lookup(k))
	}
	for k, id := range want {
		require.Equal(t, id, p.lookup(k))
	}
}
