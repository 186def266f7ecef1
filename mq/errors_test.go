package mq_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/mq"
)

// TestKinds has errors be those of package brock of the same name, too.
func TestKinds(t *testing.T) {
	for err, kind := range map[error]error{
		mq.ErrNotFound: brock.ErrNotFound,
		mq.ErrClosed:   brock.ErrClosed,
		mq.ErrTooLong:  brock.ErrTooLong,
		mq.ErrCorrupt:  brock.ErrCorrupt,
	} {
		require.ErrorIs(t, err, kind)
		require.NotErrorIs(t, kind, err)
	}
	_, broker := openBroker(t)
	_, err := broker.Get("absent")
	require.ErrorIs(t, err, mq.ErrNotFound)
	require.ErrorIs(t, err, brock.ErrNotFound)
	require.EqualError(t, err, `get from "absent": mq: not found`)
}
