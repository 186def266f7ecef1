package resp_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/netserver/resp"
)

// dataLines are commands about data, one a line, whose replies are those of a
// redis-server. \0 stands for a zero byte.
func dataLines() []string {
	//nolint:dupword // words are arguments
	return strings.Split(strings.TrimSpace(`
FLUSHALL
SET s hello
SETRANGE s 2 XX
GETRANGE s -3 -1
SUBSTR s 0 1
SET s v EX 10 EX 20
SET s v NX
SET s v XX GET
SET none v XX
SET s v NX XX
SET s v KEEPTTL EX 1
SET s v EX
SET s v EX 0
SET s v PX 9223372036854775807
SET s v EX 9223372036854775
EXPIRETIME s
SET s v EXAT 99999999999
EXPIRETIME s
PEXPIRETIME s
SET s v PXAT 0
TTL s
GETEX s PERSIST
TTL s
GETEX s EX x
GETEX none EX x
GETEX s EX 0
GETEX s PXAT 1
GET s
SETEX s 0 v
PSETEX s -1 v
SETEX s x v
SETNX n 10
SETNX n 11
GETSET n 12
GETSET none2 a
INCRBYFLOAT n 1.5
INCR n
DECRBY n -9223372036854775808
INCRBY n 9223372036854775808
GETDEL n
GETDEL n
MSET a ohmytext b mynewtext
MSET a
MSET a b c
MSETNX a 1 zz 2
MGET a none b
LCS a b
LCS a b LEN
LCS a b IDX
LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN
LCS a b IDX LEN
LCS a b MINMATCHLEN x
APPEND a !
STRLEN a
SETBIT bits 7 1
SETBIT bits 4294967296 1
SETBIT bits 1 2
GETBIT bits 7
BITCOUNT bits
BITCOUNT bits 0
BITCOUNT none 0
BITCOUNT bits -1 -5 FOO
BITCOUNT bits 0 7 BIT
BITPOS bits 1
BITPOS bits 2
BITPOS bits 0 0 -1 BIT
BITPOS none 0 x
BITOP NOT dst bits
BITOP NOT dst bits a
BITOP NAND dst bits
BITFIELD bits SET u8 #1 255 GET i4 0 OVERFLOW FAIL INCRBY u8 #1 1
BITFIELD bits OVERFLOW SAT SET i5 0 -9223372036854775808 GET i5 0
BITFIELD bits GET u64 0
BITFIELD bits GET u8 #9223372036854775807
BITFIELD bits OVERFLOW FOO
BITFIELD_RO bits GET u8 0
BITFIELD_RO bits SET u8 0 1
DEL bits none
EXISTS a a none
EXPIRE a 100 NX
EXPIRE a x NX XX
EXPIRE a 1 GT LT
EXPIRE a 1 FOO
NOSUCH a b
EXPIRE a 9223372036854775807
EXPIRE a 9223372036854775
EXPIREAT a 99999999999 GT
PEXPIREAT a 99999999999000
PEXPIREAT a 9223372036854775807
PEXPIRETIME a
EXPIRETIME a
PERSIST a
PTTL a
TTL none
EXPIRETIME none
PEXPIRE a -1
COPY b c
COPY b c
COPY b c REPLACE
COPY b b
COPY b c DB 99
COPY b c DB 99999999999
COPY b c DB x
COPY b c FOO
MOVE b 3
MOVE b 3
MOVE c 0
MOVE c 99
MOVE c x
RENAME c d
RENAME c d
RENAMENX d d
RENAMENX d e
TYPE e
TYPE none
TOUCH e none
UNLINK e
KEYS none*
SCAN x
SCAN \0y MATCH nosuch*
EXPIRE a 1 FOO\0BAR
SCAN 0 COUNT 0
SCAN 0 COUNT x
SCAN 0 FOO 1
SCAN 0 MATCH none* COUNT 10000
SCAN 0 MATCH s TYPE STRING\0x COUNT 10000
SCAN 0 MATCH s TYPE \0x COUNT 10000
BLPOP none 1e400
BLPOP none -1e400
BLPOP none 1e-400
BLPOP none 0x1p2000
BLPOP none 1_0
BLPOP none nan
SWAPDB x 1
SWAPDB 1 x
SWAPDB 0 99
SWAPDB 0 3
SWAPDB 3 0
RANDOMKEY foo
OBJECT ENCODING b
OBJECT ENCODING none
OBJECT REFCOUNT none
OBJECT FREQ s
OBJECT FREQ none
OBJECT IDLETIME none
OBJECT FOO b
HSET h f v f2 v2
HSET h f
HSET h f v g
HGET h f
HGET h none
HLEN h
HDEL h f2
HGETALL h
HGETALL none
RPUSH l a b c d
LPUSH l z
LINSERT l BEFORE b x
LINSERT l FOO b x
LINSERT l AFTER none x
LINSERT none AFTER b x
LRANGE l 0 -1
LRANGE l x 1
LINDEX l -1
LINDEX l 99
LINDEX none x
LINDEX l x
LLEN l
LPOP l
LPOP l 2
LPOP l 0
LPOP l -1
LPOP l x
LPOP l 1 2
LPOP none
LPOP none 1
RPOP l
RPOP none 1
LTRIM l 0 0
BLPOP none l 1
BLPOP none 0.01
BLPOP none -1
BLPOP none x
BLPOP none 1e300
BLPOP h 1
SADD set a b c
SADD set a
SISMEMBER set a
SCARD set
SREM set a none
SMEMBERS set
SMEMBERS none
SINTER set set
SINTER set none
SPOP set x
SPOP set 0
SPOP set 1 1
SPOP set 9
SPOP set
SPOP set 1
ZADD z 1 a 2.5 b inf c -inf d 0x10 e 1e17 f 3e-5 g .5 h
ZADD z 1e 3
ZADD z nan a
ZADD z 1e-400 a
ZADD z 1e400 a
ZADD z 1 a 2
ZADD z NX XX 1 a
ZADD z GT LT 1 a
ZADD z CH GT 5 a
ZADD z XX CH 5 new
ZCARD z
ZSCORE z b
ZSCORE z f
ZSCORE z none
ZRANK z b
ZRANK z none
ZRANGE z 0 -1
ZRANGE z 0 -1 WITHSCORES
ZRANGE z 0 -1 FOO
ZRANGE z x 1
ZRANGE none 0 -1 WITHSCORES
ZREM z a none
XADD x 5-1 f v g w
XADD x 5-* f v
XADD x 5-1 f v
XADD x 0-0 f v
XADD x foo f v
XADD x 6-* f v g
XADD x 007 f v
XADD nul 1\0 f v
XADD nul 2-*\0x f v
XRANGE nul -\0 (2\0
XDEL nul 1\0
XLEN x
XRANGE x - +
XRANGE x (5-1 + COUNT 1
XRANGE x 5 5 COUNT 0
XRANGE none - + COUNT 0
XRANGE x - + COUNT x
XRANGE x - + FOO
XRANGE x (18446744073709551615-18446744073709551615 +
XRANGE x - (0-0
XRANGE x foo +
XDEL x 5-1 9-9
XDEL x foo
XDEL none foo
GET h
INCR h
LPUSH s v
HSET l f v
SADD h v
ZADD h 1 v
XADD h * f v
SETBIT h 1 1
BITCOUNT h x y
BITPOS h 1 x
LCS h a FOO
LINDEX h x
XDEL h foo
GETEX h EX x
FLUSHDB FOO
DBSIZE
FLUSHDB ASYNC
DBSIZE
FLUSHALL SYNC`), "\n")
}

