package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/brockdb/brock/mq"
)

// run takes the tour: it ingests the files into a new database in dir, reports
// on it to w, and fails if a sum is not what it should be.
func run(w io.Writer, dir string, files []string) error {
	r := &report{w: w}
	s, err := open(dir)
	if err != nil {
		return err
	}
	if err := r.firstLife(s, files); err != nil {
		return errors.Join(err, s.close())
	}
	if err := r.phase("close it", s.close); err != nil {
		return err
	}
	if err := r.disk(dir); err != nil {
		return err
	}
	err = r.phase("open it again", func() (err error) {
		s, err = open(dir)
		return err
	})
	if err != nil {
		return err
	}
	return errors.Join(r.secondLife(s, files), s.close())
}

// firstLife ingests everything, and deals with some of the errors.
func (r *report) firstLife(s *shop, files []string) error {
	n, err := s.db.DBSize()
	if err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("the database is not new: it has %d keys", n)
	}
	var lines, batches, skipped int
	err = r.phase("count lines, queue errors", func() (err error) {
		skipped, err = read(files, batchSize, func(batch []hit) error {
			if batches == 0 {
				if err := s.rehearse(batch); err != nil {
					return err
				}
			}
			lines += len(batch)
			batches++
			return s.ingest(batch)
		})
		return err
	})
	if err != nil {
		return err
	}
	r.printf("  %d lines in %d transactions, %d other lines skipped", lines, batches, skipped)
	if err := r.phase("fold it into Badger", s.db.Checkpoint); err != nil {
		return err
	}
	info, err := s.broker.DeclareQueue(queueErrors, &mq.QueueOptions{Passive: true})
	if err != nil {
		return err
	}
	return r.deal("deal with half of the errors", s, info.Messages/2)
}

// secondLife deals with the rest of the errors and checks all sums.
func (r *report) secondLife(s *shop, files []string) error {
	info, err := s.broker.DeclareQueue(queueErrors, &mq.QueueOptions{Passive: true})
	if err != nil {
		return err
	}
	if err := r.deal("deal with the others", s, info.Messages); err != nil {
		return err
	}
	var want *sums
	err = r.phase("count again in Go maps", func() (err error) {
		want, err = recount(files)
		return err
	})
	if err != nil {
		return err
	}
	if err := r.phase("compare every sum", func() error { return want.check(s.db) }); err != nil {
		return err
	}
	if want.errorCount() != int64(r.acknowledged) {
		return fmt.Errorf("%d errors were acknowledged, not %d", r.acknowledged, want.errorCount())
	}
	return r.results(s, want)
}

// deal has n errors dealt with.
func (r *report) deal(what string, s *shop, n int) error {
	done := 0
	err := r.phase(what, func() (err error) {
		done, err = s.work(n)
		return err
	})
	r.acknowledged += done
	r.printf("  %d errors taken from the queue and acknowledged", done)
	return err
}

// report prints what happens.
type report struct {
	w            io.Writer
	acknowledged int // errors
}

// printf prints a line. Whether anybody can read it does not concern the sums.
func (r *report) printf(format string, args ...any) { _, _ = fmt.Fprintf(r.w, format+"\n", args...) }

// phase runs a part of the tour and prints how long it took.
func (r *report) phase(name string, fn func() error) error {
	begin := time.Now()
	if err := fn(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.printf("%-30s %6d ms", name, time.Since(begin).Milliseconds())
	return nil
}

// disk prints how large the closed database is.
func (r *report) disk(dir string) error {
	var size int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	r.printf("  %.1f MB in %s", float64(size)/1e6, dir)
	return err
}

// topPages is how many pages the report names.
const topPages = 5

// results prints what was counted.
func (r *report) results(s *shop, want *sums) error {
	pages, err := s.db.ZRange(keyPages, -topPages, -1)
	if err != nil {
		return err
	}
	r.printf("\n%d hits by %d visitors on %d days, and %d errors: all sums are right", want.hits, want.visitors, len(want.days), want.errorCount())
	for _, p := range slices.Backward(pages) {
		r.printf("%7.0f  %s", p.Score, p.Member)
	}
	return nil
}
