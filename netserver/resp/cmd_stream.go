package resp

import (
	"errors"
	"math"
	"strings"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/integer"
)

// runXAdd is XADD key * | ms-* | ms-seq field value [field value …].
func runXAdd(c *call) error {
	id, err := addID(cString(c.str(2)))
	switch {
	case err != nil:
		return err
	case len(c.args)%2 == 0:
		return wrongArity(c.cmd)
	}
	if id, err = c.db.XAdd(c.str(1), id, c.fieldValues(3)...); err != nil {
		return err
	}
	c.out.str(id.String())
	return nil
}

// addID reads the id of an entry that is added.
func addID(s string) (brock.StreamID, error) {
	if s == "*" {
		return brock.AutoID(), nil
	}
	if ms, ok := strings.CutSuffix(s, "-*"); ok {
		id, err := parseID(ms, 0)
		if strings.Contains(ms, "-") {
			err = errStreamID
		}
		return brock.AutoSeq(id.Ms), err
	}
	return parseID(s, 0)
}

// maxIDText is how long the text of an id may be.
const maxIDText = 127

// parseID reads an id; seq is its sequence number if the text has none.
func parseID(s string, seq uint64) (id brock.StreamID, err error) {
	ms, rest, both := strings.Cut(s, "-")
	var ok bool
	id.Ms, ok = parseUint(ms)
	if id.Seq = seq; ok && both {
		id.Seq, ok = parseUint(rest)
	}
	if !ok || len(s) > maxIDText {
		return brock.StreamID{}, errStreamID
	}
	return id, nil
}

// parseUint reads an unsigned integer as C's strtoull does, but none that Redis
// takes for a negative integer.
func parseUint(s string) (n uint64, ok bool) {
	if i, ok := integer.Parse([]byte(s)); ok {
		return uint64(i), i >= 0
	}
	digits := strings.TrimLeft(s, " \t\n\v\f\r")
	if digits == "" {
		return 0, false
	}
	return parseCursor(digits)
}

// runXDel is XDEL key id [id …].
func runXDel(c *call) error {
	ids := make([]brock.StreamID, 0, len(c.args)-2)
	for i := 2; i < len(c.args); i++ {
		id, err := parseID(cString(c.str(i)), 0)
		if err != nil {
			return c.orInt(0, c.behindKey(1, "stream", err))
		}
		ids = append(ids, id)
	}
	return c.number(c.db.XDel(c.str(1), ids...))
}

// runXLen is XLEN key.
func runXLen(c *call) error { return c.number(c.db.XLen(c.str(1))) }

// runXRange is XRANGE key start end [COUNT count].
func runXRange(c *call) error {
	first, out, err := rangeEnd(cString(c.str(2)), 0)
	if err == nil && out {
		if first = first.Next(); first == (brock.StreamID{}) {
			err = Error("ERR invalid start ID for the interval")
		}
	}
	if err != nil {
		return err
	}
	last, out, err := rangeEnd(cString(c.str(3)), math.MaxUint64)
	if err == nil && out {
		if last = last.Prev(); last == brock.MaxStreamID() {
			err = Error("ERR invalid end ID for the interval")
		}
	}
	if err != nil {
		return err
	}
	o, _, err := c.options(4, []option{{word: "COUNT", arg: intArg}})
	if err != nil {
		return err
	}
	count := -1
	if o.has(0) {
		if count, _ = c.count(o[0]); count <= 0 {
			return c.noEntries()
		}
	}
	entries, err := c.db.XRange(c.str(1), first, last, count)
	if err == nil {
		c.entries(entries)
	}
	return err
}

// rangeEnd reads an end of a range of ids; seq is its sequence number if it has
// none. out tells that the id itself is not in the range.
func rangeEnd(s string, seq uint64) (id brock.StreamID, out bool, err error) {
	switch {
	case s == "-":
		return brock.StreamID{}, false, nil
	case s == "+":
		return brock.MaxStreamID(), false, nil
	case len(s) > 1 && s[0] == '(':
		out, s = true, s[1:]
	}
	id, err = parseID(s, seq)
	return id, out, err
}

// noEntries replies to XRANGE with COUNT 0: null if there is a stream.
func (c *call) noEntries() error {
	switch err := c.behindKey(1, "stream", nil); {
	case err == nil:
		c.out.nullArray()
	case errors.Is(err, brock.ErrNotFound):
		c.out.array(0)
	default:
		return err
	}
	return nil
}

// entries replies entries of a stream.
func (c *call) entries(list []brock.StreamEntry) {
	c.out.array(len(list))
	for _, e := range list {
		c.out.array(2)
		c.out.str(e.ID.String())
		c.out.array(2 * len(e.Fields))
		for _, f := range e.Fields {
			c.out.str(f.Field)
			c.out.bulk(f.Value)
		}
	}
}
