//go:build unix

package engine

import (
	"errors"
	"os"
	"syscall"
)

// isNoSpace tells whether err says that a device or quota is full.
func isNoSpace(err error) bool { return isErrno(err, syscall.ENOSPC, syscall.EDQUOT) }

// syncDir makes the entries of a directory durable.
func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
