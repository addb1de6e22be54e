#!/usr/bin/env bash
# Starts the miner: the inference API on loopback, and the proxy that validators reach. Stops both together.
#
#   scripts/run_miner.sh --netuid N --wallet.name W --wallet.hotkey H [more flags of `aml-subnet miner`]
#
# AML_BIN_DIR names the directory of the programs; without it they are built, which takes a moment when they are there.
# API_PORT (default 8000) is the inference API's port. Set AML_API=external to run only the proxy.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
# shellcheck source=scripts/env.sh
. scripts/env.sh
export API_HOST=127.0.0.1 API_PORT=${API_PORT:-8000}
if [ -n "${AML_BIN_DIR:-}" ]; then
    bin=$AML_BIN_DIR
else
    [ -x "$CARGO_TARGET_DIR/release/aml-subnet" ] || echo "building, the first time for long" >&2
    build_programs
    bin=$programs
fi
"$bin/aml-subnet" miner --check "$@"

pids=()
stop() {
    trap - TERM INT EXIT
    for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    wait
}
trap stop TERM INT EXIT
if [ "${AML_API:-local}" = local ]; then
    "$bin/aml-miner-serve" &
    pids+=($!)
fi
MINER_API_URL=${MINER_API_URL:-http://$API_HOST:$API_PORT} "$bin/aml-subnet" miner "$@" &
pids+=($!)
# Whichever ends first ends the other; a supervisor restarts both.
wait -n
