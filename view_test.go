package brock_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// TestLongReadBesideWriter reads all of a hash while a writer changes it and
// few old versions are kept: MaxViewBytes is for Views and backups.
func TestLongReadBesideWriter(t *testing.T) {
	db, err := brock.OpenMemory(&brock.Options{MaxViewBytes: 64 << 10})
	require.NoError(t, err)
	n := sized(300_000, 60_000)
	fields := make([]brock.FieldValue, n)
	for i := range fields {
		fields[i] = brock.F(fmt.Sprintf("field:%d", i), fmt.Sprintf("value:%d", i))
	}
	_, err = db.HSet("hash", fields...)
	require.NoError(t, err)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := db.HSet("hash", fields[i*7919%n]); err != nil {
				panic(err)
			}
		}
	})
	for range sized(20, 6) {
		got, err := db.HGetAll("hash")
		require.NoError(t, err)
		require.Len(t, got, n)
		require.Equal(t, "value:7", string(got["field:7"]))
	}
	close(stop)
	writer.Wait()
	require.NoError(t, db.Close())
}
