package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// BaseSizes size a base's Badger store. A zero field has its default.
type BaseSizes struct {
	MemTable int64 // bytes; a store holds up to three of them in memory
	ValueLog int64 // bytes of one file
}

// baseOptions configure a [badgerBase].
type baseOptions struct {
	fs       FS
	dir      string // of Badger's files
	conf     string // path of the file that keeps the memtable's size
	store    uint64 // expected id of the store
	seed     uint64
	mayBeNew bool // else a base without a state has lost it
	small    BaseSizes
	large    BaseSizes
	largeAt  int64 // size of the base from which large applies
	logger   *slog.Logger
}

// badgerBase is a [Base] in a Badger store of its own.
//
// An image has one entry per megabyte, in the value log unless it is small.
// What is complete does not hang on any atomicity or order of Badger's: images
// are fsynced by path, then one record, which is smaller than the value
// threshold, says that their step is complete, and it is fsynced too. Each
// image carries its step and a checksum over its key; those of steps that are
// void, or not complete yet, are not there for any reader.
//
// Badger runs with SyncWrites, though the barrier alone would do for steps:
// collecting the value log moves images, and a memtable with the pointers to
// their new places may be flushed, durably, at any time. So values have to be
// on the device before their pointers are in a memtable.
type badgerBase struct {
	opt  baseOptions
	free func() (int64, error) // bytes that may be written to the device

	write sync.Mutex // held by the one that writes: Write, Complete, Sweep, Tidy, Close
	arena []byte     // keys and values of one batch; guarded by write

	// mu guards db: shared by its users, snapshots included, exclusively held
	// by those who replace or close it.
	mu sync.RWMutex
	db *badger.DB

	stateMu sync.RWMutex // guards what follows
	closed  bool
	state   baseState
	voids   voids
	begun   uint64 // the lowest step begun since the last complete one, 0 if none

	errMu sync.Mutex // taken by Badger's goroutines, so nothing is awaited under it
	err   error      // sticky: the base has failed

	size   atomic.Int64                              // of all files
	tables atomic.Int64                              // of Badger's tables
	opened struct{ memTable, valueLog atomic.Int64 } // the sizes that db was opened with
}

// reserveAhead is how many step numbers the durable state reserves at a time:
// all of them are void after a crash, since any may have left images.
const reserveAhead = 64

// openBase opens or creates the base in a directory, which exists, and raises
// its epoch.
func openBase(opt baseOptions) (*badgerBase, error) {
	b := &badgerBase{opt: opt}
	b.free = func() (int64, error) { return opt.fs.Free(opt.dir) }
	if err := b.removeEmpty(); err != nil {
		return nil, fmt.Errorf("base: %w", err)
	}
	if err := b.measure(); err != nil {
		return nil, fmt.Errorf("base: %w", err)
	}
	if err := b.openBadger(b.wantedSizes()); err != nil {
		return nil, fmt.Errorf("base: %w", err)
	}
	if err := b.recover(); err != nil {
		return nil, errors.Join(fmt.Errorf("base: %w", err), b.db.Close())
	}
	return b, nil
}

// removeEmpty removes files that Badger had shortened to nothing on the way to
// deleting them. It would take them for new ones and refuse to open.
func (b *badgerBase) removeEmpty() error {
	return b.eachFile(func(name string, info fs.FileInfo) error {
		if info.Size() > 0 || !isLogFile(name) {
			return nil
		}
		return b.opt.fs.Remove(name)
	})
}

// isLogFile tells whether the name is that of a memtable's log or of a value
// log, which Badger writes through mapped memory.
func isLogFile(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".mem" || ext == ".vlog"
}

// eachFile calls fn for each file of the base that is not gone meanwhile.
func (b *badgerBase) eachFile(fn func(name string, info fs.FileInfo) error) error {
	entries, err := b.opt.fs.ReadDir(b.opt.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := fn(filepath.Join(b.opt.dir, e.Name()), info); err != nil {
			return err
		}
	}
	return nil
}

