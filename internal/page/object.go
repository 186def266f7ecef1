package page

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/brockdb/brock/internal/engine"
)

// Shape is what an object's page 0 holds behind its header.
type Shape uint8

// The shapes of objects.
const (
	ShapeTable Shape = iota // a hashed page: the object's table
	ShapeTree               // a leaf: the root of Tree{Root: 0}
	ShapeBoth               // a hashed page; the root of Tree{Root: 1} is page 1
)

// Create makes a new object: ObjectID of a number never used before.
func (a *Access) Create(obj uint64, typ uint8, shape Shape) error {
	p, err := a.enter(int(obj >> 56))
	if err != nil {
		return err
	}
	kind := KindHashed
	if shape == ShapeTree {
		kind = KindLeaf
	}
	g := a.create(p, desc{obj: obj, kind: kind}, 64)
	h := initHeader(g.block, typ)
	if shape == ShapeTree {
		InitOrdered(g.body(), 1)
		return nil
	}
	h.setEmbedded(true)
	InitHashed(g.body(), 1)
	if shape == ShapeBoth {
		root := a.create(p, desc{obj: obj, no: 1, kind: KindLeaf}, 64)
		InitOrdered(root.body(), 1)
	}
	return nil
}

// Header returns an object's header, to be read only, until the access ends,
// releases or changes something. nil for a string of raw bytes.
func (a *Access) Header(obj uint64) (Header, error) {
	g, err := a.fetch(obj, 0)
	if err != nil || g.kind == KindRaw {
		return nil, err
	}
	return g.header(), nil
}

// EditHeader returns an object's header, whose Aux may be changed at once.
func (a *Access) EditHeader(obj uint64) (Header, error) {
	g, err := a.fetch(obj, 0)
	if err != nil {
		return nil, err
	}
	a.edit(&g)
	return g.header(), nil
}

// usedBytes returns how much of a page's block an image or copy has to keep.
func usedBytes(block []byte, off int, kind Kind) int {
	switch kind {
	case KindHashed:
		return off + Hashed(block[off:]).Used()
	case KindLeaf, KindInner:
		return off + Ordered(block[off:]).Used()
	case KindHeader:
		return HeaderSize
	default:
		return len(block)
	}
}

// Strings.
//
// A string of up to rawMax bytes is one page 0 of KindRaw: length u32, bytes.
// A longer one has a header, whose Aux begins with the length u64, and chunks
// of chunkBytes in pages firstChunk+i. A chunk that was never written does not
// exist, and reads as zeroes; which do exist is told by bitmaps in pages
// firstMap+i, one bit a chunk, so that a hole needs no look into the base.
const (
	chunkBytes = 4 << 10
	rawHead    = 4
	rawMax     = chunkBytes - rawHead
	firstChunk = 1
	firstMap   = 1 << 31
	mapChunks  = chunkBytes * 8 // chunks told by one bitmap
	subShift   = 32             // an element's own value number s is in pages s<<subShift+i
)

// CreateString makes a new object that holds value, or its beginning if length
// is higher; the rest reads as zeroes.
func (a *Access) CreateString(obj uint64, typ uint8, value []byte, length int) error {
	p, err := a.enter(int(obj >> 56))
	if err != nil {
		return err
	}
	length = max(length, len(value))
	if length <= rawMax {
		g := a.create(p, desc{obj: obj, kind: KindRaw}, rawHead+length)
		binary.LittleEndian.PutUint32(g.block, uint32(length))
		clear(g.block[rawHead+copy(g.block[rawHead:], value):])
		return nil
	}
	g := a.create(p, desc{obj: obj, kind: KindHeader}, 0)
	initHeader(g.block, typ)
	return a.stringWrite(obj, 0, value, uint64(length))
}

// StringLen returns the length of a string.
func (a *Access) StringLen(obj uint64) (uint64, error) {
	g, err := a.fetch(obj, 0)
	if err != nil {
		return 0, err
	}
	return stringLen(&g), nil
}

// stringLen reads a string's length from its page 0.
func stringLen(g *pg) uint64 {
	if g.kind == KindRaw {
		return uint64(binary.LittleEndian.Uint32(g.block))
	}
	return binary.LittleEndian.Uint64(g.header().Aux())
}

// StringRead fills b with the bytes from off on; all of them exist. All chunks
// that are cold are missed together.
func (a *Access) StringRead(obj, off uint64, b []byte) error {
	var cold error
	for len(b) > 0 {
		chunk, err := a.StringChunk(obj, off)
		if errors.Is(err, ErrCold) && a.missedChunk() {
			cold = err
			chunk = b[:min(len(b), int(chunkBytes-off%chunkBytes))]
		} else if err != nil {
			return err
		}
		n := copy(b, chunk)
		b = b[n:]
		off += uint64(n)
	}
	return cold
}

