package store

import "strconv"

// Limits are up to where Redis holds a collection in the compact encoding of
// its type. What exceeds one is converted, and stays so whatever becomes of it:
// its entry notes that, see Entry.Converted. Here they change nothing else.
type Limits struct {
	HashEntries int // fields of a hash
	HashValue   int // bytes of a field or value
	SetInts     int // members of a set of integers
	ZSetEntries int // members of a sorted set
	ZSetValue   int // bytes of a member
}

// limits are the Limits of a store.
type limits struct {
	Limits
	set bool // by SetLimits: what there was before may exceed them
}

// defaultLimits are those of Redis 7.0.
func defaultLimits() *limits {
	return &limits{Limits: Limits{HashEntries: 512, HashValue: 64, SetInts: 512, ZSetEntries: 128, ZSetValue: 64}}
}

// Limits returns what holds now.
func (s *Store) Limits() Limits { return s.limits.Load().Limits }

// SetLimits changes what holds for changes from now on.
func (s *Store) SetLimits(l Limits) { s.limits.Store(&limits{Limits: l, set: true}) }

// convertLarge marks e as converted if it has more than limit elements.
func (t *Tx) convertLarge(e *Entry, limit int) error {
	if e.Converted || e.Object == 0 && len(e.Inline) <= limit { // an element takes a byte at least
		return nil
	}
	n, err := t.Len(*e)
	e.Converted = n > limit
	return err
}

// convertGrown is convertLarge for an object to which elements were just added.
func (t *Tx) convertGrown(e *Entry, limit int) {
	e.Converted = e.Converted || t.acc.Counted() > uint64(limit)
}

// putConverted writes an entry, of which nothing else has changed, if it was
// marked as converted.
func (t *Tx) putConverted(db int, key string, e Entry, was bool) error {
	if e.Converted == was {
		return nil
	}
	return t.putEntry(db, key, &e)
}

// convertHash marks e as converted if one of the fields or values that it gets
// is long.
func convertHash(e *Entry, fields []Field, limit int) {
	if e.Converted {
		return
	}
	for i := range fields {
		if len(fields[i].Name) > limit || len(fields[i].Value) > limit {
			e.Converted = true
			return
		}
	}
}

// convertSet marks e as converted if one of the members that it gets is no
// integer.
func convertSet(e *Entry, members []string) {
	for i := 0; i < len(members) && !e.Converted; i++ {
		e.Converted = !isInteger(members[i])
	}
}

// isInteger tells whether s is how an integer of 64 bits is written.
func isInteger(s string) bool {
	digits := s
	if len(s) > 1 && s[0] == '-' {
		digits = s[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && len(s) > 1 {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	if len(digits) < 19 {
		return true
	}
	_, err := strconv.ParseInt(s, 10, 64)
	return err == nil
}

// SetConvert notes how Redis holds the set at key once it has put what a large
// SPOP leaves in a set of its own: as if that had been added to a new one.
func (t *Tx) SetConvert(db int, key string) error {
	e, ok, err := t.LookupForWrite(db, key)
	if err != nil || !ok {
		return err
	}
	was := e.Converted
	e.Converted = false
	err = t.SetEach(e, func(member string) error {
		convertSet(&e, []string{member})
		return nil
	})
	if err == nil {
		err = t.convertLarge(&e, t.s.limits.Load().SetInts)
	}
	if err != nil || e.Converted == was {
		return err
	}
	return t.Put(db, key, e)
}
