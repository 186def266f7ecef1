//go:build linux || darwin || freebsd

package engine

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// freeSpace returns the bytes that an unprivileged process may still write to
// the file system of a directory.
func freeSpace(name string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(name, &st); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", name, err)
	}
	if int64(st.Bavail) < 0 { // on FreeBSD, where root's reserve counts
		return 0, nil
	}
	return clampFree(uint64(st.Bavail), uint64(st.Bsize)), nil //nolint:unconvert // the types differ by platform
}
