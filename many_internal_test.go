package brock

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/store"
)

// manyKeys are n keys, with their values.
func manyKeys(n int) (keys []string, pairs []KV) {
	for i := range n {
		keys = append(keys, fmt.Sprint("key", i))
		pairs = append(pairs, KV{keys[i], []byte(keys[i])})
	}
	return keys, pairs
}

// TestManyKeysTakeLong has commands of many keys, and of many fields of a
// bitmap, count as long ones: they hold no partition's lock while they run, so
// who must not wait does not run them.
func TestManyKeysTakeLong(t *testing.T) {
	db, err := OpenMemory(nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	on, _ := pipe(db, true)
	p := on.(*Pipe)
	keys, pairs := manyKeys(longKeys + 1)
	gets, sets := make([]BitFieldOp, longWrite+1), make([]BitFieldOp, longWrite+1)
	for i := range gets {
		gets[i], sets[i] = BitGet{Type: Uint(8), Offset: int64(i)}, BitSet{Type: Uint(8), Offset: int64(i), Value: 1}
	}
	for _, c := range []struct {
		name  string
		limit int
		run   func(n int) error
	}{
		{"MSETNX", longKeys, func(n int) error { _, err := p.MSetNX(pairs[:n]...); return err }},
		{"MSET", longKeys, func(n int) error { return p.MSet(pairs[:n]...) }},
		{"MGET", longKeys, func(n int) error { _, err := p.MGet(keys[:n]...); return err }},
		{"EXISTS", longKeys, func(n int) error { _, err := p.Exists(keys[:n]...); return err }},
		{"TOUCH", longKeys, func(n int) error { _, err := p.Touch(keys[:n]...); return err }},
		{"DEL", longKeys, func(n int) error { _, err := p.Del(keys[:n]...); return err }},
		{"UNLINK", longKeys, func(n int) error { _, err := p.Unlink(keys[:n]...); return err }},
		{"SINTER", longKeys, func(n int) error { _, err := p.SInter(keys[:n]...); return err }},
		{"BITFIELD", longWrite, func(n int) error { _, err := p.BitField("bits", sets[:n]...); return err }},
		{"BITFIELD_RO", longRead, func(n int) error { _, err := p.BitField("bits", gets[:n]...); return err }},
	} {
		require.ErrorIs(t, c.run(c.limit+1), store.ErrWait, c.name)
		require.NoError(t, c.run(c.limit), c.name)
	}
}

// TestManySetsTakeLong has SINTER count the look-ups in all its sets.
func TestManySetsTakeLong(t *testing.T) {
	db, err := OpenMemory(nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	on, _ := pipe(db, true)
	keys, _ := manyKeys(longRead)
	for _, key := range keys {
		_, err := db.SAdd(key, keys[:longRead/2+1]...)
		require.NoError(t, err)
	}
	members, err := on.(*Pipe).SInter(keys[:2]...)
	require.NoError(t, err)
	require.Len(t, members, longRead/2+1)
	_, err = on.(*Pipe).SInter(keys[:3]...)
	require.ErrorIs(t, err, store.ErrWait)
	members, err = db.SInter(keys...)
	require.NoError(t, err)
	require.ElementsMatch(t, keys[:longRead/2+1], members)
}

// TestManyKeys has commands of many keys do what those of few do, also within
// transactions.
func TestManyKeys(t *testing.T) {
	db, err := Open(t.TempDir(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	testManyKeys(t, &db.commands)
	require.NoError(t, db.Update(func(tx *Tx) error {
		testManyKeys(t, &tx.commands)
		return nil
	}))
}

// testManyKeys runs commands of many keys on an empty database.
func testManyKeys(t *testing.T, c *commands) {
	t.Helper()
	keys, pairs := manyKeys(3 * longKeys)
	set, err := c.MSetNX(pairs...)
	require.NoError(t, err)
	require.True(t, set)
	_, err = c.SAdd("other", "member")
	require.NoError(t, err)
	set, err = c.MSetNX(append([]KV{{"new", nil}}, pairs...)...)
	require.NoError(t, err)
	require.False(t, set)
	pairs[0].Value = []byte("changed")
	require.NoError(t, c.MSet(append(pairs, KV{keys[1], []byte("last")})...))

	named := append([]string{"absent", "other", keys[2]}, keys...)
	values, err := c.MGet(named...)
	require.NoError(t, err)
	require.Len(t, values, len(named))
	require.Equal(t, [][]byte{nil, nil, []byte(keys[2]), []byte("changed"), []byte("last"), []byte(keys[2])}, values[:6])
	for i, value := range values[6:] {
		require.Equal(t, keys[3+i], string(value))
	}
	for _, count := range []func(...string) (int, error){c.Exists, c.Touch} {
		n, err := count(named...)
		require.NoError(t, err)
		require.Equal(t, len(named)-1, n)
	}
	n, err := c.Del(append(named, keys...)...)
	require.NoError(t, err)
	require.Equal(t, len(keys)+1, n)
	size, err := c.DBSize()
	require.NoError(t, err)
	require.Zero(t, size)
}

// TestLongLCSTakesLong has LCS of strings that take long to compare count as a
// long command.
func TestLongLCSTakesLong(t *testing.T) {
	db, err := OpenMemory(nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	on, _ := pipe(db, true)
	p := on.(*Pipe)
	n := 1 // their pairs, with one more byte each, are those of longRead elements
	for (n+2)*(n+2)/pairsPerElement <= longRead {
		n++
	}
	value := bytes.Repeat([]byte("a"), n)
	require.NoError(t, db.MSet(KV{"a", value}, KV{"b", value}, KV{"long", append(value, 'a')}))
	require.NoError(t, db.Set("huge", make([]byte, 100_000)))

	length, err := p.LCSLen("a", "b")
	require.NoError(t, err)
	require.Equal(t, n, length)
	for _, key := range []string{"long", "huge"} {
		_, err = p.LCS(key, "long")
		require.ErrorIs(t, err, store.ErrWait)
		_, err = p.LCSLen("long", key)
		require.ErrorIs(t, err, store.ErrWait)
		_, _, err = p.LCSIdx(key, "long", 0)
		require.ErrorIs(t, err, store.ErrWait)
	}
	_, err = p.LCS("huge", "absent")
	require.ErrorIs(t, err, store.ErrWait, "a copy takes long, too")

	require.NoError(t, db.Update(func(tx *Tx) error {
		if _, err := tx.Append("a", []byte("a")); err != nil {
			return err
		}
		common, err := tx.LCS("a", "long")
		require.Equal(t, append(value, 'a'), common)
		return err
	}))
}
