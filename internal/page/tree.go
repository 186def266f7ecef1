package page

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/brockdb/brock/internal/engine"
)

// innerBytes is where an inner node splits.
const innerBytes = 4 << 10

// Tree is a counted B+tree of an object: a sequence of items that is addressed
// by position and, if it is keyed, in ascending order of its items' keys. Its
// root is always page Root; 0 is the body of the header's page.
//
// An inner node's item is {child's page number u32, items below it u64, lowest
// key below it}; the lowest key of the first child is not looked at. Inner
// nodes are pages like leaves, so rank, index and range cost O(log n) also when
// leaves are cold.
type Tree struct {
	Obj  uint64
	Root uint64 // 0, or 1 where the object's table is embedded in page 0
	// Key is the length of an item's key, its first bytes; 0 if items have
	// none and only positions count, -1 if the whole item is its key.
	Key int
	// Cut, if not 0, is where a longer key ends in its item: behind as many
	// bytes stand a digest of digestBytes of the name that the key ends with,
	// and a reference of RefSize bytes to the element's own value that is the
	// whole name. Keys are in the order of whole names.
	Cut int
	// Whole is the name that the key ends with that is looked for, if that is
	// longer than Cut. Such a key needs no reference.
	Whole string
}

const (
	digestBytes = 32
	// RefSize is the length of a reference to an element's own value: number
	// u32, length u64.
	RefSize = 4 + 8
)

const childHead = 12

// frame is one step of the way from the root to an item: which child of an
// inner node, or which item of the leaf, the last one.
type frame struct {
	g pg
	i int
}

// key returns an item's key.
func (t Tree) key(item []byte) []byte {
	if t.Key < 0 {
		return item
	}
	return item[:min(t.Key, len(item))]
}

func childNo(item []byte) uint64    { return uint64(binary.LittleEndian.Uint32(item)) }
func childCount(item []byte) uint64 { return binary.LittleEndian.Uint64(item[4:]) }
func childLow(item []byte) []byte   { return item[childHead:] }

// child makes an inner node's item.
func child(no, count uint64, low []byte) []byte {
	b := make([]byte, childHead, childHead+len(low))
	binary.LittleEndian.PutUint32(b, uint32(no))
	binary.LittleEndian.PutUint64(b[4:], count)
	return append(b, low...)
}

// addChildCount changes the count of an inner node's item in place.
func addChildCount(item []byte, by int64) {
	binary.LittleEndian.PutUint64(item[4:], childCount(item)+uint64(by))
}

// maxLevels is more than any tree can have.
const maxLevels = 24

// descend adds the node of a number to the path that leads down to it.
func (a *Access) descend(t Tree, path []frame, no uint64) ([]frame, *frame, error) {
	n := len(path)
	if n == maxLevels {
		return nil, nil, fmt.Errorf("page: object %#x page %d is below itself: %w", t.Obj, no, engine.ErrCorrupt)
	}
	path, f := extend(path)
	if err := a.fetchInto(&f.g, t.Obj, no); err != nil {
		return nil, nil, err
	}
	if f.g.kind != KindLeaf && f.g.kind != KindInner {
		return nil, nil, fmt.Errorf("page: object %#x page %d is no tree node: %w", t.Obj, no, engine.ErrCorrupt)
	}
	return path, f, nil
}

// extend makes room for one more node on a path; what is there is overwritten.
func extend(path []frame) ([]frame, *frame) {
	n := len(path)
	if n < cap(path) {
		path = path[:n+1]
	} else {
		path = append(path, frame{})
	}
	return path, &path[n]
}

// noItem is the error where the counts on the way to a position have led to a
// leaf that does not have so many items.
func noItem(t Tree, no, pos uint64) error {
	return fmt.Errorf("page: object %#x page %d: no item %d: %w", t.Obj, no, pos, engine.ErrCorrupt)
}

