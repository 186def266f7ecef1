package page

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Ref names a block of page memory; 0 is none. The upper half is the slab's
// index plus one, the lower half the block's offset in the slab.
type Ref uint64

// Sizes of blocks and slabs.
const (
	minBlock    = 16       // and the step between the small classes
	maxBlock    = 32 << 10 // the largest class; beyond, a block has a mapping of its own
	largeStep   = 4 << 10  // such mappings are multiples of this
	numClasses  = 72       // 8 up to 128 B, then 8 for each doubling
	largeClass  = -1       // the class of a slab that is one large block
	smallSlab   = 256 << 10
	hugeSlab    = 2 << 20
	hugeFrom    = 64 << 20  // mapped bytes from which on slabs are huge ones,
	hugeClass   = 4 << 20   // in classes that have this much already
	idleAtLeast = 4 << 20   // bytes of empty slabs that may always stay mapped, as far as touched
	keptPart    = 2         // the part of what is mapped that may be kept beyond, see Trim,
	keptMost    = 128 << 20 // and how much at most
	poisonByte  = 0xDB      // what freed blocks are filled with where checked is on
)

// Pool is an allocator of blocks that hold no Go pointers. Their memory is
// mapped off the Go heap where the platform has mmap: the garbage collector
// never looks at it. All methods may be called concurrently; what is written
// to a block is its owner's to synchronize.
//
// Blocks come in classes at most 12.5 % apart, see [ClassSize]. A slab holds
// blocks of one class. It is carved from its start on, so memory that no block
// has used yet is never touched and costs nothing; freed blocks are linked
// through their first four bytes. The lowest slab with room serves first, so
// that the highest ones run empty, and an empty slab is unmapped unless it is
// its class's spare: a block that grows passes through many classes. Memory of
// huge slabs is not unmapped at once but kept for the next one, until [Pool.Trim]
// finds that nobody has needed it: for the system, giving pages costs more time
// than filling them. Where slabs are begun one after the other, the next one's
// memory is got ready meanwhile.
//
// Under the race detector, or with the build tag invariants, blocks come from
// the Go heap, freed ones are poisoned, and freeing twice or writing to a
// freed block panics.
type Pool struct {
	// table is where the blocks of each slab lie, indexed as slabs. Bytes reads
	// it without mu: an entry changes only while its slab has no live block,
	// and a longer table is a copy, so an old one stays right for live blocks.
	table atomic.Pointer[[]span]

	mu      sync.Mutex
	slabs   []slab
	vacant  []uint32 // indexes of slabs that are unmapped, descending
	classes [numClasses]class
	used    int64    // bytes of live blocks
	mapped  int64    // bytes of slabs
	idle    int64    // bytes of spare slabs that may be resident
	kept    [][]byte // memory of huge slabs that are none at present
	least   int      // the lowest length of kept since the last Trim

	preparing bool           // there will be more in kept
	prepared  sync.WaitGroup // for the goroutine that sees to it
}

// span is what Bytes needs of a slab.
type span struct {
	base unsafe.Pointer
	size int // of each block
}

// slab is a mapping that serves blocks of one class, or one large block.
type slab struct {
	mem     []byte
	class   int
	free    uint32   // the first freed block's offset plus one; 0 is none
	fresh   uint32   // offset from which on no block was handed out since it was empty
	touched uint32   // bytes that were handed out before it was empty
	live    uint32   // blocks handed out
	alive   []uint64 // a bit for each of them, where checked is on
}

// class is what serves one size of blocks.
type class struct {
	room   []uint32 // slabs that have room, descending: the lowest is the last
	spare  uint32   // index plus one of the empty slab that is kept; 0 is none
	mapped int64
}

// NewPool returns an empty pool. It must be closed: mapped memory is beyond
// the garbage collector.
func NewPool() *Pool {
	p := &Pool{}
	p.table.Store(&[]span{})
	return p
}

// ClassSize returns the size of the block that Alloc(size) gives.
func ClassSize(size int) int {
	switch {
	case size <= minBlock:
		return minBlock
	case size <= 128:
		return (size + minBlock - 1) &^ (minBlock - 1)
	case size <= maxBlock:
		step := 1 << (bits.Len(uint(size-1)) - 4)
		return (size + step - 1) &^ (step - 1)
	}
	return (size + largeStep - 1) &^ (largeStep - 1)
}

