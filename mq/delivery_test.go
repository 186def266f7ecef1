package mq_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/mq"
)

func TestNack(t *testing.T) {
	_, broker := openBroker(t, "q")
	publish(t, broker, "q", "a", "b", "c", "d", "e")
	a := get(t, broker, "q", "a", false)
	b := get(t, broker, "q", "b", false)
	c := get(t, broker, "q", "c", false)
	require.NoError(t, c.Nack(true))
	require.NoError(t, a.Nack(true))
	require.Equal(t, 4, messages(t, broker, "q"))
	a = get(t, broker, "q", "a", true) // in the order of publication, not of return
	c = get(t, broker, "q", "c", true)
	get(t, broker, "q", "d", false)
	require.NoError(t, b.Nack(true))
	b = get(t, broker, "q", "b", true)
	require.NoError(t, b.Nack(false)) // dropped
	require.NoError(t, a.Ack())
	require.NoError(t, c.Nack(true))
	get(t, broker, "q", "c", true)
	get(t, broker, "q", "e", false)
	_, err := broker.Get("q")
	require.ErrorIs(t, err, mq.ErrEmpty)
}

func TestSettledTwice(t *testing.T) {
	db, broker := openBroker(t, "q")
	settle := map[string]func(d *mq.Delivery) error{
		"ack":     (*mq.Delivery).Ack,
		"drop":    func(d *mq.Delivery) error { return d.Nack(false) },
		"requeue": func(d *mq.Delivery) error { return d.Nack(true) },
		"ackTx":   func(d *mq.Delivery) error { return db.Update(d.AckTx) },
		"requeueTx": func(d *mq.Delivery) error {
			return db.Update(func(tx *brock.Tx) error { return d.NackTx(tx, true) })
		},
	}
	for first := range settle {
		for then := range settle {
			t.Run(first+" then "+then, func(t *testing.T) {
				publish(t, broker, "q", "m")
				d := get(t, broker, "q", "m", false)
				require.NoError(t, settle[first](d))
				require.ErrorIs(t, settle[then](d), mq.ErrSettled)
				if first == "requeue" || first == "requeueTx" {
					again := get(t, broker, "q", "m", true)
					require.ErrorIs(t, settle[then](d), mq.ErrSettled, "it is somebody else's now")
					require.NoError(t, again.Ack())
				}
				require.Zero(t, messages(t, broker, "q"))
			})
		}
	}
	require.ErrorIs(t, new(mq.Delivery).Ack(), mq.ErrSettled)
}

func TestSettledTwiceInOneTransaction(t *testing.T) {
	db, broker := openBroker(t, "q")
	publish(t, broker, "q", "m")
	d := get(t, broker, "q", "m", false)
	for _, requeue := range []bool{false, true} {
		err := db.Update(func(tx *brock.Tx) error {
			require.NoError(t, d.NackTx(tx, requeue))
			require.ErrorIs(t, d.AckTx(tx), mq.ErrSettled)
			require.ErrorIs(t, d.NackTx(tx, true), mq.ErrSettled)
			return errors.ErrUnsupported
		})
		require.ErrorIs(t, err, errors.ErrUnsupported)
	}
	require.NoError(t, db.Update(func(tx *brock.Tx) error {
		require.NoError(t, d.AckTx(tx))
		require.ErrorIs(t, d.AckTx(tx), mq.ErrSettled)
		return nil
	}))
	require.ErrorIs(t, d.Ack(), mq.ErrSettled)
}

// order handles a delivery as design.md's headline has it: a message that was
// seen before is only acknowledged; else data, an event and the acknowledgement
// change together.
func order(tx *brock.Tx, broker *mq.Broker, d *mq.Delivery) error {
	if fresh, err := tx.SAdd("seen", d.MessageID); err != nil {
		return err
	} else if fresh == 0 {
		return d.AckTx(tx)
	}
	if _, err := tx.HSet("order:7", brock.F("state", "paid")); err != nil {
		return err
	}
	if err := broker.PublishTx(tx, "", "events", mq.Message{Body: []byte("order.paid")}, mq.Mandatory); err != nil {
		return err
	}
	return d.AckTx(tx)
}

func TestTransaction(t *testing.T) {
	db, broker := openBroker(t, "orders", "events")
	require.NoError(t, broker.Publish("", "orders", mq.Message{Body: []byte("7"), MessageID: "m7"}))
	d := get(t, broker, "orders", "7", false)

	nothing := func() {
		t.Helper()
		_, err := db.HGet("order:7", "state")
		require.ErrorIs(t, err, brock.ErrNotFound)
		seen, err := db.SIsMember("seen", "m7")
		require.NoError(t, err)
		require.False(t, seen)
		_, err = broker.Get("events")
		require.ErrorIs(t, err, mq.ErrEmpty)
	}
	failed := errors.New("failed")
	require.ErrorIs(t, db.Update(func(tx *brock.Tx) error {
		require.NoError(t, order(tx, broker, d))
		nothing() // nobody sees it before it commits
		return failed
	}), failed)
	nothing()
	require.PanicsWithValue(t, "panic", func() {
		_ = db.Update(func(tx *brock.Tx) error {
			require.NoError(t, order(tx, broker, d))
			panic("panic")
		})
	})
	nothing()

	require.NoError(t, d.Nack(true), "it is unsettled")
	d = get(t, broker, "orders", "7", true)
	require.NoError(t, db.Update(func(tx *brock.Tx) error { return order(tx, broker, d) }))
	require.ErrorIs(t, d.Ack(), mq.ErrSettled)
	state, err := db.HGet("order:7", "state")
	require.NoError(t, err)
	require.Equal(t, "paid", string(state))
	get(t, broker, "events", "order.paid", false)
	_, err = broker.Get("orders")
	require.ErrorIs(t, err, mq.ErrEmpty)

	// The same message once more has no effect but to be settled.
	require.NoError(t, broker.Publish("", "orders", mq.Message{Body: []byte("7"), MessageID: "m7"}))
	d = get(t, broker, "orders", "7", false)
	require.NoError(t, db.Update(func(tx *brock.Tx) error { return order(tx, broker, d) }))
	_, err = broker.Get("events")
	require.ErrorIs(t, err, mq.ErrEmpty)
}

