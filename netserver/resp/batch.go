package resp

import "github.com/brockdb/brock/internal/bridge"

// batch is some requests of a pipeline that write one key each: they are executed
// as one transaction, which is cheaper than one for each. Redis promises nothing
// of what others see between the commands of a pipeline.
type batch struct {
	conn  *conn
	from  int // the first, in the loop's ahead
	n     int
	start int // where their replies begin

	// What the last Run ran, the replies to which begin at out: some pushes at
	// once if there are several, after which the list has this length.
	first, many, out, length int
}

// maxTogether is how long a request is at most that is executed together with
// others.
const maxTogether = 4 << 10

// together returns how many of the requests that were read, from the one at i
// on, may be one transaction. Their keys are in the loop's keys then.
func (c *conn) together(i int) (n int) {
	l := c.loop
	if l.keys = l.keys[:0]; c.locked() {
		return 0
	}
	for _, r := range l.ahead[i:] {
		args := l.args[r.from:r.to]
		if r.cmd == nil || !r.cmd.joins || !r.cmd.takes(len(args)) || size(args) > maxTogether {
			break
		}
		if key := view(args[1]); n == 0 || key != l.keys[len(l.keys)-1] {
			l.keys = append(l.keys, key)
		}
		n++
	}
	return n
}

// size is how many bytes arguments are.
func size(args [][]byte) (n int) {
	for _, arg := range args {
		n += len(arg)
	}
	return n
}

// runTogether executes n requests from the one at i on, as far as they can be
// one transaction, and returns how many it has executed.
func (c *conn) runTogether(i, n int) (done int) {
	l := c.loop
	l.batch = batch{conn: c, from: i, n: n, start: len(l.out.b)}
	done, err := bridge.Together(l.db(int(c.db.Load())), l.keys, l)
	if err != nil {
		l.out.b = l.out.b[:l.batch.start]
		return 0
	}
	return done
}

// Len is the [bridge.Batch]'s.
func (l *loop) Len() int { return l.batch.n }

// Run is the [bridge.Batch]'s: pushes in a row are one.
func (l *loop) Run(i int, merge bool) (n int, err error) {
	b := &l.batch
	if i == 0 {
		l.out.b = l.out.b[:b.start]
	}
	r := l.ahead[b.from+i]
	b.first, b.many, b.out = i, 1, len(l.out.b)
	call := l.prepare(b.conn, r.cmd, l.args[r.from:r.to:r.to])
	if merge && r.cmd.push != nil && !l.srv.slow.short() {
		b.many = l.values(i)
	}
	if b.many == 1 {
		return 1, r.cmd.run(call)
	}
	b.length, err = r.cmd.push(call.db, call.str(1), l.pushed...)
	return b.many, err
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

// Reply is the [bridge.Batch]'s.
func (l *loop) Reply(err error) {
	b := &l.batch
	if b.many == 1 {
		l.replied(b.conn, b.out, err)
		return
	}
	length := b.length - len(l.pushed)
	for _, r := range l.ahead[b.from+b.first:][:b.many] {
		l.call.args = l.args[r.from:r.to:r.to]
		length += len(l.call.args) - 2
		at := len(l.out.b)
		l.out.int(int64(length))
		l.replied(b.conn, at, nil)
	}
}
