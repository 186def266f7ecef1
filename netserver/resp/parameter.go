package resp

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/internal/bridge"
	"github.com/brockdb/brock/internal/integer"
)

// parameter is one that CONFIG knows.
type parameter struct {
	name string
	get  func() string

	// parse reads a value and returns what sets it, which may fail, too, and
	// may take a while. nil: it cannot be set.
	parse  func(value string) (set func() error, err error)
	fixed  Error // why it cannot be set, where parse is nil
	secret bool
}

// Errors of parameters, and of their values.
const (
	errParamFixed   Error = "can't set immutable config"
	errParamGuarded Error = "can't set protected config"
	errParamInt     Error = "argument couldn't be parsed into an integer"
	errParamMemory  Error = "argument must be a memory value"
	errParamYesNo   Error = "argument must be 'yes' or 'no'"
	errParamShares  Error = "Invalid latency-tracking-info-percentiles parameters"
	errParamShare   Error = "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
	errParamOutput  Error = "Wrong number of arguments in buffer limit configuration."
	errParamClass   Error = "Invalid client class specified in buffer limit configuration."
	errParamLimit   Error = "Error in hard, soft or soft_seconds setting in buffer limit configuration."
	errParamSave    Error = "Invalid save parameters"
	errParamNoSave  Error = "checkpoints are made when there is enough to write, and appendfsync says what survives"
	errParamNoLog   Error = "the log is always written: 'appendfsync no' does not wait for it"
	errParamMemOnly Error = "a database in memory has no log"
)

// parameters returns those of a server.
func (s *Server) parameters() []parameter {
	c := s.config
	list := []parameter{
		{name: "appendfsync", get: s.durability, parse: s.parseDurability},
		{name: "appendonly", get: func() string { return yesNo(s.db.Dir() != "") }, parse: s.parseAppendOnly},
		readOnly("bind", func() string { return strings.Join(s.bound(), " ") }),
		s.outputParameter(),
		bytesParameter("client-query-buffer-limit", &c.query, 1<<20),
		readOnly("databases", func() string { return strconv.Itoa(s.databases) }),
		{name: "dir", get: s.dir, fixed: errParamGuarded},
		readOnly("enable-debug-command", func() string { return yesNo(s.opts.EnableDebug) }),
		{name: "latency-tracking", get: func() string { return yesNo(c.tracking.Load()) }, parse: c.parseTracking},
		{name: "latency-tracking-info-percentiles", get: func() string { return shares(*c.percentiles.Load()) }, parse: c.parsePercentiles},
		{name: "maxclients", get: func() string { return strconv.FormatInt(c.clients.Load(), 10) }, parse: c.parseMaxClients},
		readOnly("port", func() string { return strconv.Itoa(s.port()) }),
		bytesParameter("proto-max-bulk-len", &c.bulk, 1<<20),
		{name: "requirepass", get: c.password, parse: c.parsePassword, secret: true},
		{name: "save", get: func() string { return "" }, parse: parseSave},
		intParameter("slowlog-log-slower-than", &s.slow.after, -1, math.MaxInt64),
		s.slowlogLength(),
		s.timeoutParameter(),
	}
	list = append(list, s.encodings()...)
	slices.SortFunc(list, func(a, b parameter) int { return strings.Compare(a.name, b.name) })
	return list
}

// readOnly returns a parameter that cannot be set.
func readOnly(name string, get func() string) parameter {
	return parameter{name: name, get: get, fixed: errParamFixed}
}

// dir returns the directory of the database, from the root on, "" if there is
// none.
func (s *Server) dir() string {
	dir := s.db.Dir()
	if dir == "" {
		return ""
	}
	if whole, err := filepath.Abs(dir); err == nil {
		return whole
	}
	return dir
}

// intParameter returns a parameter that is an integer.
func intParameter(name string, v *atomic.Int64, least, most int64) parameter {
	return parameter{
		name: name, get: func() string { return strconv.FormatInt(v.Load(), 10) },
		parse: func(value string) (func() error, error) {
			n, err := paramInt(value, least, most)
			return func() error {
				v.Store(n)
				return nil
			}, err
		},
	}
}

// parseMaxClients reads maxclients.
func (c *config) parseMaxClients(value string) (func() error, error) {
	n, err := paramInt(value, 1, math.MaxUint32)
	return func() error {
		if n > c.room {
			return Error(fmt.Sprintf("The operating system is not able to handle the specified number of clients, try with %d", c.room))
		}
		c.clients.Store(n)
		return nil
	}, err
}

