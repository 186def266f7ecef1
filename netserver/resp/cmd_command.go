package resp

import (
	"slices"
	"strings"

	"github.com/brockdb/brock/internal/glob"
)

// Errors of COMMAND GETKEYS.
const (
	errNoSuchCommand Error = "ERR Invalid command specified"
	errNoKeys        Error = "ERR The command has no key arguments"
	errKeysArity     Error = "ERR Invalid number of arguments specified for command"
	errKeysArgs      Error = "ERR Invalid arguments specified for command"
)

// runCommand replies what COMMAND INFO does, of all commands.
func runCommand(c *call) error {
	list := c.srv.commands.list
	c.out.array(len(list))
	for i := range list {
		list[i].tell(c.out)
	}
	return nil
}

// runCommandCount counts the commands.
func runCommandCount(c *call) error {
	c.out.int(int64(len(c.srv.commands.list)))
	return nil
}

// runCommandInfo describes commands.
func runCommandInfo(c *call) error {
	if len(c.args) == 2 {
		return runCommand(c)
	}
	c.out.array(len(c.args) - 2)
	for _, name := range c.args[2:] {
		if cmd := c.srv.commands.named(view(name)); cmd != nil {
			cmd.tell(c.out)
		} else {
			c.out.null()
		}
	}
	return nil
}

// runCommandDocs documents commands.
func runCommandDocs(c *call) error {
	var cmds []*command
	for _, name := range c.args[2:] {
		if cmd := c.srv.commands.named(view(name)); cmd != nil {
			cmds = append(cmds, cmd)
		}
	}
	if len(c.args) == 2 {
		for i := range c.srv.commands.list {
			cmds = append(cmds, &c.srv.commands.list[i])
		}
	}
	c.out.dict(len(cmds))
	for _, cmd := range cmds {
		cmd.document(c.out)
	}
	return nil
}

// runCommandList lists the names of commands.
func runCommandList(c *call) error {
	var takes func(*command) bool
	switch {
	case len(c.args) == 2:
		takes = func(*command) bool { return true }
	case len(c.args) != 5 || !c.is(2, "FILTERBY"):
		return errSyntax
	case c.is(3, "MODULE"):
		takes = func(*command) bool { return false }
	case c.is(3, "ACLCAT"):
		category := "@" + strings.ToLower(c.str(4))
		takes = func(cmd *command) bool { return slices.Contains(cmd.categories(), category) }
	case c.is(3, "PATTERN"):
		pattern := strings.ToLower(c.str(4))
		takes = func(cmd *command) bool { return glob.Match(pattern, cmd.full()) }
	default:
		return errSyntax
	}
	var names []string
	for cmd := range c.srv.commands.all() {
		if takes(cmd) {
			names = append(names, cmd.full())
		}
	}
	c.out.strs(names)
	return nil
}

// runCommandGetKeys replies which of a command's arguments are keys.
func runCommandGetKeys(c *call) error {
	_, keys, err := c.keysOf(c.args[2:])
	if err != nil {
		return err
	}
	c.out.array(len(keys))
	for _, key := range keys {
		c.out.bulk(key.name)
	}
	return nil
}

// runCommandGetKeysAndFlags replies which of a command's arguments are keys, and
// what it does to them.
func runCommandGetKeysAndFlags(c *call) error {
	cmd, keys, err := c.keysOf(c.args[2:])
	if err != nil {
		return err
	}
	c.out.array(len(keys))
	for _, key := range keys {
		c.out.array(2)
		c.out.bulk(key.name)
		flags := key.flags
		if cmd.flagsOf != nil {
			flags = cmd.flagsOf(c.args[2:])
		}
		c.out.marks(flags)
	}
	return nil
}

// keyArgument is an argument that is a key.
type keyArgument struct {
	name  []byte
	flags []string
}

// keysOf returns the command of a request, and the keys among its arguments.
func (c *call) keysOf(args [][]byte) (cmd *command, keys []keyArgument, err error) {
	cmd = c.srv.commands.find(args[0]).of(args)
	switch {
	case cmd == nil:
		return nil, nil, errNoSuchCommand
	case len(cmd.keys) == 0:
		return nil, nil, errNoKeys
	case !cmd.takes(len(args)):
		return nil, nil, errKeysArity
	}
	for _, spec := range cmd.keys {
		end := spec.end(len(args))
		if end >= len(args) || end < spec.index {
			return nil, nil, errKeysArgs
		}
		for i := spec.index; i <= end; i += spec.step {
			keys = append(keys, keyArgument{args[i], spec.flags})
		}
	}
	return cmd, keys, nil
}

// setFlags tells what SET does to its key.
func setFlags(args [][]byte) []string {
	for _, arg := range args[3:] {
		if strings.EqualFold(view(arg), "get") {
			return []string{"RW", "access", "update"}
		}
	}
	return []string{"OW", "update"}
}

// bitFieldFlags tells what BITFIELD does to its key: operations that change
// nothing only read it.
func bitFieldFlags(args [][]byte) []string {
	for i := 2; i < len(args); i++ {
		switch word, left := strings.ToLower(view(args[i])), len(args)-i-1; {
		case word == "get" && left >= 2:
			i += 2
		case word == "overflow" && left >= 1:
			i++
		default:
			return []string{"RW", "access", "update"}
		}
	}
	return []string{"RO", "access"}
}

