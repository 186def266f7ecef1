package resp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brockdb/brock/internal/glob"
)

// errNoConfigFile is the error of CONFIG REWRITE.
const errNoConfigFile Error = "ERR The server is running without a config file"

// runConfigGet replies the parameters that match patterns.
func runConfigGet(c *call) error {
	all := c.srv.parameters()
	var found []parameter
	add := func(p parameter) {
		if !slices.ContainsFunc(found, func(other parameter) bool { return strings.EqualFold(other.name, p.name) }) {
			found = append(found, p)
		}
	}
	for _, arg := range c.args[2:] {
		pattern := strings.ToLower(view(arg))
		exact := !strings.ContainsAny(pattern, "*?[")
		for _, p := range all {
			switch {
			case exact && p.name == pattern:
				p.name = string(arg) // as it was asked for
				add(p)
			case !exact && glob.Match(pattern, p.name):
				add(p)
			}
		}
	}
	c.out.dict(len(found))
	for _, p := range found {
		c.out.pair(p.name, p.get())
	}
	return nil
}

// runConfigSet sets parameters, all or none, one client at a time. It may have
// to wait for the disk.
func runConfigSet(c *call) error {
	if c.off() {
		c.srv.config.setting.Lock()
		defer c.srv.config.setting.Unlock()
	}
	changes, err := c.configChanges()
	if err != nil {
		return err
	}
	if err := c.wait(); err != nil {
		return err
	}
	for i, change := range changes {
		if err := change.set(); err != nil {
			for _, done := range changes[:i] {
				_ = done.undo() // it held before
			}
			return configError(change.name, err)
		}
	}
	c.out.ok()
	return nil
}

// configChange is one parameter to be set.
type configChange struct {
	name      string
	set, undo func() error
}

// configChanges reads the arguments of CONFIG SET.
func (c *call) configChanges() (changes []configChange, err error) {
	if len(c.args)%2 != 0 {
		return nil, errSyntax
	}
	all := c.srv.parameters()
	var found []parameter
	for i := 2; i < len(c.args); i += 2 {
		name := strings.ToLower(c.str(i))
		at := slices.IndexFunc(all, func(p parameter) bool { return p.name == name })
		if at < 0 {
			return nil, Error(fmt.Sprintf("ERR Unknown option or number of arguments for CONFIG SET - '%s'", c.args[i]))
		}
		found = append(found, all[at])
	}
	for i, p := range found {
		switch {
		case p.parse == nil:
			return nil, configError(p.name, p.fixed)
		case slices.ContainsFunc(found[:i], func(other parameter) bool { return other.name == p.name }):
			return nil, configError(p.name, Error("duplicate parameter"))
		}
	}
	for i, p := range found {
		set, err := p.parse(string(c.args[3+2*i]))
		if err != nil {
			return nil, configError(p.name, err)
		}
		undo, err := p.parse(p.get())
		if err != nil {
			return nil, configError(p.name, err)
		}
		changes = append(changes, configChange{p.name, set, undo})
	}
	return changes, nil
}

// configError is the error of a parameter that cannot be set.
func configError(name string, err error) Error {
	return Error(fmt.Sprintf("ERR CONFIG SET failed (possibly related to argument '%s') - %s", name, err))
}

// runConfigResetStat sets the counters of INFO to zero.
func runConfigResetStat(c *call) error {
	c.countNow()
	c.srv.stats.reset(c.srv.uptime())
	c.srv.expiredBefore.Store(c.srv.db.Stats().Expired)
	c.out.ok()
	return nil
}

// runConfigRewrite fails, as redis-server does that was started without a file.
func runConfigRewrite(*call) error { return errNoConfigFile }
