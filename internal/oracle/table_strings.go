package oracle

import (
	"errors"
	"math"
	"slices"
	"strconv"
)

// set is the reply whether a value was set.
func (r *Result) set(err error) error {
	r.Int = oneIf(err == nil)
	if errors.Is(err, ErrNotSet) {
		err = nil
	}
	return err
}

// setOptions are the options of SET in op.
func (op Op) setOptions() SetOptions {
	return SetOptions{
		HasTTL: op.Flags.Has(HasTTL), Moment: op.Flags.Has(Moment), N: op.N,
		KeepTTL: op.Flags.Has(KeepTTL), NX: op.Flags.Has(NX), XX: op.Flags.Has(XX),
	}
}

// expiryArgs are the time to live, in seconds where it is whole ones.
func (op Op) expiryArgs() []string {
	words := [2]string{"EX", "PX"}
	switch {
	case op.Flags.Has(Moment):
		words = [2]string{"EXAT", "PXAT"}
	case !op.Flags.Has(HasTTL):
		return nil
	}
	if op.N%1000 == 0 {
		return append([]string{words[0]}, int64s(op.N/1000)...)
	}
	return append([]string{words[1]}, int64s(op.N)...)
}

// setArgs are those of SET.
func setArgs(op Op) []string {
	return slices.Concat(valueArgs(op), op.words(NX, XX, KeepTTL), op.expiryArgs())
}

// pairArgs are keys with their values.
func pairArgs(op Op) (args []string) {
	for i, key := range op.Keys {
		args = append(args, key, op.Values[i])
	}
	return args
}

// stringCommands are those of strings.
func stringCommands() map[string]command {
	return map[string]command{
		"SET": {func(d *DB, op Op, _ *Result) error { return d.Set(op.DB, op.Key, op.Value, op.setOptions()) }, setArgs},
		"SETGET": {
			func(d *DB, op Op, r *Result) error { return r.old(d.SetGet(op.DB, op.Key, op.Value, op.setOptions())) },
			func(op Op) []string { return append(setArgs(op), "GET") },
		},
		"GETSET": {
			func(d *DB, op Op, r *Result) error { return r.old(d.SetGet(op.DB, op.Key, op.Value, SetOptions{})) },
			valueArgs,
		},
		"SETNX": {
			func(d *DB, op Op, r *Result) error {
				o := op.setOptions()
				o.NX = true
				return r.set(d.Set(op.DB, op.Key, op.Value, o))
			},
			func(op Op) []string {
				if op.redisName() == "SETNX" {
					return valueArgs(op)
				}
				op.Flags |= NX
				return setArgs(op)
			},
		},
		"SETXX": {
			func(d *DB, op Op, r *Result) error {
				o := op.setOptions()
				o.XX = true
				return r.set(d.Set(op.DB, op.Key, op.Value, o))
			},
			func(op Op) []string { op.Flags |= XX; return setArgs(op) },
		},
		"SETEX": {
			func(d *DB, op Op, _ *Result) error { return d.SetEX(op.DB, op.Key, op.Value, op.N, 1000, "setex") },
			func(op Op) []string { return append(nArgs(op), op.Value) },
		},
		"PSETEX": {
			func(d *DB, op Op, _ *Result) error { return d.SetEX(op.DB, op.Key, op.Value, op.N, 1, "psetex") },
			func(op Op) []string { return append(nArgs(op), op.Value) },
		},
		"GETEX": {
			func(d *DB, op Op, r *Result) error {
				return r.str(d.GetEx(op.DB, op.Key, op.setOptions(), op.Flags.Has(Persist)))
			},
			func(op Op) []string { return slices.Concat(keyArgs(op), op.expiryArgs(), op.words(Persist)) },
		},
		"GET":    {func(d *DB, op Op, r *Result) error { return r.str(d.Get(op.DB, op.Key)) }, keyArgs},
		"GETDEL": {func(d *DB, op Op, r *Result) error { return r.str(d.GetDel(op.DB, op.Key)) }, keyArgs},
		"MSET":   {func(d *DB, op Op, _ *Result) error { return d.MSet(op.DB, op.Keys, op.Values) }, pairArgs},
		"MSETNX": {func(d *DB, op Op, r *Result) error { return r.yes(d.MSetNX(op.DB, op.Keys, op.Values)) }, pairArgs},
		"MGET":   {func(d *DB, op Op, r *Result) error { return r.optional(d.MGet(op.DB, op.Keys...)) }, keysArgs},
		"APPEND": {func(d *DB, op Op, r *Result) error { return r.int(d.Append(op.DB, op.Key, op.Value)) }, valueArgs},
		"GETRANGE": {
			func(d *DB, op Op, r *Result) error { return r.str(d.GetRange(op.DB, op.Key, op.Start, op.Stop)) },
			rangeArgs,
		},
		"SETRANGE": {
			func(d *DB, op Op, r *Result) error { return r.int(d.SetRange(op.DB, op.Key, op.N, op.Value)) },
			func(op Op) []string { return append(nArgs(op), op.Value) },
		},
		"STRLEN": {func(d *DB, op Op, r *Result) error { return r.int(d.StrLen(op.DB, op.Key)) }, keyArgs},
	}
}

