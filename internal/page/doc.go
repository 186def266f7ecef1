// Package page keeps all state in memory as pages: hashed pages, which map
// keys to values, and ordered pages, which make counted B+trees. It knows
// versions, snapshots and private copies, and nothing of Redis, of records or
// of the log.
//
//   - A [Memory] holds 64 partitions. A [Part] has a readers-writer lock, the
//     descriptors of its pages and the old versions that snapshots need.
//   - An [Access] is one command's or transaction's way to the pages. Its
//     [Mode] decides what a read sees and what a change does: change the page
//     in place, or a private copy that Publish makes visible.
//   - A [Table] is a set of hashed pages (extendible hashing), a [Tree] a
//     counted B+tree of ordered pages; both are written once for all modes.
//
// The blocks that pages stand in come from a [Pool], off the Go heap. A block
// holds no pointer, and no pointer into a block outlives the lock, pin or
// snapshot that protects it.
package page
