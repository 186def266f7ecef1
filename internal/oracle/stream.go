package oracle

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Entry is an entry of a stream: its ID and its fields as field, value, field,
// value.
type Entry struct {
	ID     string
	Fields []string
}

// streamID is the ID of an entry.
type streamID struct{ ms, seq uint64 }

// streamEntry is an entry as a stream keeps it.
type streamEntry struct {
	id     streamID
	fields []string
}

// stream is a stream: its entries by ID, and the greatest ID that it ever had.
type stream struct {
	entries []streamEntry
	last    streamID
}

// clone returns a copy.
func (s *stream) clone() stream { return stream{slices.Clone(s.entries), s.last} }

// maxStreamID is the greatest ID.
func maxStreamID() streamID { return streamID{math.MaxUint64, math.MaxUint64} }

// String returns id as Redis writes it.
func (id streamID) String() string {
	return strconv.FormatUint(id.ms, 10) + "-" + strconv.FormatUint(id.seq, 10)
}

// compare orders IDs.
func (id streamID) compare(other streamID) int {
	return cmp.Or(cmp.Compare(id.ms, other.ms), cmp.Compare(id.seq, other.seq))
}

// next returns the ID behind id, if there is one.
func (id streamID) next() (streamID, bool) {
	switch {
	case id == maxStreamID():
		return id, false
	case id.seq == math.MaxUint64:
		return streamID{id.ms + 1, 0}, true
	default:
		return streamID{id.ms, id.seq + 1}, true
	}
}

// previous returns the ID before id, if there is one.
func (id streamID) previous() (streamID, bool) {
	switch {
	case id == streamID{}:
		return id, false
	case id.seq == 0:
		return streamID{id.ms - 1, math.MaxUint64}, true
	default:
		return streamID{id.ms, id.seq - 1}, true
	}
}

// entry is e as a caller sees it.
func (e streamEntry) entry() Entry { return Entry{e.id.String(), slices.Clone(e.fields)} }

// find returns the position of id, or of what comes behind it.
func (s *stream) find(id streamID) (at int, ok bool) {
	return slices.BinarySearchFunc(s.entries, id, func(e streamEntry, id streamID) int { return e.id.compare(id) })
}

// parseStreamID reads an ID; one without a sequence gets seq.
func parseStreamID(s string, seq uint64) (streamID, error) {
	first, second, both := strings.Cut(s, "-")
	id := streamID{seq: seq}
	var err error
	if id.ms, err = strconv.ParseUint(first, 10, 64); err != nil {
		return streamID{}, ErrStreamID
	}
	if both {
		if id.seq, err = strconv.ParseUint(second, 10, 64); err != nil {
			return streamID{}, ErrStreamID
		}
	}
	return id, nil
}

// parseBound reads an end of a range: -, +, an ID, or ( before an ID that is
// not included. The function step leads from that ID into the range.
func parseBound(s, name string, seq uint64, step func(streamID) (streamID, bool)) (streamID, error) {
	switch s {
	case "-":
		return streamID{}, nil
	case "+":
		return maxStreamID(), nil
	}
	rest, exclusive := strings.CutPrefix(s, "(")
	id, err := parseStreamID(rest, seq)
	if err != nil || !exclusive {
		return id, err
	}
	id, ok := step(id)
	if !ok {
		return id, ErrStreamID.with("ERR invalid " + name + " ID for the interval")
	}
	return id, nil
}

// XAdd adds an entry of fields, given as field, value, to the stream at key and
// returns its ID: id itself, one with the next free sequence for "5-*", and one
// made from the time for "*".
func (d *DB) XAdd(db int, key, id string, fields ...string) (string, error) {
	if err := d.check(db); err != nil {
		return "", err
	}
	if err := arity(len(fields) > 0 && len(fields)%2 == 0, "xadd"); err != nil {
		return "", err
	}
	prefix, auto := strings.CutSuffix(id, "-*")
	var want streamID
	if id != "*" {
		var err error
		if want, err = parseStreamID(prefix, 0); err != nil || auto && strings.Contains(prefix, "-") {
			return "", ErrStreamID
		}
		if !auto && want == (streamID{}) {
			return "", ErrStreamID.with("ERR The ID specified in XADD must be greater than 0-0")
		}
	}
	o, err := d.read(db, key, TypeStream)
	if err != nil {
		return "", err
	}
	var last streamID
	if o != nil {
		last = o.stream.last
	}
	got, err := d.nextID(last, want, id == "*", auto)
	if err != nil {
		return "", err
	}
	if o, err = d.create(db, key, TypeStream); err != nil {
		return "", err
	}
	o.stream.entries = append(o.stream.entries, streamEntry{got, slices.Clone(fields)})
	o.stream.last = got
	return got.String(), nil
}

// nextID returns the ID of an entry behind last: want, or one at its
// millisecond if autoSeq, or one at this time if auto.
func (d *DB) nextID(last, want streamID, auto, autoSeq bool) (streamID, error) {
	following, ok := last.next()
	if !ok {
		return last, ErrStreamID.with("ERR The stream has exhausted the last possible ID, unable to add more items")
	}
	switch {
	case auto:
		want = streamID{ms: uint64(max(d.Now, 0))}
		if want.compare(last) <= 0 {
			want = following
		}
	case autoSeq && want.ms == last.ms:
		want = following // in another millisecond only if the sequence is at its end
		if want.ms != last.ms {
			want = last
		}
	}
	if want.compare(last) <= 0 {
		return last, ErrStreamID.with("ERR The ID specified in XADD is equal or smaller than the target stream top item")
	}
	return want, nil
}

// XRange returns the entries from start to stop, both included: IDs, "-" and
// "+" for the ends, "(5" for behind or before 5. There are at most count, or
// all if count is negative.
func (d *DB) XRange(db int, key, start, stop string, count int64) ([]Entry, error) {
	if err := d.check(db); err != nil {
		return nil, err
	}
	from, err := parseBound(start, "start", 0, streamID.next)
	if err != nil {
		return nil, err
	}
	to, err := parseBound(stop, "end", math.MaxUint64, streamID.previous)
	if err != nil {
		return nil, err
	}
	o, err := d.read(db, key, TypeStream)
	if o == nil || err != nil {
		return nil, err
	}
	var list []Entry
	for _, e := range o.stream.entries {
		if e.id.compare(from) >= 0 && e.id.compare(to) <= 0 && (count < 0 || int64(len(list)) < count) {
			list = append(list, e.entry())
		}
	}
	return list, nil
}

// XLen returns the number of entries of the stream at key.
func (d *DB) XLen(db int, key string) (int64, error) {
	o, err := d.read(db, key, TypeStream)
	if o == nil || err != nil {
		return 0, err
	}
	return int64(len(o.stream.entries)), nil
}

// XDel removes entries from the stream at key and returns how many there were.
// The stream stays, even an empty one. Where there is none, no ID is wrong.
func (d *DB) XDel(db int, key string, ids ...string) (int64, error) {
	o, err := d.edit(db, key, TypeStream)
	if o == nil || err != nil {
		return 0, err
	}
	parsed := make([]streamID, len(ids))
	for i, s := range ids {
		if parsed[i], err = parseStreamID(s, 0); err != nil {
			return 0, err
		}
	}
	var n int64
	for _, id := range parsed {
		if at, ok := o.stream.find(id); ok {
			o.stream.entries = slices.Delete(o.stream.entries, at, at+1)
			n++
		}
	}
	return n, nil
}
