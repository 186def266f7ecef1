package oracle_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/oracle"
)

// apply runs operations that must not fail.
func apply(t *testing.T, d *oracle.DB, ops ...oracle.Op) (last oracle.Result) {
	t.Helper()
	for _, op := range ops {
		last = d.Apply(op)
		require.Empty(t, last.Err, "%s", op)
	}
	return last
}

// full returns a state with a key of each type that expires at 1000, at time 0.
func full(t *testing.T) *oracle.DB {
	t.Helper()
	d := oracle.New(16)
	apply(t, d,
		oracle.Op{Name: "SET", Key: "string", Value: "7"},
		oracle.Op{Name: "HSET", Key: "hash", Values: []string{"f", "v", "g", "w"}},
		oracle.Op{Name: "RPUSH", Key: "list", Values: []string{"a", "b", "c"}},
		oracle.Op{Name: "SADD", Key: "set", Values: []string{"m", "n"}},
		oracle.Op{Name: "ZADD", Key: "zset", Scored: []oracle.Scored{{Member: "b", Score: 1}, {Member: "a", Score: 1}}},
		oracle.Op{Name: "XADD", Key: "stream", ID: "5-1", Values: []string{"f", "v"}},
	)
	for _, key := range []string{"string", "hash", "list", "set", "zset", "stream"} {
		apply(t, d, oracle.Op{Name: "PEXPIRE", Key: key, N: 1000})
	}
	return d
}

// TestExpiry finds that a key past its deadline is invisible to every command,
// as if it had been deleted.
func TestExpiry(t *testing.T) {
	g := oracle.NewGenerator(1, oracle.Config{Keys: 7, Wrong: -1, MaxBulk: 20, Weights: map[string]int{
		"ADVANCE": 0, "FLUSHALL": 0, "FLUSHDB": 0, "SWAPDB": 0, "RENAME": 0, "MOVE": 0, "COPY": 0,
	}})
	for _, op := range g.Take(3000) {
		op.DB = 0
		want := oracle.New(16)
		want.Now = 1001
		got := full(t)
		for _, key := range []string{"string", "hash", "list", "set", "zset", "stream"} {
			if op.Key != "" {
				op.Key = key
			}
			got.Now = 1001
			require.Equal(t, want.Apply(op), got.Apply(op), "%s", op)
			require.Empty(t, want.Dump().Diff(got.Dump()), "%s", op)
		}
	}
}

func TestDeadline(t *testing.T) {
	d := full(t)
	for _, at := range []struct{ now, left, visible int64 }{{0, 1000, 6}, {999, 1, 6}, {1000, 0, 6}, {1001, -2, 0}} {
		d.Now = at.now
		left, err := d.PTTL(0, "hash")
		require.NoError(t, err)
		require.Equal(t, at.left, left, "at %d", at.now)
		n, err := d.DBSize(0)
		require.NoError(t, err)
		require.Equal(t, at.visible, n, "at %d", at.now)
		require.Len(t, d.Dump()[0], int(at.visible))
	}

	// A deadline of now is past.
	d = full(t)
	ok, err := d.PExpire(0, "hash", 0, oracle.ExpireOptions{})
	require.NoError(t, err)
	require.True(t, ok)
	n, err := d.Exists(0, "hash", "list")
	require.NoError(t, err)
	require.Equal(t, int64(1), n)
}

