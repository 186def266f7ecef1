package brock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// values returns strings as values.
func values(s ...string) [][]byte {
	out := make([][]byte, len(s))
	for i := range s {
		out[i] = []byte(s[i])
	}
	return out
}

// requireList checks all of a list.
func requireList(t *testing.T, c collections, key string, want []string) {
	t.Helper()
	got, err := c.LRange(key, 0, -1)
	require.NoError(t, err)
	require.Equal(t, values(want...), got)
	n, err := c.LLen(key)
	require.NoError(t, err)
	require.Len(t, want, n)
}

func TestPush(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		push := func(fn func(string, ...[]byte) (int, error), want int, s ...string) {
			t.Helper()
			n, err := fn("l", values(s...)...)
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		push(c.RPush, 2, "a", "b")
		push(c.LPush, 4, "c", "d")
		push(c.RPush, 5, "")
		requireList(t, c, "l", []string{"d", "c", "a", "b", ""})
		push(c.LPush, 7, element(7), "e")
		requireList(t, c, "l", []string{"e", element(7), "d", "c", "a", "b", ""})
		push(c.RPush, 9, "f", element(3))
		push(c.LPush, 10, "g")
		requireList(t, c, "l", []string{"g", "e", element(7), "d", "c", "a", "b", "", "f", element(3)})
	})
}

func TestPop(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		for _, large := range []bool{false, true} {
			list := []string{"a", "b", "c", "d", "e", "f", "g"}
			if large {
				list[0], list[3], list[6] = element(7), element(5), element(7)+"!"
			}
			_, err := c.RPush("l", values(list...)...)
			require.NoError(t, err)
			v, err := c.LPop("l")
			require.NoError(t, err)
			require.Equal(t, list[0], string(v))
			v, err = c.RPop("l")
			require.NoError(t, err)
			require.Equal(t, list[6], string(v))
			many, err := c.LPopCount("l", 2)
			require.NoError(t, err)
			require.Equal(t, values(list[1], list[2]), many)
			many, err = c.LPopCount("l", 0)
			require.NoError(t, err)
			require.Equal(t, values(), many)
			many, err = c.RPopCount("l", 2)
			require.NoError(t, err)
			require.Equal(t, values(list[5], list[4]), many)
			many, err = c.RPopCount("l", 99)
			require.NoError(t, err)
			require.Equal(t, values(list[3]), many)
			requireGone(t, c, "l")
			_, err = c.LPop("l")
			require.ErrorIs(t, err, brock.ErrNotFound)
			_, err = c.RPopCount("l", 0)
			require.ErrorIs(t, err, brock.ErrNotFound)
		}
	})
}

func TestListErrors(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		require.NoError(t, c.Set("s", []byte("x")))
		_, err := c.LPush("s", nil)
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.RPush("s", nil)
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.LPop("s")
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.RPopCount("s", 1)
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.LLen("s")
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.LIndex("s", 0)
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.LInsert("s", brock.Before, nil, nil)
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.LRange("s", 0, -1)
		redisText(t, err, brock.ErrWrongType, wrongType)
		redisText(t, c.LTrim("s", 0, -1), brock.ErrWrongType, wrongType)
		_, err = c.LPush("l")
		redisText(t, err, brock.ErrSyntax, "ERR wrong number of arguments for 'lpush' command")
		_, err = c.RPush("l")
		redisText(t, err, brock.ErrSyntax, "ERR wrong number of arguments for 'rpush' command")
		_, err = c.LPopCount("l", -1)
		redisText(t, err, brock.ErrOffset, "ERR value is out of range, must be positive")
		_, err = c.LIndex("l", 0)
		require.ErrorIs(t, err, brock.ErrNotFound)
		require.NoError(t, c.LTrim("l", 0, 1))
		n, err := c.LInsert("l", brock.After, nil, nil)
		require.NoError(t, err)
		require.Zero(t, n)
		requireList(t, c, "l", []string{})
	})
}

