package resp_test

import (
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/netserver"
	"github.com/brockdb/brock/netserver/resp"
)

// TestConfig compares replies of CONFIG with redis-server's.
func TestConfig(t *testing.T) {
	for _, proto := range []string{"2", "3"} {
		p := newPair(t, "")
		p.same("hello "+proto,
			"config get nosuch", "config get maxclients", "config get MAXclients", "config get maxclients MAXclients", "config get MAXclients maxclients",
			"config get maxclient? MAXclients", "config get MAXclients maxclient?", "config get", "config set dir /tmp",
			"config get slowlog-max-len", "config get databases", "config get requirepass", "config get save",
			"config get port", "config get appendfsync", "config get latency-tracking", "config get enable-debug-command",
			"config set", "config set a", "config set nosuch 1", "config set NoSuch 1 timeout x", "config set timeout 10 nosuch 1",
			"config set timeout 10 timeout 20", "config set timeout 10 maxclients", "config get timeout", "config set databases 3",
			"config set enable-debug-command yes", "config set timeout 10 databases 3", "config get timeout",
			"config set maxclients x", "config set maxclients 0", "config set timeout -1", "config set timeout x", "config set timeout 1k",
			"config set timeout _10", `config set timeout ""`, "config set timeout 3000000000", "config set TIMEOUT 100", "config get timeout", "config set timeout 0",
			"config set proto-max-bulk-len 1", "config set proto-max-bulk-len 2mb", "config get proto-max-bulk-len",
			"config set proto-max-bulk-len 2M", "config get proto-max-bulk-len", "config set proto-max-bulk-len 1.5mb",
			"config set proto-max-bulk-len 9999999999999999999999", "config set proto-max-bulk-len -1", "config set proto-max-bulk-len x",
			`config set proto-max-bulk-len ""`, "config set proto-max-bulk-len 512mb",
			"config set client-query-buffer-limit 1", "config set client-query-buffer-limit 2gb", "config get client-query-buffer-limit",
			"config set client-query-buffer-limit 1gb",
			"config set client-output-buffer-limit normal_10mb_1mb", "config set client-output-buffer-limit foo_10mb_1mb_60",
			"config set client-output-buffer-limit normal_x_1mb_60", "config set client-output-buffer-limit normal_-1_0_0",
			"config set client-output-buffer-limit normal_0_0_-1", "config set client-output-buffer-limit normal_10mb_1mb_60",
			`config set client-output-buffer-limit ""`, "config set client-output-buffer-limit normal_1mb_0_0_normal_0_0_0",
			"config set slowlog-log-slower-than -5", "config set slowlog-log-slower-than -1", "config get slowlog-log-slow*",
			"config set slowlog-max-len -1", "config set slowlog-max-len 5 slowlog-log-slower-than 10000", "config get slowlog-max-len",
			"config set latency-tracking x", "config set latency-tracking NO", "config get latency-tracking", "config set latency-tracking yes",
			"config set latency-tracking-info-percentiles 50.5_99.9999", "config get latency-tracking-info-percentiles",
			"config set latency-tracking-info-percentiles 50_101", "config set latency-tracking-info-percentiles x",
			`config set latency-tracking-info-percentiles ""`, "config get latency-tracking-info-percentiles",
			"config set appendonly x", "config set appendfsync x", "config set save 900_1_300", "config set save x_1", `config set save ""`,
			"config set hash-max-ziplist-entries 4", "config get hash-max-listpack-entries", "config set hash-max-listpack-entries -1",
			"config set hash-max-listpack-entries 5 hash-max-ziplist-entries 6", "config get hash-max-ziplist-entries",
			"config set hash-max-listpack-value -1", "config set hash-max-ziplist-value x", "config set hash-max-listpack-value 1kb",
			"config get hash-max-ziplist-value", "config set zset-max-ziplist-value 9223372036854775808", "config set zset-max-listpack-value 2K",
			"config get zset-max-listpack-value", "config set hash-max-listpack-entries 1k", "config set zset-max-ziplist-value 64",
			"config get hash-max-listpack-value", "config get set-max-intset-entries", "config get zset-max-listpack-entries",
			"config get zset-max-ziplist-value", "config rewrite", "config rewrite x", "config resetstat x", "config resetstat", "config nosuch")
	}
}

