package page

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/brockdb/brock/internal/engine"
)

// Mode decides what an Access sees and how it changes pages.
type Mode uint8

// The modes.
const (
	// Shared reads current versions. The caller holds the read locks of the
	// partitions in Held, or is the writer.
	Shared Mode = iota
	// Snapshot reads the versions of one LSN and locks a partition for the
	// moment of each look-up; it holds pins, see Release.
	Snapshot
	// Direct changes current versions in place. The caller is the writer and
	// holds the write locks of the partitions in Held. A function that fails
	// in this mode has changed nothing.
	Direct
	// Private changes copies, which Publish makes visible and Discard drops.
	// The caller is the writer; it holds no partition's lock.
	Private
)

// Errors that ask the caller to do something and to run the command again.
var (
	// ErrCold means that pages have to be loaded first: call Load.
	ErrCold = errors.New("page: cold")
	// ErrHeld means that partitions are missing from Held: see Want.
	ErrHeld = errors.New("page: partition not held")
)

// Source is where cold pages come from; an [engine.Base] is one.
type Source interface {
	Get(addr engine.Addr) (engine.Image, error)
	List(object uint64, class engine.Class, fn func(engine.Image) error) error
}

// Access is the way of one command or transaction to the pages. Not safe for
// concurrent use. The zero value is unusable; see Begin.
type Access struct {
	// Lane is what it counts in as a reader of a partition, see [Part.RLock].
	Lane int

	m    *Memory
	mode Mode
	lsn  uint64 // Snapshot: what to read; Direct and Private: what is being made
	held uint64

	// want is set with ErrHeld: the partitions to hold as well.
	want uint64
	// cold is set with ErrCold: the pages to load, each once.
	cold  []coldPage
	noted map[coldPage]bool // what cold has
	// lost are the pages that were not found, until Release, see missing.
	lost map[coldPage]bool
	// src, if not nil, is asked for cold pages at once, instead of ErrCold.
	src Source

	exposed uint64 // the newest version read

	counted uint64 // see Counted

	hit   hit
	last  lastLeaf
	first firstPage
	edge  edge
	pins  []*desc
	keep  []*desc // Private: pins of changed pages
	path  []frame

	over   []overlay // Private: changed pages
	find   map[uint64]int
	news   map[pageKey]pid   // Private: new plain pages
	tables map[uint64]*Table // Private: those of objects whose leaves have moved to pages of their own
	dirs   []*Table          // Private: new directories
	drops  []uint64
	descs  [][]desc // private descriptors
	ndescs pid
	mask   uint64 // Private: partitions with changes
}

// overlay is a committed page that a transaction has changed.
type overlay struct {
	part  uint8
	dead  bool
	id    pid    // the committed descriptor
	priv  pid    // the private version
	sub   *Table // the private leaves that replace it, if it was split
	small *Table // its table, if it may be merged with its buddy
}

// coldPage is a page, or an object's table, to load.
type coldPage struct {
	addr  engine.Addr
	id    pid    // a hashed page's descriptor
	node  uint32 // an old version's node
	done  uint32 // Part.done when it was missed
	table bool
}

// pg is one version of a page, as an Access sees it. Valid until the next
// change through the same Access, or the end of its lock or pin.
type pg struct {
	p     *Part
	id    pid
	d     *desc // nil for an old version
	block []byte
	off   int // where the body begins
	kind  Kind
	depth uint8
	flags uint8  // of the descriptor
	node  uint32 // of an old version that is cold: block is nil
	no    uint64
	obj   uint64
	lsn   uint64
}

// body returns the page's bytes behind the header.
func (g *pg) body() []byte { return g.block[g.off:] }

// header returns the header of a page 0.
func (g *pg) header() Header { return Header(g.block[:HeaderSize]) }

// Begin prepares a for a command. lsn is the snapshot's, or the number that
// the change will have; held the partitions that the caller has locked. src
// may be nil, see ErrCold.
func (a *Access) Begin(m *Memory, mode Mode, lsn, held uint64, src Source) {
	if a.m != m {
		a.m = m
	}
	if a.src != src {
		a.src = src
	}
	a.mode, a.lsn, a.held, a.want, a.exposed = mode, lsn, held, 0, 0
	a.cold = a.cold[:0]
	a.first.obj = 0
	a.forget()
}

