package store

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// queueStore returns a store in memory with a queue of three messages, one of
// which has pages of its own.
func queueStore(t *testing.T) *Store {
	t.Helper()
	s, err := OpenMemory(1, Options{NoTimers: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.WriteKey("q", nil, func(t *Tx) error { return t.QueueCreate("q", 5) }))
	for _, m := range queueMessages() {
		require.NoError(t, s.WriteKey("q", nil, func(tx *Tx) error {
			ok, err := tx.QueuePut("q", m)
			require.True(t, ok)
			return err
		}))
	}
	return s
}

// queueMessages are the messages of queueStore, from number 1 on.
func queueMessages() [][]byte {
	return [][]byte{[]byte("one"), bytes.Repeat([]byte("two"), 5_000), {}}
}

// queueNext checks which message follows from a number on, 0 for none.
func queueNext(t *testing.T, s *Store, from, want uint64) {
	t.Helper()
	require.NoError(t, s.ReadKey("q", nil, func(tx *Tx) error {
		seq, m, ok, err := tx.QueueNext("q", from)
		require.NoError(t, err)
		require.Equal(t, want, seq)
		require.Equal(t, want != 0, ok)
		if ok {
			require.True(t, bytes.Equal(queueMessages()[seq-1], m))
		}
		return nil
	}))
}

func TestQueueNext(t *testing.T) {
	s := queueStore(t)
	for from, want := range []uint64{1, 1, 2, 3, 0, 0} {
		queueNext(t, s, uint64(from), want)
	}
	settle := func(seq uint64, want bool) {
		require.NoError(t, s.WriteKey("q", nil, func(tx *Tx) error {
			ok, err := tx.QueueSettle("q", seq)
			require.Equal(t, want, ok)
			return err
		}))
	}
	settle(2, true)
	settle(2, false)
	settle(9, false)
	for from, want := range []uint64{1, 1, 3, 3, 0} {
		queueNext(t, s, uint64(from), want)
	}
	require.NoError(t, s.ReadKey("q", nil, func(tx *Tx) error {
		q, ok, err := tx.Queue("q")
		require.True(t, ok)
		require.Equal(t, QueueState{Next: 4, Options: 5, Messages: 2}, q)
		return err
	}))
}

func TestQueuePurge(t *testing.T) {
	s := queueStore(t)
	purge := func(keep ...uint64) error {
		return s.Exec(nil, func(tx *Tx) error { return tx.QueuePurge("q", keep) })
	}
	require.ErrorIs(t, purge(2, 7), engine.ErrCorrupt)
	require.NoError(t, purge(3, 1, 2)) // nothing to do
	require.NoError(t, s.WriteKey("q", nil, func(tx *Tx) error { return tx.QueueDelivered("q", 4) }))
	require.NoError(t, purge(3, 2))
	for from, want := range []uint64{2, 2, 2, 3, 0} {
		queueNext(t, s, uint64(from), want)
	}
	require.NoError(t, purge())
	queueNext(t, s, 0, 0)
	require.NoError(t, s.ReadKey("q", nil, func(tx *Tx) error {
		q, _, err := tx.Queue("q")
		require.Equal(t, QueueState{Next: 4, Delivered: 4, Options: 5}, q)
		return err
	}))
}

func TestQueueReadOnly(t *testing.T) {
	s := queueStore(t)
	require.NoError(t, s.View(func(tx *Tx) error {
		for _, err := range []error{
			tx.QueueCreate("r", 0), tx.QueueDelivered("q", 9), tx.QueuePurge("q", nil),
			queueErr(tx.QueuePut("q", nil)), queueErr(tx.QueueSettle("q", 1)), queueErr(tx.QueueDelete("q")),
		} {
			require.ErrorIs(t, err, ErrReadOnly)
		}
		seq, _, ok, err := tx.QueueNext("q", 2)
		require.True(t, ok)
		require.EqualValues(t, 2, seq)
		return err
	}))
}

// queueErr returns the error of a call.
func queueErr[T any](_ T, err error) error { return err }

func TestQueueAbsent(t *testing.T) {
	s := queueStore(t)
	require.NoError(t, s.Exec(nil, func(tx *Tx) error {
		for _, ok := range []bool{
			queueOK(tx.QueuePut("absent", nil)), queueOK(tx.QueueSettle("absent", 1)), queueOK(tx.QueueDelete("absent")),
		} {
			require.False(t, ok)
		}
		require.NoError(t, tx.QueuePurge("absent", nil))
		require.NoError(t, tx.QueueDelivered("absent", 1))
		require.NoError(t, tx.QueueCreate("q", 9)) // exists: nothing happens
		require.False(t, tx.changed)
		return nil
	}))
}

// queueOK returns the result of a call that is to have no error.
func queueOK(ok bool, err error) bool { return ok || err != nil }

// TestOnCommitWithoutChange has what was never committed not run later: the
// next user of the Tx must not find it.
func TestOnCommitWithoutChange(t *testing.T) {
	s := queueStore(t)
	for range 10 {
		require.NoError(t, s.WriteKey("q", nil, func(tx *Tx) error {
			tx.OnCommit(func() { t.Error("run without a change") })
			tx.After(func() { t.Error("run without a change") })
			return nil
		}))
		require.NoError(t, s.WriteKey("q", nil, func(tx *Tx) error {
			_, err := tx.QueuePut("q", nil)
			return err
		}))
	}
}
