package resp

// setCommands returns the table's entries of the group set.
func setCommands() []command {
	return inGroup("set",
		command{
			name: "sadd", run: runSAdd, field: 2, arity: -3, flags: flagWrite | flagDenyOOM | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "insert")),
			since:   "1.0.0",
			summary: "Adds members to a set", complexity: "O(N) for N members to add",
			history: []change{
				{"2.4.0", "Accepts multiple `member` arguments."},
			},
			docs: arguments(argKey(), argText("member").many()),
		},
		command{
			name: "scard", run: runSCard, arity: 2, flags: flagReadonly | flagFast,
			keys:    keySpecs(keyAt(1, "RO")),
			since:   "1.0.0",
			summary: "Counts the members of a set", complexity: "O(1)",
			docs: arguments(argKey()),
		},
		command{
			name: "sinter", run: runSInter, arity: -2, flags: flagReadonly,
			keys: keySpecs(keysFrom(1, -1, 1, "RO", "access")), tips: []string{"nondeterministic_output_order"},
			since:   "1.0.0",
			summary: "Returns the members that several sets have in common", complexity: "O(N*M) for M sets, the smallest of N members",
			docs: arguments(argKey().many()),
		},
		command{
			name: "sismember", run: runSIsMember, field: 2, arity: 3, flags: flagReadonly | flagFast,
			keys:    keySpecs(keyAt(1, "RO")),
			since:   "1.0.0",
			summary: "Tells whether a set has a member", complexity: "O(1)",
			docs: arguments(argKey(), argText("member")),
		},
		command{
			name: "smembers", run: runSMembers, arity: 2, flags: flagReadonly,
			keys: keySpecs(keyAt(1, "RO", "access")), tips: []string{"nondeterministic_output_order"},
			since:   "1.0.0",
			summary: "Returns the members of a set", complexity: "O(N) for N members",
			docs: arguments(argKey()),
		},
		command{
			name: "spop", run: runSPop, arity: -2, flags: flagWrite | flagFast,
			keys: keySpecs(keyAt(1, "RW", "access", "delete")), tips: []string{"nondeterministic_output"},
			since:   "1.0.0",
			summary: "Removes and returns any members of a set", complexity: "O(N) for N members returned",
			history: []change{
				{"3.2.0", "Added the `count` argument."},
			},
			docs: arguments(argKey(), argInt("count").from("3.2.0").opt()),
		},
		command{
			name: "srem", run: runSRem, field: 2, arity: -3, flags: flagWrite | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "delete")),
			since:   "1.0.0",
			summary: "Removes members from a set", complexity: "O(N) for N members to remove",
			history: []change{
				{"2.4.0", "Accepts multiple `member` arguments."},
			},
			docs: arguments(argKey(), argText("member").many()),
		},
	)
}
