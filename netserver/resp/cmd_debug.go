package resp

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/integer"
)

// Errors of DEBUG.
const (
	errDebugOff     Error = "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server."
	errNoSuchKey    Error = "ERR no such key"
	errNoDB         Error = "ERR Out of range database"
	errPositive     Error = "ERR value is out of range, must be positive"
	errReload       Error = "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."
	errProtocolType Error = "ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
	errNotInRESP2   Error = "ERR RESP2 is not supported by this command"
)

// debugCommand is a subcommand of DEBUG.
type debugCommand struct {
	name, syntax, summary string
	least, most           int // arguments behind the name
	run                   handler
}

// debugCommands returns the subcommands of DEBUG.
func debugCommands() []debugCommand {
	return []debugCommand{
		{"DIGEST", "", "Returns a hash of all data.", 0, 0, runDebugDigest},
		{"DIGEST-VALUE", "<key> [<key> ...]", "Returns a hash of the value of each key.", 0, math.MaxInt, runDebugDigestValue},
		{"HTSTATS", "<db>", "Tells how many keys a database has, and how many expire.", 1, 1, runDebugHTStats},
		{"LOADAOF", "", "Has all changes so far reach the disk.", 0, 0, runDebugLoadAOF},
		{"OBJECT", "<key>", "Tells how the value of a key is kept.", 1, 1, runDebugObject},
		{"POPULATE", "<count> [<prefix>] [<size>]", "Sets keys that do not exist to strings.", 1, 3, runDebugPopulate},
		{"PROTOCOL", "<type>", "Replies a value of a type of the protocol.", 1, 1, runDebugProtocol},
		{"RELOAD", "[NOSAVE] [NOFLUSH] [MERGE]", "Makes a checkpoint.", 0, math.MaxInt, runDebugReload},
		{"SET-ACTIVE-EXPIRE", "0|1", "Turns the removal of expired keys in the background off and on.", 1, 1, runDebugSetActiveExpire},
		{"SLEEP", "<seconds>", "Keeps the connection waiting.", 1, 1, runDebugSleep},
	}
}

// runDebug runs a subcommand of DEBUG.
func runDebug(c *call) error {
	if !c.srv.opts.EnableDebug {
		return errDebugOff
	}
	list := debugCommands()
	if c.is(1, "HELP") && len(c.args) == 2 {
		lines := []string{"DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"}
		for _, sub := range list {
			lines = append(lines, strings.TrimSpace(sub.name+" "+sub.syntax), helpIndent+sub.summary)
		}
		c.out.help(append(lines, "HELP", helpIndent+"Lists the subcommands."))
		return nil
	}
	for _, sub := range list {
		if n := len(c.args) - 2; c.is(1, sub.name) && sub.least <= n && n <= sub.most {
			return sub.run(c)
		}
	}
	return Error("ERR unknown subcommand or wrong number of arguments for '" + c.str(1) + "'. Try DEBUG HELP.")
}

