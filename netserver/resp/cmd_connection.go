package resp

import (
	"crypto/subtle"
	"math"
	"strings"

	"github.com/brockdb/brock/internal/integer"
)

// Errors of commands about the connection.
const (
	errNoPassword Error = "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
	errWrongPass  Error = "WRONGPASS invalid username-password pair or user is disabled."
	errNoProto    Error = "NOPROTO unsupported protocol version"
	errProtoInt   Error = "ERR Protocol version is not an integer or out of range"
	errHelloAuth  Error = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
	errDBRange    Error = "ERR DB index is out of range"
	errInt32      Error = "ERR value is out of range, value must between -2147483648 and 2147483647"
	errPingArity  Error = "ERR wrong number of arguments for 'ping' command"
	errClientName Error = "ERR Client names cannot contain spaces, newlines or special characters."
)

// defaultUser is the only user.
const defaultUser = "default"

// runAuth logs in.
func runAuth(c *call) error {
	switch {
	case len(c.args) > 3:
		return errSyntax
	case len(c.args) == 3:
		if err := c.login(c.args[1], c.args[2]); err != nil {
			return err
		}
	case c.srv.config.password() == "":
		return errNoPassword
	default:
		if err := c.login([]byte(defaultUser), c.args[1]); err != nil {
			return err
		}
	}
	c.out.ok()
	return nil
}

// login logs a user in. Without a password in the configuration any will do.
func (c *call) login(user, pass []byte) error {
	want := c.srv.config.password()
	if string(user) != defaultUser || want != "" && subtle.ConstantTimeCompare(pass, []byte(want)) == 0 {
		return errWrongPass
	}
	c.conn.authed = true
	return nil
}

// runEcho replies its argument.
func runEcho(c *call) error {
	c.out.bulk(c.args[1])
	return nil
}

// runHello chooses the version of the protocol.
func runHello(c *call) error {
	proto := c.conn.proto.Load()
	rest := c.args[1:]
	if len(rest) > 0 {
		n, ok := integer.Parse(rest[0])
		switch {
		case !ok:
			return errProtoInt
		case n != 2 && n != 3:
			return errNoProto
		}
		proto, rest = int32(n), rest[1:]
	}
	if err := c.helloOptions(rest); err != nil {
		return err
	}
	if c.conn.locked() {
		return errHelloAuth
	}
	c.conn.proto.Store(proto)
	c.out.proto = int(proto)
	c.out.dict(7)
	c.out.pair("server", "redis")
	c.out.pair("version", c.srv.opts.Version)
	c.out.pairInt("proto", int64(proto))
	c.out.pairInt("id", c.conn.id)
	c.out.pair("mode", "standalone")
	c.out.pair("role", "master")
	c.out.str("modules")
	c.out.array(0)
	return nil
}

// helloOptions does what the options of HELLO say, one after the other.
func (c *call) helloOptions(args [][]byte) error {
	for len(args) > 0 {
		switch word := view(args[0]); {
		case strings.EqualFold(word, "AUTH") && len(args) > 2:
			if err := c.login(args[1], args[2]); err != nil {
				return err
			}
			args = args[3:]
		case strings.EqualFold(word, "SETNAME") && len(args) > 1:
			if err := c.conn.setName(args[1]); err != nil {
				return err
			}
			args = args[2:]
		default:
			return Error("ERR Syntax error in HELLO option '" + word + "'")
		}
	}
	return nil
}

// setName names the connection; the empty name is none.
func (c *conn) setName(name []byte) error {
	if !plain(name) {
		return errClientName
	}
	own := string(name)
	c.name.Store(&own)
	return nil
}

// plain tells whether a text has no spaces and no control characters.
func plain(text []byte) bool {
	for _, b := range text {
		if b < '!' || b > '~' {
			return false
		}
	}
	return true
}

// runPing tells that the server is there.
func runPing(c *call) error {
	switch len(c.args) {
	case 1:
		c.out.b = append(c.out.b, "+PONG\r\n"...)
	case 2:
		c.out.bulk(c.args[1])
	default:
		return errPingArity
	}
	return nil
}

// runQuit closes the connection.
func runQuit(c *call) error {
	c.out.ok()
	c.quit()
	return nil
}

// runReset makes the connection what it was in the beginning.
func runReset(c *call) error {
	c.conn.reset()
	c.out.proto = 2
	c.out.simple("RESET")
	return nil
}

// runSelect chooses the database.
func runSelect(c *call) error {
	n, err := c.int(1)
	switch {
	case err != nil:
		return err
	case n < math.MinInt32 || n > math.MaxInt32:
		return errInt32
	case n < 0 || n >= int64(c.srv.databases):
		return errDBRange
	}
	c.conn.db.Store(int32(n))
	c.out.ok()
	return nil
}
