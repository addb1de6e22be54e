"""Rules v1 in Python, from docs/scoring_v1.md: a second opinion on what the program says."""
import numpy as np

import traps
from figures import auc, brier, ndcg, ranks

TIERS = (0.2, 0.3, 0.5)
OF_EACH_CLASS, EARLIEST, LATEST, DAYS, ALPHA, ALIKE, FEW = 10, 7, 21, 30, 2.0, 0.999, 30
OPEN = 10**6


def settlement(illicit, relevance, scores):
    return 0.4 * auc(illicit, scores) + 0.3 * (1 - brier(illicit, scores)) + 0.3 * ndcg(relevance, scores, 500)


def groups(submissions):
    """Which submissions are one: those with the same order, and those whose ranks correlate once the mean rank is out."""
    orders, kind = np.unique(ranks(submissions), axis=0, return_inverse=True)
    kind = kind.ravel()
    left = orders - orders.mean(0)
    length = np.sqrt((left**2).sum(1, keepdims=True))
    left = np.divide(left, length, out=np.zeros_like(left), where=length > 0)
    group = np.arange(len(orders))
    if np.shape(submissions)[1] >= FEW:
        for one, two in np.argwhere(np.triu(left @ left.T > ALIKE, 1)):
            group[group == group[two]] = group[one]
    return group[kind]


def voices(performance, group):
    """Squared performance, shared within a group; who has none yet speaks with the least there is."""
    known = np.where(performance > 0, performance, np.nan)
    known = np.where(np.isnan(known), np.nanmin(known) if np.isfinite(known).any() else 1.0, known)
    shares = np.zeros(len(known))
    for members in (group == one for one in np.unique(group)):
        shares[members] = known[members].max() ** ALPHA / members.sum()
    return shares / shares.sum()


def row_means(values):
    """Means of what is a number in each row; nan where nothing is."""
    count = np.isfinite(values).sum(1)
    return np.divide(np.nansum(values, 1), count, out=np.full(len(values), np.nan), where=count > 0)


class V1:
    def begin(self, season):
        self.third, self.copies = np.zeros(season.present.shape), np.ones(season.present.shape)
        self.settled_on = np.full(season.world.days, OPEN)

    def play(self, season, day, sheet):
        self.settle(season, day)
        here = season.here(day)
        if sheet is not None:
            for place in here:
                season.tier2[place, day] = traps.passed(traps.found(season.scores[place, day], sheet.answers[place], sheet.groups))
        if len(here):
            group = groups(season.scores[here, day])
            self.copies[here, day] = np.bincount(group)[group]
            known = row_means(self.scores(season, np.arange(max(0, day - DAYS + 1), day), day))
            season.merge(day, voices(known[here], group))
        rounds = np.arange(max(0, day - DAYS + 1), day + 1)
        earned = np.nan_to_num(row_means(self.scores(season, rounds, day) / self.copies[:, rounds]))
        season.pay[:, day] = earned / earned.sum() if earned.sum() > 0 else earned

    def settle(self, season, day):
        """Measures a round once, on the first day on which enough of it is known."""
        world = season.world
        for old in range(max(0, day - LATEST), day - EARLIEST + 1):
            known = world.known_on[old] <= day
            illicit = world.illicit[old, known].sum()
            if self.settled_on[old] < OPEN or min(illicit, known.sum() - illicit) < OF_EACH_CLASS:
                continue
            self.settled_on[old] = day
            for place in season.here(old):
                self.third[place, old] = settlement(
                    world.illicit[old, known], world.relevance[old, known], season.scores[place, old, known])

    def scores(self, season, rounds, day):
        """Everybody's scores of these rounds as they are known on this day; nan where a miner was not asked."""
        third = np.where(self.settled_on[rounds] <= day, self.third[:, rounds], 0)
        given = TIERS[0] + TIERS[1] * np.nan_to_num(season.tier2[:, rounds]) + TIERS[2] * third
        return np.where(season.asked[:, rounds], np.where(season.present[:, rounds], given, 0.0), np.nan)
