package oracle

import "slices"

// Shrink drops operations from a sequence that fails as long as it still does,
// in ever smaller pieces, and returns what is left: no single one of it can be
// dropped. The function fails runs a sequence from the start. It is called at
// most tries times.
func Shrink(ops []Op, tries int, fails func([]Op) bool) []Op {
	for size := (len(ops) + 1) / 2; size > 0; {
		dropped := false
		for from := 0; from < len(ops) && tries > 0; {
			shorter := slices.Concat(ops[:from], ops[min(from+size, len(ops)):])
			tries--
			if fails(shorter) {
				ops, dropped = shorter, true
			} else {
				from += size
			}
		}
		if size > 1 {
			size = (size + 1) / 2
		} else if !dropped || tries <= 0 {
			size = 0
		}
	}
	return ops
}
