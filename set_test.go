package brock_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// requireSet checks all of a set.
func requireSet(t *testing.T, c collections, key string, want []string) {
	t.Helper()
	got, err := c.SMembers(key)
	require.NoError(t, err)
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	require.Equal(t, len(want), len(got))
	if len(want) > 0 {
		require.Equal(t, want, got)
	}
	n, err := c.SCard(key)
	require.NoError(t, err)
	require.Len(t, want, n)
}

func TestSAdd(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		add := func(want int, members ...string) {
			t.Helper()
			n, err := c.SAdd("s", members...)
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		add(2, "a", "b", "a")
		add(0, "a")
		add(1, "", "b")
		requireSet(t, c, "s", []string{"a", "b", ""})
		add(2, "c", element(4), "a", element(4))
		requireSet(t, c, "s", []string{"a", "b", "", "c", element(4)})
		add(1, "d", "c")
		for _, m := range []string{"a", "", "d", element(4)} {
			in, err := c.SIsMember("s", m)
			require.NoError(t, err)
			require.True(t, in, m)
		}
		in, err := c.SIsMember("s", "absent")
		require.NoError(t, err)
		require.False(t, in)

		n, err := c.SRem("s", "a", "a", "absent", element(4))
		require.NoError(t, err)
		require.Equal(t, 2, n)
		requireSet(t, c, "s", []string{"b", "", "c", "d"})
		n, err = c.SRem("s", "b", "", "c", "d")
		require.NoError(t, err)
		require.Equal(t, 4, n)
		requireGone(t, c, "s")
		requireSet(t, c, "s", nil)
		n, err = c.SRem("s", "b")
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

func TestSetErrors(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		require.NoError(t, c.Set("str", []byte("x")))
		_, err := c.SAdd("str", "m")
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.SRem("str", "m")
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.SIsMember("str", "m")
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.SMembers("str")
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.SCard("str")
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.SPop("str")
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.SPopCount("str", 0)
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.SInter("absent", "str")
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.SAdd("s")
		redisText(t, err, brock.ErrSyntax, "ERR wrong number of arguments for 'sadd' command")
		_, err = c.SInter()
		redisText(t, err, brock.ErrSyntax, "ERR wrong number of arguments for 'sinter' command")
		_, err = c.SPopCount("s", -1)
		redisText(t, err, brock.ErrOffset, "ERR value is out of range, must be positive")
		requireGone(t, c, "s")
		_, err = c.SPop("s")
		require.ErrorIs(t, err, brock.ErrNotFound)
		members, err := c.SPopCount("s", 3)
		require.NoError(t, err)
		require.Empty(t, members)
	})
}

func TestSetLarge(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		n := sized(10_000, 5000)
		var all []string
		for i := range n {
			all = append(all, element(i))
		}
		for chunk := range slices.Chunk(all, 1100) {
			added, err := c.SAdd("s", chunk...)
			require.NoError(t, err)
			require.Equal(t, len(chunk), added)
			added, err = c.SAdd("s", chunk...)
			require.NoError(t, err)
			require.Zero(t, added)
		}
		requireSet(t, c, "s", all)
		for chunk := range slices.Chunk(all, 1100) {
			removed, err := c.SRem("s", chunk[:len(chunk)-1]...)
			require.NoError(t, err)
			require.Equal(t, len(chunk)-1, removed)
		}
		requireSet(t, c, "s", append(every(all, 1100), all[n-1]))
	})
}

// every returns the last element of each full chunk of n.
func every(s []string, n int) (out []string) {
	for i := n - 1; i < len(s); i += n {
		out = append(out, s[i])
	}
	return out
}

func TestSPop(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		for _, n := range []int{1, 5, 20, 300, 3000} {
			left := map[string]bool{}
			var all []string
			for i := range n {
				left[fmt.Sprint("m", i)] = true
				all = append(all, fmt.Sprint("m", i))
			}
			_, err := c.SAdd("s", all...)
			require.NoError(t, err)
			for len(left) > n/2 {
				m, err := c.SPop("s")
				require.NoError(t, err)
				require.True(t, left[m], "%q popped twice, or never added", m)
				delete(left, m)
			}
			for len(left) > 0 {
				members, err := c.SPopCount("s", 1+n/4)
				require.NoError(t, err)
				require.Len(t, members, min(1+n/4, len(left)))
				for _, m := range members {
					require.True(t, left[m])
					delete(left, m)
				}
			}
			requireGone(t, c, "s")
		}
	})
}

