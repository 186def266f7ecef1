package page

import (
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/brockdb/brock/internal/engine"
)

// Partitions is the number of partitions of keys and objects.
const Partitions = 64

// Memory is all pages of a store. The zero value is not usable; see NewMemory.
//
// One writer at a time changes pages, under the locks of the partitions that
// it changes; whoever reads the current version of a page holds its
// partition's lock for reading, is that writer, or has a snapshot that keeps
// the version immutable.
type Memory struct {
	pool *Pool
	seed uint64
	// track is false for a store that has no base: nothing is ever dirty.
	track bool
	parts [Partitions]Part
	lanes [Lanes]lane
	// zeroes is what a hole in a string reads as; never written.
	zeroes [chunkBytes]byte

	// newest is one more than the highest LSN of an open snapshot, 0 if there is none. It
	// changes only while all partitions are locked for reading, so a writer
	// that holds one for writing sees a constant.
	newest atomic.Uint64

	live    atomic.Int64 // descriptors in use
	reserve atomic.Int64 // bytes of blocks of descriptors

	mu    sync.Mutex
	views []uint64 // LSNs of open snapshots, ascending, one each
}

// Part is one partition's pages.
type Part struct {
	latch latch

	m  *Memory
	id int

	descs  []*[descChunk]desc // in blocks that never move, so a *desc stays valid
	ndescs pid                // descriptors ever made, with the unused number 0
	free   []pid

	nodes     []node // 1-based
	freeNodes []uint32
	retained  []uint32 // nodes in use, in the order of sup
	nodeBytes int64    // bytes of blocks that only nodes hold

	index  pageIndex // plain pages by object and number
	tables map[uint64]*Table

	// epoch counts the checkpoint steps that this partition took part in. A
	// page is dirty if its epoch is this one, or the one before while a step
	// runs that has not taken it; it is clean if its epoch is at most done.
	epoch      uint32
	done       uint32
	dirty      []pid
	dirtyBytes int64
	removed    []engine.Removal // images of pages that are gone
	stepLSN    uint64           // S of the running step, 0 if none

	retired []retired // pages and objects to free when no snapshot needs them
	dropped []Dropped // objects whose images are to be swept

	hand pid // the evictor's
}

// retired is a page, or an object with all its pages, that lsn removed.
type retired struct {
	lsn    uint64
	id     pid    // the page's descriptor
	object uint64 // the object or directory, 0 for a single page
	table  *Table // the directory
}

// Dropped is an object or directory that is gone.
type Dropped struct {
	Object uint64
	Dir    bool
}

const descChunk = 256

// NewMemory returns an empty memory. seed is the store's hash seed; track
// tells whether checkpoints will ask what changed.
func NewMemory(seed uint64, track bool) *Memory {
	m := &Memory{pool: NewPool(), seed: seed, track: track}
	for i := range m.parts {
		p := &m.parts[i]
		p.m, p.id = m, i
		p.latch.turn, p.latch.idle = make(chan struct{}, 1), make(chan struct{}, 1)
		p.ndescs = 1
		p.epoch = 1
		p.nodes = make([]node, 1)
		p.tables = make(map[uint64]*Table)
	}
	return m
}

// Close returns all page memory. Nothing may be used afterwards.
func (m *Memory) Close() error { return m.pool.Close() }

// Part returns a partition.
func (m *Memory) Part(i int) *Part { return &m.parts[i] }

// Seed returns the hash seed.
func (m *Memory) Seed() uint64 { return m.seed }

// Hash returns the hash of a key, field or member.
func (m *Memory) Hash(s string) uint64 { return Hash(m.seed, s) }

// pageBytes is about what a page takes beside its block: its descriptor, and an
// entry in the index or a place in a table.
const pageBytes = int64(unsafe.Sizeof(desc{})) + 16

// Used returns the bytes of pages: of their blocks and what leads to them.
func (m *Memory) Used() int64 { return m.pool.Used() - m.reserve.Load() + m.live.Load()*pageBytes }

// Trim returns memory to the system that nobody has needed since the last Trim.
func (m *Memory) Trim() { m.pool.Trim() }

// Mapped returns the bytes of memory that blocks stand in.
func (m *Memory) Mapped() int64 { return m.pool.Mapped() }

// RetainedBytes returns the bytes of old versions that snapshots keep.
func (p *Part) RetainedBytes() int64 {
	p.RLock(0)
	defer p.RUnlock(0)
	return p.nodeBytes
}

// PartitionOf returns the partition of a key with this hash.
func PartitionOf(hash uint64) int { return int(hash >> (64 - 6)) }

