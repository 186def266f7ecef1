//go:build unix

package resp

import (
	"math"
	"os"
	"syscall"
)

// clientRoom returns how many clients the process has file descriptors for: what
// is left of its limit (ulimit -n), but for a quarter, at least 32, which the
// database opens files with.
func clientRoom() int64 {
	var limit syscall.Rlimit
	open, err := os.ReadDir("/dev/fd")
	if err != nil || syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || limit.Cur > math.MaxInt32 {
		return math.MaxInt32
	}
	most := int64(limit.Cur)
	return max(most-max(most/4, 32)-int64(len(open)), 1)
}
