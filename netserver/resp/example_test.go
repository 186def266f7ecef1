package resp_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/netserver/resp"
)

// A program opens its own data to Redis clients: they see what it sets, and it
// sees what they set.
func Example() {
	db, err := brock.OpenMemory(nil)
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- resp.Serve(ctx, l, db, nil) }()

	if err := db.Set("greeting", []byte("hello")); err != nil {
		log.Fatal(err)
	}
	client, err := net.Dial("tcp", l.Addr().String()) // or redis-cli, or any library
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(client, "APPEND greeting \", world\"\r\n")
	reply, err := bufio.NewReader(client).ReadString('\n')
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", reply)
	value, err := db.Get("greeting")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", value)

	stop()
	if err := <-served; err != nil {
		log.Fatal(err)
	}
	if err := db.Close(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// ":12\r\n"
	// hello, world
}
