package brock_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// tooLong returns a string above 512 MB whose memory nobody touches.
func tooLong(t *testing.T) string {
	t.Helper()
	b := make([]byte, 512<<20+1)
	return unsafe.String(&b[0], len(b))
}

// longText returns n bytes that begin like those of any other length.
func longText(n int, end string) string {
	return strings.Repeat("0123456789abcdef", n/16+1)[:n-len(end)] + end
}

// longPairs are lengths of names, each for two that differ at their ends.
func longPairs() []int { return []int{1024, 1025, 1056, 4096, 64 << 10, 64<<10 + 1, 1 << 20} }

// TestLongKeys runs the commands of keys on long ones.
func TestLongKeys(t *testing.T) {
	for _, n := range longPairs() {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			db := openMemory(t)
			longKey(t, db, longText(n, "a"), longText(n, "b"))
			require.NoError(t, db.FlushAll())
			require.NoError(t, db.Update(func(tx *brock.Tx) error {
				longKey(t, tx, longText(n, "a"), longText(n, "b"))
				return nil
			}))
		})
	}
}

// keyspace are the commands of keys that DB and Tx have.
type keyspace interface {
	collections
	Copy(src, dst string, opts ...brock.CopyOption) (bool, error)
	DBSize() (int64, error)
	Del(keys ...string) (int, error)
	Expire(key string, ttl time.Duration, opts ...brock.ExpireOption) (bool, error)
	Get(key string) ([]byte, error)
	MGet(keys ...string) ([][]byte, error)
	MSet(pairs ...brock.KV) error
	Move(key string, db int) (bool, error)
	Persist(key string) (bool, error)
	RandomKey() (string, error)
	Rename(src, dst string) error
	Scan(cursor uint64, opts *brock.ScanOptions) ([]string, uint64, error)
	TTL(key string) (time.Duration, error)
	Type(key string) (string, error)
}

// allKeys returns all keys, in order.
func allKeys(t *testing.T, c keyspace) (all []string) {
	t.Helper()
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		keys, next, err := c.Scan(cursor, nil)
		require.NoError(t, err)
		all, cursor = append(all, keys...), next
	}
	slices.Sort(all)
	return all
}

// requireString checks what a string key holds.
func requireString(t *testing.T, c keyspace, key, want string) {
	t.Helper()
	v, err := c.Get(key)
	require.NoError(t, err)
	require.Equal(t, want, string(v))
}

// longKey uses two long keys, of which nothing is left in the end.
func longKey(t *testing.T, c keyspace, a, b string) {
	t.Helper()
	require.NoError(t, c.Set(a, []byte("1")))
	requireGone(t, c, b)
	requireString(t, c, a, "1")
	require.NoError(t, c.MSet(brock.KV{Key: a, Value: []byte("2")}, brock.KV{Key: b, Value: bytes.Repeat([]byte("3"), 5000)}))
	values, err := c.MGet(a, b, a+"c")
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("2"), bytes.Repeat([]byte("3"), 5000), nil}, values)
	require.Equal(t, []string{a, b}, allKeys(t, c))

	ok, err := c.Expire(a, time.Hour)
	require.NoError(t, err)
	require.True(t, ok)
	ttl, err := c.TTL(a)
	require.NoError(t, err)
	require.Equal(t, time.Hour, ttl)
	ok, err = c.Persist(a)
	require.NoError(t, err)
	require.True(t, ok)

	require.NoError(t, c.Rename(b, "short")) // from long to short, and back
	key, err := c.RandomKey()
	require.NoError(t, err)
	require.Contains(t, []string{a, "short"}, key)
	require.NoError(t, c.Rename("short", a))
	require.Equal(t, []string{a}, allKeys(t, c))
	require.NoError(t, c.Rename(a, b))
	requireGone(t, c, a)
	requireString(t, c, b, strings.Repeat("3", 5000))
	ok, err = c.Copy(b, a)
	require.NoError(t, err)
	require.True(t, ok)
	_, err = c.SAdd("set", "x")
	require.NoError(t, err)
	require.NoError(t, c.Rename("set", b)) // a small collection stays in its entry
	_, err = c.SAdd(b, "y")
	require.NoError(t, err)
	kind, err := c.Type(b)
	require.NoError(t, err)
	require.Equal(t, "set", kind)
	ok, err = c.Move(a, 1)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, []string{b}, allKeys(t, c))
	ok, err = c.Expire(b, -time.Second) // that deletes it
	require.NoError(t, err)
	require.True(t, ok)
	require.Empty(t, allKeys(t, c))
	require.NoError(t, c.Set(a, nil))
	n, err := c.Del(a, b)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	size, err := c.DBSize()
	require.NoError(t, err)
	require.Zero(t, size)
}

// TestLongBLPop waits for a long key.
func TestLongBLPop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openMemory(t)
		a, b := longText(64<<10+1, "a"), longText(64<<10+1, "b")
		for _, key := range []string{a, b} {
			popped := make(chan struct{})
			go func() {
				defer close(popped)
				from, v, err := db.BLPop(t.Context(), a, b)
				require.NoError(t, err)
				require.Equal(t, key, from)
				require.Equal(t, "v", string(v))
			}()
			synctest.Wait()
			_, err := db.RPush(key, []byte("v"))
			require.NoError(t, err)
			<-popped
			requireGone(t, db, key)
		}
	})
}