// TestDeadlineKept tells what keeps a deadline and what drops or moves it.
func TestDeadlineKept(t *testing.T) {
	cases := []struct {
		op   oracle.Op
		key  string
		left int64
	}{
		{oracle.Op{Name: "SET", Key: "string"}, "string", -1},
		{oracle.Op{Name: "SET", Key: "hash"}, "hash", -1},
		{oracle.Op{Name: "SET", Key: "hash", Flags: oracle.KeepTTL}, "hash", 1000},
		{oracle.Op{Name: "SET", Key: "string", Flags: oracle.HasTTL, N: 5}, "string", 5},
		{oracle.Op{Name: "MSET", Keys: []string{"list"}, Values: []string{""}}, "list", -1},
		{oracle.Op{Name: "INCR", Key: "string"}, "string", 1000},
		{oracle.Op{Name: "APPEND", Key: "string", Value: "x"}, "string", 1000},
		{oracle.Op{Name: "SETRANGE", Key: "string", N: 9, Value: "x"}, "string", 1000},
		{oracle.Op{Name: "SETBIT", Key: "string", N: 9}, "string", 1000},
		{oracle.Op{Name: "LTRIM", Key: "list", Stop: 1}, "list", 1000},
		{oracle.Op{Name: "RENAME", Key: "list", Dst: "hash"}, "hash", 1000},
		{oracle.Op{Name: "RENAME", Key: "list", Dst: "new"}, "new", 1000},
		{oracle.Op{Name: "COPY", Key: "list", Dst: "new"}, "new", 1000},
		{oracle.Op{Name: "PERSIST", Key: "list"}, "list", -1},
		{oracle.Op{Name: "LTRIM", Key: "list", Start: 5}, "list", -2},
		{oracle.Op{Name: "HDEL", Key: "hash", Values: []string{"f", "g"}}, "hash", -2},
		{oracle.Op{Name: "XDEL", Key: "stream", Values: []string{"5-1"}}, "stream", 1000},
	}
	for _, c := range cases {
		t.Run(c.op.Name+" "+c.op.Key, func(t *testing.T) {
			d := full(t)
			apply(t, d, c.op)
			left, err := d.PTTL(0, c.key)
			require.NoError(t, err)
			require.Equal(t, c.left, left)
		})
	}
}

func TestTTLRounds(t *testing.T) {
	d := full(t)
	for ms, want := range map[int64]int64{1: 0, 499: 0, 500: 1, 1499: 1, 1500: 2} {
		_, err := d.PExpire(0, "list", ms, oracle.ExpireOptions{})
		require.NoError(t, err)
		got, err := d.TTL(0, "list")
		require.NoError(t, err)
		require.Equal(t, want, got, "%d ms", ms)
	}
}

// TestDelOfExpired counts none.
func TestDelOfExpired(t *testing.T) {
	d := full(t)
	d.Advance(1001)
	n, err := d.Del(0, "string", "hash")
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestStreamIDFromTime(t *testing.T) {
	d := oracle.New(1)
	add := func(id string) string {
		got, err := d.XAdd(0, "x", id, "f", "v")
		require.NoError(t, err)
		return got
	}
	require.Equal(t, "0-1", add("*"))
	d.Now = 5
	require.Equal(t, "5-0", add("*"))
	require.Equal(t, "5-1", add("*"))
	require.Equal(t, "5-2", add("5-*"))
	require.Equal(t, "9-0", add("9-*"))
	require.Equal(t, "9-1", add("*"))
	require.Equal(t, "9-18446744073709551615", add("9-18446744073709551615"))
	_, err := d.XAdd(0, "x", "9-*", "f", "v") // Redis refuses, too, with the text that errno gives
	require.ErrorIs(t, err, oracle.ErrStreamID)
	require.Equal(t, "10-0", add("*"))

	// The last ID stays when its entry goes.
	n, err := d.XDel(0, "x", "10-0")
	require.NoError(t, err)
	require.Equal(t, int64(1), n)
	require.Equal(t, "10-1", add("*"))
	require.Equal(t, "10-1", d.Dump()[0]["x"].StreamLastID)
}

func TestErrors(t *testing.T) {
	d := full(t)
	_, err := d.Get(0, "hash")
	require.ErrorIs(t, err, oracle.ErrWrongType)
	require.NotErrorIs(t, err, oracle.ErrNotFound)

	err = d.Rename(0, "none", "x")
	require.ErrorIs(t, err, oracle.ErrNotFound)
	var e *oracle.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "ERR no such key", e.RedisText())
	require.Equal(t, "ErrNotFound", e.Name())
	require.Equal(t, "oracle: ErrNotFound: ERR no such key", err.Error())
	require.Equal(t, "oracle: ErrNotSet", oracle.ErrNotSet.Error())
	require.NoError(t, errors.Unwrap(oracle.ErrNotSet))

	require.Equal(t, "ErrUnknownOp", d.Apply(oracle.Op{Name: "NOPE"}).Err)
	_, ok := oracle.Op{Name: "NOPE"}.RedisArgs()
	require.False(t, ok)
}

