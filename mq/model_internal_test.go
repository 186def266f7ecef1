package mq

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/store"
)

// modelMessage is a message of the model.
type modelMessage struct {
	place     int
	body      string
	delivered bool // before
}

// modelQueue is a queue in plain Go.
type modelQueue struct {
	options   byte
	published int
	ready     []modelMessage // by place
	unsettled []modelDelivery

	loaded    bool // in this life of the broker
	cursor    int  // the first place not delivered in this life
	flagged   int  // what is below it may have been delivered in an earlier life
	announced int  // what is below it is flagged if this life ends badly
}

// load is what the broker does when it first meets the queue.
func (q *modelQueue) load() {
	if !q.loaded {
		q.loaded, q.cursor, q.flagged = true, 0, min(q.announced, q.published+1)
	}
}

// modelDelivery is a delivery with its message.
type modelDelivery struct {
	m modelMessage
	d *Delivery
}

// requeue puts a message back to its place.
func (q *modelQueue) requeue(m modelMessage) {
	m.delivered = true
	at, _ := slices.BinarySearchFunc(q.ready, m.place, func(m modelMessage, place int) int { return cmp.Compare(m.place, place) })
	q.ready = slices.Insert(q.ready, at, m)
}

// machine is a broker and its model.
type machine struct {
	*testing.T
	rnd    *rand.Rand
	opts   store.Options
	eng    *engine.Memory
	s      *store.Store
	b      *Broker
	queues map[string]*modelQueue
	old    []*Delivery // that can not be settled any more
}

// TestModel compares random calls on a few queues, transactions that roll back,
// checkpoints, evictions, crashes and reopening with the model.
func TestModel(t *testing.T) {
	seeds, ops := 6, 3_000
	if testing.Short() {
		seeds, ops = 2, 1_500
	}
	if os.Getenv("BROCK_SOAK") != "" {
		seeds, ops = 100, 20_000
	}
	first := rand.Uint64N(1 << 32)
	if env := os.Getenv("SEED"); env != "" {
		n, err := strconv.ParseUint(env, 10, 64)
		require.NoError(t, err)
		first, seeds = n, 1
	}
	for i := range seeds {
		seed := first + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Logf("SEED=%d", seed)
			m := &machine{T: t, rnd: rand.New(rand.NewPCG(seed, 0)), queues: make(map[string]*modelQueue)}
			m.opts = store.Options{NoTimers: true}
			if seed%2 == 0 {
				m.opts.MemoryBudget = 256 << 10
			}
			if seed%3 == 0 {
				m.opts.Durability = store.Always
			}
			m.eng = engine.NewMemorySeed(seed, seed)
			m.open()
			for range ops {
				m.step()
			}
			m.reopen(false)
			m.drain()
			require.NoError(t, m.b.Close())
			require.NoError(t, m.s.Close())
		})
	}
}

// open opens store and broker on the engine.
func (m *machine) open() {
	var err error
	m.s, err = store.Open(m.eng, m.opts)
	require.NoError(m, err)
	m.b, err = open(m.s)
	require.NoError(m, err)
}

// reopen ends the life of store and broker, cleanly or not.
func (m *machine) reopen(clean bool) {
	var next *engine.Memory
	if clean {
		require.NoError(m, m.b.Close())
		require.NoError(m, m.s.Close())
		next = m.eng.Reopen()
	} else {
		next = m.eng.Crash(engine.Crash{PowerCut: m.opts.Durability == store.Always, Resurrect: m.rnd.IntN(2) == 0})
		require.NoError(m, m.s.Close())
	}
	for _, q := range m.queues {
		for _, u := range q.unsettled {
			m.old = append(m.old, u.d)
			q.requeue(u.m)
		}
		q.unsettled = nil
		if q.loaded && clean {
			q.announced = max(q.cursor, q.flagged)
		}
		q.loaded = false
	}
	for _, d := range m.old {
		require.Error(m, d.Ack())
	}
	m.old = nil
	m.eng = next
	m.open()
}

// names are the queues' names.
var names = []string{"a", "a.b", "b", strings.Repeat("n", 200)}

// step makes one random call.
func (m *machine) step() {
	name := names[m.rnd.IntN(len(names))]
	q := m.queues[name]
	switch n := m.rnd.IntN(1000); {
	case q == nil || n < 10:
		m.declare(name, byte(m.rnd.IntN(2)))
	case n < 300:
		m.publish(name, m.rnd.IntN(8) == 0)
	case n < 560:
		m.get(name)
	case n < 700:
		m.settle(name)
	case n < 920:
		m.transaction()
	case n < 960:
		require.NoError(m, m.s.Checkpoint())
	case n < 980:
		m.s.Housekeep()
	case n < 985:
		m.purge(name)
	case n < 988:
		m.remove(name)
	case n < 994:
		m.reopen(true)
	default:
		m.reopen(false)
	}
}

