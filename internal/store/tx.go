package store

import (
	"fmt"
	"unsafe"

	"github.com/brockdb/brock/internal/page"
)

// Tx is one command's or transaction's view of the store. Not safe for
// concurrent use, and gone when the function that got it returns.
type Tx struct {
	s   *Store
	acc page.Access

	spaces    *spaces // the map of databases as this transaction sees it
	newSpaces bool    // the map was changed
	now       int64   // ms since 1970; 0 until the clock was read
	replay    bool    // records are applied: no key expires
	silent    bool    // no records are made: they are there, or nobody wants them
	user      bool    // it runs once, and loads pages as it goes
	done      bool
	inside    bool // see stay
	brief     bool // it must not take long
	noTouch   bool // looking a key up does not use it, see Later
	copied    int  // bytes of long values
	lookups   Lookups
	life      uint64 // grows with each reset

	changed   bool
	changes   int   // records so far, but for those that delete what has expired
	stepped   int   // changes when the last step had ended
	doomed    error // why the transaction cannot be committed
	recs      []byte
	deadlines []deadlineChange
	counts    []countChange
	events    []Event
	onCommit  []func() // in-memory state that changes with the commit, under the writer lock
	after     []func() // what waits for the writer lock's release
	gone      []*space // spaces to sweep
	dirs      []newDir // directories that become known at commit
	served    []*Waiter
	view      *view // the View that this is, or nil
	warm      uint32
	scratch   []byte
	items     [][]byte   // in scratch
	found     Entry      // the entry that Find found
	entry     []byte     // the entry being put
	hashOf    uintptr    // where the last key hashed is, see keyHash
	hashLen   int        // its length
	hash      uint64     // its hash
	longs     []longName // the last names above ShortName bytes
	lsn       uint64     // set by commit
}

// deadlineChange is a change of the index of deadlines at commit.
type deadlineChange struct {
	space  uint64
	hash   uint64
	before int64
	after  int64
}

// countChange is a change of a space's number of keys at commit.
type countChange struct {
	sp *space
	by int64
}

// Now returns the transaction's time in ms since 1970. It does not advance.
func (t *Tx) Now() int64 {
	if t.now == 0 {
		t.now = t.s.clock.Now().UnixMilli()
	}
	return t.now
}

// ReadOnly tells whether changes are refused.
func (t *Tx) ReadOnly() bool {
	m := t.acc.Mode()
	return m == page.Shared || m == page.Snapshot
}

// InPlace tells whether changes are made where all can see them once the
// transaction has ended, rather than in private copies.
func (t *Tx) InPlace() bool { return t.acc.Mode() == page.Direct }

// Changes returns the number of changes so far.
func (t *Tx) Changes() int { return t.changes }

// Doom has the transaction not be committed, for err.
func (t *Tx) Doom(err error) { t.doomed = err }

// Doomed returns why the transaction cannot be committed, or nil.
func (t *Tx) Doomed() error { return t.doomed }

// keyHash returns the hash of a key. Commands ask for it several times, with
// the same string; it is remembered until the command ends, while its caller
// keeps the string alive.
func (t *Tx) keyHash(key string) uint64 {
	at := uintptr(unsafe.Pointer(unsafe.StringData(key)))
	if len(key) == 0 || len(key) != t.hashLen || at != t.hashOf {
		if len(key) > ShortName {
			return t.long(key).hash
		}
		t.hashed(key, t.s.mem.Hash(key))
	}
	return t.hash
}

// hashed notes the hash of a key.
func (t *Tx) hashed(key string, hash uint64) {
	t.hashOf, t.hashLen, t.hash = uintptr(unsafe.Pointer(unsafe.StringData(key))), len(key), hash
}

// Warm prepares look-ups of several keys, see [page.Memory.Warm]: a command of
// many keys calls it first. In a transaction it does nothing.
func (t *Tx) Warm(db int, keys []string) {
	if m := t.acc.Mode(); m != page.Shared && m != page.Direct || len(keys) < 2 {
		return
	}
	var buf [32]uint64
	for len(keys) > 0 {
		n := min(len(keys), len(buf))
		for i, key := range keys[:n] {
			buf[i] = t.keyHash(key)
		}
		t.warm += t.s.mem.Warm(&t.spaces.dbs[db].tables, buf[:n])
		keys = keys[n:]
	}
}

// Databases returns the number of logical databases.
func (t *Tx) Databases() int { return len(t.spaces.dbs) - brokerSpaces }

// BrokerDB is the number of the database that the broker keeps its names in.
func (t *Tx) BrokerDB() int { return len(t.spaces.dbs) - 1 }

// Release gives up the pages that reads so far have held; what they returned
// must not be used any more. Long reads call it from page to page.
func (t *Tx) Release() { t.acc.Release() }

