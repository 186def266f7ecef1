package store

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// write changes a string in place, noting it in l.
func (l *Later) write(s *Store, key, value string) error {
	return s.WriteKey(key, l, func(tx *Tx) error { return setString(tx, 0, key, value) })
}

// read looks a key up, noting it in l, and tells whether it is there.
func (l *Later) read(s *Store, key string) (ok bool, err error) {
	err = s.ReadKey(key, l, func(tx *Tx) error {
		e, found, err := tx.Lookup(0, key)
		if ok = found; found && err == nil {
			_, err = tx.StringGet(&e)
		}
		return err
	})
	return ok, err
}

// TestLaterNotes has a Later note the newest transaction that was made or seen,
// and no other.
func TestLaterNotes(t *testing.T) {
	s := openMem(t, engine.NewMemory(), Options{})
	one, two := keyIn(s, 1, "a"), keyIn(s, 2, "b")
	var writer, reader Later
	require.NoError(t, writer.write(s, one, "x"))
	require.EqualValues(t, 1, writer.Take())
	require.Zero(t, writer.Take())
	require.NoError(t, writer.write(s, two, "x"))
	require.EqualValues(t, 2, writer.Take())

	for _, c := range []struct {
		name string
		key  string
		want uint64
	}{{"older page", one, 1}, {"newest page", two, 2}, {"no page", keyIn(s, 3, "c"), 0}} {
		_, err := reader.read(s, c.key)
		require.NoError(t, err)
		require.Equal(t, c.want, reader.Take(), c.name)
	}
	require.NoError(t, s.Snapshot(&reader, func(tx *Tx) error { return tx.look(one) }))
	require.EqualValues(t, 1, reader.Take(), "a snapshot")

	require.NoError(t, s.WriteKey(one, &reader, func(tx *Tx) error {
		_, _, err := tx.LookupForWrite(0, one)
		return err
	}))
	require.EqualValues(t, 1, reader.Take(), "a change that was refused")
	require.ErrorIs(t, s.Exec(&reader, func(tx *Tx) error {
		require.NoError(t, setString(tx, 0, one, "y"))
		_, _, err := tx.Lookup(0, one)
		require.NoError(t, err)
		return engine.ErrInjected
	}), engine.ErrInjected)
	require.EqualValues(t, 2, reader.Take(), "one that was undone is not waited for")

	require.NoError(t, s.Update(func(tx *Tx) error { return tx.FlushDB(0) }))
	ok, err := reader.read(s, two)
	require.NoError(t, err)
	require.False(t, ok)
	require.EqualValues(t, 3, reader.Take(), "a flush is seen by what is absent")
	require.NoError(t, s.Read(0, &reader, func(tx *Tx) error { tx.Keys(0); return nil }))
	require.EqualValues(t, 3, reader.Take())
}

// look looks a key up.
func (t *Tx) look(key string) error {
	_, _, err := t.Lookup(0, key)
	return err
}

