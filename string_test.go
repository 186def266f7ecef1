package brock_test

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// openStrings opens a database in memory with a list at l.
func openStrings(t *testing.T) *brock.DB {
	t.Helper()
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = db.RPush("l", []byte("x"))
	require.NoError(t, err)
	return db
}

// refused requires an error of a kind with the text of Redis.
func refused(t *testing.T, err, kind error, text string) {
	t.Helper()
	require.ErrorIs(t, err, kind)
	require.Equal(t, text, brock.RedisError(err))
}

func TestSetIf(t *testing.T) {
	db := openStrings(t)
	for _, tt := range []struct {
		set    func(string, []byte, ...brock.Expiry) (bool, error)
		key    string
		opts   []brock.Expiry
		want   bool
		expiry time.Duration
	}{
		{db.SetXX, "a", nil, false, 0},
		{db.SetNX, "a", []brock.Expiry{brock.EX(time.Hour)}, true, time.Hour},
		{db.SetNX, "a", nil, false, time.Hour},
		{db.SetXX, "a", []brock.Expiry{brock.PX(2 * time.Hour)}, true, 2 * time.Hour},
		{db.SetXX, "a", nil, true, brock.NoTTL},
		{db.SetNX, "l", nil, false, brock.NoTTL},
		{db.SetXX, "l", []brock.Expiry{brock.PXAT(time.Unix(1, 0))}, true, 0},
		{db.SetNX, "l", nil, true, brock.NoTTL},
	} {
		set, err := tt.set(tt.key, []byte("v"), tt.opts...)
		require.NoError(t, err)
		require.Equal(t, tt.want, set)
		ttl, err := db.TTL(tt.key)
		if tt.expiry == 0 {
			require.ErrorIs(t, err, brock.ErrNotFound)
			continue
		}
		require.NoError(t, err)
		require.InDelta(t, tt.expiry, ttl, float64(time.Minute))
	}
	_, err := db.SetNX("new", nil, brock.EX(time.Second), brock.EX(time.Second))
	refused(t, err, brock.ErrSyntax, "ERR syntax error")
	_, err = db.SetXX("new", nil, brock.EXAT(time.Time{}))
	refused(t, err, brock.ErrExpire, "ERR invalid expire time in 'set' command")
}

// TestExpiryFar has keys expire at the last moment that there is, and none
// later.
func TestExpiryFar(t *testing.T) {
	db := openStrings(t)
	last := time.UnixMilli(math.MaxInt64)
	require.NoError(t, db.Set("k", []byte("v"), brock.EXAT(last)))
	for _, at := range []time.Time{
		last.Add(time.Millisecond), time.Unix(math.MaxInt64/1000+1, 0), time.Unix(math.MaxInt64/500, 0), time.Unix(math.MaxInt64, 0),
		time.UnixMilli(math.MinInt64), time.Unix(math.MinInt64/1000-1, 0), time.Unix(math.MinInt64/500, 0), time.Unix(math.MinInt64, 0),
	} {
		redisText(t, db.Set("k", []byte("w"), brock.EXAT(at)), brock.ErrExpire, "ERR invalid expire time in 'set' command")
		_, err := db.GetEx("k", brock.PXAT(at))
		redisText(t, err, brock.ErrExpire, "ERR invalid expire time in 'getex' command")
	}
	v, err := db.Get("k")
	require.NoError(t, err)
	require.Equal(t, "v", string(v))
	got, err := db.PExpireTime("k")
	require.NoError(t, err)
	require.True(t, got.Equal(last))
}

