package brock_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// collections are the commands of hashes, sets and lists that DB, Tx and Pipe
// have.
type collections interface {
	Set(key string, value []byte, opts ...brock.SetOption) error
	Exists(keys ...string) (int, error)

	HDel(key string, fields ...string) (int, error)
	HGet(key, field string) ([]byte, error)
	HGetAll(key string) (map[string][]byte, error)
	HLen(key string) (int, error)
	HSet(key string, fields ...brock.FieldValue) (int, error)

	LIndex(key string, index int) ([]byte, error)
	LInsert(key string, side brock.Side, pivot, value []byte) (int, error)
	LLen(key string) (int, error)
	LPop(key string) ([]byte, error)
	LPopCount(key string, count int) ([][]byte, error)
	LPush(key string, values ...[]byte) (int, error)
	LRange(key string, start, stop int) ([][]byte, error)
	LTrim(key string, start, stop int) error
	RPop(key string) ([]byte, error)
	RPopCount(key string, count int) ([][]byte, error)
	RPush(key string, values ...[]byte) (int, error)

	SAdd(key string, members ...string) (int, error)
	SCard(key string) (int, error)
	SInter(keys ...string) ([]string, error)
	SIsMember(key, member string) (bool, error)
	SMembers(key string) ([]string, error)
	SPop(key string) (string, error)
	SPopCount(key string, count int) ([]string, error)
	SRem(key string, members ...string) (int, error)
}

// openMemory returns a database that is closed with the test.
func openMemory(t *testing.T) *brock.DB {
	t.Helper()
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// everyWay runs a test on an empty database: by single commands, in a pipeline,
// and as one transaction.
func everyWay(t *testing.T, test func(t *testing.T, c collections)) {
	t.Helper()
	t.Run("DB", func(t *testing.T) { test(t, openMemory(t)) })
	t.Run("Pipe", func(t *testing.T) {
		require.NoError(t, openMemory(t).Pipelined(func(p *brock.Pipe) error {
			test(t, p)
			return nil
		}))
	})
	t.Run("Update", func(t *testing.T) {
		require.NoError(t, openMemory(t).Update(func(tx *brock.Tx) error {
			test(t, tx)
			return nil
		}))
	})
}

// requireGone checks that there is no key.
func requireGone(t *testing.T, c collections, key string) {
	t.Helper()
	n, err := c.Exists(key)
	require.NoError(t, err)
	require.Zero(t, n, "%q exists", key)
}

// redisText checks an error's kind and what Redis says.
func redisText(t *testing.T, err, kind error, text string) {
	t.Helper()
	require.ErrorIs(t, err, kind)
	require.Equal(t, text, brock.RedisError(err))
}

const wrongType = "WRONGTYPE Operation against a key holding the wrong kind of value"

// element returns the i-th of many elements, of all sizes up to 10 KB.
func element(i int) string {
	size := []int{0, 3, 60, 190, 1024, 1025, 4096, 10 << 10}[i%8]
	if i >= 800 {
		size = min(size, 60)
	}
	return fmt.Sprintf("%d:%s", i, strings.Repeat("x", size))
}

func TestHSet(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		steps := []struct {
			name   string
			fields []brock.FieldValue
			added  int
			want   map[string]string
		}{
			{"create", []brock.FieldValue{brock.F("a", "1")}, 1, map[string]string{"a": "1"}},
			{"overwrite and add", []brock.FieldValue{brock.F("a", "one"), brock.F("b", "2")}, 1, map[string]string{"a": "one", "b": "2"}},
			{
				"the last value of a field wins",
				[]brock.FieldValue{brock.F("c", "1"), brock.F("c", "22"), brock.F("a", "")},
				1,
				map[string]string{"a": "", "b": "2", "c": "22"},
			},
			{
				"empty field, bytes",
				[]brock.FieldValue{brock.F("", []byte{0, 255})},
				1,
				map[string]string{"a": "", "b": "2", "c": "22", "": "\x00\xff"},
			},
			{
				"outgrow the entry",
				[]brock.FieldValue{brock.F("b", "3"), brock.F("d", element(3)), brock.F("d", element(7)), brock.F("e", "5")},
				2,
				map[string]string{"a": "", "b": "3", "c": "22", "": "\x00\xff", "d": element(7), "e": "5"},
			},
			{
				"overwrite in an object",
				[]brock.FieldValue{brock.F("d", "4"), brock.F("b", element(7)), brock.F("f", "")},
				1,
				map[string]string{"a": "", "b": element(7), "c": "22", "": "\x00\xff", "d": "4", "e": "5", "f": ""},
			},
		}
		for _, s := range steps {
			added, err := c.HSet("h", s.fields...)
			require.NoError(t, err, s.name)
			require.Equal(t, s.added, added, s.name)
			requireHash(t, c, "h", s.want)
		}
		_, err := c.HGet("h", "absent")
		require.ErrorIs(t, err, brock.ErrNotFound)
		removed, err := c.HDel("h", "a", "a", "absent", "b", "c", "")
		require.NoError(t, err)
		require.Equal(t, 4, removed)
		removed, err = c.HDel("h", "d", "e", "f")
		require.NoError(t, err)
		require.Equal(t, 3, removed)
		requireGone(t, c, "h")
		requireHash(t, c, "h", map[string]string{})
	})
}

