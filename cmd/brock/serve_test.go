package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestListen listens where it can, with one port for localhost.
func TestListen(t *testing.T) {
	both, err := listen("localhost:0")
	require.NoError(t, err)
	defer closeAll(both)
	capitals, err := listen("LocalHost:0")
	require.NoError(t, err)
	defer closeAll(capitals)
	require.Len(t, capitals, len(both))
	require.True(t, loopback(both))
	first := both[0].Addr().(*net.TCPAddr)
	require.Equal(t, "127.0.0.1", first.IP.String())
	if len(both) > 1 { // there is IPv6
		second := both[1].Addr().(*net.TCPAddr)
		require.Equal(t, "::1", second.IP.String())
		require.Equal(t, first.Port, second.Port)
	}
	all, err := listen(":0")
	require.NoError(t, err)
	defer closeAll(all)
	require.False(t, loopback(all))
}

// TestAdviseListen words what a user who may listen everywhere never meets.
func TestAdviseListen(t *testing.T) {
	for err, want := range map[error]string{
		syscall.EADDRINUSE:            "here:1 is in use: stop the program that listens there, or choose another port with --resp",
		syscall.Errno(inUseOnWindows): "here:1 is in use: stop the program that listens there, or choose another port with --resp",
		fs.ErrPermission:              "this user may not listen on here:1: choose a port above 1023 with --resp",
		io.EOF:                        "EOF: name an address of this machine with --resp",
	} {
		got := adviseListen("here:1", fmt.Errorf("listen: %w", err))
		require.ErrorIs(t, got, err)
		if !errors.Is(err, io.EOF) {
			require.EqualError(t, got, want)
		}
	}
}

// TestAdvise words what the tests of the command line do not meet.
func TestAdvise(t *testing.T) {
	require.NoError(t, advise("dir", nil))
	require.EqualError(t, advise("dir", fs.ErrPermission),
		"permission denied: give this user the right to read and write it, or name another directory")
}

// TestAdviseRead words what a user who may read everything never meets.
func TestAdviseRead(t *testing.T) {
	for err, want := range map[error]string{
		syscall.EACCES: "permission denied: give this user the right to read it",
		syscall.EPERM:  "operation not permitted: give this user the right to read it",
		io.EOF:         "EOF: name another",
	} {
		require.EqualError(t, adviseRead(&fs.PathError{Op: "open", Path: "a", Err: err}, "name another"), want)
	}
}

// TestAdviseFile words what a user who may write everywhere never meets.
func TestAdviseFile(t *testing.T) {
	for err, want := range map[error]string{
		syscall.EACCES:  ": name a file in a directory that this user may write",
		syscall.EROFS:   ": name a file in a directory that this user may write",
		syscall.ENOSPC:  ": free space on its device",
		syscall.ENOTDIR: ": name a file in a directory that exists",
		io.EOF:          ": name another file",
	} {
		require.EqualError(t, adviseFile(&os.LinkError{Op: "rename", Old: "a.tmp1", New: "a", Err: err}), err.Error()+want)
	}
}

// served is a server that runs in this process.
type served struct {
	addr string
	stop func() result // has it shut down
}

// serveHere starts a server that listens on any port.
func serveHere(t *testing.T, args ...string) served {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan result, 1)
	go func() {
		var out strings.Builder
		code := run(ctx, process{append([]string{"serve", "--resp", "localhost:0"}, args...), nil, strings.NewReader(""), &out, w})
		_ = w.Close()
		done <- result{code: code, stdout: out.String()}
	}()
	lines := bufio.NewReader(r)
	ready, err := lines.ReadString('\n')
	require.NoError(t, err)
	addr, ok := strings.CutPrefix(ready, "brock: ready resp=")
	require.True(t, ok, ready)
	stopped := false
	stop := func() result {
		stopped = true
		cancel()
		rest, err := io.ReadAll(lines)
		require.NoError(t, err)
		got := <-done
		got.stderr = string(rest)
		return got
	}
	t.Cleanup(func() {
		if !stopped {
			stop()
		}
	})
	return served{strings.TrimSuffix(addr, "\n"), stop}
}

// ask sends commands to a server, and returns its replies, of a line each.
func ask(t *testing.T, addr string, commands ...string) (replies []string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	r := bufio.NewReader(conn)
	for _, c := range commands {
		_, err := io.WriteString(conn, command(strings.Fields(c)...))
		require.NoError(t, err)
		line, err := r.ReadString('\n')
		require.NoError(t, err)
		replies = append(replies, strings.TrimSpace(line))
	}
	return replies
}

// TestServe serves a directory, and finds there what it was told.
func TestServe(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	s := serveHere(t, "--dir", dir)
	require.Equal(t, []string{"+PONG", "+OK"}, ask(t, s.addr, "PING", "SET key value"))
	_, port, err := net.SplitHostPort(s.addr)
	require.NoError(t, err)
	if v6, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		require.NoError(t, v6.Close())
		require.Equal(t, []string{"$5"}, ask(t, net.JoinHostPort("::1", port), "GET key"))
	}
	require.Equal(t, result{}, s.stop())
	require.Equal(t, "value", value(t, dir, "key"))
	_, err = net.Dial("tcp", s.addr)
	require.Error(t, err)
}

// TestServePassword serves memory to who knows the password.
func TestServePassword(t *testing.T) {
	t.Chdir(t.TempDir())
	s := serveHere(t, "--memory", "--requirepass-file", write(t, ".", "pass", "secret\n"))
	require.Equal(t, []string{"-NOAUTH Authentication required.", "+OK", "+OK"}, ask(t, s.addr, "SET key value", "AUTH secret", "SET key value"))
	require.Equal(t, result{}, s.stop())
	require.NoDirExists(t, "brock-data")
}

// TestServeClients serves as many clients as it was told to.
func TestServeClients(t *testing.T) {
	s := serveHere(t, "--memory", "--maxclients", "1")
	conn, err := net.Dial("tcp", s.addr)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, command("PING"))
	require.NoError(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "+PONG\r\n", line)
	second, err := net.Dial("tcp", s.addr)
	require.NoError(t, err)
	defer func() { _ = second.Close() }()
	line, err = bufio.NewReader(second).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "-ERR max number of clients reached\r\n", line)
}

// TestServeDebug allows DEBUG to clients of a server that was told to.
func TestServeDebug(t *testing.T) {
	off, on := serveHere(t, "--memory"), serveHere(t, "--memory", "--enable-debug-command")
	require.Contains(t, ask(t, off.addr, "DEBUG SLEEP 0")[0], "-ERR DEBUG command not allowed.")
	require.Equal(t, []string{"+OK"}, ask(t, on.addr, "DEBUG SLEEP 0"))
}

// TestServeWarns warns where everybody who reaches the port is let in, in the
// format asked for.
func TestServeWarns(t *testing.T) {
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan int, 1)
	go func() {
		args := []string{"serve", "--memory", "--resp", ":0", "--log-format", "json"}
		done <- run(ctx, process{args, nil, strings.NewReader(""), io.Discard, w})
	}()
	lines := bufio.NewReader(r)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, `"level":"WARN"`)
	require.Contains(t, line, "--requirepass-file")
	line, err = lines.ReadString('\n')
	require.NoError(t, err)
	require.Regexp(t, `^brock: ready resp=\[::\]:\d+\n$`, line)
	cancel()
	require.Zero(t, <-done)
}
