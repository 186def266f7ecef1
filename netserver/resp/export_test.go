package resp

// Calls returns how often a command was executed.
func (s *Server) Calls(name string) int64 {
	return s.stats.perCommand[s.commands.find([]byte(name)).id].calls.Load()
}
