//go:build unix && !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package engine

import (
	"errors"
	"os"
)

// lockFile refuses: this platform has no lock that ends with its owner.
func lockFile(*os.File) (bool, error) { return false, errors.ErrUnsupported }