// TestConfigGet returns parameters that match patterns.
func TestConfigGet(t *testing.T) {
	c := serve(t, nil).connect(t)
	require.Equal(t, []string{"slowlog-log-slower-than", "10000", "slowlog-max-len", "128"}, c.ask("CONFIG", "GET", "slow*", "SLOWLOG*").texts())
	require.Equal(t, []string{"MaxClients", "10000", "timeout", "0"}, c.ask("CONFIG", "GET", "MaxClients", "t[a-z]meou?").texts())
	require.Equal(t, []string{"client-output-buffer-limit", "normal 0 0 0"}, c.ask("CONFIG", "GET", "client-output*").texts())
	for _, name := range []string{"maxmemory", "notify-keyspace-events", "tcp-keepalive", "loglevel"} {
		require.Equal(t, "*0", c.do("CONFIG", "GET", name))
		require.Equal(t, "-ERR Unknown option or number of arguments for CONFIG SET - '"+name+"'", c.do("CONFIG", "SET", name, "1"))
	}
	require.Equal(t, []string{"dir", ""}, c.ask("CONFIG", "GET", "dir").texts())
	help := c.ask("CONFIG", "HELP").texts()
	require.Contains(t, help, "SET <parameter> <value> [<parameter> <value> ...]")
}

// TestConfigDurability reads and sets the durability mode as appendonly,
// appendfsync and save.
func TestConfigDurability(t *testing.T) {
	home := t.TempDir()
	t.Chdir(home)
	dir := "db"
	db, err := brock.Open(dir, &brock.Options{Durability: brock.Relaxed})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	c := serveDB(t, db, nil).connect(t)
	require.Equal(t, []string{"appendfsync", "no", "appendonly", "yes", "dir", filepath.Join(home, dir), "save", ""},
		c.ask("CONFIG", "GET", "append*", "dir", "save").texts())
	for text, mode := range map[string]brock.Durability{"always": brock.Always, "EVERYSEC": brock.EverySecond, "no": brock.Relaxed} {
		require.Equal(t, "+OK", c.do("CONFIG", "SET", "appendfsync", text))
		require.Equal(t, mode, db.Durability())
		require.Equal(t, strings.ToLower(text), c.ask("CONFIG", "GET", "appendfsync").list[1].text)
	}
	require.Equal(t, "+OK", c.do("CONFIG", "SET", "appendonly", "yes", "save", ""))
	for name, value := range map[string]string{"appendonly": "no", "save": "3600 1"} {
		reply := c.do("CONFIG", "SET", "timeout", "7", name, value)
		require.Contains(t, reply, "-ERR CONFIG SET failed (possibly related to argument '"+name+"') - ")
	}
	require.Equal(t, "0", c.ask("CONFIG", "GET", "timeout").list[1].text)

	memory := serve(t, nil).connect(t)
	require.Equal(t, []string{"appendonly", "no"}, memory.ask("CONFIG", "GET", "appendonly").texts())
	require.Contains(t, memory.do("CONFIG", "SET", "appendonly", "yes"), "a database in memory has no log")
	require.Equal(t, "+OK", memory.do("CONFIG", "SET", "appendonly", "no"))
}

// TestConfigAct shows that parameters change what the server does.
func TestConfigAct(t *testing.T) {
	s := serve(t, &resp.Options{MaxClients: 3})
	c := s.connect(t)
	set := func(pairs ...string) {
		t.Helper()
		require.Equal(t, "+OK", c.do(append([]string{"CONFIG", "SET"}, pairs...)...))
	}
	require.Equal(t, "3", c.ask("CONFIG", "GET", "maxclients").list[1].text)
	set("maxclients", "1")
	require.Equal(t, "-ERR max number of clients reached\r\n", s.connect(t).closed())
	set("maxclients", "10")
	require.Equal(t, "+PONG", s.connect(t).do("PING"))

	set("proto-max-bulk-len", "1mb")
	d := s.connect(t)
	d.send("*2\r\n$4\r\nECHO\r\n$1048577\r\n")
	require.Equal(t, "-ERR Protocol error: invalid bulk length\r\n", d.closed())

	set("client-query-buffer-limit", "1mb", "proto-max-bulk-len", "512mb")
	d = s.connect(t)
	d.send("*2\r\n$4\r\nECHO\r\n$5000000\r\n")
	for range 40 {
		if _, err := d.conn.Write(make([]byte, 1<<16)); err != nil {
			break
		}
	}
	require.Empty(t, d.closed())

	set("slowlog-log-slower-than", "0", "slowlog-max-len", "3")
	for range 5 {
		c.do("PING")
	}
	require.Equal(t, ":3", c.do("SLOWLOG", "LEN"))
	set("slowlog-max-len", "1")
	require.Equal(t, ":1", c.do("SLOWLOG", "LEN"))
	set("slowlog-log-slower-than", "-1")
	require.Equal(t, "+OK", c.do("SLOWLOG", "RESET"))
	require.Equal(t, ":0", c.do("SLOWLOG", "LEN"))

	set("latency-tracking-info-percentiles", "50 99.5")
	require.Regexp(t, `latency_percentiles_usec_ping:p50=[0-9.]+,p99.5=[0-9.]+\r\n`, c.ask("INFO", "latencystats").text)
	set("latency-tracking", "no")
	require.NotContains(t, c.ask("INFO", "latencystats").text, "latency_percentiles")
}

