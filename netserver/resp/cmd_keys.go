package resp

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/integer"
)

// The options of COPY.
const (
	copyReplace = iota
	copyDB
)

// runCopy is COPY source destination [DB n] [REPLACE].
func runCopy(c *call) error {
	o, _, err := c.options(3, []option{copyReplace: {word: "REPLACE"}, copyDB: {word: "DB", arg: dbArg}})
	if err != nil {
		return err
	}
	var list [2]brock.CopyOption
	opts := list[:0]
	if o.has(copyReplace) {
		opts = append(opts, brock.Replace)
	}
	if o.has(copyDB) {
		n, _ := c.database(o[copyDB])
		opts = append(opts, brock.ToDB(n))
	}
	return c.yes(c.db.Copy(c.str(1), c.str(2), opts...))
}

// runDBSize is DBSIZE.
func runDBSize(c *call) error { return c.number64(c.db.DBSize()) }

// runDel is DEL key [key …].
func runDel(c *call) error { return c.number(c.db.Del(c.strs(1)...)) }

// runExists is EXISTS key [key …].
func runExists(c *call) error { return c.number(c.db.Exists(c.strs(1)...)) }

// runExpire is EXPIRE key seconds [NX | XX | GT | LT].
func runExpire(c *call) error { return c.expire(timeUnit{seconds: true}) }

// runExpireAt is EXPIREAT key unix-time-seconds [NX | XX | GT | LT].
func runExpireAt(c *call) error { return c.expire(timeUnit{seconds: true, absolute: true}) }

// The options of EXPIRE.
const (
	expireNX = iota
	expireXX
	expireGT
	expireLT
)

// expire is EXPIRE, with a time in a unit.
func (c *call) expire(unit timeUnit) error {
	o, at, err := c.options(3, []option{{word: "NX"}, {word: "XX"}, {word: "GT"}, {word: "LT"}})
	switch {
	case err != nil:
		return Error("ERR Unsupported option " + cString(c.str(at)))
	case o.has(expireNX) && (o.has(expireXX) || o.has(expireGT) || o.has(expireLT)):
		return Error("ERR NX and XX, GT or LT options at the same time are not compatible")
	case o.has(expireGT) && o.has(expireLT):
		return Error("ERR GT and LT options at the same time are not compatible")
	}
	var list [maxOptions]brock.ExpireOption
	opts := list[:0]
	for k, opt := range [...]brock.ExpireOption{brock.NX, brock.XX, brock.GT, brock.LT} {
		if o.has(k) {
			opts = append(opts, opt)
		}
	}
	n, err := c.int(2)
	if err != nil {
		return err
	}
	if unit.seconds {
		if n > math.MaxInt64/1000 || n < math.MinInt64/1000 {
			return c.badExpiry()
		}
		n *= 1000
	}
	if !unit.absolute {
		if -maxDurationMs <= n && n <= maxDurationMs {
			return c.yes(c.db.PExpire(c.str(1), time.Duration(n)*time.Millisecond, opts...))
		}
		now := c.db.Now().UnixMilli()
		if n > math.MaxInt64-now {
			return c.badExpiry()
		}
		n += now
	}
	return c.yes(c.db.PExpireAt(c.str(1), time.UnixMilli(n), opts...))
}

// runExpireTime is EXPIRETIME key.
func runExpireTime(c *call) error {
	at, err := c.db.ExpireTime(c.str(1))
	return c.moment(at, at.Unix(), err)
}

// moment replies when a key expires, as n, -1 if it does not, and -2 if there is
// none.
func (c *call) moment(at time.Time, n int64, err error) error {
	if at.IsZero() {
		n = -1
	}
	return c.orInt(-2, c.number64(n, err))
}

// runFlushAll is FLUSHALL [ASYNC | SYNC].
func runFlushAll(c *call) error { return c.flush((*brock.Pipe).FlushAll) }

// flush runs FLUSHALL or FLUSHDB: memory and disk are freed in the background in
// any case.
func (c *call) flush(run func(*brock.Pipe) error) error {
	if len(c.args) > 2 || len(c.args) == 2 && !c.is(1, "ASYNC") && !c.is(1, "SYNC") {
		return errSyntax
	}
	return c.done(run(c.db))
}

// runFlushDB is FLUSHDB [ASYNC | SYNC].
func runFlushDB(c *call) error { return c.flush((*brock.Pipe).FlushDB) }

// runKeys is KEYS pattern.
func runKeys(c *call) error {
	keys, err := c.db.Keys(c.str(1))
	if err == nil {
		c.out.strs(keys)
	}
	return err
}

// runMove is MOVE key db.
func runMove(c *call) error {
	n, err := c.database(2)
	if err != nil {
		return err
	}
	return c.yes(c.db.Move(c.str(1), n))
}

// runPersist is PERSIST key.
func runPersist(c *call) error { return c.yes(c.db.Persist(c.str(1))) }

