#!/usr/bin/env bash
# The wheel installs into a clean virtual environment and does there what the programs do, with their values and their words; the
# notebook and the miner in Python of `examples` run through it. Skips with a reason what cannot be installed.
#
# AML_WHEEL_DIR keeps the virtual environments; AML_WHEEL names a wheel, AML_BIN_DIR the programs: else they are built (the wheel by the
# demo's profile, which takes some ten minutes the first time).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=scripts/env.sh
. "$root/scripts/env.sh"
home=${AML_WHEEL_DIR:-$HOME/.cache/aml-wheel}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PIP_DISABLE_PIP_VERSION_CHECK=1

command -v python3 >/dev/null || { echo "skipped: no python3"; exit 0; }
if [ -z "${AML_WHEEL:-}" ]; then
  status=0
  AML_WHEEL_PROFILE=demo "$root/scripts/wheel.sh" "$work/dist" >"$work/log" 2>&1 || status=$?
  if [ "$status" = 75 ]; then
    echo "skipped: $(tail -n 1 "$work/log")"
    exit 0
  fi
  [ "$status" = 0 ] || { cat "$work/log"; exit 1; }
  tail -n 1 "$work/log"
  # Kept for scripts/checks/wheel_engines.sh.
  rm -rf "$home/wheel"
  mv "$work/dist" "$home/wheel"
  AML_WHEEL=$(echo "$home"/wheel/aml_miner-*.whl)
fi
if [ -z "${AML_BIN_DIR:-}" ]; then
  cd "$root"
  build_test_programs
  AML_BIN_DIR=$programs
fi
export AML_BIN_DIR

# Nothing but the wheel and what it asks for.
python3 -m venv "$work/clean"
if ! "$work/clean/bin/python" -m pip install --quiet "$AML_WHEEL" 2>"$work/log"; then
  echo "skipped: the wheel's dependencies: $(tail -n 1 "$work/log")"
  exit 0
fi
cd "$work"
"$work/clean/bin/python" - <<'PY'
import aml_miner as aml
day, = aml.simulate("days", alerts=30, addresses=400)
assert aml.features(aml.read_batch(day)).num_rows == 30
PY
echo "ok   in a clean virtual environment"

# With the libraries that people have beside it.
venv=$home/checks
packages=(numpy pandas polars pyarrow 'httpx>=0.25' pytest 'lightgbm>=4.7,<5' 'xgboost-cpu>=3.2,<4' catboost scikit-learn
  fastapi uvicorn nbclient nbformat ipykernel matplotlib)
if [ ! -e "$venv/complete" ]; then
  rm -rf "$venv"
  if ! { python3 -m venv "$venv" && "$venv/bin/python" -m pip install --quiet "${packages[@]}" && touch "$venv/complete"; } 2>"$work/log"; then
    echo "skipped: the libraries beside the wheel: $(tail -n 1 "$work/log")"
    exit 0
  fi
fi
"$venv/bin/python" -m pip install --quiet --force-reinstall --no-deps "$AML_WHEEL"
cd "$root/crates/aml-miner/python/tests"
# pytest's last line has the counts that scripts/test.sh adds up.
"$venv/bin/python" -m pytest -q -p no:cacheprovider . 2>&1 | tail -n "${AML_WHEEL_LINES:-40}" | sed 's/^=* *\([0-9]* passed\)/\1/'

# The subnet of docs/first_subnet.md with miners in Python behind the proxies.
mkdir "$work/bin"
ln -s "$(realpath "$AML_BIN_DIR")"/aml-miner-batch "$(realpath "$AML_BIN_DIR")"/aml-subnet "$work/bin/"
cat >"$work/bin/aml-miner-serve" <<SH
#!/bin/sh
exec "$venv/bin/python" "$root/examples/miner.py" --models "\$MODELS" --port "\$API_PORT" --signing-key "\$MINER_SIGNING_KEY_FILE"
SH
chmod +x "$work/bin/aml-miner-serve"
AML_BIN_DIR=$work/bin "$here/first_subnet.sh"
echo "1 passed, 0 failed"
