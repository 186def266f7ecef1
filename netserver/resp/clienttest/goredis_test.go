package clienttest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/oracle"
	"github.com/brockdb/brock/netserver/resp"
)

// TestGoRedis makes the same calls to a server of ours and to a redis-server, in
// both versions of the protocol.
func TestGoRedis(t *testing.T) {
	theirs, err := oracle.StartRedis(t.TempDir())
	if errors.Is(err, oracle.ErrNoRedis) && os.Getenv("BROCK_CI") == "" {
		t.Skipf("%s: replies are not compared", err)
	}
	require.NoError(t, err)
	t.Cleanup(theirs.Close)
	for _, version := range []int{2, 3} {
		t.Run(fmt.Sprintf("resp=%d", version), func(t *testing.T) {
			ours := serve(t)
			want := record(t, &redis.Options{
				Protocol: version,
				Dialer:   func(context.Context, string, string) (net.Conn, error) { return theirs.Dial() },
			})
			got := record(t, &redis.Options{Protocol: version, Addr: ours})
			require.Len(t, got, len(want))
			for i := range want {
				require.Equal(t, want[i], got[i])
			}
		})
	}
}

// serve serves a database in memory and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- resp.Serve(ctx, l, db, &resp.Options{EnableDebug: true}) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
		require.NoError(t, db.Close())
	})
	return l.Addr().String()
}

// record makes all calls on one connection, and returns what came of them.
func record(t *testing.T, opts *redis.Options) []string {
	t.Helper()
	opts.PoolSize, opts.MaxRetries = 1, -1
	c := redis.NewClient(opts)
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r := &recorder{}
	r.note(c.FlushAll(ctx))
	for _, part := range []func(context.Context, *redis.Client, *recorder){
		stringCalls, bitmapCalls, keyCalls, expiryCalls, hashCalls, listCalls, setCalls, zsetCalls, streamCalls, serverCalls, administrationCalls,
	} {
		part(ctx, c, r)
	}
	return r.lines
}

// recorder collects what came of calls.
type recorder struct{ lines []string }

// note notes a call and what came of it.
func (r *recorder) note(cmd redis.Cmder) { r.lines = append(r.lines, fmt.Sprint(cmd)) }

// unordered is note for a list in any order.
func (r *recorder) unordered(cmd *redis.StringSliceCmd) {
	slices.Sort(cmd.Val())
	r.note(cmd)
}

// form is note for what tells of the server or of time: only that it came, or
// did not.
func (r *recorder) form(cmd redis.Cmder) {
	r.lines = append(r.lines, fmt.Sprint(cmd.Args(), cmd.Err()))
}

func stringCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.Set(ctx, "s", "hello", 0))
	r.note(c.Set(ctx, "s", "v", 100*time.Second))
	r.note(c.SetNX(ctx, "s", "v", time.Second))
	r.note(c.SetXX(ctx, "s", "w", 1500*time.Millisecond))
	r.note(c.SetArgs(ctx, "s", "x", redis.SetArgs{Get: true, KeepTTL: true}))
	r.note(c.SetArgs(ctx, "s", "y", redis.SetArgs{ExpireAt: time.Unix(99999999999, 0)}))
	r.note(c.SetArgs(ctx, "none", "y", redis.SetArgs{Mode: "XX"}))
	r.note(c.Do(ctx, "SET", "s", "v", "NX", "XX"))
	r.note(c.Do(ctx, "SET", "s", "v", "PX", 0))
	r.note(c.Get(ctx, "s"))
	r.note(c.Get(ctx, "none"))
	r.note(c.GetEx(ctx, "s", 50*time.Second))
	r.note(c.TTL(ctx, "s"))
	r.note(c.GetEx(ctx, "s", 0))
	r.note(c.GetDel(ctx, "s"))
	r.note(c.GetSet(ctx, "s", "1"))
	r.note(c.GetSet(ctx, "s", "hello"))
	r.note(c.SetNX(ctx, "s", "x", 0))
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
	r.note(c.BitPos(ctx, "bits", 1))
	r.note(c.BitPos(ctx, "bits", 0, 0))
	r.note(c.BitPosSpan(ctx, "bits", 0, 0, 5, "bit"))
	r.note(c.BitOpAnd(ctx, "dst", "bits", "a"))
	r.note(c.BitOpOr(ctx, "dst", "bits", "a"))
	r.note(c.BitOpXor(ctx, "dst", "bits", "a"))
	r.note(c.BitOpNot(ctx, "dst", "bits"))
	r.note(c.Do(ctx, "BITOP", "NOT", "dst", "bits", "a"))
	r.note(c.BitField(ctx, "bits", "SET", "u8", "#1", 255, "GET", "i4", 0, "OVERFLOW", "SAT", "INCRBY", "u8", "#1", 1))
	r.note(c.Do(ctx, "BITFIELD", "bits", "OVERFLOW", "FAIL", "INCRBY", "u8", "#1", 1))
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
	r.note(c.ObjectIdleTime(ctx, "a"))
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
	r.note(c.ExpireXX(ctx, "a", 80*time.Second))
	r.note(c.Do(ctx, "EXPIRE", "a", 1, "NX", "GT"))
	r.note(c.PExpire(ctx, "a", 200*time.Second))
	r.note(c.TTL(ctx, "a"))
	r.form(c.PTTL(ctx, "a"))
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
	r.form(c.XAdd(ctx, &redis.XAddArgs{Stream: "x", Values: []string{"f", "v"}}))
}

func serverCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.Ping(ctx))
	r.note(c.Echo(ctx, "hi"))
	r.note(c.Do(ctx, "SELECT", 3))
	r.note(c.DBSize(ctx))
	r.note(c.FlushDB(ctx))
	r.note(c.Do(ctx, "SELECT", 99))
	r.note(c.Do(ctx, "SELECT", 0))
	r.note(c.FlushDBAsync(ctx))
	r.note(c.FlushAllAsync(ctx))
	r.note(c.DBSize(ctx))
	r.note(c.Do(ctx, "NOSUCH", "a", "b"))
	r.note(c.Do(ctx, "GET"))
	r.note(c.Do(ctx, "HELLO", 9))
	r.note(c.Do(ctx, "AUTH", "x"))
	r.note(c.Do(ctx, "CLIENT", "SETNAME", "worker"))
	r.note(c.ClientGetName(ctx))
	r.form(c.ClientID(ctx))
	r.form(c.ClientInfo(ctx))
	r.form(c.ClientList(ctx))
	r.note(c.Do(ctx, "CLIENT", "NO-EVICT", "ON"))
	r.note(c.ClientKill(ctx, "1.2.3.4:5"))
	r.note(c.ClientKillByFilter(ctx, "ID", "12345678"))
	r.note(c.Do(ctx, "CLIENT", "REPLY", "FOO"))
	r.form(c.Do(ctx, "COMMAND", "COUNT"))
	r.note(c.CommandGetKeys(ctx, "MSET", "a", "1", "b", "2"))
	r.form(c.Command(ctx))
	r.form(c.CommandList(ctx, nil))
	r.form(c.Do(ctx, "COMMAND", "DOCS", "get"))
	r.note(c.Do(ctx, "COMMAND", "INFO", "nosuch"))
}

// administrationCalls are calls for who runs the server.
func administrationCalls(ctx context.Context, c *redis.Client, r *recorder) {
	r.note(c.ConfigGet(ctx, "maxclients"))
	r.note(c.ConfigSet(ctx, "slowlog-max-len", "64"))
	r.note(c.ConfigGet(ctx, "slowlog-max-len"))
	r.note(c.ConfigSet(ctx, "slowlog-max-len", "128"))
	r.note(c.ConfigSet(ctx, "nosuchparameter", "1"))
	r.note(c.ConfigResetStat(ctx))
	r.form(c.Info(ctx))
	r.form(c.Time(ctx))
	r.form(c.LastSave(ctx))
	r.form(c.MemoryUsage(ctx, "p"))
	r.note(c.Do(ctx, "MEMORY", "USAGE", "none"))
	r.note(c.Do(ctx, "SLOWLOG", "RESET"))
	r.note(c.Do(ctx, "SLOWLOG", "LEN"))
	r.form(c.SlowLogGet(ctx, 10))
	r.note(c.Do(ctx, "DEBUG", "SLEEP", 0))
	r.note(c.Save(ctx))
	r.form(c.BgSave(ctx))
	r.note(c.Do(ctx, "RESET"))
	r.note(c.Do(ctx, "QUIT"))
}
