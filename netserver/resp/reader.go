package resp

import (
	"bytes"
	"math"

	"github.com/brockdb/brock/internal/integer"
)

// Limits of requests, as Redis has them.
const (
	maxInline     = 64 << 10  // bytes of an inline request, or of a line with a count
	maxBulk       = 512 << 20 // bytes of an argument; CONFIG proto-max-bulk-len
	maxArgs       = math.MaxInt32
	maxEarlyArgs  = 10       // of who has not said the password yet
	maxEarlyBulk  = 16 << 10 // likewise
	keptSpans     = 64       // room for so many arguments is kept between requests
	maxQueryBytes = 1 << 30  // bytes of one request; CONFIG client-query-buffer-limit
)

// span is where an argument stands in the bytes that were received.
type span struct{ from, to int }

// reader cuts requests out of a stream of bytes, whatever the chunks in which
// they arrive: it remembers what it has read of an incomplete one. Its zero value
// is ready.
type reader struct {
	at      int // bytes read of the current request
	missing int // arguments to come; 0: none has begun
	bulk    int // 1 more than the length of the argument to come, 0: not known
	spans   []span
}

// limits are what requests are held to.
type limits struct {
	bulk  int64
	early bool // no password was given yet
}

// protocolError is a request that cannot be understood, nor what is behind it.
type protocolError string

func (e protocolError) Error() string { return "Protocol error: " + string(e) }

// next returns the arguments of the first request in b, which begins with that
// request, appended to args, and how long it is: 0 if it is not complete. A
// request may be empty: it has no arguments then.
func (r *reader) next(b []byte, args [][]byte, lim limits) ([][]byte, int, error) {
	if r.missing == 0 {
		if len(b) == 0 {
			return args, 0, nil
		}
		if b[0] != '*' {
			return r.inline(b, args)
		}
		n, line, err := r.count(b, "mbulk")
		if line == 0 || err != nil {
			return args, 0, err
		}
		switch {
		case n > maxArgs:
			return args, 0, protocolError("invalid multibulk length")
		case lim.early && n > maxEarlyArgs:
			return args, 0, protocolError("unauthenticated multibulk length")
		case n <= 0:
			return args, line, nil
		}
		r.missing, r.at = int(n), line
	}
	if done, err := r.arguments(b, 0, lim); !done || err != nil {
		return args, 0, err
	}
	for _, s := range r.spans {
		args = append(args, b[s.from:s.to:s.to])
	}
	n := r.at
	r.reset()
	return args, n, nil
}

// reset makes r ready for the next request.
func (r *reader) reset() {
	r.at, r.bulk, r.spans = 0, 0, r.spans[:0]
	if cap(r.spans) > keptSpans {
		r.spans = nil
	}
}

// arguments reads the arguments of a request, as far as they stand in b, and tells
// whether they are complete. b begins behind from bytes of the request, which were
// read.
func (r *reader) arguments(b []byte, from int, lim limits) (done bool, err error) {
	for ; r.missing > 0; r.missing-- {
		if r.bulk == 0 {
			line := b[r.at-from:]
			if len(line) == 0 {
				return false, nil
			}
			n, size, err := r.count(line, "bulk")
			switch {
			case size == 0 || err != nil:
				return false, err
			case line[0] != '$':
				return false, protocolError("expected '$', got '" + string(line[:1]) + "'")
			case n < 0 || n > lim.bulk:
				return false, protocolError("invalid bulk length")
			case lim.early && n > maxEarlyBulk:
				return false, protocolError("unauthenticated bulk length")
			}
			r.at += size
			r.bulk = int(n) + 1
		}
		end := r.at + r.bulk - 1
		if from+len(b) < end+2 {
			return false, nil
		}
		r.spans = append(r.spans, span{r.at, end})
		r.at, r.bulk = end+2, 0
	}
	return true, nil
}

// badCount is what count returns for something else than a number: too much of
// anything.
const badCount = math.MaxInt64

