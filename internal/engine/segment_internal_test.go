package engine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const testStore = 0x1122334455667788

// testLog opens the log in "log" of fsys with small segments.
func testLog(fsys FS, epoch uint64) (*segmentLog, error) {
	if err := fsys.MkdirAll("log", dirPerm); err != nil {
		return nil, err
	}
	return openLog(logOptions{fs: fsys, dir: "log", store: testStore, epoch: epoch, first: 1024, max: 4096})
}

// mustOpenLog is testLog for a file system without faults.
func mustOpenLog(t *testing.T, fsys FS, epoch uint64) *segmentLog {
	t.Helper()
	l, err := testLog(fsys, epoch)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// history is what has been appended to a log.
type history struct {
	epoch  uint64
	groups []Group
	last   LSN
	from   LSN // what the log was truncated before
}

// next makes a group of up to n bytes, different from all others.
func (h *history) next(rng *rand.Rand, n int) Group {
	g := Group{Epoch: h.epoch, First: h.last + 1, Count: 1 + rng.Uint32N(3)}
	g.Payload = make([]byte, rng.IntN(n+1))
	for i := range g.Payload {
		g.Payload[i] = byte(rng.Uint32())
	}
	return g
}

// add notes that g has been appended.
func (h *history) add(g Group) {
	h.groups = append(h.groups, g)
	h.last = g.Last()
}

// replayed returns copies of the groups that l replays.
func replayed(l Log, from LSN) ([]Group, error) {
	var all []Group
	err := l.Replay(from, func(g Group) error {
		g.Payload = bytes.Clone(g.Payload)
		all = append(all, g)
		return nil
	})
	return all, err
}

// requirePrefix requires got to be the first groups of want, at least n.
func requirePrefix(t *testing.T, want, got []Group, n int, msg string) {
	t.Helper()
	require.LessOrEqual(t, len(got), len(want), msg)
	require.GreaterOrEqual(t, len(got), n, msg)
	for i := range got {
		require.Equal(t, want[i].First, got[i].First, msg)
		require.Equal(t, want[i].Count, got[i].Count, msg)
		require.Equal(t, want[i].Epoch, got[i].Epoch, msg)
		require.True(t, bytes.Equal(want[i].Payload, got[i].Payload), "%s: payload of group %d", msg, i)
	}
}

// fill appends n groups of up to size bytes.
func (h *history) fill(t *testing.T, l Log, rng *rand.Rand, n, size int) {
	t.Helper()
	for range n {
		g := h.next(rng, size)
		require.NoError(t, l.Append(g))
		h.add(g)
	}
}

// newRand returns a generator with a fixed seed.
func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func TestLogReplay(t *testing.T) {
	rng := newRand(1)
	fsys := NewMemFS()
	h := &history{epoch: 1}
	for range 4 {
		l := mustOpenLog(t, fsys, h.epoch)
		got, err := replayed(l, 1)
		require.NoError(t, err)
		requirePrefix(t, h.groups, got, len(h.groups), "on open")
		require.Equal(t, h.last, l.Synced())

		h.fill(t, l, rng, 10, 200)
		h.fill(t, l, rng, 3, 9000) // several frames in several segments
		require.NoError(t, l.Sync())
		require.Equal(t, h.last, l.Synced())
		h.fill(t, l, rng, 2, 0)

		got, err = replayed(l, 1)
		require.NoError(t, err)
		requirePrefix(t, h.groups, got, len(h.groups), "after appends")
		for i, g := range h.groups {
			for lsn := g.First; lsn <= g.Last(); lsn++ {
				got, err = replayed(l, lsn)
				require.NoError(t, err)
				requirePrefix(t, h.groups[i:], got, len(h.groups)-i, fmt.Sprint("from ", lsn))
			}
		}
		require.NoError(t, l.Close())
		require.NoError(t, l.Close())
		require.ErrorIs(t, l.Append(h.next(rng, 1)), ErrClosed)
		h.epoch++
	}
}

// TestLogAppendWithoutReplay reopens a log and appends at once.
func TestLogAppendWithoutReplay(t *testing.T) {
	rng := newRand(2)
	fsys := NewMemFS()
	h := &history{epoch: 1}
	for range 3 {
		l := mustOpenLog(t, fsys, h.epoch)
		h.fill(t, l, rng, 5, 500)
		require.NoError(t, l.Close())
		h.epoch++
	}
	got, err := replayed(mustOpenLog(t, fsys, h.epoch), 1)
	require.NoError(t, err)
	requirePrefix(t, h.groups, got, 15, "")
}

func TestLogRefuses(t *testing.T) {
	l := mustOpenLog(t, NewMemFS(), 3)
	require.ErrorIs(t, l.Append(Group{Epoch: 2, First: 1, Count: 1}), ErrStaleEpoch)
	require.Error(t, l.Append(Group{Epoch: 3, First: 1}), "no transaction")
	require.NoError(t, l.Append(Group{Epoch: 3, First: 10, Count: 2}), "a first group may have any number")
	require.Error(t, l.Append(Group{Epoch: 3, First: 11, Count: 1}), "twice")
	require.Error(t, l.Append(Group{Epoch: 3, First: 13, Count: 1}), "a gap")
	require.NoError(t, l.Append(Group{Epoch: 3, First: 12, Count: 1}), "a refusal does no harm")
}

func TestLogForeignFile(t *testing.T) {
	fsys := NewMemFS()
	require.NoError(t, fsys.MkdirAll("log", dirPerm))
	require.NoError(t, writeFile(fsys, "log/notes.txt", []byte("x")))
	_, err := testLog(fsys, 1)
	require.ErrorIs(t, err, ErrFormat)
	require.ErrorContains(t, err, "notes.txt")
}

// TestLogTruncate lets the log go round: old segments are recycled, the space
// stays bounded, and what they held never comes back.
func TestLogTruncate(t *testing.T) {
	rng := newRand(3)
	fsys := NewMemFS()
	h := &history{epoch: 1}
	l := mustOpenLog(t, fsys, 1)
	var synced int
	for i := range 400 {
		h.fill(t, l, rng, 1, 300)
		if i%7 != 0 {
			continue
		}
		require.NoError(t, l.Sync())
		synced = len(h.groups)
		require.NoError(t, l.TruncateBefore(h.groups[max(0, len(h.groups)-20)].First))
		require.Less(t, l.Size(), int64(30_000))

		from := h.groups[max(0, len(h.groups)-20)].First
		for _, keep := range []Survivor{KeepAll, KeepNone} {
			cut := mustOpenLog(t, fsys.Crash(keep), 2)
			got, err := replayed(cut, from)
			require.NoError(t, err)
			requirePrefix(t, h.groups[len(h.groups)-min(20, len(h.groups)):], got, min(20, synced), "after a crash")
			require.NoError(t, cut.Close())
		}
	}
	entries, err := fsys.ReadDir("log")
	require.NoError(t, err)
	require.Less(t, len(entries), 40)
	first := entries[0].Name()
	require.NotEqual(t, "0000000000000001.log", first, "the first segment has been recycled or removed")
}

// TestLogTornGroup zeroes the tail of a small log at every offset: what is left
// of it is a prefix of whole groups, and appends go on behind it.
func TestLogTornGroup(t *testing.T) {
	rng := newRand(4)
	fsys := NewMemFS()
	h := &history{epoch: 1}
	l := mustOpenLog(t, fsys, 1)
	h.fill(t, l, rng, 4, 60)
	for len(l.live) < 3 { // groups of several frames
		h.fill(t, l, rng, 1, 1500)
	}
	h.fill(t, l, rng, 2, 60)

	// Kill at a moment when nothing has been synced, then tear.
	names := segmentNames(t, fsys)
	step := 1
	if testing.Short() {
		step = 7
	}
	last := len(h.groups) + 1
	for i := range slices.Backward(names) {
		for off := fileSize(t, fsys, names[i]) - 1; off >= 0; off -= int64(step) {
			torn := fsys.Crash(KeepAll)
			for j := i + 1; j < len(names); j++ {
				zero(t, torn, names[j], 0)
			}
			zero(t, torn, names[i], off)
			msg := fmt.Sprintf("%s zeroed from %d", names[i], off)

			cut := mustOpenLog(t, torn, 2)
			got, err := replayed(cut, 1)
			require.NoError(t, err, msg)
			requirePrefix(t, h.groups, got, 0, msg)
			require.LessOrEqual(t, len(got), last, msg)
			last = len(got)

			again := &history{epoch: 2, groups: got}
			if len(got) > 0 {
				again.last = got[len(got)-1].Last()
			}
			again.fill(t, cut, rng, 1, 400)
			require.NoError(t, cut.Close())
			got, err = replayed(mustOpenLog(t, torn, 3), 1)
			require.NoError(t, err, msg)
			requirePrefix(t, again.groups, got, len(again.groups), msg)
		}
	}
	require.Zero(t, last)
}

// segmentNames returns the names of the segments in order.
func segmentNames(t *testing.T, fsys FS) (names []string) {
	t.Helper()
	entries, err := fsys.ReadDir("log")
	require.NoError(t, err)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".log") {
			names = append(names, "log/"+e.Name())
		}
	}
	return names
}

