package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/brockdb/brock"
)

// sums is what there is to count, in Go maps.
type sums struct {
	hits     int64
	visitors int64            // in all
	days     map[string]day   // by date
	pages    map[string]int64 // hits by page
	errors   map[string]int64 // by status
}

// day is what is counted for one day.
type day struct{ hits, visitors int64 }

// recount counts the hits of the files the plain way.
func recount(files []string) (*sums, error) {
	s := &sums{days: map[string]day{}, pages: map[string]int64{}, errors: map[string]int64{}}
	visitors := map[string]bool{}
	daily := map[string]bool{}
	_, err := read(files, batchSize, func(batch []hit) error {
		for _, h := range batch {
			d := s.days[h.day]
			d.hits++
			if !daily[h.day+" "+h.visitor] {
				daily[h.day+" "+h.visitor] = true
				d.visitors++
			}
			s.days[h.day] = d
			s.hits++
			s.pages[h.page]++
			visitors[h.visitor] = true
			if h.isError() {
				s.errors[strconv.Itoa(h.status)]++
			}
		}
		return nil
	})
	s.visitors = int64(len(visitors))
	return s, err
}

// errorCount returns the number of errors of all kinds.
func (s *sums) errorCount() (n int64) {
	for _, of := range s.errors {
		n += of
	}
	return n
}

// check compares what the database holds, as of one moment, with the sums.
func (s *sums) check(db *brock.DB) error {
	return db.View(func(tx *brock.Tx) error {
		return errors.Join(
			s.checkCounters(tx),
			s.checkDays(tx),
			s.checkPages(tx),
		)
	})
}

// checkCounters checks the counters that stand alone.
func (s *sums) checkCounters(tx *brock.Tx) error {
	errs := []error{
		same(tx, keyHits, s.hits),
		same(tx, keyVisitors, s.visitors),
	}
	for status, want := range s.errors {
		errs = append(errs, same(tx, keyErrors+status, want))
	}
	return errors.Join(errs...)
}

// same checks a counter.
func same(tx *brock.Tx, key string, want int64) error {
	value, err := tx.Get(key)
	if errors.Is(err, brock.ErrNotFound) {
		value, err = []byte("0"), nil
	}
	if err == nil && string(value) != strconv.FormatInt(want, 10) {
		err = fmt.Errorf("%s is %s, not %d", key, value, want)
	}
	return err
}

// checkDays checks what is counted by day.
func (s *sums) checkDays(tx *brock.Tx) error {
	dates, err := tx.SMembers(keyDays)
	if err != nil {
		return err
	}
	var errs []error
	if len(dates) != len(s.days) {
		errs = append(errs, fmt.Errorf("there are %d days, not %d", len(dates), len(s.days)))
	}
	for date, want := range s.days {
		errs = append(errs, same(tx, keyDayHits+date, want.hits))
		visitors, err := tx.BitCount(keyDayVisitors + date)
		if err == nil && visitors != want.visitors {
			err = fmt.Errorf("there were %d visitors on %s, not %d", visitors, date, want.visitors)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// checkPages checks the sorted set of pages: their scores, and that they are
// in order.
func (s *sums) checkPages(tx *brock.Tx) error {
	pages, err := tx.ZRange(keyPages, 0, -1)
	if err != nil {
		return err
	}
	var errs []error
	if len(pages) != len(s.pages) {
		errs = append(errs, fmt.Errorf("there are %d pages, not %d", len(pages), len(s.pages)))
	}
	if !slices.IsSortedFunc(pages, byScore) {
		errs = append(errs, errors.New("pages are out of order"))
	}
	for _, p := range pages {
		if want := s.pages[p.Member]; p.Score != float64(want) {
			errs = append(errs, fmt.Errorf("%s has %v hits, not %d", p.Member, p.Score, want))
		}
		errs = append(errs, same(tx, keyPageHits+p.Member, s.pages[p.Member]))
	}
	return errors.Join(errs...)
}

// byScore is the order of a sorted set: by score, then by the bytes of names.
func byScore(a, b brock.Z) int {
	return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(a.Member, b.Member))
}
