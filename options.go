package brock

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/brockdb/brock/internal/store"
)

// Durability says when a change is acknowledged, that is, when the call that
// makes it returns.
type Durability int

// The durability modes.
const (
	// EverySecond, the default: the change is written to the log file, which
	// is synced at least once a second. The end of the process, kill -9
	// included, loses nothing acknowledged; a power cut at most the last
	// second.
	EverySecond Durability = iota
	// Always: the change is written and synced, with one sync for all who
	// wait. A power cut loses nothing acknowledged. Windows cannot keep that
	// promise, and may lose the database to a power cut in any mode: there
	// Always is refused, see [ErrDurability].
	Always
	// Relaxed: memory is changed. Close loses nothing; kill -9 what was not
	// yet written, milliseconds' worth.
	Relaxed
)

// String returns the mode's name.
func (d Durability) String() string {
	switch d {
	case EverySecond:
		return "everysecond"
	case Always:
		return "always"
	case Relaxed:
		return "relaxed"
	}
	return fmt.Sprintf("Durability(%d)", int(d))
}

// store returns the store's mode.
func (d Durability) store() (store.Durability, error) {
	switch d {
	case EverySecond:
		return store.EverySecond, nil
	case Always:
		return store.Always, nil
	case Relaxed:
		return store.Relaxed, nil
	}
	return 0, fmt.Errorf("brock: unknown durability %d", int(d))
}

// Clock is where a database's time comes from: expiry, stream ids, message
// expiry.
type Clock interface {
	Now() time.Time
	// AfterFunc has f called once d has passed, and returns a function that
	// stops it and tells whether it was in time.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Options configure a database. The zero value of a field means its default;
// negative numbers are refused.
type Options struct {
	// Durability says when a change is acknowledged. Default: EverySecond.
	Durability Durability
	// Databases is the number of logical databases. Default: 16.
	Databases int
	// MemoryBudget bounds the bytes of values in memory; 0 means no bound. A
	// quarter of it, at most 32 MiB, is kept for Badger's writing.
	// Keys, with about 100 bytes each, are always in memory, whatever it says;
	// of a key above 1 KiB that much.
	// OpenMemory ignores it.
	MemoryBudget int64
	// MaxTxBytes bounds the changes of one transaction, or of a command on its
	// own. Default: 600 MiB, which admits one value, key, field or member of
	// 512 MB.
	MaxTxBytes int64
	// MaxViewBytes bounds the old versions that are kept for Views. Default: 1 GiB.
	MaxViewBytes int64
	// SlowTx is how long an Update may be held before it is logged with its
	// caller. Default: 1 s.
	SlowTx time.Duration
	// Clock is where time comes from. Default: the system's clock.
	Clock Clock
	// Logger gets errors of background work and warnings. Default: silent.
	Logger *slog.Logger
}

// store returns the store's options.
func (o *Options) store() (store.Options, error) {
	if o == nil {
		o = &Options{}
	}
	d, err := o.Durability.store()
	so := store.Options{
		Databases: o.Databases, Durability: d, MemoryBudget: o.MemoryBudget,
		MaxTxBytes: o.MaxTxBytes, MaxViewBytes: o.MaxViewBytes, SlowTx: o.SlowTx, Logger: o.Logger,
	}
	if o.Clock != nil {
		so.Clock = o.Clock
	}
	return so, err
}
