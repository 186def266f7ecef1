package store

import (
	"sync"
	"sync/atomic"
)

// job is a command of one key that is left to the holder of the writer lock by
// a caller who would have to wait for that (flat combining). Many writers then
// cost little more than one: the pages that they change stay in the caches of
// one processor, and each of them sleeps once, until its change is written.
type job struct {
	follower
	key  string
	hash uint64
	run  func(*Tx) error

	next  *job // the one that came before it
	lsn   uint64
	err   error
	again bool // it was not run: its caller runs it himself
}

// jobs are what was left to the holder of the writer lock and not yet run.
type jobs struct {
	last atomic.Pointer[job]
	pool sync.Pool // of *job
}

// maxJobs is how many jobs a writer runs for others before it goes on; the rest
// run their own.
const maxJobs = 256

// push adds a job.
func (q *jobs) push(j *job) {
	for {
		j.next = q.last.Load()
		if q.last.CompareAndSwap(j.next, j) {
			return
		}
	}
}

// take removes all jobs and returns the first that came; next leads to later
// ones.
func (q *jobs) take() (first *job) {
	if q.last.Load() == nil {
		return nil
	}
	for j := q.last.Swap(nil); j != nil; {
		first, j, j.next = j, j.next, first
	}
	return first
}

// Busy tells whether a change would have to wait for the writer lock now, and
// then until it is written: it should be left to the lock's holder, see Leave.
func (s *Store) Busy() bool {
	return s.wlog.log != nil && s.writer.held.Load() && !s.writer.user.Load() && s.Durability() != Relaxed
}

// Leave is WriteKey for when the store is Busy: fn may run in another
// goroutine. db is the database of the key.
func (s *Store) Leave(db int, key string, fn func(*Tx) error) error {
	if len(key) > ShortName {
		return s.WriteKey(key, nil, fn)
	}
	_ = s.throttle(nil)
	j, _ := s.jobs.pool.Get().(*job)
	if j == nil {
		j = &job{follower: follower{make(chan bool, 1)}}
	}
	j.key, j.hash, j.run = key, s.mem.Hash(key), fn
	s.warm(db, j.hash)
	s.jobs.push(j)
	if s.writer.tryLock() { // its holder may have gone without seeing j
		s.releaseWriter()
	}
	if lead := <-j.turn; lead {
		_ = s.wlog.write(s.Durability() == Always) // finish gets its error, too
	}
	o, err, again := outcome{lsn: j.lsn}, j.err, j.again
	*j = job{follower: j.follower}
	s.jobs.pool.Put(j)
	if again {
		return s.WriteKey(key, nil, fn)
	}
	return s.finish(o, nil, err)
}

// warm brings into the processor's caches what a look-up of a key will touch.
func (s *Store) warm(db int, hash uint64) {
	t := s.get()
	s.warmHashes(t, db, s.maskOf(hash), []uint64{hash})
	s.readers.Put(t)
}

// unlockWriter runs the jobs that were left to the holder of the writer lock
// and releases it. If it tells that it ran some, its caller is to call
// [commitLog.lead]; before that it may wait for its own change.
func (s *Store) unlockWriter() (ran bool) {
	for n := 0; ; {
		n += s.runJobs(maxJobs - n)
		s.writer.unlock()
		if s.jobs.last.Load() == nil || !s.writer.tryLock() {
			return n > 0
		}
	}
}

// releaseWriter is unlockWriter for a caller who waits for nothing.
func (s *Store) releaseWriter() {
	if s.unlockWriter() {
		s.wlog.lead()
	}
}

// runJobs runs up to limit jobs, sends the callers of others to run them
// themselves, and returns how many there were. The caller holds the writer
// lock.
func (s *Store) runJobs(limit int) (n int) {
	for j := s.jobs.take(); j != nil; n++ {
		next := j.next // j is its caller's once it has been run
		if n < limit {
			s.runJob(j)
		} else {
			j.again = true
			j.turn <- false
		}
		j = next
	}
	return n
}

// runJob runs a job. If that changes something, the job joins those who wait for
// the group; else its caller goes on at once. There is nothing else to do after
// the commit: no waiters are served, and a command of one key drops no space.
func (s *Store) runJob(j *job) {
	mask := s.maskOf(j.hash)
	if s.waiters.mask&mask != 0 || s.wlog.full.Load() {
		j.again = true
	} else if j.err = s.writable(); j.err == nil {
		t := s.take()
		t.hashed(j.key, j.hash)
		j.err = s.change(t, mask, j.run)
		if j.lsn = s.give(t).lsn; j.lsn != 0 {
			s.wlog.join(j.lsn, &j.follower) // and j is its caller's
			return
		}
		j.again = j.err != nil && retried(j.err)
	}
	j.turn <- false
}