// requireHash checks all of a hash.
func requireHash(t *testing.T, c collections, key string, want map[string]string) {
	t.Helper()
	all, err := c.HGetAll(key)
	require.NoError(t, err)
	got := map[string]string{}
	for f, v := range all {
		got[f] = string(v)
	}
	require.Equal(t, want, got)
	n, err := c.HLen(key)
	require.NoError(t, err)
	require.Len(t, want, n)
	for f, v := range want {
		got, err := c.HGet(key, f)
		require.NoError(t, err)
		require.Equal(t, v, string(got))
	}
}

func TestHashErrors(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		require.NoError(t, c.Set("s", []byte("x")))
		_, err := c.HSet("s", brock.F("f", "v"))
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.HGet("s", "f")
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.HDel("s", "f")
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.HLen("s")
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.HGetAll("s")
		redisText(t, err, brock.ErrWrongType, wrongType)
		_, err = c.HSet("h")
		redisText(t, err, brock.ErrSyntax, "ERR wrong number of arguments for 'hset' command")
		requireGone(t, c, "h")
		n, err := c.HDel("h", "f")
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = c.HDel("h")
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

func TestHashLarge(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		n := sized(10_000, 4000)
		want := map[string]string{}
		for i := 0; i < n; {
			var fields []brock.FieldValue
			for range min(1+i, 1500, n-i) {
				f, v := fmt.Sprint("field:", i), element(i)
				fields = append(fields, brock.F(f, v))
				want[f] = v
				i++
			}
			added, err := c.HSet("h", fields...)
			require.NoError(t, err)
			require.Equal(t, len(fields), added)
		}
		requireHash(t, c, "h", want)
		r := rand.New(rand.NewPCG(1, 1))
		for range n / 2 {
			f, v := fmt.Sprint("field:", r.IntN(n)), element(r.IntN(n))
			added, err := c.HSet("h", brock.F(f, v))
			require.NoError(t, err)
			require.Zero(t, added)
			want[f] = v
		}
		requireHash(t, c, "h", want)
		for f := range want {
			if len(want) == 7 {
				break
			}
			removed, err := c.HDel("h", f)
			require.NoError(t, err)
			require.Equal(t, 1, removed)
			delete(want, f)
		}
		requireHash(t, c, "h", want)
		var rest []string
		for f := range want {
			rest = append(rest, f)
		}
		removed, err := c.HDel("h", rest...)
		require.NoError(t, err)
		require.Equal(t, 7, removed)
		requireGone(t, c, "h")
	})
}

func TestHashRollback(t *testing.T) {
	errBack := errors.New("back")
	for _, n := range []int{1, 10, 300, 3000} {
		t.Run(fmt.Sprint("n=", n), func(t *testing.T) {
			db := openMemory(t)
			want := map[string]string{}
			for i := range n {
				want[fmt.Sprint(i)] = element(i)
				_, err := db.HSet("h", brock.F(fmt.Sprint(i), element(i)))
				require.NoError(t, err)
			}
			inside := maps.Clone(want)
			err := db.Update(func(tx *brock.Tx) error {
				for i := range n {
					if i%3 == 0 {
						_, err := tx.HDel("h", fmt.Sprint(i))
						require.NoError(t, err)
						delete(inside, fmt.Sprint(i))
						continue
					}
					_, err := tx.HSet("h", brock.F(fmt.Sprint(i), element(i+1)), brock.F(fmt.Sprint("new", i), "x"))
					require.NoError(t, err)
					inside[fmt.Sprint(i)], inside[fmt.Sprint("new", i)] = element(i+1), "x"
				}
				requireHash(t, tx, "h", inside)
				requireHash(t, db, "h", want)
				return errBack
			})
			require.ErrorIs(t, err, errBack)
			requireHash(t, db, "h", want)
		})
	}
}

