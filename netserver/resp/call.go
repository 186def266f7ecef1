package resp

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"
	"unsafe"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/bridge"
	"github.com/brockdb/brock/internal/integer"
)

// handler runs a command and appends its reply to call.out. What it returns
// becomes the reply instead, an error. It makes at most one call that changes
// anything.
type handler func(c *call) error

// call is one command on its way. On a loop it is good until the handler
// returns, and so are its arguments.
type call struct {
	srv  *Server
	conn *conn // nothing of its loop's may be touched off the loop
	cmd  *command
	args [][]byte // with the command's name
	out  *reply
	db   *brock.Pipe     // the connection's database
	ctx  context.Context // off the loop: ends with the connection; nil on it
	mark uint64          // off the loop: what the reply tells of
	took time.Duration

	began  time.Time // off the loop: when it was, had it not waited for others
	paused time.Time // since when it waits for others

	fatal bool          // the connection ends with the reply
	later *bridge.Later // off the loop: what db notes
	err   error
	keys  []string // room for arguments, as strings and in pairs

	pairs  []brock.KV
	fields []brock.FieldValue
	scores []brock.Z
}

// newCall returns a call to be run off the loop, until ctx ends if it waits.
func newCall(ctx context.Context, c *conn, cmd *command, args [][]byte) *call {
	pipe, later := bridge.Pipe(c.srv.db.DB(int(c.db.Load())), false)
	later.NoTouch = c.noTouch.Load()
	return &call{
		srv: c.srv, conn: c, cmd: cmd, args: args, out: &reply{proto: int(c.proto.Load())},
		db: pipe.(*brock.Pipe), ctx: ctx, later: later,
	}
}

// work runs a call off the loop, and returns what takes its reply there.
func (c *call) work() (deliver func()) {
	c.run()
	return func() { c.conn.unpark(c) }
}

// run runs a call off the loop.
func (c *call) run() {
	c.began = time.Now()
	c.err = c.cmd.run(c)
	c.took = time.Since(c.began)
	c.mark = max(c.mark, c.later.Take())
	if c.err != nil {
		c.out.b = c.out.b[:0]
		c.out.err(c.srv.text(c.err))
	}
}

// countNow has all that was done on the loop so far be counted, for who is about
// to look.
func (c *call) countNow() {
	if !c.off() {
		c.conn.loop.run.settle()
		c.conn.loop.account()
	}
}

// waits notes that the call begins to wait for another client, or has ended to:
// that is no part of the time that it takes.
func (c *call) waits(waiting bool) {
	c.conn.blocked.Store(waiting)
	if waiting {
		c.paused = time.Now()
	} else {
		c.began = c.began.Add(time.Since(c.paused))
	}
}

// off tells whether the call runs off the loop.
func (c *call) off() bool { return c.ctx != nil }

// quit ends the connection once the reply is sent.
func (c *call) quit() {
	if c.off() {
		c.fatal = true
	} else {
		c.conn.quit()
	}
}

// wait has a call that is about to take long run off the loop: a handler
// returns what wait returns, unless that is nil.
func (c *call) wait() error {
	if c.off() {
		return nil
	}
	return bridge.ErrWait
}

// Error is the text of an error reply: a code in capitals, and words.
type Error string

// Error returns the text.
func (e Error) Error() string { return string(e) }

// Errors that several commands have.
const (
	errSyntax     Error = "ERR syntax error"
	errNotInteger Error = "ERR value is not an integer or out of range"
	errNotFloat   Error = "ERR value is not a valid float"
	errNoAuth     Error = "NOAUTH Authentication required."
)

// text returns the reply for a command's error.
func (s *Server) text(err error) string {
	var own Error
	if errors.As(err, &own) {
		return string(own)
	}
	if text := brock.RedisError(err); text != "" {
		return text
	}
	switch {
	case errors.Is(err, brock.ErrNoSpace), errors.Is(err, brock.ErrPoisoned):
		return "MISCONF Errors writing to disk: " + err.Error()
	case errors.Is(err, brock.ErrTxTooLarge):
		return "OOM command not allowed: " + err.Error()
	}
	return "ERR " + err.Error()
}

// view returns bytes as a string without copying them: good as long as they are
// not changed.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// str returns an argument as a string, good until the handler returns.
func (c *call) str(i int) string { return view(c.args[i]) }

// strs returns the arguments from one on as strings, good likewise.
func (c *call) strs(from int) []string {
	keys := room(&c.keys, len(c.args)-from)
	for _, arg := range c.args[from:] {
		keys = append(keys, view(arg))
	}
	return keys
}

// keptRoom is for how many elements a call keeps room.
const keptRoom = 1024

// room returns an empty slice with room for n elements: the one that is kept, if
// they are not many.
func room[T any](kept *[]T, n int) []T {
	if n > keptRoom {
		return make([]T, 0, n)
	}
	if cap(*kept) < n {
		*kept = make([]T, 0, n)
	}
	return (*kept)[:0]
}

// int returns an argument as an integer.
func (c *call) int(i int) (int64, error) {
	n, ok := integer.Parse(c.args[i])
	if !ok {
		return 0, errNotInteger
	}
	return n, nil
}

// count returns an argument as an int: one that is out of an int's range is cut
// to its ends.
func (c *call) count(i int) (int, error) {
	n, err := c.int(i)
	return int(min(max(n, math.MinInt), math.MaxInt)), err
}

// is tells whether an argument is a word, in capitals or not.
func (c *call) is(i int, word string) bool { return strings.EqualFold(view(c.args[i]), word) }
