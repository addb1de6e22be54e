"""Receipts as the inference API signs them (docs/receipts.md), without anything but Python.

Ed25519 as in RFC 8032, in plain integers: slow (some ten milliseconds a signature) and not safe from somebody who measures
the time, which is enough for the demo's own keys.
"""
import base64
import hashlib
import json
import time

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
IDENTITY = (0, 1, 1, 0)


def add(a, b):
    """The sum of two points in extended coordinates."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number, point):
    result = IDENTITY
    while number:
        if number & 1:
            result = add(result, point)
        point, number = add(point, point), number >> 1
    return result


def base_point():
    y = 4 * pow(5, P - 2, P) % P
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    x = P - x if x & 1 else x
    return x, y, 1, x * y % P


BASE = base_point()


def packed(point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def number(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


class Key:
    """A signing key from 32 secret bytes."""

    def __init__(self, secret: bytes):
        digest = hashlib.sha512(secret).digest()
        self.scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | (1 << 254)
        self.prefix = digest[32:]
        self.public = packed(times(self.scalar, BASE))

    def sign(self, message: bytes) -> bytes:
        nonce = number(self.prefix, message) % ORDER
        point = packed(times(nonce, BASE))
        challenge = number(point, self.public, message) % ORDER
        return point + ((nonce + challenge * self.scalar) % ORDER).to_bytes(32, "little")

    def receipt(self, request: bytes, answer: bytes, model_version: str) -> str:
        """The value of X-AML-Receipt."""
        digest = lambda content: hashlib.sha256(content).hexdigest()
        said = {
            "input_sha256": digest(request),
            "input_form": "json",
            "output_sha256": digest(answer),
            "model_version": model_version,
            "model_sha256": digest(model_version.encode()),
            "schema_sha256": digest(b"none"),
            "state_sha256": None,
            "timestamp": time.time_ns() // 1_000_000,
            "public_key": self.public.hex(),
        }
        lines = "\n".join(["aml-receipt/2", *("-" if value is None else str(value) for value in said.values())])
        receipt = {"v": 2, **said, "signature": self.sign(lines.encode()).hex()}
        return base64.urlsafe_b64encode(json.dumps(receipt).encode()).rstrip(b"=").decode()


# The second test of RFC 8032, section 7.1: a change that breaks signatures is seen at once.
assert Key(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")).sign(b"\x72").hex() == (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
