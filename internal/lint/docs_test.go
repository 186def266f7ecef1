package lint

import (
	"fmt"
	"go/ast"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// document returns the text of a document of the repository.
func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	return string(text)
}

// goBlocks returns the blocks of Go code in a document.
func goBlocks(text string) (blocks []string) {
	for _, m := range regexp.MustCompile("(?s)\n```go\n(.*?)\n```\n").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[1]+"\n")
	}
	return blocks
}

// fragment makes a program of statements that work on a database and its
// broker.
const fragment = `package main

import (
	"github.com/brockdb/brock"
	"github.com/brockdb/brock/mq"
)

func main() { _ = work }

func work(db *brock.DB, broker *mq.Broker) error {
%s
	return err
}
`

// TestREADME builds the code of the README in a module of its own, as somebody
// would who has just read it, and runs what is a whole program.
func TestREADME(t *testing.T) {
	if testing.Short() {
		t.Skip("short: builds programs")
	}
	readme := document(t, "README.md")
	require.LessOrEqual(t, strings.Count(readme, "\n"), 150, "lines; what is longer belongs in docs")
	dir := newModule(t)
	for i, code := range goBlocks(readme) {
		program := strings.HasPrefix(code, "package main\n")
		if !program {
			code = fmt.Sprintf(fragment, code)
		}
		name := fmt.Sprint("block", i+1)
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o777))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, "main.go"), []byte(code), 0o666))
		goCommand(t, dir, "vet", "./"+name)
		if program {
			goCommand(t, dir, "build", "-o", name+".exe", "./"+name)
		}
	}

	// The first says what it prints: the number of its run.
	for _, want := range []string{"run 1 <nil>\n", "run 2 <nil>\n"} {
		require.Equal(t, want, output(t, dir, filepath.Join(dir, "block1.exe")))
	}
	require.Empty(t, output(t, dir, filepath.Join(dir, "block2.exe")))
}

// TestREADMETransactions checks that the transactions of the README are those
// of an example, which is run.
func TestREADMETransactions(t *testing.T) {
	flat := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	examples := flat(document(t, "example_test.go"))
	all := regexp.MustCompile(`(?s)err = db\.Update\(.*?\n\t?\}\)`).FindAllString(document(t, "README.md"), -1)
	require.Len(t, all, 2)
	for _, tx := range all {
		require.True(t, strings.Contains(examples, flat(tx)), "not in example_test.go: %s", tx)
	}
}

// newModule makes a module that needs this one, and what this one needs.
func newModule(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	here, err := filepath.Abs(root)
	require.NoError(t, err)
	mod := strings.Replace(document(t, "go.mod"), "module "+module+"\n", "module example.com/readme\n", 1)
	mod += fmt.Sprintf("\nrequire %s v0.0.0\nreplace %s => %s\n", module, module, here)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o666))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), []byte(document(t, "go.sum")), 0o666))
	return dir
}

// goCommand runs the go command in dir, without a network.
func goCommand(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "go %s: %s", strings.Join(args, " "), out)
}

// output returns what a program prints when it runs in dir.
func output(t *testing.T, dir, program string) string {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// methods returns the exported methods of types of a directory, given by the
// names of their receivers.
func methods(t *testing.T, dir string, receivers ...string) (names []string) {
	t.Helper()
	for _, f := range sources(t) {
		if f.test || f.dir() != dir {
			continue
		}
		for _, decl := range f.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if ok && fn.Recv != nil && fn.Name.IsExported() && slices.Contains(receivers, receiver(fn)) {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}

// receiver returns the name of the type that a method belongs to.
func receiver(fn *ast.FuncDecl) string {
	typ := fn.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	name, _ := typ.(*ast.Ident)
	if name == nil {
		return ""
	}
	return name.Name
}

// TestCommandsDocument holds docs/commands.md against the methods that there
// are: it names each of them, and no other.
func TestCommandsDocument(t *testing.T) {
	commands := append(methods(t, ".", "commands", "DB"), methods(t, "mq", "Broker", "Delivery")...)
	named := map[string]bool{}
	rows := regexp.MustCompile(`(?m)^\| [^|]+ \| ([^|]+) \|`).FindAllStringSubmatch(document(t, "docs/commands.md"), -1)
	for _, row := range rows {
		for _, m := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(row[1], -1) {
			named[m[1]] = true
			if !slices.Contains(commands, m[1]) {
				t.Errorf("docs/commands.md: there is no method %s", m[1])
			}
		}
	}
	for _, name := range commands {
		if !named[name] {
			t.Errorf("docs/commands.md does not name %s", name)
		}
	}
}

// TestArchitectureNamesTests checks that the tests that ARCHITECTURE.md names
// exist.
func TestArchitectureNamesTests(t *testing.T) {
	var have []string
	for _, f := range sources(t) {
		for _, decl := range f.ast.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && f.test {
				have = append(have, fn.Name.Name)
			}
		}
	}
	for _, m := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(document(t, "ARCHITECTURE.md"), -1) {
		if !slices.Contains(have, m[1]) {
			t.Errorf("ARCHITECTURE.md: there is no %s", m[1])
		}
	}
}
