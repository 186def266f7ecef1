package clienttest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/oracle"
	"github.com/brockdb/brock/netserver/resp"
)

// own is the command that no Redis has.
const own = "brock.backup"

// TestGoRedis makes the same calls to a server of ours and to a redis-server, in
// both versions of the protocol, and stops both.
func TestGoRedis(t *testing.T) {
	for _, version := range []int{2, 3} {
		t.Run(fmt.Sprintf("resp%d", version), func(t *testing.T) {
			theirs, err := oracle.StartRedis(t.TempDir())
			if errors.Is(err, oracle.ErrNoRedis) && os.Getenv("BROCK_CI") == "" {
				t.Skipf("%s: replies are not compared", err)
			}
			require.NoError(t, err)
			t.Cleanup(theirs.Close)
			dial := serve(t)
			commands, fields := names(t, dial)
			otherCommands, otherFields := names(t, theirs.Dial)
			both := func(name string) bool { return otherCommands[name] && commands[name] }
			known := func(field string) bool { return otherFields[field] && fields[field] }

			want := record(t, version, &recorder{dial: theirs.Dial, both: both, known: known})
			got := record(t, version, &recorder{dial: dial, both: both, known: known})
			require.Len(t, got.lines, len(want.lines))
			for i := range want.lines {
				require.Equal(t, want.lines[i], got.lines[i])
			}
			for name := range commands {
				require.True(t, otherCommands[name] || name == own, "Redis does not have %s", name)
				require.True(t, got.sent[name] && want.sent[name] || name == own, "%s was not called", name)
			}
		})
	}
}

// serve serves a database in memory on a Unix socket, as a test's redis-server
// does, until a client stops it, and returns what connects to it.
func serve(t *testing.T) func() (net.Conn, error) {
	t.Helper()
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	ended, stopped := make(chan error, 1), make(chan struct{})
	go func() {
		ended <- resp.Serve(ctx, l, db, &resp.Options{EnableDebug: true, Shutdown: func() { close(stopped) }})
	}()
	t.Cleanup(func() {
		select {
		case <-stopped:
		case <-ctx.Done():
			t.Error("no client has stopped the server")
		}
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, db.Close())
	})
	return func() (net.Conn, error) { return net.Dial("unix", l.Addr().String()) }
}

// client returns a client with one connection.
func client(dial func() (net.Conn, error), opts redis.Options) *redis.Client {
	opts.PoolSize, opts.MaxRetries = 1, -1
	opts.Dialer = func(context.Context, string, string) (net.Conn, error) { return dial() }
	return redis.NewClient(&opts)
}

// names returns the names of a server's commands, and of the fields of its INFO.
func names(t *testing.T, dial func() (net.Conn, error)) (commands, fields map[string]bool) {
	t.Helper()
	c := client(dial, redis.Options{})
	defer c.Close()
	list, err := c.CommandList(t.Context(), nil).Result()
	require.NoError(t, err)
	info, err := c.Info(t.Context()).Result()
	require.NoError(t, err)
	return setOf(list), setOf(fieldsOf(info))
}

// setOf returns the set of some names.
func setOf(list []string) map[string]bool {
	set := map[string]bool{}
	for _, name := range list {
		set[name] = true
	}
	return set
}

// fieldsOf returns the names of the fields of an INFO.
func fieldsOf(info string) (names []string) {
	for line := range strings.Lines(info) {
		if name, _, ok := strings.Cut(line, ":"); ok {
			names = append(names, name)
		}
	}
	return names
}

// record makes all calls on one connection, and notes what came of them.
func record(t *testing.T, version int, r *recorder) *recorder {
	t.Helper()
	r.sent = map[string]bool{}
	r.opts = redis.Options{Protocol: version}
	c := client(r.connect, r.opts)
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r.note(c.FlushAll(ctx))
	for _, part := range []func(context.Context, *redis.Client, *recorder){
		stringCalls, bitmapCalls, keyCalls, expiryCalls, hashCalls, listCalls, setCalls, zsetCalls, streamCalls, debugCalls,
		serverCalls, passwordCalls, clientCalls, commandCalls, administrationCalls, lastCalls,
	} {
		part(ctx, c, r)
	}
	return r
}

