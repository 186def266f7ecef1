package brock

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/oracle"
	"github.com/brockdb/brock/internal/store"
)

// What redis-server notifies of, and what the store tells its listeners, has to
// be the same for each command: database, event and key, in the same order.

// notifier is a redis-server with a connection for commands and one that gets
// its notifications.
type notifier struct {
	t      *testing.T
	server *oracle.Redis
	conn   *oracle.RedisConn
	sub    *oracle.RedisConn
	db     int // of conn
}

// startNotifier runs a redis-server.
func startNotifier(t *testing.T) *notifier {
	t.Helper()
	server, err := oracle.StartRedis(t.TempDir())
	if errors.Is(err, oracle.ErrNoRedis) {
		t.Skipf("%s: events are not compared with its", err)
	}
	require.NoError(t, err)
	t.Cleanup(server.Close)
	n := &notifier{t: t, server: server}
	n.conn, n.sub = n.connect(), n.connect()
	n.notify("KEA")
	n.do("DEBUG", "SET-ACTIVE-EXPIRE", "0")
	require.NoError(t, n.sub.Send([]string{"PSUBSCRIBE", "__keyevent@*__:*"}, []string{"SUBSCRIBE", "mark"}))
	for range 2 {
		_, err := n.sub.Reply()
		require.NoError(t, err)
	}
	return n
}

// connect opens one more connection.
func (n *notifier) connect() *oracle.RedisConn {
	conn, err := n.server.Connect()
	require.NoError(n.t, err)
	n.t.Cleanup(func() { conn.Close() })
	return conn
}

// notify sets what is notified of.
func (n *notifier) notify(classes string) { n.do("CONFIG", "SET", "notify-keyspace-events", classes) }

// ask runs a command on a connection.
func (n *notifier) ask(conn *oracle.RedisConn, args ...string) any {
	require.NoError(n.t, conn.Send(args))
	reply, err := conn.Reply()
	require.NoError(n.t, err)
	return reply
}

// do runs a command.
func (n *notifier) do(args ...string) any { return n.ask(n.conn, args...) }

// run runs an operation.
func (n *notifier) run(op oracle.Op) any {
	if op.DB != n.db && op.Name != "SWAPDB" {
		if reply := n.do("SELECT", strconv.Itoa(op.DB)); reply != "OK" {
			return reply
		}
		n.db = op.DB
	}
	args, ok := op.RedisArgs()
	require.True(n.t, ok, op.Name)
	if op.Name == "SPOP" && op.Flags.Has(oracle.HasCount) {
		args = append(args, strconv.FormatInt(op.N, 10))
	}
	return n.do(args...)
}

// next returns the next notification; ok is false if it is the mark.
func (n *notifier) next() (ev store.Event, ok bool) {
	reply, err := n.sub.Reply()
	require.NoError(n.t, err)
	words := reply.([]any)
	if words[0] == "message" {
		return ev, false
	}
	var name string
	_, err = fmt.Sscanf(words[2].(string), "__keyevent@%d__:%s", &ev.DB, &name)
	require.NoError(n.t, err)
	ev.Name, ev.Key = store.EventName(name), words[3].(string)
	return ev, true
}

// events returns what was notified of since the last call.
func (n *notifier) events() (list []store.Event) {
	n.do("PUBLISH", "mark", "")
	for {
		ev, ok := n.next()
		if !ok {
			return list
		}
		list = append(list, ev)
	}
}

// heard is what a listener was told.
type heard struct{ list []store.Event }

// listen listens to all that db does.
func listen(t *testing.T, db *DB) *heard {
	t.Helper()
	h := &heard{}
	t.Cleanup(db.s.Listen(func(_ uint64, events []store.Event) { h.list = append(h.list, events...) }))
	return h
}

// take returns what was heard since the last call.
func (h *heard) take() []store.Event {
	list := h.list
	h.list = nil
	return list
}

// notified returns those events of which Redis notifies.
func notified(events []store.Event) (list []store.Event) {
	for _, ev := range events {
		if ev.Name.Class() != 0 {
			list = append(list, ev)
		}
	}
	return list
}

// openEvents opens a database in memory with a clock and a listener.
func openEvents(t *testing.T) (*DB, *testClock, *heard) {
	t.Helper()
	clock := &testClock{now: time.Now().UnixMilli()}
	s, err := store.OpenMemory(1, store.Options{Clock: clock, NoTimers: true})
	require.NoError(t, err)
	db := newDB(s)
	t.Cleanup(func() { db.Close() })
	return db, clock, listen(t, db)
}

