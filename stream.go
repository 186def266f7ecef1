package brock

import (
	"math"
	"strconv"
	"strings"

	"github.com/brockdb/brock/internal/store"
)

// StreamID is the id of an entry of a stream: a time in ms since 1970 and a
// sequence number within it. Ids are ordered by time, then by sequence. The
// zero value is below all ids of entries; [MaxStreamID] is the highest.
type StreamID struct {
	Ms, Seq uint64

	auto autoID
}

// autoID tells what XAdd chooses of an id.
type autoID uint8

const (
	autoNone autoID = iota
	autoSeq         // the sequence
	autoAll         // all of it
)

// AutoID has [DB.XAdd] choose the id: the time of the database's clock, or
// what follows the last id if that is not below it.
//
// Redis: the id *.
func AutoID() StreamID { return StreamID{auto: autoAll} }

// AutoSeq has [DB.XAdd] choose the sequence number of an id.
//
// Redis: the id ms-*.
func AutoSeq(ms uint64) StreamID { return StreamID{Ms: ms, auto: autoSeq} }

// MaxStreamID is the highest id.
//
// Redis: the id + of XRANGE.
func MaxStreamID() StreamID { return StreamID{Ms: math.MaxUint64, Seq: math.MaxUint64} }

// ParseStreamID reads an id such as "1700000000000-0"; one without a sequence
// number has 0. What [AutoID] and [AutoSeq] stand for is no id.
//
// Errors: [ErrSyntax].
func ParseStreamID(s string) (id StreamID, err error) {
	ms, seq, both := strings.Cut(s, "-")
	if id.Ms, err = strconv.ParseUint(ms, 10, 64); err == nil && both {
		id.Seq, err = strconv.ParseUint(seq, 10, 64)
	}
	if err != nil {
		return StreamID{}, &redisError{ErrSyntax, "ERR Invalid stream ID specified as stream command argument"}
	}
	return id, nil
}

// Compare returns -1, 0 or 1 as id comes before other, is the same, or comes
// behind it.
func (id StreamID) Compare(other StreamID) int {
	switch {
	case id.store() == other.store():
		return 0
	case id.store().Less(other.store()):
		return -1
	}
	return 1
}

// Next returns the id behind id: what a range that excludes id begins with.
// Behind the highest id is the zero one.
func (id StreamID) Next() StreamID {
	if id.Seq++; id.Seq == 0 {
		id.Ms++
	}
	return id
}

// Prev returns the id before id: what a range that excludes id ends with.
// Before the zero id is the highest one.
func (id StreamID) Prev() StreamID {
	if id.Seq--; id.Seq == math.MaxUint64 {
		id.Ms--
	}
	return id
}

// String returns the id as Redis writes it, such as "1700000000000-0".
func (id StreamID) String() string {
	switch id.auto {
	case autoAll:
		return "*"
	case autoSeq:
		return strconv.FormatUint(id.Ms, 10) + "-*"
	default:
		return strconv.FormatUint(id.Ms, 10) + "-" + strconv.FormatUint(id.Seq, 10)
	}
}

func (id StreamID) store() store.StreamID { return store.StreamID{Ms: id.Ms, Seq: id.Seq} }

// StreamEntry is an entry of a stream, with its fields in the order in which
// they were given; names may repeat.
type StreamEntry struct {
	ID     StreamID
	Fields []FieldValue
}

// XAdd adds an entry of fields to the stream at key, which is created if need
// be, and returns its id, which is above all ids that the stream ever had:
// the given one, or one chosen for [AutoID] or [AutoSeq].
//
// Errors: [ErrWrongType]; [ErrStreamID] if the id is not above the last one;
// [ErrSyntax] without fields; [ErrTooLong] for fields above 512 MB together.
//
// Cost: O(log N) for a stream of N entries, and a copy of the fields.
//
// Redis: XADD key id field value [field value …].
func (c *commands) XAdd(key string, id StreamID, fields ...FieldValue) (StreamID, error) {
	if len(fields) == 0 {
		return StreamID{}, c.refuse("xadd", key, errArity("xadd"))
	}
	if id == (StreamID{}) {
		return id, c.refuse("xadd", key, &redisError{ErrStreamID, "ERR The ID specified in XADD must be greater than 0-0"})
	}
	size := 0
	pairs := make([]store.Field, len(fields))
	for i, f := range fields {
		if len(f.Field) > store.MaxString || len(f.Value) > store.MaxString {
			return StreamID{}, c.refuse("xadd", key, ErrTooLong)
		}
		if size += len(f.Field) + len(f.Value) + 10; size > store.MaxString {
			return StreamID{}, c.refuse("xadd", key, ErrTooLong)
		}
		pairs[i] = store.Field{Name: f.Field, Value: f.Value}
	}
	var got StreamID
	err := c.write("xadd", key, func(t *store.Tx) error {
		e, _, err := c.lookupForWrite(t, key, store.Stream)
		if err != nil {
			return err
		}
		s, err := t.StreamInfo(e)
		if err != nil {
			return err
		}
		if got, err = id.behind(StreamID{Ms: s.Last.Ms, Seq: s.Last.Seq}, t); err != nil {
			return err
		}
		if err := t.StreamAdd(c.db, key, e, got.store(), pairs); err != nil {
			return err
		}
		t.Emit(c.db, store.EventXAdd, key)
		return nil
	})
	return result(got, err)
}

