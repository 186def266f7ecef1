package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/brockdb/brock"
)

// explained is an error in other words.
type explained struct {
	text string
	err  error
}

// Error implements error.
func (e *explained) Error() string { return e.text }

// Unwrap returns the error.
func (e *explained) Unwrap() error { return e.err }

// reason returns what a system call failed with, without its name and paths,
// which the caller tells.
func reason(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// forbidden tells whether the user may not do what was tried.
func forbidden(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// advise adds to an error that a directory gave what to do about it.
func advise(dir string, err error) error {
	if err == nil {
		return nil
	}
	if info, e := os.Stat(dir); e == nil && !info.IsDir() {
		return &explained{dir + " is no directory: name one", err}
	}
	var do string
	switch {
	case errors.Is(err, brock.ErrLocked):
		do = "stop that process, or name another directory"
	case errors.Is(err, brock.ErrFormat):
		do = "name a directory of Brock's, or an empty one, and never keep other files in it"
	case errors.Is(err, brock.ErrCorrupt):
		do = fmt.Sprintf("see brock check %s, and restore a backup", dir)
	case forbidden(err):
		do = "give this user the right to read and write it, or name another directory"
	case errors.Is(err, fs.ErrNotExist):
		do = "name a directory that exists"
	case errors.Is(err, syscall.ENOTDIR):
		do = "name a path on which nothing but directories stands"
	case errors.Is(err, brock.ErrNoSpace):
		do = "free space on its device"
	case errors.Is(err, brock.ErrDurability):
		do = "choose --durability everysecond or relaxed"
	default:
		return err
	}
	return fmt.Errorf("%w: %s", err, do)
}

// adviseRead says what to do where a file cannot be read: what its caller says,
// unless the user may not read it.
func adviseRead(err error, do string) error {
	if forbidden(err) {
		do = "give this user the right to read it"
	}
	return fmt.Errorf("%w: %s", reason(err), do)
}

// adviseFile says what to do where a file cannot be written.
func adviseFile(err error) error {
	var do string
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		do = "name a file in a directory that exists"
	case errors.Is(err, syscall.EISDIR):
		do = "name a file in it"
	case forbidden(err):
		do = "name a file in a directory that this user may write"
	case errors.Is(err, syscall.ENOSPC):
		do = "free space on its device"
	default:
		do = "name another file"
	}
	return fmt.Errorf("%w: %s", reason(err), do)
}