func TestSetAndGet(t *testing.T) {
	db := openStrings(t)
	old, err := db.SetGet("a", []byte("1"), brock.XX)
	require.ErrorIs(t, err, brock.ErrNotSet)
	require.Nil(t, old)
	old, err = db.SetGet("a", nil)
	require.NoError(t, err)
	require.Nil(t, old)
	old, err = db.SetGet("a", []byte("2"), brock.NX)
	require.ErrorIs(t, err, brock.ErrNotSet)
	require.Equal(t, []byte{}, old)
	old, err = db.GetSet("a", []byte("3"))
	require.NoError(t, err)
	require.Equal(t, []byte{}, old)

	const wrong = "WRONGTYPE Operation against a key holding the wrong kind of value"
	_, err = db.SetGet("l", nil)
	refused(t, err, brock.ErrWrongType, wrong)
	_, err = db.GetSet("l", nil)
	refused(t, err, brock.ErrWrongType, wrong)
	_, err = db.SetGet("l", nil, brock.NX, brock.XX)
	refused(t, err, brock.ErrSyntax, "ERR syntax error")
	refused(t, db.SetEX("a", nil, time.Microsecond), brock.ErrExpire, "ERR invalid expire time in 'setex' command")
	refused(t, db.PSetEX("a", nil, -1), brock.ErrExpire, "ERR invalid expire time in 'psetex' command")
}

func TestGetExErrors(t *testing.T) {
	db := openStrings(t)
	require.NoError(t, db.Set("a", []byte("v")))
	_, err := db.GetEx("a", brock.Persist, brock.EX(time.Second))
	refused(t, err, brock.ErrSyntax, "ERR syntax error")
	_, err = db.GetEx("a", brock.PX(time.Second), brock.EX(time.Second))
	refused(t, err, brock.ErrSyntax, "ERR syntax error")
	_, err = db.GetEx("a", brock.PX(0))
	refused(t, err, brock.ErrExpire, "ERR invalid expire time in 'getex' command")
	_, err = db.GetEx("absent", brock.PX(0))
	require.ErrorIs(t, err, brock.ErrNotFound)
	require.NoError(t, db.View(func(tx *brock.Tx) error {
		v, err := tx.GetEx("a")
		require.Equal(t, "v", string(v))
		_, refused := tx.GetEx("a", brock.Persist)
		require.ErrorIs(t, refused, brock.ErrReadOnly)
		return err
	}))
}

func TestIncrByFloat(t *testing.T) {
	db := openStrings(t)
	for _, tt := range []struct{ by, want float64 }{{0.1, 0.1}, {0.2, 0.3}, {-0.3, 0}, {1e300, 1e300}, {-1e300, 0}} {
		sum, err := db.IncrByFloat("f", tt.by)
		require.NoError(t, err)
		require.Equal(t, tt.want, sum)
	}
	_, err := db.IncrByFloat("f", math.Inf(-1))
	refused(t, err, brock.ErrOverflow, "ERR increment would produce NaN or Infinity")
	_, err = db.IncrByFloat("f", math.NaN())
	refused(t, err, brock.ErrNotFloat, "ERR value is not a valid float")
	_, err = db.IncrByFloat("l", 1)
	require.ErrorIs(t, err, brock.ErrWrongType)
	text, err := db.IncrByDecimal("big", "1e4000")
	require.NoError(t, err)
	require.Len(t, text, 4000)
	sum, err := db.IncrByFloat("big", 1)
	require.NoError(t, err)
	require.True(t, math.IsInf(sum, 1), "more than a float64 holds")
	_, err = db.DecrBy("n", math.MinInt64)
	refused(t, err, brock.ErrOverflow, "ERR decrement would overflow")
}

