"""Rules v2 in Python, from docs/scoring.md: a second opinion on what the program says, and the place to try changes.

First the formulas, each a function of arrays; then `V2`, which keeps what a validator's ledger would keep and plays a season.
Columns are in units of one standard deviation; miners come first, then the references.
"""
from dataclasses import dataclass, replace

import numpy as np

import traps
from figures import by_place, ranks

QUALITY = (0.2, 0.3, 0.5)
PARTS, GRAIN, BINS = 40, 2048, 10
REFERENCES = ("canonical", "outcomes")
TINY = 1e-12


@dataclass(frozen=True)
class Constants:
    """What docs/scoring.md lists, and switches for experiments."""

    days: int = 30
    earliest: int = 7
    latest: int = 21
    least: float = 100
    z: float = 2.0
    h: float = 1.0
    h_reference: float = 0.001
    knee: float = 0.005
    tail: float = 0.0125
    alike: float = 0.4
    turns: int = 2
    gamma: float = 1.5
    lately: int = 7
    alive: float = 0.2
    worthy: float = 0.25
    steady: float = 0.5
    level: float = 2.0
    newcomer: float = 0.001
    newcomers: float = 0.01
    few: int = 20
    learned: bool = True   # False: places keep their Savage scores
    once: bool = True      # False: an address counts as often as it alerts


# --- what a submission says

def savage(n):
    """Worth of n places before any outcome is known: sums of 1/n, 1/(n-1), ..."""
    return np.cumsum(1 / np.arange(n, 0, -1))


def rising(shares, weights):
    """The never falling sequence that is nearest to `shares`, by weighted squares."""
    blocks = []
    for share, weight in zip(shares, weights):
        block = (share, weight, 1)
        while blocks and blocks[-1][0] >= block[0]:
            left = blocks.pop()
            total = left[1] + block[1]
            block = ((left[0] * left[1] + block[0] * block[1]) / total, total, left[2] + block[2])
        blocks.append(block)
    return np.repeat([block[0] for block in blocks], [block[2] for block in blocks])


def worths(curve, n):
    """Worth of n places under a curve: between the middles of its parts in straight lines, flat outside."""
    if curve is None:
        return savage(n)
    middles = (np.arange(len(curve)) + 0.5) / len(curve)
    return np.interp((np.arange(n) + 0.5) / n, middles, curve)


def column(scores, curve=None):
    """Rows of scores as columns: the worths of their places with mean 0 and variance 1, in whole 2048ths."""
    worth = worths(curve, np.shape(scores)[-1])
    flat = np.ptp(worth) == 0
    standard = np.zeros(len(worth)) if flat else (worth - worth.mean()) / worth.std()
    return np.round(GRAIN * by_place(scores, standard)) / GRAIN


def part_of(scores):
    """Which of forty equal parts of its order each alert is in."""
    n = np.shape(scores)[-1]
    return ((by_place(scores, np.arange(n)) + 0.5) / n * PARTS).astype(np.int8)


# --- what columns tell

def descend(R, pull, step, knee, tail, sweeps=2000, enough=TINY):
    """Weights v >= 0 with the least v'Rv/2 - pull'v + losses, one after another until none moves."""
    v, left = np.zeros(len(pull)), pull.astype(float).copy()
    rise = step / knee
    for _ in range(sweeps):
        moved = 0.0
        for i in range(len(pull)):
            own = left[i] + v[i]
            to = max(0.0, own / (1 + rise[i]))
            if to > knee[i]:
                to = (own - step[i] * (1 - tail)) / (1 + tail * rise[i])
            change = to - v[i]
            if change:
                left -= change * R[i]
                v[i] = to
                moved = max(moved, abs(change))
        if moved < enough:
            break
    return v