// runOp runs an operation, with SPOP and a count, too. It gives op what the
// database chose by chance.
func runOp(c *commands, op *oracle.Op) oracle.Result {
	if op.Name == "SPOP" && op.Flags.Has(oracle.HasCount) {
		return membersResult(c.on(op.DB).SPopCount(op.Key, int(op.N)))
	}
	r := runners()[op.Name](c.on(op.DB), op)
	if op.Name == "XADD" && r.Err == "" {
		op.ID = r.Str
	}
	return r
}

// ways are how a command can be run.
func ways() map[string]func(db *DB, fn func(c *commands)) error {
	return map[string]func(db *DB, fn func(c *commands)) error{
		"alone": func(db *DB, fn func(c *commands)) error {
			fn(&db.commands)
			return nil
		},
		"in an update": func(db *DB, fn func(c *commands)) error {
			return db.Update(func(tx *Tx) error {
				fn(&tx.commands)
				return nil
			})
		},
		"in a pipeline": func(db *DB, fn func(c *commands)) error {
			return db.Pipelined(func(p *Pipe) error {
				fn(&p.commands)
				return nil
			})
		},
	}
}

// eventOps are operations on a few keys: on absent ones, on ones of another
// type, that change something, that change nothing, that take the last element.
func eventOps() []oracle.Op {
	type op = oracle.Op
	const far = 1 << 40
	big := slices.Repeat([]string{"f", strings.Repeat("v", 300)}, 2)
	ops := []op{
		{Name: "SET", Key: "a", Value: "1"},
		{Name: "SET", Key: "a", Value: "1"},
		{Name: "SET", Key: "a", Value: "2", Flags: oracle.NX},
		{Name: "SET", Key: "a", Value: "2", Flags: oracle.XX},
		{Name: "SET", Key: "a", Value: "2", Flags: oracle.HasTTL, N: far},
		{Name: "SET", Key: "a", Value: "3", Flags: oracle.KeepTTL},
		{Name: "PERSIST", Key: "a"},
		{Name: "PERSIST", Key: "a"},
		{Name: "PERSIST", Key: "none"},
		{Name: "EXPIRE", Key: "a", N: far / 1000},
		{Name: "EXPIRE", Key: "a", N: far / 1000},
		{Name: "PEXPIRE", Key: "none", N: far},
		{Name: "PEXPIRE", Key: "a", N: -1},
		{Name: "PEXPIRE", Key: "a", N: 0},
		{Name: "SET", Key: "a", Value: "1"},
		{Name: "EXPIRE", Key: "a", N: far / 1000, Flags: oracle.XX},
		{Name: "EXPIRE", Key: "a", N: far / 1000, Flags: oracle.GT},
		{Name: "EXPIRE", Key: "a", N: far / 1000, Flags: oracle.LT},
		{Name: "EXPIRE", Key: "a", N: far / 1000, Flags: oracle.NX},
		{Name: "PEXPIREAT", Key: "a", N: 3 * far, Flags: oracle.LT},
		{Name: "PEXPIREAT", Key: "a", N: 3 * far, Flags: oracle.GT},
		{Name: "EXPIREAT", Key: "a", N: 4 * far / 1000, Flags: oracle.XX | oracle.GT},
		{Name: "EXPIREAT", Key: "none", N: 4 * far / 1000},
		{Name: "EXPIREAT", Key: "a", N: 1, Flags: oracle.GT},
		{Name: "EXPIREAT", Key: "a", N: 1, Flags: oracle.NX | oracle.XX},
		{Name: "EXPIREAT", Key: "a", N: 1, Flags: oracle.LT},
		{Name: "PEXPIREAT", Key: "a", N: 0},
		{Name: "SET", Key: "a", Value: "1"},
		{Name: "TOUCH", Keys: []string{"a", "none"}},
		{Name: "PEXPIREAT", Key: "a", N: -1},
		{Name: "INCR", Key: "a"},
		{Name: "INCRBY", Key: "a", N: 0},
		{Name: "INCRBY", Key: "a", N: -5},
		{Name: "APPEND", Key: "a", Value: ""},
		{Name: "APPEND", Key: "a", Value: "x"},
		{Name: "INCR", Key: "a"},
		{Name: "APPEND", Key: "a", Value: strings.Repeat("x", 500)},
		{Name: "APPEND", Key: "a", Value: ""},
		{Name: "APPEND", Key: "b", Value: ""},
		{Name: "GETDEL", Key: "b"},
		{Name: "GETDEL", Key: "b"},
		{Name: "SETRANGE", Key: "a", N: 1, Value: "y"},
		{Name: "SETRANGE", Key: "a", N: 1, Value: "y"},
		{Name: "SETRANGE", Key: "a", N: 1, Value: ""},
		{Name: "SETRANGE", Key: "b", N: 1, Value: ""},
		{Name: "SETRANGE", Key: "b", N: 1, Value: "y"},
		{Name: "SETBIT", Key: "c", N: 9, Bit: 0},
		{Name: "SETBIT", Key: "c", N: 9, Bit: 0},
		{Name: "SETBIT", Key: "c", N: 9, Bit: 1},
		{Name: "SETBIT", Key: "c", N: 9, Bit: 1},
		{Name: "SETBIT", Key: "c", N: 16, Bit: 0},
		{Name: "MSET", Keys: []string{"a", "b", "a"}, Values: []string{"1", "2", "3"}},
		{Name: "MSETNX", Keys: []string{"none", "a"}, Values: []string{"1", "2"}},
		{Name: "DEL", Keys: []string{"b", "none", "b", "a"}},
		{Name: "MSETNX", Keys: []string{"a", "b"}, Values: []string{"1", "2"}},
		{Name: "SETNX", Key: "a", Value: "1"},
		{Name: "SETNX", Key: "d", Value: "1"},
		{Name: "SETXX", Key: "d", Value: "1"},
		{Name: "SETXX", Key: "d", Value: "1", Flags: oracle.HasTTL, N: far},
		{Name: "SETXX", Key: "none", Value: "1"},
		{Name: "SETGET", Key: "d", Value: "2", Flags: oracle.NX},
		{Name: "SETGET", Key: "d", Value: "2", Flags: oracle.Moment, N: 2 * far},
		{Name: "GETSET", Key: "d", Value: "3"},
		{Name: "SETEX", Key: "d", Value: "3", N: 1000},
		{Name: "PSETEX", Key: "d", Value: "3", N: far},
		{Name: "PSETEX", Key: "d", Value: "3", N: -1},
		{Name: "GETEX", Key: "d"},
		{Name: "GETEX", Key: "d", Flags: oracle.Persist},
		{Name: "GETEX", Key: "d", Flags: oracle.Persist},
		{Name: "GETEX", Key: "d", Flags: oracle.HasTTL, N: far},
		{Name: "GETEX", Key: "d", Flags: oracle.HasTTL, N: -1},
		{Name: "GETEX", Key: "none", Flags: oracle.HasTTL, N: far},
		{Name: "GETEX", Key: "d", Flags: oracle.Moment, N: 1},
		{Name: "DECR", Key: "d"},
		{Name: "DECRBY", Key: "d", N: 0},
		{Name: "INCRBYFLOAT", Key: "d", Value: "0"},
		{Name: "INCRBYFLOAT", Key: "d", Value: "1.5"},
		{Name: "INCRBYFLOAT", Key: "d", Value: "x"},
		{Name: "LCS", Keys: []string{"a", "b"}},
		{Name: "BITPOS", Key: "a", Bit: 1},
		{Name: "BITOP", Value: "AND", Dst: "d", Keys: []string{"a", "b"}},
		{Name: "BITOP", Value: "NOT", Dst: "d", Keys: []string{"d"}},
		{Name: "BITOP", Value: "OR", Dst: "d", Keys: []string{"none"}},
		{Name: "BITOP", Value: "OR", Dst: "d", Keys: []string{"none"}},
		{Name: "BITFIELD", Key: "d", Steps: []oracle.BitStep{{Name: "GET", Type: "u8"}}},
		{Name: "BITFIELD", Key: "d", Steps: []oracle.BitStep{{Name: "OVERFLOW", Type: "FAIL"}, {Name: "SET", Type: "u8", N: 256}}},
		{Name: "BITFIELD", Key: "d", Steps: []oracle.BitStep{{Name: "SET", Type: "u8"}}},
		{Name: "BITFIELD", Key: "d", Steps: []oracle.BitStep{{Name: "SET", Type: "u8", Offset: 8}}},
		{Name: "BITFIELD", Key: "d", Steps: []oracle.BitStep{{Name: "OVERFLOW", Type: "FAIL"}, {Name: "SET", Type: "u8", N: 256, Offset: 16}}},
		{Name: "BITFIELD", Key: "d", Steps: []oracle.BitStep{{Name: "INCRBY", Type: "i5", N: 3}, {Name: "GET", Type: "i5"}, {Name: "SET", Type: "i9", N: 3}}},
		{Name: "BITFIELD_RO", Key: "d", Steps: []oracle.BitStep{{Name: "GET", Type: "u8"}}},
		{Name: "DEL", Keys: []string{"a", "b", "d"}},
		{Name: "UNLINK", Keys: []string{"c", "none"}},

		{Name: "HSET", Key: "a", Values: []string{"f", "1", "g", "2"}},
		{Name: "HSET", Key: "a", Values: []string{"f", "1"}},
		{Name: "HSET", Key: "a", Values: big},
		{Name: "HSET", Key: "a", Values: big},
		{Name: "SET", Key: "b", Value: "x"},
		{Name: "HSET", Key: "b", Values: []string{"f", "1"}},
		{Name: "HDEL", Key: "b", Values: []string{"f"}},
		{Name: "HDEL", Key: "a", Values: []string{"none"}},
		{Name: "HDEL", Key: "none", Values: []string{"f"}},
		{Name: "HDEL", Key: "a", Values: []string{"f", "none"}},
		{Name: "HDEL", Key: "a", Values: []string{"g"}},
		{Name: "HSET", Key: "a", Values: []string{"f", "1"}},
		{Name: "HDEL", Key: "a", Values: []string{"f", "f"}},

		{Name: "RPUSH", Key: "a", Values: []string{"1", "2", "3", "4", "5"}},
		{Name: "LPUSH", Key: "a", Values: []string{"0", "-1"}},
		{Name: "LPUSH", Key: "b", Values: []string{"0"}},
		{Name: "LPOP", Key: "a"},
		{Name: "RPOP", Key: "a"},
		{Name: "LPOP", Key: "none"},
		{Name: "LPOP", Key: "a", Flags: oracle.HasCount, N: 0},
		{Name: "LPOP", Key: "none", Flags: oracle.HasCount, N: 0},
		{Name: "RPOP", Key: "none", Flags: oracle.HasCount, N: 3},
		{Name: "LPOP", Key: "a", Flags: oracle.HasCount, N: 2},
		{Name: "LINSERT", Key: "a", Field: "3", Value: "x", Flags: oracle.Before},
		{Name: "LINSERT", Key: "a", Field: "none", Value: "x"},
		{Name: "LINSERT", Key: "none", Field: "3", Value: "x"},
		{Name: "LTRIM", Key: "a", Start: 0, Stop: -1},
		{Name: "LTRIM", Key: "a", Start: -100, Stop: 100},
		{Name: "LTRIM", Key: "none", Start: 0, Stop: -1},
		{Name: "LTRIM", Key: "a", Start: 1, Stop: -1},
		{Name: "LTRIM", Key: "a", Start: 5, Stop: 1},
		{Name: "RPUSH", Key: "a", Values: []string{"1", strings.Repeat("2", 300)}},
		{Name: "LTRIM", Key: "a", Start: 0, Stop: -1},
		{Name: "RPOP", Key: "a", Flags: oracle.HasCount, N: 9},
		{Name: "RPUSH", Key: "a", Values: []string{"1"}},
		{Name: "LPOP", Key: "a"},
		{Name: "RPUSH", Key: "a", Values: []string{"1"}},
		{Name: "RPOP", Key: "a"},

		{Name: "SADD", Key: "a", Values: []string{"x", "y", "x"}},
		{Name: "SADD", Key: "a", Values: []string{"x"}},
		{Name: "SADD", Key: "a", Values: []string{"x", strings.Repeat("z", 300)}},
		{Name: "SADD", Key: "a", Values: []string{"x"}},
		{Name: "SREM", Key: "a", Values: []string{"none"}},
		{Name: "SREM", Key: "none", Values: []string{"none"}},
		{Name: "SREM", Key: "a", Values: []string{"x", "none"}},
		{Name: "SREM", Key: "a", Values: []string{"y", strings.Repeat("z", 300)}},
		{Name: "SADD", Key: "a", Values: []string{"x"}},
		{Name: "SPOP", Key: "a"},
		{Name: "SPOP", Key: "a"},
		{Name: "SADD", Key: "a", Values: []string{"1", "2", "3", "4"}},
		{Name: "SPOP", Key: "a"},
		{Name: "SPOP", Key: "a", Flags: oracle.HasCount, N: 0},
		{Name: "SPOP", Key: "none", Flags: oracle.HasCount, N: 2},
		{Name: "SPOP", Key: "a", Flags: oracle.HasCount, N: 2},
		{Name: "SPOP", Key: "a", Flags: oracle.HasCount, N: 2},

		{Name: "ZADD", Key: "a", Scored: []oracle.Scored{{Member: "x", Score: 1}, {Member: "y", Score: 2}}},
		{Name: "ZADD", Key: "a", Scored: []oracle.Scored{{Member: "x", Score: 1}}},
		{Name: "ZADD", Key: "a", Scored: []oracle.Scored{{Member: "x", Score: 2}}},
		{Name: "ZADD", Key: "a", Scored: []oracle.Scored{{Member: "x", Score: 1}}, Flags: oracle.GT},
		{Name: "ZADD", Key: "a", Scored: []oracle.Scored{{Member: "x", Score: 1}}, Flags: oracle.NX},
		{Name: "ZADD", Key: "none", Scored: []oracle.Scored{{Member: "x", Score: 1}}, Flags: oracle.XX},
		{Name: "ZREM", Key: "a", Values: []string{"none"}},
		{Name: "ZREM", Key: "none", Values: []string{"x"}},
		{Name: "ZREM", Key: "a", Values: []string{"x", "none"}},
		{Name: "ZREM", Key: "a", Values: []string{"y"}},
		{Name: "ZADD", Key: "a", Scored: []oracle.Scored{{Member: strings.Repeat("z", 300), Score: 1}}},
		{Name: "ZREM", Key: "a", Values: []string{strings.Repeat("z", 300)}},

		{Name: "XADD", Key: "x", ID: "1-1", Values: []string{"f", "v"}},
		{Name: "XADD", Key: "x", ID: "1-1", Values: []string{"f", "v"}},
		{Name: "XADD", Key: "x", ID: "*", Values: []string{"f", "v"}},
		{Name: "XDEL", Key: "x", Values: []string{"1-2"}},
		{Name: "XDEL", Key: "none", Values: []string{"1-2"}},
		{Name: "XDEL", Key: "x", Values: []string{"1-2", "1-1"}},

		{Name: "SET", Key: "a", Value: "a"},
		{Name: "RENAME", Key: "a", Dst: "a"},
		{Name: "RENAME", Key: "none", Dst: "none"},
		{Name: "RENAME", Key: "none", Dst: "a"},
		{Name: "RENAME", Key: "a", Dst: "c"},
		{Name: "RENAME", Key: "c", Dst: "b"},
		{Name: "RENAMENX", Key: "none", Dst: "b"},
		{Name: "RENAMENX", Key: "b", Dst: "b"},
		{Name: "RENAMENX", Key: "b", Dst: "c"},
		{Name: "SET", Key: "b", Value: "b"},
		{Name: "RENAMENX", Key: "c", Dst: "b"},
		{Name: "COPY", Key: "b", Dst: "b"},
		{Name: "COPY", Key: "none", Dst: "b", Flags: oracle.Replace},
		{Name: "COPY", Key: "b", Dst: "a"},
		{Name: "COPY", Key: "b", Dst: "a"},
		{Name: "COPY", Key: "b", Dst: "a", Flags: oracle.Replace},
		{Name: "COPY", Key: "b", Dst: "b", DstDB: 1},
		{Name: "MOVE", Key: "b", DstDB: 1},
		{Name: "MOVE", Key: "a", DstDB: 1},
		{Name: "MOVE", Key: "a", DstDB: 1},
		{Name: "MOVE", Key: "b", DstDB: 0},
		{Name: "EXPIRE", Key: "b", N: far / 1000},
		{Name: "MOVE", Key: "b", DstDB: 2},
		{Name: "RENAME", Key: "x", Dst: "b"},
		{Name: "SWAPDB", DB: 1, DstDB: 1},
		{Name: "SWAPDB", DB: 0, DstDB: 1},
		{Name: "FLUSHDB", DB: 7},
		{Name: "FLUSHDB", DB: 1},
		{Name: "FLUSHALL"},
		{Name: "FLUSHALL"},
	}
	return ops
}

