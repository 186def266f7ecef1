package resp_test

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/netserver/resp"
)

// TestServerCommands compares replies of commands about the server.
func TestServerCommands(t *testing.T) {
	for _, proto := range []string{"2", "3"} {
		p := newPair(t, "")
		p.same("hello "+proto, "config set slowlog-log-slower-than -1",
			"time x", "save x", "bgsave x", "bgsave schedule x", "lastsave x", "dbsize", "bgsave",
			"slowlog get -2", "slowlog get x", "slowlog get 0", "slowlog get 1 2", "slowlog len x", "slowlog len", "slowlog reset", "slowlog nosuch",
			"slowlog reset x", "memory usage", "memory usage nosuch", "set a 1", "memory usage a samples", "memory usage a samples -1",
			"memory usage a samples x", "memory usage a x 1", "memory nosuch",
			"shutdown abort", "shutdown save nosave", "shutdown x", "shutdown abort now", "shutdown abort save", "shutdown abort force")
	}
}

func TestTime(t *testing.T) {
	c := serve(t, nil).connect(t)
	before := time.Now()
	reply := c.ask("TIME").texts()
	seconds, err := strconv.ParseInt(reply[0], 10, 64)
	require.NoError(t, err)
	micros, err := strconv.ParseInt(reply[1], 10, 64)
	require.NoError(t, err)
	require.WithinRange(t, time.UnixMicro(seconds*1e6+micros), before.Add(-time.Microsecond), time.Now())
	require.NotEqual(t, ":0", c.do("LASTSAVE"))
}

// TestSave makes checkpoints.
func TestSave(t *testing.T) {
	db, err := brock.Open(filepath.Join(t.TempDir(), "db"), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	c := serveDB(t, db, nil).connect(t)
	require.Equal(t, "+OK", c.do("SET", "a", "1"))
	require.Equal(t, "+OK", c.do("SAVE"))
	require.EqualValues(t, 1, db.Stats().Checkpoints)
	require.Equal(t, "+Background saving started", c.do("BGSAVE", "schedule"))
	for c.info("persistence")["rdb_bgsave_in_progress"] == "1" {
		require.Equal(t, "+PONG", c.do("PING"))
	}
	require.EqualValues(t, 2, db.Stats().Checkpoints)
	require.Equal(t, "ok", c.info("persistence")["rdb_last_bgsave_status"])
	require.Equal(t, ":"+strconv.FormatInt(db.Stats().CheckpointAt.Unix(), 10), c.do("LASTSAVE"))
}

// TestSlowlog looks at entries.
func TestSlowlog(t *testing.T) {
	p := newPair(t, "")
	p.mask = nil
	for _, w := range []*wire{p.ours, p.theirs} {
		require.Equal(t, "+OK", w.do("CONFIG", "SET", "slowlog-log-slower-than", "0"))
		w.do("CLIENT", "SETNAME", "me")
		w.do("GET", strings.Repeat("k", 200))
		w.do(append([]string{"DEL"}, strings.Split(strings.Repeat("k ", 40), " ")...)...)
		w.do("AUTH", "secret")
		w.do("AUTH", "default", "secret")
		w.do("HELLO", "3", "AUTH", "default", "secret", "SETNAME", "you")
		w.do("CONFIG", "SET", "requirepass", "", "timeout", "0")
	}
	entries := func(w *wire) (list []string) {
		for _, e := range w.ask("SLOWLOG", "GET", "-1").list {
			require.Len(t, e.list, 6)
			list = append(list, e.list[0].raw()+e.list[3].raw()+e.list[5].raw())
		}
		return list
	}
	require.Equal(t, entries(p.theirs), entries(p.ours))
	for _, w := range []*wire{p.ours, p.theirs} {
		require.Equal(t, "+OK", w.do("CONFIG", "SET", "slowlog-max-len", "5"))
		for i := range 100 {
			w.do("ECHO", strconv.Itoa(i))
		}
		require.Equal(t, ":5", w.do("SLOWLOG", "LEN"))
	}
	require.Equal(t, entries(p.theirs), entries(p.ours))
}

// TestRefusedUses shows that a command uses its key before it refuses its other
// arguments where that of Redis does.
func TestRefusedUses(t *testing.T) {
	at := &clock{}
	at.now.Store(1_000_000)
	db, err := brock.OpenMemory(&brock.Options{Clock: at})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	ours, theirs := serveDB(t, db, nil).connect(t), connectRedis(t, redis(t))
	const idle = 1000
	used := func(w *wire) []bool {
		var list []bool
		for _, key := range []string{"k", "other", "l"} {
			n, err := strconv.Atoi(w.ask("OBJECT", "IDLETIME", key).text)
			require.NoError(t, err)
			list = append(list, n < idle)
		}
		return list
	}
	for _, line := range []string{
		"BITCOUNT k 0", "BITCOUNT k 0 x", "BITCOUNT k 0 1 FOO", "BITCOUNT l 0 x", "BITPOS k 1 x", "BITPOS k 1 0 x", "BITPOS k 2 0",
		"GETEX k EX -1", "GETEX k EX x", "GETEX l EX x", "GETEX k EX 1 PX 1", "LCS k other IDX LEN", "LCS k other FOO", "LINDEX l x", "LINDEX k x",
		"GETRANGE k x 1", "SET k v EX x", "EXPIRE k x", "SETBIT k x 1", "INCRBY k x", "HSET k a", "LRANGE l x 1", "LPOP l x",
	} {
		for _, w := range []*wire{ours, theirs} {
			require.Equal(t, "+OK", w.line("FLUSHALL"))
			w.line("MSET k 123456 other 234567") // no integers that keys share
			w.line("RPUSH l x")
		}
		at.now.Add(idle)
		for _, key := range []string{"k", "other", "l"} {
			dump := theirs.ask("DUMP", key).text
			require.Equal(t, "+OK", theirs.do("RESTORE", key, "0", dump, "REPLACE", "IDLETIME", strconv.Itoa(idle)))
		}
		require.Equal(t, theirs.line(line), ours.line(line), line)
		require.Equal(t, used(theirs), used(ours), line)
	}
}

// TestShutdown stops the server.
func TestShutdown(t *testing.T) {
	for _, words := range []string{"SHUTDOWN", "SHUTDOWN SAVE", "SHUTDOWN NOSAVE NOW FORCE"} {
		db, err := brock.Open(filepath.Join(t.TempDir(), "db"), nil)
		require.NoError(t, err)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		called := make(chan struct{})
		served := make(chan error, 1)
		go func() {
			served <- resp.Serve(context.Background(), l, db, &resp.Options{Shutdown: func() { close(called) }})
		}()
		nc, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		c := newWire(t, nc)
		require.Equal(t, "+OK", c.do("SET", "a", "1"))
		c.send(request(strings.Fields(words)...))
		require.Empty(t, c.closed(), words)
		require.NoError(t, <-served)
		<-called
		saved := int64(0)
		if strings.Contains(words, " SAVE") {
			saved = 1
		}
		require.Equal(t, saved, db.Stats().Checkpoints, words)
		require.NoError(t, db.Close())
	}
}

// TestServe ends with its context.
func TestServe(t *testing.T) {
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- resp.Serve(ctx, l, db, nil) }()
	nc, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	c := newWire(t, nc)
	require.NoError(t, db.Set("a", []byte("from Go")))
	require.Equal(t, "$from Go", c.do("GET", "a"))
	require.Equal(t, "+OK", c.do("SET", "a", "from the wire"))
	v, err := db.Get("a")
	require.NoError(t, err)
	require.Equal(t, "from the wire", string(v))
	cancel()
	require.NoError(t, <-served)
	require.Empty(t, c.closed())

	require.NoError(t, db.Close())
	_, err = resp.NewServer(db, nil)
	require.ErrorIs(t, err, brock.ErrClosed)
}

