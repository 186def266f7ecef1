package resp

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// infoSection is a section of INFO.
type infoSection struct {
	name  string
	byAll bool // it is not among those that INFO replies if it is not told
	write func(s *Server, b *infoText)
}

// infoSections returns the sections, in Redis' order.
func infoSections() []infoSection {
	return []infoSection{
		{name: "Server", write: (*Server).infoServer},
		{name: "Clients", write: (*Server).infoClients},
		{name: "Memory", write: (*Server).infoMemory},
		{name: "Persistence", write: (*Server).infoPersistence},
		{name: "Stats", write: (*Server).infoStats},
		{name: "Replication", write: (*Server).infoReplication},
		{name: "CPU", write: (*Server).infoCPU},
		{name: "Modules", write: func(*Server, *infoText) {}},
		{name: "Commandstats", byAll: true, write: (*Server).infoCommandStats},
		{name: "Errorstats", write: (*Server).infoErrorStats},
		{name: "Latencystats", byAll: true, write: (*Server).infoLatencyStats},
		{name: "Cluster", write: (*Server).infoCluster},
		{name: "Keyspace", write: (*Server).infoKeyspace},
	}
}

// runInfo tells about the server.
func runInfo(c *call) error {
	c.countNow()
	asked := make(map[string]bool)
	for i := range c.args[1:] {
		asked[strings.ToLower(c.str(i+1))] = true
	}
	standard := len(asked) == 0 || asked["default"]
	all := asked["all"] || asked["everything"]
	b := &infoText{}
	for _, section := range infoSections() {
		name := strings.ToLower(section.name)
		switch {
		case asked[name], standard && !section.byAll, all:
			b.section(section.name)
			section.write(c.srv, b)
		}
	}
	c.out.verbatim(b.String())
	return nil
}

// infoText is a reply of INFO.
type infoText struct{ strings.Builder }

// section begins a section.
func (b *infoText) section(name string) {
	if b.Len() > 0 {
		b.WriteString("\r\n")
	}
	b.WriteString("# " + name + "\r\n")
}

// field writes a field.
func (b *infoText) field(name string, value any) {
	_, _ = fmt.Fprintf(b, "%s:%v\r\n", name, value)
}

// bytes writes a number of bytes, and once more for people.
func (b *infoText) bytes(name string, n int64) {
	b.field(name, n)
	b.field(name+"_human", humanBytes(n))
}

// humanBytes returns a number of bytes with a unit.
func humanBytes(n int64) string {
	if n < 1<<10 {
		return strconv.FormatInt(n, 10) + "B"
	}
	f, unit := float64(n), 0
	for f >= 1<<10 && unit < len("KMGTP") {
		f /= 1 << 10
		unit++
	}
	return fmt.Sprintf("%.2f%c", f, "KMGTP"[unit-1])
}

// truth is a truth as INFO has it.
func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// infoServer writes about the server.
func (s *Server) infoServer(b *infoText) {
	up := int64(s.uptime().Seconds())
	b.field("redis_version", s.opts.Version)
	b.field("redis_mode", "standalone")
	b.field("os", runtime.GOOS+" "+runtime.GOARCH)
	b.field("arch_bits", strconv.IntSize)
	b.field("go_version", runtime.Version())
	b.field("process_id", os.Getpid())
	b.field("run_id", s.runID)
	b.field("tcp_port", s.port())
	b.field("server_time_usec", s.now().UnixMicro())
	b.field("uptime_in_seconds", up)
	b.field("uptime_in_days", up/int64((24*time.Hour).Seconds()))
	if path, err := os.Executable(); err == nil {
		b.field("executable", path)
	}
	b.field("config_file", "")
}

// infoClients writes about connections.
func (s *Server) infoClients(b *infoText) {
	clients := s.list()
	blocked, queued, pending := 0, int64(0), int64(0)
	for _, c := range clients {
		blocked += truth(c.blocked.Load())
		queued, pending = max(queued, c.queued.Load()), max(pending, c.pending.Load())
	}
	b.field("connected_clients", len(clients))
	b.field("cluster_connections", 0)
	b.field("maxclients", s.config.maxClients())
	b.field("client_recent_max_input_buffer", queued)
	b.field("client_recent_max_output_buffer", pending)
	b.field("blocked_clients", blocked)
	b.field("tracking_clients", 0)
}

// infoMemory writes about memory.
func (s *Server) infoMemory(b *infoText) {
	st := s.db.Stats()
	used := s.usedMemory()
	b.bytes("used_memory", used)
	rss, known := resident()
	if !known {
		rss = used
	}
	b.bytes("used_memory_rss", rss)
	b.bytes("used_memory_peak", s.peak.bytes.Load())
	b.bytes("used_memory_dataset", st.Bytes)
	b.bytes("used_memory_views", st.ViewBytes)
	b.bytes("memory_budget", st.MemoryBudget)
	if total, known := systemMemory(); known {
		b.bytes("total_system_memory", total)
	}
	b.bytes("maxmemory", 0)
	b.field("maxmemory_policy", "noeviction")
	if known {
		b.field("mem_fragmentation_ratio", fmt.Sprintf("%.2f", float64(rss)/float64(used)))
	}
	b.field("mem_allocator", "go")
	b.field("active_defrag_running", 0)
	b.field("lazyfree_pending_objects", 0)
	b.field("lazyfreed_objects", 0)
}

