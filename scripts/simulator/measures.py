"""What a season came to."""
import numpy as np

from figures import auc, log_loss
from rules_v2 import column, weights_of


def of_owner(season, owner):
    return np.array([miner.owner == owner for miner in season.miners])


def taken(season, first, owner="them"):
    """(share of pay, share of the voice) of an owner's keys together, a mean over the days from `first` on."""
    keys = of_owner(season, owner)
    return season.pay[keys, first:].sum(0).mean(), season.voice[keys, first:].sum(0).mean()


def quality(season, first):
    """(AUC, logarithmic loss) of the canonical scores of these days against all outcomes."""
    illicit, scores = season.world.illicit[first:].ravel(), season.canonical[first:].ravel()
    return auc(illicit, scores), log_loss(illicit, scores)


def truth(season, first):
    """What `them` are worth whatever the rules say: their share of skill (2 AUC - 1; an owner counts once, with the best key), and
    of what the best linear combination of everybody would lose without an owner. The combination is fitted on every other day
    and measured on the others."""
    places = np.flatnonzero(season.present[:, first:].any(1))
    them = of_owner(season, "them")[places]
    illicit = season.world.illicit[first:].ravel()
    given = np.nan_to_num(season.scores[places, first:], nan=0.0)
    skill = np.array([max(0.0, 2 * auc(illicit, rows.ravel()) - 1) for rows in given])
    best = skill[them].max() if them.any() else 0.0
    halves = [moments(season, places, range(first + half, season.world.days, 2)) for half in (0, 1)]

    def explained(keep):
        total, kept = 0.0, np.ix_(keep, keep)
        for (G, g), (H, h) in (halves, halves[::-1]):
            ridge = np.diag(1e-3 * np.diag(G)[keep] + 1e-9)
            count = keep.sum()
            w = weights_of(G[kept] + ridge, g[keep], np.zeros(count), np.ones(count), 1.0)
            total += 2 * w @ h[keep] - w @ H[kept] @ w
        return total

    whole = explained(np.ones(len(places), bool))
    lost = sum(max(0.0, whole - explained(np.arange(len(places)) != place)) for place in np.flatnonzero(~them))
    theirs = max(0.0, whole - explained(~them)) if them.any() else 0.0
    return best / (best + skill[~them].sum()), theirs / max(theirs + lost, 1e-12)


def moments(season, places, days):
    x = np.concatenate([column(np.nan_to_num(season.scores[places, day], nan=0.0)) for day in days], 1)
    y = np.concatenate([season.world.illicit[day] - season.world.illicit[day].mean() for day in days])
    return x @ x.T / len(y), x @ y / len(y)
