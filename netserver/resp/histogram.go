package resp

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// histogram counts durations in buckets of a sixteenth's width: a value is known
// to within 6 %. The first ones are exact to the microsecond.
type histogram struct {
	buckets [buckets]atomic.Uint64
}

const (
	subBits = 4
	buckets = 32 << subBits
)

// bucketOf returns the bucket of a duration in ns.
func bucketOf(ns uint64) int {
	if ns < 1<<subBits {
		return int(ns)
	}
	shift := bits.Len64(ns) - subBits - 1
	return min((shift+1)<<subBits+int(ns>>shift)&(1<<subBits-1), buckets-1)
}

// upper returns the highest duration in ns of a bucket.
func upper(bucket int) uint64 {
	if bucket < 1<<subBits {
		return uint64(bucket)
	}
	shift := bucket>>subBits - 1
	return (uint64(1<<subBits+bucket&(1<<subBits-1))+1)<<shift - 1
}

// add counts a duration n times.
func (h *histogram) add(d time.Duration, n uint64) {
	h.buckets[bucketOf(uint64(max(d, 0)))].Add(n)
}

// quantiles returns the durations that shares of all, in ascending order, do not
// exceed.
func (h *histogram) quantiles(shares ...float64) []time.Duration {
	var counts [buckets]uint64
	total := uint64(0)
	for i := range counts {
		counts[i] = h.buckets[i].Load()
		total += counts[i]
	}
	out := make([]time.Duration, len(shares))
	seen, at := uint64(0), 0
	for i := range counts {
		seen += counts[i]
		for at < len(shares) && total > 0 && float64(seen) >= shares[at]*float64(total) {
			out[at] = time.Duration(upper(i))
			at++
		}
	}
	return out
}
