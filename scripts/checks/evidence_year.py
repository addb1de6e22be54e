#!/usr/bin/env python3
"""How long packs of a large subnet take to check: makes them with real signatures, from random scores, and times the checker.

    evidence_year.py FOLDER [--days 60] [--miners 256] [--alerts 1000]

What is made holds: standings, voices and scores are computed by the checker's own formulas, so that nothing is learned here but the time.
"""
import argparse
import base64
import hashlib
import json
import pathlib
import subprocess
import sys
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HERE / "recomputing"), str(HERE / "checks"), str(HERE)]

import numpy as np  # noqa: E402
import sr25519  # noqa: E402
import zstandard  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402

import information  # noqa: E402
import judging  # noqa: E402
import keys  # noqa: E402
import merging  # noqa: E402
import pricing as v2  # noqa: E402
from tally import Tally  # noqa: E402
from weighing import CONSTANTS, REFERENCES, standard  # noqa: E402
from worth import DAY_MS  # noqa: E402

FIRST, NETUID, WINDOW = 20_500, 7, 30
ALICE = bytes.fromhex("e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a")


def ss58(public):
    data = bytes([42]) + public
    number = int.from_bytes(data + hashlib.blake2b(b"SS58PRE" + data).digest()[:2], "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = keys.LETTERS[digit] + text
    return text


class Miner:
    def __init__(self, number):
        self.pair = sr25519.pair_from_seed(hashlib.sha256(b"miner %d" % number).digest())
        self.hotkey = ss58(self.pair[0])
        self.receipts = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"receipts %d" % number).digest())
        self.key = self.receipts.public_key().public_bytes_raw().hex()
        self.skill = 0.2 + 0.6 * ((number * 37) % 100) / 100

    def receipt(self, request, body):
        said = {"input_sha256": request, "input_form": "json", "output_sha256": body, "model_version": "1", "model_sha256": "0" * 64,
                "schema_sha256": "0" * 64, "state_sha256": None, "timestamp": 1, "public_key": self.key}
        message = "\n".join(["aml-receipt/2", *("-" if value is None else str(value) for value in said.values())]).encode()
        text = json.dumps({"v": 2, **said, "signature": self.receipts.sign(message).hex()})
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class Book:
    """What `information` reads, grown day by day."""

    def __init__(self):
        self.rounds, self.verdicts, self.columns, self.outcomes, self.tasks = {}, {}, {}, {}, {}
        self.standings, self.canonical, self.miners, self.silent = {}, {}, {}, set()

    def by_day(self):
        return sorted(self.rounds.values(), key=lambda row: row["day"])

    def hotkeys(self, round_id):
        return list(self.tasks[round_id]["asks"])

    def not_asked(self, *_):
        return False