// recorder collects what came of calls.
type recorder struct {
	dial  func() (net.Conn, error)
	opts  redis.Options
	both  func(command string) bool // whether both servers have it
	known func(field string) bool   // whether it stands in the INFO of both
	lines []string

	mu   sync.Mutex
	conn net.Conn        // the latest
	sent map[string]bool // names of commands
}

// connect connects to the server.
func (r *recorder) connect() (net.Conn, error) {
	conn, err := r.dial()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conn = &heard{Conn: conn, r: r}
	return r.conn, nil
}

// heard is a connection whose requests' names are noted.
type heard struct {
	net.Conn
	r    *recorder
	rest []byte // of a request that is not complete
}

// Write implements [net.Conn].
func (h *heard) Write(b []byte) (int, error) {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	h.rest = append(h.rest, b...)
	for args, n := request(h.rest); n > 0; args, n = request(h.rest) {
		h.rest = h.rest[n:]
		h.r.sent[strings.ToLower(args[0])] = true
		if len(args) > 1 {
			h.r.sent[strings.ToLower(args[0]+"|"+args[1])] = true
		}
	}
	return h.Conn.Write(b)
}

// request returns the arguments of the request that b begins with, and how long
// it is, 0 if it is not complete.
func request(b []byte) (args []string, n int) {
	number := func() int {
		line, _, whole := bytes.Cut(b[n:], []byte("\r\n"))
		i, err := strconv.Atoi(string(line[min(1, len(line)):]))
		if !whole || err != nil {
			return -1
		}
		n += len(line) + 2
		return i
	}
	for left := number(); left != 0; left-- {
		size := number()
		if size < 0 || n+size+2 > len(b) {
			return nil, 0
		}
		args = append(args, string(b[n:n+size]))
		n += size + 2
	}
	return args, n
}

// mute sends a request that gets no reply.
func (r *recorder) mute(args ...string) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, arg := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(arg), arg)
	}
	_, err := io.WriteString(r.conn, b.String())
	r.lines = append(r.lines, fmt.Sprint(args, err))
}

// note notes a call and what came of it.
func (r *recorder) note(cmd redis.Cmder) { r.lines = append(r.lines, fmt.Sprint(cmd)) }

// unordered is note for a list in any order.
func (r *recorder) unordered(cmd *redis.StringSliceCmd) {
	slices.Sort(cmd.Val())
	r.note(cmd)
}

// part notes a call and what is said of what came of it.
func (r *recorder) part(cmd redis.Cmder, said any) {
	r.lines = append(r.lines, fmt.Sprint(cmd.Args(), said, cmd.Err()))
}

// form is note for what tells of the server or of time: only its form is noted.
func (r *recorder) form(cmd redis.Cmder) {
	value := reflect.ValueOf(cmd).MethodByName("Val").Call(nil)[0]
	r.part(cmd, shape(value))
}

// left is note for a time to live that was given just now.
func (r *recorder) left(cmd *redis.DurationCmd, given time.Duration) {
	r.part(cmd, given-10*time.Second < cmd.Val() && cmd.Val() <= given)
}

// shape returns the form of a value: its type, and that of all that is in it.
func shape(v reflect.Value) string {
	var parts []string
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			return shape(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			parts = append(parts, shape(v.Index(i)))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			parts = append(parts, fmt.Sprint(key, shape(v.MapIndex(key))))
		}
		slices.Sort(parts)
	default:
	}
	return fmt.Sprint(v.Type(), parts)
}

// pairs returns what a reply says as a map, which in version 2 of the protocol
// is a list.
func pairs(reply any) map[string]any {
	m := map[string]any{}
	switch reply := reply.(type) {
	case []any:
		for pair := range slices.Chunk(reply, 2) {
			m[fmt.Sprint(pair[0])] = pair[1]
		}
	case map[any]any:
		for key, value := range reply {
			m[fmt.Sprint(key)] = value
		}
	}
	return m
}

// without returns a map without some keys.
func without(m map[string]any, keys ...string) map[string]any {
	for _, key := range keys {
		delete(m, key)
	}
	return m
}

func stringCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.Set(ctx, "s", "hello", 0))
	r.note(c.Set(ctx, "s", "v", 100*time.Second))
	r.note(c.SetNX(ctx, "s", "v", time.Second))
	r.note(c.SetXX(ctx, "s", "w", 100500*time.Millisecond))
	r.note(c.SetArgs(ctx, "s", "x", redis.SetArgs{Get: true, KeepTTL: true}))
	r.note(c.SetArgs(ctx, "s", "y", redis.SetArgs{ExpireAt: time.Unix(99999999999, 0)}))
	r.note(c.SetArgs(ctx, "none", "y", redis.SetArgs{Mode: "XX"}))
	r.note(c.Do(ctx, "SET", "s", "v", "NX", "XX"))
	r.note(c.Do(ctx, "SET", "s", "v", "PX", 0))
	r.note(c.Do(ctx, "SET", "s", "y", "PXAT", 99999999999001))
	r.note(c.PExpireTime(ctx, "s"))
	r.note(c.Get(ctx, "s"))
	r.note(c.Get(ctx, "none"))
	r.note(c.GetEx(ctx, "s", 50*time.Second))
	r.left(c.TTL(ctx, "s"), 50*time.Second)
	r.note(c.GetEx(ctx, "s", 0))
	r.note(c.TTL(ctx, "s"))
	r.note(c.GetEx(ctx, "s", 50500*time.Millisecond))
	r.left(c.PTTL(ctx, "s"), 50500*time.Millisecond)
	r.note(c.Do(ctx, "GETEX", "s", "EXAT", 99999999999))
	r.note(c.ExpireTime(ctx, "s"))
	r.note(c.Do(ctx, "GETEX", "s", "PXAT", 99999999999001))
	r.note(c.PExpireTime(ctx, "s"))
	r.note(c.Do(ctx, "GETEX", "s", "EX", 5, "PERSIST"))
	r.note(c.GetEx(ctx, "s", -1))
	r.note(c.GetDel(ctx, "s"))
	r.note(c.GetSet(ctx, "s", "1"))
	r.note(c.GetSet(ctx, "s", "hello"))
	r.note(c.SetNX(ctx, "s", "x", 0))
	r.note(c.SetNX(ctx, "unset", "x", 0))
	r.note(c.SetNX(ctx, "unset2", "x", 100*time.Second))
	r.note(c.SetEx(ctx, "e", "v", 100*time.Second))
	r.note(c.Do(ctx, "PSETEX", "e", 100000, "v"))
	r.note(c.Do(ctx, "SETEX", "e", -1, "v"))
	r.note(c.Append(ctx, "s", "!"))
	r.note(c.StrLen(ctx, "s"))
	r.note(c.GetRange(ctx, "s", 1, -1))
	r.note(c.Do(ctx, "SUBSTR", "s", 0, 1))
	r.note(c.SetRange(ctx, "s", 8, "pad"))
	r.note(c.SetRange(ctx, "s", -1, "pad"))
	r.note(c.Incr(ctx, "n"))
	r.note(c.IncrBy(ctx, "n", 41))
	r.note(c.IncrBy(ctx, "s", 1))
	r.note(c.Decr(ctx, "n"))
	r.note(c.DecrBy(ctx, "n", 2))
	r.note(c.IncrByFloat(ctx, "n", 0.1))
	r.note(c.Incr(ctx, "n"))
	r.note(c.MSet(ctx, "a", "ohmytext", "b", "mynewtext"))
	r.note(c.MSetNX(ctx, "a", 1, "z", 2))
	r.note(c.MGet(ctx, "a", "none", "b"))
	r.note(c.Do(ctx, "MSET", "a"))
	r.note(c.LCS(ctx, &redis.LCSQuery{Key1: "a", Key2: "b"}))
	r.note(c.LCS(ctx, &redis.LCSQuery{Key1: "a", Key2: "b", Len: true}))
	r.note(c.LCS(ctx, &redis.LCSQuery{Key1: "a", Key2: "b", Idx: true, MinMatchLen: 4, WithMatchLen: true}))
	_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, "p", 1, 0)
		p.Incr(ctx, "p")
		p.LPush(ctx, "p", 1)
		return nil
	})
	r.lines = append(r.lines, fmt.Sprint("pipeline: ", err))
}

func bitmapCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.SetBit(ctx, "bits", 7, 1))
	r.note(c.GetBit(ctx, "bits", 7))
	r.note(c.GetBit(ctx, "bits", -1))
	r.note(c.BitCount(ctx, "bits", nil))
	r.note(c.BitCount(ctx, "bits", &redis.BitCount{End: -1, Unit: redis.BitCountIndexBit}))
	r.note(c.BitCount(ctx, "a", &redis.BitCount{Start: 1, End: -2, Unit: redis.BitCountIndexByte}))
	r.note(c.BitCount(ctx, "a", &redis.BitCount{Start: 1, End: -2}))
	r.note(c.BitPos(ctx, "bits", 1))
	r.note(c.BitPos(ctx, "bits", 0, 0))
	r.note(c.BitPosSpan(ctx, "bits", 0, 0, 5, "bit"))
	r.note(c.BitOpAnd(ctx, "dst", "bits", "a"))
	r.note(c.BitOpOr(ctx, "dst", "bits", "a"))
	r.note(c.BitOpXor(ctx, "dst", "bits", "a"))
	r.note(c.Get(ctx, "dst"))
	r.note(c.BitOpNot(ctx, "dst", "bits"))
	r.note(c.Do(ctx, "BITOP", "NOT", "dst", "bits", "a"))
	r.note(c.BitField(ctx, "bits", "SET", "u8", "#1", 255, "GET", "i4", 0, "OVERFLOW", "SAT", "INCRBY", "u8", "#1", 1))
	r.note(c.Do(ctx, "BITFIELD", "bits", "OVERFLOW", "FAIL", "INCRBY", "u8", "#1", 1))
	r.note(c.BitField(ctx, "bits", "OVERFLOW", "WRAP", "INCRBY", "u8", "#1", 9))
	r.note(c.BitField(ctx, "bits", "GET", "u64", 0))
	r.note(c.BitFieldRO(ctx, "bits", "u8", 0))
}

func keyCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.Exists(ctx, "a", "a", "none"))
	r.note(c.Touch(ctx, "a", "none"))
	r.note(c.Type(ctx, "a"))
	r.note(c.Copy(ctx, "a", "c", 0, false))
	r.note(c.Copy(ctx, "a", "c", 0, false))
	r.note(c.Copy(ctx, "a", "c", 4, true))
	r.note(c.Copy(ctx, "a", "a", 0, true))
	r.note(c.Copy(ctx, "a", "c", 99, false))
	r.note(c.Move(ctx, "c", 4))
	r.note(c.Move(ctx, "c", 5))
	r.note(c.Rename(ctx, "none", "x"))
	r.note(c.Rename(ctx, "a", "a2"))
	r.note(c.RenameNX(ctx, "a2", "b"))
	r.note(c.RenameNX(ctx, "a2", "a"))
	r.unordered(c.Keys(ctx, "[ab]*"))
	var found []string
	for it := c.Scan(ctx, 0, "*", 3).Iterator(); it.Next(ctx); {
		found = append(found, it.Val())
	}
	slices.Sort(found)
	r.lines = append(r.lines, fmt.Sprint("scan: ", slices.Compact(found)))
	r.note(c.ScanType(ctx, 0, "none*", 1000, "string"))
	r.note(c.Do(ctx, "SCAN", "x"))
	r.form(c.RandomKey(ctx))
	r.note(c.ObjectEncoding(ctx, "n"))
	r.note(c.ObjectEncoding(ctx, "none"))
	r.note(c.ObjectRefCount(ctx, "a"))
	idle := c.ObjectIdleTime(ctx, "a")
	r.part(idle, idle.Val() < time.Minute)
	r.note(c.ObjectIdleTime(ctx, "none"))
	r.note(c.ObjectFreq(ctx, "a"))
	r.note(c.Do(ctx, "SWAPDB", 0, 4))
	r.unordered(c.Keys(ctx, "*"))
	r.note(c.Do(ctx, "SWAPDB", 0, 4))
	r.note(c.Do(ctx, "SWAPDB", 0, 99))
	r.note(c.Unlink(ctx, "dst", "none"))
	r.note(c.Del(ctx, "e", "e"))
	r.note(c.DBSize(ctx))
}

func expiryCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.Expire(ctx, "a", 100*time.Second))
	r.note(c.ExpireGT(ctx, "a", 50*time.Second))
	r.note(c.ExpireLT(ctx, "a", 50*time.Second))
	r.note(c.ExpireNX(ctx, "a", 50*time.Second))
	r.note(c.ExpireNX(ctx, "b", 50*time.Second))
	r.note(c.ExpireXX(ctx, "a", 80*time.Second))
	r.note(c.Do(ctx, "EXPIRE", "a", 1, "NX", "GT"))
	r.note(c.PExpire(ctx, "a", 200*time.Second))
	r.left(c.TTL(ctx, "a"), 200*time.Second)
	r.left(c.PTTL(ctx, "a"), 200*time.Second)
	r.note(c.PTTL(ctx, "none"))
	r.note(c.ExpireAt(ctx, "a", time.Unix(99999999999, 0)))
	r.note(c.ExpireTime(ctx, "a"))
	r.note(c.PExpireAt(ctx, "a", time.Unix(99999999999, 0)))
	r.note(c.PExpireTime(ctx, "a"))
	r.note(c.Persist(ctx, "a"))
	r.note(c.Persist(ctx, "a"))
	r.note(c.ExpireTime(ctx, "a"))
	r.note(c.PExpireTime(ctx, "none"))
	r.note(c.TTL(ctx, "a"))
	r.note(c.Do(ctx, "EXPIRE", "a", uint64(1)<<62))
}

func hashCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.HSet(ctx, "h", "f", "v", "g", "w"))
	r.note(c.HSet(ctx, "h", "f", "x"))
	r.note(c.Do(ctx, "HSET", "h", "f"))
	r.note(c.HGet(ctx, "h", "f"))
	r.note(c.HGet(ctx, "h", "none"))
	r.note(c.HLen(ctx, "h"))
	r.note(c.HGetAll(ctx, "h"))
	r.note(c.HDel(ctx, "h", "g", "none"))
	r.note(c.Get(ctx, "h"))
}

func listCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.RPush(ctx, "l", "a", "b", "c", "d"))
	r.note(c.LPush(ctx, "l", "z"))
	r.note(c.LInsertBefore(ctx, "l", "b", "x"))
	r.note(c.LInsertAfter(ctx, "l", "none", "x"))
	r.note(c.LRange(ctx, "l", 0, -1))
	r.note(c.LIndex(ctx, "l", -1))
	r.note(c.LIndex(ctx, "l", 99))
	r.note(c.LLen(ctx, "l"))
	r.note(c.LPop(ctx, "l"))
	r.note(c.LPopCount(ctx, "l", 2))
	r.note(c.RPop(ctx, "l"))
	r.note(c.RPopCount(ctx, "l", 1))
	r.note(c.LPop(ctx, "none"))
	r.note(c.LPopCount(ctx, "none", 2))
	r.note(c.RPush(ctx, "l", "a", "b", "c"))
	r.note(c.LTrim(ctx, "l", 0, 1))
	r.note(c.BLPop(ctx, time.Second, "none", "l"))
	r.note(c.Do(ctx, "BLPOP", "none", "0.01"))
	r.note(c.Do(ctx, "BLPOP", "none", "-1"))
	r.note(c.LPush(ctx, "h", "v"))
}

func setCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.SAdd(ctx, "set", "a", "b", "c"))
	r.note(c.SAdd(ctx, "set", "a"))
	r.note(c.SRem(ctx, "set", "c", "none"))
	r.note(c.SIsMember(ctx, "set", "a"))
	r.note(c.SCard(ctx, "set"))
	r.unordered(c.SMembers(ctx, "set"))
	r.note(c.SAdd(ctx, "set2", "b", "d"))
	r.unordered(c.SInter(ctx, "set", "set2"))
	r.unordered(c.SPopN(ctx, "set", 5))
	r.note(c.SPop(ctx, "set"))
}

func zsetCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.ZAdd(ctx, "z", redis.Z{Score: 1, Member: "a"}, redis.Z{Score: 2.5, Member: "b"}, redis.Z{Score: 1e300, Member: "c"}))
	r.note(c.ZAddArgs(ctx, "z", redis.ZAddArgs{Ch: true, GT: true, Members: []redis.Z{{Score: 2, Member: "a"}}}))
	r.note(c.ZAddNX(ctx, "z", redis.Z{Score: 9, Member: "a"}))
	r.note(c.ZAddXX(ctx, "z", redis.Z{Score: 0.1, Member: "b"}))
	r.note(c.Do(ctx, "ZADD", "z", "x", "a"))
	r.note(c.ZScore(ctx, "z", "b"))
	r.note(c.ZScore(ctx, "z", "none"))
	r.note(c.ZRank(ctx, "z", "c"))
	r.note(c.ZRank(ctx, "z", "none"))
	r.note(c.ZCard(ctx, "z"))
	r.note(c.ZRange(ctx, "z", 0, -1))
	r.note(c.ZRangeWithScores(ctx, "z", 0, -1))
	r.note(c.ZRem(ctx, "z", "a", "none"))
}

func streamCalls(ctx context.Context, c *redis.Client, r *recorder) {
	for _, id := range []string{"5-1", "5-*", "5-1", "0-0", "abc"} {
		r.note(c.XAdd(ctx, &redis.XAddArgs{Stream: "x", ID: id, Values: []string{"f", "v", "g", "w"}}))
	}
	r.note(c.XLen(ctx, "x"))
	r.note(c.XRange(ctx, "x", "-", "+"))
	r.note(c.XRangeN(ctx, "x", "(5-1", "+", 1))
	r.note(c.XDel(ctx, "x", "5-1", "9-9"))
	r.form(c.XAdd(ctx, &redis.XAddArgs{Stream: "now", Values: []string{"f", "v"}}))
	r.note(c.Del(ctx, "now"))
}

// debugCalls are those of DEBUG.
func debugCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.Do(ctx, "DEBUG", "DIGEST"))
	r.note(c.Do(ctx, "DEBUG", "DIGEST-VALUE", "s", "h", "l", "set2", "z", "x", "none"))
	r.note(c.Do(ctx, "DEBUG", "RELOAD"))
	r.note(c.Do(ctx, "DEBUG", "DIGEST"))
	r.note(c.Do(ctx, "DEBUG", "SLEEP", 0))
	r.note(c.Do(ctx, "DEBUG", "POPULATE", 5, "many", 3))
	r.note(c.MGet(ctx, "many:1", "many:4", "many:5"))
	object := c.DebugObject(ctx, "many:1")
	r.part(object, regexp.MustCompile("refcount:.* encoding:[a-z]*").FindString(object.Val()))
	r.note(c.DebugObject(ctx, "none"))
	for _, kind := range []string{"string", "integer", "double", "bignum", "null", "array", "set", "map", "verbatim", "true", "false", "none"} {
		r.note(c.Do(ctx, "DEBUG", "PROTOCOL", kind))
	}
	r.note(c.Do(ctx, "DEBUG", "SET-ACTIVE-EXPIRE", 0))
	r.note(c.Do(ctx, "PSETEX", "brief", 1, "x"))
	r.note(c.Do(ctx, "DEBUG", "SLEEP", "0.01"))
	r.note(c.Get(ctx, "brief"))
	r.note(c.Do(ctx, "DEBUG", "SET-ACTIVE-EXPIRE", 1))
	r.form(c.Do(ctx, "DEBUG", "HTSTATS", 0))
	r.note(c.Do(ctx, "DEBUG", "HTSTATS", 99))
	r.note(c.Do(ctx, "DEBUG", "NOSUCH"))
}

func serverCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.Ping(ctx))
	r.note(c.Echo(ctx, "hi"))
	r.note(c.Do(ctx, "SELECT", 3))
	r.note(c.DBSize(ctx))
	r.note(c.Set(ctx, "x", 1, 0))
	r.note(c.FlushDB(ctx))
	r.note(c.Do(ctx, "FLUSHDB", "SYNC"))
	r.note(c.Do(ctx, "FLUSHDB", "SOON"))
	r.note(c.Do(ctx, "SELECT", 99))
	r.note(c.Do(ctx, "SELECT", 0))
	r.note(c.FlushDBAsync(ctx))
	r.note(c.DBSize(ctx))
	for _, how := range []string{"SYNC", "ASYNC", "SOON"} {
		r.note(c.Set(ctx, "x", 1, 0))
		r.note(c.Do(ctx, "FLUSHALL", how))
		r.note(c.DBSize(ctx))
	}
	r.note(c.Do(ctx, "NOSUCH", "a", "b"))
	r.note(c.Do(ctx, "GET"))
	r.note(c.Do(ctx, "HELLO", 9))
	for _, version := range []int{5 - r.opts.Protocol, r.opts.Protocol} {
		hello := c.Do(ctx, "HELLO", version)
		r.part(hello, without(pairs(hello.Val()), "id"))
		r.note(c.ConfigGet(ctx, "maxclients"))
	}
}

// passwordCalls are made while a password is set.
func passwordCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.Do(ctx, "AUTH", "x"))
	r.note(c.ConfigSet(ctx, "requirepass", "secret"))
	for _, args := range [][]any{{"AUTH", "x"}, {"AUTH", "secret"}, {"AUTH", "default", "secret"}, {"AUTH", "nobody", "secret"}} {
		r.note(c.Do(ctx, args...))
	}
	for _, password := range []string{"", "wrong", "secret"} {
		opts := r.opts
		opts.Password = password
		other := client(r.dial, opts)
		r.note(other.Ping(ctx))
		r.note(other.Get(ctx, "x"))
		_ = other.Close()
	}
	r.note(c.ConfigSet(ctx, "requirepass", ""))
}

// clientCalls are those of CLIENT.
func clientCalls(ctx context.Context, c *redis.Client, r *recorder) {
	info := func() {
		cmd := c.ClientInfo(ctx)
		if i := cmd.Val(); i != nil {
			r.part(cmd, fmt.Sprint(i.Name, i.Flags, i.DB, i.Sub, i.PSub, i.SSub, i.Multi, i.Events, i.LastCmd, i.User, i.Redir, i.Resp))
		}
		r.form(cmd)
	}
	r.note(c.Do(ctx, "CLIENT", "SETNAME", "worker"))
	r.note(c.ClientGetName(ctx))
	r.note(c.Do(ctx, "CLIENT", "SETNAME", "a b"))
	r.form(c.ClientID(ctx))
	info()
	list := c.ClientList(ctx)
	first, _, _ := strings.Cut(list.Val(), "\n")
	r.part(list, regexp.MustCompile("=[^ ]*").ReplaceAllString(first, ""))
	r.note(c.Do(ctx, "CLIENT", "NO-EVICT", "ON"))
	info()
	r.note(c.Do(ctx, "CLIENT", "NO-EVICT", "OFF"))
	r.note(c.ClientKill(ctx, "1.2.3.4:5"))
	r.note(c.ClientKillByFilter(ctx, "ID", "12345678"))
	other := client(r.dial, r.opts)
	defer other.Close()
	killed := c.ClientKillByFilter(ctx, "ID", strconv.FormatInt(other.ClientID(ctx).Val(), 10))
	r.lines = append(r.lines, fmt.Sprint("client kill id: ", killed.Val(), killed.Err()))
	r.note(c.Do(ctx, "CLIENT", "REPLY", "FOO"))
	r.note(c.Do(ctx, "CLIENT", "REPLY", "ON"))
	r.mute("CLIENT", "REPLY", "SKIP")
	r.mute("SET", "muted", "1")
	r.note(c.Get(ctx, "muted"))
	r.mute("CLIENT", "REPLY", "OFF")
	r.mute("INCR", "muted")
	r.mute("NOSUCH")
	r.note(c.Do(ctx, "CLIENT", "REPLY", "ON"))
	r.note(c.Get(ctx, "muted"))
	r.note(c.Do(ctx, "CLIENT", "FOO"))
	r.note(c.Do(ctx, "CLIENT"))
}

