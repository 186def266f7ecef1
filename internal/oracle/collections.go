package oracle

import (
	"maps"
	"slices"
)

// HSet sets fields of the hash at key, given as field, value, field, value,
// and returns how many are new.
func (d *DB) HSet(db int, key string, pairs ...string) (int64, error) {
	if err := d.check(db); err != nil {
		return 0, err
	}
	if err := arity(len(pairs) > 0 && len(pairs)%2 == 0, "hset"); err != nil {
		return 0, err
	}
	o, err := d.create(db, key, TypeHash)
	if err != nil {
		return 0, err
	}
	before := len(o.hash)
	for i := 0; i < len(pairs); i += 2 {
		o.hash[pairs[i]] = pairs[i+1]
		o.convert(max(len(pairs[i]), len(pairs[i+1])) > maxListPackValue || len(o.hash) > maxHashListPack)
	}
	return int64(len(o.hash) - before), nil
}

// HGet returns a field of the hash at key, or ErrNotFound.
func (d *DB) HGet(db int, key, field string) (string, error) {
	o, err := d.read(db, key, TypeHash)
	if err != nil {
		return "", err
	}
	if o != nil {
		if v, ok := o.hash[field]; ok {
			return v, nil
		}
	}
	return "", ErrNotFound
}

// HDel removes fields from the hash at key and returns how many there were.
func (d *DB) HDel(db int, key string, fields ...string) (int64, error) {
	o, err := d.edit(db, key, TypeHash)
	if o == nil || err != nil {
		return 0, err
	}
	before := len(o.hash)
	for _, f := range fields {
		delete(o.hash, f)
	}
	d.prune(db, key)
	return int64(before - len(o.hash)), nil
}

// HLen returns the number of fields of the hash at key.
func (d *DB) HLen(db int, key string) (int64, error) {
	o, err := d.read(db, key, TypeHash)
	if o == nil || err != nil {
		return 0, err
	}
	return int64(len(o.hash)), nil
}

// HGetAll returns the hash at key.
func (d *DB) HGetAll(db int, key string) (map[string]string, error) {
	o, err := d.read(db, key, TypeHash)
	if o == nil || err != nil {
		return nil, err
	}
	return maps.Clone(o.hash), nil
}

// LPush puts values, one after the other, before the list at key and returns
// its length: the last one ends up first.
func (d *DB) LPush(db int, key string, values ...string) (int64, error) {
	reversed := slices.Clone(values)
	slices.Reverse(reversed)
	return d.push(db, key, "lpush", values, func(list []string) []string { return slices.Concat(reversed, list) })
}

// RPush puts values behind the list at key and returns its length.
func (d *DB) RPush(db int, key string, values ...string) (int64, error) {
	return d.push(db, key, "rpush", values, func(list []string) []string { return append(list, values...) })
}

// push changes the list at key by join for the command name.
func (d *DB) push(db int, key, name string, values []string, join func([]string) []string) (int64, error) {
	if err := d.check(db); err != nil {
		return 0, err
	}
	if err := arity(len(values) > 0, name); err != nil {
		return 0, err
	}
	o, err := d.create(db, key, TypeList)
	if err != nil {
		return 0, err
	}
	o.list = join(o.list)
	return int64(len(o.list)), nil
}

// LPop takes up to count values from the head of the list at key. ErrNotFound
// says that there is no list.
func (d *DB) LPop(db int, key string, count int64) ([]string, error) {
	return d.pop(db, key, count, func(list []string, n int64) (taken, rest []string) { return list[:n], list[n:] })
}

// RPop takes up to count values from the tail of the list at key, the last one
// first. ErrNotFound says that there is no list.
func (d *DB) RPop(db int, key string, count int64) ([]string, error) {
	return d.pop(db, key, count, func(list []string, n int64) (taken, rest []string) {
		at := int64(len(list)) - n
		taken = slices.Clone(list[at:])
		slices.Reverse(taken)
		return taken, list[:at]
	})
}

// pop takes up to count values from the list at key by cut.
func (d *DB) pop(db int, key string, count int64, cut func([]string, int64) (taken, rest []string)) ([]string, error) {
	if err := d.check(db); err != nil {
		return nil, err
	}
	if count < 0 {
		return nil, ErrIndex.with("ERR value is out of range, must be positive")
	}
	o, err := d.edit(db, key, TypeList)
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, ErrNotFound
	}
	taken, rest := cut(o.list, min(count, int64(len(o.list))))
	taken, o.list = slices.Clone(taken), slices.Clone(rest)
	d.prune(db, key)
	return taken, nil
}

// LLen returns the length of the list at key.
func (d *DB) LLen(db int, key string) (int64, error) {
	o, err := d.read(db, key, TypeList)
	if o == nil || err != nil {
		return 0, err
	}
	return int64(len(o.list)), nil
}

