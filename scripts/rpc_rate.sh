#!/usr/bin/env bash
# How many calls a minute a validator and a miner that have nothing to do make of the chain: counted on the wire, between
# them and a development chain with a block every twelve seconds.
#
#   ./scripts/rpc_rate.sh [MINUTES]       5 unless told otherwise; AML_BIN_DIR names built programs
#
# Exits with 1 when one makes more than 20 a minute.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
minutes=${1:-5}
keep=no data='' alerts=200

# shellcheck source=scripts/env.sh
. scripts/env.sh
# shellcheck source=scripts/demo/lib.sh
. scripts/demo/lib.sh
# shellcheck source=scripts/demo/stages.sh
. scripts/demo/stages.sh

rpc() { # method, parameters
  curl --fail --silent --noproxy '*' --header 'content-type: application/json' \
    --data "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$1\",\"params\":$2}" "http://127.0.0.1:$chain_port" >/dev/null
}

# A process between a neuron and the chain, with a pipe for each way.
counter() { # name, port
  mkfifo "$work/$1.ask"
  "${tied[@]}" python3 scripts/rpc_rate.py "$2" "$chain_port" <"$work/$1.ask" >"$work/$1.told" 2>"$work/logs/$1-counter.log" &
  process_of[$1-counter]=$!
  order+=("$1-counter")
}

# What it has counted so far.
counted() { # name, descriptor
  local before
  before=$(wc -l <"$work/$1.told")
  echo >&"$2"
  while [ "$(wc -l <"$work/$1.told")" -eq "$before" ]; do sleep 0.1; done
  tail -n 1 "$work/$1.told"
}

shows() { curl --fail --silent --noproxy '*' --max-time 5 "http://127.0.0.1:$1/metrics" | grep -qE "^$2"; }

prepare() {
  "$bin/aml-miner-batch" synth "$work/batches" --seed 8 --start-date "$(date -u +%F)" --no-labels --alerts "$alerts" --addresses 4000
  read -r -a ports < <(free_ports 9944 8000 8091 8092 8100 9946 9947)
  chain_port=${ports[0]}
  start chain "$bin/aml-subnet" localnet run --port "$chain_port" --netuid "$netuid" --tempo 360
  export AML_LOCALNET_URL=http://127.0.0.1:$chain_port
  await chain "the chain" "$bin/aml-subnet" localnet new-block
  local name
  for name in shipped validator; do
    make_key "$name"
    "$bin/aml-subnet" localnet register --netuid "$netuid" --hotkey "$(address_of "$name")"
  done
  # What nobody has earned yet goes to the subnet's owner.
  "$bin/aml-subnet" localnet register --netuid "$netuid" --hotkey "$("$bin/aml-subnet" localnet accounts | awk '$1 == "//Alice" { print $2 }')"
  "$bin/aml-subnet" localnet stake --netuid "$netuid" --hotkey "$(address_of validator)" --tao 5000
  "$bin/aml-subnet" localnet epoch --netuid "$netuid"
}

# With the settings that come with it, but where these are for machines far apart.
neurons() {
  tied=()
  if command -v setpriv >/dev/null; then tied=(setpriv --pdeathsig TERM --); fi
  counter miner "${ports[5]}"
  exec 5>"$work/miner.ask"
  counter validator "${ports[6]}"
  exec 6>"$work/validator.ask"
  start_inference shipped "${ports[1]}"
  await shipped-api "the inference API" answers "http://127.0.0.1:${ports[1]}/ready"
  wallet_of shipped
  start miner "$bin/aml-subnet" miner "${wallet[@]}" --netuid "$netuid" --miner.api_url "http://127.0.0.1:${ports[1]}" \
    --subtensor.chain_endpoint "ws://127.0.0.1:${ports[5]}" --miner.status_listen "127.0.0.1:${ports[3]}" \
    --axon.ip 127.0.0.2 --axon.port "${ports[2]}" --axon.external_ip 127.0.0.2
  await miner "the miner" answers "http://127.0.0.1:${ports[3]}/ready"
  wallet_of validator
  start validator "$bin/aml-subnet" validator "${wallet[@]}" --netuid "$netuid" --validator.sot "$work/batches" \
    --validator.allow_private_ips --validator.deadline 1m --validator.listen "127.0.0.1:${ports[4]}" \
    --subtensor.chain_endpoint "ws://127.0.0.1:${ports[6]}"
  await validator "weights on the chain" shows "${ports[4]}" 'aml_weights_outcomes_total\{outcome="confirmed"\} [1-9]'
}

# One block every twelve seconds, as everywhere else; the first minute is not looked at.
measure() {
  rpc dev_setBlockTime '[12000]'
  sleep 60
  counted miner 5 >"$work/miner.before"
  counted validator 6 >"$work/validator.before"
  sleep $((minutes * 60))
  counted miner 5 >"$work/miner.after"
  counted validator 6 >"$work/validator.after"
}

told() {
  python3 - "$work" "$minutes" <<'PY'
import json, pathlib, sys

work, minutes, too_many = pathlib.Path(sys.argv[1]), int(sys.argv[2]), False
for name in ("validator", "miner"):
    before, after = (json.loads((work / f"{name}.{when}").read_text()) for when in ("before", "after"))
    calls = {method: (count - before.get(method, 0)) / minutes for method, count in after.items()}
    total = sum(calls.values())
    too_many |= total > 20
    print(f"an idle {name}: {total:.1f} calls a minute")
    for method, rate in sorted(calls.items(), key=lambda one: -one[1]):
        if rate > 0:
            print(f"  {rate:5.1f}  {method}")
sys.exit(too_many)
PY
}

open_stage
set_up_and_build
step "a chain, a batch, keys" prepare
step "a miner and a validator with weights" neurons
step "$((minutes + 1)) minutes of nothing" measure
told
