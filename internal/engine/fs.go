package engine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// FS is what the drivers need of a file system. [OSFS] is the real one,
// [MemFS] one in memory that forgets what was not synced, and [FaultFS] a layer
// over either. Names are paths as package filepath makes them.
type FS interface {
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	MkdirAll(name string, perm fs.FileMode) error
	ReadDir(name string) ([]fs.DirEntry, error)
	Remove(name string) error
	Rename(from, to string) error
	Stat(name string) (fs.FileInfo, error)

	// SyncDir makes the entries of a directory durable: files that were
	// created in it, renamed or removed. Syncing a file does not.
	SyncDir(name string) error

	// Free returns the bytes that an unprivileged process may still write to
	// the file system of a directory, or a very large number if it is unknown.
	Free(name string) (int64, error)
}

// File is an open file of an [FS].
type File interface {
	io.Closer
	io.ReaderAt
	io.WriterAt

	Size() (int64, error)
	Truncate(size int64) error

	// Sync makes contents and size durable.
	Sync() error

	// SyncData is a Sync that may leave out what reading the contents back
	// does not need, such as the time of the last change.
	SyncData() error
}

// OSFS is the operating system's file system.
type OSFS struct{}

// OpenFile implements [FS].
func (OSFS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, noSpace(err)
	}
	return osFile{f}, nil
}

// MkdirAll implements [FS].
func (OSFS) MkdirAll(name string, perm fs.FileMode) error { return noSpace(os.MkdirAll(name, perm)) }

// ReadDir implements [FS].
func (OSFS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// Remove implements [FS].
func (OSFS) Remove(name string) error { return os.Remove(name) }

// Rename implements [FS].
func (OSFS) Rename(from, to string) error { return noSpace(os.Rename(from, to)) }

// Stat implements [FS].
func (OSFS) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// SyncDir implements [FS].
func (OSFS) SyncDir(name string) error { return syncDir(name) }

// Free implements [FS].
func (OSFS) Free(name string) (int64, error) { return freeSpace(name) }

// osFile is an open file of [OSFS].
type osFile struct{ *os.File }

// Size implements [File].
func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// WriteAt implements [File].
func (f osFile) WriteAt(b []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(b, off)
	return n, noSpace(err)
}

// Sync implements [File]. Package os uses F_FULLFSYNC on Darwin and
// FlushFileBuffers on Windows.
func (f osFile) Sync() error { return noSpace(f.File.Sync()) }

// SyncData implements [File].
func (f osFile) SyncData() error { return noSpace(syncData(f.File)) }

// noSpace adds [ErrNoSpace] to an error that says that a device or quota is
// full.
func noSpace(err error) error {
	if err == nil || errors.Is(err, ErrNoSpace) || !isNoSpace(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrNoSpace, err)
}

// isErrno tells whether err is one of the given error numbers.
func isErrno(err error, numbers ...syscall.Errno) bool {
	var no syscall.Errno
	if !errors.As(err, &no) {
		return false
	}
	return slices.Contains(numbers, no)
}

// readFile returns the contents of a file, of which it reads at most limit
// bytes.
func readFile(fsys FS, name string, limit int64) (data []byte, err error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()

	return io.ReadAll(io.NewSectionReader(f, 0, limit))
}

// writeFile puts a file in place at once and durably: after a crash it has
// either its former contents or the new ones.
func writeFile(fsys FS, name string, data []byte) error {
	temp := name + tempSuffix
	if err := writeTemp(fsys, temp, data); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", temp, err), removeIfThere(fsys, temp))
	}
	if err := fsys.Rename(temp, name); err != nil {
		return err
	}
	return fsys.SyncDir(filepath.Dir(name))
}

// tempSuffix ends the names of files that are not yet in place. What has it at
// Open was left by a crash.
const tempSuffix = ".tmp"

// writeTemp writes and syncs a new file.
func writeTemp(fsys FS, name string, data []byte) (err error) {
	f, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, filePerm)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()

	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	return f.Sync()
}

// removeIfThere removes a file that may be absent.
func removeIfThere(fsys FS, name string) error {
	if err := fsys.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// The permissions of what the drivers create: the owner's alone, as with
// databases elsewhere.
const (
	filePerm fs.FileMode = 0o600
	dirPerm  fs.FileMode = 0o700
)

// clampFree returns blocks * size, or the largest number if that is smaller.
func clampFree(blocks, size uint64) int64 {
	if size != 0 && blocks > math.MaxInt64/size {
		return math.MaxInt64
	}
	return int64(blocks * size)
}
