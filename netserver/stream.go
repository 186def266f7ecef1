package netserver

import (
	"errors"
	"io"
	"net"
)

// streamBuffer is what is read at once from a connection that is not a socket
// of an event loop, and what is written at once.
const streamBuffer = 16 << 10

// stream is the driver of any net.Conn. It has a goroutine that reads, and one
// that writes while there is output. Either runs the loop for its news if
// nobody else does.
type stream struct {
	c  *conn
	nc net.Conn

	// input and err are the reader's until it posts arrive, then the loop's
	// until that sends on consumed.
	input    []byte
	n        int
	err      error
	held     bool // they wait for reading to be allowed
	arrive   func()
	consumed chan struct{}
	quit     chan struct{} // closed when the connection is

	// output is what the writer writes, writeErr how that ended. They are the
	// writer's until it posts written.
	output   []byte
	writeErr error
	writing  bool // there is a writer
	moved    func()
	written  func()
}

// newStream makes nc the connection of c, on a loop of its own.
func newStream(c *conn, nc net.Conn) {
	s := &stream{c: c, nc: nc, consumed: make(chan struct{}, 1), quit: make(chan struct{})}
	s.arrive, s.moved, s.written = s.arrived, c.touch, s.wrote
	c.io = s
}

// start implements driver.
func (s *stream) start() error {
	s.c.refs.Add(1)
	go s.readLoop()
	return nil
}

// readLoop is the goroutine that reads.
func (s *stream) readLoop() {
	defer s.c.unref()
	s.input = make([]byte, streamBuffer)
	for {
		s.n, s.err = s.nc.Read(s.input)
		last := s.err != nil
		s.c.loop.run(s.arrive)
		select {
		case <-s.quit:
			return
		case <-s.consumed:
		}
		if last {
			return
		}
	}
}

// arrived hands the Protocol what was read, now or when it may.
func (s *stream) arrived() {
	if s.c.lost || s.c.reason != nil {
		return // the reader ends with the connection
	}
	if !s.c.reads() {
		s.held = true
		return
	}
	n, err := s.n, s.err
	if n > 0 {
		s.n = 0
		s.c.receive(s.input[:n])
	}
	switch {
	case err == nil:
	case !s.c.reads() && s.c.reason == nil && !s.c.lost:
		s.held = true // the end, too, waits
		return
	case errors.Is(err, io.EOF):
		s.c.finish(io.EOF, true)
	default:
		s.c.fail(err)
	}
	s.consumed <- struct{}{}
}

// resume implements driver.
func (s *stream) resume() {
	if s.held {
		s.held = false
		s.c.loop.Post(s.arrive)
	}
}

// flush implements driver. The writer takes the buffer, and what may not leave
// yet moves to another.
func (s *stream) flush(n int) {
	if s.writing {
		return
	}
	c := s.c
	s.output = c.out[c.taken : c.taken+n]
	rest := c.out[c.taken+n:]
	c.out, c.taken = nil, 0
	c.handed += uint64(n)
	if len(rest) > 0 {
		c.out = append(c.loop.buffer(), rest...)
	}
	s.writing = true
	c.refs.Add(1)
	go s.write()
}

// write is the goroutine that writes, for as long as there is output that may
// leave. It writes in pieces, so that a sweep sees that they move, and that
// input resumes at the low water mark though a peer is slow to read the rest.
func (s *stream) write() {
	defer s.c.unref()
	rest := s.output
	for len(rest) > 0 {
		n, err := s.nc.Write(rest[:min(len(rest), streamBuffer)])
		rest = rest[n:]
		s.c.sent.Add(uint64(n))
		if err != nil {
			s.writeErr = err
			break
		}
		if s.c.over.Load() {
			s.c.loop.run(s.moved)
		}
	}
	s.c.loop.run(s.written)
}

// wrote is what the loop does when the writer has ended.
func (s *stream) wrote() {
	if s.c.lost {
		return
	}
	s.writing = false
	s.c.loop.release(s.output)
	s.output = nil
	if s.writeErr != nil {
		s.c.fail(s.writeErr)
	}
	s.c.touch()
}

// stuck implements driver.
func (s *stream) stuck() bool { return s.writing }

// close implements driver.
func (s *stream) close(abort bool) {
	close(s.quit)
	nc := s.nc
	if abort {
		// Not TLS's farewell, which waits for the peer.
		if outer, ok := nc.(interface{ NetConn() net.Conn }); ok {
			nc = outer.NetConn()
		}
		if tcp, ok := nc.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
	_ = nc.Close()
}
