package netserver

import (
	"net"
	"time"
)

// refusal is for how long a connection beyond the limit may take to be told so.
const refusal = 5 * time.Second

// overload is the Factory of connections beyond [Server.MaxConns]: what they are
// sent.
type overload []byte

// BuildProtocol implements Factory.
func (o overload) BuildProtocol(net.Addr) Protocol { return &refuser{text: o} }

// refuser is a Protocol that sends a text and closes.
type refuser struct {
	text []byte
	stop func() bool
}

func (r *refuser) ConnectionMade(t Transport) {
	t.Write(r.text)
	t.LoseConnection()
	r.stop = t.Loop().AfterFunc(refusal, t.Abort)
}

func (*refuser) DataReceived([]byte) {}

func (r *refuser) ConnectionLost(error) { r.stop() }
