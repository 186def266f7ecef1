package oracle

import (
	"math"
	"slices"
)

// Type returns the type of the value at key, "none" where there is none.
func (d *DB) Type(db int, key string) (string, error) {
	o, err := d.read(db, key, anyType)
	if err != nil {
		return "", err
	}
	if o == nil {
		return "none", nil
	}
	return o.kind, nil
}

// Del deletes keys and returns how many there were. Unlink is the same.
func (d *DB) Del(db int, keys ...string) (int64, error) {
	var n int64
	for _, key := range keys {
		o, err := d.read(db, key, anyType)
		if err != nil {
			return 0, err
		}
		if o != nil {
			n++
		}
		delete(d.dbs[db], key)
	}
	return n, nil
}

// Exists counts the keys that there are, one named twice twice.
func (d *DB) Exists(db int, keys ...string) (int64, error) {
	var n int64
	for _, key := range keys {
		o, err := d.read(db, key, anyType)
		if err != nil {
			return 0, err
		}
		n += oneIf(o != nil)
	}
	return n, nil
}

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
	if err := d.check(db); err != nil {
		return false, err
	}
	if err := o.check(); err != nil {
		return false, err
	}
	if seconds > math.MaxInt64/1000 || seconds < math.MinInt64/1000 {
		return false, ErrExpire.with("ERR invalid expire time in 'expire' command")
	}
	return d.expire(db, key, seconds*1000, o, "expire")
}

// PExpire is Expire in milliseconds.
func (d *DB) PExpire(db int, key string, ms int64, o ExpireOptions) (bool, error) {
	if err := d.check(db); err != nil {
		return false, err
	}
	if err := o.check(); err != nil {
		return false, err
	}
	return d.expire(db, key, ms, o, "pexpire")
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

// expire sets the deadline of key to ms from now for the command name.
func (d *DB) expire(db int, key string, ms int64, o ExpireOptions, name string) (bool, error) {
	deadline, ok := add(d.Now, ms)
	if !ok {
		return false, ErrExpire.with("ERR invalid expire time in '" + name + "' command")
	}
	v, err := d.edit(db, key, anyType)
	if v == nil || err != nil || !o.allow(v.deadline, deadline) {
		return false, err
	}
	if deadline <= d.Now {
		delete(d.dbs[db], key)
		return true, nil
	}
	v.deadline = deadline
	return true, nil
}

// PTTL returns how many milliseconds key has left: -1 without a deadline, -2
// where there is no key.
func (d *DB) PTTL(db int, key string) (int64, error) {
	o, err := d.read(db, key, anyType)
	switch {
	case err != nil:
		return 0, err
	case o == nil:
		return -2, nil
	case o.deadline == 0:
		return -1, nil
	default:
		return o.deadline - d.Now, nil
	}
}

// TTL is PTTL in seconds, rounded to the nearest.
func (d *DB) TTL(db int, key string) (int64, error) {
	ms, err := d.PTTL(db, key)
	if err != nil || ms < 0 {
		return ms, err
	}
	return ms/1000 + oneIf(ms%1000 >= 500), nil
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

// Rename moves the value and deadline at key to dst, whatever that holds.
func (d *DB) Rename(db int, key, dst string) error {
	o, err := d.read(db, key, anyType)
	if err != nil {
		return err
	}
	if o == nil {
		return ErrNotFound.with("ERR no such key")
	}
	delete(d.dbs[db], key)
	d.dbs[db][dst] = o
	return nil
}

// Copy puts a copy of the value and deadline at key to dst in dstDB and
// reports whether it did: there must be something at key and, unless replace,
// nothing at dst.
func (d *DB) Copy(db int, key string, dstDB int, dst string, replace bool) (bool, error) {
	o, err := d.read(db, key, anyType)
	if err != nil {
		return false, err
	}
	old, err := d.read(dstDB, dst, anyType)
	if err != nil {
		return false, err
	}
	if db == dstDB && key == dst {
		return false, ErrSameObject
	}
	if o == nil || old != nil && !replace {
		return false, nil
	}
	d.dbs[dstDB][dst] = o.clone()
	return true, nil
}

// Move moves key to dstDB and reports whether it did: it must be here and not
// there.
func (d *DB) Move(db int, key string, dstDB int) (bool, error) {
	moved, err := d.Copy(db, key, dstDB, key, false)
	if moved {
		delete(d.dbs[db], key)
	}
	return moved, err
}

// Keys returns the keys that match pattern, sorted: what a complete SCAN finds.
func (d *DB) Keys(db int, pattern string) ([]string, error) {
	if err := d.check(db); err != nil {
		return nil, err
	}
	var list []string
	for key, o := range d.dbs[db] {
		if !d.expired(o) && Match(pattern, key) {
			list = append(list, key)
		}
	}
	slices.Sort(list)
	return list, nil
}

// RandomKey judges the key that RANDOMKEY of the library found: it must exist.
func (d *DB) RandomKey(db int, found string) (string, error) {
	o, err := d.read(db, found, anyType)
	if err != nil {
		return "", err
	}
	if o == nil {
		return "", ErrNotFound
	}
	return found, nil
}

// DBSize counts the keys of db. Unlike that of Redis it does not count expired
// ones.
func (d *DB) DBSize(db int) (int64, error) {
	list, err := d.Keys(db, "*")
	return int64(len(list)), err
}

// FlushDB deletes all keys of db.
func (d *DB) FlushDB(db int) error {
	if err := d.check(db); err != nil {
		return err
	}
	clear(d.dbs[db])
	return nil
}

// FlushAll deletes all keys of all databases. The queues stay.
func (d *DB) FlushAll() {
	for _, db := range d.dbs {
		clear(db)
	}
}

// SwapDB swaps the contents of two databases.
func (d *DB) SwapDB(a, b int) error {
	if err := d.check(a); err != nil {
		return err
	}
	if err := d.check(b); err != nil {
		return err
	}
	d.dbs[a], d.dbs[b] = d.dbs[b], d.dbs[a]
	return nil
}
