package page

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"unsafe"
)

// Hashed is a block that maps keys to values by hash:
//
//	0..4    number of entries
//	4..8    number of slots
//	8..12   end of the heap
//	12..16  bytes of the heap that no entry uses any more
//	16..    slots of 4 bytes: tag, the low 16 bits of the hash, in the upper
//	        half, offset of the entry / 4 in the lower; 0 is an empty slot
//	...     heap of entries: klen, vlen (both uvarint), key, value, padding of
//	        zeroes to a multiple of 4
//
// All numbers are little-endian, so that a block's prefix up to [Hashed.Used]
// is its image. Collisions probe linearly, at a load of 0.8 at most. The home
// slot tag * slots >> 16 orders entries by tag, whatever the number of slots
// is: growing and copying need no rehash.
//
// The block may be longer than what is used; lengths come from the header
// alone. Offsets reach 256 KiB, and no heap extends beyond. Methods trust the
// block: what comes from disk has to pass [Hashed.Check] first. Slots that
// Find, Put and Next return are valid until the next Put or Delete.
type Hashed []byte

const (
	hashedHead = 16
	hashedMax  = 1 << 18 // 16 bits of offset / 4
)

var errHashed = errors.New("page: malformed hashed block")

// HashedSize returns the bytes wanted for a block of n entries whose
// [EntrySize] add up to heapBytes.
func HashedSize(n, heapBytes int) int { return hashedHead + 4*slotsFor(n) + heapBytes }

// EntrySize returns the bytes that an entry takes in the heap.
func EntrySize(klen, vlen int) int {
	return (uvarintLen(klen) + uvarintLen(vlen) + klen + vlen + 3) &^ 3
}

// InitHashed formats b, at least HashedSize(0, 0) bytes, as an empty block
// with slots for about n entries: not more than b has room for, and Put adds
// slots when they run out. Only the header and the slots are written.
func InitHashed(b []byte, n int) Hashed {
	room := (min(len(b), hashedMax) - hashedHead) / 4
	if room < 1 {
		panic("page: block too short for a hashed page")
	}
	return Hashed(b).format(min(slotsFor(n), room))
}

// Len returns the number of entries.
func (h Hashed) Len() int { return int(binary.LittleEndian.Uint32(h)) }

// Find returns the slot of the entry with this key, -1 if there is none.
func (h Hashed) Find(hash uint64, key string) int {
	return max(h.locate(h.slots(), uint32(uint16(hash)), key), -1)
}

// findIn is Find for a caller that knows the number of slots: the block's
// header need not be read.
func (h Hashed) findIn(slots int, hash uint64, key string) int {
	if checked && slots != h.slots() {
		panic("page: number of slots of a page not noted")
	}
	return max(h.locate(slots, uint32(uint16(hash)), key), -1)
}

// Key returns the key of a used slot. It aliases the block.
func (h Hashed) Key(slot int) []byte {
	at, klen, _ := h.entry(h.offset(slot))
	return h[at : at+klen : at+klen]
}

// Value returns the value of a used slot. It aliases the block and may be
// changed in place.
func (h Hashed) Value(slot int) []byte {
	at, klen, vlen := h.entry(h.offset(slot))
	at += klen
	return h[at : at+vlen : at+vlen]
}

// Put inserts the entry or replaces its value, and returns its slot. A value
// that needs no more bytes than the old one is overwritten in place, except
// for the last entry in the heap any other is appended and the old entry
// becomes garbage. ok is false if the block has no room, in which case nothing
// has changed: the caller copies it to a block of [Hashed.NeedFor] bytes.
//
// key must not lie in the block; nor may value, except in the very entry that
// it replaces. Both may be moved before they are read.
func (h Hashed) Put(hash uint64, key string, value []byte) (slot int, ok bool) {
	tag := uint32(uint16(hash))
	slot = h.locate(h.slots(), tag, key)
	if slot >= 0 {
		return slot, h.replace(slot, key, value)
	}
	n, end := h.Len(), h.Used()
	size := EntrySize(len(key), len(value))
	if end+size > h.limit() {
		return 0, false
	}
	slot = -2 - slot
	if n >= maxLoad(h.slots()) {
		if !h.addSlots(size) {
			return 0, false
		}
		slot, end = h.emptyFor(tag), h.Used()
	}
	if checked {
		mustBeApart(h, value)
	}
	h.writeEntry(end, key, value)
	h.setSlot(slot, tag<<16|uint32(end/4))
	h.setHead(headUsed, end+size)
	h.setHead(headLen, n+1)
	return slot, true
}

