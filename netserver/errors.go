package netserver

import "errors"

// What [Protocol.ConnectionLost] is told, beside [io.EOF], which says that the
// peer closed, and errors of input and output. Compare with [errors.Is].
var (
	// ErrClosed: [Transport.LoseConnection] was called, or
	// [Connector.Stop].
	ErrClosed = errors.New("netserver: connection closed")
	// ErrAborted: [Transport.Abort] was called.
	ErrAborted = errors.New("netserver: connection aborted")
	// ErrIdle: nothing was received and nothing sent for the idle time-out.
	ErrIdle = errors.New("netserver: connection idle for too long")
	// ErrWriteTimeout: the peer read nothing for the write time-out, though
	// there was something to read.
	ErrWriteTimeout = errors.New("netserver: peer does not read")
	// ErrShutdown: the server stopped.
	ErrShutdown = errors.New("netserver: server shut down")
	// ErrPanic: a callback of the connection panicked. The error's text has
	// the value, the log has the stack.
	ErrPanic = errors.New("netserver: protocol panicked")
)

// What calls of the package return.
var (
	// ErrServerClosed is what Serve returns after Shutdown or Close.
	ErrServerClosed = errors.New("netserver: server closed")
	// ErrRefused: the client's factory built no protocol.
	ErrRefused = errors.New("netserver: factory refused the connection")
)
