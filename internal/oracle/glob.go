package oracle

// Match reports whether s matches the glob pattern as Redis understands it: *
// any bytes, ? one byte, [a-z] and [^a-z] one of a class, \ the next byte
// itself. A class that does not end takes the rest of the pattern.
func Match(pattern, s string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			for i := 0; i <= len(s); i++ {
				if Match(pattern[1:], s[i:]) {
					return true
				}
			}
			return false
		case '[':
			if s == "" {
				return false
			}
			in, rest := matchClass(pattern[1:], s[0])
			if !in {
				return false
			}
			pattern, s = rest, s[1:]
			continue
		case '?':
			if s == "" {
				return false
			}
		case '\\':
			if len(pattern) > 1 {
				pattern = pattern[1:]
			}
			fallthrough
		default:
			if s == "" || pattern[0] != s[0] {
				return false
			}
		}
		pattern, s = pattern[1:], s[1:]
	}
	return s == ""
}

// matchClass matches c against the class whose [ stands before p, and returns
// the pattern behind it.
func matchClass(p string, c byte) (in bool, rest string) {
	not := p != "" && p[0] == '^'
	if not {
		p = p[1:]
	}
	for p != "" && p[0] != ']' {
		switch {
		case p[0] == '\\' && len(p) > 1:
			in = in || p[1] == c
			p = p[2:]
		case len(p) > 2 && p[1] == '-':
			lo, hi := min(p[0], p[2]), max(p[0], p[2])
			in = in || lo <= c && c <= hi
			p = p[3:]
		default:
			in = in || p[0] == c
			p = p[1:]
		}
	}
	if p != "" {
		p = p[1:]
	}
	return in != not, p
}
