package store

import (
	"slices"
	"sync"

	"github.com/brockdb/brock/internal/page"
)

// Images of objects that no key names are garbage: a crash came between a
// deletion and the sweep of its images, or the base brought back what had been
// deleted. There is no list of sweeps on disk: what the directories name is
// compared with what the base holds.

// goneSpaces are spaces that no database number points at any more, until
// Housekeep drops what they hold.
type goneSpaces struct {
	mu   sync.Mutex
	list []*space
}

// add notes spaces that a transaction has left behind.
func (g *goneSpaces) add(list []*space) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list = append(g.list, list...)
}

// take returns what was noted, and forgets it.
func (g *goneSpaces) take() []*space {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := g.list
	g.list = nil
	return list
}

// sweepSpaces drops the objects of spaces that are gone, then their
// directories. Views that still see them keep their versions, since pages are
// freed only when no snapshot is older.
func (s *Store) sweepSpaces() error {
	for _, sp := range s.gone.take() {
		for part := range page.Partitions {
			if err := s.sweepDir(sp, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweepDir drops what one directory of a space that is gone holds.
func (s *Store) sweepDir(sp *space, part int) error {
	p := s.mem.Part(part)
	p.RLock(0)
	dir := sp.tables[part]
	p.RUnlock(0)
	if dir == nil {
		return nil
	}
	var objects []uint64
	err := s.Snapshot(nil, func(t *Tx) (err error) {
		objects, err = t.objectsIn(sp, part, nil)
		return err
	})
	if err != nil {
		return err
	}
	lsn := s.committed.Load()
	for _, obj := range objects {
		q := s.mem.Part(int(obj >> 56))
		q.Lock()
		q.Drop(obj, lsn)
		q.Unlock()
	}
	p.Lock()
	p.DropDir(dir, lsn)
	p.Unlock()
	return nil
}

// orphans are objects of the base that no key named at lsn. Until every
// partition is complete at lsn or later, a recovery may still replay changes of
// them.
type orphans struct {
	lsn     uint64
	objects []uint64
}

// findOrphans compares the base with the directories.
func (s *Store) findOrphans() (o orphans, err error) {
	if s.restoring.Load() {
		return o, nil
	}
	if err := s.writer.lock(); err != nil {
		return o, err
	}
	limit := s.lastObjects() // what is created from now on is not judged
	s.releaseWriter()
	live, lsn, err := s.liveObjects()
	if err != nil {
		return o, err
	}
	o.lsn = lsn
	err = s.base.Objects(0, func(obj uint64) (next uint64) {
		part := obj >> 56
		if part >= page.Partitions {
			return 0
		}
		if obj&^(0xff<<56) <= limit[part] {
			if _, ok := slices.BinarySearch(live, obj); !ok {
				o.objects = append(o.objects, obj)
			}
		}
		return obj + 1
	})
	return o, err
}

// liveObjects returns the numbers of all objects that keys name at one LSN,
// ascending.
func (s *Store) liveObjects() (live []uint64, lsn uint64, err error) {
	err = s.Snapshot(nil, func(t *Tx) error {
		lsn = t.acc.LSN()
		for _, sp := range t.spaces.dbs {
			for part := range page.Partitions {
				if live, err = t.objectsIn(sp, part, live); err != nil {
					return err
				}
			}
		}
		return nil
	})
	slices.Sort(live)
	return live, lsn, err
}

// objectsIn appends the objects that one directory names.
func (t *Tx) objectsIn(sp *space, part int, live []uint64) ([]uint64, error) {
	dir, err := t.dir(sp, part, false)
	if err != nil || dir == nil {
		return live, err
	}
	for at, more := uint64(0), true; more; {
		leaf, err := t.acc.DirLeaf(dir, at)
		if err != nil {
			return live, err
		}
		leaf.Each(func(_, v []byte) bool {
			live, err = appendObjects(live, v)
			return err == nil
		})
		if err != nil {
			return live, err
		}
		t.Release()
		at = leaf.End + 1
		more = at != 0
	}
	return live, nil
}

// appendObjects appends the objects that an encoded entry names.
func appendObjects(live []uint64, entry []byte) ([]uint64, error) {
	if len(entry) == 0 || entry[0]&(entryObject|entryName) == 0 {
		return live, nil
	}
	e, err := decodeEntry(entry)
	if err == nil && e.Object != 0 {
		live = append(live, e.Object)
	}
	if obj := entryNameOf(entry); err == nil && obj != 0 {
		live = append(live, obj)
	}
	return live, err
}
