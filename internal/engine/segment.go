package engine

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// logOptions configure a [segmentLog].
type logOptions struct {
	fs     FS
	dir    string
	store  uint64
	epoch  uint64
	first  int64 // size of the first segment
	max    int64 // size of the largest
	logger *slog.Logger

	inspect bool // it is only read, see Inspect
}

// segment is a file of the log. Its number is its place in the log and its
// name; a segment that is recycled gets a new number and with it a new name.
type segment struct {
	number uint64
	size   int64
	file   File // open while the segment is ready, active or has unsynced bytes

	// Of a live segment:
	end   int64 // offset behind its last frame
	last  LSN   // last transaction of the group that its last frame belongs to
	dirty bool  // written to since its last sync began
}

// segmentLog is a [Log] in segment files.
//
// Live segments hold what a Replay may need, the last of them, the active one,
// takes the appends; ready ones are filled with zeroes and durable, so that
// going on to the next costs Append nothing; spare ones were let go by
// TruncateBefore and will be made ready again, which saves writing zeroes.
//
// What the end of the log is, is found by the first Replay or Append: frames
// count as long as each follows the one before it exactly, by transaction and
// part, and none is of an older epoch. The epoch was raised durably before
// this life's first append, so frames behind a hole that an earlier life left
// never continue what this one writes into the hole.
type segmentLog struct {
	opt logOptions

	buf []byte // of Append, for one frame

	wg sync.WaitGroup // the goroutine that makes segments ready

	// mu guards what follows. It is not held during writes and syncs, so that
	// Append and Sync run side by side.
	mu      sync.Mutex
	changed *sync.Cond // ready, prepareErr, want or closed has
	err     error      // sticky: the log has failed
	closed  bool
	scanned bool // the end of the log is known

	live   []*segment
	ready  []*segment // their numbers follow those of live
	spare  []*segment
	last   LSN // of the newest group
	synced LSN
	peak   int64 // the most bytes that were live before either of the last two truncations
	prior  int64 // the same before the last one

	want       int64 // bytes of ready segments that Append waits for
	prepareErr error // of the last attempt to make a segment ready
}

// errGroupTooLarge refuses a group whose length a frame cannot tell.
var errGroupTooLarge = errors.New("engine: group above 4 GiB")

// openLog opens the log in a directory, which exists. It reads only names and
// sizes.
func openLog(opt logOptions) (*segmentLog, error) {
	l := newLog(opt)
	if err := l.list(); err != nil {
		return nil, err
	}
	l.wg.Go(l.prepareLoop)
	return l, nil
}

// newLog makes a log that knows of no segments yet.
func newLog(opt logOptions) *segmentLog {
	l := &segmentLog{opt: opt}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// name returns the path of the segment with a number.
func (l *segmentLog) name(number uint64) string {
	return filepath.Join(l.opt.dir, fmt.Sprintf("%016x.log", number))
}

// list finds the segments. All are live until the log has been scanned.
func (l *segmentLog) list() error {
	entries, err := l.opt.fs.ReadDir(l.opt.dir) // sorted by name
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	for _, e := range entries {
		name := filepath.Join(l.opt.dir, e.Name())
		if filepath.Ext(name) == tempSuffix {
			if err := l.opt.fs.Remove(name); err != nil {
				return fmt.Errorf("log: %w", err)
			}
			continue
		}
		s, err := l.found(e)
		if err != nil {
			return err
		}
		l.live = append(l.live, s)
	}
	return nil
}

// found returns the segment that a file is.
func (l *segmentLog) found(e fs.DirEntry) (*segment, error) {
	name := filepath.Join(l.opt.dir, e.Name())
	var number uint64
	if _, err := fmt.Sscanf(e.Name(), "%016x.log", &number); err != nil || l.name(number) != name {
		return nil, fmt.Errorf("log: %s is not a segment: %w", name, ErrFormat)
	}
	info, err := e.Info()
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return &segment{number: number, size: info.Size(), end: info.Size()}, nil
}

// Append implements [Log].
func (l *segmentLog) Append(g Group) error {
	if err := l.begin(g); err != nil {
		return fmt.Errorf("log append: %w", err)
	}
	if err := l.write(g); err != nil {
		l.fail(err)
		return fmt.Errorf("log append: %w", err)
	}
	return nil
}

// begin checks that g can be appended and makes sure that there are segments
// ready for all of it, so that a full device is found before anything is
// written.
func (l *segmentLog) begin(g Group) error {
	l.mu.Lock()
	defer l.mu.Unlock()

	if err := l.usableLocked(); err != nil {
		return err
	}
	if l.opt.inspect {
		return errInspected
	}
	if !l.scanned {
		if err := l.scanLocked(); err != nil {
			return err
		}
	}
	if uint64(len(g.Payload)) > maxGroupBytes {
		return errGroupTooLarge
	}
	if err := checkGroup(g, l.opt.epoch, l.last); err != nil {
		return err
	}
	need := l.needLocked(len(g.Payload))
	if need == 0 {
		return nil
	}
	return l.awaitLocked(need)
}

// usableLocked returns the error of a log that has failed or been closed.
func (l *segmentLog) usableLocked() error {
	if l.err != nil {
		return l.err
	}
	if l.closed {
		return ErrClosed
	}
	return nil
}

// scanLocked finds the end of the log without replaying any of it.
func (l *segmentLog) scanLocked() error {
	l.mu.Unlock() // nothing else but Size and Synced may run now
	err := l.scan(0, func(Group) error { return nil })
	l.mu.Lock()
	return err
}

// fail poisons the log: nobody knows what a failed write or sync has left on
// the device, and a second attempt would be told that all is well.
func (l *segmentLog) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = fmt.Errorf("the log has failed: %w", err)
	}
}

