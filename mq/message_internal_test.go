package mq

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDecodeCorrupt(t *testing.T) {
	m := Message{Body: []byte("body"), ContentType: "text/plain", Priority: 1, Timestamp: time.Unix(5, 0), AppID: "app"}
	b, err := m.encode()
	require.NoError(t, err)
	for n := range len(b) - len(m.Body) {
		_, err := decodeMessage(b[:n])
		require.ErrorIs(t, err, ErrCorrupt, n)
	}
	for _, flag := range []byte{1, 2, 4} { // not AMQP's, or of no property here
		bad := bytes.Clone(b)
		bad[1] |= flag
		_, err := decodeMessage(bad)
		require.ErrorIs(t, err, ErrCorrupt)
	}
	bad := bytes.Clone(b)
	bad[0] |= flagHeaders >> 8
	_, err = decodeMessage(bad)
	require.ErrorIs(t, err, ErrCorrupt)
}

// FuzzDecodeMessage decodes any bytes without a panic, and what it accepts
// comes back from another round.
func FuzzDecodeMessage(f *testing.F) {
	for _, m := range []Message{
		{},
		{Body: []byte("body")},
		{ContentType: "text/plain", DeliveryMode: Persistent, Priority: 9, Timestamp: time.Unix(1, 0), UserID: "u"},
		{ContentEncoding: "gzip", CorrelationID: "c", ReplyTo: "r", Expiration: "1", MessageID: "m", Type: "t", AppID: "a", Body: []byte{0}},
	} {
		b, err := m.encode()
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMessage(b)
		if err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
			require.Equal(t, Message{}, m)
			return
		}
		again, err := m.encode()
		if err != nil {
			return // stored by something else: readable, but not to be published
		}
		require.LessOrEqual(t, len(again), m.size())
		back, err := decodeMessage(again)
		require.NoError(t, err)
		require.Equal(t, m, back)
	})
}
