#!/usr/bin/env bash
# Runs a command beside a real Subtensor runtime under Chopsticks, whose URL is in AML_CHOPSTICKS_URL:
#
#     scripts/chopsticks.sh cargo test --workspace --test it chain_conformance
#
# Without a command it stays in the foreground and prints the URL. The chain specification is taken from
# AML_CHAIN_SPEC, or from chain/subtensor-218-raw-spec.json in AML_SHARED or beside the checkout. The first run installs
# the pinned package (Node 20 or later) into a cache; later runs start within seconds. AML_CHOPSTICKS_BLOCK=no makes no
# first block, for a runtime that is only asked.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/aml-chopsticks
shared=${AML_SHARED:-$here/../../shared}
spec=${AML_CHAIN_SPEC:-$shared/chain/subtensor-218-raw-spec.json}

[ -f "$spec" ] || { echo "no chain specification at $spec (set AML_CHAIN_SPEC)" >&2; exit 2; }
command -v node >/dev/null || { echo "node is not installed (version 20 or later is needed)" >&2; exit 2; }

mkdir -p "$cache"
if ! cmp -s "$here/chopsticks/package.json" "$cache/package.json" || [ ! -d "$cache/node_modules" ]; then
  cp "$here/chopsticks/package.json" "$cache/package.json"
  echo "installing chopsticks into $cache" >&2
  (cd "$cache" && npm install --no-audit --no-fund --loglevel=error >&2)
fi

work=$(mktemp -d)
child=
stop() {
  [ -z "$child" ] || kill "$child" 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT

node "$here/chopsticks/config.mjs" "$spec" >"$work/chopsticks.yml"
port=$(sed -n 's/^port: //p' "$work/chopsticks.yml")
node "$cache/node_modules/@acala-network/chopsticks/chopsticks.cjs" --config "$work/chopsticks.yml" >"$work/log" 2>&1 &
child=$!

# One call of the JSON-RPC over HTTP; prints the answer.
rpc() {
  node -e '
    const [port, method, params] = process.argv.slice(1)
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: JSON.parse(params) })
    fetch(`http://127.0.0.1:${port}`, { method: "POST", headers: { "content-type": "application/json" }, body })
      .then((reply) => reply.json())
      .then((reply) => { if (reply.error) process.exit(1); console.log(JSON.stringify(reply.result)) })
      .catch(() => process.exit(1))
  ' "$port" "$1" "$2"
}

for _ in $(seq 1 120); do
  kill -0 "$child" 2>/dev/null || { cat "$work/log" >&2; echo "chopsticks ended" >&2; exit 1; }
  if rpc system_version '[]' >/dev/null 2>&1; then ready=1; break; fi
  sleep 0.5
done
[ -n "${ready:-}" ] || { cat "$work/log" >&2; echo "chopsticks did not start" >&2; exit 1; }
# Chopsticks makes a first block at its start. Without a time in storage that block reads the clock twice, and the runtime
# refuses it when a slot has begun in between: then the time is set, and the block made again.
is_at_genesis() {
  [[ $(rpc chain_getHeader '[]') == *'"number":"0x00000000"'* ]]
}
if [ "${AML_CHOPSTICKS_BLOCK:-yes}" = yes ] && is_at_genesis; then
  rpc dev_timeTravel "[$(date +%s)000]" >/dev/null
  rpc dev_newBlock '[]' >/dev/null
  if is_at_genesis; then cat "$work/log" >&2; echo "the runtime builds no block" >&2; exit 1; fi
fi

export AML_CHOPSTICKS_URL="ws://127.0.0.1:$port"
if [ $# -eq 0 ]; then
  echo "$AML_CHOPSTICKS_URL"
  wait "$child"
else
  "$@"
fi