func TestLRange(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		for _, n := range []int{5, 500} {
			var list []string
			for i := range n {
				list = append(list, element(i))
			}
			key := fmt.Sprint("l", n)
			_, err := c.RPush(key, values(list...)...)
			require.NoError(t, err)
			for _, tc := range []struct{ start, stop, from, to int }{
				{0, 2, 0, 3},
				{0, -1, 0, n},
				{-2, -1, n - 2, n},
				{1, 1, 1, 2},
				{3, 2, 0, 0},
				{-100 * n, 1, 0, 2},
				{2, 100 * n, 2, n},
				{n, n, 0, 0},
				{-1, 0, 0, 0},
				{-n, -n, 0, 1},
				{0, -n - 1, 0, 0},
			} {
				got, err := c.LRange(key, tc.start, tc.stop)
				require.NoError(t, err)
				require.Equal(t, values(list[tc.from:tc.to]...), got, "LRANGE %d %d of %d", tc.start, tc.stop, n)
			}
			for i := range n {
				v, err := c.LIndex(key, i)
				require.NoError(t, err)
				require.Equal(t, list[i], string(v))
				v, err = c.LIndex(key, i-n)
				require.NoError(t, err)
				require.Equal(t, list[i], string(v))
			}
			for _, i := range []int{n, -n - 1} {
				_, err := c.LIndex(key, i)
				require.ErrorIs(t, err, brock.ErrNotFound)
			}
		}
	})
}

func TestLTrim(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		for _, n := range []int{5, 100, 1000} {
			var list []string
			for i := range n {
				list = append(list, element(i))
			}
			for _, tc := range []struct{ start, stop, from, to int }{
				{0, -1, 0, n},
				{1, -1, 1, n},
				{0, -2, 0, n - 1},
				{1, -2, 1, n - 1},
				{2, 2, 2, 3},
				{-3, -1, n - 3, n},
				{-100 * n, 100 * n, 0, n},
				{n, n, 0, 0},
				{2, 1, 0, 0},
			} {
				_, err := c.RPush("l", values(list...)...)
				require.NoError(t, err)
				require.NoError(t, c.LTrim("l", tc.start, tc.stop))
				requireList(t, c, "l", list[tc.from:tc.to])
				if tc.from == tc.to {
					requireGone(t, c, "l")
				}
				require.NoError(t, c.LTrim("l", 1, 0))
				requireGone(t, c, "l")
			}
		}
	})
}

func TestLInsert(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		list := []string{"a", "b", "a"}
		_, err := c.RPush("l", values(list...)...)
		require.NoError(t, err)
		insert := func(side brock.Side, pivot, value string, want int) {
			t.Helper()
			n, err := c.LInsert("l", side, []byte(pivot), []byte(value))
			require.NoError(t, err)
			require.Equal(t, want, n)
			if want > 0 {
				i := slices.Index(list, pivot) + int(side)
				list = slices.Insert(list, i, value)
			}
			requireList(t, c, "l", list)
		}
		insert(brock.Before, "a", "1", 4)
		insert(brock.After, "a", "2", 5)
		insert(brock.After, "b", "", 6)
		insert(brock.Before, "", "3", 7)
		insert(brock.Before, "absent", "x", -1)
		insert(brock.After, "b", element(4), 8)
		insert(brock.Before, element(4), element(7), 9)
		insert(brock.After, element(7), "4", 10)
		insert(brock.After, element(7)+"!", "4", -1)
		insert(brock.Before, "1", "first", 11)
		insert(brock.After, "a", "5", 12)
		for i := range 2000 {
			_, err := c.RPush("l", []byte(element(i+10)))
			require.NoError(t, err)
			list = append(list, element(i+10))
		}
		insert(brock.Before, element(2009), "before last", 2013)
		insert(brock.After, element(2009), "last", 2014)
		insert(brock.After, element(1015), element(7), 2015)
		insert(brock.After, "absent", "", -1)
	})
}

