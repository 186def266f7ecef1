//go:build unix

package engine

import (
	"errors"
	"io/fs"
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

// allocated returns the bytes that a file takes on its device.
func allocated(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int64(st.Blocks) * 512 //nolint:unconvert // the type differs by platform
	}
	return info.Size()
}

// powerSafe is what [Engine.PowerSafe] of a directory tells.
const powerSafe = true
