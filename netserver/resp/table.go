package resp

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// commandsOf returns the commands of a version of Redis.
func commandsOf(version string) ([]command, error) {
	return []command{
		{name: "get", keys: []keySpec{{index: 1}}, run: get, arity: 2, flags: flagReadonly | flagFast},
		{name: "set", keys: []keySpec{{index: 1}}, run: set, arity: -3, flags: flagWrite | flagDenyOOM},
		{name: "incr", keys: []keySpec{{index: 1}}, run: incr, arity: 2, flags: flagWrite | flagDenyOOM | flagFast},
		{name: "mset", run: mset, arity: -3, flags: flagWrite | flagDenyOOM},
		{name: "ping", run: ping, arity: -1, flags: flagFast},
		{name: "hset", field: 2, keys: []keySpec{{index: 1}}, run: hset, arity: -4, flags: flagWrite | flagDenyOOM | flagFast},
		{name: "lpush", keys: []keySpec{{index: 1}}, run: lpush, arity: -3, flags: flagWrite | flagDenyOOM | flagFast},
		{name: "zadd", field: 3, keys: []keySpec{{index: 1}}, run: zadd, arity: -4, flags: flagWrite | flagDenyOOM | flagFast},
		{name: "dbsize", run: dbsize, arity: 1},
	}, nil
}

func newRunID() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}
func (s *Server) now() time.Time { return time.Now() }
func (c *conn) label() string {
	if name := c.name.Load(); name != nil {
		return *name
	}
	return ""
}
