package oracle_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/oracle"
)

// redis is a connection to a redis-server of the test's own.
type redis struct {
	t    *testing.T
	conn *oracle.RedisConn
	db   int
}

// startRedis runs a redis-server in a directory of its own and connects to it.
func startRedis(t *testing.T) *redis {
	t.Helper()
	server, err := oracle.StartRedis(t.TempDir())
	if errors.Is(err, oracle.ErrNoRedis) {
		t.Skipf("%s: the model is not compared with it", err)
	}
	require.NoError(t, err)
	t.Cleanup(server.Close)
	conn, err := server.Connect()
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return &redis{t: t, conn: conn}
}

// send writes commands, without waiting for their replies.
func (c *redis) send(commands ...[]string) { require.NoError(c.t, c.conn.Send(commands...)) }

// do runs one command.
func (c *redis) do(args ...string) any {
	c.send(args)
	return c.reply()
}

// reply reads a reply.
func (c *redis) reply() any {
	reply, err := c.conn.Reply()
	require.NoError(c.t, err)
	return reply
}

// selectDB makes db the database of what follows, and returns an error reply
// if there is none.
func (c *redis) selectDB(db int) any {
	if db == c.db {
		return nil
	}
	if reply := c.do("SELECT", strconv.Itoa(db)); reply != "OK" {
		return reply
	}
	c.db = db
	return nil
}

// toStrings is an array of strings.
func toStrings(reply any) (list []string) {
	if reply == nil {
		return nil
	}
	for _, e := range reply.([]any) {
		list = append(list, e.(string))
	}
	return list
}

// toScored is a ZRANGE WITHSCORES.
func toScored(t *testing.T, reply any) (list []oracle.Scored) {
	t.Helper()
	words := toStrings(reply)
	for i := 0; i < len(words); i += 2 {
		score, err := strconv.ParseFloat(words[i+1], 64)
		require.NoError(t, err)
		list = append(list, oracle.Scored{Member: words[i], Score: score})
	}
	return list
}

// toEntries is an XRANGE.
func toEntries(reply any) (list []oracle.Entry) {
	if reply == nil {
		return nil
	}
	for _, e := range reply.([]any) {
		pair := e.([]any)
		list = append(list, oracle.Entry{ID: pair[0].(string), Fields: toStrings(pair[1])})
	}
	return list
}

// toRuns are the matches of an LCS with IDX.
func toRuns(reply any) (list []oracle.CommonRun) {
	for _, m := range reply.([]any) {
		m := m.([]any)
		a, b := m[0].([]any), m[1].([]any)
		list = append(list, oracle.CommonRun{
			AStart: a[0].(int64), AStop: a[1].(int64), BStart: b[0].(int64), BStop: b[1].(int64), Len: m[2].(int64),
		})
	}
	return list
}

// What the name of an error is for a reply, which does not tell more.
const (
	isError = "error"
	isNil   = "nil"
)

// reduced is r with isError or isNil for the name of its error.
func reduced(r oracle.Result) oracle.Result {
	switch {
	case r.Err == "":
	case r.Text == "":
		r.Err = isNil
	default:
		r.Err = isError
	}
	return r
}