// fileSize returns the size of a file.
func fileSize(t *testing.T, fsys FS, name string) int64 {
	t.Helper()
	info, err := fsys.Stat(name)
	require.NoError(t, err)
	return info.Size()
}

// zero overwrites a file with zeroes from an offset.
func zero(t *testing.T, fsys FS, name string, off int64) {
	t.Helper()
	f, err := fsys.OpenFile(name, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(make([]byte, fileSize(t, fsys, name)-off), off)
	require.NoError(t, err)
}

// flip inverts a bit of a file.
func flip(t *testing.T, fsys FS, name string, off int64, bit int) {
	t.Helper()
	f, err := fsys.OpenFile(name, os.O_RDWR, 0)
	require.NoError(t, err)
	var b [1]byte
	_, err = f.ReadAt(b[:], off)
	require.NoError(t, err)
	b[0] ^= 1 << bit
	_, err = f.WriteAt(b[:], off)
	require.NoError(t, err)
}

// TestLogFlippedBit flips a bit at every offset of a log that was closed: the
// damage is reported with segment and offset, or it hit bytes that hold
// nothing.
func TestLogFlippedBit(t *testing.T) {
	rng := newRand(5)
	fsys := NewMemFS()
	h := &history{epoch: 1}
	l := mustOpenLog(t, fsys, 1)
	h.fill(t, l, rng, 3, 100)
	require.NoError(t, l.Sync())
	h.fill(t, l, rng, 4, 900)
	h.fill(t, l, rng, 2, 100)
	awaitReady(l)
	unused := -int(l.Size())
	for _, name := range segmentNames(t, fsys) {
		unused += int(fileSize(t, fsys, name))
	}
	require.NoError(t, l.Close())
	require.Greater(t, len(l.live), 1)

	step := int64(1)
	if testing.Short() {
		step = 5
	}
	harmless, found := 0, 0
	for _, name := range segmentNames(t, fsys) {
		for off := int64(0); off < fileSize(t, fsys, name); off += step {
			bad := fsys.Crash(KeepAll)
			flip(t, bad, name, off, rng.IntN(8))
			l := mustOpenLog(t, bad, 2)
			got, err := replayed(l, 1)
			msg := fmt.Sprintf("%s flipped at %d", name, off)
			if err == nil {
				harmless++
				requirePrefix(t, h.groups, got, len(h.groups), msg)
				continue
			}
			found++
			require.ErrorIs(t, err, ErrCorrupt, msg)
			require.ErrorContains(t, err, name[len("log/"):], msg)
			require.ErrorContains(t, err, "offset", msg)
			require.ErrorIs(t, l.Append(h.next(rng, 1)), ErrCorrupt, msg)
		}
	}
	t.Logf("%d found, %d harmless", found, harmless)
	require.LessOrEqual(t, harmless*int(step), unused+frameHeader+(len(h.groups)+3)*frameAlign, "only a seal, padding and what was never written")
}

// TestLogLostSegment removes each segment in turn. Where the first one ended
// within a group, what is left of that is found to be damaged.
func TestLogLostSegment(t *testing.T) {
	rng := newRand(6)
	fsys := NewMemFS()
	h := &history{epoch: 1}
	l := mustOpenLog(t, fsys, 1)
	h.fill(t, l, rng, 40, 300)
	require.NoError(t, l.Close())
	names := segmentNames(t, fsys)
	n := len(l.live)
	require.Greater(t, n, 3)
	for i, name := range names[:n] {
		bad := fsys.Crash(KeepAll)
		require.NoError(t, bad.Remove(name))
		got, err := replayed(mustOpenLog(t, bad, 2), 1)
		if i == 0 && err == nil {
			require.Greater(t, got[0].First, LSN(1), "the store sees that the log begins too late")
			continue
		}
		if i < n-1 {
			require.ErrorIs(t, err, ErrCorrupt, name)
		}
	}
}

// TestLogEpochHole plays the crash that the epoch is for: an unsynced group is
// lost while later ones reach the device, the next life fills the hole exactly,
// and crashes too.
func TestLogEpochHole(t *testing.T) {
	openWide := func(fsys FS, epoch uint64) *segmentLog {
		require.NoError(t, fsys.MkdirAll("log", dirPerm))
		l, err := openLog(logOptions{fs: fsys, dir: "log", store: testStore, epoch: epoch, first: 8192, max: 8192})
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	fsys := NewMemFS()
	l := openWide(fsys, 1)
	payload := func(c byte) []byte { return bytes.Repeat([]byte{c}, MemBlock-frameHeader) }
	require.NoError(t, l.Append(Group{Epoch: 1, First: 1, Count: 1, Payload: payload('a')}))
	require.NoError(t, l.Sync())
	for i := LSN(2); i <= 5; i++ {
		require.NoError(t, l.Append(Group{Epoch: 1, First: i, Count: 1, Payload: payload('b')}))
	}
	// Transaction 2 is the second block of the first segment.
	first := segmentNames(t, fsys)[0]
	hole := fsys.Crash(func(name string, block int) bool { return name != first || block != 1 })

	l2 := openWide(hole, 2)
	got, err := replayed(l2, 1)
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.NoError(t, l2.Append(Group{Epoch: 2, First: 2, Count: 1, Payload: payload('c')}))
	require.NoError(t, l2.Sync())

	for _, keep := range []Survivor{KeepAll, KeepNone} {
		l3 := openWide(hole.Crash(keep), 3)
		for _, from := range []LSN{0, 1, 2} {
			got, err = replayed(l3, from)
			require.NoError(t, err)
			require.LessOrEqual(t, got[len(got)-1].First, LSN(2), "a frame behind the hole came back")
		}
		require.Equal(t, payload('c'), got[0].Payload)
		require.Equal(t, LSN(2), l3.Synced())
	}
}

// TestLogSyncedAfterKill opens a log whose writer was killed before it synced:
// what is reported as synced has to survive a power cut.
func TestLogSyncedAfterKill(t *testing.T) {
	fsys := NewMemFS()
	l := mustOpenLog(t, fsys, 1)
	h := &history{epoch: 1}
	h.fill(t, l, newRand(9), 8, 600) // and no sync
	next := mustOpenLog(t, fsys, 2)
	got, err := replayed(next, 1)
	require.NoError(t, err)
	requirePrefix(t, h.groups, got, 8, "")
	require.Equal(t, h.last, next.Synced())
	got, err = replayed(mustOpenLog(t, fsys.Crash(KeepNone), 3), 1)
	require.NoError(t, err)
	requirePrefix(t, h.groups, got, 8, "")
}

// TestLogStaleSegment plays the same crash where the later groups stand in the
// next segment: what the next life appends fits into the first one, so nothing
// overwrites them.
func TestLogStaleSegment(t *testing.T) {
	fsys := NewMemFS()
	l := mustOpenLog(t, fsys, 1)
	payload := make([]byte, MemBlock-frameHeader)
	for i := LSN(1); i <= 4; i++ { // two in each segment
		require.NoError(t, l.Append(Group{Epoch: 1, First: i, Count: 1, Payload: payload}))
	}
	names := segmentNames(t, fsys)
	hole := fsys.Crash(func(name string, block int) bool { return name != names[0] || block == MemEntries })

	l2 := mustOpenLog(t, hole, 2)
	got, err := replayed(l2, 1)
	require.NoError(t, err)
	require.Empty(t, got)
	for i := LSN(1); i <= 4; i++ {
		require.NoError(t, l2.Append(Group{Epoch: 2, First: i, Count: 1, Payload: []byte("new")}))
	}
	require.NoError(t, l2.Sync())
	got, err = replayed(mustOpenLog(t, hole.Crash(KeepNone), 3), 3)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, "new", string(got[0].Payload), "a segment of an earlier life was taken for the beginning")
}

// TestLogPoison makes a write and a sync fail: nothing is tried again.
func TestLogPoison(t *testing.T) {
	for _, op := range []Op{OpWriteAt, OpSync} {
		for nth := 2; nth < 12; nth++ {
			mem := NewMemFS()
			in := FailNth(op, nth, Fault{Short: 10})
			l, err := testLog(NewFaultFS(mem, in), 1)
			require.NoError(t, err)
			h := &history{epoch: 1}
			rng := newRand(7)
			var failed error
			synced := 0
			for i := 0; i < 40 && failed == nil; i++ {
				g := h.next(rng, 300)
				if failed = l.Append(g); failed == nil {
					h.add(g)
					failed = l.Sync()
				}
				if failed == nil {
					synced = len(h.groups)
				}
			}
			require.ErrorIs(t, failed, ErrInjected)
			require.ErrorIs(t, l.Append(h.next(rng, 1)), ErrInjected)
			require.ErrorIs(t, l.Sync(), ErrInjected)
			_ = l.Close()

			next := mustOpenLog(t, mem.Crash(KeepAll), 2)
			got, err := replayed(next, 1)
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(got), synced)
			requirePrefix(t, h.groups, got[:min(len(got), len(h.groups))], synced, "")
		}
	}
}

