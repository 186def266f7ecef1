package page

// warmBatch is how many look-ups go through the stages together.
const warmBatch = 16

// Warm brings into the processor's caches what look-ups of these hashes, as many
// as warmBatch, will touch in the directories of a space. One look-up waits for
// memory four times in a row: descriptor, slots, entry, and the entry's end; here
// each stage runs for all hashes before the next, and the waits overlap. The
// result means nothing: it keeps the loads from being optimised away. The caller
// holds the partitions.
func (m *Memory) Warm(tables *[Partitions]*Table, hashes []uint64) (sum uint32) {
	for len(hashes) > warmBatch {
		sum += m.Warm(tables, hashes[:warmBatch])
		hashes = hashes[warmBatch:]
	}
	var descs [warmBatch]*desc
	for i, h := range hashes {
		part := PartitionOf(h)
		if t := tables[part]; t != nil {
			descs[i] = m.parts[part].at(t.leaves[t.index(pos(true, h))])
		}
	}
	return m.warm(&descs, hashes)
}

// WarmFields is Warm for fields of objects: the hash at each index is that of a
// field of the object there, 0 for none. There are warmBatch at most.
func (m *Memory) WarmFields(objs, hashes []uint64) (sum uint32) {
	var descs [warmBatch]*desc
	for i, obj := range objs {
		if obj == 0 {
			continue
		}
		p := &m.parts[obj>>56]
		if t := p.tables[obj]; t != nil {
			descs[i] = p.at(t.leaves[t.index(hashes[i])])
		}
	}
	return m.warm(&descs, hashes)
}

// warm is Warm for pages whose descriptors are known, nil where there is none.
func (m *Memory) warm(descs *[warmBatch]*desc, hashes []uint64) (sum uint32) {
	var blocks [warmBatch]Hashed
	for i := range hashes {
		if d := descs[i]; d != nil && d.ref != none {
			blocks[i] = m.pool.Bytes(d.ref)
		}
	}
	var homes [warmBatch]int
	for i, h := range hashes {
		if b := blocks[i]; b != nil {
			homes[i] = homeSlot(uint32(uint16(h)), b.slots())
		}
	}
	var offsets [warmBatch]int
	for i, h := range hashes {
		if b := blocks[i]; b != nil {
			offsets[i] = b.guess(homes[i], uint32(uint16(h)))
		}
	}
	for i := range hashes {
		if b := blocks[i]; b != nil {
			sum += uint32(b[offsets[i]]) + uint32(b[min(offsets[i]+64, len(b)-1)])
		}
	}
	return sum
}

// guess returns the offset of the first entry with a tag from its home slot on,
// 0 if there is none near.
func (h Hashed) guess(home int, tag uint32) int {
	m := h.slots()
	for i := home; i < min(home+8, m); i++ {
		s := h.slot(i)
		if s == 0 {
			return 0
		}
		if s>>16 == tag {
			return int(s&0xffff) * 4
		}
	}
	return 0
}
