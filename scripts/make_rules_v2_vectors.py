#!/usr/bin/env python3
"""Records what the rules' Python twin says, for the test of rules v2.

    python3 -m venv VENV && VENV/bin/pip install numpy
    VENV/bin/python scripts/make_rules_v2_vectors.py > conformance/scoring_v2_rules.json
    VENV/bin/python scripts/make_rules_v2_vectors.py --seasons 0 1000      one season a line, for the test that plays them live

Seasons are small (8 miners, 40 days, 60 alerts) with absences, ties, copies, late miners, rounds without traps and outcomes
that come too late; scores are whole multiples of 2^-16, so that sums of them are exact in both languages.
"""
import base64
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent / "simulator"))

import rules_v2 as v2  # noqa: E402
from figures import sigmoid  # noqa: E402
from season import Miner, Season  # noqa: E402
from world import World  # noqa: E402

MINERS, DAYS, ALERTS = 8, 40, 60
NEVER = 65535


def packed(values, kind):
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()


def numbers(values):
    """Shortest digits that read back as the same numbers; null for nan; a whole row of zeros is null."""
    values = np.asarray(values, float)
    if values.ndim > 1:
        return [numbers(row) for row in values]
    return None if not values.any() else [None if np.isnan(one) else float(one) for one in values]


class SmallWorld(World):
    """Few alerts, many illicit ones; an address alerts again within twenty days, sometimes twice a day."""

    def __post_init__(self):
        self.rng = rng = np.random.default_rng(self.seed)
        shape = (self.number_of_days, self.alerts_a_day)
        self.base_rate = rng.uniform(0.25, 0.5)
        self.address = np.arange(shape[0] * shape[1]).reshape(shape)
        again = rng.random(shape) < rng.uniform(0, 0.5)
        again[0] = False
        for day, place in np.argwhere(again):
            back = rng.integers(0, min(day, 20) + 1) if place else rng.integers(1, min(day, 20) + 1)
            self.address[day, place] = self.address[day - back, rng.integers(0, shape[1] if back else place)]
        habit = rng.random(self.address.max() + 1) < self.base_rate
        self.illicit = np.where(rng.random(shape) < 0.6, habit[self.address], rng.random(shape) < self.base_rate).astype(float)
        self.truth = 1.5 * self.illicit + rng.standard_normal(shape)
        known = rng.random(shape) < rng.uniform(0.6, 1)
        delay = rng.integers(1, 26, shape)  # some become known before a round is looked at, some too late
        self.known_on = np.where(known, np.arange(shape[0])[:, None] + delay, NEVER)
        self.look_back()


def answers(world):
    """Eight miners' scores, days x alerts, nan where there is no answer; at least one answers on every day."""
    rng, shape = world.rng, world.illicit.shape
    given = []
    for at in range(MINERS):
        kind = rng.integers(0, 8) if at else 0
        evidence = world.truth + rng.uniform(0.5, 2) * rng.standard_normal(shape)
        s = sigmoid(rng.uniform(0.5, 2) * evidence - rng.uniform(0.5, 2))
        if kind == 1:
            s = rng.random(shape)
        elif kind == 2:
            s = given[rng.integers(0, at)].copy()
        elif kind == 3:
            s = np.clip(given[rng.integers(0, at)] + 0.1 * rng.standard_normal(shape), 0, 1)
        elif kind == 4:
            s = np.floor(8 * s) / 8
        elif kind == 5:
            s[rng.random(DAYS) < 0.3] = rng.choice([0.0, 0.25, 1.0])
        s = np.clip(np.round(s * 65536), 0, 65535) / 65536
        if at:
            absent = [np.zeros(DAYS, bool), rng.random(DAYS) < 0.4, np.arange(DAYS) % 3 != at % 3,
                      np.arange(DAYS) >= rng.integers(20, DAYS)][rng.choice(4, p=[0.5, 0.2, 0.2, 0.1])]
            s[absent] = np.nan
        given.append(s)
    return given


class SmallSeason(Season):
    def sheet(self, day):
        """Advantages are drawn: sixty alerts have no room for traps."""
        if day % 9 == 4:
            return
        here = self.present[:, day]
        drawn = np.clip(np.round(64 * self.rng.normal(0.5, 0.25, len(here))) / 64, 0, 1)
        self.advantage[here, day] = drawn[here]


class Undecided(Exception):
    """Whether enough is known hangs on the rounding of a sum."""


class Told(v2.V2):
    """The rules, and a record of what they said every day."""

    def begin(self, season):
        super().begin(season)
        self.days = []

    def moments(self, season, rounds):
        given = super().moments(season, rounds)
        if abs(min(given.illicit, given.number - given.illicit) - self.k.least) < 1e-9:
            raise Undecided
        return given

    def solve(self, season, rounds):
        super().solve(season, rounds)
        self.days.append({"w": self.w, "c": self.c, "points": self.points, "usual": self.usual, "calibration": self.calibration,
                          "curve": np.zeros(0) if self.curve is None else self.curve})


def season(seed):
    """The season of a seed; that of another one where rounding decides whether enough is known."""
    try:
        return played(seed)
    except Undecided:
        return season(seed + 1_000_000)


