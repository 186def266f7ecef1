package oracle

import (
	"errors"
	"fmt"
	"maps"
	"strings"
)

// Flags are the options of an operation.
type Flags uint32

// The flags, by the commands that have them.
const (
	NX       Flags = 1 << iota // SET, EXPIRE and its like, ZADD
	XX                         // SET, EXPIRE and its like, ZADD
	GT                         // EXPIRE and its like, ZADD
	LT                         // EXPIRE and its like, ZADD
	CH                         // ZADD
	HasTTL                     // SET and its like, GETEX: N is a time to live in milliseconds
	KeepTTL                    // SET
	Replace                    // COPY
	HasCount                   // LPOP, RPOP, XRANGE: N is the count
	HasRange                   // BITCOUNT, BITPOS: Start and Stop count
	InBits                     // BITCOUNT, BITPOS: they are bits
	Before                     // LINSERT
	Requeue                    // QNACK
	Given                      // SPOP, RANDOMKEY: Field is what the library found
	Moment                     // SET and its like, GETEX: N is a time in milliseconds
	Persist                    // GETEX
	HasStart                   // BITPOS: Start counts
)

// Has reports whether f has all of want.
func (f Flags) Has(want Flags) bool { return f&want == want }

// Op is an operation as plain data. Which fields count depends on Name, which
// is the command in Redis, or one of those for queues and the clock:
//
//	SET        Key Value; NX XX KeepTTL; HasTTL or Moment with N
//	SETGET     the same: SET with GET
//	SETNX SETXX       Key Value; HasTTL or Moment with N
//	GETSET     Key Value
//	SETEX      Key, seconds N, Value
//	PSETEX     Key, milliseconds N, Value
//	GETEX      Key; HasTTL or Moment with N; Persist
//	GET GETDEL STRLEN INCR DECR BITCOUNT TTL PTTL EXPIRETIME PEXPIRETIME PERSIST TYPE
//	HLEN HGETALL LLEN SMEMBERS SCARD SPOP ZCARD XLEN     Key
//	MSET MSETNX       Keys and Values, as many
//	INCRBY DECRBY     Key N
//	INCRBYFLOAT       Key, number Value
//	INCRBYFLOAT64     the same, with a float64's shortest text
//	LCS LCSLEN        two Keys
//	LCSIDX     two Keys, MINMATCHLEN N
//	APPEND     Key Value
//	GETRANGE LRANGE LTRIM ZRANGE    Key Start Stop; BITCOUNT with HasRange, too
//	SETRANGE   Key, offset N, Value
//	SETBIT     Key, offset N, Bit
//	GETBIT     Key, offset N
//	BITPOS     Key Bit; HasStart with Start, or HasRange with Start and Stop; InBits
//	BITOP      operation Value, Dst, Keys
//	BITFIELD BITFIELD_RO            Key Steps
//	MGET DEL UNLINK EXISTS TOUCH SINTER Keys
//	EXPIRE EXPIREAT   Key, seconds N; NX XX GT LT
//	PEXPIRE PEXPIREAT Key, milliseconds N; NX XX GT LT
//	RENAME RENAMENX   Key Dst
//	OBJECT     Key, subcommand Field: ENCODING REFCOUNT FREQ, or IDLETIME, for
//	           which N is what the library found
//	COPY       Key DstDB Dst; Replace
//	MOVE       Key DstDB
//	SWAPDB     DB DstDB
//	SCAN       all keys that match the pattern Value, of the type Field if
//	           that is not empty; N is COUNT
//	KEYS       pattern Value
//	DBSIZE RANDOMKEY FLUSHDB FLUSHALL
//	HSET       Key, Values as field, value, field, value
//	HGET SISMEMBER ZSCORE ZRANK     Key Field
//	HDEL LPUSH RPUSH SADD SREM ZREM Key Values
//	LPOP RPOP  Key; HasCount with N
//	LINDEX     Key, index N
//	LINSERT    Key, pivot Field, Value; Before
//	ZADD       Key Scored; NX XX GT LT CH
//	XADD       Key ID, Values as field, value
//	XRANGE     Key ID EndID; HasCount with N
//	XDEL       Key, IDs in Values
//	QDECLARE QGET QPURGE QDELETE    queue Key
//	QPUBLISH   queue Key, body Value
//	QACK QNACK queue Key, delivery N as in [DB.Ack]; Requeue
//	ADVANCE    the clock by N milliseconds
type Op struct {
	Name  string
	DB    int
	Key   string
	Dst   string
	DstDB int
	Keys  []string

	Value  string
	Field  string
	Values []string
	Scored []Scored
	Steps  []BitStep
	ID     string
	EndID  string

	N     int64
	Start int64
	Stop  int64
	Bit   int
	Flags Flags
}

