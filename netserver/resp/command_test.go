package resp_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCommandInfo compares what COMMAND INFO and COMMAND DOCS tell of every
// command with redis-server, in both versions of the protocol.
func TestCommandInfo(t *testing.T) {
	ours, theirs := serve(t, nil).connect(t), connectRedis(t, redis(t))
	names := slices.DeleteFunc(ours.ask("COMMAND", "LIST").texts(), func(name string) bool { return strings.Contains(name, ".") })
	require.NotEmpty(t, names)
	for _, proto := range []string{"2", "3"} {
		require.Equal(t, kind(theirs.ask("HELLO", proto)), kind(ours.ask("HELLO", proto)))
		for _, name := range names {
			info := ours.ask("COMMAND", "INFO", name)
			want := theirs.ask("COMMAND", "INFO", name)
			require.Equal(t, infoOf(want, names), infoOf(info, names), name)
			docs := ours.ask("COMMAND", "DOCS", name)
			want = theirs.ask("COMMAND", "DOCS", name)
			require.Equal(t, docsOf(t, want), docsOf(t, docs), name)
		}
	}
}

// kind returns a reply's type.
func kind(n node) string { return string(n.kind) }

// infoOf returns a reply of COMMAND INFO without subcommands that are not among
// names: redis-server has more.
func infoOf(n node, names []string) string {
	subs := &n.list[0].list[9]
	if len(subs.list) > 0 {
		subs.list = slices.DeleteFunc(subs.list, func(sub node) bool { return !slices.Contains(names, sub.list[0].text) })
		slices.SortFunc(subs.list, func(a, b node) int { return strings.Compare(a.list[0].text, b.list[0].text) })
		subs.text = "" // how many they are
	}
	return n.sorted().raw()
}

// docsOf returns a reply of COMMAND DOCS without subcommands, and without what
// is said in our own words, but only if that is there.
func docsOf(t *testing.T, n node) string {
	t.Helper()
	docs := &n.list[1]
	for _, field := range []string{"summary", "complexity"} {
		require.NotEmpty(t, docs.get(t, field).text)
	}
	var rest []node
	for pair := range slices.Chunk(docs.list, 2) {
		if !slices.Contains([]string{"summary", "complexity", "subcommands"}, pair[0].text) {
			rest = append(rest, pair...)
		}
	}
	docs.list, docs.text = rest, ""
	return n.raw()
}

// TestCommandReplies compares replies of COMMAND's subcommands.
func TestCommandReplies(t *testing.T) {
	ours, theirs := serve(t, nil).connect(t), connectRedis(t, redis(t))
	for _, proto := range []string{"2", "3"} {
		ours.ask("HELLO", proto)
		theirs.ask("HELLO", proto)
		for _, call := range []string{
			"command info nosuch get", "command info client|nosuch get|x", "command docs nosuch", "command docs client|nosuch get|x",
			"command count x", "command list x", "command list filterby", "command list filterby aclcat",
			"command list filterby aclcat x", "command list filterby module x", "command list filterby x y",
			"command list filterby aclcat string x", "command list filterby pattern DBS*", "command list filterby pattern INCR",
			"command nosuch", "command getkeys", "command getkeys get",
			"command getkeys get a", "command getkeys get a b", "command getkeys nosuch a", "command getkeys ping a",
			"command getkeys mset a 1 b 2", "command getkeys mset a 1 b", "command getkeys mget a b c", "command getkeys client id",
			"command getkeys client nosuch", "command getkeys bitop and a b c", "command getkeys copy a b",
			"command getkeys blpop a b 0", "command getkeys blpop a b", "command getkeys sinter a b", "command getkeys lcs a b",
			"command getkeys object encoding a", "command getkeys object help", "command getkeys memory usage a",
			"command getkeys xadd a * b c", "command getkeys zadd a 1 b", "command getkeys del a b", "command getkeys rename a b",
			"command getkeysandflags set a b", "command getkeysandflags set a b get", "command getkeysandflags SET a b nx GET",
			"command getkeysandflags bitfield a get u8 0", "command getkeysandflags bitfield a get u8 0 overflow wrap",
			"command getkeysandflags bitfield a get u8 0 set u8 0 1", "command getkeysandflags bitfield a incrby u8 0 1",
			"command getkeysandflags bitfield a overflow wrap get u8 0", "command getkeysandflags bitfield a x",
			"command getkeysandflags bitfield a get u8", "command getkeysandflags bitfield a", "command getkeysandflags copy a b",
			"command getkeysandflags getdel a", "command getkeysandflags ping a", "command getkeysandflags bitop not a b",
		} {
			require.Equal(t, theirs.line(call), ours.line(call), call)
		}
	}
}

// TestCommandWhole looks at the replies that name all commands.
func TestCommandWhole(t *testing.T) {
	c := serve(t, nil).connect(t)
	n, err := strconv.Atoi(c.ask("COMMAND", "COUNT").text)
	require.NoError(t, err)
	require.Len(t, c.ask("COMMAND").list, n)
	require.Len(t, c.ask("COMMAND", "INFO").list, n)
	require.Greater(t, len(c.ask("COMMAND", "LIST").list), n)
	require.Len(t, c.ask("COMMAND", "DOCS").list, 2*n)
	help := c.ask("COMMAND", "HELP").texts()
	require.Equal(t, "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", help[0])
	require.Contains(t, help, "DOCS [<command-name> [<command-name> ...]]")
	require.Contains(t, c.ask("CLIENT", "HELP").texts(), "REPLY ON|OFF|SKIP")
}