// TestLogNoSpace fills the device: the group that does not fit is refused whole
// and fits when there is room again.
func TestLogNoSpace(t *testing.T) {
	rng := newRand(8)
	fsys := NewMemFS()
	fsys.SetRoom(8 << 10)
	l := mustOpenLog(t, fsys, 1)
	h := &history{epoch: 1}
	var err error
	var g Group
	for range 100 {
		g = h.next(rng, 400)
		if err = l.Append(g); err != nil {
			break
		}
		h.add(g)
	}
	require.ErrorIs(t, err, ErrNoSpace)
	require.ErrorIs(t, l.Append(g), ErrNoSpace)
	require.NoError(t, l.Sync())
	g.Payload = make([]byte, 50_000)
	require.ErrorIs(t, l.Append(g), ErrNoSpace)
	fsys.SetRoom(1 << 20)
	require.NoError(t, l.Append(g))
	h.add(g)
	got, err := replayed(l, 1)
	require.NoError(t, err)
	requirePrefix(t, h.groups, got, len(h.groups), "")
}

// TestLogCrashEverywhere crashes at every operation on the file system, three
// times in a row, and keeps of the unsynced bytes nothing, everything or a
// random part: nothing that was synced is lost, and what is found is always a
// prefix of what was appended.
func TestLogCrashEverywhere(t *testing.T) {
	seeds := uint64(3)
	if os.Getenv("BROCK_SOAK") != "" {
		seeds = 300
	} else if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		for n := 1; ; n++ {
			if !crashAndReopen(t, seed, n) {
				break
			}
		}
	}
}

