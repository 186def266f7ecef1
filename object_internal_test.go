package brock

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/oracle"
	"github.com/brockdb/brock/internal/store"
)

// TestIdleTime compares which keys a command uses with those that Redis takes
// for used.
func TestIdleTime(t *testing.T) {
	type op = oracle.Op
	n := startNotifier(t)
	const idle = 1000 // seconds
	fill := []op{
		{Name: "SET", Key: "string", Value: "100000"}, // Redis shares smaller integers, with one time for all
		{Name: "SET", Key: "other", Value: "2"},
		{Name: "HSET", Key: "hash", Values: []string{"f", "v"}},
		{Name: "RPUSH", Key: "list", Values: []string{"a", "b"}},
		{Name: "SADD", Key: "set", Values: []string{"a", "b"}},
		{Name: "ZADD", Key: "zset", Scored: []oracle.Scored{{Member: "a", Score: 1}}},
		{Name: "XADD", Key: "stream", ID: "1-1", Values: []string{"f", "v"}},
	}
	ops := []op{
		{Name: "GET", Key: "string"},
		{Name: "GET", Key: "hash"},
		{Name: "MGET", Keys: []string{"string", "list", "none"}},
		{Name: "STRLEN", Key: "string"},
		{Name: "GETRANGE", Key: "string"},
		{Name: "GETBIT", Key: "string"},
		{Name: "BITCOUNT", Key: "string"},
		{Name: "INCR", Key: "string"},
		{Name: "APPEND", Key: "string", Value: "x"},
		{Name: "SET", Key: "string", Value: "x", Flags: oracle.NX},
		{Name: "SET", Key: "string", Value: "x"},
		{Name: "EXISTS", Keys: []string{"string", "hash"}},
		{Name: "TOUCH", Keys: []string{"string", "hash", "none"}},
		{Name: "TYPE", Key: "string"},
		{Name: "TTL", Key: "string"},
		{Name: "PTTL", Key: "string"},
		{Name: "EXPIRETIME", Key: "string"},
		{Name: "PEXPIRETIME", Key: "string"},
		{Name: "PERSIST", Key: "string"},
		{Name: "EXPIRE", Key: "string", N: 100_000, Flags: oracle.XX},
		{Name: "EXPIRE", Key: "string", N: 100_000},
		{Name: "OBJECT", Field: "ENCODING", Key: "string"},
		{Name: "OBJECT", Field: "REFCOUNT", Key: "string"},
		{Name: "OBJECT", Field: "FREQ", Key: "string"},
		{Name: "RENAME", Key: "string", Dst: "new"},
		{Name: "RENAME", Key: "string", Dst: "other"},
		{Name: "RENAMENX", Key: "string", Dst: "other"},
		{Name: "COPY", Key: "string", Dst: "new"},
		{Name: "COPY", Key: "string", Dst: "other"},
		{Name: "COPY", Key: "string", Dst: "string", DstDB: 1},
		{Name: "MOVE", Key: "string", DstDB: 1},
		{Name: "SWAPDB", DstDB: 1},
		{Name: "DBSIZE"},
		{Name: "KEYS", Value: "*"},
		{Name: "SCAN", Value: "*"},
		{Name: "SCAN", Value: "*", Field: "string"},
		{Name: "RANDOMKEY"},
		{Name: "HGET", Key: "hash", Field: "f"},
		{Name: "HLEN", Key: "hash"},
		{Name: "HSET", Key: "hash", Values: []string{"f", "v"}},
		{Name: "LLEN", Key: "list"},
		{Name: "LPOP", Key: "list"},
		{Name: "SCARD", Key: "set"},
		{Name: "SINTER", Keys: []string{"set", "set"}},
		{Name: "ZCARD", Key: "zset"},
		{Name: "ZRANGE", Key: "zset", Stop: -1},
		{Name: "XLEN", Key: "stream"},
		{Name: "XRANGE", Key: "stream", ID: "-", EndID: "+"},
	}
	db, clock, _ := openEvents(t)
	db.s.TrackIdle()
	for i, op := range ops {
		clock.set(clock.now + 2*idle*1000)
		require.NoError(t, db.FlushAll())
		n.do("FLUSHALL")
		for _, op := range fill {
			runOp(&db.commands, &op)
			n.run(op)
		}
		clock.set(clock.now + idle*1000)
		for _, op := range fill {
			require.Equal(t, "OK", n.do("RESTORE", op.Key, "0", n.do("DUMP", op.Key).(string), "REPLACE", "IDLETIME", strconv.Itoa(idle)))
		}
		runOp(&db.commands, &op)
		n.run(op)
		for d := range 2 {
			n.do("SELECT", strconv.Itoa(d))
			n.db = d
			for _, key := range []string{"string", "other", "hash", "list", "set", "zset", "stream", "new", "none"} {
				want := n.do("OBJECT", "IDLETIME", key)
				got, err := db.DB(d).ObjectIdleTime(key)
				if want == nil {
					require.ErrorIs(t, err, ErrNotFound, "operation %d: %s: key %q of database %d", i, op, key, d)
					continue
				}
				require.NoError(t, err)
				if want.(int64) < idle {
					want = int64(0)
				} else {
					want = int64(idle)
				}
				require.Equal(t, want, int64(got/time.Second), "operation %d: %s: key %q of database %d", i, op, key, d)
			}
		}
	}
}

