package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// Whatever stands where the store reads, it does not panic, hang, or take
// memory out of proportion.

// allocated returns the bytes that fn allocates.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// fuzzRecords returns the records of some transactions, to begin with.
func fuzzRecords(f *testing.F) (all [][]byte) {
	f.Helper()
	m := engine.NewMemorySeed(1, 2)
	s, err := Open(m, Options{NoTimers: true})
	require.NoError(f, err)
	for n := 1; n <= 30; n++ {
		require.NoError(f, doHistory(s, n))
	}
	require.NoError(f, s.Close())
	require.NoError(f, m.Log().Replay(1, func(g engine.Group) error {
		return transactions(g, func(_ uint64, recs []byte) error {
			all = append(all, bytes.Clone(recs))
			return nil
		})
	}))
	return all
}

// FuzzEntry decodes a key's entry, and encodes again what it could.
func FuzzEntry(f *testing.F) {
	for _, e := range []Entry{
		{Type: String, Inline: []byte("value")},
		{Type: List, Deadline: 1 << 40, Object: 5<<56 | 7},
		{Type: Stream, Deadline: 9},
		{Type: String, Converted: true, Inline: []byte("7")},
		{Type: String, Text: true, Inline: []byte("7")},
	} {
		f.Add(e.append(nil))
		f.Add(withName(e.append(nil), 6<<56|8))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEntry(b)
		_ = entryDeadlineOf(b)
		if err != nil {
			require.ErrorIs(t, err, engine.ErrCorrupt)
			return
		}
		whole := e.append(nil)
		if name := entryNameOf(b); name != 0 {
			whole = withName(whole, name)
			require.Equal(t, name, entryNameOf(whole))
		}
		again, err := decodeEntry(whole)
		require.NoError(t, err)
		require.Equal(t, e, again)
		if e.Deadline != 0 {
			require.Equal(t, e.Deadline, entryDeadlineOf(b))
		}
	})
}

// FuzzElement decodes the reference in an element.
func FuzzElement(f *testing.F) {
	f.Add([]byte{elementInline, 'x'})
	f.Add(binary.LittleEndian.AppendUint64([]byte{elementOwn, 1, 0, 0, 0}, 5000))
	f.Add(binary.LittleEndian.AppendUint64([]byte{elementOwn, 1, 0, 0, 0}, 1<<63))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, n, err := elementRef(b)
		if err != nil {
			require.ErrorIs(t, err, engine.ErrCorrupt)
			return
		}
		require.True(t, n == 0 && b[0] == elementInline || n > elementMax && n <= MaxString, "%d", n)
	})
}

// FuzzField takes what a table holds for a field apart, and the reference to a
// whole name.
func FuzzField(f *testing.F) {
	ref := binary.LittleEndian.AppendUint64([]byte{1, 0, 0, 0}, 5000)
	f.Add(true, append(ref, elementInline, 'x'))
	f.Add(true, binary.LittleEndian.AppendUint64([]byte{1, 0, 0, 0}, 1<<63))
	f.Add(false, []byte{elementInline, 'x'})
	f.Fuzz(func(t *testing.T, long bool, b []byte) {
		stored := "short"
		if long {
			stored = strings.Repeat("s", shortForm)
		}
		ref, element, err := splitField(stored, b)
		if err != nil {
			require.ErrorIs(t, err, engine.ErrCorrupt)
			return
		}
		require.Equal(t, len(b), len(ref)+len(element))
		require.Equal(t, long && b != nil, ref != nil)
		if ref == nil {
			return
		}
		if _, n, err := readRef(ref); err == nil {
			require.True(t, n > ShortName && n <= MaxString, "%d", n)
		} else {
			require.ErrorIs(t, err, engine.ErrCorrupt)
		}
	})
}

