package bench_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/bench/internal/measure"
)

// group is the number of commands in a Pipelined.
const group = 256

func TestMain(m *testing.M) {
	code, ran := measure.Role(roles())
	if !ran {
		code = m.Run()
	}
	os.Exit(code)
}

// sizes are the numbers of keys that benchmarks of memory run with.
func sizes() []int {
	if testing.Short() {
		return []int{1e3, 1e5}
	}
	return []int{1e3, 1e5, 5e6}
}

// manyKeys is the number of keys of a large database: 5 M, or what BROCK_KEYS
// says.
func manyKeys() int {
	if testing.Short() {
		return measure.Count("BROCK_KEYS", 1e5)
	}
	return measure.Count("BROCK_KEYS", 5e6)
}

// openMemory returns an empty database in memory, which the end of the
// benchmark closes.
func openMemory(tb testing.TB) *brock.DB {
	tb.Helper()
	db, err := brock.OpenMemory(nil)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db
}

// fill sets the keys of the numbers below n.
func fill(db *brock.DB, n int, value []byte) error {
	return inGroups(db, n, func(p *brock.Pipe, key string) error { return p.Set(key, value) })
}

// inGroups runs fn for the keys of the numbers below n, with one wait for each
// group of them.
func inGroups(db *brock.DB, n int, fn func(p *brock.Pipe, key string) error) error {
	for at := 0; at < n; at += group {
		err := db.Pipelined(func(p *brock.Pipe) error {
			for i := at; i < min(at+group, n); i++ {
				if err := fn(p, measure.Key(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("keys from %d on: %w", at, err)
		}
	}
	return nil
}

// drawn returns random ones of n keys to walk through: enough of them that no
// branch predictor learns their order.
func drawn(n int) measure.Keys { return measure.Draw(max(n, 1<<16), n, 1) }

// settle collects garbage of what went before, so that it does not count.
func settle() {
	runtime.GC()
	debug.FreeOSMemory()
}

// together runs fn in n goroutines at once and waits for them.
func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
}

// cost is what work took by the clock, and of processors: on a machine that
// others use, too, the latter is the steadier one.
type cost struct{ wall, cpu time.Duration }

// add adds what fn takes.
func (c *cost) add(tb testing.TB, fn func()) {
	tb.Helper()
	before, begin := cpu(tb), time.Now()
	fn()
	c.wall += time.Since(begin)
	c.cpu += cpu(tb) - before
}

// over returns c as a share of what other took, by the clock and of processors.
func (c cost) over(other cost) (wall, cpu float64) {
	return ratio(c.wall.Seconds(), other.wall.Seconds()), ratio(c.cpu.Seconds(), other.cpu.Seconds())
}

// per returns the nanoseconds of d for each of n.
func per(d time.Duration, n int) float64 { return float64(d.Nanoseconds()) / float64(n) }

// megabytes returns n bytes in MB.
func megabytes(n int64) float64 { return float64(n) / 1e6 }

// cpu returns the processor time that this process has used, 0 where that is
// unknown.
func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	d, err := measure.CPU()
	if !errors.Is(err, errors.ErrUnsupported) {
		require.NoError(tb, err)
	}
	return d
}

// ratio returns a/b, 0 where b is unknown.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
