package page

import (
	"encoding/binary"
	"errors"
)

// Ordered is a block with a sequence of items, byte strings addressed by index:
//
//	0..2    number of items
//	2..4    index in the table of the first item's offset
//	4..6    length of the table
//	6..8    flags; bit 0: wide
//	8..12   end of the heap
//	12..16  bytes of the heap that no item uses any more
//	16..    table of offsets, of 2 bytes each, 4 if wide
//	...     heap of items: length (uvarint), bytes
//
// All numbers are little-endian, so that a block's prefix up to [Ordered.Used]
// is its image. The offsets in use may have a gap on either side: pushing and
// popping at the ends moves nothing, and in the middle the shorter side moves.
// A block formatted with more than 64 KiB is wide and stays so wherever its
// image goes; one that is not never extends beyond 64 KiB.
//
// The block may be longer than what is used; lengths come from the header
// alone. Methods trust the block: what comes from disk has to pass
// [Ordered.Check] first. A block has 65,535 items at most.
type Ordered []byte

const (
	orderedHead = 16
	narrowMax   = 1 << 16
	itemsMax    = 1<<16 - 1
	wideFlag    = 1
	// roundingMax is what a block may be longer than OrderedSize demands, and
	// still be as wide as reckoned.
	roundingMax = 8 << 10
)

var errOrdered = errors.New("page: malformed ordered block")

// OrderedSize returns the bytes wanted for a block of n items whose [ItemSize]
// add up to itemBytes.
func OrderedSize(n, itemBytes int) int {
	size := orderedHead + 2*n + itemBytes
	if size > narrowMax-roundingMax {
		size += 2 * n
	}
	return size
}

// ItemSize returns the bytes that an item takes in the heap.
func ItemSize(itemLen int) int { return uvarintLen(itemLen) + itemLen }

// InitOrdered formats b, at least OrderedSize(0, 0) bytes, as an empty block
// with a table for about n items: not longer than b has room for, and Insert
// makes it longer when it is full. Only the header is written.
func InitOrdered(b []byte, n int) Ordered {
	if len(b) < orderedHead {
		panic("page: block too short for an ordered page")
	}
	wide := len(b) > narrowMax
	return Ordered(b).format(wide, min(n, (len(b)-orderedHead)/offsetWidth(wide), itemsMax))
}

// Len returns the number of items.
func (o Ordered) Len() int { return int(binary.LittleEndian.Uint16(o)) }

// Item returns the item at i. It aliases the block and may be changed in
// place.
func (o Ordered) Item(i int) []byte {
	at, n := o.item(o.offset(i))
	return o[at : at+n : at+n]
}

