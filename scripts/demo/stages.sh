#!/usr/bin/env bash
# Sourced by scripts/demo.sh: what each of its steps does.
# shellcheck disable=SC2154

# Models of their own, and two keys that live off the others.
own=(shipped weaker random)
clever=(copy stale)
miners=("${own[@]}" "${clever[@]}")
known=() # keys that are registered
running=() # miners that were started
netuid=1
# Days before today that are run as rounds: outcomes of most of them are known by now.
past_days=36
# How long two cores take from nothing to the three programs (docs/build.md).
build_minutes=10

# The temporary directory, and what ends everything.
open_stage() {
  sweep_up
  work=$(mktemp -d "${TMPDIR:-/tmp}/aml-demo.XXXXXX")
  echo $$ >"$work/pid"
  mkdir "$work/logs" "$work/batches" "$work/made"
  exec 3>&1 4>&2
  # Nothing of the caller's own set-up decides what happens here.
  unset DATABASE_URL NETUID LOG_LEVEL MINER_API_URL AML_SUBNET_CONFIG OTEL_EXPORTER_OTLP_ENDPOINT
  unset "${!BT_@}" "${!API_@}"
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

# Removes what demos left that were killed before they could tidy up.
sweep_up() {
  local left
  for left in "${TMPDIR:-/tmp}"/aml-demo.??????; do
    if [ -O "$left/pid" ] && ! kill -0 "$(<"$left/pid")" 2>/dev/null; then rm -rf "$left"; fi
  done
}

finish() {
  local status=$?
  trap - EXIT
  trap '' INT TERM HUP
  exec 1>&3 2>&4
  quiet
  if [ "$status" -ne 0 ] && [ -n "$current" ]; then
    printf '%s✗ %s%s\n' "$red" "$current" "$plain" >&2
    if [ "$status" -lt 128 ]; then tail -n 25 "$current_log" >&2; fi
  fi
  stop_all
  if [ "$keep" = yes ]; then
    rm -f "$work/pid"
    echo "kept: $work"
  else
    rm -rf "$work"
  fi
  exit "$status"
}

set_up_and_build() {
  local began=$SECONDS
  if [ -n "${AML_BIN_DIR:-}" ]; then
    bin=$(realpath -e "$AML_BIN_DIR") || fail "no directory $AML_BIN_DIR"
    return
  fi
  if [ "${AML_PROFILE:-demo}" = dev ]; then
    ./scripts/setup.sh
    echo "${bold}Building everything as the tests do, without optimisation${plain}"
    build_test_programs
    bin=$programs
  else
    ./scripts/setup.sh --no-training
    build_what_runs_here
  fi
  echo "${dim}built in $(((SECONDS - began) / 60)) min $(((SECONDS - began) % 60)) s${plain}"
}

# The three programs of the demo without what it does not use: training (a C++ library), S3, PostgreSQL, traces.
build_what_runs_here() {
  local programs=(aml-miner-serve aml-miner-batch aml-subnet)
  echo "${bold}Building ${programs[*]}${plain}"
  echo "On two cores this takes about $build_minutes minutes the first time, and a moment later on. Compiled files are kept in"
  echo "$CARGO_TARGET_DIR."
  # A profile of its own (Cargo.toml): these programs can do less than those of a release and are compiled in half of the time.
  cargo build --profile demo --locked --package aml-miner --package aml-subnet --no-default-features \
    --features aml-miner/inference "${programs[@]/#/--bin=}"
  bin=$CARGO_TARGET_DIR/demo
}

# Today's batch waits in made/; the validators see those in batches/.
make_batches() {
  if [ -n "$data" ]; then
    choose_batches
    return
  fi
  # Outcomes come along; each counts from the day on which it became known.
  "$bin/aml-miner-batch" synth "$work/batches" --seed 7 --start-date "$first_day" --days $((past_days + 1)) \
    --alerts "$alerts" --addresses $((alerts * 5))
  todays_batch=$work/made/${today}_w7
  mv "$work/batches/${today}_w7" "$work/made/"
}

# Today and the days before it; of --data the newest batch, and those with labels before it.
choose_days() {
  if [ -z "$data" ]; then
    today=$(date -u +%F)
    first_day=$(date -u -d "$today - $past_days days" +%F) last_day=$(date -u -d "$today - 1 day" +%F)
    return
  fi
  local newest day
  newest=$(batch_days | tail -n 1)
  [ -n "$newest" ] || fail "no batch directories (2026-01-05_w7 and the like) in $data"
  past=()
  while read -r day; do
    if [ -f "$data/$day/labels.parquet" ]; then past+=("$day"); fi
  done < <(batch_days | head -n -1 | tail -n 60)
  [ "${#past[@]}" -gt 0 ] || fail "no batch with labels.parquet before $newest in $data"
  today=${newest%%_*} first_day=${past[0]%%_*} last_day=${past[-1]%%_*}
  past_days=${#past[@]} todays_batch=$work/made/$newest
}

choose_batches() {
  local day
  for day in "${past[@]}"; do cp -r "$data/$day" "$work/batches/"; done
  cp -r "$data/$(basename "$todays_batch")" "$work/made/"
}

batch_days() { find "$data" -mindepth 1 -maxdepth 1 -type d -name '20??-??-??*' -printf '%f\n' | sort; }

start_chain() {
  local wishes=(9944 8100)
  local index
  for index in "${!miners[@]}"; do wishes+=($((8000 + index)) $((8091 + 10 * index)) $((8092 + 10 * index))); done
  read -r -a ports < <(free_ports "${wishes[@]}")
  chain_port=${ports[0]} api_port=${ports[1]}
  start chain "$bin/aml-subnet" localnet run --port "$chain_port" --netuid "$netuid"
  export AML_LOCALNET_URL=http://127.0.0.1:$chain_port
  await chain "the chain" "$bin/aml-subnet" localnet new-block
  register validator "${own[@]}"
  "$bin/aml-subnet" localnet stake --netuid "$netuid" --hotkey "$(address_of validator)" --tao 5000
  "$bin/aml-subnet" localnet epoch --netuid "$netuid"
}

register() { # name...
  local name
  for name in "$@"; do
    make_key "$name"
    "$bin/aml-subnet" localnet register --netuid "$netuid" --hotkey "$(address_of "$name")"
    known+=("$name")
  done
  names_by_address >"$work/names.json"
}

# A hotkey as btcli stores it. Everyone can make these keys: they are worth nothing anywhere else.
make_key() { # name
  local folder=$work/wallets/demo/hotkeys
  (umask 077 && mkdir -p "$folder" && printf '{"secretSeed":"0x%s"}\n' "$(printf 'aml demo %s' "$1" | sha256sum | cut -c 1-64)" >"$folder/$1")
}

wallet_of() { # name; sets $wallet
  wallet=(--wallet.path "$work/wallets" --wallet.name demo --wallet.hotkey "$1")
}

address_of() { # name
  wallet_of "$1"
  "$bin/aml-subnet" wallet "${wallet[@]}" | awk '$1 == "hotkey" { print $2 }'
}

names_by_address() {
  local name comma=''
  printf '{'
  for name in "${known[@]}"; do
    printf '%s"%s":"%s"' "$comma" "$(address_of "$name")" "$name"
    comma=,
  done
  printf '}\n'
}

start_own() {
  python3 scripts/demo/worse_model.py trained_models "$work/models/weaker" --scramble 0.8 --seed 1
  python3 scripts/demo/worse_model.py trained_models "$work/models/random" --scramble 1 --seed 4
  start_miners start_inference "${own[@]}"
}

# The copy asks the good miner's API: what somebody gets who sees its answers.
start_clever() {
  register "${clever[@]}"
  start_miners start_clever_api "${clever[@]}"
}

start_miners() { # how their APIs are started, name...
  local how=$1 name api axon status
  shift
  for name in "$@"; do
    read -r api axon status <<<"$(ports_of "$name")"
    "$how" "$name" "$api"
    start_proxy "$name" "$api" "$axon" "$status"
    running+=("$name")
  done
  for name in "$@"; do
    read -r api axon status <<<"$(ports_of "$name")"
    await "$name-api" "the inference API" answers "http://127.0.0.1:$api/ready"
    await "$name-miner" "the miner" answers "http://127.0.0.1:$status/ready"
  done
  await chain "the announcement of the miners" all_announced
}

ports_of() { # name; of its API, of its axon, of its status
  local index
  for index in "${!miners[@]}"; do
    if [ "${miners[index]}" = "$1" ]; then echo "${ports[*]:2 + 3 * index:3}"; fi
  done
}

start_clever_api() { # name, port
  local how=()
  case "$1" in
    copy) how=(copy --of "http://127.0.0.1:${ports[2]}" --noise 0.8) ;;
    stale) how=(stale --published "$work/validator/published") ;;
  esac
  start "$1-api" python3 "$root/scripts/demo/clever_miner.py" --port "$2" --secret "aml demo receipts of $1" "${how[@]}"
}

