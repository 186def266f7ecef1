package brock

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/store"
)

// TestBank moves money between accounts in strings, hashes, sorted sets and
// lists from several goroutines, while others add it all up: in a View, with
// MGet, and in an Update that changes nothing. The sum never changes, whatever
// checkpoint steps, eviction and pops that wait do meanwhile.
func TestBank(t *testing.T) {
	const accounts, start = 60, 1000
	db, err := openSmall(t.TempDir(), store.EverySecond, 1<<20)
	require.NoError(t, err)
	keys := make([]string, accounts)
	padding := string(make([]byte, 300)) // an object of its own for each account
	for i := range keys {
		keys[i] = fmt.Sprintf("account:%d", i)
		require.NoError(t, db.Set(keys[i], []byte(strconv.Itoa(start))))
		_, err := db.HSet("hash:"+keys[i], F("amount", strconv.Itoa(start)), F("padding", padding))
		require.NoError(t, err)
		_, err = db.ZAdd("sorted", Z{Member: keys[i], Score: start})
		require.NoError(t, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var transfers atomic.Int64
	rounds := 1500
	if testing.Short() {
		rounds = 300
	}
	for w := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 3))
			for range rounds {
				from, to := keys[r.IntN(accounts)], keys[r.IntN(accounts)]
				err := db.Update(func(tx *Tx) error { return transfer(tx, from, to, r.IntN(50)) })
				if err != nil && !errors.Is(err, errRollBack) {
					t.Errorf("transfer: %v", err)
					return
				}
				transfers.Add(1)
			}
		})
	}
	var readers sync.WaitGroup
	for _, check := range []func() error{
		func() error { return db.View(func(tx *Tx) error { return audit(tx, keys, accounts*start) }) },
		func() error { return db.Update(func(tx *Tx) error { return audit(tx, keys, accounts*start) }) },
		func() error {
			values, err := db.MGet(keys...)
			return sumIs(values, accounts*start, err)
		},
		func() error { db.s.Housekeep(); return db.s.Checkpoint() },
		func() error { _, err := db.LLen("journal"); return err },
	} {
		readers.Go(func() {
			for ; ctx.Err() == nil; runtime.Gosched() {
				if err := check(); err != nil {
					t.Errorf("audit: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	cancel()
	readers.Wait()
	require.NoError(t, db.View(func(tx *Tx) error { return audit(tx, keys, accounts*start) }))
	require.NoError(t, db.Close())
}

// transfer moves an amount in all three forms, and fails half-way at times.
func transfer(tx *Tx, from, to string, amount int) error {
	if _, err := tx.IncrBy(from, int64(-amount)); err != nil {
		return err
	}
	if _, err := tx.IncrBy(to, int64(amount)); err != nil {
		return err
	}
	if amount%10 == 3 {
		return errRollBack
	}
	for _, key := range []string{from, to} {
		v, err := tx.Get(key)
		if err != nil {
			return err
		}
		if _, err := tx.HSet("hash:"+key, F("amount", string(v))); err != nil {
			return err
		}
		score, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			return err
		}
		if _, err := tx.ZAdd("sorted", Z{Member: key, Score: score}); err != nil {
			return err
		}
	}
	if amount%10 == 4 {
		return errRollBack
	}
	_, err := tx.RPush("journal", []byte(from+" "+to))
	return err
}

// audit adds up what all accounts hold.
func audit(tx *Tx, keys []string, want int) error {
	values, err := tx.MGet(keys...)
	if err := sumIs(values, want, err); err != nil {
		return err
	}
	for i, key := range keys {
		v, err := tx.HGet("hash:"+key, "amount")
		if err != nil {
			return err
		}
		score, err := tx.ZScore("sorted", key)
		if err != nil {
			return err
		}
		if string(v) != string(values[i]) || strconv.Itoa(int(score)) != string(v) {
			return fmt.Errorf("%s: %s in the string, %s in the hash, %v in the sorted set", key, values[i], v, score)
		}
	}
	return nil
}

func sumIs(values [][]byte, want int, err error) error {
	sum := 0
	for _, v := range values {
		n, _ := strconv.Atoi(string(v))
		sum += n
	}
	if err == nil && sum != want {
		err = fmt.Errorf("sum %d, want %d", sum, want)
	}
	return err
}
