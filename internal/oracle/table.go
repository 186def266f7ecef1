package oracle

import (
	"slices"
	"strconv"
)

// RedisArgs returns op as the words of a Redis command, for the database op.DB
// (but SWAPDB names its own). It is not ok for operations that Redis has not:
// those on queues and the clock.
func (op Op) RedisArgs() (args []string, ok bool) {
	c := commands()[op.Name]
	if c.args == nil {
		return nil, false
	}
	return append([]string{op.redisName()}, c.args(op)...), true
}

// redisName is the command that an operation is a form of.
func (op Op) redisName() string {
	switch op.Name {
	case "SETGET", "SETXX":
		return "SET"
	case "SETNX":
		if op.Flags.Has(HasTTL) || op.Flags.Has(Moment) {
			return "SET"
		}
		return op.Name
	case "INCRBYFLOAT64":
		return "INCRBYFLOAT"
	case "LCSLEN", "LCSIDX":
		return "LCS"
	default:
		return op.Name
	}
}

// int64s are numbers as arguments.
func int64s(ns ...int64) (args []string) {
	for _, n := range ns {
		args = append(args, strconv.FormatInt(n, 10))
	}
	return args
}

// words are the names of those flags that op has.
func (op Op) words(flags ...Flags) (args []string) {
	names := map[Flags]string{NX: "NX", XX: "XX", GT: "GT", LT: "LT", CH: "CH", KeepTTL: "KEEPTTL", Replace: "REPLACE", Persist: "PERSIST"}
	for _, f := range flags {
		if op.Flags.Has(f) {
			args = append(args, names[f])
		}
	}
	return args
}

// The arguments of commands that have no others.

func noArgs(Op) []string       { return nil }
func keyArgs(op Op) []string   { return []string{op.Key} }
func keysArgs(op Op) []string  { return op.Keys }
func rangeArgs(op Op) []string { return append([]string{op.Key}, int64s(op.Start, op.Stop)...) }
func fieldArgs(op Op) []string { return []string{op.Key, op.Field} }
func valueArgs(op Op) []string { return []string{op.Key, op.Value} }
func listArgs(op Op) []string  { return append([]string{op.Key}, op.Values...) }
func nArgs(op Op) []string     { return append([]string{op.Key}, int64s(op.N)...) }

// popArgs are those of LPOP and RPOP.
func popArgs(op Op) []string {
	if op.Flags.Has(HasCount) {
		return nArgs(op)
	}
	return keyArgs(op)
}

// The replies of commands: each sets the field of r that its method returns.

func (r *Result) int(n int64, err error) error              { r.Int = n; return err }
func (r *Result) yes(yes bool, err error) error             { r.Int = oneIf(yes); return err }
func (r *Result) str(s string, err error) error             { r.Str = s; return err }
func (r *Result) float(f float64, err error) error          { r.Float = f; return err }
func (r *Result) list(l []string, err error) error          { r.List = l; return err }
func (r *Result) optional(l []Optional, err error) error    { r.Optional = l; return err }
func (r *Result) fields(m map[string]string, e error) error { r.Map = m; return e }
func (r *Result) scored(l []Scored, err error) error        { r.Scored = l; return err }
func (r *Result) entries(l []Entry, err error) error        { r.Entries = l; return err }
func (r *Result) old(o Optional, set bool, err error) error {
	r.Optional, r.Int = []Optional{o}, oneIf(!set)
	return err
}
func (r *Result) message(m Message, err error) error { r.Message = m; return err }

// expireOptions are the options of EXPIRE in op.
func (op Op) expireOptions() ExpireOptions {
	return ExpireOptions{NX: op.Flags.Has(NX), XX: op.Flags.Has(XX), GT: op.Flags.Has(GT), LT: op.Flags.Has(LT)}
}