func TestLCSErrors(t *testing.T) {
	db := openStrings(t)
	require.NoError(t, db.Set("a", bytes.Repeat([]byte("x"), 11585)))
	require.NoError(t, db.Set("b", bytes.Repeat([]byte("x"), 11585)))
	_, err := db.LCSLen("a", "b")
	refused(t, err, brock.ErrTooLong, "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
	_, err = db.LCS("a", "l")
	refused(t, err, brock.ErrWrongType, "ERR The specified keys must contain string values")
	_, _, err = db.LCSIdx("l", "b", 0)
	require.ErrorIs(t, err, brock.ErrWrongType)
	require.NoError(t, db.Set("b", bytes.Repeat([]byte("x"), 11584)))
	n, err := db.LCSLen("a", "absent")
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestBitOpErrors(t *testing.T) {
	db := openStrings(t)
	_, err := db.BitOp(brock.Not, "d", "a", "b")
	refused(t, err, brock.ErrSyntax, "ERR BITOP NOT must be called with a single source key.")
	_, err = db.BitOp(brock.And, "d")
	refused(t, err, brock.ErrSyntax, "ERR wrong number of arguments for 'bitop' command")
	_, err = db.BitOp(brock.BitOperation(9), "d", "a")
	refused(t, err, brock.ErrSyntax, "ERR syntax error")
	_, err = db.BitOp(brock.Or, "d", "a", "l")
	require.ErrorIs(t, err, brock.ErrWrongType)

	const typ = "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
	for _, bits := range []brock.BitType{{}, brock.Int(0), brock.Int(65), brock.Uint(64), brock.Uint(-1)} {
		_, err = db.BitField("d", brock.BitSet{Type: bits})
		refused(t, err, brock.ErrSyntax, typ)
		_, err = db.BitFieldRO("d", brock.BitGet{Type: bits})
		refused(t, err, brock.ErrSyntax, typ)
	}
	_, err = db.BitField("d", brock.Overflow(3))
	refused(t, err, brock.ErrSyntax, "ERR Invalid OVERFLOW type specified")
	_, err = db.BitField("d", brock.BitSet{Type: brock.Uint(8), Offset: 1 << 32})
	refused(t, err, brock.ErrOffset, "ERR bit offset is not an integer or out of range")
	_, err = db.BitField("d", brock.BitSet{Type: brock.Uint(8), Offset: 1<<32 - 1})
	require.ErrorIs(t, err, brock.ErrTooLong)
	n, err := db.Exists("d")
	require.NoError(t, err)
	require.Zero(t, n)
}

// TestBitOpLarge compares operations on bitmaps of many pages, with holes, with
// what they are byte by byte, within an Update, too.
func TestBitOpLarge(t *testing.T) {
	db := openStrings(t)
	a, b := make([]byte, 300_001), make([]byte, 150_003)
	for i := range a {
		if i%50_000 < 20_000 {
			a[i] = byte(i * 7)
		}
	}
	for i := range b {
		b[i] = byte(i*i>>3) | 1
	}
	_, err := db.SetRange("a", 0, a[:20_000])
	require.NoError(t, err)
	for at := 50_000; at < len(a); at += 50_000 {
		_, err = db.SetRange("a", at, a[at:min(at+20_000, len(a))])
		require.NoError(t, err)
	}
	require.NoError(t, db.Set("b", b))
	for op, of := range map[brock.BitOperation]func(x, y byte) byte{
		brock.And: func(x, y byte) byte { return x & y },
		brock.Or:  func(x, y byte) byte { return x | y },
		brock.Xor: func(x, y byte) byte { return x ^ y },
		brock.Not: func(x, _ byte) byte { return ^x },
	} {
		want := bytes.Clone(a)
		for i := range want {
			y := byte(0)
			if i < len(b) {
				y = b[i]
			}
			want[i] = of(a[i], y)
		}
		srcs := []string{"a", "b"}
		if op == brock.Not {
			srcs = srcs[:1]
		}
		require.NoError(t, db.Update(func(tx *brock.Tx) error {
			n, err := tx.BitOp(op, "d", srcs...)
			require.EqualValues(t, len(a), n)
			return err
		}))
		got, err := db.Get("d")
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), "%v", op)
		_, err = db.BitOp(op, "d", srcs...)
		require.NoError(t, err)
		if got, err = db.Get("d"); err == nil {
			require.True(t, bytes.Equal(want, got), "%v", op)
		}
		require.NoError(t, err)
	}
}
