package main

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// document returns the text of docs/server.md.
func document(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "server.md"))
	require.NoError(t, err)
	return string(text)
}

// TestDocumentOptions holds the table of docs/server.md against the options that
// there are.
func TestDocumentOptions(t *testing.T) {
	c, err := parse(t.Context(), process{args: []string{"serve"}, stdout: io.Discard, stderr: io.Discard}, &commandLine{})
	require.NoError(t, err)
	var want []string
	for _, flag := range c.Flags() {
		if flag.Name == "help" {
			continue
		}
		option := "--" + flag.Name
		if flag.PlaceHolder != "" {
			option += " " + flag.PlaceHolder
		}
		def := regexp.MustCompile(`Default: (\S+?)[.,]( |$)`).FindStringSubmatch(flag.Help)
		text := "none"
		switch {
		case flag.IsBool():
			text = "off"
		case def != nil && def[1] != "none":
			text = "`" + def[1] + "`"
		}
		require.True(t, flag.Default == "" || text == "`"+flag.Default+"`", "%s: %s", option, flag.Help)
		env := "BROCK_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		want = append(want, "| `"+option+"` | `"+env+"` | "+text)
	}
	var rows []string
	for _, m := range regexp.MustCompile("(?m)^(\\| `--[^|]*\\|[^|]*\\|[^|]*) \\| .+ \\|$").FindAllStringSubmatch(document(t), -1) {
		rows = append(rows, m[1])
	}
	require.Equal(t, want, rows)
}

// TestDocumentSample reads the file of options that docs/server.md shows.
func TestDocumentSample(t *testing.T) {
	m := regexp.MustCompile("(?s)\n```ini\n(.*?)```\n").FindStringSubmatch(document(t))
	require.NotNil(t, m)
	name := write(t, t.TempDir(), "brock.conf", m[1])
	c := parsed(t, nil, "--config", name)
	require.EqualValues(t, "/var/lib/brock", c.Dir)
	require.Equal(t, "127.0.0.1:6379", c.RESP)
	require.EqualValues(t, "/etc/brock.password", c.RequirepassFile)
	require.EqualValues(t, int64(4<<30), c.MemoryBudget)
	require.EqualValues(t, 5000, c.Maxclients)
	require.EqualValues(t, "json", c.LogFormat)
}

// TestDocumentCommands wants each command in docs/server.md.
func TestDocumentCommands(t *testing.T) {
	parser, err := kong.New(&commandLine{}, kong.Name("brock"))
	require.NoError(t, err)
	for _, command := range parser.Model.Children {
		require.Contains(t, document(t), "`brock "+command.Name)
	}
}

// TestREADMESession has redis-cli do what it does in the README.
func TestREADMESession(t *testing.T) {
	cli, err := exec.LookPath("redis-cli")
	if err != nil {
		t.Skip("redis-cli is not there")
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	steps := regexp.MustCompile(`(?m)^    \$ redis-cli (.*)\n((?:    [^$\n].*\n)+)`).FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, steps)
	s := serveHere(t, "--memory")
	_, port, err := net.SplitHostPort(s.addr)
	require.NoError(t, err)
	for _, step := range steps {
		args := append([]string{"-p", port, "--no-raw"}, strings.Fields(step[1])...)
		out, err := exec.Command(cli, args...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Equal(t, strings.ReplaceAll(step[2], "    ", ""), string(out), step[1])
	}
}
