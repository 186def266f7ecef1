package brock

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/oracle"
)

// scan is a loop of Scan, between whose calls anything happens.
type scan struct {
	db     int
	opts   ScanOptions
	cursor uint64
	always map[string]bool // keys that have been there all the time
	found  map[string]int  // how often each key was found
}

// scansAtATime is how many loops of Scan go on at a time.
const scansAtATime = 3

// scan makes one call of a loop of Scan, the first of one at times.
func (w *world) scan() {
	if len(w.scans) < scansAtATime && w.r.IntN(4) == 0 || len(w.scans) == 0 {
		w.scans = append(w.scans, w.newScan())
	}
	i := w.r.IntN(len(w.scans))
	s := w.scans[i]
	w.note("scan")
	matching := w.matching(s)
	keys, next, err := w.db.on(s.db).Scan(s.cursor, &s.opts)
	require.NoError(w.t, err)
	for _, key := range keys {
		if !matching[key] {
			w.t.Errorf("scan of database %d, %+v: found %q, which does not match or is not there", s.db, s.opts, key)
		}
		s.found[key]++
	}
	if s.cursor = next; next != 0 {
		return
	}
	for key := range s.always {
		if s.found[key] != 1 {
			w.t.Errorf("scan of database %d, %+v: found %q %d times", s.db, s.opts, key, s.found[key])
		}
	}
	w.scans = slices.Delete(w.scans, i, i+1)
}

// newScan begins a loop of Scan.
func (w *world) newScan() *scan {
	pick := func(choices ...string) string { return choices[w.r.IntN(len(choices))] }
	s := &scan{
		db: min(w.r.IntN(4), 1), found: map[string]int{},
		opts: ScanOptions{Match: pick("", "", "*", "key:1*", "*[^0-4]"), Type: pick("", "", "string", "HASH", "zset"), Count: w.r.IntN(20)},
	}
	s.always = w.matching(s)
	return s
}

// matching returns the keys that a loop of Scan is to find.
func (w *world) matching(s *scan) map[string]bool {
	pattern := s.opts.Match
	if pattern == "" {
		pattern = "*"
	}
	keys, err := w.model.Scan(s.db, pattern, s.opts.Type)
	require.NoError(w.t, err)
	set := map[string]bool{}
	for _, key := range keys {
		set[key] = true
	}
	return set
}

// watchScans notes which keys are not there all the time, or are of another type
// meanwhile.
func (w *world) watchScans() {
	for _, s := range w.scans {
		for key := range s.always {
			kind, err := w.model.Type(s.db, key)
			require.NoError(w.t, err)
			if kind == "none" || s.opts.Type != "" && !strings.EqualFold(kind, s.opts.Type) {
				delete(s.always, key)
			}
		}
	}
}

// requireAllRan wants each operation of the generator to have run, and each
// command to have an operation.
func requireAllRan(t *testing.T, ran map[string]int) {
	t.Helper()
	gen := oracle.NewGenerator(rand.Uint64(), oracle.Config{Weights: keysOnly()})
	for name, weight := range gen.Weights() {
		kind, _, _ := strings.Cut(name, " ")
		if kind == "OBJECT" {
			kind = name
		}
		if weight > 0 && kind != "ADVANCE" {
			require.NotZero(t, ran[kind], "%s did not run", kind)
		}
	}
	for name := range runners() {
		if name != "OBJECT" { // each of its subcommands is one
			require.NotZero(t, ran[name], "%s did not run", name)
		}
	}
	forms, elsewhere := formsOf(), []string{"BLPop", "MemoryUsage", "Now", "Scan"}
	methods := reflect.TypeFor[*commands]()
	for i := range methods.NumMethod() {
		name := methods.Method(i).Name
		op, ok := forms[name]
		if !ok {
			op = strings.ToUpper(name)
		}
		if !slices.Contains(elsewhere, name) {
			require.NotZero(t, ran[op], "%s did not run", name)
		}
	}
}

// formsOf tells which operation a method is tested by that has not its name.
func formsOf() map[string]string {
	return map[string]string{
		"BitCountRange": "BITCOUNT", "BitFieldRO": "BITFIELD_RO", "BitPosFrom": "BITPOS", "BitPosRange": "BITPOS",
		"IncrByDecimal": "INCRBYFLOAT", "IncrByFloat": "INCRBYFLOAT64", "LPopCount": "LPOP", "RPopCount": "RPOP",
		"ObjectEncoding": "OBJECT ENCODING", "ObjectFreq": "OBJECT FREQ", "ObjectIdleTime": "OBJECT IDLETIME",
		"ObjectRefCount": "OBJECT REFCOUNT", "SPopCount": "SPOP", "ScanKeys": "SCAN", "ZAddOpt": "ZADD",
	}
}
