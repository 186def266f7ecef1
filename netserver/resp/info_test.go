package resp_test

import (
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
	require.Equal(t, "keys=2,expires=1,avg_ttl=0", c.info("keyspace")["db0"])
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
