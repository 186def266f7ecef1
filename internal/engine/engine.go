// Package engine is the seam between the store and what keeps its data: a
// [Log] that remembers committed transactions in order, and a [Base] that
// keeps page images. Segment files and Badger are the default pair; both in
// memory serve tests, and a fault-injecting layer wraps either.
//
// The store never asks an engine for transactions, isolation or conflict
// detection: it owns its data alone, which an epoch proves. A distributed
// engine implements the same two interfaces with the epoch held by a lease.
//
// Nothing here knows what a page or a record means.
package engine

import "errors"

// LSN is the number of a committed transaction; the first one is 1.
type LSN = uint64

// Errors that a driver reports. Each is wrapped with what was damaged, held or
// missing; test with errors.Is. Those that package brock exports begin with its
// name.
var (
	// ErrStaleEpoch means that another owner has raised the epoch; the store
	// must stop using this log and base.
	ErrStaleEpoch = errors.New("engine: stale epoch")
	// ErrCorrupt means that stored bytes are not what was written; the message
	// names the file and offset, or the page.
	ErrCorrupt = errors.New("brock: corrupt")
	// ErrNoSpace means that the device has too little free space to go on
	// safely. Nothing was written.
	ErrNoSpace = errors.New("brock: no space left")
	// ErrNotFound means that the base holds no complete image of a page.
	ErrNotFound = errors.New("engine: no such image")
	// ErrLocked means that another process or DB has the directory open; the
	// message names the owner's process id.
	ErrLocked = errors.New("brock: directory is locked")
	// ErrFormat means that the directory was written by a newer format version
	// or by something else.
	ErrFormat = errors.New("brock: unknown format")
	// ErrClosed means that the driver has been closed.
	ErrClosed = errors.New("engine: closed")
)

// Group is the unit that is appended to a [Log]: Count transactions with
// consecutive numbers First, First+1, …, First+Count-1. A group is all or
// nothing: after a crash [Log.Replay] gives it whole or not at all.
type Group struct {
	Epoch   uint64
	First   LSN
	Count   uint32
	Payload []byte // opaque; may be larger than a segment
}

// Last returns the number of the group's last transaction.
func (g Group) Last() LSN { return g.First + LSN(g.Count) - 1 }

// Log is an append-only sequence of groups. Append and Sync may run at the same
// time, each at most once; the other methods are called when neither runs,
// TruncateBefore, Size and Synced excepted, which are safe at any time.
type Log interface {
	// Append writes g behind all earlier groups. When it returns nil the group
	// survives the end of the process, but not yet a power cut. Payload is not
	// retained. After an error the log is unusable; whether the group is found
	// again by Replay is unknown. Only ErrNoSpace may leave it as it was: then
	// nothing was written, and a later Append may succeed.
	Append(g Group) error

	// Sync makes every group whose Append had returned before the call durable.
	Sync() error

	// Synced returns the number of the last transaction known to be durable.
	Synced() LSN

	// Replay calls fn, in order, for each group with a transaction numbered
	// from or higher that survived. It stops at the first torn group, which it
	// drops. Damage that a crash cannot explain is ErrCorrupt. Payload is valid
	// during fn only.
	//
	// From must not lie behind a transaction that may have been lost: the one
	// after the last that the base holds is right, and 0 always is. Where the
	// log begins later than that, so does the first group: to see whether
	// something is missing is the caller's part.
	Replay(from LSN, fn func(Group) error) error

	// TruncateBefore lets the log forget groups all of whose transactions are
	// numbered below lsn. How much is really dropped is up to the driver.
	TruncateBefore(lsn LSN) error

	// Size returns the bytes of log that a Replay would have to read.
	Size() int64

	// Close syncs and releases the log.
	Close() error
}

// Class tells apart the address spaces of the pages of one object.
type Class uint8

// The classes of pages.
const (
	ClassPlain  Class = iota // pages numbered by No; Depth is 0
	ClassHashed              // pages that cover a hash range: No is its first hash, Depth the length of the prefix in bits
)

// Addr is the address of a page in the base: it never changes and is never
// used for another page.
type Addr struct {
	Dir    bool   // a page of a directory of keys: Object is the partition << 56 | the space's id; loaded at Open
	Class  Class  //
	Depth  uint8  //
	Object uint64 // its top byte is its partition
	No     uint64 //
}

// Partition returns the partition that the page belongs to.
func (a Addr) Partition() int { return int(a.Object >> 56) }