// crashAndReopen runs lives that end at the n-th operation or a little later.
// It reports false if the first one came to its end without a crash.
func crashAndReopen(t *testing.T, seed uint64, n int) bool {
	t.Helper()
	rng := newRand(seed<<32 + uint64(n))
	mem := NewMemFS()
	h := &history{epoch: 1}
	crashed := false
	for life := range 3 {
		in := CrashAt(n+life*3, rng.IntN(2) == 0)
		synced, from := logLife(t, NewFaultFS(mem, in), rng, h)
		if life == 0 {
			crashed = in.Crashed()
		}
		keep := KeepNone
		switch rng.IntN(4) {
		case 0:
			keep = KeepAll
		case 1, 2:
			keep = func(string, int) bool { return rng.IntN(2) == 0 }
		}
		mem = mem.Crash(keep)
		h.epoch++

		check := mem.Crash(KeepAll)
		l, err := testLog(check, h.epoch)
		require.NoError(t, err)
		got, err := replayed(l, from)
		require.NoError(t, err, "seed %d, n %d, life %d", seed, n, life)
		start := slices.IndexFunc(h.groups, func(g Group) bool { return g.Last() >= from })
		if start < 0 {
			start = len(h.groups)
		}
		requirePrefix(t, h.groups[start:], got, synced-start, fmt.Sprintf("seed %d, n %d, life %d", seed, n, life))
		h.groups = h.groups[:start+len(got)]
		h.last = 0
		if len(h.groups) > 0 {
			h.last = h.groups[len(h.groups)-1].Last()
		}
		require.NoError(t, l.Close())
	}
	return crashed
}

