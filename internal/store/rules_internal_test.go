package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// The rules that were each found by breaking a design that lacked them. Those
// on crash order were seen to fail with the rule off.

// openMem opens a store on an engine in memory, which tests drive.
func openMem(t *testing.T, m *engine.Memory, opts Options) *Store {
	t.Helper()
	opts.NoTimers = true
	s, err := Open(m, opts)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// crashed returns what a crash of a store's engine leaves, opened.
func crashed(t *testing.T, s *Store, c engine.Crash) *Store {
	t.Helper()
	opts := s.opts
	opts.MemoryBudget = 0
	return openMem(t, s.eng.(*engine.Memory).Crash(c), opts)
}

// keyIn returns a key in a partition.
func keyIn(s *Store, part int, prefix string) string {
	for i := 0; ; i++ {
		if key := fmt.Sprint(prefix, i); s.Mask(key) == 1<<part {
			return key
		}
	}
}

// update runs a transaction that has to succeed.
func update(t *testing.T, s *Store, fn func(*Tx) error) {
	t.Helper()
	require.NoError(t, s.Update(fn))
}

// set sets a string key.
func set(t *testing.T, s *Store, key, value string) {
	t.Helper()
	update(t, s, func(tx *Tx) error { return setString(tx, 0, key, value) })
}

// TestRulePrivateCopies shows an open transaction to everybody else: to reads,
// to Views, to a checkpoint step and to a crash.
func TestRulePrivateCopies(t *testing.T) {
	s := openMem(t, engine.NewMemory(), Options{})
	for n := 1; n <= 20; n++ {
		require.NoError(t, doHistory(s, n))
	}
	before := contents(t, s)
	errBack := errors.New("back")
	unseen := func(n int) func(*Tx) error {
		return func(tx *Tx) error {
			if err := historyTx(tx, n); err != nil {
				return err
			}
			sameContents(t, before, contents(t, s), "a View beside it")
			require.NoError(t, s.Read(page.All, nil, func(tx *Tx) error {
				e, _, err := tx.Lookup(0, "count")
				require.Equal(t, "20", string(e.Inline))
				return err
			}))
			require.NoError(t, s.Step(^uint64(0)))
			sameContents(t, before, contents(t, crashed(t, s, engine.Crash{})), "after a crash within it")
			return errBack
		}
	}
	for n := 21; n < 50; n++ { // each with other commands
		require.ErrorIs(t, s.Update(unseen(n)), errBack)
		require.Panics(t, func() { _ = s.Update(func(tx *Tx) error { _ = historyTx(tx, n); panic(errBack) }) })
		sameContents(t, before, contents(t, s), "rolled back")
	}
	sameContents(t, before, contents(t, crashed(t, s, engine.Crash{})), "after a crash behind them")
}

// TestRuleOnePartitionPerRecord lets a step of one partition fall before or
// behind a transaction that concerns two, and replays the transaction on what
// either has.
func TestRuleOnePartitionPerRecord(t *testing.T) {
	const a, b = 7, 40
	ops := map[string]func(t *Tx, src, dst string) error{
		"rename":   func(t *Tx, src, dst string) error { return rename(t, 0, src, 0, dst) },
		"move":     func(t *Tx, src, _ string) error { return rename(t, 0, src, 1, src) },
		"copy":     func(t *Tx, src, dst string) error { return duplicate(t, 0, src, 0, dst) },
		"copy db":  func(t *Tx, src, dst string) error { return duplicate(t, 0, src, 2, dst) },
		"swapdb":   func(t *Tx, src, dst string) error { return errors.Join(t.SwapDB(0, 1), setString(t, 0, src, "new")) },
		"flushdb":  func(t *Tx, src, dst string) error { return errors.Join(t.FlushDB(0), setString(t, 0, dst, "new")) },
		"flushall": func(t *Tx, src, dst string) error { return errors.Join(t.FlushDB(0, 1, 2), push(t, 2, dst, "new")) },
	}
	values := map[string]func(t *Tx, key string) error{
		"inline": func(t *Tx, key string) error { return setString(t, 0, key, "value") },
		"string": func(t *Tx, key string) error { return setString(t, 0, key, strings.Repeat("x", 20_000)) },
		"list":   func(t *Tx, key string) error { return push(t, 0, key, strings.Repeat("x", 5000)) },
		"hash":   func(t *Tx, key string) error { return setField(t, 0, key, nameOf(1), strings.Repeat("x", 5000)) },
	}
	every := 1
	if testing.Short() {
		every = 5
	}
	first := rand.IntN(every)
	for name, op := range ops {
		for value, create := range values {
			for when := first; when < 3*4*4; when += every {
				s := openMem(t, engine.NewMemorySeed(1, 2), Options{})
				long := strings.Repeat("k", rand.IntN(2)*5000)
				src, dst := keyIn(s, a, long+"src"), keyIn(s, b, long+"dst")
				masks := []uint64{0, 1 << a, 1 << b, ^uint64(0)}
				step := func(i int) {
					if mask := masks[i]; mask != 0 {
						require.NoError(t, s.Step(mask))
					}
				}
				update(t, s, func(tx *Tx) error {
					return errors.Join(create(tx, src), push(tx, 0, dst, "old"), push(tx, 1, dst, "other"))
				})
				step(when % 4)
				if when >= 16 {
					update(t, s, func(tx *Tx) error { return push(tx, 1, dst, strings.Repeat("y", 3000)) })
				}
				update(t, s, func(tx *Tx) error { return op(tx, src, dst) })
				step(when / 4 % 4)
				if when >= 32 {
					update(t, s, func(tx *Tx) error { return setString(tx, 0, src, "after") })
				}
				want := contents(t, s)
				again := crashed(t, s, engine.Crash{Resurrect: when%2 == 0})
				sameContents(t, want, contents(t, again), "%s of %s, case %d", name, value, when)
				require.NoError(t, again.Step(1<<b))
				sameContents(t, want, contents(t, crashed(t, again, engine.Crash{})), "%s of %s, case %d, twice", name, value, when)
				require.NoError(t, again.Close())
				require.NoError(t, s.Close())
			}
		}
	}
}

// TestRuleRecordsDeterministic replays on a clock that is an hour ahead: keys
// that had not expired then are as they were, until something asks for them.
func TestRuleRecordsDeterministic(t *testing.T) {
	clock := &steadyClock{now: 1_000_000}
	s := openMem(t, engine.NewMemory(), Options{Clock: clock})
	put := func(key, value string, deadline int64) {
		update(t, s, func(tx *Tx) error {
			e, _, err := tx.LookupForWrite(0, key)
			if err != nil {
				return err
			}
			return tx.StringSet(0, key, &e, []byte(value), deadline)
		})
	}
	put("a", "1", 1_000_500)
	put("b", "1", 5_000_000)
	clock.now = 1_001_000
	update(t, s, func(tx *Tx) error { return push(tx, 0, "a", "a list now") }) // logs its deletion first
	put("b", "2", 5_000_000)
	want := contents(t, s)
	later := s.opts
	later.Clock = &steadyClock{now: 4_600_000}
	sameContents(t, want, contents(t, openMem(t, s.eng.(*engine.Memory).Crash(engine.Crash{}), later)), "an hour later")
	later.Clock = &steadyClock{now: 9_000_000}
	got := contents(t, openMem(t, s.eng.(*engine.Memory).Crash(engine.Crash{}), later))
	delete(want, "0/b")
	sameContents(t, want, got, "when b has expired")
}

// steadyClock stands still.
type steadyClock struct {
	realClock
	now int64
}

func (c *steadyClock) Now() time.Time { return time.UnixMilli(c.now) }

// TestRuleBlockingPop serves a waiter within the pusher's commit: a crash
// leaves both or neither, and a wait that is cancelled after it was served
// has the element.
func TestRuleBlockingPop(t *testing.T) {
	s := openMem(t, engine.NewMemory(), Options{Durability: Relaxed})
	var got []byte
	w := &Waiter{Serve: func(tx *Tx, key string) (bool, error) {
		e, ok, err := lookup(tx, 0, key)
		if err != nil || !ok {
			return false, err
		}
		all, err := tx.ListPop(nil, 0, key, e, 1, true)
		if err != nil {
			return false, err
		}
		got = all[0]
		return true, setString(tx, 0, "popped", string(got))
	}}
	ctx, cancel := context.WithCancel(t.Context())
	served, err := s.Await(0, []string{"list"}, w)
	require.NoError(t, err)
	require.False(t, served)
	before := s.committed.Load()
	update(t, s, func(tx *Tx) error {
		tx.Emit(0, EventRPush, "list")
		return push(tx, 0, "list", "element")
	})
	require.Equal(t, before+1, s.committed.Load(), "the pop is the push's commit")
	cancel() // after it was served
	<-ctx.Done()
	require.True(t, s.Cancel(w))
	<-w.Served
	require.Equal(t, "element", string(got))
	require.Equal(t, s.committed.Load(), w.LSN)

	want := contents(t, s)
	require.NotContains(t, want, "0/list")
	require.Contains(t, want, "0/popped")
	require.Empty(t, contents(t, crashed(t, s, engine.Crash{PowerCut: true})), "neither")
	require.NoError(t, s.Sync())
	sameContents(t, want, contents(t, crashed(t, s, engine.Crash{PowerCut: true})), "both")
}

// TestRuleLogBeforeImage cuts the power right after a step of some partitions,
// in a mode that has not synced anything: the base must not be ahead of the log.
func TestRuleLogBeforeImage(t *testing.T) {
	states := histories(t, 12)
	for n := 1; n <= 12; n++ {
		s := openMem(t, engine.NewMemorySeed(1, 2), Options{Durability: Relaxed})
		for i := range n {
			require.NoError(t, doHistory(s, i+1))
		}
		require.NoError(t, s.Step(0x5555_5555_5555_5555))
		again := crashed(t, s, engine.Crash{PowerCut: true})
		require.EqualValues(t, n, again.committed.Load())
		sameContents(t, states[n], contents(t, again), "after a step at %d", n)
	}
}

// TestRuleLogBeforeImageInRecovery kills the process, lets the next one take
// steps while it recovers, and cuts the power while it does so.
func TestRuleLogBeforeImageInRecovery(t *testing.T) {
	const n = 60
	states := histories(t, n)
	w := newWorld(engine.NewInjector(nil), true, 1)
	s, err := openStore(w, Options{NoTimers: true})
	require.NoError(t, err)
	for i := range n {
		require.NoError(t, doHistory(s, i+1))
		if i%20 == 10 { // partitions complete at several LSNs, some ahead of others
			require.NoError(t, s.Step(0x0f0f<<i))
		}
	}
	killed := *w
	killed.mem, killed.files = w.mem.Crash(engine.Crash{}), w.files.Crash(engine.KeepAll)
	_ = s.Close()
	every := 1
	if testing.Short() {
		every = 9
	}
	for pos := 1; ; pos += every {
		w := killed
		w.mem, w.files = killed.mem.Crash(engine.Crash{}), killed.files.Crash(engine.KeepAll)
		// Not durable is what the kill has left: make it so again.
		w.files = unsynced(t, w.files)
		in := engine.CrashAt(pos, pos%2 == 0)
		base := engine.NewFaultEngine(w.mem, in)
		e, err := engine.NewSegments(w.mem, worldDir, engine.Options{FS: w.files, SegmentMin: 16 << 10, SegmentMax: 32 << 10})
		require.NoError(t, err)
		s, err := Open(&mixedEngine{e, base}, Options{NoTimers: true, MemoryBudget: 8 << 10})
		w.in = engine.NewInjector(nil)
		cut := w
		cut.mem, cut.files = w.mem.Crash(engine.Crash{PowerCut: true}), w.files.Crash(engine.KeepNone)
		if err == nil {
			require.NoError(t, s.Close())
		} else {
			_ = e.Close()
		}
		again, openErr := openStore(&cut, Options{NoTimers: true})
		require.NoError(t, openErr, "crash at %d", pos)
		got := again.committed.Load()
		sameContents(t, states[got], contents(t, again), "crash at %d, %d transactions", pos, got)
		require.NoError(t, again.Close())
		if !in.Crashed() {
			require.Greater(t, pos, 20, "there were no steps")
			return
		}
	}
}

// mixedEngine has the log of one engine and the base of another.
type mixedEngine struct {
	engine.Engine
	base engine.Engine
}

func (m *mixedEngine) Base() engine.Base { return m.base.Base() }

// unsynced returns a file system with the files of another, whose contents
// beyond their size are not durable.
func unsynced(t *testing.T, from *engine.MemFS) *engine.MemFS {
	t.Helper()
	to := engine.NewMemFS()
	require.NoError(t, to.MkdirAll(worldDir, 0o700))
	entries, err := from.ReadDir(worldDir)
	require.NoError(t, err)
	for _, e := range entries {
		name := worldDir + "/" + e.Name()
		src, err := from.OpenFile(name, os.O_RDWR, 0)
		require.NoError(t, err)
		size, err := src.Size()
		require.NoError(t, err)
		b := make([]byte, size)
		_, _ = src.ReadAt(b, 0)
		dst, err := to.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		require.NoError(t, err)
		require.NoError(t, dst.Truncate(size))
		require.NoError(t, dst.Sync())
		_, err = dst.WriteAt(b, 0)
		require.NoError(t, err)
	}
	require.NoError(t, to.SyncDir(worldDir))
	return to
}

// TestRuleOldestFirst kills the process again and again after the first of
// several steps of a round: the log stays bounded.
func TestRuleOldestFirst(t *testing.T) {
	m := engine.NewMemorySeed(1, 2)
	const perLife = 800 // they stand in the directories
	var logs []int64
	for life := range 60 {
		s, err := Open(m, Options{NoTimers: true, StepSize: 32 << 10})
		require.NoError(t, err)
		for i := range perLife {
			set(t, s, fmt.Sprint("key", i), strings.Repeat(fmt.Sprint(life%10), 100))
		}
		masks := s.steps()
		require.True(t, life == 0 || len(masks) > 1) // at first pages count as small as they began
		low := slices.Min(s.check.complete[:page.Partitions])
		for part := range page.Partitions { // the oldest are in the first step
			if s.check.complete[part] == low && masks[0]>>part&1 != 0 {
				low = ^uint64(0)
			}
		}
		require.Equal(t, ^uint64(0), low)
		require.NoError(t, s.Step(masks[0]))
		logs = append(logs, s.wlog.log.Size())
		m = m.Crash(engine.Crash{})
		_ = s.Close()
	}
	require.Less(t, slices.Max(logs[30:]), slices.Max(logs[:30])*3/2, "the log grows: %d", logs)
}

// TestRuleObjectNumbers deletes and creates: no number is given twice, and what
// comes back of a deleted object is not taken for a part of a new one.
func TestRuleObjectNumbers(t *testing.T) {
	m := engine.NewMemorySeed(1, 2)
	seen := map[uint64]bool{}
	r := rand.New(rand.NewPCG(1, 1))
	for life := range 20 {
		s := openMem(t, m, Options{})
		key := keyIn(s, 9, "key")
		update(t, s, func(tx *Tx) error { return setField(tx, 0, key, "field", strings.Repeat(fmt.Sprint(life), 9000)) })
		update(t, s, func(tx *Tx) error {
			e, _, err := tx.Lookup(0, key)
			require.NotZero(t, e.Object)
			require.False(t, seen[e.Object], "life %d: number %#x is given twice", life, e.Object)
			seen[e.Object] = true
			return err
		})
		want := contents(t, s)
		switch r.IntN(3) {
		case 0:
			require.NoError(t, s.Checkpoint())
		case 1:
			require.NoError(t, s.Step(1<<9))
		}
		sameContents(t, want, contents(t, crashed(t, s, engine.Crash{Resurrect: true})), "life %d", life)
		update(t, s, func(tx *Tx) error { _, err := tx.Delete(0, key); return err })
		if r.IntN(2) == 0 { // its images are swept, and nothing remembers it
			require.NoError(t, s.Checkpoint())
			require.NoError(t, s.Checkpoint())
		}
		require.Empty(t, contents(t, crashed(t, s, engine.Crash{Resurrect: true})))
		m = m.Crash(engine.Crash{Resurrect: r.IntN(2) == 0})
	}
}

// TestRuleTornGroup tears the last group, of several transactions and several
// frames, at every block: it is there whole or not at all.
func TestRuleTornGroup(t *testing.T) {
	const before, grouped = 3, 9
	states := histories(t, before+grouped)
	w := newWorld(engine.NewInjector(nil), true, 1)
	s, err := openStore(w, Options{NoTimers: true, Durability: Relaxed})
	require.NoError(t, err)
	for n := 1; n <= before; n++ {
		require.NoError(t, doHistory(s, n))
	}
	require.NoError(t, s.Sync())
	for n := before + 1; n <= before+grouped; n++ { // Relaxed: nobody writes them yet
		require.NoError(t, doHistory(s, n))
	}
	require.EqualValues(t, before, s.wlog.written.Load())
	require.NoError(t, s.wlog.flush(false))
	require.EqualValues(t, before+grouped, s.wlog.written.Load())
	dirty := 0
	w.files.Crash(func(_ string, block int) bool {
		dirty += bits.Len(uint(max(block, 0))) / max(bits.Len(uint(max(block, 0))), 1)
		return false
	})
	require.Greater(t, dirty, 20)
	whole := 0
	for i := -1; i <= dirty; i++ {
		seen := 0
		cut := *w
		cut.mem = w.mem.Crash(engine.Crash{})
		cut.files = w.files.Crash(func(_ string, block int) bool {
			if block >= 0 {
				seen++
			}
			return seen != i || block < 0
		})
		again, err := openStore(&cut, Options{NoTimers: true})
		require.NoError(t, err)
		n := again.committed.Load()
		require.Contains(t, []uint64{before, before + grouped}, n, "block %d", i)
		if n != before {
			whole++
		}
		sameContents(t, states[n], contents(t, again), "block %d", i)
		require.NoError(t, again.Close())
	}
	require.NotZero(t, whole)
	require.Less(t, whole, dirty/2)
	require.NoError(t, s.Close())
}

// TestRuleTornGroupPayload refuses a group whose transactions do not fill it,
// instead of applying some of them.
func TestRuleTornGroupPayload(t *testing.T) {
	g := engine.Group{Epoch: 1, First: 5, Count: 2, Payload: []byte{1, 'a', 2, 'b', 'c'}}
	var got []string
	note := func(_ uint64, recs []byte) error { got = append(got, string(recs)); return nil }
	require.NoError(t, transactions(g, note))
	require.Equal(t, []string{"a", "bc"}, got)
	for _, bad := range [][]byte{{1, 'a', 2, 'b'}, {1, 'a'}, {1, 'a', 1, 'b', 'c'}, {}} {
		g.Payload = bad
		require.ErrorIs(t, transactions(g, note), engine.ErrCorrupt)
	}
}

// TestRuleDeleteIsO1 deletes a large object with one small record; its images
// are swept once all partitions know, and do not matter when they come back.
func TestRuleDeleteIsO1(t *testing.T) {
	m := engine.NewMemorySeed(1, 2)
	s := openMem(t, m, Options{})
	update(t, s, func(tx *Tx) error {
		for i := range 3000 {
			if err := setField(tx, 0, "huge", fmt.Sprint(i), strings.Repeat("x", 200)); err != nil {
				return err
			}
		}
		return setString(tx, 0, "other", strings.Repeat("y", 10_000))
	})
	require.NoError(t, s.Checkpoint())
	require.NotEmpty(t, objectsOf(t, m))
	pages := s.mem.Part(page.PartitionOf(s.mem.Hash("huge"))).PageCount()
	require.Greater(t, pages, 50)
	require.NoError(t, s.WriteKey("huge", nil, func(tx *Tx) error {
		_, err := tx.Delete(0, "huge")
		require.Less(t, len(tx.recs), 40, "the record does not grow with the object")
		return err
	}))
	want := contents(t, s)
	sameContents(t, want, contents(t, crashed(t, s, engine.Crash{Resurrect: true})), "before the sweep")
	s.Housekeep()
	require.NoError(t, s.Checkpoint())
	require.Len(t, objectsOf(t, m), 1, "it is swept")

	back := m.Crash(engine.Crash{Resurrect: true})
	require.Len(t, objectsOf(t, back), 2, "its images are back")
	again := openMem(t, back, Options{})
	sameContents(t, want, contents(t, again), "after they came back")
	for range 3 {
		set(t, again, "other2", "z")
		require.NoError(t, again.Checkpoint())
	}
	require.Len(t, objectsOf(t, back), 1, "they are swept again")
	sameContents(t, contents(t, again), contents(t, crashed(t, again, engine.Crash{})), "after all")
}

// objectsOf returns the objects that a base has images of.
func objectsOf(t *testing.T, m *engine.Memory) (all []uint64) {
	t.Helper()
	require.NoError(t, m.Base().Objects(0, func(obj uint64) uint64 {
		all = append(all, obj)
		return obj + 1
	}))
	return all
}

// TestRuleViewIsolation holds Views open while transactions, steps, eviction
// and the freeing of old versions go on.
func TestRuleViewIsolation(t *testing.T) {
	const n = 60
	states := histories(t, n)
	s := openMem(t, engine.NewMemorySeed(1, 2), Options{MemoryBudget: 16 << 10})
	held := make(chan struct{})
	check := make([]chan struct{}, 0, n)
	done := make(chan error, n)
	for i := 1; i <= n; i++ {
		require.NoError(t, doHistory(s, i))
		switch i % 5 {
		case 0:
			require.NoError(t, s.Step(0xff<<i))
		case 1:
			s.Housekeep()
		case 2:
			require.NoError(t, s.Checkpoint())
		}
		if i%4 != 0 {
			continue
		}
		again := make(chan struct{})
		check = append(check, again)
		go func() {
			done <- s.View(func(tx *Tx) error {
				held <- struct{}{}
				for range again {
					got := map[string]string{}
					if err := contentsOf(tx, got); err != nil {
						return fmt.Errorf("view of %d: %w", i, err)
					}
					for key, v := range states[i] {
						if got[key] != v {
							return fmt.Errorf("view of %d: key %s is another", i, key)
						}
					}
					if len(got) != len(states[i]) {
						return fmt.Errorf("view of %d: %d keys for %d", i, len(got), len(states[i]))
					}
					tx.Release()
				}
				return nil
			})
		}()
		<-held
		check[rand.IntN(len(check))] <- struct{}{}
	}
	for _, c := range check {
		c <- struct{}{}
		close(c)
		require.NoError(t, <-done)
	}
}

// TestRuleReplayIdempotent opens, takes a step of some partitions and crashes,
// again and again: what is replayed on what the base has already stays what it
// was.
func TestRuleReplayIdempotent(t *testing.T) {
	const n = 48
	states := histories(t, n)
	m := engine.NewMemorySeed(1, 2)
	r := rand.New(rand.NewPCG(4, 4))
	for at := 0; at < n; {
		s, err := Open(m, Options{NoTimers: true, MemoryBudget: int64(r.IntN(3)) * 6 << 10})
		require.NoError(t, err)
		require.EqualValues(t, at, s.committed.Load())
		sameContents(t, states[at], contents(t, s), "at %d", at)
		for range min(r.IntN(4), n-at) {
			at++
			require.NoError(t, doHistory(s, at))
			if r.IntN(3) == 0 {
				require.NoError(t, s.Step(r.Uint64()&r.Uint64()|1))
			}
		}
		m = m.Crash(engine.Crash{Resurrect: r.IntN(2) == 0})
		_ = s.Close()
	}
}

// TestRuleBackupWhole restores a backup cut at any place, or with a bit
// flipped, or not at all.
func TestRuleBackupWhole(t *testing.T) {
	s := openMem(t, engine.NewMemory(), Options{})
	for n := 1; n <= 12; n++ {
		require.NoError(t, doHistory(s, n))
	}
	var buf bytes.Buffer
	require.NoError(t, s.Backup(&buf))
	for range 60 {
		other := openMem(t, engine.NewMemory(), Options{})
		b := bytes.Clone(buf.Bytes()[:rand.IntN(buf.Len())])
		require.Error(t, other.Restore(bytes.NewReader(b)))
		_ = other.Close()
	}
	other := openMem(t, engine.NewMemory(), Options{})
	require.NoError(t, other.Restore(&buf))
	sameContents(t, contents(t, s), contents(t, other), "restored")
}

// TestRuleHalfCommand has a command of a transaction fail after its first
// change, which a command must not: the transaction is refused, even if its
// function goes on.
func TestRuleHalfCommand(t *testing.T) {
	s := openMem(t, engine.NewMemory(), Options{})
	failed := errors.New("page lost")
	half := func(tx *Tx) error {
		if err := tx.StringSet(0, "half", nil, []byte("done"), 0); err != nil {
			return err
		}
		return failed
	}
	require.ErrorIs(t, s.Update(func(tx *Tx) error {
		life := tx.Life()
		require.NoError(t, tx.Step(life, func(tx *Tx) error { return tx.StringSet(0, "whole", nil, []byte("x"), 0) }))
		require.ErrorIs(t, tx.Step(life, half), failed)
		return nil
	}), failed)
	require.NoError(t, s.Err())
	require.NoError(t, s.Read(page.All, nil, func(tx *Tx) error {
		for _, key := range []string{"half", "whole"} {
			_, ok, err := tx.Lookup(0, key)
			require.NoError(t, err)
			require.False(t, ok, key)
		}
		return nil
	}))
}

// TestFewSyncs counts the syncs of many waiting writers in EverySecond: nobody
// syncs but the background, once a second.
func TestFewSyncs(t *testing.T) {
	eng, err := engine.Open(t.TempDir(), engine.Options{})
	require.NoError(t, err)
	s, err := Open(eng, Options{})
	require.NoError(t, err)
	began := time.Now()
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			for i := range 500 {
				key := strconv.Itoa(g*1000 + i)
				assert.NoError(t, s.WriteKey(key, nil, func(tx *Tx) error { return tx.StringSet(0, key, nil, []byte("x"), 0) }))
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, float64(s.Stats().Sync.Count), time.Since(began).Seconds()+1)
	require.NoError(t, s.Close())
}
