package resp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDebug compares replies of DEBUG with redis-server's.
func TestDebug(t *testing.T) {
	for _, proto := range []string{"2", "3"} {
		p := newPair(t, "")
		var types []string
		for name := range strings.FieldsSeq("string integer double null array set map attrib verbatim true FALSE bignum x") {
			types = append(types, "debug protocol "+name)
		}
		p.same("hello " + proto)
		p.same(types...)
		if proto == "2" {
			p.same("debug protocol push")
		} else {
			p.ours.send(request("DEBUG", "PROTOCOL", "push"))
			p.theirs.send(request("DEBUG", "PROTOCOL", "push"))
			for range 2 {
				require.Equal(t, p.theirs.reply().raw(), p.ours.reply().raw())
			}
		}
		p.same("debug nosuch", "debug", "debug sleep", "debug sleep 0.001", "debug sleep x", "debug sleep -1", "debug set-active-expire",
			"debug set-active-expire x", "debug set-active-expire 1", "debug object nosuch", "debug object", "debug digest", "debug digest x",
			"debug digest-value", "debug digest-value nosuch other", "debug htstats", "debug htstats 99", "debug htstats x",
			"debug populate 3", "debug populate 3 foo 10", "debug populate 1 whole 0", "get whole:0", "debug populate 2 bar 3", "debug populate x", "debug populate -1",
			"debug populate 1 a b c", "debug digest", "get key:2", "get foo:1", "get bar:1", "dbsize",
			"debug reload", "debug reload nosave noflush merge", "debug reload x", "debug jmap", "debug quicklist-packed-threshold",
			"debug stringmatch-len 1 a", "set key:0 other", "debug populate 1", "get key:0")
	}
}

// TestDebugOff has DEBUG be refused, as by default.
func TestDebugOff(t *testing.T) {
	c := serve(t, nil).connect(t)
	require.Contains(t, c.do("DEBUG", "SLEEP", "0"), "-ERR DEBUG command not allowed. If the enable-debug-command option is set")
	require.Equal(t, "*2 $enable-debug-command $no", c.do("CONFIG", "GET", "enable-debug-command"))
}

// TestDebugDigest compares hashes of data of all types.
func TestDebugDigest(t *testing.T) {
	p := newPair(t, "")
	p.same("set a 1", `set b ""`, "set c xyz", "rpush l 1 2 3 2", "rpush l2 3 2 1 2", "sadd s a b c", "sadd s2 1 2 3",
		"zadd z 1 a 2.5 b -inf c +inf d 0.1 e 3 f 1e300 g", "hset h a 1 b 2", "hset h2 b 2 a 1", "xadd x 1-1 a 1 b 2 a 3", "xadd x 1-2 c d",
		"set d 1 px 10000000", "pexpireat l2 99999999999999",
		"debug digest", "debug digest-value a b c d l l2 s s2 z h h2 x nosuch",
		"select 3", "set a 1", "debug digest", "debug digest-value a", "del a", "debug digest", "select 0", "del a", "debug digest",
		"flushall", "debug digest")
}

// TestDebugExpiry has expired keys stay, which no command sees.
func TestDebugExpiry(t *testing.T) {
	p := newPair(t, "")
	c := p.ours
	require.Equal(t, "+OK", c.do("DEBUG", "SET-ACTIVE-EXPIRE", "0"))
	require.Equal(t, "+OK", c.do("SET", "a", "1", "PX", "1"))
	for deadline := time.Now().Add(50 * time.Millisecond); time.Now().Before(deadline); {
		c.do("PING")
	}
	require.Equal(t, "$-1", c.do("GET", "a"))
	require.Equal(t, "keys=1,expires=1,avg_ttl=0", c.info("keyspace")["db0"])
	require.Equal(t, "+OK", c.do("DEBUG", "SET-ACTIVE-EXPIRE", "1"))
	for c.info("stats")["expired_keys"] != "1" {
		c.do("PING")
	}
	require.NotContains(t, c.info("keyspace"), "db0")
}

// TestDebugTells looks at what is not as in Redis.
func TestDebugTells(t *testing.T) {
	c := newPair(t, "").ours
	require.Equal(t, "+OK", c.do("DEBUG", "POPULATE", "5"))
	require.Contains(t, c.ask("DEBUG", "HTSTATS", "0").text, "number of elements: 5\n")
	require.Equal(t, "+OK", c.do("DEBUG", "LOADAOF"))
	require.Regexp(t, `^\+Value at:0x0 refcount:1 encoding:embstr memory:\d+ lru_seconds_idle:0$`, c.do("DEBUG", "OBJECT", "key:1"))
	require.Contains(t, c.ask("DEBUG", "HELP").texts(), "SLEEP <seconds>")
}
