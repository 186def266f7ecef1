package brock

import (
	"slices"

	"github.com/brockdb/brock/internal/oracle"
)

// byteSlices returns strings as byte slices.
func byteSlices(s []string) [][]byte {
	out := make([][]byte, len(s))
	for i := range s {
		out[i] = []byte(s[i])
	}
	return out
}

// texts returns byte slices as strings.
func texts(b [][]byte) (out []string) {
	for i := range b {
		out = append(out, string(b[i]))
	}
	return out
}

// textMap returns a hash with strings for values.
func textMap(fields map[string][]byte) map[string]string {
	out := make(map[string]string, len(fields))
	for f, v := range fields {
		out[f] = string(v)
	}
	return out
}

func listResult(values [][]byte, err error) oracle.Result {
	if err != nil {
		return failed(err)
	}
	return oracle.Result{List: texts(values)}
}

func membersResult(members []string, err error) oracle.Result {
	if err != nil {
		return failed(err)
	}
	slices.Sort(members)
	return oracle.Result{List: members}
}

func hashRunners() map[string]func(*commands, *oracle.Op) oracle.Result {
	return map[string]func(*commands, *oracle.Op) oracle.Result{
		"HSET": func(c *commands, op *oracle.Op) oracle.Result {
			var fields []FieldValue
			for i := 0; i < len(op.Values); i += 2 {
				fields = append(fields, F(op.Values[i], op.Values[i+1]))
			}
			return intResult(c.HSet(op.Key, fields...))
		},
		"HGET": func(c *commands, op *oracle.Op) oracle.Result { return bytesResult(c.HGet(op.Key, op.Field)) },
		"HDEL": func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.HDel(op.Key, op.Values...)) },
		"HLEN": func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.HLen(op.Key)) },
		"HGETALL": func(c *commands, op *oracle.Op) oracle.Result {
			fields, err := c.HGetAll(op.Key)
			if err != nil {
				return failed(err)
			}
			return oracle.Result{Map: textMap(fields)}
		},
	}
}

func listRunners() map[string]func(*commands, *oracle.Op) oracle.Result {
	return map[string]func(*commands, *oracle.Op) oracle.Result{
		"LPUSH": func(c *commands, op *oracle.Op) oracle.Result {
			return intResult(c.LPush(op.Key, byteSlices(op.Values)...))
		},
		"RPUSH": func(c *commands, op *oracle.Op) oracle.Result {
			return intResult(c.RPush(op.Key, byteSlices(op.Values)...))
		},
		"LPOP": func(c *commands, op *oracle.Op) oracle.Result {
			if op.Flags.Has(oracle.HasCount) {
				return listResult(c.LPopCount(op.Key, int(op.N)))
			}
			return bytesResult(c.LPop(op.Key))
		},
		"RPOP": func(c *commands, op *oracle.Op) oracle.Result {
			if op.Flags.Has(oracle.HasCount) {
				return listResult(c.RPopCount(op.Key, int(op.N)))
			}
			return bytesResult(c.RPop(op.Key))
		},
		"LLEN":   func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.LLen(op.Key)) },
		"LINDEX": func(c *commands, op *oracle.Op) oracle.Result { return bytesResult(c.LIndex(op.Key, int(op.N))) },
		"LINSERT": func(c *commands, op *oracle.Op) oracle.Result {
			side := After
			if op.Flags.Has(oracle.Before) {
				side = Before
			}
			return intResult(c.LInsert(op.Key, side, []byte(op.Field), []byte(op.Value)))
		},
		"LRANGE": func(c *commands, op *oracle.Op) oracle.Result {
			return listResult(c.LRange(op.Key, int(op.Start), int(op.Stop)))
		},
		"LTRIM": func(c *commands, op *oracle.Op) oracle.Result {
			return okResult(c.LTrim(op.Key, int(op.Start), int(op.Stop)))
		},
	}
}

func setRunners() map[string]func(*commands, *oracle.Op) oracle.Result {
	return map[string]func(*commands, *oracle.Op) oracle.Result{
		"SADD": func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.SAdd(op.Key, op.Values...)) },
		"SREM": func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.SRem(op.Key, op.Values...)) },
		"SISMEMBER": func(c *commands, op *oracle.Op) oracle.Result {
			return boolResult(c.SIsMember(op.Key, op.Field))
		},
		"SMEMBERS": func(c *commands, op *oracle.Op) oracle.Result { return membersResult(c.SMembers(op.Key)) },
		"SCARD":    func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.SCard(op.Key)) },
		"SPOP": func(c *commands, op *oracle.Op) oracle.Result {
			member, err := c.SPop(op.Key)
			op.Field, op.Flags = member, op.Flags|oracle.Given
			return bytesResult([]byte(member), err)
		},
		"SINTER": func(c *commands, op *oracle.Op) oracle.Result { return membersResult(c.SInter(op.Keys...)) },
	}
}

// collectionDumpers reads whole values for the comparison with the model's.
func collectionDumpers() map[string]func(*commands, string, *oracle.Value) error {
	return map[string]func(*commands, string, *oracle.Value) error{
		"hash": func(c *commands, key string, v *oracle.Value) error {
			fields, err := c.HGetAll(key)
			v.Hash = textMap(fields)
			return err
		},
		"list": func(c *commands, key string, v *oracle.Value) error {
			values, err := c.LRange(key, 0, -1)
			v.List = texts(values)
			return err
		},
		"set": func(c *commands, key string, v *oracle.Value) error {
			members, err := c.SMembers(key)
			v.Set = make(map[string]struct{}, len(members))
			for _, m := range members {
				v.Set[m] = struct{}{}
			}
			return err
		},
	}
}
