package brock

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"

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
