package netserver

import (
	"net"
	"time"
)

// Protocol handles one connection. Its methods, and all functions that the
// connection's Transport and Loop call back, run one at a time, on the
// connection's loop. They must not block: other connections wait for them.
//
// If a method panics, the panic is logged with its stack, the connection is
// aborted, and others go on.
type Protocol interface {
	// ConnectionMade is called once, before all else.
	ConnectionMade(t Transport)
	// DataReceived gets what the peer sent, in chunks of any size. The data
	// is valid until it returns.
	DataReceived(data []byte)
	// ConnectionLost is called once, after all else, with the reason: io.EOF
	// when the peer closed, one of the errors of this package, or the error
	// of input or output.
	ConnectionLost(reason error)
}

// Producer is implemented by a Protocol that wants to know when its peer does
// not read. PauseProducing is called at the end of a turn that leaves more
// than [Server.HighWater] bytes pending, ResumeProducing once less than
// [Server.LowWater] are. Between the two there is no DataReceived, be the
// Protocol a Producer or not.
type Producer interface {
	PauseProducing()
	ResumeProducing()
}

// HalfCloser is implemented by a Protocol that wants to know when its peer sends
// no more, or the server shuts down: ReadConnectionLost is called then, once, and
// DataReceived not any more. The connection is kept until work of [Transport.Go]
// and [Transport.Continue] is delivered, and what was written is sent; work that
// may take for ever should be ended.
type HalfCloser interface {
	ReadConnectionLost()
}

// Transport is a connection as its Protocol sees it. All methods must be
// called on the connection's loop; from elsewhere, use Loop().Post. Loop,
// LocalAddr and RemoteAddr may be called from anywhere. Once ConnectionLost
// was called, the others do nothing.
type Transport interface {
	// Write sends p after what was written before. It never blocks, and
	// copies p. What a turn writes leaves in one piece at the turn's end.
	Write(p []byte)
	// WriteSequence is Write for each of ps.
	WriteSequence(ps [][]byte)
	// LoseConnection closes the connection after everything written has been
	// sent. There is no DataReceived any more, later output is dropped, and
	// so are deliveries of Go and Continue that are outstanding.
	LoseConnection()
	// Abort closes the connection at once: output that is pending is
	// dropped, TCP resets the connection. ConnectionLost comes at the end of
	// the turn.
	Abort()
	// PauseReading holds DataReceived back, and the end of the input with
	// it, until ResumeReading. It is for a protocol that waits for something
	// before it can go on; the peer is stopped once the kernel's buffers are
	// full. A connection that breaks may still be lost meanwhile.
	PauseReading()
	// ResumeReading undoes PauseReading, however often that was called.
	ResumeReading()
	// Pending is the number of bytes that were written and not yet handed to
	// the kernel.
	Pending() int
	// Mark says that the output written since the last Mark must not leave
	// before the [Gate] of the connection's factory has passed n. Without new
	// output it is about that of the last Mark. Output leaves in order: marks
	// may come in any order, and the highest so far counts. Without a Gate
	// it does nothing.
	Mark(n uint64)
	// Go runs work on a goroutine of its own, and then deliver, unless it is
	// nil, on the loop. Deliveries come in the order of the calls of Go, also
	// when work ends in another order. When the peer has closed, and while
	// the server shuts down, the connection is kept until all have come. A
	// panic in work is the program's.
	Go(work func() (deliver func()))
	// Continue runs deliver on the loop in a later turn, as Go does for work
	// that is done by then: also in order with other deliveries, and the
	// connection is kept for it. It is for a protocol that has more to do than
	// it wants to do at once, while others wait. What is passed to [Loop.Post]
	// instead may find the connection lost.
	Continue(deliver func())
	// Loop is the connection's loop.
	Loop() *Loop
	// SetIdleTimeout overrides [Server.IdleTimeout] for this connection. 0 is
	// none.
	SetIdleTimeout(d time.Duration)
	// LocalAddr is the address of this end.
	LocalAddr() net.Addr
	// RemoteAddr is the peer's address.
	RemoteAddr() net.Addr
}

// Factory builds the Protocol of each connection. It is where protocols share
// state: connections of several loops are built at the same time, so the
// factory sees to its own locking.
//
// A Factory may also have a method Start() error, which is called when its
// first listener or connector begins, and whose error that Serve returns; and
// a method Stop(), which is called when its last has ended. It may be a
// [Gate].
type Factory interface {
	// BuildProtocol returns the Protocol of a connection with the peer at
	// addr. It is called on the connection's loop. nil refuses the
	// connection.
	BuildProtocol(addr net.Addr) Protocol
}

// FactoryFunc is a function as a Factory.
type FactoryFunc func(addr net.Addr) Protocol

// BuildProtocol calls f.
func (f FactoryFunc) BuildProtocol(addr net.Addr) Protocol { return f(addr) }

// Gate is implemented by a Factory whose protocols hold output back until
// something is done, such as the log's being written up to a point. Marks are
// numbers that only grow, and who has passed n has passed all below.
type Gate interface {
	// Passed returns the highest mark whose output may leave now. It is
	// called on loops.
	Passed() uint64
	// Pass is called on a loop at the end of a turn, if output waits for mark,
	// the highest of all connections of loop and gate. It returns true if
	// mark has passed now, be it that Pass itself saw to it. Else it calls
	// done once, later, from any goroutine, when mark has passed, or with an
	// error: then the connections that wait are aborted. A loop does not call
	// Pass again before done was called; what comes meanwhile waits for the
	// next Pass.
	Pass(mark uint64, done func(error)) bool
}

// ClientFactory is a Factory for connections that [Server.Connect] makes. Its
// methods are called one at a time for a Connector, on a loop, and must not
// block. Each may call [Connector.Connect] to try again.
type ClientFactory interface {
	Factory
	// Connecting is called when an attempt begins.
	Connecting(c *Connector)
	// ConnectionFailed is called when there is no connection.
	ConnectionFailed(c *Connector, reason error)
	// ConnectionLost is called after the Protocol's ConnectionLost.
	ConnectionLost(c *Connector, reason error)
}

// Clock tells the time and sets alarms. AfterFunc calls f once d has passed,
// on a goroutine of its own, unless stop was called before.
type Clock interface {
	Now() time.Time
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// systemClock is the operating system's clock.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}
