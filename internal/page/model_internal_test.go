package page

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// The kinds of objects of the model.
const (
	kindList = iota
	kindZSet
	kindStream
	kindHash
	kindString
	kindCount
)

// objectModel is what an object has to equal.
type objectModel struct {
	kind  int
	items []string          // a list's, in order
	pairs map[string]string // a hash's fields, a zset's scores by member, a stream's bodies by id
	bytes []byte            // a string's
	subs  map[uint32]string // a list's own values
	aux   byte
}

func (o *objectModel) clone() *objectModel {
	return &objectModel{o.kind, slices.Clone(o.items), maps.Clone(o.pairs), slices.Clone(o.bytes), maps.Clone(o.subs), o.aux}
}

// ordered returns the items of the object's tree.
func (o *objectModel) ordered() []string {
	if o.kind == kindList {
		return o.items
	}
	list := make([]string, 0, len(o.pairs))
	for k, v := range o.pairs {
		if o.kind == kindZSet {
			list = append(list, v+k)
		} else {
			list = append(list, k+v)
		}
	}
	slices.Sort(list)
	return list
}

// partModel is what a partition has to equal.
type partModel struct {
	dir  map[string]string
	objs map[uint64]*objectModel
}

func newPartModel() *partModel {
	return &partModel{dir: map[string]string{}, objs: map[uint64]*objectModel{}}
}

func (p *partModel) clone() *partModel {
	c := &partModel{dir: maps.Clone(p.dir), objs: make(map[uint64]*objectModel, len(p.objs))}
	for id, o := range p.objs {
		c.objs[id] = o.clone()
	}
	return c
}

// modelParts are the partitions that the model uses.
func modelParts() [2]int { return [2]int{3, 41} }

// modelState is the state of all of them.
type modelState [2]*partModel

func (s modelState) clone() modelState { return modelState{s[0].clone(), s[1].clone()} }

// change is one change of a page, and of the model.
type change struct {
	name  string
	apply func(a *Access) error
	model func(s modelState)
}

// heldView is an open snapshot with what it has to show.
type heldView struct {
	lsn  uint64
	want modelState
}

// world is a Memory beside its model.
type world struct {
	t    *testing.T
	rnd  *rand.Rand
	m    *Memory
	eng  *engine.Memory
	dirs [2]*Table
	lsn  uint64
	next uint64
	now  modelState

	views    []heldView
	step     *Step
	ending   bool       // the running step is being written
	stepped  modelState // as of the running step
	number   uint64
	complete modelState // as of the last complete steps
	grow     bool
	focus    uint64 // the object to change
	kinds    []int  // of objects to create
	writing  bool   // a change is under way
	only     bool   // to write
	last     string // what was changed last
}

const modelSpace = 5

func newWorld(t *testing.T, rnd *rand.Rand) *world {
	t.Helper()
	w := &world{t: t, rnd: rnd, eng: engine.NewMemorySeed(1, rnd.Uint64()), next: 1, grow: true, kinds: []int{0, 1, 2, 3, 4}}
	w.m = NewMemory(w.eng.Base().State().Seed, true)
	w.now = modelState{newPartModel(), newPartModel()}
	w.complete = w.now.clone()
	w.m.Lock(All)
	w.lsn++
	var a Access
	a.Begin(w.m, Direct, w.lsn, All, nil)
	for i, part := range modelParts() {
		w.dirs[i] = a.NewDir(part, modelSpace)
	}
	w.m.Unlock(All)
	return w
}

// bytes returns a random string, mostly short.
func (w *world) bytes() string {
	n := w.rnd.IntN(200)
	switch w.rnd.IntN(40) {
	case 0:
		n = w.rnd.IntN(3000)
	case 1:
		n = 0
	}
	return strings.Repeat(string(rune('a'+w.rnd.IntN(26))), n)
}

// fewer tells whether to shrink rather than to grow.
func (w *world) fewer() bool { return (w.rnd.IntN(4) == 0) == w.grow }

// pick returns a random key of a map, "" if it is empty.
func pick[V any](w *world, m map[string]V) string {
	for k := range m {
		if w.rnd.IntN(4) == 0 {
			return k
		}
	}
	return ""
}