// count reads the number behind the first byte of the line that b begins with,
// and returns the length of the line, 0 if it is not complete.
func (r *reader) count(b []byte, what string) (n int64, line int, err error) {
	cr := lineEnd(b, '\r')
	switch {
	case cr < 0 && len(b) > maxInline:
		return 0, 0, protocolError("too big " + what + " count string")
	case cr < 0 || cr+2 > len(b):
		return 0, 0, nil
	}
	n, ok := integer.Parse(b[min(1, cr):cr])
	if !ok {
		n = badCount
	}
	return n, cr + 2, nil
}

// lineEnd returns where a byte first stands in b, -1 if it does not. As in Redis
// nothing is found behind a byte that is 0.
func lineEnd(b []byte, c byte) int {
	at := bytes.IndexByte(b, c)
	if at > 0 && bytes.IndexByte(b[:at], 0) >= 0 {
		return -1
	}
	return at
}

// inline reads a request of words on one line.
func (r *reader) inline(b []byte, args [][]byte) ([][]byte, int, error) {
	end := lineEnd(b, '\n')
	line := b
	if end >= 0 {
		line = b[:end]
	}
	line = bytes.TrimSuffix(line, []byte("\r"))
	switch {
	case len(line) > maxInline:
		return args, 0, protocolError("too big inline request")
	case end < 0:
		return args, 0, nil
	}
	words, ok := splitWords(line)
	if !ok {
		return args, 0, protocolError("unbalanced quotes in request")
	}
	return append(args, words...), end + 1, nil
}

// splitWords cuts a line into words: at spaces, but not between quotes. A vertical
// tab or form feed in front of a word is a space, one within it is not. Within
// double quotes \n \r \t \b \a \xhh stand for one byte, and a backslash in front
// of any other byte for that byte; within single quotes \' alone. ok is false if
// a quote is not closed, or something follows a closing one.
func splitWords(line []byte) (words [][]byte, ok bool) {
	for i := 0; ; {
		for i < len(line) && isSpace(line[i]) {
			i++
		}
		if i == len(line) {
			return words, true
		}
		word, n, ok := oneWord(line[i:])
		if !ok {
			return nil, false
		}
		words = append(words, word)
		i += n
	}
}

// oneWord reads the word that b begins with and returns how long it is there.
func oneWord(b []byte) (word []byte, n int, ok bool) {
	word = []byte{}
	for n < len(b) {
		switch c := b[n]; {
		case c == '"' || c == '\'':
			inner, m, closed := quoted(b[n:])
			if !closed || n+m < len(b) && !isSpace(b[n+m]) {
				return nil, 0, false
			}
			return append(word, inner...), n + m, true
		case isSpace(c) && c != '\v' && c != '\f':
			return word, n, true
		default:
			word = append(word, c)
			n++
		}
	}
	return word, n, true
}

// quoted reads what stands between the quote that b begins with and the next
// one, and returns how long that is, both included.
func quoted(b []byte) (inner []byte, n int, closed bool) {
	quote := b[0]
	for n = 1; n < len(b); n++ {
		c := b[n]
		switch {
		case c == quote:
			return inner, n + 1, true
		case quote == '"' && c == '\\' && n+3 < len(b) && b[n+1] == 'x' && hexDigit(b[n+2]) >= 0 && hexDigit(b[n+3]) >= 0:
			c = byte(hexDigit(b[n+2])<<4 | hexDigit(b[n+3]))
			n += 3
		case quote == '"' && c == '\\' && n+1 < len(b):
			n++
			c = escaped(b[n])
		case quote == '\'' && c == '\\' && n+1 < len(b) && b[n+1] == '\'':
			n++
			c = '\''
		}
		inner = append(inner, c)
	}
	return nil, 0, false
}

// escaped returns what a byte behind a backslash stands for.
func escaped(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'a':
		return '\a'
	}
	return c
}

// hexDigit returns the value of a hexadecimal digit, -1 if it is none.
func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// isSpace tells whether c separates words.
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
