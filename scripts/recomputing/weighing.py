"""From a pack's grounds to voices: moments and deliveries to standings, the curve, and what other packs say of both."""
import numpy as np

import information
import pricing as v2
from worth import DAY_MS

PRICED = information.PRICED
REFERENCES = tuple(f"reference:{name}" for name in information.REFERENCES)
CONSTANTS = {
    "days": v2.DAYS, "earliest": v2.EARLIEST, "latest": v2.LATEST, "least": v2.LEAST, "z": v2.Z, "h": v2.H,
    "h_reference": v2.H_REFERENCE, "knee": v2.KNEE, "tail": v2.TAIL, "alike": v2.ALIKE, "turns": v2.TURNS, "gamma": v2.GAMMA,
    "tier1": v2.TIER1, "traps": v2.TRAPS, "calibration": v2.CALIBRATION, "lately": v2.LATELY, "alive": v2.ALIVE,
    "worthy": v2.WORTHY, "steady": v2.STEADY, "level": v2.LEVEL, "newcomer": v2.NEWCOMER, "newcomers": v2.NEWCOMERS,
    "few": v2.FEW,
}


class Weighing:
    """The standing that a round's voices come from."""

    def __init__(self, shelf, tally):
        self.shelf, self.tally = shelf, tally
        self.known = information.Information(shelf, tally, 0)

    def round(self, row):
        """Grounds against the standing and the curve; against other packs where all of its window are there."""
        name, tally = row["id"], self.tally
        stored = min(self.shelf.standings[name], key=lambda one: one["made_ms"])["packed"]
        tally.same("rules: constants", name, row["constants"], CONSTANTS)
        grounds = self.shelf.grounds[name]
        if grounds is None:
            tally.skip("standing: from its grounds", "the pack has none")
            return
        own = self.standing(name, grounds, stored)
        self.curve(name, grounds, own["known"])
        self.window(row, grounds, stored)

    def standing(self, name, grounds, stored):
        tally = self.tally
        miners, count = list(grounds["miners"]), len(grounds["miners"])
        tally.same("standing: when it was made", name, stored["made_ms"], grounds["made_ms"])
        tally.same("standing: days of the window", name, stored["rounds"], grounds["rounds"])
        tally.same("standing: whose", name, list(stored["miners"]), miners)
        tally.same("grounds: whose columns", name, grounds["columns"], [*miners, *REFERENCES])
        P, p = matrix(grounds["cross"]), np.array(grounds["told"])
        sound = P.shape == (count + 2, count + 2) and p.shape == (count + 2,)
        tally.same("grounds: a row per column", name, True, sound)
        if not sound:
            return {"known": False}
        number, illicit = grounds["number"], grounds["illicit"]
        tally.close("standing: outcomes of the window", name, stored["number"], number)
        tally.close("standing: illicit outcomes", name, stored["illicit"], illicit)
        known = bool(min(illicit, number - illicit) >= v2.LEAST)
        tally.same("standing: enough is known", name, stored["known"], known)
        mine = np.arange(count + 2) < count
        b, c, w, mass, points = v2.price(P, p, grounds["own"], number, mine) if known else np.zeros((5, count + 2))
        usual = v2.usual_likeness(P[:count, :count], w[:count], number) if known else np.zeros(count)
        begun = any(one["rounds"] for one in grounds["miners"].values())
        for at, column in enumerate(grounds["columns"]):
            kept = stored["miners"].get(column) if at < count else None
            priced = kept["priced"] if at < count else stored["references"].get(column.removeprefix("reference:"), {})
            for what, value in (("correlation", b), ("beyond", c), ("weight", w), ("mass", mass), ("points", points)):
                tally.close(f"standing: {what}", f"{name} {column}", priced.get(what), float(value[at]), PRICED)
            tally.close("standing: standard weight", f"{name} {column}", priced.get("standard_weight"),
                        standard(w[at], P[at, at], number), PRICED)
            if at < count:
                self.delivered(f"{name} {column}", kept, (grounds["miners"][column], float(usual[at]), begun))
        return {"known": known}

    def delivered(self, where, kept, own):
        """What does not come from prices."""
        (one, usual, begun), tally = own, self.tally
        number, told, came = (np.array(one["bins"][what], dtype=float) for what in ("outcomes", "told", "illicit"))
        told = told / v2.WHOLE
        tally.close("standing: usual", where, kept["usual"], usual, PRICED)
        tally.close("standing: calibration", where, kept["calibration"], v2.calibration(number, told, came) if begun else 1.0, PRICED)
        tally.close("standing: level", where, kept["level"], told.sum() / number.sum() if number.sum() else None, PRICED)
        tally.close("standing: part", where, kept["part"], one["counted"] / one["rounds"] if one["rounds"] else 0.0, PRICED)
        tally.same("standing: rounds counted", where, kept["counted"], one["counted"])
        sums = (sum(one["parts"]["outcomes"]), sum(one["parts"]["illicit"]))
        tally.same("grounds: parts and bins of the same outcomes", where, sums, (int(number.sum()), int(came.sum())))

    def curve(self, name, grounds, known):
        stored = self.shelf.curves[name]
        parts = np.array([[one["parts"]["outcomes"], one["parts"]["illicit"]] for one in grounds["miners"].values()], dtype=float)
        before = np.array([one["weight_before"] for one in grounds["miners"].values()])
        own = v2.learned(parts[:, 0], parts[:, 1], before) if known and len(parts) else None
        self.tally.same("curve: whether there is one", name, stored is None, own is None)
        if stored is None or own is None:
            return
        self.tally.same("curve: parts", name, len(stored["shares"]), len(own))
        for at, (share, value) in enumerate(zip(stored["shares"], own)):
            self.tally.close("curve", f"{name} part {at}", share, float(value), PRICED)

    def window(self, row, grounds, stored):
        """Grounds from the columns and outcomes of other packs, where all rounds of the window are there."""
        tally, name = self.tally, row["id"]
        first, last = row["day"] - v2.EARLIEST - v2.DAYS + 1, row["day"] - v2.EARLIEST
        at_ms = stored["made_ms"]
        looked = []
        for before in self.known.rounds(row, first, last, at_ms):
            counts = [one for one in self.known.known(before, at_ms)
                      if one["confirmed_ms"] // DAY_MS <= min(row["day"], before["day"] + v2.LATEST)]
            if counts and self.shelf.packs[before["id"]] is not None:
                looked.append((before, self.known.accepted(before["id"]), counts))
        days = [day_text(before["day"]) for before, _, _ in looked]
        if any(day not in days for day in grounds["rounds"]) and not self.known.from_first:
            tally.skip("grounds: from the packs of the window", "the packs of its rounds are not all here")
            return
        tally.same("grounds: rounds of the window", name, grounds["rounds"], days)
        if any(one["day"] == row["day"] - 1 for one in self.shelf.rounds.values()) or self.known.from_first:
            miners = list(grounds["miners"])
            before = [float(one) for one in self.known.weights_before(row, miners)]
            told = [one["weight_before"] for one in grounds["miners"].values()]
            tally.same("grounds: weights of the day before", name, told, before)
        self.moments(row, grounds, looked)

    def moments(self, row, grounds, looked):
        tally, name = self.tally, row["id"]
        rounds = self.known.counted(grounds["columns"], looked)
        P, p, u, number, illicit = v2.moments(len(grounds["columns"]), rounds)
        largest = max(1.0, float(np.abs(P).max(initial=0)))
        for what, stored, own in (("P", matrix(grounds["cross"]), P), ("p", np.array(grounds["told"]), p)):
            apart = float(np.abs(stored - own).max(initial=0)) / largest if stored.shape == own.shape else np.inf
            tally.close(f"grounds: {what} from the packs of the window", name, apart, 0.0, PRICED)
        for what, own in (("own", u), ("number", number), ("illicit", illicit)):
            tally.close(f"grounds: {what} from the packs of the window", name, grounds[what], float(own), PRICED)
        for hotkey, one in grounds["miners"].items():
            self.deliveries(f"{name} {hotkey}", (hotkey, one), (row, looked, grounds["made_ms"]))

    def deliveries(self, where, of, window):
        (hotkey, one), (row, looked, at_ms) = of, window
        own = self.known.delivered(row, hotkey, looked, at_ms)
        tally, rule = self.tally, "grounds: deliveries from the packs of the window"
        tally.same(rule, where, (one["rounds"], one["counted"]), (own["rounds"], own["counted"]))
        parts = [own["parts"][0].astype(int).tolist(), own["parts"][1].astype(int).tolist()]
        tally.same(rule, f"{where} parts", [one["parts"]["outcomes"], one["parts"]["illicit"]], parts)
        bins = [np.rint(own["bins"][0]).tolist(), np.rint(own["bins"][1] * v2.WHOLE).tolist(), np.rint(own["bins"][2]).tolist()]
        tally.same(rule, f"{where} bins", [list(map(float, one["bins"][what])) for what in ("outcomes", "told", "illicit")], bins)


def matrix(rows):
    """A symmetric matrix of its rows up to the diagonal."""
    if any(len(row) != at + 1 for at, row in enumerate(rows)):
        return np.zeros((0, 0))
    full = np.zeros((len(rows), len(rows)))
    for at, row in enumerate(rows):
        full[at, :at + 1] = row
    return full + np.tril(full, -1).T


def standard(weight, size, number):
    return float(weight * np.sqrt(size / number)) if number > 0 and size > 0 else 0.0


def day_text(day):
    return str(np.datetime64(day, "D"))
