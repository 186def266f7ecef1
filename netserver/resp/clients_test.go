package resp_test

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/oracle"
	"github.com/brockdb/brock/netserver/resp"
)

// python is Debian's, which has Debian's redis-py.
const python = "/usr/bin/python3"

// clientPatience bounds how long a client of somebody else may run.
const clientPatience = time.Minute

// redisPy prepares a script of testdata that runs on redis-py.
func redisPy(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	if err := exec.Command(python, "-c", "import redis").Run(); err != nil {
		t.Skipf("no redis-py for %s: %s", python, err)
	}
	return client(t, python, append([]string{filepath.Join("testdata", script)}, args...)...)
}

// client prepares a program that ends in time.
func client(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), clientPatience)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, name, args...)
}

// socketOf returns the path of a redis-server's socket.
func socketOf(t *testing.T, r *oracle.Redis) string {
	t.Helper()
	c, err := r.Dial()
	require.NoError(t, err)
	defer c.Close()
	return c.RemoteAddr().String()
}

// TestRedisPy has redis-py make the same calls to a server of ours and to a
// redis-server, which it stops in the end.
func TestRedisPy(t *testing.T) {
	theirs := redis(t)
	down := make(chan struct{})
	ours := serveUnix(t, &resp.Options{EnableDebug: true, Shutdown: func() { close(down) }})
	out, err := redisPy(t, "redispy.py", ours.addr.String(), socketOf(t, theirs)).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Regexp(t, `^\d\d\d calls\n$`, string(out))
	<-down
}

// TestRedisCLI has redis-cli say the same to a server of ours and to a
// redis-server.
func TestRedisCLI(t *testing.T) {
	theirs := redis(t)
	path, err := exec.LookPath("redis-cli")
	if err != nil {
		t.Skipf("no redis-cli: %s", err)
	}
	_, port, err := net.SplitHostPort(serve(t, nil).addr.String())
	require.NoError(t, err)
	ask := func(server []string, args, stdin string) string {
		cmd := client(t, path, append(server, strings.Fields(args)...)...)
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		var failed *exec.ExitError
		if !errors.As(err, &failed) { // a failure is in what it says
			require.NoError(t, err, args)
		}
		return string(out)
	}
	for _, c := range []struct{ args, stdin string }{
		{args: "SET a b"},
		{args: "GET a"},
		{args: "INCR a"},
		{args: "-x SET c", stdin: "from standard input"},
		{args: "--pipe", stdin: request("SET", "d", "1") + request("INCR", "d") + request("INCR", "a")},
		{args: "--pipe", stdin: strings.Repeat(request("RPUSH", "l", "x"), 10000)},
		{args: "LLEN l"},
		{args: "-3 HSET h f v"},
		{args: "-3 HGETALL h"},
		{args: "--csv MGET a c none"},
		{args: "--no-raw ZADD z 1.5 m"},
		{args: "-3 --no-raw ZRANGE z 0 -1 WITHSCORES"},
		{args: "-n 5 DBSIZE"},
		{args: "-r 3 INCR n"},
		{args: "--scan --pattern n*"},
		{args: "", stdin: "PING\nECHO 'a b'\nNOSUCH\n"},
		{args: "NOSUCH"},
	} {
		want := ask([]string{"-s", socketOf(t, theirs)}, c.args, c.stdin)
		require.Equal(t, want, ask([]string{"-p", port}, c.args, c.stdin), c.args)
	}
}

// TestInline sends requests as a person does, and wants the bytes that a
// redis-server replies.
func TestInline(t *testing.T) {
	theirs := redis(t)
	for _, raw := range []string{
		"PING\r\n", "ping\n", "  PING \t x  \r\n", "\r\n\r\nPING\r\n",
		"SET s 'a b'\r\nGET s\r\n",
		`SET s "\x00\xffq\n\"\\"` + "\r\nGET s\r\n",
		`SET s 'it\'s'` + "\r\nGET s\r\n",
		"GET \"unbalanced\r\n", "GET 'a'b\r\n",
		"NOSUCH a b\r\nPING\r\n",
		"PING\r\nQUIT\r\nPING\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\n\r\nPING\r\n", "host: x\r\nPING\r\n",
		strings.Repeat("x", 70000),
	} {
		ours, other := serve(t, nil).connect(t), connectRedis(t, theirs)
		for _, w := range []*wire{ours, other} {
			w.send(raw)
			w.closeWrite()
		}
		require.Equal(t, other.closed(), ours.closed(), "%.40q", raw)
	}
}
