package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// childMode has the test binary be the program.
const childMode = "BROCK_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childMode) != "" {
		main()
	}
	os.Exit(m.Run())
}

// result is what a run of the program leaves.
type result struct {
	code           int
	stdout, stderr string
}

// brockRun runs the program.
func brockRun(t *testing.T, env []string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), process{args, env, strings.NewReader(""), &stdout, &stderr})
	return result{code, stdout.String(), stderr.String()}
}

// write writes a file in a directory, and returns its name.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	name = filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

// filled makes a database with a key in a directory.
func filled(t *testing.T, dir string) {
	t.Helper()
	db, err := brock.Open(dir, nil)
	require.NoError(t, err)
	require.NoError(t, db.Set("key", []byte("value")))
	require.NoError(t, db.Close())
}

// TestErrors wants one line for each mistake.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	filled(t, "db")
	filled(t, "locked")
	open, err := brock.Open("locked", nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, open.Close()) }()
	require.NoError(t, os.Mkdir("foreign", 0o700))
	write(t, "foreign", "letter", "")
	require.NoError(t, os.Mkdir("empty", 0o700))
	require.NoError(t, os.Symlink("db", "link"))
	write(t, ".", "void", "\n")
	write(t, ".", "novel", strings.Repeat("It was a dark and stormy night. ", 10))
	write(t, ".", "stump", "brock backup 01\n")
	write(t, ".", "noline", "memory\n")
	write(t, ".", "noname", "\n# comment\ncolour = red\n")
	write(t, ".", "twice", "memory = true\nmemory = true\n")
	write(t, ".", "quotes", `dir = "db`+"\n")
	write(t, ".", "novalue", "durability = sometimes\n")
	write(t, ".", "nodir", "dir =\n")
	write(t, ".", "both", "memory = true\ndir = db\n")
	listening, err := listen("127.0.0.1:0")
	require.NoError(t, err)
	defer closeAll(listening)
	busy := listening[0].Addr().String()

	const options = "dir, memory, resp, durability, memory-budget, requirepass-file, maxclients, enable-debug-command, log-level, log-format"
	for name, c := range map[string]struct {
		env  []string
		args string
		want string // the line, without "brock: "; what is behind … is not looked at
	}{
		"no command":       {args: "", want: `expected one of "serve", "backup", "restore", "check", "version": see brock --help`},
		"no such command":  {args: "start", want: "unexpected argument start: see brock --help"},
		"no such option":   {args: "serve --port 1", want: "unknown flag --port: see brock serve --help"},
		"argument":         {args: "serve db", want: "unexpected argument db: see brock serve --help"},
		"no value":         {args: "serve --dir", want: "--dir needs a value, DIR: see brock serve --help"},
		"no number":        {args: "serve --maxclients --memory", want: "--maxclients needs a value, N, and --memory is none: see brock serve --help"},
		"no size":          {args: "serve --memory-budget -1", want: "--memory-budget needs a value, SIZE, and -1 is none: see brock serve --help"},
		"negative size":    {args: "serve --memory-budget=-1", want: `--memory-budget: it is a number of bytes, such as 1048576, 1024KB, 64MB or 2GB, not "-1": see brock serve --help`},
		"no password file": {args: "backup db to --requirepass-file", want: "--requirepass-file needs a value, FILE: see brock backup --help"},
		"durability":       {args: "serve --durability fsync", want: `--durability: it is always, everysecond or relaxed, not "fsync": see brock serve --help`},
		"size":             {args: "serve --memory-budget 1TB", want: `--memory-budget: it is a number of bytes, such as 1048576, 1024KB, 64MB or 2GB, not "1TB": see brock serve --help`},
		"number":           {args: "serve --maxclients 0", want: `--maxclients: it is a number from 1 on, not "0": see brock serve --help`},
		"level":            {args: "serve --log-level all", want: `--log-level: it is debug, info, warn or error, not "all": see brock serve --help`},
		"format":           {args: "serve --log-format xml", want: `--log-format: it is text or json, not "xml": see brock serve --help`},
		"dir and memory":   {args: "serve --memory --dir db", want: "--dir and --memory can't be used together: see brock serve --help"},
		"in environment":   {env: []string{"BROCK_DURABILITY=fsync"}, args: "serve", want: `BROCK_DURABILITY: --durability: it is always, everysecond or relaxed, not "fsync"`},
		"no dir":           {args: "serve --dir=", want: "--dir: it is empty: name a directory, or leave it out: see brock serve --help"},
		"no dir in env":    {env: []string{"BROCK_DIR="}, args: "serve", want: "BROCK_DIR: --dir: it is empty: name a directory, or leave it out"},
		"no dir in file":   {args: "serve --config nodir", want: "nodir:1: --dir: it is empty: name a directory, or leave it out"},
		"no config":        {args: "serve --config missing", want: "no options in missing: no such file or directory: name another file with --config, or none"},
		"no config in env": {env: []string{"BROCK_CONFIG=missing"}, args: "serve", want: "no options in missing: no such file or directory: name another file with --config, or none"},
		"no line":          {args: "serve --config noline", want: "noline:1: a line is name = value, or a comment, which begins with #"},
		"no such name":     {args: "serve --config noname", want: `noname:3: there is no option "colour", only ` + options},
		"name twice":       {args: "serve --config twice", want: "twice:2: memory stands in twice:1 already"},
		"quotes":           {args: "serve --config quotes", want: "quotes:1: what stands in quotes is not a string: invalid syntax"},
		"value in file":    {args: "serve --config novalue", want: `novalue:1: --durability: it is always, everysecond or relaxed, not "sometimes"`},
		"both in file":     {args: "serve --config both", want: "--dir and --memory can't be used together: see brock serve --help"},
		"no password":      {args: "serve --requirepass-file missing", want: "no password in missing: no such file or directory: write one line into it, or leave --requirepass-file out"},
		"empty password":   {args: "serve --requirepass-file void", want: "no password in void: the file is empty: write one line into it, or leave --requirepass-file out"},
		"no address":       {args: "serve --resp 6379", want: `--resp: "6379" is not HOST:PORT, such as 127.0.0.1:6379, [::1]:0 or :6379`},
		"no port":          {args: "serve --resp 127.0.0.1:70000", want: `--resp: invalid port: "70000": name HOST:PORT with a port from 0 to 65535`},
		"port in use":      {args: "serve --resp " + busy, want: busy + " is in use: stop the program that listens there, or choose another port with --resp"},
		"loopback in use":  {args: "serve --resp localhost" + busy[strings.LastIndex(busy, ":"):], want: busy + " is in use: stop the program that listens there, or choose another port with --resp"},
		"address of others": {
			args: "serve --resp 192.0.2.1:0",
			want: "listen tcp 192.0.2.1:0: bind: …: name an address of this machine with --resp",
		},
		"serve locked": {
			args: "serve --resp 127.0.0.1:0 --dir locked",
			want: `open "locked": brock: directory is locked by process …: stop that process, or name another directory`,
		},
		"serve foreign": {
			args: "serve --resp 127.0.0.1:0 --dir foreign",
			want: `open "foreign": it has no FORMAT file but holds letter: brock: unknown format: name a directory of Brock's, or an empty one, and never keep other files in it`,
		},
		"serve file": {args: "serve --resp 127.0.0.1:0 --dir novel", want: "novel is no directory: name one"},
		"serve below file": {
			args: "serve --resp 127.0.0.1:0 --dir novel/db",
			want: `open "novel/db": …: name a path on which nothing but directories stands`,
		},

		"check nothing": {args: "check", want: `expected "<dir>": see brock check --help`},
		"check file":    {args: "check novel", want: "novel is no directory: name one"},
		"check missing": {args: "check missing", want: `check "missing": stat missing: no such file or directory: name a directory that exists`},
		"check locked": {
			args: "check locked",
			want: `check "locked": brock: directory is locked by process …: stop that process, or name another directory`,
		},
		"check foreign": {
			args: "check foreign",
			want: `check "foreign": it has no FORMAT file: brock: unknown format: name a directory of Brock's, or an empty one, and never keep other files in it`,
		},

		"backup nothing": {args: "backup", want: `expected "<dir|addr> <file>": see brock backup --help`},
		"backup missing": {args: "backup missing to", want: "missing is neither a directory, no such file or directory, nor HOST:PORT: name one of them"},
		"backup file":    {args: "backup novel to", want: "novel is neither a directory, it is a file, nor HOST:PORT: name one of them"},
		"backup empty": {
			args: "backup empty to",
			want: "backup to to: empty is empty: brock: unknown format: name a directory of Brock's, or an empty one, and never keep other files in it",
		},
		"backup locked":   {args: "backup locked to", want: `backup to to: open "locked": …: stop that process, or name another directory`},
		"backup to where": {args: "backup db missing/to", want: "backup to missing/to: no such file or directory: name a file in a directory that exists"},
		"backup to dir":   {args: "backup db foreign", want: "backup to foreign: is a directory: name a file in it"},
		"backup into it":  {args: "backup db db/x.bak", want: "backup to db/x.bak: it is in the directory of the database: name a file outside of db"},
		"backup below it": {args: "backup db db/base/x.bak", want: "backup to db/base/x.bak: it is in the directory of the database: name a file outside of db"},
		"backup over it":  {args: "backup db ./db", want: "backup to ./db: it is in the directory of the database: name a file outside of db"},
		"backup by link":  {args: "backup link empty/../db/x.bak", want: "backup to empty/../db/x.bak: it is in the directory of the database: name a file outside of link"},
		"backup to link":  {args: "backup db/../db link/x.bak", want: "backup to link/x.bak: it is in the directory of the database: name a file outside of db/../db"},
		"backup password": {args: "backup localhost:1 to --requirepass-file void", want: "no password in void: the file is empty: …"},
		"backup nobody":   {args: "backup 127.0.0.1:1 to", want: "backup to to: no server at 127.0.0.1:1: …: start it, or name its directory"},

		"restore missing":  {args: "restore missing new", want: "no backup in missing: no such file or directory: name one that brock backup has written"},
		"restore dir":      {args: "restore foreign new", want: "no backup in foreign: is a directory: name one that brock backup has written"},
		"restore novel":    {args: "restore novel new", want: "novel: restore: not a backup: brock: unknown format: use another backup"},
		"restore stump":    {args: "restore stump new", want: "stump: restore: chunk 1: it ends too early: brock: corrupt: use another backup"},
		"restore to file":  {args: "restore stump void", want: "void is no directory: name one"},
		"restore to db":    {args: "restore stump db", want: "db is not empty: name another directory, or remove what is in it"},
		"restore to where": {args: "restore stump novel/new", want: `restore to "novel/new": …: name a path on which nothing but directories stands`},
	} {
		t.Run(name, func(t *testing.T) {
			got := brockRun(t, c.env, strings.Fields(c.args)...)
			require.Equal(t, 1, got.code)
			require.Empty(t, got.stdout)
			line, ended := strings.CutSuffix(got.stderr, "\n")
			require.True(t, ended && !strings.Contains(line, "\n"), got.stderr)
			before, after, _ := strings.Cut(c.want, "…")
			if !strings.Contains(c.want, "…") {
				require.Equal(t, "brock: "+c.want, line)
			}
			require.True(t, strings.HasPrefix(line, "brock: "+before) && strings.HasSuffix(line, after), line)
		})
	}
	require.NoFileExists(t, "to")
	require.NoFileExists(t, "new")
	require.NoDirExists(t, "brock-data")
	left, err := filepath.Glob("*.tmp*")
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"backup", "-h"}} {
		got := brockRun(t, nil, args...)
		require.Zero(t, got.code)
		require.Empty(t, got.stderr)
		require.Contains(t, got.stdout, "Usage: brock")
	}
}