// logLife opens the log, replays it and appends until it fails or has done
// enough. It returns how many groups were synced and the transaction that the
// log was last truncated before.
func logLife(t *testing.T, fsys FS, rng *rand.Rand, h *history) (synced int, from LSN) {
	t.Helper()
	synced, from = len(h.groups), 1
	from = max(from, h.from)
	l, err := testLog(fsys, h.epoch)
	if err != nil {
		return synced, from
	}
	defer func() { _ = l.Close() }()
	if l.Replay(from, func(Group) error { return nil }) != nil {
		return synced, from
	}
	for range 30 {
		size := 200
		if rng.IntN(8) == 0 {
			size = 4000
		}
		g := h.next(rng, size)
		err := l.Append(g)
		h.add(g) // a failed append may have written it
		if err != nil {
			return synced, from
		}
		if rng.IntN(3) == 0 {
			n := len(h.groups)
			if l.Sync() != nil {
				return synced, from
			}
			synced = n
		}
		if rng.IntN(6) == 0 && synced > 5 {
			from = max(from, h.groups[synced-5].First)
			h.from = from
			if l.TruncateBefore(from) != nil {
				return synced, from
			}
		}
	}
	return synced, from
}

func TestLogAppendAllocs(t *testing.T) {
	l, err := openLog(logOptions{fs: OSFS{}, dir: t.TempDir(), store: 1, epoch: 1, first: 1 << 20, max: 1 << 20})
	require.NoError(t, err)
	g := Group{Epoch: 1, First: 1, Count: 1, Payload: make([]byte, 1000)}
	allocs := testing.AllocsPerRun(100, func() {
		if err := l.Append(g); err != nil {
			t.Error(err)
		}
		g.First++
	})
	require.LessOrEqual(t, allocs, 1.0)
	require.NoError(t, l.Close())
}