// declare declares a queue.
func (m *machine) declare(name string, options byte) {
	info, err := m.b.DeclareQueue(name, &QueueOptions{AutoDelete: options == 1})
	q := m.queues[name]
	if q != nil && q.options != options {
		require.ErrorIs(m, err, ErrPreconditionFailed)
		return
	}
	require.NoError(m, err)
	if q == nil {
		q = &modelQueue{options: options}
		m.queues[name] = q
	}
	require.Equal(m, QueueInfo{Name: name, Messages: len(q.ready)}, info)
}

// body makes up a body.
func (m *machine) body() string {
	n := m.rnd.IntN(200)
	if m.rnd.IntN(20) == 0 {
		n = m.rnd.IntN(12_000)
	}
	return strings.Repeat(string(rune('a'+m.rnd.IntN(26))), n)
}

// publish publishes a message, or many.
func (m *machine) publish(name string, many bool) {
	n := 1
	if many {
		n = 100
	}
	for range n {
		body := m.body()
		require.NoError(m, m.b.Publish("", name, Message{Body: []byte(body)}, Mandatory))
		m.published(name, body)
	}
}

// published tells the model of a message.
func (m *machine) published(name, body string) {
	q := m.queues[name]
	q.load()
	q.published++
	q.ready = append(q.ready, modelMessage{place: q.published, body: body})
}

// get delivers a message.
func (m *machine) get(name string) {
	d, err := m.b.Get(name)
	q := m.queues[name]
	if q == nil {
		require.ErrorIs(m, err, ErrNotFound)
		return
	}
	q.load()
	if len(q.ready) == 0 {
		require.ErrorIs(m, err, ErrEmpty)
		return
	}
	require.NoError(m, err)
	first := q.ready[0]
	q.ready = q.ready[1:]
	require.True(m, bytes.Equal([]byte(first.body), d.Body))
	require.Equal(m, first.delivered || first.place < q.flagged, d.Redelivered, "place %d", first.place)
	q.cursor = max(q.cursor, first.place+1)
	if first.place >= q.announced {
		q.announced = first.place + ahead
	}
	q.unsettled = append(q.unsettled, modelDelivery{first, d})
}

// settle settles a delivery.
func (m *machine) settle(name string) {
	q := m.queues[name]
	if len(q.unsettled) == 0 {
		return
	}
	i := m.rnd.IntN(len(q.unsettled))
	u := q.unsettled[i]
	q.unsettled = slices.Delete(q.unsettled, i, i+1)
	m.old = append(m.old, u.d)
	switch m.rnd.IntN(4) {
	case 0:
		require.NoError(m, u.d.Nack(true))
		q.requeue(u.m)
	case 1:
		require.NoError(m, u.d.Nack(false))
	default:
		require.NoError(m, u.d.Ack())
	}
	require.ErrorIs(m, u.d.Nack(m.rnd.IntN(2) == 0), ErrSettled)
}

// transaction publishes and settles on several queues at once, and rolls back
// half the time.
func (m *machine) transaction() {
	var then []func()
	rollback := errors.New("rollback")
	err := m.s.Update(func(t *store.Tx) error {
		for range m.rnd.IntN(6) {
			name := names[m.rnd.IntN(len(names))]
			q := m.queues[name]
			if q == nil {
				require.ErrorIs(m, m.b.put(t, name, []byte{0, 0}, []PublishOption{Mandatory}), ErrNoRoute)
				continue
			}
			if len(q.unsettled) == 0 || m.rnd.IntN(2) == 0 {
				msg := Message{Body: []byte(m.body())}
				stored, err := msg.encode()
				require.NoError(m, err)
				require.NoError(m, m.b.put(t, name, stored, nil))
				q.load()
				then = append(then, func() { m.published(name, string(msg.Body)) })
				continue
			}
			u := q.unsettled[m.rnd.IntN(len(q.unsettled))]
			requeue := m.rnd.IntN(3) == 0
			if u.d.step == (stage{t, t.Life()}) {
				require.ErrorIs(m, u.d.settle(t, requeue), ErrSettled)
				continue
			}
			require.NoError(m, u.d.settle(t, requeue))
			then = append(then, func() {
				q.unsettled = slices.DeleteFunc(q.unsettled, func(v modelDelivery) bool { return v.d == u.d })
				if requeue {
					q.requeue(u.m)
				}
			})
		}
		if m.rnd.IntN(2) == 0 {
			return rollback
		}
		return nil
	})
	if err != nil {
		require.ErrorIs(m, err, rollback)
		return
	}
	for _, fn := range then {
		fn()
	}
}

// purge purges a queue.
func (m *machine) purge(name string) {
	n, err := m.b.Purge(name)
	require.NoError(m, err)
	q := m.queues[name]
	require.Equal(m, len(q.ready), n)
	q.ready = nil
}

// remove deletes a queue.
func (m *machine) remove(name string) {
	q := m.queues[name]
	n, err := m.b.DeleteQueue(name)
	require.NoError(m, err)
	require.Equal(m, len(q.ready), n)
	for _, u := range q.unsettled {
		require.ErrorIs(m, u.d.Ack(), ErrNotFound)
	}
	delete(m.queues, name)
}

// drain compares all that the queues hold.
func (m *machine) drain() {
	for name, q := range m.queues {
		for range len(q.ready) + 1 {
			m.get(name)
		}
	}
}
