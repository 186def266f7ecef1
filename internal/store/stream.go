package store

import (
	"encoding/binary"

	"github.com/brockdb/brock/internal/page"
)

// Streams. A stream has a head:
//
//	0..16   the last id, which survives the deletion of its entry
//	16..24  the number of entries ever added
//	24..40  the highest id ever deleted
//
// All numbers are big-endian, an id is ms and seq. An entry's body is its
// fields, packed: name, value, name, value. A small stream is its head and,
// packed, its entries: id and body. A large one is an object whose tree has an
// item for each entry, id and element, and whose header's Aux is the head. A
// stream without entries stays.

const (
	streamHead  = 40
	streamIDLen = 16
)

// StreamID is the id of an entry of a stream.
type StreamID struct{ Ms, Seq uint64 }

// Less tells whether id comes before other.
func (id StreamID) Less(other StreamID) bool {
	return id.Ms < other.Ms || id.Ms == other.Ms && id.Seq < other.Seq
}

// append encodes id so that ids sort by their bytes.
func (id StreamID) append(b []byte) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, id.Ms), id.Seq)
}

// streamID decodes what append encoded.
func streamID(b []byte) StreamID {
	return StreamID{Ms: binary.BigEndian.Uint64(b), Seq: binary.BigEndian.Uint64(b[8:])}
}

// StreamInfo is what a stream knows of itself. The zero value is an absent
// stream's.
type StreamInfo struct {
	Len     int
	Last    StreamID // the highest id that it ever had
	Added   uint64   // entries ever added
	Deleted StreamID // the highest id ever deleted
}

// append encodes the head.
func (s StreamInfo) append(b []byte) []byte {
	return s.Deleted.append(binary.BigEndian.AppendUint64(s.Last.append(b), s.Added))
}

// streamInfo decodes a head.
func streamInfo(b []byte) StreamInfo {
	return StreamInfo{Last: streamID(b), Added: binary.BigEndian.Uint64(b[16:]), Deleted: streamID(b[24:])}
}

// packedStream returns the entries of a packed stream.
func packedStream(e Entry) (packed, error) {
	switch {
	case e.Type == None:
		return nil, nil
	case len(e.Inline) < streamHead:
		return nil, errPacked(e.Inline)
	}
	return e.Inline[streamHead:], nil
}

// sentry returns the entry of a packed stream that begins at an offset, and
// where it ends.
func (p packed) sentry(at int) (id StreamID, body packed, end int, err error) {
	b, end, err := p.next(at)
	if err == nil && len(b) < streamIDLen {
		err = errPacked(p)
	}
	if err != nil {
		return id, nil, 0, err
	}
	return streamID(b), b[streamIDLen:], end, nil
}

// StreamInfo returns what is known of the stream that e, possibly the zero
// Entry, holds.
func (t *Tx) StreamInfo(e Entry) (s StreamInfo, err error) {
	if e.Object == 0 {
		p, err := packedStream(e)
		if err != nil || e.Type == None {
			return s, err
		}
		s = streamInfo(e.Inline)
		s.Len, err = p.count()
		return s, err
	}
	h, err := t.header(e.Object)
	if err != nil {
		return s, err
	}
	s = streamInfo(h.Aux())
	s.Len = int(h.Count())
	return s, nil
}

// StreamAdd adds an entry whose id is above the last one to the stream of a
// key. e is the key's entry, zero if it is absent.
func (t *Tx) StreamAdd(db int, key string, e Entry, id StreamID, fields []Field) error {
	s, err := t.StreamInfo(e)
	if err != nil {
		return err
	}
	s.Last = id
	s.Added++
	var body packed
	for _, f := range fields {
		body = appendPacked(appendPacked(body, f.Name), f.Value)
	}
	if err := t.Reserve(len(body)); err != nil {
		return err
	}
	if e.Object == 0 {
		return t.streamAddPacked(db, key, e, s, body)
	}
	var k [streamIDLen]byte
	if err := t.itemPut(Stream, e.Object, id.append(k[:0]), body); err != nil {
		return err
	}
	return t.aux(e.Object, s.append(nil))
}

// streamAddPacked is StreamAdd for a stream that is packed up to now.
func (t *Tx) streamAddPacked(db int, key string, e Entry, s StreamInfo, body packed) error {
	entries, err := packedStream(e)
	if err != nil {
		return err
	}
	size := packedSize(streamIDLen + len(body))
	if !fitsInline(key, streamHead+len(entries)+size) {
		return t.streamPromote(db, key, e, s, body)
	}
	b := s.append(make([]byte, 0, streamHead+len(entries)+size))
	b = append(b, entries...)
	b = binary.AppendUvarint(b, uint64(streamIDLen+len(body)))
	b = append(s.Last.append(b), body...)
	return t.Put(db, key, Entry{Type: Stream, Deadline: e.Deadline, Inline: b})
}

// streamPromote makes a packed stream an object, with one more entry.
func (t *Tx) streamPromote(db int, key string, e Entry, s StreamInfo, body packed) error {
	entries, err := packedStream(e)
	if err != nil {
		return err
	}
	entries = append(packed(nil), entries...)
	obj := t.newObject(page.PartitionOf(t.keyHash(key)))
	if err := t.create(obj, Stream); err != nil {
		return err
	}
	for at := 0; at < len(entries); {
		id, old, end, err := entries.sentry(at)
		if err != nil {
			return err
		}
		if err := t.itemPut(Stream, obj, id.append(nil), old); err != nil {
			return err
		}
		at = end
	}
	if err := t.itemPut(Stream, obj, s.Last.append(nil), body); err != nil {
		return err
	}
	if err := t.aux(obj, s.append(nil)); err != nil {
		return err
	}
	return t.Put(db, key, Entry{Type: Stream, Deadline: e.Deadline, Object: obj})
}

