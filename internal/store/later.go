package store

import (
	"errors"
	"math"

	"github.com/brockdb/brock/internal/page"
)

// Later is how commands run for somebody who does not wait after each of them:
// it notes what is to be waited for in the end. Not safe for concurrent use.
type Later struct {
	// NoWait has a command that would have to wait, for the writer lock, for
	// pages or for the log, or that takes long, fail with ErrWait instead. It
	// has changed nothing then.
	NoWait bool

	lsn     uint64 // the newest change
	exposed uint64 // the newest change that was seen
}

// Take returns the newest transaction that made what commands have changed or
// seen since the last call, 0 if there is none. What tells of it may leave once
// that is as durable as the mode asks, see [Store.Released].
func (l *Later) Take() uint64 {
	lsn := max(l.lsn, l.exposed)
	l.lsn, l.exposed = 0, 0
	return lsn
}

// see notes what a command has read; it has not been given back yet. l may be
// nil.
func (l *Later) see(t *Tx) {
	if l == nil {
		return
	}
	seen := t.acc.Exposed()
	if t.spaces != nil {
		seen = max(seen, t.spaces.lsn)
	}
	if seen > l.exposed {
		l.exposed = min(seen, t.s.committed.Load()) // what a command has undone has no number
	}
}

// mustNotWait tells whether a command is refused what it asks for by err.
func (l *Later) mustNotWait(err error) bool {
	return l != nil && l.NoWait && errors.Is(err, page.ErrCold)
}

// Released returns up to which transaction everything is as durable as the mode
// asks.
func (s *Store) Released() uint64 {
	if s.wlog.log == nil {
		return math.MaxUint64
	}
	switch s.Durability() {
	case Always:
		return s.wlog.synced.Load()
	case EverySecond:
		return s.wlog.written.Load()
	default:
		return math.MaxUint64
	}
}

// Release has a transaction be as durable as the mode asks, and tells whether it
// is when Release returns. If not, because that takes a sync, or another write
// runs, it calls done once it is, with an error if that fails.
func (s *Store) Release(lsn uint64, done func(error)) bool {
	if s.Released() >= lsn || s.Durability() == EverySecond && s.wlog.tryWrite(lsn) {
		return true
	}
	go s.releaseLater(lsn, done)
	return false
}

// releaseLater calls done once a transaction is as durable as the mode asks.
func (s *Store) releaseLater(lsn uint64, done func(error)) { done(s.Acknowledge(lsn)) }
