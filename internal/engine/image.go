package engine

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
)

// The keys of a Badger base. Integers in keys are big endian, so that they sort.
//
//	image   't', 'd' or 'o' | object 8 | class 1 | no 8 | depth 1 | slot 1 | part 2
//	state   's'
//	void    'v' | first step of the range 8
//
// An image is 'd' if its page is a directory's, 'o' if it is another's; 't' are
// the store's tables. Images above a megabyte are split into parts. The value
// of each part is
//
//	0  u32  CRC32C of the key and of the value from 4 on
//	4  u8   1, the format
//	5  u8   kind
//	6  u16  number of parts
//	8  u64  step
//	16 u64  LSN
//	24 u64  length of all parts together
//	32      data
//
// in little endian. The step stands a second time in the entry's expiry time,
// as that many seconds behind [stepEpoch], and the kind in its user meta byte:
// both are in the LSM tree, so that passes over keys need no value.
const (
	keyTables byte = 't'
	keyDir    byte = 'd'
	keyObject byte = 'o'
	keyState  byte = 's'
	keyVoid   byte = 'v'

	imageKeySize = 22
	slotAt       = 19
	partAt       = 20
	imageHeader  = 32
	imageFormat  = 1
	maxPart      = 1<<20 - 1<<10 // bytes of data; with header and key it fits the smallest value log
	maxParts     = 1<<16 - 1

	// stepEpoch is an expiry time that never comes, in seconds since 1970.
	stepEpoch = 1 << 62
)

// prefix returns the first byte of the keys of an address.
func (a Addr) prefix() byte {
	if a.Dir {
		return keyDir
	}
	return keyObject
}

// appendImageKey appends the key of a part of an image.
func appendImageKey(b []byte, prefix byte, a Addr, slot uint8, part int) []byte {
	b = append(b, prefix)
	b = binary.BigEndian.AppendUint64(b, a.Object)
	b = append(b, byte(a.Class))
	b = binary.BigEndian.AppendUint64(b, a.No)
	b = append(b, a.Depth, slot)
	return binary.BigEndian.AppendUint16(b, uint16(part))
}

// objectKey returns the prefix of all keys of an object.
func objectKey(prefix byte, object uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefix}, object)
}

// parseImageKey decodes a key that appendImageKey has made.
func parseImageKey(key []byte) (a Addr, slot uint8, part int, err error) {
	if len(key) != imageKeySize || key[slotAt] > 1 {
		return a, 0, 0, fmt.Errorf("image key %x: %w", key, ErrCorrupt)
	}
	a = Addr{
		Dir:    key[0] == keyDir,
		Object: binary.BigEndian.Uint64(key[1:]),
		Class:  Class(key[9]),
		No:     binary.BigEndian.Uint64(key[10:]),
		Depth:  key[18],
	}
	return a, key[slotAt], int(binary.BigEndian.Uint16(key[partAt:])), nil
}

// imageParts returns how many parts data of a length takes, at least one.
func imageParts(length int) int { return max(1, (length+maxPart-1)/maxPart) }

// appendImagePart appends the value of a part of img, which is stored under key.
func appendImagePart(b, key []byte, img *Image, part int) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0, imageFormat, img.Kind)
	le := binary.LittleEndian
	b = le.AppendUint16(b, uint16(imageParts(len(img.Data))))
	b = le.AppendUint64(b, img.Step)
	b = le.AppendUint64(b, img.LSN)
	b = le.AppendUint64(b, uint64(len(img.Data)))
	from := part * maxPart
	b = append(b, img.Data[from:min(from+maxPart, len(img.Data))]...)
	le.PutUint32(b[at:], imageSum(key, b[at:]))
	return b
}

// imageSum returns the checksum of a part.
func imageSum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli()), castagnoli(), value[4:])
}

// imagePart is a decoded part of an image.
type imagePart struct {
	kind  uint8
	parts int
	step  uint64
	lsn   LSN
	total uint64
	data  []byte // aliases the value
}

// decodeImagePart decodes a value. It reports false for anything but what
// appendImagePart has made for that key: Badger gives an empty value, and no
// error, where it could not read one.
func decodeImagePart(key, value []byte) (p imagePart, ok bool) {
	le := binary.LittleEndian
	if len(value) < imageHeader || value[4] != imageFormat || le.Uint32(value) != imageSum(key, value) {
		return imagePart{}, false
	}
	p = imagePart{
		kind:  value[5],
		parts: int(le.Uint16(value[6:])),
		step:  le.Uint64(value[8:]),
		lsn:   le.Uint64(value[16:]),
		total: le.Uint64(value[24:]),
		data:  value[imageHeader:],
	}
	return p, p.total <= maxParts*maxPart && p.parts == imageParts(int(p.total))
}