// TestEvents compares the events of a table of commands with those of Redis,
// run in each way that there is.
func TestEvents(t *testing.T) {
	n := startNotifier(t)
	for name, way := range ways() {
		t.Run(name, func(t *testing.T) {
			db, _, h := openEvents(t)
			for i, op := range eventOps() {
				require.NoError(t, way(db, func(c *commands) { runOp(c, &op) }))
				n.run(op)
				require.Equal(t, n.events(), notified(h.take()), "operation %d: %s", i, op)
			}
		})
	}
}

// TestEventClasses has Redis notify of one class of events after the other.
func TestEventClasses(t *testing.T) {
	n := startNotifier(t)
	for _, class := range "gx$lshzt" {
		db, _, h := openEvents(t)
		n.notify("E" + string(class))
		seen := 0
		for i, op := range eventOps() {
			runOp(&db.commands, &op)
			n.run(op)
			var want []store.Event
			for _, ev := range h.take() {
				if ev.Name.Class() == byte(class) {
					want = append(want, ev)
				}
			}
			seen += len(want)
			require.Equal(t, n.events(), want, "class %c, operation %d: %s", class, i, op)
		}
		require.Equal(t, class != 'x', seen > 0, "class %c", class)
	}
}

// TestEventsTouchWatched compares the keys that have events with those that
// Redis takes for changed when a client watches them.
func TestEventsTouchWatched(t *testing.T) {
	n := startNotifier(t)
	db, _, h := openEvents(t)
	type watcher struct {
		db   int
		key  string
		conn *oracle.RedisConn
	}
	var watchers []watcher
	for d := range 3 {
		for _, key := range []string{"a", "b", "c", "x", "none"} {
			w := watcher{d, key, n.connect()}
			n.ask(w.conn, "SELECT", strconv.Itoa(d))
			watchers = append(watchers, w)
		}
	}
	there := func(w watcher) bool {
		k, err := db.DB(w.db).Exists(w.key)
		require.NoError(t, err)
		return k > 0
	}
	for i, op := range eventOps() {
		var before []bool
		for _, w := range watchers {
			n.ask(w.conn, "WATCH", w.key)
			before = append(before, there(w))
		}
		runOp(&db.commands, &op)
		n.run(op)
		events := h.take()
		for j, w := range watchers {
			n.ask(w.conn, "MULTI")
			touched := n.ask(w.conn, "EXEC") == nil
			concerns := slices.ContainsFunc(events, func(ev store.Event) bool {
				whole := ev.Name == store.EventFlushDB || ev.Name == store.EventSwapDB
				return ev.DB == w.db && (ev.Key == w.key || whole && (before[j] || there(w)))
			})
			require.Equal(t, touched, concerns, "operation %d: %s: key %q of database %d", i, op, w.key, w.db)
		}
	}
}

