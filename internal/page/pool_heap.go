//go:build !unix || race || invariants

package page

// mapMemory returns size zero bytes from the Go heap, aligned to 16 as every
// large object is. They hold no pointers: the collector does not scan them.
func mapMemory(size int) ([]byte, error) { return make([]byte, size), nil }

// askHuge does nothing: the Go heap is the runtime's.
func askHuge([]byte) {}

// touch does nothing, either.
func touch([]byte) {}

// unmapMemory leaves mem to the garbage collector.
func unmapMemory([]byte) error { return nil }
