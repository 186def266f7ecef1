package netserver

import (
	"fmt"
	"net"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// driver moves the bytes of a connection: a socket on a poller, or goroutines
// around any net.Conn. Its methods are called on the loop.
type driver interface {
	// start begins to read.
	start() error
	// resume is called when reading is allowed again.
	resume()
	// flush sends the first n bytes of the connection's output, as far as
	// that goes without waiting.
	flush(n int)
	// stuck reports whether the driver waits for the peer to read.
	stuck() bool
	// close ends it, at once if abort.
	close(abort bool)
}

// conn is a connection, and the Transport of its Protocol. All but the first
// group of fields is the loop's.
type conn struct {
	server    *Server
	service   *service
	connector *Connector // nil on the server's side
	loop      *Loop
	io        driver
	local     net.Addr
	remote    net.Addr
	refused   bool          // the server has too many
	refs      atomic.Int32  // goroutines and the loop
	sent      atomic.Uint64 // bytes handed to the kernel
	over      atomic.Bool   // since more than HighWater bytes were pending; the loop's to set

	proto    Protocol // nil until built
	producer Producer // proto, if it is one
	slot     int      // in loop.conns
	touched  bool     // it is in loop.touched

	out    []byte // output; the driver has taken what is before taken
	taken  int
	wrote  uint64 // bytes written
	handed uint64 // bytes taken by the driver

	gate     *gate  // nil without a Gate
	marks    []mark // ascending in both fields
	markTurn uint64 // the turn of the last mark
	free     uint64 // the end of output whose mark has passed
	waiting  bool   // it is in gate.waiting

	first, last *job // calls of Go and Continue that are not delivered

	paused bool  // by PauseReading
	reason error // why it closes; nil while it does not
	drain  bool  // it closes once all jobs are delivered
	dead   bool  // it closes at once
	reset  bool  // with a reset, where the network has it
	lost   bool  // it is closed

	idle       time.Duration // the idle time-out
	received   bool          // bytes came since the last sweep
	idleSince  time.Time     // the last sweep that found it busy
	stuckSince time.Time     // the last sweep that found its output moving
	sweptSent  uint64        // sent in the last sweep
}

// job is a call of Transport.Go or Continue.
type job struct {
	deliver func()
	done    bool
	next    *job
}

// made begins the connection's life on its loop.
func (c *conn) made() {
	c.loop.add(c)
	defer c.touch()
	if !c.build() {
		return
	}
	if err := c.io.start(); err != nil {
		c.fail(err)
	}
}

// build makes the Protocol, and reports whether the connection may go on.
func (c *conn) build() bool {
	defer c.guard()
	proto := c.service.factory.BuildProtocol(c.remote)
	if proto == nil {
		c.finish(ErrRefused, false)
		return false
	}
	c.gate = c.loop.gate(c.service)
	c.proto = proto
	c.producer, _ = proto.(Producer)
	proto.ConnectionMade(c)
	return true
}

// guard is deferred around callbacks of the Protocol. It turns a panic into
// the end of the connection.
func (c *conn) guard() {
	v := recover()
	if v == nil {
		return
	}
	c.server.logger().Error("netserver: protocol panicked", "panic", v, "remote", c.remote, "stack", string(debug.Stack()))
	c.abort(fmt.Errorf("%w: %v", ErrPanic, v))
}

// receive hands data that was read to the Protocol.
func (c *conn) receive(data []byte) {
	defer c.guard()
	c.received = true
	c.proto.DataReceived(data)
}

// reads reports whether the Protocol may get data.
func (c *conn) reads() bool { return !c.paused && !c.over.Load() && c.reason == nil && !c.lost }

// touch has the connection looked at when the turn ends.
func (c *conn) touch() {
	if !c.touched && !c.lost {
		c.touched = true
		c.loop.touched = append(c.loop.touched, c)
	}
}

// writes reports whether output is accepted.
func (c *conn) writes() bool { return (c.reason == nil || c.drain) && !c.dead && !c.lost }

// Write implements Transport.
func (c *conn) Write(p []byte) {
	if len(p) == 0 || !c.writes() {
		return
	}
	c.reserve(len(p))
	c.out = append(c.out, p...)
	c.wrote += uint64(len(p))
	c.touch()
}

// WriteSequence implements Transport.
func (c *conn) WriteSequence(ps [][]byte) {
	for _, p := range ps {
		c.Write(p)
	}
}

// reserve makes sure that there is a buffer, and moves what it holds to its
// beginning rather than letting it grow for n more bytes.
func (c *conn) reserve(n int) {
	switch {
	case c.out == nil:
		c.out = c.loop.buffer()
	case c.taken > 0 && len(c.out)+n > cap(c.out):
		c.out = c.out[:copy(c.out, c.out[c.taken:])]
		c.taken = 0
	}
}

// LoseConnection implements Transport.
func (c *conn) LoseConnection() {
	c.dropJobs()
	c.drain = false
	c.finish(ErrClosed, false)
}

// Abort implements Transport.
func (c *conn) Abort() { c.abort(ErrAborted) }

// PauseReading implements Transport.
func (c *conn) PauseReading() { c.paused = true }

// ResumeReading implements Transport.
func (c *conn) ResumeReading() {
	if c.paused {
		c.paused = false
		c.resume()
	}
}

// resume has the driver read again, if nothing else speaks against it.
func (c *conn) resume() {
	if c.reads() {
		c.io.resume()
	}
}

// Pending implements Transport.
func (c *conn) Pending() int { return int(c.wrote - c.sent.Load()) }

// Mark implements Transport.
func (c *conn) Mark(n uint64) {
	if c.gate == nil || n == 0 || c.wrote == c.handed {
		return
	}
	if k := len(c.marks); k > 0 {
		last := &c.marks[k-1]
		n = max(n, last.n)
		if last.end == c.wrote || c.markTurn == c.loop.turn {
			*last = mark{c.wrote, n}
			return
		}
	}
	c.marks = append(c.marks, mark{c.wrote, n})
	c.markTurn = c.loop.turn
	c.touch()
}

// Go implements Transport.
func (c *conn) Go(work func() (deliver func())) {
	if !c.writes() {
		return
	}
	j := c.newJob()
	c.refs.Add(1)
	go c.work(j, work)
}

// Continue implements Transport.
func (c *conn) Continue(deliver func()) {
	if c.writes() {
		c.finishJob(c.newJob(), deliver)
	}
}

// newJob returns a job that is delivered after all others.
func (c *conn) newJob() *job {
	j := &job{}
	if c.first == nil {
		c.first = j
	} else {
		c.last.next = j
	}
	c.last = j
	return j
}

// work is the goroutine of a job.
func (c *conn) work(j *job, work func() func()) {
	defer c.unref()
	c.finishJob(j, work())
}

// finishJob has the loop find a job done.
func (c *conn) finishJob(j *job, deliver func()) {
	c.loop.Post(func() {
		j.deliver, j.done = deliver, true
		c.deliver()
	})
}

// deliver runs what jobs want to be run, up to the first that is not done.
func (c *conn) deliver() {
	for c.first != nil && c.first.done {
		j := c.first
		c.first = j.next
		if j.deliver != nil {
			c.call(j.deliver)
		}
	}
	c.touch()
}

// call runs a function of the Protocol.
func (c *conn) call(fn func()) {
	defer c.guard()
	fn()
}

// dropJobs forgets what was to be delivered.
func (c *conn) dropJobs() { c.first, c.last = nil, nil }

// Loop implements Transport.
func (c *conn) Loop() *Loop { return c.loop }

// SetIdleTimeout implements Transport.
func (c *conn) SetIdleTimeout(d time.Duration) {
	c.idle = d
	c.received = true
	if !c.lost {
		c.loop.sweeper.expect(c.loop, c)
	}
}

// LocalAddr implements Transport.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements Transport.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// finish closes the connection for a reason once its output has been sent and,
// if drain, all jobs have been delivered.
func (c *conn) finish(reason error, drain bool) {
	if c.reason == nil {
		c.reason = reason
		c.drain = drain
		if h, ok := c.proto.(HalfCloser); ok && drain {
			c.call(h.ReadConnectionLost)
		}
	}
	c.touch()
}

// fail closes the connection after an error of input or output. The reason
// stays what it is if the connection is closing.
func (c *conn) fail(err error) {
	if c.reason != nil {
		err = c.reason
	}
	c.abort(err)
}

// expire closes the connection at once, as if all output had been sent.
func (c *conn) expire(reason error) {
	if c.dead || c.lost {
		return
	}
	c.dead = true
	if c.reason == nil {
		c.reason = reason
	}
	c.dropJobs()
	c.touch()
}

// abort closes the connection at once, with a reset.
func (c *conn) abort(reason error) {
	if c.dead || c.lost {
		return
	}
	c.reason, c.reset = reason, true
	c.expire(reason)
}

// settle does what is left to do at the end of a turn.
func (c *conn) settle() {
	if c.lost {
		return
	}
	if !c.dead {
		if n := c.allowed(); n > 0 {
			c.io.flush(n)
		}
	}
	c.watermarks()
	if c.dead || c.reason != nil && c.Pending() == 0 && c.first == nil {
		c.lose()
	}
}

// allowed is how many bytes of the output may leave.
func (c *conn) allowed() int {
	if len(c.marks) == 0 {
		return len(c.out) - c.taken
	}
	k := 0
	for k < len(c.marks) && c.marks[k].n <= c.gate.passed {
		c.free = c.marks[k].end
		k++
	}
	c.marks = c.marks[:copy(c.marks, c.marks[k:])]
	if len(c.marks) == 0 {
		return len(c.out) - c.taken
	}
	c.gate.await(c)
	return max(0, int(int64(c.free-c.handed)))
}

// take is called by the driver when it has taken n bytes of the output.
func (c *conn) take(n int) {
	c.taken += n
	c.handed += uint64(n)
	if c.taken == len(c.out) {
		c.loop.release(c.out)
		c.out, c.taken = nil, 0
	}
}

// watermarks pauses and resumes reading, and the producer.
func (c *conn) watermarks() {
	switch pending := c.Pending(); {
	case !c.over.Load() && pending > c.server.highWater():
		c.over.Store(true)
		if c.producer != nil {
			c.call(c.producer.PauseProducing)
		}
	case c.over.Load() && pending < c.server.lowWater():
		c.over.Store(false)
		c.resume()
		if c.producer != nil {
			c.call(c.producer.ResumeProducing)
		}
	}
}

// lose ends the connection.
func (c *conn) lose() {
	c.lost = true
	c.io.close(c.reset)
	c.out, c.taken, c.marks = nil, 0, nil
	c.wrote = c.sent.Load()
	c.dropJobs()
	c.loop.remove(c)
	c.loop.dropGate(c.gate)
	c.server.drop(c)
	if c.proto != nil {
		c.call(func() { c.proto.ConnectionLost(c.reason) })
	}
	if c.connector != nil {
		c.connector.lost(c)
	}
	if c.loop.poll == nil {
		c.loop.sweeper.cancel()
		c.loop.end()
	}
	c.unref()
}

// unref is called when a goroutine of the connection ends, or its life on the
// loop. The server waits for the last.
func (c *conn) unref() {
	if c.refs.Add(-1) == 0 {
		c.server.release()
	}
}
