package resp

import (
	"runtime"
	"slices"
)

// pieceSize is the size of the pieces that a long request is kept in.
const pieceSize = 256 << 10

// long is a request of more than briefBytes that is being received. It is kept in
// pieces: nothing of it is moved while more comes, and there is little room for
// what has not come. Its bytes are put together off the loop.
type long struct {
	conn   *conn
	pieces [][]byte
	size   int    // bytes in them
	line   []byte // the last bytes again, if they begin a line that is incomplete
	spans  []span // of the arguments, once the request is complete
}

// newLong returns a long request that begins with b, of which the connection's
// reader has read all it can.
func newLong(c *conn, b []byte) *long {
	l := &long{conn: c, pieces: [][]byte{b}, size: len(b)}
	if c.reader.bulk == 0 {
		l.line = append(l.line, b[c.reader.at:]...)
	}
	return l
}

// add takes the bytes that data begins with, as far as they are the request's,
// and returns how many those are and whether the request is complete.
func (l *long) add(data []byte) (n int, done bool, err error) {
	r := &l.conn.reader
	window, from := data, l.size-len(l.line)
	if len(l.line) > 0 {
		l.line = append(l.line, data...)
		window = l.line
	}
	done, err = r.arguments(window, from, l.conn.limits())
	n = len(data)
	if done {
		n = r.at - l.size
	}
	l.keep(data[:n])
	if done || r.bulk > 0 {
		l.line = l.line[:0]
	} else {
		l.line = append(l.line[:0], window[r.at-from:]...)
	}
	return n, done, err
}

// keep appends bytes.
func (l *long) keep(b []byte) {
	l.size += len(b)
	for len(b) > 0 {
		last := len(l.pieces) - 1
		piece := l.pieces[last]
		room := min(cap(piece)-len(piece), len(b))
		if room == 0 {
			l.pieces = append(l.pieces, make([]byte, 0, pieceSize))
			continue
		}
		l.pieces[last] = append(piece, b[:room]...)
		b = b[room:]
	}
}

// work puts the request together, off the loop, and returns what executes it there.
func (l *long) work() (deliver func()) {
	args := l.join()
	return func() { l.conn.perform(args) }
}

// join returns the request's arguments. The pieces are gone then.
func (l *long) join() [][]byte {
	whole := make([]byte, 0, l.size)
	for i, piece := range l.pieces {
		whole = append(whole, piece...)
		l.pieces[i] = nil
		runtime.Gosched() // nothing interrupts a loop of copies
	}
	args := make([][]byte, len(l.spans))
	for i, s := range l.spans {
		args[i] = whole[s.from:s.to:s.to]
	}
	return args
}

// appendLong is append for what may be long.
func appendLong(b, more []byte) []byte {
	if len(more) <= pieceSize {
		return append(b, more...)
	}
	return appendPieces(b, more)
}

// appendPieces is append in pieces: others get their turn meanwhile.
func appendPieces(b, more []byte) []byte {
	b = append(make([]byte, 0, len(b)+len(more)+len("\r\n")), b...)
	for piece := range slices.Chunk(more, pieceSize) {
		b = append(b, piece...)
		runtime.Gosched()
	}
	return b
}

// size is how many bytes arguments are.
func size(args [][]byte) (n int) {
	for _, arg := range args {
		n += len(arg)
	}
	return n
}

// cloneArgs returns a copy of arguments.
func cloneArgs(args [][]byte) [][]byte {
	whole, own := make([]byte, 0, size(args)), make([][]byte, len(args))
	for i, arg := range args {
		at := len(whole)
		whole = append(whole, arg...)
		own[i] = whole[at:len(whole):len(whole)]
	}
	return own
}

// collect takes bytes of the long request that is being received, and returns how
// many of them are its. If that is all of it, it is put together and executed.
func (c *conn) collect(data []byte) (n int) {
	n, done, err := c.long.add(data)
	switch {
	case err != nil:
		c.loop.begin(c)
		c.violated(err)
		c.loop.end(c)
	case done:
		c.long.spans = c.reader.spans
		c.t.Go(c.long.work)
		c.long, c.reader, c.busy = nil, reader{}, true
	}
	return n
}

// perform executes a long request.
func (c *conn) perform(args [][]byte) {
	c.busy = false
	if c.over() {
		return
	}
	c.loop.begin(c)
	cmd := c.srv.commands.find(args[0])
	c.last.Store(cmd.of(args))
	c.command(cmd, args, true)
	c.loop.end(c)
	c.proceed()
}
