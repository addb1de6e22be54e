#!/usr/bin/env bash
# What our features are worth beside the raw columns and the generator's own truth; see scripts/feature_value.py.
#
#   scripts/feature_value.sh                         seeds 42 to 46, with the ceiling and the shuffled outcomes
#   scripts/feature_value.sh --seeds 50-54 --treatments --power 0 0.5 1
#
# AML_PROGRAMS names a directory with built programs, AML_PYTHON a Python that has numpy, pyarrow and lightgbm; otherwise both are made.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
programs=${AML_PROGRAMS:-}
if [ -z "$programs" ]; then
  # shellcheck source=scripts/env.sh
  source "$root/scripts/env.sh"
  (cd "$root" && cargo build --release --package aml-miner --bin aml-miner-batch)
  programs=$CARGO_TARGET_DIR/release
fi
python=${AML_PYTHON:-}
if [ -z "$python" ]; then
  tools=${AML_TOOLS_DIR:-$HOME/.cache/aml-tools}/feature-value
  if [ ! -e "$tools/complete" ]; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check numpy pyarrow lightgbm
    touch "$tools/complete"
  fi
  python=$tools/bin/python
fi
exec "$python" "$root/scripts/feature_value.py" --programs "$programs" "$@"
