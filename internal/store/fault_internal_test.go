package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// Every operation of the layers below the store fails once, in each way that
// it can, while the store commits, checkpoints, truncates its log and is
// opened again. After an error the store is poisoned; what a crash then leaves
// is opened and has to be a beginning of the history that contains what was
// promised.

// world is what a store runs on, with what survives of it.
type world struct {
	in    *engine.Injector
	mem   *engine.Memory
	files *engine.MemFS // nil if the log is in memory, too
	r     *rand.Rand
}

const worldDir = "/log"

func newWorld(in *engine.Injector, files bool, seed uint64) *world {
	w := &world{in: in, mem: engine.NewMemorySeed(1, 2), r: rand.New(rand.NewPCG(seed, 3))}
	if files {
		w.files = engine.NewMemFS()
		_ = w.files.MkdirAll(worldDir, 0o700) // it cannot fail
	}
	return w
}

// open opens the engine under the faults of in, at the seam or below the log.
func (w *world) open() (engine.Engine, error) {
	if w.files == nil {
		return engine.NewFaultEngine(w.mem, w.in), nil
	}
	return engine.NewSegments(w.mem, worldDir, engine.Options{
		FS: engine.NewFaultFS(w.files, w.in), SegmentMin: 16 << 10, SegmentMax: 32 << 10,
	})
}

// crash returns the world that a crash leaves, without faults: after a power
// cut each block that was not synced is there or not.
func (w *world) crash(powerCut bool) *world {
	next := *w
	next.in = engine.NewInjector(nil)
	c := engine.Crash{PowerCut: powerCut, Resurrect: w.r.IntN(2) == 0}
	if powerCut {
		c.KeepUnsynced = w.r.IntN(3)
	}
	next.mem = w.mem.Crash(c)
	if w.files == nil {
		return &next
	}
	keep := engine.KeepAll
	if powerCut {
		odds := w.r.IntN(4)
		keep = func(string, int) bool { return w.r.IntN(3) < odds }
	}
	next.files = w.files.Crash(keep)
	return &next
}

// reopen is the world after the store was closed in order.
func (w *world) reopen() { w.mem = w.mem.Reopen() }

// historyLength is how many transactions the script has.
const historyLength = 36

// script runs the history, with checkpoint steps and a restart in between,
// until something fails.
type script struct {
	t       *testing.T
	w       *world
	opts    Options
	s       *Store
	acked   uint64 // the last transaction that was acknowledged
	tried   uint64
	synced  uint64 // the last one that was said to be durable
	err     error
	closing bool
}

// openStore opens a store on a world.
func openStore(w *world, opts Options) (*Store, error) {
	e, err := w.open()
	if err != nil {
		return nil, err
	}
	s, err := Open(e, opts)
	if err != nil {
		_ = e.Close()
		return nil, err
	}
	return s, nil
}

// run runs the script.
func (c *script) run() {
	if c.s, c.err = openStore(c.w, c.opts); c.err != nil {
		return
	}
	for n := uint64(1); n <= historyLength && c.err == nil; n++ {
		c.tried = n
		if c.err = doHistory(c.s, int(n)); c.err != nil {
			return
		}
		c.acked = n
		c.err = c.between(n)
	}
}

// between does what is to be done after transaction n.
func (c *script) between(n uint64) error {
	switch {
	case n%5 == 0:
		if err := c.s.Step(0x1111_1111_1111_1111 << (n / 5 % 4)); err != nil {
			return err
		}
		c.synced = n
	case n%16 == 8:
		if err := c.s.Sync(); err != nil {
			return err
		}
		c.synced = n
	case n%12 == 11:
		if err := c.s.Checkpoint(); err != nil {
			return err
		}
		c.synced = n
		c.s.Housekeep()
	case n == historyLength/2:
		c.closing = true
		if err := c.s.Close(); err != nil {
			return err
		}
		c.synced = n
		c.w.reopen()
		var err error
		c.s, err = openStore(c.w, c.opts)
		c.closing = err != nil
		return err
	}
	return nil
}

// poisoned checks that every later call tells so, and acknowledges nothing.
func (c *script) poisoned(msg string) {
	s := c.s
	written, synced := s.wlog.written.Load(), s.wlog.synced.Load()
	for range 2 {
		for name, err := range map[string]error{
			"Update":     doHistory(s, 1),
			"Write":      doHistory(s, 3),
			"Exec":       s.Exec(nil, func(t *Tx) error { return historyTx(t, 1) }),
			"Read":       s.ReadKey("count", nil, func(*Tx) error { return nil }),
			"View":       s.View(func(*Tx) error { return nil }),
			"Sync":       s.Sync(),
			"Step":       s.Step(1),
			"Checkpoint": s.Checkpoint(),
		} {
			require.ErrorIs(c.t, err, ErrPoisoned, "%s: %s after %v", msg, name, c.err)
		}
		_ = s.wlog.flush(false) // as the background does
		_ = s.wlog.sync()
	}
	require.Equal(c.t, written, s.wlog.written.Load(), "%s: something was written after a failure", msg)
	require.Equal(c.t, synced, s.wlog.synced.Load(), "%s: something was synced after a failure", msg)
}

