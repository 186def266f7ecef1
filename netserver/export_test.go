package netserver

// ForceGoroutines has s use no event loops.
func ForceGoroutines(s *Server) { s.goroutines = true }

// Working reports whether work of Transport.Go is not delivered. It is called
// on the loop.
func Working(t Transport) bool { return t.(*conn).first != nil }
