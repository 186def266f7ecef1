package resp

// zsetCommands returns the table's entries of the group sorted-set.
func zsetCommands() []command {
	return inGroup("sorted-set",
		command{
			name: "zadd", run: runZAdd, field: 3, arity: -4, flags: flagWrite | flagDenyOOM | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "update")),
			since:   "1.2.0",
			summary: "Adds members to a sorted set, or changes their scores", complexity: "O(M*log(N)) for M members in a set of N",
			history: []change{
				{"2.4.0", "Accepts multiple elements."},
				{"3.0.2", "Added the `XX`, `NX`, `CH` and `INCR` options."},
				{"6.2.0", "Added the `GT` and `LT` options."},
			},
			docs: arguments(
				argKey(),
				argOneOf("condition", argWord("NX"), argWord("XX")).from("3.0.2").opt(),
				argOneOf("comparison", argWord("GT"), argWord("LT")).from("6.2.0").opt(),
				argWordNamed("change", "CH").from("3.0.2").opt(),
				argWordNamed("increment", "INCR").from("3.0.2").opt(),
				argBlock("score_member", argDouble("score"), argText("member")).many(),
			),
		},
		command{
			name: "zcard", run: runZCard, arity: 2, flags: flagReadonly | flagFast,
			keys:    keySpecs(keyAt(1, "RO")),
			since:   "1.2.0",
			summary: "Counts the members of a sorted set", complexity: "O(1)",
			docs: arguments(argKey()),
		},
		command{
			name: "zrange", run: runZRange, arity: -4, flags: flagReadonly,
			keys:    keySpecs(keyAt(1, "RO", "access")),
			since:   "1.2.0",
			summary: "Returns the members of a sorted set between two positions, scores or names", complexity: "O(log(N)+M) for M members of a set of N",
			history: []change{
				{"6.2.0", "Added the `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options."},
			},
			docs: arguments(
				argKey(),
				argText("start"),
				argText("stop"),
				argOneOf("sortby", argWord("BYSCORE"), argWord("BYLEX")).from("6.2.0").opt(),
				argWord("REV").from("6.2.0").opt(),
				argBlock("offset_count", argInt("offset"), argInt("count")).as("LIMIT").from("6.2.0").opt(),
				argWord("WITHSCORES").opt(),
			),
		},
		command{
			name: "zrank", run: runZRank, field: 2, arity: 3, flags: flagReadonly | flagFast,
			keys:    keySpecs(keyAt(1, "RO", "access")),
			since:   "2.0.0",
			summary: "Returns the position of a member of a sorted set", complexity: "O(log(N)) in a set of N members",
			docs: arguments(argKey(), argText("member")),
		},
		command{
			name: "zrem", run: runZRem, field: 2, arity: -3, flags: flagWrite | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "delete")),
			since:   "1.2.0",
			summary: "Removes members from a sorted set", complexity: "O(M*log(N)) for M members in a set of N",
			history: []change{
				{"2.4.0", "Accepts multiple elements."},
			},
			docs: arguments(argKey(), argText("member").many()),
		},
		command{
			name: "zscore", run: runZScore, field: 2, arity: 3, flags: flagReadonly | flagFast,
			keys:    keySpecs(keyAt(1, "RO", "access")),
			since:   "1.2.0",
			summary: "Returns the score of a member of a sorted set", complexity: "O(1)",
			docs: arguments(argKey(), argText("member")),
		},
	)
}
