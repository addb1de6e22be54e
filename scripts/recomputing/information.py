"""Rounds under rules v2, from stored scores, outcomes and times: columns, standings, voices, canonical scores, shares."""
import base64
import hashlib

import numpy as np

import pricing as v2
from worth import DAY_MS

REFERENCES = ("canonical", "outcomes")
BACK = 90
PRICED = 1e-9


class Information:
    def __init__(self, book, tally, grace):
        self.book, self.tally, self.grace = book, tally, grace
        self.columns, self.own, self.placed, self.stacks, self.partly = {}, {}, {}, {}, {}

    # What is stored of a round.

    def row(self, round_id, name):
        """(worths, scores) of a column; None when there is none, or it was swept."""
        key = round_id, name
        if key not in self.columns:
            row = self.book.columns.get(key)
            self.columns[key] = None if row is None or row["worths"] is None else self.unpacked(key, row)
        return self.columns[key]

    def swept(self, round_id, name):
        row = self.book.columns.get((round_id, name))
        return row is not None and row["worths"] is None

    def unpacked(self, key, row):
        found = []
        for what, kind in (("worths", "<i2"), ("scores", "<f8")):
            raw = base64.b64decode(row[what])
            self.tally.same("columns: SHA-256", " ".join(key), row[f"{what}_sha256"], hashlib.sha256(raw).hexdigest())
            found.append(np.frombuffer(raw, kind))
        return found[0].astype(np.int64), found[1]

    def accepted(self, round_id):
        """Hotkeys whose submission counts, as the ledger orders them."""
        return [hotkey for hotkey in self.book.hotkeys(round_id)
                if "Ok" in self.book.verdicts[round_id, hotkey]["record"]["accepted"]]

    def rounds(self, of, first, last, at_ms):
        """Judged rounds of the same subnet and window that counted at a moment, oldest first."""
        def is_marked(row):
            return any(row[name] is not None and row[name] <= at_ms for name in ("void_ms", "late_ms"))
        return [row for row in self.book.by_day() if row["netuid"] == of["netuid"] and row["window_days"] == of["window_days"]
                and first <= row["day"] <= last and row["step"] >= 3 and not is_marked(row)]

    def known(self, row, at_ms):
        """Outcomes of a round as they were known at a moment, by place."""
        rows = [one for one in self.book.outcomes.get(row["id"], ()) if one["seen_ms"] <= at_ms
                and (one["replaced_ms"] is None or one["replaced_ms"] > at_ms) and one["illicit"] is not None]
        return sorted(rows, key=lambda one: one["place"])

    # A round.

    def judged(self, row, judged):
        """Columns against raw scores and the curve; advantages on traps."""
        round_id, tally = row["id"], self.tally
        curve = self.book.curves.get(round_id)
        curve = None if curve is None else curve["shares"]
        for hotkey in self.accepted(round_id):
            record, where = self.book.verdicts[round_id, hotkey]["record"], f"{round_id} {hotkey}"
            kept = self.row(round_id, hotkey)
            if kept is None:
                tally.skip("columns: of submissions", "the column was swept")
                continue
            digests = self.book.columns[round_id, hotkey]
            stored = {"worths": digests["worths_sha256"], "scores": digests["scores_sha256"]}
            tally.same("columns: named by the verdict", where, record.get("stored"), stored)
            own = v2.column(kept[1], curve)
            # A half may round either way where the last bit of a sum differs.
            tally.same("columns: of submissions", where, True, bool(np.all(np.abs(own - kept[0]) <= 0.5 + 1e-6)))
            if hotkey in judged and judged[hotkey].scores is not None:
                tally.same("columns: scores are those of the answer", where, True,
                           bool(np.array_equal(kept[1], judged[hotkey].scores)))
            expected = [group["expected"] for group in self.groups(round_id, hotkey) if group["places"]]
            shares = [finding["share"] for finding in record["traps"]]
            tally.close("tier 2: advantage", where, record.get("advantage"), v2.advantage(list(zip(expected, shares))))
        self.references(row, curve)

    def groups(self, round_id, hotkey):
        task = self.book.tasks[round_id]
        return task["common"]["groups"] if task.get("common") else task["asks"][hotkey]["groups"]

    def references(self, row, curve):
        """What everybody could know of the alerts when the round's standing was made."""
        if row["id"] not in self.book.standings:
            self.tally.skip("columns: of references", "the round was judged under other rules: they were made later")
            return
        addresses = [alert["address"] for alert in self.book.tasks[row["id"]]["roster"]]
        for name, own in zip(REFERENCES, (self.canonical(row, addresses), self.looked_up(row, addresses))):
            kept = self.row(row["id"], f"reference:{name}")
            if self.swept(row["id"], f"reference:{name}"):
                self.tally.skip("columns: of references", "the column was swept")
                continue
            if kept is None:
                self.tally.same("columns: of references", f"{row['id']} {name}", True, own is None)
                continue
            same = own is not None and bool(np.allclose(kept[1], own, rtol=0, atol=1e-12))
            self.tally.same("columns: of references", f"{row['id']} {name}", True, same)
            fits = np.abs(v2.column(kept[1], curve) - kept[0]) <= 0.5 + 1e-6
            self.tally.same("columns: of references", f"{row['id']} {name} worths", True, bool(np.all(fits)))

    def canonical(self, row, addresses):
        newest, usual = {}, None
        for before in self.rounds(row, 0, row["day"] - 1, self.made(row)):
            merged = self.book.canonical.get(before["id"])
            if merged is None:
                continue
            scores = [one["score"] for one in merged["scores"]]
            usual = int(v2.whole(scores).sum()) / v2.WHOLE / len(scores)
            if before["day"] >= row["day"] - v2.DAYS:
                roster = self.book.tasks[before["id"]]["roster"]
                newest.update((alert["address"], score) for alert, score in zip(roster, scores))
        return None if usual is None else [newest.get(address, usual) for address in addresses]

    def looked_up(self, row, addresses):
        newest, known, illicit, at_ms = {}, 0, 0, self.made(row)
        for before in self.rounds(row, 0, row["day"] - 1, at_ms):
            for one in self.known(before, at_ms):
                if one["confirmed_ms"] < row["day"] * DAY_MS:
                    newest[one["address"]] = float(one["illicit"])
                    known, illicit = known + 1, illicit + one["illicit"]
        return [newest.get(address, illicit / known) for address in addresses] if known else None

    def made(self, row):
        """When what was in force for a round was made."""
        made = [one["made_ms"] for one in self.book.standings.get(row["id"], ())]
        return min(made) if made else row["opened_ms"]

    # Standings.

    def standing(self, row, stored):
        """Where everybody stood, by the outcomes that had been seen when it was made."""
        day, at_ms, tally = row["day"], stored["made_ms"], self.tally
        where = f"{row['id']} at {at_ms}"
        looked = []
        for before in self.rounds(row, day - v2.EARLIEST - v2.DAYS + 1, day - v2.EARLIEST, at_ms):
            there = self.accepted(before["id"])
            if any((before["id"], hotkey) not in self.book.columns for hotkey in there):
                continue
            if any(self.row(before["id"], hotkey) is None for hotkey in there):
                tally.skip("standing: window", "a column was swept")
                return None
            counts = [one for one in self.known(before, at_ms) if one["confirmed_ms"] // DAY_MS <= min(day, before["day"] + v2.LATEST)]
            if counts:
                looked.append((before, there, counts))
        miners = list(stored["miners"])
        own = self.priced(row, miners, looked, at_ms)
        tally.close("standing: outcomes of the window", where, stored["number"], own["number"], PRICED)
        tally.close("standing: illicit outcomes", where, stored["illicit"], own["illicit"], PRICED)
        tally.same("standing: enough is known", where, stored["known"], own["known"])
        for at, hotkey in enumerate(miners):
            kept, here = stored["miners"][hotkey], f"{where} {hotkey}"
            for name, value in (("correlation", own["b"][at]), ("beyond", own["c"][at]), ("weight", own["w"][at]),
                                ("mass", own["mass"][at]), ("points", own["points"][at])):
                tally.close(f"standing: {name}", here, kept["priced"][name], float(value), PRICED)
            for name in ("calibration", "usual", "part", "level"):
                tally.close(f"standing: {name}", here, kept[name], own[name][at], PRICED)
            tally.same("standing: rounds counted", here, kept["counted"], own["counted"][at])
        return own

    def counted(self, names, looked):
        """By round: columns at places that count (zeros where there is none), weights of the places, whether they are illicit."""
        numbers = {}
        for _, _, counts in looked:
            for one in counts:
                numbers[one["address"]] = numbers.get(one["address"], 0) + 1
        rounds = []
        for before, there, counts in looked:
            places = [one["place"] for one in counts]
            weights = np.array([1 / numbers[one["address"]] for one in counts])
            x = self.stacked(before, names, set(there))[:, places] / v2.GRAIN
            rounds.append((x, weights, np.array([float(one["illicit"]) for one in counts])))
        return rounds

    def stacked(self, row, names, there):
        """Worths of a round as rows in the order of `names`, zeros where there is none; the last ones that were made are kept."""
        key, kept = (tuple(names), tuple(sorted(there))), self.stacks.get(row["id"])
        if kept is None or kept[0] != key:
            rows = [self.row(row["id"], name) if name in there or name.startswith("reference:") else None for name in names]
            made = np.array([np.zeros(row["alerts"], np.int16) if one is None else one[0].astype(np.int16) for one in rows])
            self.stacks[row["id"]] = kept = key, made
        return kept[1]

    def priced(self, row, miners, looked, at_ms):
        names = [*miners, *(f"reference:{name}" for name in REFERENCES)]
        rounds = self.counted(names, looked)
        P, p, u, number, illicit = v2.moments(len(names), rounds)
        known = bool(min(illicit, number - illicit) >= v2.LEAST)
        delivered = [self.delivered(row, hotkey, looked, at_ms) for hotkey in miners]
        own = {"number": number, "illicit": illicit, "known": known, "b": np.zeros(len(names)), "c": np.zeros(len(names)),
               "w": np.zeros(len(names)), "mass": np.zeros(len(names)), "points": np.zeros(len(names)),
               "usual": [0.0] * len(miners), "curve": None}
        if known:
            mine = np.arange(len(names)) < len(miners)
            own["b"], own["c"], own["w"], own["mass"], own["points"] = v2.price(P, p, u, number, mine)
            w = own["w"][:len(miners)]
            own["usual"] = [float(one) for one in v2.usual_likeness(P[:len(miners), :len(miners)], w, number)]
            parts = np.array([one["parts"] for one in delivered], dtype=float)
            own["curve"] = v2.learned(parts[:, 0], parts[:, 1], self.weights_before(row, miners))
        begun = any(one["rounds"] for one in delivered)
        own["calibration"] = [v2.calibration(*one["bins"]) if begun else 1.0 for one in delivered]
        own["level"] = [one["bins"][1].sum() / one["bins"][0].sum() if one["bins"][0].sum() else None for one in delivered]
        own["part"] = [one["counted"] / one["rounds"] if one["rounds"] else 0.0 for one in delivered]
        own["counted"] = [one["counted"] for one in delivered]
        return own

    def delivered(self, row, hotkey, looked, at_ms):
        """Rounds, parts and bins of one miner over the window."""
        first = (self.book.miners.get(hotkey, {}).get("first_seen_ms") or 2**62) // DAY_MS
        found = {"rounds": 0, "counted": 0, "parts": np.zeros((2, v2.PARTS)), "bins": np.zeros((3, v2.BINS))}
        for before, there, counts in looked:
            asked = (before["id"], hotkey) in self.book.verdicts and not self.book.not_asked(before["id"], hotkey)
            found["rounds"] += hotkey in there or before["day"] < first or asked
            if hotkey not in there:
                continue
            found["counted"] += 1
            parts, bins = self.of_round(before, hotkey, counts)
            found["parts"] += parts
            found["bins"] += bins
        return found

    def of_round(self, before, hotkey, counts):
        """Parts and bins of one miner in one round, made once for the same outcomes. Sums of whole 2^-32 are exact in any order."""
        kept = self.partly.get(before["id"])
        if kept is None or (kept["counts"] is not counts and not same_outcomes(kept["counts"], counts)):
            places, illicit = (np.array([one[what] for one in counts], dtype=np.int64) for what in ("place", "illicit"))
            kept = self.partly[before["id"]] = {"counts": counts, "places": places, "illicit": illicit, "of": {}}
        kept["counts"] = counts
        if hotkey not in kept["of"]:
            scores, places, illicit = self.row(before["id"], hotkey)[1], kept["places"], kept["illicit"]
            key = before["id"], hotkey
            if key not in self.placed:
                self.placed[key] = v2.parts(scores).astype(np.int8)
            part, bin_ = self.placed[key][places], v2.bins(scores[places])
            told = v2.whole(scores[places]) / v2.WHOLE
            parts = np.array([np.bincount(part, one, v2.PARTS) for one in (None, illicit)])
            kept["of"][hotkey] = parts, np.array([np.bincount(bin_, one, v2.BINS) for one in (None, told, illicit)])
        return kept["of"][hotkey]

    def weights_before(self, row, miners):
        """The weights of the newest earlier round that has any."""
        earlier = self.rounds(row, row["day"] - v2.DAYS - v2.EARLIEST, row["day"] - 1, self.made(row))
        for before in reversed(earlier):
            kept = self.book.standings.get(before["id"])
            if kept:
                weights = kept[0]["packed"]["miners"]
                return np.array([weights[one]["priced"]["weight"] if one in weights else 0.0 for one in miners])
        return np.zeros(len(miners))

    # Merging and paying.

    def merge(self, row):
        """Every standing of the round, its curve, voices and canonical scores, and every version of its shares."""
        round_id, tally = row["id"], self.tally
        kept = [one["packed"] for one in self.book.standings[round_id]]
        own = [self.standing(row, stored) for stored in kept]
        curve = self.book.curves[round_id]
        if own[0] is not None:
            stored = curve and curve["shares"]
            tally.same("curve: whether there is one", round_id, stored is None, own[0]["curve"] is None)
            for at, share in enumerate(stored or ()):
                tally.close("curve", f"{round_id} part {at}", share, float(own[0]["curve"][at]), PRICED)
        hotkeys = self.accepted(round_id)
        if any(self.row(round_id, hotkey) is None for hotkey in hotkeys):
            tally.skip("canonical: voices", "a column was swept")
            return
        voices = self.voices(row, hotkeys, kept[0])
        for version, shares in enumerate(one["packed"] for one in self.book.shares.get(round_id, ())):
            standing = next(one for one in kept if one["made_ms"] == shares["made_ms"])
            self.shares(row, (version, shares), standing, dict(zip(hotkeys, voices)))

    def voices(self, row, hotkeys, standing):
        round_id, tally = row["id"], self.tally
        stored = self.book.canonical.get(round_id)
        if not hotkeys:
            tally.same("canonical: whether there are any", round_id, stored is None, True)
            return []
        columns = np.array([self.row(round_id, hotkey)[0] for hotkey in hotkeys], dtype=float)
        scores = np.array([self.row(round_id, hotkey)[1] for hotkey in hotkeys])
        means = [int(v2.whole(one).sum()) / v2.WHOLE / len(one) for one in scores]
        advantages = [self.book.verdicts[round_id, hotkey]["record"].get("advantage") for hotkey in hotkeys]
        shares, _ = v2.voices(columns, means, advantages, [standing["miners"][hotkey] for hotkey in hotkeys])
        mean = np.clip(shares @ scores, 0, 1)
        deviation = np.sqrt(shares @ (scores - mean) ** 2)
        for at, one in enumerate(stored["scores"]):
            tally.close("canonical: scores", f"{round_id} {at}", one["score"], float(mean[at]))
            tally.close("canonical: deviations", f"{round_id} {at}", one["deviation"], float(deviation[at]), PRICED)
            tally.same("canonical: number of miners", f"{round_id} {at}", one["miners"], int((shares > 0).sum()))
        for hotkey, share in zip(hotkeys, shares):
            tally.close("canonical: voices", f"{round_id} {hotkey}", stored["weights"].get(hotkey, 0.0), float(share))
        return [float(share) for share in shares]

    def shares(self, row, versioned, standing, voices):
        """One version of a day's pay."""
        (version, stored), tally, day = versioned, self.tally, row["day"]
        where, miners = f"{row['id']} version {version}", list(stored["miners"])
        record = self.records(row, stored["made_ms"] if version else row["published_ms"] or 2**62)
        tiers = {hotkey: self.tiers(day, *record, hotkey) for hotkey in miners}
        orders = {hotkey: tuple(np.concatenate(v2.spans(self.row(row["id"], hotkey)[1]))) for hotkey in voices}
        new = {hotkey: orders[hotkey] for hotkey in voices if hotkey in tiers and self.is_new(day, hotkey, standing, tiers)}
        each = {hotkey: 1 / list(new.values()).count(order) for hotkey, order in new.items()}
        worths, own = {}, {}
        for hotkey in miners:
            tier1, traps, lately = tiers[hotkey]
            kept = standing["miners"][hotkey]
            quality = v2.TIER1 * tier1 + v2.TRAPS * (traps or 0.0) + v2.CALIBRATION * kept["calibration"]
            worthy = traps is None or traps >= v2.WORTHY
            worths[hotkey] = lately * max(0.0, kept["priced"]["points"] * quality) ** v2.GAMMA if worthy else 0.0
            own[hotkey] = {"worth": worths[hotkey], "quality": quality, "tier1": tier1, "traps": traps, "lately": lately}
        pool = min(v2.NEWCOMERS, v2.NEWCOMER * sum(each.values()))
        total, young = sum(worths.values()), sum(each.values())
        tally.close("shares: newcomers' pool", where, stored["pool"], pool)
        tally.close("shares: unearned", where, stored["unearned"], 0.0 if total > 0 else 1 - pool)
        for hotkey in miners:
            kept, here = stored["miners"][hotkey], f"{where} {hotkey}"
            share = (1 - pool) * (worths[hotkey] / total if total > 0 else 0.0)
            share += pool * (each.get(hotkey, 0.0) / young if young else 0.0)
            tally.close("shares: of pay", here, kept["share"], share)
            tally.close("shares: voice", here, kept["voice"], voices.get(hotkey, 0.0))
            for name, value in own[hotkey].items():
                tally.close(f"shares: {name}", here, kept[name], value)

    def is_new(self, day, hotkey, standing, tiers):
        first = (self.book.miners.get(hotkey, {}).get("first_seen_ms") or 0) // DAY_MS
        traps = tiers[hotkey][1]
        few = standing["miners"][hotkey]["counted"] < v2.FEW
        return few and traps is not None and traps >= v2.WORTHY and first > day - v2.DAYS - v2.EARLIEST

    def records(self, row, at_ms):
        """(days of rounds, what each hotkey did by day)."""
        days, miners = [], {}
        for before in self.rounds(row, row["day"] - BACK, row["day"], at_ms):
            hotkeys = [hotkey for hotkey in self.book.hotkeys(before["id"]) if (before["id"], hotkey) in self.book.verdicts]
            if hotkeys and before["day"] not in days:
                days.append(before["day"])
            for hotkey in hotkeys:
                if self.book.not_asked(before["id"], hotkey):
                    continue
                stored = self.book.verdicts[before["id"], hotkey]
                miners.setdefault(hotkey, {})[before["day"]] = (stored["tier1"], stored["advantage"])
        return days, miners

    def tiers(self, day, days, miners, hotkey):
        """(tier 1, mean advantage, share of the newest rounds)."""
        record = miners.get(hotkey, {})
        first = (self.book.miners.get(hotkey, {}).get("first_seen_ms") or 0) // DAY_MS
        recent = {at: one for at, one in record.items() if day - v2.DAYS < at <= day}
        tier1 = [one[0] or 0.0 for at, one in recent.items() if one[0] is not None or at >= first + self.grace]
        traps = [one[1] for one in recent.values() if one[1] is not None]
        newest = days[-v2.LATELY:]
        alive = [one[0] is not None and (one[1] is None or one[1] >= v2.ALIVE)
                 for at, one in record.items() if newest and at >= newest[0]]
        mean = lambda values: float(np.mean(values)) if values else None  # noqa: E731
        return mean(tier1) or 0.0, mean(traps), mean(alive) or 0.0


def same_outcomes(one, other):
    """Whether two lists tell the same of the same places."""
    return len(one) == len(other) and all(a["place"] == b["place"] and a["illicit"] == b["illicit"] for a, b in zip(one, other))