// TestDamagedElement reads an element whose reference says that its value is
// longer than its pages, in memory and loaded.
func TestDamagedElement(t *testing.T) {
	value := strings.Repeat("x", 3*4096)
	for _, n := range []int{len(value) + 1, len(value) + 4096, 100 << 20, MaxString} {
		s := openMem(t, engine.NewMemory(), Options{})
		update(t, s, func(tx *Tx) error { return push(tx, 0, "list", value) })
		damageElement(t, s, n)
		read := func(s *Store) {
			took := allocated(func() {
				err := s.ReadKey("list", nil, func(tx *Tx) error {
					e, _, err := tx.Lookup(0, "list")
					if err != nil {
						return err
					}
					_, err = tx.ListRange(nil, e, 0, 1)
					return err
				})
				require.True(t, err != nil && broken(err), "%d bytes: %v", n, err)
			})
			require.Less(t, took, uint64(1<<20), "%d bytes", n)
		}
		read(s)
		require.NoError(t, s.Checkpoint())
		read(crashed(t, s, engine.Crash{}))
	}
}

// damageElement makes the reference in the first element of a list say n bytes.
func damageElement(t *testing.T, s *Store, n int) {
	t.Helper()
	require.NoError(t, s.WriteKey("list", nil, func(tx *Tx) error {
		e, _, err := tx.Lookup(0, "list")
		require.NoError(t, err)
		r, err := tx.acc.TreeRun(tree(List, e.Object), 0)
		require.NoError(t, err)
		binary.LittleEndian.PutUint64(r.Item(0)[5:], uint64(n))
		return nil
	}))
}

// FuzzSpaces decodes the map of databases, alone and with the numbers of
// objects behind it.
func FuzzSpaces(f *testing.F) {
	f.Add(newSpaces(16).encode())
	s, err := OpenMemory(1, Options{NoTimers: true})
	require.NoError(f, err)
	f.Add(s.encodeTables())
	f.Add(binary.AppendUvarint([]byte{9}, maxDatabases))
	f.Fuzz(func(t *testing.T, b []byte) {
		took := allocated(func() {
			old := newSpaces(4)
			if m, err := decodeSpaces(b, old); err == nil {
				again, err := decodeSpaces(m.encode(), m)
				require.NoError(t, err)
				require.Equal(t, m.encode(), again.encode())
			} else {
				require.ErrorIs(t, err, engine.ErrCorrupt)
			}
			other, err := OpenMemory(1, Options{NoTimers: true})
			require.NoError(t, err)
			if _, err := other.decodeTables(b); err != nil {
				require.ErrorIs(t, err, engine.ErrCorrupt)
			}
			require.NoError(t, other.Close())
		})
		require.Less(t, took, uint64(16<<20+4096*len(b)))
	})
}

// FuzzTransaction applies any bytes as the records of a transaction, and reads
// all that they made.
func FuzzTransaction(f *testing.F) {
	var whole []byte
	for _, recs := range fuzzRecords(f) {
		f.Add(recs)
		whole = append(whole, recs...)
	}
	f.Add(whole)
	huge := binary.AppendUvarint([]byte{byte(opString)}, 1)
	f.Add(append(binary.AppendUvarint(huge, 1<<60), 0))
	f.Add(binary.AppendUvarint([]byte{byte(opPut)}, maxDatabases)) // the last database, which those before come with
	f.Fuzz(func(t *testing.T, recs []byte) {
		s, err := OpenMemory(1, Options{NoTimers: true})
		require.NoError(t, err)
		took := allocated(func() {
			r := &replay{s: s, t: &Tx{s: s}}
			if err = r.transaction(1, recs); err == nil {
				readAll(s)
				s.Housekeep()
			}
			skipped := &replay{s: s, t: &Tx{s: s}} // what the base has is read over
			for i := range skipped.complete {
				skipped.complete[i] = 9
			}
			_ = skipped.transaction(2, recs)
		})
		require.NoError(t, s.Close())
		// All databases take 80 MB; a key's space has a table in each partition,
		// an object pages.
		require.Less(t, took, uint64(96<<20+8192*len(recs)))
	})
}

