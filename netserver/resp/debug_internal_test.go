package resp

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestParseSleep reads for how long DEBUG SLEEP sleeps.
func TestParseSleep(t *testing.T) {
	const longest = 1<<63 - 1
	for text, want := range map[string]time.Duration{
		"1.5": 1500 * time.Millisecond, "0.0000019": time.Microsecond, "1e9": 1e9 * time.Second,
		"1e10": longest / 1000 * 1000, "9e12": longest / 1000 * 1000, // longer than can be
		"1e13": 0, "1e300": 0, "1e400": 0, "inf": 0, "-1": 0, "-1e300": 0, "-9e12": 0, "nan": 0, "x": 0, "": 0,
	} {
		require.Equal(t, want, parseSleep(text), text)
	}
}
