package netserver_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/netserver"
)

// echoData is a probe's data function that sends everything back.
func echoData(p *probe, data []byte) { p.Write(data) }

func TestEcho(t *testing.T) {
	b := behaviour{data: echoData}
	onAll(t, nil, b, func(t *testing.T, s *site) {
		c := s.connect()
		sent := make([]byte, 3<<20)
		rng := rand.NewChaCha8([32]byte{1})
		_, _ = rng.Read(sent)
		go func() {
			for rest := sent; len(rest) > 0; {
				n := min(len(rest), 1+int(rng.Uint64()%100_000))
				if _, err := c.Write(rest[:n]); err != nil {
					return
				}
				rest = rest[n:]
			}
		}()
		got := make([]byte, len(sent))
		_, err := io.ReadFull(c, got)
		require.NoError(t, err)
		require.True(t, bytes.Equal(sent, got))
		p := await(t, s.made)
		require.Equal(t, c.RemoteAddr(), p.LocalAddr())
		if s.kind.network != "unix" { // the client's has no name
			require.Equal(t, c.LocalAddr(), p.RemoteAddr())
		}
		require.Equal(t, 1, s.Conns())
		require.NoError(t, c.Close())
		require.Equal(t, io.EOF, await(t, p.lost))
	})
}

// TestWriteSequence writes pieces, and no more than that.
func TestWriteSequence(t *testing.T) {
	b := behaviour{made: func(p *probe) {
		p.WriteSequence([][]byte{[]byte("a"), nil, []byte("bc")})
		p.Write(nil)
		if n := p.Pending(); n != 3 {
			p.t.Error("pending:", n)
		}
		p.Write([]byte("d"))
		p.LoseConnection()
	}}
	onAll(t, nil, b, func(t *testing.T, s *site) {
		all, err := io.ReadAll(s.connect())
		require.NoError(t, err)
		require.Equal(t, "abcd", string(all))
	})
}

// TestLoseConnection wants everything that was written before, and nothing
// after.
func TestLoseConnection(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	b := behaviour{data: func(p *probe, _ []byte) {
		p.Write(big)
		p.LoseConnection()
		p.Write([]byte("late"))
		p.LoseConnection()
		p.Go(func() func() { p.t.Error("late work"); return nil })
	}}
	onAll(t, nil, b, func(t *testing.T, s *site) {
		c := s.connect()
		send(t, c, "go")
		got, err := io.ReadAll(c)
		require.NoError(t, err)
		require.True(t, bytes.Equal(big, got))
		require.Equal(t, netserver.ErrClosed, await(t, await(t, s.made).lost))
		require.Zero(t, s.Conns())
	})
}

// TestAbort drops output that the peer has not taken.
func TestAbort(t *testing.T) {
	b := behaviour{data: func(p *probe, _ []byte) {
		p.Write(make([]byte, 16<<20))
		p.Loop().Post(func() {
			p.Abort()
			p.Write([]byte("late"))
			p.Abort()
			if p.Pending() == 0 {
				p.t.Error("16 MiB went into buffers")
			}
		})
	}}
	onAll(t, nil, b, func(t *testing.T, s *site) {
		c := s.connect()
		send(t, c, "go")
		p := await(t, s.made)
		require.Equal(t, netserver.ErrAborted, await(t, p.lost))
		got, _ := io.ReadAll(c)
		require.Less(t, len(got), 16<<20)
	})
}

// TestHalfClose sends requests, closes the writing half, and still gets all
// replies.
func TestHalfClose(t *testing.T) {
	b := behaviour{data: func(p *probe, data []byte) {
		reply := strings.ToUpper(string(data))
		p.Go(func() func() {
			<-p.site.release
			return func() { p.Write([]byte(reply)) }
		})
	}}
	onAll(t, nil, b, func(t *testing.T, s *site) {
		c := s.connect()
		send(t, c, "request")
		closeWrite(t, c)
		p := await(t, s.made)
		p.do(func() {})
		close(s.release)
		expect(t, c, "REQUEST")
		expectEnd(t, c)
		require.Equal(t, io.EOF, await(t, p.lost))
	})
}

// TestGoOrder delivers in the order of the calls what ends in the opposite one.
func TestGoOrder(t *testing.T) {
	b := behaviour{data: func(p *probe, data []byte) {
		done := make([]chan struct{}, len(data)+1)
		for i := range done {
			done[i] = make(chan struct{})
		}
		close(done[len(data)])
		for i, b := range bytes.Clone(data) {
			p.Go(func() func() {
				<-done[i+1]
				close(done[i])
				if b == '-' {
					return nil
				}
				return func() { p.Write([]byte{b}) }
			})
		}
	}}
	onAll(t, nil, b, func(t *testing.T, s *site) {
		c := s.connect()
		send(t, c, "ab-cd")
		expect(t, c, "abcd")
	})
}

