package brock

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/brockdb/brock/internal/store"
)

// CopyOption is an option of [DB.Copy]: [Replace], or what [ToDB] returns.
type CopyOption interface{ copyOption() }

// CopyRule says what a copy does to the destination, see [Replace].
type CopyRule int

// Replace copies even if the destination exists.
const Replace CopyRule = 1

// CopyTarget is the logical database of a copy: what [ToDB] returns.
type CopyTarget struct{ db int }

// ToDB copies to logical database n instead of the current one.
func ToDB(n int) CopyTarget { return CopyTarget{n} }

func (CopyRule) copyOption()   {}
func (CopyTarget) copyOption() {}

// Copy makes dst a copy of src, with its time to live, and tells whether it
// did: not if src does not exist, or dst does and Replace is not given.
//
// Errors: [ErrSameKey]; [ErrDatabase]; [ErrSyntax] for an option that there is
// not.
//
// Cost: O(N) for a value of N elements.
//
// Redis: COPY source destination [DB destination-db] [REPLACE].
func (c *commands) Copy(src, dst string, opts ...CopyOption) (copied bool, err error) {
	db, replace := c.db, false
	for _, opt := range opts {
		target, ok := opt.(CopyTarget)
		switch {
		case ok:
			db = target.db
		case opt == Replace:
			replace = true
		default:
			return false, c.refuse("copy", src, ErrSyntax)
		}
	}
	err = c.exec("copy", src, func(t *store.Tx) error {
		copied = false
		if db < 0 || db >= t.Databases() {
			return ErrDatabase
		}
		if src == dst && db == c.db {
			return ErrSameKey
		}
		e, ok, err := t.LookupForWrite(c.db, src)
		lookedUp(t, ok, err)
		if err != nil || !ok {
			return err
		}
		if _, ok, err = t.Lookup(db, dst); err != nil || ok && !replace {
			return err
		}
		if err := t.Copy(src, e, db, dst); err != nil {
			return err
		}
		t.Emit(db, store.EventCopyTo, dst)
		copied = true
		return nil
	})
	return result(copied, err)
}

// DBSize returns the number of keys of the logical database; expired ones do
// not count.
//
// Errors: none of its own, see [DB].
//
// Cost: O(1), and O(keys that have expired and are not yet collected).
//
// Redis: DBSIZE, which counts expired keys until they are collected.
func (c *commands) DBSize() (n int64, err error) {
	err = c.readAll("dbsize", nil, func(t *store.Tx) error {
		n = t.Keys(c.db)
		return nil
	})
	return result(n, err)
}

// Del deletes keys and returns how many of them existed. One that is named
// twice counts once.
//
// Errors: none of its own, see [DB].
//
// Cost: O(1) for each key, whatever it holds: memory and disk are freed in the
// background. More than 1,024 keys are deleted in copies of the pages concerned,
// see [DB.MSet].
//
// Redis: DEL key [key …].
func (c *commands) Del(keys ...string) (n int, err error) {
	err = c.writeAll("del", single(keys), keys, func(t *store.Tx) error {
		n = 0
		for _, key := range keys {
			if err := t.Ready(c.db, key); err != nil {
				return err
			}
		}
		for _, key := range keys {
			ok, err := c.del(t, key)
			if err != nil {
				return err
			}
			if ok {
				n++
			}
		}
		return nil
	})
	return result(n, err)
}

// del deletes a key and tells whether it was there.
func (c *commands) del(t *store.Tx, key string) (bool, error) {
	ok, err := t.Delete(c.db, key)
	if ok && err == nil {
		t.Emit(c.db, store.EventDel, key)
	}
	return ok, err
}

// Exists returns how many of the keys exist; one that is named twice counts
// twice.
//
// Errors: none of its own, see [DB].
//
// Cost: O(len(keys)), see [DB.MGet].
//
// Redis: EXISTS key [key …].
func (c *commands) Exists(keys ...string) (n int, err error) {
	return c.count("exists", keys, (*store.Tx).Peek)
}

