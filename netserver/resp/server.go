package resp

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/bridge"
	"github.com/brockdb/brock/netserver"
)

// Version is the version of Redis that a server reports by default.
const Version = "7.0.15"

// highWater is from how many bytes of replies that a client has not read on no
// more of its commands are executed.
const highWater = 256 << 10

// Options configure a Server. The zero value of a field means its default.
type Options struct {
	// Version is the version of Redis to report. Commands that came later are
	// unknown. Default: [Version].
	Version string
	// RequirePass is the password that clients must give; none if empty.
	RequirePass string
	// MaxClients bounds the number of connections. Default: 10,000.
	MaxClients int
	// Loops is the number of event loops, see [netserver.Server].
	Loops int
	// EnableDebug allows DEBUG, which is for tests: whoever may send it can
	// have the server do useless work. Default: it is an error.
	EnableDebug bool
	// Logger gets warnings about clients. Default: silent.
	Logger *slog.Logger
	// Shutdown is called when a client sends SHUTDOWN, on a goroutine of its
	// own, after the server has shut down. Default: nothing more happens.
	Shutdown func()
}

// Server serves a database to Redis clients, on any number of listeners. See
// [NewServer].
type Server struct {
	db        *brock.DB
	reach     bridge.Handle // of db
	databases int
	opts      Options
	log       *slog.Logger
	net       *netserver.Server
	factory   *factory
	started   time.Time
	runID     string

	commands *commands
	config   *config
	stats    stats
	peak     memoryPeak
	slow     slowlog
	saving   saving

	expiredBefore atomic.Int64 // Stats.Expired when CONFIG RESETSTAT was called

	mu        sync.Mutex
	clients   map[int64]*conn // guarded by mu
	lastID    int64           // guarded by mu
	listening []net.Addr      // guarded by mu

	down atomic.Bool // SHUTDOWN was accepted
}

// NewServer returns a server of a database's data. opts may be nil. The caller
// keeps the database open until Shutdown or Close has returned.
//
// Errors: those of db, if it is closed; an Options.Version that is none.
func NewServer(db *brock.DB, opts *Options) (*Server, error) {
	h, err := bridge.Reach(db)
	if err == nil {
		err = h.Store.Err()
	}
	if err != nil {
		return nil, err
	}
	s := &Server{db: db, reach: h, databases: h.Store.Databases(), started: time.Now(), runID: newRunID(), clients: make(map[int64]*conn)}
	if opts != nil {
		s.opts = *opts
	}
	if s.log = s.opts.Logger; s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.opts.Version == "" {
		s.opts.Version = Version
	}
	list, err := commandsOf(s.opts.Version)
	if err != nil {
		return nil, err
	}
	s.commands = newCommands(list)
	h.Store.TrackIdle()
	s.stats.perCommand = make([]commandStats, s.commands.count)
	s.config = newConfig(s)
	s.factory = &factory{srv: s, store: h.Store}
	s.net = &netserver.Server{Loops: s.opts.Loops, HighWater: highWater, Logger: s.log}
	return s, nil
}

// newRunID returns a name for one run of a server.
func newRunID() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// now returns the time, by the database's clock.
func (s *Server) now() time.Time { return s.db.Now() }

// Serve accepts clients until the listener fails or the server stops: then it
// returns [netserver.ErrServerClosed].
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	s.listening = append(s.listening, l.Addr())
	s.mu.Unlock()
	return s.net.Serve(l, s.factory)
}

// bound returns the addresses that the server listens on, without ports, in
// order.
func (s *Server) bound() (hosts []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, addr := range s.listening {
		if tcp, ok := addr.(*net.TCPAddr); ok {
			hosts = append(hosts, tcp.IP.String())
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// port returns the first TCP port that the server listens on, 0 if there is
// none.
func (s *Server) port() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, addr := range s.listening {
		if tcp, ok := addr.(*net.TCPAddr); ok {
			return tcp.Port
		}
	}
	return 0
}

// Conns returns the number of connections.
func (s *Server) Conns() int { return s.net.Conns() }

// Shutdown stops listening, has all requests that were received executed, sends
// their replies, and closes the connections. Those whose command waits for others,
// as BLPOP does, it closes without a reply. It returns once all are closed, or
// when ctx ends, with its error: then it aborts those that are left, and their
// commands may not have ended yet.
func (s *Server) Shutdown(ctx context.Context) error { return s.net.Shutdown(ctx) }

// Close stops listening and aborts all connections. It waits for nothing: their
// commands may not have ended yet. To wait for them, call Shutdown after it.
func (s *Server) Close() error { return s.net.Close() }

// shutdownWait is how long connections may take to end when Serve does, or when a
// client sends SHUTDOWN.
const shutdownWait = 5 * time.Second

// shutdown is Shutdown with that patience.
func (s *Server) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownWait)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		s.log.Warn("brock: clients were still there at the end", "err", err)
	}
}

// Serve serves a database to Redis clients on a listener, until ctx ends or a
// client sends SHUTDOWN. Then, and when the listener fails, it shuts the server
// down as [Server.Shutdown] does, aborts what is left after five seconds, and
// returns; nil if the listener has not failed. The database may be closed then.
// opts may be nil.
//
// Errors: as NewServer; the listener's.
func Serve(ctx context.Context, l net.Listener, db *brock.DB, opts *Options) error {
	s, err := NewServer(db, opts)
	if err != nil {
		return err
	}
	unbind := context.AfterFunc(ctx, func() { _ = l.Close() })
	err = s.Serve(l)
	over := !unbind()
	s.shutdown()
	if over || errors.Is(err, netserver.ErrServerClosed) {
		return nil
	}
	return err
}

// register adds a connection, unless there are too many.
func (s *Server) register(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.clients) >= s.config.maxClients() {
		s.stats.refused.Add(1)
		return false
	}
	s.stats.connections.Add(1)
	s.lastID++
	c.id = s.lastID
	s.clients[c.id] = c
	return true
}

// unregister removes a connection.
func (s *Server) unregister(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c.id)
}

// tellAll has something done for each connection, on its loop.
func (s *Server) tellAll(do func(*conn)) {
	for _, c := range s.list() {
		c.t.Loop().Post(func() { do(c) })
	}
}

// list returns the connections.
func (s *Server) list() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*conn, 0, len(s.clients))
	for _, c := range s.clients {
		list = append(list, c)
	}
	return list
}

// factory builds connections, and holds their replies back until what they tell
// of is safe: it is a netserver.Gate whose marks are numbers of transactions.
type factory struct {
	srv   *Server
	store store
}

// store is what a server needs of what stands behind the database.
type store interface {
	Warm(db int, keys, fields []string)
	Released() uint64
	Release(lsn uint64, done func(error)) bool
}

// BuildProtocol is the [netserver.Factory]'s.
func (f *factory) BuildProtocol(net.Addr) netserver.Protocol { return &conn{srv: f.srv} }

// Passed is the [netserver.Gate]'s.
func (f *factory) Passed() uint64 { return f.store.Released() }

// Pass is the [netserver.Gate]'s.
func (f *factory) Pass(mark uint64, done func(error)) bool { return f.store.Release(mark, done) }
