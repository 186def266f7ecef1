package brock

import (
	"math"
	"math/rand/v2"

	"github.com/brockdb/brock/internal/store"
)

// SAdd adds members to the set at key, creating the set when key does not
// exist, and returns how many are new.
//
// Errors: [ErrWrongType]; [ErrTooLong] for a member above 512 MB, in which case
// nothing is written; [ErrSyntax] without members.
//
// Cost: O(len(members)); one change record for each new member, one in all for
// a small set.
//
// Redis: SADD key member [member …].
func (c *commands) SAdd(key string, members ...string) (added int, err error) {
	if len(members) == 0 {
		return 0, c.refuse("sadd", key, errArity("sadd"))
	}
	err = c.change("sadd", key, len(members), func(t *store.Tx) error {
		e, _, err := c.lookupForWrite(t, key, store.Set)
		if err != nil {
			return err
		}
		added, err = t.SetAdd(c.db, key, e, members)
		if err == nil && added > 0 {
			t.Emit(c.db, store.EventSAdd, key)
		}
		return err
	})
	return result(added, err)
}

// SCard returns the number of members of the set at key, 0 if it does not
// exist.
//
// Errors: [ErrWrongType].
//
// Cost: O(1).
//
// Redis: SCARD key.
func (c *commands) SCard(key string) (n int, err error) { return c.length("scard", key, store.Set) }

// SInter returns the members that all sets at keys have, in no order, as of
// one moment. An absent key is an empty set.
//
// Errors: [ErrWrongType], also where another key is absent; [ErrSyntax]
// without keys.
//
// Cost: O(N · len(keys)) for a smallest set of N members. If that is much, the
// sets are read from a snapshot, which stops no writer.
//
// Redis: SINTER key [key …].
func (c *commands) SInter(keys ...string) (members []string, err error) {
	if len(keys) == 0 {
		return nil, c.refuse("sinter", single(keys), errArity("sinter"))
	}
	err = c.readAllLimited("sinter", keys, func(t *store.Tx, limit int) error {
		sets, smallest, err := c.sets(t, keys)
		switch {
		case err != nil:
			return err
		case smallest == 0:
			members = []string{}
			return nil
		case smallest > limit/max(len(keys)-1, 1):
			return store.ErrLong
		}
		members, err = t.SetInter(sets)
		return err
	})
	return result(members, err)
}

// sets looks up all keys and returns the number of members of the smallest set.
func (c *commands) sets(t *store.Tx, keys []string) (sets []store.Entry, smallest int, err error) {
	sets = make([]store.Entry, len(keys))
	smallest = math.MaxInt
	for i, key := range keys {
		if sets[i], _, err = c.lookup(t, key, store.Set); err != nil {
			return nil, 0, err
		}
		n, err := t.Len(sets[i])
		if err != nil {
			return nil, 0, err
		}
		smallest = min(smallest, n)
	}
	return sets, smallest, nil
}

// SIsMember tells whether member is in the set at key.
//
// Errors: [ErrWrongType].
//
// Cost: O(1).
//
// Redis: SISMEMBER key member.
func (c *commands) SIsMember(key, member string) (in bool, err error) {
	err = c.read("sismember", key, func(t *store.Tx) error {
		e, _, err := c.lookup(t, key, store.Set)
		if err == nil {
			in, err = t.SetHas(e, member)
		}
		return err
	})
	return in && err == nil, err
}

// SMembers returns the members of the set at key, in no order, as of one
// moment; none if the key does not exist.
//
// Errors: [ErrWrongType].
//
// Cost: O(N) for a set of N members. A large set is read from a snapshot and
// stops no writer.
//
// Redis: SMEMBERS key.
func (c *commands) SMembers(key string) (members []string, err error) {
	err = c.readLong("smembers", key, store.Set, func(t *store.Tx, e store.Entry, n int) error {
		members, err = allMembers(t, e, n)
		return err
	})
	return result(members, err)
}

// allMembers returns the n members of a set.
func allMembers(t *store.Tx, e store.Entry, n int) ([]string, error) {
	members := make([]string, 0, min(n, firstRoom))
	err := t.SetEach(e, func(member string) error {
		members = append(members, member)
		return nil
	})
	return members, err
}

