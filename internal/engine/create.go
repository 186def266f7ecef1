package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// unfinishedName is a file in a directory that is being filled. Who finds it
// there without an owner sees what a crash has left.
const unfinishedName = "UNFINISHED"

// Unfinished is an [Engine] in a directory that is being filled: until Finish
// nobody can open it, also after a crash.
type Unfinished struct {
	*dirEngine
	made []string // directories that Create has made, the deepest first
}

// Create opens the engine in a directory that is empty or does not exist, to
// have it filled. Close comes next, then either Finish or Discard. A directory
// that is not empty is fs.ErrExist.
func Create(dir string, options Options) (*Unfinished, error) {
	o := options.withDefaults()
	u := &Unfinished{dirEngine: &dirEngine{fs: o.FS, dir: dir}}
	err := u.makeDirs()
	if err == nil {
		err = u.checkEmpty()
	}
	if err == nil {
		u.lock, err = lockDir(filepath.Join(dir, lockName))
	}
	if err != nil {
		return nil, errors.Join(err, u.removeDirs())
	}
	if err := u.checkEmpty(); err != nil { // since nobody else can fill it
		return nil, errors.Join(err, u.Close())
	}
	err = writeFile(o.FS, filepath.Join(dir, unfinishedName), nil)
	if err == nil {
		err = u.openParts(o)
	}
	if err != nil {
		return nil, errors.Join(err, u.Close(), u.Discard())
	}
	return u, nil
}

// makeDirs creates the directory, and notes which there were not.
func (u *Unfinished) makeDirs() error {
	for d := u.dir; ; d = filepath.Dir(d) {
		if _, err := u.fs.Stat(d); !errors.Is(err, fs.ErrNotExist) || d == filepath.Dir(d) {
			break
		}
		u.made = append(u.made, d)
	}
	return makeDir(u.fs, u.dir)
}

// checkEmpty refuses a directory that holds more than a lock.
func (u *Unfinished) checkEmpty() error {
	entries, err := u.fs.ReadDir(u.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != lockName {
			return fmt.Errorf("it is not empty but holds %s: %w", e.Name(), fs.ErrExist)
		}
	}
	return nil
}

// Finish durably makes the directory one that Open opens.
func (u *Unfinished) Finish() error {
	if err := u.fs.Remove(filepath.Join(u.dir, unfinishedName)); err != nil {
		return err
	}
	return u.fs.SyncDir(u.dir)
}

// Discard removes all that the engine has left, and the directories that Create
// has made.
func (u *Unfinished) Discard() error {
	for _, name := range []string{
		baseName, logName, confName, confName + tempSuffix, formatName, formatName + tempSuffix,
		unfinishedName + tempSuffix, unfinishedName, lockName, // last, so that until then nobody can open it
	} {
		if err := os.RemoveAll(filepath.Join(u.dir, name)); err != nil {
			return err
		}
	}
	return u.removeDirs()
}

// removeDirs removes the directories that Create has made.
func (u *Unfinished) removeDirs() error {
	for _, d := range u.made {
		if err := removeIfThere(u.fs, d); err != nil {
			return err
		}
	}
	return nil
}

// checkFinished refuses a directory whose filling was cut short.
func (e *dirEngine) checkFinished() error {
	_, err := e.fs.Stat(filepath.Join(e.dir, unfinishedName))
	switch {
	case err == nil:
		return fmt.Errorf("its restore was never finished, so that data are missing: %w", ErrCorrupt)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	default:
		return err
	}
}
