package netserver_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/netserver"
)

// turnstile is a Gate that the test opens.
type turnstile struct {
	netserver.Factory
	t *testing.T

	mu     sync.Mutex
	passed uint64
	lead   bool // Pass passes by itself
	done   func(error)
	asked  chan uint64 // gets the marks of Pass
}

// newTurnstile guards a Factory.
func newTurnstile(t *testing.T, f netserver.Factory) *turnstile {
	t.Helper()
	return &turnstile{Factory: f, t: t, asked: make(chan uint64, 1000)}
}

func (g *turnstile) Passed() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.passed
}

func (g *turnstile) Pass(mark uint64, done func(error)) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.done != nil {
		g.t.Error("a second Pass at a time")
	}
	if mark <= g.passed {
		g.t.Error("a Pass for what has passed:", mark)
	}
	g.asked <- mark
	if g.lead {
		g.passed = mark
		return true
	}
	g.done = done
	return false
}

// leads has Pass pass by itself from now on.
func (g *turnstile) leads() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lead = true
}

// open answers the outstanding Pass. Up to n has passed.
func (g *turnstile) open(n uint64, err error) {
	g.mu.Lock()
	g.passed = max(g.passed, n)
	done := g.done
	g.done = nil
	g.mu.Unlock()
	done(err)
}

// onGates runs a test over every kind of connection, all of which share one
// loop if there are event loops.
func onGates(t *testing.T, b behaviour, test func(t *testing.T, s *site, g *turnstile)) {
	t.Helper()
	for _, k := range kinds() {
		t.Run(k.name(), func(t *testing.T) {
			s := newSite(t, k, func(s *netserver.Server) { s.Loops = 1 })
			g := newTurnstile(t, s.probes(b))
			s.serve(g)
			test(t, s, g)
		})
	}
}

// markData is a probe's data function that answers each digit with itself, and
// marks it with it; a dot is not marked.
func markData(p *probe, data []byte) {
	for i, b := range data {
		p.Write(data[i : i+1])
		if b != '.' {
			p.Mark(uint64(b - '0'))
		}
	}
}

// TestGate holds output back until its mark has passed, and asks for one mark
// at a time.
func TestGate(t *testing.T) {
	onGates(t, behaviour{data: markData}, func(t *testing.T, s *site, g *turnstile) {
		c := s.connect()
		send(t, c, "0.")
		expect(t, c, "0.") // 0 needs no gate
		send(t, c, "3")
		require.EqualValues(t, 3, await(t, g.asked))
		p := await(t, s.made)
		send(t, c, "5")
		for got := 0; got != 2; {
			p.do(func() { got = p.Pending() })
		}
		send(t, c, "4.") // behind 5
		for got := 0; got != 4; {
			p.do(func() { got = p.Pending() })
		}
		require.Empty(t, g.asked)
		g.open(3, nil)
		expect(t, c, "3")
		require.EqualValues(t, 5, await(t, g.asked))
		g.open(7, nil)
		expect(t, c, "54.")
		send(t, c, "67")
		expect(t, c, "67") // have passed
		require.Empty(t, g.asked)
	})
}

// TestGateLeads lets output leave in the same turn, if Pass says so.
func TestGateLeads(t *testing.T) {
	onGates(t, behaviour{data: markData}, func(t *testing.T, s *site, g *turnstile) {
		g.leads()
		c := s.connect()
		send(t, c, "9")
		expect(t, c, "9")
		require.EqualValues(t, 9, await(t, g.asked))
		send(t, c, "8")
		expect(t, c, "8")
		require.Empty(t, g.asked)
	})
}

// TestGateRaisesMark marks output again that has been marked.
func TestGateRaisesMark(t *testing.T) {
	b := behaviour{data: func(p *probe, data []byte) {
		p.Write(data)
		p.Mark(1)
		p.Loop().Post(func() {
			p.Loop().Post(func() {
				p.Mark(2) // it is another turn, and nothing was written
				p.site.made <- p
			})
		})
	}}
	onGates(t, b, func(t *testing.T, s *site, g *turnstile) {
		c := s.connect()
		send(t, c, "x")
		await(t, s.made)
		p := await(t, s.made)
		require.EqualValues(t, 1, await(t, g.asked))
		g.open(1, nil)
		require.EqualValues(t, 2, await(t, g.asked))
		p.do(func() { require.Equal(t, 1, p.Pending()) })
		g.open(2, nil)
		expect(t, c, "x")
	})
}

// TestGateFails aborts the connections that wait, and no others.
func TestGateFails(t *testing.T) {
	broken := errors.New("broken")
	onGates(t, behaviour{data: markData}, func(t *testing.T, s *site, g *turnstile) {
		c := s.connect()
		p := await(t, s.made)
		other := s.connect()
		await(t, s.made)
		send(t, c, "1")
		require.EqualValues(t, 1, await(t, g.asked))
		send(t, other, ".")
		expect(t, other, ".")
		g.open(0, broken)
		require.ErrorIs(t, await(t, p.lost), broken)
		expectEnd(t, c)
		send(t, other, ".")
		expect(t, other, ".")
	})
}

// TestGateAndEnds holds back the end of a connection whose output waits: the
// peer's, the protocol's and the server's.
func TestGateAndEnds(t *testing.T) {
	ends := map[string]struct {
		reason error
		end    func(s *site, c net.Conn, p *probe)
	}{
		"EOF":            {io.EOF, func(s *site, c net.Conn, _ *probe) { closeWrite(s.t, c) }},
		"LoseConnection": {netserver.ErrClosed, func(_ *site, _ net.Conn, p *probe) { p.do(p.LoseConnection) }},
		"Shutdown": {netserver.ErrShutdown, func(s *site, _ net.Conn, _ *probe) {
			go func() { _ = s.Shutdown(s.t.Context()) }()
		}},
	}
	for name, e := range ends {
		t.Run(name, func(t *testing.T) {
			onGates(t, behaviour{data: markData}, func(t *testing.T, s *site, g *turnstile) {
				c := s.connect()
				p := await(t, s.made)
				send(t, c, "1")
				require.EqualValues(t, 1, await(t, g.asked))
				e.end(s, c, p)
				p.do(func() { require.Equal(t, 1, p.Pending()) })
				g.open(1, nil)
				expect(t, c, "1")
				expectEnd(t, c)
				require.Equal(t, e.reason, await(t, p.lost))
			})
		})
	}
}

// TestGateForgets has a connection lost whose output waits, and another come.
func TestGateForgets(t *testing.T) {
	onGates(t, behaviour{data: markData}, func(t *testing.T, s *site, g *turnstile) {
		c := s.connect()
		p := await(t, s.made)
		send(t, c, "1")
		await(t, g.asked)
		p.do(p.Abort)
		require.Equal(t, netserver.ErrAborted, await(t, p.lost))
		g.open(1, nil)
		again := s.connect()
		send(t, again, "12")
		require.EqualValues(t, 2, await(t, g.asked))
		g.open(2, nil)
		expect(t, again, "12")
	})
}
