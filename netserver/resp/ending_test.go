package resp_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/netserver/resp"
)

// TestHalfClosed executes and answers all that came before the end of the input,
// also what takes more than a turn.
func TestHalfClosed(t *testing.T) {
	p := startPair(t, "")
	const rounds = 600
	requests := [][]string{{"SET", "k", strings.Repeat("x", 4000)}}
	for range rounds {
		requests = append(requests, []string{"INCR", "ctr"}, []string{"GET", "k"})
	}
	replies := p.ours.atOnce(requests)
	require.Len(t, replies, 1+2*rounds)
	for i, reply := range replies[1:] {
		if i%2 == 0 {
			require.Equal(t, ":"+strconv.Itoa(1+i/2), reply.raw())
		} else {
			require.Equal(t, requests[0][2], reply.text)
		}
	}
	p.theirs.send(raw(requests)) // it executes all, but need not have sent all
	p.theirs.closeWrite()
	require.NotEmpty(t, p.theirs.closed())
	p.sameData("")

	for _, size := range []int{100 << 10, 20 << 20} {
		big := strings.Repeat("0123456789abcdef", size/16)
		require.Equal(t, "+OK", p.ours.again().do("SET", "big", big))
		replies = p.ours.again().atOnce([][]string{{"GET", "big"}, {"INCR", "c"}, {"ECHO", big}, {"PING"}})
		require.Len(t, replies, 4)
		require.Equal(t, big, replies[0].text)
		require.Equal(t, byte(':'), replies[1].kind)
		require.Equal(t, big, replies[2].text)
		require.Equal(t, "+PONG", replies[3].raw())
	}
}

// TestHalfClosedAtWork has commands go on that take long, but end by themselves,
// when their client sends no more.
func TestHalfClosedAtWork(t *testing.T) {
	s := serve(t, &resp.Options{EnableDebug: true})
	replies := s.connect(t).atOnce([][]string{{"DEBUG", "POPULATE", "50000", "k", "100"}, {"DEBUG", "SLEEP", "0.01"}, {"DBSIZE"}, {"BROCK.BACKUP"}, {"PING"}})
	require.Equal(t, "+OK", replies[0].raw())
	require.Equal(t, "+OK", replies[1].raw())
	require.Equal(t, ":50000", replies[2].raw())
	require.Equal(t, "+PONG", replies[len(replies)-1].raw())
	var backup bytes.Buffer
	for _, piece := range replies[3 : len(replies)-1] {
		require.Equal(t, byte('$'), piece.kind, piece.raw())
		backup.WriteString(piece.text)
	}
	dir := filepath.Join(t.TempDir(), "restored")
	require.NoError(t, brock.Restore(&backup, dir))
	restored, err := brock.Open(dir, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, restored.Close()) })
	n, err := restored.DBSize()
	require.NoError(t, err)
	require.EqualValues(t, 50000, n)
}

// TestShutdownSends has a server stop that has much to send: it waits until the
// clients have it.
func TestShutdownSends(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 20<<20/16)
	for name, stop := range map[string]func(cancel func(), c *wire){
		"context":  func(cancel func(), _ *wire) { cancel() },
		"SHUTDOWN": func(_ func(), c *wire) { c.send(request("SHUTDOWN", "NOSAVE")) },
	} {
		t.Run(name, func(t *testing.T) {
			db, err := brock.OpenMemory(nil)
			require.NoError(t, err)
			require.NoError(t, db.Set("big", []byte(big)))
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- resp.Serve(ctx, l, db, nil) }()
			s := &served{addr: l.Addr()}
			reader, idle, stopper := s.connect(t), s.connect(t), s.connect(t)
			require.Equal(t, "+PONG", idle.do("PING"))
			reader.send(request("GET", "big") + request("PING"))
			_, err = reader.r.Peek(1)
			require.NoError(t, err)
			stop(cancel, stopper)
			for _, w := range []*wire{idle, stopper} {
				rest, err := io.ReadAll(w.r)
				require.NoError(t, err)
				require.Empty(t, rest)
			}
			require.Empty(t, ended, "a client has not got all")
			require.Equal(t, big, reader.reply().text)
			require.Equal(t, "+PONG", reader.reply().raw())
			rest, err := io.ReadAll(reader.r)
			require.NoError(t, err)
			require.Empty(t, rest)
			require.NoError(t, <-ended)
			require.NoError(t, db.Close())
		})
	}
}
