package resp

// hashCommands returns the table's entries of the group hash.
func hashCommands() []command {
	return inGroup("hash",
		command{
			name: "hdel", run: runHDel, field: 2, arity: -3, flags: flagWrite | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "delete")),
			since:   "2.0.0",
			summary: "Deletes fields of a hash", complexity: "O(N) for N fields",
			history: []change{
				{"2.4.0", "Accepts multiple `field` arguments."},
			},
			docs: arguments(argKey(), argText("field").many()),
		},
		command{
			name: "hget", run: runHGet, field: 2, arity: 3, flags: flagReadonly | flagFast,
			keys:    keySpecs(keyAt(1, "RO", "access")),
			since:   "2.0.0",
			summary: "Returns the value of a field of a hash", complexity: "O(1)",
			docs: arguments(argKey(), argText("field")),
		},
		command{
			name: "hgetall", run: runHGetAll, arity: 2, flags: flagReadonly,
			keys: keySpecs(keyAt(1, "RO", "access")), tips: []string{"nondeterministic_output_order"},
			since:   "2.0.0",
			summary: "Returns the fields of a hash with their values", complexity: "O(N) for N fields",
			docs: arguments(argKey()),
		},
		command{
			name: "hlen", run: runHLen, arity: 2, flags: flagReadonly | flagFast,
			keys:    keySpecs(keyAt(1, "RO")),
			since:   "2.0.0",
			summary: "Counts the fields of a hash", complexity: "O(1)",
			docs: arguments(argKey()),
		},
		command{
			name: "hset", run: runHSet, field: 2, arity: -4, flags: flagWrite | flagDenyOOM | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "update")),
			since:   "2.0.0",
			summary: "Sets fields of a hash", complexity: "O(N) for N fields",
			history: []change{
				{"4.0.0", "Accepts multiple `field` and `value` arguments."},
			},
			docs: arguments(argKey(), argBlock("field_value", argText("field"), argText("value")).many()),
		},
	)
}
