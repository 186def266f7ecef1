package brock

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/oracle"
)

// TestMatch compares match with KEYS of redis-server, and with the oracle's
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

	seed := uint64(envInt("SEED", int(rand.Uint32())))
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
	for range sized(20_000, 4000) {
		pattern := text("aabcz--^^[[]]\\\\***??\x00\x7f\x80\xff", 12)
		found := map[string]bool{}
		for _, key := range do("KEYS", pattern).([]any) {
			found[key.(string)] = true
		}
		for key := range keys {
			require.Equal(t, found[key], match(pattern, key), "pattern %q, key %q", pattern, key)
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
		require.False(t, match(pattern, s), "%.9q", pattern)
	}
	require.True(t, match(strings.Repeat("*a", 1<<12), s))
}
