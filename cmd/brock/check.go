package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/brockdb/brock"
	"github.com/brockdb/brock/netserver/resp"
)

// checkCommand checks a directory.
type checkCommand struct {
	Dir string `arg:"" help:"Directory of the database; nobody may have it open."`
}

// Run does it.
func (c *checkCommand) Run(p process) error {
	r, err := brock.Check(c.Dir)
	if err != nil && !errors.Is(err, brock.ErrCorrupt) {
		return advise(c.Dir, err)
	}
	if err := report(p.stdout, r); err != nil {
		return err
	}
	if len(r.Faults) > 0 {
		return fmt.Errorf("%s is damaged, faults: %d: restore a backup", c.Dir, len(r.Faults))
	}
	return nil
}

// report prints what a check has found.
func report(w io.Writer, r *brock.CheckReport) error {
	out := &printer{w: w}
	out.line("log           %d segments, %s", r.Segments, bytesOf(r.LogBytes))
	out.line("base          %d images, %s", r.Images, bytesOf(r.BaseBytes))
	out.line("transactions  %d, of which %d not yet in the base", r.Last, r.InLog)
	for n, keys := range r.Keys {
		if keys > 0 {
			out.line("database %-4d %d keys", n, keys)
		}
	}
	out.line("queues        %d", r.Queues)
	out.line("objects       %d, %d more without a key", r.Objects, r.Orphans)
	for _, fault := range r.Faults {
		out.line("fault         %s", oneLine(fault.Error()))
	}
	out.line("faults        %d", len(r.Faults))
	return out.err
}

// printer prints lines until one fails.
type printer struct {
	w   io.Writer
	err error
}

// line prints a line.
func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// bytesOf returns a number of bytes in words.
func bytesOf(n int64) string {
	for _, u := range []struct {
		unit int64
		name string
	}{{1 << 30, "GB"}, {1 << 20, "MB"}, {1 << 10, "KB"}} {
		if n >= u.unit {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.unit), u.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// versionCommand tells versions.
type versionCommand struct{}

// Run does it.
func (c *versionCommand) Run(p process) error {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	out := &printer{w: p.stdout}
	out.line("brock %s", version)
	out.line("%s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	out.line("redis %s", resp.Version)
	return out.err
}
