package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// value returns what a directory holds at a key.
func value(t *testing.T, dir, key string) string {
	t.Helper()
	db, err := brock.Open(dir, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	v, err := db.Get(key)
	require.NoError(t, err)
	return string(v)
}

// TestRoundTrip takes a database through backup, restore and check.
func TestRoundTrip(t *testing.T) {
	t.Chdir(t.TempDir())
	filled(t, "db")
	write(t, ".", "backup", "an older one")
	require.Equal(t, result{}, brockRun(t, nil, "backup", "db", "backup"))
	require.Equal(t, result{}, brockRun(t, nil, "restore", "backup", "new"))
	require.Equal(t, "value", value(t, "new", "key"))

	streamed := brockRun(t, nil, "backup", "new", "-")
	require.Zero(t, streamed.code)
	var stderr bytes.Buffer
	args := []string{"restore", "-", "newer"}
	require.Zero(t, run(t.Context(), process{args, nil, strings.NewReader(streamed.stdout), io.Discard, &stderr}), &stderr)
	require.Equal(t, "value", value(t, "newer", "key"))

	checked := brockRun(t, nil, "check", "newer")
	require.Zero(t, checked.code)
	require.Empty(t, checked.stderr)
	for _, line := range []string{"database 0    1 keys\n", "queues        0\n", "faults        0\n"} {
		require.Contains(t, checked.stdout, line)
	}
	require.NotContains(t, checked.stdout, "fault ")
}

// TestDamage checks a directory and restores a backup that are not as they were
// written.
func TestDamage(t *testing.T) {
	t.Chdir(t.TempDir())
	db, err := brock.Open("db", nil)
	require.NoError(t, err)
	require.NoError(t, db.Set("key", bytes.Repeat([]byte("value "), 1000)))
	require.NoError(t, db.Checkpoint())
	require.NoError(t, db.Close())
	require.Equal(t, result{}, brockRun(t, nil, "backup", "db", "backup"))

	logs, err := filepath.Glob(filepath.Join("db", "base", "*.vlog"))
	require.NoError(t, err)
	for _, name := range append(logs, "backup") {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		if len(b) > 3000 {
			b[3000] ^= 1
		}
		require.NoError(t, os.WriteFile(name, b, 0o600))
	}
	checked := brockRun(t, nil, "check", "db")
	require.Equal(t, 1, checked.code)
	require.Equal(t, "brock: db is damaged, faults: 2: restore a backup\n", checked.stderr)
	require.Equal(t, 2, strings.Count(checked.stdout, "\nfault         "))
	require.Contains(t, checked.stdout, `fault         database 0, key "key": `)
	require.True(t, strings.HasSuffix(checked.stdout, "\nfaults        2\n"), checked.stdout)

	restored := brockRun(t, nil, "restore", "backup", "new")
	require.Equal(t, 1, restored.code)
	require.Equal(t, "brock: backup: restore: chunk 1: checksum: brock: corrupt: use another backup\n",
		restored.stderr)
	require.NoDirExists(t, "new")
}

// fakeServer answers each command of one connection with the next reply, and
// closes it then. It returns its address and what it has read, once it is done.
func fakeServer(t *testing.T, replies ...string) (addr string, read <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	got := make(chan string, 1)
	go func() {
		defer close(got)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		var all []byte
		for _, reply := range replies {
			b := make([]byte, 1000)
			n, _ := conn.Read(b)
			all = append(all, b[:n]...)
			_, _ = io.WriteString(conn, reply)
		}
		got <- string(all)
	}()
	return l.Addr().String(), got
}

// TestBackupServer takes backups from servers of all kinds.
func TestBackupServer(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, ".", "pass", "secret\r\n")
	big := strings.Repeat("x", 300_000)
	const asked = "*1\r\n$12\r\nBROCK.BACKUP\r\n"
	for name, c := range map[string]struct {
		pass    bool
		replies []string
		read    string
		want    string // of the backup
		err     string // in the line on standard error
	}{
		"pieces":       {replies: []string{"$3\r\none\r\n$300000\r\n" + big + "\r\n$0\r\n\r\n"}, read: asked, want: "one" + big},
		"none":         {replies: []string{"$0\r\n\r\n"}, read: asked},
		"password":     {pass: true, replies: []string{"+OK\r\n", "$1\r\nx\r\n$0\r\n\r\n"}, read: "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n" + asked, want: "x"},
		"wrong one":    {pass: true, replies: []string{"-WRONGPASS invalid\r\n"}, err: "it has another password: name a file that holds the right one with --requirepass-file"},
		"none given":   {replies: []string{"-NOAUTH Authentication required.\r\n"}, err: "it asks for a password: name a file that holds it with --requirepass-file"},
		"none needed":  {pass: true, replies: []string{"-ERR AUTH <password> called without any password configured\r\n"}, err: "it asks for no password: leave --requirepass-file out"},
		"odd password": {pass: true, replies: []string{":1\r\n"}, err: `reply ":1" to AUTH`},
		"another kind": {replies: []string{"-ERR unknown command 'BROCK.BACKUP', with args beginning with: \r\n"}, err: "it is no Brock server, for it does not know BROCK.BACKUP: name the address of a brock serve"},
		"half-way":     {replies: []string{"$3\r\none\r\n-ERR closed\r\n"}, err: "ERR closed"},
		"cut off":      {replies: []string{"$3\r\none\r\n"}, err: "it closed the connection before the backup was complete"},
		"cut in two":   {replies: []string{"$3\r\no"}, err: "it closed the connection before the backup was complete"},
		"no bulk":      {replies: []string{"*1\r\n"}, err: `reply "*1" to BROCK.BACKUP`},
		"null":         {replies: []string{"$-1\r\n"}, err: `reply "$-1" to BROCK.BACKUP`},
		"empty line":   {replies: []string{"\r\n"}, err: `reply "" to BROCK.BACKUP`},
		"no end":       {replies: []string{"$1\r\nxyz\r\n"}, err: "a bulk string without an end"},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, ".", "backup", "older")
			addr, read := fakeServer(t, c.replies...)
			args := []string{"backup", addr, "backup"}
			if c.pass {
				args = append(args, "--requirepass-file", "pass")
			}
			got := brockRun(t, nil, args...)
			sent := <-read
			b, err := os.ReadFile("backup")
			require.NoError(t, err)
			left, err := filepath.Glob("backup.tmp*")
			require.NoError(t, err)
			require.Empty(t, left)
			if c.err != "" {
				require.Equal(t, result{code: 1, stderr: "brock: backup to backup: server at " + addr + ": " + c.err + "\n"}, got)
				require.Equal(t, "older", string(b))
				return
			}
			require.Equal(t, result{}, got)
			require.Equal(t, c.read, sent)
			require.Equal(t, c.want, string(b))
		})
	}
}
