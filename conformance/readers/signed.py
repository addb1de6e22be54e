"""Signed requests and answers, sealed bytes, receipts, and the form of SDK 10, as docs/running_a_miner.md, sealing.md and receipts.md tell."""
import base64
import binascii
import hashlib
import json
import math
import re
import struct

import keys
import open_answer

LONGEST_VALUE, LONGEST_RECEIPT = 256, 4096
EMPTY = hashlib.sha3_256(b"").hexdigest()
INPUTS = ("alerts", "features", "clusters", "money_flows")


class Refused(Exception):
    """By its code."""


def holds(scheme, who, message, signature):
    """Whether a signature holds. Bytes that are no key of the scheme have signed nothing."""
    try:
        return keys.holds(scheme, who, message, signature)
    except ValueError:
        return False


def sha256(text):
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()


def verdict(report, where, expected, judge):
    """Looks at a case that may be refused."""
    try:
        own = judge()
    except Refused as refused:
        own = {"refused": str(refused)}
    report.same(where, {name: value for name, value in expected.items() if name != "says"}, own)


# --- headers -----------------------------------------------------------------------------------------------------------

def maybe(headers, name):
    """The value of a header that stands there once, or None."""
    values = [value for known, value in headers if known.lower() == name]
    if len(values) > 1 or any(len(value) > LONGEST_VALUE for value in values):
        raise Refused("malformed_auth")
    return values[0] if values else None


def need(headers, name):
    value = maybe(headers, name)
    if not value:
        raise Refused("malformed_auth")
    return value


def nonce_of(text):
    if not re.fullmatch("[0-9]{1,20}", text) or int(text) >= 1 << 64:
        raise Refused("malformed_auth")
    return int(text)


def signature_of(text, demands_prefix):
    digits = text.removeprefix("0x")
    if (demands_prefix and digits == text) or not re.fullmatch("[0-9a-fA-F]{128}", digits):
        raise Refused("malformed_auth")
    return bytes.fromhex(digits)


def scheme_of(text):
    if text not in (None, "sr25519", "ed25519"):
        raise Refused("malformed_auth")
    return text or "sr25519"


def address(text, code):
    try:
        keys.public_key(text)
    except ValueError:
        raise Refused(code) from None
    return text


def any_key(text):
    """The key of an address of whatever network."""
    number = 0
    for letter in text:
        if letter not in keys.LETTERS:
            raise Refused("malformed_auth")
        number = number * 58 + keys.LETTERS.index(letter)
    leading = len(text) - len(text.lstrip("1"))
    data = bytes(leading) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    prefix = 2 if data and data[0] & 0x40 else 1
    if len(data) != prefix + 34 or hashlib.blake2b(b"SS58PRE" + data[:-2]).digest()[:2] != data[-2:]:
        raise Refused("malformed_auth")
    return data[prefix:-2]


def fresh(nonce, server):
    if server["now_ns"] - nonce > server["back_ns"] or nonce - server["now_ns"] > server["ahead_ns"]:
        raise Refused("stale_request")


# --- requests ----------------------------------------------------------------------------------------------------------

def request_payload(scheme, method, target, body, nonce, sender, receiver):
    return "\n".join(["btauth/1", scheme, method.upper(), target, sha256(body), str(nonce), sender, receiver or "-"])


def received(case):
    server, got = case["server"], case["received"]
    headers = got["headers"]
    if maybe(headers, "x-bittensor-version") != "1":
        raise Refused("malformed_auth")
    sender = address(need(headers, "x-bittensor-hotkey"), "malformed_auth")
    nonce = nonce_of(need(headers, "x-bittensor-nonce"))
    scheme = scheme_of(maybe(headers, "x-bittensor-crypto"))
    signature = signature_of(need(headers, "x-bittensor-signature"), False)
    receiver = maybe(headers, "x-bittensor-receiver")
    if server["scheme"] not in (None, scheme):
        raise Refused("malformed_auth")
    if receiver is None or address(receiver, "wrong_receiver") != server["hotkey"]:
        raise Refused("wrong_receiver")
    fresh(nonce, server)
    body = bytes.fromhex(got["body_hex"]) if "body_hex" in got else got["body"]
    text = request_payload(scheme, got["method"], got["target"], body, nonce, sender, receiver)
    if not holds(scheme, sender, text.encode(), signature):
        raise Refused("bad_signature")
    if nonce < server["started_ns"]:
        raise Refused("stale_request")
    if [sender, nonce] in server["used"]:
        raise Refused("replayed_request")
    return {"sender": sender}


