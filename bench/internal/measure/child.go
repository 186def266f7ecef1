package measure

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// roleVariable names the role to a child in its environment.
const roleVariable = "BROCK_BENCH_ROLE"

// Child is this program, started once more in a role of its own: a process
// whose memory is the database's alone, or that is there to be killed. It ends
// with its standard input, so that it does not outlive its parent.
type Child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   *bufio.Reader
}

// StartChild starts this program in a role, with arguments for it.
func StartChild(role string, args ...any) (*Child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &Child{cmd: exec.Command(exe)}
	for _, a := range args {
		c.cmd.Args = append(c.cmd.Args, fmt.Sprint(a))
	}
	c.cmd.Env = append(os.Environ(), roleVariable+"="+role)
	c.cmd.Stderr = os.Stderr
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	return c, c.cmd.Start()
}

// Read waits for the child's next [Tell] and reads it into v.
func (c *Child) Read(v any) error {
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("child %s: %w", c.cmd.Args, err)
	}
	return json.Unmarshal(line, v)
}

// Kill ends the child as kill -9 does, and waits until it is gone.
func (c *Child) Kill() error {
	if err := c.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = c.cmd.Wait() // reports that it was killed
	return nil
}

// Close asks the child to end and waits for it.
func (c *Child) Close() error {
	_ = c.stdin.Close() // Wait tells what there is to tell
	return c.cmd.Wait()
}

// Tell sends v to the parent's [Child.Read].
func Tell(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }

// AwaitParent waits until the parent calls [Child.Close] or is gone.
func AwaitParent() { _, _ = io.Copy(io.Discard, os.Stdin) }

// Role runs the role that this process was started in, and returns true and
// its exit code; false if it was started by a user. TestMain calls it first.
func Role(roles map[string]func(args []string) error) (code int, ran bool) {
	name := os.Getenv(roleVariable)
	if name == "" {
		return 0, false
	}
	role := roles[name]
	if role == nil {
		fmt.Fprintf(os.Stderr, "no role %q\n", name)
		return 2, true
	}
	if err := role(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s %q: %v\n", name, os.Args[1:], err)
		return 1, true
	}
	return 0, true
}
