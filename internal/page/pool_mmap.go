//go:build unix && !race && !invariants

package page

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// MADV_HUGEPAGE and MADV_POPULATE_WRITE, which x/sys names on Linux only.
const (
	adviseHuge     = 14
	advisePopulate = 23
)

// mapMemory maps size bytes of zeroes. A huge slab is aligned to its size.
func mapMemory(size int) ([]byte, error) {
	length := uintptr(size)
	if size == hugeSlab {
		length += hugeSlab
	}
	base, err := unix.MmapPtr(-1, 0, nil, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, err
	}
	if size == hugeSlab {
		base = align(base)
	}
	return unsafe.Slice((*byte)(base), size), nil
}

// askHuge asks the system to use huge pages for a huge slab, which it does if it
// has them.
func askHuge(mem []byte) {
	if runtime.GOOS == "linux" {
		_ = unix.Madvise(mem, adviseHuge) // a kernel without huge pages refuses
	}
}

// touch has the system give its pages to mem now, which holds nothing yet.
func touch(mem []byte) {
	if runtime.GOOS == "linux" && unix.Madvise(mem, advisePopulate) == nil {
		return
	}
	for i := 0; i < len(mem); i += 4 << 10 {
		mem[i] = 0
	}
}

// align cuts a mapping of two huge slabs down to the one that is aligned.
func align(base unsafe.Pointer) unsafe.Pointer {
	head := (hugeSlab - uintptr(base)%hugeSlab) % hugeSlab
	aligned := unsafe.Add(base, head)
	if head > 0 {
		_ = unix.MunmapPtr(base, head) // on failure it costs address space only
	}
	_ = unix.MunmapPtr(unsafe.Add(aligned, hugeSlab), hugeSlab-head)
	return aligned
}

// unmapMemory returns what mapMemory gave.
func unmapMemory(mem []byte) error {
	if len(mem) == 0 {
		return nil
	}
	return unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(mem)), uintptr(len(mem)))
}
