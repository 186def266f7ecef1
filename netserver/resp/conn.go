package resp

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/brockdb/brock/netserver"
)

// Sizes of what a connection keeps.
const (
	keptInput = 4 << 10  // an input buffer of so many bytes is kept while it is empty
	waitInput = 64 << 10 // received while a command runs elsewhere, until reading is paused
)

// conn is a client's connection. Its fields belong to its loop, but for those
// that other connections look at, and those of the session, which belong to the
// command that runs.
type conn struct {
	srv  *Server
	t    netserver.Transport
	loop *loop

	reader   reader
	buf      []byte             // received and not executed yet: it begins with a request
	long     *long              // the request that is being received, if it is long: buf is empty then
	busy     bool               // a command runs off the loop; the next waits for it
	blocks   bool               // that one waits for somebody else's
	rest     []byte             // of that command's reply: to be sent
	mark     uint64             // what that reply tells of
	fatal    bool               // the connection ends with that reply
	full     bool               // the peer does not read its replies
	resume   func()             // goes on when the peer has read them; may be nil
	overSoft time.Time          // since when the soft limit of replies is exceeded; zero if it is not
	alarm    func() bool        // ends the alarm for that; nil if none is set
	ended    bool               // the client sends no more
	closing  bool               // nothing is executed any more
	cancel   context.CancelFunc // ends what runs off the loop; nil if nothing does

	authed bool // of the session, like mute
	mute   mute

	id      int64
	created time.Time
	db      atomic.Int32
	proto   atomic.Int32 // version of the protocol
	name    atomic.Pointer[string]
	lib     atomic.Pointer[library]
	last    atomic.Pointer[command] // the last one that was begun; nil: there is no such command
	active  atomic.Int64            // when the client was last heard or answered, in ns since the server was started
	queued  atomic.Int64            // bytes received and not executed yet
	pending atomic.Int64            // bytes of replies not sent yet
	blocked atomic.Bool             // a command waits for somebody else's
	noEvict atomic.Bool
	noTouch atomic.Bool // its commands do not use keys, but for TOUCH
	killed  atomic.Bool // by CLIENT KILL: nothing is executed any more
}

// mute is what CLIENT REPLY asked for.
type mute uint8

const (
	muteOff  mute = iota
	muteNext      // the reply of the next command is dropped
	muteThis      // and this is that one
	muteOn
)

// ConnectionMade is the [netserver.Protocol]'s.
func (c *conn) ConnectionMade(t netserver.Transport) {
	c.t, c.loop = t, c.srv.loopOf(t.Loop())
	c.created = time.Now()
	c.active.Store(int64(c.srv.uptime()))
	c.reset()
	t.SetIdleTimeout(c.srv.config.timeout())
	if !c.srv.register(c) {
		c.closing = true
		t.Write([]byte("-ERR max number of clients reached\r\n"))
		t.LoseConnection()
	}
}

// reset makes the session what it is in the beginning.
func (c *conn) reset() {
	if c.mute != muteThis {
		c.mute = muteOff
	}
	c.proto.Store(2)
	c.authed = c.srv.config.password() == ""
	c.db.Store(0)
	c.name.Store(nil)
	c.setNoTouch(false)
}

// setNoTouch says whether commands of the connection do not use keys.
func (c *conn) setNoTouch(on bool) {
	c.noTouch.Store(on)
	c.loop.later.NoTouch = on
}

// seen notes that the client was heard or answered at a moment, to within a
// hundredth of a second.
func (c *conn) seen(uptime time.Duration) {
	if uptime-time.Duration(c.active.Load()) >= 10*time.Millisecond {
		c.active.Store(int64(uptime))
	}
}

// label returns the name that the client gave itself.
func (c *conn) label() string {
	if name := c.name.Load(); name != nil {
		return *name
	}
	return ""
}

// ConnectionLost is the [netserver.Protocol]'s.
func (c *conn) ConnectionLost(error) {
	c.closing = true
	c.stopWork()
	c.within()
	c.srv.unregister(c)
}

// ReadConnectionLost has a command that waits for others end, now or later, and
// with it the connection. All else that was received is executed and answered.
func (c *conn) ReadConnectionLost() {
	c.ended = true
	if c.blocks {
		c.stopWork()
	}
}

