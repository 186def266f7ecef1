package main

import (
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// logOf returns the name of a file with n lines, and one that is none.
func logOf(t *testing.T, name string, n int) string {
	t.Helper()
	var text strings.Builder
	for i := range n {
		status := 200
		switch {
		case i%10 == 3:
			status = 404
		case i%25 == 4:
			status = 503
		}
		fmt.Fprintf(&text, "192.0.2.%d - - [%02d/Mar/2026:23:59:%02d +0000] \"GET /%d?n=%d HTTP/1.1\" %d - \"-\" \"test\"\n",
			i*7%250, 1+i*3/n, i%60, i*i%37, i, status)
	}
	fmt.Fprintln(&text, "no hit")
	file := filepath.Join(t.TempDir(), name)
	f, err := os.Create(file)
	require.NoError(t, err)
	if strings.HasSuffix(name, ".gz") {
		z := gzip.NewWriter(f)
		_, err = z.Write([]byte(text.String()))
		require.NoError(t, err)
		require.NoError(t, z.Close())
	} else {
		_, err = f.WriteString(text.String())
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
	return file
}

func TestRun(t *testing.T) {
	files := []string{logOf(t, "a.log", 1000), logOf(t, "b.log.gz", 300)}
	dir := t.TempDir()
	var out strings.Builder
	require.NoError(t, run(&out, dir, files))
	require.Contains(t, out.String(), "1300 lines in 6 transactions, 2 other lines skipped")
	require.Contains(t, out.String(), "1300 hits by 250 visitors on 3 days, and 182 errors: all sums are right")

	require.ErrorContains(t, run(&out, dir, files), "not new")
	require.ErrorIs(t, run(&out, t.TempDir(), []string{"no such file"}), os.ErrNotExist)
}

// TestMismatch gives the check sums that are not right.
func TestMismatch(t *testing.T) {
	files := []string{logOf(t, "a.log", 100)}
	s, err := open(t.TempDir())
	require.NoError(t, err)
	_, err = read(files, batchSize, s.ingest)
	require.NoError(t, err)
	_, err = s.work(100)
	require.NoError(t, err)

	want, err := recount(files)
	require.NoError(t, err)
	require.NoError(t, want.check(s.db))
	require.NoError(t, s.rehearse([]hit{{page: "/", day: "2026-03-01", visitor: "::1", status: 500}}))
	require.NoError(t, want.check(s.db))

	for name, spoil := range map[string]func(*sums){
		"hits is":      func(w *sums) { w.hits++ },
		"visitors is":  func(w *sums) { w.visitors++ },
		"errors:404 i": func(w *sums) { w.errors["404"]++ },
		"errors:500 i": func(w *sums) { w.errors["500"]++ },
		"days, not":    func(w *sums) { w.days["2026-04-01"] = day{} },
		"visitors on":  func(w *sums) { w.days["2026-03-01"] = day{34, 0} },
		"pages, not":   func(w *sums) { w.pages["/new"] = 1 },
		"page:/1 is":   func(w *sums) { w.pages["/1"]++ },
	} {
		w, err := recount(files)
		require.NoError(t, err)
		spoil(w)
		require.ErrorContains(t, w.check(s.db), name)
	}
	require.NoError(t, s.close())
}

func TestParse(t *testing.T) {
	h, ok := parse(`2001:db8::1 - ann [02/Mar/2026:00:02:11 +0100] "GET /lamps/69?a=b HTTP/1.1" 200 4070 "-" "Mozilla/5.0"`)
	require.True(t, ok)
	require.Equal(t, [...]any{"2001:db8::1", "2026-03-02", "/lamps/69", 200}, [...]any{h.visitor, h.day, h.page, h.status})
	h, ok = parse(`192.0.2.1 - - [02/Mar/2026:00:02:11 +0000] "-" 408 0 "-" "-"`)
	require.True(t, ok)
	require.Equal(t, "-", h.page)
	for _, bad := range []string{"", "no hit", `192.0.2.1 - - [yesterday] "GET / HTTP/1.1" 200 1 "-" "-"`} {
		_, ok := parse(bad)
		require.False(t, ok, bad)
	}
}
