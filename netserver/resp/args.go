package resp

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/brockdb/brock"
)

// Errors of arguments that several commands have.
const (
	errNotPositive Error = "ERR value is out of range, must be positive"
	errOutOfInt    Error = "ERR value is out of range, value must between -2147483648 and 2147483647"
	errNoDatabase  Error = "ERR DB index is out of range"
	errStreamID    Error = "ERR Invalid stream ID specified as stream command argument"
)

// option is a word among the options of a command.
type option struct {
	word string
	bars uint16                     // options, as bits by their number, that it cannot stand behind
	arg  func(c *call, i int) error // checks the argument that follows it; nil if none does
}

// maxOptions bounds the options of one command.
const maxOptions = 10

// chosen tells where each option of a command was given: the number of its
// argument, or of its word if it has none. 0 if it was not given.
type chosen [maxOptions]int

// has tells whether an option was given.
func (o *chosen) has(option int) bool { return o[option] != 0 }

// options reads the arguments from one on as options, whose numbers are their
// places in list. One that is unknown, or barred by those before it, or lacks
// its argument, is a syntax error; at is where it stands.
func (c *call) options(from int, list []option) (o chosen, at int, err error) {
	var given uint16
	for i := from; i < len(c.args); i++ {
		k := 0
		for k < len(list) && !c.is(i, list[k].word) {
			k++
		}
		if k == len(list) || list[k].bars&given != 0 || list[k].arg != nil && i+1 == len(c.args) {
			return o, i, errSyntax
		}
		given |= 1 << k
		if list[k].arg != nil {
			i++
			if err := list[k].arg(c, i); err != nil {
				return o, i, err
			}
		}
		o[k] = i
	}
	return o, 0, nil
}

// anyArg takes any argument of an option.
func anyArg(*call, int) error { return nil }

// intArg takes an integer as an option's argument.
func intArg(c *call, i int) error {
	_, err := c.int(i)
	return err
}

// countArg takes an integer above 0 as an option's argument.
func countArg(c *call, i int) error {
	n, err := c.int(i)
	if err == nil && n < 1 {
		err = errSyntax
	}
	return err
}

// dbArg takes the number of a database as an option's argument.
func dbArg(c *call, i int) error {
	_, err := c.database(i)
	return err
}

// database returns an argument as the number of a database.
func (c *call) database(i int) (int, error) {
	n, err := c.int(i)
	switch {
	case err != nil:
		return 0, err
	case n < math.MinInt32 || n > math.MaxInt32:
		return 0, errOutOfInt
	case n < 0 || n >= int64(c.srv.databases):
		return 0, errNoDatabase
	}
	return int(n), nil
}

// positive returns an argument as an integer that is not negative.
func (c *call) positive(i int) (int, error) {
	n, err := c.count(i)
	if err != nil || n < 0 {
		return 0, errNotPositive
	}
	return n, nil
}

// bounds returns the arguments behind the key as the ends of a range.
func (c *call) bounds() (start, stop int, err error) {
	if start, err = c.count(2); err == nil {
		stop, err = c.count(3)
	}
	return start, stop, err
}

// cString returns what C takes a string for: up to its first zero byte.
func cString(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return s
}

// score returns an argument as the score of a sorted set's member.
func (c *call) score(i int) (float64, error) {
	f, ok := parseFloat(c.str(i))
	if !ok {
		return 0, errNotFloat
	}
	return f, nil
}

// parseFloat reads a number that is in range, see parseNumber.
func parseFloat(s string) (f float64, ok bool) {
	f, err := parseNumber(s)
	return f, err == nil
}

// parseNumber reads a number as C's strtod does, all of s: decimal, hexadecimal
// or infinite. One that is out of range is infinite, or the one next to 0, with
// [strconv.ErrRange].
func parseNumber(s string) (f float64, err error) {
	digits := strings.TrimLeft(s, "+-")
	if len(s) > len(digits)+1 || strings.Contains(s, "_") {
		return 0, strconv.ErrSyntax
	}
	mantissa := digits
	if len(digits) > 1 && digits[0] == '0' && digits[1]|0x20 == 'x' {
		mantissa, _, _ = strings.Cut(strings.ToLower(digits[2:]), "p")
		if len(mantissa) == len(digits)-2 {
			s += "p0" // which Go wants
		}
	} else if e := strings.IndexAny(digits, "eE"); e >= 0 {
		mantissa = digits[:e]
	}
	f, err = strconv.ParseFloat(s, 64)
	switch {
	case math.IsNaN(f):
		return 0, strconv.ErrSyntax
	case err == nil && f == 0 && strings.Trim(mantissa, "0.") != "":
		return math.Copysign(math.SmallestNonzeroFloat64, f), strconv.ErrRange
	}
	return f, err
}

// timeUnit tells what the number of a time is in.
type timeUnit struct {
	seconds  bool // or milliseconds
	absolute bool // since 1970, or from now on
}

// expiry returns an argument as a time at which a key expires: a moment, if it
// is given as one, or is further than a time.Duration holds.
func (c *call) expiry(i int, unit timeUnit) (brock.Expiry, error) {
	n, err := c.int(i)
	if err != nil {
		return brock.Expiry{}, err
	}
	if n <= 0 || unit.seconds && n > math.MaxInt64/1000 {
		return brock.Expiry{}, c.badExpiry()
	}
	if unit.seconds {
		n *= 1000
	}
	switch now := c.db.Now().UnixMilli(); {
	case !unit.absolute && n > math.MaxInt64-now:
		return brock.Expiry{}, c.badExpiry()
	case unit.absolute:
		return brock.PXAT(time.UnixMilli(n)), nil
	case n > maxDurationMs:
		return brock.PXAT(time.UnixMilli(now + n)), nil
	}
	return brock.PX(time.Duration(n) * time.Millisecond), nil
}

// maxDurationMs is the longest time.Duration in ms.
const maxDurationMs = int64(math.MaxInt64 / time.Millisecond)

// badExpiry is the error of a time that is out of range.
func (c *call) badExpiry() error {
	return Error("ERR invalid expire time in '" + c.cmd.name + "' command")
}

// behindKey returns the error of arguments that are looked at only if there is a
// key, of a type: else that of the key. The key counts as used.
func (c *call) behindKey(i int, typ string, err error) error {
	if !c.conn.noTouch.Load() {
		c.srv.reach.Store.Use(int(c.conn.db.Load()), c.str(i))
	}
	switch is, failed := c.db.Type(c.str(i)); {
	case failed != nil:
		return failed
	case is == "none":
		return brock.ErrNotFound
	case is != typ:
		return brock.ErrWrongType
	}
	return err
}
