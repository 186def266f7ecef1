package brock

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
	"github.com/brockdb/brock/internal/store"
)

// The test binary runs itself as a child that changes a database from several
// goroutines, checkpoint steps running all the time, and prints what has been
// acknowledged. It is killed at a random moment; then the database is opened
// and judged. Each round goes on with what the one before has left.

const (
	crashDir     = "BROCK_CRASH_DIR"
	crashMode    = "BROCK_CRASH_MODE"
	crashFrom    = "BROCK_CRASH_FROM" // what to begin with, see TestPowerLoss
	crashWriters = 6
	crashFields  = 40
)

// openSmall opens a database whose log, steps and files are small, so that
// much of what happens once an hour happens all the time.
func openSmall(dir string, d store.Durability, budget int64) (*DB, error) {
	eng, err := engine.Open(dir, engine.Options{
		SegmentMin: 64 << 10, SegmentMax: 256 << 10,
		Small: engine.BaseSizes{ValueLog: 1 << 20},
	})
	if err != nil {
		return nil, err
	}
	s, err := store.Open(eng, store.Options{Durability: d, MinRound: 128 << 10, StepSize: 128 << 10, MemoryBudget: budget})
	if err != nil {
		_ = eng.Close()
		return nil, err
	}
	return newDB(s), nil
}

// crashTx is transaction n of a writer: everything that it changes tells n.
func crashTx(tx *Tx, writer, n int) error {
	w, v := strconv.Itoa(writer), []byte(strconv.Itoa(n))
	if err := tx.Set("last:"+w, v); err != nil {
		return err
	}
	if _, err := tx.RPush("list:"+w, v); err != nil {
		return err
	}
	if n%500 == 0 { // so that lists do not grow for ever
		if _, err := tx.Del("list:" + w); err != nil {
			return err
		}
	}
	field := strconv.Itoa(n % crashFields)
	if _, err := tx.HSet("hash:"+w, F(field, string(v)+strings.Repeat("x", n%2000))); err != nil {
		return err
	}
	if _, err := tx.ZAdd("zset", Z{Member: w, Score: float64(n)}); err != nil {
		return err
	}
	if n%7 == 0 {
		if err := tx.Rename("hash:"+w, "moved:"+w); err != nil {
			return err
		}
		if err := tx.Rename("moved:"+w, "hash:"+w); err != nil {
			return err
		}
	}
	_, err := tx.Incr("total")
	return err
}

// TestCrashChild is the child; without a directory there is nothing to do.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		return // it is a part of TestKill
	}
	mode, err := strconv.Atoi(os.Getenv(crashMode))
	require.NoError(t, err)
	if from := os.Getenv(crashFrom); from != "" {
		require.NoError(t, copySynced(dir, from))
	}
	db, err := openSmall(dir, store.Durability(mode), 0)
	require.NoError(t, err)
	var mu sync.Mutex
	out := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintf(os.Stdout, format+"\n", args...)
	}
	out("open")
	var wg sync.WaitGroup
	for writer := range crashWriters {
		wg.Go(func() {
			last, _ := db.Get("last:" + strconv.Itoa(writer))
			n, _ := strconv.Atoi(string(last))
			for {
				n++
				if err := db.Update(func(tx *Tx) error { return crashTx(tx, writer, n) }); err != nil {
					out("error %v", err)
					return
				}
				out("ack %d %d %d", writer, n, db.s.Stats().Steps)
			}
		})
	}
	wg.Wait()
}

