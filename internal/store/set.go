package store

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/brockdb/brock/internal/engine"
)

// SetAdd adds members to the set at key and returns how many are new. e is the
// key's entry; a zero Entry if the key is absent.
func (t *Tx) SetAdd(db int, key string, e Entry, members []string) (added int, err error) {
	for _, m := range members {
		if len(m) > MaxString {
			return 0, ErrTooLong
		}
	}
	if err := reserveAll(t, members, func(m string) int { return len(m) }); err != nil {
		return 0, err
	}
	was, limit := e.Converted, t.s.limits.Load().SetInts
	convertSet(&e, members)
	if e.Object != 0 {
		if err := t.warmFields(e.Object, len(members), func(i int) string { return members[i] }); err != nil {
			return 0, err
		}
		if added, err = t.putMembers(e.Object, members); err != nil || added == 0 {
			return 0, err
		}
		t.convertGrown(&e, limit)
		return added, t.putConverted(db, key, e, was)
	}
	e.Type = Set
	var buf packedBuf
	p := append(packed(buf[:0]), e.Inline...)
	for i, m := range members {
		s, err := p.field(m, 1)
		if err != nil {
			return 0, err
		}
		if s.found() {
			continue
		}
		if !fitsInline(key, len(p)+packedSize(len(m))) {
			if e, err = t.unpackFields(key, e, p); err != nil {
				return 0, err
			}
			n, err := t.putMembers(e.Object, members[i:])
			if err != nil {
				return 0, err
			}
			t.convertGrown(&e, limit)
			return added + n, t.Put(db, key, e)
		}
		p = appendPacked(p, m)
		added++
	}
	if added == 0 {
		return 0, nil
	}
	e.Inline = p
	if err := t.convertLarge(&e, limit); err != nil {
		return 0, err
	}
	return added, t.putPacked(db, key, e, p)
}

// putMembers adds members to a set object whose leaves are in memory.
func (t *Tx) putMembers(obj uint64, members []string) (added int, err error) {
	for _, m := range members {
		isNew, err := t.fieldPut(obj, m, nil, true)
		if err != nil {
			return 0, err
		}
		added += int(flag(isNew))
	}
	return added, nil
}

// SetRemove removes members of the set at key, with the key if none is left,
// and returns how many there were.
func (t *Tx) SetRemove(db int, key string, e Entry, members []string) (removed int, err error) {
	return t.removeFields(db, key, e, members)
}

// SetHas tells whether member is in the set.
func (t *Tx) SetHas(e Entry, member string) (bool, error) {
	if e.Object == 0 {
		s, err := packed(e.Inline).field(member, 1)
		return s.found(), err
	}
	stored, hash := t.field(member)
	b, err := t.acc.FieldGet(e.Object, hash, stored)
	return b != nil, err
}

// SetEach calls fn with each member.
func (t *Tx) SetEach(e Entry, fn func(member string) error) error {
	if e.Object != 0 {
		return t.eachField(e.Object, func(stored, value []byte) error {
			member, _, err := t.openField(e.Object, stored, value)
			if err == nil {
				err = fn(member)
			}
			return err
		})
	}
	p := packed(e.Inline)
	for at := 0; at < len(p); {
		member, end, err := p.next(at)
		if err == nil {
			err = fn(string(member))
		}
		if err != nil {
			return err
		}
		at = end
	}
	return nil
}

// SetRandom returns a member of the set, which has some, by chance: pos and
// pick are random numbers, and the same ones choose the same member. In a set
// of many pages a page is chosen by its share of hashes, then one of its
// members.
func (t *Tx) SetRandom(e Entry, pos, pick uint64) (string, error) {
	if e.Object == 0 {
		p := packed(e.Inline)
		n, err := p.count()
		if err != nil || n == 0 {
			return "", cmp.Or(err, errPacked(p))
		}
		member, _, _, err := p.seek(int(pick % uint64(n)))
		return string(member), err
	}
	for wrapped := false; ; {
		leaf, err := t.acc.FieldLeaf(e.Object, pos)
		if err != nil {
			return "", err
		}
		if n := uint64(leaf.Len()); n > 0 {
			i := pick % n
			var member string
			leaf.Each(func(stored, value []byte) bool {
				if i == 0 {
					member, _, err = t.openField(e.Object, stored, value)
				}
				i--
				return i != ^uint64(0)
			})
			return member, err
		}
		if pos = leaf.End + 1; pos == 0 {
			if wrapped {
				return "", fmt.Errorf("store: object %#x: no member: %w", e.Object, engine.ErrCorrupt)
			}
			wrapped = true
		}
	}
}

// SetInter returns the members that all sets have. It looks at each member of
// the smallest set.
func (t *Tx) SetInter(sets []Entry) ([]string, error) {
	lens := make(map[uint64]int, len(sets))
	for i := range sets {
		if sets[i].Object == 0 {
			sets[i].Inline = slices.Clone(sets[i].Inline) // pages are given up on the way
			continue
		}
		n, err := t.Len(sets[i])
		if err != nil {
			return nil, err
		}
		lens[sets[i].Object] = n
	}
	slices.SortStableFunc(sets, func(a, b Entry) int { return cmp.Compare(lens[a.Object], lens[b.Object]) })
	common := []string{}
	var m misses
	err := t.SetEach(sets[0], func(member string) error {
		in, err := t.inAll(sets[1:], member)
		if err != nil && !m.add(err) {
			return err
		}
		if in {
			common = append(common, member)
		}
		return nil
	})
	if err == nil {
		err = m.err
	}
	return common, err
}

// inAll tells whether member is in all sets.
func (t *Tx) inAll(sets []Entry, member string) (bool, error) {
	for _, set := range sets {
		if in, err := t.SetHas(set, member); err != nil || !in {
			return false, err
		}
	}
	return true, nil
}
