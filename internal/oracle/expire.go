package oracle

import "math"

// ExpireOptions are the conditions of EXPIRE.
type ExpireOptions struct {
	NX bool // only if the key has no deadline
	XX bool // only if it has one
	GT bool // only if the new deadline is later; none is the latest
	LT bool // only if it is earlier
}

// Expire sets the deadline of key seconds from now and reports whether it did.
// A deadline that is not in the future deletes the key.
func (d *DB) Expire(db int, key string, seconds int64, o ExpireOptions) (bool, error) {
	return d.expire(db, key, deadline{at: seconds, from: d.Now, unit: 1000, command: "expire"}, o)
}

// PExpire is Expire in milliseconds.
func (d *DB) PExpire(db int, key string, ms int64, o ExpireOptions) (bool, error) {
	return d.expire(db, key, deadline{at: ms, from: d.Now, unit: 1, command: "pexpire"}, o)
}

// ExpireAt is Expire with seconds since 1970.
func (d *DB) ExpireAt(db int, key string, seconds int64, o ExpireOptions) (bool, error) {
	return d.expire(db, key, deadline{at: seconds, unit: 1000, command: "expireat"}, o)
}

// PExpireAt is ExpireAt in milliseconds.
func (d *DB) PExpireAt(db int, key string, ms int64, o ExpireOptions) (bool, error) {
	return d.expire(db, key, deadline{at: ms, unit: 1, command: "pexpireat"}, o)
}

// check refuses conditions that exclude each other.
func (o ExpireOptions) check() error {
	switch {
	case o.NX && (o.XX || o.GT || o.LT):
		return ErrSyntax.with("ERR NX and XX, GT or LT options at the same time are not compatible")
	case o.GT && o.LT:
		return ErrSyntax.with("ERR GT and LT options at the same time are not compatible")
	default:
		return nil
	}
}

// allow reports whether the old deadline lets the new one in. None is later
// than any.
func (o ExpireOptions) allow(old, deadline int64) bool {
	if old == 0 {
		return !o.XX && !o.GT
	}
	return !o.NX && (!o.GT || deadline > old) && (!o.LT || deadline < old)
}

// deadline is one as a command gives it.
type deadline struct {
	at      int64
	from    int64  // what it counts from, in milliseconds
	unit    int64  // in milliseconds
	command string // for its error
}

// ms is the deadline in milliseconds since 1970, if it is one.
func (l deadline) ms() (int64, error) {
	if l.at <= math.MaxInt64/l.unit && l.at >= math.MinInt64/l.unit {
		if ms, ok := add(l.from, l.at*l.unit); ok {
			return ms, nil
		}
	}
	return 0, ErrExpire.with("ERR invalid expire time in '" + l.command + "' command")
}

// expire sets the deadline of key.
func (d *DB) expire(db int, key string, l deadline, o ExpireOptions) (bool, error) {
	if err := d.check(db); err != nil {
		return false, err
	}
	if err := o.check(); err != nil {
		return false, err
	}
	ms, err := l.ms()
	if err != nil {
		return false, err
	}
	v, err := d.edit(db, key, anyType)
	if v == nil || err != nil || !o.allow(v.deadline, ms) {
		return false, err
	}
	if ms <= d.Now {
		delete(d.dbs[db], key)
		return true, nil
	}
	v.deadline = ms
	return true, nil
}

// PExpireTime returns the deadline of key in milliseconds since 1970: -1
// without one, -2 where there is no key.
func (d *DB) PExpireTime(db int, key string) (int64, error) {
	o, err := d.read(db, key, anyType)
	switch {
	case err != nil:
		return 0, err
	case o == nil:
		return -2, nil
	case o.deadline == 0:
		return -1, nil
	default:
		return o.deadline, nil
	}
}

// ExpireTime is PExpireTime in seconds, rounded to the nearest.
func (d *DB) ExpireTime(db int, key string) (int64, error) {
	ms, err := d.PExpireTime(db, key)
	return seconds(ms), err
}

// PTTL returns how many milliseconds key has left: -1 without a deadline, -2
// where there is no key.
func (d *DB) PTTL(db int, key string) (int64, error) {
	ms, err := d.PExpireTime(db, key)
	if ms > 0 {
		ms -= d.Now
	}
	return ms, err
}

// TTL is PTTL in seconds, rounded to the nearest.
func (d *DB) TTL(db int, key string) (int64, error) {
	ms, err := d.PTTL(db, key)
	return seconds(ms), err
}

// seconds rounds milliseconds, unless they are -1 or -2.
func seconds(ms int64) int64 {
	if ms < 0 {
		return ms
	}
	return ms/1000 + oneIf(ms%1000 >= 500)
}

// Persist takes the deadline from key and reports whether it had one.
func (d *DB) Persist(db int, key string) (bool, error) {
	o, err := d.edit(db, key, anyType)
	if o == nil || err != nil || o.deadline == 0 {
		return false, err
	}
	o.deadline = 0
	return true, nil
}
