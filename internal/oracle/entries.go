package oracle

import (
	"math"
	"slices"
	"strconv"
)

// entries is the table of what a generator makes.
func entries() []entry {
	return slices.Concat(
		stringEntries(), numberEntries(), bitEntries(), keyEntries(), expireEntries(), databaseEntries(), hashEntries(),
		listEntries(), setEntries(), zsetEntries(), streamEntries(), queueEntries(),
	)
}

// keyed fills in a key for a command of kind that needs nothing else.
func keyed(kind string) func(*Generator, *Op) {
	return func(g *Generator, op *Op) { op.Key = g.key(kind) }
}

// ranged fills in a key and a range.
func ranged(kind string) func(*Generator, *Op) {
	return func(g *Generator, op *Op) {
		op.Key = g.key(kind)
		g.span(op)
	}
}

// fielded fills in a key and a field or member.
func fielded(kind string) func(*Generator, *Op) {
	return func(g *Generator, op *Op) { op.Key, op.Field = g.key(kind), g.element() }
}

// listed fills in a key and a few elements, or many.
func listed(kind string, elements func(*Generator) []string) func(*Generator, *Op) {
	return func(g *Generator, op *Op) { op.Key, op.Values = g.key(kind), elements(g) }
}

// added and removed are the elements of most commands: collections grow.
func added(g *Generator) []string   { return g.few(6) }
func removed(g *Generator) []string { return g.few(2) }

// stringEntries are those of strings.
func stringEntries() []entry {
	return []entry{
		{"SET", 500, func(g *Generator, op *Op) {
			op.Key = g.overwritten()
			op.Value = g.valueAt(op.Key)
		}},
		{"SET options", 250, fillSet},
		{"SETGET", 120, func(g *Generator, op *Op) {
			fillSet(g, op)
			if g.wrong {
				op.Key = g.key(TypeString)
			}
		}},
		{"GETSET", 60, func(g *Generator, op *Op) {
			op.Key = g.key(TypeString)
			op.Value = g.valueAt(op.Key)
		}},
		{"SETNX", 60, func(g *Generator, op *Op) { op.Key, op.Value = g.key(anyType), g.value() }},
		{"SETNX expiry", 60, func(g *Generator, op *Op) {
			op.Key, op.Value = g.key(anyType), g.value()
			g.expiry(op)
		}},
		{"SETXX", 60, func(g *Generator, op *Op) {
			op.Key = g.overwritten()
			op.Value = g.valueAt(op.Key)
			g.expiry(op)
		}},
		{"SETEX", 40, fillSetEx(1000)},
		{"PSETEX", 40, fillSetEx(1)},
		{"GETEX", 120, func(g *Generator, op *Op) {
			op.Key = g.key(TypeString)
			if g.chance(3) {
				op.Flags = one(g, 0, Persist)
			} else {
				g.expiry(op)
			}
			if op.Flags.Has(Moment) && g.chance(10) {
				op.N = one(g, g.now, g.now-1, 1)
			}
			if g.wrong && !g.config.Typed && g.chance(4) {
				op.Flags |= Persist
			}
		}},
		{"GET", 500, keyed(TypeString)},
		{"GETDEL", 40, keyed(TypeString)},
		{"MSET", 100, func(g *Generator, op *Op) { g.pairs(op, 1+g.r.IntN(4)) }},
		{"MSETNX", 60, func(g *Generator, op *Op) {
			g.pairs(op, 1+g.r.IntN(2))
			if g.chance(3) {
				op.Keys[0] = g.key(anyType)
			}
		}},
		{"MGET", 120, func(g *Generator, op *Op) { op.Keys = g.keys(TypeString) }},
		{"APPEND", 150, func(g *Generator, op *Op) { op.Key, op.Value = g.key(TypeString), g.text(g.size()) }},
		{"GETRANGE", 150, ranged(TypeString)},
		{"SETRANGE", 150, func(g *Generator, op *Op) {
			op.Key, op.Value, op.N = g.key(TypeString), g.text(g.size()), int64(g.r.IntN(400))
			switch {
			case g.wrong:
				op.N = one[int64](g, -1, math.MinInt64, math.MaxInt64, maxString, maxString-1)
				op.Value += "xy" // too long, not just not
			case g.chance(4):
				op.Value, op.N = one(g, "", op.Value), int64(g.r.IntN(20_000))
			}
		}},
		{"STRLEN", 100, keyed(TypeString)},
	}
}

