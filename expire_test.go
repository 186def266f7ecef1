package brock_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// TestExpireRefused gives options that exclude each other, and moments that
// there are not, with the texts of Redis.
func TestExpireRefused(t *testing.T) {
	db := openMemory(t)
	require.NoError(t, db.Set("k", nil))
	for _, key := range []string{"k", "none"} {
		for name, expire := range map[string]func(at time.Time, opts ...brock.ExpireOption) (bool, error){
			"expire":    func(_ time.Time, opts ...brock.ExpireOption) (bool, error) { return db.Expire(key, 1, opts...) },
			"pexpire":   func(_ time.Time, opts ...brock.ExpireOption) (bool, error) { return db.PExpire(key, 1, opts...) },
			"expireat":  func(at time.Time, opts ...brock.ExpireOption) (bool, error) { return db.ExpireAt(key, at, opts...) },
			"pexpireat": func(at time.Time, opts ...brock.ExpireOption) (bool, error) { return db.PExpireAt(key, at, opts...) },
		} {
			now := time.Now()
			for _, opts := range [][]brock.ExpireOption{{brock.NX, brock.XX}, {brock.GT, brock.NX}, {brock.NX, brock.LT, brock.GT}} {
				_, err := expire(now, opts...)
				redisText(t, err, brock.ErrSyntax, "ERR NX and XX, GT or LT options at the same time are not compatible")
			}
			_, err := expire(now, brock.LT, brock.XX, brock.GT)
			redisText(t, err, brock.ErrSyntax, "ERR GT and LT options at the same time are not compatible")
			for _, opt := range []brock.ExpireOption{brock.Existence(0), brock.Comparison(3), nil} {
				_, err = expire(now, opt)
				require.ErrorIs(t, err, brock.ErrSyntax)
			}
			if name == "expire" || name == "pexpire" {
				continue
			}
			for _, at := range []time.Time{
				time.Unix(math.MaxInt64/1000+1, 0), time.Unix(math.MinInt64/1000-1, 0),
				time.UnixMilli(math.MaxInt64).Add(time.Millisecond), time.UnixMilli(math.MinInt64).Add(-time.Millisecond),
				time.Unix(math.MaxInt64, 0), time.Unix(math.MinInt64, 0),
				{},
			} {
				ok, err := expire(at, brock.XX)
				if at.IsZero() { // long past, but a moment
					require.NoError(t, err)
					require.False(t, ok)
					continue
				}
				redisText(t, err, brock.ErrExpire, "ERR invalid expire time in '"+name+"' command")
			}
		}
	}
}

// TestExpireFar lets keys expire at the last moment that there is, and before
// the first one.
func TestExpireFar(t *testing.T) {
	db := openMemory(t)
	require.NoError(t, db.Set("k", nil))
	ok, err := db.PExpireAt("k", time.UnixMilli(math.MaxInt64))
	require.NoError(t, err)
	require.True(t, ok)
	at, err := db.PExpireTime("k")
	require.NoError(t, err)
	require.Equal(t, int64(math.MaxInt64), at.UnixMilli())
	at, err = db.ExpireTime("k")
	require.NoError(t, err)
	require.Equal(t, int64(9223372036854776), at.Unix())
	for _, ask := range []func(string) (time.Duration, error){db.TTL, db.PTTL} {
		ttl, err := ask("k")
		require.NoError(t, err)
		require.Equal(t, time.Duration(math.MaxInt64), ttl)
	}
	ok, err = db.Expire("k", math.MaxInt64, brock.LT)
	require.NoError(t, err)
	require.True(t, ok)
	ttl, err := db.TTL("k")
	require.NoError(t, err)
	require.Equal(t, time.Duration(math.MaxInt64), ttl) // rounded up to what it does not hold
	ok, err = db.PExpireAt("k", time.UnixMilli(math.MinInt64))
	require.NoError(t, err)
	require.True(t, ok)
	requireGone(t, db, "k")
	_, err = db.ExpireTime("k")
	require.ErrorIs(t, err, brock.ErrNotFound)
	_, err = db.PExpireTime("k")
	require.ErrorIs(t, err, brock.ErrNotFound)
}

// TestNow reads the clock, in a transaction, too.
func TestNow(t *testing.T) {
	db := openMemory(t)
	before := time.Now()
	now := db.Now()
	require.NoError(t, db.View(func(tx *brock.Tx) error {
		require.False(t, tx.Now().Before(now))
		return nil
	}))
	require.False(t, now.Before(before))
	require.False(t, time.Now().Before(now))
}

func ExampleDB_Expire() {
	db, err := brock.OpenMemory(nil)
	if err != nil {
		panic(err)
	}
	defer db.Close()
	_ = db.Set("session", []byte("ann"))
	ok, err := db.Expire("session", time.Hour, brock.NX)
	fmt.Println(ok, err)
	ok, err = db.Expire("session", time.Minute, brock.GT) // no: that is earlier
	fmt.Println(ok, err)
	fmt.Println(db.TTL("session"))
	fmt.Println(db.Persist("session"))
	at, err := db.ExpireTime("session")
	fmt.Println(at.IsZero(), err)
	// Output:
	// true <nil>
	// false <nil>
	// 1h0m0s <nil>
	// true <nil>
	// true <nil>
}

func ExampleDB_Keys() {
	db, err := brock.OpenMemory(nil)
	if err != nil {
		panic(err)
	}
	defer db.Close()
	_ = db.MSet(brock.KV{Key: "user:1"}, brock.KV{Key: "user:22"}, brock.KV{Key: "job:1"})
	fmt.Println(db.Keys("user:?"))
	fmt.Println(db.Keys("[^u]*"))
	fmt.Println(db.RenameNX("job:1", "user:1"))
	fmt.Println(db.Touch("job:1", "job:2"))
	// Output:
	// [user:1] <nil>
	// [job:1] <nil>
	// false <nil>
	// 1 <nil>
}
