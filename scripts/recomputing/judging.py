"""Tiers 1 and 2 of one answer, and what is watched of it."""
import base64
import binascii
import hashlib
import json
import math
import re
from dataclasses import dataclass, field

import numpy as np

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    def holds(key, signature, message):
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)

except ImportError:
    from nacl.exceptions import BadSignatureError as InvalidSignature
    from nacl.signing import VerifyKey

    def holds(key, signature, message):
        VerifyKey(key).verify(message, signature)


CHECKS = ("format", "cardinality", "range", "variance", "input_digest", "output_digest", "signature", "model_version", "in_time")
GATES = frozenset(CHECKS) - {"variance", "model_version", "in_time"}
OF_RECEIPT = frozenset({"input_digest", "output_digest", "signature"})
LEAST_DEVIATION = 1e-6
TRAP_SHARE = 0.7
SEVERITIES = ("low", "medium", "high", "critical")
ENTROPY_BINS = 20
LONGEST_TEXT, LONGEST_EXPLANATION = 1024, 64 * 1024
FIELDS = {"alert_id": str, "score": float, "model_version": str, "latency_ms": float, "explain_json": str}
# What a receipt says, in the order in which it is signed, by version.
SIGNED = {
    1: ("input_sha256", "output_sha256", "model_version", "model_sha256", "schema_sha256", "timestamp", "public_key"),
    2: ("input_sha256", "input_form", "output_sha256", "model_version", "model_sha256", "schema_sha256", "state_sha256", "timestamp",
        "public_key"),
}
INPUT_FORMS = ("json", "form", "arrow", "directory")
LONGEST_RECEIPT = 4096


@dataclass
class Judged:
    """What an answer is worth on its own. `scores` are those of the roster, None where the submission does not count."""

    failed: frozenset = frozenset()
    looked_at: bool = False
    model_version: str | None = None
    receipt_key: str | None = None
    scores: np.ndarray | None = None
    groups: list = field(default_factory=list)

    @property
    def tier1(self):
        return (len(CHECKS) - len(self.failed)) / len(CHECKS) if self.looked_at else None

    @property
    def tier2(self):
        return sum(passed for _, _, passed in self.groups) / len(self.groups) if self.groups else None


@dataclass
class Sheet:
    """What a miner was sent: all ids in its order, where the roster's alerts stand, and the groups of traps by place."""

    ids: list
    places: list
    groups: list
    unsigned_counts: bool = False


def sheet_of(task, ask):
    """The list of all miners where the task is common, else the roster with the miner's own traps at their places."""
    common = task.get("common")
    if common:
        places = {alert["of"]: place for place, alert in enumerate(common["alerts"]) if alert["of"] is not None}
        ids = [alert["id"] for alert in common["alerts"]]
        own = [places[row] for row in range(len(task["roster"]))]
        return Sheet(ids, own, common["groups"], common.get("accept_unsigned", False))
    issued = dict(ask["issued"])
    rest = iter(row["alert_id"] for row in task["roster"])
    every = range(len(task["roster"]) + len(issued))
    ids = [issued[place] if place in issued else next(rest) for place in every]
    return Sheet(ids, [place for place in every if place not in issued], ask["groups"])


@dataclass
class Asked:
    """SHA-256 of a task as JSON, of the body that was sent, and of that body after its encoding is undone."""

    task: str
    sent: str
    read: str


def asked(task, answer):
    """What an answer is to; `read` is None where the task does not have what is said to have been sent."""
    sent, common = answer["request"], task.get("common")
    of = common["body"] if common else sent
    if answer.get("request_form", "json") == "json":
        return Asked(of, sent, sent)
    arrow = task.get("arrow") or {}
    own = arrow.get("sent") == sent and answer["hotkey"] in arrow.get("to", [])
    return Asked(of, sent, arrow["decoded"] if own else None)


def committed(task):
    """What is committed to, as JSON without spaces."""
    common = task.get("common")
    if common:
        ids = [row["alert_id"] for row in task["roster"]]
        named = {kind: [[name["id"], name["of"]] for name in common[kind]] for kind in ("clusters", "patterns")}
        alerts = [[alert["id"], None if alert["of"] is None else ids[alert["of"]]] for alert in common["alerts"]]
        listed = {"alerts": alerts, "groups": groups_of(common), **named, "body": common["body"]}
    else:
        listed = [{"hotkey": hotkey, "issued": ask["issued"], "groups": groups_of(ask)} for hotkey, ask in task["asks"].items()]
    return json.dumps(listed, separators=(",", ":"), ensure_ascii=False)


def groups_of(part):
    return [{name: group[name] for name in ("name", "expected", "places")} for group in part["groups"]]


def judge(task, answer, body):
    """Both tiers of an answer; nothing is looked at without a good one."""
    if answer["reply"]["kind"] != "answered" or body is None:
        return Judged()
    ask = task["asks"][answer["hotkey"]]
    sheet = sheet_of(task, ask)
    failed, version, scores = read(sheet.ids, body)
    key, faults = receipt(answer, expected_key(ask, answer), body, asked(task, answer).read)
    failed |= faults
    if not answer["in_time"]:
        failed.add("in_time")
    judged = Judged(frozenset(failed), True, version, key)
    waived = OF_RECEIPT if sheet.unsigned_counts and answer["form"] == "v10" else frozenset()
    came_open = task.get("sealing") is not None and answer.get("sealed") is None
    if not failed & (GATES - waived) and not came_open:
        judged.groups = traps(sheet.groups, scores)
        judged.scores = scores[sheet.places]
    return judged


