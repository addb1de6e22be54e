"""The curve of a round's probabilities, as docs/reading_scores.md learns it."""
import math

import pricing as v2
from worth import DAY_MS
from weighing import day_text

VERSION, DAYS, LEAST, GROUP, GROUPS, Z = 1, 60, 100, 40, 50, 1.645
TOLERANCE = 1e-9


class Probabilities:
    def __init__(self, shelf, tally, known):
        self.shelf, self.tally, self.known = shelf, tally, known

    def round(self, row):
        name, tally = row["id"], self.tally
        stored = self.shelf.calibrations[name]
        if stored is None:
            return
        head = (stored["version"], stored["round"], stored["as_of_ms"], stored["days"], stored["least"])
        tally.same("probabilities: what for", name, head, (VERSION, name, row["opened_ms"], DAYS, LEAST))
        tally.same("probabilities: none without enough", name, bool(stored["knots"]), stored["rarer"] >= LEAST)
        knots = [(one["score"], one["share"], one["low"], one["high"]) for one in stored["knots"]]
        rises = all(a[0] < b[0] and all(x <= y for x, y in zip(a[1:], b[1:])) for a, b in zip(knots, knots[1:]))
        sound = all(0 <= low <= share <= high <= 1 for _, share, low, high in knots)
        tally.same("probabilities: a curve that rises", name, True, rises and sound)
        tally.same("probabilities: outcomes in their groups", name, bool(knots),
                   bool(knots) and sum(one["outcomes"] for one in stored["knots"]) == stored["outcomes"])
        self.learned(row, stored)

    def learned(self, row, stored):
        """From the outcomes of other packs, where all rounds that it names are there."""
        name, tally, at_ms = row["id"], self.tally, row["opened_ms"]
        seen, used = [], []
        for before in self.known.rounds(row, row["day"] - DAYS, row["day"] - 1, at_ms):
            came = [one for one in self.known.known(before, at_ms) if one["confirmed_ms"] // DAY_MS <= row["day"]]
            merged = self.shelf.canonical.get(before["id"])
            if came and merged is not None:
                used.append(day_text(before["day"]))
                # An alert that names no address stands for itself.
                seen += [(merged["scores"][one["place"]]["score"], one["illicit"], one["address"] or (before["id"], one["place"]))
                         for one in came]
        if any(day not in used for day in stored["rounds"]) and not self.known.from_first:
            tally.skip("probabilities: from the packs of their rounds", "the packs of its rounds are not all here")
            return
        tally.same("probabilities: days that they come from", name, stored["rounds"], used)
        own = learn(seen)
        for what in ("outcomes", "illicit", "addresses", "rarer"):
            tally.close(f"probabilities: {what}", name, stored[what], own[what], TOLERANCE)
        tally.same("probabilities: groups", name, len(stored["knots"]), len(own["knots"]))
        for at, (kept, knot) in enumerate(zip(stored["knots"], own["knots"])):
            for what in ("score", "share", "low", "high", "outcomes"):
                tally.close("probabilities: curve", f"{name} knot {at} {what}", kept[what], knot[what], TOLERANCE)


def learn(seen):
    seen = sorted(seen, key=lambda one: one[0])
    by_address = {}
    for _, illicit, address in seen:
        of = by_address.setdefault(address, [0, 0])
        of[0], of[1] = of[0] + 1, of[1] + illicit
    bad = math.fsum(illicit / outcomes for outcomes, illicit in by_address.values())
    rarer = max(0.0, min(bad, len(by_address) - bad))
    found = {"outcomes": len(seen), "illicit": sum(one[1] for one in seen), "addresses": len(by_address), "rarer": rarer}
    return {**found, "knots": knots(seen) if rarer >= LEAST else []}


def knots(seen):
    count = min(GROUPS, max(1, len(seen) // GROUP))
    groups, start = [], 0
    for group in range(1, count + 1):
        end = group * len(seen) // count
        while end < len(seen) and seen[end][0] == seen[end - 1][0]:
            end += 1
        if end > start:
            groups.append(seen[start:end])
            start = end
    base = sum(one[1] for one in seen) / len(seen)
    shares = v2.rising([(sum(one[1] for one in group) + base) / (len(group) + 1) for group in groups], [len(group) for group in groups])
    made, at = [], 0
    while at < len(groups):
        end = at
        while end < len(groups) and shares[end] == shares[at]:
            end += 1
        low, high = wilson(float(shares[at]), effective([one for group in groups[at:end] for one in group]))
        made += [{"score": math.fsum(one[0] for one in group) / len(group), "share": float(shares[at]), "low": low, "high": high,
                  "outcomes": len(group)} for group in groups[at:end]]
        at = end
    for one, before in zip(made[1:], made):
        one["low"] = max(one["low"], before["low"])
    for one, after in zip(made[-2::-1], made[::-1]):
        one["high"] = min(one["high"], after["high"])
    return made


def effective(members):
    counts = {}
    for _, _, address in members:
        counts[address] = counts.get(address, 0) + 1
    return len(members) ** 2 / sum(count * count for count in counts.values())


def wilson(share, number):
    """Wilson's interval of 90 %."""
    middle, spread = share + Z * Z / (2 * number), Z * math.sqrt(share * (1 - share) / number + Z * Z / (4 * number * number))
    below, above = (middle - spread) / (1 + Z * Z / number), (middle + spread) / (1 + Z * Z / number)
    return max(0.0, min(below, share)), min(1.0, max(above, share))
