package engine

// FaultEngine is a layer over an engine, at the seam, that an [Injector] can
// make fail.
type FaultEngine struct {
	Engine
	in *Injector
}

// NewFaultEngine returns e with the faults of in.
func NewFaultEngine(e Engine, in *Injector) *FaultEngine { return &FaultEngine{Engine: e, in: in} }

// Log implements [Engine].
func (f *FaultEngine) Log() Log { return &faultLog{Log: f.Engine.Log(), in: f.in} }

// Base implements [Engine].
func (f *FaultEngine) Base() Base { return &faultBase{Base: f.Engine.Base(), in: f.in} }

// faultLog is a [Log] of a [FaultEngine].
type faultLog struct {
	Log
	in *Injector
}

// Append implements [Log].
func (l *faultLog) Append(g Group) error {
	return l.in.do(OpLogAppend, func() error { return l.Log.Append(g) })
}

// Sync implements [Log].
func (l *faultLog) Sync() error { return l.in.do(OpLogSync, l.Log.Sync) }

// TruncateBefore implements [Log].
func (l *faultLog) TruncateBefore(lsn LSN) error {
	return l.in.do(OpLogTruncate, func() error { return l.Log.TruncateBefore(lsn) })
}

// faultBase is a [Base] of a [FaultEngine].
type faultBase struct {
	Base
	in *Injector
}

// Write implements [Base].
func (b *faultBase) Write(epoch, step uint64, images []Image) error {
	return b.in.do(OpBaseWrite, func() error { return b.Base.Write(epoch, step, images) })
}

// Complete implements [Base].
func (b *faultBase) Complete(epoch, step, parts uint64, s LSN, tables []byte, removals []Removal) error {
	return b.in.do(OpBaseComplete, func() error { return b.Base.Complete(epoch, step, parts, s, tables, removals) })
}

// Sweep implements [Base].
func (b *faultBase) Sweep(dir bool, objects []uint64) error {
	return b.in.do(OpBaseSweep, func() error { return b.Base.Sweep(dir, objects) })
}

// Tidy implements [Base].
func (b *faultBase) Tidy(stop <-chan struct{}) error {
	return b.in.do(OpBaseTidy, func() error { return b.Base.Tidy(stop) })
}

// Get implements [Base].
func (b *faultBase) Get(addr Addr) (img Image, err error) {
	err = b.in.do(OpBaseGet, func() error {
		img, err = b.Base.Get(addr)
		return err
	})
	return img, err
}
