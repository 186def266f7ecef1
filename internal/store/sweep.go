package store

import (
	"slices"

	"github.com/brockdb/brock/internal/page"
)

// Images of objects that no key names are garbage: a crash came between a
// deletion and the sweep of its images, or the base brought back what had been
// deleted. There is no list of sweeps on disk: what the directories name is
// compared with what the base holds.

// orphans are objects of the base that no key named at lsn. Until every
// partition is complete at lsn or later, a recovery may still need them.
type orphans struct {
	lsn     uint64
	objects []uint64
}

// findOrphans compares the base with the directories.
func (s *Store) findOrphans() (o orphans, err error) {
	if err := s.writer.lock(); err != nil {
		return o, err
	}
	limit := s.lastObjects() // what is created from now on is not judged
	s.writer.unlock()
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
	err = s.View(func(t *Tx) error {
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
			if len(v) > 0 && v[0]&entryObject != 0 {
				var e Entry
				if e, err = decodeEntry(v); err == nil {
					live = append(live, e.Object)
				}
			}
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
