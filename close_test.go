package brock_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// openings are the ways to open a database that Close has to end.
func openings() map[string]func(*testing.T) *brock.DB {
	return map[string]func(*testing.T) *brock.DB{
		"memory": func(t *testing.T) *brock.DB {
			t.Helper()
			db, err := brock.OpenMemory(nil)
			require.NoError(t, err)
			return db
		},
		"directory": func(t *testing.T) *brock.DB {
			t.Helper()
			db, err := brock.Open(t.TempDir(), &brock.Options{MemoryBudget: 1 << 20})
			require.NoError(t, err)
			return db
		},
	}
}

// TestCloseInsideView closes the database in the callback of a View: its next
// command fails.
func TestCloseInsideView(t *testing.T) {
	for name, open := range openings() {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			require.NoError(t, db.Set("key", []byte("value")))
			err := db.View(func(tx *brock.Tx) error {
				if _, err := tx.Get("key"); err != nil {
					return err
				}
				require.NoError(t, db.Close())
				_, err := tx.Get("key")
				require.ErrorIs(t, err, brock.ErrClosed)
				_, err = tx.HGetAll("hash")
				return err
			})
			require.ErrorIs(t, err, brock.ErrClosed)
			require.ErrorIs(t, db.View(func(*brock.Tx) error { return nil }), brock.ErrClosed)
		})
	}
}

// TestCloseInsideUpdate closes the database in the callback of an Update: that
// is refused, and changes nothing.
func TestCloseInsideUpdate(t *testing.T) {
	for name, open := range openings() {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			require.NoError(t, db.Update(func(tx *brock.Tx) error {
				require.ErrorIs(t, db.Close(), brock.ErrNested)
				require.ErrorIs(t, db.View(func(*brock.Tx) error { return db.Close() }), brock.ErrNested)
				return tx.Set("key", []byte("value"))
			}))
			value, err := db.Get("key")
			require.NoError(t, err)
			require.Equal(t, "value", string(value))
			require.NoError(t, db.Set("key", []byte("other")))
			require.NoError(t, db.Close())
			require.NoError(t, db.Close())
		})
	}
}

// TestCheckpointInsideUpdate asks for what needs the writer lock inside the
// callback of an Update: it is refused, and the database stays usable.
func TestCheckpointInsideUpdate(t *testing.T) {
	db := openings()["directory"](t)
	require.NoError(t, db.Set("key", []byte("value")))
	require.NoError(t, db.Update(func(tx *brock.Tx) error {
		require.ErrorIs(t, db.Checkpoint(), brock.ErrNested)
		return tx.Set("key", []byte("other"))
	}))
	require.NoError(t, db.Checkpoint())
	require.NoError(t, db.Close())
}

// writerFunc is an io.Writer.
type writerFunc func(b []byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// TestCloseInsideBackup closes the database while a backup of it is written.
func TestCloseInsideBackup(t *testing.T) {
	for name, open := range openings() {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			for i := range 300 {
				require.NoError(t, db.Set(fmt.Sprintf("key:%d", i), make([]byte, 4000)))
			}
			for i := range 300 {
				setField(t, db, fmt.Sprintf("field:%d", i), 4000)
			}
			var once sync.Once
			err := db.Backup(writerFunc(func(b []byte) (int, error) {
				once.Do(func() { require.NoError(t, db.Close()) })
				return len(b), nil
			}))
			require.ErrorIs(t, err, brock.ErrClosed)
		})
	}
}

// setField sets a field of n bytes of the hash.
func setField(t *testing.T, db *brock.DB, field string, n int) {
	t.Helper()
	_, err := db.HSet("hash", brock.F(field, make([]byte, n)))
	require.NoError(t, err)
}

// TestCloseBesideAll closes the database while commands of all kinds run.
func TestCloseBesideAll(t *testing.T) {
	for name, open := range openings() {
		t.Run(name, func(t *testing.T) {
			for range sized(20, 2) {
				closeBesideAll(t, open(t))
			}
		})
	}
}

// closeBesideAll fills a database, has two goroutines of each kind work on it,
// and closes it once each has got something done.
func closeBesideAll(t *testing.T, db *brock.DB) {
	t.Helper()
	const n = 500
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("key:%d", i)
		require.NoError(t, db.Set(keys[i], make([]byte, 4000)))
		setField(t, db, keys[i], 300)
	}
	ctx := context.Background()
	work := []func(i int) error{
		func(i int) error { _, err := db.Get(keys[i%n]); return err },
		func(i int) error { _, err := db.MGet(keys[i%n], keys[i*7%n], keys[i*31%n]); return err },
		func(int) error { _, err := db.HGetAll("hash"); return err },
		func(i int) error {
			return db.View(func(tx *brock.Tx) error {
				for j := range 20 {
					if _, err := tx.Get(keys[(i+j)%n]); err != nil {
						return err
					}
				}
				_, err := tx.HGetAll("hash")
				return err
			})
		},
		func(i int) error { return db.Set(keys[i%n], make([]byte, 3000+i%2000)) },
		func(i int) error {
			return db.Update(func(tx *brock.Tx) error {
				if err := tx.Set(keys[i%n], make([]byte, 5000)); err != nil {
					return err
				}
				_, err := tx.HSet("hash", brock.F(keys[i*3%n], make([]byte, 200)))
				return err
			})
		},
		func(int) error { _, _, err := db.BLPop(ctx, "list"); return err },
		func(i int) error { _, err := db.RPush("list", []byte(keys[i%n])); return err },
		func(i int) error { _, err := db.Copy(keys[i%n], "copy", brock.Replace); return err },
		func(int) error { db.Stats(); return db.Sync() },
		func(int) error { return db.Checkpoint() },
		func(int) error { return db.Backup(io.Discard) },
	}
	var running sync.WaitGroup
	var begun sync.WaitGroup
	var failed atomic.Pointer[error]
	for _, fn := range work {
		for g := range 2 {
			begun.Add(1)
			running.Go(func() {
				for i := g * n / 2; ; i++ {
					err := fn(i)
					if i == g*n/2 {
						begun.Done()
					}
					if errors.Is(err, brock.ErrClosed) {
						return
					}
					if err != nil {
						failed.Store(&err)
						return
					}
				}
			})
		}
	}
	begun.Wait()
	require.NoError(t, db.Close())
	db.Stats()
	running.Wait()
	if err := failed.Load(); err != nil {
		require.NoError(t, *err)
	}
}
