package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
)

// scanner reads the log in order and finds its end.
type scanner struct {
	log  *segmentLog
	from LSN
	fn   func(Group) error
	segs []*segment // ascending, with gaps perhaps
	read segmentReader

	next  LSN    // number of the next transaction, 0 while unknown
	epoch uint64 // of the newest frame

	inGroup bool   // between the first part of a group and its last
	discard bool   // the group began in a segment that is not read
	head    frame  // of the group's first part read
	part    uint32 // index of the part that has to come
	payload []byte // of the group, if it has several parts

	// The position behind the last whole group, where the next life's first
	// frame goes: index into segs and offset.
	endSeg int
	endOff int64

	begin LSN   // before it lie the groups that end in segments not read
	ends  []LSN // per segment read, the last transaction of its last frame's group
}

// scan calls fn for the groups that hold transactions from or higher. The first
// complete scan fixes the end of the log, unless that is only inspected.
func (l *segmentLog) scan(from LSN, fn func(Group) error) error {
	l.mu.Lock()
	segs := append(append([]*segment(nil), l.live...), l.ready...)
	first := !l.scanned && !l.opt.inspect
	l.mu.Unlock()

	s := &scanner{log: l, from: from, fn: fn, segs: segs, ends: make([]LSN, len(segs))}
	defer s.read.close()
	start, err := s.start()
	if err != nil {
		return fmt.Errorf("log replay: %w", err)
	}
	if first {
		// What a kill has left in the page cache: fn may fold what it gets into
		// the base, which must not be ahead of the log.
		for _, seg := range segs {
			if err := syncFile(l.opt.fs, l.name(seg.number)); err != nil {
				return fmt.Errorf("log replay: %w", err)
			}
		}
	}
	if err := s.run(start); err != nil {
		return err
	}
	if !first {
		return nil
	}
	if err := s.finish(); err != nil {
		return fmt.Errorf("log replay: %w", err)
	}
	return nil
}

// start returns the index of the segment to read first: the last one that
// begins at or before from. If there is none, it is the first of those without
// a gap up to the newest; what Replay gives then begins behind from.
func (s *scanner) start() (int, error) {
	run := max(0, len(s.segs)-1)
	for run > 0 && s.segs[run-1].number+1 == s.segs[run].number {
		run--
	}
	if s.from == 0 {
		return run, nil
	}
	for i := range slices.Backward(s.segs) {
		f, ok, err := s.frameAt(i, 0)
		if err != nil {
			return 0, err
		}
		if ok && (f.part == 0 && f.first <= s.from || f.part > 0 && f.end() < s.from) {
			return i, nil
		}
	}
	return run, nil
}

// frameAt reads the frame at an offset of a segment. It reports false if there
// is no valid one.
func (s *scanner) frameAt(i int, off int64) (frame, bool, error) {
	seg := s.segs[i]
	if err := s.read.open(s.log, seg); err != nil {
		return frame{}, false, err
	}
	b, err := s.read.at(off, frameHeader)
	if err != nil || len(b) < frameHeader {
		return frame{}, false, err
	}
	n := binary.LittleEndian.Uint32(b[4:])
	if n > maxFrameBytes || binary.LittleEndian.Uint64(b[frameStoreAt:]) != s.log.opt.store {
		return frame{}, false, nil
	}
	b, err = s.read.at(off, frameHeader+int(n))
	if err != nil {
		return frame{}, false, err
	}
	f, ok := decodeFrame(b, s.log.opt.store, seg.number)
	return f, ok, nil
}

// run reads frames from the beginning of a segment up to the end of the log.
func (s *scanner) run(i int) error {
	s.endSeg = i
	off := int64(0)
	for i < len(s.segs) {
		f, ok, err := s.frameAt(i, off)
		if err != nil {
			return fmt.Errorf("log replay: %w", err)
		}
		if ok && s.follows(&f) {
			off += int64(frameSize(len(f.payload)))
			if err := s.accept(&f, i, off); err != nil {
				return err
			}
			continue
		}
		next, err := s.continues(i)
		if err != nil {
			return err
		}
		if next {
			i, off = i+1, 0
		} else if behind := s.behindGap(i); behind > 0 {
			s.next, s.inGroup, s.begin = 0, false, 0
			s.endSeg, s.endOff = behind, 0
			i, off = behind, 0
		} else {
			return s.checkLost(i, off)
		}
	}
	return nil
}

// behindGap returns the segment to go on with, behind a gap in the numbers, if
// what ends in the i-th segment is not the log: it ends before from, that is,
// before what the base has and the log had to reach. Those are old segments
// that wait to be used again; one between them and the log has been.
func (s *scanner) behindGap(i int) int {
	if s.expected() >= s.from {
		return 0
	}
	for i++; i < len(s.segs); i++ {
		if s.segs[i].number != s.segs[i-1].number+1 {
			return i
		}
	}
	return 0
}

