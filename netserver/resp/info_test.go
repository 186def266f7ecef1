package resp_test

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// info returns the fields of a section of INFO.
func (w *wire) info(sections ...string) map[string]string {
	w.t.Helper()
	fields := make(map[string]string)
	for line := range strings.SplitSeq(w.ask(append([]string{"INFO"}, sections...)...).text, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// TestInfoSections asks for sections as redis-server is asked.
func TestInfoSections(t *testing.T) {
	p := newPair(t, "")
	headings := func(w *wire, sections ...string) (list []string) {
		for line := range strings.SplitSeq(w.ask(append([]string{"INFO"}, sections...)...).text, "\r\n") {
			if strings.HasPrefix(line, "# ") {
				list = append(list, line)
			}
		}
		return list
	}
	for _, sections := range [][]string{
		nil,
		{"default"},
		{"all"},
		{"everything"},
		{"server"},
		{"SERVER", "keyspace"},
		{"keyspace", "server"},
		{"nosuch"},
		{"nosuch", "cpu"},
		{"commandstats"},
		{"default", "latencystats"},
		{"modules"},
		{"replication", "all"},
	} {
		require.Equal(t, headings(p.theirs, sections...), headings(p.ours, sections...), "%q", sections)
	}
	p.same("info nosuch", "hello 3", "info nosuch", "info cluster")
}

// TestInfoFields compares the names of the fields: those of ours that
// redis-server does not have are listed here.
func TestInfoFields(t *testing.T) {
	p := newPair(t, "")
	p.same("set a 1", "get", "nosuch")
	theirs := p.theirs.info("everything")
	for name := range p.ours.info("everything") {
		switch name {
		case "go_version", "used_memory_views", "used_memory_views_human", "memory_budget", "memory_budget_human", "used_memory_dataset_human":
			continue
		case "aof_base_size", "aof_current_size": // with appendonly yes
			continue
		}
		require.Contains(t, theirs, name)
	}
	ours := p.ours.info()
	for _, name := range []string{
		"redis_version", "arch_bits", "cluster_enabled", "loading", "role", "blocked_clients", "used_memory", "connected_clients",
		"total_error_replies", "rdb_changes_since_last_save", "rdb_bgsave_in_progress", "aof_rewrite_in_progress", "total_forks",
		"lazyfree_pending_objects", "lazyfreed_objects", "expired_keys", "mem_allocator", "maxmemory", "db0",
	} {
		require.Contains(t, ours, name)
	}
	for _, name := range []string{"redis_version", "arch_bits", "cluster_enabled", "loading", "role", "maxclients", "maxmemory_policy", "db0", "errorstat_ERR"} {
		require.Equal(t, theirs[name], ours[name], name)
	}
}

// TestInfoCounts looks at counters.
func TestInfoCounts(t *testing.T) {
	db, err := brock.Open(filepath.Join(t.TempDir(), "db"), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	s := serveDB(t, db, nil)
	c := s.connect(t)
	s.connect(t).do("PING")
	require.Equal(t, "2", c.info("clients")["connected_clients"])
	require.Equal(t, "0", c.info("persistence")["rdb_changes_since_last_save"])
	for _, command := range []string{"SET a 1", "SET b 2", "GET a", "GET", "INCR a", "INCR a b"} {
		c.line(command)
	}
	_, err = db.Expire("b", time.Hour)
	require.NoError(t, err)
	require.Equal(t, "4", c.info("persistence")["rdb_changes_since_last_save"])
	require.Regexp(t, `^keys=2,expires=1,avg_ttl=(3600000|35\d{5})$`, c.info("keyspace")["db0"])
	require.Regexp(t, `^calls=2,usec=\d+,usec_per_call=\d+\.\d\d,rejected_calls=0,failed_calls=0$`, c.info("commandstats")["cmdstat_set"])
	require.Regexp(t, `^calls=1,usec=\d+,usec_per_call=\d+\.\d\d,rejected_calls=1,failed_calls=0$`, c.info("commandstats")["cmdstat_get"])
	require.Equal(t, "count=2", c.info("errorstats")["errorstat_ERR"])
	require.Equal(t, "2", c.info("stats")["total_error_replies"])
	require.Regexp(t, `^p50=[0-9.]+,p99=[0-9.]+,p99.9=[0-9.]+$`, c.info("latencystats")["latency_percentiles_usec_set"])
	require.Equal(t, "+OK", c.do("SAVE"))
	require.Equal(t, "0", c.info("persistence")["rdb_changes_since_last_save"])
	require.Equal(t, "1", c.info("persistence")["aof_enabled"])

	require.Equal(t, "+OK", c.do("CONFIG", "RESETSTAT"))
	require.Empty(t, c.info("errorstats"))
	stats := c.info("stats")
	require.Equal(t, "0", stats["total_error_replies"])
	require.Equal(t, "0", stats["total_connections_received"])
	n, err := strconv.Atoi(stats["total_commands_processed"])
	require.NoError(t, err)
	require.LessOrEqual(t, n, 2)
	require.NotContains(t, c.info("commandstats"), "cmdstat_set")
}

// TestInfoLookups compares how many keys commands have found, and how many not.
func TestInfoLookups(t *testing.T) {
	others := map[string]string{
		"TTL s":          "one that is far off is looked up twice",
		"SPOP set 9":     "Redis reads a set that is taken whole once more",
		"LCS h a FOO":    "the second key is not looked up behind one of a wrong type",
		"XDEL nul 1\\0":  "the key is looked up first",
		"XDEL x foo":     "likewise",
		"XDEL none foo":  "likewise",
		"XDEL h foo":     "likewise",
		"DEBUG OBJECT s": "Redis counts nothing",
	}
	p := newPair(t, "")
	lookups := func(w *wire) [2]int {
		var counts [2]int
		info := w.info("stats")
		for i, name := range []string{"keyspace_hits", "keyspace_misses"} {
			n, err := strconv.Atoi(info[name])
			require.NoError(t, err)
			counts[i] = n
		}
		return counts
	}
	counted := func(w *wire, words []string) [2]int {
		before := lookups(w)
		w.do(words...)
		after := lookups(w)
		return [2]int{after[0] - before[0], after[1] - before[1]}
	}
	counts := func(words ...string) (theirs, ours [2]int) { return counted(p.theirs, words), counted(p.ours, words) }
	for _, line := range append(dataLines(), "SET s v", "MGET s none s", "MEMORY USAGE s", "DEBUG OBJECT s", "GETSET s w", "SET s v GET", "GETDEL s",
		"HSET hh f v", "GETDEL hh", "GETEX hh PERSIST", "GETSET hh x", "SET hh x GET", "BITOP NOT dst hh", "GET hh", "COPY hh hi", "TOUCH hh none") {
		theirs, ours := counts(strings.Fields(strings.ReplaceAll(line, `\0`, "\x00"))...)
		if others[line] == "" {
			require.Equal(t, theirs, ours, line)
		}
	}
	// What runs again, off the loop or on a snapshot, counts once.
	elements := []string{"RPUSH", "elements"}
	for i := range 1000 {
		elements = append(elements, strconv.Itoa(i))
	}
	for _, w := range []*wire{p.theirs, p.ours} {
		w.do(elements...)
		w.do("SET", "long", strings.Repeat("x", 1<<20))
		w.do("SETBIT", "longer", fmt.Sprint(1<<27), "1")
	}
	for _, line := range []string{"GET long", "BITCOUNT longer", "LRANGE elements 0 -1", "LINDEX elements 500", "BITPOS longer 1", "MGET a long none"} {
		for range 2 {
			theirs, ours := counts(strings.Fields(line)...)
			require.Equal(t, theirs, ours, line)
		}
	}
	big := []string{"MGET"} // runs off the loop
	for range 1500 {
		big = append(big, "a", "none")
	}
	p.same("set a 1", "config resetstat")
	p.ours.do(big...)
	p.ours.send(request("SET", "k", "v") + request("GETDEL", "k") + request("GETDEL", "k") + request("SET", "k", "v", "GET"))
	for range 4 {
		p.ours.reply()
	}
	require.Equal(t, [2]int{1501, 1502}, lookups(p.ours))
}

// TestInfoTraffic compares counters of what has come and gone.
func TestInfoTraffic(t *testing.T) {
	p := newPair(t, "")
	counters := func(w *wire) (list []string) {
		info := w.info("stats")
		for _, name := range []string{
			"total_commands_processed", "total_net_input_bytes", "total_net_output_bytes", "total_error_replies", "keyspace_hits",
			"keyspace_misses", "expired_keys", "total_connections_received", "rejected_connections",
		} {
			list = append(list, info[name])
		}
		return list
	}
	p.same("set a 1", "config resetstat")
	require.Equal(t, counters(p.theirs), counters(p.ours))
	p.same("config resetstat", "get a", "get none", "nosuch", "mset a 1 b 2", "client nosuch", "client", "get", "select 99", "blpop none 0.001")
	require.Equal(t, counters(p.theirs), counters(p.ours))
	for _, w := range []*wire{p.ours, p.theirs} {
		w.do("CONFIG", "RESETSTAT")
		w.send(request("GET", "a") + request("SET", "k", strings.Repeat("x", 1000)) + request("GET", "k"))
		for range 3 {
			w.reply()
		}
	}
	require.Equal(t, counters(p.theirs), counters(p.ours))
	require.Equal(t, rejections(p.theirs), rejections(p.ours))
	memory := p.ours.info("memory")
	for _, name := range []string{"used_memory_peak", "total_system_memory"} {
		n, err := strconv.ParseInt(memory[name], 10, 64)
		require.NoError(t, err)
		used, err := strconv.ParseInt(memory["used_memory"], 10, 64)
		require.NoError(t, err)
		require.GreaterOrEqual(t, n, used, name)
	}
	require.Equal(t, p.theirs.info("memory")["total_system_memory"], memory["total_system_memory"])
	require.Regexp(t, `^\d+\.\d\d$`, memory["mem_fragmentation_ratio"])
}

// rejections returns how many calls of each command were rejected.
func rejections(w *wire) map[string]string {
	counts := make(map[string]string)
	for name, value := range w.info("commandstats") {
		_, after, _ := strings.Cut(value, "rejected_calls=")
		if n, _, _ := strings.Cut(after, ","); n != "0" {
			counts[name] = n
		}
	}
	return counts
}