// runHelp lists the subcommands of a command.
func runHelp(c *call) error {
	of := c.cmd.parent
	lines := []string{strings.ToUpper(of.name) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"}
	if of.run != nil {
		lines = append(lines, "(no subcommand)", helpIndent+of.summary+".")
	}
	for i := range of.subs {
		sub := &of.subs[i]
		line := append([]string{strings.ToUpper(sub.name)}, syntaxes(sub.docs)...)
		lines = append(lines, strings.Join(line, " "), helpIndent+sub.summary+".")
	}
	c.out.help(lines)
	return nil
}

// helpIndent stands in front of lines that explain.
const helpIndent = "    "

// help appends the reply of HELP.
func (r *reply) help(lines []string) {
	r.array(len(lines))
	for _, line := range lines {
		r.simple(line)
	}
}

// marks appends a set of words.
func (r *reply) marks(words []string) {
	r.set(len(words))
	for _, word := range words {
		r.simple(word)
	}
}

// strSet appends a set of strings.
func (r *reply) strSet(list []string) {
	r.set(len(list))
	for _, s := range list {
		r.str(s)
	}
}

// tell appends what COMMAND INFO tells of a command.
func (cmd *command) tell(r *reply) {
	first, last, step := cmd.keyRange()
	r.array(10)
	r.str(cmd.full())
	r.int(int64(cmd.arity))
	r.marks(cmd.flags.names())
	r.int(int64(first))
	r.int(int64(last))
	r.int(int64(step))
	r.marks(cmd.categories())
	r.strSet(cmd.tips)
	r.set(len(cmd.keys))
	for _, spec := range cmd.keys {
		spec.tell(r)
	}
	if cmd.subs == nil {
		r.set(0)
		return
	}
	r.array(len(cmd.subs))
	for i := range cmd.subs {
		cmd.subs[i].tell(r)
	}
}

// tell appends what COMMAND INFO tells of keys.
func (k keySpec) tell(r *reply) {
	if k.notes == "" {
		r.dict(3)
	} else {
		r.dict(4)
		r.pair("notes", k.notes)
	}
	r.str("flags")
	r.marks(k.flags)
	r.str("begin_search")
	r.dict(2)
	r.pair("type", "index")
	r.str("spec")
	r.dict(1)
	r.pairInt("index", int64(k.index))
	r.str("find_keys")
	r.dict(2)
	r.pair("type", "range")
	r.str("spec")
	r.dict(3)
	r.pairInt("lastkey", int64(k.last))
	r.pairInt("keystep", int64(k.step))
	r.pairInt("limit", 0)
}

// pair appends a key and a string.
func (r *reply) pair(key, value string) {
	r.str(key)
	r.str(value)
}

// pairInt appends a key and an integer.
func (r *reply) pairInt(key string, n int64) {
	r.str(key)
	r.int(n)
}

// fields is a dictionary whose size is known in the end.
type fields struct {
	reply
	n int
}

// text adds a key and a string, unless that is empty.
func (f *fields) text(key, value string) {
	if value != "" {
		f.key(key)
		f.str(value)
	}
}

// key adds a key. Its value is to be appended next.
func (f *fields) key(key string) {
	f.n++
	f.str(key)
}

// fields appends a dictionary.
func (r *reply) fields(fill func(f *fields)) {
	f := &fields{reply: reply{proto: r.proto}}
	fill(f)
	r.dict(f.n)
	r.b = append(r.b, f.b...)
}

// document appends a command's name and what COMMAND DOCS tells of it.
func (cmd *command) document(r *reply) {
	r.str(cmd.full())
	r.fields(func(f *fields) {
		f.text("summary", cmd.summary)
		f.text("since", cmd.since)
		f.text("group", cmd.group)
		f.text("complexity", cmd.complexity)
		if cmd.history != nil {
			f.key("history")
			cmd.tellHistory(&f.reply)
		}
		if flags := cmd.docFlags(); flags != nil {
			f.key("doc_flags")
			f.marks(flags)
		}
		f.text("deprecated_since", cmd.deprecated)
		f.text("replaced_by", cmd.replacedBy)
		if cmd.docs != nil {
			f.key("arguments")
			tellArguments(&f.reply, cmd.docs)
		}
		if cmd.subs != nil {
			f.key("subcommands")
			f.dict(len(cmd.subs))
			for i := range cmd.subs {
				cmd.subs[i].document(&f.reply)
			}
		}
	})
}

// docFlags returns what COMMAND DOCS calls a command's flags.
func (cmd *command) docFlags() (flags []string) {
	if cmd.deprecated != "" {
		flags = append(flags, "deprecated")
	}
	if cmd.system {
		flags = append(flags, "syscmd")
	}
	return flags
}

// tellHistory appends what versions changed.
func (cmd *command) tellHistory(r *reply) {
	r.set(len(cmd.history))
	for _, h := range cmd.history {
		r.array(2)
		r.str(h.version)
		r.str(h.text)
	}
}

// tellArguments appends what COMMAND DOCS tells of arguments.
func tellArguments(r *reply, args []argument) {
	r.array(len(args))
	for _, a := range args {
		a.tell(r)
	}
}

// tell appends what COMMAND DOCS tells of an argument.
func (a argument) tell(r *reply) {
	r.fields(func(f *fields) {
		f.text("name", a.name)
		f.text("type", a.kind)
		if a.key > 0 {
			f.key("key_spec_index")
			f.int(int64(a.key - 1))
		}
		f.text("token", a.token)
		f.text("since", a.since)
		f.text("deprecated_since", a.deprecated)
		if flags := a.flags(); flags != nil {
			f.key("flags")
			f.marks(flags)
		}
		if a.args != nil {
			f.key("arguments")
			tellArguments(&f.reply, a.args)
		}
	})
}

// flags returns what COMMAND DOCS calls an argument's flags.
func (a argument) flags() (flags []string) {
	if a.optional {
		flags = append(flags, "optional")
	}
	if a.multiple {
		flags = append(flags, "multiple")
	}
	if a.repeated {
		flags = append(flags, "multiple_token")
	}
	return flags
}
