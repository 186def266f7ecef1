package netserver

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// memoryBuffer is how much a connection of a MemoryListener holds in each
// direction before a writer waits.
const memoryBuffer = 64 << 10

// MemoryListener is a listener for clients of the same process. Its
// connections keep up to 64 KiB in each direction, obey deadlines, and have
// CloseWrite. Close closes the listener, not its connections.
type MemoryListener struct {
	mu      sync.Mutex
	wake    sync.Cond
	backlog []net.Conn
	closed  bool
}

// NewMemoryListener returns a MemoryListener.
func NewMemoryListener() *MemoryListener {
	l := &MemoryListener{}
	l.wake.L = &l.mu
	return l
}

// Dial connects to the listener, without waiting for Accept.
//
// Errors: [net.ErrClosed].
func (l *MemoryListener) Dial() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, net.ErrClosed
	}
	up, down := newMemoryPipe(), newMemoryPipe()
	l.backlog = append(l.backlog, &memoryConn{in: up, out: down})
	l.wake.Signal()
	return &memoryConn{in: down, out: up}, nil
}

// Accept waits for the next connection.
//
// Errors: [net.ErrClosed].
func (l *MemoryListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.backlog) == 0 && !l.closed {
		l.wake.Wait()
	}
	if l.closed {
		return nil, net.ErrClosed
	}
	c := l.backlog[0]
	l.backlog = l.backlog[1:]
	return c, nil
}

// Close closes the listener, and connections that were not accepted.
func (l *MemoryListener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, c := range l.backlog {
		_ = c.Close()
	}
	l.backlog = nil
	l.wake.Broadcast()
	return nil
}

// Addr returns the address of every end.
func (l *MemoryListener) Addr() net.Addr { return memoryAddr{} }

// memoryAddr is the address of what is in memory.
type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }

func (memoryAddr) String() string { return "memory" }

// memoryConn is one end of a connection.
type memoryConn struct{ in, out *memoryPipe }

// Read implements net.Conn.
func (c *memoryConn) Read(p []byte) (int, error) { return c.in.read(p) }

// Write implements net.Conn.
func (c *memoryConn) Write(p []byte) (int, error) { return c.out.write(p) }

// Close implements net.Conn.
func (c *memoryConn) Close() error {
	c.in.close(true)
	c.out.close(false)
	return nil
}

// CloseWrite lets the peer read up to what was written.
func (c *memoryConn) CloseWrite() error {
	c.out.closeWrite()
	return nil
}

// LocalAddr implements net.Conn.
func (c *memoryConn) LocalAddr() net.Addr { return memoryAddr{} }

// RemoteAddr implements net.Conn.
func (c *memoryConn) RemoteAddr() net.Addr { return memoryAddr{} }

// SetDeadline implements net.Conn.
func (c *memoryConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *memoryConn) SetReadDeadline(t time.Time) error { return c.in.setDeadline(&c.in.readBy, t) }

// SetWriteDeadline implements net.Conn.
func (c *memoryConn) SetWriteDeadline(t time.Time) error { return c.out.setDeadline(&c.out.writeBy, t) }

// memoryPipe is one direction of a connection.
type memoryPipe struct {
	mu          sync.Mutex
	wake        sync.Cond
	data        []byte
	ended       bool // there will be no more data
	readClosed  bool // by the reader's end
	writeClosed bool // by the writer's end
	readBy      deadline
	writeBy     deadline
}

// deadline is a moment after which who waits gives up.
type deadline struct {
	passed bool
	timer  *time.Timer
	set    int // how often it was
}

// newMemoryPipe returns an empty pipe.
func newMemoryPipe() *memoryPipe {
	p := &memoryPipe{}
	p.wake.L = &p.mu
	return p
}

// read waits for data.
func (p *memoryPipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.readClosed:
			return 0, net.ErrClosed
		case p.readBy.passed:
			return 0, os.ErrDeadlineExceeded
		case len(p.data) > 0:
			n := copy(b, p.data)
			p.data = p.data[:copy(p.data, p.data[n:])]
			p.wake.Broadcast()
			return n, nil
		case p.ended:
			return 0, io.EOF
		}
		p.wake.Wait()
	}
}

// write waits for room until all of b is written.
func (p *memoryPipe) write(b []byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.writeClosed:
			return n, net.ErrClosed
		case p.ended || p.readClosed:
			return n, io.ErrClosedPipe
		case p.writeBy.passed:
			return n, os.ErrDeadlineExceeded
		}
		k := min(len(b)-n, memoryBuffer-len(p.data))
		p.data = append(p.data, b[n:n+k]...)
		n += k
		p.wake.Broadcast()
		if n == len(b) {
			return n, nil
		}
		p.wake.Wait()
	}
}

// close ends the pipe for its reader's or its writer's end.
func (p *memoryPipe) close(reader bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if reader {
		p.readClosed = true
		p.data = nil
	} else {
		p.writeClosed = true
		p.ended = true
	}
	p.wake.Broadcast()
}

// closeWrite lets no more be written.
func (p *memoryPipe) closeWrite() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.wake.Broadcast()
}

// setDeadline moves a deadline of the pipe. The zero time is none.
func (p *memoryPipe) setDeadline(d *deadline, t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.set++
	d.passed = !t.IsZero() && !t.After(time.Now())
	if !t.IsZero() && !d.passed {
		set := d.set
		d.timer = time.AfterFunc(time.Until(t), func() { p.expire(d, set) })
	}
	p.wake.Broadcast()
	return nil
}

// expire is called by the timer of a deadline, which may have moved since.
func (p *memoryPipe) expire(d *deadline, set int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.set == set {
		d.passed = true
		p.wake.Broadcast()
	}
}
