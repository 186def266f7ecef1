package lint

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	// root is the top of the repository, seen from this package.
	root = "../.."

	// module is the import path of the root package.
	module = "github.com/brockdb/brock"
)

// source is a parsed Go file of this module.
type source struct {
	fset *token.FileSet
	ast  *ast.File
	name string // slash-separated, relative to the root
	test bool   // a _test.go file
}

// parse parses src, the text of the file called name.
func parse(name string, src []byte) (*source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &source{fset: fset, ast: file, name: name, test: strings.HasSuffix(name, "_test.go")}, nil
}

// sources parses every Go file of the module, for whatever platform it is
// meant. Directories with a go.mod of their own are other modules.
func sources(t *testing.T) []*source {
	t.Helper()
	var all []*source
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel != "." && otherTree(name, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		src, err := parse(filepath.ToSlash(rel), text)
		all = append(all, src)
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

// otherTree reports whether the go command would leave out the directory at
// name, called base, when it expands ./... in the root.
func otherTree(name, base string) bool {
	if base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_' {
		return true
	}
	_, err := os.Stat(filepath.Join(name, "go.mod"))
	return err == nil
}

// dir is the directory of s, "." for the root package.
func (s *source) dir() string { return path.Dir(s.name) }

// library reports whether s is compiled into programs that import this module:
// neither a test nor a program itself.
func (s *source) library() bool { return !s.test && s.ast.Name.Name != "main" }

// imports reports whether s imports the package at importPath, and under which
// name.
func (s *source) imports(importPath string) (name string, ok bool) {
	for _, spec := range s.ast.Imports {
		if p, _ := strconv.Unquote(spec.Path.Value); p != importPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name, true
		}
		return path.Base(importPath), true
	}
	return "", false
}

// importsAs reports whether s imports a package under name.
func (s *source) importsAs(name string) bool {
	for _, spec := range s.ast.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		if as, ok := s.imports(p); ok && as == name {
			return true
		}
	}
	return false
}

// problem describes what is wrong at pos, so that an editor finds the place.
func (s *source) problem(pos token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: ", s.name, s.fset.Position(pos).Line) + fmt.Sprintf(format, args...)
}

// report fails t with one line for each of problems.
func report(t *testing.T, problems []string) {
	t.Helper()
	for _, p := range problems {
		t.Error(p)
	}
}
