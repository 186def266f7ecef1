package mq

import (
	"fmt"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/store"
)

// Delivery is a message that [Broker.Get] has delivered. Settle it once: by
// Ack when its work is done, by Nack when it is not. Its methods are safe for
// concurrent use.
type Delivery struct {
	Message

	// Exchange is where the message was published to, RoutingKey its key.
	Exchange   string
	RoutingKey string
	// Redelivered tells that the message was delivered before and not
	// acknowledged; after an unclean end see [Broker.Close].
	Redelivered bool

	q       *queue
	seq     uint64
	settled bool  // guarded by q.mu
	step    stage // guarded by the store's writer lock
}

// stage is a transaction that is to settle a delivery. If another transaction
// finds it, the first one was rolled back.
type stage struct {
	tx   *store.Tx
	life uint64
}

// Ack settles the delivery: its message is done, and gone from the queue.
//
// Errors: [ErrSettled]; [ErrNotFound] if the queue was deleted; [ErrClosed] if
// the broker was closed, and the message is back in its queue.
//
// Cost: O(log n); one change record.
//
// AMQP: basic.ack, not multiple.
func (d *Delivery) Ack() error { return d.alone("ack", false) }

// AckTx is [Delivery.Ack] as a step of a transaction. The delivery is settled
// when the transaction commits; if it does not, the delivery is what it was,
// and can be settled later.
//
// Errors: as Ack; [brock.ErrTxDone]; [brock.ErrReadOnly]; [ErrForeignTx].
//
// Cost: as Ack.
//
// AMQP: basic.ack between tx.select and tx.commit.
func (d *Delivery) AckTx(tx *brock.Tx) error { return d.within(tx, "ack", false) }

// Nack settles the delivery of a message that was not dealt with. With requeue
// the message goes back to the place in its queue that it had, and is delivered
// again, flagged as redelivered; without, it is dropped.
//
// Errors: as [Delivery.Ack].
//
// Cost: O(log n); no change record with requeue.
//
// AMQP: basic.nack, not multiple, and basic.reject.
func (d *Delivery) Nack(requeue bool) error { return d.alone("nack", requeue) }

// NackTx is [Delivery.Nack] as a step of a transaction, see [Delivery.AckTx].
//
// Errors: as [Delivery.AckTx].
//
// Cost: as [Delivery.Nack].
//
// AMQP: basic.nack between tx.select and tx.commit.
func (d *Delivery) NackTx(tx *brock.Tx, requeue bool) error { return d.within(tx, "nack", requeue) }

// alone settles the delivery in a transaction of its own.
func (d *Delivery) alone(verb string, requeue bool) error {
	if d.q == nil {
		return ErrSettled
	}
	s := d.q.b.s
	err := s.WriteKey(d.q.name, nil, func(t *store.Tx) error {
		if !requeue {
			return d.settle(t, false)
		}
		if err := d.open(t); err != nil { // no page changes, and nothing is logged
			return err
		}
		d.done(true)
		return nil
	})
	return d.failed(verb, err)
}

// within settles the delivery as a step of a transaction.
func (d *Delivery) within(tx *brock.Tx, verb string, requeue bool) error {
	if d.q == nil {
		return ErrSettled
	}
	return d.failed(verb, d.q.b.step(tx, func(t *store.Tx) error { return d.settle(t, requeue) }))
}

// failed tells what could not be done.
func (d *Delivery) failed(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s of a message of %q: %w", verb, d.q.name, err)
}

// settle settles the delivery when t commits.
func (d *Delivery) settle(t *store.Tx, requeue bool) error {
	if err := d.open(t); err != nil {
		return err
	}
	if requeue {
		t.Touch()
	} else if ok, err := t.QueueSettle(d.q.name, d.seq); err != nil {
		return err
	} else if !ok {
		return fmt.Errorf("message %d is not in its queue: %w", d.seq, brock.ErrCorrupt)
	}
	d.step = stage{t, t.Life()}
	t.OnCommit(func() { d.done(requeue) })
	return nil
}

// open returns why the delivery cannot be settled by t, or nil. The caller
// holds the writer lock.
func (d *Delivery) open(t *store.Tx) error {
	if d.step == (stage{t, t.Life()}) {
		return ErrSettled // by an earlier step of the same transaction
	}
	q := d.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if d.settled {
		return ErrSettled
	}
	return q.gone
}

// done notes that the delivery is settled.
func (d *Delivery) done(requeue bool) {
	d.step = stage{}
	q := d.q
	q.mu.Lock()
	defer q.mu.Unlock()
	d.settled = true
	if q.gone != nil {
		return
	}
	delete(q.unsettled, d.seq)
	if requeue {
		q.returned.ReplaceOrInsert(d.seq)
	}
}