// measure updates the size of the base: bytes allocated, where the platform
// tells them, since the newest files are larger than what they hold.
func (b *badgerBase) measure() error {
	var all, tables int64
	err := b.eachFile(func(name string, info fs.FileInfo) error {
		n := allocated(info)
		all += n
		if filepath.Ext(name) == ".sst" {
			tables += n
		}
		return nil
	})
	b.size.Store(all)
	b.tables.Store(tables)
	return err
}

// wantedSizes returns the sizes that fit the size of the base.
func (b *badgerBase) wantedSizes() BaseSizes {
	if b.size.Load() >= b.opt.largeAt {
		return b.opt.large
	}
	return b.opt.small
}

// openBadger opens the store with the given sizes. Badger ends the process
// when it finds a memtable's log that is larger than its memtables, so before
// they shrink the store is opened and closed once with the size that it had:
// closing leaves none.
func (b *badgerBase) openBadger(sizes BaseSizes) error {
	stored, err := readConf(b.opt.fs, b.opt.conf)
	if err != nil {
		return err
	}
	if stored > sizes.MemTable {
		logs, err := filepath.Glob(filepath.Join(b.opt.dir, "*.mem"))
		if err != nil {
			return err
		}
		if len(logs) > 0 {
			if err := b.rewriteLogs(BaseSizes{MemTable: stored, ValueLog: sizes.ValueLog}); err != nil {
				return err
			}
		}
	}
	if stored != sizes.MemTable {
		if err := writeFile(b.opt.fs, b.opt.conf, appendConf(nil, sizes.MemTable)); err != nil {
			return err
		}
	}
	db, err := b.openStore(sizes)
	if err != nil {
		return err
	}
	b.db = db
	b.opened.memTable.Store(sizes.MemTable)
	b.opened.valueLog.Store(sizes.ValueLog)
	return nil
}

// rewriteLogs opens and closes the store, so that the memtables' logs become
// tables.
func (b *badgerBase) rewriteLogs(sizes BaseSizes) error {
	db, err := b.openStore(sizes)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return fmt.Errorf("%s: %w", b.opt.dir, noSpace(err))
	}
	return b.barrier()
}

