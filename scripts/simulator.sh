#!/usr/bin/env bash
# Plays seasons under the shipped rules: builds the program, makes a Python environment and runs what is asked for.
#
#   scripts/simulator.sh table --write docs/scoring.md    the table of attacks, into the page
#   scripts/simulator.sh search --minutes 10              looks for attacks
#   scripts/simulator.sh check                            the program and the rules in Python say the same
#   scripts/simulator.sh real                             real models on simulated days, v1 beside v2
#
# What follows the first word is passed on; `scripts/simulator.sh table --help` tells more. AML_PROGRAMS names a directory with
# built programs, AML_PYTHON a Python that has the packages; otherwise both are made.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
what=${1:-}
case "$what" in
table | search | check | real) shift ;;
*)
  sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
  exit 2
  ;;
esac
programs=${AML_PROGRAMS:-}
if [ -z "$programs" ]; then
  # shellcheck source=scripts/env.sh
  source "$root/scripts/env.sh"
  (cd "$root" && cargo build --release --package aml-subnet --package aml-miner --bins)
  programs=$CARGO_TARGET_DIR/release
fi
python=${AML_PYTHON:-}
packages=(numpy)
if [ "$what" = real ]; then
  packages+=(pyarrow scikit-learn lightgbm xgboost)
fi
if [ -z "$python" ]; then
  tools=${AML_TOOLS_DIR:-$HOME/.cache/aml-tools}/simulator-$([ "$what" = real ] && echo real || echo plain)
  if [ ! -e "$tools/complete" ]; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
    touch "$tools/complete"
  fi
  python=$tools/bin/python
fi
# The table's lists are short: one thread for numpy leaves the others to the program.
export OPENBLAS_NUM_THREADS=${OPENBLAS_NUM_THREADS:-1}
if [ "$what" = real ]; then
  exec "$python" "$root/scripts/real_models.py" --programs "$programs" "$@"
fi
exec "$python" "$root/scripts/simulator/$what.py" --program "$programs/aml-subnet" "$@"
