// Package bridge lets the packages of this module reach what stands behind the
// types of package brock, without brock showing it to anybody else.
package bridge

import "github.com/brockdb/brock/internal/store"

// Handle is what stands behind a *brock.DB or *brock.Tx. A step of the Tx is
// run by Tx.Step with Life, as commands of package brock are.
type Handle struct {
	Store *store.Store
	Tx    *store.Tx // nil behind a DB
	Life  uint64    // see store.Tx.Life
}

// reach is package brock's function, see Reach.
var reach func(of any) (Handle, error)

// Reach returns what stands behind a *brock.DB or *brock.Tx. The error is the
// one that commands of it would return: [store.ErrTxDone] if the transaction
// has ended.
func Reach(of any) (Handle, error) { return reach(of) }

// Set is called by package brock, once, when it is initialised.
func Set(fn func(of any) (Handle, error)) struct{} {
	reach = fn
	return struct{}{}
}
