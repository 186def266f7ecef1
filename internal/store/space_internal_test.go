package store

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// fullEngine is an engine on a device that has some bytes free.
type fullEngine struct {
	engine.Engine
	free int64
}

func (e *fullEngine) Free() (int64, error) { return e.free, nil }

// TestRuleFullDevice fills the device: changes are refused, and steps before
// they write anything, while reads go on and what was acknowledged gets
// durable. With space again all goes on.
func TestRuleFullDevice(t *testing.T) {
	m := engine.NewMemorySeed(1, 2)
	eng := &fullEngine{Engine: m, free: minFree}
	s, err := Open(eng, Options{NoTimers: true})
	require.NoError(t, err)
	set(t, s, "key", "value")
	want := contents(t, s)

	eng.free--
	s.Housekeep()
	for name, err := range map[string]error{
		"Update": s.Update(func(tx *Tx) error { return setString(tx, 0, "key", "other") }),
		"Write":  s.WriteKey("key", nil, func(tx *Tx) error { return setString(tx, 0, "key", "other") }),
		"Exec":   s.Exec(nil, func(tx *Tx) error { return setString(tx, 0, "key", "other") }),
	} {
		require.ErrorIs(t, err, engine.ErrNoSpace, name)
	}
	sameContents(t, want, contents(t, s), "reads go on")
	require.NoError(t, s.Checkpoint(), "there is room for that")
	eng.free = 0
	step := m.Base().State().LastStep
	require.ErrorIs(t, s.Checkpoint(), engine.ErrNoSpace)
	require.Equal(t, step, m.Base().State().LastStep, "nothing was written")
	require.NoError(t, s.Sync())
	require.NoError(t, s.Err())

	eng.free = minFree
	s.Housekeep()
	set(t, s, "key", "other")
	require.NoError(t, s.Checkpoint())
	require.NoError(t, s.Close())
}

// TestLargeChangeNeedsRoom has changes that are larger than what is free: they
// change nothing, and the store goes on.
func TestLargeChangeNeedsRoom(t *testing.T) {
	eng := &fullEngine{Engine: engine.NewMemorySeed(1, 2), free: 1 << 40}
	s, err := Open(eng, Options{NoTimers: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	set(t, s, "key", "value")
	update(t, s, func(tx *Tx) error { return tx.QueueCreate("queue", 0) })
	const size = 3 << 20
	large := bytes.Repeat([]byte("x"), size)
	some := [][]byte{large[:size/3], large[:size/3], large[:size/3]}
	id := StreamID{Ms: 1}
	changes := map[string]func(*Tx) error{
		"set":      func(tx *Tx) error { return tx.StringSet(0, "new", nil, large, 0) },
		"long key": func(tx *Tx) error { return tx.StringSet(0, string(large), nil, nil, 0) },
		"append": func(tx *Tx) error {
			e, _, err := tx.LookupForWrite(0, "key")
			if err == nil {
				_, err = tx.StringWrite(0, "key", e, 5, large)
			}
			return err
		},
		"list": func(tx *Tx) error { _, err := tx.ListPush(0, "new", Entry{}, some, false); return err },
		"hash": func(tx *Tx) error {
			_, err := tx.HashSet(0, "new", Entry{}, []Field{{"a", some[0]}, {"b", some[1]}, {"c", some[2]}})
			return err
		},
		"set of members": func(tx *Tx) error {
			_, err := tx.SetAdd(0, "new", Entry{}, []string{"a", string(large)})
			return err
		},
		"stream": func(tx *Tx) error { return tx.StreamAdd(0, "new", Entry{}, id, []Field{{"a", large}}) },
		"queue":  func(tx *Tx) error { _, err := tx.QueuePut("queue", large); return err },
	}
	want := contents(t, s)
	refused := func(name string, run func(func(*Tx) error) error) {
		t.Helper()
		eng.free = minFree + size
		require.ErrorIs(t, run(changes[name]), engine.ErrNoSpace, name)
		require.NoError(t, s.Err(), name)
	}
	for name := range changes {
		refused(name, func(fn func(*Tx) error) error { return s.Write(^uint64(0), nil, fn) })
		refused(name, func(fn func(*Tx) error) error { return s.Exec(nil, fn) })
		refused(name, s.Update)
	}
	sameContents(t, want, contents(t, s), "nothing was changed")

	setUntil(t, s, "new", time.Now().UnixMilli()-2)
	refused("set", func(fn func(*Tx) error) error {
		return s.WriteKey("new", nil, func(tx *Tx) error {
			if _, err := tx.FindForWrite(0, "new"); err != nil {
				return err
			}
			return fn(tx)
		})
	})
	sameContents(t, want, contents(t, s), "an expired key may go")

	eng.free = minFree + 2*size
	for name, fn := range changes {
		require.NoError(t, s.Write(^uint64(0), nil, func(tx *Tx) error {
			if _, err := tx.Delete(0, "new"); err != nil {
				return err
			}
			return fn(tx)
		}), name)
	}
	eng.free = minFree - 1
	small := func(tx *Tx) error { return setString(tx, 0, "key", "small") }
	require.ErrorIs(t, s.WriteKey("key", nil, small), engine.ErrNoSpace, "after so many bytes writers look themselves")
}

// roomEngine is an engine whose log is on a device with limited room.
type roomEngine struct {
	engine.Engine
	fs *engine.MemFS
}

func (e *roomEngine) Free() (int64, error) { return e.fs.Free("") }

// TestLargeChangeOnRealLog commits what fits and refuses what does not, and the
// log never meets the end of the device.
func TestLargeChangeOnRealLog(t *testing.T) {
	fs := engine.NewMemFS()
	require.NoError(t, fs.MkdirAll("db", 0o700))
	fs.SetRoom(minFree + 40<<20)
	m := engine.NewMemorySeed(1, 2)
	eng, err := engine.NewSegments(m, "db", engine.Options{FS: fs})
	require.NoError(t, err)
	s, err := Open(&roomEngine{eng, fs}, Options{NoTimers: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	refused := 0
	for _, mb := range []int{70, 10, 30, 1, 8, 5, 3, 2, 1, 20} {
		err := s.Update(func(tx *Tx) error { return setString(tx, 0, "key", strings.Repeat("x", mb<<20)) })
		if err != nil {
			require.ErrorIs(t, err, engine.ErrNoSpace)
			refused++
		}
		require.NoError(t, s.Sync())
	}
	require.NoError(t, s.Err())
	require.Greater(t, refused, 1)
	require.Less(t, refused, 9)
}
