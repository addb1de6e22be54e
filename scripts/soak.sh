#!/usr/bin/env bash
# A soak: inference API, proxy, validator and development chain for hours, under mixed load and with reloads of the models.
# In the end nothing may be lost, and what each process holds must be flat.
#
#   ./scripts/soak.sh --hours H          so long
#   ./scripts/soak.sh --minutes M        so long; below half an hour figures are shown, and only losses are judged
#
#   --every S      a day of alerts every S seconds, at least (default 30)
#   --alerts N     alerts of a day (default 200)
#   --keep DIR     leave samples, figures, logs and ledger there (a new directory)
#
# Each day is a round: asked through the proxy, sealed, opened, merged, published, paid. Beside it callers score single alerts and
# whole days, send what is malformed, strangers come to the proxy, readers to the validator, and the models are loaded anew
# every minute. Every few seconds memory, descriptors, threads and disk of each process are read. The table of figures
# is printed, as docs/testing.md has it; scripts/soak/judge.py has the bounds. AML_BIN_DIR names built programs; else they are
# built as for the demo. Exit codes: 0 all is well, 1 something was lost or grows, 2 a wrong argument.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

# shellcheck source=scripts/arguments.sh
. scripts/arguments.sh
minutes='' every=30 alerts=200 keep=no data='' kept=''
while [ $# -gt 0 ]; do
  case "$1" in
    --hours) number --hours "${2:-}" 5 1; minutes=$((60 * $2)); shift ;;
    --minutes) number --minutes "${2:-}" 5 1; minutes=$2; shift ;;
    --every) number --every "${2:-}" 5 1; every=$2; shift ;;
    --alerts) number --alerts "${2:-}" 5 1; alerts=$2; shift ;;
    --keep) kept=${2:-}; new_directory --keep "$kept"; shift ;;
    -h | --help) sed -n '2,19s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) wrong "unknown argument $1" ;;
  esac
  shift
done
[ -n "$minutes" ] || wrong "how long? --hours H or --minutes M"

# shellcheck source=scripts/env.sh
. scripts/env.sh
# shellcheck source=scripts/demo/lib.sh
. scripts/demo/lib.sh
# shellcheck source=scripts/demo/stages.sh
. scripts/demo/stages.sh

# One day for every round that fits, the last one yesterday's: a validator asks about the newest day that there is.
days=$((minutes * 60 / every + 2))
days_of_alerts() {
  mkdir "$work/made" "$work/tmp" 2>/dev/null || true
  "$bin/aml-miner-batch" synth "$work/made" --seed 11 --start-date "$(date -u -d "$days days ago" +%F)" --days "$days" \
    --alerts "$alerts" --addresses $((alerts * 5))
}

# Each process has a folder for what it puts aside, so that its disk can be told.
start_with_folder() { # name, command...
  local name=$1
  shift
  mkdir -p "$work/tmp/$name"
  start "$name" TMPDIR="$work/tmp/$name" "$@"
}

a_chain() {
  read -r -a ports < <(free_ports 9944 8000 8091 8092 8100)
  chain_port=${ports[0]} api_port=${ports[4]}
  start_with_folder chain "$bin/aml-subnet" localnet run --port "$chain_port" --netuid "$netuid" --block-time 2000 \
    --db "$work/chain"
  export AML_LOCALNET_URL=http://127.0.0.1:$chain_port
  await chain "the chain" "$bin/aml-subnet" localnet new-block
  register shipped validator
  # What nobody has earned yet goes to the subnet's owner.
  "$bin/aml-subnet" localnet register --netuid "$netuid" --hotkey "$("$bin/aml-subnet" localnet accounts | awk '$1 == "//Alice" { print $2 }')"
  "$bin/aml-subnet" localnet stake --netuid "$netuid" --hotkey "$(address_of validator)" --tao 5000
  "$bin/aml-subnet" localnet epoch --netuid "$netuid"
}

a_miner() {
  local models=$root/trained_models
  start_with_folder api API_HOST=127.0.0.1 API_PORT="${ports[1]}" LOG_LEVEL=info,aml_miner::api::observe=warn \
    MINER_SIGNING_KEY_FILE="$work/keys/shipped" ALERT_SCORER_PATH="$models/alert_scorer_v1.0.0.txt" \
    ALERT_RANKER_PATH="$models/alert_ranker_v1.0.0.txt" CLUSTER_SCORER_PATH="$models/cluster_scorer_v1.0.0.txt" \
    "$bin/aml-miner-serve"
  await api "the inference API" answers "http://127.0.0.1:${ports[1]}/ready"
  wallet_of shipped
  start_with_folder miner "$bin/aml-subnet" miner "${wallet[@]}" --netuid "$netuid" --miner.api_url "http://127.0.0.1:${ports[1]}" \
    --subtensor.chain_endpoint "ws://127.0.0.1:$chain_port" --miner.status_listen "127.0.0.1:${ports[3]}" \
    --axon.ip 127.0.0.2 --axon.port "${ports[2]}" --axon.external_ip 127.0.0.2 \
    --sealing.beacon development --miner.data_dir "$work/miner-data"
  await miner "the miner" answers "http://127.0.0.1:${ports[3]}/ready"
}

# The first day is there when the validator starts; the driver brings the others.
a_validator() {
  configure_validator validator
  mv "$work/made/$(first_made)" "$work/batches/"
  start_with_folder validator "$bin/aml-subnet" validator "${flags[@]}"
  await validator "the validator's pages" answers "http://127.0.0.1:$api_port/health"
}

first_made() { find "$work/made" -mindepth 1 -maxdepth 1 -type d -name '20??-*' -printf '%f\n' | sort | head -n 1; }

under_load() {
  local name watched=()
  for name in "${order[@]}"; do watched+=(--process "$name=${process_of[$name]}"); done
  python3 "$root/scripts/soak/drive.py" --work "$work" --seconds $((minutes * 60)) --every "$every" "${watched[@]}" \
    --api "http://127.0.0.1:${ports[1]}" --axon "127.0.0.2:${ports[2]}" --miner "http://127.0.0.1:${ports[3]}" \
    --validator "http://127.0.0.1:$api_port" \
    --disk "chain=$work/chain,$work/tmp/chain" --disk "api=$work/tmp/api" --disk "miner=$work/miner-data,$work/tmp/miner" \
    --disk "validator=$work/validator,$work/tmp/validator"
}

# What the ledger says of every round.
rounds_of_the_ledger() {
  local id
  env -C "$work" "$bin/aml-subnet" rounds "${flags[@]}" --limit $((days + 1)) --json >"$work/rounds.json"
  mkdir "$work/shown"
  for id in $(python3 -c 'import json, sys; print(*(one["id"] for one in json.load(open(sys.argv[1]))))' "$work/rounds.json"); do
    env -C "$work" "$bin/aml-subnet" round show "$id" "${flags[@]}" --json >"$work/shown/$id.json"
  done
}

keep_what_matters() {
  [ -n "$kept" ] || return 0
  mkdir -p "$kept"
  cp -r "$work/logs" "$work/samples.csv" "$work/counts.json" "$work/rounds.json" "$work/validator" "$kept/"
}

open_stage
set_up_and_build
step "$days days of alerts" days_of_alerts
step "a development chain" a_chain
step "an inference API and a proxy" a_miner
step "a validator" a_validator
step "$minutes minutes of load" under_load
step "what the ledger says of every round" rounds_of_the_ledger
keep_what_matters
python3 scripts/soak/judge.py --work "$work" --minutes "$minutes" --alerts "$alerts" \
  --miner "$(address_of shipped)"