// String describes the operation on one line, with long values cut.
func (op Op) String() string {
	const most = 16
	args, ok := op.RedisArgs()
	if !ok {
		args = []string{op.Name, op.Key, op.Value, fmt.Sprint(op.N), fmt.Sprint(op.Flags)}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "db%d %s", op.DB, args[0])
	for i, arg := range args[1:] {
		if i == most {
			fmt.Fprintf(&b, " ... (%d arguments)", len(args)-1)
			break
		}
		fmt.Fprintf(&b, " %s", short(arg))
	}
	return b.String()
}

// short is s quoted, cut when long.
func short(s string) string {
	const most = 40
	if len(s) > most {
		return fmt.Sprintf("%q...(%d bytes)", s[:most], len(s))
	}
	return fmt.Sprintf("%q", s)
}

// Result is the reply to an operation as plain data. Only the field that the
// command replies with is set, and an empty collection is nil; a yes is Int 1.
// Use [Result.Canon] on a result made elsewhere.
//
//	Int       a number, a length, a yes or no; LINSERT -1, TTL -1 and -2
//	Str       GET GETDEL GETEX GETRANGE INCRBYFLOAT LCS TYPE RANDOMKEY HGET LINDEX SPOP XADD,
//	          OBJECT ENCODING, LPOP and RPOP without HasCount
//	Float     ZSCORE INCRBYFLOAT64
//	List      LRANGE, LPOP and RPOP with HasCount; sorted: KEYS SCAN SMEMBERS SINTER
//	Optional  MGET, BITFIELD and BITFIELD_RO; SETGET and GETSET one, with Int 1
//	          if NX or XX refused
//	Matches   LCSIDX, with the length in Int
//	Map       HGETALL
//	Scored    ZRANGE
//	Entries   XRANGE
//	Message   QGET, with the number of messages left in Int; QACK QNACK
type Result struct {
	Err  string // the name of the error's kind, as "ErrWrongType"; "" for none
	Text string // what Redis says then; "" where it replies nil

	Int      int64
	Str      string
	Float    float64
	List     []string
	Optional []Optional
	Map      map[string]string
	Scored   []Scored
	Entries  []Entry
	Matches  []CommonRun
	Message  Message
}

// Canon returns r with empty collections as nil.
func (r Result) Canon() Result {
	if len(r.List) == 0 {
		r.List = nil
	}
	if len(r.Optional) == 0 {
		r.Optional = nil
	}
	if len(r.Map) == 0 {
		r.Map = nil
	}
	if len(r.Scored) == 0 {
		r.Scored = nil
	}
	if len(r.Entries) == 0 {
		r.Entries = nil
	}
	if len(r.Matches) == 0 {
		r.Matches = nil
	}
	return r
}

// Apply runs op and returns its reply. The zero Result is the reply to what
// says OK.
func (d *DB) Apply(op Op) Result {
	c, ok := d.commands[op.Name]
	if !ok {
		return failed(ErrUnknownOp.with("ERR unknown command '" + op.Name + "'"))
	}
	var r Result
	if err := c.apply(d, op, &r); err != nil {
		return failed(err)
	}
	return r.Canon()
}

// failed is the reply of a command that returned err.
func failed(err error) Result {
	var e *Error
	if !errors.As(err, &e) {
		return Result{Err: "error", Text: err.Error()}
	}
	return Result{Err: e.Name(), Text: e.RedisText()}
}

// command is how an operation runs on the model, and what it is on the wire.
type command struct {
	apply func(*DB, Op, *Result) error
	args  func(Op) []string // without the name; nil if Redis has no such command
}

// commands is the table of all commands by name.
func commands() map[string]command {
	all := map[string]command{}
	for _, family := range []map[string]command{
		stringCommands(), numberCommands(), bitCommands(), keyCommands(), expireCommands(), databaseCommands(), hashCommands(),
		listCommands(), setCommands(), zsetCommands(), streamCommands(), queueCommands(),
	} {
		maps.Copy(all, family)
	}
	return all
}

// Commands returns the names of all operations, in no order.
func Commands() []string {
	var names []string
	for name := range commands() {
		names = append(names, name)
	}
	return names
}
