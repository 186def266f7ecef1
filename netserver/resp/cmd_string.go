package resp

import (
	"errors"

	"github.com/brockdb/brock"
)

// runAppend is APPEND key value.
func runAppend(c *call) error {
	if most := c.srv.config.maxValue(); most < maxBulk {
		n, err := c.db.StrLen(c.str(1))
		if err == nil && n > 0 && int64(n+len(c.args[2])) > most {
			err = brock.ErrTooLong
		}
		if err != nil {
			return err
		}
	}
	return c.number(c.db.Append(c.str(1), c.args[2]))
}

// runDecr is DECR key.
func runDecr(c *call) error { return c.number64(c.db.Decr(c.str(1))) }

// runDecrBy is DECRBY key decrement.
func runDecrBy(c *call) error {
	by, err := c.int(2)
	if err != nil {
		return err
	}
	return c.number64(c.db.DecrBy(c.str(1), by))
}

// runGet is GET key.
func runGet(c *call) error { return c.value(c.db.Get(c.str(1))) }

// runGetDel is GETDEL key.
func runGetDel(c *call) error { return c.value(c.db.GetDel(c.str(1))) }

// The options of SET and GETEX.
const (
	optEX = iota
	optPX
	optEXAT
	optPXAT
	optKeep // KEEPTTL or PERSIST
	optNX
	optXX
	optGet
)

// Options that exclude each other.
const (
	barNX  = 1 << optNX
	barXX  = 1 << optXX
	barTTL = 1<<optEX | 1<<optPX | 1<<optEXAT | 1<<optPXAT | 1<<optKeep
)

// ttlOptions reads the options of SET or GETEX from an argument on. keep is the
// word of the one that stands for no time.
func (c *call) ttlOptions(from int, keep string, more ...option) (o chosen, err error) {
	list := [maxOptions]option{
		{"EX", barTTL &^ (1 << optEX), anyArg},
		{"PX", barTTL &^ (1 << optPX), anyArg},
		{"EXAT", barTTL &^ (1 << optEXAT), anyArg},
		{"PXAT", barTTL &^ (1 << optPXAT), anyArg},
		{keep, barTTL &^ (1 << optKeep), nil},
	}
	n := copy(list[optNX:], more)
	o, _, err = c.options(from, list[:optNX+n])
	return o, err
}

// ttl returns when the key shall expire, if one of the options tells.
func (c *call) ttl(o *chosen) (e brock.Expiry, given bool, err error) {
	for k := optEX; k <= optPXAT; k++ {
		if o.has(k) {
			e, err = c.expiry(o[k], timeUnit{seconds: k == optEX || k == optEXAT, absolute: k >= optEXAT})
			return e, true, err
		}
	}
	return e, false, nil
}

// runGetEx is GETEX key [EX seconds | PX milliseconds | EXAT seconds | PXAT
// milliseconds | PERSIST].
func runGetEx(c *call) error {
	o, err := c.ttlOptions(2, "PERSIST")
	if err != nil {
		return err
	}
	var list [1]brock.GetExOption
	opts := list[:0]
	e, given, err := c.ttl(&o)
	switch {
	case err != nil:
		return c.orNull(c.behindKey(1, "string", err))
	case given:
		opts = append(opts, e)
	case o.has(optKeep):
		opts = append(opts, brock.Persist)
	}
	return c.value(c.db.GetEx(c.str(1), opts...))
}

// runGetRange is GETRANGE or SUBSTR key start end.
func runGetRange(c *call) error {
	start, stop, err := c.bounds()
	if err != nil {
		return err
	}
	return c.value(c.db.GetRange(c.str(1), start, stop))
}

// runGetSet is GETSET key value.
func runGetSet(c *call) error { return c.old(c.db.GetSet(c.str(1), c.args[2])) }

// old replies the string that a command has replaced, or would have.
func (c *call) old(v []byte, err error) error {
	switch {
	case err != nil && !errors.Is(err, brock.ErrNotSet):
		return err
	case v == nil:
		c.out.null()
	default:
		c.out.bulk(v)
	}
	return nil
}

// runIncr is INCR key.
func runIncr(c *call) error { return c.number64(c.db.Incr(c.str(1))) }

// runIncrBy is INCRBY key increment.
func runIncrBy(c *call) error {
	by, err := c.int(2)
	if err != nil {
		return err
	}
	return c.number64(c.db.IncrBy(c.str(1), by))
}

// runIncrByFloat is INCRBYFLOAT key increment.
func runIncrByFloat(c *call) error { return c.text(c.db.IncrByDecimal(c.str(1), c.str(2))) }

// The options of LCS.
const (
	lcsIdx = iota
	lcsLen
	lcsWithMatchLen
	lcsMinMatchLen
)

// runLCS is LCS key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN].
func runLCS(c *call) error {
	o, _, err := c.options(3, []option{
		lcsIdx:          {word: "IDX"},
		lcsLen:          {word: "LEN"},
		lcsWithMatchLen: {word: "WITHMATCHLEN"},
		lcsMinMatchLen:  {word: "MINMATCHLEN", arg: intArg},
	})
	if err == nil && o.has(lcsIdx) && o.has(lcsLen) {
		err = Error("ERR If you want both the length and indexes, please just use IDX.")
	}
	if err != nil {
		return c.badLCS(err)
	}
	if err := c.lcsRoom(); err != nil {
		return err
	}
	switch a, b := c.str(1), c.str(2); {
	case o.has(lcsLen):
		return c.number(c.db.LCSLen(a, b))
	case o.has(lcsIdx):
		least := 0
		if o.has(lcsMinMatchLen) {
			least, _ = c.count(o[lcsMinMatchLen])
		}
		matches, length, err := c.db.LCSIdx(a, b, least)
		if err == nil {
			c.lcsMatches(matches, length, o.has(lcsWithMatchLen))
		}
		return err
	default:
		return c.value(c.db.LCS(a, b))
	}
}

