#!/usr/bin/env bash
# Pages, comments and messages use the words of the field, short sentences and headers that say what a file holds.
set -euo pipefail
cd "$(dirname "$0")/../.."
passed=0 failed=0
for how in --self ""; do
  # shellcheck disable=SC2086
  if python3 scripts/checks/words.py $how; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
