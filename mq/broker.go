package mq

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/bridge"
	"github.com/brockdb/brock/internal/store"
)

// Options configure a broker. There are none yet.
type Options struct{}

// Broker is the queues of a database. It is safe for concurrent use. See
// [Open].
//
// Which messages are delivered and not yet settled is the broker's own
// knowledge, in memory; the messages themselves are the database's.
type Broker struct {
	s      *store.Store
	closed atomic.Bool // set under mu

	// mu is taken under a partition's lock.
	mu     sync.RWMutex
	queues map[string]*queue // those that were published to or delivered from
}

// Open returns the broker of a database; opts may be nil. A database has one
// broker at a time, which all logical databases share: queues have names of
// their own, and flushing a logical database does not touch them.
//
// Errors: [ErrOpen] if a broker is open; [brock.ErrClosed].
//
// Cost: O(1), however many queues and messages there are.
func Open(db *brock.DB, opts *Options) (*Broker, error) {
	h, err := bridge.Reach(db)
	if err != nil {
		return nil, err
	}
	return open(h.Store)
}

// open returns the broker of a store.
func open(s *store.Store) (*Broker, error) {
	if !s.ClaimBroker() {
		return nil, ErrOpen
	}
	return &Broker{s: s, queues: make(map[string]*queue)}, nil
}

// QueueOptions are what [Broker.DeclareQueue] can be told about a queue.
type QueueOptions struct {
	// Passive asks for a queue that exists and declares none; other options
	// are not looked at.
	Passive bool
	// AutoDelete has the queue go with its last consumer. One that never had a
	// consumer stays; [Broker.Get] is none.
	AutoDelete bool
}

// QueueInfo tells about a queue.
type QueueInfo struct {
	Name      string
	Messages  int // that are ready: delivered ones do not count
	Consumers int // 0 as long as there are none
}

// Options of a queue as the store keeps them.
const optionAutoDelete = 1

// bits returns the options that are part of the queue.
func (o *QueueOptions) bits() (b byte) {
	if o != nil && o.AutoDelete {
		b |= optionAutoDelete
	}
	return b
}

// reserved is how the names begin that the broker keeps for itself.
const reserved = "amq."

// DeclareQueue makes sure that there is a durable queue of a name, with these
// options (nil for none), and tells about it. Declaring a queue again changes
// nothing. With an empty name the broker makes up one that no queue has, to be
// found in the result.
//
// A name is any bytes, at most 255, and nothing in it means anything but a
// beginning of "amq.", which is the broker's own.
//
// Errors: [ErrPreconditionFailed] if the queue has other options;
// [ErrNotFound] if it is Passive and there is none; [ErrAccessRefused] for a
// new name that begins with "amq."; [ErrTooLong]; [ErrClosed].
//
// Cost: O(1).
//
// AMQP: queue.declare, durable and not exclusive.
func (b *Broker) DeclareQueue(name string, opts *QueueOptions) (QueueInfo, error) {
	switch {
	case b.closed.Load():
		return QueueInfo{}, ErrClosed
	case len(name) > maxShort:
		return QueueInfo{}, fmt.Errorf("declare queue: %w: name of %d bytes", ErrTooLong, len(name))
	case opts != nil && opts.Passive:
		return b.inspect(name)
	}
	own := name == ""
	if own {
		name = reserved + "gen-" + rand.Text()
	}
	info := QueueInfo{Name: name}
	err := b.s.WriteKey(name, nil, func(t *store.Tx) error {
		q, ok, err := t.Queue(name)
		switch {
		case err != nil:
			return err
		case !ok && !own && strings.HasPrefix(name, reserved):
			return ErrAccessRefused
		case !ok:
			return t.QueueCreate(name, opts.bits())
		case q.Options != opts.bits():
			return fmt.Errorf("%w: the queue's options are not these", ErrPreconditionFailed)
		}
		info.Messages = b.ready(name, q)
		return nil
	})
	if err != nil {
		return QueueInfo{}, fmt.Errorf("declare queue %q: %w", name, err)
	}
	return info, nil
}

// inspect tells about a queue that exists.
func (b *Broker) inspect(name string) (QueueInfo, error) {
	info := QueueInfo{Name: name}
	err := b.s.ReadKey(name, nil, func(t *store.Tx) error {
		q, ok, err := t.Queue(name)
		if err == nil && !ok {
			err = ErrNotFound
		}
		info.Messages = b.ready(name, q)
		return err
	})
	if err != nil {
		return QueueInfo{}, fmt.Errorf("declare queue %q: %w", name, err)
	}
	return info, nil
}

