package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/brockdb/brock"
)

// durability is a mode of durability by its name.
type durability brock.Durability

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *durability) UnmarshalText(text []byte) error {
	for _, mode := range []brock.Durability{brock.Always, brock.EverySecond, brock.Relaxed} {
		if mode.String() == string(text) {
			*d = durability(mode)
			return nil
		}
	}
	return fmt.Errorf("it is always, everysecond or relaxed, not %q", text)
}

// size is a number of bytes, which may have a unit.
type size int64

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *size) UnmarshalText(text []byte) error {
	number, unit := strings.ToUpper(string(text)), int64(1)
	for i, name := range []string{"KB", "MB", "GB"} {
		if n, ok := strings.CutSuffix(number, name); ok {
			number, unit = strings.TrimSpace(n), 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return fmt.Errorf("it is a number of bytes, such as 1048576, 1024KB, 64MB or 2GB, not %q", text)
	}
	*s = size(n * unit)
	return nil
}

// count is a number of things, at least one.
type count int

// UnmarshalText implements [encoding.TextUnmarshaler].
func (c *count) UnmarshalText(text []byte) error {
	n, err := strconv.ParseInt(string(text), 10, 32)
	if err != nil || n < 1 {
		return fmt.Errorf("it is a number from 1 on, not %q", text)
	}
	*c = count(n)
	return nil
}

// level is how important a message must be to be logged.
type level slog.Level

// UnmarshalText implements [encoding.TextUnmarshaler].
func (l *level) UnmarshalText(text []byte) error {
	for _, known := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if strings.EqualFold(known.String(), string(text)) {
			*l = level(known)
			return nil
		}
	}
	return fmt.Errorf("it is debug, info, warn or error, not %q", text)
}

// logFormat is how messages are logged.
type logFormat string

// UnmarshalText implements [encoding.TextUnmarshaler].
func (f *logFormat) UnmarshalText(text []byte) error {
	if *f = logFormat(text); *f == "text" || *f == "json" {
		return nil
	}
	return fmt.Errorf("it is text or json, not %q", text)
}

// logger returns a logger in that format.
func (f logFormat) logger(w io.Writer, l level) *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.Level(l)}
	if f == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// directory is the name of a directory.
type directory string

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *directory) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("it is empty: name a directory, or leave it out")
	}
	*d = directory(text)
	return nil
}

// passFile is the name of a file with a password.
type passFile string

// read returns the password, "" if there is no file: what stands in the file
// without the end of its line.
func (f passFile) read() (string, error) {
	if f == "" {
		return "", nil
	}
	b, err := os.ReadFile(string(f))
	if err == nil {
		if b = bytes.TrimRight(b, "\r\n"); len(b) == 0 {
			err = errors.New("the file is empty")
		}
	}
	if err != nil {
		return "", fmt.Errorf("no password in %s: %w", f, adviseRead(err, "write one line into it, or leave --requirepass-file out"))
	}
	return string(b), nil
}
