package resp

import (
	"math"
	"strconv"
)

// reply is a buffer of replies in one version of the protocol. Each method
// appends one of its types; what RESP2 does not have is written as Redis writes
// it for RESP2 clients.
type reply struct {
	b     []byte
	proto int // 2 or 3
}

// line appends a type's byte, text, and the end of the line.
func (r *reply) line(kind byte, text string) {
	r.b = append(r.b, kind)
	r.b = append(r.b, text...)
	r.b = append(r.b, '\r', '\n')
}

// number appends a type's byte, a number, and the end of the line.
func (r *reply) number(kind byte, n int64) {
	r.b = append(r.b, kind)
	if uint64(n) < 10 {
		r.b = append(r.b, byte('0'+n))
	} else {
		r.b = strconv.AppendInt(r.b, n, 10)
	}
	r.b = append(r.b, '\r', '\n')
}

// simple appends a simple string, which has no line breaks.
func (r *reply) simple(s string) { r.line('+', s) }

// ok appends the reply of a command that has nothing to say.
func (r *reply) ok() { r.b = append(r.b, "+OK\r\n"...) }

// err appends an error: a code in capitals and a text. Line breaks become
// spaces.
func (r *reply) err(text string) {
	r.b = append(r.b, '-')
	for i := range len(text) {
		c := text[i]
		if c == '\r' || c == '\n' {
			c = ' '
		}
		r.b = append(r.b, c)
	}
	r.b = append(r.b, '\r', '\n')
}

// int appends an integer.
func (r *reply) int(n int64) { r.number(':', n) }

// bool appends an integer that is 1 or 0, as commands reply in both versions.
func (r *reply) bool(b bool) {
	if b {
		r.b = append(r.b, ":1\r\n"...)
	} else {
		r.b = append(r.b, ":0\r\n"...)
	}
}

// truth appends RESP3's boolean.
func (r *reply) truth(b bool) {
	switch {
	case r.proto < 3:
		r.bool(b)
	case b:
		r.b = append(r.b, "#t\r\n"...)
	default:
		r.b = append(r.b, "#f\r\n"...)
	}
}

// bulk appends a string of any bytes.
func (r *reply) bulk(v []byte) {
	r.number('$', int64(len(v)))
	r.b = appendLong(r.b, v)
	r.b = append(r.b, '\r', '\n')
}

// str is bulk for a string.
func (r *reply) str(s string) {
	r.number('$', int64(len(s)))
	r.b = append(r.b, s...)
	r.b = append(r.b, '\r', '\n')
}

// null appends what stands for a value that is absent.
func (r *reply) null() {
	if r.proto < 3 {
		r.b = append(r.b, "$-1\r\n"...)
	} else {
		r.b = append(r.b, "_\r\n"...)
	}
}

// nullArray appends what stands for an array that is absent.
func (r *reply) nullArray() {
	if r.proto < 3 {
		r.b = append(r.b, "*-1\r\n"...)
	} else {
		r.b = append(r.b, "_\r\n"...)
	}
}

// array announces n elements.
func (r *reply) array(n int) { r.number('*', int64(n)) }

// set announces a set of n elements.
func (r *reply) set(n int) {
	if r.proto < 3 {
		r.array(n)
	} else {
		r.number('~', int64(n))
	}
}

// dict announces n pairs of keys and values.
func (r *reply) dict(n int) {
	if r.proto < 3 {
		r.array(2 * n)
	} else {
		r.number('%', int64(n))
	}
}

// push announces n elements that are not the reply to a command.
func (r *reply) push(n int) {
	if r.proto < 3 {
		r.array(n)
	} else {
		r.number('>', int64(n))
	}
}

// attribute announces n pairs that describe the reply behind them. There is
// nothing of the kind in RESP2: its caller leaves them out then.
func (r *reply) attribute(n int) { r.number('|', int64(n)) }

// double appends a floating point number.
func (r *reply) double(f float64) {
	var buf [32]byte
	text := appendDouble(buf[:0], f)
	if r.proto < 3 {
		r.bulk(text)
		return
	}
	r.b = append(r.b, ',')
	r.b = append(r.b, text...)
	r.b = append(r.b, '\r', '\n')
}

// bigNumber appends an integer of any length in decimal.
func (r *reply) bigNumber(digits string) {
	if r.proto < 3 {
		r.str(digits)
		return
	}
	r.line('(', digits)
}

// verbatim appends a text that is meant for people.
func (r *reply) verbatim(text string) {
	if r.proto < 3 {
		r.str(text)
		return
	}
	const kind = "txt:"
	r.number('=', int64(len(kind)+len(text)))
	r.b = append(r.b, kind...)
	r.b = append(r.b, text...)
	r.b = append(r.b, '\r', '\n')
}

// strs appends an array of strings.
func (r *reply) strs(list []string) {
	r.array(len(list))
	for _, s := range list {
		r.str(s)
	}
}

// bulks appends an array of strings, those that are nil as null.
func (r *reply) bulks(list [][]byte) {
	r.array(len(list))
	for _, v := range list {
		if v == nil {
			r.null()
		} else {
			r.bulk(v)
		}
	}
}

// appendDouble writes a number as Redis does: an integer without a point, else
// with 17 digits at most.
func appendDouble(b []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(b, "inf"...)
	case math.IsInf(f, -1):
		return append(b, "-inf"...)
	case math.IsNaN(f):
		return append(b, "nan"...)
	case f == 0:
		if math.Signbit(f) {
			b = append(b, '-')
		}
		return append(b, '0')
	case f == math.Trunc(f) && math.Abs(f) < 1<<52:
		return strconv.AppendInt(b, int64(f), 10)
	}
	return appendG17(b, f)
}

// appendG17 writes a number as printf does by %.17g.
func appendG17(b []byte, f float64) []byte {
	var buf [32]byte
	e := strconv.AppendFloat(buf[:0], f, 'e', 16, 64)
	at := len(e) - 1
	for e[at] != 'e' {
		at--
	}
	exp, _ := strconv.Atoi(string(e[at+1:]))
	if exp < -4 || exp >= 17 {
		mantissa := e[:at]
		for mantissa[len(mantissa)-1] == '0' {
			mantissa = mantissa[:len(mantissa)-1]
		}
		if mantissa[len(mantissa)-1] == '.' {
			mantissa = mantissa[:len(mantissa)-1]
		}
		return append(append(b, mantissa...), e[at:]...)
	}
	b = strconv.AppendFloat(b, f, 'f', 16-exp, 64)
	if exp < 16 {
		for b[len(b)-1] == '0' {
			b = b[:len(b)-1]
		}
		if b[len(b)-1] == '.' {
			b = b[:len(b)-1]
		}
	}
	return b
}
