#!/usr/bin/env bash
# Fetches the batches of a date range, with aml-miner-batch.
#
#   ./scripts/download_batch.sh --start-date 2025-01-01 --end-date 2025-10-01
#
# BATCH_BASE_URL or --base-url names the place: http(s)://host/path, s3://bucket/path or a directory. All arguments go
# to `aml-miner-batch download`; see `--help` for the others. Exit codes are those of aml-miner-batch.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/env.sh
. "$root/scripts/env.sh"

if command -v aml-miner-batch >/dev/null; then
  exec aml-miner-batch download "$@"
fi
exec cargo run --quiet --release --manifest-path "$root/Cargo.toml" --bin aml-miner-batch -- download "$@"
