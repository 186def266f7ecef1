package netserver_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/netserver"
)

// patience bounds what a test waits for.
const patience = 30 * time.Second

// kind is a kind of connection over one of the transports.
type kind struct {
	network    string
	goroutines bool
}

// kinds are all that this system has.
func kinds() []kind {
	all := []kind{{"tcp", true}, {"unix", true}, {"tls", true}, {"memory", true}}
	if runtime.GOOS == "linux" {
		all = append(all, kind{"tcp", false}, kind{"unix", false})
	}
	return all
}

// name is the kind's name as a subtest.
func (k kind) name() string {
	if k.goroutines {
		return "transport=goroutine/" + k.network
	}
	return "transport=loop/" + k.network
}

// site is a server with a listener.
type site struct {
	*netserver.Server
	t      *testing.T
	kind   kind
	addr   string
	dial   func() (net.Conn, error)
	served chan error // what Serve returned

	made    chan *probe   // gets each probe once it is connected
	release chan struct{} // for the behaviour: closed when the test wants
}

// onAll runs a test over every kind of connection, with a server of probes.
// config may set fields of the server.
func onAll(t *testing.T, config func(*netserver.Server), b behaviour, test func(t *testing.T, s *site)) {
	t.Helper()
	for _, k := range kinds() {
		t.Run(k.name(), func(t *testing.T) {
			s := newSite(t, k, config)
			s.serve(s.probes(b))
			test(t, s)
		})
	}
}

// newSite makes a server.
func newSite(t *testing.T, k kind, config func(*netserver.Server)) *site {
	t.Helper()
	s := &site{
		Server: &netserver.Server{Logger: slog.New(slog.DiscardHandler)}, t: t, kind: k, served: make(chan error, 1),
		made: make(chan *probe, 10000), release: make(chan struct{}),
	}
	if config != nil {
		config(s.Server)
	}
	if k.goroutines {
		netserver.ForceGoroutines(s.Server)
	}
	return s
}

// serve runs the server until the end of the test.
func (s *site) serve(f netserver.Factory) {
	s.t.Helper()
	l := s.listen()
	go func() { s.served <- s.Serve(l, f) }()
	s.t.Cleanup(func() {
		require.NoError(s.t, s.Close())
		s.end()
	})
}

// listen makes the site's listener and dial.
func (s *site) listen() net.Listener {
	s.t.Helper()
	if s.kind.network == "memory" {
		l := netserver.NewMemoryListener()
		s.dial = l.Dial
		return l
	}
	network, address := "tcp", "127.0.0.1:0"
	if s.kind.network == "unix" {
		network, address = "unix", filepath.Join(s.t.TempDir(), "s")
	}
	l, err := net.Listen(network, address)
	require.NoError(s.t, err)
	s.addr = l.Addr().String()
	s.dial = func() (net.Conn, error) { return net.Dial(network, s.addr) }
	if s.kind.network == "tls" {
		config := certificate(s.t)
		l = tls.NewListener(l, config)
		s.dial = func() (net.Conn, error) { return tls.Dial(network, s.addr, &tls.Config{InsecureSkipVerify: true}) }
	}
	return l
}

// end waits until the server, which was told to stop, has.
func (s *site) end() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(s.t, s.Shutdown(ctx))
	require.ErrorIs(s.t, await(s.t, s.served), netserver.ErrServerClosed)
	s.served <- netserver.ErrServerClosed // for who asks again
}

// connect makes a connection that is closed when the test ends.
func (s *site) connect() net.Conn {
	s.t.Helper()
	c, err := s.dial()
	require.NoError(s.t, err)
	s.t.Cleanup(func() { c.Close() })
	require.NoError(s.t, c.SetDeadline(time.Now().Add(patience)))
	return c
}

// closeWrite closes the writing half of c.
func closeWrite(t *testing.T, c net.Conn) {
	t.Helper()
	require.NoError(t, c.(interface{ CloseWrite() error }).CloseWrite())
}

// send writes text.
func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(c, text)
	require.NoError(t, err)
}

// expect reads text.
func expect(t *testing.T, c net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	n, err := io.ReadFull(c, got)
	require.Equal(t, text, string(got[:n]))
	require.NoError(t, err)
}

// expectEnd reads the end of the stream, which may be a reset.
func expectEnd(t *testing.T, c net.Conn) {
	t.Helper()
	n, err := c.Read(make([]byte, 1))
	require.Zero(t, n)
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

// await receives from ch.
func await[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		require.FailNow(t, "nothing came")
		panic("unreachable")
	}
}

// certificate makes a TLS configuration with a certificate that nobody trusts.
func certificate(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// behaviour is what a probe does. Each function may be nil.
type behaviour struct {
	made func(p *probe)
	data func(p *probe, data []byte)
}

// probe is a Protocol that also checks what every Protocol may rely on.
type probe struct {
	netserver.Transport
	behaviour
	t    *testing.T
	site *site
	lost chan error // gets the reason

	got int // bytes, counted by the behaviour

	mu      sync.Mutex
	entered bool
	begun   bool
	ended   bool
}

// probes returns a Factory of probes.
func (s *site) probes(b behaviour) netserver.Factory {
	return netserver.FactoryFunc(func(net.Addr) netserver.Protocol {
		return &probe{t: s.t, site: s, behaviour: b, lost: make(chan error, 1)}
	})
}

// enter notes that a callback begins, and returns what ends it.
func (p *probe) enter() func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.entered || p.ended {
		p.t.Error("a callback within another, or after the last")
	}
	p.entered = true
	return func() {
		p.mu.Lock()
		p.entered = false
		p.mu.Unlock()
	}
}

func (p *probe) ConnectionMade(t netserver.Transport) {
	defer p.enter()()
	p.Transport = t
	p.begun = true
	if p.made != nil {
		p.made(p)
	}
	p.site.made <- p
}

func (p *probe) DataReceived(data []byte) {
	defer p.enter()()
	if !p.begun || len(data) == 0 {
		p.t.Error("data before ConnectionMade, or none")
	}
	if p.data != nil {
		p.data(p, data)
	}
}

func (p *probe) ConnectionLost(reason error) {
	defer p.enter()()
	p.ended = true
	p.lost <- reason
}

// do runs fn on the probe's loop and waits for it.
func (p *probe) do(fn func()) {
	p.t.Helper()
	over := make(chan struct{})
	p.Loop().Post(func() {
		fn()
		close(over)
	})
	await(p.t, over)
}
