package brock_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// TestErrorType has package-level errors be of type error: a variable of theirs
// can be assigned any.
func TestErrorType(t *testing.T) {
	for _, v := range []any{
		&brock.ErrNotFound, &brock.ErrWrongType, &brock.ErrNotInteger, &brock.ErrNotFloat, &brock.ErrOverflow,
		&brock.ErrNaN, &brock.ErrSyntax, &brock.ErrOffset, &brock.ErrTooLong, &brock.ErrExpire, &brock.ErrNoKey,
		&brock.ErrSameKey, &brock.ErrNoLFU, &brock.ErrStreamID, &brock.ErrDatabase,
	} {
		require.IsType(t, new(error), v)
	}
}

// TestErrorTexts has all errors of the package begin with its name.
func TestErrorTexts(t *testing.T) {
	all := map[string]error{
		"ErrNotFound": brock.ErrNotFound, "ErrWrongType": brock.ErrWrongType, "ErrNotInteger": brock.ErrNotInteger,
		"ErrNotFloat": brock.ErrNotFloat, "ErrOverflow": brock.ErrOverflow, "ErrNaN": brock.ErrNaN,
		"ErrNotSet": brock.ErrNotSet, "ErrSyntax": brock.ErrSyntax, "ErrOffset": brock.ErrOffset,
		"ErrTooLong": brock.ErrTooLong, "ErrExpire": brock.ErrExpire, "ErrNoKey": brock.ErrNoKey,
		"ErrSameKey": brock.ErrSameKey, "ErrNoLFU": brock.ErrNoLFU, "ErrStreamID": brock.ErrStreamID,
		"ErrClosed": brock.ErrClosed, "ErrReadOnly": brock.ErrReadOnly, "ErrNested": brock.ErrNested,
		"ErrTxDone": brock.ErrTxDone, "ErrPoisoned": brock.ErrPoisoned, "ErrDurability": brock.ErrDurability,
		"ErrRetention": brock.ErrRetention, "ErrTxTooLarge": brock.ErrTxTooLarge, "ErrDatabase": brock.ErrDatabase,
		"ErrLocked": brock.ErrLocked, "ErrFormat": brock.ErrFormat, "ErrCorrupt": brock.ErrCorrupt,
		"ErrNoSpace": brock.ErrNoSpace,
	}
	for name, err := range all {
		require.True(t, strings.HasPrefix(err.Error(), "brock: "), "%s: %v", name, err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	require.NoError(t, err)
	for _, decl := range file.Decls {
		if group, ok := decl.(*ast.GenDecl); ok && group.Tok == token.VAR {
			for _, spec := range group.Specs {
				require.Contains(t, all, spec.(*ast.ValueSpec).Names[0].Name)
			}
		}
	}
}

// TestRefusalsNameNoLayer has refusals that a caller can bring about tell nothing
// of the layers below.
func TestRefusalsNameNoLayer(t *testing.T) {
	_, err := brock.OpenMemory(&brock.Options{SlowTx: -1})
	require.EqualError(t, err, "brock: negative option")
	_, err = brock.OpenMemory(&brock.Options{Databases: math.MaxInt32})
	require.ErrorContains(t, err, "brock: 2147483647 databases: at most ")
	err = brock.Restore(strings.NewReader("no backup"), t.TempDir())
	require.EqualError(t, err, "restore: not a backup: brock: unknown format")

	db := openMemory(t)
	require.EqualError(t, db.View(func(tx *brock.Tx) error { return tx.Set("k", nil) }), `set "k": brock: read-only transaction`)
	small, err := brock.OpenMemory(&brock.Options{MaxTxBytes: 100})
	require.NoError(t, err)
	defer func() { require.NoError(t, small.Close()) }()
	require.EqualError(t, small.Set("k", make([]byte, 200)), `set "k": brock: transaction too large: 201 bytes of changes`)
	require.NoError(t, db.Close())
	require.EqualError(t, db.Set("k", nil), `set "k": brock: closed`)
}

// TestErrorNamesCommand has errors tell once what failed, on what key.
func TestErrorNamesCommand(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		k := c.(interface {
			keyspace
			FlushAll() error
			IncrBy(key string, by int64) (int64, error)
			Incr(key string) (int64, error)
			SwapDB(a, b int) error
			ZAdd(key string, members ...brock.Z) (int, error)
		})
		long := strings.Repeat("x", 100)
		require.NoError(t, k.MSet(brock.KV{Key: "s", Value: []byte("text")}, brock.KV{Key: long}))
		check := func(err, kind error, text string) {
			t.Helper()
			require.ErrorIs(t, err, kind)
			require.EqualError(t, err, text)
		}
		_, err := k.ZAdd("s", brock.Z{Member: "m"})
		check(err, brock.ErrWrongType, `zadd "s": brock: wrong type`)
		_, err = k.ZAdd("s", brock.Z{Member: "m", Score: math.NaN()})
		check(err, brock.ErrNaN, `zadd "s": brock: not a number`)
		_, err = k.LPush(long)
		check(err, brock.ErrSyntax, `lpush "`+long[:64]+`"…: brock: syntax error: ERR wrong number of arguments for 'lpush' command`)
		_, err = k.LRange("s", 0, -1)
		check(err, brock.ErrWrongType, `lrange "s": brock: wrong type`)
		_, err = k.Incr("s")
		check(err, brock.ErrNotInteger, `incr "s": brock: not an integer`)
		_, err = k.SInter("absent", "s")
		check(err, brock.ErrWrongType, "sinter: brock: wrong type")
		check(k.SwapDB(0, 99), brock.ErrDatabase, "swapdb: brock: database number out of range")
		check(k.Rename("absent", "s"), brock.ErrNoKey, `rename "absent": brock: no such key`)
		check(k.Rename("absent", "s"), brock.ErrNotFound, `rename "absent": brock: no such key`)
		_, _, err = k.Scan(0, &brock.ScanOptions{Count: -1})
		check(err, brock.ErrSyntax, "scan: brock: syntax error")
		check(database(k, 99).MSet(), brock.ErrDatabase, "mset: brock: database number out of range")

		// Answers are bare.
		_, err = k.Get("absent")
		require.Equal(t, brock.ErrNotFound, err)
		require.Equal(t, brock.ErrNotSet, k.(expiring).Set("s", nil, brock.NX))
	})
}

// TestErrorsReturnNothingElse has commands fail after they have found a value.
func TestErrorsReturnNothingElse(t *testing.T) {
	everyWay(t, func(t *testing.T, c collections) {
		k := c.(interface {
			keyspace
			IncrBy(key string, by int64) (int64, error)
		})
		require.NoError(t, k.MSet(brock.KV{Key: "n", Value: []byte("9223372036854775807")}))
		n, err := k.IncrBy("n", 1)
		redisText(t, err, brock.ErrOverflow, "ERR increment or decrement would overflow")
		require.Zero(t, n)
	})
}
