package brock

import (
	"errors"
	"fmt"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/store"
)

// CheckReport is what [Check] has found in a directory.
type CheckReport struct {
	Faults []error // each wraps ErrCorrupt and names what is damaged; nil if nothing is

	Segments  int    // files of the log
	LogBytes  int64  // their size
	BaseBytes int64  // of Badger's files
	Images    int    // of pages, readable and complete
	Last      uint64 // number of the last transaction
	InLog     uint64 // transactions up to it that are not in all images yet

	Keys    []int64 // of each logical database, expired ones included
	Queues  int64
	Objects int // keys' values, and whole names, that have pages of their own
	Orphans int // objects of the base that no key names: the next rounds of checkpoints sweep them
}

// Check reads all that a directory holds, and changes nothing there, whatever
// state a crash has left it in. It recovers the database in memory as [Open]
// does, so that the log is seen to be whole, and verifies: the checksums of the
// log, of the images of pages and of Badger's tables; that each key is where its
// hash says; that the object that an entry names exists, has the entry's type
// and as many elements as its header says, and is named by no other; that a
// sorted set's two halves agree; and that the whole of each long name is there.
//
// Errors: [ErrLocked] while the directory is open elsewhere; [ErrFormat]; an
// error of the system's, such as fs.ErrNotExist; [ErrCorrupt] if there are
// faults, in which case the report tells all of them that were met.
//
// Cost: O(data). It takes the memory that Open takes without a budget, about
// 100 MiB more, and, in the directory for temporary files, a copy of Badger's
// tables, a few percent of the base.
func Check(dir string) (*CheckReport, error) {
	r := &CheckReport{}
	eng, err := engine.Inspect(dir, engine.Options{})
	if err == nil {
		err = r.inspect(eng)
	}
	if errors.Is(err, ErrCorrupt) {
		r.fault(err)
		err = nil
	}
	if err == nil && len(r.Faults) > 0 {
		err = fmt.Errorf("%d faults, the first: %w", len(r.Faults), r.Faults[0])
	}
	if err != nil {
		return r, fmt.Errorf("check %q: %w", dir, err)
	}
	return r, nil
}

// fault notes a fault.
func (r *CheckReport) fault(err error) { r.Faults = append(r.Faults, err) }

// inspect reads what an engine holds, and closes it.
func (r *CheckReport) inspect(eng *engine.Inspection) (err error) {
	defer func() { err = errors.Join(err, eng.Close()) }()
	c, err := eng.Verify(r.fault)
	r.Segments, r.LogBytes, r.BaseBytes, r.Images = c.Segments, c.LogBytes, c.BaseBytes, c.Images
	if err != nil {
		return err
	}
	f, err := store.Check(eng, r.fault)
	r.Last, r.InLog, r.Keys, r.Queues, r.Objects, r.Orphans = f.Last, f.InLog, f.Keys, f.Queues, f.Objects, f.Orphans
	return err
}
