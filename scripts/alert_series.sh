#!/usr/bin/env bash
# Records what real processes show in each condition that an alert rule watches, and in its healthy twin: a development
# chain, miners, inference APIs and validators on this machine. scripts/checks/alerts.py tests the rules with it.
#
#   ./scripts/alert_series.sh             into monitoring/alert_series
#   ./scripts/alert_series.sh FOLDER      into another one
#
# AML_BIN_DIR=DIR names built programs (aml-subnet, aml-miner-serve, aml-miner-batch); without it they are built. It runs in
# a namespace of its own, where it may mount small disks. Takes some eight minutes.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
if [ "${AML_OWN_NAMESPACE:-}" != yes ]; then
  unshare --user --map-root-user --mount true 2>/dev/null ||
    { echo "alert_series: this machine gives no namespaces, so no small disk can be mounted" >&2; exit 1; }
  AML_OWN_NAMESPACE=yes exec unshare --user --map-root-user --mount "$0" "$@"
fi
out=$(realpath -m "${1:-monitoring/alert_series}")
keep=${AML_KEEP:-no} data='' alerts=400

# shellcheck source=scripts/env.sh
. scripts/env.sh
# shellcheck source=scripts/demo/lib.sh
. scripts/demo/lib.sh
# shellcheck source=scripts/demo/stages.sh
. scripts/demo/stages.sh

watched=$(grep -oE 'aml_[a-z_]+' config/prometheus-alerts.yml | sort -u | paste -sd '|')

