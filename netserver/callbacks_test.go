package netserver_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/netserver"
)

// syncBuffer is a buffer for a log.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// bomb panics where it is told to.
type bomb struct {
	probe
	where string
}

func (b *bomb) explode(where string) {
	if b.where == where {
		panic("bang in " + where)
	}
}

func (b *bomb) ConnectionMade(t netserver.Transport) {
	b.Transport = t
	b.explode("ConnectionMade")
}

func (b *bomb) DataReceived([]byte) {
	b.explode("DataReceived")
	b.Go(func() func() { return func() { b.explode("deliver") } })
	b.Write(make([]byte, 16<<20))
}

func (b *bomb) PauseProducing()  { b.explode("PauseProducing") }
func (b *bomb) ResumeProducing() { b.explode("ResumeProducing") }

func (b *bomb) ConnectionLost(reason error) {
	b.lost <- reason
	b.explode("ConnectionLost")
}

// TestPanic logs a panic with its stack, aborts the connection, and goes on
// with others.
func TestPanic(t *testing.T) {
	for _, where := range []string{"BuildProtocol", "ConnectionMade", "DataReceived", "deliver", "PauseProducing", "ResumeProducing", "ConnectionLost"} {
		t.Run(where, func(t *testing.T) {
			for _, k := range kinds() {
				t.Run(k.name(), func(t *testing.T) { explode(t, k, where) })
			}
		})
	}
}

// explode is TestPanic for one callback.
func explode(t *testing.T, k kind, where string) {
	t.Helper()
	var logged syncBuffer
	s := newSite(t, k, func(s *netserver.Server) {
		s.Loops = 1
		s.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	})
	lost := make(chan error, 1)
	var built atomic.Bool // connections are built at the same time
	s.serve(netserver.FactoryFunc(func(net.Addr) netserver.Protocol {
		if built.Swap(true) {
			return &echo{}
		}
		b := &bomb{probe: probe{lost: lost}, where: where}
		if where == "BuildProtocol" {
			lost <- nil
		}
		b.explode("BuildProtocol")
		return b
	}))
	c, err := s.dial()
	if err == nil {
		defer c.Close()
		_, _ = c.Write([]byte("go"))
		if where != "ConnectionMade" && where != "BuildProtocol" {
			_, _ = c.Read(make([]byte, 32<<20))
		}
		if where == "ConnectionLost" {
			c.Close()
		} else {
			_, _ = bytes.NewBuffer(nil).ReadFrom(c)
		}
	}
	if reason := await(t, lost); where != "ConnectionLost" && where != "BuildProtocol" {
		require.ErrorIs(t, reason, netserver.ErrPanic)
		require.ErrorContains(t, reason, "bang in "+where)
	}
	again := s.connect()
	send(t, again, "still there")
	expect(t, again, "still there")
	require.Eventually(t, func() bool { return strings.Contains(logged.String(), "bang in "+where) }, patience, time.Millisecond)
	require.Contains(t, logged.String(), "callbacks_test.go")
}

// TestPost runs functions in order, and drops what comes too late.
func TestPost(t *testing.T) {
	onAll(t, nil, behaviour{}, func(t *testing.T, s *site) {
		c := s.connect()
		p := await(t, s.made)
		var got []int
		var wg sync.WaitGroup
		counts := make([]int, 4)
		for g := range counts {
			wg.Go(func() {
				for i := range 1000 {
					p.Loop().Post(func() {
						if counts[g] != i {
							t.Error("out of order")
						}
						counts[g]++
						got = append(got, i)
					})
				}
			})
		}
		wg.Wait()
		p.do(func() { require.Len(t, got, 4000) })
		require.NoError(t, c.Close())
		await(t, p.lost)
		require.NoError(t, s.Shutdown(t.Context()))
		p.Loop().Post(func() { t.Error("after the end") })
	})
}

// TestAfterTheEnd calls a Transport whose connection is lost.
func TestAfterTheEnd(t *testing.T) {
	onAll(t, nil, behaviour{}, func(t *testing.T, s *site) {
		keeper := s.connect() // keeps the event loop
		keep := await(t, s.made)
		c := s.connect()
		p := await(t, s.made)
		require.NoError(t, c.Close())
		await(t, p.lost)
		over := make(chan struct{})
		after := func() {
			defer close(over)
			p.Write([]byte("x"))
			p.WriteSequence([][]byte{{1}})
			p.Mark(1)
			p.PauseReading()
			p.ResumeReading()
			p.SetIdleTimeout(time.Second)
			p.Go(func() func() { t.Error("work"); return nil })
			p.LoseConnection()
			p.Abort()
			if p.Pending() != 0 {
				t.Error("pending")
			}
		}
		if s.kind.goroutines {
			after() // its loop has ended: nobody else is there
		} else {
			p.Loop().Post(after)
		}
		await(t, over)
		keep.do(func() {})
		require.Empty(t, p.lost)
		require.NoError(t, keeper.Close())
	})
}

