package mq_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/mq"
)

// openBroker returns a broker on a database in memory, with queues.
func openBroker(t *testing.T, queues ...string) (*brock.DB, *mq.Broker) {
	t.Helper()
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	broker, err := mq.Open(db, nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, broker.Close())
		require.NoError(t, db.Close())
	})
	for _, name := range queues {
		_, err := broker.DeclareQueue(name, nil)
		require.NoError(t, err)
	}
	return db, broker
}

// publish puts messages with these bodies into a queue.
func publish(t *testing.T, broker *mq.Broker, queue string, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		require.NoError(t, broker.Publish("", queue, mq.Message{Body: []byte(body)}, mq.Mandatory))
	}
}

// get delivers a message and checks which it is.
func get(t *testing.T, broker *mq.Broker, queue, body string, redelivered bool) *mq.Delivery {
	t.Helper()
	d, err := broker.Get(queue)
	require.NoError(t, err)
	require.Equal(t, body, string(d.Body))
	require.Equal(t, redelivered, d.Redelivered, "%s redelivered", body)
	return d
}

// messages returns how many messages of a queue are ready.
func messages(t *testing.T, broker *mq.Broker, queue string) int {
	t.Helper()
	info, err := broker.DeclareQueue(queue, &mq.QueueOptions{Passive: true})
	require.NoError(t, err)
	require.Equal(t, queue, info.Name)
	return info.Messages
}

func TestHelloWorld(t *testing.T) {
	_, broker := openBroker(t, "hello")
	publish(t, broker, "hello", "Hello World!")
	d := get(t, broker, "hello", "Hello World!", false)
	require.Equal(t, "hello", d.RoutingKey)
	require.Empty(t, d.Exchange)
	require.Zero(t, messages(t, broker, "hello"))
	require.NoError(t, d.Ack())
	_, err := broker.Get("hello")
	require.ErrorIs(t, err, mq.ErrEmpty)
}

func TestProperties(t *testing.T) {
	_, broker := openBroker(t, "q")
	full := mq.Message{
		Body: []byte{0, 1, 2}, ContentType: "text/plain", ContentEncoding: "gzip", DeliveryMode: mq.Persistent,
		Priority: 9, CorrelationID: "c", ReplyTo: "r", Expiration: "60000", MessageID: strings.Repeat("m", 255),
		Timestamp: time.Unix(1_700_000_000, 0).UTC(), Type: "t", UserID: "u", AppID: "a",
	}
	for _, m := range []mq.Message{full, {}, {Body: []byte("x")}, {AppID: "a"}, {Timestamp: time.Unix(0, 0).UTC()}} {
		require.NoError(t, broker.Publish("", "q", m))
		d, err := broker.Get("q")
		require.NoError(t, err)
		require.True(t, bytes.Equal(m.Body, d.Body))
		m.Body, d.Body = nil, nil
		require.Equal(t, m, d.Message)
	}
	for _, c := range []struct {
		m    mq.Message
		want error
	}{
		{mq.Message{AppID: strings.Repeat("a", 256)}, mq.ErrTooLong},
		{mq.Message{ContentType: strings.Repeat("a", 256)}, mq.ErrTooLong},
		{mq.Message{ReplyTo: strings.Repeat("a", 256)}, mq.ErrTooLong},
		{mq.Message{Expiration: "-1"}, mq.ErrProperty},
		{mq.Message{Expiration: "1s"}, mq.ErrProperty},
		{mq.Message{DeliveryMode: 3}, mq.ErrProperty},
	} {
		require.ErrorIs(t, broker.Publish("", "q", c.m), c.want)
	}
	require.Zero(t, messages(t, broker, "q"))
}

func TestBodiesAreCopied(t *testing.T) {
	_, broker := openBroker(t, "q")
	body := []byte("before")
	require.NoError(t, broker.Publish("", "q", mq.Message{Body: body}))
	copy(body, "after!")
	d := get(t, broker, "q", "before", false)
	copy(d.Body, "after!")
	require.NoError(t, d.Nack(true))
	get(t, broker, "q", "before", true)
}