# Two scrapes, three seconds apart: values, and the pace at which they change.
record() { # name, job, port, command between the scrapes...
  local name=$1 job=$2 port=$3
  shift 3
  {
    scrape "$job" "$port"
    if [ $# -gt 0 ]; then "$@" >/dev/null 2>&1 || true; fi
    sleep 3
    scrape "$job" "$port"
  } >"$out/$name.txt"
  echo "recorded $name"
}

scrape() { # job, port
  local shown
  printf '@%s\n' "$(now_ms)"
  if shown=$(curl --fail --silent --noproxy '*' --max-time 5 "http://127.0.0.1:$2/metrics"); then
    printf 'up{job="%s"} 1\n' "$1"
    grep -E "^($watched)[ {]" <<<"$shown" || true
  else
    printf 'up{job="%s"} 0\n' "$1"
  fi
}

# Ends one process and waits for it.
stop() { # name
  kill -CONT "${process_of[$1]}" 2>/dev/null || true
  kill -TERM "${process_of[$1]}" 2>/dev/null || true
  wait "${process_of[$1]}" 2>/dev/null || true
}

shows() { # port, line
  curl --fail --silent --noproxy '*' --max-time 5 "http://127.0.0.1:$1/metrics" | grep -qE "^$2"
}

set_rule() { "$bin/aml-subnet" localnet set --netuid "$netuid" "$1" "$2"; }

# A miner of its own: name, its API's port, its axon, its status port, more lines of its settings.
miner() {
  printf '[miner]\nstatus_listen = "127.0.0.1:%s"\nmetagraph_refresh = "1s"\n%s\n' "$4" "${5:-}" >"$work/$1.toml"
  wallet_of "$1"
  start "$1" TMPDIR="${disk:-$work}" "$bin/aml-subnet" miner --config "$work/$1.toml" "${wallet[@]}" --netuid "$netuid" \
    --subtensor.chain_endpoint "ws://127.0.0.1:${endpoint:-$chain_port}" --miner.api_url "http://127.0.0.1:$2" \
    --axon.ip 127.0.0.2 --axon.port "$3" --axon.external_ip 127.0.0.2
}

# A validator of its own: name of its key and its data folder, its port, more of its settings.
validator() {
  cat >"$work/$1.toml" <<EOF
netuid = $netuid

[subtensor]
chain_endpoint = ["ws://127.0.0.1:${endpoint:-$chain_port}"]

[validator]
sot = "${sot:-$work/batches}"
data_dir = "${disk:-$work/data-$1}"
listen = "127.0.0.1:$2"
allow_private_ips = true
answers = "${answers:-open}"
deadline = "${deadline:-30s}"
interval = "1s"
weights_interval = "1s"
${3:-}
EOF
  wallet_of "${key:-$1}"
  start "$1" TMPDIR="${tmp:-$work}" "$bin/aml-subnet" validator --config "$work/$1.toml" "${wallet[@]}"
  await "$1" "the pages of $1" answers "http://127.0.0.1:$2/health"
}

prepare() {
  today=$(date -u +%F)
  local size=(--no-labels --alerts "$alerts" --addresses 4000)
  "$bin/aml-miner-batch" synth "$work/batches" --seed 8 --start-date "$today" "${size[@]}"
  "$bin/aml-miner-batch" synth "$work/two" --seed 9 --start-date "$(date -u -d yesterday +%F)" "${size[@]}"
  read -r -a ports < <(free_ports 9944 8000 8091 8092 8100 8102 8104 8106 8093 8094 8095 8096)
  chain_port=${ports[0]} api=${ports[1]} axon=${ports[2]} status=${ports[3]}
  read -r -a pages <<<"${ports[*]:4:4}"
  read -r -a more <<<"${ports[*]:8}"
  start chain "$bin/aml-subnet" localnet run --port "$chain_port" --netuid "$netuid"
  export AML_LOCALNET_URL=http://127.0.0.1:$chain_port
  await chain "the chain" "$bin/aml-subnet" localnet new-block
  local name
  for name in shipped validator poor stranger; do make_key "$name"; done
  for name in shipped validator poor; do
    "$bin/aml-subnet" localnet register --netuid "$netuid" --hotkey "$(address_of "$name")"
  done
  # What nobody has earned yet goes to the subnet's owner.
  "$bin/aml-subnet" localnet register --netuid "$netuid" --hotkey "$("$bin/aml-subnet" localnet accounts | awk '$1 == "//Alice" { print $2 }')"
  "$bin/aml-subnet" localnet stake --netuid "$netuid" --hotkey "$(address_of validator)" --tao 5000
  # One permit, so that the poor validator has none.
  set_rule max_validators 1
  "$bin/aml-subnet" localnet epoch --netuid "$netuid"
}

healthy() {
  start_inference shipped "$api"
  await shipped-api "the inference API" answers "http://127.0.0.1:$api/ready"
  miner shipped "$api" "$axon" "$status"
  await shipped "the miner" answers "http://127.0.0.1:$status/ready"
  await chain "its announcement" announced
  validator validator "${pages[0]}"
  await validator "a round" shows "${pages[0]}" 'aml_validator_accepted_submissions 1'
  # The registration counts as an update, too.
  await validator "weights" shows "${pages[0]}" 'aml_weights_outcomes_total\{outcome="confirmed"\} ([2-9]|[1-9][0-9])'
  await validator "their age" shows "${pages[0]}" 'aml_validator_weights_age_tempos [01](\.|$)'
  kill -HUP "${process_of[shipped-api]}"
  await shipped-api "a reload" shows "$api" 'aml_last_reload_good 1'
  record validator_healthy aml-validator "${pages[0]}"
  record miner_healthy aml-miner "$status"
  record api_healthy aml-miner-api "$api"
}

announced() {
  "$bin/aml-subnet" metagraph --json --netuid "$netuid" --subtensor.chain_endpoint "ws://127.0.0.1:$chain_port" |
    grep -q '"axon": "127.0.0.2:'
}

# A first day goes well. On the second the miner is gone, and so is the source once the day is fetched: it may be our side.
round_is_held() {
  stop validator
  cp -r "$work/two" "$work/held"
  key=validator sot=$work/held deadline=10s validator held "${pages[0]}"
  await held "a round" shows "${pages[0]}" 'aml_validator_accepted_submissions 1'
  stop shipped
  cp -r "$work/batches/." "$work/coming" && mv "$work/coming"/* "$work/held/"
  await held "another one" shows "${pages[0]}" 'aml_validator_rounds\{step="tasked"\} 1'
  mv "$work/held" "$work/away"
  await held "the end of its deadline" shows "${pages[0]}" 'aml_validator_round_held 1'
  record validator_round_held aml-validator "${pages[0]}"
  stop held
  miner shipped "$api" "$axon" "$status"
  await shipped "the miner" answers "http://127.0.0.1:$status/ready"
}

# Sealed answers wait for a beacon that has stopped.
beacon_is_late() {
  stop shipped
  miner shipped "$api" "$axon" "$status" "$(printf 'data_dir = "%s"\n[sealing]\nbeacon = "development"' "$work/kept")"
  await shipped "the miner that seals" answers "http://127.0.0.1:$status/ready"
  "$bin/aml-subnet" localnet beacon stop
  key=validator answers=sealed validator sealed "${pages[0]}" \
    "$(printf '[sealing]\nbeacon = "development"\ndevelopment_opening = "2s"')"
  await sealed "an opening that has passed" shows "${pages[0]}" 'aml_validator_beacon_late_seconds [1-9]'
  record validator_beacon_late aml-validator "${pages[0]}"
  "$bin/aml-subnet" localnet beacon start
  await sealed "the beacon that goes on" shows "${pages[0]}" 'aml_validator_accepted_submissions 1'
  stop sealed
  stop shipped
  miner shipped "$api" "$axon" "$status"
  await shipped "the miner" answers "http://127.0.0.1:$status/ready"
}

miners_in_trouble() {
  # Nobody has asked for a while.
  record miner_idle aml-miner "$status"
  endpoint=1 miner stranger "$api" "${more[0]}" "${more[1]}"
  await stranger "the miner without a chain" shows "${more[1]}" 'aml_miner_api_up 1'
  record miner_never_read aml-miner "${more[1]}"
  stop stranger
  record miner_down aml-miner "${more[1]}"
  miner stranger "$api" "${more[0]}" "${more[1]}"
  await stranger "the stranger" shows "${more[1]}" 'aml_miner_registered 0'
  record miner_unregistered aml-miner "${more[1]}"
  stop stranger
  set_rule immunity_period 0
  set_rule max_allowed_uids 4
  miner poor "$api" "${more[0]}" "${more[1]}"
  await poor "its outlook" shows "${more[1]}" 'aml_miner_free_places 0'
  record miner_near_deregistration aml-miner "${more[1]}"
  stop poor
  set_rule max_allowed_uids 256
  mkdir "$work/small" && mount -t tmpfs -o size=64m tmpfs "$work/small"
  disk=$work/small miner poor "$api" "${more[0]}" "${more[1]}"
  await poor "the miner on a small disk" shows "${more[1]}" 'aml_miner_disk_free_bytes'
  record miner_small_disk aml-miner "${more[1]}"
  stop poor
  reload_fails
  stop shipped-api
  record miner_api_down aml-miner "$status"
}

# The server reads a copy of the models, and one of them breaks.
reload_fails() {
  cp -r trained_models "$work/models-copy"
  local copy=$work/models-copy
  start copy-api API_HOST=127.0.0.1 API_PORT="${more[2]}" API_THREADS=1 MINER_SIGNING_KEY_FILE="$work/keys/copy" \
    ALERT_SCORER_PATH="$copy/alert_scorer_v1.0.0.txt" ALERT_RANKER_PATH=none CLUSTER_SCORER_PATH=none "$bin/aml-miner-serve"
  await copy-api "its API" answers "http://127.0.0.1:${more[2]}/ready"
  echo broken >>"$copy/alert_scorer_v1.0.0.txt"
  kill -HUP "${process_of[copy-api]}"
  await copy-api "a failed reload" shows "${more[2]}" 'aml_last_reload_good 0'
  record api_reload_failed aml-miner-api "${more[2]}"
  stop copy-api
}

validators_in_trouble() {
  # The API is down: nobody's submission is accepted, and the miner learns of it from the validator's pages.
  rm -rf "$work/data-validator"
  sot=$work/two validator validator "${pages[0]}"
  await validator "a round" shows "${pages[0]}" 'aml_validator_rounds\{step="published"\} 1'
  cp -r "$work/batches/." "$work/coming" && mv "$work/coming"/* "$work/two/"
  await validator "another one" shows "${pages[0]}" 'aml_validator_rounds\{step="published"\} 2'
  record validator_no_submission aml-validator "${pages[0]}"
  miner poor "$api" "${more[0]}" "${more[1]}" "validators = [\"http://127.0.0.1:${pages[0]}\"]"
  await poor "what the validator says" shows "${more[1]}" 'aml_miner_rounds_missed'
  record miner_rejected aml-miner "${more[1]}"
  stop poor
  key=stranger validator unregistered "${pages[1]}"
  await unregistered "the chain" shows "${pages[1]}" 'aml_validator_registered 0'
  record validator_unregistered aml-validator "${pages[1]}"
  stop unregistered
  record validator_down aml-validator "${pages[1]}"
  key=poor validator unpermitted "${pages[1]}"
  await unpermitted "the chain" shows "${pages[1]}" 'aml_validator_permit 0'
  record validator_no_permit aml-validator "${pages[1]}"
  stop unpermitted
  # With a shorter delay open answers need a development chain, and it would have to be asked.
  endpoint=1 key=poor validator unconnected "${pages[1]}" 'publish_delay = "1d"'
  record validator_never_read aml-validator "${pages[1]}"
  stop unconnected
  small_disks
  key=poor validator waiting "${pages[1]}" 'publish_delay = "12h"'
  await waiting "an open round" shows "${pages[1]}" 'aml_validator_rounds\{step="merged"\} 1'
  record validator_round_open aml-validator "${pages[1]}"
  "$bin/aml-subnet" round void --config "$work/waiting.toml" --reason "a rehearsal" \
    --round "$("$bin/aml-subnet" rounds --config "$work/waiting.toml" | awk 'NR == 2 { print $1 }')"
  record validator_round_void aml-validator "${pages[1]}"
  stop waiting
  damaged_cache
  set_rule weights_rate_limit 1000000
  # The chain is read every twelve seconds.
  record validator_old_weights aml-validator "${pages[0]}" sleep 13
  set_rule stake_threshold 9000000000000000
  await validator "its standing" shows "${pages[0]}" 'aml_validator_stopped_by_standing 1'
  record validator_stopped aml-validator "${pages[0]}"
  damaged_ledger
  kill -STOP "${process_of[chain]}"
  sleep 15
  record validator_no_block aml-validator "${pages[2]}"
  record miner_chain_silent aml-miner "$status"
  kill -CONT "${process_of[chain]}"
}

small_disks() {
  mkdir "$work/tight" "$work/filling"
  mount -t tmpfs -o size=256m tmpfs "$work/tight"
  mount -t tmpfs -o size=6g tmpfs "$work/filling"
  key=poor disk=$work/tight validator tight "${pages[1]}"
  record validator_small_disk aml-validator "${pages[1]}"
  stop tight
  key=poor tmp=$work/tight validator cramped "${pages[1]}"
  record validator_small_tmp aml-validator "${pages[1]}"
  stop cramped
  key=poor disk=$work/filling validator filling "${pages[1]}"
  record validator_disk_filling aml-validator "${pages[1]}" dd if=/dev/zero of="$work/filling/more" bs=1M count=1
  stop filling
}

# A cached batch loses its bytes, and the source does not have them any more.
damaged_cache() {
  cp -r "$work/two" "$work/few"
  key=poor sot=$work/few validator spoiled "${pages[1]}"
  await spoiled "a round" shows "${pages[1]}" 'aml_validator_rounds\{step="published"\} 1'
  stop spoiled
  find "$work/data-spoiled/batches" -name '*.parquet' -exec truncate --size 100 {} +
  find "$work/few" -mindepth 1 -delete
  key=poor sot=$work/few validator spoiled "${pages[1]}"
  await spoiled "the damage" shows "${pages[1]}" 'aml_validator_bad_batches [1-9]'
  record validator_bad_batch aml-validator "${pages[1]}"
  stop spoiled
}

# Two months of past days; in the second one the miner's model is a worse one. What fell is read from the ledger by `pages`.
slice_falls() {
  "$bin/aml-miner-batch" synth "$work/months" --seed 10 --start-date 2026-01-12 --days 40 --alerts "$alerts" --addresses 4000
  python3 scripts/demo/worse_model.py trained_models "$work/worse" --scramble 1 --seed 4
  stop shipped
  # Many days are asked in some seconds.
  miner shipped "$api" "$axon" "$status" 'requests_per_minute = 100000'
  await shipped "the miner" answers "http://127.0.0.1:$status/ready"
  month "$root/trained_models" 2026-01-12..2026-01-31
  month "$work/worse" 2026-02-01..2026-02-20
  start mirror "$bin/aml-subnet" pages --config "$work/months.toml" --hotkey "$(address_of validator)"
  await mirror "what fell" shows "${pages[3]}" 'aml_validator_slices_fallen [1-9]'
  record validator_slice_fell aml-validator "${pages[3]}"
  stop mirror
  stop shipped-api
  stop shipped
  start_inference shipped "$api"
  await shipped-api "the inference API" answers "http://127.0.0.1:$api/ready"
  miner shipped "$api" "$axon" "$status"
  await shipped "the miner" answers "http://127.0.0.1:$status/ready"
}

# Plays past days while the miner's API serves these models.
month() { # models, days
  stop shipped-api
  start shipped-api API_HOST=127.0.0.1 API_PORT="$api" API_THREADS=1 MINER_SIGNING_KEY_FILE="$work/keys/shipped" \
    ALERT_SCORER_PATH="$1/alert_scorer_v1.0.0.txt" ALERT_RANKER_PATH=none CLUSTER_SCORER_PATH=none "$bin/aml-miner-serve"
  await shipped-api "the inference API" answers "http://127.0.0.1:$api/ready"
  printf 'netuid = %s\n[subtensor]\nchain_endpoint = ["ws://127.0.0.1:%s"]\n' "$netuid" "$chain_port" >"$work/months.toml"
  printf '[validator]\nsot = "%s"\ndata_dir = "%s"\nlisten = "127.0.0.1:%s"\nallow_private_ips = true\nrules = "v1"\n' \
    "$work/months" "$work/data-months" "${pages[3]}" >>"$work/months.toml"
  wallet_of validator
  "$bin/aml-subnet" validator --config "$work/months.toml" "${wallet[@]}" --past "$2"
}

damaged_ledger() {
  key=poor validator healthy_chain "${pages[2]}"
  await healthy_chain "the chain" shows "${pages[2]}" 'aml_validator_block '
  key=poor validator damaged "${pages[1]}"
  await damaged "its ledger" shows "${pages[1]}" 'aml_validator_ledger_up 1'
  python3 - "$work/data-damaged/ledger.sqlite" <<'PY'
import sqlite3, sys

ledger = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
ledger.execute("PRAGMA foreign_keys = off")
ledger.execute("ALTER TABLE rounds RENAME TO gone")
PY
  await damaged "the damage" shows "${pages[1]}" 'aml_validator_ledger_up 0'
  record validator_ledger_damaged aml-validator "${pages[1]}" ask_for_rounds
  stop damaged
}

ask_for_rounds() {
  local turn
  for turn in 1 2 3 4 5 6 7 8; do curl --silent --noproxy '*' "http://127.0.0.1:${pages[1]}/rounds?turn=$turn"; done
}

open_stage
ended=0
# The small disks go first: a folder with a disk in it cannot be removed.
trap 'ended=$?; set +e; umount --lazy "$work"/{small,tight,filling} 2>/dev/null; (exit "$ended"); finish' EXIT
mkdir -p "$out"
set_up_and_build
step "a chain, a batch, keys" prepare
step "everybody is well" healthy
step "a slice falls" slice_falls
step "a round is held" round_is_held
step "a beacon stops" beacon_is_late
step "miners in trouble" miners_in_trouble
step "validators in trouble" validators_in_trouble
printf 'recorded into %s\n' "$out"
