// Package integer reads integers of Redis' kind.
package integer

// Parse reads an integer as Redis does: no sign but a minus, no leading
// zeroes, no spaces.
func Parse(b []byte) (v int64, ok bool) {
	if len(b) == 1 && b[0] == '0' {
		return 0, true
	}
	digits := b
	if len(b) > 0 && b[0] == '-' {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] < '1' || digits[0] > '9' {
		return 0, false
	}
	var u uint64
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
		u = u*10 + uint64(d-'0')
	}
	if len(b) > len(digits) {
		return -int64(u), u <= 1<<63
	}
	return int64(u), u < 1<<63
}
