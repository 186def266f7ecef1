package page

import "encoding/binary"

// HeaderSize is the size of the header at the start of an object's page 0.
const HeaderSize = 64

// Header is the fixed part of an object that is more than raw bytes:
//
//	0      type of the object, opaque here
//	1      flags: bit 0: the object's table is the body of page 0
//	4..8   next page number
//	8..16  number of elements
//	16..20 next number of an element's own value
//	24..64 Aux, opaque here: a stream's ids, a queue's numbers, a string's length
type Header []byte

const headerEmbedded = 1

// Type returns the object's type as given to Create.
func (h Header) Type() uint8 { return h[0] }

// Count returns the number of elements.
func (h Header) Count() uint64 { return binary.LittleEndian.Uint64(h[8:]) }

// Aux returns the 40 bytes that belong to the object's type.
func (h Header) Aux() []byte { return h[24:HeaderSize] }

func (h Header) embedded() bool { return h[1]&headerEmbedded != 0 }

func (h Header) setEmbedded(on bool) {
	h[1] &^= headerEmbedded
	if on {
		h[1] |= headerEmbedded
	}
}

func (h Header) addCount(n int64) {
	binary.LittleEndian.PutUint64(h[8:], h.Count()+uint64(n))
}

// takeNo returns an unused page number.
func (h Header) takeNo() uint64 {
	n := binary.LittleEndian.Uint32(h[4:])
	binary.LittleEndian.PutUint32(h[4:], n+1)
	return uint64(n)
}

// takeSub returns an unused number for an element's own value.
func (h Header) takeSub() uint32 {
	n := binary.LittleEndian.Uint32(h[16:])
	binary.LittleEndian.PutUint32(h[16:], n+1)
	return n
}

// initHeader formats the header of a new object.
func initHeader(b []byte, typ uint8) Header {
	h := Header(b[:HeaderSize])
	clear(h)
	h[0] = typ
	binary.LittleEndian.PutUint32(h[4:], 2) // 0 is the header's page, 1 a zset's tree
	binary.LittleEndian.PutUint32(h[16:], 1)
	return h
}
