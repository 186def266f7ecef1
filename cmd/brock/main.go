// Command brock serves a Brock database to Redis clients, and backs up,
// restores and checks its directories.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

func main() {
	os.Exit(run(context.Background(), process{os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr}))
}

// process is what the program gets from the system.
type process struct {
	args   []string
	env    []string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// commandLine is what stands behind the program's name.
type commandLine struct {
	Serve   serveCommand   `cmd:"" help:"Serve a database to Redis clients."`
	Backup  backupCommand  `cmd:"" help:"Write all data of a directory, or of a running server, to a file."`
	Restore restoreCommand `cmd:"" help:"Make a database in a directory of a backup."`
	Check   checkCommand   `cmd:"" help:"Read all of a directory, without changing it, and tell what is damaged."`
	Version versionCommand `cmd:"" help:"Tell the versions of this program."`
}

const description = "Redis data structures and RabbitMQ queues, on disk, in one transaction.\n\n" +
	"An option --some-name can stand in the environment as BROCK_SOME_NAME, and one of serve in the file that --config " +
	"names as a line some-name = value. The command line goes before the environment, and that before the file."

// errHelp ends a run that has printed what was asked for.
var errHelp = errors.New("help was printed")

// run runs the program until it is done or ctx ends, and returns its exit code.
// What goes wrong is one line on standard error.
func run(ctx context.Context, p process) int {
	err := parseAndRun(ctx, p)
	if err == nil || errors.Is(err, errHelp) {
		return 0
	}
	_, _ = fmt.Fprintln(p.stderr, complaint(err)) // the exit code tells, too
	return 1
}

// parseAndRun reads the command line and runs its command.
func parseAndRun(ctx context.Context, p process) error {
	c, err := parse(ctx, p, &commandLine{})
	if err != nil {
		return err
	}
	return c.Run()
}

// parse reads the command line, with the settings that belong to it. What is
// wrong with it is told with where to read how it should be.
func parse(ctx context.Context, p process, into *commandLine) (*kong.Context, error) {
	s := newSettings(p.env)
	parser, err := kong.New(into,
		kong.Name("brock"), kong.Description(description), kong.Writers(p.stdout, p.stderr),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(p, s), kong.Resolvers(s),
		kong.Help(func(o kong.HelpOptions, c *kong.Context) error {
			return cmp.Or(kong.DefaultHelpPrinter(o, c), errHelp)
		}))
	if err != nil {
		return nil, err
	}
	c, err := parser.Parse(p.args)
	var where *settingError
	var wrong *kong.ParseError
	switch {
	case err == nil:
		return c, nil
	case errors.As(err, &where):
		return nil, where
	case errors.Is(err, errHelp):
		return nil, err
	}
	name := "brock"
	if errors.As(err, &wrong) && wrong.Context != nil && wrong.Context.Command() != "" {
		name += " " + strings.Fields(wrong.Context.Command())[0]
		err = cmp.Or(valueless(p.args, wrong.Context.Flags()), err)
	}
	return nil, fmt.Errorf("%w: see %s --help", err, name)
}

// valueless finds an option without the value that it needs. What begins with a
// dash is none.
func valueless(args []string, flags []*kong.Flag) error {
	for i, arg := range args {
		at := slices.IndexFunc(flags, func(f *kong.Flag) bool { return arg == "--"+f.Name && !f.IsBool() })
		switch {
		case at < 0:
		case i == len(args)-1:
			return fmt.Errorf("%s needs a value, %s", arg, flags[at].PlaceHolder)
		case strings.HasPrefix(args[i+1], "-"):
			return fmt.Errorf("%s needs a value, %s, and %s is none", arg, flags[at].PlaceHolder, args[i+1])
		}
	}
	return nil
}

// complaint returns the line that says what went wrong. It begins with brock:
// once, though errors of the library do, too.
func complaint(err error) string {
	return "brock: " + strings.TrimPrefix(oneLine(err.Error()), "brock: ")
}

// oneLine makes a line of a text.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