// Delete removes the entry of a used slot. The entries that collided with it
// move up, so that no probe ever passes a deleted slot.
func (h Hashed) Delete(slot int) {
	off := h.offset(slot)
	h.drop(off, h.sizeAt(off))
	m := h.slots()
	gap := slot
	for i := gap; ; {
		if i++; i == m {
			i = 0
		}
		s := h.slot(i)
		if s == 0 {
			break
		}
		// The entry may fill the gap unless its home lies behind the gap, on
		// the way from the gap to i (cyclically).
		home := homeSlot(s>>16, m)
		if gap <= i && (home <= gap || home > i) || gap > i && home <= gap && home > i {
			h.setSlot(gap, s)
			gap = i
		}
	}
	h.setSlot(gap, 0)
	n := h.Len() - 1
	h.setHead(headLen, n)
	if n == 0 {
		h.setHead(headUsed, h.heap())
		h.setHead(headGarbage, 0)
	}
}

// Next returns the next used slot behind slot, -1 at the end. It starts with
// -1. The order is nearly that of the tags, and holds until the next change.
func (h Hashed) Next(slot int) int {
	for m := h.slots(); ; {
		if slot++; slot >= m {
			return -1
		}
		if h.slot(slot) != 0 {
			return slot
		}
	}
}

// Used returns the length of the prefix that is the block's image: all up to
// the end of the heap.
func (h Hashed) Used() int { return h.head(headUsed) }

// Live returns the bytes that a compacted copy for just these entries takes.
func (h Hashed) Live() int { return HashedSize(h.Len(), h.liveHeap()) }

// CopyTo writes a compacted copy into dst, with slots for n entries, and
// returns it. dst has at least Live() bytes; if it is too short for n, the copy
// has fewer slots. The entries are found by the tags in the slots: no key is
// hashed.
func (h Hashed) CopyTo(dst []byte, n int) Hashed {
	live := h.liveHeap()
	room := (min(len(dst), hashedMax) - hashedHead - live) / 4
	if room < slotsFor(h.Len()) {
		panic("page: block too short for the copy of a hashed page")
	}
	out := Hashed(dst).format(min(slotsFor(max(n, h.Len())), room))
	end := out.heap()
	for s := h.Next(-1); s >= 0; s = h.Next(s) {
		off, tag := h.offset(s), h.slot(s)>>16
		size := h.sizeAt(off)
		copy(out[end:], h[off:off+size])
		out.setSlot(out.emptyFor(tag), tag<<16|uint32(end/4))
		end += size
	}
	out.setHead(headLen, h.Len())
	out.setHead(headUsed, end)
	return out
}

// NeedFor returns the size of a block that surely has room for one more entry
// once this one is copied to it, for any n up to Len + Len/8 + 1.
func (h Hashed) NeedFor(klen, vlen int) int {
	n := h.Len()
	return HashedSize(n+n/8+1, h.liveHeap()+EntrySize(klen, vlen))
}

// Check returns an error unless all that the methods rely on holds: counts and
// lengths, each entry within the heap and apart from the others, each key
// found where its tag leads, and only once there. Afterwards no method panics
// or leaves the block, given valid slots. Whether tags are those of the keys'
// hashes is for the caller to check.
func (h Hashed) Check() error {
	if len(h) < hashedHead+4 {
		return errHashed
	}
	n, m := binary.LittleEndian.Uint32(h), binary.LittleEndian.Uint32(h[headSlots:])
	end, garbage := binary.LittleEndian.Uint32(h[headUsed:]), binary.LittleEndian.Uint32(h[headGarbage:])
	if m < 1 || m > hashedMax/4 || int64(n) > int64(maxLoad(int(m))) || int64(end) > int64(min(len(h), hashedMax)) {
		return errHashed
	}
	heap := hashedHead + 4*m
	if end < heap || end%4 != 0 || garbage > end-heap {
		return errHashed
	}
	var small [72]uint64 // enough for 16 KiB
	seen := newCoverage(small[:], int(end)/4)
	used := uint32(0)
	live := 0
	for i := range int(m) {
		if h.slot(i) == 0 {
			continue
		}
		size, ok := h.checkEntry(i, int(heap), int(end), seen)
		if !ok {
			return errHashed
		}
		live += size
		used++
	}
	if used != n || live+int(garbage) != int(end-heap) {
		return errHashed
	}
	// Only now does every probe end: there is an empty slot.
	for i := h.Next(-1); i >= 0; i = h.Next(i) {
		if h.locate(int(m), h.slot(i)>>16, byteString(h.Key(i))) != i {
			return errHashed
		}
	}
	return nil
}