func TestDeclare(t *testing.T) {
	_, broker := openBroker(t)
	passive := &mq.QueueOptions{Passive: true}

	t.Run("again", func(t *testing.T) {
		for n := range 3 {
			info, err := broker.DeclareQueue("again", nil)
			require.NoError(t, err)
			require.Equal(t, mq.QueueInfo{Name: "again", Messages: n}, info)
			publish(t, broker, "again", "x")
		}
	})
	t.Run("with other options", func(t *testing.T) {
		_, err := broker.DeclareQueue("other", &mq.QueueOptions{AutoDelete: true})
		require.NoError(t, err)
		_, err = broker.DeclareQueue("other", &mq.QueueOptions{AutoDelete: true})
		require.NoError(t, err)
		_, err = broker.DeclareQueue("other", nil)
		require.ErrorIs(t, err, mq.ErrPreconditionFailed)
		_, err = broker.DeclareQueue("other", passive)
		require.NoError(t, err)
	})
	t.Run("passive", func(t *testing.T) {
		_, err := broker.DeclareQueue("absent", passive)
		require.ErrorIs(t, err, mq.ErrNotFound)
		_, err = broker.Get("absent")
		require.ErrorIs(t, err, mq.ErrNotFound)
	})
	t.Run("named by the broker", func(t *testing.T) {
		a, err := broker.DeclareQueue("", nil)
		require.NoError(t, err)
		b, err := broker.DeclareQueue("", nil)
		require.NoError(t, err)
		require.NotEqual(t, a.Name, b.Name)
		require.True(t, strings.HasPrefix(a.Name, "amq.gen-"), a.Name)
		_, err = broker.DeclareQueue(a.Name, nil) // exists
		require.NoError(t, err)
		_, err = broker.DeclareQueue("amq.mine", nil)
		require.ErrorIs(t, err, mq.ErrAccessRefused)
	})
	t.Run("names are data", func(t *testing.T) {
		names := []string{"a", "a.b", "a.b.c", "\x00", "a\x00", "ä#*", strings.Repeat("n", 255)}
		for _, name := range names {
			_, err := broker.DeclareQueue(name, nil)
			require.NoError(t, err)
			publish(t, broker, name, name)
		}
		n, err := broker.Purge("a")
		require.NoError(t, err)
		require.Equal(t, 1, n)
		for _, name := range names[1:] {
			get(t, broker, name, name, false)
		}
		_, err = broker.DeclareQueue(strings.Repeat("n", 256), nil)
		require.ErrorIs(t, err, mq.ErrTooLong)
	})
}

func TestRouting(t *testing.T) {
	_, broker := openBroker(t, "q")
	require.NoError(t, broker.Publish("", "absent", mq.Message{}), "dropped, as in AMQP")
	require.ErrorIs(t, broker.Publish("", "absent", mq.Message{}, mq.Mandatory), mq.ErrNoRoute)
	require.ErrorIs(t, broker.Publish("logs", "q", mq.Message{}), mq.ErrNotFound)
	require.Zero(t, messages(t, broker, "q"))
}

func TestPurge(t *testing.T) {
	_, broker := openBroker(t, "q")
	big := strings.Repeat("b", 10_000)
	publish(t, broker, "q", "a", big, "c", "d", "e")
	a := get(t, broker, "q", "a", false)
	b := get(t, broker, "q", big, false)
	c := get(t, broker, "q", "c", false)
	require.NoError(t, c.Nack(true)) // ready again: purged

	n, err := broker.Purge("q")
	require.NoError(t, err)
	require.Equal(t, 3, n)
	n, err = broker.Purge("q")
	require.NoError(t, err)
	require.Zero(t, n)
	_, err = broker.Get("q")
	require.ErrorIs(t, err, mq.ErrEmpty)

	publish(t, broker, "q", "f")
	require.NoError(t, b.Nack(true))
	require.NoError(t, a.Nack(true))
	get(t, broker, "q", "a", true)
	get(t, broker, "q", big, true)
	get(t, broker, "q", "f", false)

	_, err = broker.Purge("absent")
	require.ErrorIs(t, err, mq.ErrNotFound)
}

