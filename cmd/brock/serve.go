package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/netserver"
	"github.com/brockdb/brock/netserver/resp"
)

// serveCommand serves a database.
type serveCommand struct {
	Config             string     `placeholder:"FILE" help:"File with options, one a line: name = value."`
	Dir                directory  `placeholder:"DIR" xor:"data" help:"Directory of the database, which is made if there is none. Default: brock-data."`
	Memory             bool       `xor:"data" help:"Keep the data in memory alone; they end with the program."`
	RESP               string     `name:"resp" placeholder:"ADDR" default:"localhost:6379" help:"Address for Redis clients, HOST:PORT. localhost is 127.0.0.1 and [::1], no host all addresses; port 0 is any free one. Default: ${default}."`
	Durability         durability `placeholder:"MODE" default:"everysecond" help:"When a change is acknowledged: always (synced), everysecond (written, synced once a second) or relaxed (in memory). Default: ${default}."`
	MemoryBudget       size       `placeholder:"SIZE" default:"0" help:"Bytes of values to keep in memory, with KB, MB or GB if you like. Default: ${default}, no bound."`
	RequirepassFile    passFile   `placeholder:"FILE" help:"File with the password that clients must give. Default: none."`
	Maxclients         count      `placeholder:"N" default:"10000" help:"Most connections at a time. Default: ${default}."`
	EnableDebugCommand bool       `help:"Allow DEBUG, which is for tests: whoever may send it can keep the server busy."`
	LogLevel           level      `placeholder:"LEVEL" default:"info" help:"What to log on standard error: debug, info, warn or error. Default: ${default}."`
	LogFormat          logFormat  `placeholder:"FORMAT" default:"text" help:"How: text or json. Default: ${default}."`
}

// BeforeResolve reads the file that --config or BROCK_CONFIG names.
func (c *serveCommand) BeforeResolve(k *kong.Context, s *settings) error {
	name := s.env["config"].value
	var known []string
	for _, flag := range k.Flags() {
		switch flag.Name {
		case "help":
		case "config":
			if given, ok := k.FlagValue(flag).(string); ok && given != "" {
				name = given
			}
		default:
			known = append(known, flag.Name)
		}
	}
	if name == "" {
		return nil
	}
	err := s.read(name, known)
	var where *settingError
	if err == nil || errors.As(err, &where) {
		return err
	}
	return &settingError{"no options in " + name, adviseRead(err, "name another file with --config, or none")}
}

// Run serves until a signal comes or a client sends SHUTDOWN.
func (c *serveCommand) Run(ctx context.Context, p process) error {
	signalled, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, end := context.WithCancel(ctx)
	defer end()
	context.AfterFunc(signalled, func() {
		stop() // before anything shows: the next signal ends the process
		end()
	})

	pass, err := c.RequirepassFile.read()
	if err != nil {
		return err
	}
	listeners, err := listen(c.RESP)
	if err != nil {
		return err
	}
	defer closeAll(listeners)
	logger := c.LogFormat.logger(p.stderr, c.LogLevel)
	db, err := c.open(logger)
	if err != nil {
		return err
	}
	s, err := start(db, listeners, &resp.Options{
		RequirePass: pass, MaxClients: int(c.Maxclients), EnableDebug: c.EnableDebugCommand, Logger: logger, Shutdown: end,
	})
	if err != nil {
		return errors.Join(err, db.Close())
	}
	if pass == "" && !loopback(listeners) {
		logger.Warn("brock: who reaches the port needs no password: see --requirepass-file", "resp", c.RESP)
	}
	_, _ = fmt.Fprintf(p.stderr, "brock: ready resp=%s\n", listeners[0].Addr()) // clients find out
	err = s.wait(ctx)
	stop() // now, not soon
	return errors.Join(err, s.shutdown(), db.Close())
}

// open opens the database.
func (c *serveCommand) open(logger *slog.Logger) (*brock.DB, error) {
	o := &brock.Options{Durability: brock.Durability(c.Durability), MemoryBudget: int64(c.MemoryBudget), Logger: logger}
	if c.Memory {
		return brock.OpenMemory(o)
	}
	dir := string(cmp.Or(c.Dir, "brock-data")) // kong takes a default for a choice against --memory
	db, err := brock.Open(dir, o)
	return db, advise(dir, err)
}

// servers are a server with a goroutine for each of its listeners.
type servers struct {
	srv  *resp.Server
	done chan error // why a listener's goroutine has ended
	left int        // goroutines that have not
}

// start has a database served on listeners.
func start(db *brock.DB, listeners []net.Listener, o *resp.Options) (*servers, error) {
	srv, err := resp.NewServer(db, o)
	if err != nil {
		return nil, err
	}
	s := &servers{srv: srv, done: make(chan error, len(listeners)), left: len(listeners)}
	for _, l := range listeners {
		go s.listen(l)
	}
	return s, nil
}

// listen accepts connections until the listener fails or the server is shut
// down.
func (s *servers) listen(l net.Listener) {
	err := s.srv.Serve(l)
	if errors.Is(err, netserver.ErrServerClosed) {
		err = nil
	}
	s.done <- err
}

// wait waits until ctx ends or a listener fails.
func (s *servers) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.done:
		s.left--
		return err
	}
}

// patience is how long connections have to end by themselves.
const patience = 5 * time.Second

// shutdown closes listeners and connections.
func (s *servers) shutdown() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = s.srv.Shutdown(ctx) // who is left when ctx ends is cut off
	for ; s.left > 0; s.left-- {
		err = errors.Join(err, <-s.done)
	}
	return err
}