// Lock locks the partitions of mask for writing, in ascending order.
func (m *Memory) Lock(mask uint64) {
	for ; mask != 0; mask &= mask - 1 {
		m.parts[bits.TrailingZeros64(mask)].Lock()
	}
}

// Unlock undoes Lock.
func (m *Memory) Unlock(mask uint64) {
	for ; mask != 0; mask &= mask - 1 {
		m.parts[bits.TrailingZeros64(mask)].Unlock()
	}
}

// RLock locks the partitions of mask for reading, in ascending order, see
// [Part.RLock].
func (m *Memory) RLock(mask uint64, lane int) {
	for ; mask != 0; mask &= mask - 1 {
		m.parts[bits.TrailingZeros64(mask)].RLock(lane)
	}
}

// RUnlock undoes RLock.
func (m *Memory) RUnlock(mask uint64, lane int) {
	for ; mask != 0; mask &= mask - 1 {
		m.parts[bits.TrailingZeros64(mask)].RUnlock(lane)
	}
}

// All is the mask of all partitions.
const All = ^uint64(0)

// OpenSnapshot opens a snapshot of the state that committed returns, and
// returns its LSN. committed is called while no writer is inside a change. For
// lane see [Part.RLock].
func (m *Memory) OpenSnapshot(lane int, committed func() uint64) uint64 {
	m.RLock(All, lane)
	m.mu.Lock()
	s := committed()
	m.views = append(m.views, s) // s is never below an earlier one
	m.newest.Store(s + 1)
	m.mu.Unlock()
	m.RUnlock(All, lane)
	return s
}

// CloseSnapshot ends a snapshot. The versions that only it needed are freed by
// the next Reclaim.
func (m *Memory) CloseSnapshot(s uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := slices.BinarySearch(m.views, s)
	if !ok {
		panic("page: snapshot closed twice")
	}
	m.views = slices.Delete(m.views, i, i+1)
	// A lower newest only saves copies: a writer may see it at any time.
	newest := uint64(0)
	if n := len(m.views); n > 0 {
		newest = m.views[n-1] + 1
	}
	m.newest.Store(newest)
}

// SnapshotBefore tells whether a snapshot of a state before lsn is open. Once
// there is none there will not be one again.
func (m *Memory) SnapshotBefore(lsn uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.views) > 0 && m.views[0] < lsn
}

// needs tells whether an open snapshot reads a version that is valid from lsn
// until before sup.
func (m *Memory) needs(lsn, sup uint64) bool {
	i, _ := slices.BinarySearch(m.views, lsn)
	return i < len(m.views) && m.views[i] < sup
}

// at returns the descriptor numbered id.
func (p *Part) at(id pid) *desc { return &p.descs[id/descChunk][id%descChunk] }

// newDescs returns descriptors in a block of the pool: the Go heap, of which
// the garbage collector lets as much again be garbage, is no place for them.
func (m *Memory) newDescs() *[descChunk]desc {
	_, b := m.pool.Alloc(int(unsafe.Sizeof([descChunk]desc{})))
	m.reserve.Add(int64(len(b)))
	clear(b)
	return (*[descChunk]desc)(unsafe.Pointer(unsafe.SliceData(b)))
}

// newDesc returns an unused descriptor, zeroed.
func (p *Part) newDesc() (pid, *desc) {
	p.m.live.Add(1)
	if n := len(p.free); n > 0 {
		id := p.free[n-1]
		p.free = p.free[:n-1]
		return id, p.at(id)
	}
	id := p.ndescs
	if int(id/descChunk) == len(p.descs) {
		p.descs = append(p.descs, p.m.newDescs())
	}
	p.ndescs++
	return id, p.at(id)
}

// freeDesc gives a descriptor back, with its block.
func (p *Part) freeDesc(id pid) {
	d := p.at(id)
	p.dirtyBytes -= p.dirtied(d)
	if d.ref != none {
		p.m.pool.Free(d.ref)
	}
	*d = desc{}
	p.free = append(p.free, id)
	p.m.live.Add(-1)
}

// link adds a page to the list of its object's pages, behind page 0.
func (p *Part) link(head, id pid) {
	h, d := p.at(head), p.at(id)
	d.prev, d.next = head, h.next
	if h.next != none {
		p.at(h.next).prev = id
	}
	h.next = id
}

// unlink removes a page from the list of its object's pages.
func (p *Part) unlink(id pid) {
	d := p.at(id)
	if d.flags&flagDir != 0 {
		return
	}
	if d.prev != none {
		p.at(d.prev).next = d.next
	}
	if d.next != none {
		p.at(d.next).prev = d.prev
	}
	d.prev, d.next = none, none
}

