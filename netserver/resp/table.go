package resp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// commandsOf returns the commands that a version of Redis has.
func commandsOf(version string) ([]command, error) {
	v, err := parseRelease(version)
	if err != nil {
		return nil, err
	}
	return v.commands(slices.Concat(
		connectionCommands(), stringCommands(), bitmapCommands(), genericCommands(), hashCommands(), listCommands(),
		setCommands(), zsetCommands(), streamCommands(), serverCommands(),
	)), nil
}

// inGroup makes commands, with their subcommands, a group.
func inGroup(group string, list ...command) []command {
	for i := range list {
		if list[i].group == "" {
			list[i].group = group
		}
		inGroup(group, list[i].subs...)
	}
	return list
}

// release is the version of a release: three numbers.
type release [3]int

// parseRelease reads a version.
func parseRelease(version string) (v release, err error) {
	parts := strings.Split(version, ".")
	if len(parts) != len(v) {
		return v, fmt.Errorf("resp: %q is no version of Redis, such as %s", version, Version)
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return v, fmt.Errorf("resp: version of Redis: %w", err)
		}
		v[i] = int(n)
	}
	return v, nil
}

// commands returns those of a list that a version has.
func (v release) commands(list []command) []command {
	kept := list[:0]
	for _, cmd := range list {
		since, err := parseRelease(cmd.since)
		if err != nil {
			panic("resp: " + cmd.name + ": " + err.Error())
		}
		cmd.subs = v.commands(cmd.subs)
		if slices.Compare(since[:], v[:]) <= 0 {
			kept = append(kept, cmd)
		}
	}
	return kept
}
