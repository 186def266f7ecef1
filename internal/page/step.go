package page

import (
	"github.com/brockdb/brock/internal/engine"
)

// Step is a checkpoint step: the pages of some partitions, as of LSN, that
// have changed since the partitions' last step.
type Step struct {
	LSN    uint64
	Parts  uint64
	Number uint64 // the step's number in the base

	m       *Memory
	dirty   [Partitions][]pid
	removed []engine.Removal
	dropped []Dropped
	dead    map[deadKey]bool // what is gone as of LSN: not worth an image
	buf     []byte
	batch   []engine.Image
	taken   []takenPage
	size    int
}

// deadKey is an object or directory.
type deadKey struct {
	obj uint64
	dir bool
}

// takenPage is a page whose image is in the batch.
type takenPage struct {
	part uint8
	slot uint8
	deep uint8
	id   pid
}

// BeginStep fixes what a step numbered number writes: the state of the
// partitions at the LSN that committed returns. There is one step at a time.
func (m *Memory) BeginStep(parts, number uint64, committed func() uint64) *Step {
	s := &Step{m: m, Parts: parts, Number: number, dead: make(map[deadKey]bool)}
	m.Lock(parts)
	defer m.Unlock(parts)
	s.LSN = committed()
	for i := range m.parts {
		if parts>>i&1 == 0 {
			continue
		}
		p := &m.parts[i]
		p.epoch++
		p.stepLSN = s.LSN
		s.dirty[i], p.dirty, p.dirtyBytes = p.dirty, nil, 0
		s.removed = append(s.removed, p.removed...)
		s.dropped = append(s.dropped, p.dropped...)
		p.removed, p.dropped = nil, nil
		for _, r := range p.retired {
			if r.object != 0 && r.lsn <= s.LSN {
				s.dead[deadKey{r.object, r.table != nil}] = true
			}
		}
	}
	return s
}

// stepBatch bounds the bytes of images handed to write at a time.
const stepBatch = 1 << 20

// Write hands all images of the step to write, in batches. Data is valid
// during the call only. After an error the step cannot be completed.
func (s *Step) Write(write func([]engine.Image) error) error {
	for i := range s.dirty {
		p := &s.m.parts[i]
		for _, id := range s.dirty[i] {
			s.take(p, id)
			if s.size >= stepBatch {
				if err := s.flush(write); err != nil {
					return err
				}
			}
		}
		s.dirty[i] = nil
	}
	return s.flush(write)
}

// take puts the image of one page in the batch. The version as of LSN is
// immutable until the page is marked as taken.
func (s *Step) take(p *Part, id pid) {
	p.RLock(0)
	v, ok := s.version(p, id)
	orphan := s.orphan(p.at(id))
	p.RUnlock(0)
	if orphan {
		p.Lock()
		if d := p.at(id); s.orphan(d) {
			d.flags |= flagOrphan // from the step's end on it counts as clean
		}
		p.Unlock()
	}
	if !ok {
		return
	}
	from := len(s.buf)
	s.buf = append(s.buf, v.block[:usedBytes(v.block, v.off, v.kind)]...)
	s.batch = append(s.batch, engine.Image{
		Addr: v.addr, Slot: v.slot, Kind: uint8(v.kind), Step: s.Number, LSN: v.lsn,
		Data: s.buf[from:len(s.buf):len(s.buf)],
	})
	s.taken = append(s.taken, takenPage{part: uint8(p.id), slot: v.slot, deep: v.depth, id: id})
	if v.imaged {
		s.removed = append(s.removed, v.last)
	}
	s.size += len(s.buf) - from
}

// orphan tells whether a page belongs to what is gone as of the step.
func (s *Step) orphan(d *desc) bool { return s.dead[deadKey{d.obj, d.flags&flagDir != 0}] }

// stepVersion is what a step takes of a page.
type stepVersion struct {
	pg
	addr   engine.Addr
	slot   uint8
	imaged bool
	last   engine.Removal // the image that this one supersedes, if imaged
}

// version returns the version of a page at the step's LSN, if the step has to
// take it. The caller holds the partition's lock.
func (s *Step) version(p *Part, id pid) (v stepVersion, ok bool) {
	d := p.at(id)
	if d.taken == p.epoch || s.orphan(d) || d.obj == 0 {
		return v, false
	}
	slot := uint8(0)
	imaged := d.flags&flagImaged != 0
	last := d.imaged()
	if imaged {
		slot = 1 - last.Slot // never over the last complete image, wherever it is
	}
	if d.lsn <= s.LSN {
		if d.ref == none || d.flags&flagDead != 0 {
			return v, false
		}
		return stepVersion{
			pg: pg{
				p: p, id: id, block: p.m.pool.Bytes(d.ref), off: d.offset(),
				kind: d.kind, depth: d.depth, no: d.no, lsn: d.lsn,
			},
			addr: d.addr(), slot: slot, imaged: imaged, last: last,
		}, true
	}
	n := d.older[0] // a merged page goes on with its left half's versions
	for n != none && p.nodes[n].lsn > s.LSN {
		n = p.nodes[n].older[0]
	}
	o := &p.nodes[n]
	if n == none || o.desc != id || o.ref == none {
		return v, false
	}
	return stepVersion{
		pg: pg{
			p: p, id: id, block: p.m.pool.Bytes(o.ref), off: bodyOffset(o.no, o.kind, o.flags),
			kind: o.kind, depth: o.depth, no: o.no, lsn: o.lsn,
		},
		addr: addrOf(o.obj, o.no, o.depth, o.flags), slot: slot, imaged: imaged, last: last,
	}, true
}

// flush writes the batch and notes that its pages are taken.
func (s *Step) flush(write func([]engine.Image) error) error {
	if len(s.batch) == 0 {
		return nil
	}
	if err := write(s.batch); err != nil {
		return err
	}
	for len(s.taken) > 0 {
		p := &s.m.parts[s.taken[0].part]
		n := 0
		p.Lock()
		for n < len(s.taken) && n < 256 && int(s.taken[n].part) == p.id {
			d := p.at(s.taken[n].id)
			d.taken = p.epoch
			d.setImage(s.taken[n].deep, s.taken[n].slot)
			n++
		}
		p.Unlock()
		s.taken = s.taken[n:]
	}
	s.batch, s.taken, s.buf, s.size = s.batch[:0], s.taken[:0], s.buf[:0], 0
	return nil
}

// Removed returns the images that the step has superseded.
func (s *Step) Removed() []engine.Removal { return s.removed }

// Dropped returns the objects that are gone as of the step: once it is
// complete, their images can be swept.
func (s *Step) Dropped() []Dropped { return s.dropped }

// End is called when the base has completed the step: its pages are clean.
func (s *Step) End() {
	for i := range s.m.parts {
		if s.Parts>>i&1 == 0 {
			continue
		}
		p := &s.m.parts[i]
		p.Lock()
		p.stepLSN = 0
		p.done = p.epoch - 1
		p.Unlock()
	}
}

// DirtyBytes returns, roughly, the bytes of pages that a step of the partition
// would write.
func (p *Part) DirtyBytes() int64 {
	p.RLock(0)
	defer p.RUnlock(0)
	return p.dirtyBytes
}
