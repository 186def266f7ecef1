package oracle_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/oracle"
)

// text is op with all its fields; unlike op itself it can be compared when a
// score is NaN.
func text(op oracle.Op) string { return fmt.Sprintf("%#v", op) }

func TestGeneratorRepeats(t *testing.T) {
	a, b := oracle.NewGenerator(5, oracle.Config{}), oracle.NewGenerator(5, oracle.Config{})
	c := oracle.NewGenerator(6, oracle.Config{})
	different := 0
	for range 2000 {
		op := text(a.Next())
		require.Equal(t, op, text(b.Next()))
		if op != text(c.Next()) {
			different++
		}
	}
	require.Greater(t, different, 1000)
}

// TestGeneratorReach runs a long sequence and finds that every command ran and
// succeeded, that values and collections of every size came up, and about a
// quarter of all operations was mistaken.
func TestGeneratorReach(t *testing.T) {
	d := oracle.New(16)
	g := oracle.NewGenerator(2, oracle.Config{})
	ran, hit := map[string]int{}, map[string]int{}
	sizes, dbs := map[string]int{}, map[int]int{}
	largest := map[string]int{}
	errs := map[string]int{}
	failures, singles := 0, 0
	const ops = 20_000
	for i := range ops {
		op := g.Next()
		r := d.Apply(op)
		require.NotEqual(t, "ErrUnknownOp", r.Err)
		ran[op.Name]++
		dbs[op.DB]++
		errs[r.Err]++
		if r.Err == "" {
			hit[op.Name]++
		}
		if op.Name != "XADD" && op.Name != "QPUBLISH" { // they come in bursts
			singles++
			if r.Err != "" && r.Err != "ErrNotFound" && r.Err != "ErrNotSet" {
				failures++
			}
		}
		switch n := len(op.Value); {
		case n >= 1<<10:
			sizes["kilobytes"]++
		case n >= 100:
			sizes["hundreds"]++
		case n > 0:
			sizes["small"]++
		}
		if i%500 == 0 {
			for _, keys := range d.Dump() {
				for _, v := range keys {
					n := max(len(v.String), len(v.Hash), len(v.List), len(v.Set), len(v.ZSet), len(v.Stream))
					largest[v.Type] = max(largest[v.Type], n)
				}
			}
		}
		if i%50 == 0 {
			for _, q := range d.DumpQueues() {
				largest["queue"] = max(largest["queue"], len(q.Ready))
			}
		}
	}
	for _, name := range oracle.Commands() {
		require.NotZero(t, hit[name], "%s", name)
	}
	for _, e := range []string{
		"ErrWrongType", "ErrNotFound", "ErrNotSet", "ErrNotInteger", "ErrOverflow", "ErrSyntax", "ErrNaN",
		"ErrNotFloat", "ErrIndex", "ErrTooBig", "ErrExpire", "ErrStreamID", "ErrDB", "ErrSameObject", "ErrNoQueue",
	} {
		require.NotZero(t, errs[e], e)
	}
	require.InDelta(t, 0.15, float64(failures)/float64(singles), 0.08, "mistakes that were noticed")
	require.Greater(t, sizes["small"], sizes["hundreds"])
	require.Greater(t, sizes["hundreds"], sizes["kilobytes"])
	require.Greater(t, sizes["kilobytes"], 20)
	require.Greater(t, dbs[0], ops/2)
	for db := range 16 {
		require.NotZero(t, dbs[db])
	}
	for _, kind := range []string{"hash", "list", "set", "zset"} {
		require.Greater(t, largest[kind], 1000, "%v", largest)
	}
	require.Greater(t, largest["stream"], 200, "%v", largest)
	require.Greater(t, largest["queue"], 200, "%v", largest)
	require.Greater(t, largest["string"], 1<<15, "%v", largest)
	require.Less(t, largest["string"], 1<<22, "%v", largest)
}

func TestGeneratorConfig(t *testing.T) {
	g := oracle.NewGenerator(3, oracle.Config{
		Databases: 2, Wrong: -1, Typed: true, MinTTL: 500_000, MaxBulk: 10, MaxBit: 50,
		Weights: map[string]int{"ADVANCE": 0, "QPUBLISH burst": 0},
	})
	require.Zero(t, g.Weights()["ADVANCE"])
	require.NotZero(t, g.Weights()["SET options"])
	d := oracle.New(2)
	for _, op := range g.Take(5000) {
		require.NotEqual(t, "ADVANCE", op.Name)
		require.LessOrEqual(t, max(len(op.Values), len(op.Scored)), 20)
		r := d.Apply(op)
		require.NotContains(t, []string{"ErrDB", "ErrSyntax", "ErrExpire", "ErrNaN", "ErrIndex", "ErrTooBig"}, r.Err, "%s", op)
	}
	for _, keys := range d.Dump() {
		for _, v := range keys {
			if v.Deadline != 0 {
				require.Greater(t, v.Deadline, int64(500_000))
			}
		}
	}
}

// TestGeneratorTyped finds no options that exclude each other, but where Go can
// say them, and nothing that a time.Duration cannot hold.
func TestGeneratorTyped(t *testing.T) {
	d := oracle.New(16)
	for _, op := range oracle.NewGenerator(4, oracle.Config{Typed: true, Wrong: 0.9}).Take(10_000) {
		r := d.Apply(op)
		if !strings.Contains(op.Name, "EXPIRE") {
			require.NotEqual(t, "ErrSyntax", r.Err, "%s", op)
		}
		var unit time.Duration
		switch {
		case op.Name == "EXPIRE", op.Name == "SETEX":
			unit = time.Second
		case op.Name == "PEXPIRE", op.Flags.Has(oracle.HasTTL), op.Name == "PSETEX":
			unit = time.Millisecond
		default:
			continue
		}
		require.Less(t, op.N, math.MaxInt64/int64(unit))
		require.Greater(t, op.N, math.MinInt64/int64(unit))
	}
}

func TestOpString(t *testing.T) {
	require.Equal(t, `db3 SET "k" "v" "XX" "PX" "5"`,
		oracle.Op{Name: "SET", DB: 3, Key: "k", Value: "v", N: 5, Flags: oracle.XX | oracle.HasTTL}.String())
	require.Equal(t, `db0 QNACK "q" "" "2" "4096"`, oracle.Op{Name: "QNACK", Key: "q", N: 2, Flags: oracle.Requeue}.String())
	long := oracle.Op{Name: "RPUSH", Key: "k", Values: slices.Repeat([]string{string(make([]byte, 100))}, 100)}
	require.Contains(t, long.String(), "(100 bytes)")
	require.Contains(t, long.String(), "(101 arguments)")
}

func TestResultCanon(t *testing.T) {
	require.Equal(t, oracle.Result{}, oracle.Result{
		List: []string{}, Optional: []oracle.Optional{}, Map: map[string]string{}, Scored: []oracle.Scored{}, Entries: []oracle.Entry{},
	}.Canon())
}
