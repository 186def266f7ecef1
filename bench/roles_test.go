package bench_test

// roles are what children of the benchmarks do.
func roles() map[string]func(args []string) error {
	return map[string]func(args []string) error{"fill": fillRole, "budget": budgetRole}
}
