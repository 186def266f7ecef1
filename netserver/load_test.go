package netserver_test

import (
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/netserver"
)

// descriptors is the number of open files, or -1 where it is not known.
func descriptors() int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(files)
}

// TestLeaks makes many short connections that end in different ways, and wants
// all goroutines and descriptors back.
func TestLeaks(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 500
	}
	for _, k := range kinds() {
		t.Run(k.name(), func(t *testing.T) {
			count := n
			if k.network == "tls" {
				count = n / 20 // handshakes
			}
			goroutines, files := runtime.NumGoroutine(), descriptors()
			s := newSite(t, k, func(s *netserver.Server) { s.Loops = 2 })
			l := s.listen()
			go func() { s.served <- s.Serve(l, s.probes(shortLived())) }()
			var wg sync.WaitGroup
			for g := range 4 {
				wg.Go(func() { shortConnections(t, s, g, count/4) })
			}
			go func() {
				for p := range s.made {
					await(t, p.lost)
				}
			}()
			wg.Wait()
			require.NoError(t, s.Shutdown(t.Context()))
			close(s.made)
			require.Zero(t, s.Conns())
			wait := time.NewTicker(10 * time.Millisecond)
			defer wait.Stop()
			for range patience / (10 * time.Millisecond) {
				if runtime.NumGoroutine() <= goroutines && descriptors() <= files {
					return
				}
				<-wait.C
			}
			t.Errorf("goroutines: %d, then %d; descriptors: %d, then %d", goroutines, runtime.NumGoroutine(), files, descriptors())
		})
	}
}

// shortLived answers a byte as the byte says.
func shortLived() behaviour {
	return behaviour{data: func(p *probe, data []byte) {
		p.Write(data)
		switch data[0] {
		case 1:
			p.LoseConnection()
		case 2:
			p.Abort()
		case 3:
			p.Go(func() func() { return p.LoseConnection })
		}
	}}
}

// shortConnections makes n connections, one after the other.
func shortConnections(t *testing.T, s *site, seed, n int) {
	t.Helper()
	for i := range n {
		c, err := s.dial()
		if err != nil {
			t.Error(err)
			return
		}
		kind := byte((seed + i) % 6)
		if kind != 5 { // which says nothing
			_, _ = c.Write([]byte{kind})
			_, _ = c.Read(make([]byte, 1))
		}
		_ = c.Close()
	}
}

// TestSlowPeers has 1,000 connections that read nothing or send a byte now and
// then, and another that wants its echoes soon.
func TestSlowPeers(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 200
	}
	for _, k := range kinds() {
		if k.network == "tls" {
			continue // handshakes take all the time
		}
		t.Run(k.name(), func(t *testing.T) { slowPeers(t, k, n) })
	}
}

// slowPeers is TestSlowPeers for one kind of connection.
func slowPeers(t *testing.T, k kind, n int) {
	t.Helper()
	s := newSite(t, k, func(s *netserver.Server) { s.HighWater = 64 << 10 })
	s.serve(s.probes(behaviour{data: func(p *probe, data []byte) {
		if data[0] == 'f' {
			p.Write(make([]byte, 256<<10))
			return
		}
		p.Write(data)
	}}))
	drippers := make([]net.Conn, 0, n)
	for i := range n {
		c := s.connect()
		if i%2 == 0 {
			send(t, c, "ffff") // and reads nothing
		} else {
			drippers = append(drippers, c)
		}
	}
	c := s.connect()
	took := make([]time.Duration, 0, 500)
	for i := range cap(took) {
		send(t, drippers[i%len(drippers)], "x")
		begin := time.Now()
		send(t, c, "ping")
		expect(t, c, "ping")
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	t.Logf("p50 %v, p99 %v, longest %v", took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
	require.Less(t, took[len(took)/2], 100*time.Millisecond)
}
