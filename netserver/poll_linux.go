package netserver

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hasEventLoops says that sockets can run on event loops.
const hasEventLoops = true

// wakeSlot stands for the eventfd among the slots of connections.
const wakeSlot = -1

// poller waits for sockets to have something to do. It is edge-triggered: the
// kernel says once that a socket has become readable, and the socket remembers
// that until a read has shown that there is no more. So pausing and resuming
// are free, and a connection that is hung up does not spin.
type poller struct {
	loop   *Loop
	epoll  int
	event  int // an eventfd
	events []unix.EpollEvent
	input  []byte    // what is read, by all sockets in turn
	ready  []*socket // that have more to read, though the kernel will not say so
	batch  []*socket // an empty buffer for ready
}

// newEventLoop returns an event loop. Its goroutine is l.serve.
func newEventLoop(s *Server) (*Loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(epoll)
		return nil, os.NewSyscallError("eventfd", err)
	}
	l := newLoop(s)
	l.turn = 1 // no socket has been read in it
	l.poll = &poller{loop: l, epoll: epoll, event: event, events: make([]unix.EpollEvent, 256), input: make([]byte, readBuffer)}
	err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, event, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: wakeSlot})
	if err != nil {
		l.poll.close()
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return l, nil
}

// serve is the goroutine of an event loop: one turn after the other.
func (l *Loop) serve() {
	for !l.hasEnded() {
		n := l.poll.wait()
		l.poll.readMore()
		for i := range n {
			l.poll.handle(&l.poll.events[i])
		}
		l.runPosted()
		l.endTurn()
	}
	l.sweeper.cancel()
	l.mu.Lock() // nobody is about to wake it
	l.poll.close()
	l.mu.Unlock()
	l.server.release()
}

// close closes the poller's own descriptors.
func (p *poller) close() {
	_ = unix.Close(p.event)
	_ = unix.Close(p.epoll)
}

// wake ends the poller's wait. loop.mu is held.
func (p *poller) wake() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(p.event, one[:]) // a full counter wakes, too
}

// wait returns the number of events, when there is one or something else to
// do. A look without waiting comes first: under load it finds something, and
// costs less than to fall asleep.
func (p *poller) wait() int {
	if n := p.look(0); n > 0 || len(p.ready) > 0 {
		return n
	}
	l := p.loop
	l.sleeping.Store(true)
	timeout := -1
	if l.hasPosted() || l.hasEnded() {
		timeout = 0
	}
	n := p.look(timeout)
	l.sleeping.Store(false)
	return n
}

// look asks the kernel for events.
func (p *poller) look(timeout int) int {
	n, err := unix.EpollWait(p.epoll, p.events, timeout)
	if err != nil {
		return 0 // interrupted
	}
	return n
}

// handle takes note of what has happened to a socket, and reads it.
func (p *poller) handle(ev *unix.EpollEvent) {
	if ev.Fd == wakeSlot {
		return // each write is an edge: the counter needs no reading
	}
	c := p.loop.conns[ev.Fd]
	if c == nil {
		return // closed since
	}
	s := c.io.(*socket)
	if ev.Events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0 && s.blocked {
		s.blocked = false
		c.touch()
	}
	if ev.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		s.hup = true
	}
	if ev.Events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		s.readable = true
	}
	switch {
	case c.reads():
		s.read()
	case ev.Events&unix.EPOLLERR != 0:
		c.fail(s.error())
	}
}

// readMore reads sockets that had more than a buffer full, or that were
// readable while reading was paused.
func (p *poller) readMore() {
	batch := p.ready
	p.ready = p.batch[:0]
	for i, s := range batch {
		batch[i] = nil
		s.queued = false
		if s.readable && s.c.reads() {
			s.read()
		}
	}
	p.batch = batch[:0]
}

// socket is the driver of a non-blocking socket.
type socket struct {
	c        *conn
	poll     *poller
	fd       int
	readable bool   // there may be something to read
	hup      bool   // the input has an end: read up to it
	queued   bool   // it is in poll.ready
	turn     uint64 // the last turn in which it was read
	watched  bool   // the kernel is to say when it becomes writable
	blocked  bool   // it is not writable
}

