package mq

import (
	"errors"

	"github.com/brockdb/brock"
)

// Errors of the broker. What its methods return wraps one of them, or one of
// package brock; test with errors.Is. Those that package brock has under the
// same name are cases of that.
var (
	// ErrNotFound: there is no queue or exchange of the name. AMQP: 404.
	ErrNotFound error = &kindError{"mq: not found", brock.ErrNotFound}
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
	ErrTooLong error = &kindError{"mq: too long", brock.ErrTooLong}
	// ErrProperty: a property's value is none that AMQP admits. AMQP: 406.
	ErrProperty = errors.New("mq: invalid property")
	// ErrCorrupt: stored bytes are no message.
	ErrCorrupt error = &kindError{"mq: corrupt message", brock.ErrCorrupt}
	// ErrForeignTx: the transaction is one of another database.
	ErrForeignTx = errors.New("mq: transaction of another database")
	// ErrOpen: the database has an open broker already.
	ErrOpen = errors.New("mq: a broker is open already")
	// ErrClosed: the broker has been closed. What it had delivered is back in
	// its queues.
	ErrClosed error = &kindError{"mq: broker is closed", brock.ErrClosed}
)

// kindError is a sentinel that is a case of another.
type kindError struct {
	text string
	kind error
}

func (e *kindError) Error() string { return e.text }
func (e *kindError) Unwrap() error { return e.kind }
