package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// tiny are the sizes that tests use: little fits, so much happens.
func tiny() Options {
	sizes := BaseSizes{MemTable: 64 << 10, ValueLog: 1 << 20}
	return Options{SegmentMin: 4 << 10, SegmentMax: 64 << 10, Small: sizes, Large: sizes}
}

// mustOpen opens the engine in dir and closes it at the end of the test.
func mustOpen(t *testing.T, dir string, o Options) *dirEngine {
	t.Helper()
	e, err := Open(dir, o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Close() })
	return e.(*dirEngine)
}

// model is what a base should hold.
type model struct {
	rng   *rand.Rand
	pages map[Addr]Image // the newest complete image of each
	state State

	modest bool // no images of several parts
}

// newModel returns the model of an empty base.
func newModel(seed uint64) *model {
	return &model{rng: newRand(seed), pages: make(map[Addr]Image)}
}

// addr returns one of n addresses.
func (m *model) addr(n int) Addr {
	i := m.rng.IntN(n)
	return Addr{Dir: i%3 != 0, Class: Class(i % 2), Depth: uint8(i % 5), Object: uint64(i%4)<<56 | uint64(1+i/7), No: uint64(i)}
}

// data returns bytes, mostly of a page's size, sometimes few, seldom many.
func (m *model) data() []byte {
	n := m.rng.IntN(6000)
	switch which := m.rng.IntN(40); {
	case which == 0:
		n = 0
	case which == 1 && !m.modest:
		n = 2*maxPart + m.rng.IntN(maxPart)
	}
	b := make([]byte, n)
	for i := 0; i < n; i += 8 {
		b[i] = byte(m.rng.Uint32())
	}
	return b
}

// step is a checkpoint step that has been drawn but perhaps not done.
type step struct {
	number   uint64
	lsn      LSN
	tables   []byte
	images   []Image
	removals []Removal
	pages    map[Addr]Image // after it
}

// draw makes up a step that changes up to n of 40 pages and removes a few.
func (m *model) draw(b Base, n int) *step {
	state := b.State()
	s := &step{number: state.LastStep + 1, lsn: m.state.Complete[PartitionCount-1] + 10, pages: make(map[Addr]Image)}
	s.tables = fmt.Appendf(nil, "tables of step %d", s.number)
	if m.rng.IntN(4) == 0 {
		s.tables = append(s.tables, make([]byte, 3000)...)
	}
	maps.Copy(s.pages, m.pages)
	changed := make(map[Addr]bool)
	for range n {
		a := m.addr(40)
		old, had := m.pages[a]
		if changed[a] {
			continue
		}
		changed[a] = true
		if had {
			s.removals = append(s.removals, Removal{Addr: a, Slot: old.Slot})
		}
		if had && m.rng.IntN(6) == 0 {
			delete(s.pages, a)
			continue
		}
		img := Image{Addr: a, Slot: 1 - old.Slot, Kind: uint8(m.rng.Uint32()), Step: s.number, LSN: s.lsn - m.rng.Uint64N(10), Data: m.data()}
		s.pages[a] = img
		s.images = append(s.images, img)
	}
	return s
}

// do carries out a step in several writes.
func (s *step) do(b Base) error {
	epoch := b.State().Epoch
	for i := 0; i < len(s.images); i += 7 {
		if err := b.Write(epoch, s.number, s.images[i:min(i+7, len(s.images))]); err != nil {
			return err
		}
	}
	return b.Complete(epoch, s.number, 0xf, s.lsn, s.tables, s.removals)
}

// done takes a completed step over into the model.
func (m *model) done(s *step) {
	m.pages = s.pages
	m.state.complete(s.number, 0xf, s.lsn, s.tables)
}

// check compares a base with the model: with pages superseded or removed, which
// may have come back, allowed beside what must be there.
func (m *model) check(b Base) error {
	state := b.State()
	if state.Complete != m.state.Complete || !bytes.Equal(state.Tables, m.state.Tables) {
		return fmt.Errorf("state is %v %q, want %v %q", state.Complete[64], state.Tables, m.state.Complete[64], m.state.Tables)
	}
	newest := make(map[Addr]Image)
	note := func(img Image) error {
		if img.Step > state.LastStep {
			return fmt.Errorf("image of step %d", img.Step)
		}
		if img.Step > newest[img.Addr].Step {
			img.Data = bytes.Clone(img.Data)
			newest[img.Addr] = img
		}
		return nil
	}
	if err := b.Load(note); err != nil {
		return err
	}
	for a := range newest {
		if !a.Dir {
			return fmt.Errorf("Load gave %+v", a)
		}
	}
	for a, want := range m.pages {
		if a.Dir {
			if err := sameImage(want, newest[a]); err != nil {
				return fmt.Errorf("loaded %+v: %w", a, err)
			}
			continue
		}
		found := false
		err := b.List(a.Object, a.Class, func(img Image) error {
			found = found || img.Addr == a && img.Step == want.Step && img.Slot == want.Slot && img.Kind == want.Kind
			return nil
		})
		if err != nil || !found {
			return fmt.Errorf("list of %+v: found %v: %w", a, found, err)
		}
	}
	return m.checkGet(b)
}