// forget drops the memory of the last look-ups.
func (a *Access) forget() {
	if a.hit.t != nil {
		a.hit.t = nil
	}
	a.last.ok = false
}

// Mode returns the mode.
func (a *Access) Mode() Mode { return a.mode }

// LSN returns the snapshot's LSN, or the number that the change will have.
func (a *Access) LSN() uint64 { return a.lsn }

// Exposed returns the newest transaction that made a version which was read
// since Begin; with changes of one's own, the number that those will have.
func (a *Access) Exposed() uint64 { return a.exposed }

// Expose notes a transaction that made what is read.
func (a *Access) Expose(lsn uint64) {
	if lsn > a.exposed {
		a.exposed = lsn
	}
}

// Want returns the partitions that ErrHeld asked for.
func (a *Access) Want() uint64 { return a.want }

// Memory returns the memory.
func (a *Access) Memory() *Memory { return a.m }

// Release gives up what keeps pages in memory for this access.
func (a *Access) Release() {
	a.forget()
	if a.lost != nil {
		a.lost = nil
	}
	for _, d := range a.pins {
		d.unpin()
	}
	a.pins = a.pins[:0]
}

// desc returns a descriptor, committed or private.
func (a *Access) desc(p *Part, id pid) *desc {
	if id&privateBit != 0 {
		i := id &^ privateBit
		return &a.descs[i/descChunk][i%descChunk]
	}
	return p.at(id)
}

// enter makes sure that the partition of obj may be read or changed.
func (a *Access) enter(part int) (*Part, error) {
	if a.mode == Shared || a.mode == Direct {
		if bit := uint64(1) << part; a.held&bit == 0 {
			a.want |= bit
			return nil, ErrHeld
		}
	}
	return &a.m.parts[part], nil
}

// fetch returns a plain page of an object.
func (a *Access) fetch(obj, no uint64) (g pg, err error) {
	err = a.fetchInto(&g, obj, no)
	return g, err
}

// fetchInto makes g what fetch returns: for who fetches many.
func (a *Access) fetchInto(g *pg, obj, no uint64) error {
	part := int(obj >> 56)
	if part >= Partitions {
		return fmt.Errorf("page: object %#x: %w", obj, engine.ErrCorrupt)
	}
	p, err := a.enter(part)
	if err != nil {
		return err
	}
	switch a.mode {
	case Snapshot:
		*g, err = a.fetchAt(p, obj, no)
		return err
	case Private:
		*g, err = a.fetchPrivate(p, obj, no)
		return err
	default: // the current version
	}
	id := a.first.id
	if no != 0 || a.first.obj != obj {
		if id, err = a.inMemory(p, pageKey{obj, no}); err != nil {
			return err
		}
	}
	if no == 0 {
		a.first = firstPage{obj, id}
	}
	a.fill(g, p, id, p.at(id))
	return nil
}

// inMemory returns the descriptor of a plain page, once that is in memory.
func (a *Access) inMemory(p *Part, k pageKey) (pid, error) {
	id := p.lookup(k)
	if id == none || p.at(id).ref == none {
		if err := a.miss(p, coldPage{addr: engine.Addr{Object: k.obj, No: k.no}}); err != nil {
			return none, err
		}
		id = p.lookup(k)
	}
	return id, nil
}

// firstPage is where page 0 of an object is: a command asks for it several
// times. It is good while the partition is locked, unless the page is removed.
type firstPage struct {
	obj uint64 // 0 if there is none
	id  pid
}