// TestEventsRandom compares the events of random operations with those of
// Redis. Some run in transactions, of which some roll back. SEED=n repeats a
// run, OPS=n sets its length.
func TestEventsRandom(t *testing.T) {
	seed := uint64(envInt("SEED", int(rand.Uint32())))
	t.Logf("SEED=%d", seed)
	n := startNotifier(t)
	db, clock, h := openEvents(t)
	weights := keysOnly()
	for name := range oracle.NewGenerator(seed, oracle.Config{}).Weights() {
		if _, ok := (oracle.Op{Name: strings.Fields(name)[0], Key: "k"}).RedisArgs(); !ok {
			weights[name] = 0
		}
	}
	g := oracle.NewGenerator(seed, oracle.Config{
		Start: clock.now, Typed: true, MaxBulk: 600, Weights: weights,
		MinTTL: time.Hour.Milliseconds(), // nothing expires while this runs
	})
	r := rand.New(rand.NewPCG(seed, 1))
	names := map[store.EventName]int{}
	for done := 0; done < envInt("OPS", sized(20_000, 4000)); {
		ops := g.Take(1)
		inside := r.IntN(20) == 0
		if inside {
			ops = g.Take(1 + r.IntN(12))
		}
		run := func(c *commands) {
			for i := range ops {
				runOp(c, &ops[i])
			}
		}
		rollBack := inside && r.IntN(3) == 0
		if inside {
			err := db.Update(func(tx *Tx) error {
				run(&tx.commands)
				if rollBack {
					return errRollBack
				}
				return nil
			})
			require.Equal(t, rollBack, err != nil)
		} else {
			run(&db.commands)
		}
		done += len(ops)
		got := notified(h.take())
		if rollBack {
			require.Empty(t, got, "%v", ops)
			continue
		}
		var want []store.Event
		for _, op := range ops {
			reply := n.run(op)
			want = append(want, n.events()...)
			n.popped(op, reply)
		}
		require.Equal(t, want, got, "%v", ops)
		for _, ev := range got {
			names[ev.Name]++
		}
	}
	t.Logf("%v", names)
}

