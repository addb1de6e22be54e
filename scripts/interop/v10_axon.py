"""An axon of SDK 10 that scores every alert with 0.5."""

import socket
import sys
import threading
import time
from typing import Tuple

from synapse10 import MINER, VALIDATOR, AlertScoring, bt


def forward(synapse: AlertScoring) -> AlertScoring:
    synapse.scores = [{"alert_id": alert["alert_id"], "score": 0.5} for alert in synapse.alerts]
    synapse.miner_id = MINER.hotkey.ss58_address
    synapse.model_version = "fake"
    return synapse


def blacklist(synapse: AlertScoring) -> Tuple[bool, str]:
    return synapse.dendrite.hotkey != VALIDATOR.hotkey.ss58_address, "not the validator"


port = int(sys.argv[1])
axon = bt.Axon(wallet=MINER, port=port, ip="127.0.0.1", external_ip="198.51.100.7", external_port=port)
axon.attach(forward_fn=forward, blacklist_fn=blacklist)
axon.start()
# The SDK's start() returns before its server listens.
deadline = time.monotonic() + 60
while True:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        break
    except OSError:
        if time.monotonic() > deadline:
            raise
        time.sleep(0.05)
print("serving", flush=True)
threading.Event().wait()