// numberEntries are those of numbers in strings, and of two strings.
func numberEntries() []entry {
	return []entry{
		{"INCR", 250, keyed(TypeString)},
		{"INCRBY", 200, fillIncrBy},
		{"DECR", 60, keyed(TypeString)},
		{"DECRBY", 60, fillIncrBy},
		{"INCRBYFLOAT", 150, func(g *Generator, op *Op) { op.Key, op.Value = g.key(TypeString), g.float() }},
		{"INCRBYFLOAT64", 60, func(g *Generator, op *Op) {
			x := one(g, g.r.NormFloat64(), g.r.NormFloat64()*math.Pow(10, float64(g.r.IntN(40)-20)), float64(g.r.IntN(200)-100), 0.1)
			if g.wrong {
				x = one(g, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64)
			}
			op.Key, op.Value = g.key(TypeString), strconv.FormatFloat(x, 'g', -1, 64)
		}},
		{"LCS", 15, fillLCS},
		{"LCSLEN", 10, fillLCS},
		{"LCSIDX", 15, fillLCS},
	}
}

// fillSet makes a SET with options.
func fillSet(g *Generator, op *Op) {
	wrong := g.wrong
	op.Key = g.overwritten()
	op.Value = g.valueAt(op.Key)
	flags := one(g, 0, 0, NX, XX)
	switch g.r.IntN(3) {
	case 0:
		g.wrong = wrong
		g.expiry(op)
	case 1:
		op.Flags = KeepTTL
	}
	op.Flags |= flags
	if wrong && !g.config.Typed {
		switch g.r.IntN(4) {
		case 0:
			op.Flags |= NX | XX
		case 1:
			op.Flags |= KeepTTL | HasTTL
		case 2:
			op.Flags = HasTTL
			op.N = one[int64](g, math.MaxInt64, math.MinInt64)
		}
	}
}

// expiry gives op a time to live, or a moment to expire at, or neither.
func (g *Generator) expiry(op *Op) {
	op.Flags = one(g, 0, HasTTL, HasTTL, Moment)
	switch op.Flags {
	case HasTTL:
		op.N = g.ttl(g.wrong)
	case Moment:
		if op.N = g.now + g.ttl(false); g.wrong && g.chance(3) {
			op.N = one[int64](g, 0, -1, -1000)
		} else if g.config.MinTTL == 0 && g.chance(10) {
			op.N = one(g, g.now, g.now-1, 1)
		}
	default:
		return
	}
	if g.chance(3) && op.N > 0 {
		op.N += 1000 - op.N%1000 // whole seconds
	}
}

// fillSetEx makes a SETEX, in the unit of so many milliseconds.
func fillSetEx(unit int64) func(*Generator, *Op) {
	return func(g *Generator, op *Op) {
		wrong := g.wrong
		op.Key = g.overwritten()
		op.Value = g.valueAt(op.Key)
		if op.N = g.ttl(wrong); op.N > 0 {
			op.N = (op.N + unit - 1) / unit
		}
		if wrong && !g.config.Typed && g.chance(3) {
			op.N = one[int64](g, math.MaxInt64, math.MinInt64, math.MaxInt64/1000)
		}
	}
}

// pairs gives op n keys with values.
func (g *Generator) pairs(op *Op, n int) {
	for range n {
		op.Keys = append(op.Keys, g.overwritten())
		op.Values = append(op.Values, g.valueAt(op.Keys[len(op.Keys)-1]))
	}
}

// fillIncrBy makes an INCRBY or DECRBY.
func fillIncrBy(g *Generator, op *Op) {
	op.Key, op.N = g.key(TypeString), int64(g.r.IntN(200)-100)
	if g.wrong {
		op.N = one[int64](g, math.MaxInt64, math.MinInt64, math.MaxInt64-500, math.MinInt64+500)
	}
}