// runDebugDigest replies a hash of all data.
func runDebugDigest(c *call) error {
	if err := c.wait(); err != nil {
		return err
	}
	var sum digest
	err := c.snapshot(func(tx *brock.Tx) error {
		for n := range c.srv.databases {
			if err := sum.database(tx.DB(n), n); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		c.out.simple(sum.String())
	}
	return err
}

// runDebugDigestValue replies a hash of the value of each key.
func runDebugDigestValue(c *call) error {
	if err := c.wait(); err != nil {
		return err
	}
	sums := make([]digest, len(c.args)-2)
	err := c.snapshot(func(tx *brock.Tx) error {
		tx = tx.DB(int(c.conn.db.Load()))
		for i := range sums {
			if err := sums[i].value(tx, c.str(i+2)); err != nil && !errors.Is(err, brock.ErrNotFound) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.out.array(len(sums))
	for _, sum := range sums {
		c.out.simple(sum.String())
	}
	return nil
}

// snapshot runs fn on a View. The reply leaves once what fn has seen is durable.
func (c *call) snapshot(fn func(tx *brock.Tx) error) error {
	err := c.srv.db.View(fn)
	c.mark = c.srv.reach.Store.Stats().Committed
	return err
}

// runDebugHTStats tells how many keys a database has.
func runDebugHTStats(c *call) error {
	n, err := c.int(2)
	switch {
	case err != nil:
		return err
	case n < 0 || n >= int64(c.srv.databases):
		return errNoDB
	}
	st := c.srv.db.Stats()
	c.out.verbatim(fmt.Sprintf("[Dictionary HT]\n number of elements: %d\n[Expires HT]\n number of elements: %d\n", st.Keys[n], st.Expiring[n]))
	return nil
}

// runDebugLoadAOF has all changes reach the disk: there is nothing to be loaded
// that is not in memory as it is in the log.
func runDebugLoadAOF(c *call) error {
	if err := c.wait(); err != nil {
		return err
	}
	if err := c.srv.db.Sync(); err != nil {
		return err
	}
	c.out.ok()
	return nil
}

// runDebugObject tells how the value of a key is kept.
func runDebugObject(c *call) error {
	encoding, err := c.db.ObjectEncoding(c.str(2))
	if errors.Is(err, brock.ErrNotFound) {
		return errNoSuchKey
	}
	refs, err2 := c.db.ObjectRefCount(c.str(2))
	idle, err3 := c.db.ObjectIdleTime(c.str(2))
	size, err4 := c.db.MemoryUsage(c.str(2))
	for _, err := range []error{err, err2, err3, err4} {
		if err != nil {
			return err
		}
	}
	c.out.simple(fmt.Sprintf("Value at:0x0 refcount:%d encoding:%s memory:%d lru_seconds_idle:%d", refs, encoding, size, int64(idle.Seconds())))
	return nil
}

// populateBatch is how many keys DEBUG POPULATE sets at once.
const populateBatch = 1000

// runDebugPopulate sets keys that do not exist.
func runDebugPopulate(c *call) error {
	if err := c.wait(); err != nil {
		return err
	}
	count, ok := integer.Parse(c.args[2])
	if !ok || count < 0 {
		return errPositive
	}
	prefix, size := "key", int64(0)
	if len(c.args) > 3 {
		prefix = c.str(3)
	}
	if len(c.args) > 4 {
		if size, ok = integer.Parse(c.args[4]); !ok || size < 0 || size > maxBulk {
			return errPositive
		}
	}
	for i := range count {
		value := []byte("value:" + strconv.FormatInt(i, 10))
		if size > 0 {
			sized := make([]byte, size)
			copy(sized, value)
			value = sized
		}
		if _, err := c.db.SetNX(prefix+":"+strconv.FormatInt(i, 10), value); err != nil {
			return err
		}
		if i%populateBatch == 0 && c.ctx.Err() != nil {
			return c.ctx.Err()
		}
	}
	c.out.ok()
	return nil
}

// runDebugProtocol replies a value of a type.
func runDebugProtocol(c *call) error {
	out := c.out
	switch strings.ToLower(c.str(2)) {
	case "string":
		out.str("Hello World")
	case "integer":
		out.int(12345)
	case "double":
		out.double(3.141)
	case "bignum":
		out.bigNumber("1234567999999999999999999999999999999")
	case "null":
		out.null()
	case "array":
		out.array(3)
		out.upToThree()
	case "set":
		out.set(3)
		out.upToThree()
	case "map":
		out.dict(3)
		for i := range 3 {
			out.int(int64(i))
			out.truth(i == 1)
		}
	case "attrib":
		if out.proto > 2 {
			out.attribute(1)
			out.str("key-popularity")
			out.array(2)
			out.str("key:123")
			out.int(90)
		}
		out.str("Some real reply following the attribute")
	case "push":
		if out.proto < 3 {
			return errNotInRESP2
		}
		out.push(2)
		out.str("server-cpu-usage")
		out.int(42)
		out.str("Some real reply following the push reply")
	case "verbatim":
		out.verbatim("This is a verbatim\nstring")
	case "true", "false":
		out.truth(c.is(2, "true"))
	default:
		return errProtocolType
	}
	return nil
}

// upToThree appends three integers.
func (r *reply) upToThree() {
	for i := range 3 {
		r.int(int64(i))
	}
}

// runDebugReload makes a checkpoint. Loading it again would change nothing:
// what is in memory is what was loaded, with the changes since.
func runDebugReload(c *call) error {
	save := true
	for i := range c.args[2:] {
		switch {
		case c.is(i+2, "NOSAVE"):
			save = false
		case !c.is(i+2, "NOFLUSH") && !c.is(i+2, "MERGE"):
			return errReload
		}
	}
	if err := c.wait(); err != nil {
		return err
	}
	if save {
		if err := c.srv.db.Checkpoint(); err != nil {
			return err
		}
	}
	c.out.ok()
	return nil
}

// runDebugSetActiveExpire turns the removal of expired keys off and on.
func runDebugSetActiveExpire(c *call) error {
	n, _ := strconv.Atoi(c.str(2)) // anything else turns it off
	c.srv.reach.Store.SetExpiry(n != 0)
	c.out.ok()
	return nil
}

// runDebugSleep keeps the connection waiting. Others go on.
func runDebugSleep(c *call) error {
	if err := c.wait(); err != nil {
		return err
	}
	timer := time.NewTimer(parseSleep(c.str(2)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.ctx.Done():
	}
	c.out.ok()
	return nil
}

// parseSleep reads how many seconds to sleep. As in Redis what is no number is no
// time, nor is one below 0, or that 64 bits of microseconds do not hold.
func parseSleep(s string) time.Duration {
	seconds, ok := parseFloat(s)
	us := seconds * 1e6
	if !ok || us < 0 || us >= math.MaxInt64 {
		return 0
	}
	return time.Duration(min(int64(us), math.MaxInt64/1000)) * time.Microsecond
}
