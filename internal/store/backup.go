package store

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// A backup is the records that would make the store anew: the map of
// databases, then each key with what it holds, as one View sees them. It does
// not depend on pages, hash seeds or the engine.
//
//	magic, 16 bytes
//	chunks: length u32, CRC-32C u32, records
//	an empty chunk at the end: length 0, CRC-32C of all chunks' CRCs
const (
	backupMagic = "brock backup 01\n"
	backupChunk = 256 << 10
	// backupMax bounds a chunk: one name and its element more than backupChunk.
	backupMax = 2*MaxString + 1<<20
)

// castagnoli returns the table of CRC-32C; the package makes it once.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// backup writes a backup.
type backup struct {
	t   *Tx // the View
	out Tx  // takes records
	w   *bufio.Writer
	sum uint32
}

// Backup writes all data, as of one moment, to w. Writers go on meanwhile.
func (s *Store) Backup(w io.Writer) error {
	return s.View(func(t *Tx) error {
		b := &backup{t: t, w: bufio.NewWriterSize(w, 64<<10)}
		if _, err := b.w.WriteString(backupMagic); err != nil {
			return err
		}
		b.out.log(opSpaces, 0)
		b.out.arg(t.spaces.encode())
		for db := range t.spaces.dbs {
			if err := b.database(db); err != nil {
				return err
			}
		}
		return b.end()
	})
}

// database writes the keys of one database.
func (b *backup) database(db int) error {
	for cursor := uint64(0); ; {
		var found []Found
		err := b.step(func(t *Tx) (err error) {
			found, cursor, err = t.scan(db, cursor, 1<<30)
			return err
		})
		if err != nil {
			return err
		}
		for _, f := range found {
			if err := b.key(db, f); err != nil {
				return fmt.Errorf("key %q: %w", f.Key, err)
			}
		}
		if cursor == 0 {
			return nil
		}
	}
}

// step reads something of the View.
func (b *backup) step(fn func(*Tx) error) error { return b.t.Step(b.t.life, fn) }

// key writes one key, as it is stored, with what it holds.
func (b *backup) key(db int, f Found) error {
	var entry []byte
	sp := b.t.spaces.dbs[db]
	err := b.step(func(t *Tx) (err error) {
		entry, err = t.raw(sp, f.hash, f.Key)
		entry = bytes.Clone(entry)
		return err
	})
	if err != nil {
		return err
	}
	e, err := decodeEntry(entry)
	if err != nil {
		return err
	}
	if f.name != 0 {
		if err := b.stringObject(f.name); err != nil {
			return err
		}
	}
	if e.Object != 0 {
		if err := b.object(e); err != nil {
			return err
		}
	}
	b.out.log(opPut, sp.id)
	b.out.argString(f.Key)
	b.out.arg(entry)
	return b.flush(backupChunk)
}

// object writes an object.
func (b *backup) object(e Entry) error {
	if e.Type == String {
		return b.stringObject(e.Object)
	}
	var n uint64
	var aux []byte
	err := b.step(func(t *Tx) error {
		h, err := t.header(e.Object)
		if err == nil {
			n, aux = h.Count(), slices.Clone(h.Aux())
		}
		return err
	})
	if err != nil {
		return err
	}
	b.out.log(opCreate, e.Object)
	b.out.argUint(uint64(e.Type))
	if e.Type == Hash || e.Type == Set {
		err = b.fields(e)
	} else {
		err = b.items(e, n)
	}
	b.out.log(opAux, e.Object)
	b.out.arg(aux)
	return err
}

