//go:build !unix

package resp

import "math"

// clientRoom returns how many clients the process can have.
func clientRoom() int64 { return math.MaxInt32 }