// object returns a random object of a part in a state.
func (w *world) object(s modelState, i int) (uint64, *objectModel) {
	ids := slices.Sorted(maps.Keys(s[i].objs))
	if len(ids) == 0 {
		return 0, nil
	}
	id := ids[w.rnd.IntN(len(ids))]
	return id, s[i].objs[id]
}

// change returns a random change of the state s.
func (w *world) change(s modelState) change {
	i := w.rnd.IntN(2)
	id, o := w.object(s, i)
	if w.focus != 0 { // many changes of the same make it large, or small
		i = slices.Index(modelParts2(), int(w.focus>>56))
		if id, o = w.focus, s[i].objs[w.focus]; o == nil {
			id, o = w.object(s, i)
		}
	}
	switch k := w.rnd.IntN(100); {
	case k < 25 && (w.focus == 0 || k < 2):
		return w.changeDir(s, i)
	case o == nil || k < 28 && w.focus == 0 && len(s[i].objs) < 9:
		return w.changeCreate(i)
	case k < 29 && (w.focus == 0 || len(w.kinds) > 1 && w.rnd.IntN(300) == 0):
		return change{"drop", func(a *Access) error { return a.Drop(id) }, func(s modelState) { delete(s[i].objs, id) }}
	case k < 31 && o.kind != kindString:
		b := byte(k + w.rnd.IntN(100))
		return change{"aux", func(a *Access) error {
			h, err := a.EditHeader(id)
			if err == nil {
				h.Aux()[0] = b
			}
			return err
		}, func(s modelState) { s[i].objs[id].aux = b }}
	}
	switch o.kind {
	case kindList:
		return w.changeList(i, id, o)
	case kindString:
		return w.changeString(i, id, o)
	case kindHash:
		return w.changeHash(i, id, o)
	}
	return w.changeKeyed(i, id, o)
}

func (w *world) changeDir(s modelState, i int) change {
	dir := w.dirs[i]
	key := pick(w, s[i].dir)
	if key != "" && w.fewer() {
		return change{"dirdelete", func(a *Access) error {
			ok, err := a.DirDelete(dir, w.m.Hash(key), key)
			if err == nil && !ok {
				err = fmt.Errorf("key %q is not there", key)
			}
			return err
		}, func(s modelState) { delete(s[i].dir, key) }}
	}
	if key == "" || w.rnd.IntN(3) > 0 {
		key = fmt.Sprintf("key %d", w.rnd.IntN(3000))
	}
	v := w.bytes()
	return change{"dirput", func(a *Access) error {
		if _, err := a.DirGet(dir, w.m.Hash(key), key); err != nil {
			return err
		}
		_, err := a.DirSet(dir, w.m.Hash(key), key, []byte(v))
		return err
	}, func(s modelState) { s[i].dir[key] = v }}
}

func (w *world) changeCreate(i int) change {
	id := ObjectID(modelParts()[i], w.next)
	w.next++
	o := &objectModel{kind: w.kinds[w.rnd.IntN(len(w.kinds))], pairs: map[string]string{}, subs: map[uint32]string{}}
	shape := map[int]Shape{kindList: ShapeTree, kindStream: ShapeTree, kindZSet: ShapeBoth, kindHash: ShapeTable}[o.kind]
	if o.kind == kindString && w.rnd.IntN(3) == 0 {
		return w.changeFill(i, id, o)
	}
	if o.kind == kindString {
		value := []byte(w.bytes())
		length := 0
		if w.rnd.IntN(2) == 0 {
			length = w.rnd.IntN(300_000)
		}
		o.bytes = append(slices.Clone(value), make([]byte, max(0, length-len(value)))...)
		return change{
			"createstring", func(a *Access) error { return a.CreateString(id, 1, value, length) },
			func(s modelState) { s[i].objs[id] = o.clone() },
		}
	}
	return change{
		"create", func(a *Access) error { return a.Create(id, uint8(o.kind), shape) },
		func(s modelState) { s[i].objs[id] = o.clone() },
	}
}

