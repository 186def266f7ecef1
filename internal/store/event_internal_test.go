package store

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// told is what a listener was told of one transaction.
type told struct {
	lsn    uint64
	events []Event
}

// listenTo listens to all that s does.
func listenTo(s *Store) (all *[]told, stop func()) {
	all = new([]told)
	stop = s.Listen(func(lsn uint64, events []Event) { *all = append(*all, told{lsn, slices.Clone(events)}) })
	return all, stop
}

// emit has a transaction change a key, with an event.
func emit(tx *Tx, name EventName, key string) error {
	err := setString(tx, 0, key, "x")
	tx.Emit(0, name, key)
	return err
}

// TestListen tells a listener of what commits, whole and in order, and of
// nothing else.
func TestListen(t *testing.T) {
	s := openMem(t, engine.NewMemory(), Options{})
	update(t, s, func(tx *Tx) error { return emit(tx, EventSet, "before") })
	all, stop := listenTo(s)
	two := func(tx *Tx) error {
		return errors.Join(emit(tx, EventSet, "b"), emit(tx, EventAppend, "a"))
	}
	want := []Event{{0, EventSet, "b"}, {0, EventAppend, "a"}}

	require.NoError(t, s.Update(two))
	require.NoError(t, s.Exec(nil, two))
	require.NoError(t, s.Write(s.Mask("a")|s.Mask("b"), nil, two))
	last := s.committed.Load()
	require.Equal(t, []told{{last - 2, want}, {last - 1, want}, {last, want}}, *all)

	rollBack := errors.New("roll back")
	fail := func(tx *Tx) error { return errors.Join(two(tx), rollBack) }
	require.ErrorIs(t, s.Update(fail), rollBack)
	require.ErrorIs(t, s.Exec(nil, fail), rollBack)
	require.Panics(t, func() { _ = s.Update(func(tx *Tx) error { panic(two(tx)) }) })
	require.NoError(t, s.Update(func(tx *Tx) error { return setString(tx, 0, "silent", "x") }))
	require.Len(t, *all, 3)

	require.NoError(t, s.WriteKey("a", nil, func(tx *Tx) error {
		tx.Emit(0, EventLTrim, "a") // which changes nothing
		return nil
	}))
	require.Equal(t, told{s.committed.Load(), []Event{{0, EventLTrim, "a"}}}, (*all)[3])

	stop()
	stop()
	update(t, s, two)
	require.Len(t, *all, 4)
	update(t, s, func(tx *Tx) error {
		err := two(tx)
		require.Empty(t, tx.events, "nobody asks for them")
		return err
	})
}

// TestListenInOrder has many write at once: a listener is told of them in the
// order of commits.
func TestListenInOrder(t *testing.T) {
	s := openMem(t, engine.NewMemory(), Options{Durability: Relaxed})
	all, stop := listenTo(s)
	const writers, each = 4, 100
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				key := fmt.Sprint(w, "/", i)
				fn := func(tx *Tx) error { return emit(tx, EventSet, key) }
				var err error
				switch i % 3 {
				case 0:
					err = s.Update(fn)
				case 1:
					err = s.Exec(nil, fn)
				default:
					err = s.WriteKey(key, nil, fn)
				}
				if err != nil {
					panic(err)
				}
			}
		})
	}
	wg.Wait()
	stop()
	require.Len(t, *all, writers*each)
	next := [writers]int{}
	for n, one := range *all {
		require.EqualValues(t, n+1, one.lsn)
		var w, i int
		_, err := fmt.Sscanf(one.events[0].Key, "%d/%d", &w, &i)
		require.NoError(t, err)
		require.Equal(t, next[w], i)
		next[w]++
	}
}

// TestListenAfterReplay has a store recover: what happened before is no news.
func TestListenAfterReplay(t *testing.T) {
	s := openMem(t, engine.NewMemory(), Options{})
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.FlushDB(0), emit(tx, EventSet, "a"), tx.SwapDB(0, 1))
	})
	s = crashed(t, s, engine.Crash{})
	require.NotEmpty(t, contents(t, s))
	all, _ := listenTo(s)
	update(t, s, func(tx *Tx) error { return emit(tx, EventSet, "new") })
	require.Len(t, *all, 1)
	require.Equal(t, []Event{{0, EventSet, "new"}}, (*all)[0].events)
}

