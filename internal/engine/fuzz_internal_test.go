package engine

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzDecodeFrame decodes arbitrary bytes: no panic, and what is accepted
// encodes to the same bytes.
func FuzzDecodeFrame(f *testing.F) {
	f.Add(appendFrame(nil, &frame{store: 1, epoch: 2, segment: 3, first: 4, synced: 3, count: 5, last: true, total: 5, payload: []byte("hello")}))
	f.Add(appendFrame(nil, &frame{store: 1, segment: 3, part: 7, last: true, sum: 9}))
	f.Add(make([]byte, frameHeader))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, id := range [][2]uint64{{1, 3}, storeAndSegment(b)} {
			got, ok := decodeFrame(b, id[0], id[1])
			if !ok {
				continue
			}
			again := appendFrame(nil, &got)
			n := frameHeader + len(got.payload)
			require.Equal(t, b[:n], again[:n])
		}
	})
}

// storeAndSegment returns what a header says of where it belongs.
func storeAndSegment(b []byte) [2]uint64 {
	f := frame{}
	if len(b) >= frameHeader {
		for i := range 8 {
			f.store |= uint64(b[8+i]) << (8 * i)
			f.segment |= uint64(b[24+i]) << (8 * i)
		}
	}
	return [2]uint64{f.store, f.segment}
}

// FuzzSegment replays two segments of arbitrary bytes, in which frames may have
// been put, and appends to what it finds.
func FuzzSegment(f *testing.F) {
	valid := func(segment uint64, first LSN, payload string) []byte {
		return appendFrame(nil, &frame{
			store: testStore, epoch: 1, segment: segment, first: first, count: 1, last: true,
			total: uint32(len(payload)), payload: []byte(payload),
		})
	}
	f.Add(append(valid(1, 1, "one"), valid(1, 2, "two")...), valid(2, 3, "three"))
	f.Add(valid(1, 1, "one"), valid(2, 3, "a gap"))
	f.Add([]byte{}, []byte{1})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		fsys := NewMemFS()
		require.NoError(t, fsys.MkdirAll("log", dirPerm))
		for name, data := range map[string][]byte{"log/0000000000000001.log": a, "log/0000000000000002.log": b} {
			require.NoError(t, writeFile(fsys, name, data))
			file, err := fsys.OpenFile(name, os.O_RDWR, 0)
			require.NoError(t, err)
			require.NoError(t, file.Truncate(int64(max(len(data), 1024)+7)&^7))
		}
		l := mustOpenLog(t, fsys, 5)
		got, err := replayed(l, 1)
		if err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
			return
		}
		next := LSN(1)
		if len(got) > 0 {
			next = got[len(got)-1].Last() + 1
		}
		if next == 0 || len(got) > 0 && got[len(got)-1].Epoch > 5 {
			return
		}
		g := Group{Epoch: 5, First: next, Count: 2, Payload: []byte("next")}
		require.NoError(t, l.Append(g))
		again, err := replayed(l, 1)
		require.NoError(t, err)
		requirePrefix(t, append(got, g), again, len(got)+1, "")
	})
}

// FuzzDecodeImagePart decodes arbitrary values.
func FuzzDecodeImagePart(f *testing.F) {
	key := appendImageKey(nil, keyObject, Addr{Object: 1, No: 2, Depth: 3}, 1, 0)
	f.Add(key, appendImagePart(nil, key, &Image{Kind: 1, Step: 2, LSN: 3, Data: []byte("data")}, 0))
	f.Add(key, []byte{})
	f.Fuzz(func(t *testing.T, key, value []byte) {
		addr, slot, part, keyErr := parseImageKey(key)
		if keyErr == nil {
			require.Equal(t, key[1:], appendImageKey(nil, key[0], addr, slot, part)[1:])
		}
		p, ok := decodeImagePart(key, value)
		if !ok || p.parts != 1 || p.total != uint64(len(p.data)) {
			return
		}
		img := &Image{Kind: p.kind, Step: p.step, LSN: p.lsn, Data: p.data}
		require.True(t, bytes.Equal(value, appendImagePart(nil, key, img, 0)))
	})
}

