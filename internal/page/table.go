package page

import (
	"cmp"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/google/btree"

	"github.com/brockdb/brock/internal/engine"
)

const (
	// splitBytes is where a hashed page or a leaf splits.
	splitBytes = 8 << 10
	// mergeBytes is the size below which a page looks for a neighbour to join.
	mergeBytes = 1 << 10
	// maxDepth bounds the splits of hashed pages: what collides in that many
	// bits shares a page of more than splitBytes.
	maxDepth = 32
)

// Table is a map made of hashed pages: extendible hashing. leaves has one slot
// per value of the top depth hash bits; a leaf of a smaller depth stands in
// several. A table has no page of its own: each leaf's address tells the range
// of hashes that it covers.
//
// Guarded by its partition's lock, like descriptors.
type Table struct {
	obj    uint64
	dir    bool
	base   uint8 // prefix bits that all leaves share; not 0 in a transaction's sub-table only
	depth  uint8
	no     uint64 // the first position, 0 but for a sub-table
	next   uint32 // a directory's next page number; an object's is in its header
	leaves []pid
	main   *Table // the table that a sub-table belongs to
}

// NewDir returns an empty directory, with one leaf, for the space in a
// partition. In mode Private it is the transaction's own until Publish, and
// gone with Discard.
func (a *Access) NewDir(part int, space uint64) *Table {
	t := &Table{obj: ObjectID(part, space), dir: true}
	g := a.newLeaf(&a.m.parts[part], t, desc{flags: flagDir}, weight{})
	t.leaves = []pid{g.id}
	if a.mode == Private {
		a.dirs = append(a.dirs, t)
	}
	return t
}

// index returns the slot of leaves for a position.
func (t *Table) index(pos uint64) uint64 {
	if t.depth == t.base {
		return 0
	}
	return pos << t.base >> (64 - (t.depth - t.base))
}

// span returns the first slot and the number of slots of a leaf.
func (t *Table) span(no uint64, depth uint8) (int, int) {
	return int(t.index(no)), 1 << (t.depth - depth)
}

// deepen makes room for leaves of depth.
func (t *Table) deepen(depth uint8) {
	if depth <= t.depth {
		return
	}
	by := depth - t.depth
	grown := make([]pid, len(t.leaves)<<by)
	for i := range grown {
		grown[i] = t.leaves[i>>by]
	}
	t.leaves, t.depth = grown, depth
}

// set makes id the leaf for its range.
func (t *Table) set(id pid, no uint64, depth uint8) {
	t.deepen(depth)
	at, n := t.span(no, depth)
	for i := range n {
		t.leaves[at+i] = id
	}
}

// install puts the leaves of a sub-table in their place.
func (t *Table) install(sub *Table) {
	t.deepen(sub.depth)
	by := t.depth - sub.depth
	at := int(t.index(sub.no))
	for i := range len(sub.leaves) << by {
		t.leaves[at+i] = sub.leaves[i>>by]
	}
}

// leaf returns the leaf for a position. found is false if a snapshot is older
// than the table.
func (a *Access) leaf(t *Table, pos uint64) (g pg, found bool, err error) {
	p, err := a.enter(int(t.obj >> 56))
	if err != nil {
		return pg{}, false, err
	}
	if a.mode == Snapshot {
		return a.leafAt(p, t, pos)
	}
	for {
		id := t.leaves[t.index(pos)]
		var cold coldPage
		if a.mode == Private {
			var ok bool
			if g, cold, ok = a.privateLeaf(p, id, pos); ok {
				return g, true, nil
			}
		} else {
			d := p.at(id)
			if d.ref != none {
				return a.current(p, id), true, nil
			}
			cold = coldPage{addr: d.addr(), id: id}
		}
		if err := a.miss(p, cold); err != nil {
			return pg{}, false, err
		}
	}
}

