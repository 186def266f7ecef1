package brock

import (
	"math"
	"slices"

	"github.com/brockdb/brock/internal/store"
)

// Z is a member of a sorted set with its score, which may be infinite but not
// NaN.
type Z struct {
	Member string
	Score  float64
}

// ZAddOptions are the options of [DB.ZAddOpt]. The zero value has none.
type ZAddOptions struct {
	NX bool // only add members, change no score
	XX bool // only change scores, add no member
	GT bool // change a score only to a higher one; new members are added
	LT bool // change a score only to a lower one; new members are added
	CH bool // count changed members, too, not only new ones
}

// check refuses options that exclude each other.
func (o ZAddOptions) check() error {
	switch {
	case o.NX && o.XX:
		return &redisError{ErrSyntax, "ERR XX and NX options at the same time are not compatible"}
	case o.GT && o.LT || (o.GT || o.LT) && o.NX:
		return &redisError{ErrSyntax, "ERR GT, LT, and/or NX options at the same time are not compatible"}
	}
	return nil
}

// allow tells whether a member may get a score, which differs from the old one
// if it has one.
func (o ZAddOptions) allow(in bool, old, score float64) bool {
	if !in {
		return !o.XX
	}
	return !o.NX && !(o.GT && score < old) && !(o.LT && score > old)
}

// ZAdd sets the score of each of members in the sorted set at key, creating the
// set when key does not exist, and returns how many members were new to it.
// When a name occurs twice, the last score wins. -0 is the same score as 0.
//
// Errors: [ErrWrongType]; [ErrNaN] if a score is NaN and [ErrTooLong] for a
// member above 512 MB, in which cases nothing is written; [ErrSyntax] without
// members.
//
// Cost: O(len(members) · log N) for a set of N members; one change record for
// each new or moved member, one in all for a small set, none for what stays.
//
// Redis: ZADD key score member [score member …]. For NX, XX, GT, LT and CH see
// [DB.ZAddOpt].
func (c *commands) ZAdd(key string, members ...Z) (added int, err error) {
	return c.ZAddOpt(key, ZAddOptions{}, members...)
}

// ZAddOpt is ZAdd with options.
//
// Errors: those of [DB.ZAdd]; [ErrSyntax] for options that exclude each other:
// NX and XX, GT and LT, NX and either of these.
//
// Cost: as [DB.ZAdd].
//
// Redis: ZADD key [NX | XX] [GT | LT] [CH] score member [score member …].
func (c *commands) ZAddOpt(key string, o ZAddOptions, members ...Z) (added int, err error) {
	if len(members) == 0 {
		return 0, c.refuse("zadd", key, errArity("zadd"))
	}
	if err := o.check(); err != nil {
		return 0, c.refuse("zadd", key, err)
	}
	long := false
	for i := range members {
		if math.IsNaN(members[i].Score) {
			return 0, c.refuse("zadd", key, ErrNaN)
		}
		if len(members[i].Member) > store.MaxString {
			return 0, c.refuse("zadd", key, ErrTooLong)
		}
		long = long || len(members[i].Member) > store.ShortName
	}
	err = c.writeMembers("zadd", key, len(members), long, func(t *store.Tx) (err error) {
		added, err = c.zadd(t, key, o, members)
		return err
	})
	return result(added, err)
}

// writeMembers is write for a command that changes n members. More than one, or
// a long one, are changed in private copies of pages: what is needed after the
// first change may be cold.
func (c *commands) writeMembers(op, key string, n int, long bool, fn func(*store.Tx) error) error {
	if n > 1 || long {
		return c.exec(op, key, fn)
	}
	return c.write(op, key, fn)
}

// zadd is ZAddOpt within a transaction.
func (c *commands) zadd(t *store.Tx, key string, o ZAddOptions, members []Z) (added int, err error) {
	e, _, err := c.lookupForWrite(t, key, store.ZSet)
	if err != nil {
		return 0, err
	}
	z := t.ZSetEdit(c.db, key, e)
	changed := 0
	for _, m := range members {
		old, in, err := z.Score(m.Member)
		if err != nil {
			return 0, err
		}
		if in && old == m.Score || !o.allow(in, old, m.Score) {
			continue
		}
		if err := z.Set(m.Member, m.Score); err != nil {
			return 0, err
		}
		if in {
			changed++
		} else {
			added++
		}
	}
	if added+changed == 0 {
		return 0, nil
	}
	if o.CH {
		added += changed
	}
	if err := z.Done(); err != nil {
		return 0, err
	}
	t.Emit(c.db, store.EventZAdd, key)
	return added, nil
}

