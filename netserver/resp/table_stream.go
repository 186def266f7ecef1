package resp

// streamCommands returns the table's entries of the group stream.
func streamCommands() []command {
	return inGroup("stream",
		command{
			name: "xadd", run: runXAdd, arity: -5, flags: flagWrite | flagDenyOOM | flagFast,
			keys: keySpecs(keyAt(1, "RW", "update").because("UPDATE instead of INSERT because of the optional trimming feature")), tips: []string{"nondeterministic_output"},
			since:   "5.0.0",
			summary: "Appends an entry to a stream", complexity: "O(1), and O(N) for N entries that are trimmed",
			history: []change{
				{"6.2.0", "Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option."},
				{"7.0.0", "Added support for the `<ms>-*` explicit ID form."},
			},
			docs: arguments(
				argKey(),
				argWord("NOMKSTREAM").from("6.2.0").opt(),
				argBlock("trim",
					argOneOf("strategy", argWord("MAXLEN"), argWord("MINID").from("6.2.0")),
					argOneOf("operator", argWordNamed("equal", "="), argWordNamed("approximately", "~")).opt(),
					argText("threshold"),
					argInt("count").as("LIMIT").from("6.2.0").opt(),
				).opt(),
				argOneOf("id_or_auto", argWordNamed("auto_id", "*"), argText("id")),
				argBlock("field_value", argText("field"), argText("value")).many(),
			),
		},
		command{
			name: "xdel", run: runXDel, arity: -3, flags: flagWrite | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "delete")),
			since:   "5.0.0",
			summary: "Deletes entries of a stream", complexity: "O(N) for N entries to delete",
			docs: arguments(argKey(), argText("id").many()),
		},
		command{
			name: "xlen", run: runXLen, arity: 2, flags: flagReadonly | flagFast,
			keys:    keySpecs(keyAt(1, "RO")),
			since:   "5.0.0",
			summary: "Counts the entries of a stream", complexity: "O(1)",
			docs: arguments(argKey()),
		},
		command{
			name: "xrange", run: runXRange, arity: -4, flags: flagReadonly,
			keys:    keySpecs(keyAt(1, "RO", "access")),
			since:   "5.0.0",
			summary: "Returns the entries of a stream between two IDs", complexity: "O(M) for M entries returned",
			history: []change{
				{"6.2.0", "Added exclusive ranges."},
			},
			docs: arguments(argKey(), argText("start"), argText("end"), argInt("count").as("COUNT").opt()),
		},
	)
}