// popped makes Redis hold the set that is left where it popped another member
// than was popped here.
func (n *notifier) popped(op oracle.Op, reply any) {
	if member, ok := reply.(string); ok && op.Name == "SPOP" && member != op.Field {
		n.do("SADD", op.Key, member)
		n.do("SREM", op.Key, op.Field)
		n.events()
	}
}

// TestEventsExpired runs commands on keys that have expired and were not
// collected: who writes deletes them first.
func TestEventsExpired(t *testing.T) {
	type op = oracle.Op
	ops := []op{
		{Name: "SET", Key: "a", Value: "x"},
		{Name: "SET", Key: "a", Value: "x", Flags: oracle.HasTTL, N: 1 << 40},
		{Name: "SET", Key: "a", Value: "x", Flags: oracle.NX},
		{Name: "SET", Key: "a", Value: "x", Flags: oracle.XX},
		{Name: "SET", Key: "a", Value: "x", Flags: oracle.KeepTTL},
		{Name: "MSET", Keys: []string{"b", "a", "c"}, Values: []string{"1", "2", "3"}},
		{Name: "APPEND", Key: "a", Value: "x"},
		{Name: "INCR", Key: "a"},
		{Name: "SETRANGE", Key: "a", N: 1, Value: "x"},
		{Name: "SETRANGE", Key: "a", N: 1, Value: ""},
		{Name: "SETBIT", Key: "a", N: 1, Bit: 1},
		{Name: "GETDEL", Key: "a"},
		{Name: "SETNX", Key: "a", Value: "x"},
		{Name: "SETXX", Key: "a", Value: "x"},
		{Name: "SETGET", Key: "a", Value: "x"},
		{Name: "SETGET", Key: "a", Value: "x", Flags: oracle.XX},
		{Name: "GETSET", Key: "a", Value: "x"},
		{Name: "SETEX", Key: "a", Value: "x", N: 100},
		{Name: "GETEX", Key: "a", Flags: oracle.Persist},
		{Name: "GETEX", Key: "a", Flags: oracle.Moment, N: 1},
		{Name: "MSETNX", Keys: []string{"a", "c"}, Values: []string{"1", "2"}},
		{Name: "MSETNX", Keys: []string{"a", "b"}, Values: []string{"1", "2"}},
		{Name: "MSETNX", Keys: []string{"b", "a"}, Values: []string{"1", "2"}},
		{Name: "DECR", Key: "a"},
		{Name: "INCRBYFLOAT", Key: "a", Value: "1"},
		{Name: "BITOP", Value: "AND", Dst: "c", Keys: []string{"a", "b"}},
		{Name: "BITOP", Value: "AND", Dst: "c", Keys: []string{"a"}},
		{Name: "BITOP", Value: "AND", Dst: "a", Keys: []string{"a"}},
		{Name: "BITOP", Value: "AND", Dst: "a", Keys: []string{"b"}},
		{Name: "BITFIELD", Key: "a", Steps: []oracle.BitStep{{Name: "SET", Type: "u8", N: 3}}},
		{Name: "DEL", Keys: []string{"c", "a", "b"}},
		{Name: "UNLINK", Keys: []string{"a"}},
		{Name: "EXPIRE", Key: "a", N: 100},
		{Name: "EXPIRE", Key: "a", N: -100},
		{Name: "PERSIST", Key: "a"},
		{Name: "RENAME", Key: "a", Dst: "c"},
		{Name: "RENAME", Key: "a", Dst: "a"},
		{Name: "RENAME", Key: "c", Dst: "a"},
		{Name: "RENAME", Key: "b", Dst: "a"},
		{Name: "RENAMENX", Key: "a", Dst: "c"},
		{Name: "RENAMENX", Key: "b", Dst: "a"},
		{Name: "EXPIRE", Key: "a", N: 100, Flags: oracle.XX},
		{Name: "EXPIREAT", Key: "a", N: 1},
		{Name: "PEXPIREAT", Key: "a", N: 1 << 42},
		{Name: "COPY", Key: "a", Dst: "c"},
		{Name: "COPY", Key: "b", Dst: "a"},
		{Name: "COPY", Key: "b", Dst: "a", Flags: oracle.Replace},
		{Name: "MOVE", Key: "a", DstDB: 1},
		{Name: "MOVE", DB: 1, Key: "a", DstDB: 0},
		{Name: "HSET", Key: "a", Values: []string{"f", "1"}},
		{Name: "HDEL", Key: "a", Values: []string{"f"}},
		{Name: "LPUSH", Key: "a", Values: []string{"f"}},
		{Name: "LPOP", Key: "a"},
		{Name: "RPOP", Key: "a", Flags: oracle.HasCount, N: 2},
		{Name: "LINSERT", Key: "a", Field: "f", Value: "x"},
		{Name: "LTRIM", Key: "a", Start: 0, Stop: -1},
		{Name: "SADD", Key: "a", Values: []string{"f"}},
		{Name: "SREM", Key: "a", Values: []string{"f"}},
		{Name: "SPOP", Key: "a"},
		{Name: "SPOP", Key: "a", Flags: oracle.HasCount, N: 2},
		{Name: "ZADD", Key: "a", Scored: []oracle.Scored{{Member: "x", Score: 1}}},
		{Name: "ZREM", Key: "a", Values: []string{"f"}},
		{Name: "XADD", Key: "a", ID: "1-1", Values: []string{"f", "v"}},
		{Name: "XDEL", Key: "a", Values: []string{"1-1"}},
		{Name: "FLUSHDB"},
	}
	n := startNotifier(t)
	for name, way := range ways() {
		t.Run(name, func(t *testing.T) {
			db, clock, h := openEvents(t)
			for _, op := range ops {
				for _, before := range []oracle.Op{
					{Name: "FLUSHALL"},
					{Name: "SET", Key: "b", Value: "x"},
					{Name: "SET", DB: 1, Key: "a", Value: "x"},
					{Name: "SET", Key: "a", Value: "1", Flags: oracle.HasTTL, N: 1},
				} {
					require.Empty(t, runOp(&db.commands, &before).Err)
					n.run(before)
				}
				clock.set(clock.now + 10)
				n.do("DEBUG", "SLEEP", "0.01")
				n.events()
				h.take()
				require.NoError(t, way(db, func(c *commands) { runOp(c, &op) }))
				n.run(op)
				require.Equal(t, n.events(), notified(h.take()), "%s", op)
			}
		})
	}

	t.Run("in the background", func(t *testing.T) {
		db, clock, h := openEvents(t)
		require.NoError(t, db.DB(3).Set("a", nil, PX(time.Millisecond)))
		clock.set(clock.now + 10)
		db.s.Housekeep()
		n.do("DEBUG", "SET-ACTIVE-EXPIRE", "1")
		n.run(oracle.Op{Name: "SET", DB: 3, Key: "a", Flags: oracle.HasTTL, N: 1})
		var want []store.Event
		for range 3 {
			ev, ok := n.next()
			require.True(t, ok)
			want = append(want, ev)
		}
		require.Equal(t, want, notified(h.take()))
	})
}

