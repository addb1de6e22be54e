"""Alerts of settled days, issued again: one set a round, the same for every miner."""
from dataclasses import dataclass

import numpy as np

from figures import logit, sigmoid

ONE_IN = 20          # alerts of a batch for each trap, at least
GROUP, SMALLEST = 20, 5
ENOUGH = 0.7         # of a group, under rules v1
BY_CHANCE = {True: 0.1, False: 0.5}


@dataclass
class Sheet:
    """A round's traps: `groups` as (whether high, size), and by miner the scores of all, group after group."""

    groups: list
    answers: dict


def plan(alerts):
    """(groups of high ones, groups of low ones, their size)."""
    room, high, low = alerts // ONE_IN, 2, 2
    while high + low > 2 and room // (high + low) < GROUP:
        high, low = (high - 1, low) if high > low else (high, low - 1)
    return high, low, min(GROUP, room // (high + low))


def candidates(world, canonical, day):
    """Alerts of older days that the canonical scores had right: (day, place) of illicit ones, and of clean ones."""
    found = {True: [], False: []}
    for old in range(max(0, day - 45), day - 7):
        top, middle = np.quantile(canonical[old], [0.9, 0.5])
        known, illicit = world.known_on[old] <= day, world.illicit[old] > 0
        for kind, right in ((True, illicit & (canonical[old] > top)), (False, ~illicit & (canonical[old] < middle))):
            found[kind] += [(old, place) for place in np.flatnonzero(known & right)]
    return np.array(found[True]), np.array(found[False])


def sheet(season, day):
    """Today's traps and everybody's answers to them; None while too few alerts are settled."""
    high, low, size = plan(season.world.alerts)
    pools = candidates(season.world, season.canonical, day)
    if size < SMALLEST or len(pools[0]) < high * size or len(pools[1]) < low * size:
        return None
    drawn = [(kind, number, pool[season.rng.choice(len(pool), number * size, replace=False)])
             for kind, pool, number in ((True, pools[0], high), (False, pools[1], low))]
    groups = [(kind, size) for kind, number, _ in drawn for _ in range(number)]
    here = np.flatnonzero(season.present[:, day])
    return Sheet(groups, {place: np.concatenate([answer(season, place, day, alerts, kind) for kind, _, alerts in drawn])
                          for place in here})


def answer(season, place, day, alerts, high):
    """How a miner scores traps. Their values are jittered, so that models answer a little differently than before."""
    miner, rng = season.miners[place], season.rng
    how = miner.traps(day) if callable(miner.traps) else miner.traps
    if how == "known":
        return np.full(len(alerts), 0.999 if high else 0.001) + 1e-5 * rng.random(len(alerts))
    if how == "noise":
        return rng.permutation(season.scores[place, day])[: len(alerts)]
    return sigmoid(logit(miner.scores[alerts[:, 0], alerts[:, 1]]) + 0.05 * rng.standard_normal(len(alerts)))


def found(batch, traps, groups):
    """Of each group (whether high, share of it that is where it belongs), over the scores of a batch and its traps."""
    top, middle = np.quantile(np.concatenate([batch, traps]), [0.9, 0.5])
    at, shares = 0, []
    for high, size in groups:
        own = traps[at : at + size]
        shares.append((high, float(np.mean(own > top if high else own < middle))))
        at += size
    return shares


def passed(shares):
    """Tier 2 under rules v1: share of groups that are passed."""
    return float(np.mean([share >= ENOUGH for _, share in shares]))


def advantage(shares):
    """Tier 2 under rules v2: how far beyond chance, from 0 to 1; a mean of groups, then of both kinds."""
    kinds = [np.mean([share for kind, share in shares if kind == high]) for high in (True, False)]
    return float(np.mean([max(0.0, (mean - BY_CHANCE[high]) / (1 - BY_CHANCE[high])) for mean, high in zip(kinds, (True, False))]))
