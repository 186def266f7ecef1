package oracle

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ErrNoRedis is why there is nothing to compare with.
var ErrNoRedis = errors.New("no redis-server 7.0 in PATH")

// Redis is a redis-server of the caller's own, without persistence. Call Close.
type Redis struct {
	cmd    *exec.Cmd
	socket string
}

// StartRedis runs a redis-server 7.0 in dir.
//
// Errors: [ErrNoRedis].
func StartRedis(dir string) (*Redis, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, ErrNoRedis
	}
	version, err := exec.Command(path, "--version").Output()
	if err != nil {
		return nil, err
	}
	if !strings.Contains(string(version), "v=7.0.") {
		return nil, fmt.Errorf("%w, but %s", ErrNoRedis, bytes.TrimSpace(version))
	}

	// A socket in the directory needs no free port, and nobody else takes it.
	r := &Redis{socket: filepath.Join(dir, "s")}
	r.cmd = exec.Command(path, "--port", "0", "--unixsocket", r.socket, "--dir", dir, "--save", "",
		"--appendonly", "no", "--daemonize", "no", "--enable-debug-command", "yes")
	r.cmd.Env = append(os.Environ(), "LC_ALL=C")
	out := &redisLog{ready: make(chan struct{})}
	r.cmd.Stdout = out
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	select {
	case <-out.ready:
		return r, nil
	case <-time.After(time.Minute):
		r.Close()
		return nil, fmt.Errorf("redis-server does not come up: %s", &out.said)
	}
}

// Close ends the server.
func (r *Redis) Close() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

// Dial opens a connection for who reads replies himself.
func (r *Redis) Dial() (net.Conn, error) { return net.DialTimeout("unix", r.socket, 10*time.Second) }

// Connect opens a connection.
func (r *Redis) Connect() (*RedisConn, error) {
	conn, err := r.Dial()
	if err != nil {
		return nil, err
	}
	return &RedisConn{conn: conn, r: bufio.NewReaderSize(conn, 1<<16)}, nil
}

// redisLog is what a server says.
type redisLog struct {
	said  bytes.Buffer
	once  sync.Once
	ready chan struct{} // closed when it says that it is
}

// Write takes part of the log.
func (l *redisLog) Write(p []byte) (int, error) {
	l.said.Write(p)
	if bytes.Contains(l.said.Bytes(), []byte("ready to accept connections at")) {
		l.once.Do(func() { close(l.ready) })
	}
	return len(p), nil
}

// RedisConn is a connection to a redis-server.
type RedisConn struct {
	conn net.Conn
	r    *bufio.Reader
}

// RedisError is an error reply.
type RedisError string

// Close closes the connection.
func (c *RedisConn) Close() error { return c.conn.Close() }

// Send writes commands, without waiting for their replies.
func (c *RedisConn) Send(commands ...[]string) error {
	var b bytes.Buffer
	for _, args := range commands {
		fmt.Fprintf(&b, "*%d\r\n", len(args))
		for _, a := range args {
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
		}
	}
	_, err := c.conn.Write(b.Bytes())
	return err
}

// Reply reads the next reply: an int64, a string, nil, a RedisError or an []any
// of these.
func (c *RedisConn) Reply() (any, error) {
	line, err := c.r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimSuffix(line, "\r\n")
	rest := line[1:]
	switch line[0] {
	case '+':
		return rest, nil
	case '-':
		return RedisError(rest), nil
	}
	n, err := strconv.ParseInt(rest, 10, 64)
	if err != nil {
		return nil, err
	}
	switch {
	case line[0] == ':':
		return n, nil
	case n < 0:
		return nil, nil
	case line[0] == '$':
		b := make([]byte, n+2)
		_, err := io.ReadFull(c.r, b)
		return string(b[:n]), err
	case line[0] != '*':
		return nil, fmt.Errorf("a reply begins with %q", line)
	}
	list := make([]any, n)
	for i := range list {
		if list[i], err = c.Reply(); err != nil {
			return nil, err
		}
	}
	return list, nil
}
