package resp

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/brockdb/brock/internal/integer"
)

// Errors of CLIENT.
const (
	errNoClient       Error = "ERR No such client"
	errClientID       Error = "ERR Invalid client ID"
	errClientPositive Error = "ERR client-id should be greater than 0"
)

// runClientGetName replies the connection's name.
func runClientGetName(c *call) error {
	if name := c.conn.label(); name != "" {
		c.out.str(name)
	} else {
		c.out.null()
	}
	return nil
}

// runClientID replies the connection's number.
func runClientID(c *call) error {
	c.out.int(c.conn.id)
	return nil
}

// runClientInfo describes the connection.
func runClientInfo(c *call) error {
	c.out.verbatim(c.describe(c.conn))
	return nil
}

// runClientKill closes connections.
func runClientKill(c *call) error {
	if len(c.args) == 3 {
		if c.kill(&clientFilter{addr: c.str(2), hasAddr: true}) == 0 {
			return errNoClient
		}
		c.out.ok()
		return nil
	}
	f, err := c.killFilter()
	if err == nil {
		c.out.int(int64(c.kill(f)))
	}
	return err
}

// clientFilter says which connections CLIENT KILL closes.
type clientFilter struct {
	id             int64 // 0: any
	addr, laddr    string
	hasAddr, hasLA bool
	kind           string // "": any
	skipMe         bool
}

