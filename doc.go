// Package brock is a Redis and a RabbitMQ inside the process that imports it:
// Redis' data structures as typed methods, AMQP's queues in package mq, and
// one atomic transaction over both, kept on disk through Badger.
//
//	db, err := brock.Open("data", nil)
//	...
//	err = db.Update(func(tx *brock.Tx) error {
//		if _, err := tx.Incr("orders"); err != nil {
//			return err
//		}
//		_, err := tx.HSet("order:7", brock.F("state", "paid"))
//		return err
//	})
//
// Commands carry Redis' names in Go case and behave as in Redis 7.0. Each is
// defined once, for [DB] (a transaction of its own), [Tx] (a step of a
// transaction) and [Pipe] (many commands, one wait for durability). Keys,
// fields and members are strings, values are byte slices; what a call returns
// is the caller's to keep, what it is given is copied.
//
// Memory holds all keys, and values as far as [Options.MemoryBudget] allows.
// See [Durability] for what survives what.
//
// The broker is package mq. Not here: a network server.
package brock
