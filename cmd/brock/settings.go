package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// setting is the value that an option has elsewhere than on the command line,
// and where that is.
type setting struct{ value, where string }

// settings resolve options that the command line does not have: the first
// layer, the environment, goes before the second, a file. They are a
// [kong.Resolver]. Keys are the names of options without dashes in front.
type settings struct {
	env  map[string]setting
	file map[string]setting // nil until there is one
}

// newSettings returns the settings of an environment: BROCK_DIR for --dir.
func newSettings(env []string) *settings {
	s := &settings{env: map[string]setting{}}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		if option, ours := strings.CutPrefix(name, "BROCK_"); ours {
			s.env[strings.ToLower(strings.ReplaceAll(option, "_", "-"))] = setting{value, name}
		}
	}
	return s
}

// settingError is a setting that makes no sense.
type settingError struct {
	where string
	err   error
}

// Error implements error.
func (e *settingError) Error() string { return e.where + ": " + e.err.Error() }

// Unwrap returns what is wrong.
func (e *settingError) Unwrap() error { return e.err }

// Validate implements [kong.Resolver]. What it could object to, Resolve does.
func (s *settings) Validate(*kong.Application) error { return nil }

// Resolve implements [kong.Resolver]. An option that excludes this one goes
// before it where that stands in a higher layer.
func (s *settings) Resolve(c *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	rivals := rivalsOf(c, flag)
	for _, p := range c.Path {
		if p.Flag != nil && !p.Resolved && slices.Contains(rivals, p.Flag) {
			return nil, nil
		}
	}
	for _, layer := range []map[string]setting{s.env, s.file} {
		if is, ok := layer[flag.Name]; ok {
			return is.parsed(flag)
		}
		for _, rival := range rivals {
			if is, ok := layer[rival.Name]; ok {
				if value, err := is.parsed(rival); value != nil || err != nil {
					return nil, err
				}
			}
		}
	}
	return nil, nil
}

// rivalsOf returns the options that exclude one.
func rivalsOf(c *kong.Context, flag *kong.Flag) (rivals []*kong.Flag) {
	for _, other := range c.Flags() {
		shared := slices.ContainsFunc(other.Xor, func(group string) bool { return slices.Contains(flag.Xor, group) })
		if shared && other != flag {
			rivals = append(rivals, other)
		}
	}
	return rivals
}

// parsed returns the value if it is one that the option can have; nil for a
// switch that is off.
func (is setting) parsed(flag *kong.Flag) (any, error) {
	set := flag.Set
	defer func() { flag.Set = set }() // Parse takes it for given
	into := reflect.New(flag.Target.Type()).Elem()
	token := kong.Token{Type: kong.FlagValueToken, Value: is.value}
	if err := flag.Parse(kong.ScanFromTokens(token), into); err != nil {
		return nil, &settingError{is.where, err}
	}
	if into.Kind() == reflect.Bool && !into.Bool() {
		return nil, nil
	}
	return is.value, nil
}

// read reads the file's layer. Each line is a comment, which begins with #, or
// the name of an option, = and its value, which may stand in double quotes.
// known are the options that there are.
func (s *settings) read(name string, known []string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	s.file = map[string]setting{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		where := fmt.Sprintf("%s:%d", name, n)
		if err := s.add(line, where, known); err != nil {
			return &settingError{where, err}
		}
	}
	return lines.Err()
}

// add takes in a line of the file.
func (s *settings) add(line, where string, known []string) (err error) {
	option, value, ok := strings.Cut(line, "=")
	if !ok {
		return errors.New("a line is name = value, or a comment, which begins with #")
	}
	option, value = strings.TrimSpace(option), strings.TrimSpace(value)
	if strings.HasPrefix(value, `"`) {
		if value, err = strconv.Unquote(value); err != nil {
			return fmt.Errorf("what stands in quotes is not a string: %w", err)
		}
	}
	if !slices.Contains(known, option) {
		return fmt.Errorf("there is no option %q, only %s", option, strings.Join(known, ", "))
	}
	if before, twice := s.file[option]; twice {
		return fmt.Errorf("%s stands in %s already", option, before.where)
	}
	s.file[option] = setting{value, where}
	return nil
}