def key_of(file, name):
    """A key of the file, looked at: its address is that of its public bytes."""
    key = next(key for key in file["keys"] if key["name"] == name)
    if keys.public_key(key["address"]).hex() != key["public"]:
        raise ValueError(f"the key {name} has another address")
    return key


def signs(report, where, key, signature_name, case, text):
    """What a sender writes: the payload, and a signature over it; of ed25519 the very same one."""
    report.same(f"{where}: payload", case["expected"]["payload"], text)
    headers = case["expected"]["headers"] if "headers" in case["expected"] else [[signature_name, case["expected"]["signature"]]]
    signature = signature_of(need(headers, signature_name), True)
    report.same(f"{where}: signature", True, holds(key["scheme"], key["address"], text.encode(), signature))
    if key["scheme"] == "ed25519":
        report.same(f"{where}: the same signature", signature, ed25519(key["seed"], text))


def ed25519(seed, text):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).sign(text.encode())


def btauth(file, report):
    for case in file["cases"]:
        where = f"btauth {case['name']}"
        if case["do"] == "verify":
            verdict(report, where, case["expected"], lambda: received(case))
            continue
        key = key_of(file, case["key"])
        text = request_payload(key["scheme"], case["method"], case["target"], case["body"], case["nonce"], key["address"], case["receiver"])
        signs(report, where, key, "x-bittensor-signature", case, text)
        own = [["x-bittensor-hotkey", key["address"]], ["x-bittensor-nonce", str(case["nonce"])],
               ["x-bittensor-receiver", case["receiver"]], ["x-bittensor-version", "1"]]
        own += [["x-bittensor-crypto", "ed25519"]] if key["scheme"] == "ed25519" else []
        there = [header for header in case["expected"]["headers"] if header[0] != "x-bittensor-signature"]
        report.same(f"{where}: headers", sorted(there), sorted(own))


# --- answers -----------------------------------------------------------------------------------------------------------

def first_payload(scheme, status, sent, miner, asked):
    return ["amlanswer/1", scheme, status, sent, asked["nonce"], miner, asked["validator"], asked["body_sha256"]]


def second_payload(scheme, status, plain, sent, encoding, beacon, miner, asked):
    return ["amlanswer/2", scheme, status, asked["task"], asked["commitment"], asked["body_sha256"], asked["decoded_sha256"],
            plain, sent, encoding, beacon or "none", miner, asked["validator"], asked["nonce"]]


def lined(parts):
    return "\n".join(str(part) for part in parts)


def came(case):
    got, asked, miner = case["came"], case["asked"], case["miner"]
    headers, sent = got["headers"], sha256(got["body"])
    is_second = any(name.lower() == "x-aml-answer-version" for name, _ in headers)
    if is_second and need(headers, "x-aml-answer-version") != "2":
        raise Refused("malformed_auth")
    if need(headers, "x-aml-answer-hotkey") != miner:
        raise Refused("wrong_receiver")
    if nonce_of(need(headers, "x-aml-answer-nonce")) != asked["nonce"]:
        raise Refused("malformed_auth")
    told = {"form": 1}
    if is_second:
        told = second_of(headers, sent)
    scheme = scheme_of(maybe(headers, "x-aml-answer-crypto"))
    signature = signature_of(need(headers, "x-aml-answer-signature"), True)
    if is_second:
        parts = second_payload(scheme, got["status"], told["plain"], sent, told["encoding"], told["beacon"], miner, asked)
    else:
        parts = first_payload(scheme, got["status"], sent, miner, asked)
    if not holds(scheme, miner, lined(parts).encode(), signature):
        raise Refused("bad_signature")
    return told


