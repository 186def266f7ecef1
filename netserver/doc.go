// Package netserver is an event-driven network framework in the manner of
// Twisted. A [Protocol] reacts to what happens to one connection, its
// [Transport] is what it does to the connection, a [Factory] builds a Protocol
// for each, and a [Server] runs them all, for listeners and for connections to
// elsewhere. It knows nothing of databases: Brock's servers, and yours, are
// protocols on it.
//
//	type echo struct{ netserver.Transport }
//
//	func (e *echo) ConnectionMade(t netserver.Transport) { e.Transport = t }
//	func (e *echo) DataReceived(data []byte)             { e.Write(data) }
//	func (e *echo) ConnectionLost(error)                 {}
//
// # Transports
//
// On Linux, TCP and Unix sockets run on a few event loops. Everywhere else, and
// for TLS and other kinds of [net.Conn], a connection has a goroutine that
// reads and, while there is output, one that writes. A protocol cannot tell
// which: its callbacks come one at a time, on the connection's [Loop].
//
// # A turn
//
// A loop runs in turns. On an event loop one is:
//
//  1. The kernel is asked which sockets have something to do, at first without
//     waiting.
//  2. Each of them that can be read is read once, into one buffer for all, and
//     DataReceived gets that.
//  3. Functions that were posted run: results of work off the loop, alarms,
//     news from other goroutines.
//  4. The end of the turn. Gates are asked about output that is marked, each
//     once. Each connection that wrote has its output sent with one write. What
//     the kernel does not take waits until it does, and beyond
//     [Server.HighWater] the connection is not read until its peer reads.
//     Connections that close are closed, and ConnectionLost is called.
//
// So what a turn does for many connections costs one system call each to read
// and write, and, with a [Gate], one commit for all. Buffers for output are the
// loop's; a connection that is idle has none. Elsewhere a turn is what one
// goroutine found to do for its connection, and ends in the same way.
//
// # Waiting
//
// A callback must not block, since others wait for it. What takes long runs by
// [Transport.Go] on a goroutine of its own, and its results are delivered in
// order. A protocol that has much to do on the loop does part of it and goes on
// with [Transport.Continue]. One that waits for something else before it can go
// on calls PauseReading; whoever has the news calls [Loop.Post]. For output that
// must not leave before something is done, such as a reply before its commit is
// durable, there is [Transport.Mark].
//
// # Tests
//
// [StringTransport] runs a protocol without a connection, [MemoryListener] with
// one that needs no network.
package netserver
