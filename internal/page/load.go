package page

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/brockdb/brock/internal/engine"
)

// byteString views bytes as a string, for as long as they do not change.
func byteString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// miss is called for a page that is not in memory: it notes the page and
// returns ErrCold or, with a source at hand, loads it. A command may go on, and
// miss the same page again.
func (a *Access) miss(p *Part, c coldPage) error {
	locked := a.mode == Shared || a.mode == Direct
	if !locked {
		p.RLock(a.Lane)
	}
	c.done = p.done
	if !locked {
		p.RUnlock(a.Lane)
	}
	if a.src == nil {
		a.note(c)
		return ErrCold
	}
	got, err := a.m.get(a.src, c)
	if err != nil {
		return a.missing(c, err)
	}
	if a.mode == Direct {
		_, err = p.install(c, got)
		return err
	}
	p.Lock()
	defer p.Unlock()
	d, err := p.install(c, got)
	a.keepIn(d)
	return err
}

// note adds a page to those that Load has to load.
func (a *Access) note(c coldPage) {
	if len(a.cold) == 0 {
		a.noted = make(map[coldPage]bool)
	}
	if !a.noted[c] {
		a.noted[c] = true
		a.cold = append(a.cold, c)
	}
}

// keepIn pins a page that was loaded, if there is one, until Release.
func (a *Access) keepIn(d *desc) {
	if d != nil {
		d.pin()
		a.pins = append(a.pins, d)
	}
}

