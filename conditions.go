package brock

import (
	"time"

	"github.com/brockdb/brock/internal/store"
)

// Options that several commands have in common. Each command takes an interface
// that those options implement which it knows, so that others do not compile. A
// value of their types that stands for no option, or nil, is refused with
// ErrSyntax.

// SetOption is an option of [DB.Set] and [DB.SetGet]: [NX], [XX], [KeepTTL], or
// what [EX], [PX], [EXAT] and [PXAT] return.
type SetOption interface{ setOption() }

// GetExOption is an option of [DB.GetEx]: what [EX], [PX], [EXAT] and [PXAT]
// return, or [Persist].
type GetExOption interface{ getExOption() }

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

// TTLRule says that a command keeps the time to live of a key, see [KeepTTL].
type TTLRule int

// KeepTTL keeps it, where a command would drop it otherwise.
const KeepTTL TTLRule = 1

func (TTLRule) setOption() {}

// TTLRemoval says that a command takes the time to live off a key, see
// [Persist].
type TTLRemoval int

// Persist has the key not expire any more.
const Persist TTLRemoval = 1

func (TTLRemoval) getExOption() {}

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

func (Expiry) setOption()   {}
func (Expiry) getExOption() {}

// EX has the key expire after d, at least a millisecond, which is cut to whole
// milliseconds.
func EX(d time.Duration) Expiry { return Expiry{max(d.Milliseconds(), 0), fromNow} }

// PX is [EX], under the name that Redis has for milliseconds.
func PX(d time.Duration) Expiry { return EX(d) }

// EXAT has the key expire at a moment after 1970, which is cut to whole
// milliseconds. Of one that has passed the key is gone at once; one that 64 bits
// of milliseconds do not hold is refused with [ErrExpire].
func EXAT(at time.Time) Expiry {
	ms, ok := unixMilli(at)
	if !ok {
		ms = 0
	}
	return Expiry{max(ms, 0), since1970}
}

// PXAT is [EXAT], under the name that Redis has for milliseconds.
func PXAT(at time.Time) Expiry { return EXAT(at) }

// check refuses what is no time to live, in the words for a command of Redis.
func (e Expiry) check(command string) error {
	if e.ms <= 0 {
		return errExpire(command)
	}
	return nil
}

// deadline returns the moment in ms since 1970.
func (e Expiry) deadline(t *store.Tx) int64 {
	if e.given == fromNow {
		return t.Now() + e.ms
	}
	return e.ms
}

// setOptions is what the options of one Set add up to.
type setOptions struct {
	nx, xx, keep bool
	expiry       Expiry // zero for none
}

// parseSet adds up options and refuses those that exclude each other or that
// there are not.
func parseSet(opts []SetOption) (o setOptions, err error) {
	times := 0
	for _, opt := range opts {
		switch opt {
		case NX:
			o.nx = true
		case XX:
			o.xx = true
		case KeepTTL:
			o.keep = true
		default:
			e, ok := opt.(Expiry)
			if !ok {
				return o, ErrSyntax
			}
			o.expiry = e
			times++
		}
	}
	switch {
	case o.nx && o.xx || times > 1 || o.keep && times > 0:
		return o, ErrSyntax
	case times > 0:
		return o, o.expiry.check("set")
	}
	return o, nil
}

// deadline returns when a key with this option expires.
func (o setOptions) deadline(t *store.Tx, old *store.Entry) int64 {
	switch {
	case o.expiry != Expiry{}:
		return o.expiry.deadline(t)
	case o.keep && old != nil:
		return old.Deadline
	}
	return 0
}

// getExOptions is what the options of one GetEx add up to.
type getExOptions struct {
	expires, persist bool
	expiry           Expiry
}

// parseGetEx adds up options and refuses those that exclude each other or that
// there are not.
func parseGetEx(opts []GetExOption) (o getExOptions, err error) {
	times := 0
	for _, opt := range opts {
		if opt == Persist {
			o.persist = true
			continue
		}
		e, ok := opt.(Expiry)
		if !ok {
			return o, ErrSyntax
		}
		o.expiry, o.expires = e, true
		times++
	}
	if times > 1 || o.persist && o.expires {
		return o, ErrSyntax
	}
	return o, nil
}
