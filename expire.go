package brock

import (
	"cmp"
	"math"
	"time"

	"github.com/brockdb/brock/internal/store"
)

// NoTTL is what [DB.TTL] and [DB.PTTL] return for a key that does not expire.
const NoTTL time.Duration = -1

// Expire has the key expire after ttl, which is cut to whole milliseconds, and
// tells whether it did: not if the key does not exist, or an option forbids it.
// A ttl below a millisecond deletes the key.
//
// [NX] asks for a key without a time to live, [XX] for one with, [GT] for a
// later moment than the key has, [LT] for an earlier one; to have none is the
// latest.
//
// Errors: [ErrSyntax] for [NX] beside others, or [GT] beside [LT], and for an
// option that there is not.
//
// Cost: O(1); one change record.
//
// Redis: EXPIRE key seconds [NX | XX | GT | LT].
func (c *commands) Expire(key string, ttl time.Duration, opts ...ExpireOption) (ok bool, err error) {
	return c.expire("expire", key, Expiry{ttl.Milliseconds(), fromNow}, opts)
}

// ExpireAt has the key expire at a moment, which is cut to whole milliseconds,
// and tells whether it did: not if the key does not exist, or an option forbids
// it, see [DB.Expire]. A moment that has come deletes the key.
//
// Errors: as [DB.Expire]; [ErrExpire] for a moment that 64 bits of milliseconds
// do not hold.
//
// Cost: as [DB.Expire].
//
// Redis: EXPIREAT key unix-time-seconds [NX | XX | GT | LT].
func (c *commands) ExpireAt(key string, at time.Time, opts ...ExpireOption) (ok bool, err error) {
	return c.expireAt("expireat", key, at, opts)
}

// ExpireTime returns when a key expires, rounded to whole seconds, the zero
// time.Time if it does not. [DB.PExpireTime] keeps milliseconds.
//
// Errors: [ErrNotFound].
//
// Cost: O(1).
//
// Redis: EXPIRETIME key, which returns -1 for the zero time.Time and -2 for
// ErrNotFound.
func (c *commands) ExpireTime(key string) (at time.Time, err error) {
	deadline, _, err := c.deadline("expiretime", key)
	if err != nil || deadline == 0 {
		return at, err
	}
	return time.Unix(int64((uint64(deadline)+500)/1000), 0), nil
}

// PExpire is [DB.Expire], under the name that Redis has for milliseconds.
//
// Errors: as [DB.Expire].
//
// Cost: as [DB.Expire].
//
// Redis: PEXPIRE key milliseconds [NX | XX | GT | LT].
func (c *commands) PExpire(key string, ttl time.Duration, opts ...ExpireOption) (ok bool, err error) {
	return c.expire("pexpire", key, Expiry{ttl.Milliseconds(), fromNow}, opts)
}

// PExpireAt is [DB.ExpireAt], under the name that Redis has for milliseconds.
//
// Errors: as [DB.ExpireAt].
//
// Cost: as [DB.Expire].
//
// Redis: PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT].
func (c *commands) PExpireAt(key string, at time.Time, opts ...ExpireOption) (ok bool, err error) {
	return c.expireAt("pexpireat", key, at, opts)
}

// PExpireTime returns when a key expires, in whole milliseconds, the zero
// time.Time if it does not.
//
// Errors: [ErrNotFound].
//
// Cost: O(1).
//
// Redis: PEXPIRETIME key, which returns -1 for the zero time.Time and -2 for
// ErrNotFound.
func (c *commands) PExpireTime(key string) (at time.Time, err error) {
	deadline, _, err := c.deadline("pexpiretime", key)
	if err != nil || deadline == 0 {
		return at, err
	}
	return time.UnixMilli(deadline), nil
}

// Persist takes the time to live off a key and tells whether it had one.
//
// Errors: none of its own, see [DB].
//
// Cost: O(1); one change record if it had one.
//
// Redis: PERSIST key.
func (c *commands) Persist(key string) (changed bool, err error) {
	return writeKey(c, "persist", key, struct{}{}, func(c *commands, t *store.Tx, key string, _ struct{}) (bool, error) {
		e, ok, err := t.LookupForWrite(c.db, key)
		if err != nil || !ok || e.Deadline == 0 {
			return false, err
		}
		if err := t.SetDeadline(c.db, key, e, 0); err != nil {
			return false, err
		}
		t.Emit(c.db, store.EventPersist, key)
		return true, nil
	})
}

