package brock

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/oracle"
	"github.com/brockdb/brock/internal/store"
)

// encodingOf returns how Redis would hold the string at key.
func encodingOf(t *testing.T, c *commands, key string) (name string) {
	t.Helper()
	err := c.read("encoding", key, func(t *store.Tx) error {
		e, err := c.find(t, key, store.String)
		if err == nil {
			name, err = c.stringEncoding(t, e)
		}
		return err
	})
	require.NoError(t, err)
	return name
}

// TestStringEncoding compares how a string is said to be held with how Redis
// holds it after the same operations.
func TestStringEncoding(t *testing.T) {
	n := startNotifier(t)
	db, _, _ := openEvents(t)
	type op = oracle.Op
	for _, key := range []string{"a", strings.Repeat("k", 190), strings.Repeat("l", 2000)} {
		for i, op := range []op{
			{Name: "SET", Key: key, Value: "12"},
			{Name: "SETBIT", Key: key, N: 0, Bit: 0},
			{Name: "INCR", Key: key},
			{Name: "APPEND", Key: key, Value: ""},
			{Name: "INCR", Key: key},
			{Name: "SETRANGE", Key: key, N: 0, Value: ""},
			{Name: "SETRANGE", Key: key, N: 0, Value: "2"},
			{Name: "EXPIRE", Key: key, N: 1000},
			{Name: "INCRBYFLOAT", Key: key, Value: "1"},
			{Name: "GETEX", Key: key, Flags: oracle.Persist},
			{Name: "COPY", Key: key, Dst: "to", Flags: oracle.Replace},
			{Name: "RENAME", Key: "to", Dst: key},
			{Name: "INCRBYFLOAT", Key: key, Value: "1e50"},
			{Name: "SETGET", Key: key, Value: "1"},
			{Name: "BITFIELD", Key: key, Steps: []oracle.BitStep{{Name: "GET", Type: "u8"}}},
			{Name: "BITFIELD", Key: key, Steps: []oracle.BitStep{{Name: "OVERFLOW", Type: "FAIL"}, {Name: "SET", Type: "u8", N: 256}}},
			{Name: "SET", Key: key, Value: "1"},
			{Name: "BITOP", Value: "OR", Dst: key, Keys: []string{key}},
			{Name: "INCRBYFLOAT", Key: key, Value: "1"},
			{Name: "APPEND", Key: key, Value: "0"},
			{Name: "COPY", Key: key, Dst: "to", Flags: oracle.Replace},
			{Name: "RENAME", Key: "to", Dst: key},
			{Name: "MSET", Keys: []string{key}, Values: []string{"-9223372036854775808"}},
			{Name: "SET", Key: key, Value: "9223372036854775808"},
			{Name: "SET", Key: key, Value: strings.Repeat("x", 44)},
			{Name: "SET", Key: key, Value: strings.Repeat("x", 45)},
			{Name: "SET", Key: key, Value: strings.Repeat("x", 500)},
			{Name: "DEL", Keys: []string{key}},
			{Name: "APPEND", Key: key, Value: "7"},
			{Name: "APPEND", Key: key, Value: "7"},
			{Name: "DEL", Keys: []string{key}},
			{Name: "SETBIT", Key: key, N: 2, Bit: 1},
			{Name: "DEL", Keys: []string{key}},
			{Name: "SETRANGE", Key: key, N: 0, Value: "7"},
		} {
			require.Empty(t, runOp(&db.commands, &op).Err)
			n.run(op)
			if op.Name != "DEL" {
				require.Equal(t, n.do("OBJECT", "ENCODING", key), encodingOf(t, &db.commands, key), "operation %d: %s", i, op)
			}
		}
	}
}

