package brock

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// nameNo returns the i-th of many names: all begin alike, most are long.
func nameNo(i int) string {
	size := []int{0, 900, 1024, 1025, 1056, 2000, 5000, 20_000}[i%8]
	return strings.Repeat("n", size) + fmt.Sprintf("%03d", i)
}

// namesModel is what a test of names expects: a sorted set, a hash, and
// strings.
type namesModel struct {
	scores map[string]float64
	fields map[string]string
	keys   map[string]string
}

// TestColdNames changes names at random whose pages are cold again and again,
// also by kills, and compares.
func TestColdNames(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := envInt("SEED", 0); s != 0 {
		seed = uint64(s)
	}
	t.Logf("SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	c := openCold(t)
	m := namesModel{scores: map[string]float64{}, fields: map[string]string{}, keys: map[string]string{}}
	n := 3000
	if testing.Short() {
		n = 800
	}
	for i := range n {
		name, v := nameNo(r.IntN(200)), fmt.Sprint(i)
		switch r.IntN(12) {
		case 0, 1, 2:
			score := float64(r.IntN(3))
			_, err := c.ZAdd("zset", Z{name, score})
			require.NoError(t, err)
			m.scores[name] = score
		case 3, 4:
			removed, err := c.ZRem("zset", name)
			require.NoError(t, err)
			_, in := m.scores[name]
			require.Equal(t, in, removed == 1)
			delete(m.scores, name)
		case 5, 6:
			_, err := c.HSet("hash", F(name, v))
			require.NoError(t, err)
			m.fields[name] = v
		case 7:
			_, err := c.HDel("hash", name)
			require.NoError(t, err)
			delete(m.fields, name)
		case 8, 9:
			require.NoError(t, c.Set(name, []byte(v)))
			m.keys[name] = v
		case 10:
			other := nameNo(r.IntN(200))
			if err := c.Rename(name, other); m.keys[name] == "" {
				require.ErrorIs(t, err, ErrNoKey)
			} else if require.NoError(t, err); name != other {
				m.keys[other] = m.keys[name]
				delete(m.keys, name)
			}
		case 11:
			_, err := c.Del(name)
			require.NoError(t, err)
			delete(m.keys, name)
		}
		switch r.IntN(60) {
		case 0, 1:
			c.chill()
		case 2:
			c.reopen()
		case 3:
			m.compare(t, c.DB)
		}
	}
	m.compare(t, c.DB)
}

// compare holds a database against the model.
func (m *namesModel) compare(t *testing.T, db *DB) {
	t.Helper()
	want := make([]Z, 0, len(m.scores))
	for name, score := range m.scores {
		want = append(want, Z{name, score})
	}
	slices.SortFunc(want, func(a, b Z) int {
		return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(a.Member, b.Member))
	})
	got, err := db.ZRange("zset", 0, -1)
	require.NoError(t, err)
	require.True(t, slices.Equal(want, got), "sorted set")
	for i, z := range want {
		rank, err := db.ZRank("zset", z.Member)
		require.NoError(t, err)
		require.Equal(t, i, rank)
	}
	fields, err := db.HGetAll("hash")
	require.NoError(t, err)
	require.Len(t, fields, len(m.fields))
	for name, v := range fields {
		require.Equal(t, m.fields[name], string(v))
	}
	keys := slices.Collect(maps.Keys(m.keys))
	for key, err := range db.ScanKeys(nil) {
		require.NoError(t, err)
		if key != "zset" && key != "hash" {
			require.Contains(t, m.keys, key)
			keys = slices.DeleteFunc(keys, func(k string) bool { return k == key })
		}
	}
	require.Empty(t, keys)
	for key, want := range m.keys {
		v, err := db.Get(key)
		require.NoError(t, err)
		require.Equal(t, want, string(v))
	}
}

// TestRestoredNames removes the last element of collections whose long keys
// have been renamed and have come from a backup: the object with the name is
// neither in the partition of the key nor in that of the collection.
func TestRestoredNames(t *testing.T) {
	db, err := OpenMemory(nil)
	require.NoError(t, err)
	big := strings.Repeat("x", 300)
	for i := range 20 {
		key := func(kind string) string { return fmt.Sprint(kind, i) }
		require.NoError(t, db.Set(key("string"), []byte(big)))
		_, err1 := db.HSet(key("hash"), F("f", big))
		_, err2 := db.SAdd(key("set"), big)
		_, err3 := db.ZAdd(key("zset"), Z{Member: big})
		_, err4 := db.RPush(key("list"), []byte(big))
		for _, err := range []error{err1, err2, err3, err4} {
			require.NoError(t, err)
		}
		for _, kind := range []string{"string", "hash", "set", "zset", "list"} {
			require.NoError(t, db.Rename(key(kind), strings.Repeat("k", 2000)+key(kind)))
		}
	}
	var buf bytes.Buffer
	require.NoError(t, db.Backup(&buf))
	require.NoError(t, db.Close())
	dir := filepath.Join(t.TempDir(), "restored")
	require.NoError(t, Restore(&buf, dir))
	db, err = Open(dir, nil)
	require.NoError(t, err)
	for key, err := range db.ScanKeys(nil) {
		require.NoError(t, err)
		kind, err := db.Type(key)
		require.NoError(t, err)
		switch kind {
		case "string":
			_, err = db.GetDel(key)
		case "hash":
			_, err = db.HDel(key, "f")
		case "set":
			_, err = db.SPop(key)
		case "zset":
			_, err = db.ZRem(key, big)
		case "list":
			_, err = db.LPop(key)
		}
		require.NoError(t, err)
	}
	n, err := db.DBSize()
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoError(t, db.Close())
}