// fetchPrivate returns a plain page as the transaction has left it. The
// partition is locked for the look-up, since others load and drop pages.
func (a *Access) fetchPrivate(p *Part, obj, no uint64) (pg, error) {
	k := pageKey{obj, no}
	if id, ok := a.news[k]; ok {
		return a.current(p, id), nil
	}
	for {
		p.RLock(a.Lane)
		if id := p.lookup(k); id != none {
			if o := a.overlay(p, id); o != nil {
				p.RUnlock(a.Lane)
				return a.current(p, o.priv), nil
			}
			if a.hold(p.at(id)) {
				g := a.current(p, id)
				p.RUnlock(a.Lane)
				return g, nil
			}
		}
		p.RUnlock(a.Lane)
		if err := a.miss(p, coldPage{addr: engine.Addr{Object: obj, No: no}}); err != nil {
			return pg{}, err
		}
	}
}

// hold pins a page until Release and tells whether it is in memory.
func (a *Access) hold(d *desc) bool {
	if d.ref == none {
		return false
	}
	d.pin()
	a.pins = append(a.pins, d)
	return true
}

// current returns the version that a descriptor names. The partition is locked
// unless the descriptor is private.
func (a *Access) current(p *Part, id pid) (g pg) {
	a.fill(&g, p, id, a.desc(p, id))
	return g
}

// fill makes g what current returns.
func (a *Access) fill(g *pg, p *Part, id pid, d *desc) {
	if d.flags&flagDir == 0 {
		d.use()
	}
	a.Expose(d.lsn)
	g.p, g.id, g.d, g.block, g.off = p, id, d, a.m.pool.Bytes(d.ref), d.offset()
	g.kind, g.depth, g.flags, g.node = d.kind, d.depth, d.flags, none
	g.no, g.obj, g.lsn = d.no, d.obj, d.lsn
}

// fetchAt returns the version of a plain page at the snapshot.
func (a *Access) fetchAt(p *Part, obj, no uint64) (pg, error) {
	for {
		var g pg
		found := true
		p.RLock(a.Lane)
		if id := p.lookup(pageKey{obj, no}); id != none {
			g, found = a.versionAt(p, id, 0)
		}
		p.RUnlock(a.Lane)
		if !found {
			return pg{}, fmt.Errorf("page: object %#x page %d: no version at %d: %w", obj, no, a.lsn, engine.ErrCorrupt)
		}
		if g.block != nil {
			return g, nil
		}
		if err := a.miss(p, coldPage{addr: engine.Addr{Object: obj, No: no}, node: g.node}); err != nil {
			return pg{}, err
		}
	}
}

// versionAt returns the version of a page at the snapshot, pinned if it is the
// current one. h chooses among merged pages. found is false if the page did
// not exist then; it has no block if it is cold. The caller holds the
// partition's lock.
func (a *Access) versionAt(p *Part, id pid, h uint64) (g pg, found bool) {
	d := p.at(id)
	if d.lsn <= a.lsn {
		if !a.hold(d) {
			return pg{}, true
		}
		return a.current(p, id), true
	}
	n := d.older[h<<d.depth>>63]
	for n != none && p.nodes[n].lsn > a.lsn {
		v := &p.nodes[n]
		n = v.older[h<<v.depth>>63]
	}
	if n == none {
		return pg{}, false
	}
	v := &p.nodes[n]
	if v.ref == none {
		return pg{node: n}, true
	}
	a.Expose(v.lsn)
	return pg{
		p: p, id: id, block: a.m.pool.Bytes(v.ref), off: bodyOffset(v.no, v.kind, v.flags),
		kind: v.kind, depth: v.depth, flags: v.flags, no: v.no, obj: v.obj, lsn: v.lsn,
	}, true
}

// overlay finds what the transaction did to a committed page.
func (a *Access) overlay(p *Part, id pid) *overlay {
	if a.find != nil {
		if i, ok := a.find[uint64(p.id)<<32|uint64(id)]; ok {
			return &a.over[i]
		}
		return nil
	}
	for i := range a.over {
		if o := &a.over[i]; o.id == id && int(o.part) == p.id {
			return o
		}
	}
	return nil
}

// fewOverlays is how many overlays are searched without an index.
const fewOverlays = 12