// stringObject writes a string object without its holes.
func (b *backup) stringObject(obj uint64) error {
	var n uint64
	err := b.step(func(t *Tx) (err error) {
		n, err = t.acc.StringLen(obj)
		return err
	})
	if err != nil {
		return err
	}
	b.out.log(opString, obj)
	b.out.argUint(n)
	b.out.arg(nil)
	for off := uint64(0); off < n; {
		err := b.step(func(t *Tx) error {
			chunk, err := t.acc.StringChunk(obj, off)
			if err != nil {
				return err
			}
			if len(bytes.TrimRight(chunk, "\x00")) > 0 {
				b.out.log(opWrite, obj)
				b.out.argUint(off)
				b.out.arg(chunk)
			}
			off += uint64(len(chunk))
			return nil
		})
		if err == nil {
			err = b.flush(backupChunk)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fields writes the fields of a hash or the members of a set.
func (b *backup) fields(e Entry) error {
	for at, more := uint64(0), true; more; {
		err := b.step(func(t *Tx) error {
			leaf, err := t.acc.FieldLeaf(e.Object, at)
			if err != nil {
				return err
			}
			leaf.Each(func(stored, value []byte) bool {
				err = b.field(t, e, stored, value)
				return err == nil
			})
			at = leaf.End + 1
			more = at != 0
			return err
		})
		if err == nil {
			err = b.flush(backupChunk)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// field writes one field or member.
func (b *backup) field(t *Tx, e Entry, stored, value []byte) error {
	name, element, err := t.openField(e.Object, stored, value)
	if err != nil {
		return err
	}
	b.out.log(opFieldPut, e.Object)
	b.out.argString(name)
	b.out.argUint(flag(e.Type == Hash))
	if e.Type == Set {
		return nil
	}
	v, err := t.value(e.Object, element, false)
	b.out.arg(v)
	return err
}

// items writes the n items of a tree.
func (b *backup) items(e Entry, n uint64) error {
	tr := tree(e.Type, e.Object)
	for at := uint64(0); at < n; {
		err := b.step(func(t *Tx) error {
			r, err := t.acc.TreeRun(tr, at)
			for ; err == nil && at < r.End(); at++ {
				err = b.item(t, e, tr.Key, at, r.Item(at))
			}
			return err
		})
		if err == nil {
			err = b.flush(backupChunk)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// item writes one item of a tree.
func (b *backup) item(t *Tx, e Entry, key int, pos uint64, item []byte) error {
	if e.Type == ZSet {
		member, err := t.itemMember(e.Object, item)
		if err != nil {
			return err
		}
		b.out.log(opScore, e.Object)
		b.out.arg(item[:8])
		b.out.argString(member)
		return nil
	}
	v, err := t.value(e.Object, item[key:], false)
	if err != nil {
		return err
	}
	if e.Type == List {
		b.out.log(opInsert, e.Object)
		b.out.argUint(pos)
	} else {
		b.out.log(opItemPut, e.Object)
		b.out.argUint(uint64(e.Type))
		b.out.arg(item[:key])
	}
	b.out.arg(v)
	return nil
}

// flush writes a chunk if there are at least limit bytes of records.
func (b *backup) flush(limit int) error {
	recs := b.out.recs
	if len(recs) < limit || len(recs) == 0 {
		return nil
	}
	crc := crc32.Checksum(recs, castagnoli())
	b.chunkHead(len(recs), crc)
	b.out.recs = recs[:0]
	_, err := b.w.Write(recs)
	return err
}

// chunkHead writes what stands before the records of a chunk. Errors stick to
// the writer.
func (b *backup) chunkHead(n int, crc uint32) {
	var head [8]byte
	binary.LittleEndian.PutUint32(head[:], uint32(n))
	binary.LittleEndian.PutUint32(head[4:], crc)
	_, _ = b.w.Write(head[:]) // a bufio.Writer keeps its error for Flush
	b.sum = crc32.Update(b.sum, castagnoli(), head[4:])
}

// end writes what is left and the last, empty chunk.
func (b *backup) end() error {
	if err := b.flush(0); err != nil {
		return err
	}
	b.chunkHead(0, b.sum)
	return b.w.Flush()
}

// BackupReader returns a reader for [CheckBackup] and [Store.Restore], r itself
// if it is one.
func BackupReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, 64<<10) }

// CheckBackup tells whether a backup is about to be read, and reads nothing.
func CheckBackup(r *bufio.Reader) error {
	magic, err := r.Peek(len(backupMagic))
	switch {
	case string(magic) == backupMagic:
		return nil
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("reading the backup: %w", err)
	default:
		return fmt.Errorf("not a backup: %w", engine.ErrFormat)
	}
}

// Restore reads a backup into a store that nobody has used yet. Meanwhile no
// object counts as an orphan: a key comes after what it names.
func (s *Store) Restore(r io.Reader) error {
	s.restoring.Store(true)
	defer s.restoring.Store(false)
	br := BackupReader(r)
	if err := CheckBackup(br); err != nil {
		return err
	}
	_, _ = br.Discard(len(backupMagic)) // it is in the buffer
	rp := replay{s: s, t: &Tx{s: s}}
	sum := uint32(0)
	for n := 1; ; n++ {
		recs, crc, err := readChunk(br)
		if err != nil {
			return fmt.Errorf("chunk %d: %w: %w", n, err, engine.ErrCorrupt)
		}
		if len(recs) == 0 {
			if crc != sum {
				return fmt.Errorf("chunks are missing: %w", engine.ErrCorrupt)
			}
			return nil
		}
		sum = crc32.Update(sum, castagnoli(), binary.LittleEndian.AppendUint32(nil, crc))
		if err := s.restoreChunk(&rp, recs); err != nil {
			return fmt.Errorf("chunk %d: %w", n, err)
		}
	}
}

// readChunk reads one chunk; the last one is empty.
func readChunk(r io.Reader) (recs []byte, crc uint32, err error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, 0, incomplete(err)
	}
	n := binary.LittleEndian.Uint32(head[:])
	crc = binary.LittleEndian.Uint32(head[4:])
	if n == 0 || n > backupMax {
		if n > backupMax {
			err = fmt.Errorf("length %d", n)
		}
		return nil, crc, err
	}
	var buf bytes.Buffer // grows with what is really there, whatever n says
	if _, err := io.CopyN(&buf, r, int64(n)); err != nil {
		return nil, 0, incomplete(err)
	}
	if crc32.Checksum(buf.Bytes(), castagnoli()) != crc {
		return nil, 0, fmt.Errorf("checksum")
	}
	return buf.Bytes(), crc, nil
}

// incomplete words the end of a backup that comes too early.
func incomplete(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends too early")
	}
	return err
}

// restoreChunk applies a chunk's records as one transaction.
func (s *Store) restoreChunk(rp *replay, recs []byte) error {
	_ = s.throttle(nil)
	if err := s.lockWriter(nil); err != nil {
		return err
	}
	lsn := s.committed.Load() + 1
	s.mem.Lock(page.All)
	err := rp.transaction(lsn, recs)
	if err == nil && s.wlog.log != nil {
		s.wlog.append(lsn, recs)
	}
	s.committed.Store(lsn)
	s.mem.Unlock(page.All)
	if err != nil {
		err = s.fail(err) // before anybody else commits
	}
	s.releaseWriter()
	if err != nil {
		return err
	}
	return s.wlog.await(lsn, false)
}
