package oracle

// CommonRun is a run of bytes that two strings have in common: its ends in both, and
// its length.
type CommonRun struct{ AStart, AStop, BStart, BStop, Len int64 }

// LCS returns a longest common subsequence of the strings at two keys, and its
// runs of at least minLen bytes, the last one first.
func (d *DB) LCS(db int, keys []string, minLen int64) (common string, matches []CommonRun, err error) {
	if err := d.check(db); err != nil {
		return "", nil, err
	}
	var texts [2]string
	for i, key := range keys {
		o, err := d.read(db, key, TypeString)
		if err != nil {
			return "", nil, ErrWrongType.with("ERR The specified keys must contain string values")
		}
		if o != nil {
			texts[i] = string(o.str)
		}
	}
	a, b := texts[0], texts[1]
	if int64(len(a)+1)*int64(len(b)+1)*4 > maxString {
		return "", nil, ErrTooBig.with("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
	}
	// table[i][j] is the length for the first i bytes of a and the first j of b.
	table := make([][]int32, len(a)+1)
	for i := range table {
		table[i] = make([]int32, len(b)+1)
		for j := 1; i > 0 && j <= len(b); j++ {
			if a[i-1] == b[j-1] {
				table[i][j] = table[i-1][j-1] + 1
			} else {
				table[i][j] = max(table[i-1][j], table[i][j-1])
			}
		}
	}
	var run CommonRun
	end := func() {
		if run.Len > 0 && run.Len >= minLen {
			matches = append(matches, run)
		}
		run = CommonRun{}
	}
	var reversed []byte
	for i, j := len(a), len(b); i > 0 && j > 0; {
		switch {
		case a[i-1] == b[j-1]:
			i, j = i-1, j-1
			reversed = append(reversed, a[i])
			if run.Len == 0 {
				run.AStop, run.BStop = int64(i), int64(j)
			}
			run = CommonRun{int64(i), run.AStop, int64(j), run.BStop, run.Len + 1}
			continue
		case table[i-1][j] > table[i][j-1]:
			i--
		default:
			j--
		}
		end()
	}
	end()
	for i := range reversed {
		common += string(reversed[len(reversed)-1-i : len(reversed)-i])
	}
	return common, matches, nil
}