// float returns the text of a number, at times an odd one or, if the operation
// is to be mistaken, none.
func (g *Generator) float() string {
	switch n := g.r.IntN(20); {
	case g.wrong && n < 8:
		return one(g, "", "abc", "nan", "1e", "1e5000", "1e-5000", " 1", "1 ", "1_0", "0x", "1.2.3", "--1", "inf", "-Infinity")
	case n < 8:
		return strconv.FormatFloat(g.r.NormFloat64(), 'f', g.r.IntN(20), 64)
	case n < 12:
		return strconv.FormatFloat(g.r.NormFloat64()*math.Pow(10, float64(g.r.IntN(40)-20)), 'e', g.r.IntN(20), 64)
	case n < 16:
		return strconv.Itoa(g.r.IntN(200) - 100)
	default:
		return one(g, "0.1", "-0.2", "+.5", "5.", "-0", "0e9999", "3.0e-5", "1e17", "-1E+15", "0x1.8p3", "0XfFp-2", "0x.8", "007.50",
			"18446744073709551615", "0.000003814697265625", "1e-4950", "1e100", "123456789012345678901234567890.5")
	}
}

// fillLCS makes two strings with much in common, and then an LCS of them.
func fillLCS(g *Generator, op *Op) {
	lcs := *op
	lcs.Keys = []string{g.key(TypeString), g.key(TypeString)}
	lcs.N = int64(g.r.IntN(5) - 1)
	wrong := g.wrong
	a := []byte(g.text(g.r.IntN(300)))
	b := append([]byte{}, a...)
	for range g.r.IntN(1 + len(b)/4) {
		at := g.r.IntN(len(b))
		if b[at] = byte('a' + g.r.IntN(3)); g.chance(2) {
			b = append(b[:at], b[at+1:]...)
		}
	}
	*op = Op{Name: "SET", DB: op.DB, Key: lcs.Keys[0], Value: string(a)}
	if !wrong || g.chance(2) {
		g.pending = append(g.pending, Op{Name: "SET", DB: op.DB, Key: lcs.Keys[1], Value: string(b)})
	}
	g.pending = append(g.pending, lcs)
}

// overwritten returns a key for a command that any type gives way to: seldom
// one that is used for something else, lest too much is lost.
func (g *Generator) overwritten() string {
	g.wrong = g.wrong && g.chance(5)
	return g.key(TypeString)
}

// bitEntries are those of bitmaps.
func bitEntries() []entry {
	offset := func(g *Generator) int64 {
		switch n := g.r.IntN(20); {
		case g.wrong && n < 12:
			return one[int64](g, -1, maxBit, math.MaxInt64, math.MinInt64)
		case n < 12:
			return g.r.Int64N(200)
		case n < 19:
			return g.r.Int64N(20_000)
		default:
			return g.r.Int64N(g.config.MaxBit + 1)
		}
	}
	return []entry{
		{"SETBIT", 400, func(g *Generator, op *Op) {
			op.Key, op.N, op.Bit = g.key("bits"), offset(g), g.r.IntN(2)
			if g.wrong && g.chance(3) {
				op.Bit = one(g, 2, -1)
			}
		}},
		{"BITPOS", 150, func(g *Generator, op *Op) {
			op.Key, op.Bit = g.key("bits"), g.r.IntN(2)
			g.span(op)
			op.Flags = one(g, 0, HasStart, HasRange, HasRange|InBits)
			if g.wrong && g.chance(3) {
				op.Bit = one(g, 2, -1)
			}
		}},
		{"BITOP", 120, func(g *Generator, op *Op) {
			op.Value, op.Keys = one(g, "AND", "OR", "XOR", "NOT"), g.keys("bits")
			if op.Value == "NOT" && (!g.wrong || g.config.Typed) {
				op.Keys = op.Keys[:1]
			}
			if op.Dst = g.key("bits"); g.chance(8) {
				op.Dst = g.overwritten()
			}
		}},
		{"BITFIELD", 200, func(g *Generator, op *Op) {
			op.Key = g.key("bits")
			for range g.r.IntN(6) {
				op.Steps = append(op.Steps, g.bitStep(offset(g), one(g, "GET", "SET", "SET", "INCRBY", "INCRBY", "OVERFLOW")))
			}
		}},
		{"BITFIELD_RO", 60, func(g *Generator, op *Op) {
			op.Key = g.key("bits")
			for range g.r.IntN(4) {
				op.Steps = append(op.Steps, g.bitStep(offset(g), "GET"))
			}
			if g.wrong && !g.config.Typed {
				op.Steps = append(op.Steps, g.bitStep(offset(g), "SET"))
			}
		}},
		{"GETBIT", 200, func(g *Generator, op *Op) { op.Key, op.N = g.key("bits"), offset(g) }},
		{"BITCOUNT", 100, keyed("bits")},
		{"BITCOUNT range", 150, func(g *Generator, op *Op) {
			op.Key, op.Flags = g.key("bits"), one(g, HasRange, HasRange|InBits)
			g.span(op)
		}},
	}
}

