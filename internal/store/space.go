package store

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// space is what a logical database's number points at: a directory in each
// partition. FLUSHDB gives the number a new space, SWAPDB exchanges two.
type space struct {
	id     uint64
	tables [page.Partitions]*page.Table // each guarded by its partition's lock; nil until first used
	count  atomic.Int64                 // keys, expired ones included until they are collected
}

// spaces is the map from database numbers to spaces. It is immutable: a change
// makes a new one.
type spaces struct {
	next uint64 // the next space's id
	lsn  uint64 // the transaction that made the map; 0: it was there at Open
	dbs  []*space
}

// brokerSpaces is how many spaces stand behind those of the logical databases:
// the one that the broker keeps its names in.
const brokerSpaces = 1

// maxDatabases bounds the number of logical databases.
const maxDatabases = 1 << 16

// The ids of spaces before any flush: database n has n+1, whatever the number
// of databases is, and the broker the one behind all that there can be. So a
// log means the same to a store that is opened with another number.
const (
	firstSpace  = 1
	brokerSpace = firstSpace + maxDatabases
	freshSpace  = brokerSpace + 1
)

// newSpaces returns the map of a new store.
func newSpaces(databases int) *spaces {
	m := &spaces{next: freshSpace, dbs: []*space{{id: brokerSpace}}}
	return m.resized(databases)
}

// resized returns the map with at least n logical databases: it has the most
// that the store was ever opened with.
func (m *spaces) resized(n int) *spaces {
	m = m.clone()
	last := len(m.dbs) - brokerSpaces
	broker := m.dbs[last]
	m.dbs = m.dbs[:last]
	for len(m.dbs) < n {
		m.dbs = append(m.dbs, &space{id: firstSpace + uint64(len(m.dbs))})
	}
	m.dbs = append(m.dbs, broker)
	return m
}

// databaseOf returns how many databases there must be for a space to be the
// first one of a database, 0 if it is none.
func databaseOf(space uint64) int {
	if space < firstSpace || space >= brokerSpace {
		return 0
	}
	return int(space-firstSpace) + 1
}

// fresh makes an empty space.
func (m *spaces) fresh() *space {
	sp := &space{id: m.next}
	m.next++
	return sp
}

// clone copies the map, not the spaces.
func (m *spaces) clone() *spaces { return &spaces{next: m.next, dbs: slices.Clone(m.dbs)} }

// byID returns the space with an id, nil if it is gone.
func (m *spaces) byID(id uint64) *space {
	for _, sp := range m.dbs {
		if sp.id == id {
			return sp
		}
	}
	return nil
}

// without returns the spaces that other does not have.
func (m *spaces) without(other *spaces) (gone []*space) {
	for _, sp := range m.dbs {
		if other.byID(sp.id) == nil {
			gone = append(gone, sp)
		}
	}
	return gone
}

// encode writes the map: the next id, the number of spaces, their ids.
func (m *spaces) encode() []byte {
	b := binary.AppendUvarint(nil, m.next)
	b = binary.AppendUvarint(b, uint64(len(m.dbs)))
	for _, sp := range m.dbs {
		b = binary.AppendUvarint(b, sp.id)
	}
	return b
}

