package netserver

// ForceGoroutines has s use no event loops.
func ForceGoroutines(s *Server) { s.goroutines = true }
