package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/mq"
)

// The keys. Days and pages have one each behind the prefixes.
const (
	keyHits        = "hits"      // a counter
	keyDays        = "days"      // a set: the days of the log
	keyDayHits     = "hits:"     // a counter for each day
	keyDayVisitors = "visitors:" // a bitmap for each day: bit n is visitor n
	keyVisitors    = "visitors"  // a counter: how many numbers are given away
	keyVisitor     = "visitor"   // a hash: a visitor's number by its address
	keyPageHits    = "page:"     // a counter for each page
	keyPages       = "pages"     // a sorted set: pages by their hits
	keyErrors      = "errors:"   // a counter for each status, of errors that were dealt with

	queueErrors = "errors" // the lines that tell of an error
)

// batchSize is how many lines share a transaction: with more of them a
// transaction costs less for each line, but keeps other writers waiting for
// longer.
const batchSize = 256

// shop is where the sums are kept.
type shop struct {
	db     *brock.DB
	broker *mq.Broker
}

// open opens the database in a directory, and its queues.
func open(dir string) (*shop, error) {
	db, err := brock.Open(dir, nil)
	if err != nil {
		return nil, err
	}
	s := &shop{db: db}
	if s.broker, err = mq.Open(db, nil); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if _, err := s.broker.DeclareQueue(queueErrors, nil); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// close closes both.
func (s *shop) close() error { return errors.Join(s.broker.Close(), s.db.Close()) }

// ingest counts a batch of hits and queues the errors among them: all of it,
// or, after an error, nothing.
func (s *shop) ingest(batch []hit) error {
	return s.db.Update(func(tx *brock.Tx) error { return s.countAll(tx, batch) })
}

// errRehearsal ends a transaction that is not meant.
var errRehearsal = errors.New("only a rehearsal")

// rehearse does what ingest does and takes it all back. If anything stayed,
// the sums would be wrong.
func (s *shop) rehearse(batch []hit) error {
	err := s.db.Update(func(tx *brock.Tx) error {
		if err := s.countAll(tx, batch); err != nil {
			return err
		}
		return errRehearsal
	})
	if errors.Is(err, errRehearsal) {
		return nil
	}
	return err
}

// countAll is ingest as a part of a transaction.
func (s *shop) countAll(tx *brock.Tx, batch []hit) error {
	for i := range batch {
		if err := s.count(tx, &batch[i]); err != nil {
			return fmt.Errorf("%s: %w", batch[i].line, err)
		}
	}
	return nil
}

// count counts one hit.
func (s *shop) count(tx *brock.Tx, h *hit) error {
	if _, err := tx.Incr(keyHits); err != nil {
		return err
	}
	if _, err := tx.SAdd(keyDays, h.day); err != nil {
		return err
	}
	if _, err := tx.Incr(keyDayHits + h.day); err != nil {
		return err
	}
	number, err := visitorNumber(tx, h.visitor)
	if err != nil {
		return err
	}
	if _, err := tx.SetBit(keyDayVisitors+h.day, number, true); err != nil {
		return err
	}
	hits, err := tx.Incr(keyPageHits + h.page)
	if err != nil {
		return err
	}
	if _, err := tx.ZAdd(keyPages, brock.Z{Member: h.page, Score: float64(hits)}); err != nil {
		return err
	}
	if !h.isError() {
		return nil
	}
	return s.broker.PublishTx(tx, "", queueErrors, mq.Message{
		Body: []byte(h.line),
		Type: strconv.Itoa(h.status),
	}, mq.Mandatory)
}

// visitorNumber returns the number of a visitor, who gets the next one if he is
// new. A transaction sees what it has changed itself, so that two hits of a new
// visitor in one batch give him one number.
func visitorNumber(tx *brock.Tx, addr string) (int64, error) {
	known, err := tx.HGet(keyVisitor, addr)
	if err == nil {
		return strconv.ParseInt(string(known), 10, 64)
	}
	if !errors.Is(err, brock.ErrNotFound) {
		return 0, err
	}
	n, err := tx.Incr(keyVisitors)
	if err != nil {
		return 0, err
	}
	_, err = tx.HSet(keyVisitor, brock.F(addr, strconv.FormatInt(n, 10)))
	return n, err
}

// work deals with errors from the queue, at most n of them, and returns how
// many there were. To count an error and to acknowledge it is one step: a
// crash in between would do neither.
func (s *shop) work(n int) (done int, err error) {
	for ; done < n; done++ {
		d, err := s.broker.Get(queueErrors)
		if errors.Is(err, mq.ErrEmpty) {
			return done, nil
		}
		if err != nil {
			return done, err
		}
		err = s.db.Update(func(tx *brock.Tx) error {
			if _, err := tx.Incr(keyErrors + d.Type); err != nil {
				return err
			}
			return d.AckTx(tx)
		})
		if err != nil {
			return done, err
		}
	}
	return done, nil
}
