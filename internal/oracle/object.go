package oracle

import "math"

// Up to where Redis holds a collection in its compact encoding, by default.
const (
	maxListPackValue = 64  // bytes of an element of a hash or sorted set
	maxHashListPack  = 512 // fields
	maxZSetListPack  = 128 // members
	maxIntSet        = 512 // members
	maxEmbStr        = 44  // bytes of a string
)

// convert notes that the value is in the general encoding of its type, if so.
func (o *object) convert(large bool) { o.converted = o.converted || large }

// Encoding returns how Redis holds the value at key, as OBJECT ENCODING tells.
func (d *DB) Encoding(db int, key string) (string, error) {
	o, err := d.read(db, key, anyType)
	if err == nil && o == nil {
		err = ErrNotFound
	}
	if err != nil {
		return "", err
	}
	return o.encoding(), nil
}

// encoding is [DB.Encoding] of a value.
func (o *object) encoding() string {
	names := map[string][2]string{ // the compact one, the general one
		TypeList: {"quicklist", "quicklist"}, TypeStream: {"stream", "stream"},
		TypeSet: {"intset", "hashtable"}, TypeHash: {"listpack", "hashtable"}, TypeZSet: {"listpack", "skiplist"},
	}
	if o.kind != TypeString {
		return names[o.kind][oneIf(o.converted)]
	}
	_, isInt := parseInt(string(o.str))
	switch {
	case o.converted || len(o.str) > maxEmbStr:
		return "raw"
	case isInt && !o.text:
		return "int"
	default:
		return "embstr"
	}
}

// RefCount returns how often Redis holds the value at key: integers below
// 10,000 are shared, unless COPY has made them.
func (d *DB) RefCount(db int, key string) (int64, error) {
	name, err := d.Encoding(db, key)
	if err != nil || name != "int" || d.dbs[db][key].copied {
		return oneIf(err == nil), err
	}
	if n, _ := parseInt(string(d.dbs[db][key].str)); n < 0 || n >= 10_000 {
		return 1, nil
	}
	return math.MaxInt32, nil
}

// Freq always fails.
func (d *DB) Freq(db int, key string) (int64, error) {
	o, err := d.read(db, key, anyType)
	if err == nil && o == nil {
		err = ErrNotFound
	}
	if err == nil {
		err = ErrNoLFU
	}
	return 0, err
}

// IdleTime judges for how many seconds the library found that the value at key
// was not used: at most since a command was last to change it. The clock may
// have come to the next second meanwhile.
func (d *DB) IdleTime(db int, key string, found int64) (int64, error) {
	o, err := d.read(db, key, anyType)
	if err == nil && o == nil {
		err = ErrNotFound
	}
	if err != nil {
		return 0, err
	}
	return max(min(found, (d.Now-o.changed)/1000+1), 0), nil
}
