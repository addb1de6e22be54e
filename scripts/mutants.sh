#!/usr/bin/env bash
# Changes the code in small ways, one at a time, and tells which changes no test notices.
#
#   ./scripts/mutants.sh                          60 changes of each room, by a seed (hours: each takes a build)
#   ./scripts/mutants.sh --sample 10 validation   ten of one room
#   ./scripts/mutants.sh --changed main           those of the lines that differ from a commit
#   ./scripts/mutants.sh --list                   the rooms, and the tests that look at each
#
# --seed N draws another sample (default 1). --minutes M stops after so long. Needs cargo-mutants 26.2 or newer, which is installed when
# it is absent. A mutant that does not build, or makes tests run for ever, counts as noticed. Survivors are printed at the end, and exit code 1 tells that there are some.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/env.sh
. scripts/env.sh

# ROOM | CRATE | FILES | TESTS, as nextest filters them: narrow, so that a mutant takes a build and some seconds.
rooms() {
  cat <<'EOF'
validation | aml-subnet | crates/aml-subnet/src/validation/**/*.rs | test(validation) + test(scoring) + test(rules_v2_prices) + test(rules_v2_moments) + test(rules_v2_simulator::stored) + test(rules_v2_simulator::prices) + test(rules_v2_simulator::columns) + test(rules_v2_simulator::calibration) + test(conformance::scoring)
payer | aml-subnet | crates/aml-subnet/src/validator/pay.rs crates/aml-subnet/src/validator/pay/*.rs | test(validator_weights) + test(validator_world)
steps | aml-subnet | crates/aml-subnet/src/validator/round.rs crates/aml-subnet/src/validator/round/*.rs | test(validator_round) + test(sealed_rounds) + test(validator_hold)
judging | aml-subnet | crates/aml-subnet/src/validator/judge.rs crates/aml-subnet/src/validator/merge.rs crates/aml-subnet/src/validator/settle.rs | test(validator_judge) + test(border) + test(conformance::scoring)
protocol | aml-subnet | crates/aml-subnet/src/protocol/*.rs crates/aml-subnet/src/protocol/**/*.rs | test(protocol) + test(btauth) + test(axon_v10) + test(sealed_answers) + test(conformance) + test(fuzz_corpus)
settings | aml-subnet | crates/aml-subnet/src/config/*.rs | test(config) + test(dotenv) + test(border::every_pair)
trees | aml-miner | crates/aml-miner/src/trees/**/*.rs crates/aml-miner/src/trees.rs | test(trees) + test(models_)
features | aml-miner | crates/aml-miner/src/features/**/*.rs | test(features)
receipts | aml-miner | crates/aml-miner/src/receipt.rs crates/aml-miner/src/receipt/*.rs | test(receipt)
pairing | aml-miner | crates/aml-miner/src/models/pairing.rs | test(border)
EOF
}

sample=60 seed=1 minutes='' base='' wanted=()
while [ $# -gt 0 ]; do
  case "$1" in
    --sample) sample="${2:?mutants: --sample needs a number}"; shift ;;
    --seed) seed="${2:?mutants: --seed needs a number}"; shift ;;
    --minutes) minutes="${2:?mutants: --minutes needs a number}"; shift ;;
    --changed) base="${2:?mutants: --changed needs a commit}"; shift ;;
    --list) rooms; exit 0 ;;
    -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "mutants: unknown argument $1 (try --help)" >&2; exit 2 ;;
    *) wanted+=("$1") ;;
  esac
  shift
done
cargo mutants --version >/dev/null 2>&1 || cargo install --quiet --locked cargo-mutants

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
survived=0 begun=$SECONDS

# Tries one mutant after the other: the source is changed in place, in a copy of the checkout, and put back.
try() { # room, crate, files, tests
  local room=$1 crate=$2 files=$3 tests=$4 file changed arguments=() all tried=0 missed=0 viable=0
  for file in $files; do arguments+=(--file "$file"); done
  [ -z "$base" ] || arguments+=(--in-diff "$work/diff")
  cargo mutants --list --json --package "$crate" "${arguments[@]}" >"$work/list.json" 2>"$work/log" || { cat "$work/log"; return 1; }
  python3 - "$work" "$seed" "$sample" <<'EOF'
import json, pathlib, random, sys

work, seed, sample = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
mutants = json.loads((work / "list.json").read_text())
chosen = mutants if len(mutants) <= sample else random.Random(seed).sample(mutants, sample)
(work / "all").write_text(str(len(mutants)))
for at, mutant in enumerate(chosen):
    (work / f"mutant.{at:03}.diff").write_text(mutant["diff"])
    (work / f"mutant.{at:03}.name").write_text(mutant["name"])
    (work / f"mutant.{at:03}.file").write_text(mutant["file"])
EOF
  all=$(cat "$work/all")
  for file in "$work"/mutant.*.diff; do
    [ -e "$file" ] || break
    if [ -n "$minutes" ] && [ $((SECONDS - begun)) -ge $((minutes * 60)) ]; then break; fi
    changed=$copy/$(cat "${file%.diff}.file")
    patch -s --forward "$changed" "$file" || { echo "mutants: a change does not fit: $(cat "${file%.diff}.name")" >&2; return 1; }
    tried=$((tried + 1))
    # What does not build is no mutant; what hangs is noticed.
    if ! (cd "$copy" && cargo build --workspace --tests --quiet) >"$work/log" 2>&1; then
      :
    else
      viable=$((viable + 1))
      if (cd "$copy" && timeout 300 cargo nextest run --workspace --no-fail-fast -E "package($crate) & ($tests)") >"$work/log" 2>&1; then
        missed=$((missed + 1))
        printf 'SURVIVED: %s: %s\n' "$room" "$(cat "${file%.diff}.name")"
      fi
    fi
    patch -s -R "$changed" "$file"
  done
  rm -f "$work"/mutant.*
  survived=$((survived + missed))
  printf '%-12s %4d of %4d mutants tried, %d built, %d survived\n' "$room" "$tried" "$all" "$viable" "$missed"
}

if [ -n "$base" ]; then git diff "$base" -- 'crates/*/src' >"$work/diff"; fi
copy=$work/copy
git worktree add --quiet --detach "$copy" HEAD
trap 'git worktree remove --force "$copy"; rm -rf "$work"' EXIT
if ! git diff --quiet HEAD; then git diff HEAD | (cd "$copy" && git apply); fi

while IFS='|' read -r room crate files tests; do
  room=$(xargs <<<"$room") crate=$(xargs <<<"$crate")
  if [ ${#wanted[@]} -gt 0 ] && [[ " ${wanted[*]} " != *" $room "* ]]; then continue; fi
  try "$room" "$crate" "$files" "$tests"
done < <(rooms)
[ "$survived" = 0 ]