// checkEntry checks the entry of slot i as far as it can be alone, marks its
// bytes as seen, and returns its size.
func (h Hashed) checkEntry(i, heap, end int, seen coverage) (size int, ok bool) {
	off := h.offset(i)
	if off < heap || off >= end {
		return 0, false
	}
	b := h[off:end]
	klen, k := checkedUvarint(b)
	if k == 0 {
		return 0, false
	}
	vlen, v := checkedUvarint(b[k:])
	if v == 0 || klen > len(b)-k-v || vlen > len(b)-k-v-klen {
		return 0, false
	}
	size = (k + v + klen + vlen + 3) &^ 3
	if size > len(b) {
		return 0, false
	}
	return size, seen.mark(off/4, size/4)
}

// The header's fields.
const (
	headLen     = 0
	headSlots   = 4
	headUsed    = 8
	headGarbage = 12
)

// head returns a field of the header.
func (h Hashed) head(field int) int { return int(binary.LittleEndian.Uint32(h[field:])) }

// setHead sets a field of the header.
func (h Hashed) setHead(field, v int) { binary.LittleEndian.PutUint32(h[field:], uint32(v)) }

// slots returns the number of slots, at least one.
func (h Hashed) slots() int { return h.head(headSlots) }

// heap returns where the heap begins.
func (h Hashed) heap() int { return hashedHead + 4*h.slots() }

// liveHeap returns the bytes of all entries.
func (h Hashed) liveHeap() int { return h.Used() - h.heap() - h.head(headGarbage) }

// limit returns where the heap has to end.
func (h Hashed) limit() int { return min(len(h), hashedMax) }

// slot returns the contents of a slot.
func (h Hashed) slot(i int) uint32 { return binary.LittleEndian.Uint32(h[hashedHead+4*i:]) }

// setSlot sets the contents of a slot.
func (h Hashed) setSlot(i int, s uint32) { binary.LittleEndian.PutUint32(h[hashedHead+4*i:], s) }

// offset returns where the entry of a used slot is.
func (h Hashed) offset(slot int) int { return int(h.slot(slot)&0xffff) * 4 }

// format makes an empty block with m slots.
func (h Hashed) format(m int) Hashed {
	end := hashedHead + 4*m
	clear(h[:end])
	h.setHead(headSlots, m)
	h.setHead(headUsed, end)
	return h
}

// locate returns the slot, of m, of the entry with this tag and key or, if there
// is none, -2 minus the empty slot where it belongs. The tag decides nearly
// always; only then is the entry itself read.
//
// The slots are read without the compiler's bounds checks, a third of the time
// of a miss: all m are within h by the slice expression, and i is below m since
// a tag has 16 bits.
func (h Hashed) locate(m int, tag uint32, key string) int {
	i := homeSlot(tag, m)
	slots := unsafe.Pointer(&h[hashedHead : hashedHead+4*m][0])
	for {
		s := binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(slots, 4*i))[:])
		if s == 0 {
			return -2 - i
		}
		if s>>16 == tag {
			at, klen, _ := h.entry(int(s&0xffff) * 4)
			if klen == len(key) && string(h[at:at+klen]) == key {
				return i
			}
		}
		if i++; i == m {
			i = 0
		}
	}
}

// emptyFor returns the empty slot where an entry with this tag belongs.
func (h Hashed) emptyFor(tag uint32) int {
	m := h.slots()
	i := homeSlot(tag, m)
	for h.slot(i) != 0 {
		if i++; i == m {
			i = 0
		}
	}
	return i
}

// entry returns where the key of the entry at off is, and both lengths.
func (h Hashed) entry(off int) (at, klen, vlen int) {
	b := h[off : off+2]
	klen, vlen = int(b[0]), int(b[1])
	if klen|vlen < 0x80 {
		return off + 2, klen, vlen
	}
	return h.longEntry(off)
}

// longEntry is entry for lengths of any size.
func (h Hashed) longEntry(off int) (at, klen, vlen int) {
	k, n := binary.Uvarint(h[off:])
	v, l := binary.Uvarint(h[off+n:])
	return off + n + l, int(k), int(v)
}

// sizeAt returns the size of the entry at off.
func (h Hashed) sizeAt(off int) int {
	at, klen, vlen := h.entry(off)
	return (at - off + klen + vlen + 3) &^ 3
}

// replace gives the entry of a slot another value, and tells whether there was
// room.
func (h Hashed) replace(slot int, key string, value []byte) bool {
	off, end := h.offset(slot), h.Used()
	old, size := h.sizeAt(off), EntrySize(len(key), len(value))
	switch {
	case size <= old:
		h.writeEntry(off, key, value)
		h.drop(off+size, old-size)
		return true
	case off+old == end: // the last one grows where it is
		if off+size > h.limit() {
			return false
		}
		h.writeEntry(off, key, value)
		h.setHead(headUsed, off+size)
		return true
	case end+size > h.limit():
		return false
	}
	h.writeEntry(end, key, value)
	h.setSlot(slot, h.slot(slot)&^0xffff|uint32(end/4))
	h.setHead(headUsed, end+size)
	h.drop(off, old)
	return true
}