// toResult is the reply to op as the model gives it, reduced.
func toResult(t *testing.T, op oracle.Op, reply any) (r oracle.Result) {
	t.Helper()
	switch reply := reply.(type) {
	case oracle.RedisError:
		r.Err, r.Text = isError, string(reply)
		return r
	case int64:
		r.Int = reply
		return r
	case nil:
		switch op.Name {
		case "XRANGE": // with COUNT 0 it is no array, but no entries
		case "SETNX", "SETXX": // not set
		case "SETGET", "GETSET":
			r.Optional = []oracle.Optional{{}}
		default:
			r.Err = isNil
		}
		return r
	case string:
		switch op.Name {
		case "SET", "SETEX", "PSETEX", "MSET", "RENAME", "LTRIM", "FLUSHDB", "FLUSHALL", "SWAPDB":
			require.Equal(t, "OK", reply)
		case "SETNX", "SETXX":
			require.Equal(t, "OK", reply)
			r.Int = 1
		case "SETGET", "GETSET":
			r.Optional = []oracle.Optional{{Value: reply, OK: true}}
		case "ZSCORE", "INCRBYFLOAT64":
			float, err := strconv.ParseFloat(reply, 64)
			if op.Name == "ZSCORE" || !errors.Is(err, strconv.ErrRange) { // a sum may be infinite as a float64
				require.NoError(t, err)
			}
			r.Float = float
		default:
			r.Str = reply
		}
		return r
	}
	switch op.Name {
	case "BITFIELD", "BITFIELD_RO":
		for _, v := range reply.([]any) {
			n, ok := v.(int64)
			o := oracle.Optional{OK: ok}
			if ok {
				o.Value = strconv.FormatInt(n, 10)
			}
			r.Optional = append(r.Optional, o)
		}
	case "LCSIDX":
		pairs := reply.([]any)
		r.Matches, r.Int = toRuns(pairs[1]), pairs[3].(int64)
	case "MGET":
		for _, v := range reply.([]any) {
			s, ok := v.(string)
			r.Optional = append(r.Optional, oracle.Optional{Value: s, OK: ok})
		}
	case "HGETALL":
		words := toStrings(reply)
		r.Map = map[string]string{}
		for i := 0; i < len(words); i += 2 {
			r.Map[words[i]] = words[i+1]
		}
	case "ZRANGE":
		r.Scored = toScored(t, reply)
	case "XRANGE":
		r.Entries = toEntries(reply)
	default:
		if op.Name == "SCAN" {
			require.Equal(t, "0", reply.([]any)[0])
			reply = reply.([]any)[1]
		}
		r.List = toStrings(reply)
		if slices.Contains([]string{"KEYS", "SCAN", "SMEMBERS", "SINTER"}, op.Name) {
			slices.Sort(r.List)
		}
	}
	return r.Canon()
}

// dump reads all that redis holds.
func (c *redis) dump() oracle.Dump {
	dump := oracle.Dump{}
	for db := range 16 {
		require.Nil(c.t, c.selectDB(db))
		for _, key := range toStrings(c.do("KEYS", "*")) {
			if dump[db] == nil {
				dump[db] = map[string]oracle.Value{}
			}
			dump[db][key] = c.value(key)
		}
	}
	return dump
}

// value reads the value at key.
func (c *redis) value(key string) oracle.Value {
	c.send([]string{"TYPE", key}, []string{"PEXPIRETIME", key})
	v := oracle.Value{Type: c.reply().(string), Deadline: max(c.reply().(int64), 0)}
	switch v.Type {
	case oracle.TypeString:
		if v.String = []byte(c.do("GET", key).(string)); len(v.String) == 0 {
			v.String = nil
		}
	case oracle.TypeHash:
		v.Hash = toResult(c.t, oracle.Op{Name: "HGETALL"}, c.do("HGETALL", key)).Map
	case oracle.TypeList:
		v.List = toStrings(c.do("LRANGE", key, "0", "-1"))
	case oracle.TypeSet:
		v.Set = map[string]struct{}{}
		for _, m := range toStrings(c.do("SMEMBERS", key)) {
			v.Set[m] = struct{}{}
		}
	case oracle.TypeZSet:
		v.ZSet = toScored(c.t, c.do("ZRANGE", key, "0", "-1", "WITHSCORES"))
	case oracle.TypeStream:
		v.Stream = toEntries(c.do("XRANGE", key, "-", "+"))
		info := c.do("XINFO", "STREAM", key).([]any)
		v.StreamLastID = info[slices.Index(info, any("last-generated-id"))+1].(string)
	}
	return v
}

// tolerance is how far the clocks of the model and of Redis may be apart.
const tolerance = 2 * time.Second

// near gives got the deadlines of want where they differ within the tolerance.
func near(want, got oracle.Dump) {
	for db, keys := range got {
		for key, v := range keys {
			w := want[db][key]
			if w.Deadline != 0 && v.Deadline != 0 && abs(w.Deadline-v.Deadline) < tolerance.Milliseconds() {
				v.Deadline = w.Deadline
				keys[key] = v
			}
		}
	}
}

// abs is the absolute value of n.
func abs(n int64) int64 { return max(n, -n) }

