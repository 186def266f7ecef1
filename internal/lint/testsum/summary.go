package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// event is a line of go test -json; see go doc test2json.
type event struct {
	Action     string
	Package    string
	ImportPath string // of a build
	Test       string
	Elapsed    float64
	Output     string
}

// id names a test, or a package when test is empty.
type id struct{ pkg, test string }

// outcome is how a test ended. Of two runs the greater one counts.
type outcome int

const (
	skipped outcome = iota + 1
	passed
	failed
)

// summary collects the results of one or more runs of go test.
type summary struct {
	out     io.Writer
	err     error    // the first of writing to out
	allow   []string // prefixes of reasons for which a test may be skipped
	verbose bool

	results map[id]outcome
	output  map[id][]string // of what runs and of what is being built
	refused int             // skips for another reason
}

// newSummary returns a summary that writes to out.
func newSummary(out io.Writer) *summary {
	return &summary{out: out, results: map[id]outcome{}, output: map[id][]string{}}
}

// readFile adds the saved output of a run.
func (s *summary) readFile(name string) (err error) {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return s.read(f)
}

// read adds the output of a run. What is no event is passed on.
func (s *summary) read(r io.Reader) error {
	br := bufio.NewReader(r)
	for {
		line, err := br.ReadString('\n')
		var e event
		switch {
		case line == "":
		case json.Unmarshal([]byte(line), &e) == nil && e.Action != "":
			s.add(e)
		default:
			s.printf("%s", line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// add takes one event into account.
func (s *summary) add(e event) {
	key := id{e.Package, e.Test}
	switch e.Action {
	case "output":
		s.keep(key, e.Output)
	case "build-output":
		s.printf("%s", e.Output)
	case "pass":
		s.pass(key, e.Elapsed)
	case "fail":
		s.fail(key, e.Elapsed)
	case "skip":
		s.skip(key)
	}
}

// keep keeps a line of output until its test has ended. Lines that only say
// where the test is are left out.
func (s *summary) keep(key id, line string) {
	if strings.HasPrefix(line, "=== ") {
		return
	}
	s.output[key] = append(s.output[key], line)
}

// pass ends a test or package that passed.
func (s *summary) pass(key id, elapsed float64) {
	if key.test == "" {
		s.printf("ok    %s  %.1fs\n", key.pkg, elapsed)
	} else {
		s.settle(key, passed)
		if s.verbose {
			s.print(key)
		}
	}
	delete(s.output, key)
}

// fail ends a test or package that failed and prints what it said. A package
// counts only if none of its tests did: it did not build, or died.
func (s *summary) fail(key id, elapsed float64) {
	if key.test == "" {
		s.printf("FAIL  %s  %.1fs\n", key.pkg, elapsed)
		if s.blamed(key.pkg) {
			delete(s.output, key)
			return
		}
		// What was running when the process died has not ended by itself.
		for running := range s.output {
			if running.pkg == key.pkg && running.test != "" {
				s.print(running)
				delete(s.output, running)
			}
		}
	}
	s.settle(key, failed)
	s.print(key)
	delete(s.output, key)
}

// blamed reports whether a test of pkg failed.
func (s *summary) blamed(pkg string) bool {
	for key, result := range s.results {
		if key.pkg == pkg && key.test != "" && result == failed {
			return true
		}
	}
	return false
}

// skip ends a test that was skipped. A package is skipped when it has no tests.
func (s *summary) skip(key id) {
	if key.test != "" {
		s.settle(key, skipped)
		why := reason(s.output[key])
		allowed := slices.ContainsFunc(s.allow, func(prefix string) bool { return strings.HasPrefix(why, prefix) })
		verdict := "skip "
		if !allowed {
			s.refused++
			verdict = "SKIP  not allowed:"
		}
		s.printf("%s %s %s: %s\n", verdict, key.pkg, key.test, why)
	}
	delete(s.output, key)
}

// reason is what a skipped test said last, without file and line.
func reason(output []string) string {
	said := regexp.MustCompile(`^\s+\S+\.go:\d+: (.*)`)
	for _, line := range slices.Backward(output) {
		if m := said.FindStringSubmatch(line); m != nil {
			return strings.TrimSpace(m[1])
		}
	}
	return "no reason given"
}

// settle records how a test ended.
func (s *summary) settle(key id, result outcome) {
	s.results[key] = max(s.results[key], result)
}

// print prints what a test or package said.
func (s *summary) print(key id) {
	for _, line := range s.output[key] {
		s.printf("    %s", line)
	}
}

// printf writes to out and remembers if that fails.
func (s *summary) printf(format string, args ...any) {
	_, err := fmt.Fprintf(s.out, format, args...)
	s.err = errors.Join(s.err, err)
}

// finish prints the count and reports whether all is well: something passed,
// nothing failed, and nothing was skipped that may not be.
func (s *summary) finish() bool {
	count := map[outcome]int{}
	for _, result := range s.results {
		count[result]++
	}
	if s.refused > 0 {
		s.printf("%d skipped without leave\n", s.refused)
	}
	s.printf("%d passed, %d failed, %d skipped\n", count[passed], count[failed], count[skipped])
	return count[passed] > 0 && count[failed] == 0 && s.refused == 0
}