// least returns the transactions that have to be there after a crash.
func (c *script) least(powerCut bool) uint64 {
	switch {
	case c.opts.Durability == Always, !powerCut && c.opts.Durability == EverySecond:
		return max(c.acked, c.synced)
	}
	return c.synced
}

// check opens what a crash has left, holds it against the history, goes on,
// and lets it crash again.
func (c *script) check(states []map[string]string, powerCut bool, msg string) {
	t := c.t
	w := c.w.crash(powerCut)
	if c.s != nil {
		_ = c.s.Close() // the process is gone: it has no effect on w
	}
	for round := range 2 {
		opts := c.opts
		opts.MemoryBudget = int64(round) * 4 << 10
		s, err := openStore(w, opts)
		require.NoError(t, err, msg)
		n := s.committed.Load()
		require.GreaterOrEqual(t, n, c.least(powerCut), "%s: what was promised is lost", msg)
		require.LessOrEqual(t, n, c.tried, "%s: transactions from nowhere", msg)
		sameContents(t, states[n], contents(t, s), "%s, round %d, %d transactions", msg, round, n)
		if n < historyLength {
			require.NoError(t, doHistory(s, int(n+1)), msg)
			require.NoError(t, s.Step(0xffff<<(16*(n%4))), msg)
			sameContents(t, states[n+1], contents(t, s), "%s, round %d, and one more", msg, round)
			c.tried, c.synced, c.acked = n+1, n+1, n+1
		}
		next := w.crash(true)
		_ = s.Close()
		w = next
	}
}

// faultCase is one way to fail.
type faultCase struct {
	name  string
	fault engine.Fault
}

func faultCases() []faultCase {
	return []faultCase{
		{"error", engine.Fault{Err: engine.ErrInjected}},
		{"error after", engine.Fault{After: true}},
		{"short", engine.Fault{Short: 700}},
		{"no space", engine.Fault{Err: engine.ErrNoSpace}},
		{"crash", engine.Fault{Crash: true}},
		{"crash after", engine.Fault{Crash: true, After: true}},
	}
}

// faults lets every operation fail in every way. The modes take turns, unless
// all are asked for.
func faults(t *testing.T, files bool) {
	t.Helper()
	states := histories(t, historyLength)
	clean := &script{t: t, w: newWorld(engine.NewInjector(nil), files, 1), opts: Options{NoTimers: true}}
	clean.run()
	require.NoError(t, clean.err)
	total := clean.w.in.Total()
	clean.check(states, true, "no fault")
	every, modes := 1, 1
	if testing.Short() {
		every = 13
	}
	if os.Getenv("BROCK_SOAK") != "" {
		modes = 3
	}
	first, ran := rand.IntN(every), 0
	for pos := 1 + first; pos <= total; pos += every {
		for i, f := range faultCases() {
			for m := range modes {
				ran++
				oneFault(t, states, files, pos, f, Durability((pos+i+m)%3))
			}
		}
	}
	t.Logf("%d operations, %d runs", total, ran)
}

// oneFault runs the script with a fault at one position.
func oneFault(t *testing.T, states []map[string]string, files bool, pos int, f faultCase, mode Durability) {
	t.Helper()
	var hit atomic.Value // of engine.Op: the log has a goroutine of its own
	hit.Store(engine.Op("none"))
	in := engine.NewInjector(func(op engine.Op, _, total int) engine.Fault {
		if total != pos {
			return engine.Fault{}
		}
		hit.Store(op)
		return f.fault
	})
	c := &script{t: t, w: newWorld(in, files, uint64(pos)), opts: Options{NoTimers: true, Durability: mode}}
	c.run()
	msg := fmt.Sprintf("%s at operation %d (%s), mode %d, after %d: %v", f.name, pos, hit.Load(), mode, c.tried, c.err)
	read := hit.Load() == engine.OpBaseGet // which poisons nothing, even if the process ends in it
	if c.err != nil && c.s != nil && !c.closing && !read {
		require.False(t, errors.Is(c.err, ErrClosed), msg)
		c.poisoned(msg)
	}
	c.check(states, pos%2 == 0, msg)
}

// TestFaultSeam lets each call of the log and the base fail.
func TestFaultSeam(t *testing.T) { faults(t, false) }

// TestFaultFiles lets each operation on the log's files fail.
func TestFaultFiles(t *testing.T) { faults(t, true) }
