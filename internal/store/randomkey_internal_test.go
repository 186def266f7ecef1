package store

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// deviation draws random keys and returns how many standard deviations Pearson's
// statistic of them is from what it is if each key is as likely as the others.
func deviation(t *testing.T, s *Store, keys, draws int) float64 {
	t.Helper()
	seen := make(map[string]int)
	r := rand.New(rand.NewPCG(1, 2))
	require.NoError(t, s.Read(All, nil, func(tx *Tx) error {
		for range draws {
			key, ok, err := tx.RandomKey(0, r)
			if err != nil {
				return err
			}
			require.True(t, ok)
			seen[key]++
		}
		return nil
	}))
	require.LessOrEqual(t, len(seen), keys)
	expected := float64(draws) / float64(keys)
	sum := expected * float64(keys-len(seen))
	for _, n := range seen {
		sum += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	free := float64(keys - 1)
	return (sum - free) / math.Sqrt(2*free)
}

// TestRandomKeyIsUniform has each key as likely as the others, whatever their
// number and length.
func TestRandomKeyIsUniform(t *testing.T) {
	for _, c := range []struct {
		keys, draws int
		length      func(i int) int
	}{
		{2, 2000, nil},
		{4, 2000, nil},
		{20, 5000, nil},
		{100, 10_000, nil},
		{1000, 20_000, nil},
		{20_000, 100_000, nil},
		{5000, 50_000, func(int) int { return 400 }},
		{5000, 50_000, func(i int) int { return i % 10 * 100 }},
	} {
		t.Run(fmt.Sprint(c.keys), func(t *testing.T) {
			s := openMem(t, engine.NewMemory(), Options{})
			update(t, s, func(tx *Tx) error {
				for i := range c.keys {
					key := fmt.Sprint("key:", i)
					if c.length != nil {
						key += strings.Repeat("k", c.length(i))
					}
					if err := setString(tx, 0, key, "v"); err != nil {
						return err
					}
				}
				return nil
			})
			require.Less(t, math.Abs(deviation(t, s, c.keys, c.draws)), 4.0)
		})
	}
}

// TestRandomKeyAmongExpired has expired keys passed over, and found out that
// there are no others.
func TestRandomKeyAmongExpired(t *testing.T) {
	clock := &steadyClock{now: 1000}
	s := openMem(t, engine.NewMemory(), Options{Clock: clock})
	r := rand.New(rand.NewPCG(1, 2))
	find := func(fn func(*Tx, int, *rand.Rand) (string, bool, error)) (key string, ok bool) {
		require.NoError(t, s.Read(All, nil, func(tx *Tx) (err error) {
			key, ok, err = fn(tx, 0, r)
			return err
		}))
		return key, ok
	}
	_, ok := find((*Tx).RandomKey)
	require.False(t, ok)
	update(t, s, func(tx *Tx) error {
		for i := range 10_000 {
			if err := tx.StringSet(0, fmt.Sprint("key:", i), nil, nil, tx.Now()+1); err != nil {
				return err
			}
		}
		return nil
	})
	clock.now += 5
	for _, fn := range []func(*Tx, int, *rand.Rand) (string, bool, error){(*Tx).RandomKey, (*Tx).AnyKey} {
		_, ok = find(fn)
		require.False(t, ok)
	}
	update(t, s, func(tx *Tx) error { return setString(tx, 0, "left", "v") })
	key, ok := find((*Tx).AnyKey)
	require.True(t, ok)
	require.Equal(t, "left", key)
}
