package lint

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rule finds what is wrong with one file.
type rule struct {
	name  string
	check func(*source) []string
}

// rules are the checks that need to see one file only.
func rules() []rule {
	return []rule{
		{"no sleep", sleeps},
		{"no init", inits},
		{"no package state", packageVars},
		{"goroutines have names", goroutines},
		{"Badger stays below the seam", badgerImports},
	}
}

func TestRules(t *testing.T) {
	files := sources(t)
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			for _, f := range files {
				report(t, r.check(f))
			}
		})
	}
}

// TestRulesCatch shows each rule a file that breaks it and one that does not.
func TestRulesCatch(t *testing.T) {
	cases := []struct {
		name  string
		check func(*source) []string
		file  string
		src   string
		want  string // part of the only problem; "" for none
	}{
		{"sleep in the library", sleeps, "kv.go", `import "time"; func f() { time.Sleep(1) }`, "kv.go:1: time.Sleep"},
		{"sleep under another name", sleeps, "kv.go", `import clock "time"; func f() { clock.Sleep(1) }`, "time.Sleep"},
		{"sleep as a value", sleeps, "kv.go", `import "time"; func f() func(time.Duration) { return time.Sleep }`, "time.Sleep"},
		{"sleep in a test", sleeps, "kv_test.go", `import "time"; func f() { time.Sleep(1) }`, "time.Sleep"},
		{"sleep in a bubble", sleeps, "kv_test.go", `import ("time"; "testing/synctest"); func f() { time.Sleep(1); synctest.Wait() }`, ""},
		{"sleep of something else", sleeps, "kv.go", `func f(time bed) { time.Sleep(1) }`, ""},

		{"init", inits, "kv.go", `func init() {}`, "init"},
		{"init in a test", inits, "kv_test.go", `func init() {}`, "init"},
		{"a method called init", inits, "kv.go", `func (t *table) init() {}`, ""},

		{"variable", packageVars, "kv.go", `var cache = map[string]int{}`, "cache"},
		{"sentinel", packageVars, "errors.go", `import "errors"; var ErrGone, errTorn = errors.New("a"), errors.New("b")`, ""},
		{"sentinel with a text for Redis", packageVars, "errors.go", `var ErrGone error = &kindError{"gone", "ERR gone"}`, ""},
		{"sentinel of another struct", packageVars, "errors.go", `var ErrGone = &cache{}`, "ErrGone"},
		{"sentinel that is no pointer", packageVars, "errors.go", `var ErrGone = kindError{"gone", ""}`, "ErrGone"},
		{"sentinel of another package", packageVars, "errors.go", `import "x/store"; var ErrGone = store.ErrLost`, ""},
		{"sentinel of another package, renamed", packageVars, "errors.go", `import db "x/store"; var ErrGone = db.ErrLost`, ""},
		{"alias of something else", packageVars, "errors.go", `import "x/store"; var ErrGone = store.Cache`, "ErrGone"},
		{"alias of a field", packageVars, "errors.go", `var ErrGone = state.ErrLost`, "ErrGone"},
		{"alias under another name", packageVars, "errors.go", `import "x/store"; var gone = store.ErrLost`, "gone"},
		{"struct under another name", packageVars, "errors.go", `var gone = &kindError{"gone", ""}`, "gone"},
		{"sentinel without a value", packageVars, "errors.go", `var ErrGone error`, "ErrGone"},
		{"sentinel in name only", packageVars, "errors.go", `var errCount = 3`, "errCount"},
		{"assertion", packageVars, "kv.go", `var _ error = (*myError)(nil)`, ""},
		{"the bridge", packageVars, "internal/bridge/bridge.go", `var Open func() int`, ""},
		{"a second variable in the bridge", packageVars, "internal/bridge/bridge.go", `var Open func() int; var Close func() int`, "one variable"},
		{"variable in a test", packageVars, "kv_test.go", `var seed = 1`, ""},

		{"goroutine of a literal", goroutines, "kv.go", `func f() { go func() {}() }`, "named function"},
		{"goroutine of a function", goroutines, "kv.go", `func f() { go loop(1) }`, ""},
		{"goroutine of a method", goroutines, "kv.go", `func (db *DB) f() { go db.loop() }`, ""},
		{"goroutine of a local", goroutines, "kv.go", `func f() { loop := func() {}; go loop() }`, "named function"},
		{"group of a literal", goroutines, "kv.go", `func f() { wg.Go(func() { a(); b() }) }`, "named function"},
		{"group of one call", goroutines, "kv.go", `func f() { wg.Go(func() { db.loop(ctx) }) }`, ""},
		{"group of a method", goroutines, "kv.go", `func f() { wg.Go(db.loop) }`, ""},
		{"goroutine in a test", goroutines, "kv_test.go", `func f() { go func() {}() }`, ""},

		{"Badger above the seam", badgerImports, "internal/store/store.go", `import _ "github.com/dgraph-io/badger/v4/y"`, "seam"},
		{"Badger in a test above", badgerImports, "db_test.go", `import _ "github.com/dgraph-io/badger/v4"`, "seam"},
		{"Badger in its driver", badgerImports, "internal/engine/badger/base.go", `import _ "github.com/dgraph-io/badger/v4"`, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			src, err := parse(c.file, []byte("package x; "+c.src))
			require.NoError(t, err)
			got := c.check(src)
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			require.Contains(t, got[0], c.want)
		})
	}
}

