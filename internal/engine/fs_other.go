//go:build unix && !linux

package engine

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncData makes f durable as a whole: cheaper calls are missing here, or do
// not reach the device (fsync on Darwin without F_FULLFSYNC, which os uses).
func syncData(f *os.File) error { return f.Sync() }

// syncMapped writes back what was written to the file through mapped memory,
// whoever mapped it. Not every fsync does.
func syncMapped(f File) error {
	file, ok := f.(interface{ Fd() uintptr })
	if !ok {
		return nil
	}
	size, err := f.Size()
	if err != nil || size == 0 {
		return err
	}
	b, err := unix.Mmap(int(file.Fd()), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	return errors.Join(os.NewSyscallError("msync", unix.Msync(b, unix.MS_SYNC)), os.NewSyscallError("munmap", unix.Munmap(b)))
}
