package brock

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/store"
)

// Backup writes all data, queues included, as of one moment to w. Writers go
// on meanwhile; the old versions that the backup still has to read count
// against Options.MaxViewBytes. [Restore] reads it.
//
// Errors: w's; [ErrRetention]; [ErrClosed] if the database is closed meanwhile.
//
// Cost: O(data), with all that is not in memory loaded once.
//
// Redis: what BGSAVE's file is copied for.
func (db *DB) Backup(w io.Writer) error {
	if err := db.s.Backup(w); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// Restore makes a database in dir, which must be empty or not exist, with the
// data of a backup.
//
// Errors: [ErrFormat] for what is no backup; [ErrCorrupt] for a damaged one,
// in which case what was made of dir is of no use; os.ErrExist if dir is not
// empty.
func Restore(r io.Reader, dir string) (err error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("restore: %q is not empty: %w", dir, os.ErrExist)
	}
	eng, err := engine.Open(dir, engine.Options{})
	if err != nil {
		return fmt.Errorf("restore to %q: %w", dir, err)
	}
	s, err := store.Open(eng, store.Options{})
	if err != nil {
		return errors.Join(fmt.Errorf("restore: %w", err), eng.Close())
	}
	err = s.Restore(r)
	if err == nil {
		err = s.Checkpoint()
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}
