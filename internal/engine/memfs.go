package engine

import (
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// MemFS is an [FS] in memory that keeps, beside what a reader sees, what a
// device would hold for certain: file contents as of the last Sync of the file
// and directory entries as of the last SyncDir. [MemFS.Crash] returns what is
// left by a power cut. Its methods may be called from any goroutine.
type MemFS struct {
	mu   sync.Mutex
	dirs map[string]*memDir
	used int64 // by contents as they are seen
	room int64 // for contents
}

// memDir is a directory: entries as they are seen and as they are durable.
type memDir struct {
	live, durable map[string]*memNode
}

// memNode is a file's contents, which several names can lead to over time.
type memNode struct {
	live, durable []byte
	dirty         map[int]struct{} // blocks of live that may differ from durable
	removed       bool             // from the live entries
}

// MemBlock is the unit in which unsynced contents of a [MemFS] survive a
// power cut or do not.
const MemBlock = 512

// NewMemFS returns an empty file system.
func NewMemFS() *MemFS {
	return &MemFS{dirs: make(map[string]*memDir), room: math.MaxInt64}
}

// SetRoom limits the bytes that all files together may have; what would need
// more fails with [ErrNoSpace].
func (m *MemFS) SetRoom(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.room = bytes
}

// Survivor decides what of the unsynced state survives a power cut: the block
// of the file's contents with that index, its size if block is [MemSize], or
// if block is [MemEntries] the entries of the directory of that name.
type Survivor func(name string, block int) bool

// The block numbers that a [Survivor] is called with beside indexes of blocks.
const (
	MemSize    = -1
	MemEntries = -2
)

// KeepAll is the [Survivor] of an end of the process alone.
func KeepAll(string, int) bool { return true }

// KeepNone is the [Survivor] of the worst power cut.
func KeepNone(string, int) bool { return false }

// Crash returns a second file system with what a power cut at this moment
// leaves. The receiver is unchanged.
func (m *MemFS) Crash(keep Survivor) *MemFS {
	m.mu.Lock()
	defer m.mu.Unlock()

	next := NewMemFS()
	next.room = m.room
	nodes := make(map[*memNode]*memNode)
	for _, name := range slices.Sorted(maps.Keys(m.dirs)) {
		dir := m.dirs[name]
		entries := dir.durable
		if keep(name, MemEntries) {
			entries = dir.live
		}
		files := make(map[string]*memNode, len(entries))
		for _, base := range slices.Sorted(maps.Keys(entries)) {
			node := entries[base]
			if nodes[node] == nil {
				nodes[node] = node.crash(filepath.Join(name, base), keep)
				next.used += int64(len(nodes[node].live))
			}
			files[base] = nodes[node]
		}
		next.dirs[name] = &memDir{live: files, durable: maps.Clone(files)}
	}
	return next
}

// crash returns what a power cut leaves of a file's contents.
func (n *memNode) crash(name string, keep Survivor) *memNode {
	data := slices.Clone(n.durable)
	if len(n.live) != len(data) && keep(name, MemSize) {
		data = append(data[:min(len(data), len(n.live))], make([]byte, max(0, len(n.live)-len(data)))...)
	}
	for _, i := range slices.Sorted(maps.Keys(n.dirty)) {
		from := i * MemBlock
		if from >= min(len(n.live), len(data)) || !keep(name, i) {
			continue
		}
		copy(data[from:min(from+MemBlock, len(data))], n.live[from:])
	}
	return &memNode{live: data, durable: slices.Clone(data), dirty: make(map[int]struct{})}
}

// dirLocked returns a directory, which must exist.
func (m *MemFS) dirLocked(op, name string) (*memDir, error) {
	if dir := m.dirs[filepath.Clean(name)]; dir != nil {
		return dir, nil
	}
	return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

// nodeLocked returns a file and its directory.
func (m *MemFS) nodeLocked(op, name string) (*memDir, *memNode, error) {
	dir, err := m.dirLocked(op, filepath.Dir(name))
	if err != nil {
		return nil, nil, err
	}
	node := dir.live[filepath.Base(name)]
	if node == nil {
		return dir, nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return dir, node, nil
}

// OpenFile implements [FS].
func (m *MemFS) OpenFile(name string, flag int, _ fs.FileMode) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()

	dir, node, err := m.nodeLocked("open", name)
	switch {
	case dir == nil, node == nil && flag&os.O_CREATE == 0:
		return nil, err
	case node == nil:
		node = &memNode{dirty: make(map[int]struct{})}
		dir.live[filepath.Base(name)] = node
	case flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	}
	f := &memFile{fs: m, name: name, node: node}
	if flag&os.O_TRUNC != 0 {
		if err := f.truncateLocked(0); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// MkdirAll implements [FS]. Directories are durable at once.
func (m *MemFS) MkdirAll(name string, _ fs.FileMode) error {
	m.mu.Lock()
	defer m.mu.Unlock()

	for name = filepath.Clean(name); m.dirs[name] == nil; name = filepath.Dir(name) {
		m.dirs[name] = &memDir{live: make(map[string]*memNode), durable: make(map[string]*memNode)}
	}
	return nil
}

// ReadDir implements [FS].
func (m *MemFS) ReadDir(name string) ([]fs.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()

	dir, err := m.dirLocked("readdir", name)
	if err != nil {
		return nil, err
	}
	var entries []fs.DirEntry
	for base, node := range dir.live {
		entries = append(entries, fs.FileInfoToDirEntry(memInfo{name: base, size: int64(len(node.live))}))
	}
	for path := range m.dirs {
		if path != filepath.Clean(name) && filepath.Dir(path) == filepath.Clean(name) {
			entries = append(entries, fs.FileInfoToDirEntry(memInfo{name: filepath.Base(path), dir: true}))
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// Remove implements [FS].
func (m *MemFS) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()

	dir, node, err := m.nodeLocked("remove", name)
	if err != nil {
		return err
	}
	delete(dir.live, filepath.Base(name))
	node.removed = true
	m.used -= int64(len(node.live))
	return nil
}

// Rename implements [FS].
func (m *MemFS) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()

	dir, node, err := m.nodeLocked("rename", from)
	if err != nil {
		return err
	}
	target, old, err := m.nodeLocked("rename", to)
	if target == nil {
		return err
	}
	if old != nil && old != node {
		old.removed = true
		m.used -= int64(len(old.live))
	}
	delete(dir.live, filepath.Base(from))
	target.live[filepath.Base(to)] = node
	return nil
}

// Stat implements [FS].
func (m *MemFS) Stat(name string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()

	if m.dirs[filepath.Clean(name)] != nil {
		return memInfo{name: filepath.Base(name), dir: true}, nil
	}
	_, node, err := m.nodeLocked("stat", name)
	if err != nil {
		return nil, err
	}
	return memInfo{name: filepath.Base(name), size: int64(len(node.live))}, nil
}

// SyncDir implements [FS].
func (m *MemFS) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()

	dir, err := m.dirLocked("sync", name)
	if err != nil {
		return err
	}
	dir.durable = maps.Clone(dir.live)
	return nil
}

// Free implements [FS].
func (m *MemFS) Free(string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(0, m.room-m.used), nil
}

// memFile is an open file of a [MemFS].
type memFile struct {
	fs   *MemFS
	name string
	node *memNode
}

// Close implements [File].
func (f *memFile) Close() error { return nil }

// ReadAt implements [File].
func (f *memFile) ReadAt(b []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()

	if off < 0 || off >= int64(len(f.node.live)) {
		return 0, io.EOF
	}
	n := copy(b, f.node.live[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements [File]. A file system that is full takes what fits.
func (f *memFile) WriteAt(b []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()

	if off < 0 {
		return 0, fs.ErrInvalid
	}
	var full error
	if grow := off + int64(len(b)) - int64(len(f.node.live)); grow > max(0, f.fs.room-f.fs.used) {
		full = f.noSpace("write")
		b = b[:max(0, int64(len(b))-grow+max(0, f.fs.room-f.fs.used))]
	}
	if len(b) == 0 {
		return 0, full
	}
	f.growLocked(off + int64(len(b)))
	n := copy(f.node.live[off:], b)
	f.touch(off, off+int64(n))
	return n, full
}

// noSpace returns the error of a full file system.
func (f *memFile) noSpace(op string) error {
	return &fs.PathError{Op: op, Path: f.name, Err: ErrNoSpace}
}

// growLocked makes the contents at least size bytes.
func (f *memFile) growLocked(size int64) {
	if grow := size - int64(len(f.node.live)); grow > 0 {
		old := int64(len(f.node.live))
		f.node.live = append(f.node.live, make([]byte, grow)...)
		f.touch(old, size)
		f.account(grow)
	}
}

// account adds to the space in use, unless the file has been removed.
func (f *memFile) account(n int64) {
	if !f.node.removed {
		f.fs.used += n
	}
}

// touch marks the blocks of a range as not synced.
func (f *memFile) touch(from, to int64) {
	for i := from / MemBlock; i*MemBlock < to; i++ {
		f.node.dirty[int(i)] = struct{}{}
	}
}

// Size implements [File].
func (f *memFile) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	return int64(len(f.node.live)), nil
}

// Truncate implements [File].
func (f *memFile) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	return f.truncateLocked(size)
}

// truncateLocked sets the size of the contents.
func (f *memFile) truncateLocked(size int64) error {
	if size-int64(len(f.node.live)) > max(0, f.fs.room-f.fs.used) {
		return f.noSpace("truncate")
	}
	f.growLocked(size)
	f.account(size - int64(len(f.node.live)))
	f.node.live = f.node.live[:size:size]
	f.touch(size, size+1)
	return nil
}

// Sync implements [File].
func (f *memFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()

	f.node.durable = slices.Clone(f.node.live)
	clear(f.node.dirty)
	return nil
}

// SyncData implements [File].
func (f *memFile) SyncData() error { return f.Sync() }

// memInfo describes a file or directory of a [MemFS].
type memInfo struct {
	name string
	size int64
	dir  bool
}

func (i memInfo) Name() string       { return i.name }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) ModTime() time.Time { return time.Time{} }
func (i memInfo) IsDir() bool        { return i.dir }
func (i memInfo) Sys() any           { return nil }

// Mode implements [fs.FileInfo].
func (i memInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | dirPerm
	}
	return filePerm
}
