package oracle_test

import (
	"testing"
	"github.com/brockdb/brock/internal/oracle"
)

func TestStat(t *testing.T) {
	g := oracle.NewGenerator(1, oracle.Config{})
	d := oracle.New(16)
	hits := map[string][3]int{}
	big := map[string]int{}
	for i := range 20000 {
		op := g.Next()
		r := d.Apply(op)
		h := hits[op.Name]
		h[0]++
		if r.Err != "" { h[1]++ } else if op.Key != "" { zero := oracle.Result{}; if r.Str == zero.Str && r.Int == 0 && r.List == nil && r.Map == nil && r.Scored == nil && r.Entries == nil && r.Message == zero.Message { h[2]++ } }
		hits[op.Name] = h
		if i%2000 == 1999 {
			n, bytes := 0, 0
			for _, db := range d.Dump() { for _, v := range db { n++; bytes += len(v.String)
				big[v.Type] = max(big[v.Type], len(v.List), len(v.Hash), len(v.Set), len(v.ZSet), len(v.Stream)) } }
			t.Log(i, "keys", n, "string bytes", bytes, big)
			for n, q := range d.DumpQueues() { t.Log(n, len(q.Ready), len(q.Unsettled)) }
		}
	}
	for n, h := range hits { t.Log(n, h) }
}
