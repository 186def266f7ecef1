package resp

import (
	"bytes"
	"fmt"
	"os"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// memoryPeak is the most memory that was seen in use.
type memoryPeak struct {
	bytes  atomic.Int64
	second atomic.Int64 // when watchMemory looked last, since the server was started
}

// watchMemory looks at the memory in use once a second: loops call it when they
// have something to do.
func (s *Server) watchMemory(uptime time.Duration) {
	if second := int64(uptime / time.Second); s.peak.second.Swap(second) != second {
		s.usedMemory()
	}
}

// usedMemory returns the memory in use: pages, and the objects of the Go heap.
func (s *Server) usedMemory() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(samples)
	used := int64(samples[0].Value.Uint64()) + s.reach.Store.Bytes()
	for peak := s.peak.bytes.Load(); used > peak && !s.peak.bytes.CompareAndSwap(peak, used); {
		peak = s.peak.bytes.Load()
	}
	return used
}

// resident returns the process' memory that the system has given it; ok is false
// where the system does not tell.
func resident() (n int64, ok bool) {
	var size, pages int64
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	_, err = fmt.Sscan(string(text), &size, &pages)
	return pages * int64(os.Getpagesize()), err == nil
}

// systemMemory returns the system's memory; ok is false where it does not tell.
func systemMemory() (n int64, ok bool) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	_, err = fmt.Fscanf(bytes.NewReader(text), "MemTotal: %d kB", &n)
	return n << 10, err == nil
}
