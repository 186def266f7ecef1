package brock

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/store"
)

// coldDB is a database whose pages are all cold again and again.
type coldDB struct {
	*DB
	eng *engine.Memory
	t   *testing.T
}

// openCold returns an empty one.
func openCold(t *testing.T) *coldDB {
	t.Helper()
	c := &coldDB{eng: engine.NewMemory(), t: t}
	c.open()
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func (c *coldDB) open() {
	s, err := store.Open(c.eng, store.Options{NoTimers: true, MemoryBudget: 64 << 10})
	require.NoError(c.t, err)
	c.DB = newDB(s)
}

// chill drops all pages that can be dropped.
func (c *coldDB) chill() {
	require.NoError(c.t, c.Checkpoint())
	for range 4 {
		c.s.Housekeep()
	}
}

// reopen ends the process, as it were, and opens the database again.
func (c *coldDB) reopen() {
	c.eng = c.eng.Crash(engine.Crash{})
	_ = c.Close()
	c.open()
}

// bulk returns n elements, some of them long.
func bulk(n int) []string {
	out := make([]string, n)
	for i := range out {
		size := i % 50
		if i%100 == 7 {
			size = 10 << 10
		}
		out[i] = fmt.Sprint(i, ":", strings.Repeat("x", size))
	}
	return out
}

// sized returns a size, or a smaller one under -short.
func sized(long, short int) int {
	if testing.Short() {
		return short
	}
	return long
}

// TestColdCollections runs each command on collections that have to be loaded,
// and looks at the result after a restart.
func TestColdCollections(t *testing.T) {
	n := sized(10_000, 4000) // a tenth of it three times is more than a command changes in place
	all := bulk(n)
	reversed := slices.Clone(all)
	slices.Reverse(reversed)
	fillList := func(t *testing.T, c *coldDB) {
		t.Helper()
		_, err := c.RPush("l", byteSlices(all)...)
		require.NoError(t, err)
	}
	fillSet := func(t *testing.T, c *coldDB) {
		t.Helper()
		_, err := c.SAdd("s", all...)
		require.NoError(t, err)
	}
	fillHash := func(t *testing.T, c *coldDB) {
		t.Helper()
		var fields []FieldValue
		for i, e := range all {
			fields = append(fields, F(fmt.Sprint(i), e))
		}
		_, err := c.HSet("h", fields...)
		require.NoError(t, err)
	}
	lists := []struct {
		name string
		run  func(c *commands) (any, error)
		want any
		left []string
	}{
		{"LPop", func(c *commands) (any, error) { return c.LPop("l") }, []byte(all[0]), all[1:]},
		{"RPop", func(c *commands) (any, error) { return c.RPop("l") }, []byte(all[n-1]), all[:n-1]},
		{"LPopCount", func(c *commands) (any, error) { return c.LPopCount("l", 3*n/10) }, byteSlices(all[:3*n/10]), all[3*n/10:]},
		{"RPopCount", func(c *commands) (any, error) { return c.RPopCount("l", 100) }, byteSlices(reversed[:100]), all[:n-100]},
		{"RPopCount all", func(c *commands) (any, error) { return c.RPopCount("l", n) }, byteSlices(reversed), nil},
		{"LPush", func(c *commands) (any, error) { return c.LPush("l", []byte("1"), []byte("2")) }, n + 2, append([]string{"2", "1"}, all...)},
		{"RPush", func(c *commands) (any, error) { return c.RPush("l", []byte("1"), []byte("2")) }, n + 2, append(slices.Clone(all), "1", "2")},
		{"LIndex", func(c *commands) (any, error) { return c.LIndex("l", -n/2-1) }, []byte(all[n/2-1]), all},
		{
			"LInsert", func(c *commands) (any, error) { return c.LInsert("l", After, []byte(all[9*n/10]), []byte("new")) },
			n + 1, slices.Insert(slices.Clone(all), 9*n/10+1, "new"),
		},
		{"LInsert none", func(c *commands) (any, error) { return c.LInsert("l", After, []byte("none"), nil) }, -1, all},
		{"LRange", func(c *commands) (any, error) { return c.LRange("l", 0, -1) }, byteSlices(all), all},
		{"LRange few", func(c *commands) (any, error) { return c.LRange("l", n/2, n/2+100) }, byteSlices(all[n/2 : n/2+101]), all},
		{"LTrim", func(c *commands) (any, error) { return nil, c.LTrim("l", n/5, -n/5-1) }, nil, all[n/5 : n-n/5]},
		{"LTrim few", func(c *commands) (any, error) { return nil, c.LTrim("l", 1, -2) }, nil, all[1 : n-1]},
	}
	for _, tc := range lists {
		coldCase(t, "list/"+tc.name, fillList, func(t *testing.T, c *commands) {
			t.Helper()
			got, err := tc.run(c)
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		}, func(t *testing.T, c *coldDB) {
			t.Helper()
			got, err := c.LRange("l", 0, -1)
			require.NoError(t, err)
			require.Equal(t, tc.left, texts(got))
		})
	}
	coldCase(t, "set", fillSet, func(t *testing.T, c *commands) {
		t.Helper()
		in, err := c.SIsMember("s", all[7])
		require.NoError(t, err)
		require.True(t, in)
		added, err := c.SAdd("s", append(all[:500:500], "new", "newer")...)
		require.NoError(t, err)
		require.Equal(t, 2, added)
		removed, err := c.SRem("s", all[n/10:n/5]...)
		require.NoError(t, err)
		require.Equal(t, n/10, removed)
		common, err := c.SInter("s", "s")
		require.NoError(t, err)
		require.Len(t, common, n-n/10+2)
		_, err = c.SPop("s")
		require.NoError(t, err)
		members, err := c.SPopCount("s", 3*n/10)
		require.NoError(t, err)
		require.Len(t, members, 3*n/10)
	}, func(t *testing.T, c *coldDB) {
		t.Helper()
		members, err := c.SMembers("s")
		require.NoError(t, err)
		slices.Sort(members)
		require.Len(t, slices.Compact(members), n-n/10+2-3*n/10-1)
	})
	coldCase(t, "hash", fillHash, func(t *testing.T, c *commands) {
		t.Helper()
		v, err := c.HGet("h", "107")
		require.NoError(t, err)
		require.Equal(t, all[107], string(v))
		var fields []FieldValue
		var names []string
		for i := range 1000 {
			fields = append(fields, F(fmt.Sprint(i*3), "changed"))
			names = append(names, fmt.Sprint(i*3+1))
		}
		added, err := c.HSet("h", fields...)
		require.NoError(t, err)
		require.Zero(t, added)
		removed, err := c.HDel("h", names...)
		require.NoError(t, err)
		require.Equal(t, 1000, removed)
	}, func(t *testing.T, c *coldDB) {
		t.Helper()
		want := map[string]string{}
		for i, e := range all {
			want[fmt.Sprint(i)] = e
			if i < 3000 && i%3 == 0 {
				want[fmt.Sprint(i)] = "changed"
			} else if i < 3000 && i%3 == 1 {
				delete(want, fmt.Sprint(i))
			}
		}
		got, err := c.HGetAll("h")
		require.NoError(t, err)
		require.Equal(t, want, textMap(got))
	})
}

// coldCase runs commands on cold collections, by themselves and in a
// transaction, and checks what is left: in memory, and after a restart.
func coldCase(t *testing.T, name string, fill func(*testing.T, *coldDB), run func(*testing.T, *commands), check func(*testing.T, *coldDB)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		for _, inTx := range []bool{false, true} {
			c := openCold(t)
			fill(t, c)
			c.chill()
			if inTx {
				require.NoError(t, c.Update(func(tx *Tx) error {
					run(t, &tx.commands)
					return nil
				}))
			} else {
				run(t, &c.commands)
			}
			check(t, c)
			c.chill()
			check(t, c)
			c.reopen()
			check(t, c)
		}
	})
}