// TestDatabaseOutOfRange gives every command a database that there is not.
func TestDatabaseOutOfRange(t *testing.T) {
	for _, name := range oracle.Commands() {
		for _, db := range []int{-1, 2} {
			op := oracle.Op{Name: name, DB: db, Key: "k", ID: "1-1", EndID: "+", Keys: []string{"k"}, Values: []string{"a", "b"}}
			want := "ErrDB"
			if _, ok := op.RedisArgs(); !ok {
				continue // queues and the clock are of no database
			}
			require.Equal(t, want, oracle.New(2).Apply(op).Err, "%s", op)
		}
	}
}

// TestFailureChangesNothing runs operations that fail.
func TestFailureChangesNothing(t *testing.T) {
	d := oracle.New(16)
	failures := 0
	for _, op := range oracle.NewGenerator(1, oracle.Config{Wrong: 0.6, MaxBulk: 20, MaxBit: 100}).Take(5000) {
		kept := d.Clone()
		if d.Apply(op).Err == "" {
			continue
		}
		failures++
		require.Empty(t, kept.Dump().Diff(d.Dump()), "%s", op)
		require.Equal(t, kept.DumpQueues(), d.DumpQueues(), "%s", op)
	}
	require.Greater(t, failures, 1000)
}

// TestClone goes on with a clone and its original by turns, and finds that
// neither reaches the other.
func TestClone(t *testing.T) {
	for seed := range uint64(3) {
		g := oracle.NewGenerator(seed, oracle.Config{Wrong: -1, MaxBulk: 40, MaxBit: 1000})
		a := oracle.New(16)
		for range 10 {
			for _, op := range g.Take(100) {
				a.Apply(op)
			}
			b := a.Clone()
			text, queues := a.Dump().String(), a.DumpQueues()
			require.Equal(t, text, b.Dump().String())
			require.Equal(t, queues, b.DumpQueues())
			for _, op := range g.Take(100) {
				b.Apply(op)
			}
			require.Equal(t, text, a.Dump().String())
			require.Equal(t, queues, a.DumpQueues())
			text, queues = b.Dump().String(), b.DumpQueues()
			for _, op := range g.Take(100) {
				a.Apply(op)
			}
			require.Equal(t, text, b.Dump().String())
			require.Equal(t, queues, b.DumpQueues())
		}
	}
}

// TestCopyIsDeep changes a copy and finds the original as it was.
func TestCopyIsDeep(t *testing.T) {
	for _, op := range []oracle.Op{
		{Name: "SETBIT", Key: "string", Bit: 1},
		{Name: "HSET", Key: "hash", Values: []string{"f", "changed"}},
		{Name: "LINSERT", Key: "list", Field: "a", Value: "x"},
		{Name: "SREM", Key: "set", Values: []string{"m"}},
		{Name: "ZREM", Key: "zset", Values: []string{"a"}},
		{Name: "XDEL", Key: "stream", Values: []string{"5-1"}},
		{Name: "PERSIST", Key: "list"},
	} {
		d := full(t)
		before := d.Dump()[0]
		apply(t, d, oracle.Op{Name: "COPY", Key: op.Key, Dst: op.Key, DstDB: 1})
		op.DB = 1
		apply(t, d, op)
		require.Equal(t, before, d.Dump()[0], "%s", op)
		require.NotEqual(t, before[op.Key], d.Dump()[1][op.Key], "%s", op)
	}
}