// bitStep returns a step of BITFIELD.
func (g *Generator) bitStep(offset int64, name string) BitStep {
	s := BitStep{Name: name, Offset: offset}
	wrong := g.wrong && !g.config.Typed && g.chance(4)
	switch bits := one(g, 1+g.r.IntN(63), 1, 8, 16, 32, 63); {
	case wrong && name == "OVERFLOW":
		s.Type = "NONE"
	case name == "OVERFLOW":
		s.Type = one(g, "WRAP", "SAT", "FAIL")
	case wrong:
		s.Type = one(g, "", "i0", "u0", "i65", "u64", "x8", "8", "i", "i08")
	case g.chance(10):
		s.Type = "i64"
	default:
		s.Type = one(g, "i", "u") + strconv.Itoa(bits)
	}
	switch n := g.r.IntN(10); {
	case n < 6:
		s.N = int64(g.r.IntN(200) - 100)
	case n < 9:
		s.N = int64(g.r.Uint64())
	default:
		s.N = one[int64](g, math.MaxInt64, math.MinInt64, math.MinInt64+1<<20, -1, 1<<32)
	}
	return s
}

// expiring makes an EXPIRE or, with at, an EXPIREAT, in the unit of so many
// milliseconds.
func expiring(unit int64, at, conditions bool) func(*Generator, *Op) {
	return func(g *Generator, op *Op) {
		op.Key = g.key(anyType)
		op.N = g.ttl(true)
		if op.N > 0 {
			op.N += unit - 1
		}
		if at {
			op.N += g.now
		}
		op.N /= unit
		if g.wrong && g.chance(3) {
			switch {
			case at && unit == 1:
				op.N = one[int64](g, math.MinInt64, -1, 0)
			case at || !g.config.Typed:
				op.N = one[int64](g, math.MaxInt64, math.MinInt64, math.MaxInt64/1000+1, math.MinInt64/1000-1)
			}
		}
		if conditions {
			op.Flags = one(g, NX, XX, GT, LT, XX|GT, XX|LT)
			if g.wrong {
				op.Flags |= one(g, NX, GT, LT)
			}
		}
	}
}

// expireEntries are those of deadlines.
func expireEntries() []entry {
	return []entry{
		{"EXPIRE", 60, expiring(1000, false, false)},
		{"PEXPIRE", 120, expiring(1, false, false)},
		{"EXPIRE conditions", 30, expiring(1000, false, true)},
		{"PEXPIRE conditions", 50, expiring(1, false, true)},
		{"EXPIREAT", 30, expiring(1000, true, false)},
		{"PEXPIREAT", 60, expiring(1, true, false)},
		{"EXPIREAT conditions", 20, expiring(1000, true, true)},
		{"PEXPIREAT conditions", 30, expiring(1, true, true)},
		{"TTL", 100, keyed(anyType)},
		{"PTTL", 150, keyed(anyType)},
		{"EXPIRETIME", 50, keyed(anyType)},
		{"PEXPIRETIME", 50, keyed(anyType)},
		{"PERSIST", 120, keyed(anyType)},
	}
}

