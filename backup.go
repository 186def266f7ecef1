package brock

import (
	"errors"
	"fmt"
	"io"

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
// data of a backup. When it fails, it leaves nothing behind. What a crash has
// left of it cannot be opened, which is [ErrCorrupt]: remove it.
//
// Errors: [ErrFormat] for what is no backup; [ErrCorrupt] for a damaged or
// incomplete one; os.ErrExist if dir is not empty; r's.
func Restore(r io.Reader, dir string) error {
	backup := store.BackupReader(r)
	if err := store.CheckBackup(backup); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	eng, err := engine.Create(dir, engine.Options{})
	if err != nil {
		return fmt.Errorf("restore to %q: %w", dir, err)
	}
	if err = fill(eng, backup); err == nil {
		err = eng.Finish()
	}
	if err != nil {
		return fmt.Errorf("restore: %w", errors.Join(err, eng.Discard()))
	}
	return nil
}

// fill puts the data of a backup into a new engine, durably, and closes it.
func fill(eng engine.Engine, backup io.Reader) error {
	s, err := store.Open(eng, store.Options{})
	if err != nil {
		return errors.Join(err, eng.Close())
	}
	err = s.Restore(backup)
	if err == nil {
		err = s.Checkpoint()
	}
	return errors.Join(err, s.Close())
}
