// Package compare holds the benchmarks of Brock against what it is compared
// with: Badger alone, miniredis called directly, and redis-server over
// loopback. It is a module of its own, so that none of them becomes a
// dependency of Brock. The README.md of package bench says what each measures.
package compare