// missedChunk tells whether the last page missed is a chunk of a string, not
// what tells which chunks there are.
func (a *Access) missedChunk() bool {
	no := a.cold[len(a.cold)-1].addr.No
	return no >= firstChunk && no < firstMap
}

// StringChunk returns some bytes from off on, at least one: what stands
// together. Valid until the access ends, releases or changes something.
func (a *Access) StringChunk(obj, off uint64) ([]byte, error) {
	g, err := a.fetch(obj, 0)
	if err != nil {
		return nil, err
	}
	length := stringLen(&g)
	if off >= length {
		return nil, fmt.Errorf("page: object %#x: byte %d of %d: %w", obj, off, length, engine.ErrCorrupt)
	}
	if g.kind == KindRaw {
		return g.block[rawHead+off : rawHead+length], nil
	}
	c, at := off/chunkBytes, off%chunkBytes
	n := min(chunkBytes, length-c*chunkBytes)
	there, err := a.chunkThere(obj, c)
	if err != nil {
		return nil, err
	}
	if !there {
		return a.m.zeroes[at:n], nil
	}
	if g, err = a.fetch(obj, firstChunk+c); err != nil {
		return nil, err
	}
	if have := uint64(len(g.block)); have < n {
		if at >= have {
			return a.m.zeroes[at:n], nil
		}
		n = have
	}
	return g.block[at:n], nil
}

// chunkThere tells whether a chunk of a string exists.
func (a *Access) chunkThere(obj, c uint64) (bool, error) {
	g, err := a.fetch(obj, firstMap+c/mapChunks)
	if err != nil {
		return false, err
	}
	i := c % mapChunks
	return i/8 < uint64(len(g.block)) && g.block[i/8]>>(i%8)&1 != 0, nil
}

// StringWrite puts b at off, extending the string, with zeroes between its end
// and off, where needed. Cost: O(len(b)), whatever the length of the string.
func (a *Access) StringWrite(obj, off uint64, b []byte) error {
	g, err := a.fetch(obj, 0)
	if err != nil {
		return err
	}
	end := max(off+uint64(len(b)), stringLen(&g))
	if g.kind != KindRaw {
		return a.stringWrite(obj, off, b, end)
	}
	if end > rawMax {
		return a.unraw(&g, off, b, end)
	}
	a.edit(&g)
	if need := rawHead + int(end); need > len(g.block) {
		ref, grown := a.m.pool.Alloc(need)
		clear(grown[copy(grown, g.block):])
		a.setBlock(&g, ref, grown)
	}
	copy(g.block[rawHead+off:], b)
	binary.LittleEndian.PutUint32(g.block, uint32(end))
	return nil
}

// unraw turns a raw page 0 into a header with chunks, and writes b.
func (a *Access) unraw(g *pg, off uint64, b []byte, end uint64) error {
	a.edit(g)
	old := append([]byte(nil), g.block[rawHead:rawHead+int(stringLen(g))]...)
	ref, blk := a.m.pool.Alloc(HeaderSize)
	initHeader(blk, 0)
	a.setBlock(g, ref, blk)
	g.d.kind = KindHeader
	if err := a.stringWrite(g.d.obj, 0, old, end); err != nil {
		return err
	}
	return a.stringWrite(g.d.obj, off, b, end)
}

// stringWrite writes to a string that has chunks and sets its length to end.
func (a *Access) stringWrite(obj, off uint64, b []byte, end uint64) error {
	if err := a.warmChunks(obj, off, uint64(len(b))); err != nil {
		return err
	}
	g, err := a.fetch(obj, 0)
	if err != nil {
		return err
	}
	if old := stringLen(&g); old != end {
		a.edit(&g)
		for m := mapCount(old); m < mapCount(end); m++ {
			mg := a.create(g.p, desc{obj: obj, no: firstMap + m, kind: KindRaw}, 16)
			clear(mg.block)
		}
		g = a.current(g.p, g.id)
		binary.LittleEndian.PutUint64(g.header().Aux(), end)
	}
	for len(b) > 0 {
		at := off % chunkBytes
		n := min(uint64(len(b)), chunkBytes-at)
		if err := a.writeChunk(obj, off/chunkBytes, at, b[:n]); err != nil {
			return err
		}
		b, off = b[n:], off+n
	}
	return nil
}

// mapCount returns how many bitmaps a string of this length has.
func mapCount(length uint64) uint64 {
	return (length + chunkBytes*mapChunks - 1) / (chunkBytes * mapChunks)
}