// TestListRandom runs random commands on one list and on a slice.
func TestListRandom(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		r := rand.New(rand.NewPCG(3, 4))
		var list []string
		for round := range sized(4000, 1500) {
			grow := round/500%2 == 0
			switch op := r.IntN(10); {
			case grow && op < 6:
				var vs []string
				for range 1 + r.IntN(20) {
					vs = append(vs, element(r.IntN(1000)))
				}
				if op < 3 {
					_, err := c.RPush("l", values(vs...)...)
					require.NoError(t, err)
					list = append(list, vs...)
				} else {
					_, err := c.LPush("l", values(vs...)...)
					require.NoError(t, err)
					slices.Reverse(vs)
					list = append(vs, list...)
				}
			case len(list) == 0:
			case op < 7:
				n := min(1+r.IntN(30), len(list))
				got, err := c.LPopCount("l", n)
				require.NoError(t, err)
				require.Equal(t, values(list[:n]...), got)
				list = list[n:]
			case op < 8:
				v, err := c.RPop("l")
				require.NoError(t, err)
				require.Equal(t, list[len(list)-1], string(v))
				list = list[:len(list)-1]
			case op < 9:
				pivot := list[r.IntN(len(list))]
				n, err := c.LInsert("l", brock.Before, []byte(pivot), []byte("new"))
				require.NoError(t, err)
				list = slices.Insert(list, slices.Index(list, pivot), "new")
				require.Equal(t, len(list), n)
			default:
				start, stop := r.IntN(3), len(list)-1-r.IntN(3)
				require.NoError(t, c.LTrim("l", start, stop))
				list = list[start:max(start, stop+1)]
			}
			if round%50 == 0 {
				requireList(t, c, "l", list)
			}
		}
		requireList(t, c, "l", list)
	})
}

func TestListLarge(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		n := sized(10_000, 5500)
		var list []string
		for i := range n {
			list = append(list, element(i))
		}
		for chunk := range slices.Chunk(list, 1500) {
			_, err := c.RPush("l", values(chunk...)...)
			require.NoError(t, err)
		}
		requireList(t, c, "l", list)
		require.NoError(t, c.LTrim("l", 1000, -1001))
		list = list[1000 : n-1000]
		requireList(t, c, "l", list)
		got, err := c.RPopCount("l", 3000)
		require.NoError(t, err)
		want := slices.Clone(list[len(list)-3000:])
		slices.Reverse(want)
		require.Equal(t, values(want...), got)
		for _, e := range list[:len(list)-3000] {
			v, err := c.LPop("l")
			require.NoError(t, err)
			require.Equal(t, e, string(v))
		}
		requireGone(t, c, "l")
	})
}

func TestListRollback(t *testing.T) {
	db := openMemory(t)
	errBack := errors.New("back")
	for _, n := range []int{3, 2000} {
		var list []string
		for i := range n {
			list = append(list, element(i))
		}
		_, err := db.RPush("l", values(list...)...)
		require.NoError(t, err)
		require.ErrorIs(t, db.Update(func(tx *brock.Tx) error {
			a, err := tx.LPop("l")
			require.NoError(t, err)
			b, err := tx.LPop("l")
			require.NoError(t, err)
			require.Equal(t, list[:2], []string{string(a), string(b)})
			_, err = tx.LPush("l", []byte("new"), []byte(element(7)))
			require.NoError(t, err)
			requireList(t, tx, "l", append([]string{element(7), "new"}, list[2:]...))
			require.NoError(t, tx.LTrim("l", 0, 0))
			requireList(t, db, "l", list)
			return errBack
		}), errBack)
		requireList(t, db, "l", list)
		require.NoError(t, db.LTrim("l", 1, 0))
	}
}

// popped is what a BLPop returned.
type popped struct {
	key   string
	value []byte
	err   error
}

// blpop starts a BLPop that waits by the time it returns.
func blpop(ctx context.Context, db *brock.DB, keys ...string) <-chan popped {
	done := make(chan popped, 1)
	go func() {
		k, v, err := db.BLPop(ctx, keys...)
		done <- popped{k, v, err}
	}()
	synctest.Wait()
	return done
}