// expected returns the number of the first transaction that was not found.
func (s *scanner) expected() LSN {
	switch {
	case s.inGroup:
		return s.head.first
	case s.next == 0:
		return max(s.from, 1)
	}
	return s.next
}

// continues tells whether the log goes on in the segment behind the i-th.
func (s *scanner) continues(i int) (bool, error) {
	if i+1 >= len(s.segs) || s.segs[i+1].number != s.segs[i].number+1 || s.next == 0 && !s.inGroup {
		return false, nil
	}
	f, ok, err := s.frameAt(i+1, 0)
	if err != nil {
		return false, fmt.Errorf("log replay: %w", err)
	}
	return ok && s.follows(&f), nil
}

// follows tells whether f is exactly what comes next: no gap, no older epoch.
func (s *scanner) follows(f *frame) bool {
	switch {
	case f.epoch < s.epoch:
		return false
	case s.inGroup:
		return f.part == s.part && f.first == s.head.first && f.count == s.head.count && f.epoch == s.head.epoch
	case s.next == 0:
		return true
	}
	return f.part == 0 && f.first == s.next
}

// accept takes in a frame that follows; off is the offset behind it.
func (s *scanner) accept(f *frame, i int, off int64) error {
	s.epoch = f.epoch
	if f.seal() {
		s.next = f.first
		return nil // the next group overwrites it
	}
	if s.begin == 0 {
		s.begin = f.end() + 1
	}
	s.ends[i] = f.end()
	if !s.inGroup {
		s.inGroup, s.discard, s.head = true, f.part > 0, *f
		s.payload = s.payload[:0]
	}
	s.part = f.part + 1
	payload := f.payload
	if !s.discard && (f.part > 0 || !f.last) {
		s.payload = append(s.payload, f.payload...)
		payload = s.payload
	}
	if !f.last {
		return nil
	}
	s.inGroup = false
	s.next = f.end() + 1
	s.endSeg, s.endOff = i, off
	if f.end() < s.from || s.discard && s.from == 0 {
		return nil
	}
	if s.discard {
		return fmt.Errorf("log replay: transactions %d to %d begin before %s, the oldest segment: %w",
			f.first, f.end(), s.log.name(s.segs[0].number), ErrCorrupt)
	}
	if int(f.total) != len(payload) || f.part > 0 && f.sum != crc32.Checksum(payload, castagnoli()) {
		return fmt.Errorf("log replay: transactions %d to %d, ending before offset %d of %s: %w",
			f.first, f.end(), off, s.log.name(s.segs[i].number), ErrCorrupt)
	}
	return s.fn(Group{Epoch: f.epoch, First: f.first, Count: f.count, Payload: payload})
}

// checkLost looks behind the end of the log for a frame that proves that what
// should stand there had been made durable, as from does for what lies before
// it: then its loss is damage, which a crash does not explain.
func (s *scanner) checkLost(i int, off int64) error {
	expected := s.expected()
	if blank, err := s.blank(i, off); err != nil {
		return fmt.Errorf("log replay: %w", err)
	} else if blank && i+1 < len(s.segs) {
		i, off = i+1, 0 // the segment had ended; the next one should go on
	}
	for j := i; j < len(s.segs); j++ {
		at := int64(0)
		if j == i {
			at = off
		}
		witness, err := s.witness(j, at, expected)
		if err != nil {
			return fmt.Errorf("log replay: %w", err)
		}
		if witness >= 0 {
			return fmt.Errorf("log replay: transaction %d at offset %d of %s is damaged, the frame at offset %d of %s knew it to be durable: %w",
				expected, off, s.log.name(s.segs[i].number), witness, s.log.name(s.segs[j].number), ErrCorrupt)
		}
	}
	if expected < s.from {
		return fmt.Errorf("log replay: it ends before transaction %d, at offset %d of %s, where it was durable up to %d: %w",
			expected, off, s.log.name(s.segs[i].number), s.from-1, ErrCorrupt)
	}
	return nil
}

// blank tells whether nothing was ever written at an offset of a segment, or
// nothing fits there.
func (s *scanner) blank(i int, off int64) (bool, error) {
	if err := s.read.open(s.log, s.segs[i]); err != nil {
		return false, err
	}
	b, err := s.read.at(off, frameHeader)
	return len(b) < frameHeader || len(bytes.Trim(b, "\x00")) == 0, err
}

