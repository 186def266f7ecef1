package store

import (
	"fmt"
	"slices"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// replay applies the transactions of the log to what the base held, each
// record to its partition unless the partition's images have it already.
type replay struct {
	s        *Store
	complete [engine.PartitionCount]uint64
	t        *Tx
	records  int
	next     uint64 // the number of the next transaction; at first of the one that the base needs
}

// group applies a group. The first one may begin with transactions that the
// base has; what comes must not begin behind the next.
func (r *replay) group(g engine.Group) error {
	if g.First > r.next {
		return missing(r.next, g.First-1)
	}
	if err := transactions(g, r.transaction); err != nil {
		return err
	}
	r.next = g.Last() + 1
	r.s.committed.Store(g.Last())
	r.s.wlog.written.Store(g.Last())
	return nil
}

// missing reports transactions that the base needs and the log does not have.
// No crash explains it: the log forgets only what every partition's images
// have, and a step is complete only when the log is durable up to its S.
func missing(first, last uint64) error {
	return fmt.Errorf("store: the log lacks transactions %d to %d: %w", first, last, engine.ErrCorrupt)
}

// transaction applies one transaction.
func (r *replay) transaction(lsn uint64, recs []byte) error {
	t := r.t
	t.spaces, t.replay, t.silent = r.s.spaces.Load(), true, true
	t.acc.Begin(r.s.mem, page.Direct, lsn, page.All, r.s.base)
	d := decoder{b: recs}
	for len(d.b) > 0 {
		if err := r.record(&d, lsn); err != nil {
			return err
		}
		if d.bad {
			return fmt.Errorf("store: record %d: %w", r.records, engine.ErrCorrupt)
		}
		r.records++
	}
	t.apply()
	r.s.gone.add(t.gone)
	t.reset()
	return nil
}

// record applies one record.
func (r *replay) record(d *decoder, lsn uint64) error {
	o, id := op(d.byte()), d.uvarint()
	switch o {
	case opPut, opDelete:
		return r.key(o, id, d, lsn)
	case opSpaces:
		b := d.bytes()
		if lsn <= r.complete[page.Partitions] || d.bad {
			return nil
		}
		m, err := decodeSpaces(b, r.t.spaces)
		if err == nil {
			r.t.gone = append(r.t.gone, r.t.spaces.without(m)...)
			r.t.spaces, r.t.newSpaces = m, true
		}
		return err
	default: // a record of an object, or none
		if id>>56 >= page.Partitions || id == page.ObjectID(int(id>>56), 0) {
			d.fail()
			return nil
		}
		rec := objectRecord{t: r.t, obj: id, skip: lsn <= r.complete[id>>56]}
		return rec.apply(o, d)
	}
}

// space returns a space, nil if it was flushed later. One of a database that
// the map does not have yet is that of a store which had more of them.
func (r *replay) space(id uint64) *space {
	if n := databaseOf(id); n > len(r.t.spaces.dbs)-brokerSpaces {
		r.t.spaces, r.t.newSpaces = r.t.spaces.resized(n), true
	}
	return r.t.spaces.byID(id)
}

// key applies a record that concerns a key's entry.
func (r *replay) key(o op, id uint64, d *decoder, lsn uint64) error {
	key := string(d.bytes()) // as it is stored
	var entry []byte
	if o == opPut {
		entry = d.bytes()
	}
	if !validStored(key) || o == opPut && (len(key) > ShortName) != (entryNameOf(entry) != 0) {
		d.fail()
	}
	hash := r.s.mem.Hash(key)
	sp := r.space(id)
	if sp == nil || lsn <= r.complete[page.PartitionOf(hash)] || d.bad {
		return nil
	}
	if o == opDelete {
		return r.t.remove(sp, hash, key)
	}
	if !validEntry(entry) {
		d.fail()
		return nil
	}
	return r.t.put(sp, hash, key, entry)
}

// validEntry tells whether b is an entry as the store writes it.
func validEntry(b []byte) bool {
	e, err := decodeEntry(b)
	return err == nil && len(e.Inline) <= InlineMax
}

// objectRecord applies records that concern an object; skip reads over those
// that the base has.
type objectRecord struct {
	t    *Tx
	obj  uint64
	skip bool
}

func (r objectRecord) apply(o op, d *decoder) error {
	switch o {
	case opCreate, opDrop, opAux:
		return r.whole(o, d)
	case opString, opWrite:
		return r.str(o, d)
	case opFieldPut, opFieldDel, opScore, opUnscore:
		return r.member(o, d)
	case opInsert, opReplace, opRemove, opItemPut, opItemDel:
		return r.item(o, d)
	default:
		d.fail()
		return nil
	}
}

// whole applies records that concern an object as a whole.
func (r objectRecord) whole(o op, d *decoder) error {
	t, obj := r.t, r.obj
	switch o {
	case opCreate:
		typ := Type(d.uvarint())
		if typ <= String || typ > Queue {
			d.fail()
		}
		if !d.bad {
			t.s.sawObject(obj)
		}
		if r.skip || d.bad {
			return nil
		}
		return t.create(obj, typ)
	case opDrop:
		if r.skip || d.bad {
			return nil
		}
		return t.drop(obj)
	default: // opAux
		b := d.bytes()
		if ok, err := r.on(d, List, Set, ZSet, Hash, Stream, Queue); !ok {
			return err
		}
		return t.aux(obj, b)
	}
}

// str applies records of strings.
func (r objectRecord) str(o op, d *decoder) error {
	t, obj := r.t, r.obj
	switch o {
	case opString:
		length, value := d.uvarint(), d.bytes()
		if length > MaxString || uint64(len(value)) > MaxString {
			d.fail()
		}
		if !d.bad {
			t.s.sawObject(obj)
		}
		if r.skip || d.bad {
			return nil
		}
		return t.newString(obj, value, int(length))
	default: // opWrite
		off, b := d.uvarint(), d.bytes()
		if off > MaxString || off+uint64(len(b)) > MaxString {
			d.fail()
		}
		if ok, err := r.on(d, String); !ok {
			return err
		}
		return t.write(obj, off, b)
	}
}

// on tells whether the record is to be applied, to an object of one of the
// types: what is of another type was not written by us.
func (r objectRecord) on(d *decoder, types ...Type) (bool, error) {
	if r.skip || d.bad {
		return false, nil
	}
	h, err := r.t.acc.Header(r.obj)
	if err != nil {
		return false, err
	}
	typ := String // which has no header, or one without a type
	if h != nil && h.Type() != 0 {
		typ = Type(h.Type())
	}
	if !slices.Contains(types, typ) {
		d.fail()
	}
	return !d.bad, nil
}

// member applies records of hashes, sets and sorted sets.
func (r objectRecord) member(o op, d *decoder) (err error) {
	t, obj, typ := r.t, r.obj, Hash
	switch o {
	case opFieldPut:
		field, set := string(d.bytes()), d.uvarint() == 0
		var value []byte
		if set {
			typ = Set
		} else {
			value = d.bytes()
		}
		if ok, err := r.on(d, typ); !ok {
			return err
		}
		_, err = t.fieldPut(obj, field, value, set)
	case opFieldDel:
		field, set := string(d.bytes()), d.uvarint() == 0
		if set {
			typ = Set
		}
		if ok, err := r.on(d, typ); !ok {
			return err
		}
		_, err = t.fieldDelete(obj, field, set)
	case opScore:
		score, member := d.bytes(), string(d.bytes())
		if len(score) != 8 {
			d.fail()
		}
		if ok, err := r.on(d, ZSet); !ok {
			return err
		}
		err = t.score(obj, member, [8]byte(score))
	default: // opUnscore
		member := string(d.bytes())
		if ok, err := r.on(d, ZSet); !ok {
			return err
		}
		_, err = t.unscore(obj, member)
	}
	return err
}

// item applies records of lists, streams and queues.
func (r objectRecord) item(o op, d *decoder) (err error) {
	t, obj := r.t, r.obj
	switch o {
	case opInsert, opReplace:
		pos, value := d.uvarint(), d.bytes()
		if ok, err := r.on(d, List); !ok {
			return err
		}
		if o == opInsert {
			return t.insert(obj, pos, value)
		}
		return t.replace(obj, pos, value)
	case opRemove:
		pos, n := d.uvarint(), d.uvarint()
		if n == 0 || pos+n < n {
			d.fail()
		}
		if ok, err := r.on(d, List); !ok {
			return err
		}
		return t.removeRange(obj, pos, n)
	case opItemPut:
		typ, key, value := Type(d.uvarint()), d.bytes(), d.bytes()
		if ok, err := r.onItem(d, typ, key); !ok {
			return err
		}
		return t.itemPut(typ, obj, key, value)
	default: // opItemDel
		typ, key := Type(d.uvarint()), d.bytes()
		if ok, err := r.onItem(d, typ, key); !ok {
			return err
		}
		_, err = t.itemDelete(typ, obj, key)
	}
	return err
}

// onItem is on for an item with a key.
func (r objectRecord) onItem(d *decoder, typ Type, key []byte) (bool, error) {
	if typ != Stream && typ != Queue || len(key) != tree(typ, 0).Key {
		d.fail()
	}
	return r.on(d, typ)
}

// sawObject makes sure that a number is not used again.
func (s *Store) sawObject(obj uint64) {
	part, n := obj>>56, obj&^(0xff<<56)
	s.objects[part].Store(max(s.objects[part].Load(), n))
}
