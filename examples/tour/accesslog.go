package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// hit is one line of an access log, as far as it is counted.
type hit struct {
	line    string
	visitor string // its address
	day     string // 2026-03-02
	page    string // the path, without what follows a question mark
	status  int
}

// isError tells whether somebody should look into it.
func (h *hit) isError() bool { return h.status == 404 || h.status >= 500 }

// combined is the combined log format up to the status: address, identity,
// user, time, request.
var combined = regexp.MustCompile(`^(\S+) \S+ \S+ \[([^\]]+)\] "(?:[A-Z]+ )?([^" ]*)[^"]*" (\d{3}) `)

// parse reads a line; ok is false if it is not in the combined log format.
func parse(line string) (h hit, ok bool) {
	m := combined.FindStringSubmatch(line)
	if m == nil {
		return h, false
	}
	at, err := time.Parse("02/Jan/2006:15:04:05 -0700", m[2])
	if err != nil {
		return h, false
	}
	page, _, _ := strings.Cut(m[3], "?")
	status, _ := strconv.Atoi(m[4]) // three digits
	return hit{line: line, visitor: m[1], day: at.Format(time.DateOnly), page: page, status: status}, true
}

// maxLine bounds the length of a line.
const maxLine = 1 << 20

// read calls fn with each hit of the files, in batches, and returns how many
// lines were none. A batch is fn's until it returns.
func read(files []string, size int, fn func(batch []hit) error) (skipped int, err error) {
	batch := make([]hit, 0, size)
	for _, name := range files {
		err := lines(name, func(line string) error {
			h, ok := parse(line)
			if !ok {
				skipped++
				return nil
			}
			if batch = append(batch, h); len(batch) < size {
				return nil
			}
			err := fn(batch)
			batch = batch[:0]
			return err
		})
		if err != nil {
			return skipped, err
		}
	}
	if len(batch) > 0 {
		err = fn(batch)
	}
	return skipped, err
}

// lines calls fn with each line of a file, which is unpacked if its name ends
// in .gz.
func lines(name string, fn func(line string) error) (err error) {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return err
		}
	}
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		if err := fn(s.Text()); err != nil {
			return err
		}
	}
	return s.Err()
}