// awaitBlocked waits until so many clients are blocked.
func (n *notifier) awaitBlocked(clients int) {
	want := fmt.Sprintf("blocked_clients:%d\r\n", clients)
	for !strings.Contains(n.do("INFO", "clients").(string), want) {
	}
}

// TestEventsServed compares the events of commands that serve blocked pops.
func TestEventsServed(t *testing.T) {
	type op = oracle.Op
	cases := []struct {
		name    string
		blocked [][]string // the keys of each BLPOP
		before  []op
		ops     []op // run as one transaction if they are several
	}{
		{"the only element", [][]string{{"a"}}, nil, []op{{Name: "RPUSH", Key: "a", Values: []string{"1"}}}},
		{"one of two", [][]string{{"b", "a"}}, nil, []op{{Name: "LPUSH", Key: "a", Values: []string{"1", "2"}}}},
		{"two of three", [][]string{{"a"}, {"a"}}, nil, []op{{Name: "LPUSH", Key: "a", Values: []string{"1", "2", "3"}}}},
		{"both", [][]string{{"a"}, {"a"}}, nil, []op{{Name: "RPUSH", Key: "a", Values: []string{"1", "2"}}}},
		{"a transaction", [][]string{{"a"}, {"a", "b"}}, nil, []op{
			{Name: "RPUSH", Key: "b", Values: []string{"1"}},
			{Name: "SET", Key: "s", Value: "1"},
			{Name: "RPUSH", Key: "a", Values: []string{"1", "2"}},
		}},
		{"gone again", [][]string{{"a"}}, nil, []op{
			{Name: "RPUSH", Key: "a", Values: []string{"1"}},
			{Name: "DEL", Keys: []string{"a"}},
		}},
		{"renamed", [][]string{{"a"}}, []op{{Name: "RPUSH", Key: "b", Values: []string{"1"}}}, []op{{Name: "RENAME", Key: "b", Dst: "a"}}},
		{"copied", [][]string{{"a"}}, []op{{Name: "RPUSH", Key: "b", Values: []string{"1"}}}, []op{{Name: "COPY", Key: "b", Dst: "a"}}},
		{"moved", [][]string{{"a"}}, []op{{Name: "RPUSH", DB: 1, Key: "a", Values: []string{"1"}}}, []op{{Name: "MOVE", DB: 1, Key: "a"}}},
		{"swapped", [][]string{{"a"}}, []op{{Name: "RPUSH", DB: 1, Key: "a", Values: []string{"1"}}}, []op{{Name: "SWAPDB", DB: 0, DstDB: 1}}},
	}
	n := startNotifier(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got []store.Event
			synctest.Test(t, func(t *testing.T) {
				db, _, h := openEvents(t)
				for _, op := range c.before {
					runOp(&db.commands, &op)
				}
				ctx, cancel := context.WithCancel(t.Context())
				for _, keys := range c.blocked {
					go db.BLPop(ctx, keys...)
					synctest.Wait()
				}
				h.take()
				if len(c.ops) == 1 {
					runOp(&db.commands, &c.ops[0])
				} else {
					require.NoError(t, db.Update(func(tx *Tx) error {
						for _, op := range c.ops {
							runOp(&tx.commands, &op)
						}
						return nil
					}))
				}
				got = notified(h.take())
				cancel() // who was not served
				synctest.Wait()
			})

			n.run(op{Name: "FLUSHALL"})
			n.awaitBlocked(0) // those of the case before are gone
			for _, op := range c.before {
				n.run(op)
			}
			for i, keys := range c.blocked {
				conn := n.connect()
				defer conn.Close()
				require.NoError(t, conn.Send(slices.Concat([]string{"BLPOP"}, keys, []string{"0"})))
				n.awaitBlocked(i + 1)
			}
			n.events()
			if len(c.ops) > 1 {
				n.do("MULTI")
			}
			for _, op := range c.ops {
				n.run(op)
			}
			if len(c.ops) > 1 {
				n.do("EXEC")
			}
			require.Equal(t, n.events(), got)
		})
	}
}
