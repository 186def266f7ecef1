package netserver_test

import (
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/netserver"
)

// handClock is a Clock that the test moves.
type handClock struct {
	mu     sync.Mutex
	now    time.Time
	alarms []*alarm
}

// alarm is what AfterFunc has set.
type alarm struct {
	at time.Time
	f  func()
}

func newHandClock() *handClock { return &handClock{now: time.Unix(1e9, 0)} }

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &alarm{c.now.Add(d), f}
	c.alarms = append(c.alarms, a)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		n := len(c.alarms)
		c.alarms = slices.DeleteFunc(c.alarms, func(other *alarm) bool { return other == a })
		return len(c.alarms) < n
	}
}

// set is the number of alarms.
func (c *handClock) set() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.alarms)
}

// pass lets d pass, a quarter of a second at a time, and waits for the loop of
// p after each.
func (c *handClock) pass(p *probe, d time.Duration) {
	p.t.Helper()
	const step = time.Second / 4
	for ; d > 0; d -= step {
		c.mu.Lock()
		c.now = c.now.Add(step)
		var due []*alarm
		c.alarms = slices.DeleteFunc(c.alarms, func(a *alarm) bool {
			if a.at.After(c.now) {
				return false
			}
			due = append(due, a)
			return true
		})
		c.mu.Unlock()
		for _, a := range due {
			a.f()
		}
		if len(p.lost) > 0 {
			return
		}
		p.site.settle(p)
	}
}

// settle waits until the loop of p has run what it has, or p is lost.
func (s *site) settle(p *probe) {
	s.t.Helper()
	over := make(chan struct{})
	p.Loop().Post(func() { close(over) })
	select {
	case <-over:
	case reason := <-p.lost:
		p.lost <- reason
	case <-time.After(patience):
		require.FailNow(s.t, "the loop stands")
	}
}

// onClock runs a test over every kind of connection on a clock of its own.
func onClock(t *testing.T, config func(*netserver.Server), b behaviour, test func(t *testing.T, s *site, clock *handClock)) {
	t.Helper()
	for _, k := range kinds() {
		t.Run(k.name(), func(t *testing.T) {
			clock := newHandClock()
			s := newSite(t, k, func(s *netserver.Server) {
				s.Clock = clock
				config(s)
			})
			s.serve(s.probes(b))
			test(t, s, clock)
		})
	}
}

// TestIdle closes a connection that is idle for the time-out, not earlier, and
// not more than a quarter of it later, twice.
func TestIdle(t *testing.T) {
	config := func(s *netserver.Server) { s.IdleTimeout = 4 * time.Second }
	onClock(t, config, behaviour{data: echoData}, func(t *testing.T, s *site, clock *handClock) {
		c := s.connect()
		send(t, c, "a")
		expect(t, c, "a")
		p := await(t, s.made)
		for range 3 {
			clock.pass(p, 3*time.Second)
			require.Empty(t, p.lost)
			send(t, c, "b")
			expect(t, c, "b")
		}
		clock.pass(p, 4*time.Second-1)
		require.Empty(t, p.lost)
		clock.pass(p, 2*time.Second+1)
		require.Equal(t, netserver.ErrIdle, await(t, p.lost))
		_, err := c.Read(make([]byte, 1))
		require.Equal(t, io.EOF, err)
		require.Eventually(t, func() bool { return clock.set() == 0 || !s.kind.goroutines }, patience, time.Millisecond)
	})
}

// TestIdleWaits does not blame the peer for what the protocol waits for.
func TestIdleWaits(t *testing.T) {
	config := func(s *netserver.Server) { s.IdleTimeout = time.Second }
	b := behaviour{data: func(p *probe, data []byte) {
		switch data[0] {
		case 'p':
			p.PauseReading()
		case 'w':
			p.Go(func() func() { <-p.site.release; return func() { p.Write([]byte("done")) } })
		case 'n':
			p.SetIdleTimeout(0)
		}
	}}
	onClock(t, config, b, func(t *testing.T, s *site, clock *handClock) {
		c := s.connect()
		p := await(t, s.made)
		send(t, c, "w")
		for received := false; !received; {
			p.do(func() { received = netserver.Working(p.Transport) })
		}
		clock.pass(p, 5*time.Second)
		require.Empty(t, p.lost)
		close(s.release)
		expect(t, c, "done")
		p.do(p.PauseReading)
		clock.pass(p, 5*time.Second)
		require.Empty(t, p.lost)
		p.do(p.ResumeReading)
		p.do(func() { p.SetIdleTimeout(0) })
		clock.pass(p, 5*time.Second)
		require.Empty(t, p.lost)
		p.do(func() { p.SetIdleTimeout(time.Second) })
		clock.pass(p, 5*time.Second)
		require.Equal(t, netserver.ErrIdle, await(t, p.lost))
	})
}

