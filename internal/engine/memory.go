package engine

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
)

// Memory is an [Engine] without files, for tests: it keeps what has been made
// durable apart from what has not, so that [Memory.Crash] can return what a
// kill or a power cut would have left. It is strict where the file drivers are
// lenient: slices that are valid "during fn only" are scribbled over after it.
//
// Its methods may be called from any goroutine.
type Memory struct {
	log  *memoryLog
	base *memoryBase
}

// NewMemory returns an empty engine with a random store id and seed.
func NewMemory() *Memory {
	return NewMemorySeed(rand.Uint64(), rand.Uint64())
}

// NewMemorySeed is like [NewMemory] with a chosen store id and hash seed, so
// that a randomised test can repeat a run.
func NewMemorySeed(store, seed uint64) *Memory {
	return &Memory{
		log: &memoryLog{epoch: 1},
		base: &memoryBase{
			state:  State{Store: store, Seed: seed, Epoch: 1},
			images: make(map[memoryKey]Image),
			ghosts: make(map[memoryKey]Image),
			done:   make(map[uint64]bool),
		},
	}
}

// Crash tells what kind of end [Memory.Crash] plays and what survives it of
// the things that a driver leaves open. The zero value is a kill of the
// process: every group appended survives.
type Crash struct {
	// PowerCut drops the groups that no Sync has covered, but for the first
	// KeepUnsynced of them.
	PowerCut     bool
	KeepUnsynced int

	// Resurrect brings back the images that Complete's removals and Sweep had
	// deleted and that nothing has overwritten since, as Badger does after a
	// collection of its value log.
	Resurrect bool
}

// Crash returns a second engine that holds what would be found after a crash
// at this moment, opened: its epoch is raised and the step under way, if any,
// is void. The receiver is unchanged and goes on by itself.
func (m *Memory) Crash(c Crash) *Memory {
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	m.base.mu.Lock()
	defer m.base.mu.Unlock()

	base := m.base.reopenLocked(c.Resurrect)
	return &Memory{log: m.log.reopenLocked(c, base.state.Epoch), base: base}
}

// Reopen closes the engine and returns its successor, as a clean Close and a
// new Open would.
func (m *Memory) Reopen() *Memory {
	next := m.Crash(Crash{})
	_ = m.Close() // it cannot fail
	return next
}

// Log returns the engine's log.
func (m *Memory) Log() Log { return m.log }

// Base returns the engine's base.
func (m *Memory) Base() Base { return m.base }

// Free returns a very large number.
func (m *Memory) Free() (int64, error) { return math.MaxInt64, nil }

// PowerSafe returns true: see [Memory.Crash].
func (m *Memory) PowerSafe() bool { return true }

// Close closes log and base; what they hold stays available to [Memory.Crash].
func (m *Memory) Close() error {
	if err := m.log.Close(); err != nil {
		return err
	}
	return m.base.Close()
}

// memoryLog is a [Log] in a slice.
type memoryLog struct {
	mu     sync.Mutex
	epoch  uint64
	groups []Group // own copies of the payloads; immutable
	size   int64   // of the payloads
	last   LSN     // of the newest group, 0 while none was ever appended
	synced LSN
	closed bool
}

// reopenLocked returns a log with the groups that survive c.
func (l *memoryLog) reopenLocked(c Crash, epoch uint64) *memoryLog {
	next := &memoryLog{epoch: epoch}
	keep := c.KeepUnsynced
	for _, g := range l.groups {
		if c.PowerCut && g.Last() > l.synced {
			if keep == 0 {
				break
			}
			keep--
		}
		next.groups = append(next.groups, g)
		next.size += int64(len(g.Payload))
		next.last = g.Last()
	}
	if len(next.groups) == 0 && l.synced == l.last {
		next.last = l.last
	}
	next.synced = next.last // what Open has read is on the device
	return next
}

// Append implements [Log].
func (l *memoryLog) Append(g Group) error {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.closed {
		return fmt.Errorf("append: %w", ErrClosed)
	}
	if err := checkGroup(g, l.epoch, l.last); err != nil {
		return err
	}
	g.Payload = slices.Clone(g.Payload)
	l.groups = append(l.groups, g)
	l.size += int64(len(g.Payload))
	l.last = g.Last()
	return nil
}

