"""Packs of one validator, checked round by round, oldest first."""
import datetime
import hashlib

import numpy as np

import information
import judging
import merging
import pricing as v2
from packs import Broken, Pack, Shelf
from probabilities import Probabilities
from reasons import Reasons
from tally import Tally
from vouching import Vouching, named
from weighing import Weighing
from worth import DAY_MS

SETTLED = 6
LONGEST_WINDOW = 61
LIKENESS, LIKENESS_32 = 1e-9, 1e-5


class Known(information.Information):
    """What can be known of packs: references look up all rounds that there ever were."""

    def __init__(self, shelf, tally, grace, from_first):
        super().__init__(shelf, tally, grace)
        self.from_first = from_first

    def references(self, row, curve):
        if self.from_first:
            super().references(row, curve)
            return
        self.tally.skip("columns: of references", "they look up all rounds before: --from-first says that all packs are here")
        for name in information.REFERENCES:
            kept = self.row(row["id"], f"reference:{name}")
            if kept is not None:
                fits = np.abs(v2.column(kept[1], curve) - kept[0]) <= 0.5 + 1e-6
                self.tally.same("columns: worths of references", f"{row['id']} {name}", True, bool(np.all(fits)))


class Evidence:
    def __init__(self, hotkey, rules, batches=None):
        grace, from_first = rules
        self.hotkey, self.tally, self.shelf = hotkey, Tally(), Shelf()
        self.information = Known(self.shelf, self.tally, grace, from_first)
        self.vouching, self.weighing = Vouching(self.shelf, self.tally), Weighing(self.shelf, self.tally)
        self.weighing.known = self.information
        self.probabilities = Probabilities(self.shelf, self.tally, self.information)
        self.reasons = Reasons(self.shelf, self.tally, batches)
        self.checked, self.alert = [], None

    def run(self, wanted, beside):
        """Reads and checks all packs; those of `beside` are read alone."""
        files = {path: False for path in listed(beside)}
        files.update((path, True) for path in listed(wanted))
        heads = sorted(((day_of(path), path) for path in files), key=lambda one: (one[0], str(one[1])))
        for _, path in heads:
            try:
                pack = Pack(path, self.hotkey)
                self.hotkey = pack.manifest["hotkey"]
                row = self.shelf.add(pack)
            except Broken as error:
                raise Broken(f"{path}: {error}") from error
            if files[path]:
                self.round(pack, row)
                self.checked.append(row)
                self.alert = pack.manifest["alert"] or self.alert
            self.forget(row["day"])

    def forget(self, day):
        self.shelf.forget(day - LONGEST_WINDOW)
        old = [key for key in self.information.columns if key not in self.shelf.columns]
        for key in old:
            del self.information.columns[key]
            self.information.placed.pop(key, None)
        here = {round_id for round_id, _ in self.shelf.columns}
        for made in (self.information.stacks, self.information.partly):
            for round_id in [one for one in made if one not in here]:
                del made[round_id]

    def round(self, pack, row):
        name, tally = row["id"], self.tally
        day = np.datetime64(row["day"], "D")
        tally.same("round: its name", name, name, f"{row['netuid']}-{day}-{row['window_days']}")
        tally.same("round: its batch", name, pack.manifest["batch"], row["batch"])
        tally.same("round: settled under rules v2", name, (row["step"], row["rules"], row["void_ms"], row["adopted"]),
                   (SETTLED, "v2", None, None))
        last = (row["day"] + v2.LATEST + 1) * DAY_MS
        tally.same("round: no pack before its last day is over", name, True, moment(pack.manifest["made_at"]) >= last)
        self.vouching.round(row, pack.manifest["hotkey"])
        judged = self.opened(pack, row)
        self.information.judged(row, judged)
        self.columns(row)
        self.watched(row)
        self.outcomes(row)
        self.weighing.round(row)
        voices = self.merged(row)
        self.probabilities.round(row)
        self.reasons.round(pack, row)
        self.shares(row, voices)

    def opened(self, pack, row):
        """Raw answers, judged again, where the pack has them."""
        if not pack.manifest["full"]:
            return {}
        name, tally, task, judged = row["id"], self.tally, self.shelf.tasks[row["id"]], {}
        for hotkey in task["asks"]:
            answer, where = self.shelf.answers[name, hotkey], f"{name} {hotkey}"
            if answer["reply"]["kind"] != "answered" or answer["body"] is None:
                continue
            body = pack.body(answer["body"])
            if body is None:
                tally.skip("raw answers", "it is not in the pack")
                continue
            tally.same("raw answers: SHA-256", where, answer["body"], hashlib.sha256(body).hexdigest())
            self.unsealed(pack, row, (hotkey, body))
            judged[hotkey] = judging.judge(task, answer, body)
            self.compare(where, judged[hotkey], self.shelf.verdicts[name, hotkey]["record"])
        return judged

    def unsealed(self, pack, row, what):
        """What arrived, opened with the beacon's signature."""
        (hotkey, body), name = what, row["id"]
        answer = self.shelf.answers[name, hotkey]
        sealed = answer.get("sealed")
        if not sealed or sealed["state"] != {"kind": "opened", "by_miner": False}:
            return
        import open_answer

        cipher = pack.body(sealed["cipher"])
        if cipher is None:
            self.tally.skip("sealed answers: opened again", "what arrived is not in the pack")
            return
        signature = bytes.fromhex(row["beacon"]["signatures"][named(sealed["beacon"])])
        keys = [open_answer.public_key(one) for one in (hotkey, pack.manifest["hotkey"])]
        try:
            task = self.shelf.tasks[name]["common"]["body"]
            receipt, plain = open_answer.open_answer(cipher, signature, *keys, bytes.fromhex(task))
            same = hashlib.sha256(cipher).hexdigest() == sealed["cipher"] and plain == body and receipt.decode() == answer["receipt"]
        except open_answer.Wrong:
            same = False
        self.tally.same("sealed answers: opened again", f"{name} {hotkey}", True, same)

    def compare(self, where, judged, record):
        failed = {finding["check"] for finding in record["checks"] if finding["fault"] is not None}
        self.tally.same("raw answers: checks", where, sorted(failed), sorted(judged.failed))
        self.tally.same("raw answers: model version", where, record["model_version"], judged.model_version)
        shares = [finding["share"] for finding in record["traps"]]
        self.tally.same("raw answers: groups of traps", where, len(shares), len(judged.groups))
        for share, (_, own, _) in zip(shares, judged.groups):
            self.tally.close("raw answers: share of a group", where, share, own)

    def columns(self, row):
        """Only columns of submissions that count and of references, one number per alert."""
        name, there = row["id"], self.information.accepted(row["id"])
        kept = sorted(column for key, column in self.shelf.columns if key == name and not column.startswith("reference:"))
        self.tally.same("columns: of everybody who counts", name, kept, sorted(there))
        for column in kept:
            both = self.information.row(name, column)
            lengths = None if both is None else (len(both[0]), len(both[1]))
            self.tally.same("columns: a number per alert", f"{name} {column}", lengths, (row["alerts"], row["alerts"]))
            sound = both is not None and bool(np.all((both[1] >= 0) & (both[1] <= 1)))
            self.tally.same("columns: scores are from 0 to 1", f"{name} {column}", True, sound)

    def watched(self, row):
        """What is watched of submissions and not paid for."""
        name, tally, rule = row["id"], self.tally, "verdicts: what is watched"
        hotkeys, roster = self.information.accepted(name), self.shelf.tasks[row["id"]]["roster"]
        both = [self.information.row(name, hotkey) for hotkey in hotkeys]
        if not hotkeys or any(one is None for one in both):
            return
        scores, severities = [one[1] for one in both], judging.by_severity(roster)
        alike = merging.likeness(scores)
        copies = {member: len(members) for members in merging.groups(alike) for member in members}
        for at, hotkey in enumerate(hotkeys):
            seen, where = self.shelf.verdicts[name, hotkey]["record"]["observations"], f"{name} {hotkey}"
            tally.close(rule, f"{where} monotonicity", seen["monotonicity"], judging.rising_by(severities, scores[at]), LIKENESS)
            tally.close(rule, f"{where} entropy", seen["entropy"], judging.entropy(scores[at]), LIKENESS)
            tally.close(rule, f"{where} likeness", seen["similarity"], merging.nearest(alike, at), LIKENESS_32)
            tally.same(rule, f"{where} copies", seen["copies"], copies[at])

    def outcomes(self, row):
        name, tally, roster = row["id"], self.tally, self.shelf.tasks[row["id"]]["roster"]
        versions = {}
        for one in self.shelf.outcomes[name]:
            where, inside = f"{name} {one['place']}", 0 <= one["place"] < len(roster)
            tally.same("outcomes: of an alert of the round", where, True, inside)
            if inside:
                tally.same("outcomes: of its address", where, one["address"], roster[one["place"]]["address"])
            tally.same("outcomes: a class", where, True, one["illicit"] in (0, 1, None) and one["relevance"] in (0, 1, 2))
            # Suspicious is not confirmed: only relevance 2 is illicit.
            if one["illicit"] is not None:
                tally.same("outcomes: class and relevance", where, one["illicit"] == 1, one["relevance"] == 2)
            versions.setdefault(one["place"], []).append((one["seen_ms"], one["replaced_ms"]))
        for place, chain in versions.items():
            chain.sort()
            ends = [end for _, end in chain]
            own = [start for start, _ in chain[1:]] + [None]
            tally.same("outcomes: one version after another", f"{name} {place}", ends, own)

    def merged(self, row):
        """Voices and canonical scores."""
        name = row["id"]
        hotkeys = self.information.accepted(name)
        stored = min(self.shelf.standings[name], key=lambda one: one["made_ms"])["packed"]
        if any(self.information.row(name, hotkey) is None for hotkey in hotkeys):
            self.tally.same("columns: of everybody who counts", name, True, False)
            return {}
        voices = dict(zip(hotkeys, self.information.voices(row, hotkeys, stored)))
        canonical = self.shelf.canonical.get(name)
        if canonical is not None:
            self.tally.same("canonical: one per alert", name, len(canonical["scores"]), row["alerts"])
            speaking = sorted(hotkey for hotkey, voice in voices.items() if voice > 0)
            self.tally.same("canonical: who speaks", name, sorted(canonical["weights"]), speaking)
            worth = {hotkey: stored["miners"][hotkey]["priced"]["weight"] for hotkey in hotkeys}
            self.tally.same("canonical: weights of that day", name, canonical["performance"], worth)
        return voices

    def shares(self, row, voices):
        """Every version of the day's pay: from the last thirty days where their packs are here, else from its own parts."""
        name = row["id"]
        standings = {one["made_ms"]: one["packed"] for one in self.shelf.standings[name]}
        for version, one in enumerate(self.shelf.shares[name]):
            stored, where = one["packed"], f"{name} version {version}"
            standing = standings.get(stored["made_ms"])
            self.tally.same("shares: of a standing", where, True, standing is not None)
            if standing is None:
                continue
            self.parts(where, stored, standing)
            days, _ = self.information.records(row, stored["made_ms"] if version else row["published_ms"] or 2**62)
            recent = [day for day in days if row["day"] - v2.DAYS < day <= row["day"]]
            if (self.information.from_first or len(recent) >= stored["rounds"]) and self.shelf.grounds[name]:
                self.tally.same("shares: rounds of thirty days", where, stored["rounds"], len(recent))
                self.information.shares(row, (version, stored), standing, voices)
            else:
                self.tally.skip("shares: from the record of thirty days", "the packs of the days before are not all here")
                for hotkey, of in stored["miners"].items():
                    self.tally.close("shares: voice", f"{where} {hotkey}", of["voice"], voices.get(hotkey, 0.0))

    def parts(self, where, stored, standing):
        """What a share is made of, from the means that it tells."""
        tally, worths = self.tally, {}
        tally.same("shares: whose", where, list(stored["miners"]), list(standing["miners"]))
        for hotkey, of in stored["miners"].items():
            here, kept = f"{where} {hotkey}", standing["miners"].get(hotkey)
            if kept is None:
                continue
            tally.close("shares: points", here, of["points"], kept["priced"]["points"])
            tally.close("shares: calibration", here, of["calibration"], kept["calibration"])
            tally.same("shares: rounds counted", here, of["counted"], kept["counted"])
            quality = v2.TIER1 * of["tier1"] + v2.TRAPS * (of["traps"] or 0.0) + v2.CALIBRATION * of["calibration"]
            worthy = of["traps"] is None or of["traps"] >= v2.WORTHY
            worths[hotkey] = of["lately"] * max(0.0, of["points"] * quality) ** v2.GAMMA if worthy else 0.0
            tally.close("shares: quality from its parts", here, of["quality"], quality)
            tally.close("shares: worth from its parts", here, of["worth"], worths[hotkey])
        total, young = sum(worths.values()), sum(of["newcomer"] for of in stored["miners"].values())
        pool = min(v2.NEWCOMERS, v2.NEWCOMER * young)
        tally.close("shares: pool from its parts", where, stored["pool"], pool)
        tally.close("shares: unearned from its parts", where, stored["unearned"], 0.0 if total > 0 else 1 - pool)
        for hotkey, of in stored["miners"].items():
            share = (1 - pool) * (worths.get(hotkey, 0.0) / total if total > 0 else 0.0)
            share += pool * (of["newcomer"] / young if young else 0.0)
            tally.close("shares: of pay from its parts", f"{where} {hotkey}", of["share"], share)

    def summary(self):
        days = [row["id"] for row in self.checked]
        rounds = days[0] if len(days) == 1 else f"{len(days)} rounds, {days[0]} to {days[-1]}" if days else "no round"
        return f"{rounds}; signed by {self.hotkey}"

    def told(self, alert):
        """How the score of an alert came about, in words."""
        alert = alert or self.alert
        if alert is None:
            return ""
        for row in reversed(self.checked):
            ids = [one["alert_id"] for one in self.shelf.tasks[row["id"]]["roster"]]
            if alert in ids:
                return self.of_alert(row, (alert, ids.index(alert)))
        raise Broken(f"no round that was checked has an alert {ascii(alert)[:80]}")

    def of_alert(self, row, which):
        (alert, place), name = which, row["id"]
        canonical = self.shelf.canonical.get(name)
        if canonical is None:
            return f"{ascii(alert)} in round {name}: no submission counted, so it has no score"
        merged = canonical["scores"][place]
        rank = 1 + sum(one["score"] > merged["score"] for one in canonical["scores"])
        lines = [f"{ascii(alert)} in round {name}: score {merged['score']:.6f} ± {merged['deviation']:.6f}, "
                 f"rank {rank} of {row['alerts']}"]
        for hotkey, voice in sorted(canonical["weights"].items(), key=lambda one: -one[1]):
            score = self.information.row(name, hotkey)[1][place]
            lines.append(f"  {hotkey}  voice {voice:.6f}  score {score:.6f}  {voice * score:.6f}")
        return "\n".join(lines)


def moment(text):
    return int(datetime.datetime.fromisoformat(text).timestamp() * 1000)


def listed(paths):
    found = []
    for path in paths:
        inside = sorted(path.glob("*.zip")) if path.is_dir() else [path]
        if not inside:
            raise Broken(f"{path}: no pack in it")
        found += inside
    return found


def day_of(path):
    """The day that a pack says it is of, without believing it."""
    import json
    import zipfile

    try:
        with zipfile.ZipFile(path) as pack:
            if pack.getinfo("MANIFEST.json").file_size > 4 << 20:
                raise Broken(f"{path}: MANIFEST.json is too long")
            return "-".join(json.loads(pack.read("MANIFEST.json"))["round"].split("-")[1:4])
    except Broken:
        raise
    except Exception as error:  # zipfile and json have several
        raise Broken(f"{path}: no pack: {error}") from error
