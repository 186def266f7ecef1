package netserver_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/netserver"
)

// shouter is a line protocol: it sends lines back in capitals.
type shouter struct {
	netserver.Transport
	line []byte
	lost error
}

func (s *shouter) ConnectionMade(t netserver.Transport) {
	s.Transport = t
	s.Write([]byte("hello\n"))
}

func (s *shouter) DataReceived(data []byte) {
	for _, b := range data {
		if s.line = append(s.line, b); b == '\n' {
			s.shout(string(s.line))
			s.line = s.line[:0]
		}
	}
}

// shout answers a line.
func (s *shouter) shout(line string) {
	switch line {
	case "quit\n":
		s.LoseConnection()
	case "slow\n":
		s.Go(func() func() { return func() { s.Write([]byte("done\n")) } })
	case "wait\n":
		s.PauseReading()
	case "bang\n":
		panic("bang")
	default:
		s.Write([]byte(strings.ToUpper(line)))
	}
}

func (s *shouter) ConnectionLost(reason error) { s.lost = reason }

// newShouter runs a shouter on a StringTransport.
func newShouter(s *netserver.Server) (*shouter, *netserver.StringTransport) {
	p := &shouter{}
	return p, netserver.NewStringTransport(s, netserver.FactoryFunc(func(net.Addr) netserver.Protocol { return p }))
}

func TestStringTransport(t *testing.T) {
	p, tr := newShouter(nil)
	require.Equal(t, "hello\n", tr.Value())
	tr.Clear()
	tr.Feed("one\ntwo\nth")
	require.Equal(t, "ONE\nTWO\n", tr.Value())
	tr.FeedBytes("ree\nfour\n")
	require.Equal(t, "ONE\nTWO\nTHREE\nFOUR\n", tr.Value())
	tr.Clear()
	tr.Feed("wait\n")
	tr.Feed("later\n")
	require.Empty(t, tr.Value())
	tr.Do(p.ResumeReading)
	require.Equal(t, "LATER\n", tr.Value())
	require.NoError(t, tr.Lost())
	tr.Clear()
	tr.Feed("slow\nquick\n")
	tr.EOF()
	require.Eventually(t, func() bool { return tr.Lost() != nil }, patience, time.Millisecond)
	require.Equal(t, "QUICK\ndone\n", tr.Value())
	require.Equal(t, io.EOF, tr.Lost())
	require.Equal(t, io.EOF, p.lost)
	tr.Feed("late\n")
	tr.EOF()
	require.Equal(t, "QUICK\ndone\n", tr.Value())
}

// TestStringTransportEnds has connections end in other ways.
func TestStringTransportEnds(t *testing.T) {
	p, tr := newShouter(nil)
	tr.Feed("quit\nnot read\n")
	require.Equal(t, netserver.ErrClosed, tr.Lost())
	require.Equal(t, netserver.ErrClosed, p.lost)

	tr = netserver.NewStringTransport(nil, netserver.FactoryFunc(func(net.Addr) netserver.Protocol { return nil }))
	require.Equal(t, netserver.ErrRefused, tr.Lost())

	s := newSite(t, kind{"memory", true}, nil)
	p, tr = newShouter(s.Server)
	_, other := newShouter(s.Server)
	require.Equal(t, 2, s.Conns())
	tr.Feed("bang\n")
	require.ErrorIs(t, tr.Lost(), netserver.ErrPanic)
	require.Equal(t, tr.Lost(), p.lost)
	require.NoError(t, s.Shutdown(t.Context()))
	require.Equal(t, netserver.ErrShutdown, other.Lost())
	_, tr = newShouter(s.Server)
	require.Equal(t, netserver.ErrServerClosed, tr.Lost())
}

// TestStringTransportSettings uses the Server's clock and water marks, and the
// factory's Gate.
func TestStringTransportSettings(t *testing.T) {
	clock := newHandClock()
	site := newSite(t, kind{"memory", true}, func(s *netserver.Server) {
		s.Clock, s.IdleTimeout, s.HighWater = clock, time.Second, 100
	})
	f := &flood{probe: probe{t: t, site: site, lost: make(chan error, 1)}, paused: make(chan struct{}, 1), resumed: make(chan struct{}, 1)}
	f.data = func(p *probe, data []byte) {
		p.Write(data)
		p.Mark(1)
	}
	g := newTurnstile(t, netserver.FactoryFunc(func(net.Addr) netserver.Protocol { return f }))
	tr := netserver.NewStringTransport(site.Server, g)
	tr.Feed(strings.Repeat("a", 101))
	require.Len(t, f.paused, 1)
	tr.Feed("b")
	require.Empty(t, tr.Value())
	g.leads()
	g.open(1, nil)
	await(t, f.resumed)
	tr.Do(func() {})
	require.Equal(t, strings.Repeat("a", 101)+"b", tr.Value())
	clock.pass(&f.probe, 3*time.Second)
	require.Equal(t, netserver.ErrIdle, await(t, f.lost))
	require.NoError(t, site.Shutdown(t.Context()))
}

// TestMemoryListener reads, writes, and reaches deadlines and ends.
func TestMemoryListener(t *testing.T) {
	l := netserver.NewMemoryListener()
	require.Equal(t, "memory", l.Addr().Network())
	require.Equal(t, "memory", l.Addr().String())
	a, err := l.Dial()
	require.NoError(t, err)
	b, err := l.Accept()
	require.NoError(t, err)

	send(t, a, "no rendezvous") // nobody reads yet
	expect(t, b, "no rendezvous")
	require.NoError(t, b.SetReadDeadline(time.Now().Add(-time.Second)))
	_, err = b.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, b.SetReadDeadline(time.Now().Add(time.Millisecond)))
	_, err = b.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, b.SetReadDeadline(time.Time{}))

	require.NoError(t, a.SetDeadline(time.Now().Add(time.Millisecond)))
	n, err := a.Write(make([]byte, 1<<20))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.Equal(t, 64<<10, n)
	require.NoError(t, a.SetDeadline(time.Time{}))

	closeWrite(t, a)
	all, err := io.ReadAll(b)
	require.NoError(t, err)
	require.Len(t, all, 64<<10)
	_, err = a.Write([]byte("x"))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	send(t, b, "still")
	expect(t, a, "still")
	require.NoError(t, b.Close())
	_, err = a.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err)
	_, err = b.Read(make([]byte, 1))
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = b.Write([]byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
}

// TestMemoryListenerClose ends Accept, Dial, and connections that nobody
// accepted.
func TestMemoryListenerClose(t *testing.T) {
	l := netserver.NewMemoryListener()
	c, err := l.Dial()
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = c.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err)
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = l.Dial()
	require.ErrorIs(t, err, net.ErrClosed)
}

// TestMemoryListenerWakes has waiting readers and writers wake, for data and
// for the end.
func TestMemoryListenerWakes(t *testing.T) {
	l := netserver.NewMemoryListener()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := l.Accept()
		accepted <- c
	}()
	a, err := l.Dial()
	require.NoError(t, err)
	b := await(t, accepted)
	big := bytes.Repeat([]byte("0123456789"), 100_000)
	sent := make(chan error, 1)
	go func() {
		_, err := a.Write(big)
		sent <- err
	}()
	got := make([]byte, len(big))
	_, err = io.ReadFull(b, got)
	require.NoError(t, err)
	require.True(t, bytes.Equal(big, got))
	require.NoError(t, await(t, sent))
	go func() {
		_, err := a.Write(big)
		sent <- err
	}()
	require.NoError(t, b.Close())
	require.ErrorIs(t, await(t, sent), io.ErrClosedPipe)
}
