//go:build !linux

package engine

import "os"

// syncData makes f durable as a whole: cheaper calls are missing here, or do
// not reach the device (fsync on Darwin without F_FULLFSYNC, which os uses).
func syncData(f *os.File) error { return f.Sync() }
