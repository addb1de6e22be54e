"""A season: every day a round with traps, canonical scores and pay; outcomes become known later."""
from dataclasses import dataclass

import numpy as np

import traps


@dataclass
class Miner:
    """`scores` are those of all days and alerts, or a function of (season, day) that gives a day's, or None for no answer.
    `traps` says how traps are scored: 'model' (as the same model scored the alert when it was new), 'noise', 'known' (as they
    should be), or a function of the day."""

    scores: object
    owner: str = "honest"
    traps: object = "model"
    first: int = 0


class Season:
    """Plays miners under rules. Rules have `begin(season)` and `play(season, day, sheet)`, which fills in `voice`, `canonical`, `pay`
    and what the miners reached on the traps, `tier2` or `advantage`."""

    def __init__(self, world, miners, rules, seed=99):
        self.world, self.miners, self.rules = world, miners, rules
        self.rng = np.random.default_rng(seed)
        shape = (len(miners), world.days)
        self.scores = np.full(shape + (world.alerts,), np.nan)
        self.present = np.zeros(shape, bool)
        self.asked = np.arange(world.days) >= np.array([miner.first for miner in miners])[:, None]
        self.tier2, self.advantage = np.full((2,) + shape, np.nan)
        self.voice, self.pay = np.zeros((2,) + shape)
        self.canonical, self.old_canonical = np.full((2, world.days, world.alerts), np.nan)

    def run(self):
        self.rules.begin(self)
        for day in range(self.world.days):
            self.old_canonical[day] = self.looked_up(day)
            self.ask(day)
            self.rules.play(self, day, self.sheet(day))
        return self

    def sheet(self, day):
        return traps.sheet(self, day)

    def looked_up(self, day):
        """What anybody can look up of a day's alerts: the newest canonical score of the address, else yesterday's mean."""
        if day == 0:
            return np.full(self.world.alerts, self.world.base_rate)
        old, place = self.world.before[:, day]
        return np.where(old >= 0, self.canonical[old, place], self.canonical[day - 1].mean())

    def ask(self, day):
        for place, miner in enumerate(self.miners):
            if day < miner.first:
                continue
            given = miner.scores(self, day) if callable(miner.scores) else miner.scores[day]
            if given is not None:
                self.scores[place, day], self.present[place, day] = given, True

    def here(self, day):
        return np.flatnonzero(self.present[:, day])

    def merge(self, day, voices):
        """Notes the voices of those who answered, and what comes of them."""
        here = self.here(day)
        self.voice[here, day] = voices
        self.canonical[day] = np.clip(voices @ self.scores[here, day], 0, 1)
