package resp

import (
	"sync"
	"sync/atomic"
	"time"
)

// stats are the counters that INFO shows.
type stats struct {
	connections atomic.Int64
	refused     atomic.Int64 // connections beyond maxclients
	errors      atomic.Int64
	perCommand  []commandStats // by the command's number
	meters      [meterCount]meter
	loops       atomic.Uint32 // those that have a meter

	mu     sync.Mutex
	byCode map[string]int64 // error replies by their code; guarded by mu
	zero   tally            // what the meters showed when they were set to zero; guarded by mu
}

// meter returns the meter of one more loop.
func (s *stats) meter() *meter { return &s.meters[s.loops.Add(1)%meterCount] }

// commandStats are the counters of one command.
type commandStats struct {
	calls    atomic.Int64
	took     atomic.Int64 // ns
	rejected atomic.Int64
	failed   atomic.Int64
	latency  atomic.Pointer[histogram]
}

// run is some commands of one kind, one behind the other, that are not counted
// yet. They are timed together: in a pipeline each has taken the mean.
type run struct {
	srv   *Server
	tally *tally // of the loop
	cmd   *command
	calls int64
	began time.Duration // since the server was started
}

// timedAlone is the number of arguments from which on a command is timed alone.
// Others that run on a loop never take as long as the slowlog asks for by
// default.
const timedAlone = 64

// begin is called before the first command of a batch.
func (r *run) begin(s *Server) { r.srv, r.began = s, s.uptime() }

// add counts a command that was run on the loop, or off it: that has its own
// time.
func (r *run) add(c *call) {
	if c.err != nil {
		r.srv.stats.perCommand[c.cmd.id].failed.Add(1)
		r.srv.stats.failed(code(r.srv.text(c.err)))
	}
	if c.off() {
		r.count(c.cmd, 1, c.took)
		r.srv.slow.note(c)
		return
	}
	if r.cmd != c.cmd {
		r.settle()
		r.cmd = c.cmd
	}
	r.calls++
	if len(c.args) >= timedAlone || r.srv.slow.short() {
		c.took = r.settle()
		r.srv.slow.note(c)
	}
}

// settle counts what add has collected, and returns the mean time of a command.
func (r *run) settle() (mean time.Duration) {
	if r.calls > 0 {
		now := r.srv.uptime()
		mean = (now - r.began) / time.Duration(r.calls)
		r.count(r.cmd, r.calls, mean)
		r.began, r.calls, r.cmd = now, 0, nil
	}
	return mean
}

// count counts calls of a command with the mean of their times.
func (r *run) count(cmd *command, calls int64, mean time.Duration) {
	s := &r.srv.stats.perCommand[cmd.id]
	r.tally.calls += calls
	s.calls.Add(calls)
	s.took.Add(int64(mean) * calls)
	if !r.srv.config.tracking.Load() {
		return
	}
	h := s.latency.Load()
	if h == nil {
		h = &histogram{} // of two that are made at a time one loses a call
		s.latency.Store(h)
	}
	h.add(mean, uint64(calls))
}

// rejected counts a command that was not run; cmd is nil if there is none of
// its name.
func (s *stats) rejected(cmd *command, text string) {
	if cmd != nil {
		s.perCommand[cmd.id].rejected.Add(1)
	}
	s.failed(code(text))
}

// failed counts an error reply by its code.
func (s *stats) failed(code string) {
	s.errors.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byCode == nil {
		s.byCode = make(map[string]int64)
	}
	if _, ok := s.byCode[code]; ok || len(s.byCode) < maxCodes {
		s.byCode[code]++
	}
}

// reset sets all counters to zero.
func (s *stats) reset(uptime time.Duration) {
	counted, _ := s.read(uptime)
	s.connections.Store(0)
	s.refused.Store(0)
	s.errors.Store(0)
	for i := range s.perCommand {
		cmd := &s.perCommand[i]
		cmd.calls.Store(0)
		cmd.took.Store(0)
		cmd.rejected.Store(0)
		cmd.failed.Store(0)
		cmd.latency.Store(nil)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byCode = nil
	s.zero.add(&counted)
}

// maxCodes bounds how many codes of errors are counted.
const maxCodes = 128

// code returns the code of an error reply: its first word.
func code(text string) string {
	for i := range len(text) {
		if text[i] == ' ' {
			return text[:i]
		}
	}
	return text
}
