package compare_test

import (
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// redisServer is a redis-server that lives as long as a benchmark.
type redisServer struct {
	client *redis.Client
	pid    int
}

// startRedis starts a redis-server on loopback, with an append-only file that
// is synced as mode says, or with nothing on disk in mode "memory". It skips
// the benchmark where there is no redis-server.
func startRedis(b *testing.B, mode string) redisServer {
	b.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		b.Skip("redis: no redis-server here; Debian's package redis-server has it")
	}
	port := freePort(b)
	args := []string{"--bind", "127.0.0.1", "--port", fmt.Sprint(port), "--dir", b.TempDir(), "--save", ""}
	if fsync := map[string]string{"everysecond": "everysec", "always": "always", "relaxed": "no"}[mode]; fsync != "" {
		args = append(args, "--appendonly", "yes", "--appendfsync", fsync)
	}
	cmd := exec.Command(path, args...)
	require.NoError(b, cmd.Start())
	client := redis.NewClient(&redis.Options{
		Addr: fmt.Sprintf("127.0.0.1:%d", port), PoolSize: 256, Protocol: 2, DisableIdentity: true,
	})
	b.Cleanup(func() {
		_ = client.Close()
		_ = cmd.Process.Kill() // its directory goes, too
		_ = cmd.Wait()
	})
	awaitRedis(b, client)
	return redisServer{client: client, pid: cmd.Process.Pid}
}

// freePort returns a port of loopback that nobody uses.
func freePort(b *testing.B) int {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// awaitRedis waits until the server answers.
func awaitRedis(b *testing.B, client *redis.Client) {
	b.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(10 * time.Second)
	for client.Ping(b.Context()).Err() != nil {
		require.True(b, time.Now().Before(deadline), "redis-server does not answer")
		<-tick.C
	}
}
