package page

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// TestResolve compares with the plain rule: an image counts unless one of a
// higher step that counts covers a hash of it.
func TestResolve(t *testing.T) {
	rnd := seeded(t)
	for range 300 {
		var images []imageOf
		for step := range uint64(40) {
			depth := uint8(rnd.IntN(6))
			first := rnd.Uint64() &^ (^uint64(0) >> depth)
			images = append(images, imageOf{first: first, depth: depth, step: step + 1, no: step})
		}
		var want []imageOf
		for _, im := range slices.Backward(images) {
			counts := true
			for _, w := range want {
				counts = counts && (w.end() < im.first || w.first > im.end())
			}
			if counts {
				want = append(want, im)
			}
		}
		rand.Shuffle(len(images), func(i, j int) { images[i], images[j] = images[j], images[i] })
		got, err := resolve(images)
		require.NoError(t, err)
		require.ElementsMatch(t, want, got)
		for i := range got[1:] {
			require.Less(t, got[i].end(), got[i+1].first)
		}
	}
	_, err := resolve([]imageOf{{step: 7}, {first: 1 << 63, depth: 1, step: 7}})
	require.ErrorIs(t, err, engine.ErrCorrupt)
}