// addOverlay notes a private version of a committed page.
func (a *Access) addOverlay(p *Part, id, priv pid) *overlay {
	a.mask |= 1 << p.id
	p.RLock(a.Lane)
	d := p.at(id)
	p.RUnlock(a.Lane)
	d.pin() // until Publish or Discard: the descriptor has to stay what it is
	a.keep = append(a.keep, d)
	a.over = append(a.over, overlay{part: uint8(p.id), id: id, priv: priv})
	if a.find != nil {
		a.find[uint64(p.id)<<32|uint64(id)] = len(a.over) - 1
	} else if len(a.over) > fewOverlays {
		a.find = make(map[uint64]int, 4*fewOverlays)
		for i, o := range a.over {
			a.find[uint64(o.part)<<32|uint64(o.id)] = i
		}
	}
	return &a.over[len(a.over)-1]
}

// newPrivate returns an unused private descriptor, zeroed.
func (a *Access) newPrivate() (pid, *desc) {
	if int(a.ndescs/descChunk) == len(a.descs) {
		a.descs = append(a.descs, make([]desc, descChunk))
	}
	id := a.ndescs
	a.ndescs++
	d := &a.descs[id/descChunk][id%descChunk]
	*d = desc{}
	return id | privateBit, d
}

// edit makes g a version that may be changed, and brings it up to date with
// changes made through another pg of the same page.
func (a *Access) edit(g *pg) {
	a.forget()
	switch a.mode {
	case Direct:
		if g.d.lsn != a.lsn {
			a.editDirect(g)
		}
	case Private:
		if g.id&privateBit == 0 {
			a.editPrivate(g)
		}
	default:
		panic("page: change through a reading access")
	}
	g.block, g.kind, g.depth, g.lsn = a.m.pool.Bytes(g.d.ref), g.d.kind, g.d.depth, a.lsn
}

// editDirect leaves the current version to a snapshot that needs it, and
// stamps the page.
func (a *Access) editDirect(g *pg) {
	if g.p.preserve(g.id, g.d, a.lsn, false) {
		g.d.ref = a.copyBlock(g)
	}
	g.p.touch(g.id, g.d, a.lsn)
}

// editPrivate makes g the private version, which it creates if there is none.
func (a *Access) editPrivate(g *pg) {
	if o := a.overlay(g.p, g.id); o != nil {
		g.id, g.d = o.priv, a.desc(g.p, o.priv)
		return
	}
	id, d := a.newPrivate()
	*d = desc{lsn: a.lsn, no: g.no, obj: g.obj, kind: g.kind, depth: g.depth, flags: g.flags & (flagHashed | flagDir)}
	d.ref = a.copyBlock(g)
	d.note(a.m.pool.Bytes(d.ref)[g.off:])
	a.addOverlay(g.p, g.id, id)
	d.prev = pid(len(a.over)) // a private leaf finds its overlay by it
	g.id, g.d = id, d
}

// copyBlock returns a new block with the page's bytes.
func (a *Access) copyBlock(g *pg) Ref {
	ref, b := a.m.pool.Alloc(len(g.block))
	copy(b, g.block[:usedBytes(g.block, g.off, g.kind)])
	return ref
}

// setBlock replaces the block of an edited page.
func (a *Access) setBlock(g *pg, ref Ref, block []byte) {
	if a.mode == Direct {
		g.p.dirtyBytes -= g.p.dirtied(g.d)
	}
	if g.d.ref != none {
		a.m.pool.Free(g.d.ref)
	}
	g.d.ref, g.block = ref, block
	g.d.note(block)
	if a.mode == Direct {
		g.p.dirtyBytes += g.p.dirtied(g.d)
	}
}

// create makes a new page of the kind, with a block of at least size bytes
// behind its header. The block's contents are undefined.
func (a *Access) create(p *Part, like desc, size int) pg {
	ref, _ := a.m.pool.Alloc(like.offset() + size)
	return a.createWith(p, like, ref)
}

