package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A history is a fixed sequence of transactions, of which each changes several
// things of several types in several partitions. Transaction n has LSN n, and
// what the store holds after it is known, so that whatever a crash leaves can
// be held against all that it may be.

// lookup is LookupForWrite for tests: with a copy of what the entry holds.
func lookup(t *Tx, db int, key string) (Entry, bool, error) {
	e, ok, err := t.LookupForWrite(db, key)
	e.Inline = slices.Clone(e.Inline)
	return e, ok, err
}

// setString sets a string key.
func setString(t *Tx, db int, key, value string) error {
	e, _, err := lookup(t, db, key)
	if err != nil {
		return err
	}
	return t.StringSet(db, key, &e, []byte(value), 0)
}

// push appends to a list key.
func push(t *Tx, db int, key, value string) error {
	e, _, err := lookup(t, db, key)
	if err != nil {
		return err
	}
	_, err = t.ListPush(db, key, e, [][]byte{[]byte(value)}, false)
	return err
}

// setField sets a field of a hash key.
func setField(t *Tx, db int, key, field, value string) error {
	e, _, err := lookup(t, db, key)
	if err != nil {
		return err
	}
	_, err = t.HashSet(db, key, e, []Field{{field, []byte(value)}})
	return err
}

// setScore sets a member's score in a sorted set key.
func setScore(t *Tx, db int, key, member string, score float64) error {
	e, _, err := lookup(t, db, key)
	if err != nil {
		return err
	}
	z := t.ZSetEdit(db, key, e)
	if err := z.Set(member, score); err != nil {
		return err
	}
	return z.Done()
}

// rename renames a key that may be absent.
func rename(t *Tx, db int, src string, dstDB int, dst string) error {
	if _, ok, err := lookup(t, db, src); err != nil || !ok {
		return err
	}
	return t.Rename(db, src, dstDB, dst)
}

// duplicate copies a key that may be absent.
func duplicate(t *Tx, db int, src string, dstDB int, dst string) error {
	e, ok, err := lookup(t, db, src)
	if err != nil || !ok {
		return err
	}
	return t.Copy(src, e, dstDB, dst)
}

// build makes a key a string of n parts, of which every third is all zero.
func build(t *Tx, db int, key string, n int) error {
	return t.StringBuild(db, key, n*StringPart-n, func(b []byte, off int) error {
		clear(b)
		if off/StringPart%3 != 2 {
			copy(b, fmt.Sprint(n, off))
		}
		return nil
	})
}

// valueOf returns a value that tells n, of one of several sizes.
func valueOf(n int) string {
	return strings.Repeat(fmt.Sprintf("%d,", n), []int{1, 100, 3000}[n%3])
}

// nameOf returns the long name number n: all begin alike.
func nameOf(n int) string { return strings.Repeat("long", 1250) + fmt.Sprint(n) }

// dropNames removes something of each place where long names are.
func dropNames(t *Tx, n int) error {
	if _, err := t.Delete(0, nameOf(n%5)); err != nil {
		return err
	}
	e, ok, err := lookup(t, 0, nameOf(9))
	if err == nil && ok {
		_, err = t.HashDelete(0, nameOf(9), e, []string{nameOf(0), nameOf(1), nameOf(2), nameOf(3)}[n%3:])
	}
	if err != nil {
		return err
	}
	e, _, err = lookup(t, 0, "zset")
	if err != nil {
		return err
	}
	z := t.ZSetEdit(0, "zset", e)
	for i := range 8 {
		if _, err := z.Remove(nameOf(i + n%3)); err != nil {
			return err
		}
	}
	return z.Done()
}

// historyTx is transaction n.
func historyTx(t *Tx, n int) error {
	v := valueOf(n)
	h := fmt.Sprintf("hash%d", n%3)
	todo := []func() error{
		func() error { return setString(t, 0, "count", fmt.Sprint(n)) },
		func() error { return setString(t, 0, fmt.Sprintf("key%d", n%7), v) },
		func() error { return push(t, 0, "list", v) },
		func() error { return setField(t, 0, h, fmt.Sprint(n%5), v) },
		func() error { return setScore(t, 0, "zset", fmt.Sprintf("member%d", n%40), float64(n)) },
		func() error { return setString(t, 3+n%3, h, v) },
		func() error { return setString(t, 0, nameOf(n%5), v) },
		func() error { return setField(t, 0, nameOf(9), nameOf(n%4), v) },
		func() error { return setScore(t, 0, "zset", nameOf(n%23), float64(n%2)) },
	}
	for _, now := range []struct {
		every int
		fn    func() error
	}{
		{5, func() error { return rename(t, 0, h, 0, "moved "+h) }},
		{5, func() error { return build(t, 0, fmt.Sprintf("key%d", n%3), n%6) }},
		{6, func() error { return duplicate(t, 0, "list", 2, fmt.Sprintf("copy%d", n%4)) }},
		{7, func() error { return rename(t, 0, "moved hash1", 1, "moved") }},
		{8, func() error { return t.SwapDB(4, 5) }},
		{9, func() error { _, err := t.Delete(0, fmt.Sprintf("key%d", n%4)); return err }},
		{11, func() error { return t.FlushDB(3, 5) }},
		{10, func() error { return rename(t, 0, nameOf(2), 1, nameOf(n%3)) }},
		{12, func() error { return dropNames(t, n) }},
		{13, func() error { _, err := t.Delete(0, "list"); return err }},
	} {
		if n%now.every == now.every-1 {
			todo = append(todo, now.fn)
		}
	}
	for _, fn := range todo {
		if err := fn(); err != nil {
			return err
		}
	}
	return historyQueue(t, n, v)
}

