package brock

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/oracle"
	"github.com/brockdb/brock/internal/store"
)

// The database and a plain model of Redis run the same random operations, and
// every reply and every full dump has to be equal: with transactions that roll
// back, Views held open, checkpoint steps, kills, eviction and the clock moved
// in between. SEED=n repeats a run, OPS=n sets its length.

// testClock is a clock that stands still until it is set.
type testClock struct {
	mu  sync.Mutex
	now int64 // ms
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.UnixMilli(c.now)
}

func (c *testClock) set(ms int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = ms
}

func (c *testClock) AfterFunc(time.Duration, func()) func() bool { return func() bool { return false } }

// world is a database with its model.
type world struct {
	t     *testing.T
	r     *rand.Rand
	gen   *oracle.Generator
	model *oracle.DB
	clock *testClock
	eng   *engine.Memory // nil for a database in memory only
	opts  store.Options
	db    *DB
	views []*heldView
	trace []any // strings and operations

	runners map[string]func(*commands, *oracle.Op) oracle.Result
	ran     map[string]int // how often each operation has run, by kindOf
	scans   []*scan
}

// heldView is a View kept open, with what it has to show.
type heldView struct {
	want  oracle.Dump
	check chan bool // true for the last time
	done  chan error
}

const worldStart = 1_700_000_000_000

// newWorld opens an empty database and its model.
func newWorld(t *testing.T, seed uint64, opts store.Options, disk bool) *world {
	t.Helper()
	clock := &testClock{now: worldStart}
	opts.Clock, opts.NoTimers = clock, true
	w := &world{
		t: t, r: rand.New(rand.NewPCG(seed, 1)), clock: clock, opts: opts, model: oracle.New(16), runners: runners(), ran: map[string]int{},
		gen: oracle.NewGenerator(seed, oracle.Config{Start: worldStart, Typed: true, MaxBulk: 600, Weights: keysOnly()}),
	}
	w.model.Now = worldStart
	if disk {
		w.eng = engine.NewMemorySeed(seed, seed+1)
	}
	w.open()
	return w
}

// keysOnly gives weight 0 to the operations on queues, which package mq has, and
// tests.
func keysOnly() map[string]int {
	weights := map[string]int{}
	for name := range oracle.NewGenerator(0, oracle.Config{}).Weights() {
		if strings.HasPrefix(name, "Q") {
			weights[name] = 0
		}
	}
	return weights
}

// kindOf names what an operation is a test of.
func kindOf(op *oracle.Op) string {
	if op.Name == "OBJECT" {
		return op.Name + " " + op.Field
	}
	return op.Name
}

func (w *world) open() {
	var s *store.Store
	var err error
	if w.eng == nil {
		s, err = store.OpenMemory(w.r.Uint64(), w.opts)
	} else {
		s, err = store.Open(w.eng, w.opts)
	}
	require.NoError(w.t, err)
	w.db = newDB(s)
}

// run makes n steps.
func (w *world) run(n int) {
	for i := range n {
		switch k := w.r.IntN(1000); {
		case k < 20:
			w.transaction()
		case k < 25:
			w.holdView()
		case k < 30 && len(w.views) > 0:
			w.checkView(w.r.IntN(len(w.views)))
		case k < 40:
			w.db.s.Housekeep()
		case k < 55 && w.eng != nil:
			w.note("step")
			require.NoError(w.t, w.db.s.Step(w.r.Uint64()|1))
		case k < 58 && w.eng != nil:
			w.note("checkpoint")
			require.NoError(w.t, w.db.s.Checkpoint())
		case k < 62 && w.eng != nil:
			w.restart()
		case k < 66:
			w.compare()
		case k < 90:
			w.scan()
		default:
			w.step(w.gen.Next(), &w.db.commands, w.model)
		}
		w.watchScans()
		if w.t.Failed() {
			w.t.Fatalf("at step %d; the last steps:\n%s", i, lines(w.trace))
		}
	}
	for len(w.views) > 0 {
		w.checkView(0)
	}
	w.compare()
	w.backup()
	require.NoError(w.t, w.db.Close())
}

