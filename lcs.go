package brock

import (
	"errors"

	"github.com/brockdb/brock/internal/store"
)

// LCSRange is a part of a string: bytes from Start to Stop, both included.
type LCSRange struct{ Start, Stop int }

// LCSMatch is a run of bytes that two strings have in common, see [DB.LCSIdx].
type LCSMatch struct {
	A, B LCSRange // where it is in each of them
	Len  int
}

// LCS returns the longest common subsequence of the strings at two keys: bytes
// that both have in the same order, with others in between or not. A key that
// does not exist is an empty string. Of several of one length it is the one that
// Redis returns.
//
// Errors: [ErrWrongType]; [ErrTooLong] if the lengths, each and one, multiply to
// more than 2^27.
//
// Cost: O(len(a) · len(b)) and a bit of memory for each pair of bytes, on copies
// of the strings, which are read from a snapshot unless they are short: it stops
// no writer.
//
// Redis: LCS key1 key2.
func (c *commands) LCS(a, b string) (value []byte, err error) {
	s, t, err := c.lcsStrings(a, b)
	if err != nil {
		return nil, err
	}
	p := newLCSPath(s, t)
	value = make([]byte, p.length)
	at := p.length
	p.walk(func(i, _ int, matches bool) {
		if matches {
			at--
			value[at] = s[i]
		}
	})
	return value, nil
}

// LCSIdx returns where the longest common subsequence of the strings at two keys
// stands in them: its runs of at least minLen bytes, the last one first, and the
// length of the whole.
//
// Errors: as [DB.LCS].
//
// Cost: as [DB.LCS].
//
// Redis: LCS key1 key2 IDX [MINMATCHLEN len] WITHMATCHLEN.
func (c *commands) LCSIdx(a, b string, minLen int) (matches []LCSMatch, length int, err error) {
	s, t, err := c.lcsStrings(a, b)
	if err != nil {
		return nil, 0, err
	}
	p := newLCSPath(s, t)
	matches = []LCSMatch{}
	var run LCSMatch
	end := func() {
		if run.Len > 0 && run.Len >= minLen {
			matches = append(matches, run)
		}
		run = LCSMatch{}
	}
	p.walk(func(i, j int, equal bool) {
		if !equal {
			end()
			return
		}
		if run.Len == 0 {
			run.A.Stop, run.B.Stop = i, j
		}
		run.A.Start, run.B.Start = i, j
		run.Len++
	})
	end()
	return matches, p.length, nil
}

// LCSLen returns the length of the longest common subsequence of the strings at
// two keys.
//
// Errors: as [DB.LCS].
//
// Cost: O(len(a) · len(b)), on copies as in [DB.LCS].
//
// Redis: LCS key1 key2 LEN.
func (c *commands) LCSLen(a, b string) (length int, err error) {
	s, t, err := c.lcsStrings(a, b)
	if err != nil {
		return 0, err
	}
	row := make([]uint32, len(t)+1)
	for i := range s {
		nextLCSRow(row, s[i], t, func(int) {})
	}
	return int(row[len(t)]), nil
}

// maxLCSTable is the size of the table that Redis would need above which it
// refuses: as that of a string.
const maxLCSTable = store.MaxString

// pairsPerElement is how many pairs of bytes take as long to compare as an
// element of a collection takes to read, see longRead.
const pairsPerElement = 256

// lcsStrings returns copies of the strings at two keys, as of one moment. Who
// must not wait gets none whose comparison takes long.
func (c *commands) lcsStrings(a, b string) (s, t []byte, err error) {
	err = c.readAllLimited("lcs", []string{a, b}, func(tx *store.Tx, limit int) error {
		var entries [2]store.Entry
		var sizes [2]int
		for i, key := range []string{a, b} {
			e, _, err := c.lookup(tx, key, store.String)
			if err == nil {
				sizes[i], err = tx.StringLen(e)
			}
			if errors.Is(err, ErrWrongType) {
				err = &redisError{ErrWrongType, "ERR The specified keys must contain string values"}
			}
			if err != nil {
				return err
			}
			entries[i] = e
		}
		pairs := int64(sizes[0]+1) * int64(sizes[1]+1)
		switch {
		case 4*pairs > maxLCSTable:
			return &redisError{ErrTooLong, "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"}
		case pairs/pairsPerElement > int64(limit):
			return store.ErrLong
		}
		if s, err = tx.StringGet(&entries[0]); err == nil {
			t, err = tx.StringGet(&entries[1])
		}
		return err
	})
	return s, t, err
}

// nextLCSRow turns the row of lengths for a string and each beginning of t into
// that for the string with one more byte. up is called with each place where the
// longer neighbour is the one of the row before.
func nextLCSRow(row []uint32, b byte, t []byte, up func(j int)) {
	diagonal := row[0]
	for j := range t {
		above := row[j+1]
		switch {
		case b == t[j]:
			row[j+1] = diagonal + 1
		case above > row[j]:
			up(j)
		default:
			row[j+1] = row[j]
		}
		diagonal = above
	}
}

// lcsPath is what is known about the way through the table of lengths: a bit for
// each pair of bytes.
type lcsPath struct {
	s, t   []byte
	up     []uint64 // bit i*len(t)+j: from i, j on the way goes to i-1, else to j-1
	length int
}

// newLCSPath finds the way through the table of s and t.
func newLCSPath(s, t []byte) *lcsPath {
	p := &lcsPath{s: s, t: t, up: make([]uint64, (len(s)*len(t)+63)/64)}
	row := make([]uint32, len(t)+1)
	for i := range s {
		nextLCSRow(row, s[i], t, func(j int) {
			at := i*len(t) + j
			p.up[at/64] |= 1 << (at % 64)
		})
	}
	p.length = int(row[len(t)])
	return p
}

// walk goes the way from the ends of both strings to the beginning of one, and
// calls fn with each pair of bytes that it comes by.
func (p *lcsPath) walk(fn func(i, j int, equal bool)) {
	for i, j := len(p.s)-1, len(p.t)-1; i >= 0 && j >= 0; {
		at := i*len(p.t) + j
		equal := p.s[i] == p.t[j]
		fn(i, j, equal)
		switch {
		case equal:
			i, j = i-1, j-1
		case p.up[at/64]>>(at%64)&1 != 0:
			i--
		default:
			j--
		}
	}
}
