"""What the proxy adds to a small request: medians over keep-alive connections, interleaved, in milliseconds."""

import http.client
import os
import statistics
import sys
import time

from bittensor import http_auth
from bittensor.sp_core import Keypair

VALIDATOR = Keypair.create_from_mnemonic(os.environ["VALIDATOR_PHRASE"])
BODY = b'{"alerts": [{"alert_id": "a1"}]}'
JSON = {"content-type": "application/json"}
axon, api = int(sys.argv[1]), int(sys.argv[2])
proxied, direct = http.client.HTTPConnection("127.0.0.1", axon), http.client.HTTPConnection("127.0.0.1", api)


def timed(connection, path, headers):
    started = time.perf_counter()
    connection.request("POST", path, BODY, headers)
    answer = connection.getresponse()
    body = answer.read()
    took = (time.perf_counter() - started) * 1e3
    assert answer.status == 200, (answer.status, body)
    return took


def once():
    signed = http_auth.sign(
        VALIDATOR, method="POST", path="/1/score/alerts", body=BODY, receiver_ss58=os.environ["MINER"]
    )
    return timed(direct, "/score/alerts", JSON), timed(proxied, "/1/score/alerts", signed | JSON)


rounds = [once() for _ in range(300)][50:]
without, through = (statistics.median(times) for times in zip(*rounds))
print(f"direct {without:.3f} ms, through the proxy {through:.3f} ms, added {through - without:.3f} ms")
