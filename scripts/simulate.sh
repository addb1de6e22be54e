#!/usr/bin/env bash
# Simulates seasons of a validator on all cores, each from a seed of its own, and looks whether the laws hold (docs/testing.md).
#
#   scripts/simulate.sh --minutes 10                    worlds of every kind, from a seed that is drawn and printed
#   scripts/simulate.sh --minutes 1 --seed 7            the same worlds again, as far as the time allows
#   scripts/simulate.sh --minutes 5 --jobs 1 -- --days 12 --miners 16 --rules v2
#   scripts/simulate.sh --minutes 5 --keep-going        does not end with the first law that is broken
#
# What follows `--` goes to `aml-subnet simulate`. AML_PROGRAMS names a directory with a built program that has the feature
# `simulate`; otherwise it is built, with optimisation. The last line has the totals; exits with 1 when a law was broken.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
usage() { sed -n '2,10s/^# \{0,1\}//p' "$0"; }
refuse() { usage >&2 && exit 2; }
minutes='' seed='' jobs=$(nproc) keep=no more=()
while [ $# -gt 0 ]; do
  case "$1" in
  --minutes) minutes=${2:-} && shift ;;
  --seed) seed=${2:-} && shift ;;
  --jobs) jobs=${2:-} && shift ;;
  --keep-going) keep=yes more+=(--keep-going) ;;
  --help | -h) usage && exit 0 ;;
  --) shift && more+=("$@") && break ;;
  *) refuse ;;
  esac
  shift || refuse
done
seed=${seed:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
[[ $minutes =~ ^[0-9]+(\.[0-9]+)?$ && $jobs =~ ^[1-9][0-9]*$ && $seed =~ ^[0-9]+$ ]] || refuse

programs=${AML_PROGRAMS:-}
if [ -z "$programs" ]; then
  # shellcheck source=scripts/env.sh
  source "$root/scripts/env.sh"
  (cd "$root" && cargo build --release --package aml-subnet --features simulate --bins)
  programs=$CARGO_TARGET_DIR/release
fi

work=$(mktemp -d)
running=()
end() {
  [ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT
began=$(date +%s)
echo "seed $seed, $jobs at a time, $minutes minutes"
for job in $(seq 1 "$jobs"); do
  # A billion seeds apart.
  "$programs/aml-subnet" simulate --seed $((seed + (job - 1) * 1000000000)) --seeds 1000000000 --minutes "$minutes" \
    --mixed --quiet "${more[@]}" >"$work/$job" 2>"$work/$job.err" &
  running+=($!)
done
# The first law that is broken ends all of them, unless they go on.
bad=0 left=${#running[@]}
while [ "$left" -gt 0 ]; do
  left=$((left - 1))
  if ! wait -n "${running[@]}"; then
    bad=1
    if [ $keep = no ]; then break; fi
  fi
done
for job in $(seq 1 "$jobs"); do
  grep -v '^totals: ' "$work/$job" || true
  tail -n 5 "$work/$job.err" >&2
done
# A job that was ended has no totals: what it did is not counted.
cat "$work"/[0-9]* | awk -v seed="$seed" -v took=$(($(date +%s) - began)) '
  $1 == "totals:" { seeds += $2; days += $4; rounds += $6; events += $9; broken += $11 }
  END {
    printf "totals: from seed %s: %d seeds, %d days, %d rounds published, %d events, %d broken, %d s\n",
      seed, seeds, days, rounds, events, broken, took
  }'
exit "$bad"
