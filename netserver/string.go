package netserver

import (
	"io"
	"sync"
)

// StringTransport runs a Protocol without a connection, for tests: it feeds it
// strings and shows what it wrote. Its methods may be called from any goroutine
// but a callback; each returns at the end of its turn. What work of
// [Transport.Go] or [Transport.Continue] delivers, or a [Gate] releases, comes by
// itself.
type StringTransport struct {
	c *conn

	// What follows is the loop's.

	input []byte // came while reading was paused
	eof   bool   // and so did its end

	mu   sync.Mutex
	sent []byte // guarded by mu
}

// NewStringTransport connects a protocol that f builds. s has the settings, such
// as water marks and the clock, and its Shutdown is the connection's; nil is a
// Server's zero value.
func NewStringTransport(s *Server, f Factory) *StringTransport {
	if s == nil {
		s = &Server{}
	}
	svc := &service{factory: f}
	svc.gate, _ = f.(Gate)
	t := &StringTransport{}
	t.c = &conn{
		server: s, service: svc, loop: newLoop(s), io: &stringDriver{t},
		local: memoryAddr{}, remote: memoryAddr{}, idle: s.IdleTimeout,
	}
	t.c.refs.Store(1)
	if err := s.admit(t.c); err != nil {
		t.c.reason = err
		t.c.loop.end()
	}
	t.Do(func() {}) // waits until the connection is made
	return t
}

// Feed has the protocol receive data, in one piece.
func (t *StringTransport) Feed(data string) {
	t.Do(func() {
		t.input = append(t.input, data...)
		t.receive()
	})
}

// FeedBytes has the protocol receive data a byte at a time, each in a turn of
// its own.
func (t *StringTransport) FeedBytes(data string) {
	for i := range len(data) {
		t.Feed(data[i : i+1])
	}
}

// EOF has the peer close.
func (t *StringTransport) EOF() {
	t.Do(func() {
		t.eof = true
		t.receive()
	})
}

// Do runs fn on the loop, where it may use the protocol's Transport, and waits
// until the turn has ended. Once the connection is lost it does nothing.
func (t *StringTransport) Do(fn func()) {
	over := make(chan struct{})
	ok := t.c.loop.run(func() {
		fn()
		t.c.loop.Post(func() { close(over) }) // in the next turn
	})
	if ok {
		<-over
	}
}

// Value is what the protocol has sent since the beginning, or the last Clear.
func (t *StringTransport) Value() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.sent)
}

// Clear forgets what was sent.
func (t *StringTransport) Clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent = nil
}

// Lost is the reason for which the connection was lost, nil until ConnectionLost
// has returned.
func (t *StringTransport) Lost() error {
	if !t.c.loop.hasEnded() {
		return nil
	}
	return t.c.reason
}

// receive hands the protocol what was fed, as far as it reads.
func (t *StringTransport) receive() {
	if len(t.input) > 0 && t.c.reads() {
		data := t.input
		t.input = nil
		t.c.receive(data)
	}
	if t.eof && len(t.input) == 0 && t.c.reads() {
		t.c.finish(io.EOF, true)
	}
}

// stringDriver is the driver of a StringTransport.
type stringDriver struct{ t *StringTransport }

// start implements driver.
func (*stringDriver) start() error { return nil }

// resume implements driver.
func (d *stringDriver) resume() { d.t.c.loop.Post(d.t.receive) }

// flush implements driver.
func (d *stringDriver) flush(n int) {
	c := d.t.c
	d.t.mu.Lock()
	d.t.sent = append(d.t.sent, c.out[c.taken:c.taken+n]...)
	d.t.mu.Unlock()
	c.take(n)
	c.sent.Add(uint64(n))
}

// stuck implements driver.
func (*stringDriver) stuck() bool { return false }

// close implements driver.
func (*stringDriver) close(bool) {}
