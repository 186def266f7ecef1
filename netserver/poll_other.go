//go:build !linux

package netserver

import (
	"errors"
	"net"
)

// hasEventLoops says that sockets can run on event loops.
const hasEventLoops = false

// poller is what an event loop waits with. There is none here.
type poller struct{}

// wake is never called.
func (*poller) wake() {}

// close is never called.
func (*poller) close() {}

// newEventLoop says that there are no event loops.
func newEventLoop(*Server) (*Loop, error) { return nil, errors.ErrUnsupported }

// serve is never called.
func (*Loop) serve() {}

// newSocket says that connections need goroutines.
func newSocket(*conn, net.Conn) (bool, error) { return false, nil }