// ready returns how many messages of a queue can be delivered. The caller
// holds the lock of its partition.
func (b *Broker) ready(name string, state store.QueueState) int {
	n := int(state.Messages)
	if q := b.loaded(name); q != nil {
		n -= q.outstanding()
	}
	return n
}

// DeleteOption is a condition of [Broker.DeleteQueue].
type DeleteOption int

// Conditions of DeleteQueue.
const (
	// IfUnused deletes the queue only if it has no consumers.
	IfUnused DeleteOption = 1 + iota
	// IfEmpty deletes the queue only if no message in it is ready.
	IfEmpty
)

// DeleteQueue deletes a queue with all its messages, delivered ones included,
// and returns how many were ready. Their deliveries cannot be settled any more.
// Deleting a queue that does not exist is no error.
//
// Errors: [ErrPreconditionFailed] if a condition does not hold; [ErrClosed].
//
// Cost: O(1); the space is freed in the background.
//
// AMQP: queue.delete.
func (b *Broker) DeleteQueue(name string, conditions ...DeleteOption) (n int, err error) {
	if b.closed.Load() {
		return 0, ErrClosed
	}
	err = b.s.WriteKey(name, nil, func(t *store.Tx) error {
		n = 0
		q, ok, err := t.Queue(name)
		if err != nil || !ok {
			return err
		}
		ready := b.ready(name, q)
		if ready > 0 && slices.Contains(conditions, IfEmpty) {
			return fmt.Errorf("%w: the queue is not empty", ErrPreconditionFailed)
		}
		if _, err := t.QueueDelete(name); err != nil {
			return err
		}
		n = ready
		t.OnCommit(func() { b.forget(name) })
		return nil
	})
	if err != nil {
		return n, fmt.Errorf("delete queue %q: %w", name, err)
	}
	return n, nil
}

// forget ends the deliveries of a queue that is deleted.
func (b *Broker) forget(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q := b.queues[name]; q != nil {
		q.end(ErrNotFound)
		delete(b.queues, name)
	}
}