def read(ids, body):
    """(failed checks, model version, scores in the order of `ids`) of a raw answer."""
    try:
        rows = rows_of(body, len(ids) + 1)
    except ValueError:
        return {"format", "cardinality", "range", "variance", "model_version"}, None, None
    failed = set()
    version = rows[0]["model_version"] if rows and rows[0]["model_version"].strip() else None
    if version is None or any(row["model_version"] != version for row in rows):
        failed.add("model_version")
    given = {row["alert_id"]: row["score"] for row in rows}
    if len(given) != len(rows) or set(given) != set(ids):
        return failed | {"cardinality", "variance"}, version, None
    scores = np.array([given[name] for name in ids], dtype=float)
    if not all(0 <= score <= 1 for score in scores):
        return failed | {"range", "variance"}, version, None
    if len(scores) == 0 or np.std(scores) <= LEAST_DEVIATION:
        failed.add("variance")
    return failed, version, scores + 0.0


def rows_of(body, most):
    """The rows of an answer, or ValueError."""
    rows = json.loads(body.decode("utf-8"), parse_constant=refuse, object_pairs_hook=once)
    if not isinstance(rows, list) or len(rows) > most:
        raise ValueError("no list of so few rows")
    return [row_of(row) for row in rows]


def row_of(row):
    if not isinstance(row, dict) or not FIELDS.keys() <= row.keys():
        raise ValueError("no row")
    for name, kind in FIELDS.items():
        value = row[name]
        if kind is str and not isinstance(value, str):
            raise ValueError(f"{name} is no text")
        if kind is float and (isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)):
            raise ValueError(f"{name} is no number")
    if len(row["explain_json"].encode()) > LONGEST_EXPLANATION:
        raise ValueError("a long explanation")
    if any(len(row[name].encode()) > LONGEST_TEXT for name in ("alert_id", "model_version")):
        raise ValueError("a long text")
    return row


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def once(pairs):
    known = [name for name, _ in pairs if name in FIELDS]
    if len(known) != len(set(known)):
        raise ValueError("a field twice")
    return dict(pairs)


def expected_key(ask, answer):
    """The key that the hotkey vouches for, else the known one. The hotkey's own signature (sr25519) is not checked here."""
    vouched = answer["headers"].get("x-aml-receipt-key", "").split(" ")
    return vouched[1] if len(vouched) == 3 else ask["receipt_key"]


def receipt(answer, expected_key, body, read):
    """(key, failed checks) of a receipt; `read` is the digest of the request after its encoding is undone."""
    every = {"input_digest", "output_digest", "signature"}
    try:
        stated = receipt_of(answer["receipt"])
    except ValueError:
        return None, every
    failed = set()
    if expected_key not in (None, stated["public_key"]) or not is_signed(stated):
        failed.add("signature")
    if stated["input_sha256"] != read:
        failed.add("input_digest")
    if stated["output_sha256"] != hashlib.sha256(body).hexdigest():
        failed.add("output_digest")
    return (None if failed else stated["public_key"]), failed


def receipt_of(header):
    if header is None or len(header) > LONGEST_RECEIPT or not re.fullmatch(r"[A-Za-z0-9_-]*", header):
        raise ValueError("no receipt")
    try:
        stated = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("no receipt") from error
    version = stated.get("v") if isinstance(stated, dict) else None
    if isinstance(version, bool) or version not in (1, 2) or stated.keys() != {"v", "signature", *SIGNED[version]}:
        raise ValueError("no receipt of version 1 or 2")
    if version == 2 and stated["input_form"] not in INPUT_FORMS:
        raise ValueError("no form")
    digests = [stated[name] for name in ("input_sha256", "output_sha256", "model_sha256", "schema_sha256", "public_key")]
    digests += [stated["state_sha256"]] if stated.get("state_sha256") is not None else []
    if not all(isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest) for digest in digests):
        raise ValueError("no digests")
    if re.search(r"[\r\n]", stated["model_version"]):
        raise ValueError("a line break")
    return stated


def is_signed(stated):
    """Whether the Ed25519 signature holds."""
    if not re.fullmatch("[0-9a-f]{128}", stated["signature"]):
        return False
    said = ["-" if stated[name] is None else str(stated[name]) for name in SIGNED[stated["v"]]]
    message = "\n".join([f"aml-receipt/{stated['v']}", *said]).encode()
    try:
        holds(bytes.fromhex(stated["public_key"]), bytes.fromhex(stated["signature"]), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def traps(groups, scores):
    """(name, share, passed) of each group."""
    top, middle = np.percentile(scores, 90), np.percentile(scores, 50)
    found = []
    for group in (group for group in groups if group["places"]):
        there = scores[group["places"]]
        share = float(np.mean(there > top if group["expected"] == "high" else there < middle))
        found.append((group["name"], share, share >= TRAP_SHARE))
    return found


def monotonicity(roster, scores):
    """Share of neighbouring severities whose medians rise."""
    return rising_by(by_severity(roster), scores)


def by_severity(roster):
    """Places of the alerts of each severity that there is, from the lowest."""
    severities = np.array([row["severity"] for row in roster])
    return [places for places in (np.flatnonzero(severities == name) for name in SEVERITIES) if len(places)]


def rising_by(places, scores):
    medians = [middle(scores[some]) for some in places]
    rises = [low < high for low, high in zip(medians, medians[1:])]
    return sum(rises) / len(rises) if rises else None


def middle(values):
    """The median; `np.median` takes five times as long for a few hundred values."""
    half, ordered = len(values) // 2, np.sort(values)
    return ordered[half] if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2


def entropy(scores):
    """Over twenty bins, 1 when all are alike."""
    counts, _ = np.histogram(np.minimum((scores * ENTROPY_BINS).astype(int), ENTROPY_BINS - 1), bins=range(ENTROPY_BINS + 1))
    shares = counts[counts > 0] / len(scores)
    return float(-np.sum(shares * np.log(shares)) / math.log(ENTROPY_BINS))
