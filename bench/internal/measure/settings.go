package measure

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// Time returns the duration in the environment variable, def if it is not set.
// It panics if it is none: a benchmark of something else misleads.
func Time(variable string, def time.Duration) time.Duration {
	text := os.Getenv(variable)
	if text == "" {
		return def
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		panic(fmt.Sprintf("measure: %s=%s is no duration", variable, text))
	}
	return d
}

// Count returns the number in the environment variable, which may be written
// as 5e6, def if it is not set. It panics if it is none.
func Count(variable string, def int) int {
	text := os.Getenv(variable)
	if text == "" {
		return def
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 1 || n > 1e10 {
		panic(fmt.Sprintf("measure: %s=%s is no number", variable, text))
	}
	return int(n)
}