// minPart is the smallest part of a payload that is worth a frame of its own.
const minPart = 64

// room returns how many bytes of payload the rest of a segment takes in one
// frame, 0 if the next segment should be taken instead. n is what is left of
// the group.
func room(s *segment, n int) int {
	left := s.size - s.end - frameHeader
	left -= left % frameAlign
	switch {
	case left >= int64(n):
		return min(n, maxFrameBytes)
	case left < minPart || left < s.size/8 && s.end > 0:
		return -1 // a group is one frame, and one write, where that wastes little
	}
	return int(min(left, maxFrameBytes))
}

// needLocked returns how many bytes of ready segments, at least, a payload of n
// bytes takes behind the active segment; 0 if it fits there.
func (l *segmentLog) needLocked(n int) int64 {
	var s segment // a copy to play with
	if len(l.live) > 0 {
		s = *l.active()
	}
	for {
		part := room(&s, n)
		if part < 0 {
			// A segment may lose an eighth at its end, and as much to a header.
			return int64(frameSize(n)) + int64(n)/2
		}
		n -= part
		s.end += int64(frameSize(part))
		if n == 0 {
			return 0
		}
	}
}

// active returns the segment that takes the appends.
func (l *segmentLog) active() *segment { return l.live[len(l.live)-1] }

// write writes the frames of g.
func (l *segmentLog) write(g Group) error {
	f := frame{store: l.opt.store, epoch: g.Epoch, first: g.First, count: g.Count, synced: l.Synced()}
	rest := g.Payload
	for {
		s := l.tail()
		n := -1
		if s != nil {
			n = room(s, len(rest))
		}
		if n < 0 {
			if err := l.advance(); err != nil {
				return err
			}
			continue
		}
		f.segment, f.payload, f.last = s.number, rest[:n], n == len(rest)
		rest = rest[n:]
		if f.last {
			f.total = uint32(len(g.Payload))
			if f.part > 0 {
				f.sum = crc32.Checksum(g.Payload, castagnoli())
			}
		}
		if err := l.writeFrame(s, &f); err != nil {
			return err
		}
		if f.last {
			return nil
		}
		f.part++
	}
}

// tail returns the active segment, nil if there is none.
func (l *segmentLog) tail() *segment {
	l.mu.Lock()
	defer l.mu.Unlock()

	if len(l.live) == 0 {
		return nil
	}
	return l.active()
}

