package resp

import "github.com/brockdb/brock/internal/bridge"

// batch is some requests of a pipeline that write one key each: they are executed
// as one transaction, which is cheaper than one for each. Redis promises nothing
// of what others see between the commands of a pipeline.
type batch struct {
	conn    *conn
	from, n int // of the loop's ahead
	start   int // where their replies begin
	replies []batchReply
}

// batchReply is where the reply to a command ends, and the error that it tells.
type batchReply struct {
	end int
	err error
}

// What a request is at most that is executed together with others.
const (
	maxTogether   = 4 << 10        // bytes
	wordsTogether = timedAlone - 1 // arguments
)

// together returns how many of the requests that were read, from the one at i
// on, may be one transaction. Their keys are in the loop's keys then.
func (c *conn) together(i int) (n int) {
	l := c.loop
	if l.keys = l.keys[:0]; c.locked() || c.srv.slow.short() {
		return 0
	}
	for _, r := range l.ahead[i:] {
		args := l.args[r.from:r.to]
		if r.cmd == nil || !r.cmd.joins || !r.cmd.takes(len(args)) || len(args) > wordsTogether || size(args) > maxTogether {
			break
		}
		if key := view(args[1]); n == 0 || key != l.keys[len(l.keys)-1] {
			l.keys = append(l.keys, key)
		}
		n++
	}
	return n
}

// runTogether executes n requests from the one at i on, as far as they can be
// one transaction, and returns how many it has executed.
func (c *conn) runTogether(i, n int) (done int) {
	l := c.loop
	b := &l.batch
	b.conn, b.from, b.n, b.start = c, i, n, len(l.out.b)
	done, err := bridge.Together(l.db(int(c.db.Load())), l.keys, l)
	if err != nil {
		l.out.b, done = l.out.b[:b.start], 0
	}
	l.replied(b.replies[:done])
	return done
}

// Len is the [bridge.Batch]'s.
func (l *loop) Len() int { return l.batch.n }

// Run is the [bridge.Batch]'s: pushes in a row to one end of a list are one.
func (l *loop) Run(i int, merge bool) (n int, err error) {
	b := &l.batch
	if i == 0 {
		l.out.b, b.replies = l.out.b[:b.start], b.replies[:0]
	}
	at := len(l.out.b)
	r := l.ahead[b.from+i]
	call := l.prepare(b.conn, r.cmd, l.args[r.from:r.to:r.to])
	if n = 1; merge && r.cmd.push != nil {
		n = l.values(i)
	}
	if n > 1 {
		return n, l.push(call, i, n)
	}
	if err = r.cmd.run(call); err != nil {
		l.out.b = l.out.b[:at]
	} else {
		l.ended(nil)
	}
	return 1, err
}

// ended notes that the reply to the next command of the batch is complete.
func (l *loop) ended(err error) {
	l.batch.replies = append(l.batch.replies, batchReply{len(l.out.b), err})
}

// values collects those of pushes to one end of a list, from the request at i
// on, and returns how many pushes.
func (l *loop) values(i int) (n int) {
	l.pushed = l.pushed[:0]
	ahead := l.ahead[l.batch.from+i : l.batch.from+l.batch.n]
	for _, r := range ahead {
		if r.cmd != ahead[0].cmd || view(l.args[r.from+1]) != view(l.args[ahead[0].from+1]) {
			break
		}
		l.pushed = append(l.pushed, l.args[r.from+2:r.to]...)
		n++
	}
	return n
}

// push is n pushes from the one at i on, of all values at once.
func (l *loop) push(call *call, i, n int) error {
	length, err := call.cmd.push(call.db, call.str(1), l.pushed...)
	if err != nil {
		return err
	}
	length -= len(l.pushed)
	for _, r := range l.ahead[l.batch.from+i:][:n] {
		length += r.to - r.from - 2
		l.out.int(int64(length))
		l.ended(nil)
	}
	return nil
}

// Refuse is the [bridge.Batch]'s.
func (l *loop) Refuse(err error) {
	l.out.err(l.srv.text(err))
	l.ended(err)
}

// replied does what comes after the first commands of the batch, once they are
// for good: they count, and some replies may not be wanted.
func (l *loop) replied(replies []batchReply) {
	b := &l.batch
	at, kept := b.start, b.start
	for i, reply := range replies {
		r := l.ahead[b.from+i]
		l.call.cmd, l.call.args, l.call.err = r.cmd, l.args[r.from:r.to:r.to], reply.err
		if !b.conn.finish(&l.call) {
			kept += copy(l.out.b[kept:], l.out.b[at:reply.end])
		}
		at = reply.end
	}
	l.out.b = l.out.b[:kept]
}
