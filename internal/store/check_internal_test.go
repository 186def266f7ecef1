package store

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// longTestName is a name that stands in its short form.
const longTestName = 3 * ShortName

// fillCheck makes a key of every kind that has an object.
func fillCheck(t *testing.T, s *Store) {
	t.Helper()
	long := strings.Repeat("n", longTestName)
	set(t, s, "string", strings.Repeat("s", 10_000))
	set(t, s, long, strings.Repeat("s", 10_000))
	update(t, s, func(tx *Tx) error { return setField(tx, 0, "hash", long, "v") })
	for i := range 600 {
		update(t, s, func(tx *Tx) error {
			n := strconv.Itoa(i)
			if err := setField(tx, 0, "hash", n, "value "+n); err != nil {
				return err
			}
			e, _, err := tx.LookupForWrite(0, "zset")
			if err != nil {
				return err
			}
			z := tx.ZSetEdit(0, "zset", e)
			if err := errors.Join(z.Set(n, float64(i)), z.Done()); err != nil {
				return err
			}
			if e, _, err = tx.LookupForWrite(0, "list"); err == nil {
				e.Type = List
				_, err = tx.ListPush(0, "list", e, [][]byte{[]byte("element " + n)}, false)
			}
			return err
		})
	}
}

// objectOf returns the object that holds the value of a key.
func objectOf(t *testing.T, tx *Tx, key string) uint64 {
	t.Helper()
	e, ok, err := tx.Lookup(0, key)
	require.NoError(t, err)
	require.True(t, ok)
	require.NotZero(t, e.Object, key)
	return e.Object
}

// setCount makes a header say another number of elements.
func setCount(tx *Tx, obj, n uint64) error {
	h, err := tx.acc.EditHeader(obj)
	if err == nil {
		binary.LittleEndian.PutUint64(h[8:], n)
	}
	return err
}

// putRaw makes an entry that of a key of database 0.
func putRaw(tx *Tx, key string, e Entry) error {
	return tx.put(tx.spaces.dbs[0], tx.s.hashOf(key), key, e.append(nil))
}