// classOf returns the index of the class that serves size, at most maxBlock.
func classOf(size int) int {
	if size <= 128 {
		return max(size-1, 0) / minBlock
	}
	k := bits.Len(uint(size - 1)) // size is in (2^(k-1), 2^k]: 8 steps of 2^(k-4)
	return (k-8)*8 + (size-1)>>(k-4)
}

// Alloc returns a block of the smallest class of at least size bytes, and its
// name. The slice is the whole block, aligned to 16; its contents are
// undefined. Alloc panics if the system has no more memory, as the Go runtime
// does.
func (p *Pool) Alloc(size int) (Ref, []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if size > maxBlock {
		return p.allocLarge(ClassSize(size))
	}
	ci := classOf(size)
	c := &p.classes[ci]
	if len(c.room) == 0 {
		p.addSlab(ci, ClassSize(size))
	}
	i := c.room[len(c.room)-1]
	s := &p.slabs[i]
	sp := &(*p.table.Load())[i]
	off := s.take(sp)
	if s.live == 0 && c.spare == i+1 {
		c.spare = 0
		p.idle -= int64(s.touched)
	}
	s.live++
	if !s.hasRoom(sp.size) {
		c.room = c.room[:len(c.room)-1]
	}
	p.used += int64(sp.size)
	b := unsafe.Slice((*byte)(unsafe.Add(sp.base, off)), sp.size)
	if checked {
		s.setAlive(off, sp.size)
		fill(b)
	}
	return Ref(i+1)<<32 | Ref(off), b
}

// Bytes returns the whole block. It takes no lock. r must name a live block:
// the slice of one that is freed meanwhile must not be touched any more.
func (p *Pool) Bytes(r Ref) []byte {
	s := &(*p.table.Load())[uint32(r>>32)-1]
	return unsafe.Slice((*byte)(unsafe.Add(s.base, uint32(r))), s.size)
}

// Free gives a block back. Nobody may hold a slice of it any more.
func (p *Pool) Free(r Ref) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, off := uint32(r>>32)-1, uint32(r)
	if checked && !p.isAlive(i, off) {
		panic("page: block freed twice, or never allocated")
	}
	s := &p.slabs[i]
	sp := (*p.table.Load())[i]
	p.used -= int64(sp.size)
	b := unsafe.Slice((*byte)(unsafe.Add(sp.base, off)), sp.size)
	if checked {
		fill(b)
	}
	if s.class == largeClass {
		p.unmap(i)
		return
	}
	if checked {
		s.clearAlive(off, sp.size)
	}
	c := &p.classes[s.class]
	if !s.hasRoom(sp.size) {
		c.room = insertDescending(c.room, i)
	}
	binary.NativeEndian.PutUint32(b, s.free)
	s.free = off + 1
	s.live--
	if s.live == 0 {
		p.emptied(c, i)
	}
}

// Used returns the bytes in live blocks, each counted with its class size.
func (p *Pool) Used() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.used
}

// Mapped returns the bytes of all slabs, whether touched yet or not, and of what
// is kept for new ones.
func (p *Pool) Mapped() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mapped + int64(len(p.kept))*hugeSlab
}

// Trim returns memory to the system that has been kept since the last Trim
// without being needed.
func (p *Pool) Trim() {
	p.mu.Lock()
	unused := slices.Clone(p.kept[:p.least])
	p.kept = slices.Delete(p.kept, 0, p.least)
	p.least = len(p.kept)
	p.mu.Unlock()
	for _, mem := range unused {
		giveBack(mem)
	}
}

// giveBack returns memory to the system.
func giveBack(mem []byte) {
	if err := unmapMemory(mem); err != nil {
		panic("page: unmap: " + err.Error())
	}
}

// mustMap is mapMemory for who cannot go on without.
func mustMap(size int) []byte {
	mem, err := mapMemory(size)
	if err != nil {
		panic("page: out of memory: " + err.Error())
	}
	return mem
}

