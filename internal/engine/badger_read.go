package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// completion tells which steps are complete.
type completion struct {
	last  uint64
	voids voids
}

// has tells whether a step is complete.
func (c completion) has(step uint64) bool {
	return step > 0 && step <= c.last && !c.voids.contains(step)
}

// view calls fn with a transaction that reads, and what is complete.
func (b *badgerBase) view(fn func(txn *badger.Txn, c completion) error) error {
	b.mu.RLock()
	defer b.mu.RUnlock()

	txn, s, v, err := b.beginLocked()
	if err != nil {
		return err
	}
	defer txn.Discard()
	return fn(txn, completion{s.complete, v})
}

// beginLocked begins a transaction that reads, and returns the state that fits
// it: all images of complete steps are in it, and none is missing that a later
// step has superseded. The caller holds mu until the transaction's end.
func (b *badgerBase) beginLocked() (*badger.Txn, baseState, voids, error) {
	b.stateMu.RLock()
	defer b.stateMu.RUnlock()
	if b.db.IsClosed() {
		return nil, baseState{}, nil, ErrClosed
	}
	return b.db.NewTransaction(false), b.state, b.voids, nil
}

// itemStep returns the step that an image was written by, without its value.
func itemStep(item *badger.Item) uint64 {
	if t := item.ExpiresAt(); t > stepEpoch {
		return t - stepEpoch
	}
	return 0
}

// keysOnly returns options for an iterator over the keys with a prefix.
func keysOnly(prefix []byte) badger.IteratorOptions {
	return badger.IteratorOptions{Prefix: prefix}
}

// Load implements [Base].
func (b *badgerBase) Load(fn func(Image) error) error {
	err := b.view(func(txn *badger.Txn, c completion) error {
		return loadImages(txn, c, keyDir, fn, nil)
	})
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	return nil
}

// loadImages calls fn for the complete images whose keys have a prefix, and bad
// for those that cannot be read; without bad the first such ends it.
func loadImages(txn *badger.Txn, c completion, prefix byte, fn func(Image) error, bad func(error)) error {
	it := txn.NewIterator(badger.IteratorOptions{
		PrefetchValues: true,
		PrefetchSize:   128,
		Prefix:         []byte{prefix},
	})
	defer it.Close()
	page := pageImages{fn: fn, bad: bad}
	for it.Rewind(); it.Valid(); it.Next() {
		item := it.Item()
		step := itemStep(item)
		if !c.has(step) {
			continue
		}
		if err := page.add(item, step); err != nil {
			return err
		}
	}
	return page.flush()
}

// pageImages puts together the complete images of one page after another.
type pageImages struct {
	fn    func(Image) error
	bad   func(error) // may be nil
	page  []byte      // the part of the key that is the page's
	slots [2]slotImage
}

// slotImage is an image that is being put together.
type slotImage struct {
	img   Image
	parts int // of which have come
	want  int // parts in all, 0 while there is no image
	bad   bool
}

// add takes in the next entry.
func (p *pageImages) add(item *badger.Item, step uint64) error {
	key := item.Key()
	addr, slot, part, err := parseImageKey(key)
	if err != nil {
		return err
	}
	if !bytes.Equal(p.page, key[:slotAt]) {
		if err := p.flush(); err != nil {
			return err
		}
		p.page = append(p.page[:0], key[:slotAt]...)
	}
	s := &p.slots[slot]
	if part == 0 {
		data := s.img.Data[:0]
		*s = slotImage{img: Image{Addr: addr, Slot: slot, Step: step, Data: data}, want: 1}
	}
	if s.want == 0 || step != s.img.Step || part != s.parts || s.bad {
		return nil // left over from an older image of this slot, or of no use
	}
	return item.Value(func(v []byte) error {
		s.bad = !s.addPart(key, v)
		return nil
	})
}

// addPart takes in the next part. It reports whether it is what it should be.
func (s *slotImage) addPart(key, value []byte) bool {
	d, ok := decodeImagePart(key, value)
	if !ok || d.step != s.img.Step {
		return false
	}
	if s.parts == 0 {
		s.img.Kind, s.img.LSN, s.want = d.kind, d.lsn, d.parts
	}
	s.img.Data = append(s.img.Data, d.data...)
	s.parts++
	return s.parts < s.want || uint64(len(s.img.Data)) == d.total
}

// flush hands on the images of the page. One that cannot be read is an error
// unless a newer one can.
func (p *pageImages) flush() error {
	for i := range p.slots {
		s, other := &p.slots[i], &p.slots[1-i]
		if s.want == 0 {
			continue
		}
		if s.readable() {
			if err := p.fn(s.img); err != nil {
				return err
			}
		} else if !other.readable() || other.img.Step < s.img.Step {
			err := fmt.Errorf("image %d of %+v, of step %d: %w", i, s.img.Addr, s.img.Step, ErrCorrupt)
			if p.bad == nil {
				return err
			}
			p.bad(err)
		}
	}
	for i := range p.slots {
		p.slots[i].want, p.slots[i].parts = 0, 0
	}
	return nil
}

// readable tells whether the image is there as a whole.
func (s *slotImage) readable() bool { return s.want > 0 && !s.bad && s.parts == s.want }

