package page

import "sync/atomic"

// Evict drops blocks of pages that the base holds and nobody needs right now,
// those untouched for longest first, roughly, until about want bytes are freed
// or all pages have been looked at twice. It takes the partition's lock; limit
// bounds how many descriptors it looks at under it.
func (p *Part) Evict(want int64, limit int) (freed int64) {
	p.Lock()
	defer p.Unlock()
	for range min(limit, 2*int(p.ndescs-1)) { // number 0 is none
		if freed >= want {
			break
		}
		if p.hand++; p.hand >= p.ndescs {
			p.hand = 1
		}
		freed += p.evictOne(p.hand)
	}
	return freed
}

// evictOne drops a page's block if it may, and returns its size.
func (p *Part) evictOne(id pid) int64 {
	d := p.at(id)
	if d.ref == none || d.flags&(flagDir|flagDead|flagOrphan) != 0 || !p.clean(d) || d.pinned() {
		return 0
	}
	if atomic.LoadInt32(&d.pins)&usedBit != 0 {
		atomic.AndInt32(&d.pins, ^usedBit)
		return 0
	}
	n := int64(len(p.m.pool.Bytes(d.ref)))
	p.m.pool.Free(d.ref)
	d.ref = none
	// The only page of its object needs no descriptor to be found again. With
	// snapshots open it stays, as the way to older versions.
	if d.no == 0 && d.next == none && p.m.newest.Load() == 0 && p.stepLSN == 0 && p.tables[d.obj] == nil {
		p.delist(pageKey{d.obj, 0})
		p.freeDesc(id)
	}
	return n
}

// PageCount returns the number of descriptors in use.
func (p *Part) PageCount() int {
	p.RLock(0)
	defer p.RUnlock(0)
	return int(p.ndescs) - 1 - len(p.free)
}
