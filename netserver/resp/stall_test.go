package resp_test

import (
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/netserver/resp"
)

// TestNobodyStalls has an Update held, checkpoints running, a cold list of many
// bytes read, and a client that waits for a list, while another client on the
// same loop asks for an untouched key: it is answered at once.
func TestNobodyStalls(t *testing.T) {
	elements, span, limit := 40_000, time.Second, 50*time.Millisecond // other tests run meanwhile
	if os.Getenv("BROCK_SOAK") != "" {
		elements, span, limit = 1_000_000, 2*time.Second, 5*time.Millisecond
	}
	db, err := brock.Open(t.TempDir(), &brock.Options{MemoryBudget: 64 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.Set("untouched", []byte("value")))
	fillList(t, db, "cold", elements)
	s := serveDB(t, db, &resp.Options{Loops: 1})

	held, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		require.NoError(t, db.Update(func(tx *brock.Tx) error {
			close(held)
			<-release
			return tx.Set("held", nil)
		}))
	})
	<-held
	waiter, reader, blocked := s.connect(t), s.connect(t), s.connect(t)
	waiter.send(request("BLPOP", "nothing", "0"))
	blocked.send(request("SET", "other", "value"))
	reader.send(request("LRANGE", "cold", "0", "-1"))
	done := make(chan int64, 1)
	wg.Go(func() {
		n, _ := io.Copy(io.Discard, io.LimitReader(reader.r, int64(elements)<<10))
		done <- n
	})
	wg.Go(func() {
		for range 3 {
			require.NoError(t, db.Checkpoint())
		}
	})

	latencies := ask(t, s.connect(t).conn, span)
	close(release)
	require.Equal(t, "+OK", blocked.reply().raw())
	require.EqualValues(t, elements<<10, <-done)
	slices.Sort(latencies)
	n := len(latencies)
	t.Logf("%d requests: p50 %v, p99 %v, p99.9 %v, max %v", n, latencies[n/2], latencies[n*99/100], latencies[n*999/1000], latencies[n-1])
	require.Less(t, latencies[n*99/100], limit)
}

// fillList makes a list of elements of 1 KB, of which little stays in memory.
func fillList(t *testing.T, db *brock.DB, key string, elements int) {
	t.Helper()
	value := []byte(strings.Repeat("x", 1<<10))
	require.NoError(t, db.Pipelined(func(p *brock.Pipe) error {
		for range elements {
			if _, err := p.RPush(key, value); err != nil {
				return err
			}
		}
		return nil
	}))
	require.NoError(t, db.Checkpoint())
}

// ask sends PING and GET of an untouched key in turns for some time and returns
// how long the replies took.
func ask(t *testing.T, c net.Conn, span time.Duration) (latencies []time.Duration) {
	t.Helper()
	requests := []string{request("PING"), request("GET", "untouched")}
	replies := []string{"+PONG\r\n", "$5\r\nvalue\r\n"}
	buf := make([]byte, 64)
	for began := time.Now(); time.Since(began) < span; {
		for i, r := range requests {
			sent := time.Now()
			_, err := io.WriteString(c, r)
			require.NoError(t, err)
			n, err := io.ReadFull(c, buf[:len(replies[i])])
			require.NoError(t, err)
			require.Equal(t, replies[i], string(buf[:n]))
			latencies = append(latencies, time.Since(sent))
		}
	}
	return latencies
}
