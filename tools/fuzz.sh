#!/usr/bin/env bash
# Runs every fuzz target of the main module for FUZZTIME (10s) each, one after
# the other, and goes on when one fails. Usage: tools/fuzz.sh [REGEXP of names]
set -euo pipefail
cd "$(dirname "$0")/.."
fuzztime=${FUZZTIME:-10s}
only=${1:-.}
ran=0 failed=()
while IFS=: read -r file name; do
	ran=$((ran + 1))
	dir=./$(dirname "$file")
	printf '== %s %s\n' "$dir" "$name"
	go test -run '^$' -fuzz "^$name\$" -fuzztime "$fuzztime" "$dir" || failed+=("$dir $name")
done < <(git ls-files -co --exclude-standard -- '*_test.go' ':!tools/' ':!bench/compare/' |
	xargs -r grep -HoE '^func Fuzz[A-Z0-9_]\w*\(' -- | sed -E 's/:func (\w+)\($/:\1/' | { grep -E ":.*$only" || true; } | LC_ALL=C sort -u)
printf '%d fuzz targets, %s each, %d failed\n' "$ran" "$fuzztime" "${#failed[@]}"
if ((${#failed[@]})); then
	printf 'failed: %s\n' "${failed[@]}"
	exit 1
fi
