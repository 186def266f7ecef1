package oracle

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// Scored is a member of a sorted set.
type Scored struct {
	Member string
	Score  float64
}

// zset is a sorted set: the score of each member, and the members in order.
type zset struct {
	scores map[string]float64
	order  []Scored
}

// compare orders by score, then by the bytes of the member.
func (s Scored) compare(t Scored) int {
	return cmp.Or(cmp.Compare(s.Score, t.Score), cmp.Compare(s.Member, t.Member))
}

// clone returns a copy.
func (z *zset) clone() zset {
	return zset{maps.Clone(z.scores), slices.Clone(z.order)}
}

// put sets the score of a member.
func (z *zset) put(s Scored) {
	z.remove(s.Member)
	at, _ := slices.BinarySearchFunc(z.order, s, Scored.compare)
	z.order = slices.Insert(z.order, at, s)
	z.scores[s.Member] = s.Score
}

// rank returns the position of member, and whether there is one.
func (z *zset) rank(member string) (at int, ok bool) {
	score, ok := z.scores[member]
	if !ok {
		return 0, false
	}
	return slices.BinarySearchFunc(z.order, Scored{member, score}, Scored.compare)
}

// remove takes member out and reports whether it was in.
func (z *zset) remove(member string) bool {
	at, ok := z.rank(member)
	if ok {
		z.order = slices.Delete(z.order, at, at+1)
		delete(z.scores, member)
	}
	return ok
}

// ZAddOptions are the options of ZADD.
type ZAddOptions struct {
	NX bool // only add
	XX bool // only change
	GT bool // change only to a greater score; adds, too
	LT bool // change only to a lesser score; adds, too
	CH bool // count the changed ones, too
}

// check refuses options that exclude each other.
func (o ZAddOptions) check() error {
	switch {
	case o.NX && o.XX:
		return ErrSyntax.with("ERR XX and NX options at the same time are not compatible")
	case o.GT && o.LT || (o.GT || o.LT) && o.NX:
		return ErrSyntax.with("ERR GT, LT, and/or NX options at the same time are not compatible")
	default:
		return nil
	}
}

// allow reports whether the options let a score change from old to score, or
// be added if it is not in.
func (o ZAddOptions) allow(in bool, old, score float64) bool {
	if !in {
		return !o.XX
	}
	return !o.NX && (!o.GT || score > old) && (!o.LT || score < old)
}

// ZAdd sets scores of members of the sorted set at key, one after the other,
// and returns how many are new.
func (d *DB) ZAdd(db int, key string, o ZAddOptions, members ...Scored) (int64, error) {
	if err := d.check(db); err != nil {
		return 0, err
	}
	if err := arity(len(members) > 0, "zadd"); err != nil {
		return 0, err
	}
	if err := o.check(); err != nil {
		return 0, err
	}
	if slices.ContainsFunc(members, func(m Scored) bool { return math.IsNaN(m.Score) }) {
		return 0, ErrNaN
	}
	v, err := d.create(db, key, TypeZSet)
	if err != nil {
		return 0, err
	}
	var added, changed int64
	for _, m := range members {
		old, in := v.zset.scores[m.Member]
		switch {
		case !o.allow(in, old, m.Score) || in && old == m.Score:
			continue
		case in:
			changed++
		default:
			added++
		}
		v.zset.put(m)
		v.convert(!in && (len(m.Member) > maxListPackValue || len(v.zset.scores) > maxZSetListPack))
	}
	d.prune(db, key)
	if o.CH {
		added += changed
	}
	return added, nil
}

// ZRem removes members from the sorted set at key and returns how many there
// were.
func (d *DB) ZRem(db int, key string, members ...string) (int64, error) {
	o, err := d.edit(db, key, TypeZSet)
	if o == nil || err != nil {
		return 0, err
	}
	var n int64
	for _, m := range members {
		n += oneIf(o.zset.remove(m))
	}
	d.prune(db, key)
	return n, nil
}

// ZScore returns the score of member, or ErrNotFound.
func (d *DB) ZScore(db int, key, member string) (float64, error) {
	o, err := d.read(db, key, TypeZSet)
	if err != nil {
		return 0, err
	}
	if o != nil {
		if score, ok := o.zset.scores[member]; ok {
			return score, nil
		}
	}
	return 0, ErrNotFound
}

// ZRank returns the position of member from the lowest score, or ErrNotFound.
func (d *DB) ZRank(db int, key, member string) (int64, error) {
	o, err := d.read(db, key, TypeZSet)
	if err != nil {
		return 0, err
	}
	if o != nil {
		if at, ok := o.zset.rank(member); ok {
			return int64(at), nil
		}
	}
	return 0, ErrNotFound
}

// ZRange returns the members from position start to stop, both included;
// negative ones count from the end.
func (d *DB) ZRange(db int, key string, start, stop int64) ([]Scored, error) {
	o, err := d.read(db, key, TypeZSet)
	if o == nil || err != nil {
		return nil, err
	}
	from, to := span(int64(len(o.zset.order)), start, stop)
	return slices.Clone(o.zset.order[from:to]), nil
}

// ZCard returns the number of members of the sorted set at key.
func (d *DB) ZCard(db int, key string) (int64, error) {
	o, err := d.read(db, key, TypeZSet)
	if o == nil || err != nil {
		return 0, err
	}
	return int64(len(o.zset.order)), nil
}
