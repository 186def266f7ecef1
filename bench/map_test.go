package bench_test

import (
	"strings"
	"sync"
)

// lockedMap is what a program would use that has no need of a database: a Go
// map under a lock that copies values in and out.
type lockedMap struct {
	mu     sync.RWMutex
	values map[string][]byte
}

// get returns a copy of the value of a key.
func (m *lockedMap) get(key string) (value []byte, ok bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	v, ok := m.values[key]
	return append([]byte(nil), v...), ok
}

// set keeps a copy of a value.
func (m *lockedMap) set(key string, value []byte) {
	value = append([]byte(nil), value...)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = value
}

// insert is set for a new key, of which it keeps a copy, too.
func (m *lockedMap) insert(key string, value []byte) { m.set(strings.Clone(key), value) }