// lazyFS is a file system whose directories cannot be synced.
type lazyFS struct{ *MemFS }

// SyncDir implements [FS].
func (lazyFS) SyncDir(string) error { return nil }

// awaitReady waits until the log's goroutine has made a segment ready.
func awaitReady(l *segmentLog) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.ready) == 0 {
		l.changed.Wait()
	}
}

// TestLogRecycledTwice cuts the power after an old segment got a new name and
// frames, takes the name back and leaves the frames. The next life gives the
// same segment the same name: what it finds there is not its own.
func TestLogRecycledTwice(t *testing.T) {
	twice := 0
	for seed := range uint64(40) {
		rng := newRand(seed)
		fsys := NewMemFS()
		h := &history{epoch: 1}
		l := mustOpenLog(t, lazyFS{fsys}, 1)
		from := LSN(0)
		for range 6 { // old segments get new numbers, so that there are gaps
			h.fill(t, l, rng, 30, 300)
			awaitReady(l)
			require.NoError(t, l.Sync())
			from = h.groups[len(h.groups)-1-rng.IntN(20)].First
			require.NoError(t, l.TruncateBefore(from))
		}
		require.NoError(t, fsys.SyncDir("log"))
		h.fill(t, l, rng, 40, 300)
		left := fsys.Crash(func(_ string, block int) bool { return block != MemEntries })
		require.NoError(t, l.Close())

		var first []Group
		for life := range 4 {
			files, err := left.ReadDir("log")
			require.NoError(t, err)
			l := mustOpenLog(t, left, uint64(2+life))
			got, err := replayed(l, from)
			require.NoError(t, err)
			if life == 0 {
				first = got
				l.mu.Lock()
				twice += len(files) - len(l.live)
				l.mu.Unlock()
			}
			requirePrefix(t, first, got, len(first), "another life found more")
			awaitReady(l)
			require.NoError(t, l.Close())
		}
	}
	require.NotZero(t, twice, "no old segment was left to be used again")
}

