package compare_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What the load of a sustained benchmark is.
const (
	wireClients = 50
	wireDepth   = 16
)

// wireClient is a connection that sends pipelines of SETs.
type wireClient struct {
	net.Conn
	buf, reply []byte
	value      string
}

// dialWire connects to a server.
func (s wireServer) dialWire() (*wireClient, error) {
	conn, err := net.Dial("tcp", s.addr())
	return &wireClient{Conn: conn, value: strings.Repeat("x", 64)}, err
}

// set sends SETs of keys in one pipeline and waits for all replies.
func (c *wireClient) set(keys ...int) error {
	c.buf = c.buf[:0]
	for _, k := range keys {
		c.buf = fmt.Appendf(c.buf, "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012d\r\n$64\r\n%s\r\n", k, c.value)
	}
	if _, err := c.Write(c.buf); err != nil {
		return err
	}
	const ok = "+OK\r\n"
	c.reply = slices.Grow(c.reply[:0], len(ok)*len(keys))[:len(ok)*len(keys)]
	if _, err := io.ReadFull(c.Conn, c.reply); err != nil {
		return err
	}
	if string(c.reply) != strings.Repeat(ok, len(keys)) {
		return fmt.Errorf("replies %q", c.reply)
	}
	return nil
}

// fill sets keys from 0 on.
func (s wireServer) fill(b *testing.B, keys int) {
	b.Helper()
	c, err := s.dialWire()
	require.NoError(b, err)
	defer c.Close()
	const depth = 500
	batch := make([]int, 0, depth)
	for k := range keys {
		if batch = append(batch, k); len(batch) == depth || k == keys-1 {
			require.NoError(b, c.set(batch...))
			batch = batch[:0]
		}
	}
}

// writeFor sets random keys for some time.
func (s wireServer) writeFor(b *testing.B, keys int, span time.Duration) (got sustained) {
	b.Helper()
	lists := make([][]time.Duration, wireClients)
	began := time.Now()
	together(wireClients, func(i int) {
		c, err := s.dialWire()
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		rng := rand.New(rand.NewPCG(uint64(i), 7))
		batch := make([]int, wireDepth)
		for time.Since(began) < span {
			for j := range batch {
				batch[j] = rng.IntN(keys)
			}
			sent := time.Now()
			if err := c.set(batch...); err != nil {
				b.Error(err)
				return
			}
			lists[i] = append(lists[i], time.Since(sent))
		}
	})
	got.took = time.Since(began)
	got.latencies = slices.Concat(lists...)
	slices.Sort(got.latencies)
	got.ops = len(got.latencies) * wireDepth
	require.NotEmpty(b, got.latencies)
	return got
}