// privateLeaf returns a leaf as the transaction has left it, held until
// Release, or what to load.
func (a *Access) privateLeaf(p *Part, id pid, pos uint64) (g pg, cold coldPage, ok bool) {
	if id&privateBit != 0 {
		return a.current(p, id), cold, true
	}
	if o := a.overlay(p, id); o != nil {
		if o.sub != nil {
			return a.current(p, o.sub.leaves[o.sub.index(pos)]), cold, true
		}
		return a.current(p, o.priv), cold, true
	}
	p.RLock(a.Lane)
	defer p.RUnlock(a.Lane)
	d := p.at(id)
	if d.flags&flagDir == 0 && !a.hold(d) { // a directory's are never dropped
		return g, coldPage{addr: d.addr(), id: id}, false
	}
	return a.current(p, id), cold, true
}

// leafAt returns the version at the snapshot of the leaf for a position.
func (a *Access) leafAt(p *Part, t *Table, pos uint64) (g pg, found bool, err error) {
	for {
		p.RLock(a.Lane)
		id := t.leaves[t.index(pos)]
		g, found := a.versionAt(p, id, pos)
		addr := p.at(id).addr()
		p.RUnlock(a.Lane)
		if !found || g.block != nil {
			return g, found, nil
		}
		if err := a.miss(p, coldPage{addr: addr, id: id, node: g.node}); err != nil {
			return pg{}, false, err
		}
	}
}

// objectLeaf returns the leaf of an object's table for a hash; t is nil if the
// leaf is embedded in page 0.
func (a *Access) objectLeaf(obj, hash uint64) (t *Table, g pg, err error) {
	if a.last.ok && a.last.obj == obj && a.last.hash == hash {
		return a.last.t, a.last.g, nil
	}
	if t, g, err = a.findLeaf(obj, hash); err == nil && a.mode == Direct {
		a.last = lastLeaf{ok: true, obj: obj, hash: hash, t: t, g: g}
	}
	return t, g, err
}

// lastLeaf is where the last look-up in an object's table ended. It is good
// until the access changes a page, as hit is.
type lastLeaf struct {
	ok        bool
	obj, hash uint64
	t         *Table
	g         pg
}

// findLeaf is objectLeaf for another hash than the last one's.
func (a *Access) findLeaf(obj, hash uint64) (t *Table, g pg, err error) {
	g, err = a.fetch(obj, 0)
	if err != nil || g.kind == KindHashed {
		return nil, g, err
	}
	if g.kind != KindHeader {
		return nil, pg{}, fmt.Errorf("page: object %#x page 0 is no table's: %w", obj, engine.ErrCorrupt)
	}
	if t, err = a.table(obj); err != nil {
		return nil, pg{}, err
	}
	g, found, err := a.leaf(t, hash)
	if err == nil && !found {
		err = fmt.Errorf("page: object %#x: no leaf at %d: %w", obj, a.lsn, engine.ErrCorrupt)
	}
	return t, g, err
}

// table returns the table of an object whose leaves have pages of their own.
func (a *Access) table(obj uint64) (*Table, error) {
	p := &a.m.parts[obj>>56]
	if t := a.tables[obj]; t != nil {
		return t, nil
	}
	for {
		locked := a.mode == Shared || a.mode == Direct
		if !locked {
			p.RLock(a.Lane)
		}
		t := p.tables[obj]
		if !locked {
			p.RUnlock(a.Lane)
		}
		if t != nil {
			return t, nil
		}
		if err := a.miss(p, coldPage{addr: engine.Addr{Object: obj}, table: true}); err != nil {
			return nil, err
		}
	}
}

// hit is where the last look-up in a directory ended: a command that reads a
// key and then changes it finds its place once. It is good until the access
// changes a page, see edit.
type hit struct {
	t    *Table // nil if there is none
	hash uint64
	key  string
	id   pid
	slot int // -1 if the key is absent

	value []byte
}

// place finds key in a directory and leaves its place in a.hit.
func (a *Access) place(t *Table, hash uint64, key string) error {
	h := &a.hit
	if h.t == t && h.hash == hash && h.key == key {
		return nil
	}
	p, err := a.enter(int(t.obj >> 56))
	if err != nil {
		return err
	}
	h.id = t.leaves[t.index(pos(true, hash))]
	var d *desc
	if a.mode == Private {
		g, _, _ := a.privateLeaf(p, h.id, pos(true, hash))
		h.id, d = g.id, g.d
	} else {
		d = p.at(h.id)
	}
	a.Expose(d.lsn)
	block := Hashed(a.m.pool.Bytes(d.ref)) // directories are always in memory
	h.t, h.hash, h.key, h.slot = t, hash, key, block.findIn(int(d.next), hash, key)
	if h.value = nil; h.slot >= 0 {
		h.value = block.Value(h.slot)
	}
	return nil
}

