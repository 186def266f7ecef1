package brock

import (
	"time"

	"github.com/brockdb/brock/internal/store"
)

// Options that several commands have in common. Each command takes an interface
// that those options implement which it knows, so that others do not compile.

// SetOption is an option of [DB.Set]: [NX], [XX], [KeepTTL], or what [EX],
// [PX], [EXAT] and [PXAT] return.
type SetOption interface{ setOption() }

// Existence makes a command depend on whether the key exists: see [NX] and
// [XX].
type Existence int

const (
	// NX runs the command only if the key does not exist.
	NX Existence = 1 + iota
	// XX runs it only if the key exists.
	XX
)

func (Existence) setOption()    {}
func (Existence) expireOption() {}

// ExpireOption is an option of [DB.Expire] and its like: [NX] and [XX], by
// whether the key has a time to live, [GT] and [LT].
type ExpireOption interface{ expireOption() }

// Comparison makes a command depend on whether a value grows: see [GT] and
// [LT].
type Comparison int

const (
	// GT changes a value only to a greater one.
	GT Comparison = 1 + iota
	// LT changes a value only to a lower one.
	LT
)

func (Comparison) expireOption() {}

// TTLRule says what becomes of the time to live that a key has.
type TTLRule int

// KeepTTL keeps it, where a command would drop it otherwise.
const KeepTTL TTLRule = 1

func (TTLRule) setOption() {}

// Expiry is when a key expires: what [EX], [PX], [EXAT] and [PXAT] return.
type Expiry struct {
	ms    int64 // since 1970, or from now on; not above 0: refused
	given expiryKind
}

// expiryKind tells from when on the milliseconds of an Expiry count.
type expiryKind uint8

const (
	fromNow expiryKind = 1 + iota
	since1970
)

func (Expiry) setOption() {}

// EX has the key expire after d, at least a millisecond, which is cut to whole
// milliseconds.
func EX(d time.Duration) Expiry { return Expiry{max(d.Milliseconds(), 0), fromNow} }

// PX is [EX], under the name that Redis has for milliseconds.
func PX(d time.Duration) Expiry { return EX(d) }

// EXAT has the key expire at a moment after 1970, which is cut to whole
// milliseconds. One that has passed deletes the key.
func EXAT(at time.Time) Expiry { return Expiry{max(at.UnixMilli(), 0), since1970} }

// PXAT is [EXAT], under the name that Redis has for milliseconds.
func PXAT(at time.Time) Expiry { return EXAT(at) }

// deadline returns the moment in ms since 1970.
func (e Expiry) deadline(t *store.Tx) int64 {
	if e.given == fromNow {
		return t.Now() + e.ms
	}
	return e.ms
}
