package netserver_test

import (
	"bytes"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/brockdb/brock/netserver"
)

// rawClient is the socket of a client, blocking, and without anything that Go
// keeps for it.
type rawClient int

// dialRaw connects to a TCP listener of the site.
func (s *site) dialRaw() rawClient {
	s.t.Helper()
	addr, err := net.ResolveTCPAddr("tcp", s.addr)
	require.NoError(s.t, err)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = unix.Close(fd) })
	require.NoError(s.t, unix.Connect(fd, &unix.SockaddrInet4{Port: addr.Port, Addr: [4]byte{127, 0, 0, 1}}))
	return rawClient(fd)
}

// roundTrip sends data and reads as much.
func (c rawClient) roundTrip(data, into []byte) bool {
	if _, err := unix.Write(int(c), data); err != nil {
		return false
	}
	for n := 0; n < len(data); {
		k, err := unix.Read(int(c), into[n:])
		if k <= 0 || err != nil {
			return false
		}
		n += k
	}
	return true
}

// TestAllocations wants none for a turn, with and without a Gate.
func TestAllocations(t *testing.T) {
	for _, gated := range []bool{false, true} {
		t.Run("gated="+strconv.FormatBool(gated), func(t *testing.T) {
			s := newSite(t, kind{"tcp", false}, nil)
			f := netserver.FactoryFunc(func(net.Addr) netserver.Protocol { return &marker{} })
			if gated {
				s.serve(&revolving{Factory: f})
			} else {
				s.serve(f)
			}
			c := s.dialRaw()
			data, into := bytes.Repeat([]byte{'x'}, 512), make([]byte, 512)
			require.Zero(t, testing.AllocsPerRun(1000, func() {
				if !c.roundTrip(data, into) {
					t.Error("no echo")
				}
			}))
		})
	}
}

// marker is an echo that marks what it writes.
type marker struct {
	echo
	marks uint64
}

func (m *marker) DataReceived(data []byte) {
	m.Write(data)
	m.marks++
	m.Mark(m.marks)
}

// revolving is a Gate that passes by itself, once in the turn and once later.
type revolving struct {
	netserver.Factory
	turns int
}

func (*revolving) Passed() uint64 { return 0 }

func (r *revolving) Pass(_ uint64, done func(error)) bool {
	if r.turns++; r.turns%2 == 0 {
		return true
	}
	done(nil)
	return false
}

// BenchmarkEcho is one round trip at a time.
func BenchmarkEcho(b *testing.B) {
	for _, k := range []kind{{"tcp", false}, {"tcp", true}} {
		b.Run(k.name(), func(b *testing.B) {
			s := newBenchSite(b, k)
			data, into := bytes.Repeat([]byte{'x'}, 64), make([]byte, 64)
			b.ReportAllocs()
			for b.Loop() {
				if !s.roundTrip(data, into) {
					b.Fatal("no echo")
				}
			}
		})
	}
}

// newBenchSite runs an echo server and connects to it.
func newBenchSite(b *testing.B, k kind) rawClient {
	b.Helper()
	s := &netserver.Server{}
	if k.goroutines {
		netserver.ForceGoroutines(s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	go func() { _ = s.Serve(l, netserver.FactoryFunc(newEcho)) }()
	b.Cleanup(func() { _ = s.Close() })
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(b, err)
	b.Cleanup(func() { _ = unix.Close(fd) })
	require.NoError(b, unix.Connect(fd, &unix.SockaddrInet4{Port: l.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}))
	return rawClient(fd)
}

// TestIdleMemory keeps many connections that have said something, and looks at
// what the process has grown by for each.
func TestIdleMemory(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 1000
	}
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	if uint64(2*n+100) > limit.Max {
		n = int(limit.Max)/2 - 100
	}
	s := newSite(t, kind{"tcp", false}, nil)
	s.serve(netserver.FactoryFunc(newEcho))
	data, into := bytes.Repeat([]byte{'x'}, 4096), make([]byte, 4096)
	debug.FreeOSMemory()
	before := residentBytes(t)
	for range n {
		require.True(t, s.dialRaw().roundTrip(data, into))
	}
	require.Equal(t, n, s.Conns())
	debug.FreeOSMemory()
	each := (residentBytes(t) - before) / n
	t.Logf("%d connections, %d bytes each", n, each)
	require.Less(t, each, 16<<10)
}

// residentBytes is how much memory the process has.
func residentBytes(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages, err := strconv.Atoi(string(bytes.Fields(text)[1]))
	require.NoError(t, err)
	return pages * os.Getpagesize()
}