// DirGet returns the value of key in a directory, nil if it is absent. The
// value is valid until the access ends or changes something.
func (a *Access) DirGet(t *Table, hash uint64, key string) ([]byte, error) {
	switch a.mode {
	case Shared: // nothing will be changed: the place need not be remembered
		p, err := a.enter(int(t.obj >> 56))
		if err != nil {
			return nil, err
		}
		d := p.at(t.leaves[t.index(pos(true, hash))])
		a.Expose(d.lsn)
		h := Hashed(a.m.pool.Bytes(d.ref))
		if s := h.findIn(int(d.next), hash, key); s >= 0 {
			return h.Value(s), nil
		}
		return nil, nil
	case Snapshot:
		g, found, err := a.leaf(t, pos(true, hash))
		if err != nil || !found {
			return nil, err
		}
		return hashedGet(g.block, hash, key), nil
	default: // a change may follow
		err := a.place(t, hash, key)
		return a.hit.value, err
	}
}

// hashedGet looks key up in a block.
func hashedGet(b []byte, hash uint64, key string) []byte {
	h := Hashed(b)
	if s := h.Find(hash, key); s >= 0 {
		return h.Value(s)
	}
	return nil
}

// DirSet sets the value of the key that the last DirGet has looked up, with no
// change in between, and tells whether the key is new.
func (a *Access) DirSet(t *Table, hash uint64, key string, value []byte) (added bool, err error) {
	slot := a.hit.slot
	if a.mode == Direct {
		if b := a.InPlace(t, hash, key, len(value)); b != nil {
			copy(b, value)
			return false, nil
		}
	}
	g := a.placed(t)
	_, err = a.put(t, &g, hash, key, value)
	return slot < 0, err
}

// InPlace returns the value of the key that the last DirGet has looked up, with
// no change in between, for the caller to change where it stands: by far the
// most frequent change. It returns nil if that cannot be: the value would have
// another length than n, a snapshot needs the page as it is, or another key was
// looked up.
func (a *Access) InPlace(t *Table, hash uint64, key string, n int) []byte {
	h := &a.hit
	if t == nil || h.t != t || len(h.value) != n || h.slot < 0 || h.hash != hash || h.key != key {
		return nil
	}
	p := &a.m.parts[t.obj>>56]
	if d := p.at(h.id); d.lsn != a.lsn {
		if p.needed(d) {
			return nil
		}
		p.touch(h.id, d, a.lsn)
	}
	return h.value
}

// placed returns the leaf that place has found.
func (a *Access) placed(t *Table) pg {
	p := &a.m.parts[t.obj>>56]
	if a.mode == Private && a.hit.id&privateBit == 0 { // others load pages, and note what is imaged
		p.RLock(a.Lane)
		defer p.RUnlock(a.Lane)
	}
	return a.current(p, a.hit.id)
}

// DirDelete removes key from a directory and tells whether it was there.
func (a *Access) DirDelete(t *Table, hash uint64, key string) (bool, error) {
	if err := a.place(t, hash, key); err != nil || a.hit.slot < 0 {
		return false, err
	}
	g := a.placed(t)
	return a.remove1(t, &g, hash, key), nil
}

// FieldGet returns the value of a field of an object, nil if it is absent.
func (a *Access) FieldGet(obj, hash uint64, field string) ([]byte, error) {
	_, g, err := a.objectLeaf(obj, hash)
	if err != nil {
		return nil, err
	}
	return hashedGet(g.body(), hash, field), nil
}

