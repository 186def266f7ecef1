package oracle

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Value is the value of a key in a dump. Only the field of its type is set; an
// empty one is nil.
type Value struct {
	Type     string
	Deadline int64 // in milliseconds since 1970; 0 for none

	String       []byte
	Hash         map[string]string
	List         []string
	Set          map[string]struct{}
	ZSet         []Scored // in order
	Stream       []Entry  // in order
	StreamLastID string   // the greatest ID that the stream ever had
}

// Dump is the content of the databases that are not empty.
type Dump map[int]map[string]Value

// Dump returns a copy of all that can be seen in the databases now.
func (d *DB) Dump() Dump {
	dump := Dump{}
	for i, db := range d.dbs {
		for key, o := range db {
			if d.expired(o) {
				continue
			}
			if dump[i] == nil {
				dump[i] = map[string]Value{}
			}
			dump[i][key] = o.value()
		}
	}
	return dump
}

// value is o in a dump.
func (o *object) value() Value {
	v := Value{Type: o.kind, Deadline: o.deadline}
	switch o.kind {
	case TypeString:
		v.String = bytes.Clone(o.str)
		if len(v.String) == 0 {
			v.String = nil
		}
	case TypeHash:
		v.Hash = maps.Clone(o.hash)
	case TypeList:
		v.List = slices.Clone(o.list)
	case TypeSet:
		v.Set = maps.Clone(o.set)
	case TypeZSet:
		v.ZSet = slices.Clone(o.zset.order)
	case TypeStream:
		v.StreamLastID = o.stream.last.String()
		for _, e := range o.stream.entries {
			v.Stream = append(v.Stream, e.entry())
		}
	}
	return v
}

// DumpQueues returns a copy of all queues.
func (d *DB) DumpQueues() map[string]QueueValue {
	all := map[string]QueueValue{}
	for name, q := range d.queues {
		all[name] = QueueValue{messages(q.ready), messages(q.unsettled)}
	}
	return all
}

// messages are the messages of list.
func messages(list []queued) (all []Message) {
	for _, m := range list {
		all = append(all, m.Message)
	}
	return all
}

// String returns the dump as text, a line for each key in order. Two dumps are
// equal if their texts are.
func (d Dump) String() string {
	var b strings.Builder
	for _, db := range slices.Sorted(maps.Keys(d)) {
		for _, key := range slices.Sorted(maps.Keys(d[db])) {
			fmt.Fprintf(&b, "%d %q %s\n", db, key, d[db][key].text())
		}
	}
	return b.String()
}

// text is the value on one line.
func (v Value) text() string {
	var content string
	switch v.Type {
	case TypeString:
		content = fmt.Sprintf("%q", v.String)
	case TypeHash:
		content = fmt.Sprintf("%q", v.Hash) // in the order of fields
	case TypeList:
		content = fmt.Sprintf("%q", v.List)
	case TypeSet:
		content = fmt.Sprintf("%q", slices.Sorted(maps.Keys(v.Set)))
	case TypeZSet:
		for _, m := range v.ZSet {
			content += fmt.Sprintf("%q:%v ", m.Member, m.Score+0) // -0 is 0
		}
	case TypeStream:
		content = fmt.Sprintf("%s %q", v.StreamLastID, v.Stream)
	}
	return fmt.Sprintf("%s %d %s", v.Type, v.Deadline, content)
}

// Diff says in a few lines where other is not equal to d, which is what was
// wanted; it is empty if they are equal.
func (d Dump) Diff(other Dump) string {
	const most = 5
	var lines []string
	for db := range maxDB(d, other) + 1 {
		keys := map[string]bool{}
		for key := range d[db] {
			keys[key] = true
		}
		for key := range other[db] {
			keys[key] = true
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			want, wanted := d[db][key]
			got, found := other[db][key]
			if len(lines) < most && (wanted != found || !reflect.DeepEqual(want, got)) {
				lines = append(lines, fmt.Sprintf("db %d key %q:\n%s", db, key, differ(brief(want, wanted), brief(got, found))))
			}
		}
	}
	return strings.Join(lines, "\n")
}

// maxDB is the greatest number of a database in dumps.
func maxDB(dumps ...Dump) int {
	n := -1
	for _, d := range dumps {
		for db := range d {
			n = max(n, db)
		}
	}
	return n
}

// brief is a value on one line, or the word for none.
func brief(v Value, ok bool) string {
	if !ok {
		return "absent"
	}
	return v.text()
}

// differ shows two texts from shortly before the place where they part.
func differ(want, got string) string {
	const before, behind = 80, 240
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	cut := func(s string) string {
		from, to := max(at-before, 0), min(at+behind, len(s))
		if from > 0 {
			return s[:min(24, from)] + "..." + s[from:to]
		}
		return s[from:to]
	}
	return "  want " + cut(want) + "\n  got  " + cut(got)
}