// keyCommands are those of keys of any type.
func keyCommands() map[string]command {
	del := func(d *DB, op Op, r *Result) error { return r.int(d.Del(op.DB, op.Keys...)) }
	exists := func(d *DB, op Op, r *Result) error { return r.int(d.Exists(op.DB, op.Keys...)) }
	renameArgs := func(op Op) []string { return []string{op.Key, op.Dst} }
	return map[string]command{
		"DEL":    {del, keysArgs},
		"UNLINK": {del, keysArgs},
		"EXISTS": {exists, keysArgs},
		"TOUCH":  {exists, keysArgs},
		"TYPE":   {func(d *DB, op Op, r *Result) error { return r.str(d.Type(op.DB, op.Key)) }, keyArgs},
		"RENAME": {func(d *DB, op Op, _ *Result) error { return d.Rename(op.DB, op.Key, op.Dst) }, renameArgs},
		"RENAMENX": {
			func(d *DB, op Op, r *Result) error { return r.yes(d.RenameNX(op.DB, op.Key, op.Dst)) },
			renameArgs,
		},
		"COPY": {
			func(d *DB, op Op, r *Result) error {
				return r.yes(d.Copy(op.DB, op.Key, op.DstDB, op.Dst, op.Flags.Has(Replace)))
			},
			func(op Op) []string {
				return append([]string{op.Key, op.Dst, "DB", strconv.Itoa(op.DstDB)}, op.words(Replace)...)
			},
		},
		"OBJECT": {objectCommand, func(op Op) []string { return []string{op.Field, op.Key} }},
		"MOVE": {
			func(d *DB, op Op, r *Result) error { return r.yes(d.Move(op.DB, op.Key, op.DstDB)) },
			func(op Op) []string { return []string{op.Key, strconv.Itoa(op.DstDB)} },
		},
	}
}

// objectCommand runs an OBJECT.
func objectCommand(d *DB, op Op, r *Result) error {
	switch op.Field {
	case "ENCODING":
		return r.str(d.Encoding(op.DB, op.Key))
	case "REFCOUNT":
		return r.int(d.RefCount(op.DB, op.Key))
	case "IDLETIME":
		return r.int(d.IdleTime(op.DB, op.Key, op.N))
	default:
		return r.int(d.Freq(op.DB, op.Key))
	}
}

// expireCommands are those of deadlines.
func expireCommands() map[string]command {
	expire := func(fn func(d *DB, db int, key string, n int64, o ExpireOptions) (bool, error)) command {
		return command{
			func(d *DB, op Op, r *Result) error { return r.yes(fn(d, op.DB, op.Key, op.N, op.expireOptions())) },
			func(op Op) []string { return append(nArgs(op), op.words(NX, XX, GT, LT)...) },
		}
	}
	ask := func(fn func(d *DB, db int, key string) (int64, error)) command {
		return command{func(d *DB, op Op, r *Result) error { return r.int(fn(d, op.DB, op.Key)) }, keyArgs}
	}
	return map[string]command{
		"EXPIRE":      expire((*DB).Expire),
		"PEXPIRE":     expire((*DB).PExpire),
		"EXPIREAT":    expire((*DB).ExpireAt),
		"PEXPIREAT":   expire((*DB).PExpireAt),
		"EXPIRETIME":  ask((*DB).ExpireTime),
		"PEXPIRETIME": ask((*DB).PExpireTime),
		"TTL":         ask((*DB).TTL),
		"PTTL":        ask((*DB).PTTL),
		"PERSIST":     {func(d *DB, op Op, r *Result) error { return r.yes(d.Persist(op.DB, op.Key)) }, keyArgs},
	}
}

// databaseCommands are those of whole databases, and of the clock.
func databaseCommands() map[string]command {
	return map[string]command{
		"KEYS": {
			func(d *DB, op Op, r *Result) error { return r.list(d.Keys(op.DB, op.Value)) },
			func(op Op) []string { return []string{op.Value} },
		},
		"SCAN": {
			func(d *DB, op Op, r *Result) error { return r.list(d.Scan(op.DB, op.Value, op.Field)) },
			func(op Op) []string {
				args := []string{"0", "MATCH", op.Value, "COUNT", "1000000000"} // all at once
				if op.Field != "" {
					args = append(args, "TYPE", op.Field)
				}
				return args
			},
		},
		"RANDOMKEY": {
			func(d *DB, op Op, r *Result) error {
				if !op.Flags.Has(Given) {
					op.Field = d.first(op.DB)
				}
				return r.str(d.RandomKey(op.DB, op.Field))
			},
			noArgs,
		},
		"DBSIZE":  {func(d *DB, op Op, r *Result) error { return r.int(d.DBSize(op.DB)) }, noArgs},
		"FLUSHDB": {func(d *DB, op Op, _ *Result) error { return d.FlushDB(op.DB) }, noArgs},
		"FLUSHALL": {
			func(d *DB, op Op, _ *Result) error {
				if err := d.check(op.DB); err != nil {
					return err
				}
				d.FlushAll()
				return nil
			},
			noArgs,
		},
		"SWAPDB": {
			func(d *DB, op Op, _ *Result) error { return d.SwapDB(op.DB, op.DstDB) },
			func(op Op) []string { return []string{strconv.Itoa(op.DB), strconv.Itoa(op.DstDB)} },
		},
		"ADVANCE": {func(d *DB, op Op, _ *Result) error { d.Advance(op.N); return nil }, nil},
	}
}