// runPExpire is PEXPIRE key milliseconds [NX | XX | GT | LT].
func runPExpire(c *call) error { return c.expire(timeUnit{}) }

// runPExpireAt is PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT].
func runPExpireAt(c *call) error { return c.expire(timeUnit{absolute: true}) }

// runPExpireTime is PEXPIRETIME key.
func runPExpireTime(c *call) error {
	at, err := c.db.PExpireTime(c.str(1))
	return c.moment(at, at.UnixMilli(), err)
}

// runPTTL is PTTL key.
func runPTTL(c *call) error {
	ms, err := c.remaining()
	return c.orInt(-2, c.number64(ms, err))
}

// remaining returns how many milliseconds a key has to live, -1 if it does not
// expire.
func (c *call) remaining() (ms int64, err error) {
	ttl, err := c.db.PTTL(c.str(1))
	if err != nil || ttl == brock.NoTTL {
		return -1, err
	}
	if ttl < math.MaxInt64 {
		return ttl.Milliseconds(), nil
	}
	at, err := c.db.PExpireTime(c.str(1))
	return at.UnixMilli() - c.db.Now().UnixMilli(), err
}

// runRandomKey is RANDOMKEY.
func runRandomKey(c *call) error { return c.text(c.db.RandomKey()) }

// runRename is RENAME key newkey.
func runRename(c *call) error { return c.done(c.db.Rename(c.str(1), c.str(2))) }

// runRenameNX is RENAMENX key newkey.
func runRenameNX(c *call) error { return c.yes(c.db.RenameNX(c.str(1), c.str(2))) }

// The options of SCAN.
const (
	scanMatch = iota
	scanCount
	scanType
)

// longScan is the COUNT from which on SCAN is a long command.
const longScan = 1000

// runScan is SCAN cursor [MATCH pattern] [COUNT count] [TYPE type].
func runScan(c *call) error {
	cursor, ok := parseCursor(cString(c.str(1)))
	if !ok {
		return Error("ERR invalid cursor")
	}
	o, _, err := c.options(2, []option{
		scanMatch: {word: "MATCH", arg: anyArg},
		scanCount: {word: "COUNT", arg: countArg},
		scanType:  {word: "TYPE", arg: anyArg},
	})
	if err != nil {
		return err
	}
	var opts brock.ScanOptions
	if o.has(scanMatch) {
		opts.Match = c.str(o[scanMatch])
	}
	if o.has(scanCount) {
		opts.Count, _ = c.count(o[scanCount])
	}
	if o.has(scanType) {
		opts.Type = strings.ToLower(cString(c.str(o[scanType])))
	}
	if opts.Count >= longScan {
		if err := c.wait(); err != nil {
			return err
		}
	}
	keys, next, err := c.db.Scan(cursor, &opts)
	if err != nil {
		return err
	}
	if o.has(scanType) && opts.Type == "" { // which would be any
		keys = nil
	}
	if o.has(scanMatch) && opts.Match == "" { // likewise
		keys = slices.DeleteFunc(keys, func(key string) bool { return key != "" })
	}
	c.out.array(2)
	c.out.str(strconv.FormatUint(next, 10))
	c.out.strs(keys)
	return nil
}

// parseCursor reads a cursor as C's strtoul does, where nothing is 0.
func parseCursor(s string) (cursor uint64, ok bool) {
	if s == "" {
		return 0, true
	}
	digits := strings.TrimPrefix(s, "-")
	negative := digits != s
	if !negative {
		digits = strings.TrimPrefix(s, "+")
	}
	cursor, err := strconv.ParseUint(digits, 10, 64)
	if negative {
		cursor = -cursor
	}
	return cursor, err == nil
}

// runSwapDB is SWAPDB index1 index2.
func runSwapDB(c *call) error {
	var dbs [2]int64
	for i, which := range []string{"first", "second"} {
		n, ok := integer.Parse(c.args[1+i])
		if !ok || n < math.MinInt32 || n > math.MaxInt32 {
			return Error("ERR invalid " + which + " DB index")
		}
		dbs[i] = n
	}
	return c.done(c.db.SwapDB(int(dbs[0]), int(dbs[1])))
}

// runTouch is TOUCH key [key …].
func runTouch(c *call) error { return c.number(c.db.Touch(c.strs(1)...)) }

// runTTL is TTL key.
func runTTL(c *call) error {
	ms, err := c.remaining()
	if ms >= 0 {
		ms = (ms + 500) / 1000
	}
	return c.orInt(-2, c.number64(ms, err))
}

// runType is TYPE key.
func runType(c *call) error {
	name, err := c.db.Type(c.str(1))
	if err == nil {
		c.out.simple(name)
	}
	return err
}

// runUnlink is UNLINK key [key …].
func runUnlink(c *call) error { return c.number(c.db.Unlink(c.strs(1)...)) }