// createWith is create with a block.
func (a *Access) createWith(p *Part, like desc, ref Ref) pg {
	var id pid
	var d *desc
	if a.mode == Private {
		id, d = a.newPrivate()
		a.mask |= 1 << p.id
	} else {
		id, d = p.newDesc()
	}
	d.no, d.obj, d.kind, d.depth, d.older = like.no, like.obj, like.kind, like.depth, like.older
	d.flags = like.flags & (flagHashed | flagDir)
	d.ref = ref
	if a.mode == Private {
		d.lsn = a.lsn
	} else {
		p.touch(id, d, a.lsn)
	}
	if d.flags&flagHashed == 0 {
		a.register(p, id, d)
	} else if d.flags&flagDir == 0 && a.mode == Direct {
		p.link(p.head(d.obj), id)
	}
	return a.current(p, id)
}

// register makes a new plain page known by its number.
func (a *Access) register(p *Part, id pid, d *desc) {
	k := pageKey{d.obj, d.no}
	if a.mode == Private {
		if a.news == nil {
			a.news = make(map[pageKey]pid)
		}
		a.news[k] = id
		return
	}
	p.enlist(id, k)
	if d.no != 0 {
		p.link(p.head(d.obj), id)
	}
}

// head returns the descriptor of an object's page 0, a cold one if need be.
func (p *Part) head(obj uint64) pid {
	k := pageKey{obj, 0}
	id := p.lookup(k)
	if id == none {
		var d *desc
		id, d = p.newDesc()
		d.obj = obj
		p.enlist(id, k)
	}
	return id
}

// remove retires a plain page.
func (a *Access) remove(obj, no uint64) {
	p := &a.m.parts[obj>>56]
	k := pageKey{obj, no}
	a.first.obj = 0
	if a.mode == Direct {
		p.retire(p.lookup(k), a.lsn)
		return
	}
	if id, ok := a.news[k]; ok {
		d := a.desc(p, id)
		a.m.pool.Free(d.ref)
		d.ref = none
		delete(a.news, k)
		return
	}
	p.RLock(a.Lane)
	id := p.lookup(k)
	p.RUnlock(a.Lane)
	o := a.overlay(p, id)
	if o == nil {
		o = a.addOverlay(p, id, none)
	} else {
		d := a.desc(p, o.priv)
		a.m.pool.Free(d.ref)
		d.ref = none
	}
	o.dead = true
}

// Drop removes an object with all its pages.
func (a *Access) Drop(obj uint64) error {
	p, err := a.enter(int(obj >> 56))
	if err != nil {
		return err
	}
	if a.mode == Private {
		a.mask |= 1 << p.id
		a.drops = append(a.drops, obj)
		return nil
	}
	a.first.obj = 0
	p.Drop(obj, a.lsn)
	return nil
}

// Mask returns the partitions that Publish changes.
func (a *Access) Mask() uint64 { return a.mask }

// Publish makes the private versions current. The caller holds the write locks
// of Mask.
func (a *Access) Publish() {
	for i := range a.over {
		a.publishPage(&a.over[i])
	}
	for k, id := range a.news {
		if k.no == 0 {
			a.publishNew(&a.m.parts[k.obj>>56], id)
		}
	}
	for k, id := range a.news {
		if k.no != 0 {
			a.publishNew(&a.m.parts[k.obj>>56], id)
		}
	}
	for i := range a.over { // a merge looks at the buddy as published
		if o := &a.over[i]; o.small != nil && o.sub == nil {
			p := &a.m.parts[o.part]
			if d := p.at(o.id); d.flags&flagDead == 0 { // else it was merged as the buddy of another
				p.merge(o.small, o.id, a.lsn)
			}
		}
	}
	for _, t := range a.dirs {
		a.publishLeaves(&a.m.parts[t.obj>>56], t, [2]uint32{}, 0)
	}
	for obj, t := range a.tables {
		p := &a.m.parts[obj>>56]
		a.publishLeaves(p, t, p.at(p.head(obj)).older, 0)
		p.tables[obj] = t
	}
	for i := range a.over { // all leaves are current: buddies can be joined
		o := &a.over[i]
		p := &a.m.parts[o.part]
		if o.small != nil && o.sub == nil && p.at(o.id).flags&flagDead == 0 {
			p.merge(o.small, o.id, a.lsn)
		}
	}
	for _, obj := range a.drops {
		a.m.parts[obj>>56].Drop(obj, a.lsn)
	}
	a.reset()
}

