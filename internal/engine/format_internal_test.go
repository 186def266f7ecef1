package engine

import (
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFormat holds the examples of docs/format.md against what is written.
func TestFormat(t *testing.T) {
	b, err := os.ReadFile("../../docs/format.md")
	require.NoError(t, err)
	text := string(b)
	digits := strings.Join(strings.Fields(text), "")
	shows := func(b []byte, width int) {
		t.Helper()
		for row := range slices.Chunk(b, width) {
			s := hex.EncodeToString(row)
			require.True(t, strings.Contains(digits, s), "not in docs/format.md: %s", s)
		}
	}

	payload := []byte("\x0a\x01\x01\x04hits\x02\x017")
	shows(appendFrame(nil, &frame{
		store: 0x0123456789abcdef, epoch: 3, segment: 5, first: 1042, synced: 1040,
		count: 1, last: true, total: uint32(len(payload)), payload: payload,
	}), 16)

	addr := Addr{Object: 22<<56 | 9, No: 3}
	key := appendImageKey(nil, keyObject, addr, 1, 0)
	shows(key, len(key))
	img := &Image{Addr: addr, Slot: 1, Kind: 1, Step: 12, LSN: 1042, Data: []byte("abc")}
	part := appendImagePart(nil, key, img, 0)
	shows(part, len(part))
	leaf := Addr{Dir: true, Class: ClassHashed, Depth: 2, Object: 22<<56 | 1, No: 0x4000000000000003}
	shows(appendImageKey(nil, keyDir, leaf, 0, 0), imageKeySize)

	void := stepRange{13, 64}
	shows(voidKey(void.first), 9)
	shows(encodeVoid(void), 12)
	require.True(t, strings.Contains(text, "It is 576 bytes"))
	require.Equal(t, 576, stateSize)

	for line := range strings.Lines(string(appendFormat(nil, identity{0x0123456789abcdef, 1}))) {
		require.True(t, strings.Contains(text, "    "+line), line)
	}
	conf := strings.TrimSpace(string(appendConf(nil, 128<<10)))
	require.True(t, strings.Contains(text, conf), conf)
}
