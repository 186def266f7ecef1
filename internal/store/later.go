package store

import (
	"errors"
	"math"

	"github.com/brockdb/brock/internal/page"
)

// Later is how commands run for somebody who does not wait after each of them:
// it notes what is to be waited for in the end. Not safe for concurrent use.
type Later struct {
	// NoWait has a command that would have to wait, for the writer lock, for
	// pages or for the log, or that takes long, fail with ErrWait instead. It
	// has changed nothing then, unless that it found its key expired.
	NoWait bool
	// NoTouch has the keys that commands look up not count as used, see
	// [Tx.IdleTime], unless they get a value or are touched.
	NoTouch bool

	lsn     uint64 // the newest change
	exposed uint64 // the newest change that was seen
	lookups Lookups
}

// Lookups is how many keys commands that read have asked for.
type Lookups struct{ Hits, Misses int64 }

// CountLookup counts a key that a command which reads has asked for. Only who
// runs it with a Later wants to know.
func (t *Tx) CountLookup(found bool) {
	if found {
		t.lookups.Hits++
	} else {
		t.lookups.Misses++
	}
}

// TakeLookups returns how many keys commands have looked up since the last call.
func (l *Later) TakeLookups() Lookups {
	n := l.lookups
	l.lookups = Lookups{}
	return n
}

// Take returns the newest transaction that made what commands have changed or
// seen since the last call, 0 if there is none. What tells of it may leave once
// that is as durable as the mode asks, see [Store.Released].
func (l *Later) Take() uint64 {
	lsn := max(l.lsn, l.exposed)
	l.lsn, l.exposed = 0, 0
	return lsn
}

// see notes what a command has read that was run, and returned err; it has not
// been given back yet. l may be nil.
func (l *Later) see(t *Tx, err error) {
	if l == nil {
		return
	}
	if !Unrun(err) {
		l.lookups.Hits += t.lookups.Hits
		l.lookups.Misses += t.lookups.Misses
	}
	seen := t.acc.Exposed()
	if t.spaces != nil {
		seen = max(seen, t.spaces.lsn)
	}
	if seen > l.exposed {
		l.exposed = min(seen, t.s.committed.Load()) // what a command has undone has no number
	}
}

// maxBrief is how many bytes of long values a command copies that must not take
// long.
const maxBrief = 256 << 10

// begin gets t ready to run a command as l asks. l may be nil.
func (l *Later) begin(t *Tx) {
	t.brief, t.noTouch = l != nil && l.NoWait, l != nil && l.NoTouch
	t.copied, t.lookups = 0, Lookups{}
}

// copies fails with ErrWait if a command that must not take long has copied too
// much, n bytes of a long value included.
func (t *Tx) copies(n int) error {
	if t.copied += n; t.brief && t.copied > maxBrief {
		return ErrWait
	}
	return nil
}

// mustNotWait tells whether a command is refused what it asks for by err.
func (l *Later) mustNotWait(err error) bool {
	return l != nil && l.NoWait && errors.Is(err, page.ErrCold)
}

// Warm brings into the processor's caches what look-ups of some keys will touch,
// see [page.Memory.Warm], and of a field or member of each: for who knows them
// before he runs commands on them. An empty field stands for none.
func (s *Store) Warm(db int, keys, fields []string) {
	t := s.get()
	for len(keys) > 0 {
		n := min(len(keys), warmKeys)
		s.warmSome(t, db, keys[:n], fields[:n])
		keys, fields = keys[n:], fields[n:]
	}
	s.readers.Put(t)
}

// warmKeys is how many keys Warm locks the partitions of at once.
const warmKeys = 16

// warmSome is Warm for up to warmKeys keys.
func (s *Store) warmSome(t *Tx, db int, keys, fields []string) {
	var hashes, distinct [warmKeys]uint64
	n, k, mask, deep := 0, 0, uint64(0), false
	for i, key := range keys {
		if len(key) > ShortName {
			continue
		}
		keys[n], fields[n] = key, fields[i]
		if n > 0 && key == keys[n-1] {
			hashes[n] = hashes[n-1]
		} else {
			hashes[n] = s.mem.Hash(key)
			distinct[k] = hashes[n]
			k++
			mask |= s.maskOf(hashes[n])
		}
		deep = deep || fields[n] != ""
		n++
	}
	s.mem.RLock(mask, t.acc.Lane)
	defer s.mem.RUnlock(mask, t.acc.Lane)
	if s.usable() != nil {
		return
	}
	sp := s.spaces.Load().dbs[db]
	tables := &sp.tables
	if x := s.idle.Load(); x != nil {
		for _, h := range distinct[:k] {
			t.warm += x.slot(sp, h).Load()
		}
	}
	t.warm += s.mem.Warm(tables, distinct[:k])
	if deep {
		t.acc.Begin(s.mem, page.Shared, 0, mask, nil)
		s.warmFields(t, tables, keys[:n], fields[:n], hashes[:n])
	}
}

// warmFields is Warm for the fields, in collections of many.
func (s *Store) warmFields(t *Tx, tables *[page.Partitions]*page.Table, keys, fields []string, hashes []uint64) {
	var objs [warmKeys]uint64
	for i, field := range fields {
		if i > 0 && keys[i] == keys[i-1] && objs[i-1] != 0 && field != "" && len(field) <= ShortName {
			objs[i], hashes[i] = objs[i-1], s.mem.Hash(field)
			continue
		}
		dir := tables[page.PartitionOf(hashes[i])]
		if field == "" || len(field) > ShortName || dir == nil {
			continue
		}
		b, err := t.acc.DirGet(dir, hashes[i], keys[i])
		if err != nil || b == nil || t.found.decode(b) != nil || !hasFields(t.found.Type) || t.found.Object == 0 {
			continue
		}
		if t.acc.Enter(int(t.found.Object>>56)) == nil {
			objs[i], hashes[i] = t.found.Object, s.mem.Hash(field)
		}
	}
	t.warm += s.mem.WarmFields(objs[:len(fields)], hashes)
}

// hasFields tells whether a value of a type has a table of fields or members.
func hasFields(typ Type) bool { return typ == Hash || typ == Set || typ == ZSet }

// warmHashes is Warm for keys of these hashes, in the partitions of mask.
func (s *Store) warmHashes(t *Tx, db int, mask uint64, hashes []uint64) {
	s.mem.RLock(mask, t.acc.Lane)
	if s.usable() == nil {
		t.warm += s.mem.Warm(&s.spaces.Load().dbs[db].tables, hashes)
	}
	s.mem.RUnlock(mask, t.acc.Lane)
}

// Released returns up to which transaction everything is as durable as the mode
// asks.
func (s *Store) Released() uint64 {
	if s.wlog.log == nil {
		return math.MaxUint64
	}
	switch s.Durability() {
	case Always:
		return s.wlog.synced.Load()
	case EverySecond:
		return s.wlog.written.Load()
	default:
		return math.MaxUint64
	}
}

// Release has a transaction be as durable as the mode asks, and tells whether it
// is when Release returns. If not, because that takes a sync, or another write
// runs, it calls done once it is, with an error if that fails.
func (s *Store) Release(lsn uint64, done func(error)) bool {
	if s.Released() >= lsn || s.Durability() == EverySecond && s.wlog.tryWrite(lsn) {
		return true
	}
	go s.releaseLater(lsn, done)
	return false
}

// releaseLater calls done once a transaction is as durable as the mode asks.
func (s *Store) releaseLater(lsn uint64, done func(error)) { done(s.Acknowledge(lsn)) }
