package netserver

import "slices"

// mark says that output must wait: what ends at the position end, counted from
// the connection's first byte, may leave when the gate has passed n.
type mark struct {
	end uint64
	n   uint64
}

// gate is what a loop knows of a service's Gate.
type gate struct {
	Gate
	service *service
	conns   int     // that use it
	passed  uint64  // the highest mark that is known to have passed
	want    uint64  // the highest that output of this turn waits for
	asking  uint64  // what the outstanding Pass is for; 0 if there is none
	waiting []*conn // whose output waits for an outstanding Pass

	err   error       // what done was called with
	done  func(error) // handed to Pass
	reply func()      // posted by done
}

// gate returns the loop's gate for a service, or nil if that has none.
func (l *Loop) gate(s *service) *gate {
	if s.gate == nil {
		return nil
	}
	for _, g := range l.gates {
		if g.service == s {
			g.conns++
			return g
		}
	}
	g := &gate{Gate: s.gate, service: s, conns: 1}
	g.reply = func() { l.answered(g) }
	g.done = func(err error) {
		g.err = err
		l.Post(g.reply)
	}
	l.gates = append(l.gates, g)
	return g
}

// dropGate forgets g, which may be nil, with its last connection.
func (l *Loop) dropGate(g *gate) {
	if g == nil {
		return
	}
	g.conns--
	l.forget(g)
}

// forget forgets g if no connection uses it and no Pass is outstanding.
func (l *Loop) forget(g *gate) {
	if g.conns == 0 && g.asking == 0 {
		l.gates = slices.DeleteFunc(l.gates, func(other *gate) bool { return other == g })
	}
}

// askGates asks the gates that output of batch waits for whether it may leave.
func (l *Loop) askGates(batch []*conn) {
	if len(l.gates) == 0 {
		return
	}
	for _, c := range batch {
		n := len(c.marks)
		if n == 0 {
			continue
		}
		if c.gate.want == 0 {
			l.asked = append(l.asked, c.gate)
		}
		c.gate.want = max(c.gate.want, c.marks[n-1].n)
	}
	for i, g := range l.asked {
		g.ask()
		l.asked[i] = nil
	}
	l.asked = l.asked[:0]
}

// ask finds out how far output may leave, and has the Gate see to what it may
// not yet, unless it is at that already.
func (g *gate) ask() {
	g.passed = max(g.passed, g.Passed())
	if g.want > g.passed && g.asking == 0 {
		g.asking = g.want
		if g.Pass(g.want, g.done) {
			g.passed = g.want
			g.asking = 0
		}
	}
	g.want = 0
}

// await has c go on when the outstanding Pass has been answered, or asks again
// in this turn if there is none.
func (g *gate) await(c *conn) {
	switch {
	case g.asking == 0:
		c.touch()
	case !c.waiting:
		c.waiting = true
		g.waiting = append(g.waiting, c)
	}
}

// answered lets the connections go on that waited for the outstanding Pass of
// g. If that failed they are aborted.
func (l *Loop) answered(g *gate) {
	if g.err == nil {
		g.passed = max(g.passed, g.asking)
	}
	g.asking = 0
	for i, c := range g.waiting {
		g.waiting[i] = nil
		c.waiting = false
		if g.err != nil {
			c.abort(g.err)
		}
		c.touch()
	}
	g.waiting = g.waiting[:0]
	l.forget(g)
}
