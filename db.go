package brock

import (
	"math/rand/v2"

	"github.com/brockdb/brock/internal/store"
)

// DB is a database. Its commands, those of every data type, are transactions
// of their own. It is safe for concurrent use. See [Open] and [OpenMemory].
//
// Beside its own errors any command can return [ErrClosed], [ErrPoisoned],
// [ErrCorrupt] and, on a logical database that there is not, [ErrDatabase]; one
// that changes anything [ErrNoSpace], [ErrTxTooLarge], [ErrNested] and, for a
// key above 512 MB, [ErrTooLong]. Those of a [Tx] can return [ErrTxDone], within
// a View [ErrReadOnly] and [ErrRetention], too.
//
// A slice or map of results is empty, not nil, where there are none.
type DB struct {
	commands
	dir    string
	parent *DB // what Close of a DB(n) leaves alone
}

// OpenMemory returns a database without a directory: nothing survives Close,
// and every change is acknowledged once memory is changed. opts may be nil.
func OpenMemory(opts *Options) (*DB, error) {
	so, err := opts.store()
	if err != nil {
		return nil, err
	}
	s, err := store.OpenMemory(rand.Uint64(), so)
	if err != nil {
		return nil, err
	}
	return newDB(s), nil
}

// newDB returns database 0 of a store.
func newDB(s *store.Store) *DB {
	return &DB{commands: commands{s: s}}
}

// DB returns logical database n, from 0 on, of the same store. If there is no
// such database, each command on it returns [ErrDatabase]. Closing it does
// nothing.
func (db *DB) DB(n int) *DB {
	root := db
	if db.parent != nil {
		root = db.parent
	}
	return &DB{commands: db.at(n), dir: root.dir, parent: root}
}

// Dir returns the directory that was opened, "" for a database in memory.
func (db *DB) Dir() string { return db.dir }

// Update runs fn as a transaction: serialisable, one at a time, nothing to
// retry. When fn returns nil, all that it did through tx becomes visible and
// is acknowledged at once; when it returns an error or panics, none of it ever
// happened, and Update returns the error or passes the panic on. A command
// that fails undoes only itself.
//
// Readers outside go on and see the state before. Changes through the DB
// wait, so fn must not make any: [ErrNested] finds that mistake where fn's own
// goroutine makes it. tx is for fn alone and not for concurrent use.
//
// Errors: fn's; [ErrTxTooLarge]; [ErrNested]; [ErrPoisoned].
//
// Cost: what fn does, and a private copy, of up to 8 KiB, of each page that it
// changes.
//
// Redis: MULTI … EXEC, and what Lua scripts are used for.
func (db *DB) Update(fn func(tx *Tx) error) error {
	if db.bad != nil {
		return db.bad
	}
	return db.s.Update(func(t *store.Tx) error { return runTx(t, db.db, fn) })
}

// View runs fn on the state of one moment, however long it takes. It stops no
// writer and waits for none; changes through tx are refused with [ErrReadOnly].
//
// Errors: fn's. If writers go on for long, commands of tx may return
// [ErrRetention].
//
// Cost: what fn does. Versions of pages that change meanwhile are kept, up to
// Options.MaxViewBytes.
func (db *DB) View(fn func(tx *Tx) error) error {
	if db.bad != nil {
		return db.bad
	}
	return db.s.View(func(t *store.Tx) error { return runTx(t, db.db, fn) })
}

// runTx calls fn with a Tx.
func runTx(t *store.Tx, db int, fn func(*Tx) error) error {
	tx := &Tx{commands: commands{db: db, tx: t, life: t.Life()}}
	return fn(tx)
}

