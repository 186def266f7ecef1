package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// layer is a package, with the packages below its directory that are not
// layers of their own.
type layer struct {
	path string // relative to the module; "." is the root package alone
	rank int    // it may depend on layers of a lower rank, and on itself

	// avoid are layers of a lower rank that it must not import itself.
	avoid []string
}

// layers is the order of the packages, lowest first. What is not listed, such
// as a leaf package that many use, may be imported by all, as long as it leads
// nobody around this order.
func layers() []layer {
	belowStore := []string{"internal/page", "internal/engine"}
	belowBridge := append([]string{"internal/store"}, belowStore...)
	belowBrock := append([]string{"internal/bridge"}, belowBridge...)
	return []layer{
		{path: "internal/engine", rank: 0}, // the words of the seam, which pages speak too
		{path: "internal/page", rank: 1},
		{path: "internal/store", rank: 2},
		{path: "internal/bridge", rank: 3},
		{path: ".", rank: 4},
		{path: "mq", rank: 5, avoid: belowStore},
		{path: "netserver", rank: 6, avoid: belowBrock},
		{path: "netserver/resp", rank: 7, avoid: belowBridge},
		{path: "netserver/amqp", rank: 7, avoid: belowBridge},
		{path: "brocktest", rank: 8},
		{path: "cmd", rank: 9, avoid: belowBrock},
		{path: "examples", rank: 9, avoid: belowBrock},
		{path: "bench", rank: 9},
	}
}

// layerOf finds the layer of the package at path, relative to the module.
func layerOf(all []layer, path string) (found layer, ok bool) {
	for _, l := range all {
		inside := path == l.path || l.path != "." && strings.HasPrefix(path, l.path+"/")
		if inside && len(l.path) >= len(found.path) {
			found, ok = l, true
		}
	}
	return found, ok
}

// pkg is what go list tells about a package.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
}

// goList runs go list -deps for the packages that args name, built for goos.
func goList(t *testing.T, goos string, args ...string) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-json=ImportPath,Standard,Imports,Deps"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "go list: %s", &stderr)
	var list []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return list
		}
		require.NoError(t, err)
		list = append(list, p)
	}
}

// ours is the path of the package at importPath relative to this module, "."
// for the root package, and whether it belongs to it.
func ours(importPath string) (string, bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// TestLayers checks the direction of dependencies on every platform.
func TestLayers(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows", "freebsd"} {
		t.Run(goos, func(t *testing.T) {
			for _, p := range goList(t, goos, "./...") {
				report(t, misplaced(layers(), p))
			}
		})
	}
}

// misplaced finds dependencies of p that point upwards or sideways, however
// long the way, and imports that reach around a layer.
func misplaced(all []layer, p pkg) (problems []string) {
	path, _ := ours(p.ImportPath)
	from, ok := layerOf(all, path)
	if !ok {
		return nil
	}
	for _, dep := range p.Deps {
		path, _ := ours(dep)
		if to, ok := layerOf(all, path); ok && to.path != from.path && to.rank >= from.rank {
			problems = append(problems, p.ImportPath+" depends on "+dep+", which is not below it")
		}
	}
	for _, dep := range p.Imports {
		path, _ := ours(dep)
		if to, ok := layerOf(all, path); ok && slices.Contains(from.avoid, to.path) {
			problems = append(problems, p.ImportPath+" imports "+dep+" past the layer between them")
		}
	}
	return problems
}

// TestLayersCatch shows the rule packages that break it.
func TestLayersCatch(t *testing.T) {
	cases := []struct {
		from string
		deps string // what it imports itself
		want int
	}{
		{"internal/store", "internal/page", 0},
		{"internal/store", "internal/engine/badger", 0},
		{"internal/engine/badger", "internal/engine", 0},
		{"internal/engine", "internal/page", 1},
		{"internal/page", "internal/engine", 0},
		{"internal/page", "internal/store", 1},
		{".", "internal/store", 0},
		{".", "internal/bridge", 0},
		{".", "mq", 1},
		{"internal/store", ".", 1},
		{"mq", ".", 0},
		{"mq", "internal/store", 0},
		{"mq", "internal/page", 1},
		{"mq", "netserver", 1},
		{"netserver", ".", 0},
		{"netserver", "netserver/resp", 1},
		{"netserver/resp", "netserver", 0},
		{"netserver/resp", "netserver/amqp", 1},
		{"netserver/amqp", "mq", 0},
		{"netserver/amqp", "internal/store", 1},
		{"internal/oracle", ".", 0},
		{"examples/tour", "mq", 0},
	}
	for _, c := range cases {
		t.Run(c.from+" to "+c.deps, func(t *testing.T) {
			full := func(path string) string { return strings.TrimSuffix(module+"/"+path, "/.") }
			p := pkg{ImportPath: full(c.from), Imports: []string{full(c.deps)}, Deps: []string{full(c.deps)}}
			require.Len(t, misplaced(layers(), p), c.want)
		})
	}
}

// TestRootDependencies keeps what the root package pulls in to Badger with what
// that imports, google/btree, and at most two small packages more.
func TestRootDependencies(t *testing.T) {
	if !hasPackage(t, ".") {
		return
	}
	const badger, btree = "github.com/dgraph-io/badger/v4", "github.com/google/btree"
	own := external(goList(t, "linux", "."))
	require.Contains(t, own, badger)
	require.Contains(t, own, btree)

	free := append(external(goList(t, "linux", badger)), btree)
	more := slices.DeleteFunc(own, func(path string) bool { return slices.Contains(free, path) })
	require.LessOrEqual(t, len(more), 2, "%v", more)
}

// external are the paths of the packages in list that are neither ours nor of
// the standard library.
func external(list []pkg) (paths []string) {
	for _, p := range list {
		if _, own := ours(p.ImportPath); !own && !p.Standard {
			paths = append(paths, p.ImportPath)
		}
	}
	return paths
}

// hasPackage reports whether there is a Go file in dir, seen from the root.
func hasPackage(t *testing.T, dir string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	require.NoError(t, err)
	return len(files) > 0
}