// first is the first key of db, for a RANDOMKEY that the library did not run.
func (d *DB) first(db int) string {
	list, err := d.Keys(db, "*")
	if err != nil || len(list) == 0 {
		return ""
	}
	return list[0]
}

// hashCommands are those of hashes.
func hashCommands() map[string]command {
	return map[string]command{
		"HSET":    {func(d *DB, op Op, r *Result) error { return r.int(d.HSet(op.DB, op.Key, op.Values...)) }, listArgs},
		"HGET":    {func(d *DB, op Op, r *Result) error { return r.str(d.HGet(op.DB, op.Key, op.Field)) }, fieldArgs},
		"HDEL":    {func(d *DB, op Op, r *Result) error { return r.int(d.HDel(op.DB, op.Key, op.Values...)) }, listArgs},
		"HLEN":    {func(d *DB, op Op, r *Result) error { return r.int(d.HLen(op.DB, op.Key)) }, keyArgs},
		"HGETALL": {func(d *DB, op Op, r *Result) error { return r.fields(d.HGetAll(op.DB, op.Key)) }, keyArgs},
	}
}

// popped runs LPOP or RPOP, which reply with a value or, with a count, a list.
func popped(op Op, r *Result, pop func(db int, key string, count int64) ([]string, error)) error {
	if op.Flags.Has(HasCount) {
		return r.list(pop(op.DB, op.Key, op.N))
	}
	list, err := pop(op.DB, op.Key, 1)
	if err == nil {
		r.Str = list[0]
	}
	return err
}

// listCommands are those of lists.
func listCommands() map[string]command {
	return map[string]command{
		"LPUSH":  {func(d *DB, op Op, r *Result) error { return r.int(d.LPush(op.DB, op.Key, op.Values...)) }, listArgs},
		"RPUSH":  {func(d *DB, op Op, r *Result) error { return r.int(d.RPush(op.DB, op.Key, op.Values...)) }, listArgs},
		"LPOP":   {func(d *DB, op Op, r *Result) error { return popped(op, r, d.LPop) }, popArgs},
		"RPOP":   {func(d *DB, op Op, r *Result) error { return popped(op, r, d.RPop) }, popArgs},
		"LLEN":   {func(d *DB, op Op, r *Result) error { return r.int(d.LLen(op.DB, op.Key)) }, keyArgs},
		"LINDEX": {func(d *DB, op Op, r *Result) error { return r.str(d.LIndex(op.DB, op.Key, op.N)) }, nArgs},
		"LINSERT": {
			func(d *DB, op Op, r *Result) error {
				return r.int(d.LInsert(op.DB, op.Key, op.Flags.Has(Before), op.Field, op.Value))
			},
			func(op Op) []string {
				where := "AFTER"
				if op.Flags.Has(Before) {
					where = "BEFORE"
				}
				return []string{op.Key, where, op.Field, op.Value}
			},
		},
		"LRANGE": {
			func(d *DB, op Op, r *Result) error { return r.list(d.LRange(op.DB, op.Key, op.Start, op.Stop)) },
			rangeArgs,
		},
		"LTRIM": {func(d *DB, op Op, _ *Result) error { return d.LTrim(op.DB, op.Key, op.Start, op.Stop) }, rangeArgs},
	}
}

// setCommands are those of sets.
func setCommands() map[string]command {
	return map[string]command{
		"SADD": {func(d *DB, op Op, r *Result) error { return r.int(d.SAdd(op.DB, op.Key, op.Values...)) }, listArgs},
		"SREM": {func(d *DB, op Op, r *Result) error { return r.int(d.SRem(op.DB, op.Key, op.Values...)) }, listArgs},
		"SISMEMBER": {
			func(d *DB, op Op, r *Result) error { return r.yes(d.SIsMember(op.DB, op.Key, op.Field)) },
			fieldArgs,
		},
		"SMEMBERS": {func(d *DB, op Op, r *Result) error { return r.list(d.SMembers(op.DB, op.Key)) }, keyArgs},
		"SCARD":    {func(d *DB, op Op, r *Result) error { return r.int(d.SCard(op.DB, op.Key)) }, keyArgs},
		"SPOP": {
			func(d *DB, op Op, r *Result) error {
				if !op.Flags.Has(Given) {
					members, _ := d.SMembers(op.DB, op.Key) // SPop meets the same error
					op.Field = slices.Concat(members, []string{""})[0]
				}
				return r.str(d.SPop(op.DB, op.Key, op.Field))
			},
			keyArgs,
		},
		"SINTER": {func(d *DB, op Op, r *Result) error { return r.list(d.SInter(op.DB, op.Keys...)) }, keysArgs},
	}
}

