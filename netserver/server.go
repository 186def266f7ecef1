package netserver

import (
	"context"
	"log/slog"
	"net"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Server runs listeners, connections and connectors until [Server.Shutdown] or
// [Server.Close]. The zero value is ready; the exported fields must not change
// once a method was called.
type Server struct {
	// Loops is the number of event loops. Default: half of GOMAXPROCS, at
	// least 1, at most 8. Only Linux has event loops.
	Loops int
	// HighWater is how many bytes may be pending on a connection before
	// reading from it is paused. Default: 1 MiB.
	HighWater int
	// LowWater is how many bytes may be left when reading is resumed.
	// Default: a quarter of HighWater.
	LowWater int
	// IdleTimeout is how long a connection may neither receive nor send
	// before it is closed with [ErrIdle], without a reset, but what the peer
	// has not read may be lost. It may take half of that more, or
	// two seconds. What the connection itself waits for, such as work of
	// [Transport.Go], a [Gate], or ResumeReading, does not count. Default:
	// none.
	IdleTimeout time.Duration
	// WriteTimeout is for how long the peer may read nothing, though there is
	// something to read, before the connection is closed with
	// [ErrWriteTimeout]. Default: none.
	WriteTimeout time.Duration
	// MaxConns is the largest number of connections. Default: no limit.
	MaxConns int
	// Overload is what a connection beyond MaxConns is sent before it is
	// closed.
	Overload []byte
	// KeepAlive is the time between two of TCP's keep-alive probes, and
	// until the first. 0 leaves what the listener has set, below 0 there are
	// none.
	KeepAlive time.Duration
	// Dial makes the connections of [Server.Connect]. Default: that of a
	// [net.Dialer] with a time-out of 30 s.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Logger gets panics of protocols and errors of Accept that pass.
	// Default: [slog.Default].
	Logger *slog.Logger
	// Clock is where time-outs, and [Loop.AfterFunc], come from. Default: the
	// system's clock.
	Clock Clock

	goroutines bool // for tests: no event loops

	mu         sync.Mutex
	loops      []*Loop // made when the first is needed
	next       int     // the loop of the next connection
	services   []*service
	listeners  map[net.Listener]struct{}
	conns      map[*conn]struct{}
	refused    int                     // of conns, because there are too many
	connectors map[*Connector]struct{} // that are at work
	live       int                     // calls, connections and loops to wait for
	stopping   bool
	stop       chan struct{} // closed when stopping is set; made by quit
	done       chan struct{} // closed when stopping and live is 0; made by quit
}

// service is a factory that is in use.
type service struct {
	factory Factory
	gate    Gate // the factory, if it is one
	users   int  // listeners and connectors; guarded by Server.mu

	started sync.Once
	err     error // of Start
}

// Conns is the number of connections.
func (s *Server) Conns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns) - s.refused
}

// Serve accepts connections of l and runs protocols that f builds on them. TCP
// and Unix sockets get an event loop on Linux, others goroutines. It returns
// when l fails, with l's error, or the server stops, with [ErrServerClosed],
// and closes l in any case. Connections go on.
func (s *Server) Serve(l net.Listener, f Factory) error {
	defer func() { _ = l.Close() }()
	svc := s.listen(l, f)
	if svc == nil {
		return ErrServerClosed
	}
	defer s.release()
	defer s.leave(svc)
	defer s.unlisten(l)
	if err := svc.start(); err != nil {
		return err
	}
	return s.accept(l, svc)
}

// accept is Serve's loop.
func (s *Server) accept(l net.Listener, svc *service) error {
	pause := time.Duration(0)
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			if err := s.attach(nc, svc, nil); err != nil && err != ErrServerClosed { //nolint:errorlint // our own
				s.logger().Error("netserver: connection", "err", err)
			}
		case s.isStopping():
			return ErrServerClosed
		case !passes(err):
			return err
		default:
			// Too many open files, for example. Somebody may close one.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.logger().Warn("netserver: accept", "err", err, "retry", pause)
			if !s.wait(pause) {
				return ErrServerClosed
			}
		}
	}
}

// passes reports whether Accept may succeed later.
func passes(err error) bool {
	temporary, ok := err.(interface{ Temporary() bool })
	return ok && temporary.Temporary()
}

// wait waits for d, and reports whether the server goes on.
func (s *Server) wait(d time.Duration) bool {
	over := make(chan struct{})
	cancel := s.clock().AfterFunc(d, func() { close(over) })
	defer cancel()
	select {
	case <-over:
		return true
	case <-s.quit():
		return false
	}
}

