package resp

import "github.com/brockdb/brock"

// listCommands returns the table's entries of the group list.
func listCommands() []command { //nolint:funlen // a table
	return inGroup("list",
		command{
			name: "blpop", run: runBLPop, arity: -3, flags: flagWrite | flagNoScript | flagBlocking,
			keys:    keySpecs(keysFrom(1, -2, 1, "RW", "access", "delete")),
			since:   "2.0.0",
			summary: "Removes and returns the first element of one of the lists, or waits for one", complexity: "O(N) for N keys",
			history: []change{
				{"6.0.0", "`timeout` is interpreted as a double instead of an integer."},
			},
			docs: arguments(argKey().many(), argDouble("timeout")),
		},
		command{
			name: "lindex", run: runLIndex, arity: 3, flags: flagReadonly,
			keys:    keySpecs(keyAt(1, "RO", "access")),
			since:   "1.0.0",
			summary: "Returns the element at a position of a list", complexity: "O(log(N)) in a list of N elements",
			docs: arguments(argKey(), argInt("index")),
		},
		command{
			name: "linsert", run: runLInsert, arity: 5, flags: flagWrite | flagDenyOOM,
			keys:    keySpecs(keyAt(1, "RW", "insert")),
			since:   "2.2.0",
			summary: "Inserts an element next to another one of a list", complexity: "O(N) for N elements in front of the other one",
			docs: arguments(argKey(), argOneOf("where", argWord("BEFORE"), argWord("AFTER")), argText("pivot"), argText("element")),
		},
		command{
			name: "llen", run: runLLen, arity: 2, flags: flagReadonly | flagFast,
			keys:    keySpecs(keyAt(1, "RO")),
			since:   "1.0.0",
			summary: "Counts the elements of a list", complexity: "O(1)",
			docs: arguments(argKey()),
		},
		command{
			name: "lpop", run: runLPop, arity: -2, flags: flagWrite | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "access", "delete")),
			since:   "1.0.0",
			summary: "Removes and returns the first elements of a list", complexity: "O(N) for N elements returned",
			history: []change{
				{"6.2.0", "Added the `count` argument."},
			},
			docs: arguments(argKey(), argInt("count").from("6.2.0").opt()),
		},
		command{
			name: "lpush", run: runPush, push: (*brock.Pipe).LPush, arity: -3, flags: flagWrite | flagDenyOOM | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "insert")),
			since:   "1.0.0",
			summary: "Puts elements in front of a list", complexity: "O(N) for N elements to put",
			history: []change{
				{"2.4.0", "Accepts multiple `element` arguments."},
			},
			docs: arguments(argKey(), argText("element").many()),
		},
		command{
			name: "lrange", run: runLRange, arity: 4, flags: flagReadonly,
			keys:    keySpecs(keyAt(1, "RO", "access")),
			since:   "1.0.0",
			summary: "Returns the elements of a list between two positions", complexity: "O(log(N)+M) for M elements of a list of N",
			docs: arguments(argKey(), argInt("start"), argInt("stop")),
		},
		command{
			name: "ltrim", run: runLTrim, arity: 4, flags: flagWrite,
			keys:    keySpecs(keyAt(1, "RW", "delete")),
			since:   "1.0.0",
			summary: "Keeps the elements of a list between two positions and removes the others", complexity: "O(M) for M elements removed",
			docs: arguments(argKey(), argInt("start"), argInt("stop")),
		},
		command{
			name: "rpop", run: runRPop, arity: -2, flags: flagWrite | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "access", "delete")),
			since:   "1.0.0",
			summary: "Removes and returns the last elements of a list", complexity: "O(N) for N elements returned",
			history: []change{
				{"6.2.0", "Added the `count` argument."},
			},
			docs: arguments(argKey(), argInt("count").from("6.2.0").opt()),
		},
		command{
			name: "rpush", run: runPush, push: (*brock.Pipe).RPush, arity: -3, flags: flagWrite | flagDenyOOM | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "insert")),
			since:   "1.0.0",
			summary: "Puts elements at the end of a list", complexity: "O(N) for N elements to put",
			history: []change{
				{"2.4.0", "Accepts multiple `element` arguments."},
			},
			docs: arguments(argKey(), argText("element").many()),
		},
	)
}
