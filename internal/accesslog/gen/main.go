// Command gen writes testdata/access.log.gz, the input of examples/tour, or
// the file that it is given:
//
//	go run ./internal/accesslog/gen [FILE]
package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"os"

	"github.com/brockdb/brock/internal/accesslog"
)

func main() {
	name := "testdata/access.log.gz"
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if err := write(name); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// write creates the file called name with the log in it.
func write(name string) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	zw, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := accesslog.Write(zw); err != nil {
		return err
	}
	return zw.Close()
}