// checkGroup reports whether g may follow the transaction last in a log that
// was opened at epoch. A last of 0 means that the log has never had a group:
// then g may start anywhere.
func checkGroup(g Group, epoch uint64, last LSN) error {
	switch {
	case g.Epoch != epoch:
		return fmt.Errorf("append at epoch %d to a log of epoch %d: %w", g.Epoch, epoch, ErrStaleEpoch)
	case g.Count == 0 || g.First == 0:
		return fmt.Errorf("engine: append of %d transactions from %d", g.Count, g.First)
	case last != 0 && g.First != last+1:
		return fmt.Errorf("engine: append of transaction %d behind %d", g.First, last)
	}
	return nil
}

// Sync implements [Log].
func (l *memoryLog) Sync() error {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.closed {
		return fmt.Errorf("sync: %w", ErrClosed)
	}
	l.synced = l.last
	return nil
}

// Synced implements [Log].
func (l *memoryLog) Synced() LSN {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.synced
}

// Replay implements [Log].
func (l *memoryLog) Replay(from LSN, fn func(Group) error) error {
	l.mu.Lock()
	groups := slices.Clone(l.groups)
	l.mu.Unlock()

	var scratch []byte
	for _, g := range groups {
		if g.Last() < from {
			continue
		}
		scratch = append(scratch[:0], g.Payload...)
		g.Payload = scratch
		err := fn(g)
		scribble(scratch)
		if err != nil {
			return err
		}
	}
	return nil
}

// scribble overwrites bytes that their reader was told not to keep.
func scribble(b []byte) {
	if len(b) > 0 {
		b[0] = 0xdb
	}
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

// TruncateBefore implements [Log].
func (l *memoryLog) TruncateBefore(lsn LSN) error {
	l.mu.Lock()
	defer l.mu.Unlock()

	n := 0
	for n < len(l.groups) && l.groups[n].Last() < lsn && l.groups[n].Last() <= l.synced {
		l.size -= int64(len(l.groups[n].Payload))
		n++
	}
	l.groups = slices.Clone(l.groups[n:])
	return nil
}

// Size implements [Log].
func (l *memoryLog) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size
}

// Close implements [Log].
func (l *memoryLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.synced = l.last
	l.closed = true
	return nil
}

// memoryKey is what a base files an image under.
type memoryKey struct {
	addr Addr
	slot uint8
}

// compare orders keys by object, then by address.
func (k memoryKey) compare(o memoryKey) int {
	return cmp.Or(
		cmp.Compare(k.addr.Object, o.addr.Object),
		cmp.Compare(k.addr.Class, o.addr.Class),
		cmp.Compare(k.addr.No, o.addr.No),
		cmp.Compare(k.addr.Depth, o.addr.Depth),
		cmp.Compare(k.slot, o.slot),
	)
}

// memoryBase is a [Base] in a map.
type memoryBase struct {
	mu     sync.RWMutex
	state  State
	images map[memoryKey]Image // of all steps; Data is never changed
	ghosts map[memoryKey]Image // deleted, and not written since
	done   map[uint64]bool     // the steps that are complete
	closed bool
}

// reopenLocked returns the base as the next Open finds it: images of steps
// that are not complete are gone, and so is the number of the last step begun.
func (b *memoryBase) reopenLocked(resurrect bool) *memoryBase {
	next := &memoryBase{
		state:  b.state,
		images: make(map[memoryKey]Image),
		ghosts: maps.Clone(b.ghosts),
		done:   maps.Clone(b.done),
	}
	next.state.Epoch++
	next.state.Tables = slices.Clone(b.state.Tables)
	for k, img := range b.images {
		if b.done[img.Step] {
			next.images[k] = img
		}
	}
	if !resurrect {
		return next
	}
	for k, img := range next.ghosts {
		if _, ok := b.images[k]; !ok && b.done[img.Step] {
			next.images[k] = img
		}
	}
	clear(next.ghosts)
	return next
}

