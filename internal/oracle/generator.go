package oracle

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Config steers a [Generator]. The zero value is good for most tests.
type Config struct {
	Databases int     // default 16; most operations are in 0 and 1
	Keys      int     // default 42: few, so that operations meet; a multiple of 7
	Queues    int     // default 3
	MaxBulk   int     // most elements of one bulk operation; default 3000
	MaxBit    int64   // greatest offset of a bit; default 1<<20
	Wrong     float64 // share of operations that are mistaken on purpose; default 0.25, none if negative
	Start     int64   // time of the clock at the start, for IDs of streams

	// MinTTL is the least time to live, in milliseconds, that is not in the
	// past. It is for clocks that are real: no key expires, and times to live
	// are most of a minute apart, so that two servers whose clocks differ
	// agree which of two is greater.
	MinTTL int64

	// Typed leaves out mistakes that Go methods may make impossible: options
	// that exclude each other, and times to live beyond a time.Duration.
	Typed bool

	// Weights replaces weights of the table, by the names that
	// [Generator.Weights] tells; 0 leaves the operation out.
	Weights map[string]int
}

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	set := func(p *int, n int) {
		if *p == 0 {
			*p = n
		}
	}
	set(&c.Databases, 16)
	set(&c.Keys, 42)
	set(&c.Queues, 3)
	set(&c.MaxBulk, 3000)
	if c.MaxBit == 0 {
		c.MaxBit = 1 << 20
	}
	if c.Wrong == 0 {
		c.Wrong = 0.25
	}
	return c
}

// Generator makes a random sequence of operations. The same seed and Config
// make the same sequence; it does not depend on what the operations do.
type Generator struct {
	config  Config
	r       *rand.Rand
	table   []entry
	total   int
	pending []Op // the rest of a burst

	now    int64   // what ADVANCE operations add up to
	stamps []int64 // the last times of which IDs were made
	serial int64   // of explicit IDs
	minute int64   // that the last time to live beyond MinTTL was given
	wrong  bool    // the operation being made is to be mistaken
}

// entry is a line of the weighted table.
type entry struct {
	name   string // the command, or the command and a variant: "RPUSH bulk"
	weight int
	fill   func(*Generator, *Op)
}

// NewGenerator returns a generator for seed.
func NewGenerator(seed uint64, config Config) *Generator {
	g := &Generator{config: config.withDefaults(), r: rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15))}
	g.now = g.config.Start
	for _, e := range entries() {
		if w, ok := g.config.Weights[e.name]; ok {
			e.weight = w
		}
		g.table = append(g.table, e)
		g.total += e.weight
	}
	return g
}

// Weights returns the table: each entry with its weight.
func (g *Generator) Weights() map[string]int {
	w := map[string]int{}
	for _, e := range g.table {
		w[e.name] = e.weight
	}
	return w
}

// Next returns the next operation.
func (g *Generator) Next() Op {
	if len(g.pending) > 0 {
		op := g.pending[0]
		g.pending = g.pending[1:]
		return op
	}
	n := g.r.IntN(g.total)
	i := 0
	for ; n >= g.table[i].weight; i++ {
		n -= g.table[i].weight
	}
	e := g.table[i]
	op := Op{DB: g.db()}
	op.Name, _, _ = strings.Cut(e.name, " ")
	g.wrong = g.r.Float64() < g.config.Wrong
	e.fill(g, &op)
	return op
}

// Take returns the next n operations.
func (g *Generator) Take(n int) []Op {
	ops := make([]Op, n)
	for i := range ops {
		ops[i] = g.Next()
	}
	return ops
}

// chance is true once in n times.
func (g *Generator) chance(n int) bool { return g.r.IntN(n) == 0 }

// one returns one of choices.
func one[T any](g *Generator, choices ...T) T { return choices[g.r.IntN(len(choices))] }

// db returns the number of a database, seldom one that there is not.
func (g *Generator) db() int {
	switch n := g.r.IntN(1000); {
	case n < 800:
		return 0
	case n < 900:
		return min(1, g.config.Databases-1)
	case n < 997 || g.config.Wrong < 0:
		return g.r.IntN(g.config.Databases)
	default:
		return one(g, -1, g.config.Databases)
	}
}

// favourites are the commands' types by number of key: key i is mostly used as
// favourites()[i%7], of which the last is a string of bits.
func favourites() []string {
	return []string{TypeString, TypeHash, TypeList, TypeSet, TypeZSet, TypeStream, "bits"}
}

