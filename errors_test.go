package brock_test

import (
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
		&brock.ErrSameKey, &brock.ErrStreamID, &brock.ErrDatabase,
	} {
		require.IsType(t, new(error), v)
	}
}
