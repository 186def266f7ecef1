package resp

// bitmapCommands returns the table's entries of the group bitmap.
func bitmapCommands() []command { //nolint:funlen // a table
	return inGroup("bitmap",
		command{
			name: "bitcount", run: runBitCount, arity: -2, flags: flagReadonly,
			keys:    keySpecs(keyAt(1, "RO", "access")),
			since:   "2.6.0",
			summary: "Counts the bits of a string that are set", complexity: "O(N) for N bytes counted",
			history: []change{
				{"7.0.0", "Added the `BYTE|BIT` option."},
			},
			docs: arguments(
				argKey(),
				argBlock("index",
					argInt("start"),
					argInt("end"),
					argOneOf("index_unit", argWord("BYTE"), argWord("BIT")).from("7.0.0").opt(),
				).opt(),
			),
		},
		command{
			name: "bitfield", run: runBitField, arity: -2, flags: flagWrite | flagDenyOOM,
			keys: keySpecs(keyAt(1, "RW", "access", "update", "variable_flags").because("This command allows both access and modification of the key")), flagsOf: bitFieldFlags,
			since:   "3.2.0",
			summary: "Reads, sets and adds to integers of any width within a string", complexity: "O(N) for N operations",
			docs: arguments(
				argKey(),
				argOneOf("operation",
					argBlock("encoding_offset", argText("encoding"), argInt("offset")).as("GET"),
					argBlock("write",
						argOneOf("wrap_sat_fail", argWord("WRAP"), argWord("SAT"), argWord("FAIL")).as("OVERFLOW").opt(),
						argOneOf("write_operation",
							argBlock("encoding_offset_value", argText("encoding"), argInt("offset"), argInt("value")).as("SET"),
							argBlock("encoding_offset_increment", argText("encoding"), argInt("offset"), argInt("increment")).as("INCRBY"),
						),
					),
				).opt().many(),
			),
		},
		command{
			name: "bitfield_ro", run: runBitFieldRO, arity: -2, flags: flagReadonly | flagFast,
			keys:    keySpecs(keyAt(1, "RO", "access")),
			since:   "6.0.0",
			summary: "Reads integers of any width within a string", complexity: "O(N) for N operations",
			docs: arguments(argKey(), argBlock("encoding_offset", argText("encoding"), argInt("offset")).as("GET").opt().each()),
		},
		command{
			name: "bitop", run: runBitOp, arity: -4, flags: flagWrite | flagDenyOOM,
			keys:    keySpecs(keyAt(2, "OW", "update"), keysFrom(3, -1, 1, "RO", "access")),
			since:   "2.6.0",
			summary: "Combines the bits of strings and keeps the result", complexity: "O(N) for the N bytes of the longest string, times their number",
			docs: arguments(argText("operation"), argKeyOf("destkey", 0), argKeyOf("key", 1).many()),
		},
		command{
			name: "bitpos", run: runBitPos, arity: -3, flags: flagReadonly,
			keys:    keySpecs(keyAt(1, "RO", "access")),
			since:   "2.8.7",
			summary: "Finds the first bit that is set, or clear, in a string", complexity: "O(N) for N bytes searched",
			history: []change{
				{"7.0.0", "Added the `BYTE|BIT` option."},
			},
			docs: arguments(
				argKey(),
				argInt("bit"),
				argBlock("index",
					argInt("start"),
					argBlock("end_index",
						argInt("end"),
						argOneOf("index_unit", argWord("BYTE"), argWord("BIT")).from("7.0.0").opt(),
					).opt(),
				).opt(),
			),
		},
		command{
			name: "getbit", run: runGetBit, arity: 3, flags: flagReadonly | flagFast,
			keys:    keySpecs(keyAt(1, "RO", "access")),
			since:   "2.2.0",
			summary: "Returns a bit of a string", complexity: "O(1)",
			docs: arguments(argKey(), argInt("offset")),
		},
		command{
			name: "setbit", run: runSetBit, arity: 4, flags: flagWrite | flagDenyOOM,
			keys:    keySpecs(keyAt(1, "RW", "access", "update")),
			since:   "2.2.0",
			summary: "Sets or clears a bit of a string and returns what it was", complexity: "O(1)",
			docs: arguments(argKey(), argInt("offset"), argInt("value")),
		},
	)
}