// expired tells whether an entry's deadline has passed: as in Redis, the key is
// there at its deadline, and gone a millisecond later.
func (t *Tx) expired(deadline int64) bool {
	return deadline != 0 && !t.replay && deadline < t.Now()
}

// Find returns the entry of a key, nil if the key is absent or expired. It is
// good until the next one is looked up. The key counts as used, see IdleTime.
func (t *Tx) Find(db int, key string) (*Entry, error) {
	if x := t.s.idle.Load(); x != nil && !t.noTouch {
		x.used(t.spaces.dbs[db], t.keyHash(key))
	}
	return t.Peek(db, key)
}

// Use is Find of a key that counts as used even where Later.NoTouch keeps
// others from it.
func (t *Tx) Use(db int, key string) (*Entry, error) {
	t.s.Use(db, key)
	return t.Peek(db, key)
}

// Peek is Find of a key that does not count as used.
func (t *Tx) Peek(db int, key string) (*Entry, error) {
	e, expired, err := t.find(t.spaces.dbs[db], t.keyHash(key), t.stored(key))
	if expired {
		return nil, nil
	}
	return e, err
}

// find returns the entry of a key, nil if it is absent, and whether it has
// expired.
func (t *Tx) find(sp *space, hash uint64, key string) (e *Entry, expired bool, err error) {
	b, err := t.raw(sp, hash, key)
	if b == nil {
		return nil, false, err
	}
	if err := t.found.decode(b); err != nil {
		return nil, false, err
	}
	return &t.found, t.found.Deadline != 0 && t.expired(t.found.Deadline), nil
}

// FindForWrite is Find for a command that is going to change the key: an
// expired one is deleted first, with a record of its own.
func (t *Tx) FindForWrite(db int, key string) (*Entry, error) {
	if t.ReadOnly() {
		return nil, ErrReadOnly
	}
	sp, hash := t.spaces.dbs[db], t.keyHash(key)
	if x := t.s.idle.Load(); x != nil && !t.noTouch {
		x.used(sp, hash)
	}
	if len(key) > ShortName {
		if err := t.readyName(sp, key); err != nil {
			return nil, err
		}
	}
	e, expired, err := t.find(sp, hash, t.stored(key))
	if expired {
		n := t.changes
		if err = t.discard(sp, hash, t.stored(key), *e); err == nil {
			t.Emit(db, EventExpired, key)
		}
		t.changes = n
		return nil, err
	}
	return e, err
}

// Lookup is Find with a result that stays good; ok is false if the key is
// absent or expired.
func (t *Tx) Lookup(db int, key string) (e Entry, ok bool, err error) {
	found, err := t.Find(db, key)
	if found == nil {
		return e, false, err
	}
	return *found, true, nil
}

// LookupForWrite is FindForWrite with a result that stays good.
func (t *Tx) LookupForWrite(db int, key string) (e Entry, ok bool, err error) {
	found, err := t.FindForWrite(db, key)
	if found == nil {
		return e, false, err
	}
	return *found, true, nil
}

// Put makes e the key's entry. An object that the key's old entry names and e
// does not has to be dropped by the caller, see Replace.
func (t *Tx) Put(db int, key string, e Entry) error {
	return t.putEntry(db, key, &e)
}

// putEntry is Put.
func (t *Tx) putEntry(db int, key string, e *Entry) error {
	if t.ReadOnly() {
		return ErrReadOnly
	}
	sp, hash := t.spaces.dbs[db], t.keyHash(key)
	if len(key) > ShortName {
		return t.putLong(sp, key, e)
	}
	if t.acc.Mode() == page.Direct {
		dir := sp.tables[page.PartitionOf(hash)]
		if b := t.acc.InPlace(dir, hash, key, e.size()); b != nil && entryDeadlineOf(b) == e.Deadline {
			t.logPut(sp, key, e.append(b[:0])) // Inline may be what is in b: it stays where it is
			return nil
		}
	}
	t.entry = e.append(t.entry[:0])
	return t.put(sp, hash, key, t.entry)
}

// Delete removes a key, with what it holds, in O(1), and tells whether it was
// there.
func (t *Tx) Delete(db int, key string) (bool, error) {
	e, ok, err := t.LookupForWrite(db, key)
	if err != nil || !ok {
		return false, err
	}
	return true, t.discard(t.spaces.dbs[db], t.keyHash(key), t.stored(key), e)
}

// discard removes the entry of a key, stored as given, with its object.
func (t *Tx) discard(sp *space, hash uint64, stored string, e Entry) error {
	if e.Object != 0 {
		if err := t.acc.Enter(int(e.Object >> 56)); err != nil {
			return err
		}
	}
	if err := t.discardEntry(sp, hash, stored); err != nil {
		return err
	}
	if e.Object != 0 {
		return t.drop(e.Object)
	}
	return nil
}

