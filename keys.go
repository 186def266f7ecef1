package brock

import (
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/brockdb/brock/internal/store"
)

// NoTTL is what [DB.TTL] and [DB.PTTL] return for a key that does not expire.
const NoTTL time.Duration = -1

// CopyOption is an option of [DB.Copy]: [Replace], or what [ToDB] returns, the
// number of a logical database.
type CopyOption int

// Replace copies even if the destination exists.
const Replace CopyOption = -1

// ToDB copies to logical database n instead of the current one.
func ToDB(n int) CopyOption {
	if n < 0 {
		return math.MinInt // which there is not either
	}
	return CopyOption(n)
}

// Copy makes dst a copy of src, with its time to live, and tells whether it
// did: not if src does not exist, or dst does and Replace is not given.
//
// Errors: [ErrSameKey]; [ErrDatabase].
//
// Cost: O(N) for a value of N elements.
//
// Redis: COPY source destination [DB destination-db] [REPLACE].
func (c *commands) Copy(src, dst string, opts ...CopyOption) (copied bool, err error) {
	db, replace := c.db, false
	for _, opt := range opts {
		if opt == Replace {
			replace = true
		} else {
			db = int(opt)
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
// background.
//
// Redis: DEL key [key …].
func (c *commands) Del(keys ...string) (n int, err error) {
	err = c.writeAll("del", keys, func(t *store.Tx) error {
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
// Cost: O(len(keys)).
//
// Redis: EXISTS key [key …].
func (c *commands) Exists(keys ...string) (n int, err error) {
	err = c.readAll("exists", keys, func(t *store.Tx) error {
		n = 0
		for _, key := range keys {
			_, ok, err := t.Lookup(c.db, key)
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

// Expire has the key expire after ttl, which is cut to whole milliseconds, and
// tells whether the key exists. A ttl below a millisecond deletes it.
//
// Errors: none of its own, see [DB].
//
// Cost: O(1); one change record.
//
// Redis: EXPIRE key seconds.
func (c *commands) Expire(key string, ttl time.Duration) (ok bool, err error) {
	return writeKey(c, "expire", key, ttl, func(c *commands, t *store.Tx, key string, ttl time.Duration) (bool, error) {
		e, ok, err := t.LookupForWrite(c.db, key)
		if err != nil || !ok {
			return false, err
		}
		if ttl < time.Millisecond {
			return c.del(t, key)
		}
		if err := t.SetDeadline(c.db, key, e, t.Now()+ttl.Milliseconds()); err != nil {
			return false, err
		}
		t.Emit(c.db, store.EventExpire, key)
		return true, nil
	})
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

// PExpire is [DB.Expire], under the name that Redis has for milliseconds.
//
// Errors: as [DB.Expire].
//
// Cost: as [DB.Expire].
//
// Redis: PEXPIRE key milliseconds.
func (c *commands) PExpire(key string, ttl time.Duration) (ok bool, err error) {
	return c.Expire(key, ttl)
}

// PTTL returns the time to live of a key, in whole milliseconds, [NoTTL] if it
// does not expire.
//
// Errors: [ErrNotFound].
//
// Cost: O(1).
//
// Redis: PTTL key, which returns -1 for NoTTL and -2 for ErrNotFound.
func (c *commands) PTTL(key string) (ttl time.Duration, err error) {
	err = c.read("pttl", key, func(t *store.Tx) error {
		e, ok, err := t.Lookup(c.db, key)
		switch {
		case err != nil:
			return err
		case !ok:
			return ErrNotFound
		case e.Deadline == 0:
			ttl = NoTTL
		default:
			ttl = time.Duration(e.Deadline-t.Now()) * time.Millisecond
		}
		return nil
	})
	return result(ttl, err)
}

// RandomKey returns a key at random.
//
// Errors: [ErrNotFound] if there is none.
//
// Cost: O(1): a page of keys, mostly, is looked at.
//
// Redis: RANDOMKEY.
func (c *commands) RandomKey() (key string, err error) {
	err = c.snapshot("randomkey", "", func(t *store.Tx) error {
		var ok bool
		if key, ok, err = t.RandomKey(c.db); err == nil && !ok {
			return ErrNotFound
		}
		return err
	})
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
	return c.writeAll("rename", []string{src, dst}, func(t *store.Tx) error {
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
		if err := t.Rename(c.db, src, c.db, dst); err != nil {
			return err
		}
		t.Emit(c.db, store.EventRenameFrom, src)
		t.Emit(c.db, store.EventRenameTo, dst)
		return nil
	})
}

// ScanOptions are the options of [DB.Scan].
type ScanOptions struct {
	Match string // a pattern of Redis' kind; empty matches all
	Count int    // about how many keys to look at for one call; 0 means 10
	Type  string // only keys of this type, as [DB.Type] names it; empty for all
}

// Scan returns some keys and the cursor for the next call, 0 at the end; the
// first call's cursor is 0. A key that exists all the time from the first call
// to the last is returned exactly once, whatever changes meanwhile. opts may
// be nil.
//
// Errors: [ErrSyntax] for a negative Count.
//
// Cost: O(Count).
//
// Redis: SCAN cursor [MATCH pattern] [COUNT count] [TYPE type].
func (c *commands) Scan(cursor uint64, opts *ScanOptions) (keys []string, next uint64, err error) {
	o := ScanOptions{}
	if opts != nil {
		o = *opts
	}
	if o.Count == 0 {
		o.Count = 10
	}
	if o.Count < 0 {
		return nil, 0, c.refuse("scan", "", ErrSyntax)
	}
	for seen := 0; ; {
		found, at, err := c.scanPage(cursor, o.Count-seen)
		if err != nil {
			return nil, 0, err
		}
		for _, f := range found {
			if (o.Match == "" || match(o.Match, f.Key)) && (o.Type == "" || o.Type == typeName(f.Entry.Type)) {
				keys = append(keys, f.Key)
			}
		}
		if seen += len(found); seen >= o.Count || at == 0 {
			return keys, at, nil
		}
		cursor = at
	}
}

// scanPage reads keys of one page from a cursor on.
func (c *commands) scanPage(cursor uint64, count int) (found []store.Found, next uint64, err error) {
	fn := func(t *store.Tx) (err error) {
		found, next, err = t.Scan(c.db, cursor, count)
		return err
	}
	done, err := c.within(fn)
	if !done {
		err = c.s.Read(1<<(cursor>>58), c.later(), fn)
	}
	return found, next, wrapped("scan", "", err)
}

// ScanKeys iterates over all keys with the promise of [DB.Scan]. The body may
// change anything. opts may be nil. An error is the last thing that it yields,
// with an empty key.
//
// Errors: as [DB.Scan].
//
// Cost: O(N) for N keys in all; no lock is held while the body runs.
//
// Redis: a loop of SCAN.
func (c *commands) ScanKeys(opts *ScanOptions) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for cursor := uint64(0); ; {
			keys, next, err := c.Scan(cursor, opts)
			if err != nil {
				yield("", err)
				return
			}
			for _, key := range keys {
				if !yield(key, nil) {
					return
				}
			}
			if cursor = next; next == 0 {
				return
			}
		}
	}
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
	return (ttl + time.Second/2).Truncate(time.Second), nil
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
		e, _, err := t.Lookup(c.db, key)
		name = typeName(e.Type)
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
