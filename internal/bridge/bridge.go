// Package bridge lets the packages of this module reach what stands behind the
// types of package brock, without brock showing it to anybody else.
package bridge

import "github.com/brockdb/brock/internal/store"

// reach is package brock's function, see Reach.
var reach func(of any) (*store.Store, *store.Tx, error)

// Reach returns the store behind a *brock.DB or *brock.Tx, and the transaction
// behind a *brock.Tx, for the next step of it: the caller ends the step with
// the transaction's Release. The error is the one that commands of it would
// return: [store.ErrTxDone] if the transaction has ended.
func Reach(of any) (*store.Store, *store.Tx, error) { return reach(of) }

// Set is called by package brock, once, when it is initialised.
func Set(fn func(of any) (*store.Store, *store.Tx, error)) struct{} {
	reach = fn
	return struct{}{}
}
