package engine

import (
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// isNoSpace tells whether err says that a device is full.
func isNoSpace(err error) bool {
	return isErrno(err, windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL)
}

// syncDir does nothing: NTFS logs changes of a directory by itself and offers
// no call that would wait for it.
func syncDir(string) error { return nil }

// freeSpace returns the bytes that this user may still write to the volume of
// a directory.
func freeSpace(name string) (int64, error) {
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(path, &free, nil, nil); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", name, err)
	}
	return clampFree(free, 1), nil
}

// syncData makes f durable.
func syncData(f *os.File) error { return f.Sync() }

// syncMapped does nothing. A view of ours would not reach what Badger has
// written through its own: see powerSafe.
func syncMapped(File) error { return nil }

// allocated returns the bytes that a file takes on its device.
func allocated(info fs.FileInfo) int64 { return info.Size() }

// powerSafe is what [Engine.PowerSafe] of a directory tells. Badger writes
// through mapped memory, which it does not flush on this platform, and nobody
// else can.
const powerSafe = false