// State implements [Base].
func (b *memoryBase) State() State {
	b.mu.RLock()
	defer b.mu.RUnlock()

	s := b.state
	s.Tables = slices.Clone(s.Tables)
	return s
}

// checkLocked refuses a write to a closed base or from another owner.
func (b *memoryBase) checkLocked(epoch uint64) error {
	if b.closed {
		return ErrClosed
	}
	if epoch != b.state.Epoch {
		return fmt.Errorf("epoch %d, the base is at %d: %w", epoch, b.state.Epoch, ErrStaleEpoch)
	}
	return nil
}

// Write implements [Base].
func (b *memoryBase) Write(epoch, step uint64, images []Image) error {
	b.mu.Lock()
	defer b.mu.Unlock()

	if err := b.checkLocked(epoch); err != nil {
		return fmt.Errorf("write of step %d: %w", step, err)
	}
	if b.done[step] {
		return fmt.Errorf("engine: write to step %d, which is complete", step)
	}
	for _, img := range images {
		if err := checkImage(img, step); err != nil {
			return err
		}
	}
	for _, img := range images {
		k := memoryKey{img.Addr, img.Slot}
		img.Data = slices.Clone(img.Data)
		b.images[k] = img
		delete(b.ghosts, k)
	}
	b.state.LastStep = max(b.state.LastStep, step)
	return nil
}

// checkImage reports whether img can be an image of the step.
func checkImage(img Image, step uint64) error {
	if img.Slot > 1 || img.Step != step || step == 0 {
		return fmt.Errorf("engine: image of %v has slot %d and step %d in step %d", img.Addr, img.Slot, img.Step, step)
	}
	return nil
}

// Complete implements [Base].
func (b *memoryBase) Complete(epoch, step, parts uint64, s LSN, tables []byte, removals []Removal) error {
	b.mu.Lock()
	defer b.mu.Unlock()

	if err := b.checkLocked(epoch); err != nil {
		return fmt.Errorf("completion of step %d: %w", step, err)
	}
	if b.done[step] || step < b.state.LastStep || step == 0 {
		return fmt.Errorf("engine: completion of step %d behind step %d", step, b.state.LastStep)
	}
	b.done[step] = true
	b.state.complete(step, parts, s, tables)
	for _, r := range removals {
		b.deleteLocked(memoryKey{r.Addr, r.Slot})
	}
	return nil
}

// complete notes a completed step in s.
func (s *State) complete(step, parts uint64, lsn LSN, tables []byte) {
	s.LastStep = max(s.LastStep, step)
	for p := range PartitionCount - 1 {
		if parts>>p&1 != 0 {
			s.Complete[p] = lsn
		}
	}
	// In recovery the tables may be ahead of what has been replayed.
	s.Complete[PartitionCount-1] = max(s.Complete[PartitionCount-1], lsn)
	s.Tables = slices.Clone(tables)
}

// deleteLocked moves an image to the ghosts.
func (b *memoryBase) deleteLocked(k memoryKey) {
	if img, ok := b.images[k]; ok {
		delete(b.images, k)
		b.ghosts[k] = img
	}
}

// Load implements [Base].
func (b *memoryBase) Load(fn func(Image) error) error {
	return b.each(func(k memoryKey, img Image) bool { return k.addr.Dir && b.done[img.Step] }, fn)
}

// each calls fn with a copy of each image that want selects, in no order.
func (b *memoryBase) each(want func(memoryKey, Image) bool, fn func(Image) error) error {
	b.mu.RLock()
	if b.closed {
		b.mu.RUnlock()
		return ErrClosed
	}
	var images []Image
	for k, img := range b.images {
		if want(k, img) {
			images = append(images, img)
		}
	}
	b.mu.RUnlock()

	return eachCopy(images, fn)
}

// eachCopy calls fn with each image, its data in a buffer that is scribbled
// over afterwards.
func eachCopy(images []Image, fn func(Image) error) error {
	var scratch []byte
	for _, img := range images {
		scratch = append(scratch[:0], img.Data...)
		img.Data = scratch
		err := fn(img)
		scribble(scratch)
		if err != nil {
			return err
		}
	}
	return nil
}

