package brock_test

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// sorted are the commands of sorted sets, streams and bitmaps that DB, Tx and
// Pipe have.
type sorted interface {
	Set(key string, value []byte, opts ...brock.SetOption) error

	ZAdd(key string, members ...brock.Z) (int, error)
	ZAddOpt(key string, o brock.ZAddOptions, members ...brock.Z) (int, error)
	ZCard(key string) (int, error)
	ZRange(key string, start, stop int) ([]brock.Z, error)
	ZRank(key, member string) (int, error)
	ZRem(key string, members ...string) (int, error)
	ZScore(key, member string) (float64, error)

	XAdd(key string, id brock.StreamID, fields ...brock.FieldValue) (brock.StreamID, error)
	XDel(key string, ids ...brock.StreamID) (int, error)
	XLen(key string) (int, error)
	XRange(key string, first, last brock.StreamID, count int) ([]brock.StreamEntry, error)

	BitCount(key string) (int64, error)
	BitCountRange(key string, start, stop int64, unit brock.BitUnit) (int64, error)
	GetBit(key string, offset int64) (bool, error)
	SetBit(key string, offset int64, bit bool) (bool, error)
}

// inEach runs a test on a DB, in an Update that is rolled back, and in a
// pipeline.
func inEach(t *testing.T, fn func(t *testing.T, c sorted)) {
	t.Helper()
	t.Run("DB", func(t *testing.T) { fn(t, openMemory(t)) })
	t.Run("Update", func(t *testing.T) {
		db := openMemory(t)
		rollback := errors.New("rollback")
		err := db.Update(func(tx *brock.Tx) error {
			fn(t, tx)
			return rollback
		})
		require.ErrorIs(t, err, rollback)
		n, err := db.DBSize()
		require.NoError(t, err)
		require.Zero(t, n)
	})
	t.Run("Pipelined", func(t *testing.T) {
		require.NoError(t, openMemory(t).Pipelined(func(p *brock.Pipe) error {
			fn(t, p)
			return nil
		}))
	})
}

func TestZAdd(t *testing.T) {
	type add struct {
		options brock.ZAddOptions
		members []brock.Z
		want    int
		text    string // of the error
		after   string
	}
	z := func(member string, score float64) brock.Z { return brock.Z{Member: member, Score: score} }
	for name, steps := range map[string][]add{
		"new and old": {
			{members: []brock.Z{z("b", 2), z("a", 1)}, want: 2, after: "a=1 b=2"},
			{members: []brock.Z{z("a", 3), z("c", 3)}, want: 1, after: "b=2 a=3 c=3"},
			{members: []brock.Z{z("b", 2)}, after: "b=2 a=3 c=3"},
		},
		"twice in one call": {
			{members: []brock.Z{z("a", 2), z("a", 1)}, want: 1, after: "a=1"},
		},
		"infinite": {
			{members: []brock.Z{z("b", math.Inf(1)), z("a", math.Inf(-1)), z("c", 0)}, want: 3, after: "a=-Inf c=0 b=+Inf"},
		},
		"negative zero": {
			{members: []brock.Z{z("b", math.Copysign(0, -1)), z("a", 0)}, want: 2, after: "a=0 b=0"},
			{options: brock.ZAddOptions{CH: true}, members: []brock.Z{z("a", math.Copysign(0, -1))}, after: "a=0 b=0"},
		},
		"extremes": {
			{members: []brock.Z{
				z("f", math.MaxFloat64), z("e", math.SmallestNonzeroFloat64), z("d", 0),
				z("c", -math.SmallestNonzeroFloat64), z("b", -1), z("a", -math.MaxFloat64),
			}, want: 6, after: "a=-1.7976931348623157e+308 b=-1 c=-5e-324 d=0 e=5e-324 f=1.7976931348623157e+308"},
		},
		"NaN writes nothing": {
			{members: []brock.Z{z("a", 1), z("b", math.NaN())}, text: "ERR value is not a valid float"},
		},
		"NX and XX": {
			{options: brock.ZAddOptions{XX: true}, members: []brock.Z{z("a", 1)}},
			{options: brock.ZAddOptions{NX: true}, members: []brock.Z{z("a", 1)}, want: 1, after: "a=1"},
			{options: brock.ZAddOptions{NX: true}, members: []brock.Z{z("a", 2), z("b", 2)}, want: 1, after: "a=1 b=2"},
			{options: brock.ZAddOptions{XX: true, CH: true}, members: []brock.Z{z("a", 2), z("c", 2)}, want: 1, after: "a=2 b=2"},
		},
		"GT and LT": {
			{members: []brock.Z{z("a", 5)}, want: 1, after: "a=5"},
			{options: brock.ZAddOptions{GT: true}, members: []brock.Z{z("a", 4), z("b", 1)}, want: 1, after: "b=1 a=5"},
			{options: brock.ZAddOptions{LT: true, CH: true}, members: []brock.Z{z("a", 4), z("b", 2)}, want: 1, after: "b=1 a=4"},
			{options: brock.ZAddOptions{GT: true, XX: true, CH: true}, members: []brock.Z{z("a", 9), z("c", 2)}, want: 1, after: "b=1 a=9"},
		},
		"options that exclude each other": {
			{options: brock.ZAddOptions{NX: true, XX: true}, members: []brock.Z{z("a", 1)}, text: "ERR XX and NX options at the same time are not compatible"},
			{options: brock.ZAddOptions{GT: true, LT: true}, members: []brock.Z{z("a", 1)}, text: "ERR GT, LT, and/or NX options at the same time are not compatible"},
			{options: brock.ZAddOptions{GT: true, NX: true}, members: []brock.Z{z("a", 1)}, text: "ERR GT, LT, and/or NX options at the same time are not compatible"},
			{text: "ERR wrong number of arguments for 'zadd' command"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inEach(t, func(t *testing.T, c sorted) {
				for i, s := range steps {
					n, err := c.ZAddOpt("k", s.options, s.members...)
					require.Equal(t, s.text, brock.RedisError(err), i)
					require.Equal(t, s.want, n, i)
					members, err := c.ZRange("k", 0, -1)
					require.NoError(t, err)
					require.Equal(t, s.after, zText(members), i)
				}
			})
		})
	}
}

