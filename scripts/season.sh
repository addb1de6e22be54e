#!/usr/bin/env bash
# A season on this machine: days of rounds with honest, lazy, copying, lying, slow and dead miners over a development
# chain, by a validator that is killed (SIGKILL) at random instants and by a twin that is not.
#
#   ./scripts/season.sh                 an hour
#   ./scripts/season.sh --minutes N     so long
#   ./scripts/season.sh --short         three days, as in the tests: about three minutes
#   ./scripts/season.sh --rules v1      under rules v1, with open answers; a short season has five days then
#
# Without --rules a season has rules v2 and sealed answers, which open a minute or so after the task of a day was made.
#
#   --seed N      the random instants again
#   --keep DIR    leave ledgers, exports, logs and figures there (a new directory)
#
# In the end both must have the same rounds, every day settled once, files that verify, no window of weights submitted
# twice, and weights on chain that follow skill; then Python computes both exported ledgers again (scripts/recompute.py) and
# figures are shown. Programs are built without optimisation and copied first, so that builds meanwhile change nothing;
# AML_SEASON_TEST and AML_SUBNET_BIN name others. numpy and scikit-learn go into a virtual environment in the cache; what PyPI
# is needed for is skipped when it is not reached. Exit codes: 0 all is well, 1 something failed, 2 a wrong argument.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

# shellcheck source=scripts/arguments.sh
. scripts/arguments.sh
minutes=60 keep=
while [ $# -gt 0 ]; do
  case "$1" in
    --minutes) minutes=${2:-}; number --minutes "$minutes" 4 1; shift ;;
    --short) minutes= ;;
    --rules)
      [[ ${2:-} =~ ^v[12]$ ]] || wrong "--rules takes v1 or v2"
      export AML_SEASON_RULES=$2
      shift
      ;;
    --seed)
      number --seed "${2:-}" 18 0
      export AML_SEASON_SEED=$2
      shift
      ;;
    --keep) keep=${2:-}; new_directory --keep "$keep"; shift ;;
    -h | --help) sed -n '2,21s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) wrong "unknown argument $1" ;;
  esac
  shift
done

# shellcheck source=scripts/env.sh
. scripts/env.sh
if [ -n "$keep" ]; then
  mkdir -p "$keep"
  work=$(realpath "$keep")
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
passed=0 failed=0
check() { # what, command...
  local what=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
    echo "ok: $what"
  else
    failed=$((failed + 1))
    echo "FAILED: $what"
  fi
}

# The path of a program of aml-subnet that cargo has just built.
built() { # name
  python3 -c '
import json, sys
lines = (json.loads(line) for line in sys.stdin if line.startswith("{"))
ours = (line for line in lines if line.get("executable") and "/aml-subnet#" in line["package_id"])
found = [line["executable"] for line in ours if line["target"]["name"] == sys.argv[1]]
print(found[-1])' "$1" <"$work/build.json"
}
if [ -z "${AML_SEASON_TEST:-}" ] || [ -z "${AML_SUBNET_BIN:-}" ]; then
  cargo test --quiet --workspace --test it --no-run --message-format=json >"$work/build.json"
  AML_SEASON_TEST=$(built it)
  AML_SUBNET_BIN=$(built aml-subnet)
fi
mkdir "$work/bin"
cp "$AML_SEASON_TEST" "$work/bin/it"
cp "$AML_SUBNET_BIN" "$work/bin/aml-subnet"
rm -f "$work/build.json"

season() {
  export AML_SUBNET_BIN=$work/bin/aml-subnet AML_SEASON_DIR=$work/season
  if [ -n "$minutes" ]; then export AML_SEASON_SECONDS=$((minutes * 60)); fi
  if (cd crates/aml-subnet && "$work/bin/it" a_season_of_kills_ends_as_one_without --nocapture) >"$work/season.log" 2>&1; then
    return 0
  fi
  tail -n 60 "$work/season.log"
  return 1
}
check "a season of kills ends as one without" season

tools=${AML_SEASON_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/aml-season}
packages=(numpy==2.4.6 scikit-learn==1.9.1 cryptography==50.0.2 zstandard==0.25.0)
if [ "$(cat "$tools/packages" 2>/dev/null)" != "${packages[*]}" ]; then
  if python3 -m venv "$tools" && "$tools/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"; then
    echo "${packages[*]}" >"$tools/packages"
  fi
fi
for seat in tried twin; do
  ledger=$work/season/$seat/export
  if [ ! -f "$tools/packages" ]; then
    echo "skipped: no numpy and scikit-learn to compute the ledger of the $seat validator again (PyPI was not reached)"
  elif [ -d "$ledger" ]; then
    # The season's validators forgive newcomers one day.
    check "the ledger of the $seat validator, computed again in Python" \
      "$tools/bin/python" scripts/recompute.py "$ledger" --grace 1 --strict
  fi
done
if [ -f "$work/season/figures.json" ]; then cat "$work/season/figures.json"; fi

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
