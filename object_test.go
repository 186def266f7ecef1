package brock_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// TestObjectRefused has the texts of Redis.
func TestObjectRefused(t *testing.T) {
	db := openMemory(t)
	require.NoError(t, db.Set("k", []byte("9999")))
	_, err := db.ObjectFreq("k")
	redisText(t, err, brock.ErrNoLFU, "ERR An LFU maxmemory policy is not selected, access frequency not tracked. "+
		"Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.")
	refs, err := db.ObjectRefCount("k")
	require.NoError(t, err)
	require.Equal(t, 1<<31-1, refs)
	for _, value := range []string{"10000", "-1", "text"} {
		require.NoError(t, db.Set("k", []byte(value)))
		refs, err = db.ObjectRefCount("k")
		require.NoError(t, err)
		require.Equal(t, 1, refs)
	}
	_, err = db.Expire("k", -time.Second)
	require.NoError(t, err)
	for _, ask := range []func(string) error{
		func(key string) error { _, err := db.ObjectEncoding(key); return err },
		func(key string) error { _, err := db.ObjectFreq(key); return err },
		func(key string) error { _, err := db.ObjectIdleTime(key); return err },
		func(key string) error { _, err := db.ObjectRefCount(key); return err },
		func(key string) error { _, err := db.MemoryUsage(key); return err },
	} {
		require.Equal(t, brock.ErrNotFound, ask("k"))
	}
}

func ExampleDB_ObjectEncoding() {
	db, err := brock.OpenMemory(nil)
	if err != nil {
		panic(err)
	}
	defer db.Close()
	_, _ = db.SAdd("ids", "1", "2")
	fmt.Println(db.ObjectEncoding("ids"))
	_, _ = db.SAdd("ids", "none")
	_, _ = db.SRem("ids", "none")
	fmt.Println(db.ObjectEncoding("ids")) // for good
	_, err = db.ObjectEncoding("none")
	fmt.Println(err)
	// Output:
	// intset <nil>
	// hashtable <nil>
	// brock: not found
}
