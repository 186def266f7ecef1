// Command testsum condenses what go test -json prints to a page that a person
// reads: a line for each package, the output of what failed, the reason of what
// was skipped, and at the end, alone on a line, the count.
//
//	go test -json ./... | go run ./internal/lint/testsum [-v] [-allow soak:,short:]
//	go run ./internal/lint/testsum -total FILE...
//
// A skip is a failure unless its reason starts with one of the prefixes given
// by -allow: a test that does not find what it needs has tested nothing. The
// second form reads saved output of several runs and prints only the count,
// each test once: failed if any run of it failed, passed if another passed.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	allow := flag.String("allow", "", "comma-separated `prefixes` of reasons for which a test may be skipped")
	verbose := flag.Bool("v", false, "print the output of tests that pass, too")
	total := flag.Bool("total", false, "print only the count over all files named")
	flag.Parse()
	ok, err := run(flag.Args(), *allow, *verbose, *total)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run summarises the files called names, or standard input, and reports whether
// all is well.
func run(names []string, allow string, verbose, total bool) (ok bool, err error) {
	s := newSummary(os.Stdout)
	if allow != "" {
		s.allow = strings.Split(allow, ",")
	}
	s.verbose = verbose
	if total {
		s.out = io.Discard
		s.allow = []string{""} // each run has judged its own
	}
	if len(names) == 0 {
		err = s.read(os.Stdin)
	}
	for _, name := range names {
		if err == nil {
			err = s.readFile(name)
		}
	}
	s.out = os.Stdout
	ok = s.finish()
	return ok, errors.Join(err, s.err)
}
