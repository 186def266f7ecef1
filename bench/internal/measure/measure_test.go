package measure_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/bench/internal/measure"
)

func TestMain(m *testing.M) {
	code, ran := measure.Role(map[string]func([]string) error{"echo": func(args []string) error {
		err := measure.Tell(args)
		measure.AwaitParent()
		return err
	}})
	if !ran {
		code = m.Run()
	}
	os.Exit(code)
}

func TestKeys(t *testing.T) {
	require.Equal(t, "key:00000000001f", measure.Key(31))
	require.Len(t, measure.Key(5_000_000), measure.KeySize)
	k := measure.NewKeys(3)
	require.Equal(t, 3, k.Len())
	require.Equal(t, measure.Key(2), k.At(2))
	require.Equal(t, measure.Key(1), k.At(7))
	require.Equal(t, measure.Draw(100, 10, 1), measure.Draw(100, 10, 1))
	require.NotEqual(t, measure.Draw(100, 10, 1), measure.Draw(100, 10, 2))
	require.Equal(t, measure.Value(64), measure.Value(64))
}

func TestName(t *testing.T) {
	for n, want := range map[int]string{0: "0", 7: "7", 100: "100", 1000: "1e3", 5_000_000: "5e6", 1500: "1500", 12_000: "12000"} {
		require.Equal(t, want, measure.Name(n))
	}
}

func TestSummaries(t *testing.T) {
	var l measure.Latencies
	require.Zero(t, l.Quantile(0.5))
	for _, d := range []time.Duration{5, 1, 4, 2, 3} {
		l.Add(d)
	}
	require.EqualValues(t, 3, l.Quantile(0.5))
	require.EqualValues(t, 5, l.Quantile(1))
	require.EqualValues(t, 2, measure.Mean([]float64{1, 2, 3}))
	require.EqualValues(t, 1.5, measure.Worst([]float64{4, 1, 2, 9}, 2))
	require.EqualValues(t, 4, measure.Worst([]float64{4}, 5))
	require.Zero(t, measure.Worst(nil, 5))
}

func TestSettings(t *testing.T) {
	t.Setenv("MEASURE_X", "")
	require.Equal(t, 3, measure.Count("MEASURE_X", 3))
	require.Equal(t, time.Minute, measure.Time("MEASURE_X", time.Minute))
	t.Setenv("MEASURE_X", "5e6")
	require.Equal(t, 5_000_000, measure.Count("MEASURE_X", 3))
	require.Panics(t, func() { measure.Time("MEASURE_X", time.Minute) })
	t.Setenv("MEASURE_X", "10s")
	require.Equal(t, 10*time.Second, measure.Time("MEASURE_X", time.Minute))
	require.Panics(t, func() { measure.Count("MEASURE_X", 3) })
}

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		n := 0
		measure.Every(ctx, time.Second, func() { n++ })
		require.Equal(t, 4, n)
	})
}

func TestChild(t *testing.T) {
	for _, end := range []func(*measure.Child) error{(*measure.Child).Kill, (*measure.Child).Close} {
		c, err := measure.StartChild("echo", "a", 7)
		require.NoError(t, err)
		var args []string
		require.NoError(t, c.Read(&args))
		require.Equal(t, []string{"a", "7"}, args)
		require.NoError(t, end(c))
		require.Error(t, c.Read(&args))
	}
	c, err := measure.StartChild("nobody")
	require.NoError(t, err)
	require.Error(t, c.Close())
}

func TestProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("linux: reads /proc")
	}
	cpu, err := measure.CPU()
	require.NoError(t, err)
	require.Positive(t, cpu)
	rss, err := measure.RssAnon(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, rss, int64(1<<20))
	_, err = measure.WriteBytes()
	require.NoError(t, err)

	dir := t.TempDir()
	empty, err := measure.DiskUse(dir)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "f"), make([]byte, 1<<20), 0o600))
	use, err := measure.DiskUse(dir)
	require.NoError(t, err)
	require.GreaterOrEqual(t, use-empty, int64(1<<20))
	_, err = measure.RssAnon(-1)
	require.Error(t, err)
}