class Year:
    def __init__(self, options):
        self.options, self.random = options, np.random.default_rng(7)
        everybody = sorted((Miner(number) for number in range(options.miners)), key=lambda one: keys.public_key(one.hotkey))
        self.miners = {one.hotkey: one for one in everybody}
        self.book = Book()
        self.known = information.Information(self.book, Tally(), 0)
        self.alice = sr25519.pair_from_seed(ALICE)

    def day(self, day, target):
        options, name = self.options, f"{NETUID}-{np.datetime64(day, 'D')}-{WINDOW}"
        opened = day * DAY_MS + DAY_MS // 2
        row = {"id": name, "netuid": NETUID, "day": day, "window_days": WINDOW, "step": 6, "rules": "v2", "batch": "0" * 64,
               "alerts": options.alerts, "opened_ms": opened, "deadline_ms": opened + 3_600_000, "published_ms": opened + 3_700_000,
               "constants": CONSTANTS, "opening_ms": None, "beacon": None, "void_ms": None, "late_ms": None, "adopted": None, "extended_ms": None}
        task, truth = self.task(name)
        task["deadline_ms"] = row["deadline_ms"]
        row["commitment"] = hashlib.sha256(bytes(task["salt"]) + judging.committed(task).encode()).hexdigest()
        grounds, standing, curve = self.standing(row)
        self.book.rounds[name], self.book.tasks[name] = row, task
        scores = {hotkey: self.scores(one, truth) for hotkey, one in self.miners.items()}
        columns = [self.column(name, hotkey, one, curve) for hotkey, one in scores.items()]
        columns += [self.column(name, reference, self.random.random(options.alerts), curve) for reference in REFERENCES]
        self.book.columns.update(((name, one["name"]), one) for one in columns)
        answers, verdicts = self.answers(row, task, scores)
        self.book.verdicts.update(((name, one["hotkey"]), one) for one in verdicts)
        canonical, voices = self.merged(columns, scores, standing)
        self.book.canonical[name] = canonical
        outcomes = self.outcomes(name, task, truth)
        self.book.outcomes[name] = outcomes
        self.book.standings[name] = [{"made_ms": opened, "packed": standing}]
        tables = {"rounds": [row], "tasks": [{"round": name, "packed": task}], "answers": answers, "verdicts": verdicts,
                  "canonical": [{"round": name, "packed": canonical}], "outcomes": outcomes, "columns": columns,
                  "curves": [{"round": name, "curve": None if curve is None else {"shares": curve}}],
                  "standings": [{"round": name, "made_ms": opened, "packed": standing}], "shares": []}
        self.write(target / f"{name}.zip", (name, tables, grounds))

    def task(self, name):
        count = self.options.alerts
        addresses = self.random.integers(0, count * 20, count)
        roster = [{"alert_id": f"{name} {at}", "address": f"address {address}", "typology": "fan_in",
                   "severity": judging.SEVERITIES[at % 4]} for at, address in enumerate(addresses)]
        common = {"alerts": [{"id": f"a{at:016x}", "of": at} for at in range(count)], "groups": [], "clusters": [], "patterns": [],
                  "body": hashlib.sha256(name.encode()).hexdigest(), "accept_unsigned": False}
        asks = {hotkey: {"uid": at, "receipt_key": one.key} for at, (hotkey, one) in enumerate(self.miners.items())}
        truth = (addresses * 2_654_435_761 % 1000 < 80).astype(float)
        return {"salt": [7] * 32, "roster": roster, "common": common, "asks": asks}, truth

    def scores(self, miner, truth):
        noise = self.random.normal(size=len(truth))
        return 1 / (1 + np.exp(2.5 - 2.5 * miner.skill * truth - noise))

    def column(self, name, whose, scores, curve):
        worths = np.rint(v2.column(scores, curve)).astype("<i2").tobytes()
        raw = scores.astype("<f8").tobytes()
        return {"round": name, "name": whose, "alerts": len(scores), "worths_sha256": hashlib.sha256(worths).hexdigest(),
                "scores_sha256": hashlib.sha256(raw).hexdigest(), "swept_ms": None, "worths": base64.b64encode(worths).decode(),
                "scores": base64.b64encode(raw).decode()}

    def answers(self, row, task, scores):
        answers, verdicts, name, request = [], [], row["id"], task["common"]["body"]
        alice = ss58(self.alice[0])
        alike = merging.likeness(list(scores.values()))
        checks = [{"check": check, "fault": None} for check in judging.CHECKS]
        for at, (hotkey, miner) in enumerate(self.miners.items()):
            body = hashlib.sha256(f"{name} {hotkey}".encode()).hexdigest()
            lines = ["amlanswer/2", "sr25519", "200", request, row["commitment"], request, request, body, body, "identity", "none",
                     hotkey, alice, "7"]
            head = {"version": "2", "hotkey": hotkey, "nonce": "7", "plain": body, "encoding": "identity",
                    "signature": "0x" + sr25519.sign(miner.pair, "\n".join(lines).encode()).hex()}
            record = {"hotkey": hotkey, "reply": {"kind": "answered"}, "form": "btauth", "request": request, "status": 200,
                      "receipt": miner.receipt(request, body), "headers": {f"x-aml-answer-{key}": value for key, value in head.items()},
                      "body": body, "bytes": 7, "asked_ms": row["opened_ms"], "took_ms": 9, "in_time": True}
            answers.append({"round": name, "hotkey": hotkey, "body": body, "asked_ms": row["opened_ms"], "record": record, "cipher": None, "not_asked": 0})
            column = self.book.columns[name, hotkey]
            seen = {"monotonicity": judging.monotonicity(task["roster"], scores[hotkey]), "entropy": judging.entropy(scores[hotkey]),
                    "agreement": None, "similarity": merging.nearest(alike, at), "copies": 1}
            verdict = {"hotkey": hotkey, "uid": at, "accepted": {"Ok": None}, "tier1": 1.0, "checks": checks, "tier2": None, "traps": [],
                       "observations": seen, "model_version": "1", "receipt_key": miner.key, "took_ms": 9,
                       "stored": {"worths": column["worths_sha256"], "scores": column["scores_sha256"]}}
            verdicts.append({"round": name, "hotkey": hotkey, "accepted": 1, "tier1": 1.0, "tier2": None, "record": verdict, "advantage": None})
        return answers, verdicts

    def outcomes(self, name, task, truth):
        day = self.book.rounds[name]["day"]
        known = np.flatnonzero(self.random.random(len(truth)) < 0.6)
        when = (day + 7 + self.random.integers(0, 14, len(truth))) * DAY_MS
        return [{"round": name, "place": int(at), "seen_ms": int(when[at]), "address": task["roster"][at]["address"],
                 "illicit": int(truth[at]), "relevance": 2 * int(truth[at]), "confirmed_ms": int(when[at]), "replaced_ms": None}
                for at in known]

    def standing(self, row):
        """Grounds, standing and curve of a day, as the checker will have them."""
        at_ms, miners, names = row["opened_ms"], list(self.miners), [*self.miners, *REFERENCES]
        looked = []
        for before in self.known.rounds(row, row["day"] - v2.EARLIEST - v2.DAYS + 1, row["day"] - v2.EARLIEST, at_ms):
            counts = [one for one in self.known.known(before, at_ms)
                      if one["confirmed_ms"] // DAY_MS <= min(row["day"], before["day"] + v2.LATEST)]
            if counts:
                looked.append((before, miners, counts))
        numbers, rounds = {}, []
        for _, _, counts in looked:
            for one in counts:
                numbers[one["address"]] = numbers.get(one["address"], 0) + 1
        for before, _, counts in looked:
            places = [one["place"] for one in counts]
            x = np.array([self.known.row(before["id"], column)[0][places] / v2.GRAIN for column in names])
            a = np.array([1 / numbers[one["address"]] for one in counts])
            rounds.append((x, a, np.array([float(one["illicit"]) for one in counts])))
        P, p, u, number, illicit = v2.moments(len(names), rounds)
        known = bool(min(illicit, number - illicit) >= v2.LEAST)
        delivered = {hotkey: self.known.delivered(row, hotkey, looked, at_ms) for hotkey in miners}
        before = self.known.weights_before(row, miners) if self.book.rounds else np.zeros(len(miners))
        mine = np.arange(len(names)) < len(miners)
        b, c, w, mass, points = v2.price(P, p, u, number, mine) if known else np.zeros((5, len(names)))
        usual = v2.usual_likeness(P[:-2, :-2], w[:-2], number) if known else np.zeros(len(miners))
        parts = np.array([one["parts"] for one in delivered.values()], dtype=float)
        curve = v2.learned(parts[:, 0], parts[:, 1], before) if known else None
        begun = bool(looked)

        def priced(at):
            return {"correlation": float(b[at]), "beyond": float(c[at]), "standard_weight": standard(w[at], P[at, at], number),
                    "weight": float(w[at]), "mass": float(mass[at]), "points": float(points[at])}

        def of(at, one):
            bins = one["bins"]
            return {"priced": priced(at), "calibration": v2.calibration(*bins) if begun else 1.0, "usual": float(usual[at]),
                    "level": float(bins[1].sum() / bins[0].sum()) if bins[0].sum() else None,
                    "part": one["counted"] / one["rounds"] if one["rounds"] else 0.0, "counted": int(one["counted"])}

        days = [str(np.datetime64(one["day"], "D")) for one, _, _ in looked]
        standing = {"rules": "v2", "made_ms": at_ms, "rounds": days, "missing": [], "number": float(number), "illicit": float(illicit),
                    "known": known, "miners": {hotkey: of(at, one) for at, (hotkey, one) in enumerate(delivered.items())},
                    "references": {name: priced(len(miners) + at) for at, name in enumerate(information.REFERENCES)}}

        def told(at, one):
            whole = np.rint(one["bins"][1] * v2.WHOLE).astype(int).tolist()
            return {"counted": int(one["counted"]), "rounds": int(one["rounds"]), "weight_before": float(before[at]), "first_seen_ms": 0,
                    "parts": {"outcomes": one["parts"][0].astype(int).tolist(), "illicit": one["parts"][1].astype(int).tolist()},
                    "bins": {"outcomes": one["bins"][0].astype(int).tolist(), "told": whole, "illicit": one["bins"][2].astype(int).tolist()}}

        grounds = {"made_ms": at_ms, "rounds": days, "columns": names, "number": float(number), "illicit": float(illicit), "own": float(u),
                   "told": p.tolist(), "cross": [P[at, :at + 1].tolist() for at in range(len(names))],
                   "miners": {hotkey: told(at, one) for at, (hotkey, one) in enumerate(delivered.items())}}
        return grounds, standing, None if curve is None else curve.tolist()

    def merged(self, columns, scores, standing):
        raw = np.array(list(scores.values()))
        worths = np.array([np.frombuffer(base64.b64decode(one["worths"]), "<i2") for one in columns[:-2]], dtype=float)
        means = [int(v2.whole(one).sum()) / v2.WHOLE / len(one) for one in raw]
        shares, _ = v2.voices(worths, means, [None] * len(raw), list(standing["miners"].values()))
        mean = np.clip(shares @ raw, 0, 1)
        apart = np.sqrt(shares @ (raw - mean) ** 2)
        count = int((shares > 0).sum())
        rows = [{"score": float(one), "deviation": float(other), "miners": count} for one, other in zip(mean, apart)]
        voices = {hotkey: float(share) for hotkey, share in zip(scores, shares) if share > 0}
        worth = {hotkey: of["priced"]["weight"] for hotkey, of in standing["miners"].items()}
        return {"rules": "v2", "scores": rows, "weights": voices, "performance": worth}, voices

    def write(self, path, what):
        name, tables, grounds = what
        packed = {f"{table}.jsonl.zst": "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows).encode()
                  for table, rows in tables.items()}
        packed["grounds.json.zst"] = json.dumps(grounds).encode()
        members = {member: zstandard.ZstdCompressor().compress(raw) for member, raw in packed.items()}
        files = {member: {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()} for member, raw in members.items()}
        made = str(np.datetime64(tables["rounds"][0]["day"] + 30, "D")) + "T00:00:00Z"
        manifest = {"format": "aml-evidence", "version": 1, "round": name, "batch": "0" * 64, "program": "made", "made_at": made,
                    "full": False, "alert": None, "absent": {"calibration.json": "made without", "reasons.json": "made without"}, "files": files,
                    "hotkey": ss58(self.alice[0]), "scheme": "sr25519"}
        signed = b"aml-evidence/1\n" + json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        with zipfile.ZipFile(path, "w") as pack:
            for member, raw in members.items():
                pack.writestr(member, raw)
            pack.writestr("MANIFEST.json", json.dumps({**manifest, "signature": sr25519.sign(self.alice, signed).hex()}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--miners", type=int, default=256)
    parser.add_argument("--alerts", type=int, default=1000)
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    year = Year(options)
    for day in range(options.days):
        year.day(FIRST + day, options.folder)
        print(f"made {day + 1} of {options.days}", end="\r", file=sys.stderr, flush=True)
    start = time.monotonic()
    run = subprocess.run([sys.executable, HERE / "check_evidence.py", options.folder], capture_output=True, text=True)
    took = time.monotonic() - start
    print(run.stdout, run.stderr)
    size = sum(path.stat().st_size for path in options.folder.iterdir())
    print(f"{options.days} rounds, {options.miners} miners, {options.alerts} alerts: {size / 1e6:.0f} MB, checked in {took:.1f} s, "
          f"{took / options.days:.2f} s a round")
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