// TestCheck has Check find what does not fit together, each in pages that are
// readable.
func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(t *testing.T, tx *Tx) error
		want   string // in the only fault; none if empty
	}{
		"none": {func(*testing.T, *Tx) error { return nil }, ""},
		"a hash with another number of fields": {func(t *testing.T, tx *Tx) error {
			return setCount(tx, objectOf(t, tx, "hash"), 600)
		}, `database 0, key "hash": store: object 0x`},
		"a list with more elements": {func(t *testing.T, tx *Tx) error {
			return setCount(tx, objectOf(t, tx, "list"), 601)
		}, "no item 600"},
		"a list with fewer elements": {func(t *testing.T, tx *Tx) error {
			return setCount(tx, objectOf(t, tx, "list"), 599)
		}, "where"},
		"an object of another type": {func(t *testing.T, tx *Tx) error {
			return putRaw(tx, "hash", Entry{Type: Set, Object: objectOf(t, tx, "hash")})
		}, "of type 5 with 601 elements, of a key of type 3"},
		"an object without elements": {func(t *testing.T, tx *Tx) error {
			return setCount(tx, objectOf(t, tx, "list"), 0)
		}, "with 0 elements"},
		"an object named twice": {func(t *testing.T, tx *Tx) error {
			return putRaw(tx, "again", Entry{Type: Hash, Object: objectOf(t, tx, "hash")})
		}, "is named twice"},
		"an object that is not there": {func(_ *testing.T, tx *Tx) error {
			return putRaw(tx, "lost", Entry{Type: Hash, Object: tx.newObject(3)})
		}, `key "lost": page: {`},
		"an object whose number is still to be given": {func(_ *testing.T, tx *Tx) error {
			e := Entry{Type: String, Object: page.ObjectID(3, 1<<20)}
			if err := tx.newString(e.Object, []byte("v"), 0); err != nil {
				return err
			}
			return putRaw(tx, "ahead", e)
		}, ""}, // its image, or its record, is what the next number comes from
		"a member with two scores": {func(t *testing.T, tx *Tx) error {
			score := sortable(1e6)
			_, err := tx.acc.FieldPut(objectOf(t, tx, "zset"), tx.s.hashOf("7"), "7", score[:])
			return err
		}, `member "7" has two scores`},
		"a member without its item": {func(t *testing.T, tx *Tx) error {
			score := sortable(7)
			_, err := tx.acc.TreeDelete(tree(ZSet, objectOf(t, tx, "zset")), append(score[:], '7'))
			return err
		}, "no item 599"},
		"another whole key": {func(_ *testing.T, tx *Tx) error {
			key := strings.Repeat("n", longTestName)
			l := tx.s.newLongName(key)
			obj, err := tx.nameObject(tx.spaces.dbs[0], l.hash, l.form)
			if err != nil {
				return err
			}
			return tx.write(obj, longTestName-1, []byte("x"))
		}, "is not its whole name"},
		"an entry that makes no sense": {func(_ *testing.T, tx *Tx) error {
			return tx.put(tx.spaces.dbs[0], tx.s.hashOf("odd"), "odd", []byte{0x0f})
		}, `key "odd": store: entry of 1 bytes`},
		"a packed hash without a value": {func(_ *testing.T, tx *Tx) error {
			return putRaw(tx, "odd", Entry{Type: Hash, Inline: []byte{1, 'f'}})
		}, "packed collection of 2 bytes"},
		"a packed sorted set out of order": {func(_ *testing.T, tx *Tx) error {
			low, high := sortable(1), sortable(2)
			p := append(append([]byte{9}, high[:]...), 'a', 9)
			return putRaw(tx, "odd", Entry{Type: ZSet, Inline: append(append(p, low[:]...), 'b')})
		}, "packed collection of 20 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			m := engine.NewMemorySeed(1, 2)
			s := openMem(t, m, Options{})
			fillCheck(t, s)
			update(t, s, func(tx *Tx) error {
				tx.Touch()
				return c.damage(t, tx)
			})
			require.NoError(t, s.Checkpoint())
			require.NoError(t, s.Close())
			var faults []error
			f, err := Check(m.Reopen(), func(err error) { faults = append(faults, err) })
			require.NoError(t, err)
			require.NotZero(t, f.Last)
			if c.want == "" {
				require.Empty(t, faults)
				return
			}
			require.Len(t, faults, 1)
			require.ErrorIs(t, faults[0], engine.ErrCorrupt)
			require.ErrorContains(t, faults[0], c.want)
		})
	}
}

// TestCheckCounts has a store count other keys than its directories hold.
func TestCheckCounts(t *testing.T) {
	s := openMem(t, engine.NewMemorySeed(1, 2), Options{})
	fillCheck(t, s)
	s.spaces.Load().dbs[0].count.Add(1)
	var faults []error
	c := checker{s: s, found: &Findings{}, fault: func(err error) { faults = append(faults, err) }}
	require.NoError(t, s.Snapshot(nil, c.all))
	require.Len(t, faults, 1)
	require.ErrorContains(t, faults[0], "database 0: 5 keys in its directories, 6 counted")
}

// TestCheckNumbers has a key name an object whose number would be given again.
func TestCheckNumbers(t *testing.T) {
	s := openMem(t, engine.NewMemorySeed(1, 2), Options{})
	fillCheck(t, s)
	for i := range s.objects {
		s.objects[i].Store(0)
	}
	n := 0
	c := checker{s: s, found: &Findings{}, fault: func(err error) {
		require.ErrorContains(t, err, "its number is still to be given")
		n++
	}}
	require.NoError(t, s.Snapshot(nil, c.all))
	require.Equal(t, c.found.Objects, n)
}
