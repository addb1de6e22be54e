"""The public SDK 11.x, unchanged, against a running localnet: reads, serves an axon, sets weights.

    aml-subnet localnet --port 9944 --netuid 2 &
    python scripts/interop/localnet_sdk11.py ws://127.0.0.1:9944 2

Exits with an error at the first thing that is not as it should be.
"""

import asyncio
import hashlib
import json
import sys
import tempfile
import urllib.request

import bittensor as bt
from bittensor import intents
from bittensor.wallet import Wallet


def rpc(url, method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).encode()
    request = urllib.request.Request(url.replace("ws://", "http://"), body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as reply:
        answer = json.load(reply)
    if "error" in answer:
        raise SystemExit(f"{method}: {answer['error']}")
    return answer["result"]


def check(what, found, wanted):
    if found != wanted:
        raise SystemExit(f"{what}: found {found!r}, wanted {wanted!r}")
    print(f"ok  {what}: {found!r}")


def wallet(folder, name, hotkey):
    made = Wallet(name=name, hotkey="default", path=folder)
    seed = "0x" + hashlib.sha256(hotkey.encode()).hexdigest()
    made.regenerate_hotkey(seed=seed, overwrite=True, suppress=True)
    made.create_new_coldkey(use_password=False, overwrite=True, suppress=True)
    return made


async def main(url, netuid):
    with tempfile.TemporaryDirectory() as folder:
        validator = wallet(folder, "validator", "SDK 11 validator")
        miner = wallet(folder, "miner", "SDK 11 miner")
        hotkeys = [neuron.hotkey.ss58_address for neuron in (validator, miner)]
        uids = [rpc(url, "localnet_register", {"netuid": netuid, "hotkey": key})["result"] for key in hotkeys]
        rpc(url, "localnet_stake", {"netuid": netuid, "hotkey": hotkeys[0], "rao": 5000 * 10**9})
        rpc(url, "localnet_runEpoch", netuid)
        rpc(url, "localnet_setHyperparameter", {"netuid": netuid, "name": "serving_rate_limit", "value": 0})
        rpc(url, "localnet_setHyperparameter", {"netuid": netuid, "name": "weights_rate_limit", "value": 0})

        async with bt.Client(url) as chain:
            graph = await chain.subnets.metagraph(netuid)
            check("metagraph hotkeys", [graph.neurons[uid].hotkey for uid in uids], hotkeys)
            check("metagraph permit", [graph.neurons[uid].validator_permit for uid in uids], [True, False])

            result = await chain.execute(intents.ServeAxon(netuid=netuid, ip="127.0.0.2", port=18092), miner)
            check("serve_axon", result.success, True)

            wish = intents.SetWeights(netuid=netuid, uids=[uids[1]], weights=[1.0])
            result = await chain.execute(wish, validator)
            check("set_weights", (result.success, result.error), (True, None))
            check("weights", await chain.query(("SubtensorModule", "Weights"), [netuid, uids[0]]), [(uids[1], 65535)])

            rpc(url, "localnet_setHyperparameter", {"netuid": netuid, "name": "weights_version", "value": 99_000_000})
            result = await chain.execute(wish, validator)
            check("refusal by name", (result.success, "IncorrectWeightVersionKey" in str(result.error)), (False, True))
            rpc(url, "localnet_setHyperparameter", {"netuid": netuid, "name": "weights_version", "value": 0})
    print("all good")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