// seekPos walks to the item at a position, or to where one would be inserted.
func (a *Access) seekPos(t Tree, pos uint64) ([]frame, error) {
	path, no := a.path[:0], t.Root
	for {
		var f *frame
		var err error
		if path, f, err = a.descend(t, path, no); err != nil {
			return nil, err
		}
		o := Ordered(f.g.body())
		if f.g.kind == KindLeaf {
			if pos > uint64(o.Len()) {
				return nil, noItem(t, no, pos)
			}
			f.i, a.path = int(pos), path
			return path, nil
		}
		i := 0
		for n := o.Len() - 1; i < n; i++ {
			c := childCount(o.Item(i))
			if pos < c {
				break
			}
			pos -= c
		}
		f.i, no = i, childNo(o.Item(i))
	}
}

// seekEnd walks to behind the last item.
func (a *Access) seekEnd(t Tree) ([]frame, error) {
	path, no := a.path[:0], t.Root
	for {
		var f *frame
		var err error
		if path, f, err = a.descend(t, path, no); err != nil {
			return nil, err
		}
		o := Ordered(f.g.body())
		if f.g.kind == KindLeaf {
			f.i, a.path = o.Len(), path
			return path, nil
		}
		f.i = o.Len() - 1
		no = childNo(o.Item(f.i))
	}
}

// seekKey walks to the first item whose key is not below key. rank is its
// position, if ranked is set; found whether its key is that key.
func (a *Access) seekKey(t Tree, key []byte, ranked bool) (path []frame, rank uint64, found bool, err error) {
	path, no := a.path[:0], t.Root
	var f *frame
	for {
		if path, f, err = a.descend(t, path, no); err != nil {
			return nil, 0, false, err
		}
		if f.g.kind == KindLeaf {
			break
		}
		o := Ordered(f.g.body())
		if f.i, err = a.childFor(t, o, key); err != nil {
			return nil, 0, false, err
		}
		if ranked {
			for j := range f.i {
				rank += childCount(o.Item(j))
			}
		}
		no = childNo(o.Item(f.i))
	}
	o := Ordered(f.g.body())
	at, err := a.search(t, o, 0, 0, key)
	if err != nil {
		return nil, 0, false, err
	}
	found = at < o.Len() && t.same(t.key(o.Item(at)), key)
	f.i, a.path = at, path
	return path, rank + uint64(at), found, nil
}

// childFor returns the last child of an inner node whose lowest key is not
// above key.
func (a *Access) childFor(t Tree, o Ordered, key []byte) (int, error) {
	i, err := a.search(t, o, 1, childHead, key)
	if err == nil && i < o.Len() && t.same(childLow(o.Item(i)), key) {
		i++
	}
	return i - 1, err
}

