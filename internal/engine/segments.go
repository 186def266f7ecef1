package engine

// segmentsEngine is an [Engine] of two others' parts.
type segmentsEngine struct {
	log  *segmentLog
	base *Memory
}

// NewSegments returns an engine with its log in segment files in a directory,
// which exists, and its base in memory, that of m. It is for tests of what a
// crash leaves of the log at any write of a whole store: with [MemFS.Crash],
// and [Memory.Crash] for the base.
func NewSegments(m *Memory, dir string, o Options) (Engine, error) {
	o = o.withDefaults()
	s := m.base.State()
	log, err := openLog(logOptions{
		fs: o.FS, dir: dir, store: s.Store, epoch: s.Epoch, first: o.SegmentMin, max: o.SegmentMax, logger: o.Logger,
	})
	if err != nil {
		return nil, err
	}
	return &segmentsEngine{log, m}, nil
}

// Log implements [Engine].
func (e *segmentsEngine) Log() Log { return e.log }

// Base implements [Engine].
func (e *segmentsEngine) Base() Base { return e.base.Base() }

// Free implements [Engine].
func (e *segmentsEngine) Free() (int64, error) { return e.base.Free() }

// PowerSafe implements [Engine].
func (e *segmentsEngine) PowerSafe() bool { return e.base.PowerSafe() }

// Close implements [Engine].
func (e *segmentsEngine) Close() error {
	err := e.log.Close()
	if closed := e.base.Close(); err == nil {
		err = closed
	}
	return err
}
