package accesslog_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/accesslog"
)

// TestCommittedFileIsCurrent holds the committed log against the generator, so
// that neither changes without the other.
func TestCommittedFileIsCurrent(t *testing.T) {
	f, err := os.Open("../../testdata/access.log.gz")
	require.NoError(t, err, "run go generate ./internal/accesslog")
	defer f.Close()
	zr, err := gzip.NewReader(f)
	require.NoError(t, err)
	committed, err := io.ReadAll(zr)
	require.NoError(t, err)

	var want bytes.Buffer
	require.NoError(t, accesslog.Write(&want))
	require.True(t, bytes.Equal(want.Bytes(), committed), "stale: run go generate ./internal/accesslog")
}

// TestProportions checks what the tour relies on: the format of each line,
// their order, several days, visitors that return, pages of unequal fame, and
// errors of both kinds.
func TestProportions(t *testing.T) {
	line := regexp.MustCompile(`^(\d+\.\d+\.\d+\.\d+) - - \[([^\]]+)\] "(GET|POST) (\S+) HTTP/1\.1" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"$`)
	var log bytes.Buffer
	require.NoError(t, accesslog.Write(&log))

	visitors, days, pages, statuses := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	var last time.Time
	lines := 0
	for sc := bufio.NewScanner(&log); sc.Scan(); lines++ {
		m := line.FindStringSubmatch(sc.Text())
		require.NotNil(t, m, "line %d: %s", lines+1, sc.Text())
		at, err := time.Parse("02/Jan/2006:15:04:05 -0700", m[2])
		require.NoError(t, err)
		require.False(t, at.Before(last), "line %d goes back in time", lines+1)
		last = at
		visitors[m[1]]++
		days[at.Format(time.DateOnly)]++
		pages[m[4]]++
		statuses[m[5]]++
	}
	require.Equal(t, accesslog.Lines, lines)
	require.Len(t, days, accesslog.Days)
	require.Greater(t, len(visitors), 2500)
	require.Greater(t, pages["/"], lines/40, "the front page")
	require.Greater(t, pages["/"], 20*pages["/stoves/80"])
	require.Greater(t, statuses["404"], lines/100)
	require.Less(t, statuses["404"], lines/10)
	require.Greater(t, statuses["500"], 100)
	require.Less(t, statuses["500"], lines/50)
	t.Logf("%d visitors, %d pages, per day %v, statuses %v", len(visitors), len(pages), days, statuses)
}