// killFilter reads the options of CLIENT KILL.
func (c *call) killFilter() (*clientFilter, error) {
	f := &clientFilter{skipMe: true}
	for i := 2; i < len(c.args); i += 2 {
		if i+1 == len(c.args) {
			return nil, errSyntax
		}
		if err := f.option(c.str(i), c.args[i+1]); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// option reads one option of CLIENT KILL.
func (f *clientFilter) option(name string, value []byte) error {
	switch strings.ToUpper(name) {
	case "ID":
		id, ok := integer.Parse(value)
		if !ok || id < 1 {
			return errClientPositive
		}
		f.id = id
	case "TYPE":
		kind, err := clientKind(value)
		f.kind = kind
		return err
	case "ADDR":
		f.addr, f.hasAddr = view(value), true
	case "LADDR":
		f.laddr, f.hasLA = view(value), true
	case "USER":
		if string(value) != defaultUser {
			return Error("ERR No such user '" + string(value) + "'")
		}
	case "SKIPME":
		skip, ok := word(value, "no", "yes")
		if !ok {
			return errSyntax
		}
		f.skipMe = skip == 1
	default:
		return errSyntax
	}
	return nil
}

// clientKind reads a type of connections: here all are normal.
func clientKind(value []byte) (string, error) {
	i, ok := word(value, "normal", "master", "slave", "replica", "pubsub")
	if !ok {
		return "", Error("ERR Unknown client type '" + string(value) + "'")
	}
	return [...]string{normalClient, "master", "slave", "replica", "pubsub"}[i], nil
}

// normalClient is the type that connections here are of.
const normalClient = "normal"

// word returns which of some words value is, in capitals or not.
func word(value []byte, words ...string) (int, bool) {
	i := slices.IndexFunc(words, func(word string) bool { return strings.EqualFold(word, view(value)) })
	return i, i >= 0
}

// takes tells whether a filter takes a connection.
func (f *clientFilter) takes(c *conn) bool {
	return (f.id == 0 || f.id == c.id) && (!f.hasAddr || f.addr == clientAddr(c.t.RemoteAddr())) &&
		(!f.hasLA || f.laddr == clientAddr(c.t.LocalAddr())) && (f.kind == "" || f.kind == normalClient)
}

// kill closes the connections that a filter takes and returns how many.
func (c *call) kill(f *clientFilter) (n int) {
	for _, other := range c.srv.list() {
		switch {
		case !f.takes(other):
			continue
		case other != c.conn:
			other.killed.Store(true)
			c.srv.unregister(other)
			other.t.Loop().Post(other.kill)
		case f.skipMe:
			continue
		default:
			c.quit()
		}
		n++
	}
	return n
}

// kill ends the connection. What its client does not read is dropped.
func (c *conn) kill() {
	c.closing = true
	c.stopWork()
	if c.t.Pending() > 0 {
		c.t.Abort()
	} else {
		c.t.LoseConnection()
	}
}

// runClientList describes connections.
func runClientList(c *call) error {
	if len(c.args) > briefArgs {
		if err := c.wait(); err != nil {
			return err
		}
	}
	clients := c.srv.list()
	slices.SortFunc(clients, func(a, b *conn) int { return cmp.Compare(a.id, b.id) })
	switch {
	case len(c.args) == 2:
	case len(c.args) == 4 && c.is(2, "TYPE"):
		kind, err := clientKind(c.args[3])
		if err != nil {
			return err
		}
		if kind != normalClient {
			clients = nil
		}
	case len(c.args) > 3 && c.is(2, "ID"):
		found := clients[:0:0]
		for _, arg := range c.args[3:] {
			id, ok := integer.Parse(arg)
			if !ok {
				return errClientID
			}
			if i, ok := slices.BinarySearchFunc(clients, id, func(c *conn, id int64) int { return cmp.Compare(c.id, id) }); ok {
				found = append(found, clients[i])
			}
		}
		clients = found
	default:
		return errSyntax
	}
	var b strings.Builder
	for _, client := range clients {
		b.WriteString(c.describe(client))
	}
	c.out.verbatim(b.String())
	return nil
}

// describe returns a connection's line in CLIENT LIST.
func (c *call) describe(of *conn) string {
	now := time.Now()
	last := of.last.Load()
	if of == c.conn {
		last = c.cmd
	}
	name := "NULL"
	if last != nil {
		name = last.full()
	}
	queued, pending := of.queued.Load(), of.pending.Load()
	listed := max(pending-replyBuffer, 0) // as if the rest were in a list of such buffers
	events := "r"
	if pending > 0 {
		events = "rw"
	}
	line := fmt.Sprintf("id=%d addr=%s laddr=%s fd=-1 name=%s age=%d idle=%d flags=%s db=%d sub=0 psub=0 ssub=0 multi=-1 "+
		"qbuf=%d qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=%d oll=%d omem=%d tot-mem=%d events=%s cmd=%s user=%s redir=-1 resp=%d",
		of.id, clientAddr(of.t.RemoteAddr()), clientAddr(of.t.LocalAddr()), of.label(), int64(now.Sub(of.created).Seconds()),
		int64((c.srv.uptime() - time.Duration(of.active.Load())).Seconds()), of.flags(), of.db.Load(), queued, pending-listed, (listed+replyBuffer-1)/replyBuffer, listed, queued+pending, events, name,
		defaultUser, of.proto.Load())
	if c.srv.commands.named("client|setinfo") != nil { // the version has it
		lib := library{}
		if said := of.lib.Load(); said != nil {
			lib = *said
		}
		line += " lib-name=" + lib.name + " lib-ver=" + lib.version
	}
	return line + "\n"
}

// flags returns the connection's flags in CLIENT LIST.
func (c *conn) flags() string {
	flags := ""
	if c.blocked.Load() {
		flags += "b"
	}
	if c.t.RemoteAddr().Network() == "unix" {
		flags += "U"
	}
	if c.noEvict.Load() {
		flags += "e"
	}
	if c.noTouch.Load() {
		flags += "T"
	}
	return cmp.Or(flags, "N")
}

// runClientNoEvict notes that the connection must not be closed for memory's
// sake.
func runClientNoEvict(c *call) error { return c.flag(c.conn.noEvict.Store) }

// runClientNoTouch notes that the connection's commands do not use keys.
func runClientNoTouch(c *call) error { return c.flag(c.conn.setNoTouch) }

// flag sets a flag of the connection as ON or OFF says.
func (c *call) flag(set func(on bool)) error {
	on, ok := word(c.args[2], "off", "on")
	if !ok {
		return errSyntax
	}
	set(on == 1)
	c.out.ok()
	return nil
}

// runClientReply turns replies off and on.
func runClientReply(c *call) error {
	switch {
	case c.is(2, "ON"):
		c.conn.mute = muteOff
		c.out.ok()
	case c.is(2, "OFF"):
		c.conn.mute = muteOn
	case !c.is(2, "SKIP"):
		return errSyntax
	case c.conn.mute != muteOn:
		c.conn.mute = muteNext
	}
	return nil
}

// runClientSetName names the connection.
func runClientSetName(c *call) error {
	if err := c.conn.setName(c.args[2]); err != nil {
		return err
	}
	c.out.ok()
	return nil
}

// clientAddr returns an address as CLIENT LIST shows it.
func clientAddr(addr net.Addr) string {
	if addr.Network() == "unix" {
		return cmp.Or(addr.String(), "?") + ":0"
	}
	return addr.String()
}

// library is what a client said of the library that it uses.
type library struct{ name, version string }

// runClientSetInfo notes which library the client uses.
func runClientSetInfo(c *call) error {
	lib := library{}
	if old := c.conn.lib.Load(); old != nil {
		lib = *old
	}
	what, ok := word(c.args[2], "lib-name", "lib-ver")
	if !ok {
		return Error("ERR Unrecognized option '" + c.str(2) + "'")
	}
	if !plain(c.args[3]) {
		return Error("ERR " + strings.ToLower(c.str(2)) + " cannot contain spaces, newlines or special characters.")
	}
	if what == 0 {
		lib.name = string(c.args[3])
	} else {
		lib.version = string(c.args[3])
	}
	c.conn.lib.Store(&lib)
	c.out.ok()
	return nil
}