// LIndex returns the value at index of the list at key, counted from the end
// if negative, or ErrNotFound.
func (d *DB) LIndex(db int, key string, index int64) (string, error) {
	o, err := d.read(db, key, TypeList)
	if err != nil {
		return "", err
	}
	if o == nil {
		return "", ErrNotFound
	}
	if index < 0 {
		index += int64(len(o.list))
	}
	if index < 0 || index >= int64(len(o.list)) {
		return "", ErrNotFound
	}
	return o.list[index], nil
}

// LInsert puts value before or behind the first pivot in the list at key and
// returns the length, -1 without a pivot, 0 without a list.
func (d *DB) LInsert(db int, key string, before bool, pivot, value string) (int64, error) {
	o, err := d.edit(db, key, TypeList)
	if o == nil || err != nil {
		return 0, err
	}
	at := slices.Index(o.list, pivot)
	if at < 0 {
		return -1, nil
	}
	if !before {
		at++
	}
	o.list = slices.Insert(o.list, at, value)
	return int64(len(o.list)), nil
}

// LRange returns the values from start to stop, both included; negative ones
// count from the end.
func (d *DB) LRange(db int, key string, start, stop int64) ([]string, error) {
	o, err := d.read(db, key, TypeList)
	if o == nil || err != nil {
		return nil, err
	}
	from, to := span(int64(len(o.list)), start, stop)
	return slices.Clone(o.list[from:to]), nil
}

// LTrim keeps the values that LRange returns.
func (d *DB) LTrim(db int, key string, start, stop int64) error {
	o, err := d.edit(db, key, TypeList)
	if o == nil || err != nil {
		return err
	}
	from, to := span(int64(len(o.list)), start, stop)
	o.list = slices.Clone(o.list[from:to])
	d.prune(db, key)
	return nil
}

// SAdd adds members to the set at key and returns how many are new.
func (d *DB) SAdd(db int, key string, members ...string) (int64, error) {
	if err := d.check(db); err != nil {
		return 0, err
	}
	if err := arity(len(members) > 0, "sadd"); err != nil {
		return 0, err
	}
	o, err := d.create(db, key, TypeSet)
	if err != nil {
		return 0, err
	}
	before := len(o.set)
	for _, m := range members {
		o.set[m] = struct{}{}
		_, ok := parseInt(m)
		o.convert(!ok || len(o.set) > maxIntSet)
	}
	return int64(len(o.set) - before), nil
}

// SRem removes members from the set at key and returns how many there were.
func (d *DB) SRem(db int, key string, members ...string) (int64, error) {
	o, err := d.edit(db, key, TypeSet)
	if o == nil || err != nil {
		return 0, err
	}
	before := len(o.set)
	for _, m := range members {
		delete(o.set, m)
	}
	d.prune(db, key)
	return int64(before - len(o.set)), nil
}

// SIsMember reports whether member is in the set at key.
func (d *DB) SIsMember(db int, key, member string) (bool, error) {
	o, err := d.read(db, key, TypeSet)
	if o == nil || err != nil {
		return false, err
	}
	_, ok := o.set[member]
	return ok, nil
}

// SMembers returns the members of the set at key, sorted.
func (d *DB) SMembers(db int, key string) ([]string, error) { return d.SInter(db, key) }

// SCard returns the number of members of the set at key.
func (d *DB) SCard(db int, key string) (int64, error) {
	o, err := d.read(db, key, TypeSet)
	if o == nil || err != nil {
		return 0, err
	}
	return int64(len(o.set)), nil
}

// SPop judges the member that SPOP of the library took from the set at key, and
// removes it. ErrNotFound says that it is not in the set.
func (d *DB) SPop(db int, key, popped string) (string, error) {
	ok, err := d.SIsMember(db, key, popped)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", ErrNotFound
	}
	_, err = d.SRem(db, key, popped)
	return popped, err
}

// SInter returns the members that all sets at keys have, sorted. A key of
// another type is an error even where another one is absent.
func (d *DB) SInter(db int, keys ...string) ([]string, error) {
	sets := make([]map[string]struct{}, len(keys))
	for i, key := range keys {
		o, err := d.read(db, key, TypeSet)
		if err != nil {
			return nil, err
		}
		if o != nil {
			sets[i] = o.set
		}
	}
	if len(sets) == 0 {
		return nil, nil
	}
	var list []string
	for m := range sets[0] {
		if !slices.ContainsFunc(sets, func(set map[string]struct{}) bool { _, ok := set[m]; return !ok }) {
			list = append(list, m)
		}
	}
	slices.Sort(list)
	return list, nil
}