// writeFrame writes a frame at the end of the active segment s. After the last
// one of a group the group counts.
func (l *segmentLog) writeFrame(s *segment, f *frame) error {
	if s.file == nil {
		file, err := l.opt.fs.OpenFile(l.name(s.number), os.O_RDWR, 0)
		if err != nil {
			return err
		}
		s.file = file
	}
	l.buf = appendFrame(l.buf[:0], f)
	// Near the end of a segment the padding may not fit; it carries nothing.
	b := l.buf[:min(int64(len(l.buf)), s.size-s.end)]
	if _, err := s.file.WriteAt(b, s.end); err != nil {
		return fmt.Errorf("%s at offset %d: %w", l.name(s.number), s.end, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s.end += int64(len(b))
	s.dirty = true
	if f.seal() {
		return nil
	}
	s.last = f.end()
	if f.last {
		l.last = f.end()
	}
	return nil
}

// advance makes the next ready segment the active one, waiting for it if it
// must.
func (l *segmentLog) advance() error {
	l.mu.Lock()
	defer l.mu.Unlock()

	if len(l.ready) == 0 {
		if err := l.awaitLocked(1); err != nil {
			return err
		}
	}
	next := l.ready[0]
	l.ready = l.ready[1:]
	next.last = l.last
	l.live = append(l.live, next)
	l.changed.Broadcast()
	return nil
}

// Sync implements [Log].
func (l *segmentLog) Sync() error {
	l.mu.Lock()
	if err := l.usableLocked(); err != nil {
		l.mu.Unlock()
		return fmt.Errorf("log sync: %w", err)
	}
	through := l.last
	var dirty []*segment
	for _, s := range l.live {
		if s.dirty {
			s.dirty = false
			dirty = append(dirty, s)
		}
	}
	l.mu.Unlock()

	for _, s := range dirty {
		if err := s.file.SyncData(); err != nil {
			err = fmt.Errorf("%s: %w", l.name(s.number), err)
			l.fail(err)
			return fmt.Errorf("log sync: %w", err)
		}
	}
	if err := l.noteSynced(through, dirty); err != nil {
		return fmt.Errorf("log sync: %w", err)
	}
	return nil
}

// noteSynced notes that all transactions up to through are durable and closes
// the files among segments that will not be written again.
func (l *segmentLog) noteSynced(through LSN, segments []*segment) error {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.synced = max(l.synced, through)
	var err error
	for _, s := range segments {
		if s != l.active() && !s.dirty {
			err = errors.Join(err, closeSegment(s))
		}
	}
	return err
}

// closeSegment closes the file of a segment if it is open.
func closeSegment(s *segment) error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}

// Synced implements [Log].
func (l *segmentLog) Synced() LSN {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.synced
}

// Replay implements [Log].
func (l *segmentLog) Replay(from LSN, fn func(Group) error) error {
	l.mu.Lock()
	closed := l.closed
	l.mu.Unlock()
	if closed {
		return fmt.Errorf("log replay: %w", ErrClosed)
	}
	return l.scan(from, fn)
}

// TruncateBefore implements [Log]: it lets go the segments in front whose
// groups are all older than lsn, except the active one.
func (l *segmentLog) TruncateBefore(lsn LSN) error {
	l.mu.Lock()
	if err := l.usableLocked(); err != nil {
		l.mu.Unlock()
		return fmt.Errorf("log truncate: %w", err)
	}
	if !l.scanned {
		l.mu.Unlock()
		return nil // what the segments hold is not known yet
	}
	before := l.sizeLocked()
	n := 0
	for n < len(l.live)-1 && l.live[n].last < min(lsn, l.synced+1) && !l.live[n].dirty {
		n++
	}
	var err error
	for _, s := range l.live[:n] {
		err = errors.Join(err, closeSegment(s))
	}
	if n > 0 {
		l.spare = append(l.spare, l.live[:n]...)
		l.live = append([]*segment(nil), l.live[n:]...)
		l.peak, l.prior = max(before, l.prior), before
	}
	excess := l.excessLocked()
	l.mu.Unlock()

	for _, s := range excess {
		err = errors.Join(err, l.opt.fs.Remove(l.name(s.number)))
	}
	if err != nil {
		return fmt.Errorf("log truncate: %w", err)
	}
	return nil
}

// excessLocked takes from the spare segments those that are smaller than what
// will be needed, and those beyond what the log has lately grown to.
func (l *segmentLog) excessLocked() (excess []*segment) {
	keep := l.spare[:0]
	size, budget := l.nextSizeLocked(), l.peak
	for _, s := range l.spare {
		if s.size < size || s.size > budget {
			excess = append(excess, s)
			continue
		}
		budget -= s.size
		keep = append(keep, s)
	}
	l.spare = keep
	return excess
}

// Size implements [Log].
func (l *segmentLog) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sizeLocked()
}

// sizeLocked returns the bytes in live segments.
func (l *segmentLog) sizeLocked() (n int64) {
	for _, s := range l.live {
		n += s.end
	}
	return n
}

// Close implements [Log]. A log that has not failed is sealed: a frame without
// transactions says that all before it was durable, so that damage to the last
// group is told from a torn write.
func (l *segmentLog) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	failed := l.err
	l.mu.Unlock()

	var err error
	if failed == nil {
		err = l.seal()
	}
	l.mu.Lock()
	l.closed = true
	l.changed.Broadcast()
	l.mu.Unlock()
	l.wg.Wait()

	for _, list := range [][]*segment{l.live, l.ready} {
		for _, s := range list {
			err = errors.Join(err, closeSegment(s))
		}
	}
	if err != nil {
		return fmt.Errorf("log close: %w", err)
	}
	return nil
}

// seal syncs the log and ends it with a seal, if there is room for one. The
// next life overwrites it.
func (l *segmentLog) seal() error {
	if err := l.Sync(); err != nil {
		return err
	}
	s := l.tail()
	if !l.scanned || s == nil || s.file == nil || s.size-s.end < frameHeader {
		return nil
	}
	f := frame{store: l.opt.store, epoch: l.opt.epoch, segment: s.number, first: l.last + 1, synced: l.last, last: true}
	if err := l.writeFrame(s, &f); err != nil {
		l.fail(err)
		return err
	}
	return l.Sync()
}