func TestDelete(t *testing.T) {
	_, broker := openBroker(t, "q")
	publish(t, broker, "q", "a", "b", "c")
	a := get(t, broker, "q", "a", false)
	_, err := broker.DeleteQueue("q", mq.IfUnused, mq.IfEmpty)
	require.ErrorIs(t, err, mq.ErrPreconditionFailed)
	n, err := broker.DeleteQueue("q", mq.IfUnused)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.ErrorIs(t, a.Ack(), mq.ErrNotFound)
	n, err = broker.DeleteQueue("q")
	require.NoError(t, err)
	require.Zero(t, n)

	// A queue of the same name is another one.
	_, err = broker.DeclareQueue("q", &mq.QueueOptions{AutoDelete: true})
	require.NoError(t, err)
	publish(t, broker, "q", "d")
	require.ErrorIs(t, a.Nack(true), mq.ErrNotFound)
	d := get(t, broker, "q", "d", false)
	_, err = broker.DeleteQueue("q", mq.IfEmpty) // the delivered one does not count
	require.NoError(t, err)
	require.ErrorIs(t, d.Ack(), mq.ErrNotFound)
}

func TestOneBroker(t *testing.T) {
	db, broker := openBroker(t, "q")
	_, err := mq.Open(db.DB(3), nil)
	require.ErrorIs(t, err, mq.ErrOpen)
	_, err = mq.Open(db.DB(99), nil)
	require.ErrorIs(t, err, brock.ErrDatabase)

	publish(t, broker, "q", "a", "b", "c", "d")
	a := get(t, broker, "q", "a", false)
	get(t, broker, "q", "b", false)
	c := get(t, broker, "q", "c", false)
	require.NoError(t, a.Ack())
	require.NoError(t, broker.Close())
	require.NoError(t, broker.Close())

	require.ErrorIs(t, c.Ack(), mq.ErrClosed)
	require.ErrorIs(t, a.Ack(), mq.ErrSettled)
	require.ErrorIs(t, broker.Publish("", "q", mq.Message{}), mq.ErrClosed)
	for _, err := range []error{
		second(broker.DeclareQueue("q", nil)), second(broker.Get("q")), second(broker.Purge("q")), second(broker.DeleteQueue("q")),
		db.Update(func(tx *brock.Tx) error { return broker.PublishTx(tx, "", "q", mq.Message{}) }),
		db.Update(c.AckTx),
	} {
		require.ErrorIs(t, err, mq.ErrClosed)
	}

	again, err := mq.Open(db, nil)
	require.NoError(t, err)
	get(t, again, "q", "b", true)
	get(t, again, "q", "c", true)
	get(t, again, "q", "d", false)
	require.NoError(t, again.Close())
}

// second returns the error of a call.
func second[T any](_ T, err error) error { return err }

func TestClosedDatabase(t *testing.T) {
	db, err := brock.OpenMemory(nil)
	require.NoError(t, err)
	broker, err := mq.Open(db, nil)
	require.NoError(t, err)
	_, err = broker.DeclareQueue("q", nil)
	require.NoError(t, err)
	publish(t, broker, "q", "a")
	d := get(t, broker, "q", "a", false)
	require.NoError(t, db.Close())
	require.ErrorIs(t, d.Ack(), brock.ErrClosed)
	require.ErrorIs(t, broker.Publish("", "q", mq.Message{}), brock.ErrClosed)
	require.ErrorIs(t, broker.Close(), brock.ErrClosed)
	require.NoError(t, broker.Close())
}