// mapSlab returns memory for a slab of n bytes, of huge pages maybe.
func (p *Pool) mapSlab(n int, huge bool) []byte {
	if n != hugeSlab {
		return mustMap(n)
	}
	last := len(p.kept) - 1
	if huge && last <= 0 && !p.preparing {
		p.preparing = true
		p.prepared.Add(1)
		go p.prepare()
	}
	if last < 0 {
		mem := mustMap(n)
		if huge {
			askHuge(mem)
		}
		return mem
	}
	mem := p.kept[last]
	p.kept = slices.Delete(p.kept, last, last+1)
	p.least = min(p.least, last)
	return mem
}

// prepare is the goroutine that gets memory for the huge slab after the one that
// is begun: the system clears a huge page, and may have to find one, when it is
// touched first, and a writer would wait for that.
func (p *Pool) prepare() {
	defer p.prepared.Done()
	mem, err := mapMemory(hugeSlab)
	if err == nil {
		askHuge(mem)
		touch(mem)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.preparing = false
	if err == nil { // else who needs it will try again
		p.kept = append(p.kept, mem)
	}
}

// Close returns all memory to the system, that of live blocks too: none may be
// touched any more. Close may be called again; nothing else may.
func (p *Pool) Close() error {
	p.prepared.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.table.Store(&[]span{})
	var first error
	for i := range p.slabs {
		p.kept = append(p.kept, p.slabs[i].mem)
	}
	for _, mem := range p.kept {
		if err := unmapMemory(mem); err != nil && first == nil {
			first = err
		}
	}
	p.kept, p.least = nil, 0
	p.slabs, p.vacant, p.classes = nil, nil, [numClasses]class{}
	p.used, p.mapped, p.idle = 0, 0, 0
	return first
}

// allocLarge returns a block of size bytes in a mapping of its own.
func (p *Pool) allocLarge(size int) (Ref, []byte) {
	i := p.newIndex()
	mem := mustMap(size)
	p.slabs[i] = slab{mem: mem, class: largeClass, fresh: 1, live: 1}
	(*p.table.Load())[i] = span{base: unsafe.Pointer(unsafe.SliceData(mem)), size: size}
	p.mapped += int64(size)
	p.used += int64(size)
	if checked {
		fill(mem)
	}
	return Ref(i+1) << 32, mem
}

// addSlab maps a slab for the class ci of blocks of size bytes. Huge pages
// spare a large store most of its TLB misses, but each is resident as a whole
// once touched: a class gets them only when it is large itself.
//
// Parts of long strings, and what else is of their class, do without. Each fills a
// small page, so that one look-up misses one entry of the TLB more at most; and
// they are written many at a time, for which a huge page may be dear: under a
// hypervisor that takes free ones back it takes 6 ms, as many small ones 1 ms.
func (p *Pool) addSlab(ci, size int) {
	c := &p.classes[ci]
	n := smallSlab
	if p.mapped >= hugeFrom && c.mapped >= hugeClass {
		n = hugeSlab
	}
	i := p.newIndex()
	mem := p.mapSlab(n, size != chunkBytes)
	p.slabs[i] = slab{mem: mem, class: ci}
	if checked {
		p.slabs[i].alive = make([]uint64, (n/size+63)/64)
	}
	(*p.table.Load())[i] = span{base: unsafe.Pointer(unsafe.SliceData(mem)), size: size}
	c.room = insertDescending(c.room, i)
	c.mapped += int64(n)
	p.mapped += int64(n)
}

// newIndex returns the lowest unused slab index, and makes the table longer if
// there is none. The index counts as unused until its slab has memory; should
// mapping panic, it is lost.
func (p *Pool) newIndex() uint32 {
	if n := len(p.vacant); n > 0 {
		i := p.vacant[n-1]
		p.vacant = p.vacant[:n-1]
		return i
	}
	i := len(p.slabs)
	p.slabs = append(p.slabs, slab{})
	if old := *p.table.Load(); i == len(old) {
		longer := make([]span, max(64, 2*len(old)))
		copy(longer, old)
		p.table.Store(&longer)
	}
	return uint32(i)
}

// emptied decides what becomes of slab i, which has no live block left. A
// class keeps one empty slab, so that a block which comes and goes does not
// map and unmap, as long as all classes together keep little.
func (p *Pool) emptied(c *class, i uint32) {
	if c.spare != 0 { // of two, the lower stays
		high := max(i, c.spare-1)
		i = min(i, c.spare-1)
		p.idle -= int64(p.slabs[c.spare-1].touched)
		c.spare = 0
		p.unmapSlab(c, high)
	}
	s := &p.slabs[i]
	if s.touched = max(s.touched, s.fresh); len(s.mem) == hugeSlab {
		s.touched = hugeSlab
	}
	n := int64(s.touched)
	if p.idle+n > max(idleAtLeast, p.mapped/16) {
		p.unmapSlab(c, i)
		return
	}
	s.free, s.fresh = 0, 0
	c.spare = i + 1
	p.idle += n
}

// unmapSlab returns an empty slab, which has room, to the system.
func (p *Pool) unmapSlab(c *class, i uint32) {
	at, ok := searchDescending(c.room, i)
	if !ok {
		panic("page: empty slab not listed")
	}
	c.room = slices.Delete(c.room, at, at+1)
	c.mapped -= int64(len(p.slabs[i].mem))
	p.unmap(i)
}

// unmap gives up a slab's memory and makes its index vacant.
func (p *Pool) unmap(i uint32) {
	mem, huge := p.slabs[i].mem, p.slabs[i].class != largeClass && len(p.slabs[i].mem) == hugeSlab
	p.mapped -= int64(len(mem))
	p.slabs[i] = slab{}
	(*p.table.Load())[i] = span{}
	p.vacant = insertDescending(p.vacant, i)
	if huge {
		p.kept = append(p.kept, mem)
	} else {
		giveBack(mem)
	}
	for last := len(p.kept) - 1; int64(last+1)*hugeSlab > min(p.mapped/keptPart, keptMost); last-- {
		giveBack(p.kept[last])
		p.kept = slices.Delete(p.kept, last, last+1)
		p.least = min(p.least, last)
	}
}

// isAlive tells whether a live block is at off in slab i.
func (p *Pool) isAlive(i, off uint32) bool {
	if int(i) >= len(p.slabs) || p.slabs[i].live == 0 {
		return false
	}
	s := &p.slabs[i]
	if s.class == largeClass {
		return off == 0
	}
	size := uint32((*p.table.Load())[i].size)
	n := off / size
	return off%size == 0 && off < s.fresh && s.alive[n/64]&(1<<(n%64)) != 0
}

// hasRoom tells whether a block of size bytes can be taken.
func (s *slab) hasRoom(size int) bool {
	return s.free != 0 || int(s.fresh)+size <= len(s.mem)
}

// take returns the offset of a free block; there must be one. Freed blocks are
// used first: they are resident.
func (s *slab) take(sp *span) uint32 {
	off := s.fresh
	if s.free == 0 {
		s.fresh += uint32(sp.size)
		return off
	}
	off = s.free - 1
	b := unsafe.Slice((*byte)(unsafe.Add(sp.base, off)), sp.size)
	s.free = binary.NativeEndian.Uint32(b)
	if checked {
		checkFill(b[4:])
	}
	return off
}

// setAlive notes that the block at off is handed out.
func (s *slab) setAlive(off uint32, size int) {
	n := off / uint32(size)
	s.alive[n/64] |= 1 << (n % 64)
}

// clearAlive notes that the block at off is free.
func (s *slab) clearAlive(off uint32, size int) {
	n := off / uint32(size)
	s.alive[n/64] &^= 1 << (n % 64)
}

// fill poisons a block.
func fill(b []byte) {
	b[0] = poisonByte
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

// checkFill panics if somebody wrote to a poisoned block: all its bytes have to
// equal the ones before them.
func checkFill(b []byte) {
	if b[0] != poisonByte || !bytes.Equal(b[1:], b[:len(b)-1]) {
		panic("page: write to a freed block")
	}
}

// searchDescending finds v, or its place, in a list in descending order.
func searchDescending(list []uint32, v uint32) (int, bool) {
	return slices.BinarySearchFunc(list, v, func(a, b uint32) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
}

// insertDescending inserts v into a list in descending order.
func insertDescending(list []uint32, v uint32) []uint32 {
	i, _ := searchDescending(list, v)
	return slices.Insert(list, i, v)
}
