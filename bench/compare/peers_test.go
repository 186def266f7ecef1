package compare_test

import (
	"context"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/dgraph-io/badger/v4"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/bench/internal/measure"
)

// peer is a database to set and get keys in.
type peer struct {
	impl, mode string // mode says how durable it is
	remote     bool   // it works in another process: this one's CPU time is not all
	open       func(b *testing.B, mode string, n int) access
}

// access is an open peer.
type access struct {
	set func(key string, value []byte) error
	get func(key string) ([]byte, error)
}

// name returns what the benchmark of a peer is called.
func (p peer) name() string { return "impl=" + p.impl + "/mode=" + p.mode }

// openBrock opens Brock with n keys.
func openBrock(b *testing.B, mode string, n int) access {
	b.Helper()
	durability := map[string]brock.Durability{
		"everysecond": brock.EverySecond, "always": brock.Always, "relaxed": brock.Relaxed,
	}
	db, err := brock.Open(b.TempDir(), &brock.Options{Durability: durability[mode]})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	require.NoError(b, setBrock(db, 0, n, inOrder))
	return access{
		set: func(key string, value []byte) error { return db.Set(key, value) },
		get: db.Get,
	}
}

// setBrock makes the Sets from..to-1, a group in each pipeline. The key of Set i
// is the one of the number that order returns for it.
func setBrock(db *brock.DB, from, to int, order func(i int) int) error {
	value := measure.Value(measure.ValueSize)
	for at := from; at < to; at += group {
		err := db.Pipelined(func(p *brock.Pipe) error {
			for i := at; i < min(at+group, to); i++ {
				if err := p.Set(measure.Key(order(i)), value); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// inOrder is the order of loading.
func inOrder(i int) int { return i }

// scattered returns an order that visits n keys at random.
func scattered(n int) func(int) int {
	random := measure.Rand(2)
	return func(int) int { return random.IntN(n) }
}

// openBadger opens Badger as it comes, with n keys. Each access is a
// transaction of its own; in mode "syncwrites" it is synced.
func openBadger(b *testing.B, mode string, n int) access {
	b.Helper()
	db, err := badger.Open(badger.DefaultOptions(b.TempDir()).WithLogger(nil).WithSyncWrites(mode == "syncwrites"))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	all := db.NewWriteBatch()
	defer all.Cancel()
	for i := range n {
		require.NoError(b, all.Set([]byte(measure.Key(i)), measure.Value(measure.ValueSize)))
	}
	require.NoError(b, all.Flush())
	return access{
		set: func(key string, value []byte) error {
			return db.Update(func(tx *badger.Txn) error { return tx.Set([]byte(key), value) })
		},
		get: func(key string) (value []byte, err error) {
			err = db.View(func(tx *badger.Txn) error {
				item, err := tx.Get([]byte(key))
				if err == nil {
					value, err = item.ValueCopy(nil)
				}
				return err
			})
			return value, err
		},
	}
}

// openMiniredis returns a miniredis to be called directly, with n keys. It
// never listens.
func openMiniredis(b *testing.B, _ string, n int) access {
	b.Helper()
	m := miniredis.NewMiniRedis()
	value := string(measure.Value(measure.ValueSize))
	for i := range n {
		require.NoError(b, m.Set(measure.Key(i), value))
	}
	return access{
		set: func(key string, value []byte) error { return m.Set(key, string(value)) },
		get: func(key string) ([]byte, error) {
			value, err := m.Get(key)
			return []byte(value), err
		},
	}
}

// openRedis starts a redis-server with n keys and reaches it through go-redis
// over loopback.
func openRedis(b *testing.B, mode string, n int) access {
	b.Helper()
	s := startRedis(b, mode)
	require.NoError(b, setRedis(b.Context(), s.client, 0, n, inOrder))
	return access{
		set: func(key string, value []byte) error {
			return s.client.Set(context.Background(), key, value, 0).Err()
		},
		get: func(key string) ([]byte, error) { return s.client.Get(context.Background(), key).Bytes() },
	}
}

// setRedis is setBrock for redis-server.
func setRedis(ctx context.Context, client *redis.Client, from, to int, order func(i int) int) error {
	value := measure.Value(measure.ValueSize)
	for at := from; at < to; at += group {
		_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i := at; i < min(at+group, to); i++ {
				p.Set(ctx, measure.Key(order(i)), value, 0)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