// TestCollectionsInView holds a View open while all it reads is changed.
func TestCollectionsInView(t *testing.T) {
	db := openMemory(t)
	hash, list, members := map[string]string{}, []string{}, []string{}
	for i := range 1000 {
		_, err := db.HSet("h", brock.F(fmt.Sprint(i), element(i)))
		require.NoError(t, err)
		_, err = db.RPush("l", []byte(element(i)))
		require.NoError(t, err)
		_, err = db.SAdd("s", fmt.Sprint(i))
		require.NoError(t, err)
		hash[fmt.Sprint(i)], list, members = element(i), append(list, element(i)), append(members, fmt.Sprint(i))
	}
	require.NoError(t, db.View(func(tx *brock.Tx) error {
		for i := range 1000 {
			_, err := db.HSet("h", brock.F(fmt.Sprint(i), element(i+1)))
			require.NoError(t, err)
			_, err = db.RPop("l")
			require.NoError(t, err)
			_, err = db.SPop("s")
			require.NoError(t, err)
		}
		requireHash(t, tx, "h", hash)
		requireList(t, tx, "l", list)
		requireSet(t, tx, "s", members)
		_, err := tx.HSet("h", brock.F("f", "v"))
		require.ErrorIs(t, err, brock.ErrReadOnly)
		_, err = tx.HDel("h", "f")
		require.ErrorIs(t, err, brock.ErrReadOnly)
		_, err = tx.LPush("l", nil)
		require.ErrorIs(t, err, brock.ErrReadOnly)
		_, err = tx.LPop("l")
		require.ErrorIs(t, err, brock.ErrReadOnly)
		require.ErrorIs(t, tx.LTrim("l", 0, 0), brock.ErrReadOnly)
		_, err = tx.SAdd("s", "x")
		require.ErrorIs(t, err, brock.ErrReadOnly)
		_, err = tx.SPopCount("s", 2)
		require.ErrorIs(t, err, brock.ErrReadOnly)
		_, _, err = tx.BLPop(t.Context(), "l")
		require.ErrorIs(t, err, brock.ErrReadOnly)
		return nil
	}))
	requireGone(t, db, "l")
	requireGone(t, db, "s")
}

// TestCollectionsExpire looks at collections whose time is up but that were
// not collected yet.
func TestCollectionsExpire(t *testing.T) {
	for _, size := range []int{1, 500} {
		for _, tc := range []struct {
			name string
			fill func(*brock.DB, string) error
			look func(*testing.T, *brock.DB, string)
		}{
			{"hash", func(db *brock.DB, e string) error {
				_, err := db.HSet("k", brock.F("old", e))
				return err
			}, func(t *testing.T, db *brock.DB, e string) {
				requireHash(t, db, "k", map[string]string{})
				n, err := db.HDel("k", "old")
				require.NoError(t, err)
				require.Zero(t, n)
				n, err = db.HSet("k", brock.F("new", e))
				require.NoError(t, err)
				require.Equal(t, 1, n)
				requireHash(t, db, "k", map[string]string{"new": e})
			}},
			{"list", func(db *brock.DB, e string) error {
				_, err := db.RPush("k", []byte(e))
				return err
			}, func(t *testing.T, db *brock.DB, e string) {
				requireList(t, db, "k", []string{})
				require.NoError(t, db.LTrim("k", 0, 0))
				n, err := db.LPush("k", []byte("new"))
				require.NoError(t, err)
				require.Equal(t, 1, n)
				requireList(t, db, "k", []string{"new"})
			}},
			{"list pop", func(db *brock.DB, e string) error {
				_, err := db.RPush("k", []byte(e))
				return err
			}, func(t *testing.T, db *brock.DB, _ string) {
				_, err := db.LPop("k")
				require.ErrorIs(t, err, brock.ErrNotFound)
				require.NoError(t, db.Set("usable", nil))
			}},
			{"set", func(db *brock.DB, e string) error {
				_, err := db.SAdd("k", e)
				return err
			}, func(t *testing.T, db *brock.DB, e string) {
				requireSet(t, db, "k", []string{})
				n, err := db.SAdd("k", "new")
				require.NoError(t, err)
				require.Equal(t, 1, n)
				requireSet(t, db, "k", []string{"new"})
			}},
			{"set pop", func(db *brock.DB, e string) error {
				_, err := db.SAdd("k", e)
				return err
			}, func(t *testing.T, db *brock.DB, _ string) {
				_, err := db.SPop("k")
				require.ErrorIs(t, err, brock.ErrNotFound)
				require.NoError(t, db.Set("usable", nil))
			}},
		} {
			t.Run(fmt.Sprintf("%s/size=%d", tc.name, size), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					db, err := brock.OpenMemory(nil)
					require.NoError(t, err)
					defer func() { require.NoError(t, db.Close()) }()
					e := strings.Repeat("x", size)
					require.NoError(t, tc.fill(db, e))
					ok, err := db.PExpire("k", 50*time.Millisecond)
					require.NoError(t, err)
					require.True(t, ok)
					require.NoError(t, tc.fill(db, e+"y"))
					ttl, err := db.PTTL("k")
					require.NoError(t, err)
					require.Equal(t, 50*time.Millisecond, ttl, "a change keeps the time to live")
					time.Sleep(51 * time.Millisecond) // before the background wakes up
					tc.look(t, db, e)
				})
			})
		}
	}
}

func ExampleDB_HSet() {
	db, err := brock.OpenMemory(nil)
	if err != nil {
		panic(err)
	}
	defer db.Close()

	added, err := db.HSet("order:7", brock.F("state", "new"), brock.F("total", "99"))
	fmt.Println(added, err)
	added, err = db.HSet("order:7", brock.F("state", "paid"))
	fmt.Println(added, err)
	state, err := db.HGet("order:7", "state")
	fmt.Println(string(state), err)
	_, err = db.HGet("order:7", "invoice")
	fmt.Println(errors.Is(err, brock.ErrNotFound))
	// Output:
	// 2 <nil>
	// 0 <nil>
	// paid <nil>
	// true
}
