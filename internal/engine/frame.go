package engine

import (
	"encoding/binary"
	"hash/crc32"
)

// A frame is what the log's segments are made of: a header, a part of a
// group's payload, and zeroes up to a multiple of 8. Integers are little
// endian; docs/format.md draws it.
//
//	 0  u32  CRC32C of the bytes from 4 up to the payload's end
//	 4  u32  length of the payload in this frame
//	 8  u64  store id
//	16  u64  epoch
//	24  u64  number of the segment
//	32  u64  number of the group's first transaction
//	40  u64  synced through: every transaction up to this one was durable when the frame was written
//	48  u32  transactions in the group; 0 in a seal, which Close writes
//	52  u32  index of this part of the group; the top bit marks the last one
//	56  u32  in the last part: length of the group's payload
//	60  u32  in the last part, if it is not the only one: CRC32C of the group's payload
//
// Store id and segment number say that the frame belongs where it stands: what
// a recycled file held before never passes for a frame of its new life.
const (
	frameHeader   = 64
	frameAlign    = 8
	frameStoreAt  = 8
	lastPart      = 1 << 31
	maxFrameBytes = 1 << 20 // of payload; larger groups take several frames
	maxGroupBytes = 1<<32 - 1
)

// frame is a decoded frame.
type frame struct {
	store   uint64
	epoch   uint64
	segment uint64
	first   LSN
	synced  LSN
	count   uint32
	part    uint32
	last    bool   // of the group's parts
	total   uint32 // length of the group's payload, if last
	sum     uint32 // its checksum, if last and part > 0
	payload []byte
}

// castagnoli returns the table of CRC32C, which hash/crc32 makes once.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// frameSize returns the bytes that a frame with n bytes of payload takes.
func frameSize(n int) int { return (frameHeader + n + frameAlign - 1) &^ (frameAlign - 1) }

// appendFrame appends the encoding of f to b.
func appendFrame(b []byte, f *frame) []byte {
	at := len(b)
	b = append(b, make([]byte, frameHeader)...)
	h := b[at:]
	le := binary.LittleEndian
	le.PutUint32(h[4:], uint32(len(f.payload)))
	le.PutUint64(h[8:], f.store)
	le.PutUint64(h[16:], f.epoch)
	le.PutUint64(h[24:], f.segment)
	le.PutUint64(h[32:], f.first)
	le.PutUint64(h[40:], f.synced)
	le.PutUint32(h[48:], f.count)
	part := f.part
	if f.last {
		part |= lastPart
	}
	le.PutUint32(h[52:], part)
	le.PutUint32(h[56:], f.total)
	le.PutUint32(h[60:], f.sum)
	b = append(b, f.payload...)
	le.PutUint32(b[at:], crc32.Checksum(b[at+4:], castagnoli()))
	return append(b, make([]byte, frameSize(len(f.payload))-frameHeader-len(f.payload))...)
}

// decodeFrame decodes the frame at the start of b. It reports false unless b
// holds a whole one of that store and segment. The payload aliases b.
func decodeFrame(b []byte, store, segment uint64) (f frame, ok bool) {
	if len(b) < frameHeader {
		return frame{}, false
	}
	le := binary.LittleEndian
	n := le.Uint32(b[4:])
	f = frame{
		store:   le.Uint64(b[8:]),
		epoch:   le.Uint64(b[16:]),
		segment: le.Uint64(b[24:]),
		first:   le.Uint64(b[32:]),
		synced:  le.Uint64(b[40:]),
		count:   le.Uint32(b[48:]),
		part:    le.Uint32(b[52:]) &^ lastPart,
		last:    le.Uint32(b[52:])&lastPart != 0,
		total:   le.Uint32(b[56:]),
		sum:     le.Uint32(b[60:]),
	}
	if f.store != store || f.segment != segment || n > maxFrameBytes || int64(n) > int64(len(b)-frameHeader) {
		return frame{}, false
	}
	if crc32.Checksum(b[4:frameHeader+n], castagnoli()) != le.Uint32(b) {
		return frame{}, false
	}
	f.payload = b[frameHeader : frameHeader+n]
	return f, true
}

// end returns the number of the last transaction of the frame's group.
func (f *frame) end() LSN { return f.first + LSN(f.count) - 1 }

// seal tells whether the frame only carries synced-through.
func (f *frame) seal() bool { return f.count == 0 }
