package brock

import (
	"errors"
	"math"
	"strconv"

	"github.com/brockdb/brock/internal/integer"
	"github.com/brockdb/brock/internal/store"
)

// Decr takes one off the integer at key, 0 if the key does not exist, and
// returns the difference. The time to live stays.
//
// Errors: as [DB.Incr].
//
// Cost: O(1), no allocation.
//
// Redis: DECR key.
func (c *commands) Decr(key string) (diff int64, err error) {
	return writeKey(c, "decr", key, -1, (*commands).incr)
}

// DecrBy takes by, which may be negative, off the integer at key, 0 if the key
// does not exist, and returns the difference. The time to live stays.
//
// Errors: [ErrWrongType]; [ErrNotInteger]; [ErrOverflow], also for the least
// int64, which has no negative; in all cases the integer stays.
//
// Cost: O(1), no allocation.
//
// Redis: DECRBY key decrement.
func (c *commands) DecrBy(key string, by int64) (diff int64, err error) {
	if by == math.MinInt64 {
		return 0, c.refuse("decrby", key, &redisError{ErrOverflow, "ERR decrement would overflow"})
	}
	return writeKey(c, "decrby", key, -by, (*commands).incr)
}

// Incr adds one to the integer at key, 0 if the key does not exist, and
// returns the sum. The time to live stays.
//
// Errors: [ErrWrongType]; [ErrNotInteger]; [ErrOverflow], in which case the
// integer stays.
//
// Cost: O(1), no allocation.
//
// Redis: INCR key.
func (c *commands) Incr(key string) (sum int64, err error) {
	return writeKey(c, "incr", key, 1, (*commands).incr)
}

// IncrBy adds by, which may be negative, to the integer at key, 0 if the key
// does not exist, and returns the sum. The time to live stays.
//
// Errors: [ErrWrongType]; [ErrNotInteger]; [ErrOverflow], in which case the
// integer stays.
//
// Cost: O(1), no allocation.
//
// Redis: INCRBY key increment.
func (c *commands) IncrBy(key string, by int64) (sum int64, err error) {
	return writeKey(c, "incrby", key, by, (*commands).incr)
}

// IncrByDecimal adds by to the number at key, 0 if the key does not exist, and
// returns the sum, which it stores. The time to live stays.
//
// Numbers are texts as C has them: decimal or hexadecimal, with or without an
// exponent. The sum is computed with a mantissa of 64 bits, as redis-server does
// it where a long double has 80 bits, and has at most 17 digits behind the point.
//
// Errors: [ErrWrongType]; [ErrNotFloat] if the string or by is no number;
// [ErrOverflow] if one of them or the sum is infinite; in all cases the number
// stays.
//
// Cost: O(1).
//
// Redis: INCRBYFLOAT key increment.
func (c *commands) IncrByDecimal(key, by string) (sum string, err error) {
	return writeKey(c, "incrbyfloat", key, by, (*commands).incrByDecimal)
}

// incrByDecimal is IncrByDecimal within a transaction.
func (c *commands) incrByDecimal(t *store.Tx, key, by string) (text string, err error) {
	e, err := c.findStringForWrite(t, key)
	if err != nil {
		return "", err
	}
	old, deadline := []byte("0"), int64(0)
	if e != nil {
		n, err := t.StringLen(*e)
		if err != nil {
			return "", err
		}
		if n > maxDecimal {
			return "", ErrNotFloat
		}
		if old, err = t.StringGet(e); err != nil {
			return "", err
		}
		deadline = e.Deadline
	}
	sum, err := addDecimals(string(old), by)
	if err != nil {
		return "", err
	}
	if err := t.StringSetText(c.db, key, e, []byte(sum), deadline); err != nil {
		return "", err
	}
	t.Emit(c.db, store.EventIncrByFloat, key)
	return sum, nil
}

// IncrByFloat is [DB.IncrByDecimal] with by as the shortest text that reads as
// it, so that 0.1 and 0.2 are 0.3. The sum that it returns is what is stored,
// rounded to a float64.
//
// Errors: as [DB.IncrByDecimal].
//
// Cost: O(1).
//
// Redis: INCRBYFLOAT key increment.
func (c *commands) IncrByFloat(key string, by float64) (sum float64, err error) {
	text, err := c.IncrByDecimal(key, strconv.FormatFloat(by, 'g', -1, 64))
	if err != nil {
		return 0, err
	}
	sum, err = strconv.ParseFloat(text, 64)
	if errors.Is(err, strconv.ErrRange) {
		err = nil // infinite as a float64
	}
	return sum, err
}

// incr is IncrBy within a transaction.
func (c *commands) incr(t *store.Tx, key string, by int64) (sum int64, err error) {
	e, err := c.findStringForWrite(t, key)
	if err != nil {
		return 0, err
	}
	deadline := int64(0)
	if e != nil {
		if sum, err = c.integer(t, e); err != nil {
			return 0, err
		}
		deadline = e.Deadline
	}
	if by > 0 && sum > math.MaxInt64-by || by < 0 && sum < math.MinInt64-by {
		return 0, ErrOverflow
	}
	sum += by
	var buf [20]byte
	if err := t.StringSet(c.db, key, e, strconv.AppendInt(buf[:0], sum, 10), deadline); err != nil {
		return 0, err
	}
	t.Emit(c.db, store.EventIncrBy, key)
	return sum, nil
}

// integer reads a string entry as an integer.
func (c *commands) integer(t *store.Tx, e *store.Entry) (int64, error) {
	n, err := t.StringLen(*e)
	if err != nil {
		return 0, err
	}
	if n == 0 || n > 20 {
		return 0, ErrNotInteger
	}
	b, err := t.StringChunk(*e, 0)
	if err != nil {
		return 0, err
	}
	v, ok := integer.Parse(b)
	if !ok {
		return 0, ErrNotInteger
	}
	return v, nil
}
