//go:build unix

package resp

import (
	"syscall"
	"time"
)

// cpuTimes returns how long the process has run in its own code and in the
// kernel's.
func cpuTimes() (user, system time.Duration, ok bool) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, 0, false
	}
	return time.Duration(usage.Utime.Nano()), time.Duration(usage.Stime.Nano()), true
}
