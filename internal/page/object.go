package page

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

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

// headed returns page 0 of an object that has a header.
func (a *Access) headed(obj uint64) (pg, error) {
	g, err := a.fetch(obj, 0)
	if err == nil && g.kind == KindRaw {
		return pg{}, fmt.Errorf("page: object %#x has no header: %w", obj, engine.ErrCorrupt)
	}
	return g, err
}

// EditHeader returns an object's header, whose Aux may be changed at once.
func (a *Access) EditHeader(obj uint64) (Header, error) {
	g, err := a.headed(obj)
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
	chunkBytes = ChunkBytes
	rawHead    = 4
	rawMax     = chunkBytes - rawHead
	firstChunk = 1
	firstMap   = 1 << 31
	mapChunks  = chunkBytes * 8 // chunks told by one bitmap
	subShift   = 32             // an element's own value number s is in pages s<<subShift+i
)

// ChunkBytes is how many bytes of a long string stand in one page.
const ChunkBytes = 4 << 10

// MaxString is the highest length of a string.
const MaxString = 512 << 20

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
	return stringLen(&g)
}

// stringLen reads a string's length from its page 0.
func stringLen(g *pg) (n uint64, err error) {
	switch g.kind {
	case KindRaw:
		return rawLen(g.block), nil
	case KindHeader:
		n = binary.LittleEndian.Uint64(g.header().Aux())
	default:
		n = math.MaxUint64
	}
	if n > MaxString {
		err = fmt.Errorf("page: object %#x page 0 is no string's: %w", g.obj, engine.ErrCorrupt)
	}
	return n, err
}

// rawLen reads a string's length from a page 0 of KindRaw.
func rawLen(block []byte) uint64 { return uint64(binary.LittleEndian.Uint32(block)) }

// StringGet returns a copy of n bytes of a string from off on. Nothing is
// allocated before the pages that tell which chunks exist are known to be there.
func (a *Access) StringGet(obj, off uint64, n int) ([]byte, error) {
	length, err := a.StringLen(obj)
	if err != nil {
		return nil, err
	}
	if n < 0 || off > length || uint64(n) > length-off {
		return nil, fmt.Errorf("page: object %#x: %d bytes at %d of %d: %w", obj, n, off, length, engine.ErrCorrupt)
	}
	if n > chunkBytes {
		if _, err := a.fetch(obj, firstMap+mapCount(length)-1); err != nil {
			return nil, err
		}
	}
	b := make([]byte, n)
	return b, a.stringRead(obj, off, b)
}

// stringRead fills b with the bytes from off on; all of them exist. All chunks
// that are cold are missed together.
func (a *Access) stringRead(obj, off uint64, b []byte) error {
	var cold error
	for len(b) > 0 {
		chunk, n, err := a.stringChunk(obj, off)
		if errors.Is(err, ErrCold) && n > 0 {
			cold = err
		} else if err != nil {
			return err
		}
		copy(b, chunk)
		n = min(n, len(b))
		b = b[n:]
		off += uint64(n)
	}
	return cold
}

// StringChunk returns some bytes from off on, at least one: what stands
// together. Valid until the access ends, releases or changes something.
func (a *Access) StringChunk(obj, off uint64) ([]byte, error) {
	chunk, _, err := a.stringChunk(obj, off)
	return chunk, err
}

// stringChunk is StringChunk. Where the chunk itself is cold, n tells how many
// bytes of it follow; else it is the number of bytes returned.
func (a *Access) stringChunk(obj, off uint64) (chunk []byte, n int, err error) {
	g, err := a.fetch(obj, 0)
	if err != nil {
		return nil, 0, err
	}
	length, err := stringLen(&g)
	if err != nil {
		return nil, 0, err
	}
	if off >= length {
		return nil, 0, fmt.Errorf("page: object %#x: byte %d of %d: %w", obj, off, length, engine.ErrCorrupt)
	}
	if g.kind == KindRaw {
		chunk = g.block[rawHead+off : rawHead+length]
		return chunk, len(chunk), nil
	}
	c, at := off/chunkBytes, off%chunkBytes
	end := min(chunkBytes, length-c*chunkBytes)
	there, err := a.chunkThere(obj, c)
	if err != nil {
		return nil, 0, err
	}
	chunk = a.m.zeroes[at:end]
	if there {
		if g, err = a.fetch(obj, firstChunk+c); err != nil {
			return nil, int(end - at), err
		}
		if have := uint64(len(g.block)); have > at {
			chunk = g.block[at:min(have, end)]
		}
	}
	return chunk, len(chunk), nil
}

