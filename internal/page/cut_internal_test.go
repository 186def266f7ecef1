package page

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const testCut = 100

// cutName is the i-th name of a test: most are cut, and begin alike.
func cutName(i int) string {
	return strings.Repeat("n", []int{testCut - 3, testCut + 1, 3 * chunkBytes}[i%3]) + fmt.Sprintf("%03d", i)
}

// cutKey returns what stands for a name in a tree, without a reference.
func cutKey(name string) []byte {
	if len(name) <= testCut {
		return []byte(name)
	}
	sum := sha256.Sum256([]byte(name))
	return append([]byte(name[:testCut]), sum[:]...)
}

// TestTreeCut inserts and removes long keys at random: they are in the order of
// whole names, and no inner node refers to a name that is gone.
func TestTreeCut(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	m := NewMemory(1, false)
	obj := ObjectID(3, 1)
	tree := Tree{Obj: obj, Root: 1, Key: -1, Cut: testCut}
	there := map[string][]byte{} // by name, the reference
	for lsn := uint64(1); lsn <= 300; lsn++ {
		a := &Access{}
		a.Begin(m, Private, lsn, 0, nil)
		if lsn == 1 {
			require.NoError(t, a.Create(obj, 1, ShapeBoth))
		}
		grow := lsn/50%2 == 0
		for range 10 {
			name := cutName(r.IntN(400))
			tree.Whole = name
			if _, in := there[name]; !in && (grow || r.IntN(4) == 0) {
				there[name] = insertCut(t, a, tree)
			} else if in && (!grow || r.IntN(4) == 0) {
				deleteCut(t, a, tree, there[name])
				delete(there, name)
			}
		}
		m.Lock(All)
		a.Publish()
		m.Unlock(All)
		a.Begin(m, Shared, 0, All, nil)
		checkCut(t, a, tree, there)
		checkLows(t, a, tree, tree.Root)
	}
	require.NoError(t, m.Close())
}

// insertCut inserts t.Whole and returns its reference, nil if it is short.
func insertCut(t *testing.T, a *Access, tr Tree) (ref []byte) {
	t.Helper()
	if len(tr.Whole) > testCut {
		sub, err := a.SubPut(tr.Obj, []byte(tr.Whole))
		require.NoError(t, err)
		ref = binary.LittleEndian.AppendUint32(nil, sub)
		ref = binary.LittleEndian.AppendUint64(ref, uint64(len(tr.Whole)))
	}
	require.NoError(t, a.TreeInsert(tr, append(cutKey(tr.Whole), ref...)))
	return ref
}

// deleteCut removes t.Whole with its pages.
func deleteCut(t *testing.T, a *Access, tr Tree, ref []byte) {
	t.Helper()
	found, err := a.TreeDelete(tr, cutKey(tr.Whole))
	require.NoError(t, err)
	require.True(t, found)
	if ref != nil {
		a.SubDelete(tr.Obj, binary.LittleEndian.Uint32(ref), len(tr.Whole))
	}
}

// checkCut looks for all names.
func checkCut(t *testing.T, a *Access, tr Tree, there map[string][]byte) {
	t.Helper()
	names := make([]string, 0, len(there))
	for name := range there {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		tr.Whole = name
		rank, item, err := a.TreeFind(tr, cutKey(name))
		require.NoError(t, err)
		require.EqualValues(t, i, rank)
		require.Equal(t, append(cutKey(name), there[name]...), item)
	}
}

// checkLows checks that the names of all lowest keys that are looked at exist.
func checkLows(t *testing.T, a *Access, tr Tree, no uint64) {
	t.Helper()
	g, err := a.fetch(tr.Obj, no)
	require.NoError(t, err)
	if g.kind == KindLeaf {
		return
	}
	o := Ordered(g.body())
	for i := range o.Len() {
		if low := childLow(o.Item(i)); i > 0 && len(low) > testCut {
			ref := low[testCut+digestBytes:]
			b, err := a.SubGet(tr.Obj, binary.LittleEndian.Uint32(ref), int(binary.LittleEndian.Uint64(ref[4:])))
			require.NoError(t, err)
			require.Equal(t, cutKey(string(b)), low[:testCut+digestBytes])
		}
		checkLows(t, a, tr, childNo(o.Item(i)))
	}
}