// witness returns the offset of a valid frame, at or behind off in the i-th
// segment, that was written when transaction lsn was durable; -1 if there is
// none.
func (s *scanner) witness(i int, off int64, lsn LSN) (int64, error) {
	if err := s.read.open(s.log, s.segs[i]); err != nil {
		return 0, err
	}
	id := binary.LittleEndian.AppendUint64(nil, s.log.opt.store)
	for {
		b, err := s.read.at(off, readWindow)
		if err != nil {
			return 0, err
		}
		if len(b) < frameHeader {
			return -1, nil
		}
		at := bytes.Index(b, id)
		if at < 0 {
			off += int64(len(b) - len(id) + 1)
			continue
		}
		at -= frameStoreAt
		if at < 0 || (off+int64(at))%frameAlign != 0 {
			off += int64(at + frameStoreAt + 1)
			continue
		}
		off += int64(at)
		f, ok, err := s.frameAt(i, off)
		if err != nil {
			return 0, err
		}
		if ok && f.epoch >= s.epoch && f.synced >= lsn {
			return off, nil
		}
		off += frameStoreAt + 1
	}
}

// finish fixes the end of the log for its appends: it sorts the segments into
// live, ready and spare, and wipes what an earlier life left behind the end.
func (s *scanner) finish() error {
	l := s.log
	low := s.endSeg
	for low > 0 && s.segs[low-1].number+1 == s.segs[low].number {
		low--
	}
	ready, err := s.leftBehind()
	if err != nil {
		return err
	}
	var live []*segment
	if len(s.segs) > 0 {
		live = s.segs[low : s.endSeg+1]
		live[len(live)-1].end = s.endOff
	}
	last := max(s.next, 1) - 1
	for i, seg := range live {
		seg.last = max(s.ends[low+i], s.begin)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live, l.ready, l.spare = live, ready, s.segs[:low]
	l.last, l.synced = last, last
	l.scanned = true
	l.changed.Broadcast()
	return nil
}

// leftBehind returns the segments behind the end that are ready for use, and
// removes those that a gap in the numbers separates from them.
func (s *scanner) leftBehind() (ready []*segment, err error) {
	gap := false
	for i := s.endSeg + 1; i < len(s.segs); i++ {
		seg := s.segs[i]
		gap = gap || seg.number != s.segs[i-1].number+1
		if gap {
			if err := s.log.opt.fs.Remove(s.log.name(seg.number)); err != nil {
				return nil, err
			}
			continue
		}
		if err := s.wipe(i); err != nil {
			return nil, err
		}
		seg.end = 0
		ready = append(ready, seg)
	}
	return ready, nil
}

// wipe destroys the first frame of the i-th segment, which lies behind the end
// of the log, if it has one. Else a later Replay could take the segment for
// one to begin with.
func (s *scanner) wipe(i int) error {
	_, ok, err := s.frameAt(i, 0)
	if err != nil || !ok {
		return err
	}
	return wipeFirst(s.log.opt.fs, s.log.name(s.segs[i].number))
}

// wipeFirst destroys the first frame of a segment, durably.
func wipeFirst(fsys FS, name string) error {
	f, err := fsys.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(make([]byte, frameHeader), 0); err == nil {
		err = f.SyncData()
	}
	return errors.Join(err, f.Close())
}

// syncFile makes the contents of a file durable.
func syncFile(fsys FS, name string) error {
	f, err := fsys.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.SyncData(), f.Close())
}

// readWindow is how much of a segment is read at once: a frame of the largest
// size fits.
const readWindow = maxFrameBytes + 64<<10

// segmentReader reads one segment at a time through a window.
type segmentReader struct {
	number uint64 // of the open segment
	name   string
	file   File // nil if none is open
	size   int64

	buf  []byte // the window's bytes
	base int64  // the offset of its first
}

// open makes seg the segment that is read.
func (r *segmentReader) open(l *segmentLog, seg *segment) error {
	if r.file != nil && r.number == seg.number {
		return nil
	}
	r.close()
	name := l.name(seg.number)
	f, err := l.opt.fs.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	r.file, r.number, r.name, r.size = f, seg.number, name, seg.size
	r.buf, r.base = r.buf[:0], 0
	return nil
}

// at returns n bytes at an offset, fewer where the segment ends. They are valid
// until the next call.
func (r *segmentReader) at(off int64, n int) ([]byte, error) {
	n = int(min(int64(n), r.size-off))
	if n <= 0 {
		return nil, nil
	}
	if off >= r.base && off+int64(n) <= r.base+int64(len(r.buf)) {
		return r.buf[off-r.base:][:n], nil
	}
	window := int(min(readWindow, r.size-off))
	if cap(r.buf) < window {
		r.buf = make([]byte, window)
	}
	r.buf, r.base = r.buf[:window], off
	m, err := r.file.ReadAt(r.buf, off)
	r.buf = r.buf[:m]
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s at offset %d: %w", r.name, off, err)
	}
	return r.buf[:min(n, m)], nil
}

// close closes the open segment, if any.
func (r *segmentReader) close() {
	if r.file != nil {
		_ = r.file.Close() // it was only read
		r.file = nil
	}
}