// StreamDelete removes entries from the stream of a key, which stays, and
// returns how many there were. Only with one id does it miss what is cold
// before it changes anything.
func (t *Tx) StreamDelete(db int, key string, e Entry, ids []StreamID) (n int, err error) {
	s, err := t.StreamInfo(e)
	if err != nil {
		return 0, err
	}
	var p packed
	if e.Object == 0 {
		if p, err = packedStream(e); err != nil {
			return 0, err
		}
		p = append(packed(nil), p...)
	}
	for _, id := range ids {
		var was bool
		if e.Object == 0 {
			p, was, err = p.sdelete(id)
		} else {
			was, err = t.itemDelete(Stream, e.Object, id.append(nil))
		}
		if err != nil {
			return 0, err
		}
		if was {
			n++
			if s.Deleted.Less(id) {
				s.Deleted = id
			}
		}
	}
	switch {
	case n == 0:
		return 0, nil
	case e.Object == 0:
		b := append(s.append(nil), p...)
		return n, t.Put(db, key, Entry{Type: Stream, Deadline: e.Deadline, Inline: b})
	}
	return n, t.aux(e.Object, s.append(nil))
}

// sdelete removes an entry of a packed stream in place and tells whether it was
// there.
func (p packed) sdelete(id StreamID) (packed, bool, error) {
	for at := 0; at < len(p); {
		there, _, end, err := p.sentry(at)
		if err != nil {
			return p, false, err
		}
		if there == id {
			return p.cut(at, end), true, nil
		}
		at = end
	}
	return p, false, nil
}

// StreamSpan returns the position of the first entry whose id is first or
// higher, and how many there are from it up to id last.
func (t *Tx) StreamSpan(e Entry, first, last StreamID) (at, n int, err error) {
	if last.Less(first) {
		return 0, 0, nil
	}
	if e.Object == 0 {
		return spanPacked(e, first, last)
	}
	tr := tree(Stream, e.Object)
	from, _, err := t.acc.TreeFind(tr, first.append(nil))
	if err != nil {
		return 0, 0, err
	}
	if last.Seq++; last.Seq == 0 {
		last.Ms++
	}
	if last == (StreamID{}) { // the highest id of all
		h, err := t.header(e.Object)
		if err != nil {
			return 0, 0, err
		}
		return int(from), int(h.Count() - from), nil
	}
	to, _, err := t.acc.TreeFind(tr, last.append(nil))
	if err != nil {
		return 0, 0, err
	}
	return int(from), int(to - from), nil
}

// spanPacked is StreamSpan for a packed stream.
func spanPacked(e Entry, first, last StreamID) (at, n int, err error) {
	p, err := packedStream(e)
	for off := 0; err == nil && off < len(p); {
		var id StreamID
		if id, _, off, err = p.sentry(off); err != nil {
			break
		}
		switch {
		case id.Less(first):
			at++
		case !last.Less(id):
			n++
		}
	}
	return at, n, err
}

// StreamEach calls fn with n entries from position first on, all of which
// exist. The fields are the caller's.
func (t *Tx) StreamEach(e Entry, first, n int, fn func(id StreamID, fields []Field)) error {
	if e.Object == 0 {
		return eachPacked(e, first, n, fn)
	}
	tr := tree(Stream, e.Object)
	for at, end := uint64(first), uint64(first+n); at < end; {
		r, err := t.acc.TreeRun(tr, at)
		if err != nil {
			return err
		}
		for stop := min(r.End(), end); at < stop; at++ {
			item := r.Item(at)
			if len(item) < streamIDLen {
				return errPacked(item)
			}
			body, err := t.value(e.Object, item[streamIDLen:], false)
			if err != nil {
				return err
			}
			fields, err := packed(body).fields()
			if err != nil {
				return err
			}
			fn(streamID(item), fields)
		}
		t.pageDone()
	}
	return nil
}

// eachPacked is StreamEach for a packed stream.
func eachPacked(e Entry, first, n int, fn func(id StreamID, fields []Field)) error {
	p, err := packedStream(e)
	for i, at := 0, 0; err == nil && at < len(p) && i < first+n; i++ {
		var id StreamID
		var body packed
		if id, body, at, err = p.sentry(at); err != nil || i < first {
			continue
		}
		var fields []Field
		if fields, err = body.fields(); err == nil {
			fn(id, fields)
		}
	}
	return err
}

// fields returns copies of the fields in an entry's body.
func (p packed) fields() ([]Field, error) {
	n, err := p.count()
	if err != nil || n%2 != 0 {
		return nil, errPacked(p)
	}
	values := make([]byte, 0, len(p))
	fields := make([]Field, 0, n/2)
	for at := 0; at < len(p); {
		name, end, err := p.next(at)
		if err != nil {
			return nil, err
		}
		value, end, err := p.next(end)
		if err != nil {
			return nil, err
		}
		from := len(values)
		values = append(values, value...)
		fields = append(fields, Field{Name: string(name), Value: values[from:len(values):len(values)]})
		at = end
	}
	return fields, nil
}