// zText returns members as text.
func zText(members []brock.Z) string {
	var list []string
	for _, m := range members {
		list = append(list, fmt.Sprintf("%s=%v", m.Member, m.Score))
	}
	return strings.Join(list, " ")
}

func TestZSetWrongType(t *testing.T) {
	inEach(t, func(t *testing.T, c sorted) {
		require.NoError(t, c.Set("s", []byte("x")))
		_, err := c.ZAdd("s", brock.Z{Member: "a"})
		require.ErrorIs(t, err, brock.ErrWrongType)
		_, err = c.ZAdd("s", brock.Z{Member: "a"}, brock.Z{Member: "b"})
		require.ErrorIs(t, err, brock.ErrWrongType)
		_, err = c.ZRem("s", "a")
		require.ErrorIs(t, err, brock.ErrWrongType)
		_, err = c.ZScore("s", "a")
		require.ErrorIs(t, err, brock.ErrWrongType)
		_, err = c.ZRank("s", "a")
		require.ErrorIs(t, err, brock.ErrWrongType)
		_, err = c.ZRange("s", 0, -1)
		require.ErrorIs(t, err, brock.ErrWrongType)
		_, err = c.ZCard("s")
		require.ErrorIs(t, err, brock.ErrWrongType)
	})
}

func TestZSetAbsent(t *testing.T) {
	inEach(t, func(t *testing.T, c sorted) {
		check := func(key string) {
			_, err := c.ZScore(key, "m")
			require.ErrorIs(t, err, brock.ErrNotFound)
			_, err = c.ZRank(key, "m")
			require.ErrorIs(t, err, brock.ErrNotFound)
			n, err := c.ZRem(key, "m", "n")
			require.NoError(t, err)
			require.Zero(t, n)
		}
		check("absent")
		_, err := c.ZAdd("there", brock.Z{Member: "a"})
		require.NoError(t, err)
		check("there")
		members, err := c.ZRange("absent", 0, -1)
		require.NoError(t, err)
		require.Equal(t, []brock.Z{}, members)
	})
}

// TestZSetLimits writes names that do not stand in their pages as they are.
func TestZSetLimits(t *testing.T) {
	inEach(t, func(t *testing.T, c sorted) {
		long := strings.Repeat("m", 64<<10)
		n, err := c.ZAdd("k", brock.Z{Member: long, Score: 1}, brock.Z{Member: "m", Score: 1}, brock.Z{Member: "", Score: 1})
		require.NoError(t, err)
		require.Equal(t, 3, n)
		rank, err := c.ZRank("k", long)
		require.NoError(t, err)
		require.Equal(t, 2, rank)
		n, err = c.ZAdd(long, brock.Z{Member: "a"})
		require.NoError(t, err)
		require.Equal(t, 1, n)
		_, err = c.XAdd(long+"k", brock.AutoID(), brock.F("a", "b"))
		require.NoError(t, err)
		n, err = c.XLen(long + "k")
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}

// zmodel is a sorted set in plain Go.
type zmodel map[string]float64

func (m zmodel) ordered() []brock.Z {
	list := make([]brock.Z, 0, len(m))
	for member, score := range m {
		list = append(list, brock.Z{Member: member, Score: score})
	}
	slices.SortFunc(list, func(a, b brock.Z) int {
		return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(a.Member, b.Member))
	})
	return list
}

func TestZSetRandom(t *testing.T) {
	for _, size := range []int{5, 40, sized(25_000, 2000)} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			inEach(t, func(t *testing.T, c sorted) { randomZSet(t, c, size) })
		})
	}
}