// discardEntry removes the entry of a key, stored as given, and what holds the
// whole key.
func (t *Tx) discardEntry(sp *space, hash uint64, stored string) error {
	name, err := t.nameObject(sp, hash, stored)
	if err != nil {
		return err
	}
	if err := t.remove(sp, hash, stored); err != nil || name == 0 {
		return err
	}
	return t.drop(name)
}

// SetDeadline changes when a key expires; 0 is never.
func (t *Tx) SetDeadline(db int, key string, e Entry, deadline int64) error {
	e.Deadline = deadline
	return t.Put(db, key, e)
}

// OnCommit has fn called under the writer lock when the transaction commits.
func (t *Tx) OnCommit(fn func()) { t.onCommit = append(t.onCommit, fn) }

// After has fn called when the transaction has committed and its number is
// known, without any lock.
func (t *Tx) After(fn func()) { t.after = append(t.after, fn) }

// setDeadline notes a change of the index of deadlines.
func (t *Tx) setDeadline(sp *space, hash uint64, before, after int64) {
	t.deadlines = append(t.deadlines, deadlineChange{space: sp.id, hash: hash, before: before, after: after})
}

// addKeys notes a change of a space's number of keys.
func (t *Tx) addKeys(sp *space, by int64) {
	for i := range t.counts {
		if t.counts[i].sp == sp {
			t.counts[i].by += by
			return
		}
	}
	t.counts = append(t.counts, countChange{sp: sp, by: by})
}

// keysOf returns a space's number of keys as the transaction sees it.
func (t *Tx) keysOf(sp *space) int64 {
	n := sp.count.Load()
	for _, c := range t.counts {
		if c.sp == sp {
			n += c.by
		}
	}
	return n
}

// apply makes the noted changes of derived state, at commit, under the locks
// of the partitions concerned.
func (t *Tx) apply() {
	for _, c := range t.counts {
		c.sp.count.Add(c.by)
	}
	for _, d := range t.deadlines {
		t.s.deadlines.change(d)
	}
	if t.newSpaces {
		t.spaces.lsn = t.lsn
		t.s.spaces.Store(t.spaces)
	}
	for _, fn := range t.onCommit {
		fn()
	}
}

// touched returns the partitions whose locks a commit needs.
func (t *Tx) touched() uint64 {
	if t.newSpaces {
		return page.All
	}
	return t.acc.Mask()
}

// reset makes t ready for another command.
func (t *Tx) reset() {
	t.life++
	t.now, t.replay, t.user, t.done, t.hashLen = 0, false, false, false, 0
	t.brief, t.noTouch = false, false
	if len(t.dirs) > 0 {
		t.dirs = emptied(t.dirs)
	}
	if t.view != nil {
		t.view = nil
	}
	if len(t.longs) > 0 {
		t.longs = emptied(t.longs)
	}
	if !t.changed && len(t.counts)+len(t.events)+len(t.onCommit)+len(t.after) == 0 {
		return
	}
	t.newSpaces, t.changed, t.changes, t.stepped, t.doomed, t.lsn = false, false, 0, 0, nil, 0
	t.recs = t.recs[:0]
	if cap(t.recs) > 64<<10 {
		t.recs = nil
	}
	if cap(t.scratch) > 64<<10 {
		t.scratch, t.items = nil, nil
	}
	t.deadlines, t.counts = t.deadlines[:0], t.counts[:0]
	if t.events = emptied(t.events); cap(t.events) > 1<<10 {
		t.events = nil
	}
	t.onCommit = emptied(t.onCommit)
	t.after = emptied(t.after)
	t.served = emptied(t.served)
	t.gone = nil
}

// emptied returns s without elements, and without what they point to.
func emptied[T any](s []T) []T {
	if len(s) > 0 {
		clear(s)
	}
	return s[:0]
}

// Life names this use of a Tx, which serves many transactions one after the
// other.
func (t *Tx) Life() uint64 { return t.life }

// Alive tells whether the transaction that life names can go on: it cannot
// once its callback has returned.
func (t *Tx) Alive(life uint64) error {
	if t.done || t.life != life {
		return ErrTxDone
	}
	return nil
}

// Step runs a command as a step of the transaction that life names.
func (t *Tx) Step(life uint64, fn func(*Tx) error) error {
	if err := t.Alive(life); err != nil {
		return err
	}
	if t.view != nil {
		return t.view.step(t, fn)
	}
	lookups := t.lookups
	err := fn(t)
	if Unrun(err) {
		t.lookups = lookups // it will look again
	}
	if err != nil && t.changes != t.stepped { // a command refuses before its first change
		t.doomed = fmt.Errorf("store: a command failed after its first change: %w", err)
	}
	t.stepped = t.changes
	t.endStep()
	return err
}

// endStep gives up what a step held and remembered: its caller's strings may be
// gone.
func (t *Tx) endStep() {
	t.Release()
	t.hashLen = 0
}

// Databases returns the number of logical databases.
func (s *Store) Databases() int { return len(s.spaces.Load().dbs) - brokerSpaces }
