#!/usr/bin/env bash
# Trains the three models, or checks that the shipped ones can be made again byte for byte.
#
#   ./scripts/train_models.sh                                    make trained_models/ as shipped, from seeded data
#   ./scripts/train_models.sh --check                            make them again elsewhere and compare every byte
#   ./scripts/train_models.sh --data-dir data --output my_models train on your own batches
#
#   --data-dir DIR   batch directories; without it seeded synthetic batches are made (see docs/synthetic_data.md)
#   --output DIR     directory of the models (default: trained_models)
#   --config FILE    configuration (default: config/shipped_models.yaml without --data-dir, else model_config.yaml)
#   --start-date, --end-date, --seed, --threads, --embargo-days, --model-version, --replace go to `aml-miner-train all`
#
# Exit code 1 when --check finds a difference.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/env.sh
. "$root/scripts/env.sh"

# What the shipped models are made from; change it and the model card together.
readonly SYNTH=(--seed 42 --start-date 2025-09-01 --days 80 --alerts 300 --addresses 3000)
# The shipped models say that they were made then, so that they can be made again byte for byte.
readonly MADE_AT=1767225600

data='' output="$root/trained_models" config='' check=no rest=()
while [ $# -gt 0 ]; do
  case "$1" in
    --data-dir) data=${2:?--data-dir needs a directory}; shift 2 ;;
    --output) output=${2:?--output needs a directory}; shift 2 ;;
    --config) config=${2:?--config needs a file}; shift 2 ;;
    --check) check=yes; shift ;;
    -h | --help) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --replace) rest+=(--replace); shift ;;
    --start-date | --end-date | --seed | --threads | --embargo-days | --model-version) rest+=("$1" "${2:?$1 needs a value}"); shift 2 ;;
    *) echo "train_models: unknown argument $1 (try --help)" >&2; exit 2 ;;
  esac
done

run() {
  local program=$1
  shift
  if command -v "$program" >/dev/null; then
    "$program" "$@"
  else
    cargo run --quiet --release --manifest-path "$root/Cargo.toml" --bin "$program" -- "$@"
  fi
}

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
if [ -z "$data" ]; then
  data="$made/data"
  config=${config:-$root/config/shipped_models.yaml}
  export SOURCE_DATE_EPOCH=$MADE_AT
  # Made again from what they were made from: they are the same, or meant to be.
  rest+=(--replace)
  run aml-miner-batch synth "$data" "${SYNTH[@]}" >/dev/null
fi
target=$output
if [ "$check" = yes ]; then target="$made/models"; fi
run aml-miner-train all --data-dir "$data" --output "$target" --config "${config:-$root/config/model_config.yaml}" \
  "${rest[@]+"${rest[@]}"}"

if [ "$check" = yes ]; then
  different=0
  for file in "$target"/*; do
    if ! cmp "$file" "$output/$(basename "$file")" >&2; then different=1; fi
  done
  if [ "$different" -ne 0 ]; then
    echo "train_models: the models in $output are not what this code makes from the seeded data" >&2
    exit 1
  fi
  echo "train_models: every byte is the same"
fi
