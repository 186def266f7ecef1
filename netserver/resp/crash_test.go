package resp_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
)

// brock serve serves a database. redis-py changes it from several connections
// and prints what was acknowledged; meanwhile one checkpoint follows another. The
// program is killed at a random moment; then the database is opened and judged.
// Each round goes on with what the one before has left.

const (
	crashWriters = 4     // as in load.py
	crashPad     = 16000 // likewise
	crashSaves   = 1     // checkpoints before the program may be killed
	crashWithin  = 60    // ms after that
)

// build builds the program and returns its name.
func build(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "brock.exe") // what Windows wants
	out, err := exec.Command("go", "build", "-o", name, "github.com/brockdb/brock/cmd/brock").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return name
}

// victim is a server that is going to be killed.
type victim struct {
	cmd  *exec.Cmd
	addr string
}

// startVictim starts a server.
func startVictim(t *testing.T, program string, args ...string) *victim {
	t.Helper()
	v := &victim{cmd: exec.Command(program, append([]string{"serve", "--resp", "127.0.0.1:0"}, args...)...)}
	said, err := v.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, v.cmd.Start())
	t.Cleanup(func() {
		_ = v.cmd.Process.Kill()
		_ = v.cmd.Wait()
	})
	lines := bufio.NewReader(said)
	for {
		line, err := lines.ReadString('\n')
		require.NoError(t, err, "the server does not come up: %s", line)
		addr, ready := strings.CutPrefix(line, "brock: ready resp=")
		if ready {
			v.addr = strings.TrimSpace(addr)
			break
		}
	}
	go func() { _, _ = io.Copy(os.Stderr, lines) }()
	return v
}

// save makes one checkpoint after another, from first on until the server is
// gone, and returns how many were complete. Once there are enough it calls then,
// while the next one is being made.
func (v *victim) save(first <-chan struct{}, then func()) (n int, err error) {
	<-first
	conn, err := net.Dial("tcp", v.addr)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	for replies := bufio.NewReader(conn); ; n++ {
		if _, err := io.WriteString(conn, request("SAVE")); err != nil {
			return n, nil // it is gone
		}
		if n == crashSaves {
			then()
		}
		reply, err := replies.ReadString('\n')
		switch {
		case err != nil:
			return n, nil // likewise
		case reply != "+OK\r\n":
			return n, errors.New(reply)
		}
	}
}

// killServer runs the program under load, kills it, and returns the last step of
// each writer that was acknowledged.
func killServer(t *testing.T, round int, after time.Duration, program string, args ...string) (acked [crashWriters]int) {
	t.Helper()
	v := startVictim(t, program, args...)
	load := redisPy(t, "load.py", v.addr, strconv.Itoa(round))
	load.Stderr = os.Stderr
	acks, err := load.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, load.Start())
	first, saved := make(chan struct{}), make(chan error, 1)
	go func() {
		saves, err := v.save(first, func() {
			time.AfterFunc(after, func() { _ = v.cmd.Process.Kill() })
		})
		if err == nil && saves < crashSaves {
			err = fmt.Errorf("no more than %d checkpoints", saves)
		}
		saved <- err
	}()
	var begun sync.Once
	defer begun.Do(func() { close(first) })
	for lines := bufio.NewScanner(acks); lines.Scan(); begun.Do(func() { close(first) }) {
		var writer, n int
		_, err := fmt.Sscanf(lines.Text(), "ack %d %d", &writer, &n)
		require.NoError(t, err, lines.Text())
		acked[writer] = n
	}
	require.NoError(t, load.Wait())
	require.NoError(t, <-saved)
	require.Error(t, v.cmd.Wait(), "it was not killed")
	return acked
}

// judgeWriter checks that what is there of a writer is a beginning of its
// requests, with all that was acknowledged, and returns how many steps.
func judgeWriter(t *testing.T, db *brock.DB, name string, acked int) (steps int) {
	t.Helper()
	number := func(b []byte, err error) int {
		t.Helper()
		if acked == 0 && err != nil {
			require.ErrorIs(t, err, brock.ErrNotFound, name)
			return 0
		}
		require.NoError(t, err, "writer %s lost all of %d", name, acked)
		text, pad, padded := strings.Cut(string(b), ":")
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		require.True(t, !padded || len(pad) == n*37%crashPad && strings.Trim(pad, "x") == "", "%s: a value is torn", name)
		return n
	}
	values, err := db.LRange("list:"+name, 0, -1)
	require.NoError(t, err)
	for i, v := range values {
		require.Equal(t, len(values)-i, number(v, nil), "%s: elements are missing", name)
	}
	pair, err := db.MGet("left:"+name, "right:"+name)
	require.NoError(t, err)
	if pair[0] != nil || pair[1] != nil {
		require.Equal(t, number(pair[0], nil), number(pair[1], nil), "%s: half an MSET", name)
	}
	f, g := number(db.HGet("hash:"+name, "f")), number(db.HGet("hash:"+name, "g"))
	require.Equal(t, f, g, "%s: half an HSET", name)

	chain := []int{number(db.Get("last:" + name)), number(db.Get("total:" + name)), len(values), 0, f}
	if pair[0] != nil {
		chain[3] = number(pair[0], nil)
	}
	for i := 1; i < len(chain); i++ {
		require.GreaterOrEqual(t, chain[i-1], chain[i], "%s: no beginning of its requests: %v", name, chain)
	}
	require.LessOrEqual(t, chain[0]-f, 1, "%s: no beginning of its requests: %v", name, chain)
	require.GreaterOrEqual(t, f, acked, "%s lost what was acknowledged: %v", name, chain)
	return chain[0]
}

// TestKill kills brock serve under load, again and again, in the modes in which
// what was acknowledged survives that.
func TestKill(t *testing.T) {
	rounds := 10
	switch {
	case os.Getenv("BROCK_SOAK") != "":
		rounds = 50
	case testing.Short():
		rounds = 2
	}
	seed := rand.Uint64()
	if s := os.Getenv("SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 3))
	program, dir := build(t), t.TempDir()
	kept := map[string]int{} // what was there once stays
	for round := range rounds {
		mode := []string{"everysecond", "always"}[round%2]
		after := time.Duration(r.IntN(1000*crashWithin)) * time.Microsecond
		acked := killServer(t, round, after, program, "--dir", dir, "--durability", mode)
		report, err := brock.Check(dir)
		require.NoError(t, err, "round %d", round)
		require.Greater(t, report.Last, report.InLog, "no step was complete")
		db, err := brock.Open(dir, nil)
		require.NoError(t, err, "round %d", round)
		for name, steps := range kept {
			require.Equal(t, steps, judgeWriter(t, db, name, max(steps-1, 0)), name)
		}
		sum := 0
		for writer, n := range acked {
			name := fmt.Sprintf("%d:%d", round, writer)
			kept[name] = judgeWriter(t, db, name, n)
			sum += n
		}
		require.NotZero(t, sum, "nothing was acknowledged")
		t.Logf("round %d, %s: %d steps acknowledged", round, mode, sum)
		require.NoError(t, db.Close())
	}
}
