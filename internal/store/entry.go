package store

import (
	"encoding/binary"
	"fmt"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// Type is the kind of value that a key holds.
type Type uint8

// The types of values. The numbers are part of the format.
const (
	None Type = iota
	String
	List
	Set
	ZSet
	Hash
	Stream
	Queue
)

// Entry is what the directory holds for a key: the value itself if it is small,
// else the number of the object that holds it.
//
//	0      type, in the low 4 bits; object 0x10; deadline 0x20; name 0x40;
//	       converted 0x80
//	1..9   deadline in ms since 1970, if flagged
//	...    the object's number, 8 bytes; or the value: a string's bytes, a
//	       small collection packed, see packed.go
//	-8..   the number of the object with the whole key, if flagged, see
//	       withName
type Entry struct {
	Type Type

	// How Redis would hold the value, as OBJECT ENCODING tells, where its size
	// and content alone do not say.
	Converted bool // in the general encoding of its type, once and for all
	Text      bool // a string not as an integer, even if it reads as one
	Copied    bool // a string that COPY has made: as an integer it is not shared with other keys

	Deadline int64  // ms since 1970, 0 if the key does not expire
	Object   uint64 // 0 if the value is inline
	Inline   []byte // valid until the next change or the end of the command
}

const (
	entryType      = 0x0f
	entryObject    = 0x10
	entryDeadline  = 0x20
	entryName      = 0x40
	entryConverted = 0x80

	entryText   = 8 // the type of a string with Text
	entryCopied = 9 // that of a string with Copied
)

// InlineMax is the size up to which a value stands inline in its key's entry.
const InlineMax = 192

// size returns the bytes that append adds.
func (e *Entry) size() int {
	n := 1 + len(e.Inline)
	if e.Deadline != 0 {
		n += 8
	}
	if e.Object != 0 {
		n = n - len(e.Inline) + 8
	}
	return n
}

// append encodes e.
func (e *Entry) append(b []byte) []byte {
	head := byte(e.Type)
	switch {
	case e.Text:
		head = entryText
	case e.Copied:
		head = entryCopied
	}
	if e.Converted {
		head |= entryConverted
	}
	if e.Object != 0 {
		head |= entryObject
	}
	if e.Deadline != 0 {
		head |= entryDeadline
	}
	b = append(b, head)
	if e.Deadline != 0 {
		b = binary.LittleEndian.AppendUint64(b, uint64(e.Deadline))
	}
	if e.Object != 0 {
		return binary.LittleEndian.AppendUint64(b, e.Object)
	}
	return append(b, e.Inline...)
}

// decodeEntry reads what append wrote. Inline aliases b.
func decodeEntry(b []byte) (e Entry, err error) {
	err = e.decode(b)
	return e, err
}

// decode makes e what append wrote. Inline aliases b.
func (e *Entry) decode(b []byte) error {
	if len(b) == 0 {
		return errEntry(b)
	}
	head := b[0]
	b = b[1:]
	*e = Entry{Type: Type(head & entryType), Converted: head&entryConverted != 0, Inline: b}
	switch {
	case e.Type == entryText:
		e.Type, e.Text = String, true
	case e.Type == entryCopied:
		e.Type, e.Copied = String, true
	case e.Type == None || e.Type > entryCopied:
		return errEntry(b)
	}
	if head&(entryDeadline|entryObject|entryName) == 0 {
		return nil
	}
	return e.decodeMore(head, b)
}

// decodeMore reads a deadline and the numbers of objects.
func (e *Entry) decodeMore(head byte, b []byte) error {
	if head&entryName != 0 {
		if len(b) < 8 || !validObject(binary.LittleEndian.Uint64(b[len(b)-8:])) {
			return errEntry(b)
		}
		b = b[:len(b)-8]
		e.Inline = b
	}
	if head&entryDeadline != 0 {
		if len(b) < 8 {
			return errEntry(b)
		}
		e.Deadline = int64(binary.LittleEndian.Uint64(b))
		b = b[8:]
		e.Inline = b
	}
	if head&entryObject == 0 {
		return nil
	}
	if len(b) != 8 {
		return errEntry(b)
	}
	e.Object, e.Inline = binary.LittleEndian.Uint64(b), nil
	if !validObject(e.Object) {
		return errEntry(b)
	}
	return nil
}

// errEntry reports an entry that makes no sense.
func errEntry(b []byte) error {
	return fmt.Errorf("store: entry of %d bytes: %w", len(b), engine.ErrCorrupt)
}

// entryDeadlineOf returns the deadline of an encoded entry, 0 if it has none.
func entryDeadlineOf(b []byte) int64 {
	if len(b) < 9 || b[0]&entryDeadline == 0 {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(b[1:]))
}

// validObject tells whether a number may be that of an object.
func validObject(obj uint64) bool { return obj != 0 && obj>>56 < page.Partitions }

// withName adds the number of the object with the whole key to an encoded
// entry: a key above ShortName bytes stands in its directory in its short form.
func withName(b []byte, obj uint64) []byte {
	b[0] |= entryName
	return binary.LittleEndian.AppendUint64(b, obj)
}

// entryNameOf returns the number that withName has added to an encoded entry,
// 0 if there is none.
func entryNameOf(b []byte) uint64 {
	if len(b) < 9 || b[0]&entryName == 0 {
		return 0
	}
	return binary.LittleEndian.Uint64(b[len(b)-8:])
}
