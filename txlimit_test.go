package brock_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// TestTxTooLarge has commands, alone and together, change more than
// Options.MaxTxBytes: they are refused and nothing changes.
func TestTxTooLarge(t *testing.T) {
	const limit = 256 << 10
	db, err := brock.Open(t.TempDir(), &brock.Options{MaxTxBytes: limit})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	large, half := bytes.Repeat([]byte("x"), limit+1), bytes.Repeat([]byte("y"), limit/2+1)
	members := []string{strings.Repeat("a", limit/2+1), strings.Repeat("b", limit/2+1)}
	for name, run := range map[string]func() error{
		"set":    func() error { return db.Set("k", large) },
		"mset":   func() error { return db.MSet(brock.KV{Key: "k", Value: half}, brock.KV{Key: "l", Value: half}) },
		"append": func() error { _, err := db.Append("k", large); return err },
		"setrange": func() error {
			_, err := db.SetRange("k", 3, large)
			return err
		},
		"hset": func() error {
			_, err := db.HSet("k", brock.FieldValue{Field: "f", Value: half}, brock.FieldValue{Field: "g", Value: half})
			return err
		},
		"rpush": func() error { _, err := db.RPush("k", half, half); return err },
		"sadd":  func() error { _, err := db.SAdd("k", members...); return err },
		"zadd": func() error {
			_, err := db.ZAdd("k", brock.Z{Member: members[0]}, brock.Z{Member: members[1]})
			return err
		},
		"xadd": func() error {
			_, err := db.XAdd("k", brock.AutoID(), brock.FieldValue{Field: "f", Value: large})
			return err
		},
		"update": func() error {
			return db.Update(func(tx *brock.Tx) error {
				if err := tx.Set("k", half); err != nil {
					return err
				}
				return tx.Set("l", half)
			})
		},
	} {
		require.ErrorIs(t, run(), brock.ErrTxTooLarge, name)
		n, err := db.DBSize()
		require.NoError(t, err)
		require.Zero(t, n, name)
	}
	require.NoError(t, db.Set("k", half))
	_, err = db.RPush("list", make([][]byte, 1000)...)
	require.NoError(t, err)
}