// checkGet compares what Get and Snapshot give with the model.
func (m *model) checkGet(b Base) error {
	for a, want := range m.pages {
		img, err := b.Get(a)
		if err == nil {
			err = sameImage(want, img)
		}
		if err != nil {
			return fmt.Errorf("get: %w", err)
		}
	}
	snap, err := b.Snapshot()
	if err != nil {
		return err
	}
	seen := make(map[Addr]uint64)
	err = snap.Each(func(img Image) error {
		seen[img.Addr] = max(seen[img.Addr], img.Step)
		return nil
	})
	for a, want := range m.pages {
		if seen[a] != want.Step && err == nil {
			err = fmt.Errorf("snapshot has step %d of %+v, want %d", seen[a], a, want.Step)
		}
	}
	return errors.Join(err, snap.Close())
}

// sameImage compares images.
func sameImage(want, got Image) error {
	switch {
	case got.Addr != want.Addr || got.Slot != want.Slot || got.Kind != want.Kind || got.Step != want.Step || got.LSN != want.LSN:
		return fmt.Errorf("got slot %d, kind %d, step %d, lsn %d, want %d, %d, %d, %d of %+v",
			got.Slot, got.Kind, got.Step, got.LSN, want.Slot, want.Kind, want.Step, want.LSN, want.Addr)
	case !bytes.Equal(got.Data, want.Data):
		return fmt.Errorf("data of %+v differ: %d bytes, want %d", want.Addr, len(got.Data), len(want.Data))
	}
	return nil
}

// TestBaseModel runs steps with reopening, collection and sweeping between, on
// Badger and in memory.
func TestBaseModel(t *testing.T) {
	steps := 25
	if os.Getenv("BROCK_SOAK") != "" {
		steps = 2000
	} else if testing.Short() {
		steps = 15
	}
	t.Run("badger", func(t *testing.T) {
		dir := testDir(t)
		var e *dirEngine
		runBaseModel(t, steps, func() Base {
			if e != nil {
				require.NoError(t, e.Close())
			}
			e = mustOpen(t, dir, tiny())
			return e.Base()
		})
	})
	t.Run("memory", func(t *testing.T) {
		m := NewMemory()
		runBaseModel(t, steps, func() Base {
			m = m.Crash(Crash{Resurrect: true})
			return m.Base()
		})
	})
}

// runBaseModel runs steps against what reopen returns.
func runBaseModel(t *testing.T, steps int, reopen func() Base) {
	t.Helper()
	m := newModel(11)
	b := reopen()
	require.ErrorIs(t, b.Complete(b.State().Epoch+1, 1, 1, 1, nil, nil), ErrStaleEpoch)
	epoch := b.State().Epoch
	for range steps {
		s := m.draw(b, 12)
		switch m.rng.IntN(8) {
		case 0: // a step that is given up
			if len(s.images) > 0 {
				require.NoError(t, b.Write(b.State().Epoch, s.number, s.images))
			}
			require.NoError(t, m.check(b))
			continue
		case 1: // and lost
			if len(s.images) > 0 {
				require.NoError(t, b.Write(b.State().Epoch, s.number, s.images))
			}
			for range 1 + m.rng.IntN(3) { // an end without a step comes in between, too
				b = reopen()
			}
			require.GreaterOrEqual(t, b.State().LastStep, s.number)
			require.Greater(t, b.State().Epoch, epoch)
			epoch = b.State().Epoch
		case 2:
			require.NoError(t, b.Tidy(nil))
		case 3:
			object := m.addr(40)
			require.NoError(t, b.Sweep(object.Dir, []uint64{object.Object, object.Object + 1000}))
			for a := range m.pages {
				if a.Dir == object.Dir && a.Object == object.Object {
					delete(m.pages, a)
				}
			}
		default:
			require.NoError(t, s.do(b))
			m.done(s)
		}
		require.NoError(t, m.check(b))
		m.checkObjects(t, b)
	}
	require.NotEmpty(t, m.pages)
	_, err := b.Get(Addr{Object: 77 << 56})
	require.ErrorIs(t, err, ErrNotFound)
}

// checkObjects checks that LastObject and Objects give what the model has.
func (m *model) checkObjects(t *testing.T, b Base) {
	t.Helper()
	var objects []uint64
	require.NoError(t, b.Objects(0, func(object uint64) uint64 {
		objects = append(objects, object)
		return object + 1
	}))
	require.IsIncreasing(t, append([]uint64{0}, objects...))
	for a := range m.pages {
		if a.Dir {
			continue
		}
		require.Contains(t, objects, a.Object)
		last, err := b.LastObject(a.Partition())
		require.NoError(t, err)
		require.GreaterOrEqual(t, last, a.Object)
		require.Equal(t, a.Partition(), Addr{Object: last}.Partition())
	}
	last, err := b.LastObject(63)
	require.NoError(t, err)
	require.Zero(t, last)
	n := 0
	require.NoError(t, b.Objects(0, func(uint64) uint64 { n++; return 0 }))
	require.LessOrEqual(t, n, 1)
}