// TestNoTouch has commands that do not use keys by looking at them, but only by
// touching them or giving them a value.
func TestNoTouch(t *testing.T) {
	db, clock, _ := openEvents(t)
	db.s.TrackIdle()
	of, later := pipe(db, false)
	p := of.(*Pipe)
	later.NoTouch = true
	const idle = 1000 * time.Second
	for name, c := range map[string]struct {
		run  func() error
		used []string
	}{
		"get":       {func() error { _, err := p.Get("string"); return err }, nil},
		"mget":      {func() error { _, err := p.MGet("string", "other"); return err }, nil},
		"type":      {func() error { _, err := p.Type("string"); return err }, nil},
		"hgetall":   {func() error { _, err := p.HGetAll("hash"); return err }, nil},
		"keys":      {func() error { _, err := p.Keys("*"); return err }, nil},
		"touch":     {func() error { _, err := p.Touch("string"); return err }, []string{"string"}},
		"getex":     {func() error { _, err := p.GetEx("string", EX(time.Hour)); return err }, nil},
		"expire":    {func() error { _, err := p.Expire("hash", time.Hour); return err }, nil},
		"hset":      {func() error { _, err := p.HSet("hash", F("f", "w")); return err }, nil},
		"set":       {func() error { return p.Set("string", []byte("w")) }, []string{"string"}},
		"set long":  {func() error { return p.Set("string", make([]byte, 10_000)) }, []string{"string"}},
		"set new":   {func() error { return p.Set("new", nil) }, []string{"new"}},
		"hset new":  {func() error { _, err := p.HSet("new", F("f", "w")); return err }, []string{"new"}},
		"incr new":  {func() error { _, err := p.Incr("new"); return err }, []string{"new"}},
		"mset":      {func() error { return p.MSet(KV{"other", nil}, KV{"new", nil}) }, []string{"other", "new"}},
		"copy":      {func() error { _, err := p.Copy("string", "new"); return err }, []string{"new"}},
		"with DB":   {func() error { _, err := db.Get("string"); return err }, []string{"string"}},
		"left out":  {func() error { later.NoTouch = false; _, err := p.Get("string"); return err }, []string{"string"}},
		"in a View": {func() error { return db.View(func(tx *Tx) error { _, err := tx.Get("other"); return err }) }, []string{"other"}},
	} {
		require.NoError(t, db.FlushAll())
		for _, key := range []string{"string", "other"} {
			require.NoError(t, db.Set(key, []byte("v")))
		}
		_, err := db.HSet("hash", F("f", "v"))
		require.NoError(t, err)
		clock.set(clock.now + idle.Milliseconds())
		require.NoError(t, c.run())
		later.NoTouch = true
		for _, key := range []string{"string", "other", "hash", "new"} {
			got, err := db.ObjectIdleTime(key)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			require.NoError(t, err)
			want := idle
			if slices.Contains(c.used, key) {
				want = 0
			}
			require.Equal(t, want, got, "%s: %s", name, key)
		}
	}
}

// TestIdleTimeTicks has the second come from the background's ticker, and the
// tables grow with the number of keys.
func TestIdleTimeTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := OpenMemory(nil)
		require.NoError(t, err)
		defer db.Close()
		wait := func(d time.Duration) { // to the middle of a second
			timer := time.NewTimer(d)
			<-timer.C
		}
		require.NoError(t, db.Set("used", nil))
		require.NoError(t, db.Set("idle", nil))
		for _, want := range []time.Duration{0, 0} { // the first call begins to count
			got, err := db.ObjectIdleTime("idle")
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		wait(500 * time.Millisecond)
		for seconds := range 5 {
			got, err := db.ObjectIdleTime("idle")
			require.NoError(t, err)
			require.Equal(t, time.Duration(seconds)*time.Second, got)
			_, err = db.Get("used")
			require.NoError(t, err)
			got, err = db.ObjectIdleTime("used")
			require.NoError(t, err)
			require.Zero(t, got)
			wait(time.Second)
		}
		require.NoError(t, db.Pipelined(func(p *Pipe) error {
			for i := range 100_000 { // more than there are slots
				if err := p.DB(1).Set(fmt.Sprint(i), nil); err != nil {
					return err
				}
			}
			return nil
		}))
		wait(10 * time.Second)
		idle := map[time.Duration]int{}
		for i := range 1000 {
			d, err := db.DB(1).ObjectIdleTime(fmt.Sprint(i))
			require.NoError(t, err)
			idle[d]++
		}
		require.Equal(t, map[time.Duration]int{10 * time.Second: 1000}, idle)
		for i := range 100_000 {
			_, err := db.DB(1).Get(fmt.Sprint(i * 2))
			require.True(t, i < 50_000 == (err == nil))
		}
		clear(idle)
		for i := range 1000 {
			d, err := db.DB(1).ObjectIdleTime(fmt.Sprint(2*i + 1))
			require.NoError(t, err)
			idle[d]++
		}
		require.Len(t, idle, 2)
		require.Greater(t, idle[10*time.Second], 600, "%v", idle) // others share a slot with a used one
	})
}

