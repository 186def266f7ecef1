package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// heldLog is a log whose syncs wait.
type heldLog struct {
	engine.Log
	begun, hold chan struct{}
}

func (l heldLog) Sync() error {
	select {
	case l.begun <- struct{}{}:
	default: // not the first
	}
	<-l.hold
	return l.Log.Sync()
}

// heldEngine is an engine with such a log.
type heldEngine struct {
	engine.Engine
	log heldLog
}

func (e heldEngine) Log() engine.Log { return e.log }

// TestStatsBesideStep asks for figures while a step waits for the disk.
func TestStatsBesideStep(t *testing.T) {
	eng := engine.NewMemory()
	held := heldLog{eng.Log(), make(chan struct{}, 1), make(chan struct{})}
	s, err := Open(heldEngine{eng, held}, Options{NoTimers: true})
	require.NoError(t, err)
	set(t, s, "key", "value")
	done := make(chan error)
	go func() { done <- s.Checkpoint() }()
	<-held.begun
	require.Zero(t, s.Stats().CheckpointAt)
	close(held.hold)
	require.NoError(t, <-done)
	require.NotZero(t, s.Stats().CheckpointAt)
	require.NoError(t, s.Close())
}
