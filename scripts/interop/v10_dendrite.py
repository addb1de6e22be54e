"""A dendrite of SDK 10 asks our miner."""

import asyncio
import sys

from bittensor_wallet import Keypair
from synapse10 import MINER, VALIDATOR, AlertScoring, bt

STRANGER = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"


def axon(port):
    key = MINER.hotkey.ss58_address
    return bt.AxonInfo(version=1, ip="127.0.0.1", port=port, ip_type=4, hotkey=key, coldkey=key)


async def ask(keypair, port):
    batch = AlertScoring(alerts=[{"alert_id": "a1"}, {"alert_id": "a2"}], features=[], clusters=[], money_flows=[])
    async with bt.Dendrite(wallet=keypair) as dendrite:
        return await dendrite(axons=[axon(port)], synapse=batch, deserialize=False, timeout=12)


async def main(port):
    (good,) = await ask(VALIDATOR.hotkey, port)
    assert good.is_success, (good.dendrite.status_code, good.dendrite.status_message)
    assert [score["alert_id"] for score in good.scores] == ["a1", "a2"], good.scores
    assert good.model_version == "fake" and good.miner_id == MINER.hotkey.ss58_address
    (bad,) = await ask(Keypair.create_from_mnemonic(STRANGER), port)
    assert bad.is_blacklist, (bad.dendrite.status_code, bad.dendrite.status_message)
    assert "not registered" in bad.dendrite.status_message, bad.dendrite.status_message


asyncio.run(main(int(sys.argv[1])))
