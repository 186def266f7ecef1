package oracle

// Match reports whether s matches the glob pattern as Redis understands it: *
// any bytes, ? one byte, [a-z] and [^a-z] one of a class, \ the next byte
// itself. A class that does not end takes the rest of the pattern. Only * and
// the empty pattern match the empty string, and bytes are signed in a class.
func Match(pattern, s string) bool {
	if s == "" {
		return pattern == "" || pattern == "*"
	}
	return matchFrom(pattern, s)
}

// matchFrom is Match for what is left of both.
func matchFrom(pattern, s string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			for i := 0; i <= len(s); i++ {
				if matchFrom(pattern[1:], s[i:]) {
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
			a, b, c := int8(p[0]), int8(p[2]), int8(c)
			in = in || min(a, b) <= c && c <= max(a, b)
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
