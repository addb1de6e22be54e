#!/usr/bin/env bash
# Fuzzes all targets in turn, and ends with what each has run; exits with 1 when one has found something.
#
#   ./scripts/fuzz.sh --minutes 60            an hour, shared among all targets
#   ./scripts/fuzz.sh --minutes 10 receipt    ten minutes of this one
#   ./scripts/fuzz.sh --list                  what there is
#
# Needs a nightly compiler (`rustup toolchain install nightly`) and cargo-fuzz, which is installed when it is absent. Limits of memory and time are
# asserted in the targets. What was found lies in `crates/*/fuzz/artifacts`; what was learnt stays in a folder of its own
# (AML_FUZZ_DIR, else ~/.cache/aml-fuzz), not in the repository's corpus, which `cargo nextest run -E 'test(corpus)'` replays.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/env.sh
. scripts/env.sh

minutes='' wanted=()
while [ $# -gt 0 ]; do
  case "$1" in
    --minutes) minutes="${2:?fuzz: --minutes needs a number}"; shift ;;
    --list) minutes=0 ;;
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "fuzz: unknown argument $1 (try --help)" >&2; exit 2 ;;
    *) wanted+=("$1") ;;
  esac
  shift
done
[ -n "$minutes" ] || { echo "fuzz: --minutes M, or --list" >&2; exit 2; }

targets=()
for file in crates/*/fuzz/fuzz_targets/*.rs; do
  name=$(basename "$file" .rs)
  crate=$(cut -d/ -f2 <<<"$file")
  if [ ${#wanted[@]} = 0 ] || [[ " ${wanted[*]} " == *" $name "* ]]; then targets+=("$crate/$name"); fi
done
[ ${#targets[@]} -gt 0 ] || { echo "fuzz: no target is called ${wanted[*]}" >&2; exit 2; }
if [ "$minutes" = 0 ]; then
  printf '%s\n' "${targets[@]}"
  exit 0
fi

if ! rustc +nightly --version >/dev/null 2>&1; then
  echo "skipped: no nightly compiler (rustup toolchain install nightly)"
  exit 0
fi
cargo fuzz --version >/dev/null 2>&1 || cargo install --quiet --locked cargo-fuzz
learnt=${AML_FUZZ_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/aml-fuzz}
seconds=$((minutes * 60 / ${#targets[@]}))
[ "$seconds" -ge 1 ] || seconds=1
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
found=0
# Each crate's targets are instrumented in a build directory of their own; the usual one stays as it is.
unset CARGO_TARGET_DIR RUSTFLAGS
for target in "${targets[@]}"; do
  crate=${target%/*} name=${target#*/}
  mkdir -p "$learnt/$name"
  if (cd "crates/$crate" && cargo +nightly fuzz run "$name" "$learnt/$name" "fuzz/corpus/$name" -- \
    "-max_total_time=$seconds" -timeout=20 -rss_limit_mb=1024 -print_final_stats=1) >"$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    coverage=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1)
    printf '%-28s %10s runs in %d s, %s\n' "$target" "${runs:-0}" "$seconds" "${coverage:-cov: 0}"
  else
    found=$((found + 1))
    printf '%-28s FOUND SOMETHING, or did not run:\n' "$target"
    tail -n 30 "$log"
  fi
done
[ "$found" = 0 ]