// Image is one page's bytes as of LSN. A base holds up to two images of a
// page, in slots 0 and 1: a step writes the slot that the page's last complete
// image does not hold, so that this one is never overwritten.
type Image struct {
	Addr Addr
	Slot uint8  // 0 or 1
	Kind uint8  // what the bytes are; opaque here
	Step uint64 // number of the checkpoint step that wrote it, never reused
	LSN  LSN    // number of the last transaction that changed the page
	Data []byte // opaque, of any size
}

// PartitionCount is the number of partitions that a base distinguishes: 64 of
// keys and objects, and one, the last, of the store's own tables.
const PartitionCount = 65

// State is what a base knows of its completed checkpoint steps.
type State struct {
	Store    uint64              // identifies the store; random, made when it was created
	Seed     uint64              // the store's hash seed; random, made when it was created
	Epoch    uint64              // raised durably by each Open
	LastStep uint64              // the highest step number ever begun; the next step takes a higher one
	Complete [PartitionCount]LSN // per partition, S of the last complete step: records up to it are in its images
	Tables   []byte              // the store's own tables (databases, spaces) as of Complete[64]; opaque
}

// Removal names an image that is superseded or a page that is gone.
type Removal struct {
	Addr Addr
	Slot uint8
}

// Base keeps page images. A checkpoint step is any number of Write calls with
// one step number, then one Complete. Writes promise nothing until Complete,
// which is all or nothing and durable when it returns: until then, and after a
// crash before it, the base gives what it gave before the step.
//
// One goroutine at a time writes (Write, Complete, Sweep, Tidy); Load, List and
// Get may run beside it, and each other. What they call back may read, too.
type Base interface {
	// State returns what Open found, as changed by each Complete since.
	State() State

	// Write adds images of the step to the base, in atomic batches or not.
	// Data is not retained. A step may be given up, after ErrNoSpace for
	// instance, by beginning one with a higher number: its images then never
	// count.
	Write(epoch, step uint64, images []Image) error

	// Complete makes all images of the step durable, then durably records
	// that the partitions whose bits are set in parts (bit 64 cannot be: the
	// tables are always part of a step) are complete at s, with tables as the
	// store's tables. Then the removals, which the step has superseded, are
	// deleted in the background of the contract: they may come back after a
	// crash, and the highest step number wins.
	Complete(epoch, step uint64, parts uint64, s LSN, tables []byte, removals []Removal) error

	// Load calls fn for each complete image of each directory page of the
	// partitions, in no particular order; both slots when both are complete.
	// Data is valid during fn only. An unreadable image is ErrCorrupt unless
	// a complete one of the other slot with a higher step is readable.
	Load(fn func(Image) error) error

	// List calls fn with the complete images of class of an object, without Data
	// and LSN.
	List(object uint64, class Class, fn func(Image) error) error

	// Get returns the complete image of a page with the highest step number.
	// Its Data is the caller's. ErrNotFound if there is none.
	Get(addr Addr) (Image, error)

	// LastObject returns the highest object number (of pages that are not of a
	// directory) in a partition, with its partition byte, 0 if there is none.
	LastObject(partition int) (uint64, error)

	// Objects calls fn with each object number (not of directories) that has any image, complete
	// or not, in ascending order from the given one; fn returns the next number
	// to seek to, 0 to stop. It is for sweeping what nothing reaches.
	Objects(from uint64, fn func(object uint64) (next uint64)) error

	// Sweep deletes all images of the objects, in the background of the
	// contract: they may come back after a crash. dir tells whether the
	// numbers are those of directories.
	Sweep(dir bool, objects []uint64) error

	// Tidy does what is due after a step, such as garbage collection. It may
	// take long, and stops early when stop is closed.
	Tidy(stop <-chan struct{}) error

	// Snapshot returns an iterator over all complete images as of the last
	// Complete, for a backup; close it soon, and before the base.
	Snapshot() (Snapshot, error)

	// Size returns the bytes of storage that the base uses, approximately.
	Size() int64

	Close() error
}

// Snapshot is a frozen view of a base.
type Snapshot interface {
	State() State
	// Each calls fn for each complete image; Data is valid during fn only.
	Each(fn func(Image) error) error
	Close() error
}

// Engine is a log and a base that belong together.
type Engine interface {
	Log() Log
	Base() Base
	// Free returns the bytes that may still be written before ErrNoSpace is
	// due, or a very large number where that is unknown.
	Free() (int64, error)
	// PowerSafe tells whether a base that has said that a step is complete can
	// be relied on after a power cut. Without it nothing keeps what
	// acknowledging after a sync promises.
	PowerSafe() bool
	// Close closes log and base and releases the directory.
	Close() error
}
