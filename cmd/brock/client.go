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
		if err := authenticate(conn, r, pass); err != nil {
			return fmt.Errorf("server at %s: %w", addr, err)
		}
	}
	if _, err = io.WriteString(conn, command("BROCK.BACKUP")); err == nil {
		for n := int64(1); n > 0 && err == nil; {
			n, err = copyBulk(w, r)
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it closed the connection before the backup was complete")
	}
	if err != nil {
		return fmt.Errorf("server at %s: %w", addr, err)
	}
	return nil
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
		if strings.HasPrefix(text, "NOAUTH") || strings.HasPrefix(text, "WRONGPASS") {
			text += ": give the right one with --requirepass-file"
		}
		return "", errors.New(text)
	}
	return line, nil
}
