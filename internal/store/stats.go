package store

import (
	"slices"
	"time"

	"github.com/brockdb/brock/internal/page"
)

// Stats is what a store tells of itself at one moment.
type Stats struct {
	Keys         []int64         // of each logical database, expired ones included until they are collected
	Expiring     []int64         // those of Keys that have a deadline
	MeanTTL      []time.Duration // of those, about
	Bytes        int64           // of pages in memory, with old versions
	ViewBytes    int64           // of old versions kept for snapshots, within Bytes
	MappedBytes  int64           // of memory that pages stand in
	Budget       int64           // Options.MemoryBudget
	Committed    uint64          // number of the last transaction
	Written      uint64          // of the last one that is written to the log
	Synced       uint64          // of the last one that is durable
	LogBytes     int64           // of log that a recovery would read
	BaseBytes    int64           // of the base on disk
	DirtyBytes   int64           // of pages that the base does not have
	CheckpointAt time.Time       // when the last round of steps ended
	Checkpointed uint64          // number of the last transaction before that round, or before Open
	Steps        int64           // checkpoint steps completed
	Rounds       int64           // rounds of steps completed
	Loads        int64           // commands that had to load pages
	EvictedBytes int64
	Expired      int64 // keys that the background removed
	Errors       int64 // background errors, which Options.Logger got
	Write        Latency
	Sync         Latency
	Poisoned     error // what poisoned the store, nil if nothing did
}

// Stats returns figures about the store. It does not wait for the disk. Cost:
// O(partitions).
func (s *Store) Stats() Stats {
	st := Stats{
		Bytes: s.mem.Used(), MappedBytes: s.mem.Mapped(), Budget: s.opts.MemoryBudget,
		Committed: s.committed.Load(), Written: s.wlog.written.Load(), Synced: s.wlog.synced.Load(),
		Steps: s.stats.steps.Load(), Rounds: s.stats.rounds.Load(), Loads: s.stats.loads.Load(),
		EvictedBytes: s.stats.evicted.Load(), Expired: s.stats.expired.Load(), Errors: s.stats.background.Load(),
	}
	st.Write, st.Sync = s.wlog.latency()
	now := s.clock.Now().UnixMilli()
	for _, sp := range s.spaces.Load().dbs[:s.Databases()] {
		n, ttl := s.deadlines.in(sp.id, now)
		st.Keys = append(st.Keys, sp.count.Load())
		st.Expiring = append(st.Expiring, n)
		st.MeanTTL = append(st.MeanTTL, ttl)
	}
	for i := range page.Partitions {
		st.ViewBytes += s.mem.Part(i).RetainedBytes()
	}
	if s.base != nil && s.enter() == nil {
		st.LogBytes, st.BaseBytes, st.DirtyBytes = s.wlog.log.Size(), s.base.Size(), s.dirtyBytes()
		s.leave()
	}
	st.Checkpointed = s.check.opened
	if last := s.check.last.Load(); last != nil {
		st.CheckpointAt, st.Checkpointed = last.at, last.lsn
	}
	if e := s.life.err.Load(); e != nil {
		st.Poisoned = *e
	}
	return st
}

// Bytes returns what pages take in memory, as Stats does.
func (s *Store) Bytes() int64 { return s.mem.Used() }

// keys returns the number of keys of all databases, expired ones included until
// they are collected.
func (s *Store) keys() (n int64) {
	for _, sp := range s.spaces.Load().dbs {
		n += sp.count.Load()
	}
	return n
}

// Latency sums up how long calls took.
type Latency struct {
	Count int64
	Mean  time.Duration
	P99   time.Duration // of the last calls, see latencies
	Max   time.Duration // since Open
}

// latencies remembers how long the last calls took. Guarded by its owner's
// lock.
type latencies struct {
	count int64
	total time.Duration
	max   time.Duration
	last  [256]time.Duration // a ring
}

// add notes one call.
func (l *latencies) add(d time.Duration) {
	l.last[l.count%int64(len(l.last))] = d
	l.count++
	l.total += d
	l.max = max(l.max, d)
}

// summary returns the figures.
func (l *latencies) summary() Latency {
	if l.count == 0 {
		return Latency{}
	}
	last := slices.Clone(l.last[:min(l.count, int64(len(l.last)))])
	slices.Sort(last)
	return Latency{
		Count: l.count, Mean: l.total / time.Duration(l.count),
		P99: last[len(last)*99/100], Max: l.max,
	}
}
