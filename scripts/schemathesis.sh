#!/usr/bin/env bash
# Checks the running server against its own OpenAPI document with Schemathesis.
#
#   ./scripts/schemathesis.sh                 builds the server, starts it with trained_models/, checks it
#   SERVER=path ./scripts/schemathesis.sh     takes a server that is built already
#   MODELS=dir, EXAMPLES=n                    other models; more or fewer examples a route (default 60)
#
# Schemathesis goes into a virtual environment under SCHEMATHESIS_HOME (else target/schemathesis).
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'schemathesis: %s\n' "$*" >&2; }

home="$(realpath -m "${SCHEMATHESIS_HOME:-target/schemathesis}")"
models="${MODELS:-trained_models}"
[ -f "$models/model_metadata.json" ] || { say "skipped: no models in $models"; exit 0; }
if [ ! -x "$home/bin/schemathesis" ]; then
  say "installing into $home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet 'schemathesis>=4,<5'
fi
if [ -z "${SERVER:-}" ]; then
  # shellcheck source=scripts/env.sh
  . scripts/env.sh
  build_test_programs
  SERVER=$programs/aml-miner-serve
fi

work="$(mktemp -d)"
server=
stop() {
  [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null
  rm -rf "$work"
}
trap stop EXIT

env API_PORT=0 LOG_FORMAT=json MINER_SIGNING_KEY_FILE="$work/receipt.key" \
  ALERT_SCORER_PATH="$models/alert_scorer_v1.0.0.txt" ALERT_RANKER_PATH="$models/alert_ranker_v1.0.0.txt" \
  CLUSTER_SCORER_PATH="$models/cluster_scorer_v1.0.0.txt" "$SERVER" 2>"$work/log" &
server=$!
address=
for _ in $(seq 600); do
  address="$(sed -n 's/.*"message":"listening".*"address":"\([^"]*\)".*/\1/p' "$work/log")"
  [ -n "$address" ] && break
  kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  sleep 0.1
done
[ -n "$address" ] || { say "the server does not listen"; cat "$work/log" >&2; exit 1; }

# One check is told about one status: JSON Schema cannot say "identifiers differ between rows", so a batch that fits
# the schema may still be refused with 422 for a duplicate identifier (schemathesis.toml).
config="$PWD/scripts/schemathesis.toml"
cd "$work" # it keeps a cache where it runs
"$home/bin/schemathesis" --config-file "$config" run "http://$address/openapi.json" \
  --max-examples "${EXAMPLES:-60}" --seed 42
