"""The public SDK 10.x, unchanged, against a running localnet: reads, serves an axon, sets weights, commits.

    aml-subnet localnet --port 9944 --netuid 2 &
    python scripts/interop/localnet_sdk10.py ws://127.0.0.1:9944 2

Exits with an error at the first thing that is not as it should be.
"""

import json
import os
import sys
import tempfile
import urllib.request

os.environ.setdefault("BT_NO_PARSE_CLI_ARGS", "true")
import bittensor as bt  # noqa: E402


def rpc(url, method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).encode()
    request = urllib.request.Request(url.replace("ws://", "http://"), body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as reply:
        answer = json.load(reply)
    if "error" in answer:
        raise SystemExit(f"{method}: {answer['error']}")
    return answer["result"]


def wallet(folder, name, hotkey_uri, coldkey_uri):
    made = bt.Wallet(name=name, hotkey="default", path=folder)
    made.create_hotkey_from_uri(hotkey_uri, use_password=False, overwrite=True, suppress=True)
    made.create_coldkey_from_uri(coldkey_uri, use_password=False, overwrite=True, suppress=True)
    return made


def check(what, found, wanted):
    if found != wanted:
        raise SystemExit(f"{what}: found {found!r}, wanted {wanted!r}")
    print(f"ok  {what}: {found!r}")


def main(url, netuid):
    with tempfile.TemporaryDirectory() as folder:
        validator = wallet(folder, "validator", "//SdkTenValidator", "//Alice")
        miner = wallet(folder, "miner", "//SdkTenMiner", "//Bob")
        chain = bt.Subtensor(network=url)

        # the coldkeys register both hotkeys, by the SDK's own calls
        for neuron in (validator, miner):
            done = chain.burned_register(neuron, netuid)
            check("burned_register", bool(getattr(done, "success", done)), True)
        hotkeys = [validator.hotkey.ss58_address, miner.hotkey.ss58_address]
        uids = [chain.get_uid_for_hotkey_on_subnet(hotkey, netuid) for hotkey in hotkeys]

        done = chain.add_stake(validator, netuid, validator.hotkey.ss58_address, bt.Balance.from_tao(1000), safe_staking=False)
        check("add_stake", bool(getattr(done, "success", done)), True)
        rpc(url, "localnet_runEpoch", netuid)

        graph = chain.metagraph(netuid, lite=False)
        check("metagraph hotkeys", [graph.hotkeys[uid] for uid in uids], hotkeys)
        check("metagraph permit", [bool(graph.validator_permit[uid]) for uid in uids], [True, False])
        check("metagraph stake", int(graph.S[uids[0]]), 1000)

        # the miner announces itself
        rpc(url, "localnet_setHyperparameter", {"netuid": netuid, "name": "serving_rate_limit", "value": 0})
        axon = bt.Axon(wallet=miner, ip="0.0.0.0", port=18091, external_ip="127.0.0.2", external_port=18091)
        done = chain.serve_axon(netuid, axon)
        check("serve_axon", bool(getattr(done, "success", done)), True)
        served = chain.metagraph(netuid).axons[uids[1]]
        check("axon", (served.ip, served.port, served.hotkey), ("127.0.0.2", 18091, hotkeys[1]))

        # the validator sets weights
        rpc(url, "localnet_setHyperparameter", {"netuid": netuid, "name": "weights_rate_limit", "value": 0})
        done = chain.set_weights(validator, netuid, uids=[uids[1]], weights=[1.0], wait_for_finalization=True)
        check("set_weights", bool(getattr(done, "success", done)), True)
        check("weights", dict(chain.weights(netuid)).get(uids[0]), [(uids[1], 65535)])

        # a refusal arrives under its name
        rpc(url, "localnet_setHyperparameter", {"netuid": netuid, "name": "weights_version", "value": 99_000_000})
        done = chain.set_weights(validator, netuid, uids=[uids[1]], weights=[1.0], max_attempts=1)
        text = str(getattr(done, "message", done)) + str(getattr(done, "error", ""))
        check("refusal by name", "IncorrectWeightVersionKey" in text, True)
        rpc(url, "localnet_setHyperparameter", {"netuid": netuid, "name": "weights_version", "value": 0})

        # the miner earned something
        rpc(url, "localnet_runEpoch", netuid)
        check("incentive", round(float(chain.metagraph(netuid).I[uids[1]]), 3), 1.0)
    print("all good")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