// commandCalls are those of COMMAND, and of HELP.
func commandCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.form(c.Do(ctx, "COMMAND", "COUNT"))
	r.note(c.CommandGetKeys(ctx, "MSET", "a", "1", "b", "2"))
	r.note(c.CommandGetKeysAndFlags(ctx, "MSET", "a", "1", "b", "2"))
	r.note(c.Do(ctx, "COMMAND", "INFO", "nosuch"))
	r.note(c.Do(ctx, "COMMAND", "INFO", "get", "set", "bitfield"))
	all := c.Command(ctx)
	for _, name := range slices.Sorted(maps.Keys(all.Val())) {
		if r.both(name) {
			r.part(all, *all.Val()[name])
		}
	}
	for _, filter := range []*redis.FilterBy{nil, {ACLCat: "string"}, {Pattern: "*get*"}} {
		list := c.CommandList(ctx, filter)
		shared := slices.DeleteFunc(list.Val(), func(name string) bool { return !r.both(name) })
		slices.Sort(shared)
		r.part(list, shared)
	}
	for _, name := range []string{"get", "set", "bitcount"} {
		docs := c.Do(ctx, "COMMAND", "DOCS", name)
		r.part(docs, without(pairs(pairs(docs.Val())[name]), "summary", "complexity"))
	}
	for _, of := range []string{"CLIENT", "COMMAND", "CONFIG", "DEBUG", "MEMORY", "OBJECT", "SLOWLOG"} {
		help := c.Do(ctx, of, "HELP")
		lines, _ := help.StringSlice()
		r.part(help, lines[:min(1, len(lines))])
	}
}

// administrationCalls are calls for who runs the server.
func administrationCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.ConfigGet(ctx, "maxclients"))
	r.note(c.ConfigSet(ctx, "slowlog-max-len", "64"))
	r.note(c.ConfigGet(ctx, "slowlog-max-len"))
	r.note(c.ConfigSet(ctx, "slowlog-max-len", "128"))
	r.note(c.ConfigSet(ctx, "nosuchparameter", "1"))
	r.note(c.ConfigResetStat(ctx))
	r.note(c.ConfigRewrite(ctx))
	info := c.Info(ctx)
	fields := slices.DeleteFunc(fieldsOf(info.Val()), func(name string) bool { return !r.known(name) })
	slices.Sort(fields)
	r.part(info, fields)
	r.form(c.Time(ctx))
	r.form(c.LastSave(ctx))
	r.note(c.Set(ctx, "p", 1, 0))
	r.form(c.MemoryUsage(ctx, "p"))
	r.note(c.Do(ctx, "MEMORY", "USAGE", "none"))
	r.note(c.ConfigSet(ctx, "slowlog-log-slower-than", "0"))
	r.note(c.SlowLogReset(ctx))
	r.note(c.Get(ctx, "s"))
	r.note(c.SlowLogLen(ctx))
	for _, n := range []int64{10, 2} {
		latest := c.SlowLogGet(ctx, n)
		for _, entry := range latest.Val() {
			r.part(latest, fmt.Sprint(entry.ID-latest.Val()[0].ID, entry.Args, entry.ClientName))
		}
	}
	r.note(c.ConfigSet(ctx, "slowlog-log-slower-than", "10000"))
	r.note(c.Do(ctx, "SLOWLOG", "GET", "x"))
	r.note(c.Save(ctx))
	r.note(c.BgSave(ctx))
	r.note(c.Do(ctx, "BGSAVE", "NOW"))
}

// lastCalls end the connection and the server.
func lastCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.Do(ctx, "RESET"))
	r.note(c.Do(ctx, "QUIT"))
	other := client(r.connect, r.opts)
	defer other.Close()
	r.note(other.Do(ctx, "SHUTDOWN", "ABORT"))
	r.note(other.Do(ctx, "SHUTDOWN", "SAVE", "NOSAVE"))
	r.note(other.ShutdownNoSave(ctx))
}
