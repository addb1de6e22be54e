#!/usr/bin/env bash
# Installs what is missing and runs every check and test; ends with one line of totals.
#
#   ./scripts/test.sh            everything that a change has to pass; continuous integration runs this
#   ./scripts/test.sh --quick    format, lints and tests; without documentation, features alone, and checks of the whole
#   ./scripts/test.sh --full     before a release: every test with both runners, without and with optimisation, the demo
#                                as it is shipped, and a season of an hour (three hours on two cores)
#
# Tests that start programs, chains and databases run under nextest, a process each, all others under plain cargo test, in one
# process; --full runs every test under both. Where nextest is not installed, plain cargo test runs everything. All of it is built
# together, once. What needs something that is not there (the shared test data, a registry, a tool) is skipped with its reason.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=no full=no
case "${1:-}" in
  '') ;;
  --quick) quick=yes ;;
  --full) full=yes ;;
  -h | --help) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "test: unknown argument $1 (try --help)" >&2; exit 2 ;;
esac

./scripts/setup.sh --tests
# shellcheck source=scripts/env.sh
. scripts/env.sh
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}" RUSTFLAGS="${RUSTFLAGS:-}"

passed=0 failed=0 skipped=0
log="$(mktemp)"
trap 'rm -f "$log"' EXIT

# Each step says at its end how long it took; docs/testing.md has a table of that.
begun=0
begin() { # the step's name
  begun=$SECONDS
  printf '\n== %s\n' "$1"
}
took() { printf -- '-- %d s\n' "$((SECONDS - begun))"; }
step() {
  begin "$1"
  shift
  "$@"
  took
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
  # Both runners repeat the words of tests; only their own summaries count.
  local result='^[0-9]+ passed'
  if grep -qE '^test result: ' "$log"; then result='^test result: '; fi
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
  begin "$1"
  shift
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  took
}
skip() {
  printf '\nskipped: %s: %s\n' "$1" "$2"
  skipped=$((skipped + 1))
}

# Rooms of tests that start processes, chains and databases of their own: they take most of the time, and whether they share a
# process with others makes no difference that the rest does not show. Which runner the rest has makes none either, but for what
# shares too much: only one process shows that.
apart=(
  chain_conformance:: chain_faults:: ledger_faults:: ledger_tls:: ledger_transfer::
  validator_again:: validator_faults:: validator_kill:: validator_kill_random:: validator_past:: validator_round:: validator_rules_v2:: validator_season::
  validator_task_common:: validator_weights::
)

has_nextest() { cargo nextest --version >/dev/null 2>&1; }
# Tests wait for blocks and deadlines more than they compute.
each_in_a_process() { # flags of cargo
  counted cargo nextest run --workspace "$@" --test-threads "$(($(nproc) * 2))" --no-fail-fast --success-output=final --status-level=slow
}
all_in_one_process() { # flags of cargo, then what goes to the tests
  counted cargo test --workspace --no-fail-fast --lib --bins --tests "$@" --show-output
}
# Both runners: what shares a process with other tests must not notice.
tests() {
  if [ "$full" = yes ]; then
    if has_nextest; then step "tests, each in a process" each_in_a_process; fi
    step "tests, all in one process" all_in_one_process --
    if has_nextest; then step "tests with optimisation, each in a process" each_in_a_process --release; fi
    step "tests with optimisation, all in one process" all_in_one_process --release --
  elif has_nextest; then
    step "tests that start programs, each in a process" each_in_a_process -E "test(/^($(IFS='|'; echo "${apart[*]}"))/)"
    step "all other tests, in one process" all_in_one_process -- "${apart[@]/#/--skip=}"
  else
    step "tests, all in one process (nextest is not installed)" all_in_one_process --
  fi
  step "examples in the documentation" counted cargo test --workspace --doc
}
lightgbm_free() {
  if cargo tree -p aml-subnet -e normal,build --prefix none | grep -q lightgbm; then
    echo "aml-subnet depends on LightGBM"
    return 1
  fi
}
# What a plain build would turn on; tests turn on more.
for_tests_only() {
  if cargo tree --workspace -e features,normal,build --prefix none | grep -E '"(failpoints|simulate)"'; then
    echo "a program that is shipped has what only tests use"
    return 1
  fi
}
# Each crate with the features that somebody builds it with, alone: together they lend each other features.
features_alone() {
  local features
  for features in "" http data inference,s3 inference,otel judging python; do
    check "aml-miner with features '$features' alone" \
      cargo check --quiet -p aml-miner --no-default-features --features "$features"
  done
  check "aml-subnet alone" cargo check --quiet -p aml-subnet
  check "the programs of the demo" cargo check --quiet -p aml-miner -p aml-subnet --no-default-features \
    --features aml-miner/inference --bin aml-miner-serve --bin aml-miner-batch --bin aml-subnet
}
licences() {
  if ! cargo deny --version >/dev/null 2>&1; then
    # Continuous integration looks at licences, or says that it could not.
    if [ -n "${CI:-}" ]; then
      check "cargo-deny is installed" false
    else
      skip "licences and advisories" "cargo-deny is not installed"
    fi
    return
  fi
  check "licences, sources and banned crates" cargo deny --log-level error check licenses sources bans
  if cargo deny fetch db >"$log" 2>&1; then
    check "advisories" cargo deny --log-level error check advisories
  else
    skip "advisories" "their database was not reached"
  fi
}
sources_keep_budget() { ./scripts/check_budgets.sh; }

check format cargo fmt --all -- --check
check lints cargo clippy --quiet --workspace --all-targets -- -D warnings
check "aml-subnet is free of LightGBM" lightgbm_free
check "what only tests use is not shipped" for_tests_only
check "file sizes" sources_keep_budget
check "order of rooms" ./scripts/check_rooms.py
check "shell scripts" bash -c 'git ls-files -z "*.sh" .ci/run deploy/debian | xargs -0 shellcheck -x -S warning'
tests
if [ "$quick" = no ]; then
  check documentation env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --workspace
  features_alone
  licences
  for extra in scripts/checks/*.sh; do
    [ -e "$extra" ] || continue
    step "$(basename "$extra" .sh)" counted "$extra"
  done
fi
if [ "$full" = yes ]; then
  step "the demo as it is shipped" counted ./scripts/demo.sh --once
  step "a season of an hour" counted ./scripts/season.sh
fi

printf '\n-- %d min in all' "$((SECONDS / 60))"
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