// TestLongFields runs the commands of hashes and sets on long names.
func TestLongFields(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		names := map[string]string{"": "empty"}
		var members []string
		for _, n := range longPairs() {
			for _, end := range []string{"a", "b"} {
				names[longText(n, end)] = fmt.Sprint(n, end)
			}
		}
		for name, v := range names {
			n, err := c.HSet("h", brock.F(name, v), brock.F(name, v+v))
			require.NoError(t, err)
			require.Equal(t, 1, n)
			n, err = c.HSet("h", brock.F(name, strings.Repeat(v, 2000)), brock.F(name, v))
			require.NoError(t, err)
			require.Zero(t, n)
			n, err = c.SAdd("s", name, name)
			require.NoError(t, err)
			require.Equal(t, 1, n)
			members = append(members, name)
		}
		requireHash(t, c, "h", names)
		_, err := c.SAdd("other", append(members[1:], longText(2000, "other"))...)
		require.NoError(t, err)
		common, err := c.SInter("s", "other")
		require.NoError(t, err)
		require.ElementsMatch(t, members[1:], common)
		got, err := c.SMembers("s")
		require.NoError(t, err)
		require.ElementsMatch(t, members, got)
		for name := range names {
			in, err := c.SIsMember("s", name)
			require.NoError(t, err)
			require.True(t, in)
			in, err = c.SIsMember("s", name+"c")
			require.NoError(t, err)
			require.False(t, in)
		}
		popped, err := c.SPop("s")
		require.NoError(t, err)
		more, err := c.SPopCount("s", len(members)-2)
		require.NoError(t, err)
		last, err := c.SMembers("s")
		require.NoError(t, err)
		require.ElementsMatch(t, members, append(append(more, popped), last...))
		n, err := c.SRem("s", last...)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		requireGone(t, c, "s")
		n, err = c.HDel("h", append(members, members[0])...)
		require.NoError(t, err)
		require.Equal(t, len(members), n)
		requireGone(t, c, "h")
	})
}

// TestLongMembers keeps sorted sets of long members in order that begin alike.
func TestLongMembers(t *testing.T) {
	inEach(t, func(t *testing.T, c sorted) {
		var want []brock.Z
		for _, n := range []int{64<<10 + 10, 5000, 1100, 1024, 900} {
			for i := range 30 {
				want = append(want, brock.Z{Member: longText(n, fmt.Sprint("x", i*37%30+10)), Score: float64(i % 2)})
			}
		}
		for _, m := range want {
			n, err := c.ZAdd("k", brock.Z{Member: m.Member, Score: 0.5})
			require.NoError(t, err)
			require.Equal(t, 1, n)
			_, err = c.ZAdd("k", m)
			require.NoError(t, err)
		}
		slices.SortFunc(want, func(a, b brock.Z) int {
			return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(a.Member, b.Member))
		})
		for len(want) > 0 {
			got, err := c.ZRange("k", 0, -1)
			require.NoError(t, err)
			require.True(t, slices.Equal(want, got))
			at := len(want) * 2 / 3
			rank, err := c.ZRank("k", want[at].Member)
			require.NoError(t, err)
			require.Equal(t, at, rank)
			_, err = c.ZScore("k", want[at].Member+"none")
			require.ErrorIs(t, err, brock.ErrNotFound)
			n, err := c.ZRem("k", want[at].Member, want[0].Member)
			require.NoError(t, err)
			require.Equal(t, min(2, len(want)), n)
			want = slices.Delete(want, at, at+1)
			want = want[min(1, len(want)):]
		}
	})
}

// TestTooLong refuses names above 512 MB.
func TestTooLong(t *testing.T) {
	long := tooLong(t)
	everyWay(t, func(t *testing.T, c collections) {
		require.NoError(t, c.Set("k", nil))
		errs := make([]error, 8)
		errs[0] = c.Set(long, nil)
		_, errs[1] = c.HSet(long, brock.F("f", "v"))
		_, errs[2] = c.HSet("h", brock.F("f", "v"), brock.F(long, "v"))
		_, errs[3] = c.SAdd("s", "m", long)
		_, errs[4] = c.(sorted).ZAdd("z", brock.Z{Member: long})
		_, errs[5] = c.(sorted).XAdd(long, brock.AutoID(), brock.F("f", "v"))
		errs[6] = c.(keyspace).Rename("k", long)
		_, errs[7] = c.(keyspace).Copy("k", long)
		for i, err := range errs {
			require.ErrorIs(t, err, brock.ErrTooLong, i)
			require.Equal(t, "ERR string exceeds maximum allowed size (proto-max-bulk-len)", brock.RedisError(err))
		}
		in, err := c.SIsMember("s", long)
		require.NoError(t, err)
		require.False(t, in)
		require.Equal(t, []string{"k"}, allKeys(t, c.(keyspace)))
	})
}

