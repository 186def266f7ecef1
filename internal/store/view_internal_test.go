package store

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// inlineOf returns the short string that a key holds.
func inlineOf(t *testing.T, tx *Tx, key string) string {
	t.Helper()
	e, err := tx.Find(0, key)
	require.NoError(t, err)
	require.NotNil(t, e)
	return string(e.Inline)
}

// TestViewEndsItself has the housekeeper find too many old versions while a
// View's command runs: it does not wait, and the View ends after the command.
func TestViewEndsItself(t *testing.T) {
	s, err := OpenMemory(1, Options{NoTimers: true, MaxViewBytes: 1 << 10})
	require.NoError(t, err)
	change := func(to string) {
		for i := range 100 {
			set(t, s, fmt.Sprint("key:", i), to)
		}
	}
	change("before")
	require.NoError(t, s.View(func(tx *Tx) error {
		life := tx.Life()
		err := tx.Step(life, func(tx *Tx) error {
			change("after")
			s.Housekeep()
			require.Equal(t, "before", inlineOf(t, tx, "key:7"))
			return nil
		})
		require.NoError(t, err)
		s.reclaim()
		require.Zero(t, s.retained())
		require.ErrorIs(t, tx.Step(life, func(*Tx) error { return nil }), ErrRetention)
		return nil
	}))
	require.NoError(t, s.Close())
}

// TestSnapshotIsNotEnded has the housekeeper find too many old versions while
// a command reads from a snapshot.
func TestSnapshotIsNotEnded(t *testing.T) {
	s, err := OpenMemory(1, Options{NoTimers: true, MaxViewBytes: 1 << 10})
	require.NoError(t, err)
	for i := range 100 {
		set(t, s, fmt.Sprint("key:", i), "before")
	}
	require.NoError(t, s.Snapshot(nil, func(tx *Tx) error {
		for i := range 100 {
			set(t, s, fmt.Sprint("key:", i), "after")
			s.Housekeep()
			require.Equal(t, "before", inlineOf(t, tx, fmt.Sprint("key:", 99-i)))
		}
		return nil
	}))
	s.Housekeep()
	require.Zero(t, s.retained())
	require.NoError(t, s.Close())
}
