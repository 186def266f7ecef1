package resp

// serverCommands returns the table's entries of the group server.
func serverCommands() []command { //nolint:funlen // a table
	return inGroup("server",
		command{
			name: "bgsave", run: runBGSave, arity: -1, flags: flagAdmin | flagNoScript | flagNoAsyncLoading,
			since:   "1.0.0",
			summary: "Starts a checkpoint in the background", complexity: "O(1)",
			history: []change{
				{"3.2.2", "Added the `SCHEDULE` option."},
			},
			docs: arguments(argWord("SCHEDULE").from("3.2.2").opt()),
		},
		command{
			name: "brock.backup", run: runBrockBackup, arity: 1, flags: flagAdmin | flagNoScript,
			since:   "1.0.0",
			summary: "Replies a backup of all data: bulk strings, up to an empty one", complexity: "O(N) for N bytes of data",
		},
		command{
			name: "command", run: runCommand, arity: -1, flags: flagLoading | flagStale,
			acl: []string{"@connection"}, tips: []string{"nondeterministic_output_order"},
			since:   "2.8.13",
			summary: "Describes all commands", complexity: "O(N) for N commands",
			subs: []command{
				{
					name: "count", run: runCommandCount, arity: 2, flags: flagLoading | flagStale,
					acl:     []string{"@connection"},
					since:   "2.8.13",
					summary: "Counts the commands", complexity: "O(1)",
				},
				{
					name: "docs", run: runCommandDocs, arity: -2, flags: flagLoading | flagStale,
					acl: []string{"@connection"}, tips: []string{"nondeterministic_output_order"},
					since:   "7.0.0",
					summary: "Documents some commands or all", complexity: "O(N) for N commands",
					docs: arguments(argText("command-name").opt().many()),
				},
				{
					name: "getkeys", run: runCommandGetKeys, arity: -4, flags: flagLoading | flagStale,
					acl:     []string{"@connection"},
					since:   "2.8.13",
					summary: "Returns the keys in a call of a command", complexity: "O(N) for N arguments",
				},
				{
					name: "getkeysandflags", run: runCommandGetKeysAndFlags, arity: -4, flags: flagLoading | flagStale,
					acl:     []string{"@connection"},
					since:   "7.0.0",
					summary: "Returns the keys in a call of a command, and what is done to them", complexity: "O(N) for N arguments",
				},
				{
					name: "help", run: runHelp, arity: 2, flags: flagLoading | flagStale,
					acl:     []string{"@connection"},
					since:   "5.0.0",
					summary: "Lists the subcommands", complexity: "O(1)",
				},
				{
					name: "info", run: runCommandInfo, arity: -2, flags: flagLoading | flagStale,
					acl: []string{"@connection"}, tips: []string{"nondeterministic_output_order"},
					since:   "2.8.13",
					summary: "Describes some commands or all", complexity: "O(N) for N commands",
					history: []change{
						{"7.0.0", "Allowed to be called with no argument to get info on all commands."},
					},
					docs: arguments(argText("command-name").opt().many()),
				},
				{
					name: "list", run: runCommandList, arity: -2, flags: flagLoading | flagStale,
					acl: []string{"@connection"}, tips: []string{"nondeterministic_output_order"},
					since:   "7.0.0",
					summary: "Lists the names of commands", complexity: "O(N) for N commands",
					docs: arguments(
						argOneOf("filterby",
							argText("module-name").as("MODULE"),
							argText("category").as("ACLCAT"),
							argPattern("pattern").as("PATTERN"),
						).as("FILTERBY").opt(),
					),
				},
			},
		},
		command{
			name: "config", arity: -2,
			since:   "2.0.0",
			summary: "Commands about the parameters of the server", complexity: "Depends on the subcommand",
			subs: []command{
				{
					name: "get", run: runConfigGet, arity: -3, flags: flagAdmin | flagNoScript | flagLoading | flagStale,
					since:   "2.0.0",
					summary: "Returns the parameters that match patterns", complexity: "O(N) for N parameters, times the patterns",
					history: []change{
						{"7.0.0", "Added the ability to pass multiple pattern parameters in one call"},
					},
					docs: arguments(argBlock("parameter", argText("parameter")).many()),
				},
				{
					name: "help", run: runHelp, arity: 2, flags: flagLoading | flagStale,
					since:   "5.0.0",
					summary: "Lists the subcommands", complexity: "O(1)",
				},
				{
					name: "resetstat", run: runConfigResetStat, arity: 2, flags: flagAdmin | flagNoScript | flagLoading | flagStale,
					since:   "2.0.0",
					summary: "Sets the counters of INFO to zero", complexity: "O(1)",
				},
				{
					name: "rewrite", run: runConfigRewrite, arity: 2, flags: flagAdmin | flagNoScript | flagLoading | flagStale,
					since:   "2.8.0",
					summary: "Writes the parameters to the configuration file", complexity: "O(1)",
				},
				{
					name: "set", run: runConfigSet, arity: -4, flags: flagAdmin | flagNoScript | flagLoading | flagStale,
					tips:    []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
					since:   "2.0.0",
					summary: "Sets parameters, all of them or none", complexity: "O(N) for N parameters to set",
					history: []change{
						{"7.0.0", "Added the ability to set multiple parameters in one call."},
					},
					docs: arguments(argBlock("parameter_value", argText("parameter"), argText("value")).many()),
				},
			},
		},
		command{
			name: "dbsize", run: runDBSize, arity: 1, flags: flagReadonly | flagFast,
			acl: []string{"@keyspace"}, tips: []string{"request_policy:all_shards", "response_policy:agg_sum"},
			since:   "1.0.0",
			summary: "Counts the keys of the database", complexity: "O(1)",
		},
		command{
			name: "debug", run: runDebug, arity: -2, flags: flagAdmin | flagNoScript | flagLoading | flagStale,
			since: "1.0.0", system: true,
			summary: "Commands for tests and for the search of errors", complexity: "Depends on the subcommand",
		},
		command{
			name: "flushall", run: runFlushAll, arity: -1, flags: flagWrite,
			acl: []string{"@dangerous", "@keyspace"}, tips: []string{"request_policy:all_shards", "response_policy:all_succeeded"},
			since:   "1.0.0",
			summary: "Deletes the keys of all databases", complexity: "O(1), the memory is freed later",
			history: []change{
				{"4.0.0", "Added the `ASYNC` flushing mode modifier."},
				{"6.2.0", "Added the `SYNC` flushing mode modifier."},
			},
			docs: arguments(argOneOf("async", argWord("ASYNC").from("4.0.0"), argWord("SYNC").from("6.2.0")).opt()),
		},
		command{
			name: "flushdb", run: runFlushDB, arity: -1, flags: flagWrite,
			acl: []string{"@dangerous", "@keyspace"}, tips: []string{"request_policy:all_shards", "response_policy:all_succeeded"},
			since:   "1.0.0",
			summary: "Deletes the keys of the database", complexity: "O(1), the memory is freed later",
			history: []change{
				{"4.0.0", "Added the `ASYNC` flushing mode modifier."},
				{"6.2.0", "Added the `SYNC` flushing mode modifier."},
			},
			docs: arguments(argOneOf("async", argWord("ASYNC").from("4.0.0"), argWord("SYNC").from("6.2.0")).opt()),
		},
		command{
			name: "info", run: runInfo, arity: -1, flags: flagLoading | flagStale,
			acl: []string{"@dangerous"}, tips: []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"},
			since:   "1.0.0",
			summary: "Tells about the server, its clients and its data", complexity: "O(1)",
			history: []change{
				{"7.0.0", "Added support for taking multiple section arguments."},
			},
			docs: arguments(argText("section").opt().many()),
		},
		command{
			name: "lastsave", run: runLastSave, arity: 1, flags: flagLoading | flagStale | flagFast,
			acl: []string{"@admin", "@dangerous"}, tips: []string{"nondeterministic_output"},
			since:   "1.0.0",
			summary: "Returns when the last complete checkpoint was made", complexity: "O(1)",
		},
		command{
			name: "memory", arity: -2,
			since:   "4.0.0",
			summary: "Commands about the use of memory", complexity: "Depends on the subcommand",
			subs: []command{
				{
					name: "help", run: runHelp, arity: 2, flags: flagLoading | flagStale,
					since:   "4.0.0",
					summary: "Lists the subcommands", complexity: "O(1)",
				},
				{
					name: "usage", run: runMemoryUsage, arity: -3, flags: flagReadonly,
					keys:    keySpecs(keyAt(2, "RO")),
					since:   "4.0.0",
					summary: "Estimates how many bytes a key and its value take", complexity: "O(1)",
					docs: arguments(argKey(), argInt("count").as("SAMPLES").opt()),
				},
			},
		},
		command{
			name: "save", run: runSave, offLoop: true, arity: 1, flags: flagAdmin | flagNoScript | flagNoAsyncLoading | flagNoMulti,
			since:   "1.0.0",
			summary: "Makes a checkpoint and waits for it", complexity: "O(N) for N keys changed since the last one",
		},
		command{
			name: "shutdown", run: runShutdown, arity: -1, flags: flagAdmin | flagNoScript | flagLoading | flagStale | flagNoMulti | flagAllowBusy,
			since:   "1.0.0",
			summary: "Stops the server", complexity: "O(N) for N keys changed since the last checkpoint, if one is made",
			history: []change{
				{"7.0.0", "Added the `NOW`, `FORCE` and `ABORT` modifiers."},
			},
			docs: arguments(
				argOneOf("nosave_save", argWord("NOSAVE"), argWord("SAVE")).opt(),
				argWord("NOW").from("7.0.0").opt(),
				argWord("FORCE").from("7.0.0").opt(),
				argWord("ABORT").from("7.0.0").opt(),
			),
		},
		command{
			name: "slowlog", arity: -2,
			since:   "2.2.12",
			summary: "Commands about the log of slow commands", complexity: "Depends on the subcommand",
			subs: []command{
				{
					name: "get", run: runSlowlogGet, arity: -2, flags: flagAdmin | flagLoading | flagStale,
					tips:    []string{"request_policy:all_nodes", "nondeterministic_output"},
					since:   "2.2.12",
					summary: "Returns the latest entries of the slow log", complexity: "O(N) for N entries",
					history: []change{
						{"4.0.0", "Added client IP address, port and name to the reply."},
					},
					docs: arguments(argInt("count").opt()),
				},
				{
					name: "help", run: runHelp, arity: 2, flags: flagLoading | flagStale,
					since:   "6.2.0",
					summary: "Lists the subcommands", complexity: "O(1)",
				},
				{
					name: "len", run: runSlowlogLen, arity: 2, flags: flagAdmin | flagLoading | flagStale,
					tips:    []string{"request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"},
					since:   "2.2.12",
					summary: "Counts the entries of the slow log", complexity: "O(1)",
				},
				{
					name: "reset", run: runSlowlogReset, arity: 2, flags: flagAdmin | flagLoading | flagStale,
					tips:    []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
					since:   "2.2.12",
					summary: "Empties the slow log", complexity: "O(N) for N entries",
				},
			},
		},
		command{
			name: "swapdb", run: runSwapDB, arity: 3, flags: flagWrite | flagFast,
			acl:     []string{"@dangerous", "@keyspace"},
			since:   "4.0.0",
			summary: "Swaps two databases", complexity: "O(1)",
			docs: arguments(argInt("index1"), argInt("index2")),
		},
		command{
			name: "time", run: runTime, arity: 1, flags: flagLoading | flagStale | flagFast,
			tips:    []string{"nondeterministic_output"},
			since:   "2.6.0",
			summary: "Returns the time of the server", complexity: "O(1)",
		},
	)
}