// Load loads the pages that made a command return ErrCold, and pins them until
// Release. No partition is locked by the caller.
func (a *Access) Load(src Source) error {
	cold := a.cold
	a.cold = a.cold[:0]
	for _, c := range cold {
		got, err := a.m.get(src, c)
		if err != nil {
			if err := a.missing(c, err); err != nil {
				return err
			}
			continue
		}
		p := &a.m.parts[c.addr.Partition()]
		p.Lock()
		d, err := p.install(c, got)
		a.keepIn(d)
		p.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// missing is called when the source gave err for a page. One that is not found
// may be gone since it was missed, with a step that has ended or is about to:
// the command then does not miss it again, so nil lets it try. Missed again
// with no step between, the page is lost.
func (a *Access) missing(c coldPage, err error) error {
	if !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	if a.lost[c] || a.src != nil && a.mode == Direct {
		return fmt.Errorf("page: %+v is missing: %w", c.addr, engine.ErrCorrupt)
	}
	if a.lost == nil {
		a.lost = make(map[coldPage]bool)
	}
	a.lost[c] = true
	return nil
}

// loaded is what the source gave for a coldPage.
type loaded struct {
	image  engine.Image
	leaves []imageOf
}

// get asks the source for what is cold; no lock is needed.
func (m *Memory) get(src Source, c coldPage) (loaded, error) {
	if c.table {
		var images []imageOf
		err := src.List(c.addr.Object, engine.ClassHashed, func(im engine.Image) error {
			leaf, err := leafImage(im)
			images = append(images, leaf)
			return err
		})
		if err != nil {
			return loaded{}, err
		}
		leaves, err := resolve(images)
		return loaded{leaves: leaves}, err
	}
	im, err := src.Get(c.addr)
	if err != nil {
		return loaded{}, fmt.Errorf("page: %+v: %w", c.addr, err)
	}
	return loaded{image: im}, check(im)
}

// check verifies that an image is well formed, so that no read of the page can
// fail for what is in it, whatever other pages hold: its checksum has told that
// it is what was written.
func check(im engine.Image) error {
	off := 0
	if im.Addr.Class == engine.ClassHashed {
		if _, err := leafImage(im); err != nil {
			return err
		}
	} else {
		off = bodyOffset(im.Addr.No, Kind(im.Kind), 0)
	}
	err := errShort
	switch {
	case !placed(im.Addr, Kind(im.Kind)):
		err = fmt.Errorf("kind %d", im.Kind)
	case off != 0 && len(im.Data) >= off && Header(im.Data).embedded() != (Kind(im.Kind) == KindHashed):
		err = errHeader
	case len(im.Data) >= off:
		err = checkBody(Kind(im.Kind), im.Addr.No, im.Data[off:])
	}
	if err != nil {
		return fmt.Errorf("page: %+v: %w: %w", im.Addr, err, engine.ErrCorrupt)
	}
	return nil
}

var (
	errShort  = errors.New("too short")
	errHeader = errors.New("header of another kind of page")
	errInner  = errors.New("malformed inner node")
)

// placed tells whether a page of a kind can stand at an address.
func placed(addr engine.Addr, kind Kind) bool {
	switch {
	case addr.Class == engine.ClassHashed:
		return kind == KindHashed
	case kind == KindHashed || kind == KindHeader:
		return addr.No == 0
	default:
		return kind == KindRaw || kind == KindLeaf || kind == KindInner
	}
}

// checkBody verifies what an image holds behind its header.
func checkBody(kind Kind, no uint64, body []byte) error {
	switch kind {
	case KindHashed:
		return Hashed(body).Check()
	case KindLeaf:
		return Ordered(body).Check()
	case KindInner:
		return checkInner(Ordered(body))
	case KindRaw:
		if no == 0 && (len(body) < rawHead || rawLen(body) > uint64(min(len(body)-rawHead, rawMax))) {
			return errShort
		}
	default: // a header alone
	}
	return nil
}

// checkInner verifies an inner node: it has children, and all of each of them.
func checkInner(o Ordered) error {
	if err := o.Check(); err != nil {
		return err
	}
	if o.Len() == 0 {
		return errInner
	}
	for i := range o.Len() {
		if len(o.Item(i)) < childHead {
			return errInner
		}
	}
	return nil
}

// leafImage reads the range that the image of a leaf covers.
func leafImage(im engine.Image) (imageOf, error) {
	first := im.Addr.No &^ lowHalf
	if im.Addr.Depth > maxDepth || first<<im.Addr.Depth != 0 {
		return imageOf{}, fmt.Errorf("page: %+v: no leaf: %w", im.Addr, engine.ErrCorrupt)
	}
	return imageOf{
		first: first, depth: im.Addr.Depth, no: im.Addr.No & lowHalf,
		step: im.Step, lsn: im.LSN, slot: im.Slot,
	}, nil
}

// install puts what was loaded in its place, unless someone was faster, and
// returns the page. The caller holds the partition's write lock.
func (p *Part) install(c coldPage, got loaded) (*desc, error) {
	if c.done != p.done {
		// A step has ended since the page was missed: it may have been loaded,
		// changed, imaged and dropped meanwhile, and what we got be of before.
		return nil, nil
	}
	if c.table {
		if p.tables[c.addr.Object] != nil {
			return nil, nil
		}
		t, err := p.tableOf(c.addr.Object, false, got.leaves)
		if err == nil {
			p.tables[c.addr.Object] = t
		}
		return nil, err
	}
	if c.node != none {
		p.fillNode(&p.nodes[c.node], c, got.image)
		return nil, nil
	}
	id := c.id
	if id == none {
		id = p.plain(c.addr.Object, c.addr.No)
	}
	d := p.at(id)
	if d.ref == none && d.flags&flagDead == 0 && d.addr() == c.addr {
		p.fill(d, got.image)
	}
	return d, nil
}

// fillNode gives an old version of a page that was cold when it was removed
// its block.
func (p *Part) fillNode(v *node, c coldPage, im engine.Image) {
	if v.ref != none || v.obj != c.addr.Object || v.no != c.addr.No {
		return
	}
	var b []byte
	v.ref, b = p.m.pool.Alloc(len(im.Data))
	clear(b[copy(b, im.Data):])
	v.kind = Kind(im.Kind)
	p.nodeBytes += int64(len(b))
}

// plain returns the descriptor of a plain page, a cold one if need be.
func (p *Part) plain(obj, no uint64) pid {
	head := p.head(obj)
	if no == 0 {
		return head
	}
	k := pageKey{obj, no}
	id := p.lookup(k)
	if id == none {
		var d *desc
		id, d = p.newDesc()
		d.obj, d.no = obj, no
		p.enlist(id, k)
		p.link(head, id)
	}
	return id
}

// fill makes the image the current version of a cold page.
func (p *Part) fill(d *desc, im engine.Image) {
	ref, b := p.m.pool.Alloc(len(im.Data))
	n := copy(b, im.Data)
	clear(b[n:]) // strings count on zeroes behind what was written
	d.ref, d.lsn, d.kind = ref, im.LSN, Kind(im.Kind)
	d.setImage(im.Addr.Depth, im.Slot)
	d.use()
	d.epoch = 0
}

// DirLoader takes the images of directories that a base holds and makes tables
// of them. It is used before the memory is shared.
type DirLoader struct {
	m    *Memory
	dirs map[uint64][]dirImage
}

// dirImage is an image whose block is in memory already.
type dirImage struct {
	imageOf
	ref Ref
}

// NewDirLoader returns a loader.
func (m *Memory) NewDirLoader() *DirLoader {
	return &DirLoader{m: m, dirs: make(map[uint64][]dirImage)}
}

// Add takes an image.
func (l *DirLoader) Add(im engine.Image) error {
	if im.Addr.Partition() >= Partitions || im.Addr.Class != engine.ClassHashed {
		return fmt.Errorf("page: %+v: no directory page: %w", im.Addr, engine.ErrCorrupt)
	}
	if err := check(im); err != nil {
		return err
	}
	leaf, err := leafImage(im)
	if err != nil {
		return err
	}
	ref, b := l.m.pool.Alloc(len(im.Data))
	n := copy(b, im.Data)
	clear(b[n:])
	l.dirs[im.Addr.Object] = append(l.dirs[im.Addr.Object], dirImage{leaf, ref})
	return nil
}

// Finish calls fn with each directory: its partition and space, its table, and
// its leaves one by one.
func (l *DirLoader) Finish(fn func(part int, space uint64, t *Table) error) error {
	for obj, images := range l.dirs {
		p := &l.m.parts[obj>>56]
		t, err := p.dirTable(obj, images)
		if err != nil {
			return err
		}
		if err := fn(p.id, obj&^(0xff<<56), t); err != nil {
			return err
		}
		delete(l.dirs, obj)
	}
	return nil
}

// dirTable makes the table of one directory and frees images that do not count.
func (p *Part) dirTable(obj uint64, images []dirImage) (*Table, error) {
	refs := make(map[imageOf]Ref, len(images))
	of := make([]imageOf, len(images))
	for i, im := range images {
		refs[im.imageOf], of[i] = im.ref, im.imageOf
	}
	chosen, err := resolve(of)
	if err != nil {
		return nil, fmt.Errorf("directory %#x: %w", obj, err)
	}
	t, err := p.tableOf(obj, true, chosen)
	if err != nil {
		return nil, err
	}
	for _, im := range chosen {
		d := p.at(t.leaves[t.index(im.first)])
		d.ref = refs[im]
		d.note(p.m.pool.Bytes(d.ref))
		delete(refs, im)
	}
	for _, ref := range refs {
		p.m.pool.Free(ref)
	}
	for _, im := range images { // numbers are not used twice, whatever became of their pages
		t.next = max(t.next, uint32(im.no))
	}
	return t, nil
}

// Each calls fn with each leaf of a table whose leaves are in memory. The
// caller is alone.
func (t *Table) Each(p *Part, fn func(Leaf)) {
	last := pid(none)
	for _, id := range t.leaves {
		if id != last {
			fn(Leaf{h: Hashed(p.m.pool.Bytes(p.at(id).ref)), End: 0})
			last = id
		}
	}
}

// Object returns the number of a table's object or directory.
func (t *Table) Object() uint64 { return t.obj }
