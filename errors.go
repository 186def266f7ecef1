package brock

import (
	"errors"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/store"
)

// Errors of commands. A command's error names the command and its key and wraps
// one of them, or one of those below; test with errors.Is. What is an answer,
// ErrNotFound and ErrNotSet, comes bare. Where Redis has a text for the
// situation, [RedisError] gives it. With an error a command returns nothing
// else, but for [DB.SetGet].
var (
	// ErrNotFound: the key, field, member or element does not exist.
	ErrNotFound = errors.New("brock: not found")
	// ErrWrongType: the key holds another kind of value.
	ErrWrongType = newKind("brock: wrong type", "WRONGTYPE Operation against a key holding the wrong kind of value")
	// ErrNotInteger: the value is not an integer of 64 bits.
	ErrNotInteger = newKind("brock: not an integer", "ERR value is not an integer or out of range")
	// ErrNotFloat: the value is not a floating point number.
	ErrNotFloat = newKind("brock: not a float", "ERR value is not a valid float")
	// ErrOverflow: the result would not fit in 64 bits, or be infinite.
	ErrOverflow = newKind("brock: overflow", "ERR increment or decrement would overflow")
	// ErrNaN: a score is not a number.
	ErrNaN = newKind("brock: not a number", "ERR value is not a valid float")
	// ErrNotSet: NX or XX refused to set the value.
	ErrNotSet = errors.New("brock: not set")
	// ErrSyntax: options exclude each other, or there is no such option,
	// operation or id, or arguments are missing.
	ErrSyntax = newKind("brock: syntax error", "ERR syntax error")
	// ErrOffset: an offset or index is out of range.
	ErrOffset = newKind("brock: out of range", "ERR index out of range")
	// ErrTooLong: a string, key, field or member exceeds 512 MB.
	ErrTooLong = store.ErrTooLong
	// ErrExpire: a time to live is below a millisecond where it must not be,
	// or a moment is too far away.
	ErrExpire = newKind("brock: invalid expire time", "ERR invalid expire time")
	// ErrNoKey: a command that needs its key to exist found none. It is a case
	// of ErrNotFound, but a failure, not an answer.
	ErrNoKey error = &kindError{"brock: no such key", "ERR no such key", ErrNotFound}
	// ErrSameKey: source and destination are the same.
	ErrSameKey = newKind("brock: same object", "ERR source and destination objects are the same")
	// ErrNoLFU: how often a key is used is not counted.
	ErrNoLFU = newKind(
		"brock: use is not counted",
		"ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
	)
	// ErrStreamID: the id is not above the stream's last one.
	ErrStreamID = newKind("brock: stream id too small", "ERR The ID specified in XADD is equal or smaller than the target stream top item")
)

// Errors of the database and of transactions.
var (
	// ErrClosed: the database has been closed.
	ErrClosed = store.ErrClosed
	// ErrReadOnly: a change was asked for in a View.
	ErrReadOnly = store.ErrReadOnly
	// ErrNested: a change through the DB, or its Close, inside the callback of
	// its Update.
	ErrNested = store.ErrNested
	// ErrTxDone: the transaction's callback has returned.
	ErrTxDone = store.ErrTxDone
	// ErrPoisoned: an earlier write or sync failed; reopen the database.
	ErrPoisoned = store.ErrPoisoned
	// ErrDurability: Always was asked for where nothing can keep its promise:
	// on Windows, where what Badger writes through mapped memory cannot be
	// synced. OpenMemory, which keeps nothing, takes every mode.
	ErrDurability = store.ErrDurability
	// ErrRetention: a View was ended because it kept more old versions than
	// Options.MaxViewBytes.
	ErrRetention = store.ErrRetention
	// ErrTxTooLarge: the changes of a transaction exceed Options.MaxTxBytes.
	ErrTxTooLarge = store.ErrTooLarge
	// ErrDatabase: there is no database of that number.
	ErrDatabase = newKind("brock: database number out of range", "ERR DB index is out of range")
	// ErrLocked: another process has the directory open.
	ErrLocked = engine.ErrLocked
	// ErrFormat: the directory was written by a newer version, or by
	// something else.
	ErrFormat = engine.ErrFormat
	// ErrCorrupt: stored bytes are not what was written.
	ErrCorrupt = engine.ErrCorrupt
	// ErrNoSpace: the device is too full to go on safely.
	ErrNoSpace = engine.ErrNoSpace
)

// kindError is a sentinel with the text that Redis has for it. It may be a case of
// another.
type kindError struct {
	text, redis string
	kind        error // or nil
}

// newKind returns a sentinel that is a case of no other.
func newKind(text, redis string) error { return &kindError{text: text, redis: redis} }

func (e *kindError) Error() string { return e.text }
func (e *kindError) Unwrap() error { return e.kind }

// redisError is an error whose Redis text is not its sentinel's.
type redisError struct {
	kind  error
	redis string
}

func (e *redisError) Error() string { return e.kind.Error() + ": " + e.redis }
func (e *redisError) Unwrap() error { return e.kind }

// RedisError returns the text that Redis 7.0 has for an error of a command, ""
// if it has none.
func RedisError(err error) string {
	var own *redisError
	if errors.As(err, &own) {
		return own.redis
	}
	var kind *kindError
	if errors.As(err, &kind) {
		return kind.redis
	}
	if errors.Is(err, ErrTooLong) {
		return "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
	}
	return ""
}