// TestExpiredEvents has keys expire, with names of all lengths, in memory and
// cold ones: the housekeeper and writers tell of them by their whole names.
func TestExpiredEvents(t *testing.T) {
	clock := &steadyClock{now: 1000}
	s := openMem(t, engine.NewMemory(), Options{Clock: clock, MemoryBudget: 64 << 10})
	put := func(db int, key string) {
		update(t, s, func(tx *Tx) error { return tx.StringSet(db, key, nil, []byte("x"), 2000) })
	}
	all, _ := listenTo(s)
	var want []Event
	for i := range 100 {
		put(3, nameOf(i))
		want = append(want, Event{3, EventExpired, nameOf(i)})
	}
	put(0, "")
	put(0, "short")
	put(1, "flushed")
	put(0, "renamed")
	put(0, "written")
	put(0, nameOf(1000))
	update(t, s, func(tx *Tx) error { return errors.Join(rename(tx, 0, "renamed", 0, nameOf(2000)), tx.FlushDB(1)) })
	want = append(want, Event{0, EventExpired, ""}, Event{0, EventExpired, "short"}, Event{0, EventExpired, nameOf(2000)})
	require.NoError(t, s.Checkpoint())
	for range 4 {
		s.Housekeep()
	}
	clock.now = 2001

	*all = nil
	for _, key := range []string{"written", nameOf(1000)} {
		require.NoError(t, s.WriteKey(key, nil, func(tx *Tx) error {
			_, err := tx.FindForWrite(0, key)
			return err
		}))
	}
	require.Equal(t, []told{
		{s.committed.Load() - 1, []Event{{0, EventExpired, "written"}}},
		{s.committed.Load(), []Event{{0, EventExpired, nameOf(1000)}}},
	}, *all)
	require.NoError(t, s.View(func(tx *Tx) error { return contentsOf(tx, map[string]string{}) })) // readers write nothing
	require.Len(t, *all, 2)

	*all = nil
	loads := s.stats.loads.Load()
	s.Housekeep()
	require.Greater(t, s.stats.loads.Load(), loads, "names were cold")
	var got []Event
	for _, one := range *all {
		got = append(got, one.events...)
	}
	require.ElementsMatch(t, want, got)
}

// TestWholeDatabaseServes has waiters of several keys of a database wait until
// others take its place: they are served as they came.
func TestWholeDatabaseServes(t *testing.T) {
	s := openMem(t, engine.NewMemory(), Options{})
	var served []string
	wait := func(name string, db int, keys ...string) {
		w := &Waiter{Serve: func(tx *Tx, key string) (bool, error) {
			e, ok, err := lookup(tx, db, key)
			if err != nil || !ok {
				return false, err
			}
			served = append(served, name+" "+key)
			_, err = tx.ListPop(nil, db, key, e, 1, true)
			return true, err
		}}
		done, err := s.Await(db, keys, w)
		require.NoError(t, err)
		require.False(t, done)
	}
	wait("1", 0, "z", "b", "a")
	wait("2", 2, "a")
	wait("3", 0, "b")
	wait("4", 0, "none", "a")
	wait("5", 0, "a")
	wait("6", 1, "c")
	for _, key := range []string{"a", "b", "b"} {
		update(t, s, func(tx *Tx) error { return push(tx, 1, key, "x") })
	}
	update(t, s, func(tx *Tx) error { return tx.SwapDB(0, 1) })
	require.Equal(t, []string{"1 b", "3 b", "4 a"}, served)
	update(t, s, func(tx *Tx) error {
		return errors.Join(push(tx, 0, "c", "x"), push(tx, 2, "a", "x"), tx.SwapDB(0, 1), tx.FlushDB(2))
	})
	require.Equal(t, []string{"1 b", "3 b", "4 a", "6 c"}, served)
	require.EqualValues(t, 2, s.audience.Load(), "2 and 5")
}