// openStore opens Badger. Tables whose ends are damaged it would end the process
// for.
func (b *badgerBase) openStore(sizes BaseSizes) (*badger.DB, error) {
	opt := b.badgerOptions(sizes)
	err := checkTables(opt)
	if err == nil {
		var db *badger.DB
		if db, err = badger.Open(opt); err == nil {
			return db, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", b.opt.dir, noSpace(err))
}

// appendConf appends the contents of the file that keeps the memtable's size.
func appendConf(b []byte, memTable int64) []byte { return fmt.Appendf(b, "memtable %d\n", memTable) }

// readConf returns the memtable's size that the store was last opened with, 0
// if it never was.
func readConf(fsys FS, name string) (memTable int64, err error) {
	data, err := readFile(fsys, name, 1<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscanf(string(data), "memtable %d\n", &memTable)
	if err != nil || memTable <= 0 || string(appendConf(nil, memTable)) != string(data) {
		return 0, fmt.Errorf("%s: %q: %w", name, data, ErrCorrupt)
	}
	return memTable, nil
}

// badgerOptions returns Badger's settings. The directory has a lock of ours.
func (b *badgerBase) badgerOptions(sizes BaseSizes) badger.Options {
	return badger.DefaultOptions(b.opt.dir).
		WithBypassLockGuard(true).
		WithLogger(&badgerLogger{b}).
		WithMetricsEnabled(false).
		WithSyncWrites(true).
		WithDetectConflicts(false).
		WithVerifyValueChecksum(true). // else a torn value can be read as one of absurd length
		WithNumCompactors(2).
		WithNumMemtables(2).
		WithNumLevelZeroTables(2).
		WithMemTableSize(sizes.MemTable).
		WithValueLogFileSize(sizes.ValueLog).
		WithValueThreshold(valueThreshold).
		WithBaseTableSize(tableSize).
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithIndexCacheSize(0)
}

const (
	// valueThreshold is the size from which values stand in the value log. What
	// is smaller is moved by every compaction, so it is little more than what
	// must be smaller, the record that completes a step.
	valueThreshold = 640
	// tableSize is the size of Badger's tables at first. They hold keys and
	// pointers, mostly; a compaction has up to a dozen in memory, each twice.
	tableSize = 256 << 10
)

// badgerLogger passes Badger's messages on, and notices the failures that it
// only logs.
type badgerLogger struct{ b *badgerBase }

// Errorf implements [badger.Logger].
func (l *badgerLogger) Errorf(format string, args ...any) {
	if strings.Contains(format, "sync") {
		l.b.fail(fmt.Errorf("badger: %s", strings.TrimSpace(fmt.Sprintf(format, args...))))
	}
	l.log(slog.LevelError, format, args)
}

// Warningf implements [badger.Logger].
func (l *badgerLogger) Warningf(format string, args ...any) { l.log(slog.LevelWarn, format, args) }

// Infof implements [badger.Logger]. What Badger takes for news is ours to debug
// with.
func (l *badgerLogger) Infof(format string, args ...any) { l.log(slog.LevelDebug, format, args) }

// Debugf implements [badger.Logger].
func (l *badgerLogger) Debugf(string, ...any) {}

// log passes a message on.
func (l *badgerLogger) log(level slog.Level, format string, args []any) {
	if l.b.opt.logger != nil {
		l.b.opt.logger.Log(nil, level, "badger: "+strings.TrimSpace(fmt.Sprintf(format, args...))) //nolint:staticcheck // there is no context
	}
}

// fail poisons the base.
func (b *badgerBase) fail(err error) {
	b.errMu.Lock()
	defer b.errMu.Unlock()
	if b.err == nil {
		b.err = fmt.Errorf("the base has failed: %w", err)
	}
}

// failed returns the error of a base that has failed.
func (b *badgerBase) failed() error {
	b.errMu.Lock()
	defer b.errMu.Unlock()
	return b.err
}

// recover reads the state, makes the numbers of steps void that may have left
// images behind without being completed, raises the epoch and sweeps.
func (b *badgerBase) recover() error {
	if err := b.load(); err != nil {
		return err
	}
	s := &b.state
	unclean := s.reserved > s.complete
	if unclean {
		if err := b.putVoid(stepRange{s.complete + 1, s.reserved}); err != nil {
			return err
		}
	}
	s.Epoch++
	s.LastStep = max(s.reserved, b.voids.last()) // a clean end reserves nothing
	s.reserved = s.LastStep + reserveAhead
	if err := b.putState(s); err != nil {
		return err
	}
	if !unclean {
		return nil
	}
	return b.sweepVoid()
}

// load reads the state, which it expects to be of this store.
func (b *badgerBase) load() error {
	fresh, err := b.readState()
	if err != nil {
		return err
	}
	s := &b.state
	if fresh && !b.opt.mayBeNew {
		return fmt.Errorf("%s: there is a log, but no state of a base: %w", b.opt.dir, ErrCorrupt)
	}
	if fresh {
		s.Store, s.Seed = b.opt.store, b.opt.seed
	}
	if s.Store != b.opt.store || s.Seed != b.opt.seed {
		return fmt.Errorf("%s belongs to store %016x, not to %016x: %w", b.opt.dir, s.Store, b.opt.store, ErrFormat)
	}
	return nil
}

// readState reads the state, the tables and the void numbers. It reports
// whether the store is new.
func (b *badgerBase) readState() (fresh bool, err error) {
	txn := b.db.NewTransaction(false)
	defer txn.Discard()

	if b.voids, err = readVoids(txn); err != nil {
		return false, err
	}
	item, err := txn.Get([]byte{keyState})
	if errors.Is(err, badger.ErrKeyNotFound) {
		if len(b.voids) > 0 {
			return false, fmt.Errorf("%s: the state is missing: %w", b.opt.dir, ErrCorrupt)
		}
		return true, nil
	}
	if err != nil {
		return false, err
	}
	err = item.Value(func(v []byte) error {
		b.state, err = decodeState(v)
		return err
	})
	if err != nil || b.state.complete == 0 {
		return false, err
	}
	img, err := getImage(txn, keyTables, Addr{}, b.state.slot)
	if err == nil && img.Step != b.state.complete {
		err = fmt.Errorf("of step %d instead of %d: %w", img.Step, b.state.complete, ErrCorrupt)
	}
	if err != nil {
		return false, fmt.Errorf("%s: the store's tables: %w", b.opt.dir, err)
	}
	b.state.Tables = img.Data
	return false, nil
}

// readVoids reads the ranges of void steps.
func readVoids(txn *badger.Txn) (all voids, err error) {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{keyVoid}})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		var r stepRange
		err := it.Item().Value(func(v []byte) (err error) {
			r, err = decodeVoid(it.Item().Key(), v)
			return err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// State implements [Base].
func (b *badgerBase) State() State {
	b.stateMu.RLock()
	defer b.stateMu.RUnlock()

	s := b.state.State
	s.Tables = append([]byte(nil), s.Tables...)
	return s
}

// usable returns the error of a base that has failed, was closed, or belongs
// to a later owner. The caller holds write.
func (b *badgerBase) usable(epoch uint64) error {
	if err := b.failed(); err != nil {
		return err
	}
	b.stateMu.RLock()
	defer b.stateMu.RUnlock()

	switch {
	case b.closed:
		return ErrClosed
	case epoch != b.state.Epoch:
		return fmt.Errorf("epoch %d, the base is at %d: %w", epoch, b.state.Epoch, ErrStaleEpoch)
	}
	return nil
}

// Write implements [Base].
func (b *badgerBase) Write(epoch, step uint64, images []Image) error {
	b.write.Lock()
	defer b.write.Unlock()

	err := b.usable(epoch)
	if err == nil {
		err = b.beginStep(step)
	}
	if err == nil {
		err = b.writeImages(step, images)
	}
	if err != nil {
		return fmt.Errorf("write of step %d: %w", step, err)
	}
	return nil
}

// beginStep notes that images of the step will be written.
func (b *badgerBase) beginStep(step uint64) error {
	b.stateMu.RLock()
	s := b.state
	known := b.voids.contains(step)
	b.stateMu.RUnlock()

	if step <= s.complete || known || step < s.LastStep && s.LastStep > s.complete {
		return fmt.Errorf("engine: step %d begins behind step %d", step, s.LastStep)
	}
	s.LastStep = max(s.LastStep, step)
	if step > s.reserved {
		s.reserved = step + reserveAhead
		if err := b.putState(&s); err != nil {
			return err
		}
	}
	b.stateMu.Lock()
	defer b.stateMu.Unlock()
	b.state.LastStep, b.state.reserved = s.LastStep, s.reserved
	if b.begun == 0 {
		b.begun = step
	}
	return nil
}

// writeImages writes images in batches.
func (b *badgerBase) writeImages(step uint64, images []Image) error {
	batch := b.newBatch()
	defer batch.discard()
	for i := range images {
		if err := checkImage(images[i], step); err != nil {
			return err
		}
		if err := batch.setImage(images[i].Addr.prefix(), &images[i]); err != nil {
			return err
		}
	}
	return batch.commit()
}

// Complete implements [Base].
func (b *badgerBase) Complete(epoch, step, parts uint64, s LSN, tables []byte, removals []Removal) error {
	b.write.Lock()
	defer b.write.Unlock()

	err := b.usable(epoch)
	if err == nil {
		err = b.beginStep(step)
	}
	if err == nil {
		err = b.completeStep(step, parts, s, tables)
	}
	if err == nil {
		err = b.remove(step, removals)
	}
	if err == nil {
		err = b.measure()
	}
	if err != nil {
		return fmt.Errorf("completion of step %d: %w", step, err)
	}
	return nil
}

// completeStep makes the step's images durable, then the record that says so.
func (b *badgerBase) completeStep(step, parts uint64, lsn LSN, tables []byte) error {
	b.stateMu.RLock()
	s := b.state
	begun := b.begun
	b.stateMu.RUnlock()

	s.slot ^= 1
	batch := b.newBatch()
	defer batch.discard()
	if err := batch.setImage(keyTables, &Image{Slot: s.slot, Step: step, LSN: lsn, Data: tables}); err != nil {
		return err
	}
	if err := batch.commit(); err != nil {
		return err
	}
	if begun < step { // steps were begun and given up
		if err := b.putVoid(stepRange{s.complete + 1, step - 1}); err != nil {
			return err
		}
	}
	if err := b.barrier(); err != nil {
		return err
	}
	s.State.complete(step, parts, lsn, tables)
	s.complete = step
	s.reserved = max(s.reserved, step+reserveAhead/2)
	if err := b.putState(&s); err != nil {
		return err
	}
	b.stateMu.Lock()
	defer b.stateMu.Unlock()
	b.state, b.begun = s, 0
	return nil
}

// putState makes a state durable.
func (b *badgerBase) putState(s *baseState) error {
	if err := b.put([]byte{keyState}, encodeState(s)); err != nil {
		return err
	}
	return b.barrier()
}

// putVoid writes a range of void steps. The next barrier makes it durable.
func (b *badgerBase) putVoid(r stepRange) error {
	if err := b.put(voidKey(r.first), encodeVoid(r)); err != nil {
		return err
	}
	b.stateMu.Lock()
	defer b.stateMu.Unlock()
	b.voids = b.voids.add(r)
	return nil
}

// put writes one small entry.
func (b *badgerBase) put(key, value []byte) error {
	batch := b.newBatch()
	defer batch.discard()
	if err := batch.set(badger.NewEntry(key, value)); err != nil {
		return err
	}
	return batch.commit()
}

// barrier makes everything durable that has been written to the store. Badger's
// own Sync reaches the active memtable's log and the newest value log file, and
// no directory entry. A file that is gone was flushed to a table, durably.
func (b *badgerBase) barrier() error {
	err := b.eachFile(func(name string, _ fs.FileInfo) error {
		if !isLogFile(name) {
			return nil
		}
		f, err := b.opt.fs.OpenFile(name, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := errors.Join(syncMapped(f), f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	if err == nil {
		err = b.opt.fs.SyncDir(b.opt.dir)
	}
	if err != nil {
		b.fail(err)
		return fmt.Errorf("barrier: %w", err)
	}
	return nil
}

// Size implements [Base].
func (b *badgerBase) Size() int64 { return b.size.Load() }

// Close implements [Base]. It notes how far step numbers were used, so that
// the next Open has none to make void.
func (b *badgerBase) Close() error {
	b.write.Lock()
	defer b.write.Unlock()

	b.stateMu.Lock()
	if b.closed {
		b.stateMu.Unlock()
		return nil
	}
	b.closed = true
	s := b.state
	s.reserved = s.LastStep
	if b.begun == 0 {
		s.reserved = s.complete
	}
	b.stateMu.Unlock()

	var err error
	if b.failed() == nil {
		err = b.putState(&s)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err = errors.Join(err, noSpace(b.db.Close())); err != nil {
		return fmt.Errorf("base close: %w", err)
	}
	return nil
}