// badLCS returns the error of options of LCS, unless the keys have one.
func (c *call) badLCS(err error) error {
	for i := 1; i <= 2; i++ {
		switch failed := c.behindKey(i, "string", err); {
		case errors.Is(failed, brock.ErrWrongType):
			return Error("ERR The specified keys must contain string values")
		case failed != err && !errors.Is(failed, brock.ErrNotFound): //nolint:errorlint // it is given back
			return failed
		}
	}
	return err
}

// lcsMatches replies the runs that two strings have in common.
func (c *call) lcsMatches(matches []brock.LCSMatch, length int, lengths bool) {
	c.out.dict(2)
	c.out.str("matches")
	c.out.array(len(matches))
	for _, m := range matches {
		if lengths {
			c.out.array(3)
		} else {
			c.out.array(2)
		}
		for _, r := range []brock.LCSRange{m.A, m.B} {
			c.out.array(2)
			c.out.int(int64(r.Start))
			c.out.int(int64(r.Stop))
		}
		if lengths {
			c.out.int(int64(m.Len))
		}
	}
	c.out.str("len")
	c.out.int(int64(length))
}

// runMGet is MGET key [key …].
func runMGet(c *call) error { return c.values(c.db.MGet(c.strs(1)...)) }

// runMSet is MSET key value [key value …].
func runMSet(c *call) error {
	pairs, err := c.keyValues()
	if err != nil {
		return err
	}
	return c.done(c.db.MSet(pairs...))
}

// runMSetNX is MSETNX key value [key value …].
func runMSetNX(c *call) error {
	pairs, err := c.keyValues()
	if err != nil {
		return err
	}
	return c.yes(c.db.MSetNX(pairs...))
}

// keyValues returns all arguments as keys and their values.
func (c *call) keyValues() ([]brock.KV, error) {
	if len(c.args)%2 == 0 {
		return nil, wrongArity(c.cmd)
	}
	pairs := room(&c.pairs, len(c.args)/2)
	for i := 1; i < len(c.args); i += 2 {
		pairs = append(pairs, brock.KV{Key: c.str(i), Value: c.args[i+1]})
	}
	return pairs, nil
}

// runPSetEX is PSETEX key milliseconds value.
func runPSetEX(c *call) error { return c.setTTL(timeUnit{}) }

// runSet is SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT
// seconds | PXAT milliseconds | KEEPTTL].
func runSet(c *call) error {
	if len(c.args) == 3 {
		return c.done(c.db.Set(c.str(1), c.args[2]))
	}
	o, err := c.ttlOptions(3, "KEEPTTL", option{"NX", barXX, nil}, option{"XX", barNX, nil}, option{"GET", 0, nil})
	if err != nil {
		return err
	}
	var list [3]brock.SetOption
	opts := list[:0]
	e, given, err := c.ttl(&o)
	switch {
	case err != nil:
		return err
	case given:
		opts = append(opts, e)
	case o.has(optKeep):
		opts = append(opts, brock.KeepTTL)
	}
	switch {
	case o.has(optNX):
		opts = append(opts, brock.NX)
	case o.has(optXX):
		opts = append(opts, brock.XX)
	}
	if o.has(optGet) {
		return c.old(c.db.SetGet(c.str(1), c.args[2], opts...))
	}
	if err = c.db.Set(c.str(1), c.args[2], opts...); errors.Is(err, brock.ErrNotSet) {
		c.out.null()
		return nil
	}
	return c.done(err)
}

// runSetEX is SETEX key seconds value.
func runSetEX(c *call) error { return c.setTTL(timeUnit{seconds: true}) }

// setTTL is SETEX, with a time in a unit.
func (c *call) setTTL(unit timeUnit) error {
	e, err := c.expiry(2, unit)
	if err != nil {
		return err
	}
	return c.done(c.db.Set(c.str(1), c.args[3], e))
}

// runSetNX is SETNX key value.
func runSetNX(c *call) error { return c.yes(c.db.SetNX(c.str(1), c.args[2])) }

// runSetRange is SETRANGE key offset value.
func runSetRange(c *call) error {
	offset, err := c.count(2)
	if err != nil {
		return err
	}
	if most := c.srv.config.maxValue(); most < maxBulk && len(c.args[3]) > 0 && int64(offset) > most-int64(len(c.args[3])) {
		if _, err := c.db.StrLen(c.str(1)); err != nil {
			return err
		}
		return brock.ErrTooLong
	}
	return c.number(c.db.SetRange(c.str(1), offset, c.args[3]))
}

// lcsRoom fails if the table of LCS, four bytes for each pair of bytes, is too
// large.
func (c *call) lcsRoom() error {
	most := c.srv.config.maxValue()
	if most == maxBulk {
		return nil
	}
	a, err := c.db.StrLen(c.str(1))
	if err != nil {
		return nil //nolint:nilerr // the command finds it, too
	}
	b, err := c.db.StrLen(c.str(2))
	if err == nil && 4*int64(a+1) > most/int64(b+1) {
		return Error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
	}
	return nil
}

// runStrLen is STRLEN key.
func runStrLen(c *call) error { return c.number(c.db.StrLen(c.str(1))) }
