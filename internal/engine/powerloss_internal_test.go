package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// testDir returns a directory for a test, in memory where there is such a
// place: the tests sync much, and copy what they take for synced.
func testDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "brock") //nolint:usetesting // t.TempDir may be on a slow disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// fileCopy is a file's contents, without most of the zeroes at its end.
type fileCopy struct {
	data []byte
	size int64
}

// readCopy copies a file: as many bytes as it has allocated, since Badger's
// files are filled from the front and sparse behind.
func readCopy(name string) (fileCopy, error) {
	f, err := os.Open(name)
	if err != nil {
		return fileCopy{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fileCopy{}, err
	}
	data := make([]byte, min(info.Size(), allocated(info)))
	n, err := f.ReadAt(data, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return fileCopy{data[:n], info.Size()}, err
}

// write puts a copy in place.
func (c fileCopy) write(t *testing.T, name string) {
	t.Helper()
	require.NoError(t, os.WriteFile(name, c.data, 0o600))
	require.NoError(t, os.Truncate(name, c.size))
}

// powerFS is the operating system's file system, watched: it keeps each log
// file of a base as it was when it was last synced, and calls atPoint where the
// power could go: before a barrier, between the syncs of it, and after it.
type powerFS struct {
	OSFS
	base    string
	atPoint func(where string)

	synced  map[string]fileCopy // by name, as of the last sync
	durable map[string]fileCopy // of those whose directory entry is durable, the contents then or later
	within  bool                // a barrier

	// valuesFirst gives credit for SyncWrites: what is in a value log is on the
	// device before a pointer to it is anywhere. Steps do without it.
	valuesFirst bool
}

// OpenFile implements [FS].
func (p *powerFS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := p.OSFS.OpenFile(name, flag, perm)
	if err != nil || !isLogFile(name) {
		return f, err
	}
	if !p.within {
		p.within = true
		p.atPoint("before the barrier")
	}
	return &powerFile{File: f, p: p, name: name}, nil
}

// SyncDir implements [FS].
func (p *powerFS) SyncDir(name string) error {
	if name != p.base {
		return p.OSFS.SyncDir(name)
	}
	p.atPoint("before the directory's sync")
	for file := range p.durable {
		if _, ok := p.synced[file]; !ok {
			delete(p.durable, file)
		}
	}
	for file, c := range p.synced {
		if _, err := os.Stat(filepath.Join(p.base, file)); err != nil {
			delete(p.synced, file)
			delete(p.durable, file)
			continue
		}
		p.durable[file] = c
	}
	p.within = false
	p.atPoint("after the barrier")
	return nil
}

// powerFile is an open log file of a [powerFS].
type powerFile struct {
	File
	p    *powerFS
	name string
}

// Sync implements [File].
func (f *powerFile) Sync() error {
	c, err := readCopy(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a memtable that has been flushed meanwhile
	}
	if err != nil {
		return err
	}
	base := filepath.Base(f.name)
	f.p.synced[base] = c
	if _, ok := f.p.durable[base]; ok {
		f.p.durable[base] = c
	}
	return nil
}

// capture copies all files of the base at one moment: Badger's background work
// may go on, so it copies again until the manifest has stayed the same.
func (p *powerFS) capture(t *testing.T) map[string]fileCopy {
	t.Helper()
	for {
		files, err := p.captureOnce()
		if err == nil {
			return files
		}
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
}

// captureOnce is one attempt to capture.
func (p *powerFS) captureOnce() (map[string]fileCopy, error) {
	manifest, err := os.ReadFile(filepath.Join(p.base, "MANIFEST"))
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(p.base)
	if err != nil {
		return nil, err
	}
	files := make(map[string]fileCopy)
	for _, e := range entries {
		c, err := readCopy(filepath.Join(p.base, e.Name()))
		if err != nil {
			return nil, err
		}
		files[e.Name()] = c
	}
	if !bytes.Equal(files["MANIFEST"].data, manifest) {
		return nil, fs.ErrNotExist
	}
	return files, nil
}

// lose writes a base as a power cut may leave it: each of Badger's log files
// as it is now or as it was when last synced; a new one perhaps not at all, or
// full of zeroes; a deleted one perhaps still there, or empty. Its tables and
// its manifest are synced by Badger, before anything hangs on them.
func (p *powerFS) lose(t *testing.T, rng *rand.Rand, dir string) {
	t.Helper()
	now := p.capture(t)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, baseName), 0o700))
	for _, name := range []string{formatName, confName} {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(p.base), name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	put := func(name string, c fileCopy) { c.write(t, filepath.Join(dir, baseName, name)) }
	for name, c := range now {
		old, had := p.durable[name]
		switch {
		case !isLogFile(name) || p.valuesFirst && filepath.Ext(name) == ".vlog" || rng.IntN(2) == 0:
			put(name, c)
		case had:
			put(name, old)
		case rng.IntN(3) == 0:
			put(name, fileCopy{size: c.size})
		}
	}
	for name, old := range p.durable {
		if _, ok := now[name]; ok {
			continue
		}
		switch rng.IntN(3) {
		case 0:
			put(name, old)
		case 1:
			put(name, fileCopy{})
		}
	}
}

// powerTest plays power cuts at every point of a base's life.
type powerTest struct {
	t      *testing.T
	rng    *rand.Rand
	p      *powerFS
	o      Options
	e      *dirEngine
	m      *model
	mixes  int    // per point
	doing  *step  // under way, whose completion may be durable already
	where  string // for messages
	points int
}

// newPowerTest opens an engine that is watched.
func newPowerTest(t *testing.T, seed uint64, memTable int64, mixes int) *powerTest {
	t.Helper()
	dir := testDir(t)
	pt := &powerTest{t: t, rng: newRand(seed), m: newModel(seed), mixes: mixes}
	pt.p = &powerFS{
		base:    filepath.Join(dir, baseName),
		synced:  make(map[string]fileCopy),
		durable: make(map[string]fileCopy),
		atPoint: func(string) {},
	}
	o := tiny()
	o.FS = pt.p
	o.Small.MemTable, o.Large.MemTable = memTable, memTable
	pt.o = o
	pt.e = mustOpen(t, dir, o)
	pt.p.atPoint = pt.cut
	return pt
}

// reopen closes the engine, so that its memtables become tables, and opens it.
func (pt *powerTest) reopen() {
	mixes := pt.mixes
	pt.mixes = 0
	require.NoError(pt.t, pt.e.Close())
	pt.e = mustOpen(pt.t, pt.e.dir, pt.o)
	pt.mixes = mixes
}

// cut cuts the power, several times, and looks at what is left.
func (pt *powerTest) cut(where string) {
	pt.points++
	for i := range pt.mixes {
		msg := fmt.Sprintf("%s, %s, point %d, mix %d", pt.where, where, pt.points, i)
		dir := testDir(pt.t)
		pt.p.lose(pt.t, pt.rng, dir)
		pt.verify(dir, msg)
		require.NoError(pt.t, os.RemoveAll(dir))
	}
}

// verify opens what a power cut left, checks it, begins another step and lets
// the power go again.
func (pt *powerTest) verify(dir, msg string) {
	t := pt.t
	second := &powerFS{
		base:    filepath.Join(dir, baseName),
		synced:  make(map[string]fileCopy),
		durable: make(map[string]fileCopy),
		atPoint: func(string) {},
	}
	o := tiny()
	o.FS = second
	e, err := Open(dir, o)
	require.NoError(t, err, msg)
	b := e.Base()
	found := pt.m
	err = pt.m.check(b)
	if err != nil && pt.doing != nil {
		after := &model{pages: pt.m.pages, state: pt.m.state}
		after.done(pt.doing)
		found = after
		err = errors.Join(err, after.check(b))
		if after.check(b) == nil {
			err = nil
		}
	}
	require.NoError(t, err, msg)
	epoch := b.State().Epoch

	again := &model{rng: pt.rng, pages: found.pages, state: found.state}
	s := again.draw(b, 5)
	if len(s.images) > 0 {
		require.NoError(t, b.Write(epoch, s.number, s.images), msg)
	}
	dir2 := testDir(t)
	second.lose(t, pt.rng, dir2)
	require.NoError(t, e.Close(), msg)
	e, err = Open(dir2, tiny())
	require.NoError(t, err, msg)
	require.NoError(t, found.check(e.Base()), "%s, and again", msg)
	require.Greater(t, e.Base().State().Epoch, epoch, msg)
	require.GreaterOrEqual(t, e.Base().State().LastStep, s.number, "%s: a step number would be used twice", msg)
	require.NoError(t, e.Close(), msg)
	require.NoError(t, os.RemoveAll(dir2))
}

// step does a step with power cuts all along.
func (pt *powerTest) step(n int) {
	t, b := pt.t, pt.e.Base()
	s := pt.m.draw(b, n)
	pt.where = fmt.Sprintf("write of step %d", s.number)
	epoch := b.State().Epoch
	for i := 0; i < len(s.images); i += 5 {
		require.NoError(t, b.Write(epoch, s.number, s.images[i:min(i+5, len(s.images))]))
		pt.cut("between writes")
	}
	pt.where, pt.doing = fmt.Sprintf("completion of step %d", s.number), s
	require.NoError(t, b.Complete(epoch, s.number, 0xf, s.lsn, s.tables, s.removals))
	pt.m.done(s)
	pt.where, pt.doing = fmt.Sprintf("after step %d", s.number), nil
	pt.cut("at rest")
}

// TestBasePowerLoss cuts the power at every barrier and between the writes of
// steps.
func TestBasePowerLoss(t *testing.T) {
	steps, mixes := 2, 2
	if os.Getenv("BROCK_SOAK") != "" {
		steps, mixes = 20, 20
	} else if testing.Short() {
		steps, mixes = 1, 1
	}
	for _, memTable := range []int64{64 << 10, 1 << 20} {
		t.Run(fmt.Sprint("memtable=", memTable), func(t *testing.T) {
			pt := newPowerTest(t, uint64(memTable), memTable, mixes)
			for range steps {
				pt.step(12)
			}
			t.Logf("%d points", pt.points)
		})
	}
}

// TestBaseCollectPowerLoss cuts the power while the value log is collected: the
// images that were moved are not durable at their new place, and must still be
// at the old one.
func TestBaseCollectPowerLoss(t *testing.T) {
	pt := newPowerTest(t, 21, 1<<20, 0)
	pt.m.modest = true
	pt.p.valuesFirst = true
	mixes := 8
	if testing.Short() {
		mixes = 3
	}
	var oldest []string
	// Discards are known once tables have been compacted, which Badger does when
	// it likes.
	for round := 0; ; round++ {
		require.Less(t, round, 30, "nothing was collected, so nothing was tested")
		for range 3 {
			pt.step(40)
		}
		pt.reopen()
		require.NoError(t, pt.e.base.db.Flatten(1))
		if oldest == nil {
			oldest = valueLogs(t, pt.p.base)
		}
		pt.where, pt.mixes = "tidy", mixes
		require.NoError(t, pt.e.Base().Tidy(nil))
		pt.mixes = 0
		if _, err := os.Stat(oldest[0]); err != nil {
			break
		}
	}
	pt.mixes = mixes
	pt.cut("after tidy")
	require.NoError(t, pt.m.check(pt.e.Base()))
}

// valueLogs returns the names of the value log's files.
func valueLogs(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.vlog"))
	require.NoError(t, err)
	return names
}

// TestBaseShrinkMemTable opens a base with smaller memtables than its logs were
// written with, after a crash.
func TestBaseShrinkMemTable(t *testing.T) {
	pt := newPowerTest(t, 31, 1<<20, 0)
	pt.m.modest = true
	pages := make([]Image, 0, 2000)
	for range 5 {
		s := pt.m.draw(pt.e.Base(), 40)
		require.NoError(t, s.do(pt.e.Base()))
		pt.m.done(s)
	}
	step := pt.e.Base().State().LastStep + 1
	for i := range 2000 { // many small images, to fill a memtable beyond the later size
		pages = append(pages, Image{Addr: Addr{Object: 9<<56 | uint64(i), No: 1}, Step: step, Data: []byte(strings.Repeat("x", 200))})
	}
	require.NoError(t, pt.e.Base().Write(pt.e.Base().State().Epoch, step, pages))

	for _, size := range []int64{64 << 10, 2 << 20} {
		dir := testDir(t)
		pt.p.lose(t, newRand(0), dir)
		for name, c := range pt.p.capture(t) { // everything has reached the device
			c.write(t, filepath.Join(dir, baseName, name))
		}
		o := tiny()
		o.Small.MemTable, o.Large.MemTable = size, size
		for range 2 {
			e := mustOpen(t, dir, o)
			require.NoError(t, pt.m.check(e.Base()))
			require.NoError(t, e.Close())
		}
	}
}

// TestBaseNoSpace refuses writes before the device is full, and nothing else.
func TestBaseNoSpace(t *testing.T) {
	e := mustOpen(t, testDir(t), tiny())
	b := e.Base()
	epoch := b.State().Epoch
	require.NoError(t, b.Write(epoch, 1, []Image{{Addr: Addr{Dir: true}, Step: 1, Data: []byte("x")}}))
	require.NoError(t, b.Complete(epoch, 1, 1, 5, nil, nil))

	space := e.base.reserve() + 500
	e.base.free = func() (int64, error) { return space, nil }
	free, err := e.Free()
	require.NoError(t, err)
	require.EqualValues(t, 500, free)
	big := []Image{{Addr: Addr{Dir: true, No: 1}, Step: 2, Data: make([]byte, 1000)}}
	require.ErrorIs(t, b.Write(epoch, 2, big), ErrNoSpace)
	space -= 1000
	require.ErrorIs(t, b.Complete(epoch, 2, 1, 6, nil, nil), ErrNoSpace)
	require.ErrorIs(t, b.Tidy(nil), ErrNoSpace)
	free, err = e.Free()
	require.NoError(t, err)
	require.Zero(t, free)
	_, err = b.Get(Addr{Dir: true})
	require.NoError(t, err, "reads go on")
	require.EqualValues(t, 5, b.State().Complete[0])

	space = 1 << 40
	require.NoError(t, b.Write(epoch, 2, big))
	require.NoError(t, b.Complete(epoch, 2, 1, 6, nil, nil))
}

// TestBaseUnreadable damages an image in the value log, which Badger answers
// with an empty value and no error.
func TestBaseUnreadable(t *testing.T) {
	dir := testDir(t)
	addr := Addr{Dir: true, No: 1}
	for i := range uint8(2) { // each in a file of its own, which is not the newest
		e := mustOpen(t, dir, tiny())
		b := e.Base()
		s := b.State()
		img := Image{Addr: addr, Slot: i, Step: s.LastStep + 1, Data: bytes.Repeat([]byte{'a' + i}, 5000)}
		require.NoError(t, b.Write(s.Epoch, img.Step, []Image{img}))
		require.NoError(t, b.Complete(s.Epoch, img.Step, 1, LSN(i+1), nil, nil))
		require.NoError(t, e.Close())
	}
	require.NoError(t, mustOpen(t, dir, tiny()).Close())

	damage(t, dir, bytes.Repeat([]byte{'a'}, 5000))
	e := mustOpen(t, dir, tiny())
	n := 0
	require.NoError(t, e.Base().Load(func(img Image) error { n++; return nil }), "the other slot is newer")
	require.Equal(t, 1, n)
	img, err := e.Base().Get(addr)
	require.NoError(t, err)
	require.Equal(t, byte('b'), img.Data[0])
	require.NoError(t, e.Close())

	damage(t, dir, bytes.Repeat([]byte{'b'}, 5000))
	e = mustOpen(t, dir, tiny())
	require.ErrorIs(t, e.Base().Load(func(Image) error { return nil }), ErrCorrupt)
	_, err = e.Base().Get(addr)
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, "No:1")
}