// infoPersistence writes about the log and checkpoints.
func (s *Server) infoPersistence(b *infoText) {
	st := s.db.Stats()
	s.saving.mu.Lock()
	began, took, failed := s.saving.began, s.saving.took, s.saving.err
	s.saving.mu.Unlock()
	running := int64(-1)
	if !began.IsZero() {
		running = int64(time.Since(began).Seconds())
	}
	last := int64(-1)
	if took > 0 {
		last = int64(took.Seconds())
	}
	b.field("loading", 0)
	b.field("async_loading", 0)
	b.field("rdb_changes_since_last_save", st.Uncheckpointed)
	b.field("rdb_bgsave_in_progress", truth(!began.IsZero()))
	b.field("rdb_last_save_time", s.lastSave().Unix())
	b.field("rdb_last_bgsave_status", okErr(failed))
	b.field("rdb_last_bgsave_time_sec", last)
	b.field("rdb_current_bgsave_time_sec", running)
	b.field("rdb_saves", st.Checkpoints)
	b.field("aof_enabled", truth(s.db.Dir() != ""))
	b.field("aof_rewrite_in_progress", 0)
	b.field("aof_rewrite_scheduled", 0)
	b.field("aof_last_bgrewrite_status", "ok")
	b.field("aof_last_write_status", okErr(st.Poisoned))
	b.field("aof_current_size", st.LogBytes)
	b.field("aof_base_size", st.DiskBytes)
}

// okErr is how INFO tells whether something failed.
func okErr(err error) string {
	if err != nil {
		return "err"
	}
	return "ok"
}

// infoStats writes counters.
func (s *Server) infoStats(b *infoText) {
	st := s.db.Stats()
	total, last := s.stats.read(s.uptime())
	b.field("total_connections_received", s.stats.connections.Load())
	b.field("total_commands_processed", total.calls)
	b.field("instantaneous_ops_per_sec", last.calls)
	b.field("total_net_input_bytes", total.in)
	b.field("total_net_output_bytes", total.out)
	b.field("instantaneous_input_kbps", kilobytes(last.in))
	b.field("instantaneous_output_kbps", kilobytes(last.out))
	b.field("rejected_connections", s.stats.refused.Load())
	b.field("expired_keys", st.Expired-s.expiredBefore.Load())
	b.field("evicted_keys", 0)
	b.field("evicted_clients", 0)
	b.field("keyspace_hits", total.lookups.Hits)
	b.field("keyspace_misses", total.lookups.Misses)
	b.field("total_forks", 0)
	b.field("total_error_replies", s.stats.errors.Load())
}

// kilobytes returns a number of bytes in units of 1024.
func kilobytes(n int64) string { return fmt.Sprintf("%.2f", float64(n)/1024) }

// infoReplication writes about replication, of which there is none.
func (s *Server) infoReplication(b *infoText) {
	b.field("role", "master")
	b.field("connected_slaves", 0)
}

// infoCluster writes about clusters, of which there are none.
func (s *Server) infoCluster(b *infoText) { b.field("cluster_enabled", 0) }

// infoCPU writes how long the process has run.
func (s *Server) infoCPU(b *infoText) {
	if user, system, ok := cpuTimes(); ok {
		b.field("used_cpu_sys", fmt.Sprintf("%.6f", system.Seconds()))
		b.field("used_cpu_user", fmt.Sprintf("%.6f", user.Seconds()))
	}
}

// infoCommandStats writes the counters of each command.
func (s *Server) infoCommandStats(b *infoText) {
	for cmd := range s.commands.all() {
		st := &s.stats.perCommand[cmd.id]
		calls, rejected := st.calls.Load(), st.rejected.Load()
		if calls+rejected == 0 {
			continue
		}
		us := st.took.Load() / int64(time.Microsecond)
		b.field("cmdstat_"+cmd.full(), fmt.Sprintf("calls=%d,usec=%d,usec_per_call=%.2f,rejected_calls=%d,failed_calls=%d",
			calls, us, float64(us)/math.Max(float64(calls), 1), rejected, st.failed.Load()))
	}
}

// infoErrorStats writes how many errors of each code there were.
func (s *Server) infoErrorStats(b *infoText) {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	codes := make([]string, 0, len(s.stats.byCode))
	for code := range s.stats.byCode {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	for _, code := range codes {
		b.field("errorstat_"+code, fmt.Sprintf("count=%d", s.stats.byCode[code]))
	}
}

// infoLatencyStats writes percentiles of how long each command took.
func (s *Server) infoLatencyStats(b *infoText) {
	percentiles := *s.config.percentiles.Load()
	at := make([]float64, len(percentiles))
	for i, p := range percentiles {
		at[i] = p / 100
	}
	order := slices.Clone(at)
	slices.Sort(order)
	for cmd := range s.commands.all() {
		h := s.stats.perCommand[cmd.id].latency.Load()
		if h == nil || !s.config.tracking.Load() {
			continue
		}
		took := h.quantiles(order...)
		var fields []string
		for i, f := range at {
			us := float64(took[slices.Index(order, f)]) / float64(time.Microsecond)
			fields = append(fields, fmt.Sprintf("p%s=%.3f", share(percentiles[i]), us))
		}
		b.field("latency_percentiles_usec_"+cmd.full(), strings.Join(fields, ","))
	}
}

// infoKeyspace writes how many keys each database has, and how long those that
// expire have to live. Those that have expired count until they are collected.
func (s *Server) infoKeyspace(b *infoText) {
	st := s.reach.Store.Stats()
	for i, keys := range st.Keys {
		if keys > 0 {
			b.field("db"+strconv.Itoa(i), fmt.Sprintf("keys=%d,expires=%d,avg_ttl=%d", keys, st.Expiring[i], st.MeanTTL[i].Milliseconds()))
		}
	}
}