// numberCommands are those of numbers in strings, and of two strings.
func numberCommands() map[string]command {
	return map[string]command{
		"INCR":   {func(d *DB, op Op, r *Result) error { return r.int(d.Incr(op.DB, op.Key)) }, keyArgs},
		"INCRBY": {func(d *DB, op Op, r *Result) error { return r.int(d.IncrBy(op.DB, op.Key, op.N)) }, nArgs},
		"DECR":   {func(d *DB, op Op, r *Result) error { return r.int(d.DecrBy(op.DB, op.Key, 1)) }, keyArgs},
		"DECRBY": {func(d *DB, op Op, r *Result) error { return r.int(d.DecrBy(op.DB, op.Key, op.N)) }, nArgs},
		"INCRBYFLOAT": {
			func(d *DB, op Op, r *Result) error { return r.str(d.IncrByFloat(op.DB, op.Key, op.Value)) },
			valueArgs,
		},
		"INCRBYFLOAT64": {
			func(d *DB, op Op, r *Result) error {
				sum, err := d.IncrByFloat(op.DB, op.Key, op.Value)
				r.Float, _ = strconv.ParseFloat(sum, 64) // what is too large for it is infinite
				return err
			},
			valueArgs,
		},
		"LCS": {
			func(d *DB, op Op, r *Result) error {
				common, _, err := d.LCS(op.DB, op.Keys, 0)
				return r.str(common, err)
			},
			keysArgs,
		},
		"LCSLEN": {
			func(d *DB, op Op, r *Result) error {
				common, _, err := d.LCS(op.DB, op.Keys, 0)
				return r.int(int64(len(common)), err)
			},
			func(op Op) []string { return append(slices.Clone(op.Keys), "LEN") },
		},
		"LCSIDX": {
			func(d *DB, op Op, r *Result) error {
				common, matches, err := d.LCS(op.DB, op.Keys, op.N)
				r.Matches = matches
				return r.int(int64(len(common)), err)
			},
			func(op Op) []string {
				return slices.Concat(op.Keys, []string{"IDX", "MINMATCHLEN"}, int64s(op.N), []string{"WITHMATCHLEN"})
			},
		},
	}
}

// bitCommands are those of bitmaps.
func bitCommands() map[string]command {
	return map[string]command{
		"SETBIT": {
			func(d *DB, op Op, r *Result) error { return r.int(d.SetBit(op.DB, op.Key, op.N, op.Bit)) },
			func(op Op) []string { return append(nArgs(op), strconv.Itoa(op.Bit)) },
		},
		"GETBIT": {func(d *DB, op Op, r *Result) error { return r.int(d.GetBit(op.DB, op.Key, op.N)) }, nArgs},
		"BITCOUNT": {
			func(d *DB, op Op, r *Result) error {
				if !op.Flags.Has(HasRange) {
					return r.int(d.BitCount(op.DB, op.Key))
				}
				return r.int(d.BitCountRange(op.DB, op.Key, op.Start, op.Stop, op.Flags.Has(InBits)))
			},
			func(op Op) []string {
				switch {
				case op.Flags.Has(HasRange | InBits):
					return append(rangeArgs(op), "BIT")
				case op.Flags.Has(HasRange):
					return rangeArgs(op)
				default:
					return keyArgs(op)
				}
			},
		},
		"BITPOS": {
			func(d *DB, op Op, r *Result) error {
				start, stop := op.Start, op.Stop
				if !op.Flags.Has(HasRange) {
					stop = math.MaxInt64
					if !op.Flags.Has(HasStart) {
						start = 0
					}
				}
				return r.int(d.BitPos(op.DB, op.Key, op.Bit, start, stop, op.Flags.Has(InBits), !op.Flags.Has(HasRange)))
			},
			func(op Op) []string {
				args := append([]string{op.Key}, strconv.Itoa(op.Bit))
				switch {
				case op.Flags.Has(HasRange):
					args = append(args, int64s(op.Start, op.Stop)...)
				case op.Flags.Has(HasStart):
					args = append(args, int64s(op.Start)...)
				}
				if op.Flags.Has(InBits) {
					args = append(args, "BIT")
				}
				return args
			},
		},
		"BITOP": {
			func(d *DB, op Op, r *Result) error { return r.int(d.BitOp(op.DB, op.Value, op.Dst, op.Keys)) },
			func(op Op) []string { return append([]string{op.Value, op.Dst}, op.Keys...) },
		},
		"BITFIELD": {
			func(d *DB, op Op, r *Result) error { return r.optional(d.BitField(op.DB, op.Key, op.Steps, false)) },
			stepArgs,
		},
		"BITFIELD_RO": {
			func(d *DB, op Op, r *Result) error { return r.optional(d.BitField(op.DB, op.Key, op.Steps, true)) },
			stepArgs,
		},
	}
}

// stepArgs are those of BITFIELD.
func stepArgs(op Op) []string {
	args := keyArgs(op)
	for _, s := range op.Steps {
		args = append(args, s.args()...)
	}
	return args
}
