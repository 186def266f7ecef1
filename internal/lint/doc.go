// Package lint holds no code, only tests: the rules of this repository that a
// linter does not know. Run them with
//
//	go test ./internal/lint
//
// They check the direction of dependencies between packages and what the root
// package pulls in (layers_test.go), what source files may not contain
// (rules_test.go), how much of the code is documented (coverage_test.go), and
// that the public API is the one written down in testdata/api.txt
// (api_test.go), which
//
//	go test ./internal/lint -run API -update
//
// rewrites. A diff of that file is a decision that a reviewer should see.
//
// The command testsum below this directory condenses the output of go test.
package lint
