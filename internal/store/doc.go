// Package store keeps the directory of all keys and the objects behind them,
// on pages in memory, a commit log and a base: transactions, group commit,
// checkpoints, recovery, expiry and eviction.
//
// A change, whoever asks for it, is made by the few primitives in record.go,
// each of which changes pages and notes a record. Recovery replays records
// through the same primitives. Commands and the broker stand on top; nothing
// here knows the Redis or AMQP protocols.
package store