// TestData compares the replies to commands about data with those of a
// redis-server, in both versions of the protocol.
func TestData(t *testing.T) {
	other := redis(t)
	for _, version := range []string{"2", "3"} {
		t.Run("resp="+version, func(t *testing.T) {
			ours, theirs := serve(t, &resp.Options{}).connect(t), connectRedis(t, other)
			ours.ask("HELLO", version)
			theirs.ask("HELLO", version)
			for _, line := range dataLines() {
				words := strings.Fields(strings.ReplaceAll(line, `\0`, "\x00"))
				want, got := theirs.ask(words...), ours.ask(words...)
				require.Equal(t, unordered(words, want), unordered(words, got), line)
			}
		})
	}
}

// TestExpiryExtremes gives every time to live that is near the end of a range.
func TestExpiryExtremes(t *testing.T) {
	ours, theirs := serve(t, nil).connect(t), connectRedis(t, redis(t))
	for _, n := range []int64{
		math.MinInt64, math.MinInt64 + 1, -1 << 62, math.MinInt64/500 - 1, -18446744073709551, math.MinInt64/1000 - 1, math.MinInt64 / 1000,
		-1, 0, math.MaxInt64 / 1000, math.MaxInt64/1000 + 1, math.MaxInt64 / 500, 1 << 62, math.MaxInt64 - 1, math.MaxInt64,
		9223370000000000, 9223000000000000000, 9223370000000000000,
	} {
		for _, line := range []string{
			"SET k w EX %d", "SET k w PX %d", "SET k w EXAT %d", "SET k w PXAT %d", "SET k w GET XX EX %d", "SETEX k %d w", "PSETEX k %d w",
			"GETEX k EX %d", "GETEX k PX %d", "GETEX k EXAT %d", "GETEX k PXAT %d",
			"EXPIRE k %d", "PEXPIRE k %d", "EXPIREAT k %d", "PEXPIREAT k %d", "EXPIRE k %d GT", "PEXPIREAT k %d LT",
		} {
			line = fmt.Sprintf(line, n)
			var got [2][]string
			for i, w := range []*wire{theirs, ours} {
				w.line("SET k v")
				got[i] = []string{w.line(line), w.line("GET k")}
				if at, err := strconv.ParseInt(w.ask("PEXPIRETIME", "k").text, 10, 64); err == nil {
					got[i] = append(got[i], strconv.FormatInt(at>>16, 10)) // about a minute
				}
			}
			require.Equal(t, got[0], got[1], line)
		}
	}
}

// TestDataAtOnce is TestData with all requests in one packet.
func TestDataAtOnce(t *testing.T) {
	p := startPair(t, "")
	var requests [][]string
	for _, line := range dataLines() {
		words := strings.Fields(strings.ReplaceAll(line, `\0`, "\x00"))
		switch {
		case words[0] == "BLPOP": // if it waits the connection ends
			continue
		case line == "GET h":
			requests = append(requests, []string{"DEBUG", "DIGEST"}) // before all is deleted
		case words[0] == "TTL": // the servers are asked one after the other
			words[0] = "EXPIRETIME"
		}
		requests = append(requests, words)
	}
	got, want := p.ours.atOnce(requests), p.theirs.atOnce(requests)
	require.Len(t, got, len(requests))
	require.Len(t, want, len(requests))
	for i, words := range requests {
		require.Equal(t, unordered(words, want[i]), unordered(words, got[i]), words)
	}
}

// unordered returns a reply with the members of a set in order, also in RESP2.
func unordered(words []string, n node) string {
	if n.kind == '*' && slices.Contains([]string{"SMEMBERS", "SINTER", "SPOP"}, words[0]) {
		n.kind = '~'
	}
	return n.sorted().raw()
}
