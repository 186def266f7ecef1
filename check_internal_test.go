package brock

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/store"
)

// fillAll writes values of every type, small and large, under short and long
// names, in two databases.
func fillAll(t *testing.T, db *DB) {
	t.Helper()
	long := strings.Repeat("name ", 300)
	require.NoError(t, db.Pipelined(func(p *Pipe) error {
		for i := range 200 {
			n := strconv.Itoa(i)
			v := bytes.Repeat([]byte(n+" "), 1+i*i%400)
			err := p.Set("string:"+n, v)
			if err == nil {
				_, err = p.HSet("hash", F(n, string(v)), F(long+n, "long"))
			}
			if err == nil {
				_, err = p.RPush("list", v)
			}
			if err == nil {
				_, err = p.ZAdd("zset", Z{Member: n, Score: float64(i % 9)}, Z{Member: long + n, Score: 4})
			}
			if err == nil {
				_, err = p.SAdd("set", n, long+n)
			}
			if err == nil {
				_, err = p.XAdd("stream", AutoID(), F("n", n))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
	require.NoError(t, db.Set(long+"key", []byte("value")))
	require.NoError(t, db.Set("large", bytes.Repeat([]byte("large "), 20_000)))
	other := db.DB(3)
	_, err := other.ZAdd("small", Z{Member: "m", Score: 1}, Z{Member: "n", Score: 2})
	require.NoError(t, err)
	_, err = other.HSet("packed", F("f", "v"))
	require.NoError(t, err)
	_, err = other.SAdd("members", "a", "b")
	require.NoError(t, err)
	_, err = other.RPush("elements", []byte("a"))
	require.NoError(t, err)
	_, err = other.XAdd("events", AutoID(), F("f", "v"))
	require.NoError(t, err)
}

// contents returns the bytes of all files below dir, by their paths.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		all[strings.TrimPrefix(name, dir)] = string(b)
		return err
	}))
	return all
}

// requireSound checks a directory, which has no faults and is not changed.
func requireSound(t *testing.T, dir string) *CheckReport {
	t.Helper()
	before := contents(t, dir)
	r, err := Check(dir)
	require.NoError(t, err)
	require.Empty(t, r.Faults)
	require.Equal(t, before, contents(t, dir), "Check changed the directory")
	return r
}

func TestCheck(t *testing.T) {
	dir, temp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	db, err := openSmall(dir, store.EverySecond, 0)
	require.NoError(t, err)
	fillAll(t, db)
	require.NoError(t, db.Checkpoint())
	fillAll(t, db.DB(1))

	_, err = Check(dir)
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorContains(t, err, "by process "+strconv.Itoa(os.Getpid()))

	killed := t.TempDir()
	require.NoError(t, os.CopyFS(killed, os.DirFS(dir)))
	for range 2 { // a check leaves what the next one has to see
		r := requireSound(t, killed)
		require.EqualValues(t, 207, r.Keys[0])
		require.EqualValues(t, 207, r.Keys[1])
		require.EqualValues(t, 5, r.Keys[3])
		require.NotZero(t, r.InLog)
		require.NotZero(t, r.Images)
	}
	require.NoError(t, db.Close())
	require.EqualValues(t, 207, requireSound(t, dir).Keys[1])
	require.Empty(t, contents(t, temp), "temporary files")
}

// TestCheckNew checks what the shortest lives leave.
func TestCheckNew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	_, err := Check(dir)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoDirExists(t, dir)
	require.NoError(t, os.Mkdir(dir, 0o700))
	_, err = Check(dir)
	require.ErrorIs(t, err, ErrFormat)
	require.Empty(t, contents(t, dir))

	db, err := Open(dir, nil)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	whole := contents(t, dir)
	require.Zero(t, requireSound(t, dir).Last)

	// It ends as soon as it has said what the directory is.
	for name := range whole {
		if name != string(filepath.Separator)+"FORMAT" {
			require.NoError(t, os.Remove(filepath.Join(dir, name)))
		}
	}
	require.Zero(t, requireSound(t, dir).Images)
}

// backupOf returns a backup of a directory.
func backupOf(t *testing.T, dir string) []byte {
	t.Helper()
	db, err := Open(dir, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var buf bytes.Buffer
	require.NoError(t, db.Backup(&buf))
	return buf.Bytes()
}

// TestCheckDamage flips single bits of every file of a closed database. Check
// finds each, or there is nothing lost: Open then finds all data.
func TestCheckDamage(t *testing.T) {
	flips := 8
	switch {
	case os.Getenv("BROCK_SOAK") != "":
		flips = 200
	case testing.Short():
		flips = 2
	}
	seed := uint64(envInt("SEED", rand.Int()))
	t.Logf("SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 3))

	dir := t.TempDir()
	db, err := openSmall(dir, store.EverySecond, 0)
	require.NoError(t, err)
	fillAll(t, db)
	require.NoError(t, db.Checkpoint())
	fillAll(t, db.DB(1))
	require.NoError(t, db.Close())
	copied := func() string {
		c := t.TempDir()
		require.NoError(t, os.CopyFS(c, os.DirFS(dir)))
		return c
	}
	want := backupOf(t, copied())
	found := map[string]int{}
	for name, b := range contents(t, dir) {
		used := len(strings.TrimRight(b, "\x00"))
		for range min(flips, used) {
			c := copied()
			at, bit := r.IntN(used), byte(1)<<r.IntN(8)
			damaged := []byte(b)
			damaged[at] ^= bit
			require.NoError(t, os.WriteFile(filepath.Join(c, name), damaged, 0o600))
			_, err := Check(c)
			if err != nil {
				found[filepath.Ext(name)]++
				require.True(t, errors.Is(err, ErrCorrupt) || errors.Is(err, ErrFormat), "byte %d of %s: %v", at, name, err)
			} else {
				require.True(t, bytes.Equal(want, backupOf(t, c)), "byte %d of %s, bit %#x: not found", at, name, bit)
			}
			require.NoError(t, os.RemoveAll(c))
		}
	}
	for _, ext := range []string{".sst", ".vlog", ".log"} {
		require.NotZero(t, found[ext], ext)
	}
}
