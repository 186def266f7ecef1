package netserver

import (
	"sync"
	"sync/atomic"
	"time"
)

// Sizes of a loop's buffers.
const (
	minBuffer  = 4 << 10  // a new output buffer
	maxBuffer  = 64 << 10 // a larger one is not kept
	keptBytes  = 4 << 20  // all that are kept
	readBuffer = 64 << 10 // what is read at once from a socket
)

// Loop runs the callbacks of connections, one at a time. An event loop has
// many connections and a goroutine of its own; elsewhere each connection has
// its Loop, which runs on whoever has something for it.
//
// What a loop does in one go is a turn: callbacks for what has arrived, then
// functions that were posted, then the output of all connections that wrote.
type Loop struct {
	server *Server
	poll   *poller // nil: the loop has one connection and no goroutine

	mu      sync.Mutex
	posted  []func() // guarded by mu
	running bool     // guarded by mu: some goroutine runs the loop without a poller
	ended   bool     // guarded by mu

	// sleeping is set while the poller waits, or is about to: whoever posts
	// has to wake it.
	sleeping atomic.Bool

	// What follows is the loop's own.

	turn    uint64   // number of the turn
	batch   []func() // the functions that run, or an empty buffer for posted
	touched []*conn  // what has something to do at the end of the turn
	settled []*conn  // an empty buffer for touched
	gates   []*gate  // one for each service with a Gate
	asked   []*gate  // those that output waits for, during the end of a turn
	locals  map[any]any

	buffers  [][]byte // free output buffers
	buffered int      // their capacity

	conns   []*conn // by slot; nil where none is
	free    []int   // free slots
	sweeper sweeper
}

// newLoop returns a loop without a poller.
func newLoop(s *Server) *Loop { return &Loop{server: s} }

// Post has fn run on the loop. It may be called from any goroutine, never
// blocks, and never runs fn before it returns. Functions run in the order in
// which they were posted, after the callbacks for input of their turn. Once
// the loop has ended, fn is dropped: an event loop ends with its server, that
// of a single connection when ConnectionLost has returned. A panic in fn is
// the program's.
func (l *Loop) Post(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return
	}
	l.posted = append(l.posted, fn)
	switch {
	case l.poll != nil:
		if l.sleeping.CompareAndSwap(true, false) {
			l.poll.wake()
		}
	case !l.running:
		l.running = true
		go l.drain()
	}
}

// run has fn run on a loop without a poller, if possible on the caller's own
// goroutine. It reports false if the loop has ended.
func (l *Loop) run(fn func()) bool {
	l.mu.Lock()
	if l.ended {
		l.mu.Unlock()
		return false
	}
	l.posted = append(l.posted, fn)
	mine := !l.running
	l.running = true
	l.mu.Unlock()
	if mine {
		l.drain()
	}
	return true
}

// drain is turns of a loop without a poller until nothing is left to do. The
// caller has set running.
func (l *Loop) drain() {
	for l.runPosted() {
		l.endTurn()
	}
}

// runPosted runs what was posted until now, and reports whether there was
// anything. If not, a loop without a poller does not run any more.
func (l *Loop) runPosted() bool {
	l.mu.Lock()
	if len(l.posted) == 0 {
		l.running = false
		l.mu.Unlock()
		return false
	}
	l.posted, l.batch = l.batch[:0], l.posted
	l.mu.Unlock()
	for i, fn := range l.batch {
		l.batch[i] = nil
		fn()
	}
	return true
}

// hasPosted reports whether a function waits to be run.
func (l *Loop) hasPosted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.posted) > 0
}

// end lets the loop run no more functions. A poller's goroutine returns.
func (l *Loop) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.poll != nil && l.sleeping.CompareAndSwap(true, false) {
		l.poll.wake()
	}
}

// hasEnded reports whether end was called.
func (l *Loop) hasEnded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

// Local returns the value that the loop keeps for key, which build makes on
// first use. It must be called on the loop. Protocols of one loop never run at
// the same time, so they share such values without locks. As with contexts,
// key should be of a type of the caller's own.
func (l *Loop) Local(key any, build func() any) any {
	value, ok := l.locals[key]
	if !ok {
		value = build()
		l.setLocal(key, value)
	}
	return value
}

// setLocal keeps value for key.
func (l *Loop) setLocal(key, value any) {
	if l.locals == nil {
		l.locals = make(map[any]any)
	}
	l.locals[key] = value
}

// AfterFunc has fn run on the loop once d has passed on the server's clock. It
// must be called on the loop, and so must stop, which reports whether it kept
// fn from running.
func (l *Loop) AfterFunc(d time.Duration, fn func()) (stop func() bool) {
	over := false
	fire := func() {
		if !over {
			over = true
			fn()
		}
	}
	cancel := l.server.clock().AfterFunc(d, func() { l.Post(fire) })
	return func() bool {
		stopped := !over
		over = true
		cancel()
		return stopped
	}
}

// endTurn does what is left to do for connections that something happened to:
// it asks the gates, sends output and says goodbye. Callbacks may touch others
// meanwhile, which have their end in the same turn.
func (l *Loop) endTurn() {
	l.turn++
	for len(l.touched) > 0 {
		batch := l.touched
		l.touched = l.settled[:0]
		l.askGates(batch)
		for i, c := range batch {
			batch[i] = nil
			c.touched = false
			c.settle()
		}
		l.settled = batch[:0]
	}
}

// buffer returns an empty output buffer.
func (l *Loop) buffer() []byte {
	n := len(l.buffers)
	if n == 0 {
		return make([]byte, 0, minBuffer)
	}
	b := l.buffers[n-1]
	l.buffers[n-1] = nil
	l.buffers = l.buffers[:n-1]
	l.buffered -= cap(b)
	return b
}

// release takes a buffer back.
func (l *Loop) release(b []byte) {
	if cap(b) > maxBuffer || l.buffered+cap(b) > keptBytes {
		return
	}
	l.buffers = append(l.buffers, b[:0])
	l.buffered += cap(b)
}

// add gives c a slot.
func (l *Loop) add(c *conn) {
	if n := len(l.free); n > 0 {
		c.slot = l.free[n-1]
		l.free = l.free[:n-1]
		l.conns[c.slot] = c
	} else {
		c.slot = len(l.conns)
		l.conns = append(l.conns, c)
	}
	l.sweeper.expect(l, c)
}

// remove frees the slot of c.
func (l *Loop) remove(c *conn) {
	l.conns[c.slot] = nil
	l.free = append(l.free, c.slot)
}