// encodeTables writes the store's tables as a step keeps them: the map of
// databases, and per partition the last number given to an object. Base and
// log may both have forgotten an object whose images can still come back.
func (s *Store) encodeTables() []byte {
	m := s.spaces.Load().encode()
	b := append(binary.AppendUvarint(nil, uint64(len(m))), m...)
	for _, n := range s.lastObjects() {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// decodeTables reads what encodeTables wrote.
func (s *Store) decodeTables(b []byte) (*spaces, error) {
	d := decoder{b: b}
	m, err := decodeSpaces(d.bytes(), nil)
	if err != nil {
		return nil, err
	}
	for part := range page.Partitions {
		s.sawObject(page.ObjectID(part, d.uvarint()&^(0xff<<56)))
	}
	if d.bad || len(d.b) != 0 {
		return nil, fmt.Errorf("store: numbers of objects: %w", engine.ErrCorrupt)
	}
	return m, nil
}

// lastObjects returns per partition the last number given to an object.
func (s *Store) lastObjects() (last [page.Partitions]uint64) {
	for part := range last {
		last[part] = s.objects[part].Load()
	}
	return last
}

// decodeSpaces reads what encode wrote, keeping spaces that old has.
func decodeSpaces(b []byte, old *spaces) (*spaces, error) {
	d := decoder{b: b}
	m := &spaces{next: d.uvarint()}
	n := d.uvarint()
	if n <= brokerSpaces || n > maxDatabases+brokerSpaces || n > uint64(len(d.b)) {
		d.fail()
		n = 0
	}
	for range n {
		id := d.uvarint()
		if id == 0 || id >= m.next || id>>56 != 0 {
			d.fail()
			break
		}
		var sp *space
		if old != nil {
			sp = old.byID(id)
		}
		if sp == nil {
			sp = &space{id: id}
		}
		m.dbs = append(m.dbs, sp)
	}
	if d.bad || len(d.b) != 0 {
		return nil, fmt.Errorf("store: map of databases: %w", engine.ErrCorrupt)
	}
	return m, nil
}

// decoder reads the fields of records and of the store's tables. After bytes
// that make no sense it returns zeroes and bad is set.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) fail() {
	d.b, d.bad = nil, true
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

// bytes reads a length and as many bytes, which alias the input.
func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

// FlushDB removes all keys of a database, in O(1): it gets a fresh space, and
// the old one is swept in the background.
func (t *Tx) FlushDB(dbs ...int) error {
	if t.ReadOnly() {
		return ErrReadOnly
	}
	m := t.editSpaces()
	for _, db := range dbs {
		if t.keysOf(m.dbs[db]) == 0 {
			continue
		}
		t.gone = append(t.gone, m.dbs[db])
		m.dbs[db] = m.fresh()
		t.Emit(db, EventFlushDB, "")
	}
	t.logSpaces()
	return nil
}

// SwapDB exchanges two databases.
func (t *Tx) SwapDB(a, b int) error {
	if t.ReadOnly() {
		return ErrReadOnly
	}
	m := t.editSpaces()
	m.dbs[a], m.dbs[b] = m.dbs[b], m.dbs[a]
	t.logSpaces()
	if a != b {
		t.Emit(a, EventSwapDB, "")
		t.Emit(b, EventSwapDB, "")
	}
	return nil
}

// editSpaces returns the transaction's own copy of the map.
func (t *Tx) editSpaces() *spaces {
	if !t.newSpaces {
		t.spaces, t.newSpaces = t.spaces.clone(), true
	}
	return t.spaces
}

// logSpaces notes the record of a changed map.
func (t *Tx) logSpaces() {
	t.log(opSpaces, 0)
	t.arg(t.spaces.encode())
}

// Keys returns the number of keys of a database; expired ones do not count.
func (t *Tx) Keys(db int) int64 {
	sp := t.spaces.dbs[db]
	if t.acc.Mode() != page.Snapshot {
		t.acc.Expose(t.s.committed.Load())
		return t.keysOf(sp) - t.dueIn(sp)
	}
	for _, c := range t.counts { // as View found them
		if c.sp == sp {
			return c.by
		}
	}
	return 0
}

// dueIn returns how many keys of a space have expired, but were not collected,
// as the transaction sees it.
func (t *Tx) dueIn(sp *space) int64 {
	now := t.Now()
	n := t.s.deadlines.dueIn(sp.id, now)
	for _, d := range t.deadlines {
		if d.space != sp.id {
			continue
		}
		if d.before != 0 && d.before < now {
			n--
		}
		if d.after != 0 && d.after < now {
			n++
		}
	}
	return n
}
