package netserver_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/brockdb/brock/netserver"
)

// echo sends back what it receives.
type echo struct{ netserver.Transport }

func (e *echo) ConnectionMade(t netserver.Transport) { e.Transport = t }
func (e *echo) DataReceived(data []byte)             { e.Write(data) }
func (e *echo) ConnectionLost(error)                 {}

func newEcho(net.Addr) netserver.Protocol { return &echo{} }

// An echo server, and a client of the ordinary kind.
func ExampleServer() {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		panic(err)
	}
	var s netserver.Server
	go s.Serve(l, netserver.FactoryFunc(newEcho))

	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(conn, "hello")
	var word string
	fmt.Fscanln(conn, &word)
	fmt.Println(word)
	s.Shutdown(context.Background())
	// Output: hello
}

// echoClient says hello and prints the answer.
type echoClient struct {
	netserver.Transport
	out io.Writer
}

func (c *echoClient) ConnectionMade(t netserver.Transport) {
	c.Transport = t
	c.Write([]byte("hello, world!"))
}

func (c *echoClient) DataReceived(data []byte) {
	fmt.Fprintf(c.out, "Server said: %s\n", data)
	c.LoseConnection()
}

func (c *echoClient) ConnectionLost(error) { fmt.Fprintln(c.out, "connection lost") }

// echoFactory calls stop when its connection is over.
type echoFactory struct {
	out  io.Writer
	stop func()
}

func (f *echoFactory) BuildProtocol(net.Addr) netserver.Protocol { return &echoClient{out: f.out} }
func (f *echoFactory) Connecting(*netserver.Connector)           {}

func (f *echoFactory) ConnectionFailed(*netserver.Connector, error) {
	fmt.Fprintln(f.out, "Connection failed - goodbye!")
	f.stop()
}

func (f *echoFactory) ConnectionLost(*netserver.Connector, error) {
	fmt.Fprintln(f.out, "Connection lost - goodbye!")
	f.stop()
}

// An echo client, once with a server and once without.
func ExampleServer_Connect() {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		panic(err)
	}
	var s netserver.Server
	go s.Serve(l, netserver.FactoryFunc(newEcho))

	done := make(chan struct{}, 1)
	f := &echoFactory{out: os.Stdout, stop: func() { done <- struct{}{} }}
	s.Connect("tcp", l.Addr().String(), f)
	<-done
	l.Close()
	s.Connect("tcp", l.Addr().String(), f)
	<-done
	s.Shutdown(context.Background())
	// Output:
	// Server said: hello, world!
	// connection lost
	// Connection lost - goodbye!
	// Connection failed - goodbye!
}
