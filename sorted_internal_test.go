package brock

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/oracle"
	"github.com/brockdb/brock/internal/store"
)

func zsetRunners() map[string]func(*commands, *oracle.Op) oracle.Result {
	return map[string]func(*commands, *oracle.Op) oracle.Result{
		"ZADD": func(c *commands, op *oracle.Op) oracle.Result {
			members := make([]Z, len(op.Scored))
			for i, m := range op.Scored {
				members[i] = Z{Member: m.Member, Score: m.Score}
			}
			f := op.Flags
			if f&(oracle.NX|oracle.XX|oracle.GT|oracle.LT|oracle.CH) == 0 {
				return intResult(c.ZAdd(op.Key, members...))
			}
			return intResult(c.ZAddOpt(op.Key, ZAddOptions{
				NX: f.Has(oracle.NX), XX: f.Has(oracle.XX), GT: f.Has(oracle.GT), LT: f.Has(oracle.LT), CH: f.Has(oracle.CH),
			}, members...))
		},
		"ZREM":  func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.ZRem(op.Key, op.Values...)) },
		"ZCARD": func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.ZCard(op.Key)) },
		"ZSCORE": func(c *commands, op *oracle.Op) oracle.Result {
			score, err := c.ZScore(op.Key, op.Field)
			if err != nil {
				return failed(err)
			}
			return oracle.Result{Float: score}
		},
		"ZRANK": func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.ZRank(op.Key, op.Field)) },
		"ZRANGE": func(c *commands, op *oracle.Op) oracle.Result {
			members, err := c.ZRange(op.Key, int(op.Start), int(op.Stop))
			if err != nil {
				return failed(err)
			}
			return oracle.Result{Scored: scored(members)}
		},
	}
}

// scored returns members as the model has them.
func scored(members []Z) (out []oracle.Scored) {
	for _, m := range members {
		out = append(out, oracle.Scored{Member: m.Member, Score: m.Score})
	}
	return out
}

func streamRunners() map[string]func(*commands, *oracle.Op) oracle.Result {
	return map[string]func(*commands, *oracle.Op) oracle.Result{
		"XADD": func(c *commands, op *oracle.Op) oracle.Result {
			id := AutoID()
			var err error
			if prefix, auto := strings.CutSuffix(op.ID, "-*"); op.ID != "*" {
				if id, err = ParseStreamID(prefix); err != nil || auto && strings.Contains(prefix, "-") {
					return failed(errBadID(c, err))
				}
				if auto {
					id = AutoSeq(id.Ms)
				}
			}
			var fields []FieldValue
			for i := 0; i < len(op.Values); i += 2 {
				fields = append(fields, F(op.Values[i], op.Values[i+1]))
			}
			if id, err = c.XAdd(op.Key, id, fields...); err != nil {
				return failed(err)
			}
			return oracle.Result{Str: id.String()}
		},
		"XLEN": func(c *commands, op *oracle.Op) oracle.Result { return intResult(c.XLen(op.Key)) },
		"XDEL": func(c *commands, op *oracle.Op) oracle.Result {
			if n, err := c.XDel(op.Key); err != nil || n > 0 {
				return failed(err) // the wrong type comes before wrong ids
			}
			if n, err := c.Exists(op.Key); err != nil || n == 0 {
				return intResult(n, err) // and so does an absent key
			}
			ids := make([]StreamID, len(op.Values))
			for i, s := range op.Values {
				var err error
				if ids[i], err = ParseStreamID(s); err != nil {
					return failed(err)
				}
			}
			return intResult(c.XDel(op.Key, ids...))
		},
		"XRANGE": func(c *commands, op *oracle.Op) oracle.Result {
			first, err := bound(op.ID, "start", 0, StreamID.Next)
			if err != nil {
				return failed(errBadID(c, err))
			}
			last, err := bound(op.EndID, "end", math.MaxUint64, StreamID.Prev)
			if err != nil {
				return failed(errBadID(c, err))
			}
			count := -1
			if op.Flags.Has(oracle.HasCount) {
				count = int(op.N)
			}
			entries, err := c.XRange(op.Key, first, last, count)
			if err != nil {
				return failed(err)
			}
			return oracle.Result{Entries: streamEntries(entries)}
		},
	}
}

// errBadID returns the error of what is no id.
func errBadID(c *commands, err error) error {
	if err == nil {
		_, err = ParseStreamID("")
	}
	return cmp.Or(c.bad, err)
}

// bound reads an end of a range as the wire has it.
func bound(s, name string, seq uint64, step func(StreamID) StreamID) (StreamID, error) {
	switch s {
	case "-":
		return StreamID{}, nil
	case "+":
		return MaxStreamID(), nil
	}
	rest, exclusive := strings.CutPrefix(s, "(")
	id, err := ParseStreamID(rest)
	if err == nil && !strings.Contains(rest, "-") {
		id.Seq = seq
	}
	if err != nil || !exclusive {
		return id, err
	}
	next := step(id)
	if seq == 0 == (next.Compare(id) < 0) {
		return id, &redisError{ErrStreamID, "ERR invalid " + name + " ID for the interval"}
	}
	return next, nil
}

