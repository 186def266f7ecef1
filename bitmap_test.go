package brock_test

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

func TestSetBit(t *testing.T) {
	inEach(t, func(t *testing.T, c sorted) {
		set := func(offset int64, bit, want bool) {
			old, err := c.SetBit("b", offset, bit)
			require.NoError(t, err)
			require.Equal(t, want, old)
			now, err := c.GetBit("b", offset)
			require.NoError(t, err)
			require.Equal(t, bit, now)
		}
		get := c.(interface {
			Get(key string) ([]byte, error)
			StrLen(key string) (int, error)
		})
		set(20, false, false) // creates
		v, err := get.Get("b")
		require.NoError(t, err)
		require.Equal(t, []byte{0, 0, 0}, v)
		set(7, true, false)
		set(8, true, false)
		set(8, true, true)
		set(8, false, true)
		set(23, true, false)
		v, err = get.Get("b")
		require.NoError(t, err)
		require.Equal(t, []byte{1, 0, 1}, v)
		last := int64(1)<<sized(32, 25) - 1
		set(last, true, false)
		n, err := get.StrLen("b")
		require.NoError(t, err)
		require.EqualValues(t, (last+1)/8, n)
		ones, err := c.BitCount("b")
		require.NoError(t, err)
		require.EqualValues(t, 3, ones)
		bit, err := c.GetBit("absent", 5)
		require.NoError(t, err)
		require.False(t, bit)
	})
}

func TestBitErrors(t *testing.T) {
	inEach(t, func(t *testing.T, c sorted) {
		const text = "ERR bit offset is not an integer or out of range"
		for _, offset := range []int64{-1, 1 << 32, -1 << 63, 1<<63 - 1} {
			_, err := c.SetBit("b", offset, true)
			require.ErrorIs(t, err, brock.ErrOffset)
			require.Equal(t, text, brock.RedisError(err))
			_, err = c.GetBit("b", offset)
			require.ErrorIs(t, err, brock.ErrOffset)
			require.Equal(t, text, brock.RedisError(err))
		}
		_, err := c.ZAdd("z", brock.Z{Member: "a"})
		require.NoError(t, err)
		_, err = c.SetBit("z", 1, true)
		require.ErrorIs(t, err, brock.ErrWrongType)
		_, err = c.GetBit("z", 1)
		require.ErrorIs(t, err, brock.ErrWrongType)
		_, err = c.BitCount("z")
		require.ErrorIs(t, err, brock.ErrWrongType)
	})
}

func TestBitCountRange(t *testing.T) {
	inEach(t, func(t *testing.T, c sorted) {
		require.NoError(t, c.Set("b", []byte("foobar")))
		for _, tt := range []struct {
			start, stop int64
			unit        brock.BitUnit
			want        int64
		}{
			{0, -1, brock.Byte, 26},
			{0, 0, brock.Byte, 4},
			{1, 1, brock.Byte, 6},
			{-2, -1, brock.Byte, 7},
			{5, 30, brock.Bit, 17},
			{0, -1, brock.Bit, 26},
			{1, 1, brock.Bit, 1},
			{0, 0, brock.Bit, 0},
			{-1, -1, brock.Bit, 0},
			{-3, -5, brock.Byte, 0},
			{3, 2, brock.Byte, 0},
			{6, 9, brock.Byte, 0},
			{0, -100, brock.Byte, 4},
			{-100, 100, brock.Bit, 26},
			{math.MinInt64, math.MaxInt64, brock.Byte, 26},
			{math.MaxInt64, math.MaxInt64, brock.Byte, 0},
		} {
			n, err := c.BitCountRange("b", tt.start, tt.stop, tt.unit)
			require.NoError(t, err)
			require.Equal(t, tt.want, n, "%d %d %d", tt.start, tt.stop, tt.unit)
			n, err = c.BitCountRange("absent", tt.start, tt.stop, tt.unit)
			require.NoError(t, err)
			require.Zero(t, n)
		}
	})
}

// TestBitmapRandom sets bits of a string that has holes.
func TestBitmapRandom(t *testing.T) {
	for _, size := range []int64{100, 3000, int64(sized(4_000_000, 150_000))} {
		inEach(t, func(t *testing.T, c sorted) {
			r := rand.New(rand.NewPCG(uint64(size), 1))
			want := make([]byte, size)
			for range sized(20_000, 5000) {
				offset := r.Int64N(8 * size)
				bit := r.IntN(4) > 0
				old, err := c.SetBit("b", offset, bit)
				require.NoError(t, err)
				mask := byte(0x80) >> (offset % 8)
				require.Equal(t, want[offset/8]&mask != 0, old)
				want[offset/8] &^= mask
				if bit {
					want[offset/8] |= mask
				}
			}
			_, err := c.SetBit("b", 8*size-1, want[size-1]&1 != 0) // have it whole
			require.NoError(t, err)
			sums := make([]int64, 8*size+1)
			for i := range 8 * size {
				sums[i+1] = sums[i] + int64(want[i/8]>>(7-i%8)&1)
			}
			for range 200 {
				from, to := r.Int64N(8*size), r.Int64N(8*size)
				n, err := c.BitCountRange("b", from, to, brock.Bit)
				require.NoError(t, err)
				require.Equal(t, max(0, sums[max(to+1, from)]-sums[from]), n)
				n, err = c.BitCountRange("b", from/8, to/8, brock.Byte)
				require.NoError(t, err)
				require.Equal(t, max(0, sums[max(to/8*8+8, from/8*8)]-sums[from/8*8]), n)
			}
		})
	}
}

// TestBitmapLarge sets bits of 100 MB: a SetBit that copied it would take
// milliseconds, and all of these a minute.
func TestBitmapLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("short: takes 100 MB")
	}
	const size = 100 << 20
	db := openMemory(t)
	value := make([]byte, size)
	r := rand.New(rand.NewPCG(1, 1))
	want := 0
	for i := 0; i < size; i += 8 {
		x := r.Uint64()
		want += bits.OnesCount64(x)
		for j := range 8 {
			value[i+j] = byte(x >> (8 * j))
		}
	}
	require.NoError(t, db.Set("b", value))
	started := time.Now()
	n, err := db.BitCount("b")
	require.NoError(t, err)
	require.EqualValues(t, want, n)
	t.Logf("BitCount: %v", time.Since(started))
	started = time.Now()
	for range 20_000 {
		old, err := db.SetBit("b", r.Int64N(8*size), true)
		require.NoError(t, err)
		if !old {
			want++
		}
	}
	t.Logf("20,000 SetBit: %v", time.Since(started))
	require.Less(t, time.Since(started), 5*time.Second)
	require.NoError(t, db.View(func(tx *brock.Tx) error { // with a snapshot, too, 4 KB are copied, and once
		for range 2000 {
			_, err := db.SetBit("b", r.Int64N(8*size), false)
			require.NoError(t, err)
		}
		n, err := tx.BitCount("b")
		require.EqualValues(t, want, n)
		return err
	}))
}
