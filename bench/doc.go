// Package bench holds the benchmarks of Brock that need nothing but Brock.
// README.md says what each measures and how to run it; bench/compare has those
// against Badger, miniredis and Redis.
package bench
