package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brockdb/brock/internal/engine"
)

// Durability says when a change is acknowledged.
type Durability int32

// The durability modes, see package brock.
const (
	EverySecond Durability = iota
	Always
	Relaxed
)

// commitLog gathers committed transactions in groups and has them written:
// whoever waits and finds no write in progress writes for all who queued
// (leader and followers).
type commitLog struct {
	log   engine.Log // nil for a store without a directory
	epoch uint64

	full    atomic.Bool   // the open group is as large as it may be, see lockWriter
	written atomic.Uint64 // the last transaction that is written
	synced  atomic.Uint64 // the last transaction that is durable
	active  atomic.Int32  // callers between their commit and their return

	mu      sync.Mutex
	open    *group      // takes transactions
	spare   *group      // the other buffer
	writing *group      // being written
	woken   []*follower // empty, room for followers
	err     error       // what poisoned the log
	writes  latencies
	syncs   latencies

	syncMu sync.Mutex // one sync at a time

	idle sync.Pool // of *follower
}

// group is a run of transactions, written with one call.
type group struct {
	buf   []byte
	first uint64
	count uint32
	led   bool        // somebody is about to write it
	waits []*follower // who waits for it, and does not lead
}

// follower is somebody who waits for a group.
type follower struct {
	turn chan bool // one word: false when the group is written, true if the follower is to lead
}

func (g *group) last() uint64 { return g.first + uint64(g.count) - 1 }

// reset empties g for use as the open group.
func (g *group) reset() {
	g.buf, g.count, g.led, g.waits = g.buf[:0], 0, false, g.waits[:0]
	if cap(g.buf) > 16<<20 {
		g.buf = nil
	}
}

// yields is how often a leader lets others run before it writes, so that they
// join the group.
const yields = 3

// maxOpen bounds the open group, but for its last transaction.
const maxOpen = 16 << 20

// append adds a transaction's records to the open group; the caller holds the
// writer lock. It tells whether the group was empty.
func (l *commitLog) append(lsn uint64, recs []byte) (first bool) {
	l.mu.Lock()
	g := l.open
	if g.count == 0 {
		g.first, first = lsn, true
	}
	g.buf = binary.AppendUvarint(g.buf, uint64(len(recs)))
	g.buf = append(g.buf, recs...)
	g.count++
	if len(g.buf) >= maxOpen {
		l.full.Store(true)
	}
	l.mu.Unlock()
	return first
}

// join adds f to those who wait for the group of a transaction, or lets it go on
// if that was written, or failed. The caller sees to it that the group is led,
// see lead.
func (l *commitLog) join(lsn uint64, f *follower) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g := l.groupOf(lsn); g != nil {
		g.waits = append(g.waits, f)
	} else {
		f.turn <- false
	}
}

// groupOf returns the group of a transaction that is committed, nil if it was
// written, or failed. The caller holds mu.
func (l *commitLog) groupOf(lsn uint64) *group {
	switch w := l.writing; {
	case w != nil && lsn <= w.last():
		return w
	case l.err != nil || lsn <= l.written.Load():
		return nil
	}
	return l.open
}

// await returns when the transaction is written, or with sync durable.
func (l *commitLog) await(lsn uint64, sync bool) error {
	if l.log == nil {
		return nil
	}
	done := &l.written
	if sync {
		done = &l.synced
	}
	for done.Load() < lsn {
		if err := l.awaitOnce(lsn, sync); err != nil {
			return err
		}
	}
	return nil
}

// awaitOnce leads a write if none is in progress, else waits for one.
func (l *commitLog) awaitOnce(lsn uint64, sync bool) error {
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		return l.err
	}
	if l.written.Load() >= lsn { // meanwhile
		l.mu.Unlock()
		if !sync {
			return nil
		}
		return l.sync()
	}
	if l.writing == nil && !l.open.led {
		l.open.led = true
		l.mu.Unlock()
		return l.write(sync)
	}
	g := l.groupOf(lsn)
	f, _ := l.idle.Get().(*follower)
	if f == nil {
		f = &follower{make(chan bool, 1)}
	}
	g.waits = append(g.waits, f)
	l.mu.Unlock()
	lead := <-f.turn
	l.idle.Put(f)
	if lead {
		return l.write(sync)
	}
	return nil
}

