// Package mq is a RabbitMQ inside the process that imports it: AMQP's queues
// on the database of package brock, with its durability, and in its
// transactions.
//
//	broker, err := mq.Open(db, nil)
//	...
//	if _, err := broker.DeclareQueue("jobs", nil); err != nil {
//		return err
//	}
//	if err := broker.Publish("", "jobs", mq.Message{Body: []byte("resize 7.png")}); err != nil {
//		return err
//	}
//	d, err := broker.Get("jobs")
//	...
//	err = d.Ack()
//
// [Broker.PublishTx], [Delivery.AckTx] and [Delivery.NackTx] are steps of a
// [brock.Tx]: what they do is done when the transaction commits, together with
// all else that it changes, or not at all.
//
// Queues are durable and keep every message until it is settled, on disk as
// [brock.Options.Durability] says. Delivery is at least once: a message that
// was delivered and not settled goes back to the place that it had, flagged as
// redelivered, when the broker is closed or the process ends. Settling it in
// the transaction that does its work makes that exactly once.
//
// Not here yet: exchanges other than the default one, bindings, consumers,
// dead letters, limits, and what a message's Expiration and Priority ask for;
// the message carries both. Not here at all: the network protocol.
package mq
