"""Submissions that are one, and the ensemble."""
import numpy as np

from measures import mean_ranks

ALPHA = 2.0
ALIKE = 0.999
LEAST_ALERTS = 30


def likeness(submissions):
    """Pair by pair, how alike submissions of the same alerts are."""
    count = len(submissions)
    alerts = len(submissions[0])
    orders = [tuple(scores) if alerts < LEAST_ALERTS else tuple(mean_ranks(scores)) for scores in submissions]
    kinds = list(dict.fromkeys(orders))
    between = np.zeros((len(kinds), len(kinds)))
    if alerts >= LEAST_ALERTS:
        ranks = np.array(kinds)
        residuals = ranks - ranks.mean(axis=0)
        lengths = np.sqrt((residuals**2).sum(axis=1, keepdims=True))
        residuals = np.divide(residuals, lengths, out=np.zeros_like(residuals), where=lengths > 1e-9)
        between = np.clip(residuals @ residuals.T, -1, 1)
    np.fill_diagonal(between, 1.0)
    which = [kinds.index(order) for order in orders]
    alike = between[np.ix_(which, which)]
    assert alike.shape == (count, count)
    return alike


def groups(alike):
    """Whom links above the limit connect, as sets of positions."""
    left, found = set(range(len(alike))), []
    while left:
        reached, edge = set(), {min(left)}
        while edge:
            reached |= edge
            edge = {other for one in edge for other in left if alike[one][other] > ALIKE} - reached
        left -= reached
        found.append(sorted(reached))
    return found


def nearest(alike, place):
    """Likeness to the one that is most like it."""
    others = np.delete(alike[place], place)
    return float(others.max()) if len(others) else None


def weights(hotkeys, together, performance):
    """What each hotkey's voice weighs."""
    known = {hotkey: performance[hotkey] for hotkey in hotkeys if performance.get(hotkey, 0) > 0}
    least = min(known.values(), default=1.0)
    voices = {}
    for members in together:
        best = max(known.get(hotkeys[member], least) for member in members)
        voices.update({hotkeys[member]: best**ALPHA / len(members) for member in members})
    total = sum(voices.values())
    return {hotkey: voice / total for hotkey, voice in voices.items()}


def merge(hotkeys, submissions, voices):
    """(score, deviation) of every alert."""
    weight = np.array([voices[hotkey] for hotkey in hotkeys])[:, None]
    scores = np.array(submissions)
    mean = np.clip((weight * scores).sum(axis=0), 0, 1)
    return mean, np.sqrt((weight * (scores - mean) ** 2).sum(axis=0))
