package compare_test

import (
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/brockdb/brock/bench/internal/measure"
)

// group is the number of commands in a pipeline.
const group = 256

func TestMain(m *testing.M) {
	code, ran := measure.Role(map[string]func(args []string) error{"resident": residentRole})
	if !ran {
		code = m.Run()
	}
	os.Exit(code)
}

// keyCount is the number of keys of a database: def, or what BROCK_KEYS says.
func keyCount(def int) int {
	if testing.Short() {
		def = 1e5
	}
	return measure.Count("BROCK_KEYS", def)
}

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

// per returns the nanoseconds of d for each of n.
func per(d time.Duration, n int) float64 { return float64(d.Nanoseconds()) / float64(n) }

// ratio returns a/b, 0 where b is unknown.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
