package measure

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

const (
	// KeySize is the length of every key in bytes.
	KeySize = 16
	// ValueSize is the length of a value in bytes where nothing else is said.
	ValueSize = 64
)

// AppendKey appends key number i to b.
func AppendKey(b []byte, i int) []byte {
	const digits = "0123456789abcdef"
	b = append(b, "key:"...)
	for shift := 44; shift >= 0; shift -= 4 {
		b = append(b, digits[uint64(i)>>shift&15])
	}
	return b
}

// Key returns key number i.
func Key(i int) string { return string(AppendKey(make([]byte, 0, KeySize), i)) }

// Value returns n bytes that do not compress, always the same ones.
func Value(n int) []byte {
	r, v := Rand(uint64(n)), make([]byte, n)
	for i := range v {
		v[i] = byte(r.Uint32())
	}
	return v
}

// Rand returns a random generator that always begins alike.
func Rand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x62726f636b)) }

// Keys is a sequence of keys without a pointer for each: a garbage collection
// does not see them, and walking them in order costs next to nothing, so that
// what is measured is the database's random access and not the benchmark's.
type Keys struct{ all string }

// NewKeys returns the keys of the numbers from 0 on in order.
func NewKeys(n int) Keys {
	return keys(n, func(i int) int { return i })
}

// Draw returns as many random ones of the keys of the numbers below n.
func Draw(count, n int, seed uint64) Keys {
	r := Rand(seed)
	return keys(count, func(int) int { return r.IntN(n) })
}

// keys returns the keys whose numbers are what number returns for each place.
func keys(count int, number func(int) int) Keys {
	var all strings.Builder
	all.Grow(count * KeySize)
	buf := make([]byte, 0, KeySize)
	for i := range count {
		all.Write(AppendKey(buf, number(i)))
	}
	return Keys{all.String()}
}

// Len returns the number of keys.
func (k Keys) Len() int { return len(k.all) / KeySize }

// At returns the key at place i. It begins again behind the last one.
func (k Keys) At(i int) string {
	at := i * KeySize
	if at >= len(k.all) {
		at %= len(k.all)
	}
	return k.all[at : at+KeySize]
}

// Name writes n as benchmark names have it: 1e3, 5e6, 1500.
func Name(n int) string {
	zeros := 0
	rest := n
	for rest > 0 && rest%10 == 0 {
		rest /= 10
		zeros++
	}
	if rest < 1 || rest > 9 || zeros < 3 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%de%d", rest, zeros)
}
