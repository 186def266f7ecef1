package engine

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Format is the version of the format of a directory that this package writes.
// It refuses those of a newer one.
const Format = 1

// The names in a directory.
const (
	lockName   = "LOCK"     // locked by the owner, contains its process id
	formatName = "FORMAT"   // says what the directory is
	confName   = "MEMTABLE" // the size of memtable that the base was written with
	logName    = "log"      // the segments
	baseName   = "base"     // Badger's files
)

// Options configure [Open]. Each zero field has the default named beside it.
type Options struct {
	FS     FS           // OSFS; the base's Badger store uses the operating system's in any case
	Logger *slog.Logger // nothing is logged; Badger's messages, and what goes on in the background

	SegmentMin int64 // 1 MiB: size of the log's first segment
	SegmentMax int64 // 64 MiB: of its largest

	Small   BaseSizes // 128 KiB and 8 MiB: while the base is small
	Large   BaseSizes // 1 MiB and 64 MiB
	LargeAt int64     // 256 MiB: size of the base from which Large applies
}

// withDefaults returns o with its zero fields filled in.
func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = OSFS{}
	}
	o.SegmentMin = max(cmp.Or(o.SegmentMin, 1<<20), minSegment)
	o.SegmentMax = max(cmp.Or(o.SegmentMax, 64<<20), o.SegmentMin)
	o.Small.MemTable = cmp.Or(o.Small.MemTable, 128<<10)
	o.Small.ValueLog = cmp.Or(o.Small.ValueLog, 8<<20)
	o.Large.MemTable = cmp.Or(o.Large.MemTable, 1<<20)
	o.Large.ValueLog = cmp.Or(o.Large.ValueLog, 64<<20)
	o.LargeAt = cmp.Or(o.LargeAt, 256<<20)
	return o
}

// minSegment is the smallest segment: below it headers would crowd out the
// payload.
const minSegment = 512

// dirEngine is an [Engine] in a directory: segment files and Badger.
type dirEngine struct {
	fs   FS
	dir  string
	lock *os.File
	log  *segmentLog
	base *badgerBase
}

// Open opens the engine in a directory, which it creates if there is none. The
// engine owns the directory until Close: a second Open is [ErrLocked]. A
// directory that holds other things is [ErrFormat], one whose filling was cut
// short [ErrCorrupt], see [Create].
func Open(dir string, options Options) (Engine, error) {
	e, err := open(dir, options.withDefaults())
	if err != nil {
		return nil, err
	}
	return e, nil
}

// open is [Open] with complete options.
func open(dir string, o Options) (_ *dirEngine, err error) {
	if err := makeDir(o.FS, dir); err != nil {
		return nil, err
	}
	if err := checkForeign(o.FS, dir); err != nil {
		return nil, err
	}
	e := &dirEngine{fs: o.FS, dir: dir}
	if e.lock, err = lockDir(filepath.Join(dir, lockName)); err != nil {
		return nil, err
	}
	if err = e.checkFinished(); err == nil {
		err = e.openParts(o)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// makeDir creates a directory, and those that lead to it, durably.
func makeDir(fsys FS, dir string) error {
	_, err := fsys.Stat(dir)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDir(fsys, parent); err != nil {
			return err
		}
	}
	if err := fsys.MkdirAll(dir, dirPerm); err != nil {
		return err
	}
	if err := fsys.SyncDir(parent); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err // a directory that may be written, but not read, cannot be synced
	}
	return nil
}

// checkForeign refuses a directory without a FORMAT file that holds anything
// but what a crash on the way to one leaves.
func checkForeign(fsys FS, dir string) error {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return err
	}
	foreign := ""
	for _, e := range entries {
		switch e.Name() {
		case formatName:
			return nil
		case lockName, formatName + tempSuffix, unfinishedName, unfinishedName + tempSuffix:
		default:
			foreign = e.Name()
		}
	}
	if foreign != "" {
		return fmt.Errorf("it has no %s file but holds %s: %w", formatName, foreign, ErrFormat)
	}
	return nil
}