func TestRedisDoesNotSeeQueues(t *testing.T) {
	db, broker := openBroker(t, "q")
	publish(t, broker, "q", "a", "b")
	get(t, broker, "q", "a", false)
	for n := range 16 {
		_, err := db.DB(n).Get("q")
		require.ErrorIs(t, err, brock.ErrNotFound)
		size, err := db.DB(n).DBSize()
		require.NoError(t, err)
		require.Zero(t, size)
		require.NoError(t, db.DB(n).FlushDB())
	}
	require.ErrorIs(t, db.DB(16).Set("q", nil), brock.ErrDatabase)
	require.NoError(t, db.Set("q", []byte("a string")))
	require.NoError(t, db.FlushAll())
	get(t, broker, "q", "b", false)
}

func TestFIFO(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 20_000
	}
	db, broker := openBroker(t, "q")
	for i := 0; i < n; i += 1000 {
		require.NoError(t, db.Update(func(tx *brock.Tx) error {
			for j := i; j < i+1000; j++ {
				if err := broker.PublishTx(tx, "", "q", mq.Message{Body: fmt.Append(nil, j)}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	require.Equal(t, n, messages(t, broker, "q"))
	for i := range n {
		d, err := broker.Get("q")
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(i), string(d.Body))
		require.False(t, d.Redelivered)
		require.NoError(t, d.Ack())
	}
	_, err := broker.Get("q")
	require.ErrorIs(t, err, mq.ErrEmpty)
}

func TestLargeBodies(t *testing.T) {
	_, broker := openBroker(t, "q")
	body := func(i int) []byte { return bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 5_000+i) }
	const n = 1_000
	for i := range n {
		require.NoError(t, broker.Publish("", "q", mq.Message{Body: body(i), MessageID: fmt.Sprint(i)}))
	}
	for i := range n {
		d, err := broker.Get("q")
		require.NoError(t, err)
		require.True(t, bytes.Equal(body(i), d.Body), i)
		require.Equal(t, fmt.Sprint(i), d.MessageID)
		require.NoError(t, d.Ack())
	}
}

// TestWorkQueue has publishers and workers at once: each message is done once.
func TestWorkQueue(t *testing.T) {
	const workers, publishers, each = 4, 2, 2_000
	_, broker := openBroker(t, "jobs")
	var mu sync.Mutex
	done := make(map[string]int)
	var left sync.WaitGroup
	left.Add(publishers * each)

	var group sync.WaitGroup
	errs := make(chan error, workers+publishers)
	for p := range publishers {
		group.Go(func() {
			for i := range each {
				if err := broker.Publish("", "jobs", mq.Message{Body: fmt.Append(nil, p, ":", i)}); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	stop := make(chan struct{})
	for w := range workers {
		group.Go(func() {
			for n := 0; ; n++ {
				d, err := broker.Get("jobs")
				switch {
				case errors.Is(err, mq.ErrEmpty):
					select {
					case <-stop:
						return
					default:
						continue
					}
				case err != nil:
				case n%10 == w: // not this time
					err = d.Nack(true)
				default:
					mu.Lock()
					done[string(d.Body)]++
					mu.Unlock()
					if err = d.Ack(); err == nil {
						left.Done()
					}
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	left.Wait()
	close(stop)
	group.Wait()
	require.Empty(t, errs)
	require.Len(t, done, publishers*each)
	for body, n := range done {
		require.Equal(t, 1, n, body)
	}
	require.Zero(t, messages(t, broker, "jobs"))
}

// TestPublishTxReusedName has names of a transaction's steps come one after the
// other in the same place, as the garbage collector may put them.
func TestPublishTxReusedName(t *testing.T) {
	db, broker := openBroker(t)
	name := []byte("queue")
	reused := func(s string) string {
		copy(name, s)
		return unsafe.String(unsafe.SliceData(name), len(name))
	}
	require.NoError(t, db.Update(func(tx *brock.Tx) error {
		require.NoError(t, broker.PublishTx(tx, "", reused("queue"), mq.Message{})) // nobody takes it
		return tx.Set(reused("other"), []byte("v"))
	}))
	got, err := db.Get("other")
	require.NoError(t, err)
	require.Equal(t, "v", string(got))
}