// keyName is the name of key i: one is empty, one is not text, some are long,
// and two of these differ behind the first 64 KiB only.
func keyName(i int) string {
	switch {
	case i == 1:
		return ""
	case i == 2:
		return "\x00\xff{k}\r\n"
	case i == 15:
		return "key:15:" + strings.Repeat("k", 1500)
	case i == 23 || i == 31:
		return strings.Repeat("key", 22_000) + strconv.Itoa(i)
	case i%8 == 7:
		return fmt.Sprintf("key:%d:%s", i, strings.Repeat("k", 100+i*7%200))
	default:
		return fmt.Sprintf("key:%d", i)
	}
}

// key returns a key for a command of kind, and if the operation is to be
// mistaken mostly one that is used for something else.
func (g *Generator) key(kind string) string {
	i := min(g.r.IntN(g.config.Keys), g.r.IntN(g.config.Keys)) // the first ones most
	if at := slices.Index(favourites(), kind); at >= 0 && (!g.wrong || g.chance(3)) {
		i = min(i-i%7+at, g.config.Keys-1)
	}
	return keyName(i)
}

// keys returns a few keys for a command of kind, perhaps one of them twice.
func (g *Generator) keys(kind string) (list []string) {
	for range 1 + g.r.IntN(4) {
		list = append(list, g.key(kind))
	}
	if g.chance(6) {
		list = append(list, list[0])
	}
	return list
}

// text returns n bytes: mostly letters, at times any.
func (g *Generator) text(n int) string {
	b := make([]byte, n)
	binary := g.chance(8)
	for i := range b {
		if b[i] = byte('a' + g.r.IntN(26)); binary {
			b[i] = byte(g.r.IntN(256))
		}
	}
	return string(b)
}

// size returns a length: mostly small, at times 100 to 300, seldom 1 to 10 KB.
func (g *Generator) size() int {
	switch n := g.r.IntN(100); {
	case n < 75:
		return g.r.IntN(20)
	case n < 85:
		return g.r.IntN(100)
	case n < 97:
		return 100 + g.r.IntN(200)
	default:
		return 1<<10 + g.r.IntN(9<<10)
	}
}

// value returns a value: often a number, otherwise text of any size.
func (g *Generator) value() string {
	switch n := g.r.IntN(20); {
	case n < 7:
		return strconv.Itoa(g.r.IntN(2000) - 1000)
	case n == 7:
		return one(g, "9223372036854775807", "-9223372036854775808", "9223372036854775800",
			"9223372036854775808", "007", "-0", "+1", " 1", "1.5", "")
	default:
		return g.text(g.size())
	}
}

// valueAt returns a value for the string at key: mostly a number in every other
// one, to count in.
func (g *Generator) valueAt(key string) string {
	if !timed(key) && !g.chance(4) {
		return strconv.Itoa(g.r.IntN(2000) - 1000)
	}
	return g.value()
}

// element is the element, field or member number i; the same number always
// gives the same one. Most are short, some long, one is empty; of the long ones
// many begin alike.
func element(i int) string {
	switch s := strconv.Itoa(i); {
	case i == 7:
		return ""
	case i%256 == 41:
		return strings.Repeat("member", 11_000) + s
	case i%16 == 13:
		return strings.Repeat("m", 1100) + s
	case i%64 == 9:
		return "e" + s + strings.Repeat("long", 256+i*37%1500)
	case i%16 == 5:
		return "e" + s + strings.Repeat(".", 100+i*13%200)
	case i%16 == 11:
		return "\x00\xfe" + s
	default:
		return "e" + s
	}
}

// element returns an element, field or member: mostly one of few, at times one
// that only a bulk operation would have put in.
func (g *Generator) element() string {
	switch n := g.r.IntN(10); {
	case n < 7:
		return element(g.r.IntN(12))
	case n < 9:
		return element(g.r.IntN(100))
	default:
		return element(g.r.IntN(g.config.MaxBulk))
	}
}

// few returns 1 to n elements.
func (g *Generator) few(n int) (list []string) {
	for range 1 + g.r.IntN(n) {
		list = append(list, g.element())
	}
	return list
}