// stopWork ends what runs off the loop and can be ended.
func (c *conn) stopWork() {
	if c.cancel != nil {
		c.cancel()
	}
}

// PauseProducing is the [netserver.Producer]'s.
func (c *conn) PauseProducing() {
	c.full = true
	c.pending.Store(c.unsent())
}

// ResumeProducing is the [netserver.Producer]'s.
func (c *conn) ResumeProducing() {
	c.full = false
	c.pending.Store(c.unsent())
	if resume := c.resume; resume != nil {
		c.resume = nil
		resume()
	}
	c.deliverMore()
	c.proceed()
}

// DataReceived is the [netserver.Protocol]'s.
func (c *conn) DataReceived(data []byte) {
	if c.over() {
		return
	}
	c.loop.tally.in += int64(len(data))
	c.pending.Store(c.unsent())
	if c.long != nil {
		data = data[c.collect(data):]
	}
	if len(c.buf) == 0 && c.mayExecute() {
		n := c.execute(data)
		c.buf = append(c.buf, data[n:]...)
		c.settle()
		return
	}
	c.buf = append(c.buf, data...)
	c.seen(c.srv.uptime())
	c.proceed()
}

// over tells whether nothing is executed any more.
func (c *conn) over() bool { return c.closing || c.killed.Load() }

// mayExecute tells whether the next request may be executed now.
func (c *conn) mayExecute() bool { return !c.busy && !c.full && !c.over() }

// proceed executes what has been received, as far as that can be now.
func (c *conn) proceed() {
	if c.mayExecute() {
		if n := c.execute(c.buf); n > 0 {
			c.buf = c.buf[:copy(c.buf, c.buf[n:])]
		}
	}
	c.settle()
}

// settle sees to buffers after some requests.
func (c *conn) settle() {
	switch {
	case c.closing || len(c.buf) == 0 && cap(c.buf) > keptInput:
		c.buf = nil
	case len(c.buf) > briefBytes && c.reader.missing > 0:
		c.long = newLong(c, c.buf)
		c.buf = nil
	}
	queued := int64(len(c.buf))
	if c.long != nil {
		queued += int64(c.long.size)
	}
	c.queued.Store(queued)
	if queued > c.srv.config.queryLimit() {
		c.srv.log.Warn("brock: a client's request is too long", "client", c.id, "bytes", queued)
		c.closing = true
		c.t.Abort()
	}
	c.loop.account()
	if (c.busy || c.full) && len(c.buf) >= waitInput {
		c.t.PauseReading()
	} else {
		c.t.ResumeReading()
	}
}

// execute executes the requests that b begins with, until one is incomplete or
// has to be waited for, and returns how many bytes they were. What they changed
// or saw has to be safe before their replies leave.
func (c *conn) execute(b []byte) (n int) {
	l := c.loop
	l.begin(c)
	for n < len(b) && !c.busy && !c.closing {
		more, err := c.read(b[n:])
		l.warm(c)
		done, stop := c.runAll()
		n += done
		if err != nil && !stop {
			c.violated(err)
		}
		if stop || !more {
			break
		}
	}
	l.end(c)
	return n
}

// readAhead is how many requests are read before the first of them is executed:
// as many look-ups go well together, see loop.warm.
const readAhead = 16

// read reads requests into the loop's ahead, up to one that may log in or out,
// which changes what the next ones are held to, and tells whether there may be
// more of them in b. An error concerns what is behind them.
func (c *conn) read(b []byte) (more bool, err error) {
	l, n := c.loop, 0
	l.ahead, l.args = l.ahead[:0], l.args[:0]
	lim := c.limits()
	for len(l.ahead) < readAhead {
		from := len(l.args)
		args, size, err := c.reader.next(b[n:], l.args, lim)
		if l.args = args; err != nil || size == 0 {
			return false, err
		}
		n += size
		r := request{from: from, to: len(args), end: n}
		if r.from < r.to {
			r.cmd = c.srv.commands.find(args[r.from])
		}
		l.ahead = append(l.ahead, r)
		if r.cmd != nil && r.cmd.has(flagNoAuth) {
			break
		}
	}
	return true, nil
}

