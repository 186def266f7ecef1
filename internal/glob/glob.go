// Package glob matches patterns of Redis' kind.
package glob

// Match tells whether s matches a pattern of Redis' kind: ? is any byte, * any
// bytes, [abc], [a-z] and [^x] one byte of or not of a class, and \ takes the
// next byte as it is. A class that is not closed ends with the pattern. As in
// Redis, only * and the empty pattern match the empty string, not ** for one,
// and bytes above 127 come before all others in a range.
func Match(pattern, s string) bool {
	if s == "" {
		return pattern == "" || pattern == "*"
	}
	// star and mark are where to go on if what follows the last * fails: with
	// one more byte for it. Only the last * matters, so the cost is
	// O(len(pattern) · len(s)).
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, mark = p, i
			p++
			continue
		}
		if p < len(pattern) {
			if ok, next := matchByte(pattern, p, s[i]); ok {
				p, i = next, i+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		mark++
		p, i = star+1, mark
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchByte matches one byte against the pattern at p, which is not a *, and
// returns where the pattern goes on.
func matchByte(pattern string, p int, b byte) (ok bool, next int) {
	switch pattern[p] {
	case '?':
		return true, p + 1
	case '[':
		return matchClass(pattern, p+1, b)
	case '\\':
		if p+1 < len(pattern) {
			p++
		}
	}
	return pattern[p] == b, p + 1
}

// matchClass matches one byte against a class that begins at p.
func matchClass(pattern string, p int, b byte) (ok bool, next int) {
	not := p < len(pattern) && pattern[p] == '^'
	if not {
		p++
	}
	for {
		switch {
		case p >= len(pattern):
			return ok != not, p
		case pattern[p] == '\\' && p+1 < len(pattern):
			p++
			ok = ok || pattern[p] == b
			p++
		case pattern[p] == ']':
			return ok != not, p + 1
		case p+2 < len(pattern) && pattern[p+1] == '-':
			from, to := int8(pattern[p]), int8(pattern[p+2])
			ok = ok || min(from, to) <= int8(b) && int8(b) <= max(from, to)
			p += 3
		default:
			ok = ok || pattern[p] == b
			p++
		}
	}
}