// behind returns the id that an entry gets that is added with id behind last.
func (id StreamID) behind(last StreamID, t *store.Tx) (StreamID, error) {
	if last == MaxStreamID() {
		return id, &redisError{ErrStreamID, "ERR The stream has exhausted the last possible ID, unable to add more items"}
	}
	switch id.auto {
	case autoAll:
		id = StreamID{Ms: uint64(max(t.Now(), 0))}
		if id.Compare(last) <= 0 {
			id = last.Next()
		}
	case autoSeq:
		id = StreamID{Ms: id.Ms}
		if id.Ms == last.Ms && last.Seq < math.MaxUint64 {
			id = last.Next()
		}
	case autoNone: // as given
	}
	if id.Compare(last) <= 0 {
		return id, ErrStreamID
	}
	return id, nil
}

// XDel removes entries from the stream at key and returns how many there were.
// The stream stays, even without entries, and with it its last id.
//
// Errors: [ErrWrongType].
//
// Cost: O(len(ids) · log N) for a stream of N entries.
//
// Redis: XDEL key id [id …].
func (c *commands) XDel(key string, ids ...StreamID) (removed int, err error) {
	list := make([]store.StreamID, len(ids))
	for i := range ids {
		list[i] = ids[i].store()
	}
	err = c.writeMembers("xdel", key, len(ids), false, func(t *store.Tx) error {
		removed = 0
		e, ok, err := c.lookupForWrite(t, key, store.Stream)
		if err != nil || !ok {
			return err
		}
		if removed, err = t.StreamDelete(c.db, key, e, list); err == nil && removed > 0 {
			t.Emit(c.db, store.EventXDel, key)
		}
		return err
	})
	return result(removed, err)
}

// XLen returns the number of entries of the stream at key, 0 if it does not
// exist.
//
// Errors: [ErrWrongType].
//
// Cost: O(1).
//
// Redis: XLEN key.
func (c *commands) XLen(key string) (n int, err error) {
	err = c.read("xlen", key, func(t *store.Tx) error {
		e, _, err := c.lookup(t, key, store.Stream)
		if err != nil {
			return err
		}
		s, err := t.StreamInfo(e)
		n = s.Len
		return err
	})
	return result(n, err)
}

// XRange returns the entries of the stream at key with ids from first to last,
// both included, in order: at most count of them, all if count is negative. The
// whole stream is from the zero id to [MaxStreamID]. An absent key has none.
//
// Errors: [ErrWrongType].
//
// Cost: O(log N + entries returned) for a stream of N entries. Many entries are
// read from a snapshot, which stops no writer.
//
// Redis: XRANGE key start end [COUNT count]. For ids that are excluded see
// [StreamID.Next] and [StreamID.Prev].
func (c *commands) XRange(key string, first, last StreamID, count int) (entries []StreamEntry, err error) {
	err = c.readLimited("xrange", key, func(t *store.Tx, limit int) error {
		entries = []StreamEntry{}
		e, ok, err := c.lookup(t, key, store.Stream)
		if err != nil || !ok {
			return err
		}
		at, n, err := t.StreamSpan(e, first.store(), last.store())
		if err != nil {
			return err
		}
		if count >= 0 {
			n = min(n, count)
		}
		switch {
		case n == 0:
			return nil
		case n > limit:
			return store.ErrLong
		}
		entries = make([]StreamEntry, 0, min(n, firstRoom))
		return t.StreamEach(e, at, n, func(id store.StreamID, fields []store.Field) {
			entry := StreamEntry{ID: StreamID{Ms: id.Ms, Seq: id.Seq}, Fields: make([]FieldValue, len(fields))}
			for i, f := range fields {
				entry.Fields[i] = FieldValue{Field: f.Name, Value: f.Value}
			}
			entries = append(entries, entry)
		})
	})
	return result(entries, err)
}