// killChild runs the child until some checkpoint steps are complete, kills it,
// and returns the last acknowledged transaction of each writer.
func killChild(t *testing.T, dir string, mode store.Durability, r *rand.Rand) (acked [crashWriters]int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestCrashChild$")
	cmd.Env = append(os.Environ(), crashDir+"="+dir, crashMode+"="+strconv.Itoa(int(mode)))
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	var kill *time.Timer
	sc := bufio.NewScanner(stdout)
	for sc.Scan() {
		line := sc.Text()
		require.NotContains(t, line, "error")
		var writer, n, steps int
		if _, err := fmt.Sscanf(line, "ack %d %d %d", &writer, &n, &steps); err != nil {
			require.True(t, line == "open" || !strings.HasPrefix(line, "ack"), line)
			continue
		}
		acked[writer] = n
		if steps >= 3 && kill == nil {
			kill = time.AfterFunc(time.Duration(r.IntN(60_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		}
	}
	_, _ = io.Copy(io.Discard, stdout)
	_ = cmd.Wait()
	require.NotNil(t, kill, "the child ended by itself")
	return acked
}

// judge checks that every acknowledged transaction is there, at most the one
// of each writer that was under way besides, and none half.
func judge(t *testing.T, db *DB, acked [crashWriters]int) {
	t.Helper()
	for writer, last := range judgePrefix(t, db, acked) {
		require.LessOrEqual(t, last, acked[writer]+1, "writer %d: only one transaction was under way", writer)
	}
}

// judgePrefix checks that what it finds is a beginning of the history: no
// transaction is half there, none is missing before one that is there, and at
// least those of least are. It returns the last one of each writer.
func judgePrefix(t *testing.T, db *DB, least [crashWriters]int) (last [crashWriters]int) {
	t.Helper()
	total := 0
	for writer := range crashWriters {
		b, err := db.Get("last:" + strconv.Itoa(writer))
		if least[writer] == 0 && errors.Is(err, ErrNotFound) {
			continue
		}
		require.NoError(t, err, "writer %d lost all of %d", writer, least[writer])
		last[writer], err = strconv.Atoi(string(b))
		require.NoError(t, err)
		require.GreaterOrEqual(t, last[writer], least[writer], "writer %d lost what was acknowledged", writer)
		total += last[writer]
		judgeWriter(t, db, writer, last[writer])
	}
	// Each transaction adds one: if any were missing before one that is there,
	// the sum would be off.
	sum, err := db.Get("total")
	if total == 0 && errors.Is(err, ErrNotFound) {
		return last
	}
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(total), string(sum))
	return last
}

// judgeWriter checks that all that a writer's transactions changed tells the
// same last one.
func judgeWriter(t *testing.T, db *DB, writer, last int) {
	t.Helper()
	w := strconv.Itoa(writer)
	n, err := db.LLen("list:" + w)
	require.NoError(t, err)
	require.EqualValues(t, last%500, n)
	if n > 0 {
		tail, err := db.LIndex("list:"+w, -1)
		require.NoError(t, err)
		require.Equal(t, strconv.Itoa(last), string(tail))
	}
	score, err := db.ZScore("zset", w)
	require.NoError(t, err)
	require.EqualValues(t, last, score)
	for f := range crashFields {
		k := last - (last-f%crashFields+crashFields)%crashFields
		if k <= 0 {
			continue
		}
		v, err := db.HGet("hash:"+w, strconv.Itoa(f))
		require.NoError(t, err)
		require.Equal(t, strconv.Itoa(k)+strings.Repeat("x", k%2000), string(v))
	}
}

func TestKill(t *testing.T) {
	rounds := 10
	switch {
	case os.Getenv("BROCK_SOAK") != "":
		rounds = 100
	case testing.Short():
		rounds = 2
	}
	seed := uint64(envInt("SEED", rand.Int()))
	t.Logf("SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	for _, mode := range []store.Durability{store.EverySecond, store.Always} {
		t.Run(Durability(mode).String(), func(t *testing.T) {
			dir := t.TempDir()
			for i := range rounds {
				acked := killChild(t, dir, mode, r)
				requireSound(t, dir)
				db, err := openSmall(dir, mode, int64(i%2)*(256<<10))
				require.NoError(t, err, "round %d", i)
				judge(t, db, acked)
				require.NoError(t, db.Close())
			}
		})
	}
}