// attach makes a connection of nc, or closes it.
func (s *Server) attach(nc net.Conn, svc *service, connector *Connector) error {
	s.keepAlive(nc)
	c := &conn{
		server: s, service: svc, connector: connector,
		local: nc.LocalAddr(), remote: nc.RemoteAddr(), idle: s.IdleTimeout,
	}
	c.refs.Store(1)
	err := s.place(c, nc)
	if err == nil {
		err = s.admit(c)
	}
	if err != nil && c.io != nil {
		c.io.close(true)
	} else if err != nil {
		_ = nc.Close()
	}
	return err
}

// place finds a loop for c, and makes nc its driver.
func (s *Server) place(c *conn, nc net.Conn) error {
	loop, err := s.eventLoop()
	if err != nil {
		return err
	}
	if loop != nil {
		c.loop = loop
		if ok, err := newSocket(c, nc); ok || err != nil {
			return err
		}
	}
	c.loop = newLoop(s)
	newStream(c, nc)
	return nil
}

// keepAlive sets what TCP probes idle connections with.
func (s *Server) keepAlive(nc net.Conn) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok || s.KeepAlive == 0 {
		return
	}
	_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: s.KeepAlive > 0, Idle: s.KeepAlive, Interval: s.KeepAlive})
}

// admit begins the life of c, maybe with a protocol that refuses it, unless the
// server stops, or its connector.
func (s *Server) admit(c *conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopping:
		return ErrServerClosed
	case c.connector == nil:
		if s.MaxConns > 0 && len(s.conns)-s.refused >= s.MaxConns {
			c.service = &service{factory: overload(s.Overload)}
			c.refused = true
			s.refused++
		}
	case c.connector.halted:
		return ErrClosed
	default:
		c.connector.conn = c
	}
	if s.conns == nil {
		s.conns = make(map[*conn]struct{})
	}
	s.conns[c] = struct{}{}
	s.live++
	c.loop.Post(c.made)
	return nil
}

// drop forgets a connection that is lost.
func (s *Server) drop(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if c.refused {
		s.refused--
	}
}

// eventLoop returns the loop whose turn it is to get a connection, or nil where
// there are none.
func (s *Server) eventLoop() (*Loop, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !hasEventLoops || s.goroutines {
		return nil, nil
	}
	if s.stopping {
		return nil, ErrServerClosed
	}
	if s.loops == nil {
		if err := s.startLoops(); err != nil {
			return nil, err
		}
	}
	l := s.loops[s.next%len(s.loops)]
	s.next++
	return l, nil
}

// startLoops makes the event loops. s.mu is held.
func (s *Server) startLoops() error {
	n := s.Loops
	if n <= 0 {
		n = min(max(runtime.GOMAXPROCS(0)/2, 1), 8)
	}
	loops := make([]*Loop, 0, n)
	for range n {
		l, err := newEventLoop(s)
		if err != nil {
			for _, l := range loops {
				l.poll.close()
			}
			return err
		}
		loops = append(loops, l)
	}
	s.loops = loops
	for _, l := range loops {
		go l.serve()
	}
	return nil
}

// enter finds the service of f, or makes it, and counts a user of it, who owes
// a leave and a release. s.mu is held.
func (s *Server) enter(f Factory) *service {
	svc := s.service(f)
	svc.users++
	s.live++
	return svc
}

// start starts the factory, once.
func (svc *service) start() error {
	svc.started.Do(func() {
		if f, ok := svc.factory.(interface{ Start() error }); ok {
			svc.err = f.Start()
		}
	})
	return svc.err
}

// service finds or makes the service of f. s.mu is held.
func (s *Server) service(f Factory) *service {
	if reflect.TypeOf(f).Comparable() {
		for _, svc := range s.services {
			if svc.factory == f {
				return svc
			}
		}
	}
	svc := &service{factory: f}
	svc.gate, _ = f.(Gate)
	s.services = append(s.services, svc)
	return svc
}

// leave counts a user of svc less. The last stops it.
func (s *Server) leave(svc *service) {
	s.mu.Lock()
	svc.users--
	last := svc.users == 0
	if last {
		s.services = slices.DeleteFunc(s.services, func(other *service) bool { return other == svc })
	}
	s.mu.Unlock()
	if f, ok := svc.factory.(interface{ Stop() }); ok && last && svc.err == nil {
		f.Stop()
	}
}