// SPop removes a random member from the set at key and returns it. The key
// goes with its last member.
//
// Errors: [ErrNotFound] if the key does not exist; [ErrWrongType].
//
// Cost: O(1).
//
// Redis: SPOP key.
func (c *commands) SPop(key string) (member string, err error) {
	at := [2]uint64{rand.Uint64(), rand.Uint64()} // the same in each run
	return writeKey(c, "spop", key, at, (*commands).spop)
}

// spop is SPop of the member that random numbers choose, within a transaction.
func (c *commands) spop(t *store.Tx, key string, at [2]uint64) (member string, err error) {
	e, ok, err := c.lookupForWrite(t, key, store.Set)
	if err == nil && !ok {
		err = ErrNotFound
	}
	if err != nil {
		return "", err
	}
	if member, err = t.SetRandom(e, at[0], at[1]); err != nil {
		return "", err
	}
	if _, err := t.SetRemove(c.db, key, e, []string{member}); err != nil {
		return "", err
	}
	return member, t.EmitRemoval(c.db, store.EventSPop, key)
}

// SPopCount removes up to count random members from the set at key and returns
// them, in no order; none if the key does not exist. The key goes with its last
// member.
//
// Errors: [ErrWrongType]; [ErrOffset] for a negative count.
//
// Cost: O(count).
//
// Redis: SPOP key count.
func (c *commands) SPopCount(key string, count int) (members []string, err error) {
	if count < 0 {
		return nil, c.refuse("spop", key, errNegative())
	}
	seed := [2]uint64{rand.Uint64(), rand.Uint64()} // the same in each run
	err = c.exec("spop", key, func(t *store.Tx) error {
		members = []string{}
		e, ok, err := c.lookupForWrite(t, key, store.Set)
		if err != nil || !ok || count == 0 {
			return err
		}
		n, err := t.Len(e)
		if err != nil {
			return err
		}
		if count < n {
			members, err = c.popMembers(t, key, count, rand.New(rand.NewPCG(seed[0], seed[1])))
			if err == nil && count/spopMoves >= n-count {
				err = t.SetConvert(c.db, key)
			}
		} else if members, err = allMembers(t, e, n); err == nil {
			_, err = t.Delete(c.db, key)
		}
		if err != nil {
			return err
		}
		return t.EmitRemoval(c.db, store.EventSPop, key)
	})
	return result(members, err)
}

// popMembers removes count random members of a larger set.
func (c *commands) popMembers(t *store.Tx, key string, count int, r *rand.Rand) ([]string, error) {
	members := make([]string, 0, min(count, firstRoom))
	for range count {
		e, _, err := t.Lookup(c.db, key) // a packed set has moved
		if err != nil {
			return nil, err
		}
		member, err := t.SetRandom(e, r.Uint64(), r.Uint64())
		if err != nil {
			return nil, err
		}
		if _, err := t.SetRemove(c.db, key, e, []string{member}); err != nil {
			return nil, err
		}
		members = append(members, member)
	}
	return members, nil
}

// spopMoves is how many times as many members as it leaves Redis pops when it
// makes a new set of these instead.
const spopMoves = 5

// SRem removes members from the set at key and returns how many there were.
// The key goes with its last member; an absent one has none.
//
// Errors: [ErrWrongType].
//
// Cost: O(len(members)); one change record for each member that was there, one
// in all for a small set.
//
// Redis: SREM key member [member …].
func (c *commands) SRem(key string, members ...string) (removed int, err error) {
	err = c.change("srem", key, len(members), func(t *store.Tx) error {
		removed = 0
		e, ok, err := c.lookupForWrite(t, key, store.Set)
		if err != nil || !ok {
			return err
		}
		removed, err = t.SetRemove(c.db, key, e, members)
		if err != nil || removed == 0 {
			return err
		}
		return t.EmitRemoval(c.db, store.EventSRem, key)
	})
	return result(removed, err)
}

// errNegative is what a negative count is refused with.
func errNegative() error {
	return &redisError{ErrOffset, "ERR value is out of range, must be positive"}
}