// writeEntry writes an entry at off. The value comes first: it may be the one
// that was there, a few bytes further on.
func (h Hashed) writeEntry(off int, key string, value []byte) {
	b := h[off : off+EntrySize(len(key), len(value))]
	n := uvarintLen(len(key)) + uvarintLen(len(value))
	end := n + len(key) + copy(b[n+len(key):], value)
	copy(b[n:], key)
	n = binary.PutUvarint(b, uint64(len(key)))
	binary.PutUvarint(b[n:], uint64(len(value)))
	clear(b[end:])
}

// drop gives up size bytes of the heap: the heap shrinks if they are its last
// ones, else they are garbage.
func (h Hashed) drop(off, size int) {
	if off+size == h.Used() {
		h.setHead(headUsed, off)
		return
	}
	h.setHead(headGarbage, h.head(headGarbage)+size)
}

// maxMoved is the number of slots up to which a block adds slots in place. They
// pass through a buffer on the stack.
const maxMoved = 1024

// addSlots makes the table of slots longer and moves the heap accordingly, if
// after that an entry of size bytes has room. It adds as many slots as the rest
// of the block is likely to need, but not more than half as many again: empty
// slots swell the image.
func (h Hashed) addSlots(size int) bool {
	m, n, end := h.slots(), h.Len(), h.Used()
	more := slotsFor(spread(n, h.liveHeap()+size, 5, h.limit()-end-size-4)) - m
	if more < 1 || m > maxMoved || end+4*more+size > h.limit() {
		return false
	}
	var buf [maxMoved]uint32
	for i := range m {
		buf[i] = h.slot(i)
	}
	from := hashedHead + 4*m
	copy(h[from+4*more:], h[from:end])
	clear(h[hashedHead : from+4*more])
	h.setHead(headSlots, m+more)
	h.setHead(headUsed, end+4*more)
	for _, s := range buf[:m] {
		if s != 0 {
			h.setSlot(h.emptyFor(s>>16), s+uint32(more))
		}
	}
	return true
}

// spread returns for how many entries to make a table when n entries, with one
// more, take heap bytes, each needs cost bytes in the table besides, and the
// block has spare bytes left: so many that table and heap fill up together, at
// most half as many again, at least n+1.
func spread(n, heap, cost, spare int) int {
	each := heap/(n+1) + cost
	more := max(spare, 0) / each
	return n + 1 + min(more, n/2+3)
}

// slotsFor returns the least number of slots that n entries can do with.
func slotsFor(n int) int { return max((5*n+3)/4, 1) }

// maxLoad returns the number of entries that m slots admit: always fewer.
func maxLoad(m int) int { return m * 4 / 5 }

// homeSlot returns the slot of m where the probe for a tag begins.
func homeSlot(tag uint32, m int) int { return int(tag * uint32(m) >> 16) }

// uvarintLen returns the bytes that a length takes.
func uvarintLen(n int) int {
	if n < 0x80 {
		return 1
	}
	return (bits.Len32(uint32(n)) + 6) / 7
}

// checkedUvarint reads a length from untrusted bytes. It returns the bytes
// that the length takes, 0 if it is cut off, longer than it need be, or above
// what a block can hold.
func checkedUvarint(b []byte) (v, n int) {
	u, n := binary.Uvarint(b)
	if n <= 0 || u > 1<<30 || n != uvarintLen(int(u)) {
		return 0, 0
	}
	return int(u), n
}

// mustBeApart panics if v lies in the block b, where it may be moved before it
// is read.
func mustBeApart(b, v []byte) {
	if len(v) == 0 {
		return
	}
	from, at := uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(unsafe.Pointer(unsafe.SliceData(v)))
	if at+uintptr(len(v)) > from && at < from+uintptr(len(b)) {
		panic("page: new content lies in the block")
	}
}

// coverage is a set of units of a block, to find entries that overlap.
type coverage []uint64

// newCoverage returns an empty set of up to n units, in buf if it is large
// enough.
func newCoverage(buf []uint64, n int) coverage {
	if words := n/64 + 1; words > len(buf) {
		return make(coverage, words)
	}
	return buf
}

// mark adds the n units from at on, and tells whether none was there.
func (c coverage) mark(at, n int) bool {
	for n > 0 {
		word, bit := at/64, at%64
		k := min(64-bit, n)
		mask := ^uint64(0) >> (64 - k) << bit
		if c[word]&mask != 0 {
			return false
		}
		c[word] |= mask
		at += k
		n -= k
	}
	return true
}
