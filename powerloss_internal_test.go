package brock

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/store"
)

// The child of TestKill runs on a file system that forgets what was not
// fsynced (BROCK_POWERLOSS is the program that mounts it, see .ci/run), and
// images of what a power cut would leave are opened and judged: with Always by
// what had been acknowledged before the cut, with the other modes by being a
// beginning of the history. Each image is then run on, on such a file system
// again, and cut again.

// powerLoss is the program.
type powerLoss struct {
	t    *testing.T
	tool string
	mode store.Durability
	work string
	runs int

	images int
	logs   uint64 // the highest number of a segment seen
	values int    // images whose first value log files had been collected
	lost   int    // acknowledged transactions that were not there
}

// run runs the child for n images, every ms apart, beginning with a copy of
// from unless that is empty, and returns the directory of the images.
func (p *powerLoss) run(from string, n, every int) string {
	p.runs++
	dir := filepath.Join(p.work, strconv.Itoa(p.runs))
	live, mnt, images := filepath.Join(dir, "live"), filepath.Join(dir, "mnt"), filepath.Join(dir, "images")
	require.NoError(p.t, os.MkdirAll(images, 0o700))
	cmd := exec.Command(p.tool, live, mnt, images, strconv.Itoa(n), strconv.Itoa(every), os.Args[0], "-test.run", "^TestCrashChild$")
	cmd.Env = append(os.Environ(), crashDir+"="+filepath.Join(mnt, "db"), crashMode+"="+strconv.Itoa(int(p.mode)), crashFrom+"="+from)
	out, err := cmd.CombinedOutput()
	require.NoError(p.t, err, "%s", out)
	require.NoError(p.t, os.RemoveAll(live))
	return images
}

// acks returns the last transaction of each writer that was acknowledged
// before an image, and whether the child had opened the database.
func (p *powerLoss) acks(image string) (acked [crashWriters]int, opened bool) {
	b, err := os.ReadFile(image + ".acks")
	require.NoError(p.t, err)
	for line := range strings.Lines(string(b)) {
		require.NotContains(p.t, line, "error")
		opened = opened || line == "open\n"
		var writer, n, steps int
		if _, err := fmt.Sscanf(line, "ack %d %d %d\n", &writer, &n, &steps); err == nil && strings.HasSuffix(line, "\n") {
			acked[writer] = n
		}
	}
	return acked, opened
}

// open opens a copy of an image, judges it, closes it in order, opens it again
// and judges that, too. It returns the last transaction of each writer.
func (p *powerLoss) open(image string, least [crashWriters]int) (last [crashWriters]int) {
	db := filepath.Join(p.work, "open")
	require.NoError(p.t, copySynced(db, image))
	defer os.RemoveAll(db)
	for i := range 2 {
		d, err := openSmall(db, p.mode, int64(p.images%2)*(64<<10))
		require.NoError(p.t, err, image)
		found := judgePrefix(p.t, d, least)
		require.NoError(p.t, d.Close(), image)
		if i == 1 {
			require.Equal(p.t, last, found, image)
		}
		last, least = found, found
	}
	return last
}

// judge opens an image, and lets it run on and be cut again.
func (p *powerLoss) judge(image string) {
	acked, opened := p.acks(image)
	db := filepath.Join(image, "db")
	if _, err := os.Stat(db); err != nil {
		require.False(p.t, opened, "the directory is gone")
		return
	}
	p.images++
	p.look(db)
	least := acked
	if p.mode != store.Always {
		least = [crashWriters]int{}
	}
	found := p.open(db, least)
	for writer, n := range acked {
		p.lost += max(0, n-found[writer])
	}
	again := filepath.Join(p.run(db, 1, 900), "0")
	defer os.RemoveAll(filepath.Dir(filepath.Dir(again)))
	second, opened := p.acks(again)
	if !opened {
		return // cut while it was copied
	}
	for writer, n := range second {
		if p.mode == store.Always {
			found[writer] = max(found[writer], n)
		}
	}
	p.open(filepath.Join(again, "db"), found)
}

// look notes what an image tells of the child's work.
func (p *powerLoss) look(db string) {
	segments, err := filepath.Glob(filepath.Join(db, "log", "*.log"))
	require.NoError(p.t, err)
	for _, name := range segments {
		n, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(name), ".log"), 16, 64)
		require.NoError(p.t, err)
		p.logs = max(p.logs, n)
	}
	if _, err := os.Stat(filepath.Join(db, "base", "000001.vlog")); err != nil {
		p.values++
	}
}

// copySynced copies a directory and makes the copy durable.
func copySynced(to, from string) error {
	err := filepath.WalkDir(from, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := os.OpenFile(filepath.Join(to, rel), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := f.Write(b); err != nil {
			return err
		}
		return f.Sync()
	})
	return err
}

func TestPowerLoss(t *testing.T) {
	if testing.Short() {
		t.Skip("short: power cuts take a while")
	}
	tool := os.Getenv("BROCK_POWERLOSS")
	if tool == "" {
		t.Skip("powerloss: BROCK_POWERLOSS names no tool")
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skip("powerloss: there is no /dev/fuse")
	}
	images := map[store.Durability]int{store.Always: 4, store.EverySecond: 3, store.Relaxed: 3}
	if os.Getenv("BROCK_SOAK") != "" {
		images = map[store.Durability]int{store.Always: 80, store.EverySecond: 60, store.Relaxed: 60}
	}
	for mode, n := range images {
		t.Run(Durability(mode).String(), func(t *testing.T) {
			p := &powerLoss{t: t, tool: tool, mode: mode, work: t.TempDir()}
			for p.images < n {
				dir := p.run("", min(n-p.images, 10), 1500+rand.IntN(500))
				all, err := filepath.Glob(filepath.Join(dir, "*.acks"))
				require.NoError(t, err)
				for _, acks := range all {
					p.judge(strings.TrimSuffix(acks, ".acks"))
				}
				require.NoError(t, os.RemoveAll(filepath.Dir(dir)))
			}
			t.Logf("%d images, %d segments written, %d with a collected value log, %d acknowledged transactions lost", p.images, p.logs, p.values, p.lost)
			require.NotZero(t, p.logs)
		})
	}
}
