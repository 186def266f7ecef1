package page

// EntryBytes is about what an entry of a hashed page takes: its bytes and its
// share of slots, which are never full.
func EntryBytes(klen, vlen int) int { return EntrySize(klen, vlen) + 5 }

// usageSlice is how many pages of an object are counted before others get the
// partition's lock.
const usageSlice = 1 << 10

// ObjectBytes returns the bytes of memory that the pages of an object take that
// are not cold, with what leads to them, and what the transaction has changed
// of it. The caller holds no lock of its partition. Cost: O(pages).
func (a *Access) ObjectBytes(obj uint64) (n int64) {
	for id := range a.ndescs {
		if d := a.desc(nil, id|privateBit); d.obj == obj {
			n += a.m.bytesOf(d)
		}
	}
	p := &a.m.parts[obj>>56]
	for slice := usageSlice; ; slice *= 2 {
		if sum, ok := p.objectBytes(obj, a.Lane, slice); ok {
			return n + sum
		}
	}
}

// objectBytes counts the pages of an object, as many at a time. It fails if the
// one where it would go on is gone.
func (p *Part) objectBytes(obj uint64, lane, slice int) (n int64, ok bool) {
	p.RLock(lane)
	defer p.RUnlock(lane)
	head := p.lookup(pageKey{obj, 0})
	for id, i := head, 0; id != none; i++ {
		if i == slice {
			p.RUnlock(lane)
			p.RLock(lane)
			i = 0
		}
		d := p.at(id)
		if d.obj != obj || d.prev == none && id != head {
			return 0, false
		}
		n += p.m.bytesOf(d)
		id = d.next
	}
	return n, true
}

// bytesOf returns what a page takes.
func (m *Memory) bytesOf(d *desc) int64 {
	if d.ref == none {
		return 0
	}
	return pageBytes + int64(len(m.pool.Bytes(d.ref)))
}
