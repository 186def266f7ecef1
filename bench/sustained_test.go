package bench_test

import (
	"context"
	"fmt"
	"hash/maphash"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/bench/internal/measure"
)

// pair is the payload of a Set: its key and its value.
const pair = measure.KeySize + measure.ValueSize

// sustained is how long a sustained run takes: a minute, or what
// BROCK_SUSTAINED says.
func sustained() time.Duration {
	if testing.Short() {
		return measure.Time("BROCK_SUSTAINED", 2*time.Second)
	}
	return measure.Time("BROCK_SUSTAINED", time.Minute)
}

// BenchmarkSustained makes random Sets, 256 in each Pipelined, for a minute: in
// memory; on disk at full speed, where its targets stand; paced, at most 0.6
// cores; and with a View held open, at least 0.7 times the rate.
func BenchmarkSustained(b *testing.B) {
	n := manyKeys()
	value := measure.Value(measure.ValueSize)
	var memory float64
	b.Run("n="+measure.Name(n)+"/mode=memory", func(b *testing.B) {
		settle()
		db := openMemory(b)
		require.NoError(b, fill(db, n, value))
		b.Run("pace=none", func(b *testing.B) {
			for b.Loop() {
				r := sustainedRun(b, load{db: db, n: n})
				memory = r.rate()
				b.ReportMetric(memory, "sets/s")
				b.ReportMetric(per(r.cpu, r.ops)/1e3, "cpu-us/set")
			}
		})
	})
	b.Run("n="+measure.Name(n)+"/mode=everysecond", func(b *testing.B) {
		settle()
		db, dir := openDisk(b, brock.EverySecond)
		require.NoError(b, fill(db, n, value))
		b.Run("pace=none", func(b *testing.B) {
			for b.Loop() {
				reportSustained(b, sustainedRun(b, load{db: db, dir: dir, n: n}), memory)
			}
		})
		b.Run("pace=250k", func(b *testing.B) {
			for b.Loop() {
				reportPaced(b, sustainedRun(b, load{db: db, dir: dir, n: n, pace: 250_000}))
			}
		})
		b.Run("view=held", func(b *testing.B) {
			for b.Loop() {
				viewHeld(b, load{db: db, dir: dir, n: n})
			}
		})
	})
}

// sustainedRun runs l as long as sustained says.
func sustainedRun(b *testing.B, l load) run {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), sustained())
	defer cancel()
	r, err := l.drive(ctx)
	require.NoError(b, err)
	return r
}

// reportSustained reports a run on disk at full speed beside its targets.
// memory is the rate in memory, 0 if that did not run.
func reportSustained(b *testing.B, r run, memory float64) {
	b.Helper()
	stored := float64(r.n * pair)
	middle, last := r.thirds()
	writes := float64(r.written) / float64(r.ops*pair)
	b.ReportMetric(r.rate(), "sets/s")
	b.ReportMetric(per(r.cpu, r.ops)/1e3, "cpu-us/set")
	b.ReportMetric(ratio(r.rate(), memory), "of-memory") // at least 0.6
	b.ReportMetric(r.worst(), "worst5s/mean")            // at least 0.6
	b.ReportMetric(ms(r.groups.Quantile(0.5)), "p50-ms")
	b.ReportMetric(ms(r.groups.Quantile(0.99)), "p99-ms")
	b.ReportMetric(ms(r.groups.Quantile(0.999)), "p99.9-ms") // at most 15
	b.ReportMetric(ms(r.groups.Quantile(1)), "max-ms")       // at most 150
	b.ReportMetric(writes, "written/payload")                // at most 3.5
	b.ReportMetric(ratio(last, middle), "disk-last/middle")  // at most 1.1
	b.ReportMetric(r.maxDisk()/stored, "disk/stored")        // at most 6, goal 4
	b.ReportMetric(float64(r.rounds), "rounds")
	b.Logf("%.0f k/s (%.2f of memory, want >= 0.6), worst 5 s %.2f (>= 0.6), group p50 %.2f p99 %.2f p99.9 %.1f (<= 15) max %.0f ms (<= 150)",
		r.rate()/1e3, ratio(r.rate(), memory), r.worst(), ms(r.groups.Quantile(0.5)), ms(r.groups.Quantile(0.99)),
		ms(r.groups.Quantile(0.999)), ms(r.groups.Quantile(1)))
	b.Logf("written %.2f x payload (<= 3.5), disk last/middle %.2f (<= 1.1), disk %.2f x stored (<= 6, goal 4), %d checkpoint rounds, %.2f cores",
		writes, ratio(last, middle), r.maxDisk()/stored, r.rounds, r.cores())
	b.Logf("MB on disk each second: %.0f", r.disk)
}

// reportPaced reports a paced run. Target: at most 0.6 cores.
func reportPaced(b *testing.B, r run) {
	b.Helper()
	b.ReportMetric(r.rate(), "sets/s")
	b.ReportMetric(r.cores(), "cores")
	b.ReportMetric(ms(r.groups.Quantile(0.999)), "p99.9-ms")
	b.ReportMetric(ms(r.groups.Quantile(1)), "max-ms")
	b.Logf("%.0f k/s, %.2f cores (want <= 0.6), p99.9 %.1f max %.1f ms, %d checkpoint rounds",
		r.rate()/1e3, r.cores(), ms(r.groups.Quantile(0.999)), ms(r.groups.Quantile(1)), r.rounds)
}

// viewHeld compares the rate of writers without and with a View held for 10 s,
// or for sustained if that is shorter, and fails if what the View sees changes.
func viewHeld(b *testing.B, l load) {
	b.Helper()
	span := min(sustained(), 10*time.Second)
	during := func(held bool) run {
		ctx, cancel := context.WithTimeout(b.Context(), span)
		defer cancel()
		seen := make(chan error, 1)
		if held {
			go func() { seen <- hold(ctx, l) }()
		}
		r, err := l.drive(ctx)
		require.NoError(b, err)
		if held {
			require.NoError(b, <-seen)
		}
		return r
	}
	without, with := during(false), during(true)
	b.ReportMetric(with.rate(), "sets/s")
	b.ReportMetric(with.rate()/without.rate(), "of-before") // at least 0.7
	b.ReportMetric(megabytes(with.viewBytes), "view-MB")
	b.Logf("%.0f k/s before, %.0f k/s (%.2f, want >= 0.7) with a View for %v, which kept %.0f MB",
		without.rate()/1e3, with.rate()/1e3, with.rate()/without.rate(), span, megabytes(with.viewBytes))
}

// hold holds a View until shortly before ctx ends and compares what it sees
// then with what it saw first.
func hold(ctx context.Context, l load) error {
	return l.db.View(func(tx *brock.Tx) error {
		first, err := digest(tx, l.n)
		if err != nil {
			return err
		}
		<-ctx.Done()
		last, err := digest(tx, l.n)
		if err == nil && last != first {
			err = fmt.Errorf("the View sees %x, first it saw %x", last, first)
		}
		return err
	})
}

// seed makes digests of one process comparable.
var seed = maphash.MakeSeed()

// digest hashes the values of about 10,000 of n keys.
func digest(tx *brock.Tx, n int) (uint64, error) {
	var h maphash.Hash
	h.SetSeed(seed)
	for i := 0; i < n; i += max(1, n/10_000) {
		value, err := tx.Get(measure.Key(i))
		if err != nil {
			return 0, err
		}
		_, _ = h.Write(value) // never fails
	}
	return h.Sum64(), nil
}

// ms returns d in milliseconds.
func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }
