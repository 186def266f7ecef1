//go:build !race && !invariants

package page

// checked is whether the pool poisons freed blocks and looks for misuse.
const checked = false