// runAll executes the requests in the loop's ahead and returns how many bytes
// those are that were, and whether it has stopped: what follows is to be read
// again, later.
func (c *conn) runAll() (n int, stop bool) {
	l := c.loop
	var last request
	for i := 0; i < len(l.ahead); {
		k := 0
		if many := c.together(i); many > 1 {
			k = c.runTogether(i, many)
		}
		if k == 0 {
			k = 1
			c.request(l.ahead[i], n)
		}
		i += k
		if r := l.ahead[i-1]; r.from < r.to {
			last = r
		}
		n = l.ahead[i-1].end
		if stop = len(l.out.b) >= flushAt; stop {
			c.t.Continue(c.proceed) // others come first
		}
		if stop = stop || c.busy || c.closing; stop {
			c.reader = reader{spans: c.reader.spans[:0]}
			break
		}
	}
	if last.to > 0 {
		c.last.Store(last.cmd.of(l.args[last.from:last.to]))
	}
	return n, stop
}

// request executes one of the requests in the loop's ahead. It begins at the
// offset from.
func (c *conn) request(r request, from int) {
	if r.from < r.to {
		args, long := c.loop.args[r.from:r.to:r.to], r.end-from > briefBytes || r.to-r.from > briefArgs
		if long {
			args = cloneArgs(args)
		}
		c.command(r.cmd, args, long)
	}
}

// What a request has at most that is executed on the loop: a longer one would
// keep others waiting.
const (
	briefBytes = 256 << 10
	briefArgs  = 1024
)

// flushAt is from how many bytes of replies on a connection's other requests
// wait for the next turn.
const flushAt = 64 << 10

// write sends replies.
func (c *conn) write(replies []byte) {
	c.loop.tally.out += int64(len(replies))
	c.t.Write(replies)
}

// limits returns what the requests of the connection are held to.
func (c *conn) limits() limits {
	return limits{bulk: c.srv.config.maxBulk(), early: c.locked()}
}

// locked tells whether the password has to be given first.
func (c *conn) locked() bool { return !c.authed && c.srv.config.password() != "" }

// violated answers what is no request, and ends the connection.
func (c *conn) violated(err error) {
	c.loop.out.err("ERR " + err.Error())
	c.srv.stats.failed("ERR")
	c.quit()
}

// quit ends the connection once its replies are sent.
func (c *conn) quit() { c.closing = true }

// park has a command run off the loop, which then goes on with the next. The
// command keeps its arguments.
func (c *conn) park(cmd *command, args [][]byte) {
	ctx, cancel := context.WithCancel(context.Background())
	c.busy, c.blocks, c.cancel = true, cmd.has(flagBlocking), cancel
	if c.blocks && c.ended {
		cancel()
	}
	call := newCall(ctx, c, cmd, args)
	c.t.Go(call.work)
}

// unpark takes what a command off the loop replied.
func (c *conn) unpark(call *call) {
	c.cancel()
	c.cancel, c.blocks = nil, false
	c.loop.run.begin(c.srv)
	c.loop.tally.looked(call.later.TakeLookups())
	c.seen(c.loop.run.began)
	if !c.finish(call) {
		c.rest = call.out.b
		c.mark = call.mark
	}
	c.fatal = call.fatal
	c.bound()
	c.deliver()
}

// deliver sends the reply of a command off the loop, in pieces, so that others
// are not kept waiting by a long one, and goes on with the next request once it
// is sent.
func (c *conn) deliver() {
	if c.closing || c.full && len(c.rest) > 0 {
		return
	}
	n := min(len(c.rest), flushAt)
	c.write(c.rest[:n])
	if c.mark != 0 {
		c.t.Mark(c.mark)
		c.mark = 0
	}
	if c.rest = c.rest[n:]; len(c.rest) > 0 {
		c.t.Continue(c.deliverMore)
		return
	}
	c.rest, c.busy = nil, false
	if c.fatal {
		c.quit()
		c.t.LoseConnection()
	}
	c.proceed()
}

// deliverMore is deliver for who comes back to it: another may have sent the
// rest meanwhile, and the next command may be running.
func (c *conn) deliverMore() {
	if len(c.rest) > 0 {
		c.deliver()
	}
}
