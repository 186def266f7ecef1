package resp_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/netserver/resp"
)

// longTalks are long requests that a client may send, well-formed or not.
func longTalks() []string {
	big := strings.Repeat("0123456789abcdef", 20_000) // 320 kB
	many := func(name string) []string {
		args := []string{name}
		for i := range 20_000 {
			args = append(args, fmt.Sprintf("argument number %d", i))
		}
		return args
	}
	ping := request("PING")
	broken := request("MSET", "a", big, "b", big)
	return []string{
		ping + request("ECHO", big) + ping + request("ECHO", big+big),
		request("SET", "k", big) + request("GET", "k") + request("DEL", big, "k", big) + ping,
		request("MSET", "a", big, "b", big+"x", "c", "y") + request("MGET", "a", "b", "c"),
		request(many("DEL")...) + ping + request(many("MSET")...) + request(many("MSET")[:20_001-1]...) + request("DBSIZE"),
		request("NOSUCH", big) + request(big, big) + request("CONFIG", big) + request("GET", big, big) + ping,
		request("AUTH", big) + request("HELLO", "3", "SETNAME", big+" ") + request("CLIENT", "REPLY", big) + ping,
		request("CLIENT", "REPLY", "SKIP") + request("ECHO", big) + request("CLIENT", "REPLY", "OFF") + request("ECHO", big) + request("CLIENT", "REPLY", "ON"),
		request("POST", big) + ping,
		request("QUIT", big) + ping,
		strings.Replace(broken, "$1\r\nb", "$x\r\nb", 1) + ping,
		strings.Replace(broken, "$1\r\nb", "!1\r\nb", 1) + ping,
	}
}

// marked sends bytes in chunks, and an ECHO, and returns what comes back up to the
// reply to that, or to the end of the connection.
func marked(t *testing.T, c net.Conn, text string, chunk int) string {
	t.Helper()
	const mark = "the end"
	w := newWire(t, c)
	go func() {
		for piece := range slices.Chunk([]byte(text+request("ECHO", mark)), chunk) {
			if _, err := c.Write(piece); err != nil {
				return // it was closed
			}
		}
	}()
	var got []byte
	for !bytes.HasSuffix(got, []byte(mark)) {
		line, err := w.r.ReadSlice('d')
		got = append(got, line...)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
		if err != nil && err != bufio.ErrBufferFull { //nolint:errorlint // it comes bare
			break
		}
	}
	return string(got)
}

// TestLong sends long requests to ours and to redis-server, in chunks that cut
// them anywhere.
func TestLong(t *testing.T) {
	theirs, ours := redis(t), serveUnix(t, nil)
	for i, text := range longTalks() {
		for _, chunk := range []int{1 << 20, 10_007, 61} {
			want := marked(t, dialRedis(t, theirs), text, chunk)
			got := marked(t, dial(t, ours), text, chunk)
			require.Equal(t, len(want), len(got), "talk %d in chunks of %d", i, chunk)
			require.True(t, want == got, "talk %d in chunks of %d", i, chunk)
		}
	}
}

// TestLongMemory receives a long request without moving what has come for what
// comes.
func TestLongMemory(t *testing.T) {
	const size = 64 << 20
	s := serve(t, nil)
	w := s.connect(t)
	sent := []byte(request("DEL", strings.Repeat("x", size)))
	require.Equal(t, ":0", w.do("DEL", "x"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := w.conn.Write(sent)
	require.NoError(t, err)
	require.Equal(t, ":0", w.reply().raw())
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(size*5/2))
}

// TestLongHarmsNobody has a client send long requests and get long replies while
// another client on the same loop is answered at once.
func TestLongHarmsNobody(t *testing.T) {
	if os.Getenv("BROCK_SOAK") == "" {
		t.Skip("soak: a machine that is busy otherwise keeps clients waiting, too")
	}
	s := serve(t, &resp.Options{Loops: 1})
	require.NoError(t, s.db.Set("untouched", []byte("value")))
	const size = 150 << 20
	big := strings.Repeat("x", size)
	var requests [][]byte // made before: a process that copies much does not run
	for _, args := range [][]string{{"DEL", big}, {"SET", "k", big}, {"ECHO", big}, {"NOSUCH", big}} {
		requests = append(requests, []byte(request(args...)))
	}
	long := s.connect(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i, replied := range []int{len(":0\r\n"), len("+OK\r\n"), size, 100} {
			_, _ = long.conn.Write(requests[i])
			_, _ = io.CopyN(io.Discard, long.r, int64(replied))
		}
	}()
	latencies := ask(t, s.connect(t).conn, 5*time.Second)
	<-done
	slices.Sort(latencies)
	n := len(latencies)
	t.Logf("%d requests: p50 %v, p99 %v, max %v", n, latencies[n/2], latencies[n*99/100], latencies[n-1])
	require.Less(t, latencies[n*99/100], 5*time.Millisecond)
	require.Less(t, latencies[n-1], 200*time.Millisecond)
}
