package compare_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/bench/internal/measure"
)

// wireServer is a server for Redis clients in a process of its own.
type wireServer struct {
	host, port string
	pid        int
	dir        string
}

// addr returns the server's address.
func (s wireServer) addr() string { return s.host + ":" + s.port }

// startWire starts brock serve and redis-server on loopback, both with every
// write in their log before it is acknowledged and a sync once a second, or
// skips the benchmark where there is no redis-server.
func startWire(b *testing.B) map[string]wireServer {
	b.Helper()
	r := startRedis(b, "everysecond")
	dir, err := r.client.ConfigGet(b.Context(), "dir").Result()
	require.NoError(b, err)
	host, port, _ := strings.Cut(r.client.Options().Addr, ":")
	return map[string]wireServer{
		"redis": {host: host, port: port, pid: r.pid, dir: dir["dir"]},
		"brock": startBrock(b),
	}
}

// startBrock builds brock and starts it.
func startBrock(b *testing.B) wireServer {
	b.Helper()
	tmp := b.TempDir()
	exe := filepath.Join(tmp, "brock")
	build := exec.Command("go", "build", "-o", exe, "./cmd/brock")
	build.Dir = filepath.Join("..", "..")
	out, err := build.CombinedOutput()
	require.NoError(b, err, "%s", out)
	dir := filepath.Join(tmp, "data")
	cmd := exec.Command(exe, "serve", "--dir", dir, "--resp", "127.0.0.1:0")
	stderr, err := cmd.StderrPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		_ = cmd.Process.Kill() // its directory goes, too
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stderr).ReadString('\n')
	require.NoError(b, err)
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "brock: ready resp=")
	require.True(b, ok, "%q", line)
	go func() { _, _ = bufio.NewReader(stderr).WriteTo(os.Stderr) }()
	host, port, _ := strings.Cut(addr, ":")
	return wireServer{host: host, port: port, pid: cmd.Process.Pid, dir: dir}
}

// cpu returns the processor time of a server and of its children that have
// ended, in seconds.
func (s wireServer) cpu(b *testing.B) (seconds float64) {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	require.NoError(b, err)
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime
		ticks, err := strconv.Atoi(f)
		require.NoError(b, err)
		seconds += float64(ticks) / 100
	}
	return seconds
}

// load has redis-benchmark send n requests of a kind by 50 clients and returns
// the rate per second.
func (s wireServer) load(b *testing.B, kind string, depth, n int) float64 {
	b.Helper()
	out, err := exec.Command("redis-benchmark", "-h", s.host, "-p", s.port, "-c", "50", "-d", "64", "-r", "1000000",
		"-P", fmt.Sprint(depth), "-n", fmt.Sprint(n), "-t", kind, "--csv").Output()
	require.NoError(b, err)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	fields := strings.Split(lines[len(lines)-1], `","`)
	require.Greater(b, len(fields), 1, "%s", out)
	rate, err := strconv.ParseFloat(strings.Trim(fields[1], `"`), 64)
	require.NoError(b, err)
	return rate
}

// wireSample is what one run of a load gave.
type wireSample struct{ rate, cpu float64 }

// BenchmarkWire compares brock serve and redis-server, everysecond, under
// redis-benchmark with 50 clients, values of 64 bytes and a million keys, in
// three alternating rounds; what it reports are medians of those. A round is all
// three: run it with -benchtime 1x.
//
// GET asks for keys that exist. x-redis is the rate, cpu-x-redis the server's processor time, both as a
// multiple of Redis'. MSET sets ten keys.
func BenchmarkWire(b *testing.B) {
	for _, kind := range []string{"set", "get", "incr", "mset", "hset", "lpush", "zadd"} {
		for _, depth := range []int{16, 1} {
			b.Run(fmt.Sprintf("cmd=%s/P=%d", kind, depth), func(b *testing.B) {
				servers := startWire(b)
				if kind == "get" {
					for _, s := range servers {
						s.fill(b, 1e6)
					}
				}
				n := wireRequests(depth)
				for b.Loop() {
					samples := make(map[string][]wireSample)
					for range 3 {
						for name, s := range servers {
							before := s.cpu(b)
							rate := s.load(b, kind, depth, n)
							samples[name] = append(samples[name], wireSample{rate, (s.cpu(b) - before) * 1e6 / float64(n)})
						}
					}
					reportWire(b, samples)
				}
			})
		}
	}
}