def second_of(headers, sent):
    plain, encoding = need(headers, "x-aml-answer-plain"), need(headers, "x-aml-answer-encoding")
    beacon = maybe(headers, "x-aml-answer-beacon")
    if not re.fullmatch("[0-9a-f]{64}", plain) or encoding not in ("identity", "amlsealed/1"):
        raise Refused("malformed_auth")
    if beacon is not None and not re.fullmatch("(quicknet|development):[1-9][0-9]*", beacon):
        raise Refused("malformed_auth")
    if (beacon is None and plain == sent) if encoding == "identity" else beacon is not None:
        return {"form": 2, "plain": plain, "encoding": encoding, "beacon": beacon}
    raise Refused("malformed_auth")


def answers(file, report):
    for case in file["cases"]:
        where = f"answers {case['name']}"
        if case["do"] == "verify":
            verdict(report, where, case["expected"], lambda: came(case))
            continue
        key, got, asked = key_of(file, case["key"]), case["came"], case["asked"]
        sent = sha256(got["body"])
        if "plain" in case:
            encoding = "amlsealed/1" if case["beacon"] else "identity"
            parts = second_payload(key["scheme"], got["status"], sha256(case["plain"]), sent, encoding, case["beacon"], key["address"], asked)
        else:
            parts = first_payload(key["scheme"], got["status"], sent, key["address"], asked)
        signs(report, where, key, "x-aml-answer-signature", case, lined(parts))


# --- sealed bytes ------------------------------------------------------------------------------------------------------

QUICKNET = bytes.fromhex("52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971")
MAGIC, HEAD, TAG = b"amlsealed/1\n", 232, 16
UNLOCKED = {}


def unlocked(locked, signature):
    """Pairings in Python take seconds, so what was opened once is kept."""
    if (locked, signature) not in UNLOCKED:
        try:
            UNLOCKED[locked, signature] = open_answer.unlock(locked, signature)
        except open_answer.Wrong:
            UNLOCKED[locked, signature] = None
    return UNLOCKED[locked, signature]


def opened(case):
    import zstandard
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    data = bytes.fromhex(case["bytes"])
    if data[:12] != MAGIC[: len(data[:12])]:
        raise Refused("other_form")
    if len(data) < HEAD + TAG:
        raise Refused("truncated")
    beacon, _, round_ = case["beacon"].partition(":")
    if beacon != "quicknet" or data[12:44] != QUICKNET:
        raise Refused("other_beacon")
    if struct.unpack(">Q", data[44:52])[0] != int(round_) or case["signature_of"] != int(round_):
        raise Refused("other_round")
    length = struct.unpack(">Q", data[224:232])[0]
    if length > case["most"] + LONGEST_RECEIPT + 1:
        raise Refused("bomb")
    key = unlocked(data[52:212], bytes.fromhex(case["signature"]))
    if key is None:
        raise Refused("locked_otherwise")
    bound = data[:HEAD] + keys.public_key(case["miner"]) + keys.public_key(case["validator"]) + bytes.fromhex(case["task"])
    try:
        frame = AESGCM(key).decrypt(data[212:224], data[HEAD:], bound)
    except InvalidTag:
        raise Refused("not_its_own") from None
    try:
        plain = zstandard.ZstdDecompressor().decompress(frame) if zstandard.frame_content_size(frame) == length else b""
    except zstandard.ZstdError:
        raise Refused("bomb") from None
    if len(plain) != length:
        raise Refused("bomb")
    receipt, newline, body = plain.partition(b"\n")
    if not newline:
        raise Refused("no_answer")
    return {"receipt": receipt.decode() or None, "plain": body.decode()}


def sealed(file, report):
    for case in file["cases"]:
        verdict(report, f"sealed {case['name']}", case["expected"], lambda: opened(case))


# --- receipts ----------------------------------------------------------------------------------------------------------

FIRST = ("input_sha256", "output_sha256", "model_version", "model_sha256", "schema_sha256", "timestamp", "public_key")
SECOND = ("input_sha256", "input_form", *FIRST[1:5], "state_sha256", *FIRST[5:])
FORMS = {"json", "form", "arrow", "directory"}


