#!/usr/bin/env bash
# A whole subnet on this machine: a development chain, three miners with different models, two that live off the others, one
# validator.
#
#   ./scripts/demo.sh               build, run five weeks of rounds and today's, show who earned what and why, then keep
#                                   serving until ^C
#   ./scripts/demo.sh --once        the same, but check the results and exit
#   ./scripts/demo.sh --data DIR    your own batches (docs/data.md) in place of simulated ones
#
#   --data DIR     batch directories: the newest is today's, up to sixty before it that have labels are the past
#   --alerts N     alerts of a simulated day (default 200; with fewer than 60 too few outcomes are known to pay anybody)
#   --keep         leave the temporary directory with logs, ledger and keys behind
#
# The first time it builds the three programs that it runs, which takes about 10 minutes on two cores; what follows takes
# three or four: every day of the past is asked, judged and merged twice. AML_PROFILE=dev runs the unoptimised programs of the
# tests, AML_BIN_DIR=DIR programs that are there. Ports are the usual ones where they are free. Exit codes: 0 all is well, 1 something failed, 2 a wrong argument.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

once=no data='' alerts=200 keep=no
usage() { sed -n '2,16s/^# \{0,1\}//p' "$0"; }
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
choose_days
set_up_and_build
began=$(now_ms)
step "$((past_days + 1)) days of alerts" make_batches
step "a development chain with four registered keys" start_chain
step "three miners: shipped, weaker and random models" start_own
step "the past, $first_day to $last_day, as rounds" rehearse without
step "two more keys: a copy of the shipped miner with noise, and yesterday's canonical scores" start_clever
step "the same past with all five" rehearse validator
step "today's round, $today: asked, judged, merged, published" run_todays_round
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