// TestBackup restores what BROCK.BACKUP has sent, to a client that reads slowly.
func TestBackup(t *testing.T) {
	db, err := brock.Open(filepath.Join(t.TempDir(), "db"), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	c := serveDB(t, db, nil).connect(t)
	big := strings.Repeat("0123456789abcdef", 1<<20)
	for _, key := range []string{"a", "b", "c"} {
		require.Equal(t, "+OK", c.do("SET", key, key+big))
	}
	c.send(request("BROCK.BACKUP") + request("PING"))
	var backup bytes.Buffer
	pieces := 0
	for {
		piece := c.reply()
		require.Equal(t, byte('$'), piece.kind, piece.raw())
		if piece.text == "" {
			break
		}
		require.LessOrEqual(t, len(piece.text), 64<<10)
		backup.WriteString(piece.text)
		pieces++
	}
	require.Greater(t, pieces, 1)
	require.Equal(t, "+PONG", c.reply().raw())

	dir := filepath.Join(t.TempDir(), "restored")
	require.NoError(t, brock.Restore(&backup, dir))
	restored, err := brock.Open(dir, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, restored.Close()) })
	v, err := restored.Get("b")
	require.NoError(t, err)
	require.Equal(t, "b"+big, string(v))
}

// clock is a time that stands still.
type clock struct{ now atomic.Int64 }

func (c *clock) Now() time.Time { return time.Unix(c.now.Load(), 123_456_789) }

func (c *clock) AfterFunc(time.Duration, func()) func() bool { return func() bool { return true } }

// TestClock tells the time of the database's clock, and how long a key was not
// used.
func TestClock(t *testing.T) {
	at := &clock{}
	at.now.Store(1_000_000)
	db, err := brock.OpenMemory(&brock.Options{Clock: at})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	c := serveDB(t, db, nil).connect(t)
	require.Equal(t, "*2 $1000000 $123456", c.do("TIME"))
	require.Equal(t, "+OK", c.do("SET", "a", "1", "EX", "100"))
	at.now.Add(42)
	require.Equal(t, ":42", c.do("OBJECT", "IDLETIME", "a"))
	require.Equal(t, ":58", c.do("TTL", "a"))
	require.Equal(t, "$1", c.do("GET", "a"))
	require.Equal(t, ":0", c.do("OBJECT", "IDLETIME", "a"))
}
