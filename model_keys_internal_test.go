package brock

import (
	"errors"
	"time"

	"github.com/brockdb/brock/internal/oracle"
)

// ttlResult is a time to live as Redis gives it, in units.
func ttlResult(d time.Duration, err error, unit time.Duration) oracle.Result {
	switch {
	case errors.Is(err, ErrNotFound):
		return oracle.Result{Int: -2}
	case err != nil:
		return failed(err)
	case d == NoTTL:
		return oracle.Result{Int: -1}
	}
	return oracle.Result{Int: int64(d / unit)}
}

// momentResult is a deadline as Redis gives it, in milliseconds or seconds.
func momentResult(at time.Time, err error, in func(time.Time) int64) oracle.Result {
	switch {
	case errors.Is(err, ErrNotFound):
		return oracle.Result{Int: -2}
	case err != nil:
		return failed(err)
	case at.IsZero():
		return oracle.Result{Int: -1}
	}
	return oracle.Result{Int: in(at)}
}

// expireOptionsOf are the options of an operation.
func expireOptionsOf(op *oracle.Op) (opts []ExpireOption) {
	for flag, opt := range map[oracle.Flags]ExpireOption{oracle.NX: NX, oracle.XX: XX, oracle.GT: GT, oracle.LT: LT} {
		if op.Flags.Has(flag) {
			opts = append(opts, opt)
		}
	}
	return opts
}

// expireRunners are those of deadlines.
func expireRunners() map[string]func(*commands, *oracle.Op) oracle.Result {
	return map[string]func(*commands, *oracle.Op) oracle.Result{
		"EXPIRE": func(c *commands, op *oracle.Op) oracle.Result {
			return boolResult(c.Expire(op.Key, time.Duration(op.N)*time.Second, expireOptionsOf(op)...))
		},
		"PEXPIRE": func(c *commands, op *oracle.Op) oracle.Result {
			return boolResult(c.PExpire(op.Key, ms(op.N), expireOptionsOf(op)...))
		},
		"EXPIREAT": func(c *commands, op *oracle.Op) oracle.Result {
			return boolResult(c.ExpireAt(op.Key, time.Unix(op.N, 0), expireOptionsOf(op)...))
		},
		"PEXPIREAT": func(c *commands, op *oracle.Op) oracle.Result {
			return boolResult(c.PExpireAt(op.Key, time.UnixMilli(op.N), expireOptionsOf(op)...))
		},
		"EXPIRETIME": func(c *commands, op *oracle.Op) oracle.Result {
			at, err := c.ExpireTime(op.Key)
			return momentResult(at, err, time.Time.Unix)
		},
		"PEXPIRETIME": func(c *commands, op *oracle.Op) oracle.Result {
			at, err := c.PExpireTime(op.Key)
			return momentResult(at, err, time.Time.UnixMilli)
		},
		"TTL": func(c *commands, op *oracle.Op) oracle.Result {
			d, err := c.TTL(op.Key)
			return ttlResult(d, err, time.Second)
		},
		"PTTL": func(c *commands, op *oracle.Op) oracle.Result {
			d, err := c.PTTL(op.Key)
			return ttlResult(d, err, time.Millisecond)
		},
		"PERSIST": func(c *commands, op *oracle.Op) oracle.Result { return boolResult(c.Persist(op.Key)) },
	}
}

// objectResult is the reply to an OBJECT.
func objectResult(c *commands, op *oracle.Op) oracle.Result {
	switch op.Field {
	case "ENCODING":
		name, err := c.ObjectEncoding(op.Key)
		return bytesResult([]byte(name), err)
	case "REFCOUNT":
		return intResult(c.ObjectRefCount(op.Key))
	case "IDLETIME":
		idle, err := c.ObjectIdleTime(op.Key)
		op.N = int64(idle / time.Second)
		return intResult(op.N, err)
	default:
		return intResult(c.ObjectFreq(op.Key))
	}
}