// historyQueue is what transaction n does to a queue.
func historyQueue(t *Tx, n int, v string) error {
	if n == 1 {
		if err := t.QueueCreate("queue", 1); err != nil {
			return err
		}
	}
	if _, err := t.QueuePut("queue", []byte(v)); err != nil {
		return err
	}
	if n%2 == 0 {
		if _, err := t.QueueSettle("queue", uint64(n)/2); err != nil {
			return err
		}
	}
	return nil
}

// doHistory commits transaction n: one of a single key in place, now and then.
func doHistory(s *Store, n int) error {
	if n%4 == 3 {
		return s.WriteKey("count", nil, func(t *Tx) error { return setString(t, 0, "count", fmt.Sprint(n)) })
	}
	return s.Update(func(t *Tx) error { return historyTx(t, n) })
}

// histories returns what a store holds after each of n transactions, and
// before the first.
func histories(t *testing.T, n int) []map[string]string {
	t.Helper()
	s, err := OpenMemory(1, Options{NoTimers: true})
	require.NoError(t, err)
	all := []map[string]string{contents(t, s)}
	for i := range n {
		require.NoError(t, doHistory(s, i+1))
		require.EqualValues(t, i+1, s.committed.Load())
		all = append(all, contents(t, s))
	}
	require.NoError(t, s.Close())
	return all
}

// contents returns all that a store holds, as text by database and key.
func contents(t *testing.T, s *Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, s.View(func(tx *Tx) error { return contentsOf(tx, all) }))
	return all
}

// contentsOf adds all that a View sees to all.
func contentsOf(t *Tx, all map[string]string) error {
	for db := range t.spaces.dbs {
		n := int64(0)
		for cursor := uint64(0); ; {
			found, next, err := t.Scan(db, cursor, 100)
			if err != nil {
				return err
			}
			for _, f := range found {
				v, err := contentOf(t, db, f.Key)
				if err != nil {
					return fmt.Errorf("db %d key %q: %w", db, f.Key, err)
				}
				all[fmt.Sprintf("%d/%s", db-len(t.spaces.dbs)*(db/t.Databases()), f.Key)] = v
				n++
			}
			if cursor = next; next == 0 {
				break
			}
		}
		if keys := t.Keys(db); keys != n {
			return fmt.Errorf("db %d: %d keys, %d found", db, keys, n)
		}
	}
	return nil
}

// contentOf returns what a key holds.
func contentOf(t *Tx, db int, key string) (string, error) {
	e, ok, err := t.Lookup(db, key)
	if err != nil || !ok {
		return "", fmt.Errorf("found, but not there: %w", err)
	}
	var parts []string
	switch e.Type {
	case String:
		var b []byte
		b, err = t.StringGet(&e)
		parts = append(parts, string(b))
	case List:
		var n int
		var all [][]byte
		if n, err = t.Len(e); err == nil {
			all, err = t.ListRange(nil, e, 0, n)
		}
		for _, b := range all {
			parts = append(parts, string(b))
		}
	case Hash:
		err = t.HashEach(e, func(field string, value []byte) { parts = append(parts, field+"="+string(value)) })
		slices.Sort(parts)
	case ZSet:
		var n int
		if n, err = t.Len(e); err == nil {
			err = t.ZSetEach(e, 0, n, func(member string, score float64) { parts = append(parts, fmt.Sprint(member, "=", score)) })
		}
	case Queue:
		for seq := uint64(0); err == nil; seq++ {
			var message []byte
			var ok bool
			if seq, message, ok, err = t.QueueNext(key, seq); !ok {
				break
			}
			parts = append(parts, fmt.Sprint(seq, "=", string(message)))
		}
	default:
		err = fmt.Errorf("no history makes a value of type %d", e.Type)
	}
	return fmt.Sprint(e.Type, e.Deadline, strings.Join(parts, "|")), err
}

// sameContents compares what a store holds with what it should.
func sameContents(t *testing.T, want, got map[string]string, msg string, args ...any) {
	t.Helper()
	for key, v := range want {
		if got[key] != v {
			require.Failf(t, "not what was committed", "%s: key %s: want %.60q (%d bytes), got %.60q (%d bytes)", fmt.Sprintf(msg, args...), key, v, len(v), got[key], len(got[key]))
		}
	}
	for key := range got {
		require.Contains(t, want, key, msg, args)
	}
}