// streamEntries returns entries as the model has them.
func streamEntries(entries []StreamEntry) (out []oracle.Entry) {
	for _, e := range entries {
		entry := oracle.Entry{ID: e.ID.String()}
		for _, f := range e.Fields {
			entry.Fields = append(entry.Fields, f.Field, string(f.Value))
		}
		out = append(out, entry)
	}
	return out
}

// sortedDumpers reads whole values for the comparison with the model's.
func sortedDumpers() map[string]func(*commands, string, *oracle.Value) error {
	return map[string]func(*commands, string, *oracle.Value) error{
		"zset": func(c *commands, key string, v *oracle.Value) error {
			members, err := c.ZRange(key, 0, -1)
			v.ZSet = scored(members)
			return err
		},
		"stream": func(c *commands, key string, v *oracle.Value) error {
			entries, err := c.XRange(key, StreamID{}, MaxStreamID(), -1)
			if err != nil {
				return err
			}
			v.Stream = streamEntries(entries)
			return c.read("dump", key, func(t *store.Tx) error {
				e, _, err := c.lookup(t, key, store.Stream)
				if err != nil {
					return err
				}
				s, err := t.StreamInfo(e)
				v.StreamLastID = StreamID{Ms: s.Last.Ms, Seq: s.Last.Seq}.String()
				return err
			})
		},
	}
}

// TestColdSorted changes a sorted set, a stream and a bitmap that have to be
// loaded again and again, with restarts, beside plain Go.
func TestColdSorted(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("SEED=%d", seed)
	w := &coldSorted{coldDB: openCold(t), r: rand.New(rand.NewPCG(seed, 1)), scores: map[string]float64{}, bits: make([]byte, 2<<20)}
	for i := range sized(4000, 750) {
		w.change()
		if i%25 == 0 {
			w.chill()
		}
		switch i % 1000 {
		case 700:
			w.compare()
			w.reopen()
		case 999:
			w.compare()
		}
	}
}

// coldSorted is the database and what it has to equal.
type coldSorted struct {
	*coldDB
	r       *rand.Rand
	scores  map[string]float64
	entries []oracle.Entry
	last    StreamID
	bits    []byte
}

// change makes one change, or a few at once.
func (w *coldSorted) change() {
	member := fmt.Sprint("member ", w.r.IntN(1500), strings.Repeat("m", 150))
	switch k := w.r.IntN(10); {
	case k < 3:
		score := float64(w.r.IntN(100))
		_, err := w.ZAdd("z", Z{Member: member, Score: score})
		require.NoError(w.t, err)
		w.scores[member] = score
	case k < 4:
		var members []Z
		for i := range 1 + w.r.IntN(60) {
			m := Z{Member: fmt.Sprint("member ", w.r.IntN(1500), strings.Repeat("m", 150)), Score: float64(i)}
			members = append(members, m)
			w.scores[m.Member] = m.Score
		}
		_, err := w.ZAdd("z", members...)
		require.NoError(w.t, err)
	case k < 5:
		n, err := w.ZRem("z", member)
		require.NoError(w.t, err)
		_, in := w.scores[member]
		require.Equal(w.t, in, n == 1)
		delete(w.scores, member)
	case k < 7:
		id, err := w.XAdd("x", AutoSeq(w.last.Ms+w.r.Uint64N(2)), F("field", strings.Repeat("v", w.r.IntN(100)*w.r.IntN(100))))
		require.NoError(w.t, err)
		w.last = id
		entries, err := w.XRange("x", id, id, 1)
		require.NoError(w.t, err)
		w.entries = append(w.entries, streamEntries(entries)...)
	case k < 8 && len(w.entries) > 0:
		i := w.r.IntN(len(w.entries))
		id, err := ParseStreamID(w.entries[i].ID)
		require.NoError(w.t, err)
		n, err := w.XDel("x", id)
		require.NoError(w.t, err)
		require.Equal(w.t, 1, n)
		w.entries = slices.Delete(w.entries, i, i+1)
	default:
		offset := w.r.Int64N(int64(8 * len(w.bits)))
		_, err := w.SetBit("b", offset, true)
		require.NoError(w.t, err)
		w.bits[offset/8] |= 0x80 >> (offset % 8)
	}
}

// compare looks at everything.
func (w *coldSorted) compare() {
	want := make([]Z, 0, len(w.scores))
	for member, score := range w.scores {
		want = append(want, Z{Member: member, Score: score})
	}
	slices.SortFunc(want, func(a, b Z) int {
		return cmp.Or(cmp.Compare(a.Score, b.Score), strings.Compare(a.Member, b.Member))
	})
	w.chill()
	got, err := w.ZRange("z", 0, -1)
	require.NoError(w.t, err)
	require.Equal(w.t, want, got)
	for i := 0; i < len(want); i += 50 {
		w.chill()
		rank, err := w.ZRank("z", want[i].Member)
		require.NoError(w.t, err)
		require.Equal(w.t, i, rank)
	}
	entries, err := w.XRange("x", StreamID{}, MaxStreamID(), -1)
	require.NoError(w.t, err)
	require.Equal(w.t, w.entries, streamEntries(entries))
	n, err := w.BitCount("b")
	require.NoError(w.t, err)
	require.EqualValues(w.t, countOnes(w.bits), n)
}
