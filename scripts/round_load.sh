#!/usr/bin/env bash
# Measures what a round sends and how long it takes: one validator, many stand-ins for miners on this machine behind one line
# of a given speed, and writes the result to docs/benchmarks.md.
#
#   ./scripts/round_load.sh                          256 miners, 50,000 alerts, 1 Gbit/s: about half an hour on two cores
#   ./scripts/round_load.sh --miners 8 --alerts 500  a quick look; the page is left as it is
#
#   --mbit N       millions of bits a second in each direction (1000); 0 for any number
#   --explain E    what is asked for of explanations (share:0.1, the validator's default)
#   --no-json      leaves out the round that sends JSON alone, which takes most of the time
#   --write        writes the page after a quick look too
#   --keep DIR     leaves ledger, logs and figures there (a new directory)
#
# Four days are asked about: a small one, from which the validator learns what the miners take; the day itself, packed; another
# one by reference, which miners fetch from a folder that a file server of this script shows, beside the line; and one as JSON. Each is a process of its own, `aml-subnet validator --once`, under rules v2 with sealed
# answers. The line is a bucket of tokens in `aml-subnet localnet miners`, which counts the bytes of both directions.
#
# Release programs are built; AML_BIN_DIR=DIR names others. Exit codes: 0 all is well, 1 something failed, 2 a wrong argument.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

# shellcheck source=scripts/arguments.sh
. scripts/arguments.sh
miners=256 alerts=50000 mbit=1000 explain=share:0.1 json=yes write=no keep=
while [ $# -gt 0 ]; do
  case "$1" in
    --miners) miners=${2:-}; number --miners "$miners" 4 1; shift ;;
    --alerts) alerts=${2:-}; number --alerts "$alerts" 6 50; shift ;;
    --mbit) mbit=${2:-}; number --mbit "$mbit" 6 0; shift ;;
    --explain) explain=${2:-}; [[ $explain =~ ^(none|top|full|share:[0-9.]+)$ ]] || wrong "--explain takes none, top, full or share:0.1"; shift ;;
    --no-json) json=no ;;
    --write) write=yes ;;
    --keep) keep=${2:-}; new_directory --keep "$keep"; shift ;;
    -h | --help) sed -n '2,22s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) wrong "unknown argument $1" ;;
  esac
  shift
done

# shellcheck source=scripts/env.sh
. scripts/env.sh
if [ -n "${AML_BIN_DIR:-}" ]; then
  bin=$(realpath -e "$AML_BIN_DIR")
else
  build_programs
  bin=$programs
fi
if [ -n "$keep" ]; then
  mkdir -p "$keep"
  work=$(realpath "$keep")
else
  work=$(mktemp -d "${TMPDIR:-/tmp}/aml-round-load.XXXXXX")
  trap 'rm -rf "$work"' EXIT
fi
# Nothing of the caller's own set-up decides what happens here.
unset DATABASE_URL NETUID LOG_LEVEL AML_SUBNET_CONFIG AML_LOCALNET_URL "${!BT_@}" "${!VALIDATOR_@}"

python3 scripts/round_load.py --bin "$bin" --work "$work" --miners "$miners" --alerts "$alerts" --mbit "$mbit" \
  --explain "$explain" --json "$json" --out "$work/round_load.json"
if [ "$write" = yes ] || { [ "$miners" -ge 256 ] && [ "$alerts" -ge 50000 ] && [ "$json" = yes ]; }; then
  python3 scripts/round_load_report.py "$work/round_load.json" docs/benchmarks.md
  echo "wrote docs/benchmarks.md"
else
  python3 scripts/round_load_report.py "$work/round_load.json"
fi
