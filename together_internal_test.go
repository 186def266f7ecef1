package brock

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/bridge"
	"github.com/brockdb/brock/internal/store"
)

// steps is a bridge.Batch of functions.
type steps struct {
	run     []func() error
	refused []error
}

func (b *steps) Len() int                       { return len(b.run) }
func (b *steps) Run(i int, _ bool) (int, error) { return 1, b.run[i]() }
func (b *steps) Refuse(err error)               { b.refused = append(b.refused, err) }

// merging is a bridge.Batch of pushes to a list, all of which are one if they
// may be.
type merging struct {
	p      *Pipe
	values [][]byte
	runs   []int // how many each Run ran
	errs   []error
}

func (b *merging) Len() int { return len(b.values) }

func (b *merging) Run(i int, merge bool) (n int, err error) {
	if n = 1; merge {
		n = len(b.values) - i
	}
	_, err = b.p.RPush("k", b.values[i:i+n]...)
	b.runs = append(b.runs, n)
	return n, err
}

func (b *merging) Refuse(err error) { b.errs = append(b.errs, err) }

// TestTogetherMerges has commands be one: not where that fails, nor where
// somebody hears of each.
func TestTogetherMerges(t *testing.T) {
	db, p, _ := newPipe(t)
	values := [][]byte{{1}, {2}, {3}}
	b := &merging{p: p, values: values}
	require.Equal(t, 3, value(t)(bridge.Together(p, []string{"k"}, b)))
	require.Equal(t, []int{3}, b.runs)
	require.Empty(t, b.errs)

	heard := 0
	stop := db.s.Listen(func(_ uint64, events []store.Event) { heard += len(events) })
	b = &merging{p: p, values: values}
	require.Equal(t, 3, value(t)(bridge.Together(p, []string{"k"}, b)))
	require.Equal(t, []int{1, 1, 1}, b.runs)
	require.Equal(t, 3, heard)
	stop()

	require.Equal(t, append(values, values...), value(t)(db.LRange("k", 0, -1)))
	require.NoError(t, db.Set("k", nil))
	b = &merging{p: p, values: values}
	require.Equal(t, 3, value(t)(bridge.Together(p, []string{"k"}, b)))
	require.Equal(t, []int{3, 1, 1, 1}, b.runs)
	for _, err := range b.errs {
		require.ErrorIs(t, err, ErrWrongType)
	}
	require.Len(t, b.errs, 3)
}

// newPipe returns a Pipe that does not end, on an empty database.
func newPipe(t *testing.T) (*DB, *Pipe, *bridge.Later) {
	t.Helper()
	db, err := Open(t.TempDir(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	p, later := bridge.Pipe(db, true)
	return db, p.(*Pipe), later
}

func TestTogether(t *testing.T) {
	db, p, later := newPipe(t)
	push := func() error {
		_, err := p.RPush("k", []byte("v"))
		return err
	}
	wrong := func() error {
		_, err := p.Incr("k")
		return err
	}
	require.NoError(t, push())
	before := later.Take()
	b := &steps{run: []func() error{push, wrong, push, push}}
	n, err := bridge.Together(p, []string{"k"}, b)
	require.NoError(t, err)
	require.Equal(t, 4, n)
	require.Len(t, b.refused, 1)
	require.ErrorIs(t, b.refused[0], ErrWrongType)
	require.Equal(t, before+1, later.Take(), "one transaction")
	require.Equal(t, 4, value(t)(db.LLen("k")))
}

// TestTogetherKeys has commands of several keys be one transaction.
func TestTogetherKeys(t *testing.T) {
	db, p, later := newPipe(t)
	keys := []string{"a", "b", strings.Repeat("c", 2*store.ShortName), "d"}
	var run []func() error
	for _, key := range keys {
		run = append(run, func() error {
			_, err := p.Append(key, []byte("v"))
			return err
		})
	}
	before := later.Take()
	require.Equal(t, 4, value(t)(bridge.Together(p, keys, &steps{run: run})))
	require.Equal(t, before+1, later.Take(), "one transaction")
	for _, key := range keys {
		require.Equal(t, []byte("v"), value(t)(db.Get(key)))
	}
}

// TestTogetherEnds ends a batch before a command that has to wait, or to be a
// transaction of its own.
func TestTogetherEnds(t *testing.T) {
	db, p, _ := newPipe(t)
	push := func() error {
		_, err := p.RPush("k", []byte("v"))
		return err
	}
	for name, last := range map[string]func() error{
		"waits":        func() error { return store.ErrWait },
		"takes long":   func() error { _, err := p.RPush("k", make([][]byte, longWrite+1)...); return err },
		"many members": func() error { _, err := p.ZAdd("k", Z{"a", 1}, Z{"b", 2}); return err },
		"all keys":     func() error { _, err := p.DBSize(); return err },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := db.Del("k")
			require.NoError(t, err)
			b := &steps{run: []func() error{push, push, last, push}}
			n, err := bridge.Together(p, []string{"k"}, b)
			require.NoError(t, err)
			require.Equal(t, 2, n)
			require.Equal(t, 2, value(t)(db.LLen("k")))

			b = &steps{run: []func() error{last, push}}
			n, err = bridge.Together(p, []string{"k"}, b)
			require.Error(t, err)
			require.Zero(t, n)
			require.Equal(t, 2, value(t)(db.LLen("k")))
		})
	}
}

// TestTogetherPanics has a command panic before it changes anything: no lock is
// left.
func TestTogetherPanics(t *testing.T) {
	db, p, _ := newPipe(t)
	fault := errors.New("a fault")
	b := &steps{run: []func() error{
		func() error { return p.Set("k", []byte("v")) },
		func() error { panic(fault) },
	}}
	require.PanicsWithValue(t, fault, func() { _, _ = bridge.Together(p, []string{"k"}, b) })
	require.Equal(t, []byte("v"), value(t)(db.Get("k")))
	require.NoError(t, db.Set("k", []byte("w")))
	require.NoError(t, p.Set("k", []byte("x")), "p's commands are transactions of their own again")
	require.Equal(t, []byte("x"), value(t)(db.Get("k")))
}

// value returns what unwraps a value that comes without an error.
func value(t *testing.T) func(v any, err error) any {
	t.Helper()
	return func(v any, err error) any {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}