// newSocket makes c the owner of the socket of nc if it has one of its own
// that can be used without nc, which is closed then.
func newSocket(c *conn, nc net.Conn) (bool, error) {
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
	default:
		return false, nil
	}
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return false, err
	}
	fd, dupErr := -1, error(nil)
	err = raw.Control(func(old uintptr) {
		fd, dupErr = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err := errors.Join(err, dupErr); err != nil {
		return false, os.NewSyscallError("fcntl", err)
	}
	_ = nc.Close()
	c.io = &socket{c: c, poll: c.loop.poll, fd: fd}
	return true, nil
}

// start implements driver.
func (s *socket) start() error {
	err := s.control(unix.EPOLL_CTL_ADD, unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLET)
	return os.NewSyscallError("epoll_ctl", err)
}

// control tells the kernel what s is interested in.
func (s *socket) control(op int, events uint32) error {
	return unix.EpollCtl(s.poll.epoll, op, s.fd, &unix.EpollEvent{Events: events, Fd: int32(s.c.slot)})
}

// read reads once a turn and hands the Protocol what has come.
func (s *socket) read() {
	if s.turn == s.poll.loop.turn {
		s.queue()
		return
	}
	s.turn = s.poll.loop.turn
	n, err := transfer(unix.SYS_READ, s.fd, s.poll.input)
	switch {
	case err == unix.EINTR:
		s.queue()
	case err == unix.EAGAIN:
		s.readable = false
	case err != 0:
		s.c.fail(os.NewSyscallError("read", err))
	case n == 0:
		s.readable = false
		s.c.finish(io.EOF, true)
	case n == len(s.poll.input) || s.hup:
		s.queue()
		s.c.receive(s.poll.input[:n])
	default:
		s.readable = false // a short read has emptied it
		s.c.receive(s.poll.input[:n])
	}
}

// queue has s read in the next turn.
func (s *socket) queue() {
	if !s.queued {
		s.queued = true
		s.poll.ready = append(s.poll.ready, s)
	}
}

// resume implements driver.
func (s *socket) resume() {
	if s.readable {
		s.queue()
	}
}

// flush implements driver, with one write.
func (s *socket) flush(n int) {
	if s.blocked {
		return
	}
	done, err := transfer(unix.SYS_WRITE, s.fd, s.c.out[s.c.taken:s.c.taken+n])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		// nothing went
	case err != 0:
		s.c.fail(os.NewSyscallError("write", err))
		return
	}
	s.c.take(done)
	s.c.sent.Add(uint64(done))
	s.watch(done < n)
}

// transfer reads or writes p. The runtime is not told of what takes a few
// microseconds: it would get ready to give the loop's processor away, which
// costs as much as a protocol's work on a short request.
func transfer(trap uintptr, fd int, p []byte) (int, syscall.Errno) {
	var n uintptr
	var errno syscall.Errno
	if len(p) <= readBuffer {
		n, _, errno = unix.RawSyscall(trap, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	} else {
		n, _, errno = unix.Syscall(trap, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// watch has the kernel say when s is writable, or not any more. If it is
// already, the kernel says so at once.
func (s *socket) watch(on bool) {
	s.blocked = on
	if on == s.watched {
		return
	}
	s.watched = on
	events := uint32(unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET)
	if on {
		events |= unix.EPOLLOUT
	}
	if err := s.control(unix.EPOLL_CTL_MOD, events); err != nil {
		s.c.fail(os.NewSyscallError("epoll_ctl", err))
	}
}

// stuck implements driver.
func (s *socket) stuck() bool { return s.blocked }

// error is what has happened to the socket.
func (s *socket) error() error {
	code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil {
		err = syscall.Errno(code)
	}
	return os.NewSyscallError("read", err)
}

// close implements driver. What the peer has sent and nobody will read is
// thrown away first, since the kernel would answer it with a reset that
// overtakes the output.
func (s *socket) close(abort bool) {
	if abort {
		_ = unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	} else {
		s.discard()
	}
	_ = s.control(unix.EPOLL_CTL_DEL, 0)
	_ = unix.Close(s.fd)
	s.readable = false
}

// discard reads and forgets what is there, up to 1 MiB.
func (s *socket) discard() {
	for range 16 {
		if n, err := unix.Read(s.fd, s.poll.input); n < len(s.poll.input) || err != nil {
			return
		}
	}
}