// stepNeeds tells whether the running checkpoint step still has to take the
// current version of d.
func (p *Part) stepNeeds(d *desc) bool {
	return p.stepLSN != 0 && d.lsn <= p.stepLSN && d.epoch == p.epoch-1 && d.taken != p.epoch
}

// needed tells whether a snapshot or the running step needs the current version
// of d.
func (p *Part) needed(d *desc) bool {
	return d.lsn < p.m.newest.Load() || p.stepNeeds(d)
}

// preserve is called before the current version of d gives way to one of lsn.
// If a snapshot or the step needs it, a node takes over its block and preserve
// returns true: d.ref still names that block, which is immutable from now on.
// With force a node is made even if nobody needs it, without its block, so
// that older versions stay reachable.
func (p *Part) preserve(id pid, d *desc, lsn uint64, force bool) bool {
	if d.lsn == lsn {
		return false
	}
	needed := p.needed(d)
	if !needed && !force {
		return false
	}
	n := p.newNode()
	p.nodes[n] = node{
		lsn: d.lsn, sup: lsn, no: d.no, obj: d.obj, older: d.older,
		desc: id, kind: d.kind, depth: d.depth, flags: d.flags, step: p.stepNeeds(d),
	}
	if needed {
		p.nodes[n].ref = d.ref
		if d.ref != none {
			p.nodeBytes += int64(len(p.m.pool.Bytes(d.ref)))
		}
	}
	p.retained = append(p.retained, n)
	d.older = [2]uint32{n, n}
	return needed
}

// newNode returns an unused node.
func (p *Part) newNode() uint32 {
	if n := len(p.freeNodes); n > 0 {
		id := p.freeNodes[n-1]
		p.freeNodes = p.freeNodes[:n-1]
		return id
	}
	p.nodes = append(p.nodes, node{})
	return uint32(len(p.nodes) - 1)
}

// touch stamps d as changed by lsn and puts it on the list of dirty pages.
func (p *Part) touch(id pid, d *desc, lsn uint64) {
	d.lsn = lsn
	if p.m.track && d.epoch != p.epoch {
		d.epoch = p.epoch
		p.dirty = append(p.dirty, id)
		p.dirtyBytes += int64(len(p.m.pool.Bytes(d.ref)))
	}
}

// dirtied returns what d counts for in dirtyBytes: the size of its block, if it
// was changed since the last step. Whoever gives d another block takes off what
// it counts for before, and adds what it counts for then.
func (p *Part) dirtied(d *desc) int64 {
	if !p.m.track || d.epoch != p.epoch || d.ref == none {
		return 0
	}
	return int64(len(p.m.pool.Bytes(d.ref)))
}

// clean tells whether the base holds the current version of d.
func (p *Part) clean(d *desc) bool { return d.epoch <= p.done }

// retire removes a page: its descriptor stays for snapshots until Reclaim.
func (p *Part) retire(id pid, lsn uint64) {
	d := p.at(id)
	p.dirtyBytes -= p.dirtied(d)
	if p.preserve(id, d, lsn, true) {
		d.ref = none
	}
	if d.ref != none {
		p.m.pool.Free(d.ref)
		d.ref = none
	}
	d.lsn = lsn
	d.flags |= flagDead
	p.unlink(id)
	p.retired = append(p.retired, retired{lsn: lsn, id: id})
}

// Drop removes an object with all its pages, in O(1): what no snapshot needs
// is freed by Reclaim.
func (p *Part) Drop(obj, lsn uint64) {
	p.retired = append(p.retired, retired{lsn: lsn, object: obj})
}

// DropDir removes a directory with all its pages, in O(1).
func (p *Part) DropDir(t *Table, lsn uint64) {
	p.retired = append(p.retired, retired{lsn: lsn, object: t.obj, table: t})
}

// Clock tells Reclaim when to stop.
type Clock func() (stop bool)

// Reclaim frees old versions and retired pages that no snapshot needs, until
// stop says so, and tells whether it finished. It takes the partition's lock.
func (p *Part) Reclaim(stop Clock) (done bool) {
	p.Lock()
	defer p.Unlock()
	if len(p.retained) == 0 && len(p.retired) == 0 {
		return true
	}
	p.m.mu.Lock()
	views := slices.Clone(p.m.views)
	p.m.mu.Unlock()
	snap := &Memory{views: views} // needs() over a copy
	p.reclaimNodes(snap)
	return p.reclaimRetired(snap, stop)
}