// changeFill makes a string of chunks, of which some are all zero.
func (w *world) changeFill(i int, id uint64, o *objectModel) change {
	o.bytes = make([]byte, rawMax+1+w.rnd.IntN(200_000))
	for off := 0; off < len(o.bytes); off += chunkBytes {
		if w.rnd.IntN(4) > 0 {
			copy(o.bytes[off:min(off+chunkBytes, len(o.bytes))], strings.Repeat(w.bytes(), w.rnd.IntN(40)))
		}
	}
	return change{"fillchunk", func(a *Access) error {
		if err := a.CreateString(id, 1, nil, len(o.bytes)); err != nil {
			return err
		}
		for c := 0; c*chunkBytes < len(o.bytes); c++ {
			part := o.bytes[c*chunkBytes : min((c+1)*chunkBytes, len(o.bytes))]
			_, err := a.FillChunk(id, uint64(c), len(part), func(b []byte) error {
				copy(b, part)
				clear(b[len(part):])
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}, func(s modelState) { s[i].objs[id] = o.clone() }}
}

// verifyRun compares a run of a string's chunks.
func (w *world) verifyRun(a *Access, id uint64, want []byte) error {
	if len(want) == 0 {
		return nil
	}
	off := w.rnd.IntN(len(want)) / chunkBytes * chunkBytes
	n := 1 + w.rnd.IntN(len(want)-off)
	parts, err := a.StringRun(nil, id, uint64(off), n)
	if err != nil {
		return err
	}
	require.Len(w.t, parts, (n+chunkBytes-1)/chunkBytes)
	for i, part := range parts {
		rest := want[off+i*chunkBytes : min(off+(i+1)*chunkBytes, off+n)]
		require.LessOrEqual(w.t, len(part), len(rest))
		require.True(w.t, string(part) == string(rest[:len(part)]), "part %d of %d bytes at %d of %#x", i, n, off, id)
		require.True(w.t, allZero(rest[len(part):]), "behind part %d of %d bytes at %d of %#x", i, n, off, id)
	}
	return nil
}

func (w *world) changeString(i int, id uint64, o *objectModel) change {
	off := w.rnd.IntN(len(o.bytes) + 10)
	if w.rnd.IntN(20) == 0 {
		off += w.rnd.IntN(200_000)
	}
	if off > 2_000_000 {
		off = 0
	}
	b := []byte(strings.Repeat(w.bytes()+"x", 1+w.rnd.IntN(3)*w.rnd.IntN(30)))
	return change{"stringwrite", func(a *Access) error { return a.StringWrite(id, uint64(off), b) }, func(s modelState) {
		o := s[i].objs[id]
		if n := off + len(b); n > len(o.bytes) {
			o.bytes = append(o.bytes, make([]byte, n-len(o.bytes))...)
		}
		copy(o.bytes[off:], b)
	}}
}

func (w *world) changeHash(i int, id uint64, o *objectModel) change {
	field := pick(w, o.pairs)
	if field != "" && w.fewer() {
		return change{"fielddelete", func(a *Access) error {
			ok, err := a.FieldDelete(id, w.m.Hash(field), field)
			if err == nil && !ok {
				err = fmt.Errorf("field %q is not there", field)
			}
			return err
		}, func(s modelState) { delete(s[i].objs[id].pairs, field) }}
	}
	if field == "" || w.rnd.IntN(3) > 0 {
		field = fmt.Sprintf("field %d", w.rnd.IntN(2000))
	}
	v := w.bytes()
	return change{"fieldput", func(a *Access) error {
		_, err := a.FieldPut(id, w.m.Hash(field), field, []byte(v))
		return err
	}, func(s modelState) { s[i].objs[id].pairs[field] = v }}
}

// treeOf returns an object's tree.
func treeOf(id uint64, kind int) Tree {
	switch kind {
	case kindZSet:
		return Tree{Obj: id, Root: 1, Key: -1}
	case kindStream:
		return Tree{Obj: id, Key: 16}
	}
	return Tree{Obj: id}
}

func (w *world) changeList(i int, id uint64, o *objectModel) change {
	t := treeOf(id, o.kind)
	n := len(o.items)
	if w.rnd.IntN(12) == 0 {
		return w.changeSub(i, id, o)
	}
	if n > 0 && w.fewer() {
		from := w.rnd.IntN(n)
		if w.rnd.IntN(2) == 0 {
			from *= w.rnd.IntN(2)
		}
		count := 1
		if w.rnd.IntN(4) == 0 && (!w.grow || w.rnd.IntN(20) == 0) {
			count = 1 + w.rnd.IntN(1+w.rnd.IntN(n-from))
		}
		return change{
			"treeremove", func(a *Access) error { return a.TreeRemove(t, uint64(from), uint64(count)) },
			func(s modelState) { s[i].objs[id].items = slices.Delete(s[i].objs[id].items, from, from+count) },
		}
	}
	v := w.bytes()
	at := w.rnd.IntN(n + 1)
	switch w.rnd.IntN(5) {
	case 4:
		return w.pushMany(i, id, o)
	case 0:
		return change{
			"treeappend", func(a *Access) error { return a.TreeAppend(t, []byte(v)) },
			func(s modelState) { s[i].objs[id].items = append(s[i].objs[id].items, v) },
		}
	case 1:
		if at < n {
			return change{
				"treereplace", func(a *Access) error { return a.TreeReplaceAt(t, uint64(at), []byte(v)) },
				func(s modelState) { s[i].objs[id].items[at] = v },
			}
		}
	case 2:
		at = 0
	}
	return change{
		"treeinsertat", func(a *Access) error { return a.TreeInsertAt(t, uint64(at), []byte(v)) },
		func(s modelState) { s[i].objs[id].items = slices.Insert(s[i].objs[id].items, at, v) },
	}
}

// pushMany puts items at an end of a list.
func (w *world) pushMany(i int, id uint64, o *objectModel) change {
	t := treeOf(id, o.kind)
	var items [][]byte
	for range 1 + w.rnd.IntN(40) {
		items = append(items, []byte(w.bytes()))
	}
	head := w.rnd.IntN(2) == 0
	return change{
		"treepush", func(a *Access) error { return a.TreePush(t, head, items) },
		func(s modelState) {
			for _, item := range items {
				o := s[i].objs[id]
				at := len(o.items)
				if head {
					at = 0
				}
				o.items = slices.Insert(o.items, at, string(item))
			}
		},
	}
}

// changeSub stores or frees a value of its own.
func (w *world) changeSub(i int, id uint64, o *objectModel) change {
	subs := slices.Sorted(maps.Keys(o.subs))
	if len(subs) > 0 && w.fewer() {
		sub := subs[w.rnd.IntN(len(subs))]
		n := len(o.subs[sub])
		return change{"subdelete", func(a *Access) error {
			if _, err := a.Header(id); err != nil {
				return err
			}
			a.SubDelete(id, sub, n)
			return nil
		}, func(s modelState) { delete(s[i].objs[id].subs, sub) }}
	}
	v := strings.Repeat("sub "+w.bytes(), 1+w.rnd.IntN(80))
	var sub uint32
	return change{"subput", func(a *Access) (err error) {
		sub, err = a.SubPut(id, []byte(v))
		return err
	}, func(s modelState) { s[i].objs[id].subs[sub] = v }}
}

// changeKeyed changes a sorted set, as a score of a member, or a stream.
func (w *world) changeKeyed(i int, id uint64, o *objectModel) change {
	key := pick(w, o.pairs)
	if key != "" && w.fewer() {
		return w.removeKeyed(i, id, o, key)
	}
	t := treeOf(id, o.kind)
	if o.kind == kindStream {
		if key == "" || w.rnd.IntN(3) > 0 {
			key = fmt.Sprintf("%016d", w.rnd.IntN(1_000_000_000))
		}
		v := w.bytes()
		_, there := o.pairs[key]
		return change{"item", func(a *Access) error {
			rank, old, err := a.TreeFind(t, []byte(key))
			switch {
			case err != nil:
				return err
			case there != (old != nil):
				return fmt.Errorf("item %q there: %t", key, old != nil)
			case there:
				return a.TreeReplaceAt(t, rank, []byte(key+v))
			}
			return a.TreeInsert(t, []byte(key+v))
		}, func(s modelState) { s[i].objs[id].pairs[key] = v }}
	}
	if key == "" || w.rnd.IntN(3) > 0 {
		key = fmt.Sprintf("member %d %s", w.rnd.IntN(2000), strings.Repeat("long", w.rnd.IntN(100)))
	}
	score := fmt.Sprintf("%08d", w.rnd.IntN(1000)*w.rnd.IntN(1000))
	before, there := o.pairs[key]
	if there && before == score {
		return w.removeKeyed(i, id, o, key)
	}
	return change{"score", func(a *Access) error {
		if _, err := a.FieldGet(id, w.m.Hash(key), key); err != nil {
			return err
		}
		if _, _, err := a.TreeFind(t, []byte(before+key)); err != nil {
			return err
		}
		if err := a.TreeInsert(t, []byte(score+key)); err != nil {
			return err
		}
		if there {
			if was, err := a.TreeDelete(t, []byte(before+key)); err != nil || !was {
				return fmt.Errorf("member %q has no place: %w", key, err)
			}
		}
		_, err := a.FieldPut(id, w.m.Hash(key), key, []byte(score))
		return err
	}, func(s modelState) { s[i].objs[id].pairs[key] = score }}
}

func (w *world) removeKeyed(i int, id uint64, o *objectModel, key string) change {
	t := treeOf(id, o.kind)
	item := key + o.pairs[key]
	if o.kind == kindZSet {
		item = o.pairs[key] + key
	}
	return change{"unscore", func(a *Access) error {
		if o.kind == kindZSet {
			if _, err := a.FieldGet(id, w.m.Hash(key), key); err != nil {
				return err
			}
		}
		rank, old, err := a.TreeFind(t, t.key([]byte(item)))
		switch {
		case err != nil:
			return err
		case string(old) != item:
			return fmt.Errorf("item %q is %q", item, old)
		}
		if rank%2 == 0 {
			_, err = a.TreeDelete(t, t.key([]byte(item)))
		} else {
			err = a.TreeRemove(t, rank, 1)
		}
		if err == nil && o.kind == kindZSet {
			_, err = a.FieldDelete(id, w.m.Hash(key), key)
		}
		return err
	}, func(s modelState) { delete(s[i].objs[id].pairs, key) }}
}

// direct makes one change in place.
func (w *world) direct() {
	c := w.change(w.now)
	w.last = "direct " + c.name
	w.writing = true
	defer func() { w.writing = false }()
	var a Access
	defer a.Release()
	for {
		a.Begin(w.m, Direct, w.lsn+1, All, nil)
		w.m.Lock(All)
		err := c.apply(&a)
		if err == nil {
			w.lsn++
			c.model(w.now)
		}
		w.m.Unlock(All)
		if err == nil {
			return
		}
		require.ErrorIs(w.t, err, ErrCold, c.name)
		if w.rnd.IntN(3) == 0 {
			w.background() // a command that found pages cold has changed nothing
		}
		require.NoError(w.t, a.Load(w.eng.Base()))
	}
}

// private makes some changes in private copies and publishes or drops them.
func (w *world) private() {
	var a Access
	var src Source
	if w.rnd.IntN(2) == 0 {
		src = w.eng.Base()
	}
	next := w.now.clone()
	w.last = "private"
	w.writing = true
	defer func() { w.writing = false }()
	a.Begin(w.m, Private, w.lsn+1, 0, src)
	defer a.Release()
	changes := 1 + w.rnd.IntN(60)
	if w.rnd.IntN(6) == 0 {
		grow := w.grow
		w.grow = w.rnd.IntN(3) > 0
		w.focus, _ = w.object(next, w.rnd.IntN(2))
		defer func() { w.grow, w.focus = grow, 0 }()
		changes *= 25
	}
	for range changes {
		c := w.change(next)
		w.last += " " + c.name
		err := c.apply(&a)
		if err != nil {
			require.ErrorIs(w.t, err, ErrCold, c.name)
			a.Discard()
			require.NoError(w.t, a.Load(w.eng.Base()))
			return
		}
		c.model(next)
		if w.rnd.IntN(8) == 0 {
			a.Release()
		}
		if w.rnd.IntN(30) == 0 {
			w.background()
		}
	}
	if w.rnd.IntN(4) == 0 {
		a.Discard()
		return
	}
	mask := a.Mask()
	w.m.Lock(mask)
	a.Publish()
	w.lsn++
	w.now = next
	w.m.Unlock(mask)
}

// background does what happens beside writers.
func (w *world) background() {
	if w.only {
		return
	}
	switch w.rnd.IntN(8) {
	case 0:
		if len(w.views) < 6 {
			lsn := w.m.OpenSnapshot(0, func() uint64 { return w.lsn })
			w.views = append(w.views, heldView{lsn, w.now.clone()})
		}
	case 1:
		if n := len(w.views); n > 0 {
			i := w.rnd.IntN(n)
			w.verify(Snapshot, w.views[i].lsn, w.views[i].want, w.rnd.IntN(3) == 0)
			if w.rnd.IntN(2) == 0 {
				w.m.CloseSnapshot(w.views[i].lsn)
				w.views = slices.Delete(w.views, i, i+1)
			}
		}
	case 2, 3:
		stop := 1 + w.rnd.IntN(30)
		for _, part := range modelParts() {
			n := 0
			w.m.Part(part).Reclaim(func() bool { n++; return n > stop })
		}
	case 4, 5:
		for _, part := range modelParts() {
			w.m.Part(part).Evict(int64(w.rnd.IntN(200_000)), 10_000)
		}
	case 6:
		w.beginStep()
	case 7:
		w.endStep()
	}
}

func (w *world) beginStep() {
	if w.step != nil {
		return
	}
	parts := uint64(0)
	for _, part := range modelParts() {
		parts |= uint64(w.rnd.IntN(2)) << part
	}
	w.number++
	w.step = w.m.BeginStep(parts, w.number, func() uint64 { return w.lsn })
	w.stepped = w.now.clone()
}

// endStep writes the running step's images and completes it.
func (w *world) endStep() {
	if w.step == nil || w.ending {
		return
	}
	b := w.eng.Base()
	epoch := b.State().Epoch
	s := w.step
	require.NoError(w.t, s.Write(func(images []engine.Image) error {
		if err := b.Write(epoch, s.Number, images); err != nil {
			return err
		}
		if !w.writing && w.rnd.IntN(3) == 0 { // writers go on while a step writes
			w.ending = true
			w.direct()
			w.ending = false
		}
		return nil
	}))
	require.NoError(w.t, b.Complete(epoch, s.Number, s.Parts, s.LSN, nil, s.Removed()))
	s.End()
	w.step = nil
	for i, part := range modelParts() {
		if s.Parts>>part&1 != 0 {
			w.complete[i] = w.stepped[i]
		}
	}
	for _, d := range s.Dropped() {
		require.NoError(w.t, b.Sweep(d.Dir, []uint64{d.Object}))
	}
	if w.rnd.IntN(4) == 0 {
		w.reload()
	}
}

// reload builds a fresh Memory from what a crash now would leave and compares.
func (w *world) reload() {
	base := w.eng.Crash(engine.Crash{Resurrect: w.rnd.IntN(2) == 0}).Base()
	v := &world{t: w.t, rnd: w.rnd, m: NewMemory(w.m.Seed(), true)}
	l := v.m.NewDirLoader()
	require.NoError(w.t, base.Load(l.Add))
	require.NoError(w.t, l.Finish(func(part int, space uint64, t *Table) error {
		require.EqualValues(w.t, modelSpace, space)
		i := slices.Index(modelParts2(), part)
		v.dirs[i] = t
		n := 0
		t.Each(v.m.Part(part), func(l Leaf) { n += l.Len() })
		require.Len(w.t, w.complete[i].dir, n)
		return nil
	}))
	for i := range w.complete {
		if v.dirs[i] != nil {
			v.verifyPart(base, Snapshot, ^uint64(0), i, w.complete[i], true)
		} else {
			require.Empty(w.t, w.complete[i].dir)
		}
	}
	require.NoError(w.t, v.m.Close())
}

func modelParts2() []int { p := modelParts(); return p[:] }

// verify compares a state with what a snapshot or the present shows.
func (w *world) verify(mode Mode, lsn uint64, want modelState, all bool) {
	for i := range want {
		w.verifyPart(w.eng.Base(), mode, lsn, i, want[i], all)
	}
	for _, part := range modelParts() {
		w.verifyDirty(w.m.Part(part))
	}
}

// verifyDirty recounts the bytes of pages that the next step would write.
func (w *world) verifyDirty(p *Part) {
	p.RLock(0)
	defer p.RUnlock(0)
	want := int64(0)
	for id := pid(1); id < p.ndescs; id++ {
		want += p.dirtied(p.at(id))
	}
	require.Equal(w.t, want, p.dirtyBytes, "bytes of dirty pages")
}

func (w *world) verifyPart(src Source, mode Mode, lsn uint64, i int, want *partModel, all bool) {
	w.reading(src, mode, lsn, func(a *Access) error { return w.verifyDir(a, w.dirs[i], want.dir) })
	for id, o := range want.objs {
		if all || w.rnd.IntN(3) == 0 {
			w.reading(src, mode, lsn, func(a *Access) error { return w.verifyObject(a, id, o) })
		}
	}
}

// reading runs fn on an access until it has what it needs.
func (w *world) reading(src Source, mode Mode, lsn uint64, fn func(*Access) error) {
	var a Access
	defer a.Release()
	for range 10_000 {
		var err error
		if mode == Snapshot {
			a.Begin(w.m, mode, lsn, 0, src)
			err = fn(&a)
		} else {
			a.Begin(w.m, mode, 0, All, nil)
			w.m.RLock(All, 0)
			err = fn(&a)
			w.m.RUnlock(All, 0)
		}
		if err == nil {
			return
		}
		require.ErrorIs(w.t, err, ErrCold)
		require.NoError(w.t, a.Load(src))
	}
	require.Fail(w.t, "pages stay cold")
}

func (w *world) verifyDir(a *Access, dir *Table, want map[string]string) error {
	n := 0
	for at, more := uint64(0), true; more; {
		leaf, err := a.DirLeaf(dir, at)
		if err != nil {
			return err
		}
		leaf.Each(func(k, v []byte) bool {
			require.Equal(w.t, want[string(k)], string(v), "%s", k)
			n++
			return true
		})
		at = leaf.End + 1
		more = at != 0
	}
	require.Len(w.t, want, n)
	for k, v := range want {
		got, err := a.DirGet(dir, w.m.Hash(k), k)
		if err != nil {
			return err
		}
		require.Equal(w.t, v, string(got))
	}
	got, err := a.DirGet(dir, w.m.Hash("absent"), "absent")
	require.Nil(w.t, got)
	return err
}

func (w *world) verifyObject(a *Access, id uint64, o *objectModel) error {
	defer func() {
		if w.t.Failed() {
			w.t.Logf("object %#x kind %d, after %s", id, o.kind, w.last)
		}
	}()
	if o.kind == kindString {
		n, err := a.StringLen(id)
		if err != nil {
			return err
		}
		require.EqualValues(w.t, len(o.bytes), n)
		got, err := a.StringGet(id, 0, int(n))
		if err != nil {
			return err
		}
		require.True(w.t, string(got) == string(o.bytes), "object %#x", id)
		return w.verifyRun(a, id, o.bytes)
	}
	h, err := a.Header(id)
	if err != nil {
		return err
	}
	require.EqualValues(w.t, o.kind, h.Type())
	require.EqualValues(w.t, max(len(o.items), len(o.pairs)), h.Count())
	require.Equal(w.t, o.aux, h.Aux()[0])
	if o.kind == kindHash || o.kind == kindZSet {
		if err := w.verifyFields(a, id, o); err != nil {
			return err
		}
	}
	for sub, v := range o.subs {
		b, err := a.SubGet(id, sub, len(v))
		if err != nil {
			return err
		}
		require.True(w.t, v == string(b), "sub value")
	}
	if o.kind != kindHash {
		return w.verifyTree(a, id, o)
	}
	return nil
}

func (w *world) verifyFields(a *Access, id uint64, o *objectModel) error {
	n := 0
	for at, more := uint64(0), true; more; {
		leaf, err := a.FieldLeaf(id, at)
		if err != nil {
			return err
		}
		leaf.Each(func(k, v []byte) bool {
			require.Equal(w.t, o.pairs[string(k)], string(v), "%s", k)
			n++
			return true
		})
		at = leaf.End + 1
		more = at != 0
	}
	require.Len(w.t, o.pairs, n)
	for k, v := range o.pairs {
		got, err := a.FieldGet(id, w.m.Hash(k), k)
		if err != nil {
			return err
		}
		require.Equal(w.t, v, string(got))
	}
	return nil
}

func (w *world) verifyTree(a *Access, id uint64, o *objectModel) error {
	t := treeOf(id, o.kind)
	want := o.ordered()
	for at := 0; at < len(want); {
		r, err := a.TreeRun(t, uint64(at))
		if err != nil {
			return err
		}
		require.EqualValues(w.t, at, r.First)
		for ; at < int(r.End()); at++ {
			require.Equal(w.t, want[at], string(r.Item(uint64(at))))
		}
	}
	if len(want) == 0 || t.Key == 0 {
		return nil
	}
	for range 20 {
		i := w.rnd.IntN(len(want))
		rank, item, err := a.TreeFind(t, t.key([]byte(want[i])))
		if err != nil {
			return err
		}
		require.EqualValues(w.t, i, rank)
		require.Equal(w.t, want[i], string(item))
		between := []byte(want[i][:max(1, w.rnd.IntN(min(len(want[i]), 16)))] + "\xff")
		rank, _, err = a.TreeFind(t, between)
		if err != nil {
			return err
		}
		at, _ := slices.BinarySearch(want, string(between))
		require.EqualValues(w.t, at, rank)
	}
	return nil
}

// empty drops everything and makes sure that no block is left.
func (w *world) empty() {
	w.endStep()
	for _, v := range w.views {
		w.verify(Snapshot, v.lsn, v.want, true)
		w.m.CloseSnapshot(v.lsn)
	}
	w.views = nil
	w.verify(Shared, 0, w.now, true)
	w.m.Lock(All)
	w.lsn++
	for i, part := range modelParts() {
		p := w.m.Part(part)
		for id := range w.now[i].objs {
			p.Drop(id, w.lsn)
		}
		p.DropDir(w.dirs[i], w.lsn)
	}
	w.m.Unlock(All)
	for _, part := range modelParts() {
		p := w.m.Part(part)
		require.True(w.t, p.Reclaim(func() bool { return false }))
		require.Empty(w.t, p.retained)
		require.Empty(w.t, p.retired)
		require.Zero(w.t, p.index.n)
		require.Empty(w.t, p.tables)
		require.Zero(w.t, p.nodeBytes)
		require.Zero(w.t, p.PageCount())
		require.Len(w.t, p.freeNodes, len(p.nodes)-1)
	}
	require.Zero(w.t, w.m.Used(), "blocks that nothing leads to")
	require.NoError(w.t, w.m.Close())
}

func TestModel(t *testing.T) {
	rnd := seeded(t)
	closely := os.Getenv("CLOSELY") != "" // to find the change that went wrong
	runs, ops := 4, 3000
	if testing.Short() {
		runs = 1
	}
	for run := range runs {
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			w := newWorld(t, rand.New(rand.NewPCG(rnd.Uint64(), 7)))
			for op := range ops {
				if op%400 == 0 {
					w.grow = op%1200 != 800
				}
				switch k := w.rnd.IntN(20); {
				case k < 12:
					w.direct()
				case k < 15:
					w.private()
				default:
					w.background()
				}
				if op%250 == 0 || closely {
					w.verify(Shared, 0, w.now, true)
				}
			}
			w.empty()
		})
	}
}

// TestModelLarge makes one object of each kind large and small again.
func TestModelLarge(t *testing.T) {
	rnd := seeded(t)
	changes := 12_000
	if testing.Short() {
		changes = 4000
	}
	for kind := range kindString {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			w := newWorld(t, rand.New(rand.NewPCG(rnd.Uint64(), 7)))
			w.kinds = []int{kind}
			for len(w.now[0].objs) == 0 {
				w.direct()
			}
			w.focus, _ = w.object(w.now, 0)
			for i := range 2 * changes {
				w.grow = i < changes
				if w.now[0].objs[w.focus] == nil {
					break // dropped
				}
				w.direct()
				if w.rnd.IntN(60) == 0 {
					w.background()
				}
				if i%2000 == 0 {
					w.verify(Shared, 0, w.now, true)
				}
			}
			w.focus = 0
			w.empty()
		})
	}
}