// Pipelined runs the commands that fn makes through p one by one, each as a
// transaction of its own, with one wait for durability at the end: an error of
// one leaves the others' effects. Pipelined returns fn's error. If fn panics,
// the panic is passed on after that wait.
//
// Errors: fn's; [ErrPoisoned], by which the wait fails.
//
// Cost: what the commands do, and one wait instead of one for each: under
// [Always] for a sync of the log, under [EverySecond] for a write, under
// [Relaxed] for nothing.
//
// Redis: a pipeline.
func (db *DB) Pipelined(fn func(p *Pipe) error) (err error) {
	if db.bad != nil {
		return db.bad
	}
	pipe := &pipeline{}
	defer func() { // also after a panic: what was done is done
		pipe.ended = true
		if failed := db.s.Wait(&pipe.later); failed != nil {
			err = failed
		}
	}()
	return fn(&Pipe{commands: commands{s: db.s, db: db.db, pipe: pipe}})
}

// Sync waits until everything that is visible is durable: a power cut after
// it returns loses nothing that was read or written before. In a database in
// memory it does nothing.
//
// Errors: [ErrClosed]; [ErrPoisoned], also when this write or sync of the log
// fails.
//
// Cost: a write and a sync of what the log has not synced yet, which callers at
// the same time share; nothing if there is none.
func (db *DB) Sync() error { return db.s.Sync() }

// Durability returns the durability mode. A database in memory keeps none.
func (db *DB) Durability() Durability {
	switch db.s.Durability() {
	case store.Always:
		return Always
	case store.Relaxed:
		return Relaxed
	default:
		return EverySecond
	}
}

// SetDurability changes the durability mode. What was acknowledged before has
// the new mode's promise when it returns.
//
// Errors: [ErrDurability], and the mode stays as it was; [ErrClosed];
// [ErrPoisoned].
//
// Cost: a write of what the log has not written yet; to [Always] that of
// [DB.Sync].
func (db *DB) SetDurability(d Durability) error {
	sd, err := d.store()
	if err != nil {
		return err
	}
	return db.s.SetDurability(sd)
}

// Checkpoint folds all changes so far into Badger, so that the log behind them
// can be dropped. It happens by itself as the log grows. In a database in memory
// it does nothing.
//
// Errors: [ErrNoSpace], when the device is too full to begin a step: what was
// folded before stays so, and the database goes on; [ErrNested] inside the
// callback of an Update; [ErrClosed]; [ErrPoisoned], also when a write or sync
// of its own fails.
//
// Cost: it writes each page that has changed since the last one to Badger, in
// steps of about 64 MB, with syncs of the log and of Badger in each; then it goes
// through all keys, to find objects without one, and lets Badger reclaim space.
// Commands go on meanwhile.
//
// Redis: BGSAVE, with the wait.
func (db *DB) Checkpoint() error { return db.s.Checkpoint() }

// Close waits for commands and Updates in flight, makes everything durable, and
// gives the directory free. Later calls of commands return [ErrClosed], and so
// does the next command of a View or Backup that is not finished. Closing twice
// does nothing.
//
// Errors: [ErrNested] inside the callback of an Update, and the database stays
// open; [ErrPoisoned].
func (db *DB) Close() error {
	if db.parent != nil {
		return nil
	}
	return db.s.Close()
}

// Tx is a transaction in progress, see [DB.Update] and [DB.View]. It is for
// its callback alone: not for concurrent use, and once the callback has
// returned every command returns [ErrTxDone].
type Tx struct{ commands }

// DB returns the same transaction on logical database n. If there is no such
// database, each command on it returns [ErrDatabase].
func (tx *Tx) DB(n int) *Tx { return &Tx{commands: tx.at(n)} }

// Pipe is a pipeline in progress, see [DB.Pipelined]. It is for its callback
// alone: not for concurrent use, and once the callback has returned every
// command returns [ErrTxDone].
type Pipe struct{ commands }

// DB returns the same pipeline on logical database n. If there is no such
// database, each command on it returns [ErrDatabase].
func (p *Pipe) DB(n int) *Pipe { return &Pipe{commands: p.at(n)} }
