package brock

import (
	"fmt"

	"github.com/brockdb/brock/internal/bridge"
	"github.com/brockdb/brock/internal/store"
)

// Package mq works on the same store and in the same transactions as the
// commands here, and the servers run commands without waiting for each: this is
// their way in.
var _ = bridge.Set(bridge.Ways{Reach: reach, Pipe: pipe, Together: together, DB: func(s *store.Store) any { return newDB(s) }})

// pipe is what bridge.Pipe does.
func pipe(of any, noWait bool) (any, *store.Later) {
	db := of.(*DB)
	p := &pipeline{later: store.Later{NoWait: noWait}}
	return &Pipe{commands: commands{s: db.s, db: db.db, bad: db.bad, pipe: p}}, &p.later
}

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
