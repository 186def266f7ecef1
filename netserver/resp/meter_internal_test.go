package resp

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/netserver"
)

// spell is a connection without a network.
type spell struct {
	*conn
	replies []byte
}

// Write keeps replies.
func (s *spell) Write(p []byte) { s.replies = append(s.replies, p...) }

// spellTransport is a sink whose output is kept.
type spellTransport struct {
	sink
	to *spell
}

func (s *spellTransport) Write(p []byte) { s.to.Write(p) }

// newSpell returns a connection of a server.
func newSpell(srv *Server) *spell {
	s := &spell{conn: srv.factory.BuildProtocol(nil).(*conn)}
	s.ConnectionMade(&spellTransport{sink{&netserver.Loop{}, srv.factory.store}, s})
	return s
}

// say sends an inline request and returns the reply.
func (s *spell) say(line string) string {
	s.replies = nil
	s.DataReceived([]byte(line + "\r\n"))
	return string(s.replies)
}

// field returns a field of INFO, or of CLIENT LIST.
func field(text, name string) string {
	for word := range strings.FieldsSeq(text) {
		if value, ok := strings.CutPrefix(word, name); ok {
			return value
		}
	}
	return ""
}

// inBubble runs fn with two connections of a server, by a time that goes on while
// all wait.
func inBubble(t *testing.T, fn func(t *testing.T, srv *Server, a, b *spell)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		db, err := brock.OpenMemory(nil)
		require.NoError(t, err)
		defer db.Close()
		srv, err := NewServer(db, nil)
		require.NoError(t, err)
		fn(t, srv, newSpell(srv), newSpell(srv))
	})
}

// pass has time pass.
func pass(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
}

// TestRates tells what was done in the last whole second.
func TestRates(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *Server, a, b *spell) {
		want := func(ops, in, out string) {
			t.Helper()
			info := b.say("INFO stats")
			require.Equal(t, ops, field(info, "instantaneous_ops_per_sec:"))
			require.Equal(t, in, field(info, "instantaneous_input_kbps:"))
			require.Equal(t, out, field(info, "instantaneous_output_kbps:"))
		}
		pass(10 * time.Second)
		for range 50 {
			a.say("PING")
			a.say("ECHO " + strings.Repeat("x", 1024))
		}
		pass(time.Second)
		want("100", "50.63", "50.78")
		a.say("PING") // of a second that is not over
		want("100", "50.63", "50.78")
		pass(999 * time.Millisecond)
		want("100", "50.63", "50.78")
		pass(1001 * time.Millisecond)
		want("0", "0.00", "0.00")
		pass(time.Second)
		require.Equal(t, "1", field(b.say("INFO stats"), "instantaneous_ops_per_sec:"))
	})
}

// TestIdle tells for how long a client was silent.
func TestIdle(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *Server, a, b *spell) {
		silent := func() string {
			list := strings.Split(b.say("CLIENT LIST"), "\n")
			require.Equal(t, "0", field(list[2], "idle="))
			return field(list[1], "idle=")
		}
		pass(10 * time.Second)
		require.Equal(t, "10", silent())
		a.say("PING")
		require.Equal(t, "0", silent())
		pass(1999 * time.Millisecond)
		require.Equal(t, "1", silent())
		a.busy = true // a command runs elsewhere
		a.say("PING")
		require.Equal(t, "0", silent())
		pass(3 * time.Second)
		require.Equal(t, "3", silent())
		ctx, cancel := context.WithCancel(t.Context())
		a.cancel = cancel
		call := newCall(ctx, a.conn, srv.commands.find([]byte("ping")), [][]byte{[]byte("PING")})
		call.run()
		a.unpark(call)
		require.Equal(t, "0", silent(), "answered")
	})
}

// TestMemoryPeak remembers the most memory that was in use while loops had
// something to do.
func TestMemoryPeak(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *Server, a, _ *spell) {
		memory := func(name string) int {
			n, err := strconv.Atoi(field(a.say("INFO memory"), name+":"))
			require.NoError(t, err)
			return n
		}
		const size = 64 << 20
		before := memory("used_memory_peak")
		require.LessOrEqual(t, memory("used_memory"), before+size)
		require.NoError(t, srv.db.Set("big", make([]byte, size)))
		pass(time.Second)
		a.say("PING")
		_, err := srv.db.Del("big")
		require.NoError(t, err)
		require.Greater(t, memory("used_memory_peak"), size)
		a.say("CONFIG RESETSTAT")
		require.Greater(t, memory("used_memory_peak"), size, "as in Redis")
	})
}
