package lint

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// update makes TestAPI write what it would compare.
var update = flag.Bool("update", false, "rewrite testdata/api.txt")

// TestAPI compares the exported declarations of the packages that users import
// with testdata/api.txt.
func TestAPI(t *testing.T) {
	lines := []string{"# The public API. Written by: go test ./internal/lint -run API -update"}
	for _, dir := range []string{".", "mq", "netserver"} {
		if hasPackage(t, dir) {
			lines = append(lines, declarations(t, dir)...)
		}
	}
	if len(lines) == 1 {
		return // neither package has a file yet
	}
	text := strings.Join(lines, "\n") + "\n"

	name := filepath.Join(root, "testdata", "api.txt")
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o666))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err, "run go test ./internal/lint -run API -update")
	report(t, difference(strings.Split(string(want), "\n"), strings.Split(text, "\n")))
}

// difference lists the lines of want that are gone and those of got that are
// new. Both are sorted by package, so their order tells nothing.
func difference(want, got []string) (problems []string) {
	for _, line := range want {
		if !slices.Contains(got, line) {
			problems = append(problems, "gone from the API: "+line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			problems = append(problems, "new in the API: "+line)
		}
	}
	return problems
}

// declarations lists what the package in dir exports on linux/amd64, one line
// each, sorted.
func declarations(t *testing.T, dir string) []string {
	t.Helper()
	ctx := build.Default
	ctx.GOOS, ctx.GOARCH = "linux", "amd64"
	bp, err := ctx.ImportDir(filepath.Join(root, dir), 0)
	require.NoError(t, err)
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range bp.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(root, dir, name), nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
	}
	p, err := doc.NewFromFiles(fset, files, path.Join(module, dir))
	require.NoError(t, err)
	return describe(fset, p)
}

// describe lists the declarations of p, one line each, sorted.
func describe(fset *token.FileSet, p *doc.Package) []string {
	a := api{fset: fset, shown: map[string][]string{}}
	a.values(p.Consts, "")
	a.values(p.Vars, "")
	a.funcs(p.Funcs)
	for _, t := range p.Types {
		a.typ(t)
		a.values(t.Consts, " "+t.Name)
		a.values(t.Vars, " "+t.Name)
		a.funcs(t.Funcs)
		a.methods(t)
	}
	for method, receivers := range a.shown {
		a.add("method (%s) %s", strings.Join(receivers, ", "), method)
	}
	slices.SortFunc(a.lines, cmp.Compare[string])
	for i := range a.lines {
		a.lines[i] = p.Name + ": " + a.lines[i]
	}
	return a.lines
}

// api collects the lines of one package.
type api struct {
	fset  *token.FileSet
	lines []string

	// shown maps a method to the types that have it. One that several types
	// have from an embedded struct is one line.
	shown map[string][]string
}

// add adds one line.
func (a *api) add(format string, args ...any) {
	a.lines = append(a.lines, fmt.Sprintf(format, args...))
}

// values adds constants or variables of the type typ, which starts with a
// space unless it is unknown.
func (a *api) values(list []*doc.Value, typ string) {
	for _, v := range list {
		for _, spec := range v.Decl.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				if name.IsExported() {
					a.add("%s %s%s", v.Decl.Tok, name.Name, typ)
				}
			}
		}
	}
}

// funcs adds functions.
func (a *api) funcs(list []*doc.Func) {
	for _, f := range list {
		a.add("func %s", a.signature(f.Decl))
	}
}

// methods notes the methods of t, those of embedded unexported types included.
func (a *api) methods(t *doc.Type) {
	for _, m := range t.Methods {
		key := a.signature(m.Decl)
		a.shown[key] = append(a.shown[key], t.Name)
	}
}

