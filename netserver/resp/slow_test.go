package resp_test

import (
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/netserver/resp"
)

// TestSlowClients has many clients ask for much and read nothing, and as many
// send a request byte by byte and slowly: another client on the same loop is
// answered at once, and none of them takes much memory.
func TestSlowClients(t *testing.T) {
	count, span, limit := 100, time.Second, 50*time.Millisecond // other tests run meanwhile
	if os.Getenv("BROCK_SOAK") != "" {
		count, span, limit = 1_000, 5*time.Second, 5*time.Millisecond
	}
	s := serve(t, &resp.Options{Loops: 1})
	require.NoError(t, s.db.Set("untouched", []byte("value")))
	require.NoError(t, s.db.Set("big", []byte(strings.Repeat("x", 64<<10))))
	dial := func() net.Conn {
		c, err := net.Dial("tcp", s.addr.String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	before := measure(t)
	requests := strings.Repeat(request("GETRANGE", "big", "0", "-1"), 1_000)
	slow := make([]net.Conn, count)
	for i := range count {
		deaf := dial()
		go func() { _, _ = io.WriteString(deaf, requests) }() // blocks once the server does not read any more
		slow[i] = dial()
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		trickle := time.NewTicker(100 * time.Millisecond)
		defer trickle.Stop()
		for _, b := range []byte(request("SET", "slow", strings.Repeat("x", 1_000))) {
			for _, c := range slow {
				_, _ = c.Write([]byte{b})
			}
			select {
			case <-trickle.C:
			case <-stop:
				return
			}
		}
	}()
	for before := int64(-1); before != s.Calls("getrange"); { // until the deaf ones have all that they get
		before = s.Calls("getrange")
		ask(t, s.connect(t).conn, 200*time.Millisecond)
	}
	latencies := ask(t, s.connect(t).conn, span)
	after := measure(t)
	close(stop)
	<-stopped
	slices.Sort(latencies)
	n := len(latencies)
	each := (after.memory - before.memory) / int64(2*count)
	t.Logf("%d requests: p50 %v, p99 %v, max %v; %d bytes a slow client", n, latencies[n/2], latencies[n*99/100], latencies[n-1], each)
	require.Less(t, latencies[n*99/100], limit)
	require.Less(t, each, int64(512<<10))
}