// TestSPopIsFair pops one of many members many times: each is about as likely.
func TestSPopIsFair(t *testing.T) {
	for _, n := range []int{10, sized(1000, 200)} {
		t.Run(fmt.Sprint("n=", n), func(t *testing.T) {
			db := openMemory(t)
			for i := range n {
				_, err := db.SAdd("s", fmt.Sprintf("%080d", i)) // in several pages
				require.NoError(t, err)
			}
			seen := map[string]int{}
			rounds := 100 * n
			for range rounds {
				m, err := db.SPop("s")
				require.NoError(t, err)
				seen[m]++
				_, err = db.SAdd("s", m)
				require.NoError(t, err)
			}
			require.Len(t, seen, n)
			for m, times := range seen {
				require.InDelta(t, 100, times, 90, m)
			}
		})
	}
}

func TestSInter(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		fill := func(key string, n, step int) {
			var members []string
			for i := 0; i < n; i += step {
				members = append(members, fmt.Sprint(i))
			}
			_, err := c.SAdd(key, members...)
			require.NoError(t, err)
		}
		fill("2", 6000, 2)
		fill("3", 6000, 3)
		fill("5", 6000, 5)
		fill("few", 12, 3)
		cases := []struct {
			keys []string
			want []string
		}{
			{[]string{"few"}, []string{"0", "3", "6", "9"}},
			{[]string{"few", "few"}, []string{"0", "3", "6", "9"}},
			{[]string{"2", "few"}, []string{"0", "6"}},
			{[]string{"few", "2", "3", "5"}, []string{"0"}},
			{[]string{"2", "absent"}, []string{}},
			{[]string{"absent"}, []string{}},
		}
		for _, tc := range cases {
			got, err := c.SInter(tc.keys...)
			require.NoError(t, err)
			require.NotNil(t, got)
			require.ElementsMatch(t, tc.want, got, "%q", tc.keys)
		}
		var want []string
		for i := 0; i < 6000; i += 30 {
			want = append(want, fmt.Sprint(i))
		}
		got, err := c.SInter("2", "3", "5", "2")
		require.NoError(t, err)
		require.ElementsMatch(t, want, got)
	})
}

func TestSetRollback(t *testing.T) {
	db := openMemory(t)
	errBack := errors.New("back")
	for _, n := range []int{3, 2000} {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprint(i))
		}
		_, err := db.SAdd("s", all...)
		require.NoError(t, err)
		require.ErrorIs(t, db.Update(func(tx *brock.Tx) error {
			a, err := tx.SPop("s")
			require.NoError(t, err)
			b, err := tx.SPop("s")
			require.NoError(t, err)
			require.NotEqual(t, a, b)
			popped, err := tx.SPopCount("s", n)
			require.NoError(t, err)
			require.Len(t, popped, n-2)
			requireGone(t, tx, "s")
			_, err = tx.SAdd("s", "other")
			require.NoError(t, err)
			requireSet(t, tx, "s", []string{"other"})
			requireSet(t, db, "s", all)
			return errBack
		}), errBack)
		requireSet(t, db, "s", all)
		_, err = db.SRem("s", all...)
		require.NoError(t, err)
	}
}

func ExampleDB_SAdd() {
	db, err := brock.OpenMemory(nil)
	if err != nil {
		panic(err)
	}
	defer db.Close()

	fresh, err := db.SAdd("seen", "message:1", "message:2")
	fmt.Println(fresh, err)
	fresh, err = db.SAdd("seen", "message:2")
	fmt.Println(fresh, err)
	in, err := db.SIsMember("seen", "message:1")
	fmt.Println(in, err)
	// Output:
	// 2 <nil>
	// 0 <nil>
	// true <nil>
}

func ExampleDB_SInter() {
	db, err := brock.OpenMemory(nil)
	if err != nil {
		panic(err)
	}
	defer db.Close()

	if _, err := db.SAdd("go", "ada", "bob", "eve"); err != nil {
		panic(err)
	}
	if _, err := db.SAdd("redis", "bob", "eve", "joe"); err != nil {
		panic(err)
	}
	both, err := db.SInter("go", "redis")
	slices.Sort(both)
	fmt.Println(both, err)
	// Output: [bob eve] <nil>
}