// TestLogSpareBehindGap opens a log of which the base has everything: one old
// segment was let go and waits to be used again, the one behind it has been,
// and a power cut took the first frame of the active one, which was not synced.
func TestLogSpareBehindGap(t *testing.T) {
	fsys := NewMemFS()
	l := mustOpenLog(t, fsys, 1)
	payload := make([]byte, 700) // one in each segment
	for i := LSN(1); i <= 4; i++ {
		require.NoError(t, l.Append(Group{Epoch: 1, First: i, Count: 1, Payload: payload}))
		if i < 4 {
			require.NoError(t, l.Sync())
		}
	}
	require.NoError(t, l.Append(Group{Epoch: 1, First: 5, Count: 1}))
	names := segmentNames(t, fsys)
	cut := fsys.Crash(KeepAll)
	require.NoError(t, cut.Remove(names[1]))
	require.NoError(t, wipeFirst(cut, names[3]))
	require.NoError(t, cut.Remove(names[2]))

	next := mustOpenLog(t, cut, 2)
	got, err := replayed(next, 4)
	require.NoError(t, err)
	require.Empty(t, got)
	require.NoError(t, next.Append(Group{Epoch: 2, First: 4, Count: 1, Payload: payload}))
	require.NoError(t, next.Sync())
	got, err = replayed(mustOpenLog(t, cut.Crash(KeepNone), 3), 4)
	require.NoError(t, err)
	require.Len(t, got, 1)
}

// TestLogEndsEarly replays from behind the end: the base has what the log has
// lost, so it was durable.
func TestLogEndsEarly(t *testing.T) {
	fsys := NewMemFS()
	l := mustOpenLog(t, fsys, 1)
	for i := LSN(1); i <= 5; i++ {
		require.NoError(t, l.Append(Group{Epoch: 1, First: i, Count: 1, Payload: []byte("x")}))
	}
	for _, from := range []LSN{5, 6, 7} {
		got, err := replayed(mustOpenLog(t, fsys.Crash(KeepAll), 2), from)
		if from == 7 {
			require.ErrorIs(t, err, ErrCorrupt)
			continue
		}
		require.NoError(t, err)
		require.Len(t, got, int(6-from))
	}
}
