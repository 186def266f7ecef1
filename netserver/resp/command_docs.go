package resp

import (
	"slices"
	"strings"
)

// change is what a version of Redis changed in a command.
type change struct{ version, text string }

// keySpec tells which arguments of a command are keys, as COMMAND does: from
// index on to the last one, every step-th.
type keySpec struct {
	notes string
	flags []string // such as RO, access
	index int
	last  int // the last key behind the first; below 0: before the end
	step  int
}

// keySpecs returns specifications of keys.
func keySpecs(list ...keySpec) []keySpec { return list }

// keyAt returns the specification of one key.
func keyAt(index int, flags ...string) keySpec { return keySpec{index: index, step: 1, flags: flags} }

// keysFrom returns the specification of several keys.
func keysFrom(index, last, step int, flags ...string) keySpec {
	return keySpec{index: index, last: last, step: step, flags: flags}
}

// because adds a note.
func (k keySpec) because(note string) keySpec {
	k.notes = note
	return k
}

// end returns which of n arguments is the last key.
func (k keySpec) end(n int) int {
	if k.last < 0 {
		return n + k.last
	}
	return k.index + k.last
}

// keyRange returns the first and the last key of a command, and from how far one
// is to the next, as COMMAND told before there were specifications: 0 without
// keys.
func (cmd *command) keyRange() (first, last, step int) {
	for i, k := range cmd.keys {
		if i == 0 {
			first, step = k.index, k.step
		}
		if last = k.last; last >= 0 {
			last += k.index
		}
	}
	return first, last, step
}

// categories returns a command's ACL categories, in Redis' order.
func (cmd *command) categories() []string {
	has := map[string]bool{
		"@write": cmd.has(flagWrite), "@read": cmd.has(flagReadonly), "@admin": cmd.has(flagAdmin), "@dangerous": cmd.has(flagAdmin),
		"@blocking": cmd.has(flagBlocking), "@fast": cmd.has(flagFast), "@slow": !cmd.has(flagFast),
	}
	if cmd.run != nil { // a command that has no more than subcommands is of no group
		switch cmd.group {
		case "generic":
			has["@keyspace"] = true
		case "sorted-set":
			has["@sortedset"] = true
		default:
			has["@"+cmd.group] = true
		}
	}
	for _, category := range cmd.acl {
		has[category] = true
	}
	return slices.DeleteFunc(categories(), func(category string) bool { return !has[category] })
}

// categories returns all ACL categories that commands here are in.
func categories() []string {
	return []string{
		"@keyspace", "@read", "@write", "@set", "@sortedset", "@list", "@hash", "@string", "@bitmap", "@stream", "@admin",
		"@fast", "@slow", "@blocking", "@dangerous", "@connection",
	}
}

// argument documents one argument of a command, as COMMAND DOCS does.
type argument struct {
	name       string
	kind       string
	token      string
	since      string
	deprecated string
	key        int // the number of its keySpec, from 1 on; 0: none
	optional   bool
	multiple   bool
	repeated   bool // with its token
	args       []argument
}

// arguments returns a list of arguments.
func arguments(list ...argument) []argument { return list }

// argKey returns the argument that is called key.
func argKey() argument { return argKeyOf("key", 0) }

// argKeyOf returns an argument that is a key of a specification.
func argKeyOf(name string, spec int) argument {
	return argument{name: name, kind: "key", key: spec + 1}
}

// argText returns an argument of any bytes.
func argText(name string) argument { return argument{name: name, kind: "string"} }

// argInt returns an argument that is an integer.
func argInt(name string) argument { return argument{name: name, kind: "integer"} }

// argDouble returns an argument that is a floating point number.
func argDouble(name string) argument { return argument{name: name, kind: "double"} }

// argPattern returns an argument that is a pattern.
func argPattern(name string) argument { return argument{name: name, kind: "pattern"} }

// argTime returns an argument that is a moment.
func argTime(name string) argument { return argument{name: name, kind: "unix-time"} }

// argWord returns an argument that is a word.
func argWord(word string) argument { return argWordNamed(strings.ToLower(word), word) }

// argWordNamed returns an argument that is a word, of another name.
func argWordNamed(name, word string) argument {
	return argument{name: name, kind: "pure-token", token: word}
}

// argOneOf returns an argument that is one of several.
func argOneOf(name string, args ...argument) argument {
	return argument{name: name, kind: "oneof", args: args}
}

// argBlock returns an argument that consists of several.
func argBlock(name string, args ...argument) argument {
	return argument{name: name, kind: "block", args: args}
}

// as puts a word in front of an argument.
func (a argument) as(token string) argument {
	a.token = token
	return a
}

// from tells which version brought an argument.
func (a argument) from(version string) argument {
	a.since = version
	return a
}

// until tells since which version an argument is deprecated.
func (a argument) until(version string) argument {
	a.deprecated = version
	return a
}

// opt makes an argument optional.
func (a argument) opt() argument {
	a.optional = true
	return a
}

// many allows an argument several times.
func (a argument) many() argument {
	a.multiple = true
	return a
}

// each allows an argument several times, with its word each time.
func (a argument) each() argument {
	a.multiple, a.repeated = true, true
	return a
}

// syntax returns how an argument is written.
func (a argument) syntax() string {
	s := a.bare()
	if a.multiple && !a.repeated {
		s += " [" + s + " ...]"
	}
	if a.token != "" && a.kind != "pure-token" {
		s = a.token + " " + s
	}
	if a.repeated {
		s += " [" + s + " ...]"
	}
	if a.optional {
		s = "[" + s + "]"
	}
	return s
}

// bare returns how an argument is written without its word, once.
func (a argument) bare() string {
	switch a.kind {
	case "pure-token":
		return a.token
	case "oneof":
		return strings.Join(syntaxes(a.args), "|")
	case "block":
		return strings.Join(syntaxes(a.args), " ")
	}
	return "<" + a.name + ">"
}

// syntaxes returns how arguments are written.
func syntaxes(args []argument) []string {
	list := make([]string, len(args))
	for i, a := range args {
		list[i] = a.syntax()
	}
	return list
}
