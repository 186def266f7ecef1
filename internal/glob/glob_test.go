package glob_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/glob"
	"github.com/brockdb/brock/internal/oracle"
)

// TestMatch compares Match with KEYS of redis-server, and with the oracle's
// own, on random patterns. SEED=n repeats a run.
func TestMatch(t *testing.T) {
	server, err := oracle.StartRedis(t.TempDir())
	if errors.Is(err, oracle.ErrNoRedis) {
		t.Skipf("%s: patterns are not compared with its", err)
	}
	require.NoError(t, err)
	t.Cleanup(server.Close)
	conn, err := server.Connect()
	require.NoError(t, err)
	defer conn.Close()
	do := func(args ...string) any {
		require.NoError(t, conn.Send(args))
		reply, err := conn.Reply()
		require.NoError(t, err)
		return reply
	}

	seed, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	if err != nil {
		seed = uint64(rand.Uint32())
	}
	t.Logf("SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	text := func(alphabet string, n int) string {
		b := make([]byte, r.IntN(n))
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	keys := map[string]bool{"": true}
	for len(keys) < 200 {
		keys[text("aaabbcz-^[]\\*?\x00\x7f\x80\xff", 9)] = true
	}
	for key := range keys {
		require.Equal(t, "OK", do("SET", key, ""))
	}
	hits := 0
	patterns := 20_000
	if testing.Short() {
		patterns = 4000
	}
	for range patterns {
		pattern := text("aabcz--^^[[]]\\\\***??\x00\x7f\x80\xff", 12)
		found := map[string]bool{}
		for _, key := range do("KEYS", pattern).([]any) {
			found[key.(string)] = true
		}
		for key := range keys {
			require.Equal(t, found[key], glob.Match(pattern, key), "pattern %q, key %q", pattern, key)
			require.Equal(t, found[key], oracle.Match(pattern, key), "oracle: pattern %q, key %q", pattern, key)
		}
		hits += len(found)
	}
	t.Logf("%d matches", hits)
	require.NotZero(t, hits)
}

// TestMatchCost matches what takes time exponential in the number of stars, or
// in their number's power of the length, where each is tried from everywhere.
func TestMatchCost(t *testing.T) {
	s := strings.Repeat("a", 1<<14)
	for _, pattern := range []string{
		strings.Repeat("a*", 1<<12) + "b",
		strings.Repeat("*a", 1<<12) + "*b",
		strings.Repeat("*", 1<<14) + "b",
		strings.Repeat("[a-", 1<<12) + "*b",
		strings.Repeat("*?", 1<<12) + "b",
	} {
		require.False(t, glob.Match(pattern, s), "%.9q", pattern)
	}
	require.True(t, glob.Match(strings.Repeat("*a", 1<<12), s))
}
