package brock

import (
	"errors"
	"strconv"
	"time"

	"github.com/brockdb/brock/internal/oracle"
)

// expiryOf returns the time to live or the moment of an operation.
func expiryOf(op *oracle.Op) []Expiry {
	whole := op.N%1000 == 0
	switch at := time.UnixMilli(op.N); {
	case op.Flags.Has(oracle.HasTTL) && whole:
		return []Expiry{EX(ms(op.N))}
	case op.Flags.Has(oracle.HasTTL):
		return []Expiry{PX(ms(op.N))}
	case op.Flags.Has(oracle.Moment) && whole:
		return []Expiry{EXAT(at)}
	case op.Flags.Has(oracle.Moment):
		return []Expiry{PXAT(at)}
	}
	return nil
}

// setOptionsOf returns the options of a SET.
func setOptionsOf(op *oracle.Op) (opts []SetOption) {
	for flag, opt := range map[oracle.Flags]SetOption{oracle.NX: NX, oracle.XX: XX, oracle.KeepTTL: KeepTTL} {
		if op.Flags.Has(flag) {
			opts = append(opts, opt)
		}
	}
	for _, e := range expiryOf(op) {
		opts = append(opts, e)
	}
	return opts
}

// pairsOf returns the keys of an operation with their values.
func pairsOf(op *oracle.Op) (pairs []KV) {
	for i := range op.Keys {
		pairs = append(pairs, KV{op.Keys[i], []byte(op.Values[i])})
	}
	return pairs
}

// stepsOf returns the steps of a BITFIELD.
func stepsOf(op *oracle.Op) (ops []BitFieldOp) {
	for _, s := range op.Steps {
		var typ BitType
		if s.Name != "OVERFLOW" {
			bits, _ := strconv.Atoi(s.Type[1:])
			if typ = Uint(bits); s.Type[0] == 'i' {
				typ = Int(bits)
			}
		}
		switch s.Name {
		case "OVERFLOW":
			ops = append(ops, map[string]Overflow{"WRAP": Wrap, "SAT": Sat, "FAIL": Fail}[s.Type])
		case "GET":
			ops = append(ops, BitGet{typ, s.Offset})
		case "SET":
			ops = append(ops, BitSet{typ, s.Offset, s.N})
		case "INCRBY":
			ops = append(ops, BitIncrBy{typ, s.Offset, s.N})
		}
	}
	return ops
}

// fieldsResult is the reply to a BITFIELD.
func fieldsResult(results []OptionalInt, err error) oracle.Result {
	if err != nil {
		return failed(err)
	}
	r := oracle.Result{}
	for _, v := range results {
		o := oracle.Optional{OK: v.OK}
		if v.OK {
			o.Value = strconv.FormatInt(v.Value, 10)
		}
		r.Optional = append(r.Optional, o)
	}
	return r
}

// oldResult is what a SET with GET has found, and whether it was refused.
func oldResult(old []byte, err error) oracle.Result {
	r := oracle.Result{Optional: []oracle.Optional{{Value: string(old), OK: old != nil}}}
	switch {
	case errors.Is(err, ErrNotSet):
		r.Int = 1
	case err != nil:
		return failed(err)
	}
	return r
}

