package main

import (
	"errors"
	"fmt"
	"io/fs"

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

// reason returns what a system call failed with, without its name and path,
// which the caller tells.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// advise adds to an error that a directory gave what to do about it.
func advise(dir string, err error) error {
	var do string
	switch {
	case err == nil:
		return nil
	case errors.Is(err, brock.ErrLocked):
		do = "stop that process, or name another directory"
	case errors.Is(err, brock.ErrFormat):
		do = "name a directory of Brock's, or an empty one, and never keep other files in it"
	case errors.Is(err, brock.ErrCorrupt):
		do = fmt.Sprintf("see brock check %s, and restore a backup", dir)
	case errors.Is(err, fs.ErrPermission):
		do = "give this user the right to read and write it, or name another directory"
	case errors.Is(err, fs.ErrNotExist):
		do = "name a directory that exists"
	case errors.Is(err, brock.ErrNoSpace):
		do = "free space on its device"
	case errors.Is(err, brock.ErrDurability):
		do = "choose --durability everysecond or relaxed"
	default:
		return err
	}
	return fmt.Errorf("%w: %s", err, do)
}
