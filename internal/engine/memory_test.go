package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// page returns an address in a directory of partition 3.
func page(no uint64) engine.Addr {
	return engine.Addr{Dir: true, Class: engine.ClassHashed, Depth: 4, Object: 3<<56 | 7, No: no}
}

// image returns an image of addr.
func image(addr engine.Addr, step uint64, slot uint8, data string) engine.Image {
	return engine.Image{Addr: addr, Slot: slot, Kind: 2, Step: step, LSN: step * 10, Data: []byte(data)}
}

// groups replays log and returns what it gave, in copies.
func groups(t *testing.T, l engine.Log, from engine.LSN) []engine.Group {
	t.Helper()
	var all []engine.Group
	require.NoError(t, l.Replay(from, func(g engine.Group) error {
		g.Payload = append([]byte(nil), g.Payload...)
		all = append(all, g)
		return nil
	}))
	return all
}

// loaded returns the data of all directory images of base by page and slot.
func loaded(t *testing.T, base engine.Base) map[engine.Removal]string {
	t.Helper()
	all := make(map[engine.Removal]string)
	require.NoError(t, base.Load(func(img engine.Image) error {
		all[engine.Removal{Addr: img.Addr, Slot: img.Slot}] = string(img.Data)
		return nil
	}))
	return all
}

func TestMemoryLogCrash(t *testing.T) {
	m := engine.NewMemory()
	l := m.Log()
	for i := range 4 {
		require.NoError(t, l.Append(engine.Group{Epoch: 1, First: uint64(1 + 2*i), Count: 2, Payload: []byte{byte(i)}}))
		if i == 1 {
			require.NoError(t, l.Sync())
		}
	}
	require.EqualValues(t, 4, l.Synced())

	require.Len(t, groups(t, m.Crash(engine.Crash{}).Log(), 1), 4)
	require.Len(t, groups(t, m.Crash(engine.Crash{PowerCut: true, KeepUnsynced: 1}).Log(), 1), 3)
	cut := m.Crash(engine.Crash{PowerCut: true})
	require.Len(t, groups(t, cut.Log(), 4), 1)

	require.ErrorIs(t, cut.Log().Append(engine.Group{Epoch: 1, First: 5, Count: 1}), engine.ErrStaleEpoch)
	require.Error(t, cut.Log().Append(engine.Group{Epoch: 2, First: 6, Count: 1}), "a gap")
	require.NoError(t, cut.Log().Append(engine.Group{Epoch: 2, First: 5, Count: 1}))
}

func TestMemoryBaseCrash(t *testing.T) {
	m := engine.NewMemory()
	base := m.Base()
	require.NoError(t, base.Write(1, 1, []engine.Image{image(page(1), 1, 0, "a"), image(page(2), 1, 0, "b")}))
	require.Empty(t, loaded(t, base))
	require.NoError(t, base.Complete(1, 1, 1<<3, 10, []byte("tables"), nil))
	require.NoError(t, base.Write(1, 2, []engine.Image{image(page(1), 2, 1, "A")}))

	cut := m.Crash(engine.Crash{PowerCut: true}).Base()
	require.EqualValues(t, 2, cut.State().LastStep, "the number of the step under way is used up")
	require.EqualValues(t, 10, cut.State().Complete[3])
	require.EqualValues(t, 0, cut.State().Complete[4])
	require.EqualValues(t, 10, cut.State().Complete[64])
	img, err := cut.Get(page(1))
	require.NoError(t, err)
	require.Equal(t, "a", string(img.Data))

	require.NoError(t, base.Complete(1, 2, 1<<3, 20, nil, []engine.Removal{{Addr: page(1), Slot: 0}}))
	require.Len(t, loaded(t, m.Crash(engine.Crash{}).Base()), 2)
	again := m.Crash(engine.Crash{Resurrect: true}).Base()
	require.Len(t, loaded(t, again), 3, "removed images come back")
	img, err = again.Get(page(1))
	require.NoError(t, err)
	require.Equal(t, "A", string(img.Data), "the highest step wins")
}