// inquiring makes an OBJECT with a subcommand.
func inquiring(subcommand string) func(*Generator, *Op) {
	return func(g *Generator, op *Op) { op.Key, op.Field = g.key(anyType), subcommand }
}

// keyEntries are those of keys of any type.
func keyEntries() []entry {
	keys := func(g *Generator, op *Op) { op.Keys = g.keys(anyType) }
	return []entry{
		{"DEL", 40, func(g *Generator, op *Op) { op.Keys = []string{g.key(anyType)} }},
		{"DEL several", 20, keys},
		{"UNLINK", 30, keys},
		{"EXISTS", 100, keys},
		{"TOUCH", 50, keys},
		{"TYPE", 100, keyed(anyType)},
		{"OBJECT ENCODING", 200, inquiring("ENCODING")},
		{"OBJECT REFCOUNT", 50, inquiring("REFCOUNT")},
		{"OBJECT FREQ", 10, inquiring("FREQ")},
		{"OBJECT IDLETIME", 60, inquiring("IDLETIME")},
		{"RENAME", 80, func(g *Generator, op *Op) { op.Key, op.Dst = g.renamed() }},
		{"RENAMENX", 60, func(g *Generator, op *Op) { op.Key, op.Dst = g.renamed() }},
		{"COPY", 80, func(g *Generator, op *Op) {
			op.Key, op.Dst = g.renamed()
			op.DstDB, op.Flags = one(g, op.DB, g.db()), one(g, 0, Replace)
		}},
		{"MOVE", 60, func(g *Generator, op *Op) {
			op.Key, op.DstDB = g.key(anyType), g.db()
			if g.wrong && g.chance(2) {
				op.DstDB = op.DB
			}
		}},
	}
}

// renamed returns two keys, mostly of the same favourite type.
func (g *Generator) renamed() (key, dst string) {
	if g.wrong && g.chance(3) {
		return g.key(anyType), g.key(anyType)
	}
	g.wrong = false
	kind := one(g, favourites()...)
	return g.key(kind), g.key(kind)
}

// databaseEntries are those of whole databases, and of the clock.
func databaseEntries() []entry {
	nothing := func(*Generator, *Op) {}
	pattern := func(g *Generator, op *Op) {
		op.Value = one(g, "*", "*", "*", "key:1*", "key:?", "key:[1-3]?", "k*[^0-4]", "?", "", `key:\1`, "*\xff*", "key:[", "[z-a]ey:*", "**", "*[\x00-\x80]*")
	}
	return []entry{
		{"KEYS", 30, pattern},
		{"SCAN", 40, func(g *Generator, op *Op) {
			pattern(g, op)
			op.N = one[int64](g, 0, 1, 3, 100)
			if g.chance(3) {
				op.Field = one(g, TypeString, TypeHash, TypeList, TypeSet, TypeZSet, TypeStream, "none", "HASH")
			}
		}},
		{"RANDOMKEY", 30, nothing},
		{"DBSIZE", 60, nothing},
		{"FLUSHDB", 10, func(g *Generator, op *Op) {
			if op.DB == 0 { // the one that should fill
				op.DB = g.r.IntN(g.config.Databases)
			}
		}},
		{"FLUSHALL", 5, nothing},
		{"SWAPDB", 10, func(g *Generator, op *Op) { op.DstDB = g.db() }},
		{"ADVANCE", 600, func(g *Generator, op *Op) {
			*op = Op{Name: op.Name, N: one[int64](g, 1, 1, 1, 2, 20, 100, 3_000)}
			if g.chance(20) {
				op.N = one[int64](g, 60_000, 1_000_000)
			}
			g.now += op.N
		}},
	}
}