func TestSPopAndRandomKeyAreJudged(t *testing.T) {
	d := full(t)
	op := oracle.Op{Name: "SPOP", Key: "set", Field: "nobody", Flags: oracle.Given}
	require.Equal(t, "ErrNotFound", d.Apply(op).Err)
	op.Field = "n"
	require.Equal(t, oracle.Result{Str: "n"}, d.Apply(op))
	require.Equal(t, "ErrNotFound", d.Apply(op).Err)
	op.Flags = 0
	require.Equal(t, oracle.Result{Str: "m"}, d.Apply(op), "left to the model")
	require.Equal(t, "ErrNotFound", d.Apply(op).Err)

	op = oracle.Op{Name: "RANDOMKEY", Field: "set", Flags: oracle.Given}
	require.Equal(t, "ErrNotFound", d.Apply(op).Err)
	op.Field = "list"
	require.Equal(t, oracle.Result{Str: "list"}, d.Apply(op))
	require.Equal(t, "ErrNotFound", d.Apply(oracle.Op{Name: "RANDOMKEY", DB: 9}).Err)
}

func TestQueue(t *testing.T) {
	d := oracle.New(1)
	const q = "q"
	message := func(body string, redelivered bool) oracle.Message {
		return oracle.Message{Body: body, Redelivered: redelivered}
	}
	run := func(name string, n int64, flags oracle.Flags) oracle.Result {
		return d.Apply(oracle.Op{Name: name, Key: q, N: n, Flags: flags})
	}
	for _, name := range []string{"QPUBLISH", "QGET", "QACK", "QNACK", "QPURGE", "QDELETE"} {
		r := run(name, 0, 0)
		require.Equal(t, "ErrNoQueue", r.Err, name)
		require.Equal(t, "NOT_FOUND - no queue 'q' in vhost '/'", r.Text)
	}
	require.Equal(t, oracle.Result{}, run("QDECLARE", 0, 0))
	require.Equal(t, "ErrNotFound", run("QGET", 0, 0).Err)
	require.Equal(t, "ErrNotFound", run("QACK", 0, 0).Err)
	for _, body := range []string{"a", "b", "c", "d"} {
		require.NoError(t, d.Publish(q, body))
	}
	require.Equal(t, oracle.Result{Int: 4}, run("QDECLARE", 0, 0), "declared again")

	require.Equal(t, oracle.Result{Message: message("a", false), Int: 3}, run("QGET", 0, 0))
	require.Equal(t, oracle.Result{Message: message("b", false), Int: 2}, run("QGET", 0, 0))
	require.Equal(t, oracle.Result{Message: message("c", false), Int: 1}, run("QGET", 0, 0))
	require.Equal(t, int64(3), d.Unsettled(q))

	// b, then a go back to their places; c is acknowledged by 2 modulo 1.
	require.Equal(t, oracle.Result{Message: message("b", false)}, run("QNACK", 1, oracle.Requeue))
	require.Equal(t, oracle.Result{Message: message("a", false)}, run("QNACK", 0, oracle.Requeue))
	require.Equal(t, oracle.Result{Message: message("c", false)}, run("QACK", 2, 0))
	require.Equal(t, map[string]oracle.QueueValue{q: {
		Ready: []oracle.Message{message("a", true), message("b", true), message("d", false)},
	}}, d.DumpQueues())

	// What is not requeued is gone; what is purged was ready.
	require.Equal(t, oracle.Result{Message: message("a", true), Int: 2}, run("QGET", 0, 0))
	require.Equal(t, oracle.Result{Message: message("a", true)}, run("QNACK", 0, 0))
	require.Equal(t, oracle.Result{Message: message("b", true), Int: 1}, run("QGET", 0, 0))
	require.Equal(t, oracle.Result{Int: 1}, run("QPURGE", 0, 0))
	d.Reopen()
	require.Equal(t, oracle.Result{Message: message("b", true)}, run("QGET", 0, 0))
	require.NoError(t, d.Publish(q, "e"))
	require.Equal(t, oracle.Result{Int: 1}, run("QDELETE", 0, 0))
	require.Empty(t, d.DumpQueues())
	require.Zero(t, d.Unsettled(q))
}

