#!/usr/bin/env python3
"""Captures signed requests of the public SDK 11, and what the SDK itself says of requests that were changed on the way.

    SDK-PYTHON conformance/capture_sdk11.py        with the Python in which bittensor 11 is installed

Writes btauth_sdk11.json in the form of btauth.json. Signatures of sr25519 are random, so the file is kept, and made anew only on
purpose. Keys are public: never use one.
"""
import importlib.metadata
import json
import pathlib

from bittensor import http_auth
from bittensor.sp_core import Keypair

OUT = pathlib.Path(__file__).resolve().parent / "btauth_sdk11.json"
NOW, SECOND = 1_795_000_000_000_000_000, 10**9
BODY = b'{"alerts":[{"alert_id":"alert_1"}]}'
CODES = {
    http_auth.MalformedAuth: "malformed_auth", http_auth.WrongReceiver: "wrong_receiver", http_auth.StaleRequest: "stale_request",
    http_auth.BadSignature: "bad_signature", http_auth.ReplayedRequest: "replayed_request",
}


def key(byte: int, crypto: int = 1) -> Keypair:
    return Keypair.create_from_seed(bytes([byte]) * 32, crypto_type=crypto)


SENDER, SERVER, OTHER, ED25519 = key(21), key(22), key(23), key(24, 0)


class Case:
    """A request as it left the SDK, and what became of it on the way."""

    def __init__(self, name: str, why: str, signer=SENDER, method="POST", target="/7/score/alerts?explain=top", body=BODY, **sign):
        sign = {"receiver_ss58": SERVER.ss58_address, "nonce_ns": NOW, **sign}
        self.name, self.why, self.method, self.target, self.body = name, why, method, target, body
        self.headers = {n.lower(): v for n, v in http_auth.sign(signer, method=method, path=target, body=body, **sign).items()}
        self.scheme, self.used = "ed25519" if signer is ED25519 else "sr25519", []

    def but(self, **changed):
        for name, value in changed.items():
            setattr(self, name, value)
        return self

    def header(self, name: str, value):
        if value is None:
            del self.headers[name]
        else:
            self.headers[name] = value
        return self

    def verdict(self) -> dict:
        """What the SDK says, with the window and the replay protection of a miner's proxy."""
        store = http_auth.InMemoryNonceStore()
        for sender, nonce in self.used:
            store.check_and_store(sender, nonce)
        try:
            caller = http_auth.verify(
                self.headers, self.body, method=self.method, path=self.target, self_hotkey_ss58=SERVER.ss58_address,
                max_age=10, allowed_skew=2, nonce_store=store, now_ns=NOW)
            return {"sender": caller.hotkey_ss58}
        except http_auth.AuthError as error:
            return {"refused": CODES[type(error)], "says": str(error)}

    def row(self) -> dict:
        return {
            "name": self.name, "why": self.why, "do": "verify",
            "received": {"method": self.method, "target": self.target, "headers": sorted(map(list, self.headers.items())),
                         "body_hex": self.body.hex()},
            "server": {"hotkey": SERVER.ss58_address, "scheme": self.scheme, "now_ns": NOW, "back_ns": 10 * SECOND,
                       "ahead_ns": 2 * SECOND, "started_ns": 0, "used": self.used},
            "expected": self.verdict(),
        }


def flipped(case: Case) -> Case:
    signature = case.headers["x-bittensor-signature"]
    return case.header("x-bittensor-signature", signature[:-1] + ("0" if signature[-1] != "0" else "1"))


def cases() -> list:
    unchanged = [
        Case("post", "as the SDK sends it"),
        Case("get_without_a_body", "the digest is that of nothing", method="GET", body=b"", target="/7/score/alerts"),
        Case("put", "any method", method="PUT"),
        Case("body_of_any_bytes", "the body is bytes", body=bytes(range(256)) * 4),
        Case("target_with_two_queries", "the target is signed as it is sent", target="/7/score/alerts?b=2&a=1&a=%C3%BC"),
        Case("ed25519", "a key of the other scheme, which is named", signer=ED25519),
        Case("ten_seconds_old", "the oldest that is taken", nonce_ns=NOW - 10 * SECOND),
        Case("two_seconds_ahead", "the newest that is taken", nonce_ns=NOW + 2 * SECOND),
        Case("used_by_another", "nonces are each sender's own").but(used=[[OTHER.ss58_address, NOW]]),
        Case("used_another", "another nonce was used").but(used=[[SENDER.ss58_address, NOW - 1]]),
    ]
    refused = [
        Case("older", "a nanosecond too old", nonce_ns=NOW - 10 * SECOND - 1),
        Case("further_ahead", "a nanosecond too far ahead", nonce_ns=NOW + 2 * SECOND + 1),
        Case("used", "the nonce was used").but(used=[[SENDER.ss58_address, NOW]]),
        Case("for_another_server", "signed for another receiver", receiver_ss58=OTHER.ss58_address),
        Case("for_nobody", "signed without a receiver", receiver_ss58=None),
        Case("other_body", "a byte more").but(body=BODY + b" "),
        Case("other_method", "sent with another method").but(method="PUT"),
        Case("other_target", "another query").but(target="/7/score/alerts?explain=full"),
        Case("queries_in_another_order", "the target is signed as it is sent", target="/7/s?a=1&b=2").but(target="/7/s?b=2&a=1"),
        flipped(Case("signature_flipped", "one digit")),
        Case("other_sender", "somebody else's address").header("x-bittensor-hotkey", OTHER.ss58_address),
        Case("receiver_put_in", "named afterwards", receiver_ss58=None).header("x-bittensor-receiver", SERVER.ss58_address),
        Case("other_nonce", "a nonce that was not signed").header("x-bittensor-nonce", str(NOW + 1)),
        *[Case(f"without_{name}", "a header is missing").header(f"x-bittensor-{name}", None)
          for name in ("version", "hotkey", "nonce", "signature", "receiver")],
        Case("other_version", "a version to come").header("x-bittensor-version", "2"),
        Case("nonce_in_words", "no number").header("x-bittensor-nonce", "now"),
        Case("signature_in_words", "no digits").header("x-bittensor-signature", "0xsigned"),
        Case("signature_too_short", "63 bytes").header("x-bittensor-signature", "0x" + "ab" * 63),
        Case("hotkey_no_address", "no address").header("x-bittensor-hotkey", "somebody"),
        Case("unknown_scheme", "a scheme that nobody knows").header("x-bittensor-crypto", "rsa"),
    ]
    for case in unchanged:
        assert "sender" in case.verdict(), (case.name, case.verdict())
    for case in refused:
        assert "refused" in case.verdict(), case.name
    return [case.row() for case in (*unchanged, *refused)]


def main():
    dump = lambda value: json.dumps(value, sort_keys=True, separators=(",", ":"))
    version = importlib.metadata.version("bittensor")
    head = {"format": "aml-conformance", "version": 1, "pages": ["docs/running_a_miner.md"], "captured": f"bittensor {version}"}
    lines = [f'"{name}":{dump(value)}' for name, value in head.items()]
    rows = ",\n".join(dump(row) for row in cases())
    lines.append(f'"cases":[\n{rows}\n]')
    OUT.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{OUT.name}: {rows.count(chr(10)) + 1} cases of bittensor {version}")


if __name__ == "__main__":
    main()
