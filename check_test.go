package brock_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/mq"
)

// TestCheckQueues checks a directory with queues, of small and large messages.
func TestCheckQueues(t *testing.T) {
	dir := t.TempDir()
	db, err := brock.Open(dir, nil)
	require.NoError(t, err)
	broker, err := mq.Open(db, nil)
	require.NoError(t, err)
	for _, name := range []string{"empty", "jobs"} {
		_, err = broker.DeclareQueue(name, nil)
		require.NoError(t, err)
	}
	for i := range 200 {
		require.NoError(t, broker.Publish("", "jobs", mq.Message{Body: make([]byte, i*50)}))
	}
	require.NoError(t, broker.Close())
	require.NoError(t, db.Close())
	r, err := brock.Check(dir)
	require.NoError(t, err)
	require.EqualValues(t, 2, r.Queues)
}

func ExampleCheck() {
	dir, err := os.MkdirTemp("", "brock")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	db, err := brock.Open(dir, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(db.Set("greeting", []byte("hello")), db.Close())

	report, err := brock.Check(dir)
	fmt.Println(report.Keys[0], "key,", len(report.Faults), "faults,", err)
	// Output:
	// <nil> <nil>
	// 1 key, 0 faults, <nil>
}
