package resp

import (
	"github.com/brockdb/brock"
)

// zaddOptions returns the options of ZADD, and where the scores begin.
func (c *call) zaddOptions() (o brock.ZAddOptions, from int) {
	for from = 2; from < len(c.args); from++ {
		switch {
		case c.is(from, "NX"):
			o.NX = true
		case c.is(from, "XX"):
			o.XX = true
		case c.is(from, "GT"):
			o.GT = true
		case c.is(from, "LT"):
			o.LT = true
		case c.is(from, "CH"):
			o.CH = true
		default:
			return o, from
		}
	}
	return o, from
}

// runZAdd is ZADD key [NX | XX] [GT | LT] [CH] score member [score member …].
func runZAdd(c *call) error {
	o, from := c.zaddOptions()
	n := len(c.args) - from
	switch {
	case n == 0 || n%2 != 0:
		return errSyntax
	case o.NX && o.XX:
		return Error("ERR XX and NX options at the same time are not compatible")
	case o.NX && (o.GT || o.LT) || o.GT && o.LT:
		return Error("ERR GT, LT, and/or NX options at the same time are not compatible")
	}
	members := room(&c.scores, n/2)
	for i := from; i < len(c.args); i += 2 {
		score, err := c.score(i)
		if err != nil {
			return err
		}
		members = append(members, brock.Z{Member: c.str(i + 1), Score: score})
	}
	return c.number(c.db.ZAddOpt(c.str(1), o, members...))
}

// runZCard is ZCARD key.
func runZCard(c *call) error { return c.number(c.db.ZCard(c.str(1))) }

// runZRange is ZRANGE key start stop [WITHSCORES].
func runZRange(c *call) error {
	o, _, err := c.options(4, []option{{word: "WITHSCORES"}})
	if err != nil {
		return err
	}
	start, stop, err := c.bounds()
	if err != nil {
		return err
	}
	members, err := c.db.ZRange(c.str(1), start, stop)
	if err != nil {
		return err
	}
	c.scored(members, o.has(0))
	return nil
}

// scored replies members of a sorted set, with or without their scores: in RESP3
// those are pairs.
func (c *call) scored(members []brock.Z, scores bool) {
	pairs := scores && c.out.proto >= 3
	if scores && !pairs {
		c.out.array(2 * len(members))
	} else {
		c.out.array(len(members))
	}
	for _, m := range members {
		if pairs {
			c.out.array(2)
		}
		c.out.str(m.Member)
		if scores {
			c.out.double(m.Score)
		}
	}
}

// runZRank is ZRANK key member.
func runZRank(c *call) error { return c.orNull(c.number(c.db.ZRank(c.str(1), c.str(2)))) }

// runZRem is ZREM key member [member …].
func runZRem(c *call) error { return c.number(c.db.ZRem(c.str(1), c.strs(2)...)) }

// runZScore is ZSCORE key member.
func runZScore(c *call) error {
	score, err := c.db.ZScore(c.str(1), c.str(2))
	if err != nil {
		return c.orNull(err)
	}
	c.out.double(score)
	return nil
}