// FuzzDecodeState decodes arbitrary records.
func FuzzDecodeState(f *testing.F) {
	s := baseState{State: State{Store: 1, Seed: 2, Epoch: 3, LastStep: 4}, complete: 4, reserved: 68, slot: 1}
	s.Complete[64] = 9
	f.Add(encodeState(&s))
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := decodeState(b)
		if err != nil {
			require.True(t, errors.Is(err, ErrCorrupt) || errors.Is(err, ErrFormat))
			return
		}
		require.Equal(t, len(b), stateSize)
		again := encodeState(&got)
		require.Equal(t, b[8:], again[8:])
	})
}

// FuzzVoid decodes arbitrary ranges of void steps.
func FuzzVoid(f *testing.F) {
	f.Add(voidKey(5), encodeVoid(stepRange{5, 9}))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		r, err := decodeVoid(key, value)
		if err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
			return
		}
		require.Equal(t, value, encodeVoid(r))
	})
}

// FuzzFrames replays segments made of frames with arbitrary headers and right
// checksums: eight bytes of input make a frame.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{1, 1, 1, 1, 0x80, 0, 5, 0, 1, 1, 2, 1, 0x80, 1, 5, 0})
	f.Add([]byte{1, 1, 1, 2, 0, 0, 5, 0, 1, 1, 1, 2, 0x81, 1, 5, 5, 2, 2, 3, 0, 0x80, 2, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		fsys := NewMemFS()
		require.NoError(t, fsys.MkdirAll("log", dirPerm))
		var segs [2][]byte
		for ; len(b) >= 8 && len(segs[0])+len(segs[1]) < 64<<10; b = b[8:] {
			i := b[0] & 1
			segs[i] = appendFrame(segs[i], &frame{
				store: testStore, segment: uint64(i) + 1, epoch: uint64(b[1] & 3), first: LSN(b[2] & 15), count: uint32(b[3] & 3),
				part: uint32(b[4] & 3), last: b[4]&0x80 != 0, synced: LSN(b[5] & 15), payload: make([]byte, b[6]), total: uint32(b[6]) + uint32(b[7]),
			})
		}
		for i, data := range segs {
			require.NoError(t, writeFile(fsys, []string{"log/0000000000000001.log", "log/0000000000000002.log"}[i], append(data, make([]byte, 256)...)))
		}
		l := mustOpenLog(t, fsys, 5)
		got, err := replayed(l, 1)
		if err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
			return
		}
		for i := range got[:max(0, len(got)-1)] {
			require.Equal(t, got[i].Last()+1, got[i+1].First)
			require.LessOrEqual(t, got[i].Epoch, got[i+1].Epoch)
		}
		if len(got) == 0 {
			return
		}
		g := Group{Epoch: 5, First: got[len(got)-1].Last() + 1, Count: 1, Payload: make([]byte, 700)}
		require.NoError(t, l.Append(g))
		again, err := replayed(l, 1)
		require.NoError(t, err)
		requirePrefix(t, append(got, g), again, len(got)+1, "")
	})
}

// TestDecodeFlippedBit flips each bit of an image and of a state.
func TestDecodeFlippedBit(t *testing.T) {
	key := appendImageKey(nil, keyDir, Addr{Dir: true, Object: 1, No: 2}, 0, 0)
	value := appendImagePart(nil, key, &Image{Kind: 1, Step: 2, LSN: 3, Data: []byte("some data")}, 0)
	_, ok := decodeImagePart(key, value)
	require.True(t, ok)
	_, ok = decodeImagePart(append(slices.Clip(key), 0)[1:], value)
	require.False(t, ok, "under another key")
	for i := range value {
		value[i] ^= 1 << (i % 8)
		_, ok := decodeImagePart(key, value)
		require.False(t, ok, i)
		value[i] ^= 1 << (i % 8)
	}
	state := encodeState(&baseState{complete: 1})
	for i := range state {
		state[i] ^= 1 << (i % 8)
		_, err := decodeState(state)
		require.Error(t, err, i)
		state[i] ^= 1 << (i % 8)
	}
}

func TestStateBelowThreshold(t *testing.T) {
	require.Len(t, encodeState(&baseState{}), stateSize)
	require.Less(t, stateSize, valueThreshold)
}

func TestVoids(t *testing.T) {
	v := voids{}.add(stepRange{3, 5}).add(stepRange{9, 9}).add(stepRange{9, 12})
	for step := range uint64(15) {
		want := step >= 3 && step <= 5 || step >= 9 && step <= 12
		require.Equal(t, want, v.contains(step), step)
	}
	require.False(t, voids(nil).contains(1))
}
