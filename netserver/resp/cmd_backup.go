package resp

import (
	"bufio"
	"io"
)

// backupPiece is the size of a bulk string of a backup.
const backupPiece = 64 << 10

// runBrockBackup replies a backup of all data: bulk strings up to an empty one.
// They are sent as the client reads them. An error among them ends the
// connection.
func runBrockBackup(c *call) error {
	if err := c.wait(); err != nil {
		return err
	}
	w := bufio.NewWriterSize(&streamer{c: c}, backupPiece)
	err := c.srv.db.Backup(w)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		c.fatal = true
		return err
	}
	c.out.str("")
	return nil
}

// streamer sends what a command off the loop writes to its client, each piece as
// a bulk string, before the command ends.
type streamer struct{ c *call }

// Write sends pieces.
func (s *streamer) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		piece := p[n:min(n+backupPiece, len(p))]
		if err = s.send(piece); err == nil {
			n += len(piece)
		}
	}
	return n, err
}

// send sends a piece, and waits until it may be followed by another one.
func (s *streamer) send(p []byte) error {
	c := s.c
	piece := &reply{proto: c.out.proto}
	piece.bulk(p)
	sent := make(chan struct{})
	loop := c.conn.t.Loop()
	loop.Post(func() {
		if c.conn.mute == muteOff {
			c.conn.write(piece.b)
		}
		c.conn.t.Mark(c.srv.reach.Store.Stats().Committed)
		loop.Post(func() { c.conn.whenRead(func() { close(sent) }) })
	})
	select {
	case <-sent:
		return nil
	case <-c.ctx.Done():
		return io.ErrClosedPipe
	}
}

// whenRead has fn called as soon as the client has read enough.
func (c *conn) whenRead(fn func()) {
	if c.full {
		c.resume = fn
		return
	}
	fn()
}
