//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFewDescriptors has more clients connect than the process has file
// descriptors for: they are refused, and the database still opens its files.
func TestFewDescriptors(t *testing.T) {
	s := startCommand(t, exec.Command("sh", "-c", `ulimit -n 128 && exec "$0" "$@"`, os.Args[0], "serve", "--resp", "127.0.0.1:0", "--dir", t.TempDir()))
	require.Contains(t, s.early, "ulimit -n")

	_, last, _ := strings.Cut(ask(t, s.addr, "CONFIG SET maxclients 5000")[0], "(possibly related to argument 'maxclients') - "+
		"The operating system is not able to handle the specified number of clients, try with ")
	most, err := strconv.Atoi(last)
	require.NoError(t, err)
	require.Less(t, most, 100)

	var served, refused int
	for range 150 {
		c, err := net.Dial("tcp", s.addr)
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
		_, err = io.WriteString(c, command("SET", fmt.Sprint(served), strings.Repeat("x", 500_000)))
		require.NoError(t, err)
		switch line, err := bufio.NewReader(c).ReadString('\n'); line {
		case "+OK\r\n":
			served++
		default:
			require.Equal(t, "-ERR max number of clients reached\r\n", line, err)
			refused++
		}
	}
	require.InDelta(t, most, served, 1) // the one that asked may still be there
	require.Equal(t, 150-served, refused)
}