// damage inverts a bit of the value log in the middle of a pattern.
func damage(t *testing.T, dir string, pattern []byte) {
	t.Helper()
	for _, name := range valueLogs(t, filepath.Join(dir, baseName)) {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		if at := bytes.Index(b, pattern); at >= 0 {
			b[at+len(pattern)/2] ^= 4
			require.NoError(t, os.WriteFile(name, b, 0o600))
			return
		}
	}
	require.Fail(t, "there is no such value")
}

// TestBaseGrow opens the store anew with larger sizes when the base has grown.
func TestBaseGrow(t *testing.T) {
	o := tiny()
	o.Large = BaseSizes{MemTable: 256 << 10, ValueLog: 2 << 20}
	o.LargeAt = 2 << 20
	dir := testDir(t)
	e := mustOpen(t, dir, o)
	m := newModel(5)
	for e.Base().Size() < o.LargeAt {
		s := m.draw(e.Base(), 40)
		require.NoError(t, s.do(e.Base()))
		m.done(s)
	}
	snap, err := e.Base().Snapshot()
	require.NoError(t, err)
	require.NoError(t, e.Base().Tidy(nil))
	require.EqualValues(t, 64<<10, e.base.opened.memTable.Load(), "not under a reader")
	require.NoError(t, snap.Close())
	require.NoError(t, e.Base().Tidy(nil))
	require.EqualValues(t, 256<<10, e.base.opened.memTable.Load())
	require.NoError(t, m.check(e.Base()))
	s := m.draw(e.Base(), 10)
	require.NoError(t, s.do(e.Base()))
	m.done(s)
	require.NoError(t, e.Close())
	require.NoError(t, m.check(mustOpen(t, dir, tiny()).Base()))
}

