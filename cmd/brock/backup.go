package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/brockdb/brock"
)

// backupCommand writes a backup.
type backupCommand struct {
	From            string   `arg:"" name:"dir|addr" help:"Directory of a database that nobody has open, or HOST:PORT of a running server."`
	File            string   `arg:"" help:"Where to write: a file, which comes into place once it is complete, or - for standard output."`
	RequirepassFile passFile `name:"requirepass-file" placeholder:"FILE" help:"File with the password of the server."`
}

// Run does it.
func (c *backupCommand) Run(ctx context.Context, p process) error {
	source, err := c.source(ctx)
	if err != nil {
		return err
	}
	if c.File == "-" {
		return source(p.stdout)
	}
	if within(c.File, c.From) {
		return fmt.Errorf("backup to %s: it is in the directory of the database: name a file outside of %s", c.File, c.From)
	}
	if err := writeFile(c.File, source); err != nil {
		return fmt.Errorf("backup to %s: %w", c.File, err)
	}
	return nil
}

// source returns what writes the backup.
func (c *backupCommand) source(ctx context.Context) (func(io.Writer) error, error) {
	info, err := os.Stat(c.From)
	if err == nil && info.IsDir() {
		return func(w io.Writer) error { return advise(c.From, backupDir(c.From, w)) }, nil
	}
	_, port, notAddr := net.SplitHostPort(c.From)
	if _, bad := strconv.ParseUint(port, 10, 16); notAddr != nil || bad != nil {
		if err == nil {
			err = errors.New("it is a file")
		}
		return nil, fmt.Errorf("%s is neither a directory, %w, nor HOST:PORT: name one of them", c.From, reason(err))
	}
	pass, err := c.RequirepassFile.read()
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error { return backupServer(ctx, c.From, pass, w) }, nil
}

// within tells whether a file is, or would be, in a directory or below it. It
// asks the system for parents, which knows where links lead.
func within(file, dir string) bool {
	outer, err := os.Stat(dir)
	if err != nil {
		return false // it is an address
	}
	at := file
	if info, err := os.Stat(file); err != nil || !info.IsDir() {
		at = filepath.Dir(file)
	}
	for below := fs.FileInfo(nil); ; at += string(filepath.Separator) + ".." {
		info, err := os.Stat(at)
		switch {
		case err != nil, below != nil && os.SameFile(info, below): // above the root is the root
			return false
		case os.SameFile(info, outer):
			return true
		}
		below = info
	}
}

// backupDir writes a backup of a directory.
func backupDir(dir string, w io.Writer) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) == 0 { // Open would make a database of it
		return fmt.Errorf("%s is empty: %w", dir, brock.ErrFormat)
	}
	db, err := brock.Open(dir, nil)
	if err != nil {
		return err
	}
	return errors.Join(db.Backup(w), db.Close())
}

// writeFile puts a file in place once fill has written it and it is durable.
func writeFile(name string, fill func(io.Writer) error) (err error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return adviseFile(syscall.EISDIR)
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".tmp*")
	if err != nil {
		return adviseFile(err)
	}
	defer func() {
		if err != nil {
			_ = f.Close() // it may be closed
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	w := bufio.NewWriterSize(advisedFile{f}, 256<<10)
	if err := fill(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := place(f, name); err != nil {
		return adviseFile(err)
	}
	return nil
}

// advisedFile is a file that says what to do when it cannot be written.
type advisedFile struct{ f *os.File }

// Write implements [io.Writer].
func (a advisedFile) Write(b []byte) (int, error) {
	n, err := a.f.Write(b)
	if err != nil {
		err = adviseFile(err)
	}
	return n, err
}

// place puts a temporary file in its place, durably.
func place(f *os.File, name string) error {
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// openFile opens a file to read it, and refuses a directory.
func openFile(name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.Join(syscall.EISDIR, f.Close())
	}
	return f, nil
}

// restoreCommand reads a backup.
type restoreCommand struct {
	File string `arg:"" help:"File with a backup, or - for standard input."`
	Dir  string `arg:"" help:"Directory to make the database in. It is empty, or there is none."`
}

// Run does it.
func (c *restoreCommand) Run(p process) error {
	in := p.stdin
	if c.File != "-" {
		f, err := openFile(c.File)
		if err != nil {
			return fmt.Errorf("no backup in %s: %w", c.File, adviseRead(err, "name one that brock backup has written"))
		}
		defer func() { _ = f.Close() }() // it was only read
		in = f
	}
	err := brock.Restore(in, c.Dir)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s is not empty: name another directory, or remove what is in it", c.Dir)
	case errors.Is(err, brock.ErrFormat), errors.Is(err, brock.ErrCorrupt):
		return fmt.Errorf("%s: %w: use another backup", c.File, err)
	}
	return advise(c.Dir, err)
}
