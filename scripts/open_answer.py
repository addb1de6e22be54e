#!/usr/bin/env python3
"""Opens a sealed answer, as docs/sealing.md describes it, without a line of the program that sealed it.

    pip install cryptography zstandard
    scripts/open_answer.py ANSWER --signature HEX --miner SS58 --validator SS58 --task HEX [--plain HEX] > answer.json

ANSWER is a file with the bytes that were sent (in an export of the ledger: `bodies/CIPHER.zst`, which is unpacked here). The
signature is the beacon's of the answer's round: `https://api.drand.sh/CHAIN/public/ROUND`, or `beacon` of the round in the
ledger. The receipt goes to standard error. Exit codes: 0 opened, 1 something is wrong with the answer, 2 usage.

Everything about BLS12-381 that is needed to open a key stands here in plain Python: fields, the pairing, points. It takes a
second or two, and nothing in it is constant-time: it handles no secret.
"""

import argparse
import hashlib
import struct
import sys

# --- BLS12-381 ---------------------------------------------------------------------------------------------------------

P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
X = 0xD201000000010000  # the curve's parameter is -X
GENERATOR = "93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e" \
            "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"


class Wrong(Exception):
    """Something is wrong with the answer."""


def sqrt(a):
    """A square root modulo P, or None."""
    root = pow(a, (P + 1) // 4, P)
    return root if root * root % P == a % P else None


# Fq2: pairs (a, b) for a + b u, u^2 = -1.
def add2(a, b):
    return ((a[0] + b[0]) % P, (a[1] + b[1]) % P)


def sub2(a, b):
    return ((a[0] - b[0]) % P, (a[1] - b[1]) % P)


def mul2(a, b):
    return ((a[0] * b[0] - a[1] * b[1]) % P, (a[0] * b[1] + a[1] * b[0]) % P)


def inv2(a):
    norm = pow(a[0] * a[0] + a[1] * a[1], -1, P)
    return (a[0] * norm % P, -a[1] * norm % P)


def sqrt2(a):
    """A square root in Fq2, or None."""
    if a[1] == 0:
        root = sqrt(a[0])
        return (root, 0) if root is not None else (0, sqrt(-a[0] % P))
    norm = sqrt((a[0] * a[0] + a[1] * a[1]) % P)
    if norm is None:
        return None
    half = pow(2, -1, P)
    for sign in (norm, -norm):
        real = sqrt((a[0] + sign) * half % P)
        if real:
            root = (real, a[1] * pow(2 * real, -1, P) % P)
            if mul2(root, root) == (a[0] % P, a[1] % P):
                return root
    return None


# Fq12: six coefficients of Fq2 by powers of w, w^6 = 1 + u.
ONE = [(1, 0)] + [(0, 0)] * 5


def times_xi(a):
    return ((a[0] - a[1]) % P, (a[0] + a[1]) % P)


def mul12(a, b):
    out = [(0, 0)] * 11
    for i, left in enumerate(a):
        if left == (0, 0):
            continue
        for j, right in enumerate(b):
            if right != (0, 0):
                out[i + j] = add2(out[i + j], mul2(left, right))
    return [add2(out[i], times_xi(out[i + 6])) if i < 5 else out[i] for i in range(6)]


def pow12(a, exponent):
    out = ONE
    for bit in bin(exponent)[2:]:
        out = mul12(out, out)
        if bit == "1":
            out = mul12(out, a)
    return out


def conjugate(a):
    """The power P^6: w becomes -w."""
    return [c if i % 2 == 0 else (-c[0] % P, -c[1] % P) for i, c in enumerate(a)]


def double(point):
    x, y = point
    slope = mul2(mul2((3, 0), mul2(x, x)), inv2(add2(y, y)))
    return step(slope, point, point)


def step(slope, a, b):
    x = sub2(sub2(mul2(slope, slope), a[0]), b[0])
    return (x, sub2(mul2(slope, sub2(a[0], x)), a[1]))


def plus(a, b):
    """The sum of two points of G2; None is the point at infinity."""
    if a is None or b is None:
        return a if b is None else b
    if a[0] == b[0]:
        return double(a) if a[1] == b[1] else None
    return step(mul2(sub2(b[1], a[1]), inv2(sub2(b[0], a[0]))), a, b)


def times(point, scalar):
    out = None
    for bit in bin(scalar)[2:]:
        out = plus(out, out)
        if bit == "1":
            out = plus(out, point)
    return out


def line(slope, at, g1):
    """The line through the untwisted point `at` with this slope, at a point of G1, times w^3."""
    x, y = g1
    # y - slope/w (x - X/w^2) - Y/w^3, times w^3: (slope X - Y) - slope x w^2 + y w^3
    constant = sub2(mul2(slope, at[0]), at[1])
    return [constant, (0, 0), (-slope[0] * x % P, -slope[1] * x % P), (y, 0), (0, 0), (0, 0)]


def pairing(g2, g1):
    """e(g1, g2), as the libraries of the beacon have it: cubed."""
    f, point = ONE, g2
    for bit in bin(X)[3:]:
        slope = mul2(mul2((3, 0), mul2(point[0], point[0])), inv2(add2(point[1], point[1])))
        f = mul12(mul12(f, f), line(slope, point, g1))
        point = double(point)
        if bit == "1":
            slope = mul2(sub2(g2[1], point[1]), inv2(sub2(g2[0], point[0])))
            f = mul12(f, line(slope, point, g1))
            point = plus(point, g2)
    return pow12(conjugate(f), 3 * (P**12 - 1) // R)


def written(a):
    """576 bytes: coefficients of 1, v, v^2 and then of w, vw, v^2 w (v = w^2), each as two numbers, little endian."""
    order = [0, 2, 4, 1, 3, 5]
    return b"".join(part.to_bytes(48, "little") for at in order for part in a[at])


def larger(y):
    return y > P - y


def read_g1(data):
    if len(data) != 48 or data[0] & 0xC0 != 0x80:
        raise Wrong("the signature is no compressed point of G1")
    x = int.from_bytes(bytes([data[0] & 0x1F]) + data[1:], "big")
    y = sqrt((x**3 + 4) % P) if x < P else None
    if y is None:
        raise Wrong("the signature is no point of G1")
    return (x, y if larger(y) == bool(data[0] & 0x20) else P - y)


def read_g2(data):
    if len(data) != 96 or data[0] & 0xC0 != 0x80:
        raise Wrong("the locked key has no compressed point of G2")
    imaginary = int.from_bytes(bytes([data[0] & 0x1F]) + data[1:48], "big")
    x = (int.from_bytes(data[48:], "big"), imaginary)
    y = sqrt2(add2(mul2(x, mul2(x, x)), (4, 4))) if max(x) < P else None
    if y is None:
        raise Wrong("the locked key has no point of G2")
    is_larger = larger(y[1]) if y[1] else larger(y[0])
    if is_larger != bool(data[0] & 0x20):
        y = (-y[0] % P, -y[1] % P)
    return (x, y)


# --- the form ----------------------------------------------------------------------------------------------------------

MAGIC = b"amlsealed/1\n"
HEAD = 232


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def unlock(locked, signature):
    """The key of 32 bytes that was locked to the round of this signature."""
    u, v, w = read_g2(locked[:96]), locked[96:128], locked[128:160]
    sigma = xor(v, hashlib.sha256(written(pairing(u, read_g1(signature)))).digest())
    key = xor(w, hashlib.sha256(sigma).digest())
    r = int.from_bytes(hashlib.sha256(sigma + key).digest(), "big") % R
    if times(read_g2(bytes.fromhex(GENERATOR)), r) != u:
        raise Wrong("the signature does not open the key: it is another round's, or the answer was changed")
    return key


def public_key(ss58):
    """The 32 bytes of an address."""
    letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number = 0
    for letter in ss58:
        number = number * 58 + letters.index(letter)
    data = number.to_bytes(35, "big")
    if data[0] != 42 or hashlib.blake2b(b"SS58PRE" + data[:33]).digest()[:2] != data[33:]:
        raise ValueError(f"{ss58} is no address with prefix 42")
    return data[1:33]


def open_answer(data, signature, miner, validator, task):
    """The receipt and the plain answer; raises Wrong."""
    import zstandard
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if data[:12] != MAGIC:
        raise Wrong("this is not of the form amlsealed/1")
    if len(data) < HEAD + 16:
        raise Wrong("it ends too early")
    nonce, length = data[212:224], struct.unpack(">Q", data[224:232])[0]
    key = unlock(data[52:212], signature)
    try:
        frame = AESGCM(key).decrypt(nonce, data[HEAD:], data[:HEAD] + miner + validator + task)
    except InvalidTag:
        raise Wrong("it was sealed by, for or about somebody or something else, or was changed") from None
    try:
        told = zstandard.frame_content_size(frame)
        plain = zstandard.ZstdDecompressor().decompress(frame) if told == length else b""
    except zstandard.ZstdError as error:
        raise Wrong(f"it does not unpack: {error}") from None
    if len(plain) != length:
        raise Wrong("it does not unpack to what it says")
    receipt, newline, body = plain.partition(b"\n")
    if not newline:
        raise Wrong("what was sealed is no answer")
    return receipt, body


def main():
    parser = argparse.ArgumentParser(description="Opens a sealed answer (docs/sealing.md).")
    parser.add_argument("answer", help="file with the bytes that were sent, or the .zst of an export")
    parser.add_argument("--signature", required=True, help="the beacon's of the answer's round, 96 hex digits")
    parser.add_argument("--miner", required=True, help="the miner's address")
    parser.add_argument("--validator", required=True, help="the validator's address")
    parser.add_argument("--task", required=True, help="SHA-256 of the task, 64 hex digits")
    parser.add_argument("--plain", help="SHA-256 of the plain answer, as it was signed")
    options = parser.parse_args()
    try:
        with open(options.answer, "rb") as file:
            data = file.read()
        if options.answer.endswith(".zst"):
            import zstandard

            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=1 << 30)
        signature, task = bytes.fromhex(options.signature), bytes.fromhex(options.task)
        keys = [public_key(options.miner), public_key(options.validator)]
    except (OSError, ValueError) as error:
        print(f"open_answer.py: {error}", file=sys.stderr)
        return 2
    try:
        if data[:12] == MAGIC and len(data) >= 52:
            print(f"sealed to round {struct.unpack('>Q', data[44:52])[0]} of {data[12:44].hex()}", file=sys.stderr)
        receipt, body = open_answer(data, signature, *keys, task)
        digest = hashlib.sha256(body).hexdigest()
        if options.plain and options.plain != digest:
            raise Wrong(f"it opens to {digest}, signed was {options.plain}")
    except Wrong as wrong:
        print(f"open_answer.py: {wrong}", file=sys.stderr)
        return 1
    print(f"receipt {receipt.decode()}", file=sys.stderr)
    sys.stdout.buffer.write(body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
