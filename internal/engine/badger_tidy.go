package engine

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// deleteWhere deletes the images below each prefix, which ascend, of the steps
// that drop selects. Nothing is synced: they may come back.
func (b *badgerBase) deleteWhere(prefixes [][]byte, drop func(step uint64) bool) error {
	txn := b.db.NewTransaction(false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{})
	defer it.Close()
	batch := b.newBatch()
	defer batch.discard()
	for _, prefix := range prefixes {
		for it.Seek(prefix); it.ValidForPrefix(prefix); it.Next() {
			if !drop(itemStep(it.Item())) {
				continue
			}
			if err := batch.remove(it.Item().KeyCopy(nil)); err != nil {
				return err
			}
		}
	}
	return batch.commit()
}

// remove deletes what a step has superseded.
func (b *badgerBase) remove(step uint64, removals []Removal) error {
	prefixes := make([][]byte, len(removals))
	for i, r := range removals {
		prefixes[i] = appendImageKey(nil, r.Addr.prefix(), r.Addr, r.Slot, 0)[:partAt]
	}
	slices.SortFunc(prefixes, bytes.Compare)
	return b.deleteWhere(prefixes, func(s uint64) bool { return s < step })
}

// sweepVoid deletes the images of steps that were never completed.
func (b *badgerBase) sweepVoid() error {
	c := completion{b.state.complete, b.voids}
	return b.deleteWhere([][]byte{{keyDir}, {keyObject}, {keyTables}}, func(s uint64) bool { return !c.has(s) })
}

// Sweep implements [Base].
func (b *badgerBase) Sweep(dir bool, objects []uint64) error {
	b.write.Lock()
	defer b.write.Unlock()

	err := b.usable(b.State().Epoch)
	if err == nil {
		prefixes := make([][]byte, len(objects))
		for i, object := range objects {
			prefixes[i] = objectKey(Addr{Dir: dir}.prefix(), object)
		}
		slices.SortFunc(prefixes, bytes.Compare)
		err = b.deleteWhere(prefixes, func(uint64) bool { return true })
	}
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}

// The collection of the value log: the share of a file that must be garbage,
// and how many files are collected before a barrier lets go of them.
const (
	garbageRatio   = 0.5
	filesAtOneTime = 4
)

// Tidy implements [Base]: it collects garbage in the value log and adapts the
// store's sizes to that of the base.
func (b *badgerBase) Tidy(stop <-chan struct{}) error {
	b.write.Lock()
	defer b.write.Unlock()

	err := b.usable(b.State().Epoch)
	for more := true; more && err == nil; {
		more, err = b.collect(stop)
	}
	if err == nil {
		err = b.measure()
	}
	if err == nil {
		err = b.grow()
	}
	if err != nil {
		return fmt.Errorf("tidy: %w", err)
	}
	return nil
}

// collect moves what is live out of a few value log files. Badger deletes a
// file as soon as it has moved its contents, or, while an iterator is open,
// when that is closed: only after the barrier, that is, has made the new places
// durable.
func (b *badgerBase) collect(stop <-chan struct{}) (more bool, err error) {
	if err := b.checkSpace(b.opened.valueLog.Load() * filesAtOneTime / 2); err != nil {
		return false, err
	}
	txn := b.db.NewTransaction(false)
	it := txn.NewIterator(badger.IteratorOptions{})
	moved := 0
	for moved < filesAtOneTime && !stopped(stop) {
		if err = b.db.RunValueLogGC(garbageRatio); err != nil {
			break
		}
		moved++
	}
	if errors.Is(err, badger.ErrNoRewrite) {
		err = nil
	}
	if moved > 0 && err == nil {
		err = b.barrier()
	}
	if err == nil {
		err = b.failed()
	}
	if err != nil {
		b.fail(err)
		return false, noSpace(err) // the iterator stays open, and with it the old files stay
	}
	it.Close()
	txn.Discard()
	return moved == filesAtOneTime && !stopped(stop), nil
}

// stopped tells whether stop is closed.
func stopped(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// grow opens the store anew with larger sizes once the base is large enough,
// unless somebody reads.
func (b *badgerBase) grow() error {
	want := b.wantedSizes()
	if want.MemTable <= b.opened.memTable.Load() || !b.mu.TryLock() {
		return nil
	}
	defer b.mu.Unlock()
	err := b.db.Close()
	if err == nil {
		err = b.openBadger(want)
	}
	if err != nil {
		b.fail(err)
		return noSpace(err)
	}
	return nil
}
