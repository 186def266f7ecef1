package resp

import "strings"

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
	field   int  // the argument that is a field or member of its key; 0: none

	group, since, summary, complexity string
	tips                              []string
	docs                              []argument

	oneKey bool     // its first argument is its only key
	parent *command // of a subcommand
	id     int      // its number in the table
}

// flags are what COMMAND tells of a command.
type flags uint32

// The flags, under Redis' names.
const (
	flagWrite flags = 1 << iota
	flagReadonly
	flagDenyOOM
	flagAdmin
	flagPubSub
	flagNoScript
	flagBlocking
	flagLoading
	flagStale
	flagSkipMonitor
	flagSkipSlowlog
	flagFast
	flagNoAuth
	flagMovableKeys
	flagNoMulti
	flagAllowBusy
)

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

// commands is the command table.
type commands struct {
	list   []command
	byName map[string]*command
	count  int // with subcommands
}

// longestName bounds the length of a command's name.
const longestName = 32

// newCommands returns a table of commands.
func newCommands(list []command) *commands {
	t := &commands{list: list, byName: make(map[string]*command, len(list))}
	for i := range t.list {
		cmd := &t.list[i]
		cmd.oneKey = len(cmd.keys) == 1 && cmd.keys[0].index == 1 && cmd.keys[0].last == 0 && cmd.keys[0].keyword == ""
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

// keySpec tells which arguments of a command are keys, as COMMAND does.
type keySpec struct {
	notes string
	flags []string // such as RO, ACCESS

	index   int    // keys begin at this argument,
	keyword string // or behind this word,
	from    int    // looked for from this argument on

	last  int // range: the last key behind the first; -1: up to the end
	step  int
	limit int

	numKeys bool // their number stands in argument numIdx behind the first,
	numIdx  int  // and they begin at argument firstKey behind it
	first   int
}

// argument documents one argument of a command, as COMMAND DOCS does.
type argument struct {
	name     string
	typ      string
	display  string
	token    string
	summary  string
	since    string
	keySpec  int // plus 1; 0: none
	optional bool
	multiple bool
	repeated bool // multiple_token
	args     []argument
}
