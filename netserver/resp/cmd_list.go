package resp

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/bridge"
)

// runBLPop is BLPOP key [key …] timeout.
func runBLPop(c *call) error {
	timeout, err := parseTimeout(c.str(len(c.args) - 1))
	if err != nil {
		return err
	}
	keys := c.strs(1)[:len(c.args)-2]
	key, value, err := c.db.BLPop(context.Background(), keys...) // which does not wait
	if errors.Is(err, brock.ErrNotFound) {
		if err := c.wait(); err != nil {
			return err
		}
		return c.awaitPush(keys, timeout)
	}
	return c.popped(key, value, err)
}

// popped replies what BLPOP has popped.
func (c *call) popped(key string, value []byte, err error) error {
	if err == nil {
		c.out.array(2)
		c.out.str(key)
		c.out.bulk(value)
	}
	return err
}

// awaitPush is BLPOP when there is nothing yet. What it pops is acknowledged by
// itself.
func (c *call) awaitPush(keys []string, timeout time.Duration) error {
	ctx, cancel := context.WithCancel(bridge.WithWait(c.ctx, c.waits))
	defer cancel()
	if timeout > 0 {
		defer c.srv.reach.Store.Clock().AfterFunc(timeout, cancel)()
	}
	key, value, err := c.srv.db.DB(int(c.conn.db.Load())).BLPop(ctx, keys...)
	if err == nil || !errors.Is(err, ctx.Err()) {
		return c.popped(key, value, err)
	}
	if c.ctx.Err() != nil { // the client goes, or the server: it gets no reply
		c.fatal = true
	} else {
		c.out.nullArray()
	}
	return nil
}

// parseTimeout reads how many seconds to wait, 0 for ever. Redis reads a long
// double, whose range is larger.
func parseTimeout(s string) (time.Duration, error) {
	seconds, err := parseNumber(s)
	ms := math.Ceil(seconds * 1000)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		return 0, Error("ERR timeout is not a float or out of range")
	case ms < 0 || ms >= math.MaxInt64: // as Redis has it
		return 0, Error("ERR timeout is negative")
	case ms > float64(maxDurationMs):
		return 0, nil
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// runLIndex is LINDEX key index.
func runLIndex(c *call) error {
	index, err := c.count(2)
	if err != nil {
		return c.orNull(c.behindKey(1, "list", err))
	}
	return c.value(c.db.LIndex(c.str(1), index))
}

// runLInsert is LINSERT key BEFORE | AFTER pivot element.
func runLInsert(c *call) error {
	side := brock.Before
	switch {
	case c.is(2, "AFTER"):
		side = brock.After
	case !c.is(2, "BEFORE"):
		return errSyntax
	}
	return c.number(c.db.LInsert(c.str(1), side, c.args[3], c.args[4]))
}

// runLLen is LLEN key.
func runLLen(c *call) error { return c.number(c.db.LLen(c.str(1))) }

// runLPop is LPOP key [count].
func runLPop(c *call) error { return c.pop((*brock.Pipe).LPop, (*brock.Pipe).LPopCount) }

// pop is LPOP or RPOP, with or without a count.
func (c *call) pop(one func(*brock.Pipe, string) ([]byte, error), some func(*brock.Pipe, string, int) ([][]byte, error)) error {
	switch len(c.args) {
	case 2:
		return c.value(one(c.db, c.str(1)))
	case 3:
		n, err := c.positive(2)
		if err != nil {
			return err
		}
		err = c.values(some(c.db, c.str(1), n))
		if errors.Is(err, brock.ErrNotFound) {
			c.out.nullArray()
			return nil
		}
		return err
	}
	return wrongArity(c.cmd)
}

// runLRange is LRANGE key start stop.
func runLRange(c *call) error {
	start, stop, err := c.bounds()
	if err != nil {
		return err
	}
	return c.values(c.db.LRange(c.str(1), start, stop))
}

// runLTrim is LTRIM key start stop.
func runLTrim(c *call) error {
	start, stop, err := c.bounds()
	if err != nil {
		return err
	}
	return c.done(c.db.LTrim(c.str(1), start, stop))
}

// runPush is LPUSH key element [element …] and RPUSH, likewise.
func runPush(c *call) error { return c.number(c.cmd.push(c.db, c.str(1), c.args[2:]...)) }

// runRPop is RPOP key [count].
func runRPop(c *call) error { return c.pop((*brock.Pipe).RPop, (*brock.Pipe).RPopCount) }
