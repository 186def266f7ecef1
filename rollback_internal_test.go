package brock

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/store"
)

// TestRolledBackDirectories has a transaction flush the database and fill it,
// and fail. What it made must not be there for the next flush, on disk either.
func TestRolledBackDirectories(t *testing.T) {
	mem := engine.NewMemory()
	open := func() *DB {
		s, err := store.Open(mem, store.Options{NoTimers: true})
		require.NoError(t, err)
		return newDB(s)
	}
	db := open()
	used := func() int64 {
		require.NoError(t, db.FlushAll())
		for range 3 {
			require.NoError(t, db.Checkpoint())
			db.s.Housekeep()
		}
		return db.Stats().Bytes
	}
	before := used()
	failed := errors.New("failed")
	for range 3 {
		require.ErrorIs(t, db.Update(func(tx *Tx) error {
			require.NoError(t, tx.Set("some", []byte("value")))
			require.NoError(t, tx.FlushDB())
			for i := range 2000 {
				require.NoError(t, tx.Set(fmt.Sprint("lost ", i), []byte("value")))
			}
			value, err := tx.Get("lost 7")
			require.NoError(t, err)
			require.Equal(t, "value", string(value))
			return failed
		}), failed)
		require.NoError(t, db.Checkpoint())
	}
	require.Equal(t, before, used(), "bytes left by what was rolled back")

	require.NoError(t, db.Set("old", nil))
	require.NoError(t, db.Update(func(tx *Tx) error {
		if err := tx.FlushDB(); err != nil {
			return err
		}
		for i := range 20_000 {
			if err := tx.Set(fmt.Sprint("kept ", i), []byte("value")); err != nil {
				return err
			}
		}
		return nil
	}))
	require.NoError(t, db.Checkpoint())
	require.NoError(t, db.Close())
	mem = mem.Reopen()
	db = open()
	defer func() { require.NoError(t, db.Close()) }()
	n, err := db.DBSize()
	require.NoError(t, err)
	require.EqualValues(t, 20_000, n)
	for i := range 20_000 {
		value, err := db.Get(fmt.Sprint("kept ", i))
		require.NoError(t, err)
		require.Equal(t, "value", string(value))
	}
}

// TestDatabasesChanged opens a store with another number of databases, from
// the log and from the base: what was there stays where it was.
func TestDatabasesChanged(t *testing.T) {
	for _, checkpoint := range []bool{false, true} {
		t.Run(fmt.Sprint("checkpoint=", checkpoint), func(t *testing.T) {
			mem := engine.NewMemory()
			for step, databases := range []int{16, 32, 4, 64, 16} {
				s, err := store.Open(mem, store.Options{NoTimers: true, Databases: databases})
				require.NoError(t, err)
				db := newDB(s)
				if step == 1 {
					require.NoError(t, db.DB(20).Set("key", []byte("of 20")))
				}
				require.NoError(t, s.Update(func(tx *store.Tx) error { // a name of the broker's
					e, ok, err := tx.LookupForWrite(tx.BrokerDB(), "queue")
					require.NoError(t, err)
					require.Equal(t, step > 0, ok)
					return tx.StringSet(tx.BrokerDB(), "queue", &e, []byte{byte(step)}, 0)
				}))
				require.NoError(t, db.Set("key", []byte{byte(step)}))
				n, err := db.DBSize()
				require.NoError(t, err)
				require.EqualValues(t, 1, n)
				if step >= 1 {
					value, err := db.DB(20).Get("key")
					require.NoError(t, err)
					require.Equal(t, "of 20", string(value))
				}
				if checkpoint {
					require.NoError(t, db.Checkpoint())
				}
				require.NoError(t, db.Close())
				mem = mem.Reopen()
			}
		})
	}
}
