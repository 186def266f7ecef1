// Package resp serves the data of a brock.DB to Redis clients: RESP2 and RESP3,
// the commands that package brock has, and those that clients need around them.
//
// It is a protocol on package netserver. [Serve] opens it inside any program:
//
//	l, err := net.Listen("tcp", "127.0.0.1:6379")
//	…
//	err = resp.Serve(ctx, l, db, nil)
//
// What the program changes, clients see, and back. A reply leaves once all that
// it acknowledges or shows is as durable as the database's mode asks. Replies
// and error texts are those of the Redis version that the server reports.
package resp
