package brock

import (
	"fmt"

	"github.com/brockdb/brock/internal/bridge"
	"github.com/brockdb/brock/internal/store"
)

// Package mq works on the same store and in the same transactions as the
// commands here: this is its way in.
var _ = bridge.Set(reach)

// reach is what bridge.Reach does.
func reach(of any) (*store.Store, *store.Tx, error) {
	switch of := of.(type) {
	case *DB:
		return of.s, nil, of.bad
	case *Tx:
		if of.bad != nil {
			return nil, nil, of.bad
		}
		if err := of.tx.Alive(of.life); err != nil {
			return nil, nil, err
		}
		return of.tx.Store(), of.tx, nil
	}
	panic(fmt.Sprintf("brock: no bridge to a %T", of))
}
