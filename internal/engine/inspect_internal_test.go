package engine

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// closedDir returns a directory with a base of two steps and a log.
func closedDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	e := mustOpen(t, dir, tiny())
	epoch := e.base.State().Epoch
	for n := range LSN(20) {
		require.NoError(t, e.log.Append(Group{Epoch: epoch, First: n + 1, Count: 1, Payload: []byte("payload")}))
	}
	require.NoError(t, e.log.Sync())
	for step := range uint64(2) {
		var images []Image
		for no := range uint64(50) {
			a := Addr{Object: 1, No: no}
			images = append(images, Image{Addr: a, Slot: uint8(step), Step: step + 1, LSN: 5, Data: make([]byte, 1000)})
		}
		require.NoError(t, e.base.Write(epoch, step+1, images))
		require.NoError(t, e.base.Complete(epoch, step+1, 1, 5+5*step, []byte("tables"), nil))
	}
	require.NoError(t, e.Close())
	return dir
}

func TestInspect(t *testing.T) {
	dir := closedDir(t)
	i, err := Inspect(dir, Options{})
	require.NoError(t, err)
	_, err = Open(dir, tiny())
	require.ErrorIs(t, err, ErrLocked)

	state := i.Base().State()
	require.EqualValues(t, 2, state.LastStep)
	require.EqualValues(t, 10, state.Complete[0])
	var seen LSN
	require.NoError(t, i.Log().Replay(11, func(g Group) error {
		seen = g.Last()
		return nil
	}))
	require.EqualValues(t, 20, seen)
	c, err := i.Verify(func(err error) { t.Error(err) })
	require.NoError(t, err)
	require.Equal(t, 100, c.Images)
	require.Positive(t, c.BaseBytes)
	require.Positive(t, c.Segments)

	require.ErrorIs(t, i.Log().Append(Group{Epoch: state.Epoch, First: 21, Count: 1}), errInspected)
	require.ErrorIs(t, i.Base().Write(state.Epoch, 3, nil), errInspected)
	require.ErrorIs(t, i.Base().Complete(state.Epoch, 3, 1, 20, nil, nil), errInspected)
	require.ErrorIs(t, i.Base().Sweep(false, []uint64{1}), errInspected)
	scratch := i.scratch
	require.DirExists(t, scratch)
	require.NoError(t, i.Close())
	require.NoDirExists(t, scratch)
	require.NoError(t, mustOpen(t, dir, tiny()).Close())
}

// TestDamagedIndex flips a bit of the index of one of Badger's tables.
func TestDamagedIndex(t *testing.T) {
	dir := closedDir(t)
	tables, err := filepath.Glob(filepath.Join(dir, baseName, "*.sst"))
	require.NoError(t, err)
	require.NotEmpty(t, tables)
	b, err := os.ReadFile(tables[0])
	require.NoError(t, err)
	footer := 4 + int(binary.BigEndian.Uint32(b[len(b)-4:])) + 4
	b[len(b)-footer-20] ^= 1
	require.NoError(t, os.WriteFile(tables[0], b, 0o600))
	_, err = Inspect(dir, Options{})
	require.ErrorIs(t, err, ErrCorrupt)
}

// TestDamagedFooter flips bits of the lengths at the end of a table, each of
// which would have Badger end the process.
func TestDamagedFooter(t *testing.T) {
	dir := closedDir(t)
	tables, err := filepath.Glob(filepath.Join(dir, baseName, "*.sst"))
	require.NoError(t, err)
	whole, err := os.ReadFile(tables[0])
	require.NoError(t, err)
	for at := range 4 {
		b := append([]byte(nil), whole...)
		b[len(b)-4+at] ^= 0x40
		require.NoError(t, os.WriteFile(tables[0], b, 0o600))
		_, err = Inspect(dir, Options{})
		require.ErrorIs(t, err, ErrCorrupt)
		_, err = Open(dir, tiny())
		require.ErrorIs(t, err, ErrCorrupt)
	}
	require.NoError(t, os.WriteFile(tables[0], whole[:2], 0o600))
	_, err = Inspect(dir, Options{})
	require.ErrorIs(t, err, ErrCorrupt)
}