// localKey is a key of Loop.Local.
type localKey struct{}

// TestLocal shares a value between the connections of a loop, and of no other.
func TestLocal(t *testing.T) {
	onAll(t, func(s *netserver.Server) { s.Loops = 2 }, behaviour{}, func(t *testing.T, s *site) {
		values := map[*netserver.Loop]any{}
		for range 6 {
			s.connect()
			p := await(t, s.made)
			p.do(func() {
				v := p.Loop().Local(localKey{}, func() any { return new(int) })
				if old, ok := values[p.Loop()]; ok {
					require.Same(t, old, v)
				}
				for l, other := range values {
					require.True(t, l == p.Loop() || other != v)
				}
				values[p.Loop()] = v
			})
		}
		if s.kind.goroutines {
			require.Len(t, values, 6)
		} else {
			require.Len(t, values, 2) // round-robin
		}
	})
}

// TestMaxConns tells those beyond the limit.
func TestMaxConns(t *testing.T) {
	config := func(s *netserver.Server) { s.MaxConns, s.Overload = 2, []byte("too many\n") }
	onAll(t, config, behaviour{data: echoData}, func(t *testing.T, s *site) {
		a, b := s.connect(), s.connect()
		for _, c := range []net.Conn{a, b} {
			send(t, c, "a")
			expect(t, c, "a")
		}
		for range 3 {
			c := s.connect()
			expect(t, c, "too many\n")
			expectEnd(t, c)
		}
		require.Equal(t, 2, s.Conns())
		p := await(t, s.made)
		p.do(p.LoseConnection)
		await(t, p.lost)
		c := s.connect()
		send(t, c, "b")
		expect(t, c, "b")
	})
}

// hooks is a Factory that notes when it starts and stops.
type hooks struct {
	netserver.Factory
	err     error
	started chan struct{}
	stopped chan struct{}
}

func newHooks(err error) *hooks {
	f := netserver.FactoryFunc(newEcho)
	return &hooks{Factory: f, err: err, started: make(chan struct{}, 10), stopped: make(chan struct{}, 10)}
}

func (h *hooks) Start() error {
	h.started <- struct{}{}
	return h.err
}

func (h *hooks) Stop() { h.stopped <- struct{}{} }

// TestHooks starts a factory with its first listener and stops it with its
// last.
func TestHooks(t *testing.T) {
	var s netserver.Server
	h := newHooks(nil)
	served := make(chan error, 2)
	a, b := netserver.NewMemoryListener(), netserver.NewMemoryListener()
	go func() { served <- s.Serve(a, h) }()
	await(t, h.started)
	go func() { served <- s.Serve(b, h) }()
	for _, l := range []*netserver.MemoryListener{a, b} {
		c, err := l.Dial()
		require.NoError(t, err)
		send(t, c, "x")
		expect(t, c, "x")
		require.NoError(t, c.Close())
	}
	require.NoError(t, a.Close())
	require.ErrorIs(t, await(t, served), net.ErrClosed)
	require.Empty(t, h.stopped)
	require.NoError(t, b.Close())
	require.ErrorIs(t, await(t, served), net.ErrClosed)
	await(t, h.stopped)
	require.Empty(t, h.started)

	again := netserver.NewMemoryListener()
	go func() { served <- s.Serve(again, h) }()
	await(t, h.started)
	require.NoError(t, s.Shutdown(t.Context()))
	require.ErrorIs(t, await(t, served), netserver.ErrServerClosed)
	await(t, h.stopped)
}

// TestHooksFail has Serve return the error of Start.
func TestHooksFail(t *testing.T) {
	broken := errors.New("broken")
	var s netserver.Server
	h := newHooks(broken)
	l := netserver.NewMemoryListener()
	require.ErrorIs(t, s.Serve(l, h), broken)
	require.Empty(t, h.stopped)
	_, err := l.Dial()
	require.ErrorIs(t, err, net.ErrClosed)
	require.NoError(t, s.Shutdown(t.Context()))
}

// TestUnusedServer stops at once.
func TestUnusedServer(t *testing.T) {
	var s netserver.Server
	require.Zero(t, s.Conns())
	require.NoError(t, s.Close())
	require.NoError(t, s.Shutdown(t.Context()))
	require.NoError(t, s.Shutdown(t.Context()))
}
