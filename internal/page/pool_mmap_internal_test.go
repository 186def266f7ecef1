//go:build linux && !race && !invariants

package page

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// TestPoolHugePages has large classes ask for huge pages, but not the one of
// parts of strings.
func TestPoolHugePages(t *testing.T) {
	_, err := os.Stat("/sys/kernel/mm/transparent_hugepage")
	known := err == nil
	for _, c := range []struct {
		size int
		huge bool
	}{{8000, known}, {chunkBytes, false}} {
		p := newTestPool(t)
		for range 20_000 {
			p.Alloc(c.size)
		}
		last := p.slabs[len(p.slabs)-1].mem
		require.Len(t, last, hugeSlab)
		require.Equal(t, c.huge, asksHuge(t, uintptr(unsafe.Pointer(&last[0]))), c.size)
	}
}

// asksHuge tells whether huge pages were asked for at an address.
func asksHuge(t *testing.T, at uintptr) bool {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	in := false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var from, to uintptr
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x ", &from, &to); n == 2 {
			in = from <= at && at < to
		}
		if flags, ok := strings.CutPrefix(lines.Text(), "VmFlags:"); ok && in {
			return strings.Contains(flags+" ", " hg ")
		}
	}
	require.FailNow(t, "no mapping")
	return false
}
