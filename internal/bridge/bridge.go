// Package bridge lets the packages of this module reach what stands behind the
// types of package brock, without brock showing it to anybody else.
package bridge

import (
	"context"

	"github.com/brockdb/brock/internal/store"
)

// Handle is what stands behind a *brock.DB or *brock.Tx. A step of the Tx is
// run by Tx.Step with Life, as commands of package brock are.
type Handle struct {
	Store *store.Store
	Tx    *store.Tx // nil behind a DB
	Life  uint64    // see store.Tx.Life
}

// Later is what a pipeline notes, see Pipe.
type Later = store.Later

// Lookups is how many keys a pipeline's commands have looked up.
type Lookups = store.Lookups

// Limits are up to where collections are said to be encoded compactly.
type Limits = store.Limits

// ErrWait is what a command fails with that would have to wait and must not.
var ErrWait = store.ErrWait

// Ways are package brock's functions, see those of this package.
type Ways struct {
	Reach    func(of any) (Handle, error)
	Pipe     func(of any, noWait bool) (any, *Later)
	Together func(of any, keys []string, batch Batch) (n int, err error)
	DB       func(s *store.Store) any
}

// ways is set once, when package brock is initialised.
var ways Ways

// Set is called by package brock.
func Set(w Ways) struct{} {
	ways = w
	return struct{}{}
}

// Reach returns what stands behind a *brock.DB or *brock.Tx. The error is the
// one that commands of it would return: [store.ErrTxDone] if the transaction
// has ended.
func Reach(of any) (Handle, error) { return ways.Reach(of) }

// Pipe returns a *brock.Pipe on a *brock.DB that does not end, and what it
// notes: nobody waits for what its commands do but whoever looks there. With
// noWait commands that would have to wait fail with [ErrWait].
func Pipe(of any, noWait bool) (any, *Later) { return ways.Pipe(of, noWait) }

// Batch is some commands of one key each.
type Batch interface {
	Len() int
	// Run runs the command at i, on the Pipe that Together got, and returns 1.
	// With merge it may be some from i on, which all succeed or all fail. What
	// has failed may be run again.
	Run(i int, merge bool) (n int, err error)
	// Refuse is called if the command that was run last has failed for good.
	Refuse(err error)
}

// Together runs the first commands of batch, which make one call each on a
// *brock.Pipe and write one of keys each, as one transaction, and returns how
// many: it ends before one that has to wait or to be a transaction of its own. A
// command that fails has changed nothing, and others go on. If Together fails,
// none has changed anything. All may be run several times: then all begins again
// with the first.
func Together(of any, keys []string, batch Batch) (n int, err error) {
	return ways.Together(of, keys, batch)
}

// DB returns a *brock.DB on a store, which a test has opened in its own way.
func DB(s *store.Store) any { return ways.DB(s) }

// waitKey is the key of a context's value that WithWait sets.
type waitKey struct{}

// WithWait returns a context with which a command tells when it begins to wait
// for others, and when it has ended to.
func WithWait(ctx context.Context, tell func(waiting bool)) context.Context {
	return context.WithValue(ctx, waitKey{}, tell)
}

// Waits is called by a command that begins to wait for others, or has ended to,
// for who asked for it by WithWait.
func Waits(ctx context.Context, waiting bool) {
	if tell, ok := ctx.Value(waitKey{}).(func(bool)); ok {
		tell(waiting)
	}
}
