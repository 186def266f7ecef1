package resp

import (
	"strings"
	"time"

	"github.com/brockdb/brock/internal/bridge"
)

// command executes one request; cmd is nil if there is no command of its name. A
// long one is executed off the loop and keeps its arguments.
func (c *conn) command(cmd *command, args [][]byte, long bool) {
	l := c.loop
	start := len(l.out.b)
	if cmd == nil && isHTTP(args[0]) {
		c.srv.log.Warn("brock: a client speaks HTTP, maybe for somebody else", "client", c.id)
		c.quit()
		return
	}
	cmd, refused := c.admit(cmd, args)
	if refused != "" {
		l.out.err(string(refused))
		c.srv.stats.rejected(cmd, string(refused))
		if c.finish(nil) {
			l.out.b = l.out.b[:start]
		}
		return
	}
	switch {
	case long:
		c.park(cmd, args)
		return
	case cmd.offLoop:
		c.park(cmd, cloneArgs(args))
		return
	}
	call := l.prepare(c, cmd, args)
	err := cmd.run(call)
	if err != nil {
		l.out.b = l.out.b[:start]
	}
	if err == bridge.ErrWait { //nolint:errorlint // it comes bare
		c.park(cmd, cloneArgs(args))
		return
	}
	if call.err = err; err != nil {
		l.out.err(c.srv.text(err))
	}
	if c.finish(call) {
		l.out.b = l.out.b[:start]
	}
}

// prepare returns the loop's call for a request.
func (l *loop) prepare(c *conn, cmd *command, args [][]byte) *call {
	call := &l.call
	call.srv, call.conn, call.cmd, call.args, call.out, call.err = c.srv, c, cmd, args, &l.out, nil
	call.db = l.db(int(c.db.Load()))
	return call
}

// finish does what comes after a command and tells whether its reply is dropped;
// call is nil if the command was rejected.
func (c *conn) finish(call *call) (drop bool) {
	if call != nil {
		c.loop.run.add(call)
	}
	switch c.mute {
	case muteNext:
		c.mute = muteThis
	case muteThis:
		c.mute = muteOff
		return true
	case muteOn:
		return true
	case muteOff:
	}
	return false
}

// admit returns the command that a request asks for, a subcommand maybe, and why
// it is not to be run, "" if it is.
func (c *conn) admit(cmd *command, args [][]byte) (*command, Error) {
	container := cmd
	cmd = cmd.of(args)
	switch {
	case container == nil:
		return nil, unknown(args)
	case cmd == nil:
		return nil, unknownSub(container, args[1])
	case !cmd.takes(len(args)):
		return cmd, wrongArity(cmd)
	case c.locked() && !cmd.has(flagNoAuth):
		return cmd, errNoAuth
	}
	return cmd, ""
}

// isHTTP tells whether a line begins as one of an HTTP request that a browser can
// be made to send: its body may hold commands.
func isHTTP(word []byte) bool {
	return strings.EqualFold(view(word), "POST") || strings.EqualFold(view(word), "Host:")
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
		b.WriteString("'" + shown(arg, shownArgs-b.Len()) + "' ")
	}
	return Error("ERR unknown command '" + shown(args[0], shownArgs) + "', with args beginning with: " + b.String())
}

// shown returns the beginning of an argument, up to a zero byte, for an error.
func shown(arg []byte, most int) string {
	return cString(view(arg[:min(len(arg), most)]))
}

// unknownSub is the error of a subcommand that there is not.
func unknownSub(cmd *command, name []byte) Error {
	return Error("ERR unknown subcommand '" + shown(name, shownArgs) + "'. Try " + strings.ToUpper(cmd.name) + " HELP.")
}

// wrongArity is the error of a command with too few or too many arguments.
func wrongArity(cmd *command) Error {
	return Error("ERR wrong number of arguments for '" + cmd.full() + "' command")
}

// uptime is how long the server has been there.
func (s *Server) uptime() time.Duration { return time.Since(s.started) }
