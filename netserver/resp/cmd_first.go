package resp

import (
	"errors"
	"strconv"

	"github.com/brockdb/brock"
)

func dbsize(c *call) error {
	n, err := c.db.DBSize()
	if err == nil {
		c.out.int(n)
	}
	return err
}

func get(c *call) error {
	v, err := c.db.Get(c.str(1))
	switch {
	case errors.Is(err, brock.ErrNotFound):
		c.out.null()
		return nil
	case err == nil:
		c.out.bulk(v)
	}
	return err
}

func set(c *call) error {
	if err := c.db.Set(c.str(1), c.args[2]); err != nil {
		return err
	}
	c.out.ok()
	return nil
}

func incr(c *call) error {
	n, err := c.db.Incr(c.str(1))
	if err == nil {
		c.out.int(n)
	}
	return err
}

func mset(c *call) error {
	pairs := make([]brock.KV, 0, len(c.args)/2)
	for i := 1; i+1 < len(c.args); i += 2 {
		pairs = append(pairs, brock.KV{Key: c.str(i), Value: c.args[i+1]})
	}
	if err := c.db.MSet(pairs...); err != nil {
		return err
	}
	c.out.ok()
	return nil
}

func hset(c *call) error {
	fields := make([]brock.FieldValue, 0, len(c.args)/2)
	for i := 2; i+1 < len(c.args); i += 2 {
		fields = append(fields, brock.FieldValue{Field: c.str(i), Value: c.args[i+1]})
	}
	n, err := c.db.HSet(c.str(1), fields...)
	if err == nil {
		c.out.int(int64(n))
	}
	return err
}

func lpush(c *call) error {
	n, err := c.db.LPush(c.str(1), c.args[2:]...)
	if err == nil {
		c.out.int(int64(n))
	}
	return err
}

func zadd(c *call) error {
	f, err := strconv.ParseFloat(c.str(2), 64)
	if err != nil {
		return errNotFloat
	}
	n, err := c.db.ZAdd(c.str(1), brock.Z{Member: c.str(3), Score: f})
	if err == nil {
		c.out.int(int64(n))
	}
	return err
}
