package store

import "errors"

// Errors of the store. Package brock exports those that its callers can meet.
var (
	ErrClosed     = errors.New("store: closed")
	ErrReadOnly   = errors.New("store: read-only transaction")
	ErrNested     = errors.New("store: write through the DB, or its Close, inside an Update of the same DB")
	ErrTxDone     = errors.New("store: transaction has ended")
	ErrPoisoned   = errors.New("store: an earlier write or sync failed")
	ErrTooLarge   = errors.New("store: transaction too large")
	ErrTooLong    = errors.New("store: string too long")
	ErrDurability = errors.New("store: this platform cannot keep what Always promises: nothing syncs what Badger has written")
	ErrWait       = errors.New("store: the command would have to wait")
	ErrRetention  = errors.New("store: view needs more memory than allowed")
)
