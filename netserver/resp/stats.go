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
	calls       atomic.Int64
	errors      atomic.Int64
	perCommand  []commandStats // by the command's number

	mu     sync.Mutex
	byCode map[string]int64 // error replies by their code; guarded by mu
}

// commandStats are the counters of one command.
type commandStats struct {
	calls    atomic.Int64
	took     atomic.Int64 // ns
	rejected atomic.Int64
	failed   atomic.Int64
	latency  atomic.Pointer[histogram]
}

// run is some commands of one kind, one behind the other, that are not counted
// yet: pipelines are counted run by run.
type run struct {
	srv   *Server
	cmd   *command
	calls int64
	took  time.Duration
}

// add counts a command that was run.
func (r *run) add(c *call) {
	if r.cmd != c.cmd {
		r.settle()
		r.srv, r.cmd = c.srv, c.cmd
	}
	r.calls++
	r.took += c.took
	s := &c.srv.stats.perCommand[c.cmd.id]
	h := s.latency.Load()
	if h == nil {
		s.latency.CompareAndSwap(nil, &histogram{})
		h = s.latency.Load()
	}
	h.add(c.took)
	if c.err != nil {
		s.failed.Add(1)
		c.srv.stats.failed(code(c.srv.text(c.err)))
	}
	c.srv.slow.note(c)
}

// settle counts what add has collected.
func (r *run) settle() {
	if r.calls == 0 {
		return
	}
	s := &r.srv.stats
	s.calls.Add(r.calls)
	s.perCommand[r.cmd.id].calls.Add(r.calls)
	s.perCommand[r.cmd.id].took.Add(int64(r.took))
	*r = run{}
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
