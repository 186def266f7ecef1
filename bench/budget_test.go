package bench_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/bench/internal/measure"
)

const (
	// listLength is the number of elements of each of the lists that go beyond
	// the budget.
	listLength = 50
	// valueSize is the size of the strings that do.
	valueSize = 1000
)

// budget is the MemoryBudget of databases three times larger.
func budget() int64 {
	if testing.Short() {
		return 32 << 20
	}
	return 100 << 20
}

// BenchmarkSustainedBudget works in a child on a database three times larger
// than its memory budget, kills it with what the log then has, and opens the
// database in a second child. Target: RssAnon at most 1.25 times the budget and
// 64 MB, so that of-limit is at most 1, of both.
func BenchmarkSustainedBudget(b *testing.B) {
	for _, c := range []struct {
		kind string
		size int // of a value or list
	}{
		{"values", valueSize},
		{"lists", listLength * measure.ValueSize},
	} {
		n := int(3 * budget() / int64(c.size))
		b.Run(fmt.Sprintf("kind=%s/n=%d/budget=%d/mode=everysecond", c.kind, n, budget()), func(b *testing.B) {
			for b.Loop() {
				dir := b.TempDir()
				beyondBudget(b, "working", dir, c.kind, n)
				beyondBudget(b, "recovered", dir, c.kind, n)
			}
		})
	}
}

// peak is what a child beyond its budget tells.
type peak struct {
	Loading  int64 // RssAnon at its highest
	Working  int64
	Ops      int
	Took     time.Duration
	LogBytes int64
	Loads    int64
}

// beyondBudget runs a child that works for a while, kills it, and reports.
func beyondBudget(b *testing.B, phase, dir, kind string, n int) {
	b.Helper()
	child, err := measure.StartChild("budget", dir, kind, n, budget(), min(sustained(), 20*time.Second))
	require.NoError(b, err)
	var p peak
	require.NoError(b, child.Read(&p))
	require.NoError(b, child.Kill())
	limit := 1.25*float64(budget()) + 64e6
	b.ReportMetric(float64(max(p.Loading, p.Working))/limit, phase+"-of-limit")
	b.Logf("%s: RssAnon at most %.0f MB while opening or loading, %.0f MB at work (want <= %.0f); %.1f k/s, %d loads, %.0f MB of log",
		phase, megabytes(p.Loading), megabytes(p.Working), limit/1e6,
		float64(p.Ops)/p.Took.Seconds()/1e3, p.Loads, megabytes(p.LogBytes))
}

// budgetRole is the child: it opens the directory args[0] with the budget
// args[3], loads args[2] values or lists if there are none, and works on them
// for args[4].
func budgetRole(args []string) error {
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	bytes, err := strconv.ParseInt(args[3], 10, 64)
	if err != nil {
		return err
	}
	span, err := time.ParseDuration(args[4])
	if err != nil {
		return err
	}
	kind := beyond(values{measure.Value(valueSize)})
	if args[1] == "lists" {
		kind = lists{slices.Repeat([][]byte{measure.Value(measure.ValueSize)}, listLength)}
	}
	p, err := workBeyond(args[0], kind, n, bytes, span)
	if err != nil {
		return err
	}
	if err := measure.Tell(p); err != nil {
		return err
	}
	measure.AwaitParent()
	return nil
}

// workBeyond is budgetRole's work. The database stays open.
func workBeyond(dir string, kind beyond, n int, budget int64, span time.Duration) (p peak, err error) {
	var db *brock.DB
	p.Loading, err = highest(func() error {
		var err error
		if db, err = brock.Open(dir, &brock.Options{MemoryBudget: budget}); err != nil {
			return err
		}
		size, err := db.DBSize()
		if err != nil || size == int64(n) {
			return err
		}
		return inGroups(db, n, kind.load)
	})
	if err != nil {
		return p, err
	}
	begin, random := time.Now(), measure.Rand(3)
	fullest := int64(0)
	p.Working, err = highest(func() error {
		for {
			p.LogBytes, p.Took = db.Stats().LogBytes, time.Since(begin)
			fullest = max(fullest, p.LogBytes)
			if p.Took > span && p.LogBytes >= fullest/10*9 || p.Took > 3*span {
				return nil // with a log that is as good as full
			}
			for range group {
				if err := kind.work(db, measure.Key(random.IntN(n)), random); err != nil {
					return err
				}
			}
			p.Ops += group
		}
	})
	p.Loads = db.Stats().Loads
	return p, err
}

// highest runs fn and returns the highest RssAnon meanwhile.
func highest(fn func() error) (high int64, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var failed error
	wg.Go(func() {
		measure.Every(ctx, 20*time.Millisecond, func() {
			rss, err := supported(measure.RssAnon(os.Getpid()))
			if err != nil {
				failed = err
			}
			high = max(high, rss)
		})
	})
	err = fn()
	cancel()
	wg.Wait()
	return high, errors.Join(err, failed)
}

// beyond is a kind of data that does not fit.
type beyond interface {
	load(p *brock.Pipe, key string) error
	// work reads or changes one of the keys, and checks what it can.
	work(db *brock.DB, key string, random *rand.Rand) error
}

// values are strings that are read and replaced.
type values struct{ value []byte }

func (v values) load(p *brock.Pipe, key string) error { return p.Set(key, v.value) }

func (v values) work(db *brock.DB, key string, random *rand.Rand) error {
	if random.IntN(2) == 0 {
		return db.Set(key, v.value)
	}
	value, err := db.Get(key)
	if err == nil && len(value) != len(v.value) {
		err = fmt.Errorf("get %s: %d bytes", key, len(value))
	}
	return err
}

// lists are lists that are read and turned.
type lists struct{ elements [][]byte }

func (l lists) load(p *brock.Pipe, key string) error {
	_, err := p.RPush(key, l.elements...)
	return err
}

func (l lists) work(db *brock.DB, key string, random *rand.Rand) error {
	if random.IntN(2) == 0 {
		return db.Update(func(tx *brock.Tx) error {
			element, err := tx.LPop(key)
			if err != nil {
				return err
			}
			_, err = tx.RPush(key, element)
			return err
		})
	}
	elements, err := db.LRange(key, 0, -1)
	if err == nil && len(elements) != len(l.elements) {
		err = fmt.Errorf("lrange %s: %d elements", key, len(elements))
	}
	return err
}