func TestDump(t *testing.T) {
	d := full(t)
	apply(t, d, oracle.Op{Name: "SET", DB: 3, Key: "empty"}, oracle.Op{Name: "PERSIST", Key: "set"})
	require.Equal(t, oracle.Dump{
		0: {
			"string": {Type: "string", Deadline: 1000, String: []byte("7")},
			"hash":   {Type: "hash", Deadline: 1000, Hash: map[string]string{"f": "v", "g": "w"}},
			"list":   {Type: "list", Deadline: 1000, List: []string{"a", "b", "c"}},
			"set":    {Type: "set", Set: map[string]struct{}{"m": {}, "n": {}}},
			"zset":   {Type: "zset", Deadline: 1000, ZSet: []oracle.Scored{{Member: "a", Score: 1}, {Member: "b", Score: 1}}},
			"stream": {Type: "stream", Deadline: 1000, Stream: []oracle.Entry{{ID: "5-1", Fields: []string{"f", "v"}}}, StreamLastID: "5-1"},
		},
		3: {"empty": {Type: "string"}},
	}, d.Dump())
	require.Equal(t, strings.TrimLeft(`
0 "hash" hash 1000 map["f":"v" "g":"w"]
0 "list" list 1000 ["a" "b" "c"]
0 "set" set 0 ["m" "n"]
0 "stream" stream 1000 5-1 [{"5-1" ["f" "v"]}]
0 "string" string 1000 "7"
0 "zset" zset 1000 "a":1 "b":1 
3 "empty" string 0 ""
`, "\n"), d.Dump().String())
}

func TestDumpDiff(t *testing.T) {
	d := full(t)
	want := d.Dump()
	require.Empty(t, want.Diff(d.Dump()))

	apply(t, d,
		oracle.Op{Name: "LPUSH", Key: "list", Values: []string{strings.Repeat("x", 500)}},
		oracle.Op{Name: "DEL", Keys: []string{"hash"}},
		oracle.Op{Name: "SET", DB: 3, Key: "new"},
	)
	diff := want.Diff(d.Dump())
	require.Contains(t, diff, "db 0 key \"hash\":\n  want hash 1000 map[\"f\":\"v\" \"g\":\"w\"]\n  got  absent")
	require.Contains(t, diff, "db 3 key \"new\":\n  want absent\n  got  string 0 \"\"")
	require.Contains(t, diff, `db 0 key "list"`)
	require.Less(t, len(diff), 1000)

	// A dump is a copy.
	require.Equal(t, []string{"a", "b", "c"}, want[0]["list"].List)
	require.Empty(t, full(t).Dump().Diff(want))
}

func TestZeroScores(t *testing.T) {
	a, b := oracle.New(1), oracle.New(1)
	add := func(d *oracle.DB, score float64) {
		_, err := d.ZAdd(0, "z", oracle.ZAddOptions{}, oracle.Scored{Member: "m", Score: score})
		require.NoError(t, err)
	}
	add(a, 0)
	add(b, math.Copysign(0, -1))
	require.Empty(t, a.Dump().Diff(b.Dump()))
	require.Equal(t, a.Dump().String(), b.Dump().String())
}

func TestShrink(t *testing.T) {
	ops := oracle.NewGenerator(1, oracle.Config{}).Take(2000)
	ops[1500] = oracle.Op{Name: "SET", Key: "needle"}
	ops[77] = oracle.Op{Name: "DEL", Key: "needle"}
	runs := 0
	fails := func(ops []oracle.Op) bool {
		runs++
		first := slices.IndexFunc(ops, func(op oracle.Op) bool { return op.Key == "needle" })
		return first >= 0 && ops[first].Name == "DEL" &&
			slices.ContainsFunc(ops, func(op oracle.Op) bool { return op.Name == "SET" && op.Key == "needle" })
	}
	require.Equal(t, []oracle.Op{ops[77], ops[1500]}, oracle.Shrink(slices.Clone(ops), 1000, fails))
	require.Less(t, runs, 200)

	runs = 0
	require.Greater(t, len(oracle.Shrink(ops, 5, fails)), 2)
	require.Equal(t, 5, runs)
	require.Empty(t, oracle.Shrink(ops[:5], 100, func([]oracle.Op) bool { return true }))
	require.Empty(t, oracle.Shrink(nil, 100, func([]oracle.Op) bool { return true }))
}