// StringRun appends to parts the n bytes of a string from off on, all of which
// exist: a part for each chunk, shorter where the rest of it is zero. off is that
// of a chunk. Valid as long as a StringChunk.
func (a *Access) StringRun(parts [][]byte, obj, off uint64, n int) ([][]byte, error) {
	g, err := a.fetch(obj, 0)
	if err != nil {
		return parts, err
	}
	if g.kind == KindRaw {
		part, err := a.StringChunk(obj, off)
		if err != nil {
			return parts, err
		}
		return append(parts, part[:min(len(part), n)]), nil
	}
	var bitmap pg
	var missed error
	for c, end := off/chunkBytes, (off+uint64(n)+chunkBytes-1)/chunkBytes; c < end; c++ {
		if bitmap.block == nil || c%mapChunks == 0 {
			if bitmap, err = a.fetch(obj, firstMap+c/mapChunks); err != nil {
				return parts, err
			}
		}
		var part []byte
		if bitmap.marks(c) {
			if g, err = a.fetch(obj, firstChunk+c); err != nil {
				missed = err // all that are cold together
				continue
			}
			part = g.block[:min(len(g.block), chunkBytes, n)]
		}
		parts = append(parts, part)
		n -= chunkBytes
	}
	return parts, missed
}

// chunkThere tells whether a chunk of a string exists.
func (a *Access) chunkThere(obj, c uint64) (bool, error) {
	g, err := a.fetch(obj, firstMap+c/mapChunks)
	if err != nil {
		return false, err
	}
	return g.marks(c), nil
}

// marks tells whether a bitmap says that chunk c exists.
func (g *pg) marks(c uint64) bool {
	i := c % mapChunks
	return i/8 < uint64(len(g.block)) && g.block[i/8]>>(i%8)&1 != 0
}

// StringWrite puts b at off, extending the string, with zeroes between its end
// and off, where needed. Cost: O(len(b)), whatever the length of the string.
func (a *Access) StringWrite(obj, off uint64, b []byte) error {
	g, err := a.fetch(obj, 0)
	if err != nil {
		return err
	}
	length, err := stringLen(&g)
	if err != nil {
		return err
	}
	end := max(off+uint64(len(b)), length)
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
	old := append([]byte(nil), g.block[rawHead:rawHead+int(rawLen(g.block))]...)
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
	old, err := stringLen(&g)
	if err != nil {
		return err
	}
	if old != end {
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
	length, err := stringLen(&g)
	if err != nil {
		return err
	}
	have := mapCount(length)
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

// FillChunk makes the n bytes of a chunk, which does not exist, of a string that
// is long enough what fill writes to them, and returns them. Of nothing but
// zeroes no chunk is made: it returns nil.
func (a *Access) FillChunk(obj, c uint64, n int, fill func(b []byte) error) ([]byte, error) {
	ref, block := a.m.pool.Alloc(n)
	clear(block[n:])
	b := block[:n]
	err := fill(b)
	if err != nil || allZero(b) {
		a.m.pool.Free(ref)
		return nil, err
	}
	a.createWith(&a.m.parts[obj>>56], desc{obj: obj, no: firstChunk + c, kind: KindRaw}, ref)
	return b, a.markChunk(obj, c)
}

// allZero tells whether b has nothing but zeroes.
func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
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
	g, err := a.headed(obj)
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
