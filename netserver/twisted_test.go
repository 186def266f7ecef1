package netserver_test

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/netserver"
)

// python is Debian's, which has Debian's Twisted.
const python = "/usr/bin/python3"

// twisted prepares a script of testdata that runs on Twisted.
func twisted(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	if err := exec.Command(python, "-c", "import twisted").Run(); err != nil {
		t.Skipf("no Twisted for %s: %s", python, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, python, append([]string{filepath.Join("testdata", script)}, args...)...)
}

// TestTwistedClient serves Twisted's echo client, and lets it find nobody. Our
// client prints the same.
func TestTwistedClient(t *testing.T) {
	for _, k := range kinds() {
		if k.network != "tcp" {
			continue
		}
		t.Run(k.name(), func(t *testing.T) {
			s := newSite(t, k, nil)
			s.serve(netserver.FactoryFunc(newEcho))
			_, port, err := net.SplitHostPort(s.addr)
			require.NoError(t, err)
			served, err := twisted(t, "echo_client.py", port).CombinedOutput()
			require.NoError(t, err, "%s", served)
			require.Equal(t, "Server said: hello, world!\nconnection lost\nConnection lost - goodbye!\n", string(served))
			require.Equal(t, string(served), echoOnce(s.addr))

			require.NoError(t, s.Shutdown(t.Context()))
			failed, err := twisted(t, "echo_client.py", port).CombinedOutput()
			require.NoError(t, err, "%s", failed)
			require.Equal(t, "Connection failed - goodbye!\n", string(failed))
			require.Equal(t, string(failed), echoOnce(s.addr))
		})
	}
}

// TestTwistedServer has our echo client talk to Twisted's server.
func TestTwistedServer(t *testing.T) {
	cmd := twisted(t, "echo_server.py")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	port, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	said := echoOnce("127.0.0.1:" + strings.TrimSpace(port))
	require.NoError(t, cmd.Wait())
	require.Equal(t, "Server said: hello, world!\nconnection lost\nConnection lost - goodbye!\n", said)
}

// echoOnce runs our echo client and returns what it printed.
func echoOnce(addr string) string {
	var out bytes.Buffer
	var s netserver.Server
	done := make(chan struct{})
	s.Connect("tcp", addr, &echoFactory{out: &out, stop: func() { close(done) }})
	<-done
	_ = s.Shutdown(context.Background())
	return out.String()
}
