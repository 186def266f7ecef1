package engine

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData makes the contents of f durable, its size if that has changed, but
// not its times. Segments are filled with zeroes ahead, so this saves the write
// of the inode.
func syncData(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var syncErr error
	err = conn.Control(func(fd uintptr) {
		for {
			syncErr = unix.Fdatasync(int(fd))
			if syncErr != unix.EINTR {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return os.NewSyscallError("fdatasync", syncErr)
}

// syncMapped does nothing: fsync reaches what was written through mapped memory.
func syncMapped(File) error { return nil }
