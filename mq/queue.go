package mq

import (
	"errors"
	"sync"

	"github.com/google/btree"

	"github.com/brockdb/brock/internal/store"
)

// ahead is how many deliveries one record announces.
const ahead = 1024

// errAhead tells that a delivery has to be announced first.
var errAhead = errors.New("mq: delivery not announced")

// queue is the delivery state of a queue: which of its messages are delivered
// and not settled, and where the next one is. It stands in memory alone, and
// changes under the lock of the queue's partition, so that it always fits the
// messages in the store: by Get under a read lock of it, by all else when a
// transaction commits.
//
//	      head of the tree                cursor
//	  . . . s1 . . . . . s2 . . . s3 . . . . | s4 s5 s6 …
//	each below the cursor is unsettled or      none was delivered
//	returned, or gone from the tree            by this broker
//
// A message below flagged was, or may have been, delivered in an earlier life.
type queue struct {
	b       *Broker
	name    string
	flagged uint64

	// mu is taken under the writer's and a partition's lock, and under
	// Broker.mu, and nothing is taken under it.
	mu        sync.Mutex
	gone      error                 // why nothing is delivered or settled any more, or nil
	cursor    uint64                // the lowest number never delivered by this broker
	announced uint64                // the store knows that deliveries may have come up to here
	unsettled map[uint64]struct{}   // delivered
	returned  *btree.BTreeG[uint64] // delivered and given back
}

// newQueue returns the delivery state of a queue from which nothing was
// delivered in this life.
func newQueue(b *Broker, name string, s store.QueueState) *queue {
	return &queue{
		b: b, name: name,
		flagged:   min(s.Delivered, s.Next),
		announced: s.Delivered,
		unsettled: make(map[uint64]struct{}),
		returned:  btree.NewOrderedG[uint64](32),
	}
}

// take delivers the first message that is ready. If errAhead says that its
// number has to be announced first, seq is that number. The caller holds the
// lock of the queue's partition.
func (q *queue) take(t *store.Tx) (d *Delivery, seq uint64, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gone != nil {
		return nil, 0, q.gone
	}
	from, again := q.returned.Min()
	if !again {
		from = q.cursor
	}
	seq, stored, ok, err := t.QueueNext(q.name, from)
	switch {
	case err != nil:
		return nil, 0, err
	case !ok:
		return nil, 0, ErrEmpty
	case seq >= q.announced:
		return nil, seq, errAhead
	}
	m, err := decodeMessage(stored)
	if err != nil {
		return nil, 0, err
	}
	if again {
		q.returned.Delete(seq)
	} else {
		q.cursor = seq + 1
	}
	q.unsettled[seq] = struct{}{}
	return &Delivery{
		Message: m, RoutingKey: q.name, Redelivered: again || seq < q.flagged, q: q, seq: seq,
	}, seq, nil
}

// reserve announces the delivery of a message and of what follows. It returns
// when that is as durable as the mode asks: only then may anybody rely on it.
func (q *queue) reserve(seq uint64) error {
	upTo := seq + ahead
	err := q.b.s.WriteKey(q.name, nil, func(t *store.Tx) error {
		if err := q.ended(); err != nil {
			return err
		}
		s, _, err := t.Queue(q.name)
		if err != nil || s.Delivered >= upTo {
			return err
		}
		return t.QueueDelivered(q.name, upTo)
	})
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.announced = max(q.announced, upTo)
	return nil
}

// ended returns why nothing is delivered or settled any more, or nil.
func (q *queue) ended() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.gone
}

// end ends all delivering and settling.
func (q *queue) end(why error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gone == nil {
		q.gone, q.unsettled, q.returned = why, nil, nil
	}
}

// position returns how far the queue has come, and whether it has not ended.
func (q *queue) position() (upTo uint64, there bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return max(q.cursor, q.flagged), q.gone == nil
}

// close ends the queue's life and notes how far it has come.
func (q *queue) close(later *store.Later) error {
	err := q.b.s.WriteKey(q.name, later, func(t *store.Tx) error {
		upTo, there := q.position()
		if !there { // deleted meanwhile
			return nil
		}
		if err := t.QueueDelivered(q.name, upTo); err != nil {
			return err
		}
		q.end(ErrClosed)
		return nil
	})
	q.end(ErrClosed)
	return err
}

// outstanding returns how many deliveries are not settled.
func (q *queue) outstanding() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.unsettled)
}

// delivered returns the numbers of the deliveries that are not settled.
func (q *queue) delivered() []uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := make([]uint64, 0, len(q.unsettled))
	for seq := range q.unsettled {
		list = append(list, seq)
	}
	return list
}

// purged forgets what was given back: it is gone.
func (q *queue) purged() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.returned.Clear(false)
}