// List implements [Base].
func (b *memoryBase) List(object uint64, class Class, fn func(Image) error) error {
	b.mu.RLock()
	if b.closed {
		b.mu.RUnlock()
		return ErrClosed
	}
	var keys []memoryKey
	for k, img := range b.images {
		if !k.addr.Dir && k.addr.Object == object && k.addr.Class == class && b.done[img.Step] {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, memoryKey.compare)
	images := make([]Image, len(keys))
	for i, k := range keys {
		images[i] = b.images[k]
		images[i].Data, images[i].LSN = nil, 0
	}
	b.mu.RUnlock()

	for _, img := range images {
		if err := fn(img); err != nil {
			return err
		}
	}
	return nil
}

// Get implements [Base].
func (b *memoryBase) Get(addr Addr) (Image, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()

	if b.closed {
		return Image{}, ErrClosed
	}
	var best Image
	for slot := range uint8(2) {
		img, ok := b.images[memoryKey{addr, slot}]
		if ok && b.done[img.Step] && img.Step > best.Step {
			best = img
		}
	}
	if best.Step == 0 {
		return Image{}, fmt.Errorf("%v: %w", addr, ErrNotFound)
	}
	best.Data = slices.Clone(best.Data)
	return best, nil
}

// LastObject implements [Base].
func (b *memoryBase) LastObject(partition int) (uint64, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()

	if b.closed {
		return 0, ErrClosed
	}
	var last uint64
	for k := range b.images {
		if !k.addr.Dir && k.addr.Partition() == partition {
			last = max(last, k.addr.Object)
		}
	}
	return last, nil
}

// Objects implements [Base].
func (b *memoryBase) Objects(from uint64, fn func(object uint64) (next uint64)) error {
	b.mu.RLock()
	if b.closed {
		b.mu.RUnlock()
		return ErrClosed
	}
	set := make(map[uint64]struct{})
	for k := range b.images {
		if !k.addr.Dir {
			set[k.addr.Object] = struct{}{}
		}
	}
	b.mu.RUnlock()

	objects := slices.Sorted(maps.Keys(set))
	for {
		i, _ := slices.BinarySearch(objects, from)
		if i == len(objects) {
			return nil
		}
		if from = fn(objects[i]); from == 0 {
			return nil
		}
	}
}

// Sweep implements [Base].
func (b *memoryBase) Sweep(dir bool, objects []uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()

	if b.closed {
		return fmt.Errorf("sweep: %w", ErrClosed)
	}
	for k := range b.images {
		if k.addr.Dir == dir && slices.Contains(objects, k.addr.Object) {
			b.deleteLocked(k)
		}
	}
	return nil
}

// Tidy implements [Base].
func (b *memoryBase) Tidy(<-chan struct{}) error {
	b.mu.RLock()
	defer b.mu.RUnlock()

	if b.closed {
		return fmt.Errorf("tidy: %w", ErrClosed)
	}
	return nil
}

// Snapshot implements [Base].
func (b *memoryBase) Snapshot() (Snapshot, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()

	if b.closed {
		return nil, fmt.Errorf("snapshot: %w", ErrClosed)
	}
	s := &memorySnapshot{state: b.state}
	s.state.Tables = slices.Clone(b.state.Tables)
	for _, img := range b.images {
		if b.done[img.Step] {
			s.images = append(s.images, img)
		}
	}
	return s, nil
}

// Size implements [Base].
func (b *memoryBase) Size() int64 {
	b.mu.RLock()
	defer b.mu.RUnlock()

	var n int64
	for _, img := range b.images {
		n += int64(len(img.Data))
	}
	return n
}

// Close implements [Base].
func (b *memoryBase) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

// memorySnapshot is a [Snapshot] of a [memoryBase].
type memorySnapshot struct {
	state  State
	images []Image
}

// State implements [Snapshot].
func (s *memorySnapshot) State() State { return s.state }

// Each implements [Snapshot].
func (s *memorySnapshot) Each(fn func(Image) error) error { return eachCopy(s.images, fn) }

// Close implements [Snapshot].
func (s *memorySnapshot) Close() error { return nil }
