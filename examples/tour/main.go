// Command tour counts a web server's access log with Brock, on disk, and
// proves the result:
//
//	go run ./examples/tour [-dir DIR] [FILE...]
//
// Each line of the log, which is in the combined format and may be compressed
// by gzip, becomes part of a transaction: hits are counted with INCR, the
// visitors of a day with the bits of a bitmap, pages stand in a sorted set, and
// lines that tell of an error go to a queue in the same transaction that counts
// them. Then the errors are worked off, one transaction each; in the midst of
// it the database is closed and opened again. At the end every sum is held
// against a plain recount in Go maps.
//
// Without files it reads testdata/access.log.gz, from the root of the
// repository. Without -dir the database lives in a temporary directory.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

// defaultLog is the log that comes with the repository.
const defaultLog = "testdata/access.log.gz"

func main() {
	dir := flag.String("dir", "", "where to keep the database; it must not be one that has been toured before")
	flag.Parse()
	files := flag.Args()
	if len(files) == 0 {
		files = []string{defaultLog}
	}
	if err := tour(*dir, files); err != nil {
		fmt.Fprintln(os.Stderr, "tour:", err)
		os.Exit(1)
	}
}

// tour runs the tour in dir, or in a temporary directory if that is empty.
func tour(dir string, files []string) error {
	if dir != "" {
		return run(os.Stdout, dir, files)
	}
	dir, err := os.MkdirTemp("", "brock-tour-")
	if err != nil {
		return err
	}
	return errors.Join(run(os.Stdout, dir, files), os.RemoveAll(dir))
}
