package store

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// Queues. A queue's name is its key in the broker's database, where no command
// of a logical database comes. The entry names an object of type Queue, in the
// partition of the name: a tree of messages, keyed by their sequence numbers as
// 8 bytes, most significant first. A message that is settled is gone from it.
// What is delivered and not yet settled is the broker's to know: it stands in
// memory alone.
//
// The header's Aux:
//
//	0..8   the sequence number of the next message; the first one is 1
//	8..16  delivered up to: all numbers from here on were never delivered
//	16     the options that the queue was declared with, opaque here
const queueAux = 17

// QueueState is what a queue's header tells.
type QueueState struct {
	Next      uint64 // the sequence number that the next message gets
	Delivered uint64 // no message from this number on was ever delivered
	Options   byte   // as given to QueueCreate
	Messages  uint64 // that are not settled
}

// aux encodes s as Aux.
func (s QueueState) aux() []byte {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, queueAux), s.Next)
	b = binary.LittleEndian.AppendUint64(b, s.Delivered)
	return append(b, s.Options)
}

// ClaimBroker makes the caller the store's broker, unless there is one: what is
// delivered from the queues is known to it alone.
func (s *Store) ClaimBroker() bool { return s.broker.CompareAndSwap(false, true) }

// ReleaseBroker ends what ClaimBroker has begun.
func (s *Store) ReleaseBroker() { s.broker.Store(false) }

// Store returns the store that the transaction is on.
func (t *Tx) Store() *Store { return t.s }

// Touch has the transaction commit even if it makes no record: what OnCommit
// was given is its change.
func (t *Tx) Touch() { t.changed = true }

// Queue returns a queue's state; ok is false if there is no queue of the name.
func (t *Tx) Queue(name string) (q QueueState, ok bool, err error) {
	_, q, ok, err = t.queue(name)
	return q, ok, err
}

// queue finds a queue's object.
func (t *Tx) queue(name string) (obj uint64, q QueueState, ok bool, err error) {
	e, ok, err := t.Lookup(t.BrokerDB(), name)
	if err != nil || !ok {
		return 0, q, false, err
	}
	h, err := t.acc.Header(e.Object)
	if err != nil {
		return 0, q, false, err
	}
	if e.Type != Queue || h == nil {
		return 0, q, false, fmt.Errorf("store: queue %q is none: %w", name, engine.ErrCorrupt)
	}
	aux := h.Aux()
	return e.Object, QueueState{
		Next:      binary.LittleEndian.Uint64(aux),
		Delivered: binary.LittleEndian.Uint64(aux[8:]),
		Options:   aux[16],
		Messages:  h.Count(),
	}, true, nil
}

// QueueCreate makes an empty queue of a name that no queue has.
func (t *Tx) QueueCreate(name string, options byte) error {
	if t.ReadOnly() {
		return ErrReadOnly
	}
	if _, ok, err := t.LookupForWrite(t.BrokerDB(), name); err != nil || ok {
		return err
	}
	_, err := t.newQueue(name, QueueState{Next: 1, Options: options})
	return err
}

// newQueue makes an empty object the queue of a name, whatever it was before.
func (t *Tx) newQueue(name string, q QueueState) (obj uint64, err error) {
	obj = t.newObject(page.PartitionOf(t.keyHash(name)))
	if err := t.create(obj, Queue); err != nil {
		return 0, err
	}
	if err := t.aux(obj, q.aux()); err != nil {
		return 0, err
	}
	return obj, t.Put(t.BrokerDB(), name, Entry{Type: Queue, Object: obj})
}

// QueueDelete removes a queue with its messages, in O(1), and tells whether it
// was there.
func (t *Tx) QueueDelete(name string) (bool, error) { return t.Delete(t.BrokerDB(), name) }

// QueuePut puts a message behind the last one of a queue; ok is false if there
// is no queue of the name. Cost: O(log n), and that for messages in order is
// next to nothing.
func (t *Tx) QueuePut(name string, message []byte) (ok bool, err error) {
	if t.ReadOnly() {
		return false, ErrReadOnly
	}
	obj, q, ok, err := t.queue(name)
	if err != nil || !ok {
		return false, err
	}
	if err := t.Reserve(len(message)); err != nil {
		return false, err
	}
	if err := t.itemPut(Queue, obj, queueKey(q.Next), message); err != nil {
		return false, err
	}
	q.Next++
	if err := t.aux(obj, q.aux()[:8]); err != nil {
		return false, err
	}
	t.Emit(t.BrokerDB(), EventPublish, name)
	return true, nil
}

// QueueNext returns the first message from a sequence number on, as a copy; ok
// is false if there is none. Cost: O(log n).
func (t *Tx) QueueNext(name string, from uint64) (seq uint64, message []byte, ok bool, err error) {
	obj, q, ok, err := t.queue(name)
	if err != nil || !ok {
		return 0, nil, false, err
	}
	tr := tree(Queue, obj)
	rank, item, err := t.acc.TreeFind(tr, queueKey(from))
	if err != nil || item == nil && rank >= q.Messages {
		return 0, nil, false, err
	}
	if item == nil {
		r, err := t.acc.TreeRun(tr, rank)
		if err != nil {
			return 0, nil, false, err
		}
		item = r.Item(rank)
	}
	if len(item) < tr.Key {
		return 0, nil, false, fmt.Errorf("store: queue %q: message %d: %w", name, rank, engine.ErrCorrupt)
	}
	seq = binary.BigEndian.Uint64(item)
	message, err = t.value(obj, item[tr.Key:], true)
	return seq, message, err == nil, err
}

// QueueSettle removes a message and tells whether it was there.
func (t *Tx) QueueSettle(name string, seq uint64) (ok bool, err error) {
	if t.ReadOnly() {
		return false, ErrReadOnly
	}
	obj, _, ok, err := t.queue(name)
	if err != nil || !ok {
		return false, err
	}
	return t.itemDelete(Queue, obj, queueKey(seq))
}

// QueueDelivered notes up to which sequence number messages may have been
// delivered.
func (t *Tx) QueueDelivered(name string, upTo uint64) error {
	if t.ReadOnly() {
		return ErrReadOnly
	}
	obj, q, ok, err := t.queue(name)
	if err != nil || !ok || q.Delivered == upTo {
		return err
	}
	q.Delivered = upTo
	return t.aux(obj, q.aux()[:16])
}

// QueuePurge removes all messages but those that keep numbers; it sorts keep.
// Cost: O(len(keep)): the queue gets a new object, and the old one is
// dropped.
func (t *Tx) QueuePurge(name string, keep []uint64) error {
	if t.ReadOnly() {
		return ErrReadOnly
	}
	old, q, ok, err := t.queue(name)
	if err != nil || !ok || q.Messages == uint64(len(keep)) {
		return err
	}
	slices.Sort(keep)
	kept := make([][]byte, len(keep)) // all is read before the first change
	for i, seq := range keep {
		_, item, err := t.acc.TreeFind(tree(Queue, old), queueKey(seq))
		if err != nil {
			return err
		}
		if item == nil {
			return fmt.Errorf("store: queue %q: no message %d: %w", name, seq, engine.ErrCorrupt)
		}
		if kept[i], err = t.value(old, item[8:], true); err != nil {
			return err
		}
	}
	obj, err := t.newQueue(name, q)
	if err != nil {
		return err
	}
	for i, seq := range keep {
		if err := t.itemPut(Queue, obj, queueKey(seq), kept[i]); err != nil {
			return err
		}
	}
	return t.drop(old)
}

// queueKey returns the key of a message.
func queueKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }
