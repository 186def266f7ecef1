package brock

import "time"

// Stats is what a database tells of itself at one moment, see [DB.Stats].
type Stats struct {
	// Keys is the number of keys of each logical database; expired ones count
	// until they are collected.
	Keys []int64
	// Expiring is how many of Keys have a moment at which they expire.
	Expiring []int64
	// Bytes is the memory that pages take, ViewBytes included: old versions
	// kept for Views and checkpoints.
	Bytes     int64
	ViewBytes int64
	// MemoryBudget is the bound of Bytes, 0 for none.
	MemoryBudget int64
	// DiskBytes is about what Badger keeps on disk, LogBytes the log that a
	// recovery would have to read, DirtyBytes the pages that Badger does not
	// have yet.
	DiskBytes  int64
	LogBytes   int64
	DirtyBytes int64
	// Uncheckpointed is how many transactions, commands that changed something
	// included, came after the last round of checkpoint steps began, or after
	// Open.
	Uncheckpointed int64
	// CheckpointAt is when the last round of checkpoint steps ended, zero if
	// there was none since Open; Checkpoints is their number.
	CheckpointAt time.Time
	Checkpoints  int64
	// Loads is the number of commands that had to load pages, EvictedBytes
	// what was dropped to keep to the budget, Expired the number of keys that
	// the background removed.
	Loads        int64
	EvictedBytes int64
	Expired      int64
	// Commit tells how long writes of groups to the log took, Sync the syncs.
	Commit Latency
	Sync   Latency
	// Errors is the number of background errors; Options.Logger got them.
	Errors int64
	// Poisoned is the error that made the database unusable, nil if none did.
	Poisoned error
}

// Latency sums up how long calls took.
type Latency struct {
	Count int64
	Mean  time.Duration
	P99   time.Duration // of the last 256 calls
	Max   time.Duration
}

// Stats returns figures about the database: all of it, not the logical one. It
// does not wait for the disk.
//
// Redis: INFO.
func (db *DB) Stats() Stats {
	s := db.s.Stats()
	return Stats{
		Keys: s.Keys, Expiring: s.Expiring, Bytes: s.Bytes, ViewBytes: s.ViewBytes, MemoryBudget: s.Budget,
		DiskBytes: s.BaseBytes, LogBytes: s.LogBytes, DirtyBytes: s.DirtyBytes, CheckpointAt: s.CheckpointAt, Checkpoints: s.Rounds,
		Uncheckpointed: int64(s.Committed - s.Checkpointed),
		Loads:          s.Loads, EvictedBytes: s.EvictedBytes, Expired: s.Expired,
		Commit: Latency(s.Write), Sync: Latency(s.Sync), Errors: s.Errors, Poisoned: s.Poisoned,
	}
}
