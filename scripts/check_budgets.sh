#!/usr/bin/env bash
# Fails when a source file is longer than the budget, or has no header that says what it holds.
set -euo pipefail
cd "$(dirname "$0")/.."
# Production lines: those before the file's own test module.
limit=300
bad=0
while IFS= read -r file; do
  lines=$(awk '/^#\[cfg\(test\)\]/ { exit } { count++ } END { print count + 0 }' "$file")
  if [ "$lines" -gt "$limit" ]; then
    echo "$file has $lines production lines; the budget is $limit"
    bad=1
  fi
  if ! grep -m 1 -q '^//!' "$file"; then
    echo "$file does not say what it holds (//! at its top)"
    bad=1
  fi
done < <(git ls-files 'crates/*/src/*.rs')
exit "$bad"
