package page

// pageKey names a plain page.
type pageKey struct{ obj, no uint64 }

// hash is what places the page in an index.
func (k pageKey) hash() uint32 { return uint32(fold(k.obj^hashK1, k.no^hashK2)) }

// pageIndex finds the descriptors of a partition's plain pages: open
// addressing with linear probing, at a load between an eighth and three
// quarters. A slot is 8 bytes, a tenth of what a Go map takes, since the
// descriptor knows which page it is.
type pageIndex struct {
	slots []indexSlot // a power of two of them, or none
	n     int         // in use
}

// indexSlot is one page, or unused if id is none.
type indexSlot struct {
	id   pid
	hash uint32
}

const indexMin = 16 // slots of the smallest index

// lookup returns the descriptor of a plain page, none if there is none.
func (p *Part) lookup(k pageKey) pid {
	if i := p.find(k); i >= 0 {
		return p.index.slots[i].id
	}
	return none
}

// find returns the slot of a plain page, -1 if there is none.
func (p *Part) find(k pageKey) int {
	x := &p.index
	if x.n == 0 {
		return -1
	}
	mask := len(x.slots) - 1
	h := k.hash()
	for i := int(h) & mask; x.slots[i].id != none; i = (i + 1) & mask {
		if s := x.slots[i]; s.hash == h {
			if d := p.at(s.id); d.obj == k.obj && d.no == k.no {
				return i
			}
		}
	}
	return -1
}

// enlist makes a plain page known, whose number has not been used before.
func (p *Part) enlist(id pid, k pageKey) {
	if checked && p.find(k) >= 0 {
		panic("page: number of a page used twice")
	}
	x := &p.index
	if 4*(x.n+1) > 3*len(x.slots) {
		x.resize(max(2*len(x.slots), indexMin))
	}
	x.put(indexSlot{id, k.hash()})
	x.n++
}

// delist makes a plain page unknown.
func (p *Part) delist(k pageKey) {
	i := p.find(k)
	if i < 0 {
		return
	}
	x := &p.index
	x.remove(i)
	x.n--
	if len(x.slots) > indexMin && 8*x.n < len(x.slots) {
		x.resize(len(x.slots) / 2)
	}
}

// put stores a slot in the first unused place from its home on.
func (x *pageIndex) put(s indexSlot) {
	mask := len(x.slots) - 1
	i := int(s.hash) & mask
	for x.slots[i].id != none {
		i = (i + 1) & mask
	}
	x.slots[i] = s
}

// remove empties a slot. Those behind it that would have liked to be there
// move up, so that no search ever has to pass a removed one.
func (x *pageIndex) remove(gap int) {
	mask := len(x.slots) - 1
	for i := (gap + 1) & mask; x.slots[i].id != none; i = (i + 1) & mask {
		home := int(x.slots[i].hash) & mask
		if (i-home)&mask >= (i-gap)&mask { // its home does not lie behind the gap
			x.slots[gap], gap = x.slots[i], i
		}
	}
	x.slots[gap] = indexSlot{}
}

// resize moves all to n slots.
func (x *pageIndex) resize(n int) {
	old := x.slots
	x.slots = make([]indexSlot, n)
	for _, s := range old {
		if s.id != none {
			x.put(s)
		}
	}
}
