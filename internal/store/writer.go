package store

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/brockdb/brock/internal/engine"
)

// writerLock admits one writer at a time. It is a mutex with two additions: it
// knows whether its holder runs user code, and a writer that has waited for
// such a holder for nestedAfter looks at its own stack: where it stands inside
// the callback of an Update of the same store, it would wait for itself.
type writerLock struct {
	held    atomic.Bool
	user    atomic.Bool   // the holder runs user code
	waiters atomic.Int32  // writers that sleep, or are about to
	wake    chan struct{} // one token: the lock may be free

	starving atomic.Int32  // those of them that have waited for starvesAfter
	handed   chan struct{} // unbuffered: the receiver holds the lock
}

const (
	// nestedAfter is how long a writer waits before it asks whether it waits
	// for itself.
	nestedAfter = 10 * time.Millisecond
	// starvesAfter is how long a writer waits until it is served before others.
	starvesAfter = time.Millisecond
	// lockSpins is how often a writer tries again before it sleeps: most
	// changes take less than a microsecond.
	lockSpins = 3000
)

// lock takes the lock, or fails with ErrNested.
func (w *writerLock) lock() error {
	if w.held.CompareAndSwap(false, true) {
		return nil
	}
	for n := 0; n < lockSpins && !w.user.Load(); n++ {
		if !w.held.Load() && w.held.CompareAndSwap(false, true) {
			return nil
		}
	}
	w.waiters.Add(1)
	defer w.waiters.Add(-1)
	if !w.user.Load() {
		return w.lockSlow(nil)
	}
	// If the holder's code is the caller's, it stays so while the caller waits.
	timer := time.NewTimer(nestedAfter)
	defer timer.Stop()
	return w.lockSlow(timer.C)
}

// tryLock takes the lock if it is free.
func (w *writerLock) tryLock() bool { return w.held.CompareAndSwap(false, true) }

// lockSoon takes the lock unless that takes longer than a short change of
// another writer.
func (w *writerLock) lockSoon() bool {
	for n := 0; n < lockSpins && !w.user.Load(); n++ {
		if !w.held.Load() && w.held.CompareAndSwap(false, true) {
			return true
		}
	}
	return false
}

// lockOutside is lock for who cannot stand inside a callback: it does not fail.
func (w *writerLock) lockOutside() {
	w.waiters.Add(1)
	defer w.waiters.Add(-1)
	_ = w.lockSlow(nil) // fails only if it is asked to look
}

// lockSlow sleeps until the lock is free, or until ask tells it to look whether
// it waits for itself. Whoever comes along meanwhile may be faster, which is
// good for throughput; after starvesAfter the lock is handed over.
func (w *writerLock) lockSlow(ask <-chan time.Time) error {
	since, starving := time.Now(), false
	defer func() {
		if starving {
			w.starving.Add(-1)
		}
	}()
	for !w.held.CompareAndSwap(false, true) {
		select {
		case <-w.handed:
			return nil
		case <-w.wake:
		case <-ask:
			if w.onStack() {
				w.pass()
				return ErrNested
			}
		}
		if !starving && time.Since(since) > starvesAfter {
			starving = true
			w.starving.Add(1)
		}
	}
	return nil
}

// unlock releases the lock.
func (w *writerLock) unlock() {
	if w.user.Load() {
		w.user.Store(false)
	}
	if w.starving.Load() > 0 {
		select {
		case w.handed <- struct{}{}: // still held, by whoever received it
			return
		default:
		}
	}
	w.held.Store(false)
	if w.waiters.Load() > 0 {
		w.pass()
	}
}

// pass leaves a token for one of those who sleep.
func (w *writerLock) pass() {
	post(w.wake)
}

// lockWriter takes the writer lock of a store that is usable, once there is
// room in the open group.
func (s *Store) lockWriter(later *Later) error {
	noWait := later != nil && later.NoWait
	for {
		if noWait && !s.writer.lockSoon() {
			return ErrWait
		} else if !noWait {
			if err := s.writer.lock(); err != nil {
				return err
			}
		}
		full := s.wlog.full.Load()
		err := s.writable()
		if err == nil && !full {
			return nil
		}
		s.releaseWriter()
		if err != nil {
			return err
		}
		if noWait {
			return ErrWait
		}
		if err := s.wlog.await(s.committed.Load(), false); err != nil {
			return s.fail(err)
		}
	}
}

// writable returns why changes are refused, or nil. The caller holds the writer
// lock.
func (s *Store) writable() error {
	err := s.usable()
	if s.unseen > roomEvery {
		s.unseen = 0
		s.checkSpace()
	}
	if err == nil && s.full.Load() {
		err = fmt.Errorf("changes are refused: %w", engine.ErrNoSpace)
	}
	return err
}

// Which store a callback belongs to is written on the stack: mark calls fn
// through one of four functions for each two bits of the lock's address, which
// is all that a stack trace can show.
const markDigits = 16

// digits returns the bits of the address that tell locks apart.
func (w *writerLock) digits() uint64 { return uint64(uintptr(unsafe.Pointer(w))) >> 5 }

// mark calls fn, the user's callback, so that onStack finds it.
func (w *writerLock) mark(fn func() error) error {
	w.user.Store(true)
	return markDigit(w.digits(), markDigits, fn)
}

func markDigit(digits uint64, n int, fn func() error) error {
	if n == 0 {
		return fn()
	}
	switch digits & 3 {
	case 0:
		return mark0(digits>>2, n-1, fn)
	case 1:
		return mark1(digits>>2, n-1, fn)
	case 2:
		return mark2(digits>>2, n-1, fn)
	default:
		return mark3(digits>>2, n-1, fn)
	}
}

//go:noinline
func mark0(digits uint64, n int, fn func() error) error { return markDigit(digits, n, fn) }

//go:noinline
func mark1(digits uint64, n int, fn func() error) error { return markDigit(digits, n, fn) }

//go:noinline
func mark2(digits uint64, n int, fn func() error) error { return markDigit(digits, n, fn) }

//go:noinline
func mark3(digits uint64, n int, fn func() error) error { return markDigit(digits, n, fn) }

// onStack tells whether the caller stands inside a callback that mark called.
func (w *writerLock) onStack() bool {
	pcs := make([]uintptr, 64)
	for len(pcs) == runtime.Callers(2, pcs) {
		pcs = make([]uintptr, 4*len(pcs))
	}
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	want := w.digits() & (1<<(2*markDigits) - 1)
	var got uint64 // the frames come innermost first: the highest digit first
	for n := 0; ; {
		f, more := frames.Next()
		name := f.Function[strings.LastIndexByte(f.Function, '.')+1:]
		switch {
		case len(name) == 5 && strings.HasPrefix(name, "mark") && inModule(f.Function):
			got = got<<2 | uint64(name[4]-'0')
			if n++; n == markDigits {
				if got == want {
					return true
				}
				n, got = 0, 0
			}
		case name != "markDigit":
			n, got = 0, 0
		}
		if !more {
			return false
		}
	}
}

// inModule tells whether a function belongs to this module, tests excepted.
func inModule(function string) bool {
	return strings.HasPrefix(function, "github.com/brockdb/brock") && !strings.Contains(function, "_test.")
}