// FieldPut sets the value of a field and tells whether the field is new.
func (a *Access) FieldPut(obj, hash uint64, field string, value []byte) (added bool, err error) {
	t, g, err := a.objectLeaf(obj, hash)
	if err != nil {
		return false, err
	}
	if added, err = a.put(t, &g, hash, field, value); added {
		a.count(obj, 1)
	}
	return added, err
}

// FieldDelete removes a field and tells whether it was there.
func (a *Access) FieldDelete(obj, hash uint64, field string) (bool, error) {
	t, g, err := a.objectLeaf(obj, hash)
	if err != nil {
		return false, err
	}
	removed := a.remove1(t, &g, hash, field)
	if removed {
		a.count(obj, -1)
	}
	return removed, nil
}

// count changes the number of elements of an object whose page 0 is in memory.
func (a *Access) count(obj uint64, by int64) {
	g, err := a.fetch(obj, 0)
	if err != nil {
		panic("page: header dropped during a change: " + err.Error())
	}
	a.edit(&g)
	g.header().addCount(by)
	a.counted = g.header().Count()
}

// Counted returns how many elements the object has to which one was added last,
// or from which some were removed.
func (a *Access) Counted() uint64 { return a.counted }

// put stores an entry in its leaf and tells whether there was none of its key.
func (a *Access) put(t *Table, g *pg, hash uint64, key string, value []byte) (added bool, err error) {
	a.edit(g)
	for {
		h := Hashed(g.body())
		n := h.Len()
		if _, ok := h.Put(hash, key, value); ok {
			g.d.note(h)
			return h.Len() > n, nil
		}
		need := h.NeedFor(len(key), len(value))
		if need <= splitBytes || h.Len() < 2 || g.depth >= maxDepth {
			a.rebuild(g, need)
			continue
		}
		if t == nil {
			t = a.unembed(g)
		} else {
			a.split(t, g)
		}
		if *g, _, err = a.leaf(t, pos(t.dir, hash)); err != nil {
			return false, err
		}
	}
}

// rebuild compacts a hashed page into a block of at least size bytes.
func (a *Access) rebuild(g *pg, size int) {
	h := Hashed(g.body())
	ref, b := a.m.pool.Alloc(g.off + size)
	copy(b, g.block[:g.off])
	h.CopyTo(b[g.off:], h.Len()+h.Len()/8+1)
	a.setBlock(g, ref, b)
}

// halves copies the entries of h into two new pages, by the hash bit behind
// depth.
func (a *Access) halves(h Hashed, dir bool, depth uint8, l, r *pg) {
	low, high := Hashed(l.body()), Hashed(r.body())
	for s := h.Next(-1); s >= 0; s = h.Next(s) {
		key := byteString(h.Key(s))
		hash := a.m.Hash(key)
		into := low
		if pos(dir, hash)<<depth>>63 != 0 {
			into = high
		}
		if _, ok := into.Put(hash, key, h.Value(s)); !ok {
			panic("page: half of a page does not fit")
		}
	}
}

// weight is how much a new page is to hold.
type weight struct{ n, bytes int }

// weigh returns what the two halves of h hold.
func (a *Access) weigh(h Hashed, dir bool, depth uint8) (w [2]weight) {
	for s := h.Next(-1); s >= 0; s = h.Next(s) {
		key, value := h.Key(s), h.Value(s)
		i := pos(dir, a.m.Hash(byteString(key))) << depth >> 63
		w[i].n++
		w[i].bytes += EntrySize(len(key), len(value))
	}
	return w
}

// lowHalf covers the page number in the no of a hashed page.
const lowHalf = 1<<32 - 1

// first returns the first position that a hashed page covers.
func (d *desc) first() uint64 { return d.no &^ lowHalf }

// newLeaf makes an empty leaf for the range of like, with room for w.
func (a *Access) newLeaf(p *Part, t *Table, like desc, w weight) pg {
	like.obj, like.kind, like.flags = t.obj, KindHashed, like.flags|flagHashed
	like.no = like.no&^lowHalf | a.takeNo(t)
	g := a.create(p, like, HashedSize(w.n+1, w.bytes+16))
	g.d.note(InitHashed(g.body(), w.n+1))
	return g
}

