#!/usr/bin/env bash
# Installs what is missing and runs every check and test; ends with one line of totals.
#
#   ./scripts/test.sh            everything
#   ./scripts/test.sh --quick    format, lints and tests; without documentation and the features alone
#
# What needs something that is not there (the shared test data, a registry, a tool) is skipped with its reason.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=no
case "${1:-}" in
  '') ;;
  --quick) quick=yes ;;
  -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "test: unknown argument $1 (try --help)" >&2; exit 2 ;;
esac

./scripts/setup.sh --tests
# shellcheck source=scripts/env.sh
. scripts/env.sh
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}" RUSTFLAGS="${RUSTFLAGS:-}"

passed=0 failed=0 skipped=0
log="$(mktemp)"
trap 'rm -f "$log"' EXIT

step() {
  printf '\n== %s\n' "$1"
  shift
  "$@"
}
# Adds up the numbers before a word in the lines of the log that match a pattern; 0 where there are none.
total_of() {
  { grep -E "$2" "$log" || true; } | { grep -oE "[0-9]+ $1" || true; } | awk '{ sum += $1 } END { print sum + 0 }'
}
# Runs a test command and adds the runner's own count to the totals. Of a run that passed it shows the runner's last
# word and what was skipped and why; of one that failed, everything.
counted() {
  local status=0 ok bad skip skips='^ *([a-z]+: )?skipped: '
  "$@" >"$log" 2>&1 || status=$?
  # nextest repeats the words of every test; only its summary counts.
  local result='test result: |^[0-9]+ passed'
  if grep -qE '^ *Summary \[' "$log"; then result='^ *Summary \['; fi
  ok=$(total_of passed "$result") bad=$(total_of failed "$result")
  skip=$(grep -cE "$skips" "$log" || true)
  if [ "$status" -eq 0 ]; then
    grep -E "$skips" "$log" | sort -u || true
    grep -E "$result" "$log" | tail -n 3 || true
    [ "$((ok + bad + skip))" -gt 0 ] || ok=1
  else
    cat "$log"
    [ "$bad" -gt 0 ] || bad=1
  fi
  passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
}
# A check outside of the test runners counts as one test.
check() {
  local name="$1"
  shift
  printf '\n== %s\n' "$name"
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}
skip() {
  printf '\nskipped: %s: %s\n' "$1" "$2"
  skipped=$((skipped + 1))
}

tests_of() {
  if cargo nextest --version >/dev/null 2>&1; then
    counted cargo nextest run -p "$1" --no-fail-fast --success-output=final --status-level=slow
  else
    counted cargo test -p "$1" --no-fail-fast --lib --bins --tests -- --show-output
  fi
  counted cargo test -p "$1" --doc
}
lightgbm_free() {
  if cargo tree -p aml-subnet -e normal,build --prefix none | grep -q lightgbm; then
    echo "aml-subnet depends on LightGBM"
    return 1
  fi
}
sources_keep_budget() { ./scripts/check_budgets.sh; }

check format cargo fmt --all -- --check
for crate in aml-miner aml-subnet; do
  check "lints of $crate" cargo clippy --quiet -p "$crate" --all-targets -- -D warnings
done
check "aml-subnet is free of LightGBM" lightgbm_free
check "file sizes" sources_keep_budget
check "shell scripts" bash -c 'git ls-files -z "*.sh" .ci/run | xargs -0 shellcheck -x -S warning'
for crate in aml-miner aml-subnet; do
  step "tests of $crate" tests_of "$crate"
done
if [ "$quick" = no ]; then
  for crate in aml-miner aml-subnet; do
    check "documentation of $crate" env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps -p "$crate"
  done
  for features in "" data inference; do
    check "aml-miner with features '$features' alone" \
      cargo check --quiet -p aml-miner --no-default-features --features "$features"
  done
  if cargo deny --version >/dev/null 2>&1; then
    check "licences and advisories" cargo deny check
  else
    skip "licences and advisories" "cargo-deny is not installed"
  fi
  for extra in scripts/checks/*.sh; do
    [ -e "$extra" ] || continue
    name="$(basename "$extra" .sh)"
    printf '\n== %s\n' "$name"
    counted "$extra"
  done
fi

printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
