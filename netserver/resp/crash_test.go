package resp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/bridge"
	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/store"
	"github.com/brockdb/brock/netserver/resp"
)

// The test binary runs itself as a child that serves a database, checkpoint steps
// running all the time. redis-py changes it from several connections and prints
// what was acknowledged. The child is killed at a random moment; then the database
// is opened and judged. Each round goes on with what the one before has left.

const (
	crashDir     = "BROCK_RESP_CRASH_DIR"
	crashWriters = 4  // as in load.py
	crashSteps   = 3  // checkpoint steps before the child may be killed
	crashWithin  = 60 // ms after that
)

// openSmall opens a database whose log, steps and files are small, so that much
// of what happens once an hour happens all the time.
func openSmall(dir string) (*brock.DB, *store.Store, error) {
	eng, err := engine.Open(dir, engine.Options{
		SegmentMin: 64 << 10, SegmentMax: 256 << 10,
		Small: engine.BaseSizes{ValueLog: 1 << 20},
	})
	if err != nil {
		return nil, nil, err
	}
	s, err := store.Open(eng, store.Options{Durability: store.EverySecond, MinRound: 128 << 10, StepSize: 128 << 10})
	if err != nil {
		_ = eng.Close()
		return nil, nil, err
	}
	return bridge.DB(s).(*brock.DB), s, nil
}

// TestCrashChild is the child; without a directory there is nothing to do.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		return // it is a part of TestKill
	}
	db, s, err := openSmall(dir)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, _ = fmt.Fprintln(os.Stdout, "ready", l.Addr())
	go func() {
		for range time.Tick(time.Millisecond) {
			if s.Stats().Steps >= crashSteps {
				_, _ = fmt.Fprintln(os.Stdout, "steps")
				return
			}
		}
	}()
	require.NoError(t, resp.Serve(context.Background(), l, db, nil))
}

// killServer runs the child under load, kills it, and returns the last step of
// each writer that was acknowledged.
func killServer(t *testing.T, dir string, round int, r *rand.Rand) (acked [crashWriters]int) {
	t.Helper()
	server := exec.Command(os.Args[0], "-test.run", "^TestCrashChild$")
	server.Env = append(os.Environ(), crashDir+"="+dir)
	server.Stderr = os.Stderr
	said, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	defer func() { _ = server.Wait() }()
	defer func() { _ = server.Process.Kill() }()
	lines := bufio.NewScanner(said)
	require.True(t, lines.Scan(), "the child does not come up")
	addr, ok := strings.CutPrefix(lines.Text(), "ready ")
	require.True(t, ok, lines.Text())

	load := redisPy(t, "load.py", addr, strconv.Itoa(round))
	load.Stderr = os.Stderr
	acks, err := load.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, load.Start())
	first := make(chan struct{})
	after := time.Duration(r.IntN(1000*crashWithin)) * time.Microsecond
	go func() {
		if lines.Scan() {
			<-first
			time.AfterFunc(after, func() { _ = server.Process.Kill() })
		}
		_, _ = io.Copy(io.Discard, said)
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
		require.True(t, !padded || len(pad) == n*37%1500 && strings.Trim(pad, "x") == "", "%s: a value is torn", name)
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

// TestKill kills a server under load, again and again.
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
	dir := t.TempDir()
	kept := map[string]int{} // what was there once stays
	for round := range rounds {
		acked := killServer(t, dir, round, r)
		db, _, err := openSmall(dir)
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
		t.Logf("round %d: %d steps acknowledged", round, sum)
		require.NoError(t, db.Close())
	}
}
