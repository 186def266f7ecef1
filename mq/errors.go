package mq

import "errors"

// Errors of the broker. What its methods return wraps one of them, or one of
// package brock; test with errors.Is.
var (
	// ErrNotFound: there is no queue or exchange of the name. AMQP: 404.
	ErrNotFound = errors.New("mq: not found")
	// ErrEmpty: no message is ready in the queue. AMQP: get-empty.
	ErrEmpty = errors.New("mq: queue is empty")
	// ErrNoRoute: no queue takes a mandatory message. AMQP: 312.
	ErrNoRoute = errors.New("mq: no route")
	// ErrSettled: the delivery was acknowledged or given back before. AMQP:
	// 406, unknown delivery tag.
	ErrSettled = errors.New("mq: delivery is settled")
	// ErrPreconditionFailed: the queue is not what the call takes it for.
	// AMQP: 406.
	ErrPreconditionFailed = errors.New("mq: precondition failed")
	// ErrAccessRefused: the name begins with "amq.", which the broker keeps
	// for itself. AMQP: 403.
	ErrAccessRefused = errors.New("mq: access refused")
	// ErrTooLong: a queue's name or a property exceeds 255 bytes, or a body
	// 512 MB.
	ErrTooLong = errors.New("mq: too long")
	// ErrProperty: a property's value is none that AMQP admits. AMQP: 406.
	ErrProperty = errors.New("mq: invalid property")
	// ErrCorrupt: stored bytes are no message.
	ErrCorrupt = errors.New("mq: corrupt message")
	// ErrForeignTx: the transaction is one of another database.
	ErrForeignTx = errors.New("mq: transaction of another database")
	// ErrOpen: the database has an open broker already.
	ErrOpen = errors.New("mq: a broker is open already")
	// ErrClosed: the broker has been closed. What it had delivered is back in
	// its queues.
	ErrClosed = errors.New("mq: broker is closed")
)
