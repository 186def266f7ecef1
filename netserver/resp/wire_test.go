package resp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/oracle"
	"github.com/brockdb/brock/netserver"
	"github.com/brockdb/brock/netserver/resp"
)

// served is a server of a test.
type served struct {
	*resp.Server
	db   *brock.DB
	addr net.Addr
}

// serve serves an empty database in memory.
func serve(t *testing.T, opts *resp.Options) *served {
	t.Helper()
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return serveDB(t, db, opts)
}

// serveDB serves a database.
func serveDB(t *testing.T, db *brock.DB, opts *resp.Options) *served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return serveOn(t, l, db, opts)
}

// serveUnix serves an empty database in memory on a Unix socket, as redis-server
// does in tests.
func serveUnix(t *testing.T, opts *resp.Options) *served {
	t.Helper()
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	require.NoError(t, err)
	return serveOn(t, l, db, opts)
}

// serveOn serves a database on a listener.
func serveOn(t *testing.T, l net.Listener, db *brock.DB, opts *resp.Options) *served {
	t.Helper()
	s, err := resp.NewServer(db, opts)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, s.Shutdown(context.Background()))
		require.ErrorIs(t, <-ended, netserver.ErrServerClosed)
	})
	return &served{Server: s, db: db, addr: l.Addr()}
}

// connect connects to a server of ours.
func (s *served) connect(t *testing.T) *wire {
	t.Helper()
	c, err := net.Dial(s.addr.Network(), s.addr.String())
	require.NoError(t, err)
	return newWire(t, c)
}

// redis runs a redis-server, or skips the test.
func redis(t *testing.T) *oracle.Redis {
	t.Helper()
	r, err := oracle.StartRedis(t.TempDir())
	if errors.Is(err, oracle.ErrNoRedis) {
		t.Skipf("%s: replies are not compared", err)
	}
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r
}

// connectRedis connects to a redis-server.
func connectRedis(t *testing.T, r *oracle.Redis) *wire {
	t.Helper()
	c, err := r.Dial()
	require.NoError(t, err)
	return newWire(t, c)
}

// wire is a connection whose replies are looked at byte by byte.
type wire struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

// newWire returns a wire on a connection.
func newWire(t *testing.T, c net.Conn) *wire {
	t.Helper()
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	return &wire{t, c, bufio.NewReader(c)}
}

// request returns a request's bytes.
func request(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, arg := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(arg), arg)
	}
	return b.String()
}

// raw returns the bytes of requests.
func raw(requests [][]string) string {
	var b strings.Builder
	for _, args := range requests {
		b.WriteString(request(args...))
	}
	return b.String()
}

// send sends bytes.
func (w *wire) send(raw string) {
	w.t.Helper()
	_, err := io.WriteString(w.conn, raw)
	require.NoError(w.t, err)
}

// do sends a request and returns the reply's bytes.
func (w *wire) do(args ...string) string {
	w.t.Helper()
	return w.ask(args...).raw()
}

// ask sends a request and returns the reply.
func (w *wire) ask(args ...string) node {
	w.t.Helper()
	w.send(request(args...))
	return w.reply()
}

// line is do for words with spaces between them.
func (w *wire) line(words string) string {
	w.t.Helper()
	return w.do(strings.Fields(words)...)
}

// reply reads a reply.
func (w *wire) reply() node {
	w.t.Helper()
	n, err := readNode(w.r)
	require.NoError(w.t, err)
	return n
}

// atOnce sends requests as one packet, closes the writing half, and returns all
// replies.
func (w *wire) atOnce(requests [][]string) (replies []node) {
	w.t.Helper()
	go func() { // the server need not read all before it sends
		if _, err := io.WriteString(w.conn, raw(requests)); err == nil {
			_ = w.conn.(interface{ CloseWrite() error }).CloseWrite()
		}
	}()
	rest := bufio.NewReader(strings.NewReader(w.closed()))
	for {
		n, err := readNode(rest)
		if err == io.EOF { //nolint:errorlint // it comes bare
			return replies
		}
		require.NoError(w.t, err)
		replies = append(replies, n)
	}
}

// closeWrite closes the writing half.
func (w *wire) closeWrite() {
	w.t.Helper()
	require.NoError(w.t, w.conn.(interface{ CloseWrite() error }).CloseWrite())
}

// again returns another connection to the same server.
func (w *wire) again() *wire {
	w.t.Helper()
	addr := w.conn.RemoteAddr()
	c, err := net.Dial(addr.Network(), addr.String())
	require.NoError(w.t, err)
	return newWire(w.t, c)
}

// closed wants the connection to end, after some bytes, which it returns.
func (w *wire) closed() string {
	w.t.Helper()
	b, err := io.ReadAll(w.r)
	var timeout net.Error
	require.False(w.t, errors.As(err, &timeout) && timeout.Timeout(), "the connection stays open: %v", err)
	return string(b)
}

// node is a reply, or part of one.
type node struct {
	kind byte
	text string // without what is counted
	list []node // of a map keys and values, one behind the other
}

// readNode reads a reply.
func readNode(r *bufio.Reader) (node, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return node{}, err
	}
	n := node{kind: line[0], text: strings.TrimSuffix(line[1:], "\r\n")}
	size, _ := strconv.Atoi(n.text)
	switch n.kind {
	case '$', '=':
		if size < 0 {
			return n, nil
		}
		b := make([]byte, size+2)
		_, err = io.ReadFull(r, b)
		n.text = string(b[:size])
		if n.text == "-1" { // not to be taken for null
			n.text = "-1 "
		}
		return n, err
	case '%', '|':
		size *= 2
	case '*', '~', '>':
	default:
		return n, nil
	}
	for range size {
		child, err := readNode(r)
		if err != nil {
			return n, err
		}
		n.list = append(n.list, child)
	}
	return n, nil
}

// raw returns a reply in a form that is equal if the replies are.
func (n node) raw() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%c%s", n.kind, n.text)
	for _, child := range n.list {
		b.WriteString(" " + child.raw())
	}
	return b.String()
}

// sorted returns a reply with its sets and maps in order.
func (n node) sorted() node {
	list := make([]node, len(n.list))
	for i, child := range n.list {
		list[i] = child.sorted()
	}
	n.list = list
	switch n.kind {
	case '~':
		slices.SortFunc(list, func(a, b node) int { return strings.Compare(a.raw(), b.raw()) })
	case '%':
		pairs := slices.SortedFunc(slices.Values(slices.Collect(slices.Chunk(list, 2))), func(a, b []node) int {
			return strings.Compare(a[0].raw(), b[0].raw())
		})
		n.list = slices.Concat(pairs...)
	}
	return n
}

// get returns the value of a key of a map, which must be there.
func (n node) get(t *testing.T, key string) node {
	t.Helper()
	v, ok := n.find(key)
	require.True(t, ok, "no %q in %s", key, n.raw())
	return v
}

// find returns the value of a key of a map.
func (n node) find(key string) (node, bool) {
	for i := 0; i+1 < len(n.list); i += 2 {
		if n.list[i].text == key {
			return n.list[i+1], true
		}
	}
	return node{}, false
}

// texts returns the texts of a list.
func (n node) texts() (list []string) {
	for _, child := range n.list {
		list = append(list, child.text)
	}
	return list
}
