package oracle

import (
	"slices"
	"strings"
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

// Exists counts the keys that there are, one named twice twice. Touch is the
// same.
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

// RenameNX is Rename unless there is something at dst, and reports whether it
// did.
func (d *DB) RenameNX(db int, key, dst string) (bool, error) {
	o, err := d.read(db, dst, anyType)
	if err != nil {
		return false, err
	}
	if o != nil { // Redis looks for key first
		src, err := d.read(db, key, anyType)
		if err == nil && src == nil {
			err = ErrNotFound.with("ERR no such key")
		}
		return false, err
	}
	err = d.Rename(db, key, dst)
	return err == nil, err
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
	o = o.clone()
	o.copied = true
	d.dbs[dstDB][dst] = o
	return true, nil
}

// Move moves key to dstDB and reports whether it did: it must be here and not
// there.
func (d *DB) Move(db int, key string, dstDB int) (bool, error) {
	moved, err := d.Copy(db, key, dstDB, key, false)
	if moved {
		d.dbs[dstDB][key].copied = d.dbs[db][key].copied
		delete(d.dbs[db], key)
	}
	return moved, err
}

// Keys returns the keys that match pattern, sorted.
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

// Scan returns the keys that a complete SCAN finds: those of a type, of any if
// that is empty.
func (d *DB) Scan(db int, pattern, kind string) ([]string, error) {
	list, err := d.Keys(db, pattern)
	return slices.DeleteFunc(list, func(key string) bool {
		return kind != anyType && !strings.EqualFold(d.dbs[db][key].kind, kind)
	}), err
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
