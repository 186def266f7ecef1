package engine

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
)

// errInspected is what writes to an engine get that [Inspect] has opened.
var errInspected = errors.New("engine: opened to be inspected")

// Inspection is an [Engine] that only looks at a directory: its log and base
// read, and refuse to write.
type Inspection struct {
	dirEngine
	scratch string
}

// Contents are figures about what an [Inspection] has read.
type Contents struct {
	Segments  int   // files of the log
	LogBytes  int64 // their size
	BaseBytes int64 // of Badger's files
	Images    int   // complete and readable ones
}

// Inspect opens the engine in a directory, and leaves every byte there as it
// is, whatever state a crash has left it in. The directory must not be open
// elsewhere, and cannot be opened meanwhile: [ErrLocked].
//
// Badger cannot read its files without writing to some of them: it does so to
// copies in a temporary directory, where only the value logs, by far the most
// of it, are links.
func Inspect(dir string, o Options) (*Inspection, error) {
	i := &Inspection{dirEngine: dirEngine{fs: OSFS{}, dir: dir}}
	if err := i.open(o.withDefaults()); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

// open opens the parts.
func (i *Inspection) open(o Options) error {
	if _, err := i.fs.Stat(filepath.Join(i.dir, formatName)); err != nil {
		if _, missing := i.fs.Stat(i.dir); missing != nil || !errors.Is(err, fs.ErrNotExist) {
			return cmp.Or(missing, err)
		}
		return cmp.Or(i.checkFinished(), fmt.Errorf("it has no %s file: %w", formatName, ErrFormat))
	}
	var err error
	if i.lock, err = lockExisting(filepath.Join(i.dir, lockName)); err != nil {
		return err
	}
	if err := i.checkFinished(); err != nil {
		return err
	}
	id, err := i.readFormat()
	if err != nil {
		return err
	}
	if i.scratch, err = os.MkdirTemp("", "brock-inspect-"); err != nil {
		return err
	}
	segments, err := readDirIfThere(i.fs, filepath.Join(i.dir, logName))
	if err != nil {
		return err
	}
	i.base, err = inspectBase(baseOptions{
		fs:       i.fs,
		dir:      filepath.Join(i.dir, baseName),
		conf:     filepath.Join(i.dir, confName),
		store:    id.store,
		seed:     id.seed,
		mayBeNew: len(segments) == 0,
		small:    o.Small,
		logger:   o.Logger,
	}, i.scratch)
	if err != nil {
		return err
	}
	i.log, err = inspectLog(logOptions{fs: i.fs, dir: filepath.Join(i.dir, logName), store: id.store, epoch: i.base.state.Epoch})
	return err
}

// lockExisting takes the lock of a directory without leaving anything in it. It
// returns nil if there is no such file: then nobody has ever opened the
// directory.
func lockExisting(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0) // network file systems want it
	if err != nil {
		f, err = os.Open(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return takeLock(f)
}

// readDirIfThere returns the entries of a directory, none if it does not exist.
func readDirIfThere(fsys FS, name string) ([]fs.DirEntry, error) {
	entries, err := fsys.ReadDir(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

// Verify reads every complete image of the base, and calls fault for each that
// is not readable and not superseded.
func (i *Inspection) Verify(fault func(error)) (Contents, error) {
	c := Contents{Segments: len(i.log.live), LogBytes: i.log.Size(), BaseBytes: i.base.Size()}
	err := i.base.view(func(txn *badger.Txn, done completion) error {
		for _, prefix := range []byte{keyDir, keyObject} {
			err := loadImages(txn, done, prefix, func(Image) error {
				c.Images++
				return nil
			}, fault)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return c, err
}

// Close gives the directory free.
func (i *Inspection) Close() error {
	err := i.dirEngine.Close()
	if i.scratch != "" {
		err = errors.Join(err, os.RemoveAll(i.scratch))
	}
	return err
}

// inspectLog opens a log to be read: it makes no segments ready, removes none,
// and writes nothing. Segments count as live until a scan has found the end of
// the log, which none does here.
func inspectLog(opt logOptions) (*segmentLog, error) {
	opt.inspect = true
	l := newLog(opt)
	entries, err := readDirIfThere(opt.fs, opt.dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) == tempSuffix {
			continue // Open removes it
		}
		s, err := l.found(e)
		if err != nil {
			return nil, err
		}
		l.live = append(l.live, s)
	}
	return l, nil
}

// inspectBase opens the base in a directory to be read, by way of scratch.
func inspectBase(opt baseOptions, scratch string) (*badgerBase, error) {
	b := &badgerBase{opt: opt}
	err := b.copyTo(scratch)
	if err == nil {
		err = b.openCopy(scratch)
	}
	if err == nil {
		if err = b.load(); err != nil {
			err = errors.Join(err, b.db.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("base: %w", err)
	}
	b.err = errInspected
	return b, nil
}

// copyTo makes scratch a directory that Badger can open instead of the base's:
// value logs, which it then only reads, are links.
func (b *badgerBase) copyTo(scratch string) error {
	entries, err := readDirIfThere(b.opt.fs, b.opt.dir)
	if err != nil {
		return err
	}
	var size int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return err
		}
		size += allocated(info)
		if isLogFile(e.Name()) && info.Size() == 0 {
			continue // Open removes it
		}
		from, to := filepath.Join(b.opt.dir, e.Name()), filepath.Join(scratch, e.Name())
		if filepath.Ext(e.Name()) == ".vlog" {
			err = link(from, to)
		} else {
			err = copyFile(from, to)
		}
		if err != nil {
			return err
		}
	}
	b.size.Store(size)
	return nil
}

// link makes to stand for the contents of from: by a link where the platform
// lets us make one, else by a copy.
func link(from, to string) error {
	abs, err := filepath.Abs(from)
	if err != nil {
		return err
	}
	if os.Symlink(abs, to) == nil || os.Link(abs, to) == nil {
		return nil
	}
	return copyFile(from, to)
}

// copyFile copies a file.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, filePerm)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// openCopy opens the copy to be read. Before, Badger has to make tables of what
// memtables' logs there are, since it reads none that ends in zeroes; meanwhile
// the value logs are out of its sight.
func (b *badgerBase) openCopy(scratch string) error {
	memTable, err := readConf(b.opt.fs, b.opt.conf)
	if err != nil {
		return err
	}
	opt := b.badgerOptions(BaseSizes{MemTable: cmp.Or(memTable, b.opt.small.MemTable), ValueLog: b.opt.small.ValueLog}).
		WithDir(scratch).WithValueDir(scratch)
	if err := checkTables(opt); err != nil {
		return b.damaged(scratch, err)
	}
	hidden := filepath.Join(scratch, "hidden")
	if err := os.Mkdir(hidden, dirPerm); err != nil {
		return err
	}
	if err := moveValueLogs(scratch, hidden); err != nil {
		return err
	}
	db, err := badger.Open(opt.WithNumCompactors(0).WithNumLevelZeroTablesStall(math.MaxInt32).
		WithChecksumVerificationMode(options.OnBlockRead))
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		return b.damaged(scratch, err)
	}
	if err := removeValueLogs(scratch); err != nil {
		return err
	}
	if err := moveValueLogs(hidden, scratch); err != nil {
		return err
	}
	if b.db, err = badger.Open(opt.WithReadOnly(true)); err != nil {
		return b.damaged(scratch, err)
	}
	if err := verifyBlocks(b.db); err != nil {
		return errors.Join(b.damaged(scratch, err), b.db.Close())
	}
	return nil
}

// checkTables fails if one of Badger's tables does not end as they do: Badger
// ends the process when it meets such a one.
func checkTables(opt badger.Options) error {
	f, err := os.Open(filepath.Join(opt.Dir, badger.ManifestFilename))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // there are none yet
	}
	if err != nil {
		return err
	}
	manifest, _, err := badger.ReplayManifestFile(f, 0, opt)
	err = errors.Join(err, f.Close())
	for id := range manifest.Tables {
		if err == nil {
			err = checkTable(table.NewFilename(id, opt.Dir))
		}
	}
	return err
}

// checkTable looks at the end of a table: an index, its length, a checksum, and
// its length, these as u32, most significant byte first.
func checkTable(name string) (err error) {
	f, err := OSFS{}.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	end, err := f.Size()
	for range 2 {
		var n [4]byte
		if end -= int64(len(n)); err == nil && end >= 0 {
			_, err = f.ReadAt(n[:], end)
		}
		end -= int64(binary.BigEndian.Uint32(n[:]))
	}
	if err == nil && end < 0 {
		err = fmt.Errorf("%s: its end makes no sense: %w", name, ErrCorrupt)
	}
	return err
}

// verifyBlocks verifies the checksums of all blocks of all tables. Badger panics
// at one that is not even long enough to have one.
func verifyBlocks(db *badger.DB) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("badger: a table has a damaged block: %v", r)
		}
	}()
	return db.VerifyChecksum()
}

// moveValueLogs moves all value logs from one directory to another.
func moveValueLogs(from, to string) error {
	logs, err := filepath.Glob(filepath.Join(from, "*.vlog"))
	for _, name := range logs {
		err = errors.Join(err, os.Rename(name, filepath.Join(to, filepath.Base(name))))
	}
	return err
}

// removeValueLogs removes all value logs of a directory.
func removeValueLogs(dir string) error {
	logs, err := filepath.Glob(filepath.Join(dir, "*.vlog"))
	for _, name := range logs {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// damaged reports what Badger has met in the copy of its files: what the system
// refused as it is, all else as damage to the file that was copied.
func (b *badgerBase) damaged(scratch string, err error) error {
	var refused *fs.PathError
	if errors.As(err, &refused) {
		return err
	}
	return fmt.Errorf("%s: %w", strings.ReplaceAll(err.Error(), scratch, b.opt.dir), ErrCorrupt)
}