// reclaimNodes frees blocks of versions that nobody needs and, from the oldest
// on, nodes that no snapshot can pass on its way to an older version.
func (p *Part) reclaimNodes(snap *Memory) {
	oldest := ^uint64(0)
	if len(snap.views) > 0 {
		oldest = snap.views[0]
	}
	if p.stepLSN != 0 && p.stepLSN < oldest {
		oldest = p.stepLSN
	}
	kept := p.retained[:0]
	for i, n := range p.retained {
		v := &p.nodes[n]
		if v.ref != none && !p.nodeNeeded(snap, v) {
			p.nodeBytes -= int64(len(p.m.pool.Bytes(v.ref)))
			p.m.pool.Free(v.ref)
			v.ref = none
		}
		if v.ref == none && v.sup <= oldest {
			p.cut(n)
			continue
		}
		kept = append(kept, p.retained[i])
	}
	p.retained = kept
}

// nodeNeeded tells whether a snapshot or the running step reads v.
func (p *Part) nodeNeeded(snap *Memory, v *node) bool {
	if v.step && p.stepLSN != 0 && p.at(v.desc).taken != p.epoch {
		return true
	}
	return snap.needs(v.lsn, v.sup)
}

// cut frees a node. Whoever still points at it never follows: every open
// snapshot is satisfied by a newer version.
func (p *Part) cut(n uint32) {
	p.nodes[n] = node{}
	p.freeNodes = append(p.freeNodes, n)
}

// reclaimRetired frees retired pages and objects that no snapshot is older than.
func (p *Part) reclaimRetired(snap *Memory, stop Clock) bool {
	for len(p.retired) > 0 {
		r := &p.retired[0]
		if p.stepLSN != 0 && p.stepLSN < r.lsn || len(snap.views) > 0 && snap.views[0] < r.lsn {
			return true // it, and all behind it, are still visible to someone
		}
		for {
			if stop() {
				return false
			}
			gone, pinned := p.reclaimOne(r)
			if pinned {
				return true // somebody is about to let go of it
			}
			if gone {
				break
			}
		}
		p.retired = p.retired[1:]
	}
	p.retired = nil
	return true
}

// reclaimOne frees one page of r and tells whether that was the last, or that
// it is pinned. What the base holds of it is garbage from now on.
func (p *Part) reclaimOne(r *retired) (gone, pinned bool) {
	switch {
	case r.object == 0:
		d := p.at(r.id)
		if d.pinned() {
			return false, true
		}
		switch {
		case d.flags&flagImaged != 0:
			p.removed = append(p.removed, d.imaged())
		case d.kind == 0: // cold, never looked at
			p.removed = append(p.removed, engine.Removal{Addr: d.addr()}, engine.Removal{Addr: d.addr(), Slot: 1})
		}
		p.freePage(r.id)
		return true, false
	case r.table != nil:
		if !p.reclaimLeaf(r.table) {
			return false, false
		}
	default:
		if gone, pinned = p.reclaimPage(r.object); !gone {
			return gone, pinned
		}
	}
	if p.m.track {
		p.dropped = append(p.dropped, Dropped{Object: r.object, Dir: r.table != nil})
	}
	return true, false
}

// reclaimPage frees one page of an object that is gone and tells whether none
// is left, or that it is pinned. The object's page 0, the last one, is found by
// its number: its descriptor comes and goes with the evictor and with readers
// of snapshots.
func (p *Part) reclaimPage(obj uint64) (gone, pinned bool) {
	head := p.lookup(pageKey{obj, 0})
	if head == none {
		return true, false
	}
	id := p.at(head).next
	if id == none {
		id = head
	}
	if p.at(id).pinned() {
		return false, true
	}
	if id != head {
		p.unlink(id)
		p.freePage(id)
		return false, false
	}
	p.freePage(head)
	delete(p.tables, obj)
	return true, false
}

// freePage frees a page's descriptor and block and forgets its number.
func (p *Part) freePage(id pid) {
	d := p.at(id)
	if d.flags&flagHashed == 0 {
		p.delist(pageKey{d.obj, d.no})
	}
	p.freeDesc(id)
}

// reclaimLeaf frees the last leaf of a directory that is gone and tells
// whether none is left.
func (p *Part) reclaimLeaf(t *Table) bool {
	n := len(t.leaves)
	if n == 0 {
		return true
	}
	id := t.leaves[n-1]
	for n > 0 && t.leaves[n-1] == id {
		n--
	}
	t.leaves = t.leaves[:n]
	p.freeDesc(id)
	return n == 0
}