// TestMemoryUsage compares what keys are said to take with what memory they are
// made of.
func TestMemoryUsage(t *testing.T) {
	big := strings.Repeat("v", 3000)
	many := func(n int, add func(c *commands, i int) error) func(c *commands) error {
		return func(c *commands) error {
			for i := range n {
				if err := add(c, i); err != nil {
					return err
				}
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		key  string
		fill func(c *commands) error
	}{
		"small string": {"k", func(c *commands) error { return c.Set("k", []byte("v")) }},
		"long string":  {"k", func(c *commands) error { return c.Set("k", make([]byte, 5<<20)) }},
		"long key": {strings.Repeat("k", 1<<20), func(c *commands) error {
			return c.Set(strings.Repeat("k", 1<<20), make([]byte, 1<<20), EX(time.Hour))
		}},
		"hash":         {"k", many(20_000, func(c *commands, i int) error { return second(c.HSet("k", F(fmt.Sprint("field", i), "value"))) })},
		"large fields": {"k", many(1000, func(c *commands, i int) error { return second(c.HSet("k", F(fmt.Sprint(i), big))) })},
		"list":         {"k", many(20_000, func(c *commands, i int) error { return second(c.RPush("k", []byte(fmt.Sprint("element", i)))) })},
		"set":          {"k", many(20_000, func(c *commands, i int) error { return second(c.SAdd("k", fmt.Sprint("member", i))) })},
		"sorted set":   {"k", many(20_000, func(c *commands, i int) error { return second(c.ZAdd("k", Z{Member: fmt.Sprint("member", i)})) })},
		"stream":       {"k", many(20_000, func(c *commands, _ int) error { return second(c.XAdd("k", AutoID(), F("f", "v"))) })},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := store.OpenMemory(1, store.Options{NoTimers: true})
			require.NoError(t, err)
			db := newDB(s)
			defer db.Close()
			require.NoError(t, db.Set(c.key, nil)) // so that there is its directory
			require.NoError(t, second(db.Del(c.key)))
			_, err = db.MemoryUsage(c.key)
			require.ErrorIs(t, err, ErrNotFound)
			db.s.Housekeep()
			before := db.Stats().Bytes
			var inside int64
			require.NoError(t, db.Update(func(tx *Tx) (err error) {
				if err = c.fill(&tx.commands); err == nil {
					inside, err = tx.MemoryUsage(c.key)
				}
				return err
			}))
			db.s.Housekeep()
			took := db.Stats().Bytes - before
			got, err := db.MemoryUsage(c.key)
			require.NoError(t, err)
			require.InDelta(t, took, got, 100+0.01*float64(took))
			require.InDelta(t, took, inside, 100+0.01*float64(took))
		})
	}
}

// TestMemoryUsageMeanwhile asks what keys take while others change, drop and
// make them anew.
func TestMemoryUsageMeanwhile(t *testing.T) {
	db, err := OpenMemory(nil)
	require.NoError(t, err)
	defer db.Close()
	big := strings.Repeat("v", 3000)
	add := func(from, to int) error {
		return db.Pipelined(func(p *Pipe) error {
			for i := from; i < to; i++ {
				if _, err := p.HSet("k", F(fmt.Sprint(i), big)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	const fields = 1500 // more pages than are counted at a time
	require.NoError(t, add(0, fields))
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		defer close(done)
		for round := range sized(30, 6) {
			for i := 0; i < fields; i += 2 {
				if _, err := db.HDel("k", fmt.Sprint(i)); err != nil {
					t.Error(err)
				}
			}
			if round%3 == 2 {
				if _, err := db.Del("k"); err != nil {
					t.Error(err)
				}
			}
			if err := add(0, fields); err != nil {
				t.Error(err)
			}
		}
	})
	for asked := 0; ; asked++ {
		n, err := db.MemoryUsage("k")
		if err != nil {
			require.ErrorIs(t, err, ErrNotFound)
		}
		require.LessOrEqual(t, n, int64(3*fields*len(big)))
		select {
		case <-done:
			wg.Wait()
			n, err := db.MemoryUsage("k")
			require.NoError(t, err)
			require.Greater(t, n, int64(fields*len(big)))
			t.Logf("asked %d times", asked)
			return
		default:
		}
	}
}