// ZCard returns the number of members of the sorted set at key, 0 if it does
// not exist.
//
// Errors: [ErrWrongType].
//
// Cost: O(1).
//
// Redis: ZCARD key.
func (c *commands) ZCard(key string) (n int, err error) { return c.length("zcard", key, store.ZSet) }

// ZRange returns the members with their scores from position start to stop,
// both included, in the order of scores, those of equal score in the order of
// their bytes. Negative numbers count from the end, -1 being the member of the
// highest score; what is out of range is cut. An absent key has no members.
//
// Errors: [ErrWrongType].
//
// Cost: O(log N + members returned) for a set of N members. Many members are
// read from a snapshot, which stops no writer.
//
// Redis: ZRANGE key start stop WITHSCORES.
func (c *commands) ZRange(key string, start, stop int) (members []Z, err error) {
	err = c.readLimited("zrange", key, func(t *store.Tx, limit int) error {
		members = []Z{}
		e, _, err := c.lookup(t, key, store.ZSet)
		if err != nil {
			return err
		}
		n, err := t.Len(e)
		if err != nil {
			return err
		}
		first, count := clip(start, stop, n)
		switch {
		case count == 0:
			return nil
		case count > limit:
			return store.ErrLong
		}
		members = make([]Z, 0, min(count, firstRoom))
		return t.ZSetEach(e, first, count, func(member string, score float64) {
			members = append(members, Z{Member: member, Score: score})
		})
	})
	return result(members, err)
}

// ZRank returns the position of member in the sorted set at key, in the order
// of [DB.ZRange]: 0 for that of the lowest score.
//
// Errors: [ErrNotFound] if there is no such member; [ErrWrongType].
//
// Cost: O(log N) for a set of N members.
//
// Redis: ZRANK key member.
func (c *commands) ZRank(key, member string) (rank int, err error) {
	err = c.read("zrank", key, func(t *store.Tx) error {
		e, _, err := c.lookup(t, key, store.ZSet)
		if err != nil {
			return err
		}
		var in bool
		if rank, in, err = t.ZSetRank(e, member); err == nil && !in {
			err = ErrNotFound
		}
		return err
	})
	return result(rank, err)
}

// ZRem removes members from the sorted set at key and returns how many there
// were. The key goes with its last member; an absent one has none.
//
// Errors: [ErrWrongType].
//
// Cost: O(len(members) · log N) for a set of N members; one change record for
// each member that was there, one in all for a small set.
//
// Redis: ZREM key member [member …].
func (c *commands) ZRem(key string, members ...string) (removed int, err error) {
	long := slices.ContainsFunc(members, func(m string) bool { return len(m) > store.ShortName })
	err = c.writeMembers("zrem", key, len(members), long, func(t *store.Tx) error {
		removed = 0
		e, ok, err := c.lookupForWrite(t, key, store.ZSet)
		if err != nil || !ok {
			return err
		}
		z := t.ZSetEdit(c.db, key, e)
		for _, m := range members {
			was, err := z.Remove(m)
			if err != nil {
				return err
			}
			if was {
				removed++
			}
		}
		if removed == 0 {
			return nil
		}
		if err := z.Done(); err != nil {
			return err
		}
		return t.EmitRemoval(c.db, store.EventZRem, key)
	})
	return result(removed, err)
}

// ZScore returns the score of member in the sorted set at key.
//
// Errors: [ErrNotFound] if there is no such member; [ErrWrongType].
//
// Cost: O(1).
//
// Redis: ZSCORE key member.
func (c *commands) ZScore(key, member string) (score float64, err error) {
	err = c.read("zscore", key, func(t *store.Tx) error {
		e, _, err := c.lookup(t, key, store.ZSet)
		if err != nil {
			return err
		}
		var in bool
		if score, in, err = t.ZSetScore(e, member); err == nil && !in {
			err = ErrNotFound
		}
		return err
	})
	return result(score, err)
}