// requirePopped checks what a BLPop returned.
func requirePopped(t *testing.T, done <-chan popped, key, value string) {
	t.Helper()
	synctest.Wait()
	select {
	case p := <-done:
		require.NoError(t, p.err)
		require.Equal(t, []string{key, value}, []string{p.key, string(p.value)})
	default:
		require.Fail(t, "BLPop still waits")
	}
}

// requireWaiting checks that a BLPop has not returned.
func requireWaiting(t *testing.T, done <-chan popped) {
	t.Helper()
	synctest.Wait()
	select {
	case p := <-done:
		require.Fail(t, "BLPop does not wait", "%+v", p)
	default:
	}
}

func TestBLPop(t *testing.T) {
	cases := []struct {
		name string
		test func(t *testing.T, db *brock.DB)
	}{
		{"there is an element", func(t *testing.T, db *brock.DB) {
			_, err := db.RPush("b", values("1", "2")...)
			require.NoError(t, err)
			_, err = db.RPush("c", values("3")...)
			require.NoError(t, err)
			k, v, err := db.BLPop(t.Context(), "a", "b", "c")
			require.NoError(t, err)
			require.Equal(t, []string{"b", "1"}, []string{k, string(v)})
			requireList(t, db, "b", []string{"2"})
			requireList(t, db, "c", []string{"3"})
		}},
		{"served by a push", func(t *testing.T, db *brock.DB) {
			w := blpop(t.Context(), db, "l")
			n, err := db.LPush("l", values("1", "2")...)
			require.NoError(t, err)
			require.Equal(t, 2, n, "the length before anyone is served")
			requirePopped(t, w, "l", "2")
			requireList(t, db, "l", []string{"1"})
		}},
		{"served in the order of arrival", func(t *testing.T, db *brock.DB) {
			w1, w2, w3 := blpop(t.Context(), db, "l"), blpop(t.Context(), db, "l"), blpop(t.Context(), db, "l")
			_, err := db.RPush("l", values("1", element(7))...)
			require.NoError(t, err)
			requirePopped(t, w1, "l", "1")
			requirePopped(t, w2, "l", element(7))
			requireWaiting(t, w3)
			requireGone(t, db, "l")
			_, err = db.RPush("l", values("3", "4")...)
			require.NoError(t, err)
			requirePopped(t, w3, "l", "3")
			requireList(t, db, "l", []string{"4"})
		}},
		{"several keys", func(t *testing.T, db *brock.DB) {
			w1, w2 := blpop(t.Context(), db, "a", "b", "a"), blpop(t.Context(), db, "b", "c")
			_, err := db.RPush("b", values("1")...)
			require.NoError(t, err)
			requirePopped(t, w1, "b", "1")
			requireWaiting(t, w2)
			_, err = db.RPush("a", values("2")...)
			require.NoError(t, err)
			requireWaiting(t, w2)
			requireList(t, db, "a", []string{"2"})
			_, err = db.RPush("c", values("3")...)
			require.NoError(t, err)
			requirePopped(t, w2, "c", "3")
		}},
		{"served by a transaction as a whole", func(t *testing.T, db *brock.DB) {
			w := blpop(t.Context(), db, "l")
			require.NoError(t, db.Update(func(tx *brock.Tx) error {
				_, err := tx.RPush("l", values("1")...)
				require.NoError(t, err)
				requireWaiting(t, w)
				requireList(t, tx, "l", []string{"1"})
				_, err = tx.LPush("l", values("0")...)
				return err
			}))
			requirePopped(t, w, "l", "0")
			requireList(t, db, "l", []string{"1"})
		}},
		{"served by an exchange of databases", func(t *testing.T, db *brock.DB) {
			w1, w2 := blpop(t.Context(), db, "l"), blpop(t.Context(), db, "l", "m")
			w3 := blpop(t.Context(), db.DB(1), "absent")
			_, err := db.DB(1).RPush("l", values("1")...)
			require.NoError(t, err)
			_, err = db.DB(1).RPush("m", values("2")...)
			require.NoError(t, err)
			requireWaiting(t, w1)
			requireWaiting(t, w2)
			require.NoError(t, db.SwapDB(0, 1))
			requirePopped(t, w1, "l", "1")
			requirePopped(t, w2, "m", "2")
			requireGone(t, db, "l")
			requireWaiting(t, w3)
			require.NoError(t, db.Update(func(tx *brock.Tx) error {
				_, err := tx.RPush("absent", values("3")...)
				require.NoError(t, err)
				return tx.SwapDB(1, 0)
			}))
			requirePopped(t, w3, "absent", "3")
		}},
		{"not served by what is rolled back", func(t *testing.T, db *brock.DB) {
			w := blpop(t.Context(), db, "l")
			require.Error(t, db.Update(func(tx *brock.Tx) error {
				_, err := tx.RPush("l", values("1")...)
				require.NoError(t, err)
				return errors.New("back")
			}))
			requireWaiting(t, w)
			require.NoError(t, db.Update(func(tx *brock.Tx) error {
				_, err := tx.RPush("l", values("1")...)
				require.NoError(t, err)
				_, err = tx.LPop("l")
				return err
			}))
			requireWaiting(t, w)
			_, err := db.RPush("l", values("2")...)
			require.NoError(t, err)
			requirePopped(t, w, "l", "2")
		}},
		{"the context ends", func(t *testing.T, db *brock.DB) {
			ctx, cancel := context.WithCancel(t.Context())
			w1, w2 := blpop(ctx, db, "l", "m"), blpop(t.Context(), db, "l")
			cancel()
			synctest.Wait()
			p := <-w1
			require.ErrorIs(t, p.err, context.Canceled)
			require.Empty(t, p.key)
			_, err := db.RPush("l", values("1")...)
			require.NoError(t, err)
			requirePopped(t, w2, "l", "1")
			_, err = db.RPush("l", values("2")...)
			require.NoError(t, err)
			_, _, err = db.BLPop(ctx, "l")
			require.ErrorIs(t, err, context.Canceled)
			requireList(t, db, "l", []string{"2"})
		}},
		{"wrong type", func(t *testing.T, db *brock.DB) {
			require.NoError(t, db.Set("s", nil))
			_, _, err := db.BLPop(t.Context(), "absent", "s")
			redisText(t, err, brock.ErrWrongType, wrongType)
			w := blpop(t.Context(), db, "k", "l")
			require.NoError(t, db.Set("k", []byte("x")))
			requireWaiting(t, w)
			_, err = db.RPush("l", values("1")...)
			require.NoError(t, err)
			requirePopped(t, w, "l", "1")
			_, err = db.RPush("l", values("2")...)
			require.NoError(t, err)
			k, _, err := db.BLPop(t.Context(), "l", "s")
			require.NoError(t, err, "a list before the wrong type")
			require.Equal(t, "l", k)
		}},
		{"another database", func(t *testing.T, db *brock.DB) {
			w := blpop(t.Context(), db.DB(3), "l")
			_, err := db.RPush("l", values("0")...)
			require.NoError(t, err)
			requireWaiting(t, w)
			_, err = db.DB(3).RPush("l", values("3")...)
			require.NoError(t, err)
			requirePopped(t, w, "l", "3")
		}},
		{"renamed to the key", func(t *testing.T, db *brock.DB) {
			w := blpop(t.Context(), db, "l")
			var list []string
			for i := range 1000 {
				list = append(list, element(i))
			}
			_, err := db.RPush("m", values(list...)...)
			require.NoError(t, err)
			require.NoError(t, db.Rename("m", "l"))
			requirePopped(t, w, "l", list[0])
			requireList(t, db, "l", list[1:])
		}},
		{"does not wait in a transaction or pipeline", func(t *testing.T, db *brock.DB) {
			require.NoError(t, db.Update(func(tx *brock.Tx) error {
				_, _, err := tx.BLPop(t.Context(), "l")
				require.ErrorIs(t, err, brock.ErrNotFound)
				_, err = tx.RPush("l", values("1")...)
				require.NoError(t, err)
				k, v, err := tx.BLPop(t.Context(), "absent", "l")
				require.NoError(t, err)
				require.Equal(t, []string{"l", "1"}, []string{k, string(v)})
				return nil
			}))
			requireGone(t, db, "l")
			require.NoError(t, db.Pipelined(func(p *brock.Pipe) error {
				_, _, err := p.BLPop(t.Context(), "l")
				require.ErrorIs(t, err, brock.ErrNotFound)
				return nil
			}))
		}},
		{"no keys", func(t *testing.T, db *brock.DB) {
			_, _, err := db.BLPop(t.Context())
			redisText(t, err, brock.ErrSyntax, "ERR wrong number of arguments for 'blpop' command")
		}},
		{"the database closes", func(t *testing.T, db *brock.DB) {
			w := blpop(t.Context(), db, "l")
			require.NoError(t, db.Close())
			synctest.Wait()
			require.ErrorIs(t, (<-w).err, brock.ErrClosed)
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, err := brock.OpenMemory(nil)
				require.NoError(t, err)
				defer func() { require.NoError(t, db.Close()) }()
				tc.test(t, db)
			})
		})
	}
}

