package store

import (
	"bytes"
	"encoding/hex"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/page"
)

// formatExamples returns docs/format.md without what separates digits, and
// with texts in quotes as digits.
func formatExamples(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/format.md")
	require.NoError(t, err)
	text := regexp.MustCompile(`"[^"\n]*"`).ReplaceAllStringFunc(string(b), func(s string) string {
		return hex.EncodeToString([]byte(s[1 : len(s)-1]))
	})
	return strings.Join(strings.Fields(text), "")
}

// shows checks that the document shows bytes, in one run or in rows of 16.
func shows(t *testing.T, doc string, b []byte, rows bool) {
	t.Helper()
	width := len(b)
	if rows {
		width = 16
	}
	for row := range slices.Chunk(b, width) {
		digits := hex.EncodeToString(row)
		require.True(t, strings.Contains(doc, digits), "not in docs/format.md: %s", digits)
	}
}

// TestFormatRecords holds the examples of records in docs/format.md against
// what transactions write.
func TestFormatRecords(t *testing.T) {
	s, err := Open(engine.NewMemorySeed(0x0123456789abcdef, 1), Options{NoTimers: true})
	require.NoError(t, err)
	doc := formatExamples(t)
	// The first n bytes of what a transaction writes, 0 for all.
	examples := []struct {
		n   int
		run func(tx *Tx) error
	}{
		{0, func(tx *Tx) error { return tx.StringSet(0, "hits", &Entry{}, []byte("7"), 0) }},
		{0, func(tx *Tx) error { return tx.StringSet(0, "hits", &Entry{}, []byte("7"), 1_767_225_600_000) }},
		{0, func(tx *Tx) error {
			_, err := tx.StringWrite(0, "hits", Entry{}, 0, []byte("7"))
			return err
		}},
		{11, func(tx *Tx) error {
			_, err := tx.ListPush(0, "big", Entry{}, [][]byte{bytes.Repeat([]byte("x"), 200)}, false)
			return err
		}},
		{0, func(tx *Tx) error {
			_, err := tx.ListPush(0, "l", Entry{}, [][]byte{[]byte("a"), []byte("bcd")}, false)
			return err
		}},
		{0, func(tx *Tx) error {
			_, err := tx.HashSet(0, "h", Entry{}, []Field{{"f", []byte("v")}})
			return err
		}},
		{0, func(tx *Tx) error {
			z := tx.ZSetEdit(0, "z", Entry{})
			if err := z.Set("a", 3.5); err != nil {
				return err
			}
			if err := z.Set("b", -1); err != nil {
				return err
			}
			return z.Done()
		}},
		{0, func(tx *Tx) error {
			return tx.StreamAdd(0, "s", Entry{}, StreamID{1, 2}, []Field{{"f", []byte("v")}})
		}},
		{0, func(tx *Tx) error { return tx.FlushDB(0) }},
	}
	for _, e := range examples {
		var recs []byte
		require.NoError(t, s.Exec(nil, func(tx *Tx) error {
			err := e.run(tx)
			recs = bytes.Clone(tx.recs)
			return err
		}))
		if e.n > 0 {
			recs = recs[:e.n]
		}
		if recs[0] == byte(opSpaces) {
			recs = recs[3:] // op, id and length
		}
		shows(t, doc, recs, false)
	}
	shows(t, doc, s.encodeTables(), true)
	key := strings.Repeat("k", 2000)
	require.NoError(t, s.Exec(nil, func(tx *Tx) error {
		err := tx.StringSet(0, key, &Entry{}, []byte("v"), 0)
		shows(t, doc, tx.recs[len(tx.recs)-17:], false) // the entry
		shows(t, doc, []byte(tx.stored(key)[ShortName:]), false)
		return err
	}))
	require.NoError(t, s.Close())
}

// TestFormatPages does that with pages.
func TestFormatPages(t *testing.T) {
	doc := formatExamples(t)
	h := page.InitHashed(make([]byte, 100), 2)
	for i, key := range []string{"a", "bb"} {
		_, ok := h.Put(page.Hash(1, key), key, []byte{1, '7' + byte(i)})
		require.True(t, ok)
	}
	shows(t, doc, h[:h.Used()], true)

	o := page.InitOrdered(make([]byte, 100), 4)
	require.True(t, o.Insert(0, []byte("\x00a")))
	require.True(t, o.Insert(1, []byte("\x00bcd")))
	require.True(t, o.Insert(0, []byte("\x00z")))
	shows(t, doc, o[:o.Used()], true)
}

// TestFormatBackup does that with a backup.
func TestFormatBackup(t *testing.T) {
	s, err := Open(engine.NewMemorySeed(0x0123456789abcdef, 1), Options{NoTimers: true, Databases: 2})
	require.NoError(t, err)
	require.NoError(t, s.Exec(nil, func(tx *Tx) error { return tx.StringSet(0, "hits", &Entry{}, []byte("7"), 0) }))
	var b bytes.Buffer
	require.NoError(t, s.Backup(&b))
	shows(t, formatExamples(t), b.Bytes(), true)
	require.NoError(t, s.Close())
}
