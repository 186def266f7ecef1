package resp

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// slowlog keeps the latest commands that took long.
type slowlog struct {
	after atomic.Int64 // µs from which on a command is kept; negative: none
	most  atomic.Int64 // how many are kept

	mu      sync.Mutex
	entries []slowEntry // oldest first
	next    int64
}

// slowEntry is one command that took long.
type slowEntry struct {
	id   int64
	at   time.Time
	took time.Duration
	args []string
	addr string
	name string
}

// What of a command a slowlog keeps.
const (
	slowArgs  = 32
	slowBytes = 128
)

// short tells whether commands are kept that run on a loop and look at little.
func (l *slowlog) short() bool {
	after := l.after.Load()
	return 0 <= after && after < 2000
}

// note keeps a command if it took long.
func (l *slowlog) note(c *call) {
	if after := l.after.Load(); after < 0 || c.took.Microseconds() < after || c.cmd.has(flagSkipSlowlog) {
		return
	}
	e := slowEntry{at: c.srv.now(), took: c.took, args: shownCall(c.cmd, c.args), addr: clientAddr(c.conn.t.RemoteAddr()), name: c.conn.label()}
	l.mu.Lock()
	defer l.mu.Unlock()
	e.id = l.next
	l.next++
	l.entries = append(l.entries, e)
	l.cutLocked()
}

// cutLocked drops entries that are too many, the oldest ones.
func (l *slowlog) cutLocked() {
	for int64(len(l.entries)) > l.most.Load() {
		l.entries[0] = slowEntry{} // it stays in the array until that is too small
		l.entries = l.entries[1:]
	}
}

// shownCall returns a command's arguments as the slowlog keeps them: the first
// ones, and their beginnings, without passwords.
func shownCall(cmd *command, args [][]byte) []string {
	list := make([]string, 0, min(len(args), slowArgs))
	for i, arg := range args {
		if i == slowArgs-1 && len(args) > slowArgs {
			return append(list, fmt.Sprintf("... (%d more arguments)", len(args)-i))
		}
		if secret(cmd, args, i) {
			arg = []byte(redacted)
		}
		if len(arg) > slowBytes {
			list = append(list, fmt.Sprintf("%s... (%d more bytes)", arg[:slowBytes], len(arg)-slowBytes))
		} else {
			list = append(list, string(arg))
		}
	}
	return list
}
