package engine

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// prepareLoop is the log's goroutine: it keeps one segment ready, or as many as
// Append waits for, until Close. It starts with the first scan.
func (l *segmentLog) prepareLoop() {
	l.mu.Lock()
	defer l.mu.Unlock()

	for {
		for !l.closed && !l.dueLocked() {
			l.changed.Wait()
		}
		if l.closed {
			return
		}
		number, size := l.nextNumberLocked(), l.nextSizeLocked()
		old := l.takeSpareLocked(size)
		l.mu.Unlock()
		s, err := l.prepare(number, size, old)
		l.mu.Lock()
		if err != nil {
			l.prepareErr = fmt.Errorf("making segment %s ready: %w", l.name(number), err)
		} else {
			l.ready = append(l.ready, s)
		}
		l.changed.Broadcast()
	}
}

// dueLocked tells whether another segment should be made ready. After a
// failure none is until Append asks again.
func (l *segmentLog) dueLocked() bool {
	if !l.scanned || l.err != nil || l.prepareErr != nil {
		return false
	}
	return len(l.ready) == 0 && len(l.live) > 0 || l.readyLocked() < l.want
}

// readyLocked returns the bytes of all ready segments.
func (l *segmentLog) readyLocked() (n int64) {
	for _, s := range l.ready {
		n += s.size
	}
	return n
}

// awaitLocked waits until ready segments have need bytes. A device that is full
// leaves the log as it was; any other failure is the log's.
func (l *segmentLog) awaitLocked(need int64) error {
	defer func() { l.want = 0 }()
	if errors.Is(l.prepareErr, ErrNoSpace) {
		l.prepareErr = nil // there may be space again
	}
	for {
		switch {
		case l.readyLocked() >= need:
			return nil
		case l.closed:
			return ErrClosed
		case l.prepareErr != nil:
			if !errors.Is(l.prepareErr, ErrNoSpace) {
				l.err = fmt.Errorf("the log has failed: %w", l.prepareErr)
			}
			return l.prepareErr
		}
		l.want = need
		l.changed.Broadcast()
		l.changed.Wait()
	}
}

// nextNumberLocked returns the number of the next segment to be made ready.
func (l *segmentLog) nextNumberLocked() uint64 {
	switch {
	case len(l.ready) > 0:
		return l.ready[len(l.ready)-1].number + 1
	case len(l.live) > 0:
		return l.active().number + 1
	}
	return 1
}

// nextSizeLocked returns the size for the next segment: about an eighth of the
// log, so that an empty database stays small, and at most twice the last
// segment's.
func (l *segmentLog) nextSizeLocked() int64 {
	size := l.opt.first
	limit := l.opt.max
	switch {
	case len(l.ready) > 0:
		limit = min(limit, 2*l.ready[len(l.ready)-1].size)
	case len(l.live) > 0:
		limit = min(limit, 2*l.active().size)
	}
	for bytes := l.sizeLocked() + l.want; size < limit && size*8 <= bytes; {
		size *= 2
	}
	return max(l.opt.first, min(size, limit))
}

// takeSpareLocked removes and returns the smallest spare segment of that size
// or more, nil if there is none.
func (l *segmentLog) takeSpareLocked(size int64) *segment {
	best := -1
	for i, s := range l.spare {
		if s.size >= size && (best < 0 || s.size < l.spare[best].size) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	s := l.spare[best]
	l.spare = append(l.spare[:best], l.spare[best+1:]...)
	return s
}

// prepare makes a segment of at least size bytes durable under a number, from
// an old one or anew, and returns it open. What an old one holds is left there,
// but for its first frame: its frames carry another number, unless an earlier
// life had given it the same one, and a power cut took that back while it left
// what had been written, as it may where directories cannot be synced.
func (l *segmentLog) prepare(number uint64, size int64, old *segment) (*segment, error) {
	name := l.name(number)
	from := name + tempSuffix
	var err error
	if old == nil {
		if err = l.fill(from, size); err != nil {
			err = errors.Join(err, removeIfThere(l.opt.fs, from))
		}
	} else {
		from, size = l.name(old.number), old.size
		err = wipeFirst(l.opt.fs, from)
	}
	if err != nil {
		return nil, err
	}
	if err := l.opt.fs.Rename(from, name); err != nil {
		return nil, err
	}
	if err := l.opt.fs.SyncDir(l.opt.dir); err != nil {
		return nil, err
	}
	file, err := l.opt.fs.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return &segment{number: number, size: size, file: file}, nil
}

// fillPiece is how much of a new segment is written before it is synced: all at
// once would keep the syncs of commits waiting behind it.
const fillPiece = 4 << 20

// fill writes and syncs a file of zeroes.
func (l *segmentLog) fill(name string, size int64) (err error) {
	f, err := l.opt.fs.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, filePerm)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()

	zeroes := make([]byte, min(size, 256<<10))
	for off := int64(0); off < size; {
		n, err := f.WriteAt(zeroes[:min(int64(len(zeroes)), size-off)], off)
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrShortWrite
		}
		off += int64(n)
		if off%fillPiece == 0 && off < size {
			if err := f.SyncData(); err != nil {
				return err
			}
		}
	}
	return f.Sync()
}