// TestConfigBind names the addresses that are listened on, in order, once.
func TestConfigBind(t *testing.T) {
	s := serve(t, nil)
	var closed []func()
	for _, host := range []string{"127.0.0.2", "127.0.0.1", "[::1]", "127.0.0.2"} {
		l, err := net.Listen("tcp", host+":0")
		if err != nil {
			t.Skipf("%s: %s", host, err)
		}
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(l) }()
		closed = append(closed, func() { require.ErrorIs(t, <-ended, netserver.ErrServerClosed) })
	}
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		for _, wait := range closed {
			wait()
		}
	})
	c := s.connect(t)
	want := []string{"bind", "127.0.0.1 127.0.0.2 ::1"}
	require.Eventually(t, func() bool { return slices.Equal(want, c.ask("CONFIG", "GET", "bind").texts()) }, 10*time.Second, time.Millisecond)
}

// TestConfigSetMeanwhile has two clients set one of the parameters each that
// stand in one place: none loses what the other has set.
func TestConfigSetMeanwhile(t *testing.T) {
	s := serve(t, nil)
	names := []string{"hash-max-listpack-entries", "zset-max-listpack-value", "set-max-intset-entries", "hash-max-listpack-value"}
	var group sync.WaitGroup
	for _, name := range names {
		c := s.connect(t)
		group.Go(func() {
			var calls strings.Builder
			for i := range 2000 {
				calls.WriteString(request("CONFIG", "SET", name, strconv.Itoa(i)) + request("CONFIG", "GET", name))
			}
			c.send(calls.String())
			for i := range 2000 {
				if got := c.reply().raw() + c.reply().raw(); got != "+OK*2 $"+name+" $"+strconv.Itoa(i) {
					t.Error(got)
				}
			}
		})
	}
	group.Wait()
}

// TestConfigTimeout closes connections that are silent.
func TestConfigTimeout(t *testing.T) {
	c := serve(t, nil).connect(t)
	require.Equal(t, "+OK", c.do("CONFIG", "SET", "timeout", "1"))
	require.Empty(t, c.closed())
}

// TestConfigOutputLater sets limits that a connection exceeds already, to which
// nothing more is sent.
func TestConfigOutputLater(t *testing.T) {
	for _, limits := range [][]string{{"normal 3mb 0 0"}, {"normal 0 3mb 1"}, {"normal 0 3mb 1000", "normal 0 3mb 1"}} {
		s := serve(t, nil)
		c, d := s.connect(t), s.connect(t)
		require.Equal(t, "+OK", c.do("SET", "big", strings.Repeat("x", 32<<20)))
		d.send(request("GET", "big"))
		_, err := d.r.Peek(1)
		require.NoError(t, err)
		for _, limit := range limits {
			require.Equal(t, "+OK", c.do("CONFIG", "SET", "client-output-buffer-limit", limit))
		}
		for strings.Count(c.ask("CLIENT", "LIST").text, "\n") > 1 { // until d is gone
			require.Equal(t, "+PONG", c.do("PING"), limits)
		}
		require.Less(t, len(d.closed()), 32<<20, limits)
	}
}

// TestConfigOutput closes a connection that does not read its replies.
func TestConfigOutput(t *testing.T) {
	for _, limit := range []string{"normal 3mb 0 0", "normal 0 3mb 1"} {
		s := serve(t, nil)
		c := s.connect(t)
		require.Equal(t, "+OK", c.do("CONFIG", "SET", "client-output-buffer-limit", limit))
		require.Equal(t, "+OK", c.do("SET", "big", strings.Repeat("x", 32<<20)))
		d := s.connect(t)
		require.Equal(t, "+PONG", d.do("PING"))
		d.send(request("GET", "big"))
		for strings.Count(c.ask("CLIENT", "LIST").text, "\n") > 1 { // until d is gone
			require.Equal(t, "+PONG", c.do("PING"), limit)
		}
		require.Less(t, len(d.closed()), 32<<20, limit)
	}
}