// warmChunks misses what is cold of the pages that a write needs before it
// changes the first.
func (a *Access) warmChunks(obj, off, n uint64) error {
	g, err := a.fetch(obj, 0)
	if err != nil {
		return err
	}
	have := mapCount(stringLen(&g))
	var cold error
	for c := off / chunkBytes; n > 0 && c <= (off+n-1)/chunkBytes && c/mapChunks < have; c++ {
		there, err := a.chunkThere(obj, c)
		if err == nil && there {
			_, err = a.fetch(obj, firstChunk+c)
		}
		if err != nil {
			cold = err
		}
	}
	return cold
}

// writeChunk writes within one chunk, which it creates if need be.
func (a *Access) writeChunk(obj, c, at uint64, b []byte) error {
	end := int(at) + len(b)
	there, err := a.chunkThere(obj, c)
	if err != nil {
		return err
	}
	if !there {
		g := a.create(&a.m.parts[obj>>56], desc{obj: obj, no: firstChunk + c, kind: KindRaw}, end)
		clear(g.block[:at])
		clear(g.block[int(at)+copy(g.block[at:], b):])
		return a.markChunk(obj, c)
	}
	g, err := a.fetch(obj, firstChunk+c)
	if err != nil {
		return err
	}
	a.edit(&g)
	if end > len(g.block) {
		ref, grown := a.m.pool.Alloc(end)
		clear(grown[copy(grown, g.block):])
		a.setBlock(&g, ref, grown)
	}
	copy(g.block[at:], b)
	return nil
}

// markChunk notes that a chunk exists.
func (a *Access) markChunk(obj, c uint64) error {
	g, err := a.fetch(obj, firstMap+c/mapChunks)
	if err != nil {
		return err
	}
	a.edit(&g)
	i := int(c % mapChunks)
	if i/8 >= len(g.block) {
		ref, grown := a.m.pool.Alloc(i/8 + 1)
		clear(grown[copy(grown, g.block):])
		a.setBlock(&g, ref, grown)
	}
	g.block[i/8] |= 1 << (i % 8)
	return nil
}

// SubPut stores an element's own value in pages of its object and returns the
// number by which SubGet finds it. The object has a header.
func (a *Access) SubPut(obj uint64, value []byte) (sub uint32, err error) {
	g, err := a.fetch(obj, 0)
	if err != nil {
		return 0, err
	}
	a.edit(&g)
	sub = g.header().takeSub()
	for i := uint64(0); len(value) > 0; i++ {
		n := min(len(value), chunkBytes)
		c := a.create(g.p, desc{obj: obj, no: uint64(sub)<<subShift + i, kind: KindRaw}, n)
		clear(c.block[copy(c.block, value[:n]):])
		value = value[n:]
	}
	return sub, nil
}

// SubGet returns an element's own value of n bytes, at least one. Nothing is
// allocated before its pages are known to hold that many.
func (a *Access) SubGet(obj uint64, sub uint32, n int) ([]byte, error) {
	last := (n - 1) / chunkBytes
	if _, err := a.subPage(obj, sub, last, n); err != nil {
		return nil, err // not the first page: a damaged n would have all others missed
	}
	var missed error
	for i := range last {
		if _, err := a.subPage(obj, sub, i, n); err != nil {
			missed = err
		}
	}
	if missed != nil {
		return nil, missed
	}
	value := make([]byte, n)
	for i := range last + 1 {
		b, err := a.subPage(obj, sub, i, n)
		if err != nil {
			return nil, err
		}
		copy(value[i*chunkBytes:], b)
	}
	return value, nil
}

// subPage returns what the i-th page holds of an element's own value of n
// bytes.
func (a *Access) subPage(obj uint64, sub uint32, i, n int) ([]byte, error) {
	g, err := a.fetch(obj, uint64(sub)<<subShift+uint64(i))
	if err != nil {
		return nil, err
	}
	n = min(n-i*chunkBytes, chunkBytes)
	if len(g.block) < n {
		return nil, fmt.Errorf("page: object %#x value %d: short: %w", obj, sub, engine.ErrCorrupt)
	}
	return g.block[:n], nil
}

// SubDelete frees an element's own value of n bytes. Its pages may be cold.
func (a *Access) SubDelete(obj uint64, sub uint32, n int) {
	p := &a.m.parts[obj>>56]
	for i := uint64(0); n > 0; i++ {
		no := uint64(sub)<<subShift + i
		if a.mode == Direct {
			p.plain(obj, no)
		} else if _, ok := a.news[pageKey{obj, no}]; !ok {
			p.Lock() // a cold page has no descriptor yet
			p.plain(obj, no)
			p.Unlock()
		}
		a.remove(obj, no)
		n -= chunkBytes
	}
}