# The two others serve a scorer only, which is all that a validator asks for.
start_inference() { # name, port
  local models=$work/models/$1 ranker='' clusters=''
  if [ "$1" = shipped ]; then
    models=$root/trained_models
    ranker=$models/alert_ranker_v1.0.0.txt clusters=$models/cluster_scorer_v1.0.0.txt
  fi
  start "$1-api" API_HOST=127.0.0.1 API_PORT="$2" API_THREADS=1 LOG_LEVEL=info,aml_miner::api::observe=warn \
    MINER_SIGNING_KEY_FILE="$work/keys/$1" ALERT_SCORER_PATH="$models/alert_scorer_v1.0.0.txt" \
    ALERT_RANKER_PATH="${ranker:-none}" CLUSTER_SCORER_PATH="${clusters:-none}" "$bin/aml-miner-serve"
}

start_proxy() { # name, port of its API, of its axon, of its status
  # A past of many days is asked in some seconds.
  printf '[miner]\nstatus_listen = "127.0.0.1:%s"\nmetagraph_refresh = "1s"\nrequests_per_minute = 100000\n' "$4" >"$work/$1.toml"
  wallet_of "$1"
  # The chain refuses 127.0.0.1 as the address of a miner, not 127.0.0.2.
  start "$1-miner" "$bin/aml-subnet" miner --config "$work/$1.toml" "${wallet[@]}" --netuid "$netuid" \
    --subtensor.chain_endpoint "ws://127.0.0.1:$chain_port" --miner.api_url "http://127.0.0.1:$2" \
    --axon.ip 127.0.0.2 --axon.port "$3" --axon.external_ip 127.0.0.2 \
    --sealing.beacon development --miner.data_dir "$work/$1-data"
}

