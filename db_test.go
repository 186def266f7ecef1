package brock_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// sized returns a size, or a smaller one under -short: with the race detector
// every byte that a test moves costs ten times as much.
func sized(long, short int) int {
	if testing.Short() {
		return short
	}
	return long
}

func TestSetGet(t *testing.T) {
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	defer db.Close()
	n := sized(200_000, 15_000)
	for i := range n {
		require.NoError(t, db.Set(fmt.Sprintf("key:%d", i), fmt.Appendf(nil, "value %d", i)))
	}
	for i := range n {
		v, err := db.Get(fmt.Sprintf("key:%d", i))
		require.NoError(t, err, i)
		require.Equal(t, fmt.Sprintf("value %d", i), string(v))
	}
	_, err = db.Get("absent")
	require.ErrorIs(t, err, brock.ErrNotFound)
	for i := range 100 {
		v, err := db.Incr("counter")
		require.NoError(t, err)
		require.EqualValues(t, i+1, v)
	}
	require.NoError(t, db.Update(func(tx *brock.Tx) error {
		for i := range n {
			if err := tx.Set(fmt.Sprintf("tx:%d", i), make([]byte, i%300)); err != nil {
				return err
			}
		}
		return nil
	}))
	for i := range n {
		v, err := db.Get(fmt.Sprintf("tx:%d", i))
		require.NoError(t, err, i)
		require.Len(t, v, i%300)
	}
}

// TestPipeEnds uses handles of a pipeline that is over.
func TestPipeEnds(t *testing.T) {
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	defer db.Close()
	var handles []*brock.Pipe
	keep := func(p *brock.Pipe) {
		other := p.DB(1)
		require.NoError(t, other.Set("k", []byte("v")))
		handles = append(handles, p, other, other.DB(0))
	}
	require.NoError(t, db.Pipelined(func(p *brock.Pipe) error {
		keep(p)
		return nil
	}))
	require.PanicsWithValue(t, "mine", func() {
		_ = db.Pipelined(func(p *brock.Pipe) error {
			keep(p)
			panic("mine")
		})
	})
	for _, p := range handles {
		require.ErrorIs(t, p.Set("late", nil), brock.ErrTxDone)
		require.ErrorIs(t, p.DB(2).FlushAll(), brock.ErrTxDone)
		_, err := p.Get("k")
		require.ErrorIs(t, err, brock.ErrTxDone)
		_, _, err = p.Scan(0, nil)
		require.ErrorIs(t, err, brock.ErrTxDone)
		_, err = p.ZAdd("late")
		require.ErrorIs(t, err, brock.ErrTxDone)
		_, _, err = p.BLPop(t.Context(), "late")
		require.ErrorIs(t, err, brock.ErrTxDone)
	}
	n, err := db.DB(1).DBSize()
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}
