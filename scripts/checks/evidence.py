#!/usr/bin/env python3
"""check_evidence.py says that good packs hold, and notices whatever is changed in one; used by evidence.sh.

    evidence.py FOLDER           packs/ROUND.zip of a season, full.zip of its last round, all signed by //Alice; batches/ of that round

Each change is made in a copy of the last round's pack. Some are made by somebody who does not have the validator's key; most by
the validator itself, with digests and a signature that fit: these only recomputation notices.
"""
import base64
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import sr25519
import zstandard

CHECK = pathlib.Path(__file__).resolve().parents[1] / "check_evidence.py"
DOMAIN = b"aml-evidence/1\n"
# The development key that everybody knows: //Alice.
SEED = bytes.fromhex("e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a")
NUDGE = 1e-6


class Made:
    """A pack as it can be changed: members unpacked, tables as rows."""

    def __init__(self, path):
        with zipfile.ZipFile(path) as pack:
            self.members = {name: pack.read(name) for name in pack.namelist()}
        self.manifest = json.loads(self.members.pop("MANIFEST.json"))
        self.cache = {}

    def rows(self, table):
        return self.unpacked(f"{table}.jsonl.zst", lambda raw: [json.loads(line) for line in raw.splitlines()])

    def grounds(self):
        return self.unpacked("grounds.json.zst", json.loads)

    def calibration(self):
        return self.cache.setdefault("calibration.json", json.loads(self.members["calibration.json"]))

    def reasons(self):
        return self.unpacked("reasons.json.zst", json.loads)

    def reason(self, least=1):
        """The reasons of the first alert that has so many."""
        return next(found for found in self.reasons()["alerts"] if len(found) >= least)

    def unpacked(self, name, read):
        if name not in self.cache:
            self.cache[name] = read(zstandard.ZstdDecompressor().decompress(self.members[name]))
        return self.cache[name]

    def packed(self):
        for name, value in self.cache.items():
            lines = [value] if isinstance(value, dict) else value
            raw = "".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n" for line in lines).encode()
            self.members[name] = zstandard.ZstdCompressor().compress(raw) if name.endswith(".zst") else raw

    def write(self, path, sign=True):
        self.packed()
        if sign:
            files = {name: {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()} for name, raw in self.members.items()}
            rest = {**{name: value for name, value in self.manifest.items() if name != "signature"}, "files": files}
            signed = DOMAIN + json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            self.manifest = {**rest, "signature": sr25519.sign(sr25519.pair_from_seed(SEED), signed).hex()}
        with zipfile.ZipFile(path, "w") as pack:
            for name, raw in self.members.items():
                pack.writestr(name, raw)
            pack.writestr("MANIFEST.json", json.dumps(self.manifest))


def nudge(holder, name):
    holder[name] += NUDGE if holder[name] < 0.5 else -NUDGE


def counting(pack):
    """A verdict of a submission that counts and has a voice."""
    voices = pack.rows("canonical")[0]["packed"]["weights"]
    return next(row for row in pack.rows("verdicts") if row["hotkey"] in voices)


def answer(pack):
    hotkey = counting(pack)["hotkey"]
    return next(row["record"] for row in pack.rows("answers") if row["hotkey"] == hotkey)


def standing(pack):
    of = pack.rows("standings")[0]["packed"]["miners"]
    return max(of.values(), key=lambda one: one["priced"]["weight"])


def recolumn(pack, what, change, named=True):
    """Changes numbers of a column, with digests that fit; `named`: in the verdict too."""
    verdict = counting(pack)
    row = next(row for row in pack.rows("columns") if row["name"] == verdict["hotkey"])
    numbers = np.frombuffer(base64.b64decode(row[what]), {"worths": "<i2", "scores": "<f8"}[what]).copy()
    change(numbers)
    raw = numbers.tobytes()
    row[what], row[f"{what}_sha256"] = base64.b64encode(raw).decode(), hashlib.sha256(raw).hexdigest()
    if named:
        verdict["record"]["stored"][what] = row[f"{what}_sha256"]


def bump(numbers):
    numbers[7] += 3 if numbers.dtype == np.dtype("<i2") else -1e-3 if numbers[7] > 0.5 else 1e-3


def flip_trap(pack):
    group = pack.rows("tasks")[0]["packed"]["common"]["groups"][0]
    group["expected"] = "low" if group["expected"] == "high" else "high"


