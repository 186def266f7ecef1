package resp

import "github.com/brockdb/brock"

// runHDel is HDEL key field [field …].
func runHDel(c *call) error { return c.number(c.db.HDel(c.str(1), c.strs(2)...)) }

// runHGet is HGET key field.
func runHGet(c *call) error { return c.value(c.db.HGet(c.str(1), c.str(2))) }

// runHGetAll is HGETALL key.
func runHGetAll(c *call) error {
	fields, err := c.db.HGetAll(c.str(1))
	if err != nil {
		return err
	}
	c.out.dict(len(fields))
	for field, value := range fields {
		c.out.str(field)
		c.out.bulk(value)
	}
	return nil
}

// runHLen is HLEN key.
func runHLen(c *call) error { return c.number(c.db.HLen(c.str(1))) }

// runHSet is HSET key field value [field value …].
func runHSet(c *call) error {
	if len(c.args)%2 != 0 {
		return wrongArity(c.cmd)
	}
	return c.number(c.db.HSet(c.str(1), c.fieldValues(2)...))
}

// fieldValues returns the arguments from one on as fields and their values.
func (c *call) fieldValues(from int) []brock.FieldValue {
	fields := room(&c.fields, (len(c.args)-from)/2)
	for i := from; i+1 < len(c.args); i += 2 {
		fields = append(fields, brock.FieldValue{Field: c.str(i), Value: c.args[i+1]})
	}
	return fields
}