// countdown answers with many pieces, one a turn, and between them with a piece
// that is computed elsewhere.
func countdown(p *probe, data []byte) {
	var next func()
	n := int(data[0])
	next = func() {
		p.Write([]byte{byte(n)})
		if n--; n > 0 {
			p.Go(func() func() { return func() { p.Write([]byte("-")) } })
			p.Continue(next)
		}
	}
	next()
}

// counted is what countdown answers.
func counted(n byte) string {
	var b strings.Builder
	for ; n > 1; n-- {
		b.WriteString(string([]byte{n}) + "-")
	}
	return b.String() + "\x01"
}

// TestContinue goes on in later turns, though the peer has closed.
func TestContinue(t *testing.T) {
	onAll(t, nil, behaviour{data: countdown}, func(t *testing.T, s *site) {
		c := s.connect()
		send(t, c, "\x40")
		closeWrite(t, c)
		expect(t, c, counted(0x40))
		expectEnd(t, c)
		require.Equal(t, io.EOF, await(t, await(t, s.made).lost))
	})
}

// TestContinueInShutdown goes on in later turns, though the server has been told
// to stop.
func TestContinueInShutdown(t *testing.T) {
	b := behaviour{data: func(p *probe, data []byte) {
		countdown(p, data)
		p.site.release <- struct{}{}
		<-p.site.release
	}}
	onAll(t, nil, b, func(t *testing.T, s *site) {
		c := s.connect()
		send(t, c, "\x40")
		<-s.release
		over := make(chan error, 1)
		go func() { over <- s.Shutdown(t.Context()) }()
		require.ErrorIs(t, await(t, s.served), netserver.ErrServerClosed)
		s.served <- netserver.ErrServerClosed
		s.release <- struct{}{}
		expect(t, c, counted(0x40))
		expectEnd(t, c)
		require.NoError(t, await(t, over))
	})
}

// TestShutdown lets work and output come to their end, and nothing begin.
func TestShutdown(t *testing.T) {
	b := behaviour{data: func(p *probe, _ []byte) {
		p.Write([]byte("begin "))
		p.Go(func() func() {
			<-p.site.release
			return func() { p.Write([]byte("end")) }
		})
	}}
	onAll(t, nil, b, func(t *testing.T, s *site) {
		c := s.connect()
		send(t, c, "go")
		expect(t, c, "begin ")
		p := await(t, s.made)
		over := make(chan error, 1)
		go func() { over <- s.Shutdown(t.Context()) }()
		require.ErrorIs(t, await(t, s.served), netserver.ErrServerClosed)
		s.served <- netserver.ErrServerClosed
		_, err := s.dial()
		if s.kind.network != "memory" {
			require.Error(t, err)
		}
		require.Empty(t, over)
		close(s.release)
		expect(t, c, "end")
		expectEnd(t, c)
		require.NoError(t, await(t, over))
		require.Equal(t, netserver.ErrShutdown, await(t, p.lost))
	})
}

// TestShutdownAborts aborts what is left when the context ends.
func TestShutdownAborts(t *testing.T) {
	b := behaviour{data: func(p *probe, _ []byte) { p.Write(make([]byte, 16<<20)) }}
	onAll(t, nil, b, func(t *testing.T, s *site) {
		c := s.connect()
		send(t, c, "go")
		expect(t, c, "\x00")
		p := await(t, s.made)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, s.Shutdown(ctx), context.Canceled)
		require.Equal(t, netserver.ErrShutdown, await(t, p.lost))
	})
}

// TestCloseFromCallback stops the server from within.
func TestCloseFromCallback(t *testing.T) {
	b := behaviour{data: func(p *probe, _ []byte) {
		if p.site.Close() != nil {
			p.t.Error("close")
		}
	}}
	onAll(t, nil, b, func(t *testing.T, s *site) {
		c := s.connect()
		send(t, c, "stop")
		require.Equal(t, netserver.ErrShutdown, await(t, await(t, s.made).lost))
		s.end()
		l := netserver.NewMemoryListener()
		require.ErrorIs(t, s.Serve(l, netserver.FactoryFunc(newEcho)), netserver.ErrServerClosed)
		_, err := l.Dial()
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

// TestRefused closes connections that the factory does not want.
func TestRefused(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name(), func(t *testing.T) {
			s := newSite(t, k, nil)
			s.serve(netserver.FactoryFunc(func(net.Addr) netserver.Protocol { return nil }))
			c, err := s.dial()
			if err != nil {
				return // TLS fails in the handshake
			}
			defer c.Close()
			require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
			expectEnd(t, c)
		})
	}
}