def weights_of(R, pull, step, knee, tail):
    """The same weights, by guessing who is out, below the knee and above it until the guess holds. Much faster."""
    rise, zone = step / knee, np.where(pull > 0, 1, 0)
    for attempt in range(200):
        inside, v = zone > 0, np.zeros(len(pull))
        if inside.any():
            above = zone[inside] == 2
            slope = np.where(above, tail * rise[inside], rise[inside])
            offset = np.where(above, step[inside] * (1 - tail), 0)
            v[inside] = np.linalg.solve(R[np.ix_(inside, inside)] + np.diag(slope), pull[inside] - offset)
        wanted = np.where(inside, np.where(v <= 0, 0, np.where(v > knee, 2, 1)), np.where(pull - R @ v > 1e-13, 1, 0))
        wrong = np.flatnonzero(wanted != zone)
        if not len(wrong):
            return v
        zone = wanted if attempt < 12 else np.where(np.arange(len(pull)) == wrong[-1], wanted, zone)
    return descend(R, pull, step, knee, tail)


def nearness(R, v, alike):
    """From 0 to 1: how alike two columns are beyond what both share with the combination."""
    along = R @ v / np.sqrt(max(v @ R @ v, TINY))
    explained = np.clip(np.outer(along, along), -1, 0.999)
    near = np.clip(((R - explained) / (1 - explained) - alike) / (1 - alike), 0, 1)
    np.fill_diagonal(near, 1)
    return near


@dataclass
class Moments:
    P: np.ndarray
    p: np.ndarray
    u: float
    number: float
    illicit: float


def price(moments, own, k, solver=weights_of):
    """(w, points, c) of each column. `own`: which columns are miners'."""
    w, points, c = np.zeros((3, len(own)))
    size, error = np.diag(moments.P), 1 / np.sqrt(moments.number)
    speaks = size > 1e-6 * moments.number
    length = np.sqrt(np.where(speaks, size, 1))
    b = np.where(speaks, moments.p / (length * np.sqrt(moments.u)), 0.0)
    chance = np.where(own, k.z * error, 0.0)
    kept = np.flatnonzero(speaks & (b > chance))
    if not len(kept):
        return w, points, c
    mine, length = own[kept], length[kept]
    R = moments.P[np.ix_(kept, kept)] / np.outer(length, length)
    np.fill_diagonal(R, 1)
    pull = b[kept] - chance[kept] * np.sqrt(np.minimum(length**2 / moments.number, 1))
    step, mass = np.where(mine, k.h, k.h_reference) * error, np.ones(len(kept))
    v = solver(R, pull, step, mass * k.knee, k.tail)
    for _ in range(k.turns):
        mass = np.where(mine, 1 / (nearness(R, v, k.alike) @ mine + ~mine), 1.0)
        v = solver(R, pull, step, mass * k.knee, k.tail)
    w[kept], points[kept], c[kept] = v * np.sqrt(moments.number) / length, v * np.maximum(pull, 0), pull
    return w, points, c


def usual_likeness(P, w, number):
    """Correlation of each column with what the others say, over the rounds that it was there for; 0 for who is alone."""
    along, size = P @ w, np.diag(P)
    others = np.maximum(w @ along - 2 * w * along + w**2 * size, 0)
    heard = others * size > TINY * max(w @ along, 1e-300) * size.max()
    there = np.minimum(np.maximum(size, 0) / number, 1)
    return np.divide(along - w * size, np.sqrt(np.maximum(size * others * there, 0)), out=np.zeros(len(w)), where=heard)


def calibration(number, told, came):
    """1 - reliability / resolution over the bins of the last axis, from 0 to 1."""
    full = np.maximum(number, 1)
    mean = (came.sum(-1) / np.maximum(number.sum(-1), 1))[..., None]
    off, apart = ((told - came) ** 2 / full).sum(-1), (number * (came / full - mean) ** 2).sum(-1)
    return np.where(apart > 0, np.clip(1 - off / np.maximum(apart, TINY), 0, 1), 0.0)


def divided(worth):
    return worth / worth.sum() if worth.sum() > 0 else worth


