#!/usr/bin/env bash
# Checks models and a running API as a validator would, before joining the subnet.
#
#   ./scripts/validate_submission.sh --batch data/2025-10-26_w7 --api-url http://127.0.0.1:8000
#
# Without --batch a small synthetic batch is made for the occasion. All arguments go to
# `aml-miner-batch validate-submission`; see `--help` for the others. Exit codes are those of aml-miner-batch.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/env.sh
. "$root/scripts/env.sh"

batch() {
  if command -v aml-miner-batch >/dev/null; then
    aml-miner-batch "$@"
  else
    cargo run --quiet --release --manifest-path "$root/Cargo.toml" --bin aml-miner-batch -- "$@"
  fi
}

for argument in "$@"; do
  case "$argument" in
    --batch | --batch=* | -h | --help) batch validate-submission "$@"; exit ;;
  esac
done
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
batch synth "$made" --days 1 --alerts 1000 --addresses 5000 >&2
directory=("$made"/*/)
batch validate-submission --batch "${directory[0]%/}" "$@"
