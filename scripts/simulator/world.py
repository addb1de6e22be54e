"""Alerts, what becomes known of them, and models of known skill.

`Alerts` are days of alerts with addresses and outcomes, wherever they come from. `World` makes some from a seed: an alert
shows evidence in six families, `root * (root * illicit + noise)` in logits for a family of strength `root^2`. The noise belongs
to the alert, so that everybody who looks at a family is wrong there together. A model sums the families that it sees and
adds an error of its own.

An address may alert again: on the next day with the same outcome, evidence and errors, or two weeks later and more with new
ones and an outcome that often is the old one.
"""
from dataclasses import dataclass, field

import numpy as np

from figures import ranks, sigmoid

NEVER = 10**6
ROOTS = np.sqrt([0.75, 0.75, 0.75, 0.75, 0.5, 0.5])
USUAL = np.array([1, 1, 1, 1, 0, 0], dtype=float)  # what everybody's features cover


class Alerts:
    """Arrays have a row per day and a place per alert: `illicit`, `relevance`, `address`, `known_on` (a day, or NEVER).

    `before` holds day and place of the same address's newest alert on an earlier day, -1 without one; `looked_up` its newest
    outcome that was known before the day, nan without one."""

    def look_back(self):
        self.before = np.full((2,) + self.address.shape, -1)
        self.looked_up = np.full(self.address.shape, np.nan)
        past = {}
        for day, addresses in enumerate(self.address):
            for place, address in enumerate(addresses):
                seen = past.get(address)
                if seen is None:
                    continue
                self.before[:, day, place] = seen[-1]
                known = [alert for alert in seen if self.known_on[alert] < day]
                if known:
                    self.looked_up[day, place] = self.illicit[known[-1]]
            for place, address in enumerate(addresses):
                past.setdefault(address, []).append((day, place))

    @property
    def days(self):
        return len(self.address)

    @property
    def alerts(self):
        return self.address.shape[1]


@dataclass
class World(Alerts):
    seed: int = 1
    number_of_days: int = 54
    alerts_a_day: int = 600
    base_rate: float = 0.08
    next_day: float = 0.5       # share of a day's alerts whose address alerted the day before
    weeks_later: float = 0.15   # share whose address alerted 14 to 30 days before
    habit: float = 0.5          # share of those that have the old outcome for certain
    coverage: float = 0.6       # share of alerts of which anything becomes known
    suspicion: float = 0.4      # how much likelier that is for the most suspicious ones
    earliest: int = 7           # days until an outcome is known
    latest: int = 21
    rng: np.random.Generator = field(init=False)

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)
        self.draw_alerts()
        self.draw_outcomes()
        self.look_back()

    def draw_alerts(self):
        rng, shape = self.rng, (self.number_of_days, self.alerts_a_day)
        self.yesterday = np.full(shape, -1)  # place of the same address on the day before
        self.address = np.arange(self.number_of_days * self.alerts_a_day).reshape(shape)
        self.illicit = (rng.random(shape) < self.base_rate).astype(float)
        noise = rng.standard_normal(shape + (len(ROOTS),))
        self.luck = rng.random(shape)
        again, back = int(self.next_day * self.alerts_a_day), int(self.weeks_later * self.alerts_a_day)
        for day in range(1, self.number_of_days):
            places = rng.permutation(self.alerts_a_day)[: again + back]
            same, other = places[:again], places[again:]
            old = rng.permutation(self.alerts_a_day)[:again]
            self.yesterday[day, same] = old
            for values in (self.illicit, noise, self.luck, self.address):
                values[day, same] = values[day - 1, old]
            if day >= 14:
                whence = rng.integers(max(0, day - 30), day - 13, back), rng.integers(0, self.alerts_a_day, back)
                self.address[day, other] = self.address[whence]
                keeps = rng.random(back) < self.habit
                self.illicit[day, other] = np.where(keeps, self.illicit[whence], self.illicit[day, other])
        self.evidence = ROOTS * (noise + ROOTS * self.illicit[..., None]) - ROOTS**2 / 2

    def draw_outcomes(self):
        rng, shape = self.rng, self.illicit.shape
        self.common_error = self.error()
        suspicion = ranks(self.evidence @ USUAL + np.sqrt(1.5) * self.common_error) / self.alerts_a_day
        self.relevance = np.where(self.illicit > 0, 2, (self.luck < 0.05 + 0.3 * suspicion**3).astype(int))
        becomes = rng.random(shape) < self.coverage + self.suspicion * (suspicion - 0.5)
        takes = rng.integers(self.earliest, self.latest + 1, shape)
        self.known_on = np.where(becomes, np.arange(self.number_of_days)[:, None] + takes, NEVER)

    def error(self):
        """Standard noise; an address that comes again the next day keeps its own."""
        noise = self.rng.standard_normal((self.number_of_days, self.alerts_a_day))
        for day in range(1, self.number_of_days):
            same = self.yesterday[day] >= 0
            noise[day, same] = noise[day - 1, self.yesterday[day, same]]
        return noise

    def model(self, own, sees=USUAL, shared=0.0, slope=1.0, shift=0.0):
        """Scores of a model with an error of variance `own`, the part `shared` of it the public model's. Calibrated with slope 1
        and shift 0."""
        error = np.sqrt(shared) * self.common_error + np.sqrt(1 - shared) * self.error()
        strength = float((ROOTS**2 * sees**2).sum())
        prior = np.log(self.base_rate / (1 - self.base_rate))
        return sigmoid(prior + shift + slope * strength / (strength + own) * (self.evidence @ sees + np.sqrt(own) * error))

    def public_model(self):
        """The model that comes with the software."""
        return self.model(1.5, shared=1.0)

    def honest(self, count, best=0.9, worst=6.0, special=0.2, forks=0.3):
        """Scores of so many honest miners: own errors from `best` to `worst` (AUC 0.85 to 0.75), some of whom see a family more,
        some of whom began with the public model."""
        scores = []
        for own in np.geomspace(best, worst, count)[self.rng.permutation(count)]:
            sees = USUAL.copy()
            if self.rng.random() < special:
                sees[self.rng.integers(4, 6)] = 1
            shared = 0.5 if self.rng.random() < forks else 0.0
            slope, shift = self.rng.normal(1, 0.1), self.rng.normal(0, 0.1)
            scores.append(self.model(own, sees, shared, slope, shift))
        return scores
