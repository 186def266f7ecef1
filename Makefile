# make help lists the targets. .ci/run, the gate for every change, is made of
# the same commands.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all

FUZZTIME ?= 10s
COUNT ?= 10
BENCH ?= .

BIN := tools/bin
TESTSUM := go run ./internal/lint/testsum
SOAK := BROCK_SOAK=1 go test -json -count=1 -timeout 12h

.PHONY: all test race soak fuzz lint fmt bench cover vuln generate clean help

all: lint test ## lint and test: what must pass before a commit

test: ## run all tests
	go test ./...

race: ## run the short tests with the race detector
	go test -race -short ./...

soak: ## run the long tests, also with the race detector, and fuzz 10 minutes each: hours
	$(SOAK) -p 1 ./... | $(TESTSUM) -v
	$(SOAK) -p 1 -race . ./mq/... ./internal/store/... ./internal/page/... | $(TESTSUM) -v
	FUZZTIME=10m tools/fuzz.sh

fuzz: ## run each fuzz target for FUZZTIME (10s)
	FUZZTIME=$(FUZZTIME) tools/fuzz.sh

lint: $(BIN)/golangci-lint ## run the linters and the repository's own rules
	go vet ./...
	$(BIN)/golangci-lint run ./...
	go test ./internal/lint/...

fmt: $(BIN)/golangci-lint ## format all Go files
	$(BIN)/golangci-lint fmt ./...

bench: ## run the benchmarks COUNT (10) times, the sustained ones once, then those against peers
	go test -run '^$$' -bench '$(BENCH)' -skip Sustained -count $(COUNT) -timeout 6h ./bench
	go test -run '^$$' -bench Sustained -benchtime 1x -timeout 6h ./bench
	cd bench/compare && go test -run '^$$' -bench '$(BENCH)' -timeout 6h ./...

cover: ## print coverage by function, and keep it in coverage.prof
	go test -short -coverpkg=./... -coverprofile=coverage.prof ./...
	go tool cover -func=coverage.prof

vuln: $(BIN)/golangci-lint ## look for known vulnerabilities in what we call; asks vuln.go.dev
	$(BIN)/govulncheck ./...

generate: ## rewrite generated files: testdata/api.txt, testdata/access.log.gz
	go generate ./...
	go test ./internal/lint -run API -update

clean: ## remove what the other targets leave behind
	rm -rf $(BIN) coverage.prof brock-data

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# All tools at once, at the versions in tools/go.mod.
$(BIN)/golangci-lint: tools/go.mod
	cd tools && go build -o bin/ tool
	@touch $@