// publishPage replaces one committed page by its private version.
func (a *Access) publishPage(o *overlay) {
	p := &a.m.parts[o.part]
	if o.dead {
		p.retire(o.id, a.lsn)
		return
	}
	first := o.priv
	if o.sub != nil {
		first = o.sub.leaves[0]
	}
	v, d := a.desc(p, first), p.at(o.id)
	p.dirtyBytes -= p.dirtied(d)
	if !p.preserve(o.id, d, a.lsn, false) {
		a.m.pool.Free(d.ref)
	}
	older, depth := d.older, d.depth
	d.ref, d.kind, d.depth = v.ref, v.kind, v.depth
	if d.flags&flagDir != 0 {
		d.next = v.next
	}
	p.dirtyBytes += p.dirtied(d)
	p.touch(o.id, d, a.lsn)
	if o.sub != nil {
		d.older = [2]uint32{older[0], older[0]}
		o.sub.leaves[0] = o.id
		for i := 1; i < len(o.sub.leaves) && o.sub.leaves[i] == first; i++ {
			o.sub.leaves[i] = o.id
		}
		a.publishLeaves(p, o.sub, older, depth)
		o.sub.main.install(o.sub)
	}
}

// publishNew gives a private page a descriptor and makes it known.
func (a *Access) publishNew(p *Part, id pid) {
	v := a.desc(p, id)
	nid, d := p.newDesc()
	*d = desc{ref: v.ref, no: v.no, obj: v.obj, kind: v.kind, depth: v.depth, flags: v.flags}
	p.touch(nid, d, a.lsn)
	k := pageKey{d.obj, d.no}
	p.enlist(nid, k)
	if d.no != 0 {
		p.link(p.head(d.obj), nid)
	}
}

// publishLeaves gives the private leaves of t descriptors. older leads to the
// versions of the page of depth that they replace.
func (a *Access) publishLeaves(p *Part, t *Table, older [2]uint32, depth uint8) {
	for i := 0; i < len(t.leaves); {
		id := t.leaves[i]
		j := i
		if id&privateBit != 0 {
			v := a.desc(p, id)
			nid, d := p.newDesc()
			*d = desc{ref: v.ref, no: v.no, obj: v.obj, next: v.next, kind: v.kind, depth: v.depth, flags: v.flags}
			n := older[v.no<<depth>>63]
			d.older = [2]uint32{n, n}
			p.touch(nid, d, a.lsn)
			if !t.dir {
				p.link(p.head(t.obj), nid)
			}
			for ; j < len(t.leaves) && t.leaves[j] == id; j++ {
				t.leaves[j] = nid
			}
		}
		i = max(j, i+1)
	}
}

// Discard drops the private versions.
func (a *Access) Discard() {
	for i := range a.ndescs {
		if d := a.desc(nil, i|privateBit); d.ref != none {
			a.m.pool.Free(d.ref)
		}
	}
	a.reset()
}

// reset forgets private versions, whose blocks have new owners or none.
func (a *Access) reset() {
	for _, d := range a.keep {
		d.unpin()
	}
	a.keep = a.keep[:0]
	a.over = a.over[:0]
	a.find, a.news, a.tables, a.dirs = nil, nil, nil, nil
	a.drops = a.drops[:0]
	if len(a.descs) > 1 {
		a.descs = a.descs[:1]
	}
	a.ndescs, a.mask = 0, 0
}

// Object numbers of directories and of objects: the top byte is the partition.

// ObjectID returns the number of the n-th object of a partition.
func ObjectID(part int, n uint64) uint64 { return uint64(part)<<56 | n }

// pos returns where a hash lies among the leaves of a table: a directory's
// partition has used the first six bits.
func pos(dir bool, hash uint64) uint64 {
	if dir {
		return bits.RotateLeft64(hash, 6)
	}
	return hash
}

// Enter makes sure that a partition may be read or changed, else it returns
// ErrHeld.
func (a *Access) Enter(part int) error {
	_, err := a.enter(part)
	return err
}
