package brock

import (
	"iter"
	"strings"

	"github.com/brockdb/brock/internal/glob"
	"github.com/brockdb/brock/internal/store"
)

// Keys returns all keys that match a pattern, in no order, as of one moment: ?
// stands for one byte, * for any number of them, [abc], [a-z] and [^x] for one
// byte that is or is not in a class, and \ takes the next byte as it is.
//
// Errors: none of its own, see [DB].
//
// Cost: O(N) for N keys. They are read from a snapshot, which stops no writer.
//
// Redis: KEYS pattern.
func (c *commands) Keys(pattern string) (keys []string, err error) {
	err = c.snapshot("keys", "", func(t *store.Tx) (err error) {
		keys, err = t.KeysWhere(c.db, func(key string) bool { return glob.Match(pattern, key) })
		return err
	})
	return result(keys, err)
}

// ScanOptions are the options of [DB.Scan].
type ScanOptions struct {
	Match string // a pattern of Redis' kind; empty matches all
	Count int    // about how many keys to look at for one call; 0 means 10
	Type  string // only keys of this type, as [DB.Type] names it, in any case; empty for all
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
	keys = []string{}
	for seen := 0; ; {
		found, at, err := c.scanPage(cursor, o.Count-seen)
		if err != nil {
			return nil, 0, err
		}
		for _, f := range found {
			if (o.Match == "" || glob.Match(o.Match, f.Key)) && (o.Type == "" || strings.EqualFold(o.Type, typeName(f.Entry.Type))) {
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