def swap_alerts(pack):
    alerts = [alert for alert in pack.rows("tasks")[0]["packed"]["common"]["alerts"] if alert["of"] is not None]
    alerts[0]["of"], alerts[1]["of"] = alerts[1]["of"], alerts[0]["of"]


def silence_a_miner(pack):
    row = counting(pack)
    row["accepted"], row["record"]["accepted"] = 0, {"Err": "signature: a fault"}


def drop_an_answer(pack):
    hotkey = counting(pack)["hotkey"]
    rows = pack.rows("answers")
    rows.remove(next(row for row in rows if row["hotkey"] == hotkey))


def header(name, change):
    def made(pack):
        headers = answer(pack)["headers"]
        headers[name] = change(headers[name])
    return made


def flip_receipt(pack):
    one = answer(pack)
    one["receipt"] = one["receipt"][:300] + ("A" if one["receipt"][300] != "A" else "B") + one["receipt"][301:]


def known_outcome(pack):
    return next(row for row in pack.rows("outcomes") if row["illicit"] == 0)


def other_pay(pack):
    of = max(pack.rows("shares")[0]["packed"]["miners"].values(), key=lambda one: one["share"])
    of["share"] -= 0.01


def other_mean(pack):
    """A better mean of tier 1, and all that follows from it within the pack."""
    of = max(pack.rows("shares")[0]["packed"]["miners"].values(), key=lambda one: one["share"])
    of["traps"] = of["traps"] + 0.01
    of["quality"] += 0.3 * 0.01
    of["worth"] = of["lately"] * (of["points"] * of["quality"]) ** 1.5


def another_code(pack):
    """A reason that nobody gave, by a number that is one."""
    pack.reason()[0].update(code="sent", datum=1.0)


def other_datum(pack):
    found = next(one for one in pack.reason() if isinstance(one["datum"], (int, float)))
    found["datum"] = found["datum"] * 1.01 + 1.0


def drop_a_reason(pack):
    pack.reason().clear()


def turn(reasons):
    reasons[0]["effect"] = "lowers" if reasons[0]["effect"] == "raises" else "raises"


def digit(text):
    return text[:-1] + ("0" if text[-1] != "0" else "1")


