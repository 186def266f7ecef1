//go:build !unix

package resp

import "time"

// cpuTimes knows nothing here.
func cpuTimes() (user, system time.Duration, ok bool) { return 0, 0, false }
