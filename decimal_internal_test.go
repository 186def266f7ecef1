package brock

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brockdb/brock/internal/oracle"
)

// oddDecimals are numbers at the edges of what there are, and what is none.
func oddDecimals() []string {
	return []string{
		"", "0", "-0", "+0", "00", "1", "-1", "+1", "--1", "+-1", "1.", ".5", "-.5", ".", "-", "+", "1.2.3", " 1", "1 ", "1\n", "1\x00", "1_0",
		"0.1", "0.2", "0.3", "-0.3", "3.0e3", "3.0E+3", "3e-3", "3e", "3e+", "3e1.5", "e5", "1e17", "1e18", "1e19", "1e100", "-1e4932",
		"1.18973149535723176502e4932", "1.18973149535723176508e4932", "1.2e4932", "1e4933", "1e5000", "1e99999999999999999999", "-1e99999999999999999999",
		"1e-4950", "3.6451995318824746025e-4951", "1.8225997659412373012e-4951", "1.8225997659412373013e-4951", "1.82e-4951", "1e-4951", "1e-5000",
		"1e-99999999999999999999", "0e99999999999999999999", "0e-99999999999999999999", "0.0000e999",
		"inf", "-inf", "+INF", "Infinity", "-infinity", "infi", "nan", "-nan", "NaN(1)",
		"0x", "0x.", "0x1", "-0X1F", "0x1.8", "0x.8p1", "0x1p-17", "0x1p-18", "0x3p-18", "0x1p", "0x1p+", "0xg", "0x1p16383", "0x1p16384", "0x1.fffffffffffffffep16383",
		"0x1.ffffffffffffffffp16383", "0x1p-16445", "0x1p-16446", "0x1.0000000000000002p-16446", "0x1p99999999999999999999", "0x0p99999999999999999999",
		"0x1.0000000000000001p0", "0x1.0000000000000001000000001p0", "18446744073709551615", "18446744073709551616.5", "9007199254740993",
		"0.00000000000000001", "0.000000000000000005", "0.0000000000000000050001", "-0.000000000000000001", "123456789.123456789123456789",
		strings.Repeat("9", 4000), strings.Repeat("9", 5119), strings.Repeat("9", 5120), "0." + strings.Repeat("3", 5117), "0." + strings.Repeat("3", 5118),
		"1" + strings.Repeat("0", 5000) + "e-5000",
	}
}

// TestDecimals compares sums with those of Redis.
func TestDecimals(t *testing.T) {
	n := startNotifier(t)
	for _, a := range oddDecimals() {
		for _, b := range []string{"0", "0.1", "-1e-17", "1e4932", "1e18", "inf", "0x1p-60"} {
			for _, pair := range [][2]string{{a, b}, {b, a}} {
				n.do("SET", "k", pair[0])
				want := n.do("INCRBYFLOAT", "k", pair[1])
				got, err := addDecimals(pair[0], pair[1])
				if err != nil {
					require.Equal(t, want, oracle.RedisError(RedisError(err)), "%q + %q", pair[0], pair[1])
				} else {
					require.Equal(t, want, got, "%q + %q", pair[0], pair[1])
				}
			}
		}
	}
}