// zaddOptions are the options of ZADD in op.
func (op Op) zaddOptions() ZAddOptions {
	return ZAddOptions{
		NX: op.Flags.Has(NX), XX: op.Flags.Has(XX), GT: op.Flags.Has(GT), LT: op.Flags.Has(LT), CH: op.Flags.Has(CH),
	}
}

// zsetCommands are those of sorted sets.
func zsetCommands() map[string]command {
	return map[string]command{
		"ZADD": {
			func(d *DB, op Op, r *Result) error {
				return r.int(d.ZAdd(op.DB, op.Key, op.zaddOptions(), op.Scored...))
			},
			func(op Op) []string {
				args := append(keyArgs(op), op.words(NX, XX, GT, LT, CH)...)
				for _, m := range op.Scored {
					args = append(args, strconv.FormatFloat(m.Score, 'g', -1, 64), m.Member)
				}
				return args
			},
		},
		"ZREM":   {func(d *DB, op Op, r *Result) error { return r.int(d.ZRem(op.DB, op.Key, op.Values...)) }, listArgs},
		"ZSCORE": {func(d *DB, op Op, r *Result) error { return r.float(d.ZScore(op.DB, op.Key, op.Field)) }, fieldArgs},
		"ZRANK":  {func(d *DB, op Op, r *Result) error { return r.int(d.ZRank(op.DB, op.Key, op.Field)) }, fieldArgs},
		"ZRANGE": {
			func(d *DB, op Op, r *Result) error { return r.scored(d.ZRange(op.DB, op.Key, op.Start, op.Stop)) },
			func(op Op) []string { return append(rangeArgs(op), "WITHSCORES") },
		},
		"ZCARD": {func(d *DB, op Op, r *Result) error { return r.int(d.ZCard(op.DB, op.Key)) }, keyArgs},
	}
}

// streamCommands are those of streams.
func streamCommands() map[string]command {
	return map[string]command{
		"XADD": {
			func(d *DB, op Op, r *Result) error { return r.str(d.XAdd(op.DB, op.Key, op.ID, op.Values...)) },
			func(op Op) []string { return append([]string{op.Key, op.ID}, op.Values...) },
		},
		"XRANGE": {
			func(d *DB, op Op, r *Result) error {
				count := int64(-1)
				if op.Flags.Has(HasCount) {
					count = op.N
				}
				return r.entries(d.XRange(op.DB, op.Key, op.ID, op.EndID, count))
			},
			func(op Op) []string {
				args := []string{op.Key, op.ID, op.EndID}
				if op.Flags.Has(HasCount) {
					args = append(append(args, "COUNT"), int64s(op.N)...)
				}
				return args
			},
		},
		"XLEN": {func(d *DB, op Op, r *Result) error { return r.int(d.XLen(op.DB, op.Key)) }, keyArgs},
		"XDEL": {func(d *DB, op Op, r *Result) error { return r.int(d.XDel(op.DB, op.Key, op.Values...)) }, listArgs},
	}
}

// queueCommands are those of queues.
func queueCommands() map[string]command {
	return map[string]command{
		"QDECLARE": {func(d *DB, op Op, r *Result) error { return r.int(d.Declare(op.Key), nil) }, nil},
		"QPUBLISH": {func(d *DB, op Op, _ *Result) error { return d.Publish(op.Key, op.Value) }, nil},
		"QGET": {
			func(d *DB, op Op, r *Result) (err error) {
				r.Message, r.Int, err = d.Receive(op.Key)
				return err
			},
			nil,
		},
		"QACK": {func(d *DB, op Op, r *Result) error { return r.message(d.Ack(op.Key, op.N)) }, nil},
		"QNACK": {
			func(d *DB, op Op, r *Result) error { return r.message(d.Nack(op.Key, op.N, op.Flags.Has(Requeue))) },
			nil,
		},
		"QPURGE":  {func(d *DB, op Op, r *Result) error { return r.int(d.Purge(op.Key)) }, nil},
		"QDELETE": {func(d *DB, op Op, r *Result) error { return r.int(d.DeleteQueue(op.Key)) }, nil},
	}
}