func TestNackInTransaction(t *testing.T) {
	db, broker := openBroker(t, "q")
	publish(t, broker, "q", "a", "b")
	a := get(t, broker, "q", "a", false)
	require.NoError(t, db.Update(func(tx *brock.Tx) error {
		require.NoError(t, a.NackTx(tx, true))
		get(t, broker, "q", "b", false) // a is not back yet
		return nil
	}))
	a = get(t, broker, "q", "a", true)
	require.NoError(t, db.Update(func(tx *brock.Tx) error { return a.NackTx(tx, false) }))
	_, err := broker.Get("q")
	require.ErrorIs(t, err, mq.ErrEmpty)
}

func TestTransactionMisused(t *testing.T) {
	db, broker := openBroker(t, "q")
	_, other := openBroker(t, "q")
	publish(t, broker, "q", "a")
	d := get(t, broker, "q", "a", false)
	var kept *brock.Tx
	require.NoError(t, db.Update(func(tx *brock.Tx) error {
		kept = tx
		require.ErrorIs(t, other.PublishTx(tx, "", "q", mq.Message{}), mq.ErrForeignTx)
		require.ErrorIs(t, broker.PublishTx(tx.DB(-1), "", "q", mq.Message{}), brock.ErrDatabase)
		require.ErrorIs(t, broker.PublishTx(tx, "", "absent", mq.Message{}, mq.Mandatory), mq.ErrNoRoute)
		require.NoError(t, broker.PublishTx(tx, "", "absent", mq.Message{}))
		require.NoError(t, broker.PublishTx(tx.DB(5), "", "q", mq.Message{Body: []byte("b")}))
		return nil
	}))
	require.ErrorIs(t, d.AckTx(kept), brock.ErrTxDone)
	require.ErrorIs(t, broker.PublishTx(kept, "", "q", mq.Message{}), brock.ErrTxDone)
	require.NoError(t, db.View(func(tx *brock.Tx) error {
		require.ErrorIs(t, d.AckTx(tx), brock.ErrReadOnly)
		require.ErrorIs(t, d.NackTx(tx, true), brock.ErrReadOnly)
		require.ErrorIs(t, broker.PublishTx(tx, "", "q", mq.Message{}), brock.ErrReadOnly)
		return nil
	}))
	require.ErrorIs(t, db.Update(func(*brock.Tx) error { return d.Ack() }), brock.ErrNested)
	require.NoError(t, d.Ack())
	get(t, broker, "q", "b", false)
}

// TestTransfer moves messages between two queues by concurrent transactions
// half of which fail: none is lost, none is there twice.
func TestTransfer(t *testing.T) {
	const n, workers = 2_000, 4
	db, broker := openBroker(t, "from", "to")
	for i := range n {
		publish(t, broker, "from", fmt.Sprint(i))
	}
	var group sync.WaitGroup
	errs := make(chan error, workers)
	for range workers {
		group.Go(func() {
			for i := 0; ; i++ {
				d, err := broker.Get("from")
				if errors.Is(err, mq.ErrEmpty) {
					return
				}
				if err == nil {
					err = transfer(db, broker, d, i%2 == 0)
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	group.Wait()
	require.Empty(t, errs)
	seen := make(map[string]bool)
	for range n {
		d, err := broker.Get("to")
		require.NoError(t, err)
		require.False(t, seen[string(d.Body)])
		seen[string(d.Body)] = true
	}
	_, err := broker.Get("to")
	require.ErrorIs(t, err, mq.ErrEmpty)
	count, err := db.IncrBy("moved", 0)
	require.NoError(t, err)
	require.EqualValues(t, n, count)
}

// transfer moves one message, at the second attempt if the first is to fail.
func transfer(db *brock.DB, broker *mq.Broker, d *mq.Delivery, fail bool) error {
	err := db.Update(func(tx *brock.Tx) error {
		if err := broker.PublishTx(tx, "", "to", d.Message); err != nil {
			return err
		}
		if _, err := tx.Incr("moved"); err != nil {
			return err
		}
		if err := d.AckTx(tx); err != nil || !fail {
			return err
		}
		return errors.ErrUnsupported
	})
	if fail && errors.Is(err, errors.ErrUnsupported) {
		return transfer(db, broker, d, false)
	}
	return err
}
