#!/usr/bin/env bash
# The public Python SDKs against our neurons and ours against theirs, on one machine: a development chain, the miner's
# proxy, a dendrite and an axon of SDK 10.5.0, a signer and a verifier of SDK 11.3.0.
#
# Skips with a reason when Python or the SDKs cannot be had. AML_INTEROP_DIR keeps the virtual environments;
# AML_SUBNET_BIN names the binary, else it is built.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=scripts/env.sh
. "$root/scripts/env.sh"
venvs=${AML_INTEROP_DIR:-$HOME/.cache/aml-interop}
work=$(mktemp -d)
pids=()
finish() {
    code=$?
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    [ "$code" = 0 ] || tail -n 20 "$work"/*.log 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
skip() {
    echo "skipped: $1"
    exit 0
}

command -v python3 >/dev/null || skip "no python3"

# One virtual environment for each SDK, made once.
sdk() { # version, more packages
    local dir=$venvs/sdk-$1 version=$1
    shift
    if [ ! -x "$dir/bin/python" ] || ! "$dir/bin/python" -c 'import bittensor' 2>/dev/null; then
        mkdir -p "$venvs"
        python3 -m venv "$dir" || skip "cannot make a virtual environment"
        "$dir/bin/pip" install --quiet --disable-pip-version-check "bittensor==$version" "$@" \
            || skip "cannot install bittensor $version"
    fi
}
sdk 10.5.0
sdk 11.3.0 fastapi uvicorn httpx
py10=$venvs/sdk-10.5.0/bin/python
py11=$venvs/sdk-11.3.0/bin/python

if [ -z "${AML_SUBNET_BIN:-}" ]; then
    cd "$root"
    build_test_programs
    AML_SUBNET_BIN=$programs/aml-subnet
fi
# In the background the binary itself is started, so that its own process is ended.
aml() { "$AML_SUBNET_BIN" "$@"; }

# Public test phrases: worthless anywhere else.
validator_phrase="legal winner thank year wave sausage worth useful legal winner thank yellow"
miner_phrase="zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong"
export VALIDATOR_PHRASE=$validator_phrase MINER_PHRASE=$miner_phrase
export VALIDATOR=5EHgWw2Af1pnoc7f1A8bfmM97W3DAYW8xr82RfhLL9oAabAe
export MINER=5Hq3Cveh6yM1Do6ijhATJ8y9rzk6sSkuuuUwQF5k5ChLqodv
mkdir -p "$work/wallets/test/hotkeys"
umask 077
echo "$validator_phrase" >"$work/wallets/test/hotkeys/validator"
echo "$miner_phrase" >"$work/wallets/test/hotkeys/miner"
wallet() { echo --wallet.path "$work/wallets" --wallet.name test --wallet.hotkey "$1"; }

read -r chain axon status api old_axon new_server plain < <(python3 - <<'PY'
import socket
sockets = [socket.socket() for _ in range(7)]
for s in sockets:
    s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in sockets])
PY
)
wait_for() { # url, what
    for _ in $(seq 300); do
        if python3 -c "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=2)" "$1" 2>/dev/null; then return; fi
        sleep 0.2
    done
    echo "FAILED: $2 did not come up at $1"
    exit 1
}
check() { echo "ok: $1"; }

echo '{"alerts":[{"alert_id":"a1"},{"alert_id":"a2"}],"features":[],"clusters":[],"money_flows":[]}' >"$work/task.json"
url=http://127.0.0.1:$chain
"$AML_SUBNET_BIN" localnet run --port "$chain" >"$work/chain.log" 2>&1 &
pids+=($!)
for _ in $(seq 100); do
    if aml localnet register --url "$url" --hotkey "$VALIDATOR" >/dev/null 2>&1; then break; fi
    sleep 0.2
done
aml localnet register --url "$url" --hotkey "$MINER" >/dev/null
aml localnet stake --url "$url" --hotkey "$VALIDATOR" --tao 5000 >/dev/null
aml localnet epoch --url "$url" >/dev/null

python3 "$here/fake_api.py" "$api" >"$work/api.log" 2>&1 &
pids+=($!)
printf '[protocol]\naccept_v10 = true\n[miner]\nstatus_listen = "127.0.0.1:%s"\nmetagraph_refresh = "1s"\nrequests_per_minute = 10000\n' "$status" >"$work/miner.toml"
# The chain refuses 127.0.0.1, not 127.0.0.2.
place=(--axon.port "$axon" --axon.external_ip 127.0.0.2 --miner.api_url "http://127.0.0.1:$api")
# shellcheck disable=SC2046
"$AML_SUBNET_BIN" miner --config "$work/miner.toml" $(wallet miner) --netuid 1 --subtensor.chain_endpoint "ws://127.0.0.1:$chain" "${place[@]}" >"$work/miner.log" 2>&1 &
pids+=($!)
wait_for "http://127.0.0.1:$status/ready" "the miner"
wait_for "http://127.0.0.1:$api/announced/ignored" "the API"

"$py10" "$here/v10_dendrite.py" "$axon"
check "a dendrite of SDK 10.5.0 is served by our miner, a stranger's is not"
"$py11" "$here/v11_client.py" "$axon"
check "requests signed by SDK 11.3.0 are served by our miner, replays and changes are not"

# A measurement, not a check: it means something only with a release binary on a quiet machine.
"$py11" "$here/latency.py" "$axon" "$api"

"$py10" "$here/v10_axon.py" "$old_axon" >"$work/axon.log" 2>&1 &
pids+=($!)
for _ in $(seq 350); do
    if grep -q serving "$work/axon.log"; then break; fi
    sleep 0.2
done
# shellcheck disable=SC2046
aml ask $(wallet validator) --form v10 --address "127.0.0.1:$old_axon" --receiver "$MINER" --body "$work/task.json" 2>"$work/ask10.log" | grep -q '"alert_id":"a2"'
check "an axon of SDK 10.5.0 answers our client"

"$py11" "$here/v11_server.py" "$new_server" >"$work/server.log" 2>&1 &
pids+=($!)
wait_for "http://127.0.0.1:$new_server/health" "the verifier"
# Its answer is not signed, so ours says that it does not count; what matters here is that it verified the request.
# shellcheck disable=SC2046
(aml ask $(wallet validator) --netuid 1 --address "127.0.0.1:$new_server" --receiver "$MINER" --body "$work/task.json" 2>"$work/ask11.log" || true) | grep -q "$VALIDATOR"
check "a server that verifies with SDK 11.3.0 accepts our signature"

# shellcheck disable=SC2046
aml ask $(wallet validator) --netuid 1 --address "127.0.0.1:$axon" --receiver "$MINER" --body "$work/task.json" 2>/dev/null | grep -q '"alert_id": "a2"'
check "our client takes our miner's signed answer"

for _ in $(seq 100); do
    # shellcheck disable=SC2046
    if aml doctor $(wallet miner) --netuid 1 --subtensor.chain_endpoint "ws://127.0.0.1:$chain" "${place[@]}" >"$work/doctor.log" 2>&1; then
        grep -q "the chain names it" "$work/doctor.log" && break
    fi
    sleep 0.3
done
grep -q "the chain names it" "$work/doctor.log"
check "the miner announced itself, and the doctor finds nothing wrong"

# A development chain that nothing of ours has touched, for the SDKs alone.
"$AML_SUBNET_BIN" localnet run --port "$plain" --netuid 2 >"$work/plain.log" 2>&1 &
pids+=($!)
for _ in $(seq 100); do
    if aml localnet new-block --url "http://127.0.0.1:$plain" >/dev/null 2>&1; then break; fi
    sleep 0.2
done
"$py10" "$here/localnet_sdk10.py" "ws://127.0.0.1:$plain" 2 >"$work/sdk10.log" 2>&1
check "SDK 10.5.0 reads and writes the localnet unchanged"
"$py11" "$here/localnet_sdk11.py" "ws://127.0.0.1:$plain" 2 >"$work/sdk11.log" 2>&1
check "SDK 11.3.0 reads and writes the localnet unchanged"
if [ ! -x "$venvs/btcli-9.23.1/bin/btcli" ]; then
    python3 -m venv "$venvs/btcli-9.23.1"
    "$venvs/btcli-9.23.1/bin/pip" install --quiet --disable-pip-version-check bittensor-cli==9.23.1 \
        || skip "cannot install btcli 9.23.1"
fi
AML_SUBNET_BIN=$AML_SUBNET_BIN BTCLI9=$venvs/btcli-9.23.1/bin/btcli BTCLI11=$venvs/sdk-11.3.0/bin/btcli \
    "$here/btcli.sh" >"$work/btcli.log" 2>&1
check "btcli 9.23 and 11: subnets metagraph, wallet balance, subnets register"
