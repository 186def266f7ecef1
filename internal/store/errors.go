package store

import "errors"

// Errors of the store. Package brock exports those that its callers can meet,
// which begin with its name therefore.
var (
	ErrClosed     = errors.New("brock: closed")
	ErrReadOnly   = errors.New("brock: read-only transaction")
	ErrNested     = errors.New("brock: write through the DB, or its Close, inside an Update of the same DB")
	ErrTxDone     = errors.New("brock: transaction has ended")
	ErrPoisoned   = errors.New("brock: an earlier write or sync failed")
	ErrTooLarge   = errors.New("brock: transaction too large")
	ErrTooLong    = errors.New("brock: string too long")
	ErrDurability = errors.New("brock: this platform cannot keep what Always promises: nothing syncs what Badger has written")
	ErrWait       = errors.New("store: the command would have to wait")
	ErrRetention  = errors.New("brock: view needs more memory than allowed")
)
