package resp

// genericCommands returns the table's entries of the group generic.
func genericCommands() []command { //nolint:funlen // a table
	return inGroup("generic",
		command{
			name: "copy", run: runCopy, arity: -3, flags: flagWrite | flagDenyOOM,
			keys:    keySpecs(keyAt(1, "RO", "access"), keyAt(2, "OW", "update")),
			since:   "6.2.0",
			summary: "Copies the value of a key to another key", complexity: "O(1) for strings, O(N) for a collection of N elements",
			docs: arguments(
				argKeyOf("source", 0),
				argKeyOf("destination", 1),
				argInt("destination-db").as("DB").opt(),
				argWord("REPLACE").opt(),
			),
		},
		command{
			name: "del", run: runDel, arity: -2, flags: flagWrite,
			keys: keySpecs(keysFrom(1, -1, 1, "RM", "delete")), tips: []string{"request_policy:multi_shard", "response_policy:agg_sum"},
			since:   "1.0.0",
			summary: "Deletes keys", complexity: "O(N) for N keys",
			docs: arguments(argKey().many()),
		},
		command{
			name: "exists", run: runExists, arity: -2, flags: flagReadonly | flagFast,
			keys: keySpecs(keysFrom(1, -1, 1, "RO")), tips: []string{"request_policy:multi_shard", "response_policy:agg_sum"},
			since:   "1.0.0",
			summary: "Counts which of the keys exist", complexity: "O(N) for N keys",
			history: []change{
				{"3.0.3", "Accepts multiple `key` arguments."},
			},
			docs: arguments(argKey().many()),
		},
		command{
			name: "expire", run: runExpire, arity: -3, flags: flagWrite | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "update")),
			since:   "1.0.0",
			summary: "Has a key expire in some seconds", complexity: "O(1)",
			history: []change{
				{"7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."},
			},
			docs: arguments(
				argKey(),
				argInt("seconds"),
				argOneOf("condition", argWord("NX"), argWord("XX"), argWord("GT"), argWord("LT")).from("7.0.0").opt(),
			),
		},
		command{
			name: "expireat", run: runExpireAt, arity: -3, flags: flagWrite | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "update")),
			since:   "1.2.0",
			summary: "Has a key expire at a moment, in seconds since 1970", complexity: "O(1)",
			history: []change{
				{"7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."},
			},
			docs: arguments(
				argKey(),
				argTime("unix-time-seconds"),
				argOneOf("condition", argWord("NX"), argWord("XX"), argWord("GT"), argWord("LT")).from("7.0.0").opt(),
			),
		},
		command{
			name: "expiretime", run: runExpireTime, arity: 2, flags: flagReadonly | flagFast,
			keys:    keySpecs(keyAt(1, "RO", "access")),
			since:   "7.0.0",
			summary: "Returns when a key expires, in seconds since 1970", complexity: "O(1)",
			docs: arguments(argKey()),
		},
		command{
			name: "keys", run: runKeys, arity: 2, flags: flagReadonly,
			acl: []string{"@dangerous"}, tips: []string{"request_policy:all_shards", "nondeterministic_output_order"},
			since:   "1.0.0",
			summary: "Returns the keys that match a pattern", complexity: "O(N) for N keys in the database",
			docs: arguments(argPattern("pattern")),
		},
		command{
			name: "move", run: runMove, arity: 3, flags: flagWrite | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "access", "update")),
			since:   "1.0.0",
			summary: "Moves a key to another database", complexity: "O(1)",
			docs: arguments(argKey(), argInt("db")),
		},
		command{
			name: "object", arity: -2,
			since:   "2.2.3",
			summary: "Commands that look at how values are kept", complexity: "Depends on the subcommand",
			subs: []command{
				{
					name: "encoding", run: runObjectEncoding, arity: 3, flags: flagReadonly,
					keys: keySpecs(keyAt(2, "RO")), tips: []string{"nondeterministic_output"},
					since:   "2.2.3",
					summary: "Returns how the value of a key is encoded", complexity: "O(1)",
					docs: arguments(argKey()),
				},
				{
					name: "freq", run: runObjectFreq, arity: 3, flags: flagReadonly,
					keys: keySpecs(keyAt(2, "RO")), tips: []string{"nondeterministic_output"},
					since:   "4.0.0",
					summary: "Returns how often a key has been used lately", complexity: "O(1)",
					docs: arguments(argKey()),
				},
				{
					name: "help", run: runHelp, arity: 2, flags: flagLoading | flagStale,
					since:   "6.2.0",
					summary: "Lists the subcommands", complexity: "O(1)",
				},
				{
					name: "idletime", run: runObjectIdleTime, arity: 3, flags: flagReadonly,
					keys: keySpecs(keyAt(2, "RO")), tips: []string{"nondeterministic_output"},
					since:   "2.2.3",
					summary: "Returns for how many seconds a key has not been used", complexity: "O(1)",
					docs: arguments(argKey()),
				},
				{
					name: "refcount", run: runObjectRefCount, arity: 3, flags: flagReadonly,
					keys: keySpecs(keyAt(2, "RO")), tips: []string{"nondeterministic_output"},
					since:   "2.2.3",
					summary: "Returns how many refer to the value of a key", complexity: "O(1)",
					docs: arguments(argKey()),
				},
			},
		},
		command{
			name: "persist", run: runPersist, arity: 2, flags: flagWrite | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "update")),
			since:   "2.2.0",
			summary: "Has a key not expire any more", complexity: "O(1)",
			docs: arguments(argKey()),
		},
		command{
			name: "pexpire", run: runPExpire, arity: -3, flags: flagWrite | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "update")),
			since:   "2.6.0",
			summary: "Has a key expire in some milliseconds", complexity: "O(1)",
			history: []change{
				{"7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."},
			},
			docs: arguments(
				argKey(),
				argInt("milliseconds"),
				argOneOf("condition", argWord("NX"), argWord("XX"), argWord("GT"), argWord("LT")).from("7.0.0").opt(),
			),
		},
		command{
			name: "pexpireat", run: runPExpireAt, arity: -3, flags: flagWrite | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "update")),
			since:   "2.6.0",
			summary: "Has a key expire at a moment, in milliseconds since 1970", complexity: "O(1)",
			history: []change{
				{"7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."},
			},
			docs: arguments(
				argKey(),
				argTime("unix-time-milliseconds"),
				argOneOf("condition", argWord("NX"), argWord("XX"), argWord("GT"), argWord("LT")).from("7.0.0").opt(),
			),
		},
		command{
			name: "pexpiretime", run: runPExpireTime, arity: 2, flags: flagReadonly | flagFast,
			keys:    keySpecs(keyAt(1, "RO", "access")),
			since:   "7.0.0",
			summary: "Returns when a key expires, in milliseconds since 1970", complexity: "O(1)",
			docs: arguments(argKey()),
		},
		command{
			name: "pttl", run: runPTTL, arity: 2, flags: flagReadonly | flagFast,
			keys: keySpecs(keyAt(1, "RO", "access")), tips: []string{"nondeterministic_output"},
			since:   "2.6.0",
			summary: "Returns the milliseconds until a key expires", complexity: "O(1)",
			history: []change{
				{"2.8.0", "Added the -2 reply."},
			},
			docs: arguments(argKey()),
		},
		command{
			name: "randomkey", run: runRandomKey, arity: 1, flags: flagReadonly,
			tips:    []string{"request_policy:all_shards", "nondeterministic_output"},
			since:   "1.0.0",
			summary: "Returns any key of the database", complexity: "O(1)",
		},
		command{
			name: "rename", run: runRename, arity: 3, flags: flagWrite,
			keys:    keySpecs(keyAt(1, "RW", "access", "delete"), keyAt(2, "OW", "update")),
			since:   "1.0.0",
			summary: "Gives the value of a key another key, whatever that held", complexity: "O(1)",
			docs: arguments(argKey(), argKeyOf("newkey", 1)),
		},
		command{
			name: "renamenx", run: runRenameNX, arity: 3, flags: flagWrite | flagFast,
			keys:    keySpecs(keyAt(1, "RW", "access", "delete"), keyAt(2, "OW", "insert")),
			since:   "1.0.0",
			summary: "Gives the value of a key another key that does not exist", complexity: "O(1)",
			history: []change{
				{"3.2.0", "The command no longer returns an error when source and destination names are the same."},
			},
			docs: arguments(argKey(), argKeyOf("newkey", 1)),
		},
		command{
			name: "scan", run: runScan, arity: -2, flags: flagReadonly,
			tips:    []string{"nondeterministic_output", "request_policy:special"},
			since:   "2.8.0",
			summary: "Goes through the keys of the database step by step", complexity: "O(1) for a step, O(N) for all of N keys",
			history: []change{
				{"6.0.0", "Added the `TYPE` subcommand."},
			},
			docs: arguments(
				argInt("cursor"),
				argPattern("pattern").as("MATCH").opt(),
				argInt("count").as("COUNT").opt(),
				argText("type").as("TYPE").from("6.0.0").opt(),
			),
		},
		command{
			name: "touch", run: runTouch, arity: -2, flags: flagReadonly | flagFast,
			keys: keySpecs(keysFrom(1, -1, 1, "RO")), tips: []string{"request_policy:multi_shard", "response_policy:agg_sum"},
			since:   "3.2.1",
			summary: "Counts which of the keys exist, and notes that they were used", complexity: "O(N) for N keys",
			docs: arguments(argKey().many()),
		},
		command{
			name: "ttl", run: runTTL, arity: 2, flags: flagReadonly | flagFast,
			keys: keySpecs(keyAt(1, "RO", "access")), tips: []string{"nondeterministic_output"},
			since:   "1.0.0",
			summary: "Returns the seconds until a key expires", complexity: "O(1)",
			history: []change{
				{"2.8.0", "Added the -2 reply."},
			},
			docs: arguments(argKey()),
		},
		command{
			name: "type", run: runType, arity: 2, flags: flagReadonly | flagFast,
			keys:    keySpecs(keyAt(1, "RO")),
			since:   "1.0.0",
			summary: "Returns the type of the value of a key", complexity: "O(1)",
			docs: arguments(argKey()),
		},
		command{
			name: "unlink", run: runUnlink, arity: -2, flags: flagWrite | flagFast,
			keys: keySpecs(keysFrom(1, -1, 1, "RM", "delete")), tips: []string{"request_policy:multi_shard", "response_policy:agg_sum"},
			since:   "4.0.0",
			summary: "Deletes keys, and frees their memory later", complexity: "O(N) for N keys",
			docs: arguments(argKey().many()),
		},
	)
}
