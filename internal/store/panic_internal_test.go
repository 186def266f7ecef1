package store

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// TestPanicLeavesNoLock has commands panic before they change anything, in every
// way that commands run: others go on.
func TestPanicLeavesNoLock(t *testing.T) {
	fault := errors.New("a fault")
	fail := func(*Tx) error { panic(fault) }
	for name, run := range map[string]func(*Store) error{
		"read":     func(s *Store) error { return s.ReadKey("k", nil, fail) },
		"read all": func(s *Store) error { return s.Read(All, nil, fail) },
		"snapshot": func(s *Store) error { return s.Snapshot(nil, fail) },
		"write":    func(s *Store) error { return s.WriteKey("k", nil, fail) },
		"exec":     func(s *Store) error { return s.Exec(nil, fail) },
	} {
		t.Run(name, func(t *testing.T) {
			s := openMem(t, engine.NewMemory(), Options{})
			set(t, s, "k", "v")
			require.PanicsWithValue(t, fault, func() { _ = run(s) })
			set(t, s, "k", "w")
			require.Equal(t, "w", inline(t, s, "k"))
			require.NoError(t, s.Close())
		})
	}
}

// inline returns the short string that a key holds.
func inline(t *testing.T, s *Store, key string) (value string) {
	t.Helper()
	require.NoError(t, s.ReadKey(key, nil, func(tx *Tx) error {
		e, _, err := tx.Lookup(0, key)
		value = string(e.Inline)
		return err
	}))
	return value
}

// TestPanicAfterChange has a command panic once it has changed something: the
// store is unusable. Between two steps of a transaction it is not, and what
// those before have changed is there, also after a crash.
func TestPanicAfterChange(t *testing.T) {
	s := openMem(t, engine.NewMemory(), Options{})
	require.Panics(t, func() {
		_ = s.WriteKey("k", nil, func(tx *Tx) error {
			require.NoError(t, tx.Step(tx.Life(), func(tx *Tx) error { return setString(tx, 0, "k", "v") }))
			panic("between two steps")
		})
	})
	require.Equal(t, "v", inline(t, s, "k"))
	require.Equal(t, "v", inline(t, crashed(t, s, engine.Crash{}), "k"))
	require.Panics(t, func() {
		_ = s.WriteKey("k", nil, func(tx *Tx) error {
			require.NoError(t, setString(tx, 0, "k", "w"))
			panic("within a step")
		})
	})
	require.ErrorIs(t, s.WriteKey("k", nil, func(*Tx) error { return nil }), ErrPoisoned)
	require.Equal(t, "v", inline(t, crashed(t, s, engine.Crash{}), "k"), "half of a command is not there")
}