// split divides an edited leaf in two.
func (a *Access) split(t *Table, g *pg) {
	if a.mode == Private && g.d.prev != none {
		t = a.subTable(t, g)
	}
	h := Hashed(g.body())
	depth, older := g.depth, g.d.older
	w := a.weigh(h, t.dir, depth)
	like := desc{
		no: g.no | 1<<(63-depth), depth: depth + 1,
		older: [2]uint32{older[1], older[1]}, flags: g.d.flags & flagDir,
	}
	r := a.newLeaf(g.p, t, like, w[1])
	lref, lb := a.m.pool.Alloc(HashedSize(w[0].n+1, w[0].bytes+16))
	InitHashed(lb, w[0].n+1)
	l := pg{block: lb}
	a.halves(h, t.dir, depth, &l, &r)
	a.setBlock(g, lref, lb)
	r.d.note(r.body())
	g.d.depth++
	if a.mode == Private {
		r.d.prev = g.d.prev
	} else {
		g.d.older = [2]uint32{older[0], older[0]}
	}
	t.set(g.id, g.no, depth+1)
	t.set(r.id, r.no, depth+1)
}

// takeNo returns a page number that no leaf of the table has had.
func (a *Access) takeNo(t *Table) uint64 {
	if t.dir {
		if t.main != nil {
			t = t.main
		}
		t.next++
		return uint64(t.next)
	}
	g, err := a.fetch(t.obj, 0)
	if err != nil {
		panic("page: header dropped during a change: " + err.Error())
	}
	a.edit(&g)
	return g.header().takeNo()
}

// subTable returns the private leaves that replace the committed leaf that an
// edited one comes from.
func (a *Access) subTable(t *Table, g *pg) *Table {
	o := &a.over[g.d.prev-1]
	if o.sub == nil {
		o.sub = &Table{obj: t.obj, dir: t.dir, base: g.depth, depth: g.depth, no: g.no, leaves: []pid{g.id}, main: t}
	}
	return o.sub
}

// unembed moves the table in an edited page 0 to pages of its own.
func (a *Access) unembed(g *pg) *Table {
	h := Hashed(g.body())
	w := a.weigh(h, false, 0)
	t := &Table{obj: g.d.obj, depth: 1}
	like := desc{depth: 1, older: g.d.older}
	l := a.newLeaf(g.p, t, like, w[0])
	like.no = 1 << 63
	r := a.newLeaf(g.p, t, like, w[1])
	a.halves(h, false, 0, &l, &r)
	t.leaves = []pid{l.id, r.id}
	ref, b := a.m.pool.Alloc(HeaderSize)
	copy(b, g.block[:HeaderSize])
	a.setBlock(g, ref, b)
	g.d.kind = KindHeader
	g.header().setEmbedded(false)
	if a.mode == Private {
		if a.tables == nil {
			a.tables = make(map[uint64]*Table)
		}
		a.tables[t.obj] = t
	} else {
		g.p.tables[t.obj] = t
	}
	return t
}

// remove1 deletes an entry from its leaf and tells whether it was there.
func (a *Access) remove1(t *Table, g *pg, hash uint64, key string) bool {
	s := Hashed(g.body()).Find(hash, key)
	if s < 0 {
		return false
	}
	a.edit(g)
	h := Hashed(g.body())
	h.Delete(s)
	if live := h.Live(); live*2 < len(h) && len(h) > 128 {
		a.rebuild(g, live+live/8)
	}
	if t == nil || Hashed(g.body()).Live() >= mergeBytes {
		return true
	}
	if a.mode == Direct {
		g.p.merge(t, g.id, a.lsn)
	} else if g.d.prev != none {
		a.over[g.d.prev-1].small = t
	}
	return true
}