// lockDir takes the lock of a directory and leaves the process id in it.
func lockDir(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, filePerm)
	if err != nil {
		return nil, err
	}
	if f, err = takeLock(f); err != nil {
		return nil, err
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt(fmt.Appendln(nil, os.Getpid()), 0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// takeLock takes the lock on an open file, or closes it.
func takeLock(f *os.File) (*os.File, error) {
	ok, err := lockFile(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
	}
	if !ok {
		owner, _ := os.ReadFile(f.Name()) // it may be empty, too: the owner has just begun
		return nil, errors.Join(fmt.Errorf("%w by process %s", ErrLocked, cmp.Or(strings.TrimSpace(string(owner)), "unknown")), f.Close())
	}
	return f, nil
}

// openParts opens base and log.
func (e *dirEngine) openParts(o Options) error {
	id, err := e.readFormat()
	if err != nil {
		return err
	}
	logDir, baseDir := filepath.Join(e.dir, logName), filepath.Join(e.dir, baseName)
	for _, d := range []string{logDir, baseDir} {
		if err := o.FS.MkdirAll(d, dirPerm); err != nil {
			return err
		}
	}
	if err := o.FS.SyncDir(e.dir); err != nil {
		return err
	}
	segments, err := o.FS.ReadDir(logDir)
	if err != nil {
		return err
	}
	e.base, err = openBase(baseOptions{
		mayBeNew: len(segments) == 0, // before anything is appended the base is durable
		fs:       o.FS,
		dir:      baseDir,
		conf:     filepath.Join(e.dir, confName),
		store:    id.store,
		seed:     id.seed,
		small:    o.Small,
		large:    o.Large,
		largeAt:  o.LargeAt,
		logger:   o.Logger,
	})
	if err != nil {
		return err
	}
	e.log, err = openLog(logOptions{
		fs:    o.FS,
		dir:   logDir,
		store: id.store,
		epoch: e.base.State().Epoch,
		first: o.SegmentMin,
		max:   o.SegmentMax,
	})
	return err
}

// identity is what makes a store itself.
type identity struct{ store, seed uint64 }

// appendFormat appends the contents of a FORMAT file.
func appendFormat(b []byte, id identity) []byte {
	return fmt.Appendf(b, "brock format %d\nstore %016x\nseed %016x\n", Format, id.store, id.seed)
}

// readFormat reads the FORMAT file, or creates it with a new identity.
func (e *dirEngine) readFormat() (id identity, err error) {
	name := filepath.Join(e.dir, formatName)
	data, err := readFile(e.fs, name, 1<<10)
	if errors.Is(err, fs.ErrNotExist) {
		id = identity{rand.Uint64(), rand.Uint64()}
		return id, writeFile(e.fs, name, appendFormat(nil, id))
	}
	if err != nil {
		return id, err
	}
	var version int
	if _, err := fmt.Sscanf(string(data), "brock format %d\n", &version); err != nil {
		return id, fmt.Errorf("%s: %q: %w", name, data, ErrFormat)
	}
	if version > Format {
		return id, fmt.Errorf("%s: format %d, newer than %d: %w", name, version, Format, ErrFormat)
	}
	_, err = fmt.Sscanf(string(data), "brock format %d\nstore %x\nseed %x\n", &version, &id.store, &id.seed)
	if err != nil || string(appendFormat(nil, id)) != string(data) {
		return id, fmt.Errorf("%s: %q: %w", name, data, ErrCorrupt)
	}
	return id, nil
}

// Log implements [Engine].
func (e *dirEngine) Log() Log { return e.log }

// Base implements [Engine].
func (e *dirEngine) Base() Base { return e.base }

// Free implements [Engine]: the space on the device without what the base
// keeps back for itself.
func (e *dirEngine) Free() (int64, error) {
	free, err := e.base.free()
	if err != nil {
		return 0, err
	}
	return max(0, free-e.base.reserve()), nil
}

// PowerSafe implements [Engine].
func (e *dirEngine) PowerSafe() bool { return powerSafe }

// Close implements [Engine].
func (e *dirEngine) Close() error {
	var err error
	if e.log != nil {
		err = e.log.Close()
	}
	if e.base != nil {
		err = errors.Join(err, e.base.Close())
	}
	return errors.Join(err, e.unlock())
}

// unlock releases the directory. The file stays: removing it would let a third
// process lock a new one while a second waits for this.
func (e *dirEngine) unlock() error {
	if e.lock == nil {
		return nil
	}
	err := e.lock.Close()
	e.lock = nil
	return err
}
