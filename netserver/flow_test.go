package netserver_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/netserver"
)

// TestPauseReading holds back data, and the end of the input with it.
func TestPauseReading(t *testing.T) {
	b := behaviour{
		made: func(p *probe) {
			p.PauseReading()
			p.PauseReading()
		},
		data: func(p *probe, data []byte) {
			p.Write(data)
			p.PauseReading()
		},
	}
	onAll(t, nil, b, func(t *testing.T, s *site) {
		c := s.connect()
		// For TLS the handshake waits, too: the client must not.
		go func() {
			_, _ = io.WriteString(c, "abc")
			if c, ok := c.(interface{ CloseWrite() error }); ok {
				_ = c.CloseWrite()
			}
		}()
		p := await(t, s.made)
		require.Empty(t, p.lost)
		p.do(p.ResumeReading)
		expect(t, c, "abc")
		p.do(func() {})
		require.Empty(t, p.lost)
		p.do(p.ResumeReading)
		require.Equal(t, io.EOF, await(t, p.lost))
		expectEnd(t, c)
	})
}

// TestPauseReadingAndLoss closes a connection that is paused with input
// waiting.
func TestPauseReadingAndLoss(t *testing.T) {
	onAll(t, nil, behaviour{data: func(p *probe, _ []byte) {
		p.PauseReading()
		p.Write([]byte("paused"))
	}}, func(t *testing.T, s *site) {
		c := s.connect()
		send(t, c, "a")
		expect(t, c, "paused")
		send(t, c, "bcd")
		p := await(t, s.made)
		p.do(p.LoseConnection)
		require.Equal(t, netserver.ErrClosed, await(t, p.lost))
		expectEnd(t, c)
	})
}

// flood is a Producer that answers each byte with 64 KiB.
type flood struct {
	probe
	paused  chan struct{} // gets something when it is paused first
	resumed chan struct{} // and when it is resumed
	most    int
	silent  bool // it must get no data
}

func (f *flood) PauseProducing() {
	defer f.enter()()
	f.silent = true
	notify(f.paused)
}

func (f *flood) ResumeProducing() {
	defer f.enter()()
	f.silent = false
	notify(f.resumed)
}

// notify sends on ch unless it is full.
func notify(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// answer is its data function.
func (f *flood) answer(p *probe, data []byte) {
	if f.silent {
		p.t.Error("data while it pauses")
	}
	for range data {
		p.Write(make([]byte, 64<<10))
	}
	f.most = max(f.most, p.Pending())
}

// TestBackPressure has a peer send requests and read no replies, until it does.
func TestBackPressure(t *testing.T) {
	const high, low, requests = 1 << 20, 1 << 16, 1000
	for _, k := range kinds() {
		t.Run(k.name(), func(t *testing.T) {
			s := newSite(t, k, func(s *netserver.Server) { s.HighWater, s.LowWater = high, low })
			made := make(chan *flood, 1)
			s.serve(netserver.FactoryFunc(func(net.Addr) netserver.Protocol {
				f := &flood{probe: probe{t: t, site: s, lost: make(chan error, 1)}, paused: make(chan struct{}, 1), resumed: make(chan struct{}, 1)}
				f.data = f.answer
				made <- f
				return f
			}))
			c := s.connect()
			go func() {
				for range requests {
					if _, err := c.Write([]byte{1}); err != nil {
						return
					}
				}
			}()
			f := await(t, made)
			await(t, f.paused)
			_, err := io.CopyN(io.Discard, c, requests*64<<10)
			require.NoError(t, err)
			await(t, f.resumed)
			require.NoError(t, c.Close())
			require.Equal(t, io.EOF, await(t, f.lost))
			require.False(t, f.silent)
			require.Greater(t, f.most, high)
		})
	}
}

// TestLowWaterWithinOutput has input resume when the rest of one large output
// is less than LowWater, though the peer has not read that.
func TestLowWaterWithinOutput(t *testing.T) {
	const size, read = 200 << 10, 80 << 10 // and 64 KiB are in the connection
	s := newSite(t, kind{"memory", true}, func(s *netserver.Server) { s.HighWater, s.LowWater = 128<<10, 64<<10 })
	second := make(chan struct{}, 1)
	s.serve(s.probes(behaviour{data: func(p *probe, data []byte) {
		if data[0] == 2 {
			notify(second)
			return
		}
		p.Write(make([]byte, size))
	}}))
	c := s.connect()
	send(t, c, "\x01")
	_, err := io.CopyN(io.Discard, c, 1)
	require.NoError(t, err)
	send(t, c, "\x02")
	p := await(t, s.made)
	p.do(func() { require.Empty(t, second) })
	_, err = io.CopyN(io.Discard, c, read)
	require.NoError(t, err)
	await(t, second)
}

// TestBackPressureStops bounds what a peer that reads nothing makes the server
// hold for an ordinary protocol: HighWater, and what one read brings.
func TestBackPressureStops(t *testing.T) {
	const high = 256 << 10
	onAll(t, func(s *netserver.Server) { s.HighWater = high }, behaviour{data: echoData}, func(t *testing.T, s *site) {
		c := s.connect()
		go func() {
			for {
				if _, err := c.Write(make([]byte, 32<<10)); err != nil {
					return // 64 MiB would not go into buffers
				}
			}
		}()
		p := await(t, s.made)
		start := time.Now()
		for pending, same := 0, 0; same < 1000; {
			require.Less(t, time.Since(start), patience)
			p.do(func() {
				if p.Pending() >= high/4 && p.Pending() == pending {
					same++
				}
				pending = p.Pending()
			})
			require.LessOrEqual(t, pending, high+64<<10)
		}
	})
}
