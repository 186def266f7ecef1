package store

import (
	"slices"
	"strings"
	"sync"
)

// EventName tells what a change did to a key, in the word that Redis has for it
// in its keyspace notifications.
type EventName string

// What happens to keys of any type.
const (
	EventDel        EventName = "del"
	EventExpire     EventName = "expire" // it got a deadline
	EventExpired    EventName = "expired"
	EventPersist    EventName = "persist"
	EventRenameFrom EventName = "rename_from"
	EventRenameTo   EventName = "rename_to"
	EventMoveFrom   EventName = "move_from"
	EventMoveTo     EventName = "move_to"
	EventCopyTo     EventName = "copy_to"
)

// What happens to keys of one type.
const (
	EventSet         EventName = "set"
	EventAppend      EventName = "append"
	EventIncrBy      EventName = "incrby"
	EventIncrByFloat EventName = "incrbyfloat"
	EventSetBit      EventName = "setbit"
	EventSetRange    EventName = "setrange"

	EventLPush   EventName = "lpush"
	EventRPush   EventName = "rpush"
	EventLPop    EventName = "lpop"
	EventRPop    EventName = "rpop"
	EventLInsert EventName = "linsert"
	EventLTrim   EventName = "ltrim"

	EventSAdd EventName = "sadd"
	EventSRem EventName = "srem"
	EventSPop EventName = "spop"

	EventHSet EventName = "hset"
	EventHDel EventName = "hdel"

	EventZAdd EventName = "zadd"
	EventZRem EventName = "zrem"

	EventXAdd EventName = "xadd"
	EventXDel EventName = "xdel"
)

// What Redis does not notify of.
const (
	EventFlushDB EventName = "flushdb" // the database has lost all its keys
	EventSwapDB  EventName = "swapdb"  // the database has the keys of another
	EventPublish EventName = "publish" // the key is a queue, which got a message
)

// Class returns the class of notifications that the event belongs to, by the
// letter that it has in notify-keyspace-events, 0 if there is no notification.
func (n EventName) Class() byte {
	switch n {
	case EventDel, EventExpire, EventPersist, EventRenameFrom, EventRenameTo, EventMoveFrom, EventMoveTo, EventCopyTo:
		return 'g'
	case EventExpired:
		return 'x'
	case EventSet, EventAppend, EventIncrBy, EventIncrByFloat, EventSetBit, EventSetRange:
		return '$'
	case EventLPush, EventRPush, EventLPop, EventRPop, EventLInsert, EventLTrim:
		return 'l'
	case EventSAdd, EventSRem, EventSPop:
		return 's'
	case EventHSet, EventHDel:
		return 'h'
	case EventZAdd, EventZRem:
		return 'z'
	case EventXAdd, EventXDel:
		return 't'
	default:
		return 0
	}
}

// Event is a change of a key, or of a whole database: what waiters are served
// from, and listeners told of. Events of a transaction that is rolled back
// never happened.
type Event struct {
	DB   int
	Name EventName
	Key  string // "" if the event is of the whole database
}

// whole tells whether the event is of all keys of its database.
func (e Event) whole() bool { return e.Name == EventFlushDB || e.Name == EventSwapDB }

// listener is who is told of events.
type listener struct {
	fn func(lsn uint64, events []Event)
}

// Listen has fn called with the events of each transaction that commits from
// now on and has some: in the order of commits, those of one transaction in the
// order of its changes, with what waiters took of them. It is committed then,
// but maybe not yet durable. fn runs under the writer lock: it is quick, does
// not come back to the store, and keeps keys, but not the slice.
//
// fn does not run any more once stop has returned. Neither Listen nor stop may
// be called by fn, or within an Update.
func (s *Store) Listen(fn func(lsn uint64, events []Event)) (stop func()) {
	s.writer.lockOutside()
	defer s.releaseWriter()
	l := &listener{fn}
	s.listeners = append(s.listeners, l)
	s.audience.Add(1)
	return sync.OnceFunc(func() {
		s.writer.lockOutside()
		defer s.releaseWriter()
		s.listeners = slices.DeleteFunc(s.listeners, func(x *listener) bool { return x == l })
		s.audience.Add(-1)
	})
}

// tell calls the listeners with the events of t, which has committed. The caller
// holds the writer lock.
func (s *Store) tell(t *Tx) {
	for _, l := range s.listeners {
		l.fn(t.lsn, t.events)
	}
}

// Heard tells whether anybody asks for events, as a waiter or listener.
func (t *Tx) Heard() bool { return t.s.audience.Load() != 0 }

// Emit notes an event. Commands call it for each change of a key, in the order
// in which Redis has them, once nothing can fail any more. An event is a change
// even where it leaves the key as it was.
func (t *Tx) Emit(db int, name EventName, key string) {
	if t.Heard() {
		t.events = append(t.events, Event{DB: db, Name: name, Key: strings.Clone(key)}) // the key may stand in a buffer
		t.changed = true
	}
}

// EmitRemoval is Emit for a change that takes elements from a collection: with
// the last one the key is gone, which is an event of its own.
func (t *Tx) EmitRemoval(db int, name EventName, key string) error {
	if !t.Heard() {
		return nil
	}
	t.Emit(db, name, key)
	e, err := t.Find(db, key)
	if err == nil && e == nil {
		t.Emit(db, EventDel, key)
	}
	return err
}