// wireRequests is how many requests a round sends.
func wireRequests(depth int) int {
	switch {
	case testing.Short():
		return 20_000
	case depth == 1:
		return 500_000
	default:
		return 2_000_000
	}
}

// reportWire reports medians and their ratios.
func reportWire(b *testing.B, samples map[string][]wireSample) {
	b.Helper()
	median := func(name string) (m wireSample) {
		list := samples[name]
		slices.SortFunc(list, func(x, y wireSample) int { return int(x.rate - y.rate) })
		m.rate = list[len(list)/2].rate
		slices.SortFunc(list, func(x, y wireSample) int { return int(1e6 * (x.cpu - y.cpu)) })
		m.cpu = list[len(list)/2].cpu
		return m
	}
	brock, redis := median("brock"), median("redis")
	b.ReportMetric(brock.rate/1e3, "brock-kops")
	b.ReportMetric(redis.rate/1e3, "redis-kops")
	b.ReportMetric(ratio(brock.rate, redis.rate), "x-redis")
	b.ReportMetric(brock.cpu, "brock-cpu-s/M")
	b.ReportMetric(redis.cpu, "redis-cpu-s/M")
	b.ReportMetric(ratio(brock.cpu, redis.cpu), "cpu-x-redis")
	b.ReportMetric(0, "ns/op")
}

// sustained is what a load of writes showed.
type sustained struct {
	ops       int
	took      time.Duration
	latencies []time.Duration // of pipelines, ascending
}

// BenchmarkWireSustained has 50 connections set random ones of 5 million keys
// that are there, 16 in a pipeline, for a minute, first on one server, then on
// the other, while checkpoints run on the one and rewrites of the append-only
// file on the other. Run it with -benchtime 1x. Latencies are those of whole
// pipelines.
func BenchmarkWireSustained(b *testing.B) {
	keys, span := keyCount(5e6), time.Minute
	if testing.Short() {
		span = time.Second
	}
	servers := startWire(b)
	for _, s := range servers {
		s.fill(b, keys)
	}
	for b.Loop() {
		rates := make(map[string]float64)
		for _, name := range []string{"brock", "redis"} {
			s := servers[name]
			before := s.cpu(b)
			got := s.writeFor(b, keys, span)
			rates[name] = float64(got.ops) / got.took.Seconds()
			b.ReportMetric(rates[name]/1e3, name+"-kops")
			b.ReportMetric((s.cpu(b)-before)*1e6/float64(got.ops), name+"-cpu-s/M")
			for _, q := range []float64{50, 99, 99.9} {
				b.ReportMetric(float64(got.quantile(q/100).Microseconds())/1e3, fmt.Sprintf("%s-p%v-ms", name, q))
			}
			b.ReportMetric(float64(got.latencies[len(got.latencies)-1].Microseconds())/1e3, name+"-max-ms")
			disk, err := measure.DiskUse(s.dir)
			require.NoError(b, err)
			b.ReportMetric(float64(disk)/1e6, name+"-disk-MB")
		}
		b.ReportMetric(ratio(rates["brock"], rates["redis"]), "x-redis")
		b.ReportMetric(0, "ns/op")
	}
}

// quantile returns the latency that a share of all do not exceed.
func (s sustained) quantile(share float64) time.Duration {
	return s.latencies[min(int(share*float64(len(s.latencies))), len(s.latencies)-1)]
}
