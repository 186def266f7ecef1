package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"
)

// inUseOnWindows is the number of the error that syscall.EADDRINUSE is elsewhere.
const inUseOnWindows = 10048

// inUse tells whether an address could not be listened on since somebody does.
func inUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.Errno(inUseOnWindows))
}

// listen listens on an address, HOST:PORT. localhost is two, with one port.
func listen(addr string) ([]net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("--resp: %q is not HOST:PORT, such as 127.0.0.1:6379, [::1]:0 or :6379", addr)
	}
	if strings.EqualFold(host, "localhost") {
		return listenLoopback(port)
	}
	l, err := listenTCP("tcp", addr)
	return []net.Listener{l}, err
}

// portTries is how many free ports of 127.0.0.1 are tried for one that is free
// on [::1], too.
const portTries = 20

// listenLoopback listens on 127.0.0.1 and [::1], or, where there is no IPv6, on
// the first alone.
func listenLoopback(port string) ([]net.Listener, error) {
	for try := 1; ; try++ {
		v4, err := listenTCP("tcp4", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			return nil, err
		}
		_, same, err := net.SplitHostPort(v4.Addr().String())
		if err != nil {
			return nil, errors.Join(err, v4.Close())
		}
		v6, err := listenTCP("tcp6", net.JoinHostPort("::1", same))
		switch {
		case err == nil:
			return []net.Listener{v4, v6}, nil
		case !inUse(err) && !errors.Is(err, fs.ErrPermission):
			return []net.Listener{v4}, nil
		}
		if closed := v4.Close(); closed != nil || port != "0" || try == portTries {
			return nil, errors.Join(err, closed)
		}
	}
}

// listenTCP listens on an address.
func listenTCP(network, addr string) (net.Listener, error) {
	l, err := net.Listen(network, addr)
	if err != nil {
		return nil, adviseListen(addr, err)
	}
	return l, nil
}

// adviseListen says what to do where an address cannot be listened on.
func adviseListen(addr string, err error) error {
	var text string
	var wrong *net.AddrError
	switch {
	case errors.As(err, &wrong):
		text = fmt.Sprintf("--resp: %s: %q: name HOST:PORT with a port from 0 to 65535", wrong.Err, wrong.Addr)
	case inUse(err):
		text = addr + " is in use: stop the program that listens there, or choose another port with --resp"
	case errors.Is(err, fs.ErrPermission):
		text = "this user may not listen on " + addr + ": choose a port above 1023 with --resp"
	default:
		text = err.Error() + ": name an address of this machine with --resp"
	}
	return &explained{text, err}
}

// closeAll closes listeners that nobody uses.
func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close() // nobody has connected
	}
}

// loopback tells whether only this machine reaches all listeners.
func loopback(listeners []net.Listener) bool {
	for _, l := range listeners {
		if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
			return false
		}
	}
	return true
}