// seed is that of the environment, or a new one; the log tells.
func seed(t *testing.T) uint64 {
	t.Helper()
	s := rand.Uint64()
	if v := os.Getenv("SEED"); v != "" {
		var err error
		s, err = strconv.ParseUint(v, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("SEED=%d", s)
	return s
}

// TestRedis runs random operations on the model and on redis-server.
// OPS= sets how many.
func TestRedis(t *testing.T) {
	c := startRedis(t)
	ops := 20_000
	if v := os.Getenv("OPS"); v != "" {
		var err error
		ops, err = strconv.Atoi(v)
		require.NoError(t, err)
	}
	model := oracle.New(16)
	model.Now = time.Now().UnixMilli()
	g := oracle.NewGenerator(seed(t), oracle.Config{
		Start:   model.Now,
		MinTTL:  time.Hour.Milliseconds(), // nothing expires while this runs
		Weights: weightsOfRedis(),
	})
	kinds := map[string]int{}
	for i, op := range g.Take(ops) {
		model.Now = time.Now().UnixMilli()
		want := compare(t, c, model, op, i)
		kinds[want.Err]++
		if i%2000 == 1999 || i == ops-1 {
			want, got := model.Dump(), c.dump()
			near(want, got)
			require.Empty(t, want.Diff(got), "dump after operation %d", i)
		}
	}
	t.Logf("%d operations, by error: %v", ops, kinds)
}

// TestRedisFamilies runs random operations of one family on the model and on
// redis-server, so that they meet more often.
func TestRedisFamilies(t *testing.T) {
	for family, prefixes := range map[string][]string{
		"bitmaps": {"BIT", "SETBIT", "GETBIT", "GETDEL"},
		"strings": {"SET", "GET", "INCR", "DECR", "APPEND", "STRLEN", "MSET", "MGET", "LCS", "PSETEX", "PTTL"},
	} {
		t.Run(family, func(t *testing.T) {
			c := startRedis(t)
			model := oracle.New(16)
			weights := weightsOfRedis()
			for name := range oracle.NewGenerator(0, oracle.Config{}).Weights() {
				if !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
					weights[name] = 0
				}
			}
			g := oracle.NewGenerator(seed(t), oracle.Config{
				Start: time.Now().UnixMilli(), MinTTL: time.Hour.Milliseconds(), Weights: weights, Keys: 14, MaxBit: 1000,
			})
			for i, op := range g.Take(10_000) {
				model.Now = time.Now().UnixMilli()
				compare(t, c, model, op, i)
			}
			want, got := model.Dump(), c.dump()
			near(want, got)
			require.Empty(t, want.Diff(got))
		})
	}
}

// weightsOfRedis leaves out what redis-server has not.
func weightsOfRedis() map[string]int {
	w := oracle.NewGenerator(0, oracle.Config{}).Weights()
	for name := range w {
		if _, ok := (oracle.Op{Name: strings.Fields(name)[0], Key: "k"}).RedisArgs(); ok {
			delete(w, name)
		} else {
			w[name] = 0
		}
	}
	return w
}

// compare runs op, which is number i, on both and compares the replies.
func compare(t *testing.T, c *redis, model *oracle.DB, op oracle.Op, i int) oracle.Result {
	t.Helper()
	reply := func() any {
		args, ok := op.RedisArgs()
		require.True(t, ok)
		if op.Name != "SWAPDB" {
			if reply := c.selectDB(op.DB); reply != nil {
				return reply
			}
		}
		return c.do(args...)
	}
	var want, got oracle.Result
	switch op.Name {
	case "SPOP", "RANDOMKEY": // the model judges what Redis found
		got = toResult(t, op, reply())
		if got.Err == "" {
			op.Flags, op.Field = oracle.Given, got.Str
		}
		want = model.Apply(op)
	case "OBJECT":
		got = toResult(t, op, reply())
		if op.N = got.Int; op.Field == "IDLETIME" && sharedInt(model, op) {
			op.N, got.Int = 0, 0 // all keys that have it share its time
		}
		want = model.Apply(op)
	case "XADD":
		want = model.Apply(op)
		if op.ID == "*" && want.Err == "" {
			op.ID = want.Str
		}
		got = toResult(t, op, reply())
	default:
		want = model.Apply(op)
		got = toResult(t, op, reply())
	}
	if op.Name == "SETGET" || op.Name == "GETSET" {
		want.Int = 0 // Redis does not say whether the value was set
	}
	if unit := map[string]int64{"TTL": 1000, "PTTL": 1, "EXPIRETIME": 1000, "PEXPIRETIME": 1}[op.Name]; unit > 0 && want.Int > 0 {
		if abs(want.Int-got.Int)*unit <= tolerance.Milliseconds() {
			got.Int = want.Int
		}
	}
	require.Equal(t, reduced(want), got, "operation %d: %s", i, op)
	return want
}

// sharedInt tells whether Redis may share the value at a key with others.
func sharedInt(model *oracle.DB, op oracle.Op) bool {
	refs, err := model.RefCount(op.DB, op.Key)
	return err == nil && refs == math.MaxInt32
}

// TestRedisEdges compares what the generator seldom or never meets.
func TestRedisEdges(t *testing.T) {
	c := startRedis(t)
	model := oracle.New(16)
	model.Now = time.Now().UnixMilli()
	const far = "9999999999999-5"
	type op = oracle.Op
	ops := []op{
		// GETRANGE and BITCOUNT with a stop before the first byte.
		{Name: "SET", Key: "s", Value: "abc"},
		{Name: "GETRANGE", Key: "s", Start: 0, Stop: -100},
		{Name: "GETRANGE", Key: "s", Start: -100, Stop: -100},
		{Name: "GETRANGE", Key: "s", Start: -50, Stop: -100},
		{Name: "GETRANGE", Key: "s", Start: 1, Stop: -100},
		{Name: "BITCOUNT", Key: "s", Start: 0, Stop: -100, Flags: oracle.HasRange},
		{Name: "BITCOUNT", Key: "s", Start: 0, Stop: -100, Flags: oracle.HasRange | oracle.InBits},
		{Name: "BITCOUNT", Key: "s", Start: 1, Stop: -1, Flags: oracle.HasRange | oracle.InBits},
		{Name: "BITCOUNT", Key: "s", Start: math.MinInt64, Stop: math.MaxInt64, Flags: oracle.HasRange},
		{Name: "SET", Key: "e", Value: ""},
		{Name: "GETRANGE", Key: "e", Start: 0, Stop: -1},
		{Name: "BITCOUNT", Key: "e", Start: 0, Stop: -1, Flags: oracle.HasRange},

		// Nothing is created.
		{Name: "SETRANGE", Key: "n", N: 5, Value: ""},
		{Name: "SETRANGE", Key: "n", N: -1, Value: ""},
		{Name: "EXISTS", Keys: []string{"n", "s", "s"}},
		{Name: "SETBIT", Key: "n", N: 20, Bit: 0},
		{Name: "STRLEN", Key: "n"},
		{Name: "INCR", Key: "s"},
		{Name: "INCR", Key: "e"},

		// Order of checks.
		{Name: "RPUSH", Key: "l", Values: []string{"a", "b", "a"}},
		{Name: "SETBIT", Key: "l", N: -1, Bit: 1},
		{Name: "SETBIT", Key: "l", N: 1, Bit: 2},
		{Name: "SETRANGE", Key: "l", N: -1, Value: "x"},
		{Name: "SETRANGE", Key: "l", N: 1 << 40, Value: "x"},
		{Name: "SETRANGE", Key: "l", N: 1 << 40, Value: ""},
		{Name: "SETRANGE", Key: "n", N: 1 << 40, Value: ""},
		{Name: "LPOP", Key: "s", N: -1, Flags: oracle.HasCount},
		{Name: "LPOP", Key: "none", N: -1, Flags: oracle.HasCount},
		{Name: "LPOP", Key: "l", N: 0, Flags: oracle.HasCount},
		{Name: "LPOP", Key: "none", N: 0, Flags: oracle.HasCount},
		{Name: "ZADD", Key: "l", Scored: []oracle.Scored{{Member: "m", Score: math.NaN()}}},
		{Name: "ZADD", Key: "l", Scored: []oracle.Scored{{Member: "m", Score: 1}}, Flags: oracle.NX | oracle.XX},
		{Name: "ZADD", Key: "l", Scored: []oracle.Scored{{Member: "m", Score: math.NaN()}}, Flags: oracle.NX | oracle.GT},
		{Name: "XADD", Key: "l", ID: "x", Values: []string{"a", "b"}},
		{Name: "XADD", Key: "l", ID: "0-0", Values: []string{"a", "b"}},
		{Name: "XADD", Key: "l", ID: "1-1", Values: []string{"a", "b"}},
		{Name: "XRANGE", Key: "l", ID: "x", EndID: "+"},
		{Name: "XRANGE", Key: "l", ID: "-", EndID: "+"},
		{Name: "XDEL", Key: "l", Values: []string{"x"}},
		{Name: "XDEL", Key: "none", Values: []string{"x"}},
		{Name: "SINTER", Keys: []string{"none", "l"}},
		{Name: "SINTER", Keys: []string{"l", "none"}},
		{Name: "EXPIRE", Key: "none", N: math.MaxInt64},
		{Name: "EXPIRE", Key: "l", N: math.MaxInt64 / 1000},
		{Name: "PEXPIRE", Key: "none", N: math.MaxInt64, Flags: oracle.NX | oracle.XX},
		{Name: "PEXPIRE", Key: "l", N: 1, Flags: oracle.GT | oracle.LT},
		{Name: "PEXPIRE", Key: "l", N: 1, Flags: oracle.NX | oracle.XX | oracle.GT | oracle.LT},
		{Name: "PEXPIRE", Key: "l", N: math.MinInt64, Flags: oracle.GT},
		{Name: "PEXPIRE", Key: "l", N: 1 << 40, Flags: oracle.LT},
		{Name: "PEXPIRE", Key: "l", N: 1 << 41, Flags: oracle.GT},
		{Name: "PERSIST", Key: "l"},
		{Name: "PEXPIREAT", Key: "l", N: math.MaxInt64},
		{Name: "PEXPIRETIME", Key: "l"},
		{Name: "EXPIRETIME", Key: "l"},
		{Name: "PTTL", Key: "l"},
		{Name: "TTL", Key: "l"},
		{Name: "PEXPIREAT", Key: "l", N: 4_000_000_000_499},
		{Name: "EXPIRETIME", Key: "l"},
		{Name: "PEXPIREAT", Key: "l", N: 4_000_000_000_500},
		{Name: "EXPIRETIME", Key: "l"},
		{Name: "EXPIREAT", Key: "l", N: math.MaxInt64 / 1000},
		{Name: "EXPIREAT", Key: "l", N: math.MaxInt64/1000 + 1},
		{Name: "EXPIREAT", Key: "none", N: math.MinInt64/1000 - 1},
		{Name: "EXPIREAT", Key: "l", N: math.MinInt64 / 1000, Flags: oracle.GT},
		{Name: "PEXPIREAT", Key: "l", N: math.MinInt64, Flags: oracle.NX},
		{Name: "PEXPIREAT", Key: "l", N: math.MaxInt64, Flags: oracle.NX | oracle.GT},
		{Name: "RENAMENX", Key: "none", Dst: "none"},
		{Name: "RENAMENX", Key: "none", Dst: "l"},
		{Name: "RENAMENX", Key: "l", Dst: "l"},
		{Name: "RENAMENX", Key: "l", Dst: "s"},
		{Name: "RENAMENX", Key: "l", Dst: "l2"},
		{Name: "RENAMENX", Key: "l2", Dst: "l"},
		{Name: "TOUCH", Keys: []string{"l", "none", "l"}},
		{Name: "PERSIST", Key: "l"},
		{Name: "SET", Key: "l", Value: "x", N: -1, Flags: oracle.HasTTL | oracle.NX},
		{Name: "SET", Key: "l", Value: "x", N: 0, Flags: oracle.HasTTL | oracle.KeepTTL},
		{Name: "SET", Key: "l", Value: "x", Flags: oracle.XX | oracle.NX},

		// Strings: order of checks, and times that have passed.
		{Name: "RPUSH", Key: "list", Values: []string{"a"}},
		{Name: "SETGET", Key: "list", Value: "x", N: -1, Flags: oracle.HasTTL},
		{Name: "SETGET", Key: "list", Value: "x", Flags: oracle.NX},
		{Name: "SETGET", Key: "list", Value: "x", Flags: oracle.NX | oracle.XX},
		{Name: "GETSET", Key: "list", Value: "x"},
		{Name: "SETEX", Key: "list", N: 0, Value: "x"},
		{Name: "SETEX", Key: "list", N: math.MaxInt64, Value: "x"},
		{Name: "PSETEX", Key: "list", N: math.MinInt64, Value: "x"},
		{Name: "PSETEX", Key: "list", N: math.MaxInt64, Value: "x"},
		{Name: "GETEX", Key: "list", N: -1, Flags: oracle.HasTTL},
		{Name: "GETEX", Key: "none", N: -1, Flags: oracle.HasTTL},
		{Name: "GETEX", Key: "none", N: 5, Flags: oracle.HasTTL | oracle.Persist},
		{Name: "SET", Key: "past", Value: "x", N: 1, Flags: oracle.Moment},
		{Name: "GET", Key: "past"},
		{Name: "SET", Key: "past", Value: "x", N: 0, Flags: oracle.Moment},
		{Name: "SETXX", Key: "past", Value: "x", N: 1, Flags: oracle.Moment},
		{Name: "SET", Key: "past", Value: "x"},
		{Name: "GETEX", Key: "past", N: 0, Flags: oracle.Moment},
		{Name: "GETEX", Key: "past", N: math.MaxInt64, Flags: oracle.Moment},
		{Name: "GETEX", Key: "past", N: 1, Flags: oracle.Moment},
		{Name: "GETEX", Key: "past"},
		{Name: "MSETNX"},
		{Name: "DECRBY", Key: "list", N: math.MinInt64},
		{Name: "DECRBY", Key: "list", N: 1},
		{Name: "INCRBYFLOAT", Key: "list", Value: "x"},
		{Name: "LCS", Keys: []string{"list", "none"}},
		{Name: "LCSIDX", Keys: []string{"none", "list"}},
		{Name: "LCSLEN", Keys: []string{"none", "none"}},
		{Name: "LCSIDX", Keys: []string{"none", "none"}, N: -1},
		{Name: "SET", Key: "big", Value: strings.Repeat("abc", 4000)},
		{Name: "LCSLEN", Keys: []string{"big", "big"}},

		// Bitmaps: nothing there, everything set, ranges without anything.
		{Name: "BITPOS", Key: "none", Bit: 0},
		{Name: "BITPOS", Key: "none", Bit: 1},
		{Name: "BITPOS", Key: "none", Bit: 2},
		{Name: "BITPOS", Key: "list", Bit: 1},
		{Name: "BITPOS", Key: "e", Bit: 0},
		{Name: "BITPOS", Key: "e", Bit: 0, Flags: oracle.HasRange, Stop: -1},
		{Name: "SET", Key: "full", Value: "\xff\xff\xff"},
		{Name: "BITPOS", Key: "full", Bit: 0},
		{Name: "BITPOS", Key: "full", Bit: 0, Flags: oracle.HasStart, Start: 2},
		{Name: "BITPOS", Key: "full", Bit: 0, Flags: oracle.HasStart, Start: 3},
		{Name: "BITPOS", Key: "full", Bit: 0, Flags: oracle.HasRange, Stop: -1},
		{Name: "BITPOS", Key: "full", Bit: 1, Flags: oracle.HasRange, Start: -50, Stop: -100},
		{Name: "BITPOS", Key: "full", Bit: 1, Flags: oracle.HasRange | oracle.InBits, Start: 5, Stop: 3},
		{Name: "BITPOS", Key: "full", Bit: 0, Flags: oracle.HasRange | oracle.InBits, Start: 5, Stop: 3},
		{Name: "BITPOS", Key: "full", Bit: 0, Flags: oracle.HasRange | oracle.InBits, Start: 5, Stop: 30},
		{Name: "BITPOS", Key: "full", Bit: 1, Flags: oracle.HasRange | oracle.InBits, Start: 5, Stop: 6},
		{Name: "BITPOS", Key: "full", Bit: 1, Flags: oracle.HasRange | oracle.InBits, Start: math.MinInt64, Stop: math.MaxInt64},
		{Name: "BITOP", Value: "NOT", Dst: "list", Keys: []string{"full", "full"}},
		{Name: "BITOP", Value: "AND", Dst: "full", Keys: []string{"full", "list"}},
		{Name: "BITOP", Value: "AND", Dst: "list", Keys: []string{"none", "full"}},
		{Name: "BITOP", Value: "XOR", Dst: "list", Keys: []string{"none", "none"}},
		{Name: "TYPE", Key: "list"},
		{Name: "BITFIELD", Key: "n"},
		{Name: "BITFIELD", Key: "l", Steps: []oracle.BitStep{{Name: "GET", Type: "u64"}}},
		{Name: "BITFIELD", Key: "l", Steps: []oracle.BitStep{{Name: "GET", Type: "u8", Offset: -1}}},
		{Name: "BITFIELD", Key: "new", Steps: []oracle.BitStep{
			{Name: "OVERFLOW", Type: "FAIL"},
			{Name: "SET", Type: "u8", Offset: 100, N: 256},
			{Name: "INCRBY", Type: "i64", Offset: 3, N: math.MinInt64},
			{Name: "INCRBY", Type: "i64", Offset: 3, N: -1},
			{Name: "OVERFLOW", Type: "SAT"},
			{Name: "INCRBY", Type: "i64", Offset: 3, N: -1},
			{Name: "SET", Type: "u63", Offset: 9, N: -1},
			{Name: "INCRBY", Type: "u63", Offset: 9, N: 1},
			{Name: "INCRBY", Type: "u63", Offset: 9, N: math.MinInt64},
			{Name: "OVERFLOW", Type: "WRAP"},
			{Name: "INCRBY", Type: "u63", Offset: 9, N: math.MinInt64},
			{Name: "SET", Type: "i1", Offset: 0, N: 1},
			{Name: "INCRBY", Type: "i1", Offset: 0, N: math.MaxInt64},
			{Name: "OVERFLOW", Type: "SAT"},
			{Name: "SET", Type: "i63", Offset: 7, N: math.MinInt64},
			{Name: "SET", Type: "i63", Offset: 7, N: -1<<62 - 1},
			{Name: "SET", Type: "i63", Offset: 7, N: -1<<62 - 2},
			{Name: "SET", Type: "i8", Offset: 7, N: math.MinInt64 + 127},
			{Name: "SET", Type: "i8", Offset: 7, N: math.MinInt64 + 128},
			{Name: "GET", Type: "i8", Offset: 7},
			{Name: "GET", Type: "i64", Offset: 1 << 30},
		}},
		{Name: "GET", Key: "new"},

		// COPY, MOVE and RENAME onto themselves and out of range.
		{Name: "COPY", Key: "none", Dst: "none"},
		{Name: "COPY", Key: "none", Dst: "none", DstDB: 16},
		{Name: "COPY", Key: "none", Dst: "none", DstDB: -1},
		{Name: "COPY", Key: "s", Dst: "s", Flags: oracle.Replace},
		{Name: "MOVE", Key: "none"},
		{Name: "MOVE", Key: "none", DstDB: 16},
		{Name: "MOVE", Key: "none", DstDB: -1},
		{Name: "RENAME", Key: "none", Dst: "none"},
		{Name: "RENAME", Key: "s", Dst: "s"},
		{Name: "SWAPDB", DstDB: 16},
		{Name: "SWAPDB", DB: -1},
		{Name: "SWAPDB", DB: 3, DstDB: 3},
		{Name: "GET", DB: 16, Key: "s"},
		{Name: "GET", DB: -1, Key: "s"},

		// Streams at their ends.
		{Name: "XADD", Key: "x", ID: "0-*", Values: []string{"a", "b"}},
		{Name: "XADD", Key: "x", ID: "0-*", Values: []string{"a", "b"}},
		{Name: "XADD", Key: "x", ID: "7", Values: []string{"a", "b"}},
		{Name: "XADD", Key: "x", ID: "7", Values: []string{"a", "b"}},
		{Name: "XADD", Key: "x", ID: "7-007", Values: []string{"a", "b"}},
		{Name: "XADD", Key: "x", ID: "6-*", Values: []string{"a", "b"}},
		{Name: "XADD", Key: "x", ID: "7-18446744073709551615", Values: []string{"a", "b"}},
		// Not compared: after this the text for 7-* depends on what errno was.
		{Name: "XADD", Key: "x", ID: far, Values: []string{"a", "b"}},
		{Name: "XRANGE", Key: "x", ID: "7", EndID: "7"},
		{Name: "XRANGE", Key: "x", ID: "(7-7", EndID: "(" + far},
		{Name: "XRANGE", Key: "x", ID: "(7", EndID: "(7"},
		{Name: "XRANGE", Key: "x", ID: "+", EndID: "-"},
		{Name: "XRANGE", Key: "x", ID: "-", EndID: "+", Flags: oracle.HasCount},
		{Name: "XRANGE", Key: "x", ID: "(18446744073709551615-18446744073709551615", EndID: "+"},
		{Name: "XRANGE", Key: "x", ID: "-", EndID: "(0-0"},
		{Name: "XRANGE", Key: "x", ID: "-", EndID: "(0"},
		{Name: "XDEL", Key: "x", Values: []string{"7", "7-0", far, "-"}},
		{Name: "XDEL", Key: "x", Values: []string{"7", "7-0", far}},
		{Name: "XLEN", Key: "x"},
		{Name: "XADD", Key: "x", ID: "18446744073709551615-18446744073709551615", Values: []string{"a", "b"}},
		{Name: "XADD", Key: "x", ID: "18446744073709551615-18446744073709551615", Values: []string{"a", "b"}},
		{Name: "XADD", Key: "x", ID: "18446744073709551615-*", Values: []string{"a", "b"}},
		{Name: "XADD", Key: "x", ID: "*", Values: []string{"a", "b"}},

		// Wrong numbers of arguments.
		{Name: "HSET", Key: "h", Values: []string{"f"}},
		{Name: "XADD", Key: "x", ID: "1-1", Values: []string{"f"}},
		{Name: "LPUSH", Key: "none"},
		{Name: "RPUSH", Key: "none"},
		{Name: "SADD", Key: "none"},
		{Name: "MSET"},

		// Scores.
		{Name: "ZADD", Key: "z", Scored: []oracle.Scored{{Member: "b", Score: math.Copysign(0, -1)}, {Member: "a", Score: 0}}},
		{Name: "ZADD", Key: "z", Scored: []oracle.Scored{{Member: "b", Score: 0}}, Flags: oracle.CH},
		{Name: "ZADD", Key: "z", Scored: []oracle.Scored{{Member: "c", Score: 1}, {Member: "c", Score: 2}}, Flags: oracle.CH},
		{Name: "ZADD", Key: "z2", Scored: []oracle.Scored{{Member: "c", Score: 1}, {Member: "c", Score: 2}}, Flags: oracle.NX},
		{Name: "ZADD", Key: "z3", Scored: []oracle.Scored{{Member: "c", Score: 1}, {Member: "c", Score: 0}}, Flags: oracle.GT},
		{Name: "ZADD", Key: "z4", Scored: []oracle.Scored{{Member: "c", Score: 1}}, Flags: oracle.XX},
		{Name: "TYPE", Key: "z4"},
		{Name: "ZRANGE", Key: "z", Stop: -1},
	}
	for _, pattern := range []string{
		"", "*", "?", "\\", "\\*", "[", "[a", "[^", "[^a", "[]", "[]a]", "[a-", "[a-z", "[z-a]", "[\\]]", "[a-]", "[-a]",
		"*[a-c]", "**a*", "a\\", "[^^]", "[a\\-z]", "x*y", "?*", "*?", "**",
	} {
		ops = append(ops, op{Name: "SCAN", DB: 5, Value: pattern}, op{Name: "KEYS", DB: 5, Value: pattern})
	}
	for _, key := range []string{"", "a", "b", "z", "]", "[", "-", "^", "\\", "*", "a]", "]a", "xy", "xay", "[a"} {
		ops = slices.Insert(ops, 0, op{Name: "SET", DB: 5, Key: key, Value: key})
	}
	for i, op := range ops {
		compare(t, c, model, op, i)
	}
	want, got := model.Dump(), c.dump()
	near(want, got)
	require.Equal(t, want.String(), got.String())

	t.Run("star behind a later ID", func(t *testing.T) {
		for _, id := range []string{far, "*", "*"} {
			want := model.Apply(op{Name: "XADD", Key: "later", ID: id, Values: []string{"a", "b"}}).Str
			require.Equal(t, want, c.do("XADD", "later", id, "a", "b"))
		}
	})
}

// TestRedisDeadline finds that a key still stands at its deadline, in scripts,
// for whose keys the time stands still at the start.
func TestRedisDeadline(t *testing.T) {
	c := startRedis(t)
	const script = `
		local t = redis.call('TIME')
		local now = t[1] * 1000 + math.floor(t[2] / 1000)
		local at = now - 5
		while redis.call('EXISTS', 'k') == 0 do
			at = at + 1
			redis.call('SET', 'k', 'v', 'PXAT', at)
		end
		redis.call('DEL', 'k')
		return at - now`
	first := map[any]int{}
	const rounds = 200
	for range rounds {
		first[c.do("EVAL", script, "0")]++
	}
	require.Greater(t, first[int64(0)], rounds*3/4, "%v", first) // seldom a millisecond passes before TIME
}