// List implements [Base].
func (b *badgerBase) List(object uint64, class Class, fn func(Image) error) error {
	err := b.view(func(txn *badger.Txn, c completion) error {
		it := txn.NewIterator(keysOnly(append(objectKey(keyObject, object), byte(class))))
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			item := it.Item()
			addr, slot, part, err := parseImageKey(item.Key())
			if err != nil {
				return err
			}
			step := itemStep(item)
			if part > 0 || !c.has(step) {
				continue
			}
			if err := fn(Image{Addr: addr, Slot: slot, Kind: item.UserMeta(), Step: step}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list of object %016x: %w", object, err)
	}
	return nil
}

// Get implements [Base].
func (b *badgerBase) Get(addr Addr) (img Image, err error) {
	err = b.view(func(txn *badger.Txn, c completion) error {
		best, slot := uint64(0), uint8(0)
		for i := range uint8(2) {
			item, err := txn.Get(appendImageKey(nil, addr.prefix(), addr, i, 0))
			if errors.Is(err, badger.ErrKeyNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if step := itemStep(item); step > best && c.has(step) {
				best, slot = step, i
			}
		}
		if best == 0 {
			return ErrNotFound
		}
		img, err = getImage(txn, addr.prefix(), addr, slot)
		return err
	})
	if err != nil {
		return Image{}, fmt.Errorf("image of %+v: %w", addr, err)
	}
	return img, nil
}

// getImage reads an image of any step.
func getImage(txn *badger.Txn, prefix byte, addr Addr, slot uint8) (Image, error) {
	s := slotImage{img: Image{Addr: addr, Slot: slot}, want: 1}
	for part := 0; part < s.want; part++ {
		key := appendImageKey(nil, prefix, addr, slot, part)
		item, err := txn.Get(key)
		if errors.Is(err, badger.ErrKeyNotFound) {
			return Image{}, fmt.Errorf("part %d is missing: %w", part, ErrCorrupt)
		}
		if err != nil {
			return Image{}, err
		}
		if part == 0 {
			s.img.Step = itemStep(item)
		}
		err = item.Value(func(v []byte) error {
			if !s.addPart(key, v) {
				return fmt.Errorf("part %d of %d, of step %d: %w", part, s.want, s.img.Step, ErrCorrupt)
			}
			return nil
		})
		if err != nil {
			return Image{}, err
		}
	}
	return s.img, nil
}

// LastObject implements [Base].
func (b *badgerBase) LastObject(partition int) (last uint64, err error) {
	err = b.view(func(txn *badger.Txn, _ completion) error {
		it := txn.NewIterator(badger.IteratorOptions{Reverse: true})
		defer it.Close()
		// Backwards from behind the largest key that the partition could have.
		seek := objectKey(keyObject, uint64(partition)<<56|(1<<56-1))
		seek = append(seek, bytes.Repeat([]byte{0xff}, imageKeySize)...)
		it.Seek(seek)
		if !it.Valid() || it.Item().Key()[0] != keyObject {
			return nil
		}
		addr, _, _, err := parseImageKey(it.Item().Key())
		if err == nil && addr.Partition() == partition {
			last = addr.Object
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("last object of partition %d: %w", partition, err)
	}
	return last, nil
}

// Objects implements [Base].
func (b *badgerBase) Objects(from uint64, fn func(object uint64) (next uint64)) error {
	err := b.view(func(txn *badger.Txn, _ completion) error {
		it := txn.NewIterator(keysOnly([]byte{keyObject}))
		defer it.Close()
		for {
			it.Seek(objectKey(keyObject, from))
			if !it.Valid() {
				return nil
			}
			key := it.Item().Key()
			if len(key) != imageKeySize {
				return fmt.Errorf("image key %x: %w", key, ErrCorrupt)
			}
			if from = fn(binary.BigEndian.Uint64(key[1:])); from == 0 {
				return nil
			}
		}
	})
	if err != nil {
		return fmt.Errorf("objects: %w", err)
	}
	return nil
}

// Snapshot implements [Base].
func (b *badgerBase) Snapshot() (Snapshot, error) {
	b.mu.RLock()
	txn, s, v, err := b.beginLocked()
	if err != nil {
		b.mu.RUnlock()
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	return &badgerSnapshot{b: b, txn: txn, c: completion{s.complete, v}, state: s.State}, nil
}

// badgerSnapshot is a [Snapshot] of a [badgerBase], which it keeps from being
// closed.
type badgerSnapshot struct {
	b     *badgerBase
	txn   *badger.Txn // nil when closed
	c     completion
	state State
}

// State implements [Snapshot].
func (s *badgerSnapshot) State() State { return s.state }

// Each implements [Snapshot].
func (s *badgerSnapshot) Each(fn func(Image) error) error {
	if s.txn == nil {
		return fmt.Errorf("snapshot: %w", ErrClosed)
	}
	for _, prefix := range []byte{keyDir, keyObject} {
		if err := loadImages(s.txn, s.c, prefix, fn, nil); err != nil {
			return fmt.Errorf("snapshot: %w", err)
		}
	}
	return nil
}

// Close implements [Snapshot].
func (s *badgerSnapshot) Close() error {
	if s.txn != nil {
		s.txn.Discard()
		s.txn = nil
		s.b.mu.RUnlock()
	}
	return nil
}