// TestIdleWithOutput closes a connection whose peer reads nothing: it gets what
// has left, and then the end.
func TestIdleWithOutput(t *testing.T) {
	const size = 32 << 20
	config := func(s *netserver.Server) { s.IdleTimeout = 4 * time.Second }
	b := behaviour{data: func(p *probe, _ []byte) { p.Write(make([]byte, size)) }}
	onClock(t, config, b, func(t *testing.T, s *site, clock *handClock) {
		c := s.connect()
		send(t, c, "go")
		p := await(t, s.made)
		require.Eventually(t, func() bool { // once the kernel's buffers are full
			clock.pass(p, time.Second)
			return len(p.lost) > 0
		}, patience, time.Millisecond)
		require.Equal(t, netserver.ErrIdle, await(t, p.lost))
		n, err := io.Copy(io.Discard, c)
		require.Less(t, n, int64(size))
		if s.kind.network != "tls" { // its end is a record, which does not fit
			require.NoError(t, err)
		}
	})
}

// TestWriteTimeout gives up a peer that reads nothing, and none that reads a
// little now and then.
func TestWriteTimeout(t *testing.T) {
	config := func(s *netserver.Server) { s.WriteTimeout = 4 * time.Second }
	b := behaviour{data: func(p *probe, _ []byte) { p.Write(make([]byte, 32<<20)) }}
	onClock(t, config, b, func(t *testing.T, s *site, clock *handClock) {
		c := s.connect()
		p := await(t, s.made)
		clock.pass(p, 10*time.Second) // nothing is pending
		send(t, c, "go")
		expect(t, c, "\x00")
		left := func() (n int) {
			p.do(func() { n = p.Pending() })
			return n
		}
		for range 5 {
			for before := left(); left() == before; {
				_, err := io.CopyN(io.Discard, c, 16<<10)
				require.NoError(t, err)
			}
			clock.pass(p, 2*time.Second)
			require.Empty(t, p.lost)
		}
		require.Eventually(t, func() bool { // once the kernel's buffers are full
			clock.pass(p, time.Second)
			return len(p.lost) > 0
		}, patience, time.Millisecond)
		require.Equal(t, netserver.ErrWriteTimeout, await(t, p.lost))
		_, err := io.Copy(io.Discard, c)
		if s.kind.network == "tcp" {
			require.Error(t, err)
		}
	})
}

// TestAfterFunc rings once, and not after stop.
func TestAfterFunc(t *testing.T) {
	onClock(t, func(*netserver.Server) {}, behaviour{}, func(t *testing.T, s *site, clock *handClock) {
		c := s.connect()
		p := await(t, s.made)
		rung := make(chan string, 10)
		var stop, late func() bool
		p.do(func() {
			stop = p.Loop().AfterFunc(time.Second, func() { rung <- "stopped" })
			late = p.Loop().AfterFunc(time.Second, func() { rung <- "first" })
			p.Loop().AfterFunc(3*time.Second, func() { rung <- "second" })
			require.True(t, stop())
			require.False(t, stop())
		})
		clock.pass(p, 2*time.Second)
		require.Equal(t, "first", await(t, rung))
		p.do(func() { require.False(t, late()) })
		clock.pass(p, 2*time.Second)
		require.Equal(t, "second", await(t, rung))
		require.Empty(t, rung)
		require.NoError(t, c.Close())
	})
}

// TestAcceptPauses goes on after an error of Accept that passes.
func TestAcceptPauses(t *testing.T) {
	clock := newHandClock()
	s := newSite(t, kind{"memory", true}, func(s *netserver.Server) { s.Clock = clock })
	l := &flaky{MemoryListener: netserver.NewMemoryListener(), errs: make(chan error, 2)}
	l.errs <- passing{}
	l.errs <- passing{}
	go func() { s.served <- s.Serve(l, s.probes(behaviour{data: echoData})) }()
	for wait := 5 * time.Millisecond; wait <= 10*time.Millisecond; wait *= 2 {
		require.Eventually(t, func() bool { return clock.set() == 1 }, patience, time.Millisecond)
		clock.mu.Lock()
		a := clock.alarms[0]
		clock.alarms = nil
		clock.mu.Unlock()
		require.Equal(t, wait, a.at.Sub(clock.Now()))
		a.f()
	}
	c, err := l.Dial()
	require.NoError(t, err)
	send(t, c, "a")
	expect(t, c, "a")

	l.errs <- io.ErrUnexpectedEOF
	_, err = l.Dial()
	require.NoError(t, err)
	require.Equal(t, io.ErrUnexpectedEOF, await(t, s.served))
	send(t, c, "b") // connections go on
	expect(t, c, "b")
	require.NoError(t, s.Shutdown(t.Context()))
}

// flaky is a listener with errors.
type flaky struct {
	*netserver.MemoryListener
	errs chan error
}

func (l *flaky) Accept() (net.Conn, error) {
	select {
	case err := <-l.errs:
		return nil, err
	default:
	}
	c, err := l.MemoryListener.Accept()
	select {
	case err := <-l.errs:
		return nil, err
	default:
		return c, err
	}
}

// passing is an error that passes.
type passing struct{}

func (passing) Error() string   { return "passing" }
func (passing) Temporary() bool { return true }
