package brock

import (
	"fmt"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/store"
)

// Open opens the database in a directory, which is created if need be, with
// all that was acknowledged, see [Durability]. opts may be nil. One process at
// a time may have it open.
//
// Errors: [ErrLocked], naming the owner's process id; [ErrFormat]; [ErrCorrupt],
// naming what is damaged or missing; [ErrDurability].
//
// Cost: at most 0.5 us for each key and 1 us for each change since the last
// checkpoint.
func Open(dir string, opts *Options) (*DB, error) {
	so, err := opts.store()
	if err != nil {
		return nil, err
	}
	eng, err := engine.Open(dir, engine.Options{Logger: so.Logger})
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", dir, err)
	}
	s, err := store.Open(eng, so)
	if err != nil {
		_ = eng.Close() // what Open met is what the caller has to know
		return nil, fmt.Errorf("open %q: %w", dir, err)
	}
	db := newDB(s)
	db.dir = dir
	return db, nil
}