// TestLaterNoWait has commands that must not wait fail where others wait, with
// nothing changed.
func TestLaterNoWait(t *testing.T) {
	s := openMem(t, engine.NewMemory(), Options{MemoryBudget: 64 << 20})
	l := &Later{NoWait: true}
	require.NoError(t, l.write(s, "k", "v"))
	require.NoError(t, l.write(s, "cold", strings.Repeat("v", 2<<20)))
	require.NoError(t, s.Checkpoint())
	l.Take()

	entered, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- s.Update(func(*Tx) error {
			close(entered)
			<-release
			return nil
		})
	}()
	<-entered
	require.ErrorIs(t, l.write(s, "k", "w"), ErrWait, "an Update is open")
	ok, err := l.read(s, "k")
	require.NoError(t, err)
	require.True(t, ok)
	close(release)
	require.NoError(t, <-done)

	require.ErrorIs(t, s.Exec(l, func(*Tx) error { panic("called") }), ErrWait)
	require.ErrorIs(t, s.Snapshot(l, func(*Tx) error { panic("called") }), ErrWait)
	s.opts.MemoryBudget = 4 << 10
	s.evict()
	s.opts.MemoryBudget = 64 << 20
	_, err = l.read(s, "cold")
	require.ErrorIs(t, err, ErrWait, "pages are cold")
	require.ErrorIs(t, s.WriteKey("cold", l, func(tx *Tx) error {
		e, _, err := tx.LookupForWrite(0, "cold")
		if err == nil {
			_, err = tx.StringWrite(0, "cold", e, 1<<20, []byte("w"))
		}
		return err
	}), ErrWait)
	s.wlog.full.Store(true)
	require.ErrorIs(t, l.write(s, "k", "w"), ErrWait, "the open group is full")
	s.wlog.full.Store(false)
	require.NoError(t, l.write(s, "k", "w"))
	require.EqualValues(t, 3, l.Take(), "what failed has changed nothing")

	l.NoWait = false
	_, err = l.read(s, "cold")
	require.NoError(t, err)
	l.NoWait = true
	_, err = l.read(s, "cold")
	require.ErrorIs(t, err, ErrWait, "a long value is not copied")
	l.NoWait = false
	for i := range 3 {
		require.NoError(t, (&Later{}).write(s, keyOf(i), strings.Repeat("v", 2<<20)))
	}
	s.opts.MemoryBudget = 4 << 10
	l.NoWait = true
	require.ErrorIs(t, l.write(s, "k", "w"), ErrWait, "more memory than the budget is in use")
	l.NoWait = false
	require.NoError(t, l.write(s, "k", "w"))
}

// TestRelease has what a mode asks for done at once where that is a write that
// nobody else makes, and later where it is a sync or another's write.
func TestRelease(t *testing.T) {
	never := func(error) { panic("called") }
	t.Run("memory", func(t *testing.T) {
		s, err := OpenMemory(1, Options{})
		require.NoError(t, err)
		defer s.Close()
		require.True(t, s.Release(math.MaxUint64, never))
	})
	t.Run("relaxed", func(t *testing.T) {
		s, _ := openCounted(t, Relaxed)
		require.True(t, s.Release(1, never))
	})
	t.Run("everysecond", func(t *testing.T) {
		s, counted := openCounted(t, EverySecond)
		l := &Later{}
		require.NoError(t, l.write(s, "a", "1"))
		require.Zero(t, s.Released())
		require.True(t, s.Release(l.Take(), never))
		require.EqualValues(t, 1, s.Released())
		require.EqualValues(t, 1, counted.appends.Load())

		require.NoError(t, l.write(s, "a", "2"))
		counted.gate.Lock()
		other := make(chan error)
		go func() { other <- s.Acknowledge(2) }()
		for !s.wlog.busy() {
			_ = s.Err()
		}
		done := make(chan error, 1)
		require.False(t, s.Release(l.Take(), func(err error) { done <- err }))
		require.Empty(t, done)
		counted.gate.Unlock()
		require.NoError(t, <-done)
		require.NoError(t, <-other)
		require.EqualValues(t, 2, counted.appends.Load())
	})
	t.Run("always", func(t *testing.T) {
		s, _ := openCounted(t, Always)
		l := &Later{}
		require.NoError(t, l.write(s, "a", "1"))
		done := make(chan error, 1)
		require.False(t, s.Release(l.Take(), func(err error) { done <- err }))
		require.NoError(t, <-done)
		require.EqualValues(t, 1, s.Released())
		require.True(t, s.Release(1, never))
	})
	t.Run("failure", func(t *testing.T) {
		for _, mode := range []Durability{EverySecond, Always} {
			s, counted := openCounted(t, mode)
			l := &Later{}
			require.NoError(t, l.write(s, "a", "1"))
			counted.broken.Store(true)
			done := make(chan error, 1)
			require.False(t, s.Release(l.Take(), func(err error) { done <- err }))
			require.ErrorIs(t, <-done, ErrPoisoned)
			require.Zero(t, s.Released())
		}
	})
}