// tryWrite has a transaction written if nobody else writes, and tells whether
// it is.
func (l *commitLog) tryWrite(lsn uint64) bool {
	l.mu.Lock()
	lead := l.err == nil && l.writing == nil && !l.open.led && l.open.count > 0
	l.open.led = l.open.led || lead
	l.mu.Unlock()
	if lead && l.write(false) != nil {
		return false // who waits for it is told
	}
	return l.written.Load() >= lsn
}

// write writes the open group. The caller has been made its leader.
func (l *commitLog) write(sync bool) error {
	for i := 0; i < yields && l.active.Load() > 1; i++ {
		runtime.Gosched() // let those who are about to commit join
	}
	l.mu.Lock()
	g, err := l.open, l.err
	l.open, l.writing = l.spare, g
	l.open.reset()
	l.full.Store(false)
	l.spare = nil
	l.mu.Unlock()

	began := time.Now()
	if err == nil { // nothing is written behind what may be missing
		err = l.log.Append(engine.Group{Epoch: l.epoch, First: g.first, Count: g.count, Payload: g.buf})
	}
	took := time.Since(began)
	if err == nil {
		l.written.Store(g.last())
		if sync {
			err = l.sync()
		}
	}
	l.mu.Lock()
	l.writes.add(took)
	if err != nil {
		l.poison(err)
	}
	err = l.err
	waits := g.waits
	g.waits, l.woken = l.woken, nil
	l.writing, l.spare = nil, g
	l.leadNext()
	l.mu.Unlock()
	for _, f := range waits {
		f.turn <- false
	}
	l.mu.Lock()
	l.woken = emptied(waits)
	l.mu.Unlock()
	return err
}

// lead sees to it that somebody writes the open group if others wait for it.
func (l *commitLog) lead() {
	l.mu.Lock()
	l.leadNext()
	l.mu.Unlock()
}

// leadNext is lead for a caller who holds mu.
func (l *commitLog) leadNext() {
	g := l.open
	if n := len(g.waits) - 1; n >= 0 && l.writing == nil && !g.led {
		g.led = true
		g.waits[n].turn <- true
		g.waits[n], g.waits = nil, g.waits[:n]
	}
}

// poison keeps the first error of the log; every later call gets it. The
// caller holds mu.
func (l *commitLog) poison(err error) {
	switch {
	case l.err != nil:
	case errors.Is(err, ErrPoisoned):
		l.err = err
	default:
		l.err = fmt.Errorf("%w: %w", ErrPoisoned, err)
	}
}

// failed returns what poisoned the log.
func (l *commitLog) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// sync makes all that is written durable.
func (l *commitLog) sync() error {
	l.syncMu.Lock()
	defer l.syncMu.Unlock()
	upTo := l.written.Load()
	if err := l.failed(); err != nil || l.synced.Load() >= upTo {
		return err // after a failed sync the next would be told that all is well
	}
	began := time.Now()
	err := l.log.Sync()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.syncs.add(time.Since(began))
	if err != nil {
		l.poison(err)
		return l.err
	}
	l.synced.Store(upTo)
	return nil
}

// latency returns how long writes and syncs took.
func (l *commitLog) latency() (write, sync Latency) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writes.summary(), l.syncs.summary()
}

// flush has the open group written, whoever waits for it. After a failure it
// tells so: what nobody waited for is lost.
func (l *commitLog) flush(sync bool) error {
	if l.log == nil {
		return nil
	}
	l.mu.Lock()
	if err := l.err; err != nil {
		l.mu.Unlock()
		return err
	}
	lsn := l.written.Load()
	if l.writing != nil {
		lsn = l.writing.last()
	}
	if l.open.count > 0 {
		lsn = l.open.last()
	}
	l.mu.Unlock()
	return l.await(lsn, sync)
}

// errTorn is what a group whose payload makes no sense is reported as.
var errTorn = errors.New("transactions do not fill the group")

// transactions calls fn with the records of each transaction of a group.
func transactions(g engine.Group, fn func(lsn uint64, recs []byte) error) error {
	d := decoder{b: g.Payload}
	for i := range uint64(g.Count) {
		recs := d.bytes()
		if d.bad {
			return fmt.Errorf("store: transaction %d: %w: %w", g.First+i, errTorn, engine.ErrCorrupt)
		}
		if err := fn(g.First+i, recs); err != nil {
			return fmt.Errorf("store: transaction %d: %w", g.First+i, err)
		}
	}
	if len(d.b) != 0 {
		return fmt.Errorf("store: transaction %d: %w: %w", g.Last(), errTorn, engine.ErrCorrupt)
	}
	return nil
}