// baseState is [State] with what the driver adds to it.
type baseState struct {
	State
	complete uint64 // the last complete step
	reserved uint64 // no step above this one has been begun
	slot     uint8  // of the tables' last complete image
}

// stateSize is the length of an encoded state: below Badger's value threshold,
// so that it never is a pointer that could reach the disk before its value.
const stateSize = 8 + 6*8 + 8*PartitionCount

// encodeState returns the encoding of s, without its tables:
//
//	0   u32  CRC32C of the rest
//	4   u8   1, the format
//	5   u8   slot of the tables
//	6   u16  0
//	8   u64  store, seed, epoch, last step begun, last step complete, last step reserved
//	56  u64  S of each partition
func encodeState(s *baseState) []byte {
	b := []byte{0, 0, 0, 0, imageFormat, s.slot, 0, 0}
	le := binary.LittleEndian
	for _, n := range []uint64{s.Store, s.Seed, s.Epoch, s.LastStep, s.complete, s.reserved} {
		b = le.AppendUint64(b, n)
	}
	for _, lsn := range s.Complete {
		b = le.AppendUint64(b, lsn)
	}
	le.PutUint32(b, crc32.Checksum(b[4:], castagnoli()))
	return b
}

// decodeState decodes what encodeState has made.
func decodeState(b []byte) (s baseState, err error) {
	le := binary.LittleEndian
	switch {
	case len(b) < 8 || le.Uint32(b) != crc32.Checksum(b[4:], castagnoli()):
		return s, fmt.Errorf("state of the base: checksum: %w", ErrCorrupt)
	case b[4] != imageFormat:
		return s, fmt.Errorf("state of the base: format %d: %w", b[4], ErrFormat)
	case len(b) != stateSize || b[5] > 1:
		return s, fmt.Errorf("state of the base: %d bytes: %w", len(b), ErrCorrupt)
	}
	s.slot = b[5]
	for i, p := range []*uint64{&s.Store, &s.Seed, &s.Epoch, &s.LastStep, &s.complete, &s.reserved} {
		*p = le.Uint64(b[8+8*i:])
	}
	for i := range s.Complete {
		s.Complete[i] = le.Uint64(b[56+8*i:])
	}
	return s, nil
}

// stepRange is a range of step numbers, both ends included.
type stepRange struct{ first, last uint64 }

// voids are the step numbers that were begun and never completed, ascending.
type voids []stepRange

// contains tells whether a step is void.
func (v voids) contains(step uint64) bool {
	_, found := slices.BinarySearchFunc(v, step, func(r stepRange, step uint64) int {
		switch {
		case r.last < step:
			return -1
		case r.first > step:
			return 1
		}
		return 0
	})
	return found
}

// last returns the highest void number, 0 if there is none.
func (v voids) last() uint64 {
	if len(v) == 0 {
		return 0
	}
	return v[len(v)-1].last
}

// add returns v with a range that begins behind all others, or where the last
// one begins.
func (v voids) add(r stepRange) voids {
	v = slices.Clone(v)
	if n := len(v); n > 0 && v[n-1].first == r.first {
		v[n-1] = r
		return v
	}
	return append(v, r)
}

// voidKey returns the key of a range of void steps.
func voidKey(first uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{keyVoid}, first)
}

// encodeVoid returns the value under the key of a range of void steps: its last
// one and a checksum of both.
func encodeVoid(r stepRange) []byte {
	b := binary.LittleEndian.AppendUint64(nil, r.last)
	return binary.LittleEndian.AppendUint32(b, imageSum(voidKey(r.first), append(make([]byte, 4), b...)))
}

// decodeVoid decodes what voidKey and encodeVoid have made.
func decodeVoid(key, value []byte) (r stepRange, err error) {
	if len(key) == 9 && len(value) == 12 {
		r = stepRange{binary.BigEndian.Uint64(key[1:]), binary.LittleEndian.Uint64(value)}
		if string(encodeVoid(r)) == string(value) {
			return r, nil
		}
	}
	return stepRange{}, fmt.Errorf("void steps %x: %w", key, ErrCorrupt)
}