// readAll reads all keys, as far as they can be.
func readAll(s *Store) {
	_ = s.View(func(t *Tx) error {
		for db := range t.spaces.dbs {
			for cursor, more := uint64(0), true; more; more = cursor != 0 {
				found, next, err := t.scan(db, cursor, 100)
				if err != nil {
					break
				}
				for _, k := range found {
					if k.name != 0 {
						if n, err := t.acc.StringLen(k.name); err != nil || n > 1<<20 {
							continue // and so is it a key
						}
					}
					if t.complete(&k) != nil {
						continue
					}
					if e, _, err := t.Lookup(db, k.Key); err == nil && e.Type == String {
						if n, err := t.StringLen(e); err != nil || n > 1<<20 {
							continue // half a gigabyte of zeroes is a value, too
						}
					}
					_, _ = contentOf(t, db, k.Key)
				}
				cursor = next
			}
		}
		return nil
	})
}

// FuzzGroup takes the payload of a group apart.
func FuzzGroup(f *testing.F) {
	f.Add([]byte{1, 'a', 2, 'b', 'c'}, uint32(2))
	f.Fuzz(func(t *testing.T, payload []byte, count uint32) {
		n := uint32(0)
		err := transactions(engine.Group{First: 1, Count: count, Payload: payload}, func(uint64, []byte) error { n++; return nil })
		if err != nil {
			require.ErrorIs(t, err, engine.ErrCorrupt)
		} else {
			require.Equal(t, count, n)
		}
		require.LessOrEqual(t, int(n), len(payload))
	})
}

// FuzzRestore reads any bytes as a backup: as they are, and as the records of a
// chunk whose checksums are right.
func FuzzRestore(f *testing.F) {
	s, err := OpenMemory(1, Options{NoTimers: true})
	require.NoError(f, err)
	require.NoError(f, s.Update(func(t *Tx) error { // small, so that mutations hit what matters
		return errors.Join(setString(t, 0, "a", "1"), push(t, 1, "b", strings.Repeat("2", 200)), setField(t, 2, "c", "d", "3"))
	}))
	var buf bytes.Buffer
	require.NoError(f, s.Backup(&buf))
	f.Add(buf.Bytes())
	f.Add(append([]byte(backupMagic), 0xff, 0xff, 0xff, 0x1f, 0, 0, 0, 0, 'x'))
	f.Add(buf.Bytes()[len(backupMagic)+8 : buf.Len()-8])
	f.Fuzz(func(t *testing.T, b []byte) {
		chunk := appendChunk([]byte(backupMagic), b)
		crc := crc32.Checksum(b, castagnoli())
		if len(b) == 0 {
			chunk, crc = chunk[:len(backupMagic)], 0
		}
		sum := uint32(0)
		if len(b) > 0 {
			sum = crc32.Update(0, castagnoli(), binary.LittleEndian.AppendUint32(nil, crc))
		}
		chunk = binary.LittleEndian.AppendUint32(append(chunk, 0, 0, 0, 0), sum)
		for _, in := range [][]byte{b, chunk} {
			s, err := OpenMemory(1, Options{NoTimers: true})
			require.NoError(t, err)
			took := allocated(func() {
				if err = s.Restore(bytes.NewReader(in)); err == nil {
					readAll(s)
				}
			})
			if err != nil && !errors.Is(err, engine.ErrFormat) && !errors.Is(err, engine.ErrCorrupt) {
				require.True(t, strings.HasPrefix(err.Error(), "chunk "), err)
			}
			require.Less(t, took, uint64(64<<20+8192*len(in)))
			require.NoError(t, s.Close())
		}
	})
}

// appendChunk appends a chunk of a backup.
func appendChunk(b, recs []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(recs)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(recs, castagnoli()))
	return append(b, recs...)
}