func TestVersion(t *testing.T) {
	got := brockRun(t, nil, "version")
	require.Zero(t, got.code)
	require.Empty(t, got.stderr)
	require.Regexp(t, `^brock .*\ngo1\.\d+.* .*/.*\nredis 7\.0\.15\n$`, got.stdout)
}

// parsed returns the options of serve.
func parsed(t *testing.T, env []string, args ...string) serveCommand {
	t.Helper()
	var c commandLine
	_, err := parse(context.Background(), process{args: append([]string{"serve"}, args...), env: env}, &c)
	require.NoError(t, err)
	return c.Serve
}

func TestDefaults(t *testing.T) {
	c := parsed(t, []string{"HOME=/", "BROCK_UNKNOWN=x"})
	require.Equal(t, serveCommand{
		RESP: "localhost:6379", Durability: durability(brock.EverySecond), Maxclients: 10000, LogFormat: "text",
	}, c)
}

// TestPrecedence sets options in several places.
func TestPrecedence(t *testing.T) {
	file := write(t, t.TempDir(), "brock.conf", `
# what stands here goes last
resp = "127.0.0.1:1"
durability=relaxed
	maxclients = 7
memory = false
memory-budget = 1gb
enable-debug-command = yes
dir = "C:\\data # 1"
`)
	t.Run("file", func(t *testing.T) {
		c := parsed(t, nil, "--config", file)
		require.Equal(t, "127.0.0.1:1", c.RESP)
		require.Equal(t, durability(brock.Relaxed), c.Durability)
		require.EqualValues(t, 7, c.Maxclients)
		require.EqualValues(t, 1<<30, c.MemoryBudget)
		require.EqualValues(t, `C:\data # 1`, c.Dir)
		require.False(t, c.Memory)
		require.True(t, c.EnableDebugCommand)
	})
	t.Run("environment", func(t *testing.T) {
		c := parsed(t, []string{"BROCK_CONFIG=" + file, "BROCK_RESP=127.0.0.1:2", "BROCK_LOG_LEVEL=DEBUG", "BROCK_MAXCLIENTS=8", "BROCK_ENABLE_DEBUG_COMMAND=no"})
		require.False(t, c.EnableDebugCommand)
		require.Equal(t, "127.0.0.1:2", c.RESP)
		require.EqualValues(t, -4, c.LogLevel)
		require.EqualValues(t, 8, c.Maxclients)
		require.EqualValues(t, 1<<30, c.MemoryBudget)
	})
	t.Run("command line", func(t *testing.T) {
		c := parsed(t, []string{"BROCK_CONFIG=missing", "BROCK_RESP=127.0.0.1:2", "BROCK_MAXCLIENTS=8"},
			"--config", file, "--resp=127.0.0.1:3", "--durability", "always")
		require.Equal(t, "127.0.0.1:3", c.RESP)
		require.EqualValues(t, 8, c.Maxclients)
		require.Equal(t, durability(brock.Always), c.Durability)
	})
	t.Run("memory excludes the directory of lower places", func(t *testing.T) {
		for _, c := range []serveCommand{
			parsed(t, []string{"BROCK_DIR=other"}, "--config", file, "--memory"),
			parsed(t, []string{"BROCK_MEMORY=true"}, "--config", file),
		} {
			require.True(t, c.Memory)
			require.Empty(t, c.Dir)
		}
		c := parsed(t, []string{"BROCK_MEMORY=no"}, "--config", file)
		require.False(t, c.Memory)
		require.EqualValues(t, `C:\data # 1`, c.Dir)
		c = parsed(t, []string{"BROCK_MEMORY=true"}, "--dir", "given")
		require.False(t, c.Memory)
		require.EqualValues(t, "given", c.Dir)
	})
}

// TestComplaint names the program once.
func TestComplaint(t *testing.T) {
	require.Equal(t, "brock: an earlier write or sync failed: no space", complaint(fmt.Errorf("%w: no space", brock.ErrPoisoned)))
	require.Equal(t, "brock: one; brock: two", complaint(errors.New("one\nbrock: two")))
}

func TestSize(t *testing.T) {
	for text, want := range map[string]size{
		"0": 0, "123": 123, "1KB": 1 << 10, "64mb": 64 << 20, "2 GB": 2 << 30, "8589934591GB": 8589934591 << 30,
	} {
		var s size
		require.NoError(t, s.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, s, text)
	}
	for _, text := range []string{"", "KB", "-1", "1.5GB", "0x10", "1KBMB", "8589934592GB", "9223372036854775808"} {
		var s size
		require.Error(t, s.UnmarshalText([]byte(text)), text)
	}
}
