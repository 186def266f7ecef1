package resp_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// footprint is what a process holds.
type footprint struct {
	goroutines, descriptors int
	memory                  int64 // bytes of heap and stacks
}

// measure returns what the process holds, once it has collected garbage.
func measure(t *testing.T) (f footprint) {
	t.Helper()
	runtime.GC()
	runtime.GC() // what finalizers have let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	f.goroutines, f.memory = runtime.NumGoroutine(), int64(m.HeapAlloc+m.StackInuse)
	if list, err := os.ReadDir("/proc/self/fd"); err == nil {
		f.descriptors = len(list)
	}
	return f
}

// TestShortConnections has many clients connect, ask for something, some of them
// for half of it, and go: nothing of them stays.
func TestShortConnections(t *testing.T) {
	count := 5_000
	if os.Getenv("BROCK_SOAK") != "" {
		count = 100_000
	}
	s := serve(t, nil)
	visit := func(i int) {
		c, err := net.Dial("tcp", s.addr.String())
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		switch i % 4 {
		case 0:
			_, _ = io.WriteString(c, "*2\r\n$3\r\nGET\r\n$100\r\nhalf of it")
		case 1:
			_, _ = io.WriteString(c, request("BLPOP", "nothing", "0"))
		default:
			_, _ = io.WriteString(c, request("SET", fmt.Sprint("key", i%10), "value"))
			if _, err := io.ReadFull(c, make([]byte, 5)); err != nil {
				t.Error(err)
			}
		}
	}
	visitAll := func(n int) {
		var wg sync.WaitGroup
		for w := range 20 {
			wg.Go(func() {
				for i := w; i < n; i += 20 {
					visit(i)
				}
			})
		}
		wg.Wait()
		require.Eventually(t, func() bool { return s.Conns() == 0 }, 20*time.Second, 10*time.Millisecond)
	}
	visitAll(count / 10)
	before := measure(t)
	visitAll(count)
	after := measure(t)
	t.Logf("%d connections: %+v, then %+v", count, before, after)
	require.LessOrEqual(t, after.goroutines, before.goroutines+5)
	require.LessOrEqual(t, after.descriptors, before.descriptors+5)
	require.LessOrEqual(t, after.memory, before.memory+2<<20)
}

// TestIdleConnections has many connections do nothing once they have asked for
// something: they take little, their other ends in this process included.
func TestIdleConnections(t *testing.T) {
	count := 5_000
	if os.Getenv("BROCK_SOAK") != "" {
		count = 9_500 // both ends are descriptors of this process
	}
	s := serve(t, nil)
	warm := s.connect(t)
	require.Equal(t, "+PONG", warm.do("PING"))
	before := measure(t)
	conns := make([]net.Conn, count)
	for i := range conns {
		c, err := net.Dial("tcp", s.addr.String())
		require.NoError(t, err)
		defer c.Close()
		conns[i] = c
		_, err = io.WriteString(c, request("SET", "key", "value")+"*2\r\n$3\r\nGET\r\n$")
		require.NoError(t, err)
		_, err = io.ReadFull(c, make([]byte, 5))
		require.NoError(t, err)
	}
	after := measure(t)
	each := (after.memory - before.memory) / int64(count)
	t.Logf("%d connections: %d bytes each", count, each)
	require.LessOrEqual(t, each, int64(16<<10))
	require.LessOrEqual(t, after.goroutines, before.goroutines+5)
	runtime.KeepAlive(conns)
}
