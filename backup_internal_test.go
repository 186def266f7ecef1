package brock

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/store"
)

// callingReader calls fn before every read.
type callingReader struct {
	r  io.Reader
	fn func()
}

func (c callingReader) Read(b []byte) (int, error) {
	c.fn()
	return c.r.Read(b[:min(len(b), 16<<10)])
}

// TestRestoreBesideCheckpoints restores objects of many chunks, which no key
// names before their last one, while checkpoint rounds look for objects that no
// key names.
func TestRestoreBesideCheckpoints(t *testing.T) {
	db, err := OpenMemory(nil)
	require.NoError(t, err)
	element := bytes.Repeat([]byte("element "), 20)
	for i := range 10_000 {
		_, err := db.RPush("list", append(strconv.AppendInt(nil, int64(i), 10), element...))
		require.NoError(t, err)
	}
	long := strings.Repeat("a long name ", 100_000)
	require.NoError(t, db.Set(long, []byte("value")))
	want, err := db.LRange("list", 0, -1)
	require.NoError(t, err)
	var buf bytes.Buffer
	require.NoError(t, db.Backup(&buf))
	require.NoError(t, db.Close())

	mem := engine.NewMemory()
	open := func() *DB {
		s, err := store.Open(mem, store.Options{NoTimers: true})
		require.NoError(t, err)
		return newDB(s)
	}
	db = open()
	require.NoError(t, db.s.Restore(callingReader{&buf, func() { require.NoError(t, db.Checkpoint()) }}))
	for range 3 {
		require.NoError(t, db.Checkpoint())
	}
	require.NoError(t, db.Close())
	mem = mem.Reopen()
	db = open()
	defer func() { require.NoError(t, db.Close()) }()
	got, err := db.LRange("list", 0, -1)
	require.NoError(t, err)
	require.Equal(t, want, got)
	value, err := db.Get(long)
	require.NoError(t, err)
	require.Equal(t, "value", string(value))
}

// backedUp returns the backup of a database with values of all kinds.
func backedUp(t *testing.T) []byte {
	t.Helper()
	db, err := OpenMemory(nil)
	require.NoError(t, err)
	fillAll(t, db)
	var buf bytes.Buffer
	require.NoError(t, db.Backup(&buf))
	require.NoError(t, db.Close())
	return buf.Bytes()
}

// TestRestoreFails restores what is no whole backup: nothing is left of it.
func TestRestoreFails(t *testing.T) {
	whole := backedUp(t)
	root := t.TempDir()
	empty := filepath.Join(root, "empty")
	require.NoError(t, os.Mkdir(empty, 0o700))
	noise := bytes.Clone(whole)
	noise[len(noise)/2] ^= 1
	broken := io.MultiReader(bytes.NewReader(whole[:len(whole)/2]), iotest.ErrReader(io.ErrNoProgress))
	for _, c := range []struct {
		in   io.Reader
		want error
	}{
		{bytes.NewReader(nil), ErrFormat},
		{strings.NewReader("It was a dark and stormy night."), ErrFormat},
		{bytes.NewReader(whole[:len(backupHead)-1]), ErrFormat},
		{bytes.NewReader(whole[:len(backupHead)]), ErrCorrupt},
		{bytes.NewReader(whole[:len(backupHead)+5]), ErrCorrupt},
		{bytes.NewReader(whole[:len(whole)/2]), ErrCorrupt},
		{bytes.NewReader(whole[:len(whole)-8]), ErrCorrupt},
		{bytes.NewReader(whole[:len(whole)-1]), ErrCorrupt},
		{bytes.NewReader(noise), ErrCorrupt},
		{broken, io.ErrNoProgress},
		{iotest.ErrReader(io.ErrNoProgress), io.ErrNoProgress},
	} {
		at := []string{filepath.Join(root, "a", "b", "c"), empty}
		for i, in := range []io.Reader{c.in, c.in} {
			if s, ok := in.(io.Seeker); ok {
				_, err := s.Seek(0, io.SeekStart)
				require.NoError(t, err)
			} else if i > 0 {
				continue // it has been read
			}
			require.ErrorIs(t, Restore(in, at[i]), c.want)
			entries, err := os.ReadDir(root)
			require.NoError(t, err)
			require.Len(t, entries, 1, "beside the empty directory")
			entries, err = os.ReadDir(empty)
			require.NoError(t, err)
			require.Empty(t, entries)
		}
	}
	require.NoError(t, Restore(bytes.NewReader(whole), empty))
	require.ErrorIs(t, Restore(bytes.NewReader(whole), empty), os.ErrExist)
	requireSound(t, empty)
}

// backupHead begins a backup.
const backupHead = "brock backup 01\n"

// TestRestoreKilled copies what a kill would leave, at many moments of a
// restore: it does not open.
func TestRestoreKilled(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "db")
	copies := 0
	in := callingReader{bytes.NewReader(backedUp(t)), func() {
		if _, err := os.Stat(dir); err != nil {
			return // nothing is there yet
		}
		copies++
		if copies%8 != 1 {
			return
		}
		killed := filepath.Join(root, strconv.Itoa(copies))
		require.NoError(t, os.CopyFS(killed, os.DirFS(dir)))
		_, err := Open(killed, nil)
		require.ErrorIs(t, err, ErrCorrupt)
		r, err := Check(killed)
		require.ErrorIs(t, err, ErrCorrupt)
		require.Len(t, r.Faults, 1)
	}}
	require.NoError(t, Restore(in, dir))
	require.Greater(t, copies, 20)
	requireSound(t, dir)
}