all_announced() {
  [ "$("$bin/aml-subnet" metagraph --json --netuid "$netuid" --subtensor.chain_endpoint "ws://127.0.0.1:$chain_port" |
    grep -c '"axon": "127.0.0.2:')" -eq "${#running[@]}" ]
}

# Seconds from a task to the opening of its answers, at least; at most twice as many. Large days take longer to be asked.
opens_after() {
  if [ -z "$data" ] && [ "$alerts" -le 2000 ]; then echo 10; else echo 30; fi
}

# What a validator and the commands beside it are told; $flags are their flags.
configure_validator() { # name of its data folder
  cat >"$work/$1.toml" <<EOF
netuid = $netuid

[subtensor]
chain_endpoint = ["ws://127.0.0.1:$chain_port"]

[validator]
sot = "$work/batches"
data_dir = "$work/$1"
listen = "127.0.0.1:$api_port"
allow_private_ips = true        # the miners are on this machine
interval = "1s"                 # a new batch is seen at once
weights_interval = "1s"
rules = [{ version = "v2" }]    # paid for information (docs/scoring.md)

[sealing]                       # today's answers are sealed for some seconds (docs/sealing.md); those of the past are open
beacon = "development"
development_opening = "$(opens_after)s"
EOF
  wallet_of validator
  flags=(--config "$work/$1.toml" "${wallet[@]}")
}

# Every day of the past as a round, with the outcomes that were known on it.
rehearse() { # name of the data folder
  configure_validator "$1"
  env -C "$work" "$bin/aml-subnet" validator "${flags[@]}" --past "$first_day..$last_day"
  # What these days would be paid for, before today is asked.
  env -C "$work" "$bin/aml-subnet" weights show "${flags[@]}" --json >"$work/$1.weights.json"
}

results() {
  python3 scripts/demo/results.py --subnet "$bin/aml-subnet" --api "http://127.0.0.1:$api_port" \
    --flags "${flags[*]}" "$@"
}

run_todays_round() {
  # In one step: the validator never sees half a batch.
  mv "$todays_batch" "$work/batches/"
  todays_batch=$work/batches/$(basename "$todays_batch")
  start validator "$bin/aml-subnet" validator "${flags[@]}"
  await validator "the validator's pages" answers "http://127.0.0.1:$api_port/health"
  await validator "the round of $today" is_published "$today"
  explain_todays_alerts
}

is_published() { # day
  [[ $(results step-of "$1") =~ ^(published|settled)$ ]]
}

# What the shipped model says about today's alerts, asked of its inference API with the batch's own files.
explain_todays_alerts() {
  local table forms=()
  for table in alerts features clusters money_flows; do
    if [ -f "$todays_batch/$table.parquet" ]; then forms+=(--form "$table=@$todays_batch/$table.parquet"); fi
  done
  curl --fail --silent --show-error --noproxy '*' --output "$work/explained.json" "${forms[@]}" \
    "http://127.0.0.1:${ports[2]}/score/alerts"
}

# What is on chain, and the ledger with every share and what it comes from.
await_weights() {
  # With few days of one's own nobody has earned anything yet, and weights are withheld.
  await validator "weights on chain" results paid-after "$today" ${data:+--or-withheld}
  env -C "$work" "$bin/aml-subnet" export --config "$work/validator.toml" "$work/export"
}

show_results() { # what, more arguments of results.py
  results --names "$work/names.json" --explained "$work/explained.json" --past "$last_day" --today "$today" \
    --export "$work/export" --without "$work/without.weights.json" --with "$work/validator.weights.json" "$@"
}

how_to_go_on() {
  local api=http://127.0.0.1:$api_port scorer=http://127.0.0.1:${ports[2]}
  cat <<EOF

${bold}Look at it${plain}
  $api/            the validator's pages: the newest day, alerts, leaderboard, weights
  $scorer/docs        the shipped miner's inference API, to try

${bold}Try it${plain}
  curl -s $api/canonical/$today
  curl -s $api/canonical/$today -H 'accept: text/csv' | head
  curl -s $api/miners
  curl -s $api/weights
  curl -s $scorer/score/alerts -F alerts=@$todays_batch/alerts.parquet -F features=@$todays_batch/features.parquet
  $bin/aml-subnet rounds --config $work/validator.toml
  $bin/aml-subnet miners --config $work/validator.toml
  $bin/aml-subnet weights show ${flags[*]}
  $bin/aml-subnet metagraph --config $work/validator.toml

Logs are in $work/logs until this ends. ${bold}^C ends everything and leaves nothing behind.${plain}
EOF
}

# Waits for ^C, or for the first process that ends by itself.
keep_serving() {
  trap 'echo; echo "ending"; exit 0' INT TERM
  local name status=0
  wait -n || status=$?
  for name in "${order[@]}"; do
    alive "$name" || { current="$name ended by itself (status $status)" current_log="$work/logs/$name.log"; }
  done
  exit 1
}