def receipt_payload(stated):
    lines = [str(stated[name]) for name in (FIRST if stated["v"] == 1 else SECOND) if name != "state_sha256"]
    if stated["v"] == 2:
        lines.insert(6, stated["state_sha256"] or "-")
    return "\n".join([f"aml-receipt/{stated['v']}", *lines])


def has_fields(stated):
    """Whether it has the keys of its version; of a version that is not known those of either."""
    if not isinstance(stated, dict) or not isinstance(stated.get("v"), int) or isinstance(stated["v"], bool) or not 0 <= stated["v"] < 256:
        return False
    keys = stated.keys() - {"v", "signature"}
    if not ("signature" in stated and set(FIRST) <= keys <= set(SECOND)):
        return False
    if "input_form" in stated and not (stated["input_form"] in FORMS or stated["input_form"] is None and stated["v"] not in (1, 2)):
        return False
    state = stated.get("state_sha256")
    if state is not None and not (isinstance(state, str) and re.fullmatch("[0-9a-f]{64}", state)):
        return False
    return keys == set({1: FIRST, 2: SECOND}.get(stated["v"], keys))


def stated_in(header):
    if len(header) > LONGEST_RECEIPT or not re.fullmatch("[A-Za-z0-9_-]*", header):
        raise Refused("shape")
    try:
        stated = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except (binascii.Error, ValueError):
        raise Refused("shape") from None
    if not has_fields(stated):
        raise Refused("shape")
    texts = [stated[name] for name in FIRST if name != "timestamp"] + [stated["signature"]]
    whole = isinstance(stated["timestamp"], int) and not isinstance(stated["timestamp"], bool) and 0 <= stated["timestamp"] < 1 << 64
    if not all(isinstance(text, str) for text in texts) or not whole:
        raise Refused("shape")
    digests = [stated[name] for name in FIRST if name.endswith("sha256") or name == "public_key"]
    if not all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests):
        raise Refused("shape")
    if stated["v"] not in (1, 2):
        raise Refused("version")
    if re.search("[\r\n]", stated["model_version"]):
        raise Refused("shape")
    return stated


def shown(case):
    from judging import InvalidSignature
    from judging import holds as ed25519_holds

    stated = stated_in(case["header"])
    if case["expected_key"] not in (None, stated["public_key"]):
        raise Refused("signer")
    if not re.fullmatch("[0-9a-f]{128}", stated["signature"]):
        raise Refused("signature")
    try:
        ed25519_holds(bytes.fromhex(stated["public_key"]), bytes.fromhex(stated["signature"]), receipt_payload(stated).encode())
    except (InvalidSignature, ValueError):
        raise Refused("signature") from None
    if stated["input_sha256"] != sha256(case["request"]):
        raise Refused("request")
    if stated["output_sha256"] != sha256(case["answer"]):
        raise Refused("answer")
    told = {"public_key": stated["public_key"], "model_version": stated["model_version"]}
    return told if stated["v"] == 1 else {**told, "input_form": stated["input_form"], "state_sha256": stated["state_sha256"]}


def vouched(case):
    parts = case["header"].split(" ")
    if len(parts) != 3 or not re.fullmatch("[0-9a-f]{64}", parts[1]):
        raise Refused("vouching")
    scheme, key, signature = parts
    text = "\n".join(["amlreceiptkey/1", scheme, case["miner"], key, case["request_sha256"]])
    try:
        good = holds(scheme, case["miner"], text.encode(), signature_of(signature, True))
    except (ValueError, Refused):
        good = False
    if not good:
        raise Refused("vouching")
    return {"public_key": key}


def receipts(file, report):
    for case in file["cases"]:
        where = f"receipts {case['name']}"
        if case["do"] == "sign":
            text = receipt_payload(case["receipt"])
            report.same(f"{where}: payload", case["expected"]["payload"], text)
            report.same(f"{where}: signature", case["receipt"]["signature"], ed25519(case["secret"], text).hex())
            report.same(f"{where}: header", case["receipt"], stated_in(case["expected"]["header"]))
            continue
        verdict(report, where, case["expected"], (lambda: vouched(case)) if case["do"] == "vouched" else (lambda: shown(case)))


# --- the form of SDK 10 ------------------------------------------------------------------------------------------------

