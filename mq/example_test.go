package mq_test

import (
	"errors"
	"fmt"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/mq"
)

// must ends an example at an error.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func Example() {
	db, err := brock.OpenMemory(nil)
	must(err)
	defer db.Close()
	broker, err := mq.Open(db, nil)
	must(err)
	defer broker.Close()

	_, err = broker.DeclareQueue("hello", nil)
	must(err)
	must(broker.Publish("", "hello", mq.Message{Body: []byte("Hello World!")}))
	d, err := broker.Get("hello")
	must(err)
	fmt.Printf("%s\n", d.Body)
	must(d.Ack())
	_, err = broker.Get("hello")
	fmt.Println(errors.Is(err, mq.ErrEmpty))
	// Output:
	// Hello World!
	// true
}

func ExampleBroker_PublishTx() {
	db, err := brock.OpenMemory(nil)
	must(err)
	defer db.Close()
	broker, err := mq.Open(db, nil)
	must(err)
	defer broker.Close()
	for _, name := range []string{"orders", "events"} {
		_, err = broker.DeclareQueue(name, nil)
		must(err)
	}
	must(broker.Publish("", "orders", mq.Message{Body: []byte("order:7"), MessageID: "m1"}))

	d, err := broker.Get("orders")
	must(err)
	err = db.Update(func(tx *brock.Tx) error {
		fresh, err := tx.SAdd("seen", d.MessageID)
		if err != nil {
			return err
		}
		if fresh == 0 { // handled before, by a transaction whose caller did not learn of it
			return d.AckTx(tx)
		}
		if _, err := tx.HSet(string(d.Body), brock.F("state", "paid")); err != nil {
			return err
		}
		if err := broker.PublishTx(tx, "", "events", mq.Message{Body: []byte("order.paid")}); err != nil {
			return err
		}
		return d.AckTx(tx)
	}) // all of it, or none
	must(err)

	state, err := db.HGet("order:7", "state")
	fmt.Printf("%s %v\n", state, err)
	e, err := broker.Get("events")
	fmt.Printf("%s %v\n", e.Body, err)
	// Output:
	// paid <nil>
	// order.paid <nil>
}
