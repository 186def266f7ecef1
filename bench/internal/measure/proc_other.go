//go:build !linux

package measure

import (
	"errors"
	"time"
)

// CPU returns the processor time that this process has used: unknown here.
func CPU() (time.Duration, error) { return 0, errors.ErrUnsupported }

// RssAnon returns the anonymous resident bytes of a process: unknown here.
func RssAnon(int) (int64, error) { return 0, errors.ErrUnsupported }

// WriteBytes returns how many bytes this process has had written to devices:
// unknown here.
func WriteBytes() (int64, error) { return 0, errors.ErrUnsupported }

// DiskUse returns the bytes of the blocks that a directory's files occupy:
// unknown here.
func DiskUse(string) (int64, error) { return 0, errors.ErrUnsupported }