// TestLongNamesOnDisk writes long names in each kind of place and reads them
// after each kind of end, with next to no memory.
func TestLongNamesOnDisk(t *testing.T) {
	dir, opts := t.TempDir(), &brock.Options{MemoryBudget: 1 << 20}
	db, err := brock.Open(dir, opts)
	require.NoError(t, err)
	check := func(lens ...int) {
		t.Helper()
		for _, n := range lens {
			requireLong(t, db, n)
		}
	}
	lens := longPairs()
	for i, n := range lens {
		require.NoError(t, db.Update(func(tx *brock.Tx) error { return writeLong(tx, n) }))
		back := errors.New("back")
		require.ErrorIs(t, db.Update(func(tx *brock.Tx) error { return errors.Join(writeLong(tx, n+7), back) }), back)
		if i%2 == 1 {
			require.NoError(t, db.Checkpoint())
			check(lens[:i+1]...)
			require.NoError(t, db.Close())
			db, err = brock.Open(dir, opts)
			require.NoError(t, err)
		}
	}
	check(lens...)
	var backup bytes.Buffer
	require.NoError(t, db.Backup(&backup))
	for _, n := range lens[1:] {
		_, err := db.Del(longText(n, "key"), longText(n, "hash"), longText(n, "set"), longText(n, "zset"))
		require.NoError(t, err)
	}
	require.NoError(t, db.Checkpoint())
	require.NoError(t, db.Close())
	db, err = brock.Open(dir, opts)
	require.NoError(t, err)
	check(lens[0])
	require.Len(t, allKeys(t, db), 4)
	require.NoError(t, db.Close())

	dir = filepath.Join(t.TempDir(), "restored")
	require.NoError(t, brock.Restore(&backup, dir))
	db, err = brock.Open(dir, opts)
	require.NoError(t, err)
	check(lens...)
	for _, n := range lens { // the names' partitions are those of the backup
		require.NoError(t, db.Rename(longText(n, "key"), longText(n, "renamed")))
		require.NoError(t, db.Rename(longText(n, "renamed"), longText(n, "key")))
	}
	require.NoError(t, db.Checkpoint())
	check(lens...)
	require.NoError(t, db.Close())
}

// writeLong writes keys, fields and members of n bytes.
func writeLong(tx *brock.Tx, n int) error {
	name := func(end string) string { return longText(n, end) }
	err := tx.Set(name("key"), []byte("value"))
	_, err1 := tx.HSet(name("hash"), brock.F(name("f"), "1"), brock.F(name("g"), strings.Repeat("2", 5000)))
	_, err2 := tx.SAdd(name("set"), name("m"), name("n"))
	_, err3 := tx.ZAdd(name("zset"), brock.Z{Member: name("z")}, brock.Z{Member: name("y")}, brock.Z{Member: name("x"), Score: -1})
	return errors.Join(err, err1, err2, err3)
}

// requireLong checks that what writeLong has written is there.
func requireLong(t *testing.T, db *brock.DB, n int) {
	t.Helper()
	name := func(end string) string { return longText(n, end) }
	requireString(t, db, name("key"), "value")
	fields, err := db.HGetAll(name("hash"))
	require.NoError(t, err)
	require.Equal(t, map[string][]byte{name("f"): []byte("1"), name("g"): bytes.Repeat([]byte("2"), 5000)}, fields)
	members, err := db.SMembers(name("set"))
	require.NoError(t, err)
	require.ElementsMatch(t, []string{name("m"), name("n")}, members)
	sortedMembers, err := db.ZRange(name("zset"), 0, -1)
	require.NoError(t, err)
	require.Equal(t, []brock.Z{{Member: name("x"), Score: -1}, {Member: name("y")}, {Member: name("z")}}, sortedMembers)
}

// TestHugeName writes a key, a field and members of 100 MB.
func TestHugeName(t *testing.T) {
	if testing.Short() {
		t.Skip("short: takes some seconds and two gigabytes")
	}
	const n = 100 << 20
	dir, opts := t.TempDir(), &brock.Options{MemoryBudget: 16 << 20}
	db, err := brock.Open(dir, opts)
	require.NoError(t, err)
	key, other := longText(n, "a"), longText(n, "b")
	require.NoError(t, db.Set(key, []byte("value")))
	_, err = db.SAdd("set", other)
	require.NoError(t, err)
	require.NoError(t, db.Checkpoint())
	require.NoError(t, db.Close())
	db, err = brock.Open(dir, opts)
	require.NoError(t, err)
	requireString(t, db, key, "value")
	keys := allKeys(t, db)
	require.Len(t, keys, 2)
	require.True(t, slices.Contains(keys, key))
	member, err := db.SPop("set")
	require.NoError(t, err)
	require.True(t, member == other)
	_, err = db.ZAdd("zset", brock.Z{Member: other}, brock.Z{Member: key})
	require.NoError(t, err)
	rank, err := db.ZRank("zset", other)
	require.NoError(t, err)
	require.Equal(t, 1, rank)
	require.NoError(t, db.Rename(key, "short"))
	requireGone(t, db, key)
	require.NoError(t, db.Close())
}