// sleeps finds uses of time.Sleep. A test may sleep on the fake clock of a
// synctest bubble; all else waits for something that happens.
func sleeps(s *source) (problems []string) {
	name, ok := s.imports("time")
	if !ok {
		return nil
	}
	if _, bubble := s.imports("testing/synctest"); bubble && s.test {
		return nil
	}
	for n := range ast.Preorder(s.ast) {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "Sleep" {
			continue
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == name {
			problems = append(problems, s.problem(n.Pos(), "time.Sleep: wait for what you wait for, or use testing/synctest"))
		}
	}
	return problems
}

// inits finds init functions: a program that imports a package pays for what
// it calls, not for the import.
func inits(s *source) (problems []string) {
	for _, decl := range s.ast.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			problems = append(problems, s.problem(f.Pos(), "init function: do it where it is needed"))
		}
	}
	return problems
}

// packageVars finds package-level variables of the library other than error
// sentinels, compile-time assertions, and the one in internal/bridge.
func packageVars(s *source) (problems []string) {
	if !s.library() {
		return nil
	}
	bridged := 0
	for _, decl := range s.ast.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, spec := range gen.Specs {
			vs := spec.(*ast.ValueSpec)
			for i, name := range vs.Names {
				switch {
				case name.Name == "_", sentinel(s, vs, i):
				case s.dir() == "internal/bridge":
					if bridged++; bridged > 1 {
						problems = append(problems, s.problem(name.Pos(), "%s: the bridge is one variable", name.Name))
					}
				default:
					problems = append(problems, s.problem(name.Pos(), "package-level variable %s: keep state in a value that the caller owns", name.Name))
				}
			}
		}
	}
	return problems
}

// sentinel reports whether the variable number i of vs is an error sentinel:
// it is called so and set to the result of a call, to a new kindError, or to a
// sentinel of another package.
func sentinel(s *source, vs *ast.ValueSpec, i int) bool {
	called := regexp.MustCompile(`^[Ee]rr[A-Z]`).MatchString
	if !called(vs.Names[i].Name) || i >= len(vs.Values) {
		return false
	}
	switch v := vs.Values[i].(type) {
	case *ast.CallExpr:
		return true
	case *ast.UnaryExpr:
		lit, ok := v.X.(*ast.CompositeLit)
		if !ok || v.Op != token.AND {
			return false
		}
		typ, ok := lit.Type.(*ast.Ident)
		return ok && typ.Name == "kindError"
	case *ast.SelectorExpr:
		x, ok := v.X.(*ast.Ident)
		return ok && called(v.Sel.Name) && s.importsAs(x.Name)
	}
	return false
}