// TestColdMany shows that a command which meets many cold pages, one after the
// other, is not run again for each.
func TestColdMany(t *testing.T) {
	c := openCold(t)
	const n = 300
	keys := make([]string, n)
	members := make([]Z, 40*n)
	for i := range keys {
		keys[i] = fmt.Sprint("key ", i)
		require.NoError(t, c.Set(keys[i], bytes.Repeat([]byte(keys[i]), 200)))
	}
	for i := range members {
		members[i] = Z{Member: fmt.Sprint("member ", i), Score: float64(i)}
	}
	_, err := c.ZAdd("zset", members...)
	require.NoError(t, err)
	few := func(what string, fn func()) {
		t.Helper()
		c.chill()
		before := c.Stats().Loads
		fn()
		require.Less(t, c.Stats().Loads-before, int64(10), "%s: runs for want of pages", what)
	}
	few("MGet", func() {
		values, err := c.MGet(keys...)
		require.NoError(t, err)
		for i, v := range values {
			require.Len(t, v, 200*len(keys[i]))
		}
	})
	few("ZAdd", func() {
		for i := range members {
			members[i].Score++
		}
		added, err := c.ZAdd("zset", members...)
		require.NoError(t, err)
		require.Zero(t, added)
	})
	few("ZRem", func() {
		var names []string
		for i := range members {
			names = append(names, members[i].Member)
		}
		removed, err := c.ZRem("zset", names...)
		require.NoError(t, err)
		require.EqualValues(t, len(members), removed)
	})
}

// TestColdBLPop has a waiter served from a list that is cold when it comes to
// the key.
func TestColdBLPop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := openCold(t)
		type popped struct {
			value []byte
			err   error
		}
		done := make(chan popped, 1)
		go func() {
			_, v, err := c.BLPop(t.Context(), "l")
			done <- popped{v, err}
		}()
		synctest.Wait()
		_, err := c.RPush("m", byteSlices(bulk(10_000))...)
		require.NoError(t, err)
		c.chill()
		require.NoError(t, c.Rename("m", "n"))
		require.NoError(t, c.Rename("n", "l"))
		p := <-done
		require.NoError(t, p.err)
		require.Equal(t, bulk(1)[0], string(p.value))
		n, err := c.LLen("l")
		require.NoError(t, err)
		require.Equal(t, 9999, n)
	})
}
