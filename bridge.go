package brock

import (
	"fmt"

	"github.com/brockdb/brock/internal/bridge"
)

// Package mq works on the same store and in the same transactions as the
// commands here: this is its way in.
var _ = bridge.Set(reach)

// reach is what bridge.Reach does.
func reach(of any) (bridge.Handle, error) {
	switch of := of.(type) {
	case *DB:
		return bridge.Handle{Store: of.s}, of.bad
	case *Tx:
		if of.bad != nil {
			return bridge.Handle{}, of.bad
		}
		return bridge.Handle{Store: of.tx.Store(), Tx: of.tx, Life: of.life}, of.tx.Alive(of.life)
	}
	panic(fmt.Sprintf("brock: no bridge to a %T", of))
}
