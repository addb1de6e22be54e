"""Signatures of hotkeys: addresses, sr25519 and ed25519."""
import hashlib

import sr25519

from judging import InvalidSignature, holds as ed25519_holds

LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
PREFIX = 42


def public_key(ss58):
    """The 32 bytes of an address, or ValueError."""
    number = 0
    for letter in ss58:
        number = number * 58 + LETTERS.index(letter)
    data = number.to_bytes(35, "big") if number < 1 << 280 else b""
    if not data or data[0] != PREFIX or hashlib.blake2b(b"SS58PRE" + data[:33]).digest()[:2] != data[33:]:
        raise ValueError(f"{ss58} is no address")
    return data[1:33]


def holds(scheme, ss58, message, signature):
    """Whether a signature is an address's over a message; ValueError where that is no question."""
    if scheme not in ("sr25519", "ed25519") or len(signature) != 64:
        raise ValueError("no signature of a scheme that is known")
    key = public_key(ss58)
    if scheme == "sr25519":
        return sr25519.verify(signature, message, key)
    try:
        ed25519_holds(key, signature, message)
    except InvalidSignature:
        return False
    return True
