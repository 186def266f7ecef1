package brock_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// expiring are the commands that give a key a time to live.
type expiring interface {
	Expire(key string, ttl time.Duration, opts ...brock.ExpireOption) (bool, error)
	PExpire(key string, ttl time.Duration, opts ...brock.ExpireOption) (bool, error)
	Persist(key string) (bool, error)
	PTTL(key string) (time.Duration, error)
	Set(key string, value []byte, opts ...brock.SetOption) error
}

// TestMilliseconds gives keys times to live that are no whole seconds.
func TestMilliseconds(t *testing.T) {
	db := openMemory(t)
	ways := map[string]func(c expiring, ttl time.Duration) error{
		"EX": func(c expiring, ttl time.Duration) error { return c.Set("k", nil, brock.EX(ttl)) },
		"PX": func(c expiring, ttl time.Duration) error { return c.Set("k", nil, brock.PX(ttl)) },
		"Expire": func(c expiring, ttl time.Duration) error {
			ok, err := c.Expire("k", ttl)
			require.True(t, ok)
			return err
		},
		"PExpire": func(c expiring, ttl time.Duration) error {
			ok, err := c.PExpire("k", ttl)
			require.True(t, ok)
			return err
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			for _, ttl := range []time.Duration{time.Millisecond, 900 * time.Millisecond, 1900*time.Millisecond + 999*time.Microsecond} {
				// In a transaction time stands still.
				require.NoError(t, db.Update(func(tx *brock.Tx) error {
					require.NoError(t, tx.Set("k", nil))
					require.NoError(t, way(tx, ttl))
					got, err := tx.PTTL("k")
					require.NoError(t, err)
					require.Equal(t, ttl.Truncate(time.Millisecond), got)
					return nil
				}))
			}
		})
	}
	require.NoError(t, db.Set("k", nil))
	for _, ttl := range []time.Duration{-time.Hour, 0, 999 * time.Microsecond} {
		redisText(t, db.Set("k", nil, brock.EX(ttl)), brock.ErrExpire, "ERR invalid expire time in 'set' command")
		redisText(t, db.Set("k", nil, brock.PX(ttl), brock.XX), brock.ErrExpire, "ERR invalid expire time in 'set' command")
	}
}

// TestSetOptions has options exclude each other, which Redis finds before it
// looks at times.
func TestSetOptions(t *testing.T) {
	db := openMemory(t)
	second := brock.EX(time.Second)
	for _, opts := range [][]brock.SetOption{
		{brock.NX, brock.XX},
		{second, brock.PX(time.Second)},
		{brock.PX(time.Second), second},
		{second, brock.PX(0)},
		{second, brock.KeepTTL},
		{brock.KeepTTL, brock.EX(0)},
		{brock.EX(0), brock.NX, brock.XX},
	} {
		redisText(t, db.Set("k", nil, opts...), brock.ErrSyntax, "ERR syntax error")
	}
	requireGone(t, db, "k")
}

// database returns a handle on another logical database.
func database(c keyspace, n int) keyspace {
	switch c := c.(type) {
	case *brock.DB:
		return c.DB(n)
	case *brock.Tx:
		return c.DB(n)
	case *brock.Pipe:
		return c.DB(n)
	}
	return nil
}

func TestCopyOptions(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		k := c.(keyspace)
		require.NoError(t, k.MSet(brock.KV{Key: "a", Value: []byte("1")}, brock.KV{Key: "b", Value: []byte("2")}))
		copied := func(want bool, src, dst string, opts ...brock.CopyOption) {
			t.Helper()
			ok, err := k.Copy(src, dst, opts...)
			require.NoError(t, err)
			require.Equal(t, want, ok)
		}
		copied(false, "a", "b")
		copied(true, "a", "a", brock.ToDB(3))
		copied(false, "b", "a", brock.ToDB(3))
		copied(true, "b", "a", brock.Replace, brock.ToDB(3))
		got, err := database(k, 3).Get("a")
		require.NoError(t, err)
		require.Equal(t, "2", string(got))
		copied(true, "a", "b", brock.Replace)
		copied(true, "a", "c", brock.ToDB(3), brock.ToDB(0)) // as in Redis, the last one counts
		got, err = k.Get("c")
		require.NoError(t, err)
		require.Equal(t, "1", string(got))

		for _, n := range []int{-1, -2, 16, 1 << 30} {
			_, err := k.Copy("a", "x", brock.ToDB(n))
			redisText(t, err, brock.ErrDatabase, "ERR DB index is out of range")
		}
		_, err = k.Copy("a", "a")
		redisText(t, err, brock.ErrSameKey, "ERR source and destination objects are the same")
		_, err = k.Copy("a", "a", brock.ToDB(0))
		require.ErrorIs(t, err, brock.ErrSameKey)
		for _, opt := range []brock.CopyOption{brock.CopyRule(0), brock.CopyRule(7), nil} {
			_, err = k.Copy("a", "x", opt)
			require.ErrorIs(t, err, brock.ErrSyntax)
		}
	})
}

