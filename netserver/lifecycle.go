package netserver

import (
	"context"
	"log/slog"
	"net"
)

// Shutdown stops the server and waits for its end. Listeners are closed, and
// so are connections, with [ErrShutdown]: there is no DataReceived any more,
// but work of [Transport.Go] and [Transport.Continue] is delivered, and output is
// sent. When ctx ends, the connections that are left are aborted, and Shutdown
// returns the error of ctx without waiting for them.
//
// What Shutdown waits for are all callbacks, so a callback must not call it.
// It may be called after Close, or again after ctx has ended, to wait.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopAll(func(c *conn) { c.finish(ErrShutdown, true) })
	select {
	case <-s.ended():
		return nil
	case <-ctx.Done():
		s.stopAll(func(c *conn) { c.abort(ErrShutdown) })
		return ctx.Err()
	}
}

// Close stops the server at once. Listeners are closed, and connections are
// aborted with [ErrShutdown]. It waits for nothing and may be called from a
// callback: Serve returns then, and the other callbacks follow. To wait for
// them, call Shutdown from elsewhere. The error is always nil.
func (s *Server) Close() error {
	s.stopAll(func(c *conn) { c.abort(ErrShutdown) })
	return nil
}

// stopAll closes all listeners, stops all connectors, and has end called for
// each connection on its loop.
func (s *Server) stopAll(end func(*conn)) {
	s.mu.Lock()
	if !s.stopping {
		s.channelsLocked()
		s.stopping = true
		close(s.stop)
		s.live++ // keeps it from its end until all have been told
		defer s.release()
	}
	var listeners []net.Listener
	for l := range s.listeners {
		listeners = append(listeners, l)
	}
	for c := range s.connectors {
		c.cancel()
	}
	var conns []*conn
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()

	for _, l := range listeners {
		_ = l.Close()
	}
	for _, c := range conns {
		c.loop.Post(func() { end(c) })
	}
}

// release counts something less that the server waits for. When it stops and
// nothing is left, the event loops end, and then the server has.
func (s *Server) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live--
	if !s.stopping || s.live > 0 {
		return
	}
	if len(s.loops) > 0 {
		s.live += len(s.loops)
		for _, l := range s.loops {
			l.end()
		}
		s.loops = nil
		return
	}
	close(s.done)
}

// listen takes note of a listener and enters its service, unless the server
// stops.
func (s *Server) listen(l net.Listener, f Factory) *service {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil
	}
	if s.listeners == nil {
		s.listeners = make(map[net.Listener]struct{})
	}
	s.listeners[l] = struct{}{}
	return s.enter(f)
}

// unlisten forgets a listener.
func (s *Server) unlisten(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// isStopping reports whether Shutdown or Close was called.
func (s *Server) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// quit is closed when the server stops.
func (s *Server) quit() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channelsLocked()
	return s.stop
}

// ended is closed when the server has stopped.
func (s *Server) ended() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

// channelsLocked makes the channels on first use.
func (s *Server) channelsLocked() {
	if s.stop == nil {
		s.stop, s.done = make(chan struct{}), make(chan struct{})
	}
}

// logger is the server's Logger.
func (s *Server) logger() *slog.Logger {
	if s.Logger == nil {
		return slog.Default()
	}
	return s.Logger
}

// clock is the server's Clock.
func (s *Server) clock() Clock {
	if s.Clock == nil {
		return systemClock{}
	}
	return s.Clock
}

// highWater is the server's HighWater.
func (s *Server) highWater() int {
	if s.HighWater <= 0 {
		return 1 << 20
	}
	return s.HighWater
}

// lowWater is the server's LowWater. It is at least 1, since below 0 bytes
// nothing can be.
func (s *Server) lowWater() int {
	if s.LowWater <= 0 || s.LowWater > s.highWater() {
		return max(s.highWater()/4, 1)
	}
	return s.LowWater
}