class V2:
    """Rules v2 over a season."""

    def __init__(self, **changes):
        self.k = replace(Constants(), **changes)

    def begin(self, season):
        self.miners, days = season.present.shape
        columns, alerts = self.miners + len(REFERENCES), season.world.alerts
        self.own = np.arange(columns) < self.miners
        self.columns = np.zeros((columns, days, alerts), np.float32)
        self.counted = np.zeros((days, self.miners), bool)
        self.parts = np.zeros((self.miners, days, alerts), np.int8)
        self.known = np.zeros((days, alerts), bool)
        self.by_bin = np.zeros((3, days, self.miners, BINS))     # outcomes, sums of scores, illicit ones
        self.by_part = np.zeros((2, days, self.miners, PARTS))   # outcomes, illicit ones
        self.curve, self.w = None, np.zeros(columns)

    def play(self, season, day, sheet):
        self.learn(season, day)
        here = season.here(day)
        if sheet is not None:
            for place in here:
                shares = traps.found(season.scores[place, day], sheet.answers[place], sheet.groups)
                season.advantage[place, day] = traps.advantage(shares)
        self.enter(season, day)
        if len(here):
            season.merge(day, self.voices(season, day, here))
        season.pay[:, day] = self.pay(season, day)

    # what becomes known

    def learn(self, season, day):
        k, known_on = self.k, season.world.known_on
        for old in range(max(0, day - k.latest), day - k.earliest + 1):
            self.count(season, old, (known_on[old] <= day) & ~self.known[old])
        oldest, newest = max(0, day - k.earliest - k.days + 1), day - k.earliest
        rounds = [old for old in range(oldest, newest + 1) if self.known[old].any()]
        self.rounds = len(rounds)
        self.settled = self.counted[rounds].sum(0) if rounds else np.zeros(self.miners)
        number, told, came = self.by_bin[:, rounds].sum(1) if rounds else np.zeros((3, self.miners, BINS))
        self.calibration = calibration(number, told, came) if rounds else np.ones(self.miners)
        self.told = told.sum(1) / np.maximum(number.sum(1), 1)
        self.solve(season, rounds)

    def count(self, season, old, new):
        """Counts outcomes that became known by part and by bin."""
        if not new.any():
            return
        self.known[old] |= new
        here, illicit = season.here(old), season.world.illicit[old, new]
        scores, parts = season.scores[here, old][:, new], self.parts[here, old][:, new]
        bins = np.clip(np.ceil(scores * BINS).astype(int) - 1, 0, BINS - 1)
        for at in range(BINS):
            inside = bins == at
            self.by_bin[:, old, here, at] += [inside.sum(1), (scores * inside).sum(1), inside @ illicit]
        for at in range(PARTS):
            inside = parts == at
            self.by_part[:, old, here, at] += [inside.sum(1), inside @ illicit]

    def moments(self, season, rounds):
        """Second moments of columns and outcomes. An address counts once; means are taken out in each round; rounds in which one
        class alone is known are left out."""
        world, columns = season.world, len(self.own)
        sum_ = Moments(np.zeros((columns, columns)), np.zeros(columns), 0.0, 0.0, 0.0)
        if not rounds:
            return sum_
        addresses = [world.address[old][self.known[old]] for old in rounds]
        _, which, times = np.unique(np.concatenate(addresses), return_inverse=True, return_counts=True)
        weights = 1 / times[which] if self.k.once else np.ones(len(which))
        for old, a in zip(rounds, np.split(weights, np.cumsum([len(one) for one in addresses])[:-1])):
            y = world.illicit[old][self.known[old]]
            if y.all() or not y.any():
                continue
            x = self.columns[:, old, self.known[old]].astype(float)
            n, m, totals = a.sum(), a @ y, x @ a
            sum_.P += (x * a) @ x.T - np.outer(totals, totals) / n
            sum_.p += x @ (a * y) - totals * m / n
            sum_.u, sum_.number, sum_.illicit = sum_.u + m - m * m / n, sum_.number + n, sum_.illicit + m
        return sum_

    def learned(self, rounds):
        """The worth of places, from everybody's counts by the weights of the day before."""
        w = self.w[: self.miners] if self.w[: self.miners].any() else np.ones(self.miners)
        number, came = (w @ counts for counts in self.by_part[:, rounds].sum(1))
        there = np.flatnonzero(number > 0)
        return rising(np.interp(np.arange(PARTS), there, came[there] / number[there]), np.maximum(number, 1e-9))

    def solve(self, season, rounds):
        self.points, self.usual, self.c = np.zeros((3, len(self.own)))
        moments = self.moments(season, rounds)
        if min(moments.illicit, moments.number - moments.illicit) < self.k.least:
            self.w, self.curve = np.zeros(len(self.own)), None
            return
        self.curve = self.learned(rounds) if self.k.learned else None
        self.w, self.points, self.c = price(moments, self.own, self.k)
        self.usual = usual_likeness(moments.P, np.where(self.own, self.w, 0.0), moments.number)

    # a round

    def enter(self, season, day):
        """Columns of the round; who is not there says nothing."""
        world, here = season.world, season.here(day)
        if len(here):
            self.columns[here, day] = column(season.scores[here, day], self.curve)
            self.parts[here, day] = part_of(season.scores[here, day])
            self.counted[day, here] = True
        before = world.known_on[:day] < day
        share = world.illicit[:day][before].mean() if before.any() else 0.0
        public = {"canonical": season.old_canonical[day],
                  "outcomes": np.where(np.isnan(world.looked_up[day]), share, world.looked_up[day])}
        for at, name in enumerate(REFERENCES):
            self.columns[self.miners + at, day] = column(public[name], self.curve)

    def voices(self, season, day, here):
        k, scores = self.k, season.scores[here, day]
        alive, told = ~(season.advantage[here, day] < k.alive), self.told[here]
        times = np.log(scores.mean(1) / np.where(told > 0, told, 1))
        fit = alive & ((told <= 0) | (np.abs(times) < np.log(k.level)))
        w = self.w[here] * self.settled[here] / max(self.rounds, 1) * self.calibration[here]
        steady = fit
        if w.any():
            x = column(scores, self.curve)
            said = (w * fit)[:, None] * x
            rest = said.sum(0) - said
            along = (x * rest).sum(1) / np.sqrt(np.maximum((x**2).sum(1) * (rest**2).sum(1), TINY))
            steady = fit & (along >= k.steady * self.usual[here])
        for choice in (np.where(steady, w, 0.0), (w > 0) & fit, alive):
            if choice.any():
                return divided(choice.astype(float))
        return np.full(len(here), 1 / len(here))

    def pay(self, season, day):
        """Shares of the day; what they lack to 1 nobody earned."""
        k, month = self.k, slice(max(0, day - self.k.days + 1), day + 1)
        week = slice(max(0, day - k.lately + 1), day + 1)
        reached = season.advantage[:, month]
        some = np.isfinite(reached).sum(1)
        skill = np.divide(np.nansum(reached, 1), some, out=np.zeros(self.miners), where=some > 0)
        answered = season.present[:, month].sum(1) / np.maximum(season.asked[:, month].sum(1), 1)
        alive = season.present[:, week] & ~(season.advantage[:, week] < k.alive)
        lately = alive.sum(1) / np.maximum(season.asked[:, week].sum(1), 1)
        quality = QUALITY[0] * answered + QUALITY[1] * skill + QUALITY[2] * self.calibration
        worthy = (skill >= k.worthy) | (some == 0)
        worth = lately * np.where(worthy, self.points[: self.miners] * quality, 0.0) ** k.gamma
        new = season.present[:, day] & (self.settled < k.few) & (skill >= k.worthy)
        new &= ~season.asked[:, : max(0, day - k.days - k.earliest + 1)].any(1)
        part = np.zeros(self.miners)
        if new.any():
            _, kind, copies = np.unique(ranks(season.scores[new, day]), axis=0, return_inverse=True, return_counts=True)
            part[new] = 1 / copies[kind.ravel()]
        pool = min(k.newcomers, k.newcomer * part.sum())
        return (1 - pool) * divided(worth) + pool * divided(part)