// PTTL returns the time to live of a key, in whole milliseconds, [NoTTL] if it
// does not expire. What exceeds the longest time.Duration, of 292 years, is
// that; [DB.PExpireTime] tells more.
//
// Errors: [ErrNotFound].
//
// Cost: O(1).
//
// Redis: PTTL key, which returns -1 for NoTTL and -2 for ErrNotFound.
func (c *commands) PTTL(key string) (ttl time.Duration, err error) {
	deadline, now, err := c.deadline("pttl", key)
	switch {
	case err != nil:
		return 0, err
	case deadline == 0:
		return NoTTL, nil
	case deadline-now > math.MaxInt64/int64(time.Millisecond):
		return math.MaxInt64, nil
	}
	return time.Duration(deadline-now) * time.Millisecond, nil
}

// TTL returns the time to live of a key, rounded to whole seconds, [NoTTL] if
// it does not expire. [DB.PTTL] keeps milliseconds.
//
// Errors: [ErrNotFound].
//
// Cost: O(1).
//
// Redis: TTL key, which returns -1 for NoTTL and -2 for ErrNotFound.
func (c *commands) TTL(key string) (time.Duration, error) {
	ttl, err := c.PTTL(key)
	if err != nil || ttl == NoTTL {
		return ttl, err
	}
	return ttl.Round(time.Second), nil
}

// deadline returns when a key expires, 0 if it does not, and the time now, both
// in ms since 1970.
func (c *commands) deadline(op, key string) (deadline, now int64, err error) {
	err = c.peek(op, key, func(t *store.Tx, e *store.Entry) error {
		deadline, now = e.Deadline, t.Now()
		return nil
	})
	return deadline, now, err
}

// expireRules are the options of [DB.Expire].
type expireRules struct{ nx, xx, gt, lt bool }

// expireRulesOf reads options, and refuses those that exclude each other.
func expireRulesOf(opts []ExpireOption) (r expireRules, err error) {
	for _, opt := range opts {
		switch opt {
		case NX:
			r.nx = true
		case XX:
			r.xx = true
		case GT:
			r.gt = true
		case LT:
			r.lt = true
		default:
			return r, ErrSyntax
		}
	}
	switch {
	case r.nx && (r.xx || r.gt || r.lt):
		err = &redisError{ErrSyntax, "ERR NX and XX, GT or LT options at the same time are not compatible"}
	case r.gt && r.lt:
		err = &redisError{ErrSyntax, "ERR GT and LT options at the same time are not compatible"}
	}
	return r, err
}

// allow tells whether a deadline may take the place of another one; 0 is none.
func (r expireRules) allow(old, deadline int64) bool {
	switch {
	case r.nx && old != 0, r.xx && old == 0:
		return false
	case r.gt && (old == 0 || deadline <= old):
		return false
	}
	return !r.lt || old == 0 || deadline < old
}

// expireAt is expire for a moment.
func (c *commands) expireAt(op, key string, at time.Time, opts []ExpireOption) (ok bool, err error) {
	ms, ok := unixMilli(at)
	if !ok {
		_, err := expireRulesOf(opts) // it comes first
		return false, c.refuse(op, key, cmp.Or(err, errExpire(op)))
	}
	return c.expire(op, key, Expiry{ms, since1970}, opts)
}

// unixMilli returns a moment in ms since 1970; ok is false if 64 bits do not hold
// them.
func unixMilli(at time.Time) (ms int64, ok bool) {
	const most = math.MaxInt64 / 1000
	s, ms := at.Unix(), at.UnixMilli()
	return ms, -most-1 <= s && s <= most && (s < 0) == (ms < 0)
}

// errExpire is what a command refuses a time to live or a moment with.
func errExpire(op string) error {
	return &redisError{ErrExpire, "ERR invalid expire time in '" + op + "' command"}
}

// expire gives a key a deadline if the options allow it, and tells whether they
// did.
func (c *commands) expire(op, key string, when Expiry, opts []ExpireOption) (ok bool, err error) {
	rules, err := expireRulesOf(opts)
	if err != nil {
		return false, c.refuse(op, key, err)
	}
	args := expireArgs{when, rules}
	return writeKey(c, op, key, args, func(c *commands, t *store.Tx, key string, args expireArgs) (bool, error) {
		e, ok, err := t.LookupForWrite(c.db, key)
		if err != nil || !ok {
			return false, err
		}
		deadline := args.when.deadline(t)
		if !args.rules.allow(e.Deadline, deadline) {
			return false, nil
		}
		if deadline <= t.Now() {
			return c.del(t, key)
		}
		if err := t.SetDeadline(c.db, key, e, deadline); err != nil {
			return false, err
		}
		t.Emit(c.db, store.EventExpire, key)
		return true, nil
	})
}

// expireArgs are the arguments of expire.
type expireArgs struct {
	when  Expiry
	rules expireRules
}
