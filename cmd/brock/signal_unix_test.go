//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// child is the program in a process of its own.
type child struct {
	cmd   *exec.Cmd
	lines *bufio.Reader // standard error
	early string        // what it said before it listened
	addr  string
}

// startChild starts a server that listens on any port.
func startChild(t *testing.T, args ...string) *child {
	t.Helper()
	c := startCommand(t, exec.Command(os.Args[0], append([]string{"serve", "--resp", "localhost:0"}, args...)...))
	require.Empty(t, c.early)
	return c
}

// startCommand is startChild for a command that executes the test's program.
func startCommand(t *testing.T, cmd *exec.Cmd) *child {
	t.Helper()
	c := &child{cmd: cmd}
	c.cmd.Env = append(os.Environ(), childMode+"=1")
	stderr, err := c.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	})
	c.lines = bufio.NewReader(stderr)
	for {
		line, err := c.lines.ReadString('\n')
		require.NoError(t, err, c.early)
		if addr, ok := strings.CutPrefix(line, "brock: ready resp="); ok {
			c.addr = strings.TrimSpace(addr)
			return c
		}
		c.early += line
	}
}

// end waits for the end of the program, and returns what else it said.
func (c *child) end(t *testing.T) string {
	t.Helper()
	rest, err := io.ReadAll(c.lines)
	require.NoError(t, err)
	_ = c.cmd.Wait() // its state tells
	return string(rest)
}

// TestSignals ends a server by each signal that asks for it.
func TestSignals(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		dir := filepath.Join(t.TempDir(), "db")
		c := startChild(t, "--dir", dir, "--durability", "relaxed")
		require.Equal(t, []string{"+OK"}, ask(t, c.addr, "SET key value"))
		require.NoError(t, c.cmd.Process.Signal(signal))
		require.Empty(t, c.end(t))
		require.Zero(t, c.cmd.ProcessState.ExitCode(), "%v", signal)
		require.Equal(t, "value", value(t, dir, "key"))
	}
}

// TestSecondSignal has a server wait for a client that does not read its
// replies; the second signal ends it at once.
func TestSecondSignal(t *testing.T) {
	c := startChild(t, "--memory")
	conn, err := net.Dial("tcp", c.addr)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, command("SET", "key", strings.Repeat("x", 8<<20))+strings.Repeat(command("GET", "key"), 8))
	require.NoError(t, err)
	_, err = bufio.NewReaderSize(conn, 16).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	for { // until it has taken notice
		other, err := net.Dial("tcp", c.addr)
		if err != nil {
			break
		}
		require.NoError(t, other.Close())
	}
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	require.Empty(t, c.end(t))
	status := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, status.Signaled(), "%v", c.cmd.ProcessState)
	require.Equal(t, syscall.SIGTERM, status.Signal())
}

// TestShutdown ends a server by a client's SHUTDOWN.
func TestShutdown(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	c := startChild(t, "--dir", dir)
	require.Equal(t, []string{"+OK"}, ask(t, c.addr, "SET key value"))
	conn, err := net.Dial("tcp", c.addr)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, command("SHUTDOWN"))
	require.NoError(t, err)
	reply, err := bufio.NewReader(conn).ReadString('\n')
	require.ErrorIs(t, err, io.EOF, reply)
	require.Empty(t, c.end(t))
	require.Zero(t, c.cmd.ProcessState.ExitCode())
	require.Equal(t, "value", value(t, dir, "key"))
}

// TestBackupRunning takes a backup from a running server, by its password, and
// restores it.
func TestBackupRunning(t *testing.T) {
	tmp := t.TempDir()
	pass := filepath.Join(tmp, "pass")
	require.NoError(t, os.WriteFile(pass, []byte("secret\n"), 0o600))
	c := startChild(t, "--memory", "--requirepass-file", pass)
	big := strings.Repeat("x", 300_000)
	require.Equal(t, []string{"+OK", "+OK", "+OK"}, ask(t, c.addr, "AUTH secret", "SET key value", "SET big "+big))
	file, dir := filepath.Join(tmp, "backup"), filepath.Join(tmp, "restored")
	got := brockRun(t, nil, "backup", c.addr, file)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "it asks for a password")
	require.Zero(t, brockRun(t, nil, "backup", c.addr, file, "--requirepass-file", pass).code)
	require.Zero(t, brockRun(t, nil, "restore", file, dir).code)
	require.Equal(t, "value", value(t, dir, "key"))
	require.Equal(t, big, value(t, dir, "big"))
}

// TestKillRestore kills a restore half-way: what it has left does not pass for
// a database.
func TestKillRestore(t *testing.T) {
	t.Chdir(t.TempDir())
	db, err := brock.Open("db", nil)
	require.NoError(t, err)
	for i := range 3000 {
		require.NoError(t, db.Set(fmt.Sprint("key:", i), bytes.Repeat([]byte{'x'}, 1000)))
	}
	require.NoError(t, db.Close())
	require.Equal(t, result{}, brockRun(t, nil, "backup", "db", "backup"))
	whole, err := os.ReadFile("backup")
	require.NoError(t, err)

	cmd := exec.Command(os.Args[0], "restore", "-", "new")
	cmd.Env = append(os.Environ(), childMode+"=1")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = stdin.Write(whole[:len(whole)/2]) // more than a pipe and its reader's buffer hold
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())

	const unfinished = "its restore was never finished, so that data are missing: brock: corrupt"
	for range 2 { // it stays as it is
		got := brockRun(t, nil, "check", "new")
		require.Equal(t, 1, got.code)
		require.Contains(t, got.stdout, "fault         "+unfinished)
		require.Equal(t, "brock: new is damaged, faults: 1: restore a backup\n", got.stderr)
		for _, args := range [][]string{{"serve", "--resp", "127.0.0.1:0", "--dir", "new"}, {"backup", "new", "-"}} {
			got = brockRun(t, nil, args...)
			require.Equal(t, 1, got.code)
			require.Equal(t, `brock: open "new": `+unfinished+": see brock check new, and restore a backup\n", got.stderr)
		}
	}
	require.Equal(t, 1, brockRun(t, nil, "restore", "backup", "new").code)
	require.NoError(t, os.RemoveAll("new"))
	require.Equal(t, result{}, brockRun(t, nil, "restore", "backup", "new"))
	require.Zero(t, brockRun(t, nil, "check", "new").code)
}
