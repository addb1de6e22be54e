"""The synapse of the old form, and what both of its sides need."""

import os

os.environ.setdefault("BT_NO_PARSE_CLI_ARGS", "true")

import bittensor as bt  # noqa: E402
from bittensor.utils import networking  # noqa: E402
from bittensor_wallet import Keypair  # noqa: E402

# Asks public services for our address; there is none here.
networking.get_external_ip = lambda: "198.51.100.7"


class AlertScoring(bt.Synapse):
    alerts: list
    features: list
    clusters: list
    money_flows: list
    scores: list | None = None
    miner_id: str | None = None
    model_version: str | None = None


class HotkeyOnly:
    """What the SDK needs of a wallet."""

    def __init__(self, phrase):
        self.hotkey = Keypair.create_from_mnemonic(phrase)
        self.hotkeypub = self.hotkey
        self.coldkeypub = self.hotkey
        self.coldkey = self.hotkey
        self.name = self.hotkey_str = "test"


VALIDATOR = HotkeyOnly(os.environ["VALIDATOR_PHRASE"])
MINER = HotkeyOnly(os.environ["MINER_PHRASE"])