// backup makes a backup, restores it elsewhere and compares.
func (w *world) backup() {
	var buf bytes.Buffer
	require.NoError(w.t, w.db.Backup(&buf))
	whole := bytes.Clone(buf.Bytes())
	other := *w
	other.eng, other.opts.Databases = engine.NewMemory(), 1
	other.open()
	require.NoError(w.t, other.db.s.Restore(&buf))
	other.compare()
	require.NoError(w.t, other.db.Close())
	other.eng = other.eng.Reopen()
	other.open()
	other.compare()
	require.NoError(w.t, other.db.Close())

	whole[w.r.IntN(len(whole))] ^= 1 << w.r.IntN(8)
	other.eng = engine.NewMemory()
	other.open()
	require.Error(w.t, other.db.s.Restore(bytes.NewReader(whole)))
	_ = other.db.Close()
}

func lines(steps []any) (out string) {
	for _, step := range steps[max(0, len(steps)-30):] {
		out += fmt.Sprintf("  %v\n", step)
	}
	return out
}

// note remembers a step for the report of a failure.
func (w *world) note(step any) {
	w.trace = append(w.trace, step)
	if len(w.trace) > 100 {
		w.trace = w.trace[50:]
	}
}

// step runs one operation on both sides and compares the replies.
func (w *world) step(op oracle.Op, c *commands, model *oracle.DB) {
	w.note(op)
	if op.Name == "ADVANCE" {
		model.Apply(op)
		w.clock.set(model.Now)
		return
	}
	w.ran[kindOf(&op)]++
	run := w.runners[op.Name]
	require.NotNil(w.t, run, "no runner for %s", op.Name)
	got := run(c.on(op.DB), &op)
	want := model.Apply(op).Canon()
	if want.Err != "" {
		want = oracle.Result{Err: "error", Text: want.Text}
	}
	if !resultsEqual(want, got.Canon()) {
		w.t.Errorf("%s:\n want %+v\n  got %+v", op, brief(want), brief(got.Canon()))
	}
}

// on returns the commands of a database.
func (c *commands) on(db int) *commands {
	d := c.at(db)
	return &d
}

func resultsEqual(a, b oracle.Result) bool {
	return fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b)
}

func brief(r oracle.Result) string {
	s := fmt.Sprintf("%+v", r)
	return s[:min(len(s), 600)]
}

// errRollBack is what a transaction returns to be rolled back.
var errRollBack = errors.New("roll back")

// transaction runs some operations in an Update that commits, fails or panics.
func (w *world) transaction() {
	before := w.model
	inside := w.model.Clone()
	end := w.r.IntN(4)
	w.note(fmt.Sprintf("begin (end %d)", end))
	panicked := func() (p any) {
		defer func() { p = recover() }()
		err := w.db.Update(func(tx *Tx) error {
			for range 1 + w.r.IntN(12) {
				op := w.gen.Next()
				if op.Name != "ADVANCE" {
					w.step(op, &tx.commands, inside)
				}
			}
			switch end {
			case 0:
				return errRollBack
			case 1:
				panic(errRollBack)
			}
			return nil
		})
		if end == 0 {
			require.ErrorIs(w.t, err, errRollBack)
		} else {
			require.NoError(w.t, err)
		}
		return nil
	}()
	if end == 1 {
		require.Equal(w.t, errRollBack, panicked)
	} else {
		require.Nil(w.t, panicked)
	}
	if end <= 1 {
		w.model = before
	} else {
		w.model = inside
	}
	w.note("end")
}

// holdView opens a View that is checked later.
func (w *world) holdView() {
	v := &heldView{want: w.model.Dump(), check: make(chan bool), done: make(chan error, 1)}
	started := make(chan struct{})
	go func() {
		v.done <- w.db.View(func(tx *Tx) error {
			close(started)
			for {
				last := <-v.check
				got, err := dump(tx)
				if err == nil {
					if d := v.want.Diff(got); d != "" {
						err = errors.New(d)
					}
				}
				if last {
					return err
				}
				v.done <- err
			}
		})
	}()
	<-started
	w.views = append(w.views, v)
	w.note("view opened")
}

// checkView compares what an open View shows, and closes it or not.
func (w *world) checkView(i int) {
	v := w.views[i]
	last := w.r.IntN(2) == 0
	if last {
		w.views = slices.Delete(w.views, i, i+1)
	}
	v.check <- last
	if err := <-v.done; err != nil {
		w.t.Errorf("view: %v", err)
	}
	w.note("view checked")
}

