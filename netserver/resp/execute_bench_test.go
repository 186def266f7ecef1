package resp

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/netserver"
)

// sink is a transport whose output goes nowhere. Its marks are released at once.
type sink struct {
	loop  *netserver.Loop
	store store
}

func (s *sink) Write([]byte)                 {}
func (s *sink) WriteSequence([][]byte)       {}
func (s *sink) LoseConnection()              {}
func (s *sink) Abort()                       {}
func (s *sink) PauseReading()                {}
func (s *sink) ResumeReading()               {}
func (s *sink) Pending() int                 { return 0 }
func (s *sink) Mark(n uint64)                { s.store.Release(n, func(error) {}) }
func (s *sink) Go(work func() func())        { work()() }
func (s *sink) Continue(deliver func())      { deliver() }
func (s *sink) Loop() *netserver.Loop        { return s.loop }
func (s *sink) SetIdleTimeout(time.Duration) {}
func (s *sink) LocalAddr() net.Addr          { return &net.TCPAddr{} }
func (s *sink) RemoteAddr() net.Addr         { return &net.TCPAddr{} }

// BenchmarkExecute executes pipelines of 16 requests as redis-benchmark sends
// them, without a network: keys, fields, members of a million, values of 64
// bytes, everysecond. A round is a request.
func BenchmarkExecute(b *testing.B) {
	value := strings.Repeat("x", 64)
	for _, c := range []struct {
		name string
		make func(n int) []string
	}{
		{"set", func(n int) []string { return []string{"SET", fmt.Sprintf("key:%012d", n), value} }},
		{"get", func(n int) []string { return []string{"GET", fmt.Sprintf("key:%012d", n)} }},
		{"incr", func(n int) []string { return []string{"INCR", fmt.Sprintf("counter:%012d", n)} }},
		{"hset", func(n int) []string { return []string{"HSET", "myhash", fmt.Sprintf("element:%012d", n), value} }},
		{"lpush", func(int) []string { return []string{"LPUSH", "mylist", value} }},
		{"zadd", func(n int) []string { // each member comes about four times, with other scores
			return []string{"ZADD", "myzset", fmt.Sprint(n), fmt.Sprintf("element:%012d", n/4)}
		}},
		{"ping", func(int) []string { return []string{"PING"} }},
	} {
		b.Run("cmd="+c.name, func(b *testing.B) {
			db, err := brock.Open(b.TempDir(), nil)
			require.NoError(b, err)
			defer db.Close()
			srv, err := NewServer(db, nil)
			require.NoError(b, err)
			conn := srv.factory.BuildProtocol(nil).(*conn)
			conn.ConnectionMade(&sink{loop: &netserver.Loop{}, store: srv.factory.store})
			const keys, depth = 1_000_000, 16
			rng := rand.New(rand.NewPCG(1, 2))
			batches := make([][]byte, keys/depth)
			for i := range batches {
				for range depth {
					batches[i] = appendRequest(batches[i], c.make(rng.IntN(keys)))
				}
			}
			if c.name == "get" {
				for n := range keys {
					require.NoError(b, db.Set(fmt.Sprintf("key:%012d", n), []byte(value)))
				}
			}
			for _, batch := range batches {
				conn.DataReceived(batch)
			}
			require.NoError(b, db.Checkpoint())
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += depth {
				conn.DataReceived(batches[i/depth%len(batches)])
			}
		})
	}
}

// appendRequest writes a request.
func appendRequest(b []byte, words []string) []byte {
	b = fmt.Appendf(b, "*%d\r\n", len(words))
	for _, w := range words {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(w), w)
	}
	return b
}
