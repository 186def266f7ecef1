package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// backupServer writes a backup of what a server has. The reply to BROCK.BACKUP
// is bulk strings, the pieces of the backup, up to an empty one; an error in
// place of any of them ends it.
func backupServer(ctx context.Context, addr, pass string, w io.Writer) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("no server at %s: %w: start it, or name its directory", addr, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer func() { _ = conn.Close() }() // what matters has been read
	r := bufio.NewReaderSize(conn, 64<<10)
	if pass != "" {
		err = authenticate(conn, r, pass)
	}
	if err == nil {
		_, err = io.WriteString(conn, command("BROCK.BACKUP"))
	}
	for n := int64(1); n > 0 && err == nil; {
		n, err = copyBulk(w, r)
	}
	if err != nil {
		return fmt.Errorf("server at %s: %w", addr, adviseServer(err))
	}
	return nil
}

// replyError is an error that a server has replied.
type replyError string

// Error implements error.
func (e replyError) Error() string { return string(e) }

// adviseServer says what to do where a server gives no backup.
func adviseServer(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it closed the connection before the backup was complete")
	}
	var reply replyError
	if !errors.As(err, &reply) {
		return err
	}
	kind, _, _ := strings.Cut(reply.Error(), " ")
	switch {
	case kind == "NOAUTH":
		return &explained{"it asks for a password: name a file that holds it with --requirepass-file", err}
	case kind == "WRONGPASS":
		return &explained{"it has another password: name a file that holds the right one with --requirepass-file", err}
	case strings.HasPrefix(reply.Error(), "ERR AUTH <password> called without any password"):
		return &explained{"it asks for no password: leave --requirepass-file out", err}
	case strings.HasPrefix(reply.Error(), "ERR unknown command"):
		return &explained{"it is no Brock server, for it does not know BROCK.BACKUP: name the address of a brock serve", err}
	}
	return err
}

// command encodes a command.
func command(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, arg := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(arg), arg)
	}
	return b.String()
}

// authenticate gives the password.
func authenticate(conn net.Conn, r *bufio.Reader, pass string) error {
	if _, err := io.WriteString(conn, command("AUTH", pass)); err != nil {
		return err
	}
	line, err := readLine(r)
	if err == nil && line != "+OK" {
		err = fmt.Errorf("reply %q to AUTH", line)
	}
	return err
}

// copyBulk copies a bulk string, and returns its length.
func copyBulk(w io.Writer, r *bufio.Reader) (int64, error) {
	line, err := readLine(r)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(line, "$"), 10, 64)
	if !strings.HasPrefix(line, "$") || err != nil || n < 0 {
		return 0, fmt.Errorf("reply %q to BROCK.BACKUP", line)
	}
	if _, err := io.CopyN(w, r, n); err != nil {
		return 0, err
	}
	if end, err := readLine(r); err != nil || end != "" {
		return 0, errors.Join(err, errors.New("a bulk string without an end"))
	}
	return n, nil
}

// readLine reads a line of a reply; what begins with - is an error.
func readLine(r *bufio.Reader) (string, error) {
	b, err := r.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	line := strings.TrimRight(string(b), "\r\n")
	if text, failed := strings.CutPrefix(line, "-"); failed {
		return "", replyError(text)
	}
	return line, nil
}
