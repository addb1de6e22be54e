#!/usr/bin/env bash
# A whole subnet on this machine: a development chain, three miners with different models, one validator.
#
#   ./scripts/demo.sh               build, run two rounds, show who earned what and why, then keep serving until ^C
#   ./scripts/demo.sh --once        the same, but check the results and exit
#   ./scripts/demo.sh --data DIR    your own batches (docs/data.md) in place of simulated ones
#
#   --data DIR     batch directories: the newest is today's, one with labels at least a week older is settled
#   --alerts N     alerts of a simulated day (default 1000; with fewer than 400 too few outcomes are known to settle)
#   --keep         leave the temporary directory with logs, ledger and keys behind
#
# The first time it builds the three programs that it runs, which takes about 15 minutes on two cores; what follows takes
# half a minute. AML_PROFILE=dev runs the unoptimised programs of the tests, AML_BIN_DIR=DIR programs that are there.
# Ports are the usual ones where they are free. Exit codes: 0 all is well, 1 something failed, 2 a wrong argument.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

once=no data='' alerts=1000 keep=no
usage() { sed -n '2,14s/^# \{0,1\}//p' "$0"; }
wrong() {
  echo "demo: $1 (try --help)" >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case "$1" in
    --once) once=yes ;;
    --keep) keep=yes ;;
    --data) data=$(realpath -e "${2:?--data needs a directory}") || wrong "no directory $2"; shift ;;
    --alerts)
      alerts=${2:?--alerts needs a number}
      [[ $alerts =~ ^[0-9]{2,5}$ ]] || wrong "--alerts takes a number from 10 to 99999"
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) wrong "unknown argument $1" ;;
  esac
  shift
done

# shellcheck source=scripts/env.sh
. scripts/env.sh
# shellcheck source=scripts/demo/lib.sh
. scripts/demo/lib.sh
# shellcheck source=scripts/demo/stages.sh
. scripts/demo/stages.sh

open_stage
set_up_and_build
began=$(now_ms)
step "two days of alerts" make_batches
step "a development chain with four registered keys" start_chain
step "three miners: shipped, weaker and random models" start_miners
step "round of $past_day: asked, judged, merged, settled with the outcomes known by now" settle_the_past
step "round of $today: asked with traps, judged, merged, published" run_todays_round
step "weights on chain" await_weights
took=$(($(now_ms) - began))

show_results summary
printf '\nTook %s; its %d processes held at most %s MiB.\n' "$(seconds "$took")" "${#order[@]}" "$(peak_mib)"

if [ "$once" = yes ]; then
  # What the three models promise holds on simulated days; of other data it is not known.
  promised=(--skill)
  if [ -n "$data" ]; then promised=(); fi
  show_results check "${promised[@]}"
  exit 0
fi
how_to_go_on
keep_serving
