package brock_test

import (
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

// stoppedClock is a clock that stands still until it is set.
type stoppedClock struct{ ms int64 }

func (c *stoppedClock) Now() time.Time { return time.UnixMilli(c.ms) }

func (c *stoppedClock) AfterFunc(time.Duration, func()) func() bool {
	return func() bool { return false }
}

func sid(ms, seq uint64) brock.StreamID { return brock.StreamID{Ms: ms, Seq: seq} }

func TestXAddIDs(t *testing.T) {
	const (
		small     = "ERR The ID specified in XADD is equal or smaller than the target stream top item"
		zero      = "ERR The ID specified in XADD must be greater than 0-0"
		exhausted = "ERR The stream has exhausted the last possible ID, unable to add more items"
	)
	type add struct {
		now  int64
		id   brock.StreamID
		want string
		text string
	}
	for name, steps := range map[string][]add{
		"explicit": {
			{id: sid(0, 0), text: zero},
			{id: sid(0, 1), want: "0-1"},
			{id: sid(0, 1), text: small},
			{id: sid(5, 3), want: "5-3"},
			{id: sid(5, 2), text: small},
			{id: sid(4, 9), text: small},
			{id: sid(0, 0), text: zero},
		},
		"by the clock": {
			{now: 100, id: brock.AutoID(), want: "100-0"},
			{now: 100, id: brock.AutoID(), want: "100-1"},
			{now: 50, id: brock.AutoID(), want: "100-2"},
			{now: 101, id: brock.AutoID(), want: "101-0"},
			{now: 101, id: sid(200, math.MaxUint64), want: "200-18446744073709551615"},
			{now: 102, id: brock.AutoID(), want: "201-0"},
		},
		"sequence by itself": {
			{id: brock.AutoSeq(0), want: "0-1"},
			{id: brock.AutoSeq(0), want: "0-2"},
			{id: brock.AutoSeq(7), want: "7-0"},
			{id: brock.AutoSeq(6), text: small},
			{id: sid(7, math.MaxUint64), want: "7-18446744073709551615"},
			{id: brock.AutoSeq(7), text: small},
		},
		"the last id of all": {
			{id: brock.MaxStreamID(), want: "18446744073709551615-18446744073709551615"},
			{id: brock.AutoID(), text: exhausted},
			{id: sid(1, 1), text: exhausted},
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock := &stoppedClock{}
			db, err := brock.OpenMemory(&brock.Options{Clock: clock})
			require.NoError(t, err)
			defer db.Close()
			for i, s := range steps {
				clock.ms = s.now
				id, err := db.XAdd("s", s.id, brock.F("f", "v"))
				require.Equal(t, s.text, brock.RedisError(err), i)
				if s.text != "" {
					require.ErrorIs(t, err, brock.ErrStreamID)
					continue
				}
				require.Equal(t, s.want, id.String())
				parsed, err := brock.ParseStreamID(id.String())
				require.NoError(t, err)
				require.Equal(t, id, parsed)
			}
		})
	}
}

func TestParseStreamID(t *testing.T) {
	for text, want := range map[string]brock.StreamID{
		"0": {}, "7": sid(7, 0), "7-1": sid(7, 1), "18446744073709551615-0": sid(math.MaxUint64, 0),
	} {
		id, err := brock.ParseStreamID(text)
		require.NoError(t, err)
		require.Equal(t, want, id)
	}
	for _, text := range []string{"", "-", "+", "*", "1-*", "1-", "-1", "1-2-3", "x", "18446744073709551616"} {
		_, err := brock.ParseStreamID(text)
		require.ErrorIs(t, err, brock.ErrSyntax, text)
		require.Equal(t, "ERR Invalid stream ID specified as stream command argument", brock.RedisError(err))
	}
	require.Equal(t, "*", brock.AutoID().String())
	require.Equal(t, "5-*", brock.AutoSeq(5).String())
	require.Equal(t, sid(6, 0), sid(5, math.MaxUint64).Next())
	require.Equal(t, sid(5, math.MaxUint64), sid(6, 0).Prev())
	require.Equal(t, sid(5, 1), sid(5, 0).Next())
	require.Equal(t, -1, sid(5, 9).Compare(sid(6, 0)))
	require.Equal(t, 1, sid(6, 1).Compare(sid(6, 0)))
	require.Equal(t, 0, sid(6, 1).Compare(sid(6, 1)))
}

