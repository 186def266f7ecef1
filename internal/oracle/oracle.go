// Package oracle is a model of what Brock must do, in maps and slices: the
// commands of Redis 7.0.15 that the library has, and the queues beside them.
// Tests run one sequence of operations on the library and on a [DB] of this
// package, and compare every reply and every [Dump].
//
// It is meant to be obviously right, not fast, and a differential test holds it
// against a real redis-server. It knows nothing of the library: no durability,
// no isolation, no waiting, no iterators. Transactions that roll back and Views
// are a [DB.Clone] kept aside.
//
// [Generator] makes the sequences, [DB.Apply] runs one operation of them, and
// [Shrink] cuts a failing one down.
package oracle

import (
	"maps"
	"math"
	"slices"
)

// maxString is the longest string that Redis allows: proto-max-bulk-len.
const maxString = 512 << 20

// The types of values, as TYPE names them.
const (
	TypeString = "string"
	TypeHash   = "hash"
	TypeList   = "list"
	TypeSet    = "set"
	TypeZSet   = "zset"
	TypeStream = "stream"

	// anyType is what a command asks for that takes every value.
	anyType = ""
)

// DB is the whole state: the numbered databases, the queues and the clock. The
// first argument of a command is the number of its database. Use [New]; the
// zero value has no databases. It is not safe for concurrent use, but a clone
// may be used by another goroutine.
//
// An error of a command is an [*Error], and has then changed nothing.
type DB struct {
	// Now is the time in milliseconds since 1970. Whoever tests sets it; it
	// must not be negative. A key is gone when Now is past its deadline.
	Now int64

	dbs      []map[string]*object
	queues   map[string]*queue
	commands map[string]command
}

// object is the value of a key. Only the field of its kind is used.
type object struct {
	kind     string
	deadline int64 // in milliseconds since 1970; 0 for none
	changed  int64 // when a command was last to change it, in milliseconds since 1970

	// How Redis holds the value, see [DB.Encoding]. All that changes a string
	// in place makes it converted, what makes a new one of a float text.
	converted bool // in the general encoding of its type, for good
	text      bool // a string not as an integer
	copied    bool // a string that COPY has made

	// shared objects belong to a clone, too, and are copied before a change.
	shared bool

	str    []byte
	hash   map[string]string
	list   []string
	set    map[string]struct{}
	zset   zset
	stream stream
}

// New returns an empty state with n databases at time 0.
func New(n int) *DB {
	d := &DB{queues: map[string]*queue{}, commands: commands()}
	for range n {
		d.dbs = append(d.dbs, map[string]*object{})
	}
	return d
}

// Clone returns a copy that no later change of d reaches, and whose changes do
// not reach d.
func (d *DB) Clone() *DB {
	c := &DB{Now: d.Now, queues: map[string]*queue{}, commands: d.commands}
	for _, db := range d.dbs {
		for _, o := range db {
			if !o.shared { // a clone elsewhere may be reading the flag
				o.shared = true
			}
		}
		c.dbs = append(c.dbs, maps.Clone(db))
	}
	for name, q := range d.queues {
		c.queues[name] = q.clone()
	}
	return c
}

// Databases reports how many databases there are.
func (d *DB) Databases() int { return len(d.dbs) }

// Advance moves the clock by ms milliseconds.
func (d *DB) Advance(ms int64) { d.Now += ms }

// check says whether there is a database db.
func (d *DB) check(db int) error {
	if db < 0 || db >= len(d.dbs) {
		return ErrDB
	}
	return nil
}

// read finds the value at key for a command that wants kind. It is nil when
// there is none, and must not be changed.
func (d *DB) read(db int, key, kind string) (*object, error) {
	if err := d.check(db); err != nil {
		return nil, err
	}
	o := d.dbs[db][key]
	switch {
	case o == nil || d.expired(o):
		return nil, nil
	case kind != anyType && kind != o.kind:
		return nil, ErrWrongType
	default:
		return o, nil
	}
}

// edit is read for a command that changes the value.
func (d *DB) edit(db int, key, kind string) (*object, error) {
	o, err := d.read(db, key, kind)
	if o == nil || err != nil {
		return nil, err
	}
	if o.shared {
		o = o.clone()
		d.dbs[db][key] = o
	}
	o.changed = d.Now
	return o, nil
}

// create is edit, with an empty value put where there is none.
func (d *DB) create(db int, key, kind string) (*object, error) {
	o, err := d.edit(db, key, kind)
	if o != nil || err != nil {
		return o, err
	}
	o = newObject(kind)
	o.changed = d.Now
	d.dbs[db][key] = o
	return o, nil
}

// expired reports whether o is past its deadline. At its deadline it still
// stands, as in Redis, although EXPIRE with that deadline would delete it.
func (d *DB) expired(o *object) bool {
	return o.deadline != 0 && d.Now > o.deadline
}

// prune drops the value at key when it is an empty collection. An empty string
// or stream stays.
func (d *DB) prune(db int, key string) {
	if o := d.dbs[db][key]; o.empty() {
		delete(d.dbs[db], key)
	}
}

// newObject returns an empty value of kind.
func newObject(kind string) *object {
	o := &object{kind: kind}
	switch kind {
	case TypeHash:
		o.hash = map[string]string{}
	case TypeSet:
		o.set = map[string]struct{}{}
	case TypeZSet:
		o.zset.scores = map[string]float64{}
	}
	return o
}

// clone returns a copy that shares nothing that a command changes.
func (o *object) clone() *object {
	return &object{
		kind:      o.kind,
		deadline:  o.deadline,
		changed:   o.changed,
		converted: o.converted,
		text:      o.text,
		copied:    o.copied,
		str:       slices.Clone(o.str),
		hash:      maps.Clone(o.hash),
		list:      slices.Clone(o.list),
		set:       maps.Clone(o.set),
		zset:      o.zset.clone(),
		stream:    o.stream.clone(),
	}
}

// empty reports whether o is a collection without elements, which Redis does
// not keep.
func (o *object) empty() bool {
	switch o.kind {
	case TypeHash:
		return len(o.hash) == 0
	case TypeList:
		return len(o.list) == 0
	case TypeSet:
		return len(o.set) == 0
	case TypeZSet:
		return len(o.zset.scores) == 0
	default:
		return false
	}
}

// span turns the indexes start and stop of a command, of which negative ones
// count from the end, into the half-open range [from, to) of n elements.
func span(n, start, stop int64) (from, to int64) {
	if start < 0 {
		start = max(start+n, 0)
	}
	if stop < 0 {
		stop += n
	}
	stop = min(stop, n-1)
	if start > stop {
		return 0, 0
	}
	return start, stop + 1
}

// byteSpan is span for bytes and bits of strings, where a stop that is before
// the first one means the first one, unless both count from the end in the
// wrong order.
func byteSpan(n, start, stop int64) (from, to int64) {
	if start < 0 && stop < 0 && start > stop {
		return 0, 0
	}
	if stop < 0 {
		stop = max(stop+n, 0)
	}
	return span(n, start, stop)
}

// add is a+b and whether it fits.
func add(a, b int64) (sum int64, ok bool) {
	if b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b {
		return 0, false
	}
	return a + b, true
}

// oneIf is how Redis says yes and no.
func oneIf(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}
