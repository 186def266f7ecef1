package lint

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// wantUnexported is the share of a package's unexported functions that must be
// documented, in percent.
const wantUnexported = 75

// docs counts what is documented in one package.
type docs struct {
	missing           []string // exported identifiers without a comment
	hidden, explained int      // unexported functions, and those with a comment
	bare              []string // the unexported functions without one
}

// TestDocumentation wants a comment on every exported identifier of the library
// and on three of four unexported functions of each package, programs included.
func TestDocumentation(t *testing.T) {
	packages := map[string][]*source{}
	for _, f := range sources(t) {
		if !f.test {
			packages[f.dir()] = append(packages[f.dir()], f)
		}
	}
	for dir, files := range packages {
		t.Run(strings.ReplaceAll(dir, "/", "."), func(t *testing.T) {
			d := documented(files)
			report(t, d.missing)
			if d.explained*100 < d.hidden*wantUnexported {
				t.Errorf("%s: %d of %d unexported functions have a comment, want %d %%; without:\n%s",
					dir, d.explained, d.hidden, wantUnexported, strings.Join(d.bare, "\n"))
			}
		})
	}
}

// TestDocumentationCounts shows the counting a package of every kind of
// declaration.
func TestDocumentationCounts(t *testing.T) {
	src, err := parse("x.go", []byte(`package x

type Bare struct{ commands }

// Good is documented.
type Good interface{ M() }

const (
	One = 1 // One is one.
	// Two is two.
	Two = 2
	Three = 3
)

// These are errors.
var (
	ErrA = e()
	ErrB = e()
)

func Open() {}

func (Good) Close() {}

type commands struct{}

func (c *commands) Get() {}

type secret struct{}

func (secret) Len() int { return 0 }

// e is documented.
func e() {}
`))
	require.NoError(t, err)
	d := documented([]*source{src})
	require.Equal(t, []string{
		"x.go:3: type Bare has no comment",
		"x.go:12: Three has no comment",
		"x.go:21: func Open has no comment",
		"x.go:23: func Good.Close has no comment",
		"x.go:27: func commands.Get has no comment",
	}, d.missing)
	require.Equal(t, 2, d.hidden)
	require.Equal(t, 1, d.explained)
	require.Equal(t, []string{"x.go:31: func secret.Len has no comment"}, d.bare)
}

// documented counts the comments in files, which are one package.
func documented(files []*source) docs {
	var d docs
	visible := visibleTypes(files)
	for _, f := range files {
		for _, decl := range f.ast.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				d.addFunc(f, decl, visible)
			case *ast.GenDecl:
				d.addDecl(f, decl)
			}
		}
	}
	return d
}

// addFunc counts a function or method. Exported methods of an unexported type
// count as unexported unless an exported type embeds it and so shows them.
func (d *docs) addFunc(f *source, fn *ast.FuncDecl, visible map[string]bool) {
	name, exported := fn.Name.Name, fn.Name.IsExported()
	if fn.Recv != nil && len(fn.Recv.List) == 1 {
		recv := baseType(fn.Recv.List[0].Type)
		name = recv + "." + name
		exported = exported && visible[recv]
	}
	switch {
	case exported && fn.Doc == nil:
		d.missing = append(d.missing, f.problem(fn.Pos(), "func %s has no comment", name))
	case exported || name == "main":
	case fn.Doc == nil:
		d.hidden++
		d.bare = append(d.bare, f.problem(fn.Pos(), "func %s has no comment", name))
	default:
		d.hidden++
		d.explained++
	}
}

// addDecl checks the exported types, constants and variables of a declaration.
// Constants and variables of a group may share the comment above the group.
func (d *docs) addDecl(f *source, gen *ast.GenDecl) {
	for _, spec := range gen.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && spec.Doc == nil && (gen.Doc == nil || gen.Lparen.IsValid()) {
				d.missing = append(d.missing, f.problem(spec.Pos(), "type %s has no comment", spec.Name.Name))
			}
		case *ast.ValueSpec:
			if spec.Doc != nil || spec.Comment != nil || gen.Doc != nil {
				continue
			}
			for _, name := range spec.Names {
				if name.IsExported() {
					d.missing = append(d.missing, f.problem(spec.Pos(), "%s has no comment", name.Name))
				}
			}
		}
	}
}

// visibleTypes are the names of the types whose exported methods are part of
// the package's API: the exported ones and those that an exported struct
// embeds.
func visibleTypes(files []*source) map[string]bool {
	visible := map[string]bool{}
	for _, f := range files {
		for _, spec := range typeSpecs(f) {
			if !spec.Name.IsExported() {
				continue
			}
			visible[spec.Name.Name] = true
			st, ok := spec.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, field := range st.Fields.List {
				if len(field.Names) == 0 {
					visible[baseType(field.Type)] = true
				}
			}
		}
	}
	return visible
}

// typeSpecs are the types that f declares at package level.
func typeSpecs(f *source) (specs []*ast.TypeSpec) {
	for _, decl := range f.ast.Decls {
		if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.TYPE {
			for _, spec := range gen.Specs {
				specs = append(specs, spec.(*ast.TypeSpec))
			}
		}
	}
	return specs
}

// baseType is the name of the type that expr denotes, without pointer, package
// and type arguments.
func baseType(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.Ident:
		return expr.Name
	case *ast.StarExpr:
		return baseType(expr.X)
	case *ast.SelectorExpr:
		return expr.Sel.Name
	case *ast.IndexExpr:
		return baseType(expr.X)
	case *ast.IndexListExpr:
		return baseType(expr.X)
	case *ast.ParenExpr:
		return baseType(expr.X)
	}
	return ""
}

// TestCommandComments wants the paragraphs of every command's comment, in their
// order.
func TestCommandComments(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || f.dir() != "." {
			continue
		}
		for _, decl := range f.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || baseType(fn.Recv.List[0].Type) != "commands" || !fn.Name.IsExported() {
				continue
			}
			if miss := paragraph(fn.Doc.Text()); miss != "" {
				report(t, []string{f.problem(fn.Pos(), "the comment of %s has no paragraph %q there", fn.Name.Name, miss)})
			}
		}
	}
}

// TestParagraph shows the check comments.
func TestParagraph(t *testing.T) {
	require.Empty(t, paragraph("Get gets.\n\nErrors: none.\n\nCost: O(1).\n\nRedis: GET.\n"))
	require.Equal(t, "Cost:", paragraph("Get gets.\n\nErrors: none.\n\nRedis: GET.\n"))
	require.Equal(t, "Redis:", paragraph("Get gets.\n\nErrors: none.\n\nRedis: GET.\n\nCost: O(1).\n"))
	require.Equal(t, "Errors:", paragraph("Get gets.\nErrors: none.\n\nCost: O(1).\n\nRedis: GET.\n"))
}

// paragraph returns the paragraph that a command's comment lacks, or has before
// its place.
func paragraph(comment string) string {
	for _, name := range []string{"Errors:", "Cost:", "Redis:"} {
		_, rest, ok := strings.Cut(comment, "\n\n"+name)
		if !ok {
			return name
		}
		comment = rest
	}
	return ""
}
