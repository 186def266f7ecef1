package store

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// TestNameSwept follows the object that holds a long key: it is kept as long as
// the key, also by the search for orphans, and swept with it.
func TestNameSwept(t *testing.T) {
	m := engine.NewMemorySeed(1, 2)
	s := openMem(t, m, Options{})
	rounds := func() {
		for range 3 {
			set(t, s, "other", "x") // so that all partitions get to know
			s.Housekeep()
			require.NoError(t, s.Checkpoint())
		}
	}
	set(t, s, nameOf(1), "a string")
	update(t, s, func(tx *Tx) error { return push(tx, 0, "small", "x") })
	rounds()
	require.Len(t, objectsOf(t, m), 2, "the string and its key")
	update(t, s, func(tx *Tx) error { return rename(tx, 0, "small", 0, nameOf(2)) })
	update(t, s, func(tx *Tx) error { return duplicate(tx, 0, nameOf(1), 1, nameOf(1)) })
	rounds()
	require.Len(t, objectsOf(t, m), 5)
	update(t, s, func(tx *Tx) error { return rename(tx, 0, nameOf(1), 0, nameOf(2)) })
	set(t, s, nameOf(2), "another")
	rounds()
	require.Len(t, objectsOf(t, m), 4)

	want := contents(t, s)
	back := m.Crash(engine.Crash{Resurrect: true})
	s, m = openMem(t, back, Options{}), back
	rounds()
	require.Len(t, objectsOf(t, m), 4, "what came back is swept")
	want["0/other"] = contents(t, s)["0/other"]
	sameContents(t, want, contents(t, s), "after that")
	update(t, s, func(tx *Tx) error { return tx.FlushDB(0, 1) })
	rounds()
	require.Empty(t, objectsOf(t, m))
}

// TestNameRecords looks at what a long key costs in the log: it is written when
// it is made, and its short form stands for it from then on.
func TestNameRecords(t *testing.T) {
	s := openMem(t, engine.NewMemory(), Options{})
	key := strings.Repeat("k", 1<<20)
	size := func(fn func(tx *Tx) error) (n int) {
		update(t, s, func(tx *Tx) error {
			err := fn(tx)
			n = len(tx.recs)
			return err
		})
		return n
	}
	require.InDelta(t, 1<<20, size(func(tx *Tx) error { return setString(tx, 0, key, "1") }), 2000)
	require.Less(t, size(func(tx *Tx) error { return setString(tx, 0, key, "2") }), 2000)
	require.Less(t, size(func(tx *Tx) error {
		e, _, err := tx.LookupForWrite(0, key)
		if err != nil {
			return err
		}
		return tx.SetDeadline(0, key, e, tx.Now()+1000)
	}), 2000)
	require.Less(t, size(func(tx *Tx) error { _, err := tx.Delete(0, key); return err }), 2000)
}

// TestNameDamaged reads a directory in which a short form has lost its name,
// and a short key has one.
func TestNameDamaged(t *testing.T) {
	for _, damaged := range []func(sp *space, tx *Tx) error{
		func(sp *space, tx *Tx) error {
			l := tx.s.newLongName(nameOf(1))
			return tx.put(sp, l.hash, l.form, (&Entry{Type: String}).append(nil))
		},
		func(sp *space, tx *Tx) error {
			entry := withName((&Entry{Type: String}).append(nil), tx.newObject(1))
			return tx.put(sp, tx.keyHash("k"), "k", entry)
		},
	} {
		s := openMem(t, engine.NewMemory(), Options{})
		update(t, s, func(tx *Tx) error { return damaged(tx.spaces.dbs[0], tx) })
		require.ErrorIs(t, s.View(func(tx *Tx) error { return contentsOf(tx, map[string]string{}) }), engine.ErrCorrupt)
	}
}
