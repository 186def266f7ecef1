package mq

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/store"
)

// life opens store and broker on an engine.
func life(t *testing.T, eng engine.Engine) (*store.Store, *Broker) {
	t.Helper()
	s, err := store.Open(eng, store.Options{NoTimers: true})
	require.NoError(t, err)
	b, err := open(s)
	require.NoError(t, err)
	return s, b
}

// take delivers the next message and checks its body.
func take(t *testing.T, b *Broker, want int) *Delivery {
	t.Helper()
	d, err := b.Get("q")
	require.NoError(t, err)
	require.Equal(t, fmt.Sprint(want), string(d.Body))
	return d
}

// TestKill ends the life of a broker at once, and one cleanly: what was settled
// is gone, the rest is there in its order, and what was delivered is flagged.
func TestKill(t *testing.T) {
	for _, checkpoint := range []bool{false, true} {
		t.Run(fmt.Sprintf("checkpoint=%v", checkpoint), func(t *testing.T) { testKill(t, checkpoint) })
	}
}

func testKill(t *testing.T, checkpoint bool) {
	t.Helper()
	const n, delivered = 5_000, 1_500
	eng := engine.NewMemory()
	s, b := life(t, eng)
	_, err := b.DeclareQueue("q", nil)
	require.NoError(t, err)
	for i := range n {
		require.NoError(t, b.Publish("", "q", Message{Body: fmt.Append(nil, i)}))
	}
	unsettled := make([]int, 0, n)
	for i := range n {
		if i == delivered/2 && checkpoint {
			require.NoError(t, s.Checkpoint())
		}
		if i < delivered {
			d := take(t, b, i)
			require.False(t, d.Redelivered)
			switch i % 3 {
			case 0:
				require.NoError(t, d.Ack())
				continue
			case 1:
				require.NoError(t, s.Update(func(t *store.Tx) error { return d.settle(t, false) }))
				continue
			}
		}
		unsettled = append(unsettled, i)
	}

	eng = eng.Crash(engine.Crash{})
	s2, b2 := life(t, eng)
	require.NoError(t, s.Close())
	require.NoError(t, b2.Publish("", "q", Message{Body: fmt.Append(nil, n)}))
	unsettled = append(unsettled, n)
	var last *Delivery
	for _, i := range unsettled {
		last = take(t, b2, i)
		switch {
		case i < delivered:
			require.True(t, last.Redelivered, i)
		case i > delivered+ahead:
			require.False(t, last.Redelivered, i)
		}
	}
	_, err = b2.Get("q")
	require.ErrorIs(t, err, ErrEmpty)
	require.NoError(t, last.Nack(true))

	require.NoError(t, b2.Publish("", "q", Message{Body: fmt.Append(nil, n+1)}))
	require.NoError(t, b2.Close())
	require.NoError(t, s2.Close())
	s3, b3 := life(t, eng.Reopen())
	for _, i := range unsettled {
		require.True(t, take(t, b3, i).Redelivered, i)
	}
	require.False(t, take(t, b3, n+1).Redelivered, "after a clean end the flag is exact")
	require.NoError(t, b3.Close())
	require.NoError(t, s3.Close())
}

// TestFlagAfterKill publishes after an unclean end, into the window of
// deliveries that were announced and did not happen.
func TestFlagAfterKill(t *testing.T) {
	eng := engine.NewMemory()
	s, b := life(t, eng)
	_, err := b.DeclareQueue("q", nil)
	require.NoError(t, err)
	require.NoError(t, b.Publish("", "q", Message{Body: []byte("0")}))
	take(t, b, 0)
	s2, b2 := life(t, eng.Crash(engine.Crash{}))
	require.NoError(t, s.Close())
	require.NoError(t, b2.Publish("", "q", Message{Body: []byte("1")}))
	require.True(t, take(t, b2, 0).Redelivered)
	require.False(t, take(t, b2, 1).Redelivered)
	require.NoError(t, s2.Close())
}

// TestSequenceAfterDrain reopens a queue that was emptied: its numbers go on.
func TestSequenceAfterDrain(t *testing.T) {
	eng := engine.NewMemory()
	s, b := life(t, eng)
	_, err := b.DeclareQueue("q", nil)
	require.NoError(t, err)
	for i := range 10 {
		require.NoError(t, b.Publish("", "q", Message{Body: fmt.Append(nil, i)}))
		require.NoError(t, take(t, b, i).Ack())
	}
	s2, b2 := life(t, eng.Crash(engine.Crash{}))
	require.NoError(t, s.Close())
	require.NoError(t, b2.Publish("", "q", Message{Body: []byte("10")}))
	d := take(t, b2, 10)
	require.EqualValues(t, 11, d.seq)
	require.False(t, d.Redelivered)
	require.NoError(t, s2.Close())
}
