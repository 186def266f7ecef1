package store

import (
	"cmp"
	"container/list"
	"slices"

	"github.com/brockdb/brock/internal/page"
)

// waiters are the blocked pops and their like: each waits for an event of one
// of its keys and is served, in the order of arrival, by the transaction that
// brings it about: what it takes belongs to that transaction. Guarded by the
// writer lock.
type waiters struct {
	queues map[waitKey]*list.List // of *Waiter
	last   uint64                 // arrival of the last one
	// mask are the partitions that somebody waits for a key of, parts how many
	// do. There no command changes pages in place: serving a waiter may need
	// pages that are cold, and that comes after the command's own changes.
	mask  uint64
	parts [page.Partitions]int
}

type waitKey struct {
	db  int
	key string
}

// Waiter is a blocked command.
type Waiter struct {
	// Serve tries to do what the command waits for, as part of the
	// transaction, and tells whether it did. It runs under the writer lock.
	Serve func(t *Tx, key string) (done bool, err error)
	// Served is closed once the serving transaction has committed; LSN is its
	// number.
	Served chan struct{}
	LSN    uint64

	db      int
	keys    []string
	elems   map[string]*list.Element
	arrival uint64 // grows from one to the next that registers
}

// Waiting tells whether w is registered: Serve is called for an event, not by
// Await itself.
func (w *Waiter) Waiting() bool { return w.elems != nil }

// Await tries w.Serve on each key; if none serves, it registers w. It runs as
// a transaction of its own and tells whether w was served at once.
func (s *Store) Await(db int, keys []string, w *Waiter) (served bool, err error) {
	w.db, w.keys, w.Served = db, keys, make(chan struct{})
	err = s.Exec(nil, func(t *Tx) error {
		served = false
		for _, key := range keys {
			done, err := w.Serve(t, key)
			if err != nil || done {
				served = done
				return err
			}
		}
		s.register(w)
		return nil
	})
	return served, err
}

// register adds w to the queues of its keys; the caller holds the writer lock.
func (s *Store) register(w *Waiter) {
	if s.waiters.queues == nil {
		s.waiters.queues = make(map[waitKey]*list.List)
	}
	s.waiters.last++
	w.arrival = s.waiters.last
	w.elems = make(map[string]*list.Element, len(w.keys))
	for _, key := range w.keys {
		if w.elems[key] != nil {
			continue
		}
		k := waitKey{w.db, key}
		q := s.waiters.queues[k]
		if q == nil {
			q = list.New()
			s.waiters.queues[k] = q
		}
		w.elems[key] = q.PushBack(w)
		part := page.PartitionOf(s.hashOf(key))
		s.waiters.parts[part]++
		s.waiters.mask |= 1 << part
	}
	s.audience.Add(1)
}

// unregister removes w from all queues; the caller holds the writer lock.
func (s *Store) unregister(w *Waiter) {
	for key, el := range w.elems {
		k := waitKey{w.db, key}
		q := s.waiters.queues[k]
		q.Remove(el)
		if q.Len() == 0 {
			delete(s.waiters.queues, k)
		}
		part := page.PartitionOf(s.hashOf(key))
		if s.waiters.parts[part]--; s.waiters.parts[part] == 0 {
			s.waiters.mask &^= 1 << part
		}
	}
	if w.elems != nil {
		s.audience.Add(-1)
		w.elems = nil
	}
}

// Cancel ends the wait of w and tells whether it had been served before: then
// Served is closed, or about to be.
func (s *Store) Cancel(w *Waiter) (served bool) {
	s.writer.lockOutside()
	defer s.releaseWriter()
	if w.elems == nil {
		return true
	}
	s.unregister(w)
	return false
}

// Done is closed when the store closes or is poisoned: whoever waits gives up,
// see Cancel and Err.
func (s *Store) Done() <-chan struct{} { return s.life.ctx.Done() }

// Acknowledge waits until a transaction is as durable as the mode asks.
func (s *Store) Acknowledge(lsn uint64) error {
	if s.wlog.log == nil {
		return nil
	}
	return s.acknowledge(lsn)
}

// serve serves waiters of keys that t has changed, within t.
func (s *Store) serve(t *Tx) error {
	for i := 0; i < len(t.events) && len(s.waiters.queues) > 0; i++ { // serving may add events
		serve := s.serveKey
		if t.events[i].whole() {
			serve = s.serveAll
		}
		if err := serve(t, t.events[i]); err != nil {
			return err
		}
	}
	return nil
}

// serveKey serves the waiters of one key, first come first served.
func (s *Store) serveKey(t *Tx, ev Event) error {
	q := s.waiters.queues[waitKey{ev.DB, ev.Key}]
	if q == nil {
		return nil
	}
	for el := q.Front(); el != nil; el = el.Next() {
		done, err := s.serveOne(t, el.Value.(*Waiter), ev.Key)
		if err != nil {
			return err
		}
		if done {
			continue
		}
		if _, ok, err := t.Lookup(ev.DB, ev.Key); err != nil || !ok {
			return err
		} // it waits for another type of value
	}
	return nil
}

// serveAll serves the waiters of all keys of a database, first come first
// served, each from the first of its keys that has something.
func (s *Store) serveAll(t *Tx, ev Event) error {
	var all []*Waiter
	for k, q := range s.waiters.queues {
		for el := q.Front(); el != nil && k.db == ev.DB; el = el.Next() {
			all = append(all, el.Value.(*Waiter))
		}
	}
	slices.SortFunc(all, func(a, b *Waiter) int { return cmp.Compare(a.arrival, b.arrival) })
	for _, w := range slices.Compact(all) {
		for _, key := range w.keys {
			if done, err := s.serveOne(t, w, key); err != nil {
				return err
			} else if done {
				break
			}
		}
	}
	return nil
}

// serveOne serves a waiter from one of its keys and tells whether it is served,
// now or before.
func (s *Store) serveOne(t *Tx, w *Waiter, key string) (done bool, err error) {
	if slices.Contains(t.served, w) {
		return true, nil
	}
	if done, err = w.Serve(t, key); err != nil || !done {
		return false, err
	}
	t.served = append(t.served, w)
	t.OnCommit(func() {
		s.unregister(w)
		w.LSN = t.lsn
	})
	t.After(func() { close(w.Served) })
	return true, nil
}
