package resp

import (
	"iter"
	"strings"

	"github.com/brockdb/brock"
)

// command is an entry of the command table: all that is known of a command, and
// what runs it.
type command struct {
	name    string // in small letters; of a subcommand without its container's
	run     handler
	arity   int // arguments with the name; -n: n at least
	flags   flags
	keys    []keySpec
	acl     []string // categories beside those that follow from flags and group
	subs    []command
	offLoop bool // it takes long, or waits
	joins   bool // pipelined, it may be one of several in a transaction; so is what is fast
	field   int  // the argument that is a field or member of its key; 0: none

	push func(*brock.Pipe, string, ...[]byte) (int, error) // of RPUSH and LPUSH: what runs it

	group, since, summary, complexity string

	deprecated string // since when, if it is
	replacedBy string // likewise
	system     bool   // meant for the system rather than for clients
	tips       []string
	history    []change
	docs       []argument
	flagsOf    func(args [][]byte) []string // of the key of a call, where they vary

	oneKey bool     // its first argument is its only key
	parent *command // of a subcommand
	id     int      // its number in the table
}

// takes tells whether a request may have n arguments, with the command's name.
func (cmd *command) takes(n int) bool {
	if cmd.arity > 0 {
		return n == cmd.arity
	}
	return n >= -cmd.arity
}

// flags are what COMMAND tells of a command.
type flags uint32

// The flags, in Redis' order.
const (
	flagWrite flags = 1 << iota
	flagReadonly
	flagDenyOOM
	flagAdmin
	flagNoScript
	flagBlocking
	flagLoading
	flagStale
	flagSkipSlowlog
	flagFast
	flagNoAuth
	flagNoAsyncLoading
	flagNoMulti
	flagAllowBusy
)

// names returns what COMMAND calls flags.
func (f flags) names() (names []string) {
	for i, name := range [...]string{
		"write", "readonly", "denyoom", "admin", "noscript", "blocking", "loading", "stale", "skip_slowlog", "fast",
		"no_auth", "no_async_loading", "no_multi", "allow_busy",
	} {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// has tells whether the command has a flag.
func (cmd *command) has(f flags) bool { return cmd.flags&f != 0 }

// full returns the name, for a subcommand with its container's, as in
// client|id.
func (cmd *command) full() string {
	if cmd.parent != nil {
		return cmd.parent.name + "|" + cmd.name
	}
	return cmd.name
}

// sub returns a subcommand, nil if there is none of that name.
func (cmd *command) sub(name []byte) *command {
	for i := range cmd.subs {
		if strings.EqualFold(cmd.subs[i].name, view(name)) {
			return &cmd.subs[i]
		}
	}
	return nil
}

// of returns the command that a request asks for whose first word is the
// command's name: a subcommand maybe. It is nil if there is none, or cmd is.
func (cmd *command) of(args [][]byte) *command {
	if cmd == nil || cmd.subs == nil || len(args) < 2 {
		return cmd
	}
	return cmd.sub(args[1])
}

// commands is the command table.
type commands struct {
	list   []command
	byName map[string]*command
	count  int // with subcommands
}

// all returns the commands and subcommands.
func (t *commands) all() iter.Seq[*command] {
	return func(yield func(*command) bool) {
		for i := range t.list {
			cmd := &t.list[i]
			if !yield(cmd) {
				return
			}
			for j := range cmd.subs {
				if !yield(&cmd.subs[j]) {
					return
				}
			}
		}
	}
}

// named returns the command of a name, for a subcommand with its container's, as
// in client|id; nil if there is none.
func (t *commands) named(name string) *command {
	name, sub, ok := strings.Cut(name, "|")
	cmd := t.find([]byte(name))
	if cmd == nil || !ok {
		return cmd
	}
	return cmd.sub([]byte(sub))
}

// longestName bounds the length of a command's name.
const longestName = 32

// newCommands returns a table of commands.
func newCommands(list []command) *commands {
	t := &commands{list: list, byName: make(map[string]*command, len(list))}
	for i := range t.list {
		cmd := &t.list[i]
		cmd.oneKey = len(cmd.keys) == 1 && cmd.keys[0].index == 1 && cmd.keys[0].last == 0
		cmd.joins = cmd.oneKey && !cmd.offLoop && cmd.has(flagWrite) && (cmd.joins || cmd.has(flagFast))
		t.number(cmd)
		t.byName[cmd.name] = cmd
		for j := range cmd.subs {
			cmd.subs[j].parent = cmd
			t.number(&cmd.subs[j])
		}
	}
	return t
}

// number gives a command its number.
func (t *commands) number(cmd *command) {
	cmd.id = t.count
	t.count++
}

// find returns the command of a name, in capitals or not, nil if there is none.
func (t *commands) find(name []byte) *command {
	var buf [longestName]byte
	if len(name) > len(buf) {
		return nil
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf[i] = c
	}
	return t.byName[string(buf[:len(name)])]
}
