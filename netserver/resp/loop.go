package resp

import (
	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/bridge"
	"github.com/brockdb/brock/netserver"
)

// loop is what the connections of a netserver.Loop share.
type loop struct {
	srv    *Server
	out    reply     // replies to the requests that are being executed
	ahead  []request // requests that were read and are to be executed
	args   [][]byte  // their arguments
	keys   []string  // of requests in ahead
	field  []string  // likewise, what warm is told
	call   call      // the current one
	pipe   *brock.Pipe
	later  *bridge.Later
	dbs    []*brock.Pipe // pipe, by database; nil until first used
	mark   uint64        // what the replies tell of
	run    run           // commands of one kind, one behind the other
	batch  batch         // the requests that are now one transaction
	pushed [][]byte      // values of pushes that are one

	tally tally // since account
	meter *meter
}

// loopOf returns what the connections of a loop share.
func (s *Server) loopOf(l *netserver.Loop) *loop {
	return l.Local(s, func() any { return s.newLoop() }).(*loop)
}

// newLoop returns what the connections of a loop will share.
func (s *Server) newLoop() *loop {
	pipe, later := bridge.Pipe(s.db, true)
	l := &loop{srv: s, pipe: pipe.(*brock.Pipe), later: later, dbs: make([]*brock.Pipe, s.databases), meter: s.stats.meter()}
	l.run.tally = &l.tally
	return l
}

// db returns a database whose commands do not wait.
func (l *loop) db(n int) *brock.Pipe {
	if l.dbs[n] == nil {
		l.dbs[n] = l.pipe.DB(n)
	}
	return l.dbs[n]
}

// request is where the arguments of a request stand in loop.args, where it ends
// in what was received, and what it asks for, nil if there is no such command.
type request struct {
	from, to, end int
	cmd           *command
}

// warm prepares the look-ups of the requests that were read: they wait for
// memory together.
func (l *loop) warm(c *conn) {
	if len(l.ahead) < 2 || c.locked() {
		return
	}
	l.keys, l.field = l.keys[:0], l.field[:0]
	for _, r := range l.ahead {
		args := l.args[r.from:r.to]
		if len(args) < 2 {
			continue
		}
		if cmd := r.cmd; cmd != nil && cmd.oneKey {
			field := ""
			if cmd.field > 0 && cmd.field < len(args) {
				field = view(args[cmd.field])
			}
			if key, n := view(args[1]), len(l.keys); n == 0 || field != "" || key != l.keys[n-1] {
				l.keys, l.field = append(l.keys, key), append(l.field, field)
			}
		}
	}
	l.srv.factory.store.Warm(int(c.db.Load()), l.keys, l.field)
}

// begin is called before requests of a connection are executed.
func (l *loop) begin(c *conn) {
	l.out.b, l.out.proto = l.out.b[:0], int(c.proto.Load()) // a handler that panicked has left something
	l.run.begin(l.srv)
	l.later.NoTouch = c.noTouch.Load()
	c.seen(l.run.began)
}

// flush hands the replies so far to the connection's transport.
func (l *loop) flush(c *conn) {
	if len(l.out.b) == 0 {
		return
	}
	c.write(l.out.b)
	if cap(l.out.b) > keptReplies {
		l.out.b = nil
	}
	l.out.b = l.out.b[:0]
	l.mark = max(l.mark, l.later.Take())
	if l.mark != 0 {
		c.t.Mark(l.mark)
		l.mark = 0
	}
	c.bound()
}

// keptReplies bounds the buffer that a loop keeps.
const keptReplies = 1 << 20

// end is called after requests of a connection were executed.
func (l *loop) end(c *conn) {
	l.flush(c)
	l.run.settle()
	if c.closing {
		c.t.LoseConnection()
	}
}