// restart ends the database, at once or in order, and opens it again.
func (w *world) restart() {
	for len(w.views) > 0 {
		w.checkView(0)
	}
	if w.r.IntN(3) == 0 {
		w.note("close and open")
		require.NoError(w.t, w.db.Close())
		w.eng = w.eng.Reopen()
	} else {
		w.note("kill and open")
		w.eng = w.eng.Crash(engine.Crash{Resurrect: w.r.IntN(2) == 0})
		_ = w.db.Close()
	}
	w.open()
	w.compare()
}

// compare holds the whole content against the model's.
func (w *world) compare() {
	w.note("compare")
	err := w.db.View(func(tx *Tx) error {
		got, err := dump(tx)
		if err != nil {
			return err
		}
		if d := w.model.Dump().Diff(got); d != "" {
			return errors.New(d)
		}
		return nil
	})
	if err != nil {
		w.t.Errorf("dump: %v", err)
	}
}

// dump returns all that a transaction sees.
func dump(tx *Tx) (oracle.Dump, error) {
	all := oracle.Dump{}
	for db := range tx.databases() {
		c := tx.on(db)
		n := int64(0)
		for cursor := uint64(0); ; {
			keys, next, err := c.Scan(cursor, &ScanOptions{Count: 100})
			if err != nil {
				return nil, err
			}
			for _, key := range keys {
				if all[db] == nil {
					all[db] = map[string]oracle.Value{}
				}
				if _, twice := all[db][key]; twice {
					return nil, fmt.Errorf("db %d key %q scanned twice", db, key)
				}
				if all[db][key], err = dumpKey(c, key); err != nil {
					return nil, fmt.Errorf("db %d key %q: %w", db, key, err)
				}
				n++
			}
			if cursor = next; next == 0 {
				break
			}
		}
		size, err := c.DBSize()
		if err != nil {
			return nil, fmt.Errorf("db %d: DBSize: %w", db, err)
		}
		if size != n {
			return nil, fmt.Errorf("db %d: DBSize %d, %d keys scanned", db, size, n)
		}
	}
	return all, nil
}

// dumpKey returns the value of one key.
func dumpKey(c *commands, key string) (v oracle.Value, err error) {
	if v.Type, err = c.Type(key); err != nil {
		return v, err
	}
	err = c.read("dump", key, func(t *store.Tx) error {
		e, _, err := t.Lookup(c.db, key)
		v.Deadline = e.Deadline
		return err
	})
	if err != nil {
		return v, err
	}
	return v, dumpers()[v.Type](c, key, &v)
}

// dumpers tells how a value of each type is read as a whole.
func dumpers() map[string]func(*commands, string, *oracle.Value) error {
	all := map[string]func(*commands, string, *oracle.Value) error{
		"string": func(c *commands, key string, v *oracle.Value) (err error) {
			v.String, err = c.Get(key)
			if len(v.String) == 0 {
				v.String = nil
			}
			return err
		},
	}
	maps.Copy(all, collectionDumpers())
	maps.Copy(all, sortedDumpers())
	return all
}

// runners tells how each operation runs on the database.
func runners() map[string]func(*commands, *oracle.Op) oracle.Result {
	all := map[string]func(*commands, *oracle.Op) oracle.Result{}
	for _, family := range []map[string]func(*commands, *oracle.Op) oracle.Result{
		stringRunners(), keyRunners(), expireRunners(), hashRunners(), listRunners(), setRunners(),
		bitRunners(), zsetRunners(), streamRunners(),
	} {
		maps.Copy(all, family)
	}
	return all
}

// failed is the reply of a command that returned an error.
func failed(err error) oracle.Result { return oracle.Result{Err: "error", Text: RedisError(err)} }

func intResult[T int | int64](n T, err error) oracle.Result {
	if err != nil {
		return failed(err)
	}
	return oracle.Result{Int: int64(n)}
}

func boolResult(ok bool, err error) oracle.Result {
	n := 0
	if ok {
		n = 1
	}
	return intResult(n, err)
}

func bytesResult(b []byte, err error) oracle.Result {
	if err != nil {
		return failed(err)
	}
	return oracle.Result{Str: string(b)}
}