// TestNoResults has results that there are none of be empty, not nil.
func TestNoResults(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		k := c.(interface {
			keyspace
			BitField(key string, ops ...brock.BitFieldOp) ([]brock.OptionalInt, error)
			BitFieldRO(key string, gets ...brock.BitGet) ([]int64, error)
			Keys(pattern string) ([]string, error)
			LCS(a, b string) ([]byte, error)
			LCSIdx(a, b string, minLen int) ([]brock.LCSMatch, int, error)
			ZRange(key string, start, stop int) ([]brock.Z, error)
			XRange(key string, first, last brock.StreamID, count int) ([]brock.StreamEntry, error)
		})
		none := func(results any, err error) {
			t.Helper()
			require.NoError(t, err)
			require.NotNil(t, results)
			require.Empty(t, results)
		}
		keys, next, err := k.Scan(0, nil)
		for ; next != 0; keys, next, err = k.Scan(next, nil) {
			none(keys, err)
		}
		none(keys, err)
		none(k.Keys("*"))
		none(k.MGet())
		none(k.LCS("a", "b"))
		matches, _, err := k.LCSIdx("a", "b", 0)
		none(matches, err)
		none(k.HGetAll("a"))
		none(k.SMembers("a"))
		none(k.SInter("a", "b"))
		none(k.LRange("a", 0, -1))
		none(k.ZRange("a", 0, -1))
		none(k.XRange("a", brock.StreamID{}, brock.MaxStreamID(), -1))
		none(k.BitField("a"))
		none(k.BitFieldRO("a"))
	})
}

// TestBadOptions has what is no option refused, and nothing changed.
func TestBadOptions(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		k := c.(interface {
			keyspace
			BitCountRange(key string, start, stop int64, unit brock.BitUnit) (int64, error)
			BitPosRange(key string, bit bool, start, stop int64, unit brock.BitUnit) (int64, error)
			GetEx(key string, opts ...brock.GetExOption) ([]byte, error)
			LLen(key string) (int, error)
			LInsert(key string, side brock.Side, pivot, value []byte) (int, error)
			Set(key string, value []byte, opts ...brock.SetOption) error
			SetGet(key string, value []byte, opts ...brock.SetOption) ([]byte, error)
		})
		require.NoError(t, k.Set("k", []byte("old"), brock.EX(time.Hour)))
		_, err := k.RPush("l", []byte("x"))
		require.NoError(t, err)
		for _, opt := range []brock.SetOption{brock.Existence(0), brock.Existence(7), brock.TTLRule(0), brock.TTLRule(9), nil} {
			require.ErrorIs(t, k.Set("k", nil, opt), brock.ErrSyntax)
			require.ErrorIs(t, k.Set("k", nil, brock.XX, opt), brock.ErrSyntax)
			_, err = k.SetGet("k", nil, opt)
			require.ErrorIs(t, err, brock.ErrSyntax)
		}
		for _, opt := range []brock.GetExOption{brock.TTLRemoval(0), brock.TTLRemoval(5), nil} {
			_, err = k.GetEx("k", opt)
			require.ErrorIs(t, err, brock.ErrSyntax)
			_, err = k.GetEx("k", brock.Persist, opt)
			require.ErrorIs(t, err, brock.ErrSyntax)
		}
		for _, unit := range []brock.BitUnit{-1, 9} {
			_, err = k.BitCountRange("k", 0, -1, unit)
			require.ErrorIs(t, err, brock.ErrSyntax)
			_, err = k.BitPosRange("k", true, 0, -1, unit)
			require.ErrorIs(t, err, brock.ErrSyntax)
		}
		_, err = k.LInsert("l", 2, []byte("x"), []byte("y"))
		require.ErrorIs(t, err, brock.ErrSyntax)

		got, err := k.Get("k")
		require.NoError(t, err)
		require.Equal(t, "old", string(got))
		ttl, err := k.TTL("k")
		require.NoError(t, err)
		require.Positive(t, ttl)
		n, err := k.LLen("l")
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}

// TestKeys finds what matches, without what has expired, as of a View's moment
// in a View, and with a transaction's own changes.
func TestKeys(t *testing.T) {
	db := openMemory(t)
	long := strings.Repeat("k", 100_000)
	require.NoError(t, db.MSet(brock.KV{Key: long + "1"}, brock.KV{Key: long + "2"}, brock.KV{Key: ""}, brock.KV{Key: "k"}))
	require.NoError(t, db.DB(1).Set("elsewhere", nil))
	type keyed interface {
		Keys(pattern string) ([]string, error)
	}
	keys := func(c keyed, pattern string) []string {
		t.Helper()
		found, err := c.Keys(pattern)
		require.NoError(t, err)
		slices.Sort(found)
		return found
	}
	require.Equal(t, []string{"", "k", long + "1", long + "2"}, keys(db, "*"))
	require.Equal(t, []string{long + "2"}, keys(db, "k*2"))
	require.Equal(t, []string{""}, keys(db, ""))
	require.Equal(t, []string{}, keys(db, "none"))
	require.NoError(t, db.View(func(view *brock.Tx) error {
		_, err := db.Del(long + "1")
		require.NoError(t, err)
		require.NoError(t, db.Set("k2", nil))
		require.Equal(t, []string{"", "k", long + "1", long + "2"}, keys(view, "*"))
		return nil
	}))
	require.NoError(t, db.Update(func(tx *brock.Tx) error {
		require.NoError(t, tx.Set("inside", nil))
		_, err := tx.Del("k")
		require.NoError(t, err)
		require.Equal(t, []string{"", "inside", "k2", long + "2"}, keys(tx, "*"))
		return nil
	}))
	for i := range 5000 {
		require.NoError(t, db.DB(2).Set(strconv.Itoa(i), nil))
	}
	require.Len(t, keys(db.DB(2), "*"), 5000)
	require.Len(t, keys(db.DB(2), "[1-3]??"), 300)
	_, err := db.DB(99).Keys("*")
	require.ErrorIs(t, err, brock.ErrDatabase)
}
