package resp

import (
	"errors"

	"github.com/brockdb/brock"
)

// What follows appends the results of a command of package brock as its reply,
// or returns its error. What is not found is null.

// done replies OK.
func (c *call) done(err error) error {
	if err == nil {
		c.out.ok()
	}
	return err
}

// number replies an integer.
func (c *call) number(n int, err error) error { return c.number64(int64(n), err) }

// number64 replies an integer.
func (c *call) number64(n int64, err error) error {
	if err == nil {
		c.out.int(n)
	}
	return err
}

// yes replies 1 or 0.
func (c *call) yes(ok bool, err error) error {
	if err == nil {
		c.out.bool(ok)
	}
	return err
}

// value replies a string.
func (c *call) value(v []byte, err error) error {
	if err == nil {
		c.out.bulk(v)
		return nil
	}
	return c.orNull(err)
}

// text replies a string.
func (c *call) text(s string, err error) error {
	if err == nil {
		c.out.str(s)
		return nil
	}
	return c.orNull(err)
}

// orNull replies null for what is not found, and returns any other error.
func (c *call) orNull(err error) error {
	if errors.Is(err, brock.ErrNotFound) {
		c.out.null()
		return nil
	}
	return err
}

// orInt replies n for what is not found, and returns any other error.
func (c *call) orInt(n int64, err error) error {
	if errors.Is(err, brock.ErrNotFound) {
		c.out.int(n)
		return nil
	}
	return err
}

// values replies an array of strings.
func (c *call) values(list [][]byte, err error) error {
	if err == nil {
		c.out.bulks(list)
	}
	return err
}

// members replies a set.
func (c *call) members(list []string, err error) error {
	if err != nil {
		return err
	}
	c.out.set(len(list))
	for _, m := range list {
		c.out.str(m)
	}
	return nil
}