// Get delivers the first message of a queue that is ready. It is the caller's
// to settle, by [Delivery.Ack] or [Delivery.Nack]; until then nobody else gets
// it. Closing the broker gives it back.
//
// Get is no step of a transaction: call it before [brock.DB.Update], not inside
// the callback, where it can return [brock.ErrNested].
//
// Errors: [ErrEmpty] if none is ready; [ErrNotFound]; [ErrClosed].
//
// Cost: O(log n) and a copy of the message; in memory only, but for one record
// every 1,024 messages.
//
// AMQP: basic.get, without no-ack.
func (b *Broker) Get(name string) (d *Delivery, err error) {
	for err = errAhead; errors.Is(err, errAhead); {
		if b.closed.Load() {
			return nil, ErrClosed
		}
		var q *queue
		var seq uint64
		err = b.s.ReadKey(name, nil, func(t *store.Tx) (err error) {
			if q, err = b.queue(t, name); err != nil {
				return err
			}
			d, seq, err = q.take(t)
			return err
		})
		if errors.Is(err, errAhead) {
			if failed := q.reserve(seq); failed != nil {
				err = failed
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("get from %q: %w", name, err)
	}
	return d, nil
}

// PublishOption is an option of [Broker.Publish].
type PublishOption int

// Options of Publish.
const (
	// Mandatory makes it an error, ErrNoRoute, if no queue takes the message.
	Mandatory PublishOption = 1 + iota
)

// Publish puts a message where an exchange routes its key to. There is the
// default exchange alone, called "", which routes a message to the queue that
// its key names. When Publish returns nil the message is acknowledged: as
// durable as the database's mode promises.
//
// As in AMQP, a message that no queue takes is dropped without an error unless
// it is [Mandatory].
//
// Errors: [ErrNoRoute]; [ErrNotFound] if there is no such exchange;
// [ErrTooLong]; [ErrProperty]; [ErrClosed].
//
// Cost: O(1) and a copy of the message; one change record.
//
// AMQP: basic.publish, and its confirm.
func (b *Broker) Publish(exchange, key string, msg Message, opts ...PublishOption) error {
	stored, err := b.prepare(exchange, &msg)
	if err == nil {
		err = b.s.WriteKey(key, nil, func(t *store.Tx) error { return b.put(t, key, stored, opts) })
	}
	return publishError(err, exchange, key)
}

// PublishTx is [Broker.Publish] as a step of a transaction: the message is in
// its queue, and can be delivered, once the transaction has committed, and
// never was if it does not. Where its queue is, is decided at the step.
//
// Errors: as Publish; [brock.ErrTxDone]; [brock.ErrReadOnly]; [ErrForeignTx].
//
// Cost: as Publish.
//
// AMQP: basic.publish between tx.select and tx.commit.
func (b *Broker) PublishTx(tx *brock.Tx, exchange, key string, msg Message, opts ...PublishOption) error {
	stored, err := b.prepare(exchange, &msg)
	if err == nil {
		err = b.step(tx, func(t *store.Tx) error { return b.put(t, key, stored, opts) })
	}
	return publishError(err, exchange, key)
}

// prepare checks and encodes what is to be published.
func (b *Broker) prepare(exchange string, msg *Message) ([]byte, error) {
	if b.closed.Load() {
		return nil, ErrClosed
	}
	if exchange != "" {
		return nil, fmt.Errorf("%w: no such exchange", ErrNotFound)
	}
	return msg.encode()
}

// put puts an encoded message into the queue that key names. The caller holds
// the writer lock.
func (b *Broker) put(t *store.Tx, key string, stored []byte, opts []PublishOption) error {
	// The delivery state has to know which messages are older than itself.
	_, err := b.queue(t, key)
	switch {
	case errors.Is(err, ErrNotFound) && slices.Contains(opts, Mandatory):
		return ErrNoRoute
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	_, err = t.QueuePut(key, stored)
	return err
}

// publishError tells what could not be published.
func publishError(err error, exchange, key string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("publish to %q by %q: %w", exchange, key, err)
}

// step runs fn as a step of a transaction.
func (b *Broker) step(tx *brock.Tx, fn func(*store.Tx) error) error {
	h, err := bridge.Reach(tx)
	switch {
	case err != nil:
		return err
	case h.Store != b.s:
		return ErrForeignTx
	case h.Tx.ReadOnly():
		return brock.ErrReadOnly
	}
	return h.Tx.Step(h.Life, fn)
}

// Purge removes all messages of a queue that are ready, and returns how many.
// Those that are delivered and not settled stay what they are.
//
// Errors: [ErrNotFound]; [ErrClosed].
//
// Cost: O(messages delivered and not settled); the space is freed in the
// background.
//
// AMQP: queue.purge.
func (b *Broker) Purge(name string) (n int, err error) {
	if b.closed.Load() {
		return 0, ErrClosed
	}
	err = b.s.WriteKey(name, nil, func(t *store.Tx) error {
		n = 0
		state, ok, err := t.Queue(name)
		if err != nil {
			return err
		}
		if !ok {
			return ErrNotFound
		}
		var keep []uint64
		q := b.loaded(name)
		if q != nil {
			keep = q.delivered()
		}
		if err := t.QueuePurge(name, keep); err != nil {
			return err
		}
		if n = int(state.Messages) - len(keep); n > 0 && q != nil {
			t.OnCommit(q.purged)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("purge %q: %w", name, err)
	}
	return n, nil
}

// Close gives all messages that are delivered and not settled back to their
// queues, flagged as redelivered. Calls during and after it fail with
// [ErrClosed]; another broker can be opened. Closing twice does nothing.
//
// Close the broker before its database. Where that does not happen, as when
// the process is killed, nothing is lost, and up to 1,024 messages of a queue
// may be flagged as redelivered that were not delivered before.
//
// Errors: [brock.ErrClosed] if the database was closed before.
//
// Cost: O(queues published to or delivered from); one change record for each.
//
// AMQP: connection.close, of all who consume.
func (b *Broker) Close() error {
	b.mu.Lock()
	if b.closed.Swap(true) {
		b.mu.Unlock()
		return nil
	}
	queues := b.queues
	b.queues = nil
	b.mu.Unlock()

	var later store.Later
	var err error
	for _, name := range slices.Sorted(maps.Keys(queues)) {
		if failed := queues[name].close(&later); err == nil {
			err = failed
		}
	}
	if failed := b.s.Wait(&later); err == nil {
		err = failed
	}
	b.s.ReleaseBroker()
	return err
}

// queue returns the delivery state of a queue. The caller holds the lock of
// the queue's partition, or the writer's, so that the queue is neither declared
// nor deleted meanwhile.
func (b *Broker) queue(t *store.Tx, name string) (*queue, error) {
	if q := b.loaded(name); q != nil {
		return q, nil
	}
	state, ok, err := t.Queue(name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNotFound
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() {
		return nil, ErrClosed
	}
	q := b.queues[name]
	if q == nil {
		q = newQueue(b, name, state)
		b.queues[name] = q
	}
	return q, nil
}

// loaded returns the delivery state of a queue, nil if nothing was published to
// it or delivered from it yet.
func (b *Broker) loaded(name string) *queue {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.queues[name]
}
