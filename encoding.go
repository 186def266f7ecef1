package brock

import (
	"errors"

	"github.com/brockdb/brock/internal/store"
)

// The names that Redis has for how it holds strings.
const (
	encodingInt    = "int"
	encodingEmbStr = "embstr"
	encodingRaw    = "raw"
)

// maxEmbStr is the length up to which Redis holds a string in one piece.
const maxEmbStr = 44

// stringEncoding returns how Redis would hold the string of an entry.
func (c *commands) stringEncoding(t *store.Tx, e *store.Entry) (string, error) {
	n, err := t.StringLen(*e)
	if err != nil || n > maxEmbStr || e.Converted {
		return encodingRaw, err
	}
	if !e.Text {
		switch _, err := c.integer(t, e); {
		case err == nil:
			return encodingInt, nil
		case !errors.Is(err, ErrNotInteger):
			return "", err
		}
	}
	return encodingEmbStr, nil
}