// TestCollectionEncoding compares how collections are said to be held with how
// Redis holds them after the same random operations, under limits that change.
// SEED=n repeats a run.
func TestCollectionEncoding(t *testing.T) {
	n := startNotifier(t)
	db, _, _ := openEvents(t)
	seed := uint64(envInt("SEED", int(rand.Uint32())))
	t.Logf("SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	limits := store.Limits{HashEntries: 6, HashValue: 9, SetInts: 6, ZSetEntries: 6, ZSetValue: 9}
	setLimits := func() {
		db.s.SetLimits(limits)
		require.Equal(t, limits, db.s.Limits())
		for name, v := range map[string]int{
			"hash-max-listpack-entries": limits.HashEntries, "hash-max-listpack-value": limits.HashValue,
			"set-max-intset-entries":    limits.SetInts,
			"zset-max-listpack-entries": limits.ZSetEntries, "zset-max-listpack-value": limits.ZSetValue,
		} {
			require.Equal(t, "OK", n.do("CONFIG", "SET", name, strconv.Itoa(v)))
		}
	}
	setLimits()
	element := func() string {
		switch s := strconv.Itoa(r.IntN(12)); r.IntN(12) {
		case 0:
			return strings.Repeat("e", 1+r.IntN(12)) + s
		case 1:
			return strings.Repeat("0", r.IntN(2)) + strings.Repeat("9", 1+r.IntN(20))
		case 2:
			return "-" + s
		case 3:
			return strings.Repeat(s, 250/len(s)) // too large for an entry
		default:
			return s
		}
	}
	few := func() (list []string) {
		for range 2 + 2*r.IntN(2) {
			list = append(list, element())
		}
		return list
	}
	keys := []string{"h", "s", "z", "h2", "s2", "z2"}
	seen := map[string]int{}
	for i := range sized(20_000, 4000) {
		key := keys[r.IntN(len(keys))]
		kind := key[:1]
		op := oracle.Op{Key: key, Name: map[string]string{"h": "HSET", "s": "SADD", "z": "ZADD"}[kind], Values: few()}
		if kind == "z" {
			op.Scored = []oracle.Scored{{Member: element(), Score: float64(r.IntN(5))}, {Member: element(), Score: 1}}
			op.Flags = []oracle.Flags{0, 0, oracle.NX, oracle.XX, oracle.GT}[r.IntN(5)]
		}
		switch r.IntN(8) {
		case 0, 1, 2:
			op.Name, op.Flags = map[string]string{"h": "HDEL", "s": "SREM", "z": "ZREM"}[kind], 0
		case 3:
			op = oracle.Op{Name: "COPY", Key: key, Dst: kind + "2", Flags: oracle.Replace}
		case 4:
			op = oracle.Op{Name: "RENAME", Key: key, Dst: kind}
		case 5:
			op = oracle.Op{Name: "EXPIRE", Key: key, N: 1 << 30}
			if r.IntN(5) == 0 {
				op = oracle.Op{Name: "DEL", Keys: []string{key}}
			}
			if r.IntN(10) == 0 {
				limits = store.Limits{HashEntries: r.IntN(9), HashValue: r.IntN(14), SetInts: r.IntN(9), ZSetEntries: r.IntN(9), ZSetValue: r.IntN(14)}
				setLimits()
			}
		}
		runOp(&db.commands, &op)
		n.run(op)
		for _, key := range keys {
			want := n.do("OBJECT", "ENCODING", key)
			got, err := db.ObjectEncoding(key)
			if want == nil {
				require.ErrorIs(t, err, ErrNotFound)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, want, got, "operation %d: %s: key %q", i, op, key)
			seen[kind+got]++
		}
	}
	t.Logf("%v", seen)
	for _, name := range []string{"hlistpack", "hhashtable", "sintset", "shashtable", "zlistpack", "zskiplist"} {
		require.NotZero(t, seen[name], name)
	}
}

// TestEncodingAfterPop pops most of a set of integers that once had something
// else: Redis makes a new set of what is left if that is little.
func TestEncodingAfterPop(t *testing.T) {
	n := startNotifier(t)
	db, _, _ := openEvents(t)
	var ints []string
	for i := range 36 {
		ints = append(ints, strconv.Itoa(i))
	}
	for count := 20; count <= 35; count++ {
		for _, op := range []oracle.Op{
			{Name: "DEL", Keys: []string{"s"}},
			{Name: "SADD", Key: "s", Values: append([]string{"text"}, ints...)},
			{Name: "SREM", Key: "s", Values: []string{"text"}},
			{Name: "SPOP", Key: "s", Flags: oracle.HasCount, N: int64(count)},
		} {
			require.Empty(t, runOp(&db.commands, &op).Err)
			n.run(op)
		}
		got, err := db.ObjectEncoding("s")
		require.NoError(t, err)
		require.Equal(t, n.do("OBJECT", "ENCODING", "s"), got, "%d popped", count)
	}
}

// TestEncodingKept finds an encoding again after a backup, and after the
// database was opened anew.
func TestEncodingKept(t *testing.T) {
	eng := engine.NewMemory()
	open := func(eng *engine.Memory) *DB {
		s, err := store.Open(eng, store.Options{NoTimers: true})
		require.NoError(t, err)
		return newDB(s)
	}
	db := open(eng)
	for _, key := range []string{"h", "s", "z", "t"} {
		op := map[string]func(member string) error{
			"h": func(m string) error { return second(db.HSet(key, F(m, ""))) },
			"s": func(m string) error { return second(db.SAdd(key, m)) },
			"z": func(m string) error { return second(db.ZAdd(key, Z{Member: m})) },
			"t": func(m string) error { return second(db.Append(key, []byte(m))) },
		}[key]
		require.NoError(t, op("1"))
		require.NoError(t, op(strings.Repeat("m", 70)))
	}
	require.NoError(t, second(db.HDel("h", strings.Repeat("m", 70))))
	require.NoError(t, second(db.SRem("s", strings.Repeat("m", 70))))
	require.NoError(t, second(db.ZRem("z", strings.Repeat("m", 70))))
	check := func(db *DB) {
		t.Helper()
		for key, want := range map[string]string{"h": "hashtable", "s": "hashtable", "z": "skiplist", "t": "raw"} {
			got, err := db.ObjectEncoding(key)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
	check(db)
	var buf bytes.Buffer
	require.NoError(t, db.Backup(&buf))
	require.NoError(t, db.Close())
	db = open(eng.Reopen())
	check(db)
	require.NoError(t, db.Close())
	other := open(engine.NewMemory())
	require.NoError(t, other.s.Restore(&buf))
	check(other)
	require.NoError(t, other.Close())
}

// second returns the error of two results.
func second[T any](_ T, err error) error { return err }
