package resp

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// readAll reads the requests in text, which arrives in chunks of up to a size,
// and returns their arguments, and what ends them. It keeps no more than it got.
func readAll(text []byte, chunk int, lim limits) (requests [][][]byte, err error) {
	var r reader
	var buf []byte
	for len(text) > 0 {
		n := min(chunk, len(text))
		buf, text = append(buf, text[:n]...), text[n:]
		for {
			args, size, err := r.next(buf, nil, lim)
			if err != nil {
				return requests, err
			}
			if size == 0 {
				break
			}
			own := make([][]byte, 0, len(args))
			for _, arg := range args {
				own = append(own, bytes.Clone(arg))
			}
			requests = append(requests, own)
			buf = buf[size:]
		}
	}
	return requests, nil
}

// readLong is readAll with requests kept in pieces that are not complete with
// their first count.
func readLong(text []byte, chunk int, lim limits) (requests [][][]byte, err error) {
	c := &conn{srv: &Server{}, authed: !lim.early}
	c.srv.opts.RequirePass = "secret"
	c.srv.config = newConfig(c.srv)
	var buf []byte
	for len(text) > 0 {
		n := min(chunk, len(text))
		if c.long == nil {
			buf, text = append(buf, text[:n]...), text[n:]
		} else {
			used, done, err := c.long.add(text[:n])
			if err != nil {
				return requests, err
			}
			text = text[used:]
			if done {
				c.long.spans = c.reader.spans
				requests = append(requests, c.long.join())
				c.long, c.reader = nil, reader{}
			}
		}
		for c.long == nil {
			args, size, err := c.reader.next(buf, make([][]byte, 0), lim)
			if err != nil {
				return requests, err
			}
			if size == 0 {
				break
			}
			requests = append(requests, args)
			buf = buf[size:]
		}
		if c.reader.missing > 0 && c.long == nil {
			c.long, buf = newLong(c, buf), nil
		}
	}
	return requests, nil
}

// FuzzReader reads any bytes, whole, in chunks, and in pieces: requests are the
// same, none is longer than what it was read from, and what lines announce is not
// allocated.
func FuzzReader(f *testing.F) {
	for _, text := range []string{
		"PING\r\n", "*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$3\r\na\r\n\r\n", "*2147483647\r\n$536870912\r\nabc", "*0\r\n*-1\r\n\r\nPING\n",
		`ECHO "a\x41\n" 'b\''` + "\r\n", `ECHO "a`, "*1\r\n:1\r\n", "*x\r\n", "*1\r\n$-1\r\n", "ECHO a\x00b\r\n", "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n",
	} {
		f.Add([]byte(text), uint8(1), false)
		f.Add([]byte(text), uint8(3), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, chunk uint8, early bool) {
		lim := limits{bulk: maxBulk, early: early}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		whole, err := readAll(text, len(text)+1, lim)
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20+200*len(text)))
		total := 0
		for _, request := range whole {
			total += size(request)
		}
		require.LessOrEqual(t, total, len(text))
		pieces, errPieces := readAll(text, int(chunk)+1, lim)
		if len(text) < maxInline { // longer lines are refused as soon as they are seen to be
			require.Equal(t, err, errPieces)
			require.Equal(t, whole, pieces)
			pieces, errPieces = readLong(text, int(chunk)+1, lim)
			require.Equal(t, err, errPieces)
			require.Equal(t, whole, pieces)
		}
	})
}

// TestReaderKeepsNothing reads requests of all kinds with one reader without
// allocating for what they announce.
func TestReaderKeepsNothing(t *testing.T) {
	var r reader
	args := make([][]byte, 0, 8)
	text := []byte("*2\r\n$4\r\nECHO\r\n$3\r\nabc\r\n")
	allocs := testing.AllocsPerRun(100, func() {
		var size int
		var err error
		args, size, err = r.next(text, args[:0], limits{bulk: maxBulk})
		if err != nil || size != len(text) {
			t.Fatal(size, err)
		}
	})
	require.LessOrEqual(t, allocs, 1.0)
}