// TestBLPopMany has several producers and consumers, which give up now and
// then: no element is lost or seen twice.
func TestBLPopMany(t *testing.T) {
	db := openMemory(t)
	const producers, consumers, each = 4, 8, 500
	all, stop := context.WithCancel(t.Context())
	defer stop()
	got := make(chan string)
	var wg sync.WaitGroup
	for i := range consumers {
		wg.Go(func() {
			for r := rand.New(rand.NewPCG(1, uint64(i))); all.Err() == nil; {
				ctx, cancel := context.WithCancel(all)
				if r.IntN(4) == 0 {
					go cancel()
				}
				_, v, err := db.BLPop(ctx, "a", "b")
				cancel()
				if err == nil {
					got <- string(v)
				} else if !errors.Is(err, context.Canceled) {
					got <- err.Error()
				}
			}
		})
	}
	for p := range producers {
		wg.Go(func() {
			for i := range each {
				v := values(fmt.Sprint(p, ":", i))[0]
				if i%3 != 0 {
					_, _ = db.RPush([]string{"a", "b"}[i%2], v)
					continue
				}
				_ = db.Update(func(tx *brock.Tx) error {
					_, err := tx.RPush("b", v)
					return err
				})
			}
		})
	}
	seen := map[string]bool{}
	for len(seen) < producers*each {
		v := <-got
		require.Regexp(t, `^\d+:\d+$`, v)
		require.False(t, seen[v], "%s twice", v)
		seen[v] = true
	}
	stop()
	wg.Wait()
	requireGone(t, db, "a")
	requireGone(t, db, "b")
}

func ExampleDB_RPush() {
	db, err := brock.OpenMemory(nil)
	if err != nil {
		panic(err)
	}
	defer db.Close()

	n, err := db.RPush("recent", []byte("a"), []byte("b"), []byte("c"))
	fmt.Println(n, err)
	first, err := db.LPop("recent")
	fmt.Println(string(first), err)
	rest, err := db.LRange("recent", 0, -1)
	fmt.Printf("%s %v\n", rest, err)
	// Output:
	// 3 <nil>
	// a <nil>
	// [b c] <nil>
}

func ExampleDB_BLPop() {
	db, err := brock.OpenMemory(nil)
	if err != nil {
		panic(err)
	}
	defer db.Close()

	go db.RPush("jobs", []byte("resize image 7"))
	key, job, err := db.BLPop(context.Background(), "urgent", "jobs")
	fmt.Println(key, string(job), err)
	// Output: jobs resize image 7 <nil>
}