func randomZSet(t *testing.T, c sorted, size int) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	m := zmodel{}
	member := func() string { return fmt.Sprintf("member:%d", r.IntN(size)) }
	for i := range 3*size + 300 {
		if i%(size+100) < size/4 { // several at once
			members := make([]brock.Z, 1+r.IntN(5))
			want := 0
			for j := range members {
				members[j] = brock.Z{Member: member(), Score: float64(r.IntN(size)) / 3}
				if _, in := m[members[j].Member]; !in {
					want++
				}
				m[members[j].Member] = members[j].Score
			}
			n, err := c.ZAdd("z", members...)
			require.NoError(t, err)
			require.Equal(t, want, n)
			continue
		}
		name := member()
		_, in := m[name]
		if r.IntN(3) == 0 {
			n, err := c.ZRem("z", name)
			require.NoError(t, err)
			require.Equal(t, in, n == 1)
			delete(m, name)
			continue
		}
		score := float64(r.IntN(size)) / 3
		n, err := c.ZAdd("z", brock.Z{Member: name, Score: score})
		require.NoError(t, err)
		require.Equal(t, in, n == 0)
		m[name] = score
	}
	_, err := c.ZAdd("z", brock.Z{Member: "member:0", Score: 1}) // a small set may be empty
	require.NoError(t, err)
	m["member:0"] = 1
	want := m.ordered()
	got, err := c.ZRange("z", 0, -1)
	require.NoError(t, err)
	require.Equal(t, want, got)
	n, err := c.ZCard("z")
	require.NoError(t, err)
	require.Equal(t, len(want), n)
	for range 200 {
		i := r.IntN(len(want))
		rank, err := c.ZRank("z", want[i].Member)
		require.NoError(t, err)
		require.Equal(t, i, rank)
		score, err := c.ZScore("z", want[i].Member)
		require.NoError(t, err)
		require.Equal(t, want[i].Score, score)
		stop := i + r.IntN(20)
		got, err := c.ZRange("z", i-len(want), stop)
		require.NoError(t, err)
		require.Equal(t, want[i:min(stop+1, len(want))], got)
	}
	emptyZSet(t, c, r, want)
}

// emptyZSet removes all members, some at a time.
func emptyZSet(t *testing.T, c sorted, r *rand.Rand, want []brock.Z) {
	t.Helper()
	for len(want) > 0 {
		k := min(len(want), 1+r.IntN(100))
		names := make([]string, k)
		for i := range names {
			names[i] = want[i].Member
		}
		want = want[k:]
		n, err := c.ZRem("z", names...)
		require.NoError(t, err)
		require.Equal(t, k, n)
	}
	n, err := c.ZCard("z")
	require.NoError(t, err)
	require.Zero(t, n)
}

// TestZSetView reads in a View what was there when it began.
func TestZSetView(t *testing.T) {
	db := openMemory(t)
	n := sized(20_000, 4000)
	for i := range n {
		_, err := db.ZAdd("z", brock.Z{Member: fmt.Sprint(i), Score: float64(i)})
		require.NoError(t, err)
	}
	require.NoError(t, db.View(func(tx *brock.Tx) error {
		for i := range n {
			_, err := db.ZAdd("z", brock.Z{Member: fmt.Sprint(i), Score: float64(-i)})
			require.NoError(t, err)
		}
		members, err := tx.ZRange("z", 0, -1)
		require.NoError(t, err)
		require.Len(t, members, n)
		for i, m := range members {
			require.Equal(t, brock.Z{Member: fmt.Sprint(i), Score: float64(i)}, m)
		}
		_, err = tx.ZAdd("z", brock.Z{Member: "x"})
		require.ErrorIs(t, err, brock.ErrReadOnly)
		return nil
	}))
	first, err := db.ZRange("z", 0, 0)
	require.NoError(t, err)
	require.Equal(t, []brock.Z{{Member: fmt.Sprint(n - 1), Score: float64(1 - n)}}, first)
}

// TestZSetKeepsTTL changes a set that expires, small and large.
func TestZSetKeepsTTL(t *testing.T) {
	inEach(t, func(t *testing.T, c sorted) {
		k := c.(interface {
			Expire(key string, ttl time.Duration, opts ...brock.ExpireOption) (bool, error)
			TTL(key string) (time.Duration, error)
		})
		_, err := c.ZAdd("z", brock.Z{Member: "a"})
		require.NoError(t, err)
		_, err = k.Expire("z", time.Hour)
		require.NoError(t, err)
		for i := range 100 {
			_, err := c.ZAdd("z", brock.Z{Member: fmt.Sprint(i)})
			require.NoError(t, err)
			ttl, err := k.TTL("z")
			require.NoError(t, err)
			require.Positive(t, ttl)
		}
	})
}
