package page

import (
	"sync/atomic"

	"github.com/brockdb/brock/internal/engine"
)

// Kind tells what a page's block holds.
type Kind uint8

// The kinds of pages. A page numbered 0 of an object, raw ones excepted, begins
// with the object's [Header]; what follows is the body.
const (
	KindRaw    Kind = 1 + iota // bytes of a string
	KindHashed                 // a Hashed block
	KindLeaf                   // an Ordered block of items
	KindInner                  // an Ordered block of children
	KindHeader                 // a header without a body
)

// none is the absent descriptor or node.
const none = 0

// pid is the number of a descriptor in its partition, or in an Access if the
// private bit is set. 0 is none.
type pid uint32

const privateBit pid = 1 << 31

// Flags of a descriptor.
const (
	flagHashed = 1 << iota // a page of a table: no is its first hash, depth its prefix length
	flagDir                // a page of a directory: never dropped
	flagImaged             // the base holds a complete image, see image
	flagDead               // retired: kept for snapshots only
	flagOrphan             // of a dropped object, and in no image: kept in memory for snapshots
)

// desc describes a page: its current version, where its older versions are,
// and what the base knows of it. 64 bytes, one cache line. Guarded by the
// partition's lock; the single writer may read it without.
type desc struct {
	ref   Ref    // the current version's block; 0 if cold
	lsn   uint64 // the transaction that made the current version
	no    uint64 // page number; a leaf's first position, too, see Table
	older [2]uint32
	obj   uint64
	prev  pid    // pages of the same object, for dropping it
	next  pid    // likewise; of a directory's leaf, which is in no list: its slots, see note
	epoch uint32 // dirty epoch of the last change, see Part.epoch
	taken uint32 // the epoch whose step has taken the image it needs
	kind  Kind
	depth uint8
	image uint8 // the base's image: slot, and the page's depth then << 1
	flags uint8
	pins  int32 // readers and commands that need the block to stay, and usedBit; atomic
}

// usedBit in pins: touched since the evictor's hand passed (second chance).
const usedBit = 1 << 30

// node is a version of a page that is no longer current but that a snapshot
// needs. older leads on: both entries are the same unless the page was merged
// from two, when the hash bit behind depth chooses.
type node struct {
	ref   Ref
	lsn   uint64
	sup   uint64 // the transaction that replaced it
	no    uint64
	obj   uint64
	older [2]uint32
	desc  pid // whose version it was
	kind  Kind
	depth uint8
	flags uint8
	step  bool // needed by the checkpoint step too
}

// addrOf returns the address in the base of a page as of a version. That of a
// table's leaf tells the range of hashes that it covers, so that a table can be
// built from addresses alone: a split or merge changes it.
func addrOf(obj, no uint64, depth, flags uint8) engine.Addr {
	a := engine.Addr{Dir: flags&flagDir != 0, Object: obj, No: no}
	if flags&flagHashed != 0 {
		a.Class, a.Depth = engine.ClassHashed, depth
	}
	return a
}

// addr returns the address of the page's current version.
func (d *desc) addr() engine.Addr { return addrOf(d.obj, d.no, d.depth, d.flags) }

// imaged returns where the base holds the page's image.
func (d *desc) imaged() engine.Removal {
	return engine.Removal{Addr: addrOf(d.obj, d.no, d.image>>1, d.flags), Slot: d.image & 1}
}

// setImage notes where the base holds the page's image.
func (d *desc) setImage(depth, slot uint8) {
	d.image = depth<<1 | slot
	d.flags |= flagImaged
}

// bodyOffset returns where the body begins in the page's block.
func bodyOffset(no uint64, kind Kind, flags uint8) int {
	if no == 0 && flags&flagHashed == 0 && kind != KindRaw {
		return HeaderSize
	}
	return 0
}

// offset returns where the body begins in the page's block.
func (d *desc) offset() int { return bodyOffset(d.no, d.kind, d.flags) }

// note remembers how many slots a directory's leaf has: a look-up that knows
// waits for memory once less. It follows every change of the block.
func (d *desc) note(h Hashed) {
	if d.flags&flagDir != 0 {
		d.next = pid(h.slots())
	}
}

// pin keeps the current block from being dropped or moved by the evictor.
func (d *desc) pin()   { atomic.AddInt32(&d.pins, 1) }
func (d *desc) unpin() { atomic.AddInt32(&d.pins, -1) }

// pinned tells whether anyone holds a pin.
func (d *desc) pinned() bool { return atomic.LoadInt32(&d.pins)&^usedBit != 0 }

// use notes that the page was touched.
func (d *desc) use() {
	if atomic.LoadInt32(&d.pins)&usedBit == 0 {
		atomic.OrInt32(&d.pins, usedBit)
	}
}
