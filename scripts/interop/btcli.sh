#!/usr/bin/env bash
# Today's btcli on the localnet: `subnets metagraph`, `wallet balance` and `subnets register` of btcli 9.23 and of btcli 11.
#
#   scripts/interop/btcli.sh              AML_SUBNET_BIN names the program, BTCLI9 and BTCLI11 the two btcli
#
# Without BTCLI9 and BTCLI11 both are installed into a temporary folder (pip, from PyPI). Everything else is on this machine.
set -euo pipefail
subnet=${AML_SUBNET_BIN:?names the built aml-subnet}
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
# Nothing of the caller's own set-up is read or written.
export HOME=$work
cd "$work"

btcli_of() { # version as pip names it, folder
  python3 -m venv "$work/$2"
  "$work/$2/bin/pip" install --quiet "$1" >&2
  echo "$work/$2/bin/btcli"
}
btcli9=${BTCLI9:-$(btcli_of bittensor-cli==9.23.1 v9)}
btcli11=${BTCLI11:-$(btcli_of bittensor==11.3.0 v11)}

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
chain=ws://127.0.0.1:$port
export AML_LOCALNET_URL=http://127.0.0.1:$port
"$subnet" localnet --netuid 2 --port "$port" >chain.log 2>&1 &
until "$subnet" localnet new-block >/dev/null 2>&1; do sleep 0.2; done

for hotkey in nine eleven; do
  "$subnet" wallet create --insecure-dev --wallet.path wallets --wallet.name dev --wallet.hotkey "$hotkey" 2>/dev/null
done
coldkey=$("$subnet" wallet --wallet.path wallets --wallet.name dev --wallet.hotkey nine | awk '$1 == "coldkey" { print $2 }')
"$subnet" localnet fund --account "$coldkey" --tao 1000

must() { # what must be said, command...
  local wanted=$1 said
  shift
  said=$("$@" </dev/null 2>&1) || { echo "$said"; echo "btcli: failed: $*" >&2; exit 1; }
  grep -qE "$wanted" <<<"$said" || { echo "$said"; echo "btcli: no '$wanted' from: $*" >&2; exit 1; }
  echo "good: ${*:2}"
}

address_of() { "$subnet" wallet --wallet.path wallets --wallet.name dev --wallet.hotkey "$1" | awk '$1 == "hotkey" { print $2 }'; }
registered() { "$subnet" metagraph --netuid 2 --subtensor.chain_endpoint "$chain"; }

nine=(--network "$chain" --wallet-path "$work/wallets" --wallet-name dev)
must '1,?000' "$btcli9" wallet balance "${nine[@]}"
must . "$btcli9" subnets register --netuid 2 --hotkey nine "${nine[@]}" --no-prompt
must "$(address_of nine | cut -c 1-10)" registered
must . "$btcli9" subnets metagraph --netuid 2 --network "$chain"

eleven=(-n "$chain" --fallback-endpoints none --archive-endpoints none -w dev -H eleven --wallet-path "$work/wallets")
must '999|1,?000' "$btcli11" "${eleven[@]}" wallet balance
must . "$btcli11" "${eleven[@]}" --yes subnets register --netuid 2
must "$(address_of eleven | cut -c 1-10)" registered
must 'uids' "$btcli11" "${eleven[@]}" subnets metagraph 2
echo "btcli 9.23 and 11 understand the localnet"
