package measure

import (
	"context"
	"slices"
	"time"
)

// Latencies collects how long calls took.
type Latencies struct {
	all    []time.Duration
	sorted bool
}

// Add adds a call.
func (l *Latencies) Add(d time.Duration) {
	l.all = append(l.all, d)
	l.sorted = false
}

// Quantile returns what the share q of calls did not exceed: 0.5 for the
// median, 1 for the longest. It is 0 if there was no call.
func (l *Latencies) Quantile(q float64) time.Duration {
	if len(l.all) == 0 {
		return 0
	}
	if !l.sorted {
		slices.Sort(l.all)
		l.sorted = true
	}
	return l.all[int(q*float64(len(l.all)-1))]
}

// Worst returns the lowest mean of as many neighbours in samples as window
// says, or of all if there are fewer. It is 0 without samples.
func Worst(samples []float64, window int) float64 {
	window = min(window, len(samples))
	if window == 0 {
		return 0
	}
	worst := Mean(samples[:window])
	for i := 1; i+window <= len(samples); i++ {
		worst = min(worst, Mean(samples[i:i+window]))
	}
	return worst
}

// Mean returns the mean of samples, 0 if there are none.
func Mean(samples []float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	sum := 0.0
	for _, s := range samples {
		sum += s
	}
	return sum / float64(len(samples))
}

// Every calls fn once each interval, and a last time once ctx has ended.
func Every(ctx context.Context, interval time.Duration, fn func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			fn()
		case <-ctx.Done():
			fn()
			return
		}
	}
}
