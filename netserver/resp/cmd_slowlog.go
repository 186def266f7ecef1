package resp

import (
	"math"
	"slices"
	"strings"

	"github.com/brockdb/brock/internal/integer"
)

// errSlowlogCount is the error of SLOWLOG GET.
const errSlowlogCount Error = "ERR count should be greater than or equal to -1"

// defaultSlow is how many entries SLOWLOG GET replies if it is not told.
const defaultSlow = 10

// runSlowlogGet replies the latest entries.
func runSlowlogGet(c *call) error {
	count := int64(defaultSlow)
	switch {
	case len(c.args) > 3:
		return Error("ERR unknown subcommand or wrong number of arguments for '" + c.str(1) + "'. Try SLOWLOG HELP.")
	case len(c.args) == 3:
		n, ok := integer.Parse(c.args[2])
		if !ok || n < -1 {
			return errSlowlogCount
		}
		if count = n; n == -1 {
			count = math.MaxInt64
		}
	}
	entries := c.srv.slow.latest(count)
	c.out.array(len(entries))
	for _, e := range entries {
		c.out.array(6)
		c.out.int(e.id)
		c.out.int(e.at.Unix())
		c.out.int(e.took.Microseconds())
		c.out.strs(e.args)
		c.out.str(e.addr)
		c.out.str(e.name)
	}
	return nil
}

// runSlowlogLen counts the entries.
func runSlowlogLen(c *call) error {
	c.out.int(int64(c.srv.slow.len()))
	return nil
}

// runSlowlogReset removes the entries.
func runSlowlogReset(c *call) error {
	c.srv.slow.clear()
	c.out.ok()
	return nil
}

// latest returns the latest entries, up to a number of them, newest first.
func (l *slowlog) latest(count int64) []slowEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := slices.Clone(l.entries[max(int64(len(l.entries))-count, 0):])
	slices.Reverse(list)
	return list
}

// len returns how many entries there are.
func (l *slowlog) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

// clear removes all entries.
func (l *slowlog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = nil
}

// cut drops entries that are too many since the limit was lowered.
func (l *slowlog) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cutLocked()
}

// redacted stands for arguments that are secret.
const redacted = "(redacted)"

// secret tells whether an argument of a command is a password, or the name of a
// user next to one.
func secret(cmd *command, args [][]byte, i int) bool {
	switch cmd.full() {
	case "auth":
		return i > 0
	case "hello":
		return i > 2 && (strings.EqualFold(view(args[i-1]), "AUTH") || i > 3 && strings.EqualFold(view(args[i-2]), "AUTH"))
	case "config|set":
		return i > 2 && strings.EqualFold(view(args[i-1]), "requirepass")
	}
	return false
}
