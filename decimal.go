package brock

import (
	"math/big"
	"strings"
)

// Decimal numbers as redis-server has them on amd64: long doubles, which have a
// mantissa of 64 bits and an exponent of 15, read by strtold and printed with 17
// digits behind the point.

const (
	// maxDecimal is how long the text of a number may be.
	maxDecimal = 5<<10 - 1

	decimalBits   = 64     // of the mantissa
	decimalDigits = 17     // behind the point
	maxExponent   = 16384  // all numbers are below 2 to that
	minExponent   = -16445 // the least one above 0 is 2 to that

	// farExponent is where exponents, of 2 as of 10, are far out of range,
	// whatever digits stand before them.
	farExponent = 1 << 20
)

// addDecimals returns the sum of two numbers.
func addDecimals(a, b string) (string, error) {
	x, ok := parseDecimal(a)
	if !ok {
		return "", ErrNotFloat
	}
	y, ok := parseDecimal(b)
	if !ok {
		return "", ErrNotFloat
	}
	if !x.IsInf() && !y.IsInf() {
		if x.Add(x, y); x.MantExp(nil) <= maxExponent {
			return formatDecimal(x), nil
		}
	}
	return "", &redisError{ErrOverflow, "ERR increment would produce NaN or Infinity"}
}

// formatDecimal prints a number without zeroes at its end.
func formatDecimal(x *big.Float) string {
	s := strings.TrimSuffix(strings.TrimRight(x.Text('f', decimalDigits), "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}

// parseDecimal reads a number; ok is false for what is none, or out of range.
func parseDecimal(s string) (x *big.Float, ok bool) {
	if len(s) > maxDecimal {
		return nil, false
	}
	digits := strings.TrimPrefix(s, "-")
	negative := digits != s
	if !negative {
		digits = strings.TrimPrefix(s, "+")
	}
	x = new(big.Float)
	if strings.EqualFold(digits, "inf") || strings.EqualFold(digits, "infinity") {
		return x.SetInf(negative), true
	}
	m, base, exponent, ok := scanDecimal(digits)
	if !ok {
		return nil, false
	}
	x.SetPrec(decimalBits)
	if ok = setDecimal(x, m, base, exponent); negative {
		x.Neg(x)
	}
	return x, ok
}

// scanDecimal reads a number without sign: its digits, without the point, as an
// integer, their base, and the exponent, of 10 or 2, that belongs to it then.
func scanDecimal(s string) (m *big.Int, base, exponent int, ok bool) {
	base, mark, bitsPerDigit := 10, "eE", 1
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		base, mark, bitsPerDigit, s = 16, "pP", 4, s[2:]
	}
	end := strings.IndexAny(s, mark)
	if end >= 0 {
		if exponent, ok = scanExponent(s[end+1:]); !ok {
			return nil, 0, 0, false
		}
		s = s[:end]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	exponent -= bitsPerDigit * len(fraction)
	for _, d := range []byte(whole + fraction) { // big.Int would take signs and underscores
		if (d < '0' || d > '9') && (base == 10 || d|0x20 < 'a' || d|0x20 > 'f') {
			return nil, 0, 0, false
		}
	}
	m, ok = new(big.Int).SetString(whole+fraction, base)
	return m, base, exponent, ok
}

// scanExponent reads an exponent, with or without sign.
func scanExponent(s string) (n int, ok bool) {
	digits := strings.TrimPrefix(s, "-")
	sign := 1
	if digits != s {
		sign = -1
	} else {
		digits = strings.TrimPrefix(s, "+")
	}
	for _, d := range []byte(digits) {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = min(10*n+int(d-'0'), farExponent)
	}
	return sign * n, digits != ""
}

// setDecimal makes x the number with digits m and an exponent, of 10 or, in base
// 16, of 2, rounded once, and tells whether it is in range.
func setDecimal(x *big.Float, m *big.Int, base, exponent int) bool {
	switch {
	case m.Sign() == 0:
		return true
	case base == 16:
		exact := new(big.Float).SetInt(m)
		x.Set(exact.SetMantExp(exact, exponent))
	case len(m.Text(10))+exponent > -minExponent || len(m.Text(10))+exponent < minExponent:
		return false // by far
	case exponent >= 0:
		x.SetInt(m.Mul(m, power10(exponent)))
	default:
		x.Quo(new(big.Float).SetInt(m), new(big.Float).SetInt(power10(-exponent)))
	}
	// Half of the least number is rounded to 0, what is above to it.
	half := x.Cmp(new(big.Float).SetMantExp(big.NewFloat(1), minExponent-1))
	return x.MantExp(nil) <= maxExponent && (half > 0 || half == 0 && x.Acc() == big.Below)
}

// power10 returns 10 to the n.
func power10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}
