package brock

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/oracle"
	"github.com/brockdb/brock/internal/store"
)

// encodingOf returns how Redis would hold the string at key.
func encodingOf(t *testing.T, c *commands, key string) (name string) {
	t.Helper()
	err := c.read("encoding", key, func(t *store.Tx) error {
		e, err := c.find(t, key, store.String)
		if err == nil {
			name, err = c.stringEncoding(t, e)
		}
		return err
	})
	require.NoError(t, err)
	return name
}

// TestStringEncoding compares how a string is said to be held with how Redis
// holds it after the same operations.
func TestStringEncoding(t *testing.T) {
	n := startNotifier(t)
	db, _, _ := openEvents(t)
	type op = oracle.Op
	for _, key := range []string{"a", strings.Repeat("k", 190), strings.Repeat("l", 2000)} {
		for i, op := range []op{
			{Name: "SET", Key: key, Value: "12"},
			{Name: "SETBIT", Key: key, N: 0, Bit: 0},
			{Name: "INCR", Key: key},
			{Name: "APPEND", Key: key, Value: ""},
			{Name: "INCR", Key: key},
			{Name: "SETRANGE", Key: key, N: 0, Value: ""},
			{Name: "SETRANGE", Key: key, N: 0, Value: "2"},
			{Name: "EXPIRE", Key: key, N: 1000},
			{Name: "INCRBYFLOAT", Key: key, Value: "1"},
			{Name: "GETEX", Key: key, Flags: oracle.Persist},
			{Name: "COPY", Key: key, Dst: "to", Flags: oracle.Replace},
			{Name: "RENAME", Key: "to", Dst: key},
			{Name: "INCRBYFLOAT", Key: key, Value: "1e50"},
			{Name: "SETGET", Key: key, Value: "1"},
			{Name: "BITFIELD", Key: key, Steps: []oracle.BitStep{{Name: "GET", Type: "u8"}}},
			{Name: "BITFIELD", Key: key, Steps: []oracle.BitStep{{Name: "OVERFLOW", Type: "FAIL"}, {Name: "SET", Type: "u8", N: 256}}},
			{Name: "SET", Key: key, Value: "1"},
			{Name: "BITOP", Value: "OR", Dst: key, Keys: []string{key}},
			{Name: "INCRBYFLOAT", Key: key, Value: "1"},
			{Name: "APPEND", Key: key, Value: "0"},
			{Name: "COPY", Key: key, Dst: "to", Flags: oracle.Replace},
			{Name: "RENAME", Key: "to", Dst: key},
			{Name: "MSET", Keys: []string{key}, Values: []string{"-9223372036854775808"}},
			{Name: "SET", Key: key, Value: "9223372036854775808"},
			{Name: "SET", Key: key, Value: strings.Repeat("x", 44)},
			{Name: "SET", Key: key, Value: strings.Repeat("x", 45)},
			{Name: "SET", Key: key, Value: strings.Repeat("x", 500)},
			{Name: "DEL", Keys: []string{key}},
			{Name: "APPEND", Key: key, Value: "7"},
			{Name: "APPEND", Key: key, Value: "7"},
			{Name: "DEL", Keys: []string{key}},
			{Name: "SETBIT", Key: key, N: 2, Bit: 1},
			{Name: "DEL", Keys: []string{key}},
			{Name: "SETRANGE", Key: key, N: 0, Value: "7"},
		} {
			require.Empty(t, runOp(&db.commands, &op).Err)
			n.run(op)
			if op.Name != "DEL" {
				require.Equal(t, n.do("OBJECT", "ENCODING", key), encodingOf(t, &db.commands, key), "operation %d: %s", i, op)
			}
		}
	}
}