// paramInt reads an integer.
func paramInt(value string, least, most int64) (int64, error) {
	n, ok := integer.Parse([]byte(value))
	switch {
	case !ok:
		return 0, errParamInt
	case n < least || n > most:
		return 0, paramRange(least, most)
	}
	return n, nil
}

// paramRange is the error of a number that is too small or too large.
func paramRange(least, most int64) Error {
	return Error(fmt.Sprintf("argument must be between %d and %d inclusive", least, most))
}

// bytesParameter returns a parameter that is a number of bytes.
func bytesParameter(name string, v *atomic.Int64, least int64) parameter {
	return parameter{
		name: name, get: func() string { return strconv.FormatInt(v.Load(), 10) },
		parse: func(value string) (func() error, error) {
			n, err := paramBytes(value, least)
			return func() error {
				v.Store(n)
				return nil
			}, err
		},
	}
}

// paramBytes reads a number of bytes.
func paramBytes(value string, least int64) (int64, error) {
	n, ok := parseBytes(value)
	switch {
	case !ok:
		return 0, errParamMemory
	case n > math.MaxInt64 || int64(n) < least:
		return 0, paramRange(least, math.MaxInt64)
	}
	return int64(n), nil
}

// parseBytes reads a number with or without a unit: k is 1000, kb 1024, and so
// on. What is too large is the greatest number.
func parseBytes(text string) (uint64, bool) {
	digits := strings.TrimRightFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	unit := uint64(1)
	switch strings.ToLower(text[len(digits):]) {
	case "", "b":
	case "k":
		unit = 1000
	case "kb":
		unit = 1 << 10
	case "m":
		unit = 1000 * 1000
	case "mb":
		unit = 1 << 20
	case "g":
		unit = 1000 * 1000 * 1000
	case "gb":
		unit = 1 << 30
	default:
		return 0, false
	}
	switch {
	case digits == "":
		return 0, true
	case strings.Trim(digits, "0123456789") != "":
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n > math.MaxUint64/unit {
		return math.MaxUint64, true
	}
	return n * unit, true
}

// yesNo is a truth as parameters have it.
func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// parseYesNo reads a truth.
func parseYesNo(value string) (bool, error) {
	i, ok := word([]byte(value), "no", "yes")
	if !ok {
		return false, errParamYesNo
	}
	return i == 1, nil
}

// durability returns appendfsync for the database's mode.
func (s *Server) durability() string {
	switch s.db.Durability() {
	case brock.Always:
		return "always"
	case brock.Relaxed:
		return "no"
	default:
		return "everysec"
	}
}

// parseDurability reads appendfsync.
func (s *Server) parseDurability(value string) (func() error, error) {
	i, ok := word([]byte(value), "everysec", "always", "no")
	if !ok {
		return nil, Error("argument(s) must be one of the following: everysec, always, no")
	}
	mode := [...]brock.Durability{brock.EverySecond, brock.Always, brock.Relaxed}[i]
	return func() error { return s.db.SetDurability(mode) }, nil
}

// parseAppendOnly reads appendonly, which is as it is.
func (s *Server) parseAppendOnly(value string) (func() error, error) {
	on, err := parseYesNo(value)
	switch {
	case err != nil:
		return nil, err
	case on && s.db.Dir() == "":
		return nil, errParamMemOnly
	case !on && s.db.Dir() != "":
		return nil, errParamNoLog
	}
	return func() error { return nil }, nil
}

// parseSave reads save, of which there is none.
func parseSave(value string) (func() error, error) {
	numbers := strings.Fields(value)
	for i, number := range numbers {
		least := int64(1 - i%2) // at least a second, and no change
		if n, ok := integer.Parse([]byte(number)); !ok || n < least {
			return nil, errParamSave
		}
	}
	switch {
	case len(numbers)%2 != 0:
		return nil, errParamSave
	case len(numbers) > 0:
		return nil, errParamNoSave
	}
	return func() error { return nil }, nil
}

// parsePassword reads requirepass.
func (c *config) parsePassword(value string) (func() error, error) {
	own := strings.Clone(value)
	return func() error {
		c.pass.Store(&own)
		return nil
	}, nil
}

// parseTracking reads latency-tracking.
func (c *config) parseTracking(value string) (func() error, error) {
	on, err := parseYesNo(value)
	return func() error {
		c.tracking.Store(on)
		return nil
	}, err
}

// parsePercentiles reads latency-tracking-info-percentiles.
func (c *config) parsePercentiles(value string) (func() error, error) {
	list := []float64{}
	for field := range strings.FieldsSeq(value) {
		f, err := strconv.ParseFloat(field, 64)
		switch {
		case err != nil || math.IsNaN(f):
			return nil, errParamShares
		case f < 0 || f > 100:
			return nil, errParamShare
		}
		list = append(list, f)
	}
	return func() error {
		c.percentiles.Store(&list)
		return nil
	}, nil
}

// shares returns percentiles as text.
func shares(list []float64) string {
	var words []string
	for _, f := range list {
		words = append(words, share(f))
	}
	return strings.Join(words, " ")
}

// share returns a percentile as text.
func share(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// String is the limit as CONFIG has it.
func (l *outputLimit) String() string {
	return fmt.Sprintf("normal %d %d %d", l.hard, l.soft, int64(l.after.Seconds()))
}

// outputParameter returns client-output-buffer-limit, which holds for all
// connections at once.
func (s *Server) outputParameter() parameter {
	c := s.config
	p := parameter{name: "client-output-buffer-limit", get: func() string { return c.output.Load().String() }, parse: c.parseOutput}
	return p.then(func() { s.tellAll((*conn).rebound) })
}

// parseOutput reads client-output-buffer-limit: there are normal clients only.
func (c *config) parseOutput(value string) (func() error, error) {
	words := strings.Fields(value)
	if len(words)%4 != 0 {
		return nil, errParamOutput
	}
	limit := c.output.Load()
	for class := range slices.Chunk(words, 4) {
		if !strings.EqualFold(class[0], normalClient) {
			return nil, errParamClass
		}
		hard, ok := parseBytes(class[1])
		soft, softOK := parseBytes(class[2])
		after, afterOK := integer.Parse([]byte(class[3]))
		if !ok || !softOK || !afterOK || max(hard, soft) > math.MaxInt64 || after < 0 || after > math.MaxInt32 {
			return nil, errParamLimit
		}
		limit = &outputLimit{hard: int64(hard), soft: int64(soft), after: time.Duration(after) * time.Second}
	}
	return func() error {
		c.output.Store(limit)
		return nil
	}, nil
}

// slowlogLength returns slowlog-max-len, which drops entries that are too many.
func (s *Server) slowlogLength() parameter {
	p := intParameter("slowlog-max-len", &s.slow.most, 0, math.MaxInt64)
	return p.then(s.slow.cut)
}

// timeoutParameter returns timeout, which holds for all connections at once.
func (s *Server) timeoutParameter() parameter {
	p := intParameter("timeout", &s.config.idle, 0, math.MaxInt32)
	return p.then(func() {
		s.tellAll(func(c *conn) { c.t.SetIdleTimeout(s.config.timeout()) })
	})
}

// then has something done after a parameter was set.
func (p parameter) then(do func()) parameter {
	parse := p.parse
	p.parse = func(value string) (func() error, error) {
		set, err := parse(value)
		return func() error {
			if err := set(); err != nil {
				return err
			}
			do()
			return nil
		}, err
	}
	return p
}

// encodings returns the parameters that say how OBJECT ENCODING calls the
// encoding of a collection, under their old names, too.
func (s *Server) encodings() []parameter {
	var list []parameter
	add := func(read func(value string, least int64) (int64, error), field func(l *bridge.Limits) *int, names ...string) {
		for _, name := range names {
			list = append(list, parameter{
				name: name,
				get: func() string {
					l := s.reach.Store.Limits()
					return strconv.Itoa(*field(&l))
				},
				parse: func(value string) (func() error, error) {
					n, err := read(value, 0)
					return func() error {
						l := s.reach.Store.Limits()
						*field(&l) = int(min(n, math.MaxInt))
						s.reach.Store.SetLimits(l)
						return nil
					}, err
				},
			})
		}
	}
	number := func(value string, least int64) (int64, error) { return paramInt(value, least, math.MaxInt64) }
	add(number, func(l *bridge.Limits) *int { return &l.HashEntries }, "hash-max-listpack-entries", "hash-max-ziplist-entries")
	add(paramBytes, func(l *bridge.Limits) *int { return &l.HashValue }, "hash-max-listpack-value", "hash-max-ziplist-value")
	add(number, func(l *bridge.Limits) *int { return &l.SetInts }, "set-max-intset-entries")
	add(number, func(l *bridge.Limits) *int { return &l.ZSetEntries }, "zset-max-listpack-entries", "zset-max-ziplist-entries")
	add(paramBytes, func(l *bridge.Limits) *int { return &l.ZSetValue }, "zset-max-listpack-value", "zset-max-ziplist-value")
	return list
}
