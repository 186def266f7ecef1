package resp_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestValueLimit holds values, not only arguments, to a lower
// proto-max-bulk-len.
func TestValueLimit(t *testing.T) {
	p := newPair(t, "")
	long := strings.Repeat("x", 600)
	p.same("set v x", "rpush list a", "set m "+long, "set n "+long, "config set proto-max-bulk-len 1mb",
		"setrange v 1048576 x", "setrange v 1048575 x", "append v x", "append none x", `append v ""`, `setrange v 1048576 ""`, `setrange none 1048576 ""`,
		"setrange list 1048576 x", "setrange v -1 x", "setrange none 9223372036854775807 x", "append list x", "strlen v",
		"setbit v 8388608 1", "setbit v 8388607 1", "getbit v 8388608", "getbit v 8388607", "getbit v -1", "getbit v x", "setbit list 8388608 1",
		"bitfield v set u8 8388608 1", "bitfield v get u8 8388608", "bitfield v get u8 #1048576", "bitfield v get u8 #1048575", "bitfield_ro v get u8 8388608",
		"lcs m n len", "lcs m n", "lcs m list", "lcs list m", "lcs m none len", "lcs list v len")
}

// TestOutputLimitBeyondBuffer counts replies towards a limit that are beyond 16
// KiB only.
func TestOutputLimitBeyondBuffer(t *testing.T) {
	p := newPair(t, "")
	p.same("set k "+strings.Repeat("x", 1000), "config set client-output-buffer-limit normal_1_0_0", "ping", "get k", "echo "+strings.Repeat("x", 15_000))
}

// TestClientListOutput shows the replies that a client has not read.
func TestClientListOutput(t *testing.T) {
	s := serve(t, nil)
	c, reader := s.connect(t), s.connect(t)
	require.Equal(t, "+OK", c.do("SET", "k", strings.Repeat("x", 1<<20)))
	id := strings.TrimPrefix(reader.do("CLIENT", "ID"), ":")
	reader.send(strings.Repeat(request("GET", "k"), 64)) // more than the sockets take
	field := func(line, name string) int {
		n, err := strconv.Atoi(regexp.MustCompile(` ` + name + `=(\d+)`).FindStringSubmatch(line)[1])
		require.NoError(t, err)
		return n
	}
	require.Eventually(t, func() bool {
		line := c.do("CLIENT", "LIST", "ID", id)
		listed := field(line, "omem")
		return listed > 0 && field(line, "obl") == 16<<10 && field(line, "oll") == (listed+16<<10-1)/(16<<10) && field(line, "tot-mem") > listed
	}, 10*time.Second, time.Millisecond)
}