// bulk returns the numbers of many elements that follow each other, in random
// order at times.
func (g *Generator) bulk() []int {
	n := g.config.MaxBulk/6 + g.r.IntN(g.config.MaxBulk*5/6+1)
	first := g.r.IntN(g.config.MaxBulk - min(n, g.config.MaxBulk-1))
	list := make([]int, n)
	for i := range list {
		list[i] = first + i
	}
	if g.chance(2) {
		g.r.Shuffle(n, func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	return list
}

// many returns the elements of a bulk.
func (g *Generator) many() (list []string) {
	for _, i := range g.bulk() {
		list = append(list, element(i))
	}
	return list
}

// index returns an index: near an end, or far in, or out of range.
func (g *Generator) index() int64 {
	switch n := g.r.IntN(20); {
	case n < 10:
		return int64(g.r.IntN(12) - 6)
	case n < 15:
		return int64(g.r.IntN(200) - 100)
	case n < 19:
		return int64(g.r.IntN(4*g.config.MaxBulk) - 2*g.config.MaxBulk)
	default:
		return one[int64](g, math.MaxInt64, math.MinInt64, math.MaxInt32, 1<<40, -1<<40)
	}
}

// span sets Start and Stop: mostly a short or whole range.
func (g *Generator) span(op *Op) {
	op.Start, op.Stop = g.index(), g.index()
	switch g.r.IntN(4) {
	case 0:
		op.Start, op.Stop = 0, -1
	case 1, 2:
		op.Stop = op.Start
		if op.Start < math.MaxInt64-100 {
			op.Stop += int64(g.r.IntN(50))
		}
	}
}

// ttl returns a time to live in milliseconds: short, long or, where past is
// allowed and now and then, not in the future.
func (g *Generator) ttl(past bool) int64 {
	if past && g.chance(6) {
		return one[int64](g, 0, -1, -100_000)
	}
	ttl := one[int64](g, 1, 20, 500, 5_000, 100_000, 1<<30, 1<<40, 1<<40) + g.r.Int64N(50)
	if g.config.MinTTL != 0 {
		g.minute = (g.minute + 0x9e37b) % (1 << 20) // odd: each of them once
		ttl += g.config.MinTTL + g.minute*time.Minute.Milliseconds()
	}
	return ttl
}

// score returns a score; many are equal.
func (g *Generator) score() float64 {
	switch n := g.r.IntN(20); {
	case n < 12:
		return float64(g.r.IntN(10) - 3)
	case n < 15:
		return g.r.NormFloat64() * 1e3
	case n < 18:
		return float64(g.r.IntN(2000)) / 4
	default:
		return one(g, math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64, 1e17, -1e17, 0.1, 1<<53, 3.0e-10)
	}
}

// timed tells whether entries of the stream at key get their IDs from the
// time; in the others IDs are explicit and small. It is true of every other
// key.
func timed(key string) bool { return key == "" || key[len(key)-1]%2 == 0 }

// id returns an ID that may be in the stream at key.
func (g *Generator) id(key string) string {
	if !timed(key) {
		return g.explicitID(g.serial - g.r.Int64N(30))
	}
	if len(g.stamps) == 0 {
		return strconv.FormatInt(g.now, 10)
	}
	return fmt.Sprintf("%d-%d", one(g, g.stamps...), g.r.IntN(1+g.r.IntN(30)))
}

// explicitID is the explicit ID number n.
func (g *Generator) explicitID(n int64) string {
	n = max(n, 1)
	if n%3 == 0 {
		return strconv.FormatInt(n/3, 10) // the sequence is 0
	}
	return fmt.Sprintf("%d-%d", n/3, n%3)
}

// bound returns an end of a range of the stream at key.
func (g *Generator) bound(key, open string) string {
	switch n := g.r.IntN(10); {
	case g.wrong && n < 2:
		return g.badID()
	case n < 5:
		return open
	case n < 7:
		return "(" + g.id(key)
	default:
		return g.id(key)
	}
}

// badID returns what is no ID, or no end of a range.
func (g *Generator) badID() string {
	return one(g, "", "x", "1-x", "-1", "1-2-3", "1.5", "18446744073709551616", "(", "(-", "(+", "5-*", "*",
		"(18446744073709551615-18446744073709551615", "(0-0")
}

// queue returns one of the queues; if the operation is to be mistaken, perhaps
// one that nobody declares.
func (g *Generator) queue() string {
	if g.wrong && g.chance(4) {
		return "nowhere"
	}
	return "q" + strings.Repeat(".a", g.r.IntN(g.config.Queues))
}
