package oracle

import (
	"cmp"
	"slices"
)

// Message is a message as a queue delivers it.
type Message struct {
	Body        string
	Redelivered bool // it was delivered before, and given back
}

// queued is a message with its place: the number of its publication.
type queued struct {
	place uint64
	Message
}

// queue is a durable queue with the messages that are ready, by place, and
// those delivered and not yet settled, by delivery.
type queue struct {
	published uint64
	ready     []queued
	unsettled []queued
}

// clone returns a copy.
func (q *queue) clone() *queue {
	return &queue{q.published, slices.Clone(q.ready), slices.Clone(q.unsettled)}
}

// QueueValue is the content of a queue in a dump.
type QueueValue struct {
	Ready     []Message // in the order of delivery
	Unsettled []Message // in the order in which they were delivered
}

// queue finds a queue.
func (d *DB) queue(name string) (*queue, error) {
	q := d.queues[name]
	if q == nil {
		return nil, ErrNoQueue.with("NOT_FOUND - no queue '" + name + "' in vhost '/'")
	}
	return q, nil
}

// Declare makes the queue name unless there is one, and returns how many
// messages are ready in it.
func (d *DB) Declare(name string) int64 {
	if d.queues[name] == nil {
		d.queues[name] = &queue{}
	}
	return int64(len(d.queues[name].ready))
}

// Publish puts a message into the queue name through the default exchange.
// ErrNoQueue says that nothing takes it.
func (d *DB) Publish(name, body string) error {
	q, err := d.queue(name)
	if err != nil {
		return err
	}
	q.published++
	q.ready = append(q.ready, queued{q.published, Message{Body: body}})
	return nil
}

// Receive delivers the oldest message that is ready, to be settled, and returns
// how many are left. ErrNotFound says that none is ready.
func (d *DB) Receive(name string) (m Message, left int64, err error) {
	q, err := d.queue(name)
	if err != nil {
		return m, 0, err
	}
	if len(q.ready) == 0 {
		return m, 0, ErrNotFound
	}
	first := q.ready[0]
	q.ready = slices.Clone(q.ready[1:])
	q.unsettled = append(q.unsettled, first)
	return first.Message, int64(len(q.ready)), nil
}

// Unsettled returns how many deliveries of the queue name are not settled, 0
// where there is none.
func (d *DB) Unsettled(name string) int64 {
	if q := d.queues[name]; q != nil {
		return int64(len(q.unsettled))
	}
	return 0
}

// Ack settles delivery nth of the unsettled ones, from 0 for the oldest
// delivery and modulo their number. ErrNotFound says that there is none.
func (d *DB) Ack(name string, nth int64) (Message, error) {
	m, err := d.settle(name, nth)
	return m.Message, err
}

// Nack is Ack of a message that failed: with requeue it goes back to the place
// in the queue that it had, as redelivered.
func (d *DB) Nack(name string, nth int64, requeue bool) (Message, error) {
	m, err := d.settle(name, nth)
	if err == nil && requeue {
		d.queues[name].requeue(m)
	}
	return m.Message, err
}

// settle takes delivery nth from the unsettled ones.
func (d *DB) settle(name string, nth int64) (queued, error) {
	q, err := d.queue(name)
	if err != nil {
		return queued{}, err
	}
	if len(q.unsettled) == 0 {
		return queued{}, ErrNotFound
	}
	at := int(uint64(nth) % uint64(len(q.unsettled)))
	m := q.unsettled[at]
	q.unsettled = slices.Delete(q.unsettled, at, at+1)
	return m, nil
}

// requeue puts m back to its place.
func (q *queue) requeue(m queued) {
	m.Redelivered = true
	at, _ := slices.BinarySearchFunc(q.ready, m.place, func(r queued, place uint64) int { return cmp.Compare(r.place, place) })
	q.ready = slices.Insert(q.ready, at, m)
}

// Purge drops the messages that are ready and returns how many.
func (d *DB) Purge(name string) (int64, error) {
	q, err := d.queue(name)
	if err != nil {
		return 0, err
	}
	n := int64(len(q.ready))
	q.ready = nil
	return n, nil
}

// DeleteQueue drops the queue, its unsettled deliveries included, and returns
// how many messages were ready.
func (d *DB) DeleteQueue(name string) (int64, error) {
	n, err := d.Purge(name)
	delete(d.queues, name)
	return n, err
}

// Reopen does what closing and opening does: every unsettled delivery is given
// back to its place, as redelivered.
func (d *DB) Reopen() {
	for _, q := range d.queues {
		for _, m := range q.unsettled {
			q.requeue(m)
		}
		q.unsettled = nil
	}
}
