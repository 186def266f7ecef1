package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/engine"
)

// openDir opens a store in a directory, with segments of 16 KiB.
func openDir(t *testing.T, dir string) (*Store, error) {
	t.Helper()
	eng, err := engine.Open(dir, engine.Options{SegmentMin: 16 << 10, SegmentMax: 16 << 10})
	require.NoError(t, err)
	s, err := Open(eng, Options{NoTimers: true})
	if err != nil {
		require.NoError(t, eng.Close())
		return nil, err
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, nil
}

// segmentsIn returns the segments in a directory, the oldest first.
func segmentsIn(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "log", "*.log"))
	require.NoError(t, err)
	return names
}

// TestRuleLogIsWhole removes the oldest segments of a closed store: where the
// base needs them, Open tells what is missing.
func TestRuleLogIsWhole(t *testing.T) {
	const n = 40
	write := func(t *testing.T, s *Store) {
		t.Helper()
		for i := range n {
			require.NoError(t, doHistory(s, i+1))
		}
	}
	for name, c := range map[string]struct {
		fill func(t *testing.T, s *Store)
		lost int    // segments to remove, the oldest first
		want string // in the error; none if empty
	}{
		"an empty base": {
			fill: func(t *testing.T, s *Store) {
				t.Helper()
				for i := range 200 { // groups that are not divided
					set(t, s, fmt.Sprint("key", i), strings.Repeat("x", 200))
				}
			},
			lost: 1, want: "the log lacks transactions 1 to ",
		},
		"a base that some partitions are missing in": {
			fill: func(t *testing.T, s *Store) {
				t.Helper()
				write(t, s)
				require.NoError(t, s.Step(0xffff))
			},
			lost: 1, want: "transactions ",
		},
		"all of it": {
			fill: func(t *testing.T, s *Store) {
				t.Helper()
				write(t, s)
				require.NoError(t, s.Step(0xffff))
			},
			lost: 1000, want: "the log lacks transactions 1 to 40",
		},
		"the beginning of a group": {
			fill: func(t *testing.T, s *Store) {
				t.Helper()
				set(t, s, "large", strings.Repeat("x", 100<<10))
			},
			lost: 1, want: "transactions 1 to 1 begin before",
		},
		"what the base has": {
			fill: func(t *testing.T, s *Store) {
				t.Helper()
				write(t, s)
				require.NoError(t, s.Checkpoint())
				set(t, s, "later", "x")
			},
		},
		"everything, which the base has": {
			fill: func(t *testing.T, s *Store) {
				t.Helper()
				write(t, s)
				require.NoError(t, s.Checkpoint())
			},
			lost: 1000,
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := openDir(t, dir)
			require.NoError(t, err)
			c.fill(t, s)
			want := contents(t, s)
			require.NoError(t, s.Close())
			names := segmentsIn(t, dir)
			for _, name := range names[:min(c.lost, len(names))] {
				require.NoError(t, os.Remove(name))
			}
			again, err := openDir(t, dir)
			if c.want != "" {
				require.ErrorIs(t, err, engine.ErrCorrupt)
				require.ErrorContains(t, err, c.want)
				return
			}
			require.NoError(t, err)
			sameContents(t, want, contents(t, again), "opened")
			set(t, again, "new", "x")
		})
	}
}

// gappyLog is a log that has lost a group.
type gappyLog struct {
	engine.Log
	lost engine.LSN
}

func (l *gappyLog) Replay(from engine.LSN, fn func(engine.Group) error) error {
	return l.Log.Replay(from, func(g engine.Group) error {
		if g.First == l.lost {
			return nil
		}
		return fn(g)
	})
}

// gappyEngine is an engine with a gappyLog.
type gappyEngine struct {
	engine.Engine
	log *gappyLog
}

func (e *gappyEngine) Log() engine.Log { return e.log }

// TestRuleLogHasNoGap opens a store whose log leaves out each group in turn,
// when partitions are complete at several LSNs.
func TestRuleLogHasNoGap(t *testing.T) {
	const n, complete = 20, 15
	states := histories(t, n)
	m := engine.NewMemorySeed(1, 2)
	s := openMem(t, m, Options{})
	for i := range n {
		require.NoError(t, doHistory(s, i+1))
		if i+1 == 5 {
			require.NoError(t, s.Step(^uint64(0)))
		}
		if i+1 == complete {
			require.NoError(t, s.Step(0xff))
		}
	}
	for lost := engine.LSN(1); lost <= n; lost++ {
		next := m.Crash(engine.Crash{})
		s, err := Open(&gappyEngine{next, &gappyLog{next.Log(), lost}}, Options{NoTimers: true})
		switch {
		case lost <= 5: // the base has it
			require.NoError(t, err)
			sameContents(t, states[n], contents(t, s), "without %d", lost)
			require.NoError(t, s.Close())
		case lost < n:
			require.ErrorIs(t, err, engine.ErrCorrupt, "without %d", lost)
			require.ErrorContains(t, err, "the log lacks transactions")
		default: // a log that ends earlier, as after a power cut
			require.NoError(t, err)
			sameContents(t, states[n-1], contents(t, s), "without %d", lost)
			require.NoError(t, s.Close())
		}
	}
}