// typ adds a type and the exported fields or methods in its declaration.
func (a *api) typ(t *doc.Type) {
	spec := t.Decl.Specs[0].(*ast.TypeSpec)
	head := "type " + t.Name
	if spec.TypeParams != nil {
		head += "[" + a.fields(spec.TypeParams) + "]"
	}
	if spec.Assign.IsValid() {
		head += " ="
	}
	switch typ := spec.Type.(type) {
	case *ast.StructType:
		a.add("%s struct", head)
		a.members(head+" struct, ", typ.Fields)
	case *ast.InterfaceType:
		a.add("%s interface", head)
		a.members(head+" interface, ", typ.Methods)
	default:
		a.add("%s %s", head, a.text(typ))
	}
}

// members adds the fields of a struct or the methods of an interface.
func (a *api) members(prefix string, list *ast.FieldList) {
	for _, field := range list.List {
		typ := a.text(field.Type)
		if fn, ok := field.Type.(*ast.FuncType); ok && strings.Contains(prefix, " interface, ") {
			typ = a.params(fn)
		} else {
			typ = " " + typ
		}
		for _, name := range field.Names {
			a.add("%s%s%s", prefix, name.Name, typ)
		}
		if len(field.Names) == 0 {
			a.add("%sembeds%s", prefix, typ)
		}
	}
}

// signature is the name of a function with its parameters and results.
func (a *api) signature(decl *ast.FuncDecl) string {
	return decl.Name.Name + a.params(decl.Type)
}

// params is a function's type without the word func.
func (a *api) params(fn *ast.FuncType) string {
	return strings.TrimPrefix(a.text(fn), "func")
}

// fields is a list of parameters without the parentheses.
func (a *api) fields(list *ast.FieldList) string {
	var parts []string
	for _, f := range list.List {
		for _, name := range f.Names {
			parts = append(parts, name.Name+" "+a.text(f.Type))
		}
	}
	return strings.Join(parts, ", ")
}

// text is a node as gofmt writes it, on one line.
func (a *api) text(node ast.Node) string {
	var sb strings.Builder
	if err := printer.Fprint(&sb, a.fset, node); err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(sb.String()), " ")
}

// TestDescribe shows the printing a package of every kind of declaration.
func TestDescribe(t *testing.T) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "x.go", `package x

type Mode uint8

const (
	Fast Mode = iota
	slow
	Safe
)

const Version = "1"

var ErrGone, errTorn = e(), e()

type Options struct {
	Level Mode // The mode.
	Names, Tags []string
	hidden int
}

type Clock interface {
	Now() int
	After(d int,
		f func()) (stop func())
}

type Handle[K comparable, V any] struct{ db *DB }

func (h *Handle[K, V]) Put(k K, v V) error { return nil }

type commands struct{}

func (c *commands) Get(key string) ([]byte, error) { return nil, nil }
func (c *commands) get() {}

type DB struct{ commands }

func Open(dir string, o *Options) (*DB, error) { return nil, nil }
func (db *DB) Close() error { return nil }

type Tx struct{ commands }
`, parser.ParseComments)
	require.NoError(t, err)
	p, err := doc.NewFromFiles(fset, []*ast.File{file}, "example.com/x")
	require.NoError(t, err)
	require.Equal(t, []string{
		"x: const Fast Mode",
		"x: const Safe Mode",
		"x: const Version",
		"x: func Open(dir string, o *Options) (*DB, error)",
		"x: method (DB) Close() error",
		"x: method (DB, Tx) Get(key string) ([]byte, error)",
		"x: method (Handle) Put(k K, v V) error",
		"x: type Clock interface",
		"x: type Clock interface, After(d int, f func()) (stop func())",
		"x: type Clock interface, Now() int",
		"x: type DB struct",
		"x: type Handle[K comparable, V any] struct",
		"x: type Mode uint8",
		"x: type Options struct",
		"x: type Options struct, Level Mode",
		"x: type Options struct, Names []string",
		"x: type Options struct, Tags []string",
		"x: type Tx struct",
		"x: var ErrGone",
	}, describe(fset, p))
}
