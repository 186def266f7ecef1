package resp_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// TestPipelinesOfWrites sends pipelines that write a few keys, of all types, to
// us and to a redis-server: commands of one key each that stand together are one
// transaction here, which replies must not show.
func TestPipelinesOfWrites(t *testing.T) {
	s, r := serve(t, nil), redis(t)
	us, them := s.connect(t), connectRedis(t, r)
	rng := rand.New(rand.NewPCG(3, 9))
	for range 2000 {
		key, often := pipelineKey(rng), 1+rng.IntN(10)
		var requests [][]string
		for range 1 + rng.IntN(30) {
			if rng.IntN(often) == 0 {
				key = pipelineKey(rng)
			}
			requests = append(requests, fastWrite(rng, key))
			for rng.IntN(4) == 0 {
				requests = append(requests, push(rng, key)...)
			}
		}
		requests = append(requests, []string{"LRANGE", key, "0", "-1"})
		us.send(raw(requests))
		them.send(raw(requests))
		for i, request := range requests {
			require.Equal(t, them.reply().raw(), us.reply().raw(), "%q, number %d of %q", request, i, requests)
		}
	}
}

// pipelineKey returns one of a few keys: one is so long that it has a page of
// its own.
func pipelineKey(rng *rand.Rand) string {
	if n := rng.IntN(6); n > 0 {
		return fmt.Sprint("key", n)
	}
	return strings.Repeat("key", 500)
}

// fastWrite returns a request that writes a key, or that is refused.
func fastWrite(rng *rand.Rand, key string) []string {
	n := func(k int) string { return strconv.Itoa(rng.IntN(k)) }
	switch rng.IntN(27) {
	case 24:
		return []string{"SET", key, n(5)}
	case 25:
		return []string{"SET", key, n(5), "KEEPTTL", "GET"}
	case 26:
		return []string{"SETEX", key, "-1", n(5)}
	case 0:
		return []string{"INCR", key}
	case 1:
		return []string{"APPEND", key, n(10)}
	case 2:
		return []string{"DEL", key}
	case 3:
		return []string{"HSET", key, n(5), n(100), n(5)} // wrong number
	case 4:
		return []string{"PEXPIRE", key, "-" + n(2)}
	case 5:
		return []string{"PERSIST", key}
	case 6:
		return []string{"MOVE", key, n(2)}
	case 7:
		return []string{"SETNX", key, n(5)}
	case 8:
		return []string{"GETDEL", key}
	case 9:
		return []string{"ZADD", key, "nan", "a"}
	case 10:
		return []string{"LINSERT", key, "BEFORE", n(4), n(4)}
	case 11, 12, 13:
		return []string{"LPUSH", key, n(4), n(4)}
	case 14:
		return []string{"RPOP", key}
	case 15, 16:
		return []string{"HSET", key, n(50), n(100)}
	case 17:
		return []string{"HDEL", key, n(50)}
	case 18, 19:
		return []string{"SADD", key, n(100), n(100)}
	case 20:
		return []string{"SREM", key, n(100)}
	case 21, 22:
		return []string{"ZADD", key, n(100), n(50)}
	default:
		return []string{"ZREM", key, n(50)}
	}
}

// push returns requests that push to one end of a list: they may be one push.
func push(rng *rand.Rand, key string) (requests [][]string) {
	name := []string{"LPUSH", "rpush", "RPUSH"}[rng.IntN(3)]
	for range 1 + rng.IntN(6) {
		args := []string{name, key}
		for range rng.IntN(4) { // none is an error
			args = append(args, strings.Repeat(strconv.Itoa(rng.IntN(100)), 1+rng.IntN(20)*rng.IntN(40)))
		}
		requests = append(requests, args)
	}
	return requests
}

// TestPipelineServesWaiters has clients wait for a list that a pipeline pushes
// to: each gets what is there after the command that served it.
func TestPipelineServesWaiters(t *testing.T) {
	s := serve(t, nil)
	c := s.connect(t)
	first, second := s.connect(t), s.connect(t)
	first.send(request("BLPOP", "q", "0"))
	waiting(t, c, 1)
	second.send(request("BLPOP", "q", "0"))
	waiting(t, c, 2)
	c.send(raw([][]string{{"LPUSH", "q", "a"}, {"LPUSH", "q", "b"}, {"LPUSH", "q", "c"}, {"LPUSH", "q", "d"}}))
	for _, want := range []string{":1", ":1", ":1", ":2"} {
		require.Equal(t, want, c.reply().raw())
	}
	require.Equal(t, "*2 $q $a", first.reply().raw())
	require.Equal(t, "*2 $q $b", second.reply().raw())
	require.Equal(t, "*2 $d $c", c.do("LRANGE", "q", "0", "-1"))
}

// TestPipelineThatFails has some writes be one transaction that is refused, since
// a client waits for one of the keys, so that the changes are made in copies
// first: the first one by itself is refused, and its reply is not wanted.
func TestPipelineThatFails(t *testing.T) {
	db, err := brock.Open(t.TempDir(), &brock.Options{MaxTxBytes: 200})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	s := serveDB(t, db, nil)
	c, waiter := s.connect(t), s.connect(t)
	waiter.send(request("BLPOP", "q", "0"))
	waiting(t, c, 1)
	c.send(raw([][]string{
		{"CONFIG", "RESETSTAT"}, {"CLIENT", "REPLY", "SKIP"}, {"RPUSH", "q", strings.Repeat("x", 198)}, {"RPUSH", "q", "y"}, {"PING"},
	}))
	for _, want := range []string{"+OK", ":1", "+PONG"} {
		require.Equal(t, want, c.reply().raw())
	}
	require.Equal(t, "*2 $q $y", waiter.reply().raw())
	require.Regexp(t, `^calls=2,.*,rejected_calls=0,failed_calls=1$`, c.info("commandstats")["cmdstat_rpush"])
	require.Equal(t, "1", c.info("stats")["total_error_replies"])
}

// TestPipelineTooLarge holds each write of a pipeline to the limit of a
// transaction.
func TestPipelineTooLarge(t *testing.T) {
	db, err := brock.OpenMemory(&brock.Options{MaxTxBytes: 100})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	c := serveDB(t, db, nil).connect(t)
	c.send(raw([][]string{{"SET", "a", "1"}, {"SET", "b", strings.Repeat("x", 101)}, {"SET", "c", "1"}}))
	require.Equal(t, "+OK", c.reply().raw())
	require.Contains(t, c.reply().raw(), "-OOM command not allowed")
	require.Equal(t, "+OK", c.reply().raw())
}

// TestPipelineSkips drops some of the replies of a pipeline.
func TestPipelineSkips(t *testing.T) {
	c := serve(t, nil).connect(t)
	c.send(raw([][]string{
		{"CLIENT", "REPLY", "SKIP"},
		{"RPUSH", "q", "a"},
		{"RPUSH", "q", "b", "c"},
		{"RPUSH", "q", "d"},
		{"CLIENT", "REPLY", "OFF"},
		{"RPUSH", "q", "e"},
		{"RPUSH", "q", "f"},
		{"SET", "k", "v"},
		{"CLIENT", "REPLY", "ON"},
	}))
	for _, want := range []string{":3", ":4", "+OK"} {
		require.Equal(t, want, c.reply().raw())
	}
	require.Equal(t, ":6", c.do("LLEN", "q"))
}
