package page

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Odd constants with as many ones as zeroes, for Hash.
const (
	hashK0 = 0x9e3779b97f4a7c15
	hashK1 = 0xd1b54a32d192ed03
	hashK2 = 0x8cb92ba72f3d8dd7
)

// Hash is the hash of s under seed. It orders every hashed page on disk, so it
// is part of the format and never changes. The seed is secret and random per
// store, which keeps a client from choosing keys that collide.
//
// Multiply-and-fold over 16 bytes at a time: both halves of each 128-bit
// product are used, so that every input bit reaches every output bit.
func Hash(seed uint64, s string) uint64 {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	n := uint64(len(b))
	seed ^= hashK0
	for len(b) > 16 {
		seed = fold(binary.LittleEndian.Uint64(b)^hashK1, binary.LittleEndian.Uint64(b[8:])^seed)
		b = b[16:]
	}
	var lo, hi uint64
	switch {
	case len(b) >= 8:
		lo = binary.LittleEndian.Uint64(b)
		hi = binary.LittleEndian.Uint64(b[len(b)-8:])
	case len(b) >= 4:
		lo = uint64(binary.LittleEndian.Uint32(b))
		hi = uint64(binary.LittleEndian.Uint32(b[len(b)-4:]))
	case len(b) > 0:
		lo = uint64(b[0])<<16 | uint64(b[len(b)>>1])<<8 | uint64(b[len(b)-1])
	}
	return fold(hashK2^n, fold(lo^hashK1, hi^seed))
}

// fold multiplies to 128 bits and combines the halves.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