func stringRunners() map[string]func(*commands, *oracle.Op) oracle.Result {
	return map[string]func(*commands, *oracle.Op) oracle.Result{
		"SET": func(c *commands, op *oracle.Op) oracle.Result {
			return okResult(c.Set(op.Key, []byte(op.Value), setOptionsOf(op)...))
		},
		"SETGET": func(c *commands, op *oracle.Op) oracle.Result {
			return oldResult(c.SetGet(op.Key, []byte(op.Value), setOptionsOf(op)...))
		},
		"GETSET": func(c *commands, op *oracle.Op) oracle.Result {
			return oldResult(c.GetSet(op.Key, []byte(op.Value)))
		},
		"SETNX": func(c *commands, op *oracle.Op) oracle.Result {
			return boolResult(c.SetNX(op.Key, []byte(op.Value), expiryOf(op)...))
		},
		"SETXX": func(c *commands, op *oracle.Op) oracle.Result {
			return boolResult(c.SetXX(op.Key, []byte(op.Value), expiryOf(op)...))
		},
		"SETEX": func(c *commands, op *oracle.Op) oracle.Result {
			return okResult(c.SetEX(op.Key, []byte(op.Value), time.Duration(op.N)*time.Second))
		},
		"PSETEX": func(c *commands, op *oracle.Op) oracle.Result {
			return okResult(c.PSetEX(op.Key, []byte(op.Value), ms(op.N)))
		},
		"GETEX": func(c *commands, op *oracle.Op) oracle.Result {
			var opts []GetExOption
			for _, e := range expiryOf(op) {
				opts = append(opts, e)
			}
			if op.Flags.Has(oracle.Persist) {
				opts = append(opts, Persist)
			}
			return bytesResult(c.GetEx(op.Key, opts...))
		},
		"GET":    func(c *commands, op *oracle.Op) oracle.Result { return bytesResult(c.Get(op.Key)) },
		"GETDEL": func(c *commands, op *oracle.Op) oracle.Result { return bytesResult(c.GetDel(op.Key)) },
		"MSET":   func(c *commands, op *oracle.Op) oracle.Result { return okResult(c.MSet(pairsOf(op)...)) },
		"MSETNX": func(c *commands, op *oracle.Op) oracle.Result { return boolResult(c.MSetNX(pairsOf(op)...)) },
		"MGET": func(c *commands, op *oracle.Op) oracle.Result {
			values, err := c.MGet(op.Keys...)
			if err != nil {
				return failed(err)
			}
			r := oracle.Result{}
			for _, v := range values {
				r.Optional = append(r.Optional, oracle.Optional{Value: string(v), OK: v != nil})
			}
			return r
		},
		"INCR":   func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.Incr(op.Key)) },
		"INCRBY": func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.IncrBy(op.Key, op.N)) },
		"DECR":   func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.Decr(op.Key)) },
		"DECRBY": func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.DecrBy(op.Key, op.N)) },
		"INCRBYFLOAT": func(c *commands, op *oracle.Op) oracle.Result {
			sum, err := c.IncrByDecimal(op.Key, op.Value)
			return bytesResult([]byte(sum), err)
		},
		"INCRBYFLOAT64": func(c *commands, op *oracle.Op) oracle.Result {
			by, _ := strconv.ParseFloat(op.Value, 64)
			sum, err := c.IncrByFloat(op.Key, by)
			if err != nil {
				return failed(err)
			}
			return oracle.Result{Float: sum}
		},
		"LCS":    func(c *commands, op *oracle.Op) oracle.Result { return bytesResult(c.LCS(op.Keys[0], op.Keys[1])) },
		"LCSLEN": func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.LCSLen(op.Keys[0], op.Keys[1])) },
		"LCSIDX": func(c *commands, op *oracle.Op) oracle.Result {
			matches, length, err := c.LCSIdx(op.Keys[0], op.Keys[1], int(op.N))
			r := intResult(length, err)
			for _, m := range matches {
				r.Matches = append(r.Matches, oracle.CommonRun{
					AStart: int64(m.A.Start), AStop: int64(m.A.Stop), BStart: int64(m.B.Start), BStop: int64(m.B.Stop), Len: int64(m.Len),
				})
			}
			return r
		},
		"APPEND": func(c *commands, op *oracle.Op) oracle.Result {
			return intResult(c.Append(op.Key, []byte(op.Value)))
		},
		"GETRANGE": func(c *commands, op *oracle.Op) oracle.Result {
			return bytesResult(c.GetRange(op.Key, int(op.Start), int(op.Stop)))
		},
		"SETRANGE": func(c *commands, op *oracle.Op) oracle.Result {
			return intResult(c.SetRange(op.Key, int(op.N), []byte(op.Value)))
		},
		"STRLEN": func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.StrLen(op.Key)) },
	}
}

func bitRunners() map[string]func(*commands, *oracle.Op) oracle.Result {
	return map[string]func(*commands, *oracle.Op) oracle.Result{
		"SETBIT": func(c *commands, op *oracle.Op) oracle.Result {
			if op.Bit&^1 != 0 && c.bad == nil && checkBit(op.N) == nil { // a bool cannot be wrong
				return failed(&redisError{ErrNotInteger, "ERR bit is not an integer or out of range"})
			}
			return boolResult(c.SetBit(op.Key, op.N, op.Bit == 1))
		},
		"GETBIT": func(c *commands, op *oracle.Op) oracle.Result { return boolResult(c.GetBit(op.Key, op.N)) },
		"BITCOUNT": func(c *commands, op *oracle.Op) oracle.Result {
			if !op.Flags.Has(oracle.HasRange) {
				return intResult(c.BitCount(op.Key))
			}
			unit := Byte
			if op.Flags.Has(oracle.InBits) {
				unit = Bit
			}
			return intResult(c.BitCountRange(op.Key, op.Start, op.Stop, unit))
		},
		"BITPOS": func(c *commands, op *oracle.Op) oracle.Result {
			unit := Byte
			if op.Flags.Has(oracle.InBits) {
				unit = Bit
			}
			switch {
			case op.Bit&^1 != 0 && c.bad == nil: // a bool cannot be wrong
				return failed(&redisError{ErrSyntax, "ERR The bit argument must be 1 or 0."})
			case op.Flags.Has(oracle.HasRange):
				return intResult(c.BitPosRange(op.Key, op.Bit == 1, op.Start, op.Stop, unit))
			case op.Flags.Has(oracle.HasStart):
				return intResult(c.BitPosFrom(op.Key, op.Bit == 1, op.Start))
			default:
				return intResult(c.BitPos(op.Key, op.Bit == 1))
			}
		},
		"BITOP": func(c *commands, op *oracle.Op) oracle.Result {
			return intResult(c.BitOp(map[string]BitOperation{"AND": And, "OR": Or, "XOR": Xor, "NOT": Not}[op.Value], op.Dst, op.Keys...))
		},
		"BITFIELD": func(c *commands, op *oracle.Op) oracle.Result {
			return fieldsResult(c.BitField(op.Key, stepsOf(op)...))
		},
		"BITFIELD_RO": func(c *commands, op *oracle.Op) oracle.Result {
			var gets []BitGet
			for _, step := range stepsOf(op) {
				gets = append(gets, step.(BitGet))
			}
			values, err := c.BitFieldRO(op.Key, gets...)
			results := make([]OptionalInt, len(values))
			for i, v := range values {
				results[i] = OptionalInt{v, true}
			}
			return fieldsResult(results, err)
		},
	}
}