def played(seed):
    world = SmallWorld(seed=seed, number_of_days=DAYS, alerts_a_day=ALERTS)
    given = answers(world)
    first = [0 if at == 0 or world.rng.random() < 0.7 else int(world.rng.integers(1, 35)) for at in range(MINERS)]

    def told(s):
        return lambda _, day: None if np.isnan(s[day, 0]) else s[day]

    rules = Told()
    over = SmallSeason(world, [Miner(told(s), first=day) for s, day in zip(given, first)], rules, seed).run()
    days = [{name: numbers(values) for name, values in day.items()} for day in rules.days]
    for day, voice, pay in zip(days, over.voice.T, over.pay.T):
        day["voice"], day["pay"] = numbers(voice), numbers(pay)
    scores = np.where(over.present[..., None], over.scores, 0) * 65536
    return {"seed": seed, "miners": MINERS, "alerts": ALERTS, "first": first,
            "scores": packed(scores, "<u2"),
            "present": ["".join(str(int(one)) for one in row) for row in over.present],
            "advantage": [numbers(row) for row in over.advantage.T],
            "illicit": packed(world.illicit, "u1"), "known": packed(world.known_on, "<u2"),
            "address": packed(world.address, "<u2"), "stale": packed(over.old_canonical, "<f8"), "days": days}


def orders(rng):
    """Columns and parts of scores with and without ties, under curves."""
    out = []
    for n, ties in ((1, 0), (2, 0), (7, 3), (40, 0), (60, 7), (333, 20), (600, 0)):
        s = rng.random(n) if not ties else rng.integers(0, ties, n) / ties
        curve = v2.rising(rng.random(40) ** 3, rng.integers(1, 50, 40).astype(float)) if n % 2 else None
        place = v2.part_of(s)[0]
        out.append({"scores": s.tolist(), "curve": None if curve is None else curve.tolist(),
                    "column": (2048 * v2.column(s, curve)[0]).astype(int).tolist(), "parts": place.tolist()})
    return out


def prices(rng):
    """Moments of random columns, absences and copies among them, and what they are worth."""
    out = []
    for miners, references in ((1, 0), (3, 1), (12, 2), (20, 2)):
        n, k = 3000, v2.Constants()
        y = (rng.random(n) < 0.1).astype(float)
        shared, x = rng.standard_normal(n), []
        for at in range(miners + references):
            told = rng.uniform(0, 1) * y + rng.uniform(0, 1) * shared + rng.standard_normal(n)
            told = x[rng.integers(0, at)].copy() if at > 2 and rng.random() < 0.25 else (told - told.mean()) / told.std()
            told[: int(rng.choice([0, 0, 1000, 2900]))] = 0
            x.append(told)
        x = np.array(x)
        centred = x - x.mean(1, keepdims=True)
        P, p, u = centred @ centred.T, centred @ (y - y.mean()), float(((y - y.mean()) ** 2).sum())
        own = np.arange(len(x)) < miners
        w, points, c = v2.price(v2.Moments(P, p, u, float(n), float(y.sum())), own, k)
        out.append({"miners": miners, "cross": P.ravel().tolist(), "told": p.tolist(), "own": u, "number": float(n),
                    "w": w.tolist(), "points": points.tolist(), "c": c.tolist(),
                    "usual": v2.usual_likeness(P, np.where(own, w, 0.0), float(n)).tolist()})
    return out


def calibrations(rng):
    """Scores as whole 2^-32, outcomes, and how calibrated they are."""
    out = []
    for n, slope in ((1, 1), (50, 1), (400, 1), (400, 0.3), (400, 4), (400, 0)):
        s = rng.integers(0, 2**32 + 1, n)
        if n == 50:
            s[:22] = np.r_[np.arange(11) * 2**32 // 10, np.arange(11) * 2**32 // 10 + 1].clip(0, 2**32)
        y = rng.random(n) < 0.5 + slope * (s / 2**32 - 0.5)
        bins = np.clip(np.ceil(s / 2**32 * 10).astype(int) - 1, 0, 9)
        number, told, came = (np.bincount(bins, weights, 10) for weights in (np.ones(n), s / 2**32, y.astype(float)))
        out.append({"scores": [int(one) for one in s], "illicit": [bool(one) for one in y],
                    "calibration": float(v2.calibration(number, told, came))})
    return out


def vectors():
    rng = np.random.default_rng(13)
    constants = {**dataclasses.asdict(v2.Constants()), "quality": v2.QUALITY, "parts": v2.PARTS, "grain": v2.GRAIN,
                 "references": v2.REFERENCES}
    return {"format": "aml-conformance", "version": 1, "pages": ["docs/scoring.md"],
            "numpy": np.__version__, "constants": constants, "orders": orders(rng), "prices": prices(rng), "calibrations": calibrations(rng),
            "seasons": [season(1000)]}


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "--seasons":
        for seed in range(int(sys.argv[2]), int(sys.argv[3])):
            print(json.dumps(season(seed), separators=(",", ":")), flush=True)
    elif len(sys.argv) == 1:
        json.dump(vectors(), sys.stdout, separators=(",", ":"))
        print()
    else:
        sys.exit(__doc__)