# By the validator: what is changed, and the row of the table that must say so.
SIGNED = [
    ("a canonical score", lambda p: nudge(p.rows("canonical")[0]["packed"]["scores"][3], "score"), "canonical: scores"),
    ("a deviation", lambda p: nudge(p.rows("canonical")[0]["packed"]["scores"][3], "deviation"), "canonical: deviations"),
    ("a voice", lambda p: nudge(p.rows("canonical")[0]["packed"]["weights"], counting(p)["hotkey"]), "canonical: voices"),
    ("a miner's column", lambda p: recolumn(p, "worths", bump), "columns: of submissions"),
    ("a column that no verdict names", lambda p: recolumn(p, "worths", bump, named=False), "columns: named by the verdict"),
    ("a miner's score", lambda p: recolumn(p, "scores", bump), "canonical: scores"),
    ("salt", lambda p: p.rows("tasks")[0]["packed"]["salt"].__setitem__(0, 7), "task: commitment to its traps"),
    ("the commitment", lambda p: p.rows("rounds")[0].update(commitment="0" * 64), "answers: signed by their hotkey"),
    ("which way a trap goes", flip_trap, "task: commitment to its traps"),
    ("which alert an id stands for", swap_alerts, "task: commitment to its traps"),
    ("an alert's address", lambda p: p.rows("tasks")[0]["packed"]["roster"][known_outcome(p)["place"]].update(address="x"),
     "outcomes: of its address"),
    ("an answer's signature", header("x-aml-answer-signature", digit), "answers: signed by their hotkey"),
    ("an answer's nonce", header("x-aml-answer-nonce", digit), "answers: signed by their hotkey"),
    ("an answer's plain digest", lambda p: answer(p)["sealed"].update(plain="0" * 64), "answers: signed by their hotkey"),
    ("a receipt", flip_receipt, "verdicts: receipt"),
    ("an answer that is gone", drop_an_answer, "answers: of everybody who was asked"),
    ("a miner that does not count any more", silence_a_miner, "verdicts: whether the submission counts"),
    ("tier 1", lambda p: nudge(counting(p)["record"], "tier1"), "verdicts: tier 1"),
    ("advantage on traps", lambda p: nudge(counting(p)["record"], "advantage"), "tier 2: advantage"),
    ("what is watched", lambda p: nudge(counting(p)["record"]["observations"], "entropy"), "verdicts: what is watched"),
    ("whether a group was passed", lambda p: counting(p)["record"]["traps"][0].update(
        passed=not counting(p)["record"]["traps"][0]["passed"]), "verdicts: groups that were passed"),
    ("a weight", lambda p: nudge(standing(p)["priced"], "weight"), "standing: weight"),
    ("a calibration", lambda p: nudge(standing(p), "calibration"), "standing: calibration"),
    ("the usual level", lambda p: nudge(standing(p), "level"), "standing: level"),
    ("moments", lambda p: p.grounds()["told"].__setitem__(2, p.grounds()["told"][2] * 1.001), "standing: correlation"),
    ("outcomes of the window", lambda p: p.grounds().update(number=p.grounds()["number"] + 1), "standing: outcomes of the window"),
    ("a miner's bins", lambda p: max(p.grounds()["miners"].values(), key=lambda one: one["counted"])["bins"]["told"].__setitem__(
        5, 1 << 40), "standing: level"),
    ("the curve", lambda p: nudge(p.rows("curves")[0]["curve"]["shares"], 20), "curve"),
    ("a constant of the rules", lambda p: p.rows("rounds")[0]["constants"].update(gamma=1.4), "rules: constants"),
    ("the curve of probabilities", lambda p: nudge(p.calibration()["knots"][2], "share"), "probabilities: curve"),
    ("an outcome's class", lambda p: known_outcome(p).update(illicit=1), "outcomes: class and relevance"),
    ("an outcome of a later version", lambda p: known_outcome(p).update(replaced_ms=known_outcome(p)["seen_ms"] + 5),
     "outcomes: one version after another"),
    ("a share of pay", other_pay, "shares: of pay from its parts"),
    ("a mean that pay comes from", other_mean, "shares: traps"),
    ("the form of an answer", lambda p: answer(p).update(form="btauth0"), "answers: of a form that is known"),
    ("the form of an answer, to the one that nobody signs", lambda p: answer(p).update(form="v10"), "answers: of a form that is known"),
    ("what became of a sealed answer", lambda p: answer(p)["sealed"]["state"].update(kind="waits"), "answers: opened to what was signed"),
    ("days that probabilities come from", lambda p: p.calibration()["rounds"].pop(), "probabilities: days that they come from"),
    ("rounds that pay goes by", lambda p: p.rows("shares")[0]["packed"].update(rounds=3), "shares: rounds of thirty days"),
    ("weights of the day before", lambda p: nudge(next(iter(p.grounds()["miners"].values())), "weight_before"),
     "grounds: weights of the day before"),
    ("a code that is none", lambda p: p.reason()[0].update(code="made_up"), "reasons: codes of the catalogue"),
    ("a reason twice", lambda p: p.reason().append(dict(p.reason()[0])), "reasons: at most five, each code once"),
    ("more voices than there are", lambda p: p.reason()[0].update(support=1.01), "reasons: voices behind each"),
    ("voices of those who explain", lambda p: p.reasons().update(voices=p.reasons()["voices"] * 0.4), "reasons: voices of those who explain"),
    ("more who explain than speak", lambda p: p.reasons().update(miners=99), "reasons: voices of those who explain"),
    ("an alert's reasons that are gone", lambda p: p.reasons()["alerts"].pop(), "reasons: of every alert"),
    ("a name where a number belongs", lambda p: p.reason()[0].update(datum="much"), "reasons: a number or a name"),
    ("reasons that are said to be absent", lambda p: p.reasons().update(absent="lost"), "reasons: none where they are absent"),
    ("the opening", lambda p: p.rows("rounds")[0].update(opening_ms=p.rows("rounds")[0]["opening_ms"] + 1000), "task: when answers open"),
    ("the batch", lambda p: p.manifest.update(batch="0" * 64), "round: its batch"),
    ("the day", lambda p: p.rows("rounds")[0].update(day=p.rows("rounds")[0]["day"] + 1), "round: its name"),
    ("when the pack was made", lambda p: p.manifest.update(made_at="2026-03-30T00:00:00Z"), "round: no pack before its last day is over"),
]


# The same, of a pack with raw answers and with its batch beside it.
FULL = [
    ("which way a reason goes", lambda p: turn(p.reason()), "reasons: merged again"),
    ("a reason that nobody gave", another_code, "reasons: merged again"),
    ("a reason that is gone", drop_a_reason, "reasons: merged again"),
    ("the voices behind a reason", lambda p: nudge_more(p.reason()[0]), "reasons: support, merged again"),
    ("who explained", lambda p: p.reasons().update(miners=p.reasons()["miners"] - 1), "reasons: miners that explain"),
    ("the number of a reason", other_datum, "reasons: data of the batch"),
]


