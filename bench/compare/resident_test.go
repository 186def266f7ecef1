package compare_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/bench/internal/measure"
)

// overwrites is how often each key is overwritten on average until the memory is
// said to be steady.
const overwrites = 3

// resident is anonymous resident memory in bytes for each key.
type resident struct {
	Growing    float64 // the most while keys were added, from a quarter of them on
	Steady     float64 // the most under overwrites
	Checkpoint float64 // the most while a checkpoint ran under overwrites
}

// BenchmarkResident compares the anonymous resident memory of Brock in a
// process of its own with redis-server's; the Go runtime's and the servers' own
// is part of it. Targets at 5 M keys, as a share of redis-server's: in steady
// state at most 0.9, while growing and during a checkpoint 1.1.
func BenchmarkResident(b *testing.B) {
	n := keyCount(5e6)
	var peer resident
	b.Run("n="+measure.Name(n)+"/impl=redis/mode=everysecond", func(b *testing.B) {
		for b.Loop() {
			peer = redisResident(b, n)
		}
		reportResident(b, peer)
	})
	b.Run("n="+measure.Name(n)+"/impl=brock/mode=everysecond", func(b *testing.B) {
		var own resident
		for b.Loop() {
			child, err := measure.StartChild("resident", b.TempDir(), n)
			require.NoError(b, err)
			require.NoError(b, child.Read(&own))
			require.NoError(b, child.Close())
		}
		reportResident(b, own)
		b.ReportMetric(own.Checkpoint, "B/key-checkpoint")
		b.ReportMetric(ratio(own.Steady, peer.Steady), "steady-x-redis")
		b.ReportMetric(ratio(own.Growing, peer.Growing), "growing-x-redis")
		b.ReportMetric(ratio(own.Checkpoint, peer.Steady), "checkpoint-x-redis")
		b.Logf("bytes for each key, Brock and redis-server: steady %.0f and %.0f (%.2f, want <= 0.9), growing %.0f and %.0f (%.2f, <= 1.1), during a checkpoint %.0f (%.2f, <= 1.1)",
			own.Steady, peer.Steady, ratio(own.Steady, peer.Steady), own.Growing, peer.Growing, ratio(own.Growing, peer.Growing),
			own.Checkpoint, ratio(own.Checkpoint, peer.Steady))
	})
}

// reportResident reports what both have.
func reportResident(b *testing.B, r resident) {
	b.Helper()
	b.ReportMetric(r.Growing, "B/key-growing")
	b.ReportMetric(r.Steady, "B/key-steady")
}

// redisResident measures a new redis-server.
func redisResident(b *testing.B, n int) (r resident) {
	b.Helper()
	s := startRedis(b, "everysecond")
	var err error
	r.Growing, err = grow(s.pid, n, func(from, to int) error { return setRedis(b.Context(), s.client, from, to, inOrder) })
	require.NoError(b, err)
	high, err := highest(s.pid, func() error { return setRedis(b.Context(), s.client, 0, overwrites*n, scattered(n)) })
	require.NoError(b, err)
	r.Steady = float64(high) / float64(n)
	return r
}

// residentRole is the child: it measures a new database of args[1] keys in the
// directory args[0].
func residentRole(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	db, err := brock.Open(args[0], nil)
	if err != nil {
		return err
	}
	self := os.Getpid()
	var r resident
	if r.Growing, err = grow(self, n, func(from, to int) error { return setBrock(db, from, to, inOrder) }); err != nil {
		return err
	}
	high, err := highest(self, func() error { return setBrock(db, 0, overwrites*n, scattered(n)) })
	if err != nil {
		return err
	}
	r.Steady = float64(high) / float64(n)
	high, err = highest(self, func() error { return checkpointed(db, n) })
	if err != nil {
		return err
	}
	r.Checkpoint = float64(high) / float64(n)
	if err := measure.Tell(r); err != nil {
		return err
	}
	measure.AwaitParent()
	return db.Close()
}

// checkpointed makes a checkpoint while n keys are overwritten.
func checkpointed(db *brock.DB, n int) error {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		var err error
		for order := scattered(n); err == nil && ctx.Err() == nil; {
			err = setBrock(db, 0, group, order)
		}
		done <- err
	}()
	err := db.Checkpoint()
	stop()
	return errors.Join(err, <-done)
}

// grow adds n keys in steps and returns the most memory of a process for each
// key, from a quarter of them on.
func grow(pid, n int, fill func(from, to int) error) (most float64, err error) {
	const steps = 40
	for i := range steps {
		from, to := n*i/steps, n*(i+1)/steps
		high, err := highest(pid, func() error { return fill(from, to) })
		if err != nil {
			return 0, err
		}
		if i >= steps/4 {
			most = max(most, float64(high)/float64(to))
		}
	}
	return most, nil
}

// highest runs fn and returns a process's highest RssAnon meanwhile.
func highest(pid int, fn func() error) (high int64, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var failed error
	wg.Go(func() {
		measure.Every(ctx, 20*time.Millisecond, func() {
			rss, err := measure.RssAnon(pid)
			failed = errors.Join(failed, err)
			high = max(high, rss)
		})
	})
	err = fn()
	cancel()
	wg.Wait()
	return high, errors.Join(err, failed)
}