// count counts the keys that find finds.
func (c *commands) count(op string, keys []string, find func(t *store.Tx, db int, key string) (*store.Entry, error)) (n int, err error) {
	err = c.readAll(op, keys, func(t *store.Tx) error {
		n = 0
		for _, key := range keys {
			e, err := find(t, c.db, key)
			lookedUp(t, e != nil, err)
			if err != nil {
				return err
			}
			if e != nil {
				n++
			}
			t.Release()
		}
		return nil
	})
	return result(n, err)
}

// FlushAll deletes all keys of all logical databases; queues stay.
//
// Errors: none of its own, see [DB].
//
// Cost: O(1) for each database, whatever it holds: memory and disk are freed in
// the background.
//
// Redis: FLUSHALL.
func (c *commands) FlushAll() error {
	return c.exec("flushall", "", func(t *store.Tx) error {
		dbs := make([]int, t.Databases())
		for i := range dbs {
			dbs[i] = i
		}
		return t.FlushDB(dbs...)
	})
}

// FlushDB deletes all keys of the logical database.
//
// Errors: none of its own, see [DB].
//
// Cost: O(1), whatever it holds: memory and disk are freed in the background.
//
// Redis: FLUSHDB.
func (c *commands) FlushDB() error {
	return c.exec("flushdb", "", func(t *store.Tx) error { return t.FlushDB(c.db) })
}

// Move moves a key to another logical database and tells whether it did: not
// if the key does not exist, or exists there.
//
// Errors: [ErrSameKey]; [ErrDatabase].
//
// Cost: O(1).
//
// Redis: MOVE key db.
func (c *commands) Move(key string, db int) (moved bool, err error) {
	err = c.write("move", key, func(t *store.Tx) error {
		moved = false
		if db < 0 || db >= t.Databases() {
			return ErrDatabase
		}
		if db == c.db {
			return ErrSameKey
		}
		if err := ready(t, []int{c.db, db}, key); err != nil {
			return err
		}
		_, ok, err := t.LookupForWrite(c.db, key)
		if err != nil || !ok {
			return err
		}
		if _, ok, err = t.LookupForWrite(db, key); err != nil || ok {
			return err
		}
		if err := t.Rename(c.db, key, db, key); err != nil {
			return err
		}
		t.Emit(c.db, store.EventMoveFrom, key)
		t.Emit(db, store.EventMoveTo, key)
		moved = true
		return nil
	})
	return result(moved, err)
}

