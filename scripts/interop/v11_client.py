"""Requests signed by SDK 11 go to our miner."""

import os
import sys

import httpx
from bittensor import http_auth
from bittensor.sp_core import Keypair

VALIDATOR = Keypair.create_from_mnemonic(os.environ["VALIDATOR_PHRASE"])
BODY = b'{"alerts": [{"alert_id": "a1"}, {"alert_id": "a2"}]}'
PATH = "/1/score/alerts"


def headers():
    signed = http_auth.sign(VALIDATOR, method="POST", path=PATH, body=BODY, receiver_ss58=os.environ["MINER"])
    return signed | {"content-type": "application/json"}


def post(url, signed, body=BODY):
    return httpx.post(url, headers=signed, content=body, trust_env=False)


base = f"http://127.0.0.1:{sys.argv[1]}"
first = headers()
good = post(base + PATH, first)
assert good.status_code == 200, (good.status_code, good.text)
assert [score["alert_id"] for score in good.json()] == ["a1", "a2"], good.text
assert good.headers["x-aml-answer-hotkey"] == os.environ["MINER"]

for signed, body, code in [(first, BODY, "replayed_request"), (headers(), BODY + b" ", "bad_signature")]:
    refused = post(base + PATH, signed, body)
    assert refused.status_code == 401 and refused.json()["code"] == code, (refused.status_code, refused.text)
