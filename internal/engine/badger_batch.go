package engine

import (
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// maxBatch is how many bytes of keys and values go to Badger in one
// transaction, unless one entry alone is larger. Badger's own limits, on the
// number of entries and on what goes to the memtable, come on top.
const maxBatch = 4 << 20

// batch collects entries and writes them as transactions. Where one ends and
// the next begins means nothing.
type batch struct {
	b     *badgerBase
	txn   *badger.Txn
	bytes int // in txn
	count int // entries in txn
}

// newBatch returns an empty batch. The caller holds write until it is done
// with it.
func (b *badgerBase) newBatch() *batch {
	b.arena = b.arena[:0]
	return &batch{b: b, txn: b.db.NewTransaction(true)}
}

// discard drops what has not been committed.
func (w *batch) discard() { w.txn.Discard() }

// setImage writes the parts of an image.
func (w *batch) setImage(prefix byte, img *Image) error {
	n := imageParts(len(img.Data))
	if n > maxParts {
		return fmt.Errorf("engine: image of %d bytes", len(img.Data))
	}
	for part := range n {
		size := imageKeySize + imageHeader + min(len(img.Data), maxPart)
		if w.bytes+size > maxBatch {
			if err := w.commit(); err != nil {
				return err
			}
		}
		// Badger keeps key and value until the commit, so the arena grows only
		// while nothing is in it.
		if cap(w.b.arena)-len(w.b.arena) < size {
			if err := w.commit(); err != nil {
				return err
			}
			w.b.arena = make([]byte, 0, min(max(2*cap(w.b.arena), 64<<10, size), maxBatch+size))
		}
		from := len(w.b.arena)
		w.b.arena = appendImageKey(w.b.arena, prefix, img.Addr, img.Slot, part)
		key := w.b.arena[from:]
		from = len(w.b.arena)
		w.b.arena = appendImagePart(w.b.arena, key, img, part)
		e := badger.NewEntry(key, w.b.arena[from:]).WithMeta(img.Kind)
		e.ExpiresAt = stepEpoch + img.Step
		if err := w.set(e); err != nil {
			return err
		}
	}
	return nil
}

// set writes an entry, which must stay unchanged until the commit.
func (w *batch) set(e *badger.Entry) error {
	return w.add(len(e.Key)+len(e.Value), func() error { return w.txn.SetEntry(e) })
}

// remove deletes a key, which must stay unchanged until the commit.
func (w *batch) remove(key []byte) error {
	return w.add(len(key), func() error { return w.txn.Delete(key) })
}

// add runs do on the transaction, on a new one if it is full.
func (w *batch) add(bytes int, do func() error) error {
	err := do()
	if errors.Is(err, badger.ErrTxnTooBig) {
		if err := w.commitKeep(); err != nil {
			return err
		}
		err = do()
	}
	if err != nil {
		return err
	}
	w.bytes += bytes
	w.count++
	return nil
}

// commit writes what has been collected and begins again.
func (w *batch) commit() error {
	if err := w.commitKeep(); err != nil {
		return err
	}
	w.b.arena = w.b.arena[:0]
	return nil
}

// commitKeep is commit without giving up the arena.
func (w *batch) commitKeep() error {
	if w.count == 0 {
		return nil
	}
	if err := w.b.checkSpace(int64(w.bytes)); err != nil {
		return err
	}
	if err := w.txn.Commit(); err != nil {
		err = noSpace(err)
		w.b.fail(err)
		return err
	}
	if err := w.b.failed(); err != nil {
		return err // Badger has logged it instead of returning it
	}
	w.txn = w.b.db.NewTransaction(true)
	w.bytes, w.count = 0, 0
	return nil
}

// checkSpace refuses a batch that would leave too little space for what Badger
// has mapped already but not yet filled: there a full device is a fault that
// ends the process.
func (b *badgerBase) checkSpace(bytes int64) error {
	free, err := b.free()
	if err != nil {
		return err
	}
	if reserve := b.reserve(); free < reserve+bytes {
		return fmt.Errorf("%d bytes free, %d needed: %w", free, reserve+bytes, ErrNoSpace)
	}
	return nil
}

// reserve returns the bytes that have to stay free: twice the files that are
// mapped at twice their nominal size and filled by and by, and one compaction.
func (b *badgerBase) reserve() int64 {
	return 2*(3*2*b.opened.memTable.Load()+2*b.opened.valueLog.Load()) + b.tables.Load() + smallestCompaction
}

// smallestCompaction is what a compaction takes where the tables are few.
const smallestCompaction = 4 << 20
