package engine

import (
	"errors"
	"io/fs"
	"sync"
)

// Op names an operation that an [Injector] can make fail.
type Op string

// The operations of a [FaultFS] and of the seam, in the words of their methods.
const (
	OpOpen     Op = "open"
	OpWriteAt  Op = "write"
	OpSync     Op = "sync" // of a file
	OpTruncate Op = "truncate"
	OpSyncDir  Op = "sync directory"
	OpRename   Op = "rename"
	OpRemove   Op = "remove"

	OpLogAppend    Op = "log append"
	OpLogSync      Op = "log sync"
	OpLogTruncate  Op = "log truncate"
	OpBaseWrite    Op = "base write"
	OpBaseComplete Op = "base complete"
	OpBaseSweep    Op = "base sweep"
	OpBaseTidy     Op = "base tidy"
	OpBaseGet      Op = "base get"
)

// ErrInjected is the default error of a [Fault].
var ErrInjected = errors.New("engine: injected fault")

// ErrCrashed is what everything fails with after a [Fault] that crashes.
var ErrCrashed = errors.New("engine: crashed")

// Fault is what happens to an operation. The zero value lets it be.
type Fault struct {
	Err   error // what it returns; ErrInjected if Short or After is set without
	Short int   // bytes that a failing write still writes
	After bool  // the operation is done first, and its caller told that it failed
	Crash bool  // all later operations fail with ErrCrashed and do nothing
}

// Injector decides which operations of the layers attached to it fail. All of
// them count together, so that a test can try every position in turn. Its
// methods may be called from any goroutine.
type Injector struct {
	mu      sync.Mutex
	decide  func(op Op, nth, total int) Fault
	count   map[Op]int
	total   int
	crashed bool
}

// NewInjector returns an injector that asks decide about each operation: nth
// counts the operations of this kind, total all of them, both from 1. Decide
// must not call the injector; a nil one lets everything be.
func NewInjector(decide func(op Op, nth, total int) Fault) *Injector {
	return &Injector{decide: decide, count: make(map[Op]int)}
}

// FailNth returns an injector that gives the nth operation of a kind a fault.
func FailNth(op Op, n int, f Fault) *Injector {
	return NewInjector(func(o Op, nth, _ int) Fault {
		if o == op && nth == n {
			return f
		}
		return Fault{}
	})
}

// CrashAt returns an injector that crashes at the n-th operation of all, before
// it is done or after.
func CrashAt(n int, after bool) *Injector {
	return NewInjector(func(_ Op, _, total int) Fault {
		if total != n {
			return Fault{}
		}
		return Fault{Crash: true, After: after}
	})
}

// Total returns how many operations there have been.
func (in *Injector) Total() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.total
}

// Crashed tells whether a fault has crashed.
func (in *Injector) Crashed() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.crashed
}

// next counts an operation and returns its fault, the error filled in.
func (in *Injector) next(op Op) Fault {
	in.mu.Lock()
	defer in.mu.Unlock()

	if in.crashed {
		return Fault{Err: ErrCrashed, Crash: true}
	}
	in.count[op]++
	in.total++
	if in.decide == nil {
		return Fault{}
	}
	f := in.decide(op, in.count[op], in.total)
	switch {
	case f.Crash:
		in.crashed = true
		f.Err = ErrCrashed
	case f.Err == nil && (f.Short != 0 || f.After):
		f.Err = ErrInjected
	}
	return f
}

// do runs an operation under its fault.
func (in *Injector) do(op Op, run func() error) error {
	f := in.next(op)
	if f.Err == nil {
		return run()
	}
	if f.After {
		if err := run(); err != nil {
			return err
		}
	}
	return f.Err
}

// FaultFS is a layer over a file system that an [Injector] can make fail.
type FaultFS struct {
	FS
	in *Injector
}

// NewFaultFS returns fsys with the faults of in.
func NewFaultFS(fsys FS, in *Injector) *FaultFS { return &FaultFS{FS: fsys, in: in} }

// OpenFile implements [FS].
func (f *FaultFS) OpenFile(name string, flag int, perm fs.FileMode) (file File, err error) {
	err = f.in.do(OpOpen, func() error {
		file, err = f.FS.OpenFile(name, flag, perm)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &faultFile{File: file, in: f.in}, nil
}

// Remove implements [FS].
func (f *FaultFS) Remove(name string) error {
	return f.in.do(OpRemove, func() error { return f.FS.Remove(name) })
}

// Rename implements [FS].
func (f *FaultFS) Rename(from, to string) error {
	return f.in.do(OpRename, func() error { return f.FS.Rename(from, to) })
}

// SyncDir implements [FS].
func (f *FaultFS) SyncDir(name string) error {
	return f.in.do(OpSyncDir, func() error { return f.FS.SyncDir(name) })
}

// faultFile is an open file of a [FaultFS].
type faultFile struct {
	File
	in *Injector
}

// WriteAt implements [File].
func (f *faultFile) WriteAt(b []byte, off int64) (n int, err error) {
	fault := f.in.next(OpWriteAt)
	if fault.After {
		fault.Short = len(b)
	}
	if fault.Err == nil {
		return f.File.WriteAt(b, off)
	}
	if short := min(fault.Short, len(b)); short > 0 {
		if n, err = f.File.WriteAt(b[:short], off); err != nil {
			return n, err
		}
	}
	return n, fault.Err
}

// Truncate implements [File].
func (f *faultFile) Truncate(size int64) error {
	return f.in.do(OpTruncate, func() error { return f.File.Truncate(size) })
}

// Sync implements [File].
func (f *faultFile) Sync() error { return f.in.do(OpSync, f.File.Sync) }

// SyncData implements [File].
func (f *faultFile) SyncData() error { return f.in.do(OpSync, f.File.SyncData) }