// ready makes keys of several databases ready for change.
func ready(t *store.Tx, dbs []int, keys ...string) error {
	for _, db := range dbs {
		for _, key := range keys {
			if err := t.Ready(db, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// Now returns the time by the database's clock, which keys expire by.
//
// Errors: none, also where other commands of the handle have some.
//
// Cost: O(1).
//
// Redis: TIME.
func (c *commands) Now() time.Time {
	if c.tx != nil {
		return c.tx.Store().Now()
	}
	return c.s.Now()
}

// RandomKey returns a key at random, each as likely as the others. Only where
// keys are longer than half a KiB some are a little less likely.
//
// Errors: [ErrNotFound] if there is none.
//
// Cost: O(1): some pages of keys are looked at. While most keys have expired and
// are not yet collected, O(keys that have).
//
// Redis: RANDOMKEY.
func (c *commands) RandomKey() (key string, err error) {
	seed := [2]uint64{rand.Uint64(), rand.Uint64()} // the same in each run
	none := store.ErrLong
	find := (*store.Tx).RandomKey
	run := func(t *store.Tx) (err error) {
		var ok bool
		key, ok, err = find(t, c.db, rand.New(rand.NewPCG(seed[0], seed[1])))
		switch {
		case err != nil || ok:
			return err
		case t.Held(c.db) == 0:
			return ErrNotFound
		}
		return none
	}
	err = c.readAny("randomkey", run)
	if errors.Is(err, store.ErrLong) {
		find, none = (*store.Tx).AnyKey, ErrNotFound
		err = c.snapshot("randomkey", "", run)
	}
	return result(key, err)
}

// Rename gives the value and time to live of src to dst, whatever dst held.
//
// Errors: [ErrNoKey] if src does not exist.
//
// Cost: O(1), whatever the key holds.
//
// Redis: RENAME key newkey.
func (c *commands) Rename(src, dst string) error {
	_, err := c.rename("rename", src, dst, true)
	return err
}

// RenameNX gives the value and time to live of src to dst, and tells whether it
// did: not if dst exists, also where it is src.
//
// Errors: [ErrNoKey] if src does not exist.
//
// Cost: O(1), whatever the key holds.
//
// Redis: RENAMENX key newkey.
func (c *commands) RenameNX(src, dst string) (renamed bool, err error) {
	return c.rename("renamenx", src, dst, false)
}

// rename is RENAME or, if it does not replace, RENAMENX.
func (c *commands) rename(op, src, dst string, replace bool) (renamed bool, err error) {
	err = c.writeAll(op, src, []string{src, dst}, func(t *store.Tx) error {
		renamed = false
		if err := ready(t, []int{c.db}, src, dst); err != nil {
			return err
		}
		_, ok, err := t.LookupForWrite(c.db, src)
		if err != nil {
			return err
		}
		if !ok {
			return ErrNoKey
		}
		if src == dst {
			return nil
		}
		_, taken, err := t.LookupForWrite(c.db, dst)
		if err != nil || taken && !replace {
			return err
		}
		if err := t.Rename(c.db, src, c.db, dst); err != nil {
			return err
		}
		t.Emit(c.db, store.EventRenameFrom, src)
		t.Emit(c.db, store.EventRenameTo, dst)
		renamed = true
		return nil
	})
	return result(renamed, err)
}

// SwapDB exchanges two logical databases. Whoever waits for a list of a
// database, see [DB.BLPop], is served from what it gets.
//
// Errors: [ErrDatabase].
//
// Cost: O(1), and O(keys that are waited for).
//
// Redis: SWAPDB index1 index2.
func (c *commands) SwapDB(a, b int) error {
	return c.exec("swapdb", "", func(t *store.Tx) error {
		if min(a, b) < 0 || max(a, b) >= t.Databases() {
			return ErrDatabase
		}
		return t.SwapDB(a, b)
	})
}

// Touch returns how many of the keys exist, one that is named twice twice, and
// makes this moment the last one at which they were used, see
// [DB.ObjectIdleTime].
//
// Errors: none of its own, see [DB].
//
// Cost: O(len(keys)), see [DB.MGet].
//
// Redis: TOUCH key [key …].
func (c *commands) Touch(keys ...string) (n int, err error) {
	return c.count("touch", keys, (*store.Tx).Use)
}

// Type returns the type of the value at key: "string", "list", "set", "zset",
// "hash" or "stream", "none" if the key does not exist.
//
// Errors: none of its own, see [DB].
//
// Cost: O(1).
//
// Redis: TYPE key.
func (c *commands) Type(key string) (name string, err error) {
	err = c.read("type", key, func(t *store.Tx) error {
		e, err := t.Peek(c.db, key)
		lookedUp(t, e != nil, err)
		typ := store.None
		if e != nil {
			typ = e.Type
		}
		name = typeName(typ)
		return err
	})
	return result(name, err)
}

// typeName returns Redis' name of a type.
func typeName(typ store.Type) string {
	switch typ {
	case store.None:
		return "none"
	case store.String:
		return "string"
	case store.List:
		return "list"
	case store.Set:
		return "set"
	case store.ZSet:
		return "zset"
	case store.Hash:
		return "hash"
	case store.Stream:
		return "stream"
	case store.Queue:
		return "queue"
	}
	return fmt.Sprintf("type %d", typ)
}

// Unlink is [DB.Del], which frees memory in the background, too.
//
// Errors: as [DB.Del].
//
// Cost: as [DB.Del].
//
// Redis: UNLINK key [key …].
func (c *commands) Unlink(keys ...string) (n int, err error) { return c.Del(keys...) }
