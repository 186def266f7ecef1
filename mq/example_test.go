package mq_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/mq"
)

func Example() {
	db, err := brock.OpenMemory(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	broker, err := mq.Open(db, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Close()

	if _, err := broker.DeclareQueue("hello", nil); err != nil {
		log.Fatal(err)
	}
	if err := broker.Publish("", "hello", mq.Message{Body: []byte("Hello World!")}); err != nil {
		log.Fatal(err)
	}
	d, err := broker.Get("hello")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", d.Body)
	if err := d.Ack(); err != nil {
		log.Fatal(err)
	}
	_, err = broker.Get("hello")
	fmt.Println(errors.Is(err, mq.ErrEmpty))
	// Output:
	// Hello World!
	// true
}

func ExampleBroker_PublishTx() {
	db, err := brock.OpenMemory(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	broker, err := mq.Open(db, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Close()
	for _, name := range []string{"orders", "events"} {
		if _, err := broker.DeclareQueue(name, nil); err != nil {
			log.Fatal(err)
		}
	}
	if err := broker.Publish("", "orders", mq.Message{Body: []byte("order:7"), MessageID: "m1"}); err != nil {
		log.Fatal(err)
	}

	d, err := broker.Get("orders")
	if err != nil {
		log.Fatal(err)
	}
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
	if err != nil {
		log.Fatal(err)
	}

	state, err := db.HGet("order:7", "state")
	fmt.Printf("%s %v\n", state, err)
	e, err := broker.Get("events")
	fmt.Printf("%s %v\n", e.Body, err)
	// Output:
	// paid <nil>
	// order.paid <nil>
}
