package resp

import (
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/brockdb/brock"
)

// Errors of commands about the server.
const (
	errSaving     Error = "ERR Background save already in progress"
	errNoShutdown Error = "ERR No shutdown in progress."
	errShutdown   Error = "ERR Errors trying to SHUTDOWN. Check logs."
)

// saving is what is known of checkpoints that clients asked for.
type saving struct {
	mu    sync.Mutex
	began time.Time     // when the one that runs began; zero if none does
	took  time.Duration // by the last one; negative: there was none
	err   error         // of the last one
}

// begin notes that a checkpoint begins, unless one runs already.
func (s *saving) begin(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.began.IsZero() {
		return false
	}
	s.began = now
	return true
}

// end notes that the checkpoint has ended.
func (s *saving) end(now time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took, s.err, s.began = now.Sub(s.began), err, time.Time{}
}

// save makes the checkpoint that saving.begin has announced.
func (s *Server) save() error {
	err := s.db.Checkpoint()
	s.saving.end(time.Now(), err)
	return err
}

// saveInBackground is save for a goroutine of its own.
func (s *Server) saveInBackground() {
	if err := s.save(); err != nil {
		s.log.Error("brock: checkpoint", "err", err)
	}
}

// runSave makes a checkpoint.
func runSave(c *call) error {
	if !c.srv.saving.begin(time.Now()) {
		return errSaving
	}
	if err := c.srv.save(); err != nil {
		return err
	}
	c.out.ok()
	return nil
}

// runBGSave starts a checkpoint.
func runBGSave(c *call) error {
	if len(c.args) > 2 || len(c.args) == 2 && !c.is(1, "SCHEDULE") {
		return errSyntax
	}
	if !c.srv.saving.begin(time.Now()) {
		return errSaving
	}
	go c.srv.saveInBackground()
	c.out.simple("Background saving started")
	return nil
}

// runLastSave replies when the last complete checkpoint was made, or when the
// server was started.
func runLastSave(c *call) error {
	c.out.int(c.srv.lastSave().Unix())
	return nil
}

// lastSave returns when the last complete checkpoint was made, or when the
// server was started if there was none since.
func (s *Server) lastSave() time.Time {
	if at := s.db.Stats().CheckpointAt; !at.IsZero() {
		return at
	}
	return s.started
}

// runTime replies the time.
func runTime(c *call) error {
	now := c.srv.now()
	c.out.array(2)
	c.out.bulk(strconv.AppendInt(nil, now.Unix(), 10))
	c.out.bulk(strconv.AppendInt(nil, int64(now.Nanosecond())/1000, 10))
	return nil
}

// runMemoryUsage replies about how many bytes a key takes. SAMPLES changes
// nothing: what collections take is known.
func runMemoryUsage(c *call) error {
	for i := 3; i < len(c.args); i += 2 {
		if !c.is(i, "SAMPLES") || i+1 == len(c.args) {
			return errSyntax
		}
		n, err := c.int(i + 1)
		switch {
		case err != nil:
			return err
		case n < 0:
			return errSyntax
		}
	}
	n, err := c.db.MemoryUsage(c.str(2))
	switch {
	case errors.Is(err, brock.ErrNotFound):
		c.out.null()
		return nil
	case err == nil:
		c.out.int(n)
	}
	return err
}

// shutdownOptions are what SHUTDOWN is told.
type shutdownOptions struct{ save, noSave, force, abort bool }

// shutdownOptions reads the options of SHUTDOWN.
func (c *call) shutdownOptions() (o shutdownOptions, err error) {
	now := false
	for i := range c.args[1:] {
		switch {
		case c.is(i+1, "SAVE"):
			o.save = true
		case c.is(i+1, "NOSAVE"):
			o.noSave = true
		case c.is(i+1, "NOW"):
			now = true
		case c.is(i+1, "FORCE"):
			o.force = true
		case c.is(i+1, "ABORT"):
			o.abort = true
		default:
			return o, errSyntax
		}
	}
	if o.save && o.noSave || o.abort && (o.save || o.noSave || o.force || now) {
		return o, errSyntax
	}
	return o, nil
}

// runShutdown stops the server; only an error is a reply. SAVE makes a
// checkpoint before. Without it nothing is lost either: what was acknowledged
// is as durable as the mode says, and the program closes the database.
func runShutdown(c *call) error {
	o, err := c.shutdownOptions()
	switch {
	case err != nil:
		return err
	case o.abort:
		return errNoShutdown
	case o.save:
		if err := c.wait(); err != nil {
			return err
		}
		if err := c.srv.db.Checkpoint(); err != nil && !o.force {
			c.srv.log.Error("brock: checkpoint before SHUTDOWN", "err", err)
			return errShutdown
		}
	}
	if c.srv.down.CompareAndSwap(false, true) {
		go c.srv.end()
	}
	c.quit()
	return nil
}

// end stops the server because a client asked for it.
func (s *Server) end() {
	s.shutdown()
	if s.opts.Shutdown != nil {
		s.opts.Shutdown()
	}
}