// search returns the first item from lo on that is not below key, in blocks
// whose items have ascending keys: those are the n bytes of an item behind its
// first head bytes, all if n is negative.
func (o Ordered) search(lo, head, n int, key []byte) int {
	var first uint64
	if len(key) >= 8 {
		first = binary.BigEndian.Uint64(key)
	}
	for hi := o.Len(); lo < hi; {
		mid := int(uint(lo+hi) / 2)
		at, size := o.item(o.offset(mid))
		there := o[at+head : at+size]
		if n >= 0 && n < len(there) {
			there = there[:n]
		}
		var below bool
		if u := first; len(key) >= 8 && len(there) >= 8 && binary.BigEndian.Uint64(there) != u {
			below = binary.BigEndian.Uint64(there) < u // most often the first bytes decide
		} else {
			below = string(there) < string(key)
		}
		if below {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// Insert puts an item before the one at i, at the end if i is Len. It returns
// false if the block has no room, in which case nothing has changed: the
// caller copies it to a block of [Ordered.NeedFor] bytes. item must not lie in
// the block.
func (o Ordered) Insert(i int, item []byte) bool {
	n, end := o.Len(), o.Used()
	if uint(i) > uint(n) {
		panic("page: insert beyond the end")
	}
	size := ItemSize(len(item))
	if end+size > o.limit() {
		return false
	}
	if n == o.table() {
		if !o.lengthen(size) {
			return false
		}
		end = o.Used()
	}
	if checked {
		mustBeApart(o, item)
	}
	o.open(i)
	o.setOffset(i, end)
	o.writeItem(end, item)
	o.setUsed(end + size)
	return true
}

// Replace puts another item in the place of the one at i: where it was if that
// is long enough or the last in the heap, else appended. It returns false if
// the block has no room, in which case nothing has changed. item may be part
// of the item that it replaces, but must not lie elsewhere in the block.
func (o Ordered) Replace(i int, item []byte) bool {
	off, end := o.offset(i), o.Used()
	old, size := o.sizeAt(off), ItemSize(len(item))
	switch {
	case size <= old:
		o.writeItem(off, item)
		o.drop(off+size, old-size)
		return true
	case off+old == end:
		if off+size > o.limit() {
			return false
		}
		o.writeItem(off, item)
		o.setUsed(off + size)
		return true
	case end+size > o.limit():
		return false
	}
	o.writeItem(end, item)
	o.setOffset(i, end)
	o.setUsed(end + size)
	o.drop(off, old)
	return true
}

// Remove removes the n items from i on.
func (o Ordered) Remove(i, n int) {
	count := o.Len()
	if i < 0 || n < 0 || i+n > count {
		panic("page: remove beyond the end")
	}
	if n == count {
		o.setCount(0)
		o.setStart(0)
		o.setUsed(o.heap())
		o.setGarbage(0)
		return
	}
	for j := i + n - 1; j >= i; j-- { // from the end: the heap's last items go first
		off := o.offset(j)
		o.drop(off, o.sizeAt(off))
	}
	w, start := o.width(), o.start()
	first := orderedHead + w*start
	if before := i; before < count-i-n {
		copy(o[first+w*n:], o[first:first+w*before])
		o.setStart(start + n)
	} else {
		copy(o[first+w*i:], o[first+w*(i+n):first+w*count])
	}
	o.setCount(count - n)
}

// Used returns the length of the prefix that is the block's image: all up to
// the end of the heap.
func (o Ordered) Used() int { return int(binary.LittleEndian.Uint32(o[8:])) }

// Live returns the bytes that a compacted copy for just these items takes.
func (o Ordered) Live() int { return OrderedSize(o.Len(), o.liveHeap()) }

// CopyTo writes a compacted copy of the items [from,to) into dst, with a table
// for n items, and returns it. dst has at least OrderedSize(to-from, their
// sizes) bytes; if it is too short for n, the table is shorter.
func (o Ordered) CopyTo(dst []byte, from, to, n int) Ordered {
	live := o.liveHeap()
	if to-from != o.Len() {
		live = 0
		for i := from; i < to; i++ {
			live += o.sizeAt(o.offset(i))
		}
	}
	wide := len(dst) > narrowMax
	room := (len(dst) - orderedHead - live) / offsetWidth(wide)
	if room < to-from || len(dst) < orderedHead {
		panic("page: block too short for the copy of an ordered page")
	}
	out := Ordered(dst).format(wide, min(max(n, to-from), room, itemsMax))
	end := out.heap()
	out.setCount(to - from)
	for i := from; i < to; i++ {
		off := o.offset(i)
		out.setOffset(i-from, end)
		end += copy(out[end:], o[off:off+o.sizeAt(off)])
	}
	out.setUsed(end)
	return out
}

// NeedFor returns the size of a block that surely has room for one more item
// once this one is copied to it, for any n up to Len + Len/8 + 1.
func (o Ordered) NeedFor(itemLen int) int {
	n := o.Len()
	return OrderedSize(n+n/8+1, o.liveHeap()+ItemSize(itemLen))
}

// Check returns an error unless all that the methods rely on holds: counts and
// lengths, and each item within the heap and apart from the others. Afterwards
// no method panics or leaves the block, given valid indexes.
func (o Ordered) Check() error {
	if len(o) < orderedHead {
		return errOrdered
	}
	n, flags := o.Len(), binary.LittleEndian.Uint16(o[6:])
	limit := len(o)
	if flags&wideFlag == 0 {
		limit = min(limit, narrowMax)
	}
	used, garbage := binary.LittleEndian.Uint32(o[8:]), binary.LittleEndian.Uint32(o[12:])
	if flags&^wideFlag != 0 || o.start()+n > o.table() || int64(used) > int64(limit) {
		return errOrdered
	}
	heap, end := o.heap(), int(used)
	if heap > end || int64(garbage) > int64(end-heap) {
		return errOrdered
	}
	var small [144]uint64 // enough for 8 KiB and what rounding adds
	seen := newCoverage(small[:], end)
	live := 0
	for i := range n {
		off := wideOffset(o, i)
		if off < int64(heap) || off >= int64(end) {
			return errOrdered
		}
		b := o[off:end]
		length, l := checkedUvarint(b)
		if l == 0 || length > len(b)-l || !seen.mark(int(off), l+length) {
			return errOrdered
		}
		live += l + length
	}
	if live+int(garbage) != end-heap {
		return errOrdered
	}
	return nil
}

// wideOffset is offset for untrusted bytes: the number may exceed an int.
func wideOffset(o Ordered, i int) int64 {
	w := o.width()
	at := orderedHead + w*(o.start()+i)
	if w == 2 {
		return int64(binary.LittleEndian.Uint16(o[at:]))
	}
	return int64(binary.LittleEndian.Uint32(o[at:]))
}

// start returns the index in the table of the first item's offset.
func (o Ordered) start() int { return int(binary.LittleEndian.Uint16(o[2:])) }

// table returns the length of the table.
func (o Ordered) table() int { return int(binary.LittleEndian.Uint16(o[4:])) }

// garbage returns the bytes of the heap that no item uses.
func (o Ordered) garbage() int { return int(binary.LittleEndian.Uint32(o[12:])) }

// setCount sets the number of items.
func (o Ordered) setCount(n int) { binary.LittleEndian.PutUint16(o, uint16(n)) }

// setStart sets the index in the table of the first item's offset.
func (o Ordered) setStart(n int) { binary.LittleEndian.PutUint16(o[2:], uint16(n)) }

// setTable sets the length of the table.
func (o Ordered) setTable(n int) { binary.LittleEndian.PutUint16(o[4:], uint16(n)) }

// setUsed sets the end of the heap.
func (o Ordered) setUsed(n int) { binary.LittleEndian.PutUint32(o[8:], uint32(n)) }

// setGarbage sets the bytes of the heap that no item uses.
func (o Ordered) setGarbage(n int) { binary.LittleEndian.PutUint32(o[12:], uint32(n)) }

// offsetWidth returns the bytes of an offset.
func offsetWidth(wide bool) int {
	if wide {
		return 4
	}
	return 2
}

// width returns the bytes of an offset in the table.
func (o Ordered) width() int { return 2 + 2*int(o[6]&wideFlag) }

// heap returns where the heap begins.
func (o Ordered) heap() int { return orderedHead + o.width()*o.table() }

// liveHeap returns the bytes of all items.
func (o Ordered) liveHeap() int { return o.Used() - o.heap() - o.garbage() }

// limit returns where the heap has to end.
func (o Ordered) limit() int {
	if o[6]&wideFlag == 0 {
		return min(len(o), narrowMax)
	}
	return len(o)
}

// format makes an empty block with a table of n offsets.
func (o Ordered) format(wide bool, n int) Ordered {
	clear(o[:orderedHead])
	if wide {
		o[6] = wideFlag
	}
	o.setTable(max(n, 0))
	end := o.heap()
	clear(o[orderedHead:end]) // no stale memory in images
	o.setUsed(end)
	return o
}

// offset returns where the item at i is.
func (o Ordered) offset(i int) int {
	i += o.start()
	if o[6]&wideFlag == 0 {
		return int(binary.LittleEndian.Uint16(o[orderedHead+2*i:]))
	}
	return int(binary.LittleEndian.Uint32(o[orderedHead+4*i:]))
}

// setOffset sets where the item at i is.
func (o Ordered) setOffset(i, off int) {
	i += o.start()
	if o[6]&wideFlag == 0 {
		binary.LittleEndian.PutUint16(o[orderedHead+2*i:], uint16(off))
		return
	}
	binary.LittleEndian.PutUint32(o[orderedHead+4*i:], uint32(off))
}

// item returns where the bytes of the item at off are, and how many.
func (o Ordered) item(off int) (at, n int) {
	if n = int(o[off]); n < 0x80 {
		return off + 1, n
	}
	u, l := binary.Uvarint(o[off:])
	return off + l, int(u)
}

// sizeAt returns the size of the item at off.
func (o Ordered) sizeAt(off int) int {
	at, n := o.item(off)
	return at - off + n
}

// writeItem writes an item at off. Its bytes come first: they may be part of
// those that were there.
func (o Ordered) writeItem(off int, item []byte) {
	copy(o[off+uvarintLen(len(item)):off+ItemSize(len(item))], item)
	binary.PutUvarint(o[off:], uint64(len(item)))
}

// drop gives up size bytes of the heap: the heap shrinks if they are its last
// ones, else they are garbage.
func (o Ordered) drop(off, size int) {
	if off+size == o.Used() {
		o.setUsed(off)
		return
	}
	o.setGarbage(o.garbage() + size)
}

// open makes room in the table, which is not full, for an offset before that
// at i. The shorter side moves if it has a gap next to it. If the gap where
// the item belongs is used up, half of the other goes there, so that pushes at
// one end move the table a logarithmic number of times.
func (o Ordered) open(i int) {
	n, start, w := o.Len(), o.start(), o.width()
	back := o.table() - start - n
	front := i < n-i
	if front && start == 0 || !front && back == 0 {
		moved := (start + back + 1) / 2 // of the whole gap, which is on the other side
		if !front {
			moved = start - moved
		}
		o.slide(moved)
		start = moved
	}
	first := orderedHead + w*start
	if front {
		copy(o[first-w:], o[first:first+w*i])
		o.setStart(start - 1)
	} else {
		copy(o[first+w*(i+1):], o[first+w*i:first+w*n])
	}
	o.setCount(n + 1)
}

// slide moves the offsets so that the first is at index start of the table.
func (o Ordered) slide(start int) {
	w := o.width()
	from := orderedHead + w*o.start()
	copy(o[orderedHead+w*start:], o[from:from+w*o.Len()])
	o.setStart(start)
}

// lengthen makes the full table longer and moves the heap accordingly, if
// after that an item of size bytes has room. It becomes as long as the rest of
// the block is likely to need, but at most by half: it swells the image.
func (o Ordered) lengthen(size int) bool {
	n, end, w := o.Len(), o.Used(), o.width()
	more := o.more(size)
	if more < 1 {
		return false
	}
	from := o.heap()
	copy(o[from+w*more:], o[from:end])
	clear(o[from : from+w*more])
	o.setTable(n + more)
	o.setUsed(end + w*more)
	for i := range n {
		o.setOffset(i, o.offset(i)+w*more)
	}
	return true
}

// more returns by how many items lengthen makes the table longer, 0 if there is
// no room for that.
func (o Ordered) more(size int) int {
	n, end, w := o.Len(), o.Used(), o.width()
	limit := o.limit()
	more := min(spread(n, o.liveHeap()+size, w, limit-end-size-w), itemsMax) - n
	if more < 1 || end+w*more+size > limit {
		return 0
	}
	return more
}

// hasRoom tells whether Insert of an item of some length will succeed.
func (o Ordered) hasRoom(itemLen int) bool {
	size := ItemSize(itemLen)
	return o.Used()+size <= o.limit() && (o.Len() < o.table() || o.more(size) > 0)
}