// goroutines finds goroutines of the library that start in a function without
// a name, by a go statement or by the Go method of a group. A literal handed
// to such a method may call one function and do nothing else, to pass it its
// arguments.
func goroutines(s *source) (problems []string) {
	for _, g := range started(s) {
		if g.name == "" {
			problems = append(problems, s.problem(g.pos, "a goroutine starts in a named function, and ARCHITECTURE.md lists it"))
		}
	}
	return problems
}

// goroutine is a place where one starts.
type goroutine struct {
	pos  token.Pos
	name string // of its function, without receiver; "" when it has none
}

// started lists the goroutines that s starts.
func started(s *source) (list []goroutine) {
	if !s.library() {
		return nil
	}
	local := locals(s)
	for n := range ast.Preorder(s.ast) {
		switch n := n.(type) {
		case *ast.GoStmt:
			list = append(list, goroutine{n.Pos(), functionName(n.Call.Fun, local)})
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "Go" || len(n.Args) != 1 {
				continue
			}
			fun := n.Args[0]
			if call := onlyCall(fun); call != nil {
				fun = call.Fun
			}
			list = append(list, goroutine{n.Pos(), functionName(fun, local)})
		}
	}
	return list
}

// locals are the names that s binds with := anywhere.
func locals(s *source) map[string]bool {
	names := map[string]bool{}
	for n := range ast.Preorder(s.ast) {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || assign.Tok != token.DEFINE {
			continue
		}
		for _, lhs := range assign.Lhs {
			if id, ok := lhs.(*ast.Ident); ok {
				names[id.Name] = true
			}
		}
	}
	return names
}

// onlyCall is the call that the function literal fun consists of, or nil.
func onlyCall(fun ast.Expr) *ast.CallExpr {
	lit, ok := fun.(*ast.FuncLit)
	if !ok || len(lit.Body.List) != 1 {
		return nil
	}
	stmt, ok := lit.Body.List[0].(*ast.ExprStmt)
	if !ok {
		return nil
	}
	call, _ := stmt.X.(*ast.CallExpr)
	return call
}

// functionName is the name of the declared function or method that fun stands
// for, or "".
func functionName(fun ast.Expr, local map[string]bool) string {
	switch fun := fun.(type) {
	case *ast.Ident:
		if !local[fun.Name] {
			return fun.Name
		}
	case *ast.SelectorExpr:
		return fun.Sel.Name
	case *ast.IndexExpr: // an instantiated generic function
		return functionName(fun.X, local)
	}
	return ""
}

// badgerImports finds imports of Badger outside internal/engine.
func badgerImports(s *source) (problems []string) {
	if s.dir() == "internal/engine" || strings.HasPrefix(s.dir(), "internal/engine/") {
		return nil
	}
	for _, spec := range s.ast.Imports {
		if strings.HasPrefix(spec.Path.Value, `"github.com/dgraph-io/`) {
			problems = append(problems, s.problem(spec.Pos(), "%s above the seam: only internal/engine knows it", spec.Path.Value))
		}
	}
	return problems
}

// TestGoroutinesAreListed holds the goroutines that the library starts against
// the table in ARCHITECTURE.md.
func TestGoroutinesAreListed(t *testing.T) {
	text, missing := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	words := regexp.MustCompile(`\w+`).FindAllString(string(text), -1)
	for _, f := range sources(t) {
		for _, g := range started(f) {
			require.NoError(t, missing)
			if g.name != "" && !slices.Contains(words, g.name) {
				t.Error(f.problem(g.pos, "goroutine %s is missing from ARCHITECTURE.md", g.name))
			}
		}
	}
}
