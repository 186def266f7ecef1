package resp

import (
	"crypto/sha1" //nolint:gosec // what Redis hashes with
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"

	"github.com/brockdb/brock"
)

// digest is a hash of data as DEBUG DIGEST has it. Parts without an order are
// xored into it, parts with one mixed.
type digest [sha1.Size]byte

// String returns the digest in hexadecimal digits.
func (d *digest) String() string { return hex.EncodeToString(d[:]) }

// xor adds a part that has no order.
func (d *digest) xor(part []byte) {
	sum := sha1.Sum(part) //nolint:gosec // see above
	for i := range d {
		d[i] ^= sum[i]
	}
}

// mix adds parts that have an order.
func (d *digest) mix(parts ...[]byte) {
	for _, part := range parts {
		d.xor(part)
		*d = sha1.Sum(d[:]) //nolint:gosec // see above
	}
}

// group adds parts that have an order among them, but none as a whole.
func (d *digest) group(parts ...[]byte) {
	var inner digest
	inner.mix(parts...)
	d.xor(inner[:])
}

// database adds a database. Empty ones add nothing.
func (d *digest) database(tx *brock.Tx, n int) error {
	keys, err := tx.Keys("*")
	if err != nil || len(keys) == 0 {
		return err
	}
	d.mix(binary.BigEndian.AppendUint32(nil, uint32(n)))
	for _, key := range keys {
		var of digest
		of.mix([]byte(key))
		if err := of.value(tx, key); err != nil {
			return err
		}
		d.xor(of[:])
	}
	return nil
}

// value adds the value of a key.
//
// Errors: brock.ErrNotFound.
func (d *digest) value(tx *brock.Tx, key string) error {
	kind, err := tx.Type(key)
	if err != nil {
		return err
	}
	number := slices.Index([]string{"string", "list", "set", "zset", "hash", "module", "stream"}, kind)
	if number < 0 {
		return brock.ErrNotFound
	}
	d.mix(binary.BigEndian.AppendUint32(nil, uint32(number)))
	if err := d.content(tx, kind, key); err != nil {
		return err
	}
	at, err := tx.PExpireTime(key)
	if err == nil && !at.IsZero() {
		d.xor([]byte("!!expire!!"))
	}
	return err
}

// content adds what the value of a key consists of.
func (d *digest) content(tx *brock.Tx, kind, key string) error {
	switch kind {
	case "string":
		value, err := tx.Get(key)
		d.mix(value)
		return err
	case "list":
		values, err := tx.LRange(key, 0, -1)
		d.mix(values...)
		return err
	case "set":
		members, err := tx.SMembers(key)
		for _, member := range members {
			d.xor([]byte(member))
		}
		return err
	case "zset":
		members, err := tx.ZRange(key, 0, -1)
		for _, z := range members {
			d.group([]byte(z.Member), appendDouble(nil, z.Score))
		}
		return err
	case "hash":
		fields, err := tx.HGetAll(key)
		for field, value := range fields {
			d.group([]byte(field), value)
		}
		return err
	default:
		return d.stream(tx, key)
	}
}

// stream adds the entries of a stream.
func (d *digest) stream(tx *brock.Tx, key string) error {
	entries, err := tx.XRange(key, brock.StreamID{}, brock.StreamID{Ms: 1<<64 - 1, Seq: 1<<64 - 1}, -1)
	for _, e := range entries {
		id := strconv.AppendUint(nil, e.ID.Ms, 10)
		d.mix(strconv.AppendUint(append(id, '.'), e.ID.Seq, 10))
		for _, f := range e.Fields {
			d.mix([]byte(f.Field), f.Value)
		}
	}
	if errors.Is(err, brock.ErrNotFound) {
		return nil
	}
	return err
}