// merge joins a leaf that was changed by lsn with its buddy if both are small.
func (p *Part) merge(t *Table, id pid, lsn uint64) {
	d := p.at(id)
	lowest := uint8(1)
	if t.dir {
		lowest = 0
	}
	if d.depth <= lowest {
		return
	}
	bid := t.leaves[t.index(d.first()^1<<(64-d.depth))]
	b := p.at(bid)
	if b.depth != d.depth || b.ref == none {
		return
	}
	x, y := Hashed(p.m.pool.Bytes(d.ref)), Hashed(p.m.pool.Bytes(b.ref))
	if x.Live()+y.Live() > splitBytes/2 {
		return
	}
	if d.no > b.no {
		d, b, id, bid = b, d, bid, id
	}
	ref := p.joined(x, y)
	snapshots := p.m.newest.Load() != 0 || p.stepLSN != 0
	left, right := p.supersede(id, d, lsn, snapshots), p.supersede(bid, b, lsn, snapshots)
	d.older = [2]uint32{left, right}
	d.ref = ref
	d.note(p.m.pool.Bytes(ref))
	p.dirtyBytes += p.dirtied(d)
	d.depth--
	p.touch(id, d, lsn)
	p.retire(bid, lsn)
	t.set(id, d.no, d.depth)
}

// supersede ends the current version of a page that is merged by lsn, and
// returns the node through which older versions are reached. With link there
// is always one, since the page loses its place in its table.
func (p *Part) supersede(id pid, d *desc, lsn uint64, link bool) uint32 {
	p.dirtyBytes -= p.dirtied(d)
	if d.lsn == lsn {
		p.m.pool.Free(d.ref)
		d.ref = none
		if !link {
			return none
		}
		n := p.newNode()
		p.nodes[n] = node{lsn: lsn, sup: lsn, no: d.no, obj: d.obj, older: d.older, desc: id, depth: d.depth, flags: d.flags}
		p.retained = append(p.retained, n)
		return n
	}
	if !p.preserve(id, d, lsn, link) {
		p.m.pool.Free(d.ref)
	}
	d.ref, d.lsn = none, lsn
	return d.older[0]
}

// joined returns a block with the entries of both.
func (p *Part) joined(x, y Hashed) Ref {
	n := x.Len() + y.Len()
	bytes := 0
	for _, h := range []Hashed{x, y} {
		for s := h.Next(-1); s >= 0; s = h.Next(s) {
			bytes += EntrySize(len(h.Key(s)), len(h.Value(s)))
		}
	}
	ref, blk := p.m.pool.Alloc(HashedSize(n+1, bytes))
	out := InitHashed(blk, n+1)
	for _, h := range []Hashed{x, y} {
		for s := h.Next(-1); s >= 0; s = h.Next(s) {
			key := byteString(h.Key(s))
			if _, ok := out.Put(p.m.Hash(key), key, h.Value(s)); !ok {
				panic("page: merged page does not fit")
			}
		}
	}
	return ref
}

// Leaf is one page of a scan: the entries of all positions from the one asked
// for up to and including End.
type Leaf struct {
	h     Hashed
	depth uint8 // it has 1/2^depth of all positions
	End   uint64
}

// Each calls fn for every entry, in no order. key and value are valid until
// the access ends, releases or changes something.
func (l Leaf) Each(fn func(key, value []byte) bool) {
	for s := l.h.Next(-1); s >= 0; s = l.h.Next(s) {
		if !fn(l.h.Key(s), l.h.Value(s)) {
			return
		}
	}
}

// Len returns the number of entries.
func (l Leaf) Len() int { return l.h.Len() }

// Density returns how many entries the table would have if all positions had as
// many as those of the leaf have on average.
func (l Leaf) Density() uint64 { return uint64(l.h.Len()) << l.depth }

// Random returns an entry of a leaf that has some, each as likely as the others.
// They are valid as those of Each.
func (l Leaf) Random(r *rand.Rand) (key, value []byte) {
	for {
		if s := r.IntN(l.h.slots()); l.h.slot(s) != 0 {
			return l.h.Key(s), l.h.Value(s)
		}
	}
}

// DirLeaf returns the leaf of a directory for a position, see [Position].
func (a *Access) DirLeaf(t *Table, pos uint64) (Leaf, error) {
	g, found, err := a.leaf(t, pos)
	if err != nil {
		return Leaf{}, err
	}
	if !found {
		return Leaf{h: InitHashed(make([]byte, HashedSize(1, 8)), 1), End: ^uint64(0)}, nil
	}
	return g.leaf(), nil
}

