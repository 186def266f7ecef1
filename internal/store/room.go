package store

import (
	"fmt"

	"github.com/brockdb/brock/internal/engine"
)

// Free space. Changes are refused while the device is nearly full, which the
// housekeeper looks at, and writers themselves after every roomEvery bytes of
// records. What is larger asks for its own room before it changes anything: a
// log that runs into the end of the device leaves the store unusable.

const (
	// minFree is the free space below which changes are refused: what is in
	// memory and in flight still has to be written.
	minFree = 32 << 20
	// roomEvery is how many bytes of records are written between two looks at
	// the device, at most, and what a change may take without one.
	roomEvery = 1 << 20
)

// checkSpace refuses changes while the device is nearly full.
func (s *Store) checkSpace() {
	if s.eng == nil {
		return
	}
	free, err := s.eng.Free()
	full := err == nil && free < minFree
	if s.full.Swap(full) != full {
		s.logger.Warn("brock: free space", "bytes", free, "changes refused", full)
	}
}

// roomFor fails if n bytes of records are too many for a transaction, or for
// the space that is left.
func (s *Store) roomFor(n int) error {
	if int64(n) > s.opts.MaxTxBytes {
		return fmt.Errorf("%w: %d bytes of changes", ErrTooLarge, n)
	}
	if n <= roomEvery || s.eng == nil {
		return nil
	}
	need := int64(n) + int64(n)/2 + minFree // the log divides them among segments
	if free, err := s.eng.Free(); err == nil && free < need {
		return fmt.Errorf("%d bytes of changes, %d free: %w", n, free, engine.ErrNoSpace)
	}
	return nil
}

// Reserve fails if n bytes of values are more than a transaction may change, or
// than there is space for. A command that changes pages in place calls it before
// its first change, to delete what has expired excepted; of a private
// transaction the records are what counts, see publish.
func (t *Tx) Reserve(n int) error {
	if t.user || t.changes != t.stepped {
		return nil
	}
	return t.s.roomFor(n)
}

// reserveAll is Reserve for values in a row.
func reserveAll[T any](t *Tx, values []T, size func(T) int) error {
	n := 0
	for _, v := range values {
		n += size(v)
	}
	return t.Reserve(n)
}
