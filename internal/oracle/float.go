package oracle

import (
	"math/big"
	"regexp"
	"strings"
)

// maxFloat is how long the text of a number may be.
const maxFloat = 5<<10 - 1

// IncrByFloat adds a number to that at key, as texts, and returns the sum. The
// TTL stays.
func (d *DB) IncrByFloat(db int, key, n string) (string, error) {
	o, err := d.edit(db, key, TypeString)
	if err != nil {
		return "", err
	}
	old := "0"
	if o != nil {
		old = string(o.str)
	}
	sum, err := sumOf(old, n)
	if err != nil {
		return "", err
	}
	if o, err = d.create(db, key, TypeString); err != nil {
		return "", err
	}
	o.str, o.converted, o.text = []byte(sum), false, true
	return sum, nil
}

// sumOf adds two numbers, each of which, and the sum, is rounded to 64 bits.
func sumOf(a, b string) (string, error) {
	var sum big.Rat
	infinite := false
	for _, s := range []string{a, b} {
		x, inf, ok := float(s)
		if !ok {
			return "", ErrNotFloat
		}
		infinite = infinite || inf
		if !inf {
			sum.Add(&sum, x)
		}
	}
	x, inRange := rounded(&sum)
	if infinite || !inRange {
		return "", ErrOverflow.with("ERR increment would produce NaN or Infinity")
	}
	return fixed(x), nil
}

// float reads a number as C's strtold does.
func float(s string) (x *big.Rat, inf, ok bool) {
	if len(s) > maxFloat {
		return nil, false, false
	}
	if regexp.MustCompile(`^(?i)[-+]?inf(inity)?$`).MatchString(s) {
		return nil, true, true
	}
	decimal := regexp.MustCompile(`^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$`)
	hex := regexp.MustCompile(`^[-+]?0[xX]([0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)([pP][-+]?[0-9]+)?$`)
	switch {
	case hex.MatchString(s) && !strings.ContainsAny(s, "pP"):
		s += "p0" // Go wants an exponent
	case !decimal.MatchString(s) && !hex.MatchString(s):
		return nil, false, false
	}
	if at := strings.IndexAny(s, "eEpP"); at > 0 && len(s)-at > 8 && !strings.ContainsAny(s[:at], "123456789") {
		return new(big.Rat), false, true // nothing, whatever the exponent is
	}
	x, ok = new(big.Rat).SetString(s)
	if !ok {
		return nil, false, false // an exponent that is beyond big.Rat
	}
	x, ok = rounded(x)
	return x, false, ok
}

// rounded is x in 64 bits; ok is false if it is larger than the largest number,
// or is none and not zero.
func rounded(x *big.Rat) (r *big.Rat, ok bool) {
	f := new(big.Float).SetPrec(64).SetRat(x)
	largest := new(big.Float).SetMantExp(big.NewFloat(1), 16384)
	least := new(big.Float).SetMantExp(big.NewFloat(1), -16446)
	size := new(big.Float).Abs(f)
	if size.Cmp(largest) >= 0 || x.Sign() != 0 && size.Cmp(least) <= 0 {
		return nil, false
	}
	r, _ = f.Rat(nil)
	return r, true
}

// fixed is x with 17 digits behind the point, those at the end that are 0 cut.
// What is half way between two goes to the even one.
func fixed(x *big.Rat) string {
	scaled := new(big.Rat).Mul(x, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(17), nil)))
	scaled.Abs(scaled)
	whole, rest := new(big.Int).QuoRem(scaled.Num(), scaled.Denom(), new(big.Int))
	half := rest.Lsh(rest, 1).Cmp(scaled.Denom())
	if half > 0 || half == 0 && whole.Bit(0) == 1 {
		whole.Add(whole, big.NewInt(1))
	}
	digits := whole.String()
	digits = strings.Repeat("0", max(18-len(digits), 0)) + digits
	at := len(digits) - 17
	s := strings.TrimSuffix(strings.TrimRight(digits[:at]+"."+digits[at:], "0"), ".")
	if x.Sign() < 0 && s != "0" {
		s = "-" + s
	}
	return s
}
