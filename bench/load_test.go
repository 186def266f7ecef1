package bench_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/bench/internal/measure"
)

// load is a stream of random Sets of resident keys, one group after the other.
type load struct {
	db   *brock.DB
	dir  string // where db is; "" in memory
	n    int    // keys
	pace int    // Sets in a second at most; 0 for no limit
}

// run is what a load saw.
type run struct {
	n         int
	ops       int
	took      time.Duration
	cpu       time.Duration
	groups    measure.Latencies
	seconds   []float64 // Sets in each full second
	disk      []float64 // MB on disk at its end
	written   int64     // bytes that went to devices
	rounds    int64     // of checkpoints
	viewBytes int64     // the most that was kept for Views
}

// drive makes Sets until ctx ends.
func (l load) drive(ctx context.Context) (r run, err error) {
	r.n = l.n
	cpu0, err := supported(measure.CPU())
	if err != nil {
		return r, err
	}
	written0, err := supported(measure.WriteBytes())
	if err != nil {
		return r, err
	}
	var done atomic.Int64
	var sampler sync.WaitGroup
	watch, stop := context.WithCancel(context.Background())
	defer stop()
	var sampleErr error
	sampler.Go(func() { sampleErr = l.sample(watch, &done, &r) })
	rounds0 := l.db.Stats().Checkpoints

	begin := time.Now()
	err = l.groups(ctx, begin, &done, &r.groups)
	r.took = time.Since(begin)
	stop()
	sampler.Wait()

	r.ops = int(done.Load())
	r.rounds = l.db.Stats().Checkpoints - rounds0
	cpu1, cpuErr := supported(measure.CPU())
	written1, writtenErr := supported(measure.WriteBytes())
	r.cpu, r.written = cpu1-cpu0, written1-written0
	return r, errors.Join(err, sampleErr, cpuErr, writtenErr)
}

// groups makes Sets until ctx ends and counts them in done. Their order is
// always the same.
func (l load) groups(ctx context.Context, begin time.Time, done *atomic.Int64, took *measure.Latencies) error {
	random := measure.Rand(uint64(done.Load()) + 2)
	value := measure.Value(measure.ValueSize)
	buf := make([]byte, 0, group*measure.KeySize)
	for ctx.Err() == nil {
		if l.pace > 0 && !l.await(ctx, begin, done.Load()) {
			return nil
		}
		keys := drawGroup(buf, random, l.n)
		start := time.Now()
		err := l.db.Pipelined(func(p *brock.Pipe) error {
			for i := range group {
				binary.LittleEndian.PutUint64(value, random.Uint64())
				if err := p.Set(keys[i*measure.KeySize:(i+1)*measure.KeySize], value); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		took.Add(time.Since(start))
		done.Add(group)
	}
	return nil
}

// drawGroup returns a group's random keys, one behind the other: one
// allocation, and no large array of keys to miss the cache in.
func drawGroup(buf []byte, random *rand.Rand, n int) string {
	for range group {
		buf = measure.AppendKey(buf, random.IntN(n))
	}
	return string(buf)
}

// await waits until the next group is due; false if ctx ended before.
func (l load) await(ctx context.Context, begin time.Time, done int64) bool {
	due := begin.Add(time.Duration(float64(done) / float64(l.pace) * float64(time.Second)))
	wait := time.Until(due)
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// sample notes in r, once a second until ctx ends, how many Sets there were and
// what the directory takes.
func (l load) sample(ctx context.Context, done *atomic.Int64, r *run) (err error) {
	last := done.Load()
	measure.Every(ctx, time.Second, func() {
		r.viewBytes = max(r.viewBytes, l.db.Stats().ViewBytes)
		if ctx.Err() != nil {
			return // not a full second
		}
		now := done.Load()
		r.seconds = append(r.seconds, float64(now-last))
		last = now
		if l.dir == "" {
			return
		}
		use, failed := supported(measure.DiskUse(l.dir))
		err = errors.Join(err, failed)
		r.disk = append(r.disk, megabytes(use))
	})
	return err
}

// rate returns the Sets per second.
func (r run) rate() float64 { return float64(r.ops) / r.took.Seconds() }

// cores returns how many processors were busy on average.
func (r run) cores() float64 { return r.cpu.Seconds() / r.took.Seconds() }

// worst returns the rate of the worst 5 s as a share of the mean.
func (r run) worst() float64 {
	return ratio(measure.Worst(r.seconds, 5), measure.Mean(r.seconds))
}

// thirds returns the mean disk use of the middle and of the last third: of the
// middle and the last 20 s of a minute.
func (r run) thirds() (middle, last float64) {
	third := len(r.disk) / 3
	end := len(r.disk) - third
	return measure.Mean(r.disk[third:end]), measure.Mean(r.disk[end:])
}

// maxDisk returns the most bytes that the directory took.
func (r run) maxDisk() float64 {
	if len(r.disk) == 0 {
		return 0
	}
	return slices.Max(r.disk) * 1e6
}

// supported returns what was measured, zero where the system does not tell.
func supported[T any](v T, err error) (T, error) {
	if errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return v, err
}