// FieldLeaf returns the leaf of an object's table for a position.
func (a *Access) FieldLeaf(obj, pos uint64) (Leaf, error) {
	_, g, err := a.objectLeaf(obj, pos)
	if err != nil {
		return Leaf{}, err
	}
	return g.leaf(), nil
}

// leaf returns what scans see of a hashed page.
func (g *pg) leaf() Leaf { return Leaf{h: Hashed(g.body()), depth: g.depth, End: g.end()} }

// end returns the last position that a leaf covers.
func (g *pg) end() uint64 {
	if g.off != 0 {
		return ^uint64(0)
	}
	return g.no&^lowHalf | ^uint64(0)>>g.depth
}

// Position returns where a key with this hash lies in its directory (of one
// partition).
func Position(hash uint64) uint64 { return pos(true, hash) }

// imageOf is what decides which of a table's images count.
type imageOf struct {
	first uint64
	no    uint64 // the page's number
	step  uint64
	lsn   uint64
	depth uint8
	slot  uint8
}

// end returns the last position that the image covers.
func (im imageOf) end() uint64 { return im.first | ^uint64(0)>>im.depth }

// resolve chooses, for each range of hashes, the image with the highest step:
// anything else is what splits, merges and deletions left behind, or what the
// base brought back. The result is in order of position. Two images of one step
// never cover the same hash. Cost: O(n log n).
func resolve(images []imageOf) ([]imageOf, error) {
	slices.SortFunc(images, func(x, y imageOf) int { return cmp.Compare(y.step, x.step) })
	taken := btree.NewG(32, func(x, y imageOf) bool { return x.first < y.first })
	for _, im := range images {
		last := imageOf{first: im.end()}
		var over bool
		taken.DescendLessOrEqual(last, func(t imageOf) bool {
			last, over = t, t.end() >= im.first
			return false
		})
		switch {
		case !over:
			taken.ReplaceOrInsert(im)
		case last.step == im.step:
			return nil, fmt.Errorf("page: two images of step %d for hash %#x: %w", im.step, im.first, engine.ErrCorrupt)
		}
	}
	chosen := make([]imageOf, 0, taken.Len())
	taken.Ascend(func(im imageOf) bool {
		chosen = append(chosen, im)
		return true
	})
	return chosen, nil
}

// tableOf builds a table of cold leaves from images that resolve chose, and
// fails if a range is without one.
func (p *Part) tableOf(obj uint64, dir bool, images []imageOf) (*Table, error) {
	if err := complete(obj, images); err != nil {
		return nil, err
	}
	t := &Table{obj: obj, dir: dir, leaves: []pid{none}}
	for _, im := range images {
		id, d := p.newDesc()
		d.obj, d.no, d.depth, d.kind, d.lsn = obj, im.first|im.no, im.depth, KindHashed, im.lsn
		d.flags = flagHashed
		d.setImage(im.depth, im.slot)
		if dir {
			d.flags |= flagDir
		} else {
			p.link(p.head(obj), id)
		}
		t.set(id, im.first, im.depth)
		t.next = max(t.next, uint32(im.no))
	}
	return t, nil
}

// unevenDepth is how many bits more than the number of its leaves asks for the
// prefix of a leaf may have: hashes are spread evenly, and a table that is
// deeper would be memory for what no leaf accounts for.
const unevenDepth = 16

// complete fails if a range of an object's table is without an image, or if
// the table would be deeper than so many images explain.
func complete(obj uint64, images []imageOf) error {
	next := uint64(0)
	lacks := func() error {
		return fmt.Errorf("page: object %#x: no image for hash %#x: %w", obj, next, engine.ErrCorrupt)
	}
	for i, im := range images {
		if im.first != next || i > 0 && next == 0 {
			return lacks()
		}
		if int(im.depth) > bits.Len(uint(len(images)))+unevenDepth {
			return fmt.Errorf("page: object %#x: %d images, one of depth %d: %w", obj, len(images), im.depth, engine.ErrCorrupt)
		}
		next = im.end() + 1
	}
	if next != 0 || len(images) == 0 {
		return lacks()
	}
	return nil
}
