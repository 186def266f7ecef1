package resp

import (
	"fmt"
	"strings"
	"time"

	"github.com/brockdb/brock/internal/bridge"
)

// command executes one request; cmd is nil if there is no command of its name.
func (c *conn) command(cmd *command, args [][]byte) {
	l := c.loop
	cmd, err := c.admit(cmd, args)
	if err != nil {
		l.out.err(string(err.(Error)))
		c.srv.stats.rejected(cmd, string(err.(Error)))
		c.finish(nil, len(l.out.b))
		return
	}
	if cmd.offLoop {
		c.park(cmd, args)
		return
	}
	call, start := &l.call, len(l.out.b)
	call.srv, call.conn, call.cmd, call.args, call.out, call.err = c.srv, c, cmd, args, &l.out, nil
	call.db = l.db(int(c.db.Load()))
	if err := cmd.run(call); err != nil {
		l.out.b = l.out.b[:start]
		if err == bridge.ErrWait { //nolint:errorlint // it comes bare
			c.park(cmd, args)
			return
		}
		call.err = err
		l.out.err(c.srv.text(err))
	}
	c.finish(call, start)
}

// finish does what comes after a command, whose reply stands in the loop's
// buffer from start on; call is nil if the command was rejected.
func (c *conn) finish(call *call, start int) {
	l := c.loop
	if call != nil {
		l.run.add(call)
	}
	switch c.mute {
	case muteOff:
	case muteNext:
		c.mute = muteThis
	case muteThis:
		l.out.b, c.mute = l.out.b[:start], muteOff
	case muteOn:
		l.out.b = l.out.b[:start]
	}
}

// admit returns the command that a request asks for, a subcommand maybe, and why
// it is not to be run.
func (c *conn) admit(cmd *command, args [][]byte) (*command, error) {
	if cmd != nil && cmd.subs != nil && len(args) > 1 {
		if sub := cmd.sub(args[1]); sub != nil {
			cmd = sub
		} else {
			return cmd, unknownSub(cmd, args[1])
		}
	}
	switch {
	case cmd == nil:
		return nil, unknown(args)
	case cmd.arity > 0 && len(args) != cmd.arity, len(args) < -cmd.arity:
		return cmd, wrongArity(cmd)
	case c.locked() && !cmd.has(flagNoAuth):
		return cmd, errNoAuth
	}
	return cmd, nil
}

// shownArgs is how many bytes of arguments the error of an unknown command
// shows.
const shownArgs = 128

// unknown is the error of a command that there is not.
func unknown(args [][]byte) Error {
	var b strings.Builder
	for _, arg := range args[1:] {
		if b.Len() >= shownArgs {
			break
		}
		fmt.Fprintf(&b, "'%s' ", arg[:min(len(arg), shownArgs-b.Len())])
	}
	name := args[0][:min(len(args[0]), shownArgs)]
	return Error(fmt.Sprintf("ERR unknown command '%s', with args beginning with: %s", name, b.String()))
}

// unknownSub is the error of a subcommand that there is not.
func unknownSub(cmd *command, name []byte) Error {
	return Error(fmt.Sprintf("ERR unknown subcommand '%s'. Try %s HELP.", name[:min(len(name), shownArgs)], strings.ToUpper(cmd.name)))
}

// wrongArity is the error of a command with too few or too many arguments.
func wrongArity(cmd *command) Error {
	return Error("ERR wrong number of arguments for '" + cmd.full() + "' command")
}

// uptime is how long the server has been there.
func (s *Server) uptime() time.Duration { return time.Since(s.started) }