def nudge_more(reason):
    reason["support"] -= 1e-4


def cut(path):
    path.write_bytes(path.read_bytes()[:-400])


def flip_byte(path):
    raw = bytearray(path.read_bytes())
    raw[2000] ^= 1
    path.write_bytes(bytes(raw))


def twice(path):
    with zipfile.ZipFile(path, "a") as pack:
        pack.writestr("canonical.jsonl.zst", b"")


def added(path):
    with zipfile.ZipFile(path, "a") as pack:
        pack.writestr("more.jsonl", b"{}")


def deflated(path):
    with zipfile.ZipFile(path) as pack:
        members = {name: pack.read(name) for name in pack.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, raw in members.items():
            pack.writestr(name, raw)


def unsigned(change):
    def made(path):
        pack = Made(path)
        change(pack)
        pack.write(path, sign=False)
    return made


def bomb(path):
    pack = Made(path)
    pack.members["grounds.json.zst"] = zstandard.ZstdCompressor().compress(b" " * (1 << 29) + b" {}")
    pack.write(path)


def nameless(path):
    pack = Made(path)
    del pack.members["shares.jsonl.zst"]
    pack.write(path)


# By anybody: the pack is not read.
BROKEN = [
    ("a pack that was cut off", cut), ("a byte", flip_byte), ("a member twice", twice), ("a member more", added),
    ("members packed otherwise", deflated), ("a table that is not there", nameless), ("a bomb", bomb),
    ("a table without the key", unsigned(lambda p: nudge(p.rows("canonical")[0]["packed"]["scores"][0], "score"))),
    ("another round in the manifest", unsigned(lambda p: p.manifest.update(round="7-2026-03-27-7"))),
    ("another validator", unsigned(lambda p: p.manifest.update(hotkey=counting(p)["hotkey"]))),
]


def check(*words):
    return subprocess.run([sys.executable, CHECK, *map(str, words)], capture_output=True, text=True, timeout=900)


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    packs = sorted((folder / "packs").glob("*.zip"))
    last, passed, problems = packs[-1], 0, []

    def must(good, what, run):
        nonlocal passed
        if good:
            passed += 1
        else:
            problems.append(f"{what} ({run.returncode})\n{run.stdout[-2500:]}{run.stderr[-800:]}")

    run = check(*packs, "--from-first", "--strict", "--grace", "0")
    print(run.stdout)
    must(run.returncode == 0, "a season does not hold", run)
    run = check(last)
    must(run.returncode == 0 and "skipped: grounds" in run.stdout, "a pack by itself does not hold", run)
    run = check(folder / "full.zip", "--beside", folder / "packs")
    must(run.returncode == 2, "two packs of a round were taken for one", run)
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        (work / "before").mkdir()
        for pack in packs[:-1]:
            (work / "before" / pack.name).symlink_to(pack.resolve())
        run = check(folder / "full.zip", "--beside", work / "before")
        must(run.returncode == 0 and "sealed answers: opened again" in run.stdout, "a full pack does not hold", run)
        batches = ("--batches", folder / "batches")
        run = check(folder / "full.zip", *batches, "--beside", work / "before")
        must(run.returncode == 0 and "reasons: data of the batch" in run.stdout and "reasons: merged again" in run.stdout,
             "the reasons of a full pack do not hold", run)
        changes = [(last, (), *one) for one in SIGNED] + [(folder / "full.zip", batches, *one) for one in FULL]
        for pack, words, what, change, row in changes:
            made, target = Made(pack), work / "changed.zip"
            change(made)
            made.write(target)
            run = check(target, *words, "--beside", work / "before")
            must(run.returncode == 1 and f"DIFFERENT: {row}: " in run.stdout, f"nobody saw {what} in `{row}`", run)
        for what, change in BROKEN:
            target = work / "changed.zip"
            target.write_bytes(last.read_bytes())
            change(target)
            run = check(target)
            must(run.returncode == 2, f"a pack was read in spite of {what}", run)
        must(check(last, "--hotkey", "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty").returncode == 2, "another signer", run)
    for problem in problems:
        print(f"FAILED: {problem}")
    print(f"{passed} passed, {len(problems)} failed: {len(SIGNED) + len(FULL)} changes that the validator signed, {len(BROKEN)} that it did not")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