func okResult(err error) oracle.Result {
	if err != nil {
		return failed(err)
	}
	return oracle.Result{}
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

func keyRunners() map[string]func(*commands, *oracle.Op) oracle.Result {
	return map[string]func(*commands, *oracle.Op) oracle.Result{
		"DEL":    func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.Del(op.Keys...)) },
		"UNLINK": func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.Unlink(op.Keys...)) },
		"EXISTS": func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.Exists(op.Keys...)) },
		"TOUCH":  func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.Touch(op.Keys...)) },
		"TYPE": func(c *commands, op *oracle.Op) oracle.Result {
			name, err := c.Type(op.Key)
			return bytesResult([]byte(name), err)
		},
		"RENAME": func(c *commands, op *oracle.Op) oracle.Result { return okResult(c.Rename(op.Key, op.Dst)) },
		"COPY": func(c *commands, op *oracle.Op) oracle.Result {
			opts := []CopyOption{ToDB(op.DstDB)}
			if op.Flags.Has(oracle.Replace) {
				opts = append(opts, Replace)
			}
			return boolResult(c.Copy(op.Key, op.Dst, opts...))
		},
		"MOVE":     func(c *commands, op *oracle.Op) oracle.Result { return boolResult(c.Move(op.Key, op.DstDB)) },
		"OBJECT":   objectResult,
		"RENAMENX": func(c *commands, op *oracle.Op) oracle.Result { return boolResult(c.RenameNX(op.Key, op.Dst)) },
		"KEYS": func(c *commands, op *oracle.Op) oracle.Result {
			keys, err := c.Keys(op.Value)
			if err != nil {
				return failed(err)
			}
			slices.Sort(keys)
			return oracle.Result{List: keys}
		},
		"SCAN": func(c *commands, op *oracle.Op) oracle.Result {
			r := oracle.Result{}
			if op.Value == "" {
				op.Value = "*" // no pattern is all in Go
			}
			for key, err := range c.ScanKeys(&ScanOptions{Match: op.Value, Type: op.Field, Count: int(op.N)}) {
				if err != nil {
					return failed(err)
				}
				r.List = append(r.List, key)
			}
			slices.Sort(r.List)
			return r
		},
		"RANDOMKEY": func(c *commands, op *oracle.Op) oracle.Result {
			key, err := c.RandomKey()
			op.Field, op.Flags = key, op.Flags|oracle.Given
			return bytesResult([]byte(key), err)
		},
		"DBSIZE":   func(c *commands, _ *oracle.Op) oracle.Result { return intResult(c.DBSize()) },
		"FLUSHDB":  func(c *commands, _ *oracle.Op) oracle.Result { return okResult(c.FlushDB()) },
		"FLUSHALL": func(c *commands, _ *oracle.Op) oracle.Result { return okResult(c.FlushAll()) },
		"SWAPDB":   func(c *commands, op *oracle.Op) oracle.Result { return okResult(c.SwapDB(op.DB, op.DstDB)) },
	}
}

// envInt returns a number from the environment.
func envInt(name string, def int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return def
}

func TestModel(t *testing.T) {
	seeds, ops := sized(4, 2), envInt("OPS", sized(4000, 2000))
	first := uint64(rand.Uint32())
	if s := envInt("SEED", 0); s != 0 {
		seeds, first = 1, uint64(s)
	}
	if os.Getenv("BROCK_SOAK") != "" {
		seeds, ops = 200, 20_000
	}
	ran := map[string]int{}
	run := func(t *testing.T, seed uint64, opts store.Options, disk bool) {
		t.Helper()
		w := newWorld(t, seed, opts, disk)
		w.run(ops)
		for kind, n := range w.ran {
			ran[kind] += n
		}
	}
	for i := range seeds {
		seed := first + uint64(i)
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Run("memory", func(t *testing.T) { run(t, seed, store.Options{}, false) })
			t.Run("disk", func(t *testing.T) { run(t, seed, store.Options{}, true) })
			t.Run("budget", func(t *testing.T) { run(t, seed, store.Options{MemoryBudget: 256 << 10}, true) })
		})
	}
	if 3*seeds*ops >= 40_000 && !t.Failed() { // fewer may leave out what is seldom
		requireAllRan(t, ran)
	}
}