// hashEntries are those of hashes.
func hashEntries() []entry {
	return []entry{
		{"HSET", 500, func(g *Generator, op *Op) {
			op.Key = g.key(TypeHash)
			for range 1 + g.r.IntN(6) {
				op.Values = append(op.Values, g.element(), g.value())
			}
		}},
		{"HSET bulk", 20, func(g *Generator, op *Op) {
			op.Key = g.key(TypeHash)
			for _, i := range g.bulk() {
				op.Values = append(op.Values, element(i), g.text(g.r.IntN(40)))
			}
		}},
		{"HGET", 300, fielded(TypeHash)},
		{"HDEL", 80, listed(TypeHash, removed)},
		{"HDEL bulk", 10, listed(TypeHash, (*Generator).many)},
		{"HLEN", 100, keyed(TypeHash)},
		{"HGETALL", 100, keyed(TypeHash)},
	}
}

// listEntries are those of lists.
func listEntries() []entry {
	pop := func(g *Generator, op *Op) {
		op.Key = g.key(TypeList)
		if g.chance(3) {
			op.Flags, op.N = HasCount, int64(g.r.IntN(6))
			switch {
			case g.wrong && g.chance(2):
				op.N = one[int64](g, -1, math.MinInt64)
			case g.chance(8):
				op.N = int64(g.r.IntN(g.config.MaxBulk))
			}
		}
	}
	trim := func(g *Generator, op *Op) {
		op.Key = g.key(TypeList)
		switch g.r.IntN(8) {
		case 0:
			g.span(op)
		case 1:
			op.Start, op.Stop = int64(g.r.IntN(500)), -1
		case 2:
			op.Start, op.Stop = 0, int64(g.r.IntN(2000))
		default:
			op.Start, op.Stop = int64(g.r.IntN(3)), int64(-1-g.r.IntN(3))
		}
	}
	return []entry{
		{"LPUSH", 250, listed(TypeList, added)},
		{"RPUSH", 250, listed(TypeList, added)},
		{"LPUSH bulk", 10, listed(TypeList, (*Generator).many)},
		{"RPUSH bulk", 20, listed(TypeList, (*Generator).many)},
		{"LPOP", 200, pop},
		{"RPOP", 200, pop},
		{"LLEN", 100, keyed(TypeList)},
		{"LINDEX", 200, func(g *Generator, op *Op) { op.Key, op.N = g.key(TypeList), g.index() }},
		{"LINSERT", 250, func(g *Generator, op *Op) {
			op.Key, op.Field, op.Value = g.key(TypeList), g.element(), g.element()
			op.Flags = one(g, 0, Before)
		}},
		{"LRANGE", 150, ranged(TypeList)},
		{"LTRIM", 80, trim},
	}
}

// setEntries are those of sets.
func setEntries() []entry {
	return []entry{
		{"SADD", 400, listed(TypeSet, added)},
		{"SADD bulk", 20, listed(TypeSet, (*Generator).many)},
		{"SREM", 80, listed(TypeSet, removed)},
		{"SREM bulk", 10, listed(TypeSet, (*Generator).many)},
		{"SISMEMBER", 150, fielded(TypeSet)},
		{"SMEMBERS", 50, keyed(TypeSet)},
		{"SCARD", 100, keyed(TypeSet)},
		{"SPOP", 100, keyed(TypeSet)},
		{"SINTER", 100, func(g *Generator, op *Op) { op.Keys = g.keys(TypeSet) }},
	}
}

// zsetEntries are those of sorted sets.
func zsetEntries() []entry {
	add := func(g *Generator, op *Op) {
		op.Key = g.key(TypeZSet)
		for range 1 + g.r.IntN(6) {
			op.Scored = append(op.Scored, Scored{g.element(), g.score()})
		}
	}
	return []entry{
		{"ZADD", 400, func(g *Generator, op *Op) {
			add(g, op)
			if g.wrong && g.chance(3) {
				op.Scored[g.r.IntN(len(op.Scored))].Score = math.NaN()
			}
		}},
		{"ZADD options", 200, func(g *Generator, op *Op) {
			add(g, op)
			op.Flags = one(g, NX, XX, GT, LT, XX|GT, XX|LT) | one(g, 0, CH)
			if g.wrong && !g.config.Typed {
				op.Flags |= one(g, NX, GT, LT)
			}
		}},
		{"ZADD bulk", 20, func(g *Generator, op *Op) {
			op.Key = g.key(TypeZSet)
			for _, i := range g.bulk() {
				op.Scored = append(op.Scored, Scored{element(i), g.score()})
			}
		}},
		{"ZREM", 80, listed(TypeZSet, removed)},
		{"ZREM bulk", 10, listed(TypeZSet, (*Generator).many)},
		{"ZSCORE", 150, fielded(TypeZSet)},
		{"ZRANK", 150, fielded(TypeZSet)},
		{"ZRANGE", 150, ranged(TypeZSet)},
		{"ZCARD", 100, keyed(TypeZSet)},
	}
}