func TestOpenLocked(t *testing.T) {
	dir := testDir(t)
	e := mustOpen(t, dir, tiny())
	_, err := Open(dir, tiny())
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorContains(t, err, fmt.Sprint(os.Getpid()))
	require.NoError(t, e.Close())
	require.NoError(t, mustOpen(t, dir, tiny()).Close())
}

func TestOpenForeign(t *testing.T) {
	dir := testDir(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "letters"), nil, 0o600))
	_, err := Open(dir, tiny())
	require.ErrorIs(t, err, ErrFormat)
	require.ErrorContains(t, err, "letters")
	require.NoFileExists(t, filepath.Join(dir, lockName))
}

func TestOpenFormat(t *testing.T) {
	dir := testDir(t)
	e := mustOpen(t, dir, tiny())
	state := e.Base().State()
	require.NoError(t, e.Close())
	name := filepath.Join(dir, formatName)
	good, err := os.ReadFile(name)
	require.NoError(t, err)
	for text, want := range map[string]error{
		"brock format 2\nanything": ErrFormat,
		"something else":           ErrFormat,
		"":                         ErrFormat,
		"brock format 1\nstore x":  ErrCorrupt,
		string(good) + "\n":        ErrCorrupt,
		"brock format 1\nstore 0000000000000001\nseed 0000000000000002\n": ErrFormat, // another store's
	} {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		_, err := Open(dir, tiny())
		require.ErrorIs(t, err, want, text)
	}
	require.NoError(t, os.WriteFile(name, good, 0o600))
	e = mustOpen(t, dir, tiny())
	require.Equal(t, state.Store, e.Base().State().Store)
	require.Equal(t, state.Seed, e.Base().State().Seed)
	require.Equal(t, state.Epoch+1, e.Base().State().Epoch)
}

// TestOpenEpoch checks that log and base agree on the epoch, and that a log
// without its base is not taken for a new one.
func TestOpenEpoch(t *testing.T) {
	dir := testDir(t)
	e := mustOpen(t, dir, tiny())
	require.NoError(t, e.Log().Append(Group{Epoch: 1, First: 1, Count: 1}))
	require.NoError(t, e.Close())
	e = mustOpen(t, dir, tiny())
	require.ErrorIs(t, e.Log().Append(Group{Epoch: 1, First: 2, Count: 1}), ErrStaleEpoch)
	require.NoError(t, e.Log().Append(Group{Epoch: 2, First: 2, Count: 1}))
	require.NoError(t, e.Close())
	require.NoError(t, os.RemoveAll(filepath.Join(dir, baseName)))
	require.NoError(t, os.Remove(filepath.Join(dir, confName)))
	for range 2 {
		_, err := Open(dir, tiny())
		require.ErrorIs(t, err, ErrCorrupt)
	}
}

// TestOpenDeep creates the directories that lead to the engine's.
func TestOpenDeep(t *testing.T) {
	mustOpen(t, filepath.Join(testDir(t), "a", "b", "c"), tiny())
}

// TestCreate fills directories that nobody can open before they are finished.
func TestCreate(t *testing.T) {
	root := testDir(t)
	dir := filepath.Join(root, "a", "b")
	for _, there := range []bool{false, true} {
		if there {
			require.NoError(t, os.MkdirAll(dir, 0o700))
		}
		u, err := Create(dir, tiny())
		require.NoError(t, err)
		_, err = Create(dir, tiny())
		require.ErrorIs(t, err, fs.ErrExist)
		_, err = Open(dir, tiny())
		require.ErrorIs(t, err, ErrLocked)
		require.NoError(t, u.Log().Append(Group{Epoch: 1, First: 1, Count: 1}))
		require.NoError(t, u.Close())
		_, err = Open(dir, tiny())
		require.ErrorIs(t, err, ErrCorrupt)
		_, err = Inspect(dir, tiny())
		require.ErrorIs(t, err, ErrCorrupt)
		require.NoError(t, os.Remove(filepath.Join(dir, formatName))) // as if killed before it was there
		_, err = Inspect(dir, tiny())
		require.ErrorIs(t, err, ErrCorrupt)
		require.NoError(t, u.Discard())
		require.Equal(t, there, len(names(t, root)) > 0)
		if there {
			require.Empty(t, names(t, dir))
		}
	}
	u, err := Create(dir, tiny())
	require.NoError(t, err)
	require.NoError(t, u.Close())
	require.NoError(t, u.Finish())
	require.NoError(t, mustOpen(t, dir, tiny()).Close())
	_, err = Create(dir, tiny())
	require.ErrorIs(t, err, fs.ErrExist)

	_, err = Create(filepath.Join(dir, formatName, "c"), tiny())
	require.Error(t, err)
	_, err = Create(filepath.Join(dir, formatName), tiny())
	require.Error(t, err)
}

// names returns what is in a directory.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}