def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def whole(pairs):
    """An object whose inputs and terminals stand there once."""
    names = [name for name, _ in pairs if name in INPUTS or name == "dendrite"]
    if len(names) != len(set(names)):
        raise ValueError("a field twice")
    return dict(pairs)


def parsed(text, code):
    try:
        return json.loads(text, parse_constant=refuse, object_pairs_hook=whole)
    except ValueError:
        raise Refused(code) from None


def synapse(case):
    headers, server = case["headers"], case["server"]
    sender, nonce = need(headers, "bt_header_dendrite_hotkey"), nonce_of(need(headers, "bt_header_dendrite_nonce"))
    key, uuid = any_key(sender), need(headers, "bt_header_dendrite_uuid")
    if not re.fullmatch("[0-9a-fA-F-]+", uuid):
        raise Refused("malformed_auth")
    signature = signature_of(need(headers, "bt_header_dendrite_signature"), True)
    try:
        receiver = any_key(need(headers, "bt_header_axon_hotkey"))
    except Refused:
        raise Refused("malformed_auth" if maybe(headers, "bt_header_axon_hotkey") is None else "wrong_receiver") from None
    us = keys.public_key(server["hotkey"])
    if receiver != us:
        raise Refused("wrong_receiver")
    if need(headers, "computed_body_hash") != EMPTY:
        raise Refused("malformed_auth")
    for name in INPUTS:
        need(headers, f"bt_header_input_obj_{name}")
    patience = seconds(maybe(headers, "timeout"))
    fresh(nonce, {**server, "back_ns": min(server["back_ns"], int((min(patience, 60) + 4) * 1e9))})
    text = ".".join([str(nonce), sender, server["hotkey"], uuid, EMPTY])
    if not holds("sr25519", open_address(key), text.encode(), signature):
        raise Refused("bad_signature")
    body = parsed(case["body"], "malformed_body")
    if not isinstance(body, dict) or not all(isinstance(body.get(name), list) for name in INPUTS):
        raise Refused("malformed_body")
    named = (body.get("dendrite") or {}).get("hotkey")
    if named is not None and any_key(named) != key:
        raise Refused("malformed_auth")
    return {"sender": open_address(key)}


def seconds(text):
    try:
        number = 12.0 if text is None else float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise Refused("malformed_auth")
    return number


def open_address(key):
    """The address of this network."""
    data = bytes([keys.PREFIX]) + key
    data += hashlib.blake2b(b"SS58PRE" + data).digest()[:2]
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = keys.LETTERS[rest] + text
    return text


def reply(case):
    headers = {name.lower(): value for name, value in case["headers"]}
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if "content-encoding" in headers or not re.fullmatch(r"application/(json|.*\+json)", kind):
        raise Refused("unreadable")
    said = headers.get("bt_header_axon_status_code")
    if said is not None and not re.fullmatch("[0-9]{1,5}", said):
        raise Refused("unreadable")
    if case["status"] != 200 and said != "200":
        parsed(case["body"], "unreadable")
        raise Refused("status")
    body = parsed(case["body"], "unreadable")
    if not isinstance(body, dict) or not all(isinstance(body.get(name), list) for name in INPUTS):
        raise Refused("unreadable")
    status = int(said) if said is not None else (body.get("axon") or {}).get("status_code")
    if status != 200:
        raise Refused("no_status" if status is None else "status")
    scores = body.get("scores")
    if scores is not None and not isinstance(scores, list):
        raise Refused("unreadable")
    return {"scores": scores, "miner_id": body.get("miner_id"), "model_version": body.get("model_version")}


def v10(file, report):
    for case in file["cases"]:
        where, expected = f"v10 {case['name']}", dict(case["expected"])
        if case["do"] == "request":
            verdict(report, where, expected, lambda: synapse(case))
        elif case["do"] == "reply":
            if expected.get("scores") is not None:
                expected["scores"] = json.loads(expected["scores"])
            verdict(report, where, expected, lambda: reply(case))
        else:
            key = key_of(file, case["key"])
            text = ".".join([str(case["nonce"]), key["address"], case["receiver"], case["uuid"], EMPTY])
            signs(report, where, key, "bt_header_dendrite_signature", case, text)