// search returns the first item from lo on whose key, which stands behind head
// bytes, is not below key.
func (a *Access) search(t Tree, o Ordered, lo, head int, key []byte) (int, error) {
	if !t.long(key) {
		return o.search(lo, head, t.Key, key), nil
	}
	for hi := o.Len(); lo < hi; {
		mid := (lo + hi) / 2
		c, err := a.compare(t, o.Item(mid)[head:], key)
		if err != nil {
			return 0, err
		}
		if c < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, nil
}

// long tells whether a key is cut.
func (t Tree) long(key []byte) bool { return t.Cut != 0 && len(key) > t.Cut }

// same tells whether an item's key is the one looked for.
func (t Tree) same(there, key []byte) bool {
	if !t.long(key) {
		return bytes.Equal(there, key)
	}
	n := t.Cut + digestBytes
	return len(there) >= n && len(key) >= n && bytes.Equal(there[:n], key[:n])
}

// compare compares an item's key with the one looked for, which is cut. Their
// bytes decide unless both are: then the whole names do, if the two agree up to
// there.
func (a *Access) compare(t Tree, there, key []byte) (int, error) {
	if len(there) <= t.Cut {
		return bytes.Compare(there, key), nil
	}
	if c := bytes.Compare(there[:t.Cut], key[:t.Cut]); c != 0 || t.same(there, key) {
		return c, nil
	}
	return a.compareWhole(t, there)
}

// compareWhole compares the whole name of an item's key with t.Whole.
func (a *Access) compareWhole(t Tree, there []byte) (int, error) {
	if len(there) != t.Cut+digestBytes+RefSize {
		return 0, fmt.Errorf("page: object %#x: key of %d bytes: %w", t.Obj, len(there), engine.ErrCorrupt)
	}
	ref := there[t.Cut+digestBytes:]
	first := uint64(binary.LittleEndian.Uint32(ref)) << subShift
	left, rest := binary.LittleEndian.Uint64(ref[4:]), t.Whole
	for no := first; left > 0; no++ {
		g, err := a.fetch(t.Obj, no)
		if err != nil {
			return 0, err
		}
		n := int(min(left, chunkBytes))
		if len(g.block) < n {
			return 0, fmt.Errorf("page: object %#x page %#x: short: %w", t.Obj, no, engine.ErrCorrupt)
		}
		part := rest[:min(len(rest), n)]
		if c := strings.Compare(byteString(g.block[:n]), part); c != 0 {
			return c, nil
		}
		left, rest = left-uint64(n), rest[len(part):]
	}
	return -len(rest), nil
}

// Run is a leaf of a tree: consecutive items, the first at position First.
type Run struct {
	First uint64
	o     Ordered
}

// Len returns the number of items.
func (r Run) Len() int { return r.o.Len() }

// Item returns the item at a position of the tree that is in the run. It is
// valid until the access ends, releases or changes something.
func (r Run) Item(pos uint64) []byte { return r.o.Item(int(pos - r.First)) }

// End returns the position behind the last item.
func (r Run) End() uint64 { return r.First + uint64(r.o.Len()) }

// TreeRun returns the leaf with the item at a position below the number of
// items. Cost: O(log n).
func (a *Access) TreeRun(t Tree, pos uint64) (Run, error) {
	path, err := a.seekPos(t, pos)
	if err != nil {
		return Run{}, err
	}
	f := path[len(path)-1]
	r := Run{First: pos - uint64(f.i), o: Ordered(f.g.body())}
	if f.i >= r.Len() {
		return Run{}, noItem(t, f.g.no, pos)
	}
	return r, nil
}

// TreeFind returns the position of the first item whose key is not below key,
// and the item if its key is equal, else nil. Cost: O(log n).
func (a *Access) TreeFind(t Tree, key []byte) (rank uint64, item []byte, err error) {
	path, rank, found, err := a.seekKey(t, key, true)
	if err != nil || !found {
		return rank, nil, err
	}
	f := path[len(path)-1]
	return rank, Ordered(f.g.body()).Item(f.i), nil
}

// TreeInsert puts an item in the place that its key demands. The key is not in
// the tree yet. Cost: O(log n).
func (a *Access) TreeInsert(t Tree, item []byte) error {
	path, _, _, err := a.seekKey(t, t.key(item), false)
	if err != nil {
		return err
	}
	return a.insert(t, path, item)
}

// TreeInsertAt puts an item at a position, before the one that is there.
func (a *Access) TreeInsertAt(t Tree, pos uint64, item []byte) error {
	if pos == 0 && t.Key == 0 {
		return a.TreePush(t, true, [][]byte{item})
	}
	path, err := a.seekPos(t, pos)
	if err != nil {
		return err
	}
	return a.insert(t, path, item)
}

// TreeAppend puts an item behind the last one. For a keyed tree its key is
// higher than all others.
func (a *Access) TreeAppend(t Tree, item []byte) error {
	if t.Key == 0 {
		return a.TreePush(t, false, [][]byte{item})
	}
	path, err := a.seekEnd(t)
	if err != nil {
		return err
	}
	return a.insert(t, path, item)
}

// edge is the way to an end of a list, as the last push has left it. It is good
// for the next transaction, if that pushes there again: nobody else has changed
// the list then.
type edge struct {
	obj  uint64 // 0 if there is none
	lsn  uint64 // the transaction that pushed
	head bool
	path []edgeNode
}

// edgeNode is a node on an edge.
type edgeNode struct {
	no uint64
	id pid
}

// TreePush puts items, one after the other, at an end of a list, whose items
// have no keys. It remembers the way. Cost: O(log n) for each leaf that it
// fills.
func (a *Access) TreePush(t Tree, head bool, items [][]byte) (err error) {
	for len(items) > 0 {
		switch {
		case a.seekEdge(t, head):
		case head:
			_, err = a.seekPos(t, 0)
		default:
			_, err = a.seekEnd(t)
		}
		if err == nil {
			err = a.insert(t, a.path, items[0])
		}
		a.edge.obj = 0
		if err != nil {
			return err
		}
		items = a.pushMore(t, head, items[1:])
		a.remember(t, head)
	}
	return nil
}

// pushMore puts items at the end of a list where one was just put, as many as
// its leaf has room for, and returns the others.
func (a *Access) pushMore(t Tree, head bool, items [][]byte) (rest [][]byte) {
	if len(items) == 0 {
		return items
	}
	f := &a.path[len(a.path)-1]
	a.edit(&f.g)
	o, n := Ordered(f.g.body()), 0
	for n < len(items) {
		at := f.i
		if !head {
			at += n + 1
		}
		if !o.Insert(at, items[n]) {
			break
		}
		n++
	}
	if n > 0 {
		a.recount(a.path, int64(n))
		a.count(t.Obj, int64(n))
	}
	return items[n:]
}

// remember notes the way to where an item was pushed.
func (a *Access) remember(t Tree, head bool) {
	if a.mode != Direct {
		return
	}
	e := &a.edge
	e.obj, e.lsn, e.head, e.path = t.Obj, a.lsn, head, e.path[:0]
	for i := range a.path {
		g := &a.path[i].g
		e.path = append(e.path, edgeNode{g.no, g.id})
	}
}

// seekEdge walks to an end of a list by the way of the last push, and tells
// whether that is still good: its pages may have gone from memory.
func (a *Access) seekEdge(t Tree, head bool) bool {
	e := &a.edge
	if e.obj != t.Obj || e.head != head || a.mode != Direct || e.lsn != a.lsn && e.lsn+1 != a.lsn || a.Enter(int(t.Obj>>56)) != nil {
		return false
	}
	p := &a.m.parts[t.Obj>>56]
	path := a.path[:0]
	for _, n := range e.path {
		d := p.at(n.id)
		if d.obj != t.Obj || d.no != n.no || d.ref == none || d.flags&flagDead != 0 {
			return false
		}
		var f *frame
		path, f = extend(path)
		a.fill(&f.g, p, n.id, d)
		f.i = 0
		if o := Ordered(f.g.body()); !head {
			if f.i = o.Len(); f.g.kind == KindInner {
				f.i--
			}
		}
	}
	a.path = path
	return true
}

// TreeReplaceAt replaces the item at a position by one with the same key.
func (a *Access) TreeReplaceAt(t Tree, pos uint64, item []byte) error {
	path, err := a.seekPos(t, pos)
	if err != nil {
		return err
	}
	if _, err := a.headed(t.Obj); err != nil {
		return err
	}
	f := &path[len(path)-1]
	if f.i == Ordered(f.g.body()).Len() {
		return noItem(t, f.g.no, pos)
	}
	a.edit(&f.g)
	o := Ordered(f.g.body())
	if o.Replace(f.i, item) {
		return nil
	}
	o.Remove(f.i, 1)
	return a.pour(t, path, item, -1)
}

// insert puts an item where path leads.
func (a *Access) insert(t Tree, path []frame, item []byte) error {
	if err := a.pour(t, path, item, 0); err != nil {
		return err
	}
	if t.Root == 0 {
		a.count(t.Obj, 1)
	}
	return nil
}

// pour puts an item into the leaf at the end of path, which it splits if need
// be, and adds one plus lost to the counts on the way.
func (a *Access) pour(t Tree, path []frame, item []byte, lost int64) error {
	if _, err := a.headed(t.Obj); err != nil {
		return err // page numbers come from the header
	}
	for {
		f := &path[len(path)-1]
		a.edit(&f.g)
		o := Ordered(f.g.body())
		if o.Insert(f.i, item) {
			break
		}
		need := o.NeedFor(len(item))
		if need <= splitBytes || o.Len() < 2 {
			if len(path) > 1 && (f.i == 0 || f.i == o.Len()) {
				need = min(max(need, 2*o.Live()), splitBytes) // a sequence that grows at an end will fill it
			}
			a.rebuildOrdered(&f.g, need)
			continue
		}
		if lost != 0 {
			a.recount(path, lost)
			lost = 0
		}
		path, _ = a.splitNode(t, path, len(path)-1, item)
	}
	a.recount(path, 1+lost)
	a.path = path
	return nil
}

// recount adds to the counts of all inner nodes on a path.
func (a *Access) recount(path []frame, by int64) {
	if by == 0 {
		return
	}
	for l := range path[:len(path)-1] {
		f := &path[l]
		a.edit(&f.g)
		addChildCount(Ordered(f.g.body()).Item(f.i), by)
	}
}

// rebuildOrdered compacts a node into a block of at least size bytes.
func (a *Access) rebuildOrdered(g *pg, size int) {
	o := Ordered(g.body())
	ref, b := a.m.pool.Alloc(g.off + size)
	copy(b, g.block[:g.off])
	o.CopyTo(b[g.off:], 0, o.Len(), o.Len()+1)
	a.setBlock(g, ref, b)
}

// newNode makes a node with items [from, to) of o.
func (a *Access) newNode(t Tree, p *Part, kind Kind, o Ordered, from, to int) pg {
	head, err := a.fetch(t.Obj, 0)
	if err != nil {
		panic("page: header dropped during a change: " + err.Error())
	}
	a.edit(&head)
	no := head.header().takeNo()
	size := 0
	for i := from; i < to; i++ {
		size += len(o.Item(i)) + 5
	}
	g := a.create(p, desc{obj: t.Obj, no: no, kind: kind}, OrderedSize(to-from+1, size))
	o.CopyTo(g.body(), from, to, to-from+1)
	return g
}

// growRoot moves the root's items to a new page, which becomes the root's only
// child.
func (a *Access) growRoot(t Tree, path []frame) []frame {
	root := &path[0]
	a.edit(&root.g)
	o := Ordered(root.g.body())
	below := a.newNode(t, root.g.p, root.g.kind, o, 0, o.Len())
	root.g = a.current(root.g.p, root.g.id) // the header may have been edited in the same page
	item := child(below.no, weightOf(o, root.g.kind), nil)
	ref, b := a.m.pool.Alloc(root.g.off + OrderedSize(4, 4*32))
	copy(b, root.g.block[:root.g.off])
	InitOrdered(b[root.g.off:], 4).Insert(0, item)
	a.setBlock(&root.g, ref, b)
	root.g.d.kind, root.g.kind = KindInner, KindInner
	grown := append([]frame{{root.g, 0}, {below, root.i}}, path[1:]...)
	return grown
}

// weightOf returns the number of tree items at or below a node.
func weightOf(o Ordered, kind Kind) uint64 { return weightRange(o, kind, 0, o.Len()) }

// weightRange returns the number of tree items at or below items of a node.
func weightRange(o Ordered, kind Kind, from, to int) (n uint64) {
	if kind == KindLeaf {
		return uint64(to - from)
	}
	for i := from; i < to; i++ {
		n += childCount(o.Item(i))
	}
	return n
}

// splitNode divides the node at a level of path and returns the path to the
// half that leads on, and its level. item is what the leaf is to take.
func (a *Access) splitNode(t Tree, path []frame, level int, item []byte) ([]frame, int) {
	if level == 0 {
		path, level = a.growRoot(t, path), 1
	}
	f := &path[level]
	if f.g.kind == KindLeaf && f.i == 0 && t.Key == 0 {
		return a.splitBefore(t, path, level)
	}
	at, appending := a.splitPoint(Ordered(f.g.body()), f)
	var low []byte
	switch o := Ordered(f.g.body()); {
	case f.g.kind == KindInner:
		low = bytes.Clone(childLow(o.Item(at)))
	case appending:
		low = bytes.Clone(t.key(item))
	default:
		low = bytes.Clone(t.key(o.Item(at)))
	}
	path, level = a.makeRoom(t, path, level, len(low))
	f = &path[level]
	a.edit(&f.g)
	o := Ordered(f.g.body())
	n := o.Len()
	right := a.newNode(t, f.g.p, f.g.kind, o, at, n)
	f.g = a.current(f.g.p, f.g.id)
	o = Ordered(f.g.body())
	rw := weightRange(o, f.g.kind, at, n)
	o.Remove(at, n-at)
	a.rebuildOrdered(&f.g, o.Live())
	up := &path[level-1]
	a.edit(&up.g)
	po := Ordered(up.g.body())
	addChildCount(po.Item(up.i), -int64(rw))
	if !po.Insert(up.i+1, child(right.no, rw, low)) {
		panic("page: no room in an inner node")
	}
	if f.i > at || f.i == at && (appending || f.g.kind == KindInner) {
		up.i++
		f.i -= at
		f.g = right
	}
	return path, level
}

// splitBefore puts an empty leaf before the one at a level of path, to the front
// of which a list grows: the full leaf stays as it is.
func (a *Access) splitBefore(t Tree, path []frame, level int) ([]frame, int) {
	path, level = a.makeRoom(t, path, level, 0)
	f, up := &path[level], &path[level-1]
	left := a.newNode(t, f.g.p, KindLeaf, Ordered(f.g.body()), 0, 0)
	a.edit(&up.g) // the header may have been edited in the same page
	if !Ordered(up.g.body()).Insert(up.i, child(left.no, 0, nil)) {
		panic("page: no room in an inner node")
	}
	f.g = left
	return path, level
}

// splitPoint returns the index of the first item of the right half. Where a
// sequence grows at an end the full node stays full.
func (a *Access) splitPoint(o Ordered, f *frame) (at int, appending bool) {
	n := o.Len()
	if f.g.kind == KindLeaf {
		switch f.i {
		case n:
			return n, true
		case 0:
			return 0, false
		}
	}
	total := o.Live()
	sum := 0
	for at = 0; at < n-1 && sum < total/2; at++ {
		sum += len(o.Item(at)) + 4
	}
	return max(at, 1), false
}

// makeRoom makes sure that the parent of the node at a level can take one more
// child with a lowest key of this length.
func (a *Access) makeRoom(t Tree, path []frame, level, low int) ([]frame, int) {
	up := &path[level-1]
	a.edit(&up.g)
	o := Ordered(up.g.body())
	need := o.NeedFor(childHead + low)
	if need > innerBytes && o.Len() >= 4 {
		n := len(path)
		path, _ = a.splitNode(t, path, level-1, nil)
		level += len(path) - n
		up = &path[level-1]
		a.edit(&up.g)
		o = Ordered(up.g.body())
		need = o.NeedFor(childHead + low)
	}
	if !o.hasRoom(childHead + low) {
		a.rebuildOrdered(&up.g, min(need+need/8, max(need, innerBytes)))
	}
	return path, level
}

// TreeReach makes sure that the way to a key is in memory: an insertion or a
// deletion there, the next change of the tree, does not fail.
func (a *Access) TreeReach(t Tree, key []byte) error {
	_, _, _, err := a.seekKey(t, key, false)
	return err
}

// TreeDelete removes the item with a key and tells whether it was there. Cost:
// O(log n), and less than TreeFind with TreeRemove.
func (a *Access) TreeDelete(t Tree, key []byte) (bool, error) {
	if _, err := a.headed(t.Obj); err != nil {
		return false, err
	}
	path, _, found, err := a.seekKey(t, key, false)
	if err != nil || !found {
		return false, err
	}
	if t.long(key) {
		a.dropLow(t, path, key)
	}
	a.cut(t, path, 1)
	if t.Root == 0 {
		a.count(t.Obj, -1)
	}
	return true, nil
}

// dropLow is called before the item at the end of path is removed whose key,
// cut, refers to a name that is about to go: where an inner node has it for a
// lowest key, the one that will be the lowest takes its place.
func (a *Access) dropLow(t Tree, path []frame, key []byte) {
	level := len(path) - 1
	for level > 0 && Ordered(path[level].g.body()).Len() == 1 {
		level--
	}
	f := &path[level]
	o := Ordered(f.g.body())
	if f.i > 0 || o.Len() == 1 {
		return
	}
	next := o.Item(1)
	if f.g.kind == KindInner {
		next = childLow(next)
	}
	for level--; level >= 0 && path[level].i == 0; {
		level--
	}
	if level < 0 {
		return
	}
	f = &path[level]
	item := Ordered(f.g.body()).Item(f.i)
	if !t.same(childLow(item), key) {
		return
	}
	item = child(childNo(item), childCount(item), next)
	a.edit(&f.g)
	for !Ordered(f.g.body()).Replace(f.i, item) {
		a.rebuildOrdered(&f.g, Ordered(f.g.body()).NeedFor(len(item)))
	}
}

// TreeRemove removes n items from a position on. Cost: O(log n) for each leaf
// touched.
func (a *Access) TreeRemove(t Tree, pos, n uint64) error {
	for at := pos; at < pos+n; { // whatever is cold has to be missed before the first change
		r, err := a.TreeRun(t, at)
		if err != nil {
			return err
		}
		at = r.End()
	}
	if _, err := a.headed(t.Obj); err != nil {
		return err
	}
	for left := n; left > 0; {
		path, err := a.seekPos(t, pos)
		if err != nil {
			return err
		}
		f := &path[len(path)-1]
		k := min(left, uint64(Ordered(f.g.body()).Len()-f.i))
		if k == 0 {
			return noItem(t, f.g.no, pos)
		}
		a.cut(t, path, int(k))
		left -= k
	}
	if t.Root == 0 {
		a.count(t.Obj, -int64(n))
	}
	return nil
}

// cut removes k items of the leaf at the end of path.
func (a *Access) cut(t Tree, path []frame, k int) {
	a.recount(path, -int64(k))
	level := len(path) - 1
	f := &path[level]
	for level > 0 && k == Ordered(f.g.body()).Len() {
		a.remove(t.Obj, f.g.no)
		level--
		f, k = &path[level], 1
	}
	a.edit(&f.g)
	o := Ordered(f.g.body())
	o.Remove(f.i, k)
	if o.Len() == 0 { // the root, and all is gone
		f.g.d.kind, f.g.kind = KindLeaf, KindLeaf
		a.rebuildOrdered(&f.g, OrderedSize(1, 16))
		return
	}
	if live := o.Live(); live*2 < len(o) && len(o) > 128 {
		a.rebuildOrdered(&f.g, live+live/8)
	}
	a.mergeNode(t, path, level)
	a.shrinkRoot(t)
}

// mergeNode joins a small node with a neighbour below the same parent, if one
// is in memory and small, too.
func (a *Access) mergeNode(t Tree, path []frame, level int) {
	if level == 0 {
		return
	}
	f, up := &path[level], &path[level-1]
	o, po := Ordered(f.g.body()), Ordered(up.g.body())
	if o.Live() >= mergeBytes || po.Len() < 2 {
		return
	}
	li := max(up.i-1, 0) // the left one of the pair
	left, ok := a.resident(t.Obj, childNo(po.Item(li)))
	if !ok {
		return
	}
	right, ok := a.resident(t.Obj, childNo(po.Item(li+1)))
	if !ok || left.kind != right.kind || Ordered(left.body()).Live()+Ordered(right.body()).Live() > splitBytes/2 {
		return
	}
	a.edit(&left)
	lo, ro := Ordered(left.body()), Ordered(right.body())
	n := lo.Len() + ro.Len()
	ref, b := a.m.pool.Alloc(left.off + OrderedSize(n+1, lo.Live()+ro.Live()))
	copy(b, left.block[:left.off])
	joined := lo.CopyTo(b[left.off:], 0, lo.Len(), n+1)
	for i := range ro.Len() {
		item := ro.Item(i)
		if i == 0 && right.kind == KindInner { // its first key counts from now on
			item = child(childNo(item), childCount(item), childLow(po.Item(li+1)))
		}
		if !joined.Insert(joined.Len(), item) {
			a.setBlockGrown(&left, &ref, &b, &joined, item)
		}
	}
	a.setBlock(&left, ref, b)
	moved := childCount(po.Item(li + 1))
	addChildCount(po.Item(li), int64(moved))
	po.Remove(li+1, 1)
	a.remove(t.Obj, right.no)
}

// setBlockGrown moves a half-built node to a larger block and appends item.
func (a *Access) setBlockGrown(g *pg, ref *Ref, b *[]byte, o *Ordered, item []byte) {
	nref, nb := a.m.pool.Alloc(g.off + o.NeedFor(len(item))*2)
	copy(nb, (*b)[:g.off])
	grown := o.CopyTo(nb[g.off:], 0, o.Len(), o.Len()*2+2)
	grown.Insert(grown.Len(), item)
	a.m.pool.Free(*ref)
	*ref, *b, *o = nref, nb, grown
}

// resident returns a plain page if it is in memory.
func (a *Access) resident(obj, no uint64) (pg, bool) {
	p := &a.m.parts[obj>>56]
	k := pageKey{obj, no}
	if a.mode == Direct {
		id := p.lookup(k)
		if id == none || p.at(id).ref == none {
			return pg{}, false
		}
		return a.current(p, id), true
	}
	if id, ok := a.news[k]; ok {
		return a.current(p, id), true
	}
	p.RLock(a.Lane)
	defer p.RUnlock(a.Lane)
	id := p.lookup(k)
	if id == none {
		return pg{}, false
	}
	if o := a.overlay(p, id); o != nil {
		return a.current(p, o.priv), true
	}
	if !a.hold(p.at(id)) {
		return pg{}, false
	}
	return a.current(p, id), true
}

// shrinkRoot lets the root take over the items of its only child.
func (a *Access) shrinkRoot(t Tree) {
	for {
		root, ok := a.resident(t.Obj, t.Root)
		if !ok || root.kind != KindInner || Ordered(root.body()).Len() != 1 {
			return
		}
		below, ok := a.resident(t.Obj, childNo(Ordered(root.body()).Item(0)))
		if !ok {
			return
		}
		a.edit(&root)
		o := Ordered(below.body())
		ref, b := a.m.pool.Alloc(root.off + o.NeedFor(16))
		copy(b, root.block[:root.off])
		o.CopyTo(b[root.off:], 0, o.Len(), o.Len()+1)
		a.setBlock(&root, ref, b)
		root.d.kind = below.kind
		a.remove(t.Obj, below.no)
	}
}