// burst returns how many operations of a kind follow each other.
func (g *Generator) burst() int {
	return g.config.MaxBulk/6 + g.r.IntN(g.config.MaxBulk/3+1)
}

// fillXAdd makes an XADD with the kind of ID that its stream has.
func fillXAdd(g *Generator, op *Op) {
	op.Key = g.key(TypeStream)
	for range 1 + g.r.IntN(3) {
		op.Values = append(op.Values, g.element(), g.value())
	}
	if g.wrong && g.chance(2) {
		op.ID = one(g, g.badID(), g.id(op.Key), "0-0", "0", "0-*", "1")
		return
	}
	g.newID(op)
}

// newID gives op an ID that is new in its stream.
func (g *Generator) newID(op *Op) {
	g.serial++
	switch {
	case timed(op.Key):
		op.ID = "*"
		if g.stamps = append(g.stamps, g.now); len(g.stamps) > 30 {
			g.stamps = g.stamps[1:]
		}
	case g.chance(4):
		op.ID = strconv.FormatInt(g.serial/3, 10) + "-*"
	default:
		op.ID = g.explicitID(g.serial)
	}
}

// streamEntries are those of streams.
func streamEntries() []entry {
	return []entry{
		{"XADD", 400, fillXAdd},
		{"XADD burst", 3, func(g *Generator, op *Op) {
			g.wrong = false
			fillXAdd(g, op)
			for range g.burst() {
				next := *op
				g.newID(&next)
				next.Values = []string{"n", strconv.FormatInt(g.serial, 10)}
				g.pending = append(g.pending, next)
			}
		}},
		{"XRANGE", 150, func(g *Generator, op *Op) {
			op.Key = g.key(TypeStream)
			op.ID, op.EndID = g.bound(op.Key, "-"), g.bound(op.Key, "+")
			if g.chance(2) {
				op.Flags, op.N = HasCount, int64(1+g.r.IntN(20))
			}
		}},
		{"XLEN", 100, keyed(TypeStream)},
		{"XDEL", 200, func(g *Generator, op *Op) {
			op.Key = g.key(TypeStream)
			for range 1 + g.r.IntN(4) {
				op.Values = append(op.Values, g.id(op.Key))
			}
			if g.wrong && g.chance(2) {
				op.Values = append(op.Values, g.badID())
			}
		}},
	}
}

// queueEntries are those of queues.
func queueEntries() []entry {
	named := func(g *Generator, op *Op) { op.DB, op.Key = 0, g.queue() }
	publish := func(g *Generator, op *Op) {
		named(g, op)
		op.Value = g.text(g.size())
	}
	settle := func(g *Generator, op *Op) {
		named(g, op)
		op.N = one(g, 0, int64(g.r.IntN(100)))
	}
	return []entry{
		{"QDECLARE", 150, func(g *Generator, op *Op) {
			g.wrong = false
			named(g, op)
		}},
		{"QPUBLISH", 500, publish},
		{"QPUBLISH burst", 5, func(g *Generator, op *Op) {
			g.wrong = false
			publish(g, op)
			next := *op
			op.Name = "QDECLARE"
			for range g.burst() {
				next.Value = g.text(g.r.IntN(40))
				g.pending = append(g.pending, next)
			}
		}},
		{"QGET", 450, named},
		{"QACK", 250, settle},
		{"QNACK", 150, func(g *Generator, op *Op) {
			settle(g, op)
			op.Flags = one(g, 0, Requeue, Requeue)
		}},
		{"QPURGE", 10, named},
		{"QDELETE", 10, named},
	}
}