func TestStreamWrongType(t *testing.T) {
	inEach(t, func(t *testing.T, c sorted) {
		require.NoError(t, c.Set("s", []byte("x")))
		_, err := c.XAdd("s", brock.AutoID(), brock.F("f", "v"))
		require.ErrorIs(t, err, brock.ErrWrongType)
		_, err = c.XLen("s")
		require.ErrorIs(t, err, brock.ErrWrongType)
		_, err = c.XDel("s", sid(1, 1))
		require.ErrorIs(t, err, brock.ErrWrongType)
		_, err = c.XRange("s", sid(0, 0), brock.MaxStreamID(), -1)
		require.ErrorIs(t, err, brock.ErrWrongType)
		_, err = c.XAdd("absent", brock.AutoID())
		require.Equal(t, "ERR wrong number of arguments for 'xadd' command", brock.RedisError(err))
		entries, err := c.XRange("absent", sid(0, 0), brock.MaxStreamID(), -1)
		require.NoError(t, err)
		require.Equal(t, []brock.StreamEntry{}, entries)
		n, err := c.XDel("absent", sid(1, 1), sid(1, 2))
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

// TestStreamKeepsLastID deletes all entries: the stream stays, and its last id.
func TestStreamKeepsLastID(t *testing.T) {
	for _, size := range []int{1, 3, 500} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			inEach(t, func(t *testing.T, c sorted) {
				var ids []brock.StreamID
				for i := range size {
					id, err := c.XAdd("s", sid(10, uint64(i)), brock.F("field", strings.Repeat("x", i)))
					require.NoError(t, err)
					ids = append(ids, id)
				}
				n, err := c.XDel("s", append(ids, sid(99, 0))...)
				require.NoError(t, err)
				require.Equal(t, size, n)
				n, err = c.XLen("s")
				require.NoError(t, err)
				require.Zero(t, n)
				_, err = c.XAdd("s", sid(10, uint64(size-1)), brock.F("f", "v"))
				require.ErrorIs(t, err, brock.ErrStreamID)
				id, err := c.XAdd("s", brock.AutoSeq(10), brock.F("f", "v"))
				require.NoError(t, err)
				require.Equal(t, sid(10, uint64(size)), id)
			})
		})
	}
}

func TestStreamRandom(t *testing.T) {
	for _, size := range []int{4, 60, sized(22_000, 3000)} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			inEach(t, func(t *testing.T, c sorted) { randomStream(t, c, size) })
		})
	}
}

func randomStream(t *testing.T, c sorted, size int) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	entries := []brock.StreamEntry{}
	last := sid(1, 0)
	for len(entries) < size {
		last.Seq += 1 + r.Uint64N(3)
		if r.IntN(20) == 0 {
			last = sid(last.Ms+1, r.Uint64N(3))
		}
		e := brock.StreamEntry{ID: last}
		for range 1 + r.IntN(3) { // names repeat
			e.Fields = append(e.Fields, brock.F(fmt.Sprint("f", r.IntN(3)), strings.Repeat("v", r.IntN(40))))
		}
		if r.IntN(500) == 0 {
			e.Fields[0].Value = []byte(strings.Repeat("long", 500+r.IntN(3000)))
		}
		id, err := c.XAdd("s", e.ID, e.Fields...)
		require.NoError(t, err)
		require.Equal(t, e.ID, id)
		entries = append(entries, e)
		if len(entries) > 3 && r.IntN(8) == 0 {
			i := r.IntN(len(entries))
			n, err := c.XDel("s", entries[i].ID)
			require.NoError(t, err)
			require.Equal(t, 1, n)
			n, err = c.XDel("s", entries[i].ID)
			require.NoError(t, err)
			require.Zero(t, n)
			entries = slices.Delete(entries, i, i+1)
		}
	}
	got, err := c.XRange("s", sid(0, 0), brock.MaxStreamID(), -1)
	require.NoError(t, err)
	require.Equal(t, entries, got)
	n, err := c.XLen("s")
	require.NoError(t, err)
	require.Equal(t, len(entries), n)
	index := func(id brock.StreamID) int {
		i, _ := slices.BinarySearchFunc(entries, id, func(e brock.StreamEntry, id brock.StreamID) int { return e.ID.Compare(id) })
		return i
	}
	for range 100 {
		first, until := sid(1+r.Uint64N(last.Ms), r.Uint64N(50)), sid(1+r.Uint64N(last.Ms), r.Uint64N(50))
		count := r.IntN(300) - 20
		want := []brock.StreamEntry{}
		if from, to := index(first), index(until.Next()); from < to {
			want = entries[from:to]
		}
		if count >= 0 {
			want = want[:min(count, len(want))]
		}
		got, err := c.XRange("s", first, until, count)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// TestStreamView reads in a View what was there when it began.
func TestStreamView(t *testing.T) {
	db := openMemory(t)
	for i := range 20_000 {
		_, err := db.XAdd("s", sid(1, uint64(i)), brock.F("n", fmt.Sprint(i)))
		require.NoError(t, err)
	}
	require.NoError(t, db.View(func(tx *brock.Tx) error {
		for i := range 20_000 {
			_, err := db.XDel("s", sid(1, uint64(i)))
			require.NoError(t, err)
		}
		entries, err := tx.XRange("s", sid(0, 0), brock.MaxStreamID(), -1)
		require.NoError(t, err)
		require.Len(t, entries, 20_000)
		for i, e := range entries {
			require.Equal(t, fmt.Sprint(i), string(e.Fields[0].Value))
		}
		_, err = tx.XAdd("s", brock.AutoID(), brock.F("f", "v"))
		require.ErrorIs(t, err, brock.ErrReadOnly)
		return nil
	}))
	n, err := db.XLen("s")
	require.NoError(t, err)
	require.Zero(t, n)
}

// TestStreamRollback adds in a transaction that fails.
func TestStreamRollback(t *testing.T) {
	db := openMemory(t)
	_, err := db.XAdd("s", sid(1, 1), brock.F("f", "v"))
	require.NoError(t, err)
	rollback := errors.New("rollback")
	require.ErrorIs(t, db.Update(func(tx *brock.Tx) error {
		for i := range 1000 {
			_, err := tx.XAdd("s", sid(2, uint64(i)), brock.F("f", "v"))
			require.NoError(t, err)
		}
		return rollback
	}), rollback)
	entries, err := db.XRange("s", sid(0, 0), brock.MaxStreamID(), -1)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	_, err = db.XAdd("s", sid(1, 2), brock.F("f", "v"))
	require.NoError(t, err)
}