// TestBasePoison makes the barrier fail: the step is not complete, and nothing
// can be written any more.
func TestBasePoison(t *testing.T) {
	dir := testDir(t)
	in := NewInjector(nil)
	o := tiny()
	o.FS = NewFaultFS(OSFS{}, in)
	e := mustOpen(t, dir, o)
	b := e.Base()
	epoch := b.State().Epoch
	require.NoError(t, b.Write(epoch, 1, []Image{{Step: 1, Addr: Addr{Dir: true}}}))
	in.decide = func(op Op, _, _ int) Fault {
		if op == OpSync {
			return Fault{Err: ErrInjected}
		}
		return Fault{}
	}
	require.ErrorIs(t, b.Complete(epoch, 1, 1, 1, nil, nil), ErrInjected)
	in.decide = nil
	require.ErrorIs(t, b.Complete(epoch, 1, 1, 1, nil, nil), ErrInjected, "it is never tried again")
	require.ErrorIs(t, b.Write(epoch, 2, []Image{{Step: 2}}), ErrInjected)
	require.Zero(t, b.State().Complete[0])
	_ = e.Close()
	e = mustOpen(t, dir, tiny())
	require.Zero(t, e.Base().State().Complete[0])
	require.NoError(t, e.Base().Load(func(Image) error { return errors.New("an image") }))
}
